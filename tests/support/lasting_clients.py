"""Many clients that lose their sockets again and again and go on, as real ones would.

    crowd = Crowd(stack, chance, count=200, writers=8)
    with crowd:                          # a thread serves all of them
        crowd.log_in()
        ...                              # kill whatever you like
        crowd.stop_writing()
        crowd.expect_quiet(seconds)

Each client asks for delivery, reads a share of the objects, keeps what it was told last of each,
acknowledges every push and every reply, and returns with its signed session to a random gateway when
its socket is lost. Writers change objects of their own, each with a number that only grows; what was
not answered stays open until it is, over any number of returns.
"""

import collections
import contextlib
import heapq
import itertools
import json
import selectors
import threading
import time
import uuid

from client import SYNC, class_of, pair
from light_socket import LightSocket, Lost
from servers import wait_until
from stack import slow

TASK = "com.app.mo.Task"
PUSHES = {SYNC + "PushUpdateResponse": "updatesReceived",
          SYNC + "PushDeleteResponse": "deletesReceived"}
RECEIPT_RESPONSES = {SYNC + "PushUpdatesReceivedResponse", SYNC + "PushDeletesReceivedResponse"}
ASK_AGAIN = {"-116", "-118", "-119"}     # no answer in time, too many requests, back end away
COME_BACK = {None, 1001, 1006, 1013, 4003}
RETURN_SECONDS = 45                      # for the ConnectResponse; more than a gateway waits
BACKOFF, MOST_BACKOFF = 0.1, 2.0
READ_AT_ONCE = 50                        # objects in a findByIds
OPEN_WRITES = 10                         # of one writer, on different objects
WRITE_SECONDS = 0.05                     # between two writes of one writer
READ_SECONDS = 4                         # between two reads of one client


class Figures(collections.Counter):
    """What happened to all clients together; lines for a person to read."""

    def __str__(self):
        return ", ".join(f"{name} {count}" for name, count in sorted(self.items()))


def value_of(task):
    """What a client remembers of a Task."""
    return task["title"], task["priority"]


