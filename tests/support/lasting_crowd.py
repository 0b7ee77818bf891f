"""Many clients that lose their sockets again and again and go on, as real ones would.

    crowd = Crowd(stack, chance, [Writer] * 8 + [LastingClient] * 192)
    with crowd:                          # a thread serves all of them
        crowd.log_in()
        ...                              # kill whatever you like
        crowd.stop_writing()
        crowd.expect_quiet(seconds)

Each client reads a share of the objects, keeps what it was told last of each, and returns with its
session to a random gateway when its socket is lost. Writers change objects of their own, each with a
number that only grows; what was not answered stays open until it is, over any number of returns.
What a client says and hears depends on its protocol: lasting_clients.py and lasting_content.py.
"""

import collections
import contextlib
import heapq
import itertools
import selectors
import threading
import time

from content_requests import History
from light_socket import LightSocket, Lost
from servers import wait_until
from stack import slow

MO = "com.app.mo."
COME_BACK = {None, 1001, 1006, 1013, 4003}
RETURN_SECONDS = 45                      # until it is bound; more than a gateway waits
BACKOFF, MOST_BACKOFF = 0.1, 2.0
WRITE_SECONDS = 0.05                     # between two writes of one writer
READ_SECONDS = 4                         # between two reads of one client
OPEN_WRITES = 10                         # of one writer, on different objects


def class_of_item(item):
    """Objects are Tasks and Notes; their IDs begin with what they are."""
    return MO + item.split("-", 1)[0].title()


class Figures(collections.Counter):
    """What happened to all clients together; lines for a person to read."""

    def __str__(self):
        return ", ".join(f"{name} {count}" for name, count in sorted(self.items()))


class Lasting:
    """A client of any protocol: `path` is its address. It says who it is in greet(), takes frames in
    take(frame), and calls bound() when requests may go."""

    path = None
    reads_some = 0              # objects of its share

    def __init__(self, crowd, number):
        self.crowd, self.number, self.chance = crowd, number, crowd.chance
        self.figures = crowd.figures
        self.socket = None
        self.ready = False      # bound: requests may go
        self.failures = 0       # in a row, to come back
        self.attempt = 0        # counts connections, so that what is late can tell
        self.reads = {}         # id of a read that has no answer -> what was asked
        self.copy = {}          # ID -> value of the object, None when it is gone; the last counts
        self.heard = {}         # ID -> the last that was heard of it, for a person to read
        self.share = []         # IDs that it reads now and then; None: all there are

    # ---- The connection

    def open(self):
        self.attempt += 1
        try:
            self.socket = LightSocket(self.chance.choice(self.crowd.stack.gateways).port, self.path)
        except Lost:
            self.lost(Lost())
            return
        self.crowd.watch(self)
        self.greet()
        self.crowd.later(RETURN_SECONDS * (4 if slow() else 1), self._give_up, self.attempt)

    def greet(self):
        """Logs in, or returns; calls bound() when that has an answer."""
        raise NotImplementedError

    def bound(self):
        self.ready, self.failures = True, 0
        self.figures["returns" if self.attempt > 1 else "logins"] += 1

    def _give_up(self, attempt):
        if attempt == self.attempt and not self.ready:
            self.figures["returns without an answer"] += 1
            self.lost(Lost())

    def lost(self, why):
        if self.ready:
            self.figures[f"sockets lost with {why.code}"] += 1
        self.drop()
        if why.code not in COME_BACK:
            self.fail(str(why))
        self.failures += 1
        delay = min(BACKOFF * 2 ** (self.failures - 1), MOST_BACKOFF) * self.chance.uniform(0.5, 1)
        if why.code == 1001:             # when to come back
            delay += int(why.reason) / 1000
        self.crowd.later(delay, self._open_again, self.attempt)

    def _open_again(self, attempt):
        if attempt == self.attempt and self.socket is None:
            self.open()

    def drop(self):
        """Without a word."""
        if self.socket is not None:
            self.crowd.forget(self)
            self.socket.close()
        if self.ready and not self.crowd.over:
            self.figures["sockets lost"] += 1
        self.socket, self.ready = None, False

    def turn(self):
        """Something may be read or written."""
        try:
            for frame in self.socket.turn():
                self.take(frame)
                if self.socket is None:
                    return
            self.after_frames()
            self.socket.flush()
        except Lost as why:
            self.lost(why)

    def after_frames(self):
        """All that has come is taken."""

    def say(self, frame):
        self.socket.send(frame)
        self.crowd.wants_to_write(self)

    def later(self, seconds, action, *arguments):
        """Then, if the connection is still this one."""
        attempt = self.attempt
        self.crowd.later(seconds * self.chance.uniform(0.5, 1.5), lambda: (
            action(*arguments) if self.ready and self.attempt == attempt else None))

    def fail(self, why):
        self.crowd.fail(f"client {self.number}: {why}")

    # ---- What it knows

    def remember(self, item, value, how):
        self.copy[item] = value
        self.heard.setdefault(item, collections.deque(maxlen=5)).append((how, value))

    def is_quiet(self):
        return self.ready and not self.reads and not self.socket.wants_write()


