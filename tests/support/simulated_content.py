"""The part of random histories (test_random_marks.py) that sessions of the content protocol have.

Their clients are told in blocks which documents have changed, and read these when they hear of it.
They watch the children of each document, too; how often these have changed stands for what they are.
"""

from store import marks_of


class ContentSide:
    """Mixed into a history, which has store, chance, sockets, works, devices."""

    NOTIFY_MOST = 3  # of a block: the rest goes into the next

    def begin_content(self, refs):
        self.children = {ref: 0 for ref in refs}
        self.blocks = {}  # session -> (epoch, number, when) of its last block, until it is answered

    def subscribe(self, device):
        device.children = dict(self.children)
        for ref in self.children:
            self.store.watch(device.sid, ref)
            self.store.watch(device.sid, "+" + ref)

    # ---- works

    def notify(self, sids):
        yield
        blocks = self.store.notify(*sids, most=self.NOTIFY_MOST)
        for block in blocks:
            self._check_block(block)
        yield
        for block in blocks:
            self.publish(block.gateway, block)

    def _check_block(self, block):
        device = self.sockets[block.client].device
        epoch, now = self.store.field(device.sid, "epoch"), self.store.now()
        before = self.blocks.get(device.sid)
        if before and before[0] == epoch:
            assert now - before[2] >= self.store.TIMING[0], "a block before the last is answered"
        self.blocks[device.sid] = (epoch, block.number, now)

    def resume(self, gateway, client, device):
        result = self.store.resume(client, gateway.name, token=device.user)
        if isinstance(result, str):
            assert result in ("taken over", "gone"), result
            return
        device.names = device.names[-5:] + [client]
        yield "again"
        self.bind(client, gateway.name, result[1])
        yield
        self.store.run("resumed", device.sid, result[2])
        yield
        self.works.append(self.notify([device.sid]))

    def settle_block(self, socket, number):
        for _ in range(self.chance.choice([1, 1, 2])):  # the broker may bring it twice
            yield "again"
            before = self._item_marks(socket.device.sid)
            ready = self.store.settle_blocks((socket.client, number))
            for item in before.keys() - self._item_marks(socket.device.sid).keys():
                self.settled += 1
                assert item.lstrip("+") in socket.heard_in[number], (item, "was not in that block")
                assert before[item] <= number, (item, "has changed since")
            if ready:
                self.works.append(self.notify(ready))
            if self.blocks.get(socket.device.sid, (0, 0))[1] == number:
                del self.blocks[socket.device.sid]

    def _item_marks(self, sid):
        """item -> the send that its mark needs"""
        return {item: int(mark[3]) for item, mark in marks_of(self.store.redis, sid).items()}

    # ---- what clients do

    def read_block(self, socket):
        """And the documents that it names."""
        block, device = socket.frames.popleft(), socket.device
        for ref, (content, children) in block.entries.items():
            if content:
                device.copies[ref] = self.newest(ref)
            if children:
                device.children[ref] = self.children[ref]
        socket.heard_in[block.number] = set(block.entries)
        socket.unanswered.append(block.number)

    def answer_block(self, socket):
        self.works.append(self.settle_block(socket, socket.unanswered.popleft()))

    def write_content(self, device, ref):
        """With the version that it has just read, so that it knows all."""
        device.copies[ref] = ("u", self.store.change(ref))
        return device.copies[ref][1]

    def check_content(self, device):
        for ref, count in self.children.items():
            assert device.copies[ref][0] == self.newest(ref)[0], (device.sid, ref)
            if self.newest(ref)[0] == "u":
                assert device.copies[ref] == self.newest(ref), (device.sid, ref)
                assert device.children[ref] == count, (device.sid, "+" + ref)