class LastingClient:
    def __init__(self, crowd, number):
        self.crowd, self.number, self.chance = crowd, number, crowd.chance
        self.figures = crowd.figures
        self.socket = None
        self.session = None     # the newest signed session
        self.ready = False      # bound: requests may go
        self.failures = 0       # in a row, to come back
        self.attempt = 0        # counts connections, so that what is late can tell
        self.reads = {}         # messageId of a read that has no answer -> its request
        self.copy = {}          # ID -> value_of() it, None when it is gone; what is told last counts
        self.heard = {}         # ID -> the last that was heard of it, for a person to read
        self.told = {}          # operation -> pairs of pushes without a receipt, of this turn
        self.share = []         # IDs that it reads now and then; None: the whole class

    # ---- The connection

    def open(self):
        self.attempt += 1
        try:
            self.socket = LightSocket(self.chance.choice(self.crowd.stack.gateways).port)
        except Lost:
            self.lost(Lost())
            return
        self.crowd.watch(self)
        if self.session is None:
            self._say({"connect": {"ensureMessageDelivery": True}})
            self._request("authenticate", authProvider="anonymous", credential="")
        else:
            self._say({"reconnect": {"lastSessionId": "", "reconnectId": self.session,
                                     "ensureMessageDelivery": True}})
        self.crowd.later(RETURN_SECONDS * (4 if slow() else 1), self._give_up, self.attempt)

    def _give_up(self, attempt):
        if attempt == self.attempt and not self.ready:
            self.figures["returns without an answer"] += 1
            self.lost(Lost())

    def lost(self, why):
        self.drop()
        if why.code not in COME_BACK:
            self.crowd.fail(f"client {self.number} {why}")
        self.failures += 1
        delay = min(BACKOFF * 2 ** (self.failures - 1), MOST_BACKOFF) * self.chance.uniform(0.5, 1)
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
        self.socket, self.ready, self.told = None, False, {}

    def turn(self):
        """Something may be read or written."""
        try:
            for frame in self.socket.turn():
                self._take(frame)
                if self.socket is None:
                    return
            self._send_receipts()
            self.socket.flush()
        except Lost as why:
            self.lost(why)

    # ---- What it says

    def _say(self, frame):
        self.socket.send(frame)
        self.crowd.wants_to_write(self)

    def _request(self, operation, message=None, **members):
        request = {"cn": class_of(operation), "messageId": message or str(uuid.uuid4()), **members}
        self._say(request)
        return request["messageId"]

    def _send_receipts(self):
        for operation, pairs in self.told.items():
            self._request(operation, classIdPairs=pairs)
        self.told = {}

    def read(self):
        """Asks for the newest of what it cares about, which is then watched."""
        if not self.ready:
            return
        if self.share is None:
            self._ask({"operation": "getAllByName", "theClassName": TASK})
            return
        for at in range(0, len(self.share), READ_AT_ONCE):
            ids = self.share[at:at + READ_AT_ONCE]
            self._ask({"operation": "findByIds",
                       "theClassIdList": [{"className": TASK, "ids": ids}]})

    def _ask(self, read):
        self.reads[self._request(**read)] = read

    # ---- What it is told

    def _take(self, frame):
        if "gatewayConnectAck" in frame:
            self.session = frame["gatewayConnectAck"]
        elif "ack" in frame:
            self.take_ack(frame["ack"])
        elif frame["cn"] == SYNC + "ConnectResponse":
            self._take_connect_response(frame)
        elif frame["correspondingMessageId"] is None and "errorCode" in frame:
            self._take_error(None, frame)  # its return had no answer
        elif frame["correspondingMessageId"] is None:
            self._take_push(frame)
        else:
            self._take_reply(frame)

    def _take_connect_response(self, frame):
        if frame["clientId"] is None:
            self.crowd.fail(f"client {self.number} was refused: {frame['data']}")
            self.lost(Lost())
            return
        self.ready, self.failures = True, 0
        self.figures["returns" if self.attempt > 1 else "logins"] += 1
        reads, self.reads = self.reads, {}
        for read in reads.values():
            self._ask(read)
        self.returned()

    def _take_push(self, frame):
        operation, pairs = PUSHES[frame["cn"]], []
        for told in frame["objectList"]:
            if operation == "updatesReceived":
                self._remember(told["ID"], value_of(told), "push")
                pairs.append(pair(told["cn"], told["ID"]))
            else:
                self._remember(told["ID"], None, "push")
                pairs.append(told)
        self.figures["objects told"] += len(pairs)
        self.told.setdefault(operation, []).extend(pairs)

    def _take_reply(self, frame):
        message = frame["correspondingMessageId"]
        self._say({"ack": {"correspondingMessageId": message}})
        if frame["cn"] in RECEIPT_RESPONSES:
            return
        if "errorCode" in frame:
            self._take_error(message, frame)
        elif "totalCount" in frame or isinstance(frame["result"], list):
            self._take_objects(self.reads.pop(message, None), frame["result"])
        else:
            self.take_answer(message, frame)

    def _take_error(self, message, frame):
        code = str(frame["errorCode"])
        self.figures[f"errors {code}"] += 1
        if code not in ASK_AGAIN:
            self.crowd.fail(f"client {self.number}: {json.dumps(frame)[:500]}")
        elif not self.ready:
            self.lost(Lost())
        elif message in self.reads:
            self._later(1.0, self._ask, self.reads.pop(message))
        else:
            self.take_error(message)

    def _later(self, seconds, action, *arguments):
        """Then, if the connection is still this one."""
        attempt = self.attempt
        self.crowd.later(seconds * self.chance.uniform(0.5, 1.5), lambda: (
            action(*arguments) if self.ready and self.attempt == attempt else None))

    def _take_objects(self, read, objects):
        """The reply to a read; one that was asked on an earlier socket may still come."""
        for task in objects:
            self._remember(task["ID"], value_of(task), "read")
        if read and read["operation"] == "findByIds":
            asked = read["theClassIdList"][0]["ids"]
            for gone in set(asked) - {task["ID"] for task in objects}:
                self._remember(gone, None, "read")

    def _remember(self, task, value, how):
        self.copy[task] = value
        self.heard.setdefault(task, collections.deque(maxlen=5)).append((how, value))

    # ---- For writers

    def returned(self):
        """It is bound (again)."""

    def take_ack(self, message):
        """The gateway says that the request is safe."""

    def take_answer(self, message, frame):
        """The reply to what is no read."""

    def take_error(self, message):
        """It is to be asked again."""

    def is_quiet(self):
        return self.ready and not self.reads and not self.socket.wants_write()