class Write:
    """One that has no answer yet: what is asked, and the object as it will be (None: removed)."""

    def __init__(self, item, value, operation, **asked):
        self.item, self.value, self.operation, self.asked = item, value, operation, asked
        self.acknowledged = False

    def __str__(self):
        return f"{self.operation} of {self.item} (acknowledged: {self.acknowledged})"


class Writes:
    """Of a client that changes objects that nobody else changes, one at a time each, so that it knows
    what they must be. Its class says how: create(item, value), change(item, value), remove(item) make
    a Write, and send(write) sends it and returns an id."""

    makes = None                # what IDs begin with

    def __init__(self, crowd, number):
        super().__init__(crowd, number)
        self.open_writes = {}   # id of the request -> Write
        self.items = {}         # ID -> value that was answered last; None when it is removed
        self.numbers = itertools.count(1)
        self.busy = set()       # IDs that a write is under way for

    def create_some(self, count):
        for _ in range(count):
            self._create()

    def _create(self):
        item = f"{self.makes}-{self.number}-{next(self.numbers)}"
        self._write(self.create(item, (item, "0")))

    def write_one(self):
        """The next change, if it may have one."""
        if not self.ready or len(self.open_writes) >= OPEN_WRITES:
            return
        dice = self.chance.random()
        item = self.chance.choice(list(self.items))
        if dice < 0.04:
            self._create()
        elif self.items[item] is None or item in self.busy:
            return
        elif dice < 0.08:
            self._write(self.remove(item))
        else:
            number = int(self.items[item][1]) + 1
            self._write(self.change(item, (f"{item} as of {number}", str(number))))

    def _write(self, write):
        if write:
            self.busy.add(write.item)
            self.figures["writes"] += 1
            self.open_writes[self.send(write)] = write

    def written(self, write):
        """It has its answer and is no longer open."""
        self.figures["writes answered"] += 1
        self.busy.discard(write.item)
        self.items[write.item] = write.value
        if write.item in self.copy:
            self.remember(write.item, write.value, "own")

    def drop(self):
        if self.ready and not self.crowd.over:
            self.figures["writes unknown"] += len(self.open_writes)
        super().drop()

    def is_quiet(self):
        return super().is_quiet() and not self.open_writes


