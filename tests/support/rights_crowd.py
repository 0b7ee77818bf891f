"""Sessions of both protocols for the random rights test, in one thread. Each believes what it is told, and
keeps when which secret came.

A secret is the text of a document's field `secret`: "doc-7!12" is the 12th that was made of all.
"""

import collections
import itertools
import json
import re
import selectors
import time
import uuid

from client import AUTH, SYNC, class_of, pair
from content_client import is_block, key, login_data
from light_socket import LightSocket, Lost
from rights_oracle import BEAT, DOC
from stack import slow

SECRET = re.compile(r"(doc-\d+)!(\d+)")
TOLD = {SYNC + "PushUpdateResponse": "updatesReceived", SYNC + "PushDeleteResponse": "deletesReceived"}
MOST_OPEN = 40
EFFECTIVE_S = 6.0 if slow() else 3.0  # a subscription is in effect


class Session:
    """`copies`: document -> its secret, as it was told last; not there when it was told that it is gone.
    `arrived`: (when, document, number of the secret)."""

    path = None

    def __init__(self, crowd, number, user):
        self.crowd, self.number, self.user = crowd, number, user
        self.socket = self.session = None
        self.ready = self.is_known = False
        self.copies, self.arrived, self.open = {}, [], {}
        self.is_slow = number % 3 == 2  # with its receipts

    def __str__(self):
        return f"session {self.number} of {self.user}, {self.path}"

    def enter(self):
        gateways = self.crowd.stack.gateways
        self.socket = LightSocket(gateways[self.number % len(gateways)].port, self.path)
        self.open.clear()
        self.greet()
        self.crowd.selector.register(self.socket, selectors.EVENT_READ, self)

    def vanish(self):
        self.crowd.selector.unregister(self.socket)
        self.socket.close()
        self.socket, self.ready = None, False

    def forget(self):
        """It begins anew, as somebody who has never been there."""
        self.session, self.is_known = None, False
        self.copies.clear()

    def say(self, value):
        self.socket.send(value)
        self.socket.flush()

    def turn(self, now):
        for frame in self.socket.turn():
            self.arrived += [(now, doc, int(number)) for doc, number in SECRET.findall(json.dumps(frame))]
            self.take(frame, now)
        self.socket.flush()


class StackSession(Session):
    """Watches all documents by their class."""

    path = "/activestack"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.owed = collections.defaultdict(list)  # operation -> pairs without a receipt
        self.watched, self.user_id = (DOC,), None

    def greet(self):
        if self.session:
            self.say({"reconnect": {"reconnectId": self.session}})
        else:
            self.say({"connect": {}})
            self.ask("authenticate", authProvider="file",
                     credential=self.crowd.stack.credential(self.user))

    def ask(self, operation, done=None, **members):
        message = str(uuid.uuid4())
        self.open[message] = done
        self.say({"cn": class_of(operation), "messageId": message, **members})

    def take(self, frame, now):
        name = frame.get("cn")
        if "gatewayConnectAck" in frame:
            self.session = frame["gatewayConnectAck"]
        elif name == SYNC + "ConnectResponse":
            assert frame["clientId"], f"{self} was refused: {frame}"
            self.ready = True
            self.entered()
        elif frame.get("correspondingMessageId"):
            self._take_answer(frame, now)
        else:
            assert name in TOLD, f"{self} was told {frame}"
            self._take_push(frame, TOLD[name], now)

    def entered(self):
        for class_name in () if self.is_known else self.watched:
            self.ask("getAllByName", theClassName=class_name)
        self.is_known = True

    def _take_answer(self, frame, now):
        if frame["cn"] == AUTH + "AuthenticationResponse":
            assert frame["result"], f"{self} was refused: {frame}"
            self.user_id = frame["result"]["user"]["ID"]
        done = self.open.pop(frame["correspondingMessageId"], None)
        if done:
            done(frame, now)
        self.learn(frame.get("result"))

    @property
    def is_busy(self):
        return bool(self.open)

    def learn(self, result):
        for item in result if isinstance(result, list) else [result]:
            if isinstance(item, dict) and SECRET.fullmatch(item.get("secret") or ""):
                self.copies[item["ID"]] = item["secret"]

    def _take_push(self, frame, operation, now):
        self.learn(frame["objectList"])
        for told in frame["objectList"]:
            if operation == "deletesReceived":
                self.copies.pop(told["ID"], None)
            elif told["cn"] == BEAT:
                self.crowd.beat_arrived(int(told["secret"]), now)
            self.owed[operation].append(pair(told.get("cn") or told["className"], told["ID"]))

    def send_receipts(self):
        for operation, pairs in self.owed.items():
            if pairs:
                self.ask(operation, classIdPairs=pairs)
        self.owed.clear()

    def read(self, doc, class_name, chance):
        operation = chance.choice(("findById", "getHistory", "findByExample", "getAllByName"))
        members = {"findByExample": {"theObject": {"cn": class_name, "ID": doc}},
                   "getAllByName": {"theClassName": class_name}}
        self.ask(operation, **members.get(operation, {"theClassName": class_name, "theClassId": doc}))