class Write:
    """A write that has no answer yet: members of its request, and the object as it will be."""

    def __init__(self, operation, task, value, **members):
        self.operation, self.task, self.value, self.members = operation, task, value, members
        self.acknowledged = False


class Writer(LastingClient):
    """Changes objects that nobody else changes, one at a time each, so it knows what they must be.

    What got its ack and no answer is never asked again: its reply has to come by itself.
    """

    def __init__(self, crowd, number):
        super().__init__(crowd, number)
        self.open_writes = {}   # messageId -> Write
        self.tasks = {}         # ID -> value that was answered last; None when it is removed
        self.numbers = itertools.count(1)
        self.busy = set()       # IDs that a write is under way for
        self.promised = {}      # ID -> number of the last write with an ack or an answer

    def create_some(self, count):
        for _ in range(count):
            self._create()

    def _create(self):
        task = f"task-{self.number}-{next(self.numbers)}"
        value = (task, 0)
        self._write(Write("createObject", task, value, theObject={
            "cn": TASK, "ID": task, "title": value[0], "priority": value[1]}))

    def write_one(self):
        """The next change, if it may have one."""
        if not self.ready or len(self.open_writes) >= OPEN_WRITES:
            return
        dice = self.chance.random()
        task = self.chance.choice(list(self.tasks))
        if dice < 0.04:
            self._create()
        elif self.tasks[task] is None or task in self.busy:
            return
        elif dice < 0.08:
            self._write(Write("removeObject", task, None, removePair=pair(TASK, task)))
        else:
            title, number = self.tasks[task]
            value = (f"{task} as of {number + 1}", number + 1)
            self._write(Write("putObject", task, value, theObject={
                "cn": TASK, "ID": task, "title": value[0], "priority": value[1]}))

    def _write(self, write):
        self.busy.add(write.task)
        self.figures["writes"] += 1
        message = self._request(write.operation, sendAck=True, **write.members)
        self.open_writes[message] = write

    def _ask_again(self, message):
        write = self.open_writes.get(message)
        if write:
            self.figures["writes asked again"] += 1
            self._request(write.operation, message, sendAck=True, **write.members)

    def take_ack(self, message):
        write = self.open_writes.get(message)
        if write and not write.acknowledged:
            write.acknowledged = True
            self.figures["writes acknowledged"] += 1

    def take_answer(self, message, frame):
        write = self.open_writes.pop(message, None)
        if write is None:
            self.figures["replies repeated"] += 1
            return
        if frame["result"] is not True:
            self.crowd.fail(f"{write.operation} of {write.task}: {json.dumps(frame)[:500]}")
        self.figures["writes answered"] += 1
        self.busy.discard(write.task)
        self.tasks[write.task] = write.value
        if write.task in self.copy:
            self._remember(write.task, write.value, "own")

    def take_error(self, message):
        self._later(1.0, self._ask_again, message)

    def drop(self):
        if self.ready and not self.crowd.over:
            self.figures["writes unknown"] += len(self.open_writes)
        super().drop()

    def returned(self):
        for message, write in list(self.open_writes.items()):
            if not write.acknowledged:
                self._ask_again(message)

    def is_quiet(self):
        return super().is_quiet() and not self.open_writes


class Crowd:
    """Served by one thread; whoever else looks at the clients holds `lock`."""

    def __init__(self, stack, chance, count, writers, watch_all):
        self.stack, self.chance, self.figures = stack, chance, Figures()
        self.lock = threading.Lock()
        self.failures = []
        self.writing = self.reading = False
        self.selector = selectors.EpollSelector()
        self.timers, self.order = [], itertools.count()
        self.writers = [Writer(self, i) for i in range(writers)]
        self.clients = self.writers + [LastingClient(self, i) for i in range(writers, count)]
        for client in self.clients[-watch_all:]:
            client.share = None
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

        wait_until(holds, seconds * (4 if slow() else 1), what)

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

    def read(self, each):
        """Every client reads so many objects, or the whole class; and reads them again later."""
        with self.lock:
            tasks = [task for writer in self.writers for task in writer.tasks]
            for client in self.clients:
                if client.share is not None:
                    client.share = self.chance.sample(tasks, each)
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
                f"{[(m, w.operation, w.acknowledged) for m, w in getattr(c, 'open_writes', {}).items()]}"
                for c in self.clients if not c.is_quiet()]