class Crowd:
    """Served by one thread; whoever else looks at the clients holds `lock`. `kinds`: what each client
    is; writers have `open_writes`."""

    def __init__(self, stack, chance, kinds):
        self.stack, self.chance, self.figures = stack, chance, Figures()
        self.lock = threading.Lock()
        self.history = History()  # what anybody saw of versions
        self.failures = []
        self.writing = self.reading = False
        self.selector = selectors.EpollSelector()
        self.timers, self.order = [], itertools.count()
        self.clients = [kind(self, i) for i, kind in enumerate(kinds)]
        self.writers = [client for client in self.clients if hasattr(client, "open_writes")]
        self.to_flush = set()
        self.over = False
        self.thread = threading.Thread(target=self._serve, name="crowd")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        for client in self.clients:
            client.drop()
        self.selector.close()

    # ---- For its clients

    def fail(self, why):
        self.failures.append(why)

    def later(self, seconds, action, *arguments):
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), action, arguments))

    def watch(self, client):
        self.selector.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)

    def forget(self, client):
        self.selector.unregister(client.socket)

    def wants_to_write(self, client):
        self.to_flush.add(client)

    # ---- The thread

    def _serve(self):
        try:
            while not self.over:
                found = self.selector.select(0.01)
                with self.lock:
                    self._turn([key.data for key, _ in found])
        except BaseException as e:  # told by whoever waits for us
            self.fail(repr(e))
            raise

    def _turn(self, found):
        for client in found:
            if client.socket is not None:
                client.turn()
                self.to_flush.add(client)
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _, _, action, arguments = heapq.heappop(self.timers)
            action(*arguments)
        ready, self.to_flush = self.to_flush, set()
        for client in ready:
            self._flush(client)

    def _flush(self, client):
        if client.socket is None:
            return
        with contextlib.suppress(Lost):  # it will be read, too
            if client.socket.is_open:
                client.socket.flush()
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.socket.wants_write() else 0)
        if self.selector.get_key(client.socket).events != wanted:
            self.selector.modify(client.socket, wanted, client)

    # ---- For the test

    def check(self):
        with self.lock:
            assert not self.failures, self.failures[:10]
        assert self.thread.is_alive()

    def _wait(self, condition, seconds, what):
        def holds():
            self.check()
            with self.lock:
                return condition()

        wait_until(holds, seconds, what)

    def log_in(self):
        """All of them, over the gateways by chance."""
        with self.lock:
            for client in self.clients:
                client.open()
        self._wait(lambda: all(c.ready for c in self.clients), 120, "all clients have logged in")

    def create(self, count):
        """So many objects, by the writers."""
        with self.lock:
            for writer in self.writers:
                writer.create_some(count // len(self.writers))
        self._wait(lambda: not any(w.open_writes for w in self.writers), 60, "all objects are made")

    def read(self):
        """Every client reads some objects, or all there are; and reads them again later."""
        with self.lock:
            items = [item for writer in self.writers for item in writer.items]
            for client in self.clients:
                if client.share is not None:
                    client.share = self.chance.sample(items, client.reads_some)
                client.read()
                self.later(READ_SECONDS * self.chance.random(), self._read_again, client)
        self._wait(lambda: not any(c.reads for c in self.clients), 60, "all have read")

    def _read_again(self, client):
        self.later(READ_SECONDS * self.chance.uniform(0.5, 1.5), self._read_again, client)
        if self.writing and client.share and not client.reads:
            client.read()

    def start_writing(self):
        with self.lock:
            self.writing = True
            for writer in self.writers:
                self._write(writer)

    def _write(self, writer):
        if self.writing:
            writer.write_one()
            self.later(WRITE_SECONDS * self.chance.uniform(0.5, 1.5), self._write, writer)

    def stop_writing(self):
        with self.lock:
            self.writing = False

    def is_quiet(self):
        """Nobody waits for anything; hold the lock."""
        return all(client.is_quiet() for client in self.clients)

    def unquiet(self):
        """Who waits for what, for a person to read."""
        return [f"client {c.number}: ready {c.ready}, attempt {c.attempt}, reads {len(c.reads)}, writes "
                f"{[*map(str, getattr(c, 'open_writes', {}).values())]}"
                for c in self.clients if not c.is_quiet()]
