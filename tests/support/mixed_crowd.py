"""Many clients of both protocols at work at once, in one thread; each keeps what it was told.

    crowd = MixedCrowd(stack, History(), chance, contents=35, stacks=15)
    member.ask(request)             # of crowd.contents: one of content_requests.py
    member.ask(operation, message)  # of crowd.stacks: one of the classes below
    crowd.pump(condition, what)     # takes in what comes, until the condition holds
    crowd.settle()                  # until everybody has heard everything

Clients of the content protocol answer blocks of changes at once, or late, which differs from one to
the next, and read again what they were told has changed, by the version that they have.
"""

import selectors
import time

from client import pair
from content_client import ContentClient, is_block
from content_requests import Copy, GetChildren, GetContent, name_of
from domain import Domain
from random_clients import Member
from stack import PROVIDER, USERS
from store import balance, pending_by_books

PATIENCE = 240
MOST_OPEN = 50  # requests of one client
LATE = 0.2  # the chance, each time, that a late one answers


class ContentMember(ContentClient):
    def __init__(self, gateway, user, number, history):
        super().__init__(gateway.url, answers=False)
        self.number, self.user, self.history = number, user, history
        self.gateway = gateway
        self.is_late = number % 3 == 2
        self.open_requests = {}   # id -> request
        self.copies, self.pages = {}, {}
        self.keys = {}            # name of what it has copies of -> key
        self.dirty = set()        # places that it was told have changed
        self.stale = {}           # place -> version that was refused
        self.revoked = set()      # names of what it will not subscribe any more
        self.blocks = []          # without an answer
        self.blocks_read = self.returns = 0
        self.is_away = False
        self.login(gateway.stack.credential(user))

    def ask(self, request):
        if request.place:
            self.keys[name_of(request.data["key"])] = request.data["key"]
        self.open_requests[self.send_request(request.cls, **request.data)] = request

    def expect_told_of(self, keys):
        """It has subscribed to what is not there."""
        self.keys |= {name_of(key): key for key in keys}
        self.copies |= {name_of(key): Copy(subscribed=True) for key in keys}

    def is_busy(self, place):
        return any(request.place == place for request in self.open_requests.values())

    @property
    def writes(self):
        return any(request.is_write for request in self.open_requests.values())

    def take_frame(self):
        frame = self.receive(0.01)  # there may be a ping and nothing more
        if frame is None:
            return
        if is_block(frame):
            self._take_block(frame)
        else:
            assert "id" in frame, f"an error that belongs to nothing: {frame}"
            self.open_requests.pop(frame["id"]).learn(self, frame)

    def _take_block(self, frame):
        names = [name_of(entry["key"]) for entry in frame["data"]]
        assert len(set(names)) == len(names), f"a document stands there twice: {frame}"
        self._check_order(frame)
        self.blocks.append(frame)
        self.blocks_read += 1
        self.told.clear()
        asked = self._asked()
        for name, entry in zip(names, frame["data"]):
            assert entry["content"] or entry["children"], frame
            if entry["content"] and (name in self.copies or name in asked):
                self.dirty.add(name)
            if entry["children"]:
                self.dirty |= {place for place in asked | self.pages.keys()
                               if isinstance(place, tuple) and place[0] == name}

    def _check_order(self, frame):
        """While one has no answer, there is no other; but it may come again, with what has gathered."""
        for block in self.blocks:
            missing = _flags(block) - _flags(frame)
            assert not missing, f"{frame} has come although {block} has no answer"

    def pages_have_moved(self):
        """By a write of its own, of which it is not told, and which it cannot work out."""
        self.dirty |= {place for place, copy in self.pages.items() if copy.subscribed}
        self.dirty |= {place for place in self._asked() if isinstance(place, tuple)}

    def _asked(self):
        """Places whose answers are under way, and may be older than what is told now."""
        return {request.place for request in self.open_requests.values()}

    def answer_blocks(self):
        for block in self.blocks:
            self.answer_block(block)
        self.blocks = []

    def read_again(self):
        """What it was told has changed; all in one go."""
        for place in [place for place in self.dirty if not self.is_busy(place)]:
            self.dirty.remove(place)
            self.ask(self._read_of(place))

    def _read_of(self, place):
        copies, (name, *page) = (
            (self.pages, place) if isinstance(place, tuple) else (self.copies, (place,)))
        copy = copies.get(place, Copy())
        if page:
            return GetChildren(self.keys[name], *page, copy, ver=copy.ver)
        return GetContent(self.keys[name], copy, ver=copy.ver)

    # ---- connections

    def leave(self):
        self.vanish()
        self.is_away = True
        self.blocks = []

    def come_back(self, gateway):
        """With the token; what was asked in vain is asked again, and nothing else is read anew."""
        asked, self.open_requests = list(self.open_requests.values()), {}
        self.gateway = gateway
        self.open(gateway.url)
        answer = self.reconnect(self.session)
        assert answer["status"] == 200, answer
        self.is_away = False
        self.returns += 1
        for frame in self.inbox:
            self._take_block(frame)
        self.inbox = []
        for request in asked:
            self.ask(request)

    def start_anew(self):
        """Logs out and in again: nothing is subscribed any more."""
        assert not self.open_requests
        answer = self.logout()
        assert answer["status"] == 200, answer
        self.inbox, self.blocks, self.told = [], [], []
        self.copies, self.pages, self.dirty = {}, {}, set()
        self.stale, self.revoked = {}, set()
        self.login(self.gateway.stack.credential(self.user))