class ContentSession(Session):
    """Is subscribed to all documents, and reads again what it was told has changed."""

    path = "/content"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.ids = itertools.count()
        self.owed, self.dirty = [], set()  # blocks without an answer; documents to read
        self.subscribed = {}               # document -> when, of what is to be read once more

    def greet(self):
        data = ({"session": self.session} if self.session
                else login_data(self.crowd.stack.credential(self.user)))
        self.request("reconnect" if self.session else "login", data, self._take_greeting)

    def request(self, cls, data, done):
        number = str(next(self.ids))
        self.open[number] = done
        self.say({"type": "request", "id": number, "cls": cls, "data": data})

    def _take_greeting(self, frame):
        assert frame["type"] == "result", f"{self} was refused: {frame}"
        self.session = self.session or frame["data"]["session"]
        self.ready = True
        if self.crowd.kinds:
            self.subscribe(self.crowd.kinds)
        self.dirty |= set(self.crowd.kinds)  # what it has asked in vain, too

    def subscribe(self, docs):
        """There is no answer. What is granted before it takes effect, is not told; so it reads later."""
        self.subscribed |= dict.fromkeys(docs, time.monotonic())
        self.say({"type": "notify", "cls": "subscribe",
                  "data": [key(self.crowd.kinds[doc], doc) for doc in docs]})

    def take(self, frame, now):
        if is_block(frame):
            self.owed.append(frame)
            self.dirty |= {entry["key"]["id"] for entry in frame["data"]}
        else:
            assert "id" in frame, f"{self} was told {frame}"
            self.open.pop(frame["id"])(frame)
        self.read_again()

    def read_again(self):
        sure = [doc for doc, at in self.subscribed.items() if at < time.monotonic() - EFFECTIVE_S]
        self.dirty |= {doc for doc in sure if self.subscribed.pop(doc)}
        while self.ready and self.dirty and len(self.open) < MOST_OPEN:
            self.read(self.dirty.pop())

    def read(self, doc, *_):
        self.request("get_content", {"key": key(self.crowd.kinds[doc], doc), "ver": None},
                     lambda frame: self._learn(doc, frame))

    @property
    def is_busy(self):
        return bool(self.open or self.dirty or self.subscribed)

    def _learn(self, doc, frame):
        if frame["type"] == "result":
            self.copies[doc] = frame["data"]["content"]["secret"]
        else:
            assert frame["status"] in (403, 404), f"{self}: {frame}"
            self.copies.pop(doc, None)

    def send_receipts(self):
        self.read_again()
        for block in self.owed:
            self.say({"type": "result", "id": block["id"], "cls": "changed", "status": 200})
        self.owed = []


class Crowd:
    """`kinds`: document -> the name of its kind, of all that were ever made."""

    def __init__(self, stack):
        self.stack = stack
        self.selector = selectors.DefaultSelector()
        self.sessions, self.kinds = [], {}
        self.arrivals = collections.defaultdict(list)  # number of a beat -> when it came

    def add(self, how, user, watched=None):
        session = how(self, len(self.sessions), user)
        if watched is not None:
            session.watched = watched
        self.sessions.append(session)
        session.enter()
        return session

    def make_known(self, doc, kind):
        """A document that is to be made: whoever subscribes does so before."""
        self.kinds[doc] = kind
        for session in self.sessions:
            if isinstance(session, ContentSession) and session.ready:
                session.subscribe([doc])

    def close(self):
        for session in self.sessions:
            if session.socket:
                session.vanish()
        self.selector.close()

    def beat_arrived(self, number, now):
        self.arrivals[number].append(now)

    def turn(self, seconds=0.0):
        """Takes in what has come; what came is as late as this is called."""
        ready = self.selector.select(seconds)
        now = time.monotonic()
        for selected, _ in ready:
            try:
                selected.data.turn(now)
            except Lost as lost:
                raise AssertionError(f"{selected.data} was closed: {lost}") from lost

    def pump(self, condition, what, seconds=120):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
            self.turn(0.02)