def _flags(block):
    return {(name_of(entry["key"]), flag) for entry in block["data"]
            for flag in ("content", "children") if entry[flag]}


# ---- What clients of ActiveStack ask

class Operation:
    name = None

    def __init__(self, **members):
        self.members = members

    def learn(self, copies, answer):
        pass


class Find(Operation):
    name = "findById"

    def __init__(self, ref):
        super().__init__(theClassName=ref[0], theClassId=ref[1])
        self.ref = ref

    def learn(self, copies, answer):
        if answer["result"]:
            copies.take(answer["result"], self.name)
        else:
            copies.take_removal(self.ref, self.name)


class Put(Operation):
    """It may be refused: others write, too."""

    name = "putObject"

    def __init__(self, ref, **given):
        super().__init__(theObject={"cn": ref[0], "ID": ref[1], **given})
        self.ref, self.given = ref, given

    def learn(self, copies, answer):
        if answer["result"]:
            copies.merge(self.ref, self.given, self.name)


class Create(Operation):
    """`learned` is called with a copy."""

    name = "createObject"

    def __init__(self, ref, learned, **given):
        super().__init__(theObject={"cn": ref[0], "ID": ref[1], **given})
        self.learned = learned

    def learn(self, copies, answer):
        if answer["result"]:
            copies.take(answer["theObject"], self.name)
            self.learned(answer["theObject"])


class Remove(Operation):
    name = "removeObject"

    def __init__(self, ref):
        super().__init__(removePair=pair(*ref))
        self.ref = ref

    def learn(self, copies, answer):
        if answer["result"]:
            copies.drop(self.ref, self.name)


class MixedCrowd:
    def __init__(self, stack, model, history, chance, contents, stacks):
        self.stack, self.chance, self.redis = stack, chance, stack.redis()
        self.history, self.domain = history, Domain(model)
        self.selector = selectors.DefaultSelector()
        self.contents = [self._content_member(i) for i in range(contents)]
        self.stacks = [self._stack_member(i) for i in range(stacks)]
        self.sent = 0
        self.hurries = False  # nobody is late any more

    def _content_member(self, number):
        member = ContentMember(self._gateway(number), USERS[number % len(USERS)], number,
                               self.history)
        self._watch(member)
        return member

    def add_observer(self):
        """One more, who looks when all is quiet."""
        self.contents.append(self._content_member(len(self.contents)))
        return self.contents[-1]

    def _stack_member(self, number):
        member = Member(self._gateway(number).url, self.domain, number)
        member.user = USERS[number % len(USERS)]
        member.connect(**({"ensureMessageDelivery": True} if member.confirms else {}))
        member.login(PROVIDER, self.stack.credential(member.user))
        self._watch(member)
        return member

    def _gateway(self, number):
        return self.stack.gateways[number % len(self.stack.gateways)]

    def _watch(self, member):
        self.selector.register(member.socket.sock, selectors.EVENT_READ, member)

    def close(self):
        for member in [*self.contents, *self.stacks]:
            if not getattr(member, "is_away", False):
                member.close()
        self.selector.close()

    # ---- what members do

    def ask_stack(self, member, operation):
        self.sent += 1
        member.ask(operation, f"m{self.sent}")

    def leave(self, member):
        self.selector.unregister(member.socket.sock)
        member.leave()

    def come_back(self, member):
        member.come_back(self.chance.choice(self.stack.gateways))
        self._watch(member)

    # ---- all together

    def pump(self, condition, what, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
            self.turn(0.05)

    def turn(self, seconds):
        """Takes in a frame of each who has some; then all do what they do by themselves."""
        for selected, _ in self.selector.select(seconds):
            selected.data.take_frame()
        for member in self.contents:
            if not member.is_away:
                if self.hurries or not member.is_late or self.chance.random() < LATE:
                    member.answer_blocks()
                member.read_again()
        for member in self.stacks:
            if self.hurries or member.habit == "prompt" or self.chance.random() < LATE:
                member.send_receipts()
            member.answers.clear()

    def settle(self):
        """Returns when everybody has heard everything."""
        self.hurries = True
        for member in self.contents:
            if member.is_away:
                self.come_back(member)
        self.pump(self._is_settled, self._unsettled)

    def read_all(self, member, requests):
        """So many at once as one client may have open."""
        for request in requests:
            member.ask(request)
            self.pump(lambda: len(member.open_requests) < MOST_OPEN, lambda: "there is room")
        self.pump(lambda: not member.open_requests, lambda: "all has an answer")

    def _is_settled(self):
        return (not any(m.open_requests or m.blocks or m.dirty for m in self.contents)
                and not any(m.open or m.owes for m in self.stacks)
                and not self.redis.zcard("jobs") and not pending_by_books(self.redis))

    def _unsettled(self):
        contents = {m.number: ([*map(str, m.open_requests.values())], m.dirty) for m in self.contents
                    if m.open_requests or m.dirty}
        stacks = {m.number: (len(m.open), m.owes) for m in self.stacks if m.open or m.owes}
        return (f"all is settled; {pending_by_books(self.redis)} marks and "
                f"{self.redis.zcard('jobs')} jobs are left, of content clients {contents}, of "
                f"others (open, owed) {stacks}")

    def books(self):
        return balance(self.redis)
