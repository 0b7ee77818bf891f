"""A client of the ActiveStack dialect over plain WebSocket, for tests.

    with Client(gateway.url) as a:
        a.connect()
        a.login("file", "ada@example.org:secret")
        created = a.request("createObject", theObject={"cn": "com.app.mo.Task", "ID": "t1"})
        push = a.expect_push(lambda p: p["cn"].endswith("PushUpdateResponse"))

Frames are read only inside the calls that wait for one; what nobody asked for stays in `inbox`, in
order, so a test can look at all there was. Every wait has a deadline and fails loudly.
"""

import base64
import json
import struct
import time
import uuid

import websocket

SYNC = "com.percero.agents.sync.vo."
AUTH = "com.percero.agents.auth.vo."

# Request classes that do not follow from the operation's name (common/protocol/operations.c has them all).
CLASSES = {
    "authenticate": AUTH + "AuthenticationRequest",
    "createObject": SYNC + "CreateRequest",
    "delete": SYNC + "RemoveRequest",
    "deletesReceived": SYNC + "PushDeletesReceivedRequest",
    "disconnectAuth": AUTH + "DisconnectRequest",
    "getChangeWatcher": SYNC + "PushCWUpdateRequest",
    "processTransaction": SYNC + "TransactionRequest",
    "putObject": SYNC + "PutRequest",
    "reauthenticate": AUTH + "ReauthenticationRequest",
    "register": AUTH + "AuthenticationRequest",
    "removeObject": SYNC + "RemoveRequest",
    "update": SYNC + "PutRequest",
    "updatesReceived": SYNC + "PushUpdatesReceivedRequest",
    "validateUserByToken": AUTH + "ValidateUserByTokenRequest",
}

SECONDS = 15  # how long a client waits for anything


class Frame(dict):
    """A frame, parsed; `text` is what came over the wire."""

    def __init__(self, text):
        super().__init__(json.loads(text))
        self.text = text


class Closed(AssertionError):
    """The server closed the connection; `code` is None when it did so without a close frame."""

    def __init__(self, code, reason):
        super().__init__(f"closed with {code} {reason!r}")
        self.code, self.reason = code, reason


def class_of(operation):
    return CLASSES.get(operation) or f"{SYNC}{operation[0].upper()}{operation[1:]}Request"


def pair(class_name, object_id):
    return {"className": class_name, "ID": object_id}


class Client:
    """`url` is ws://host:port of a gateway, without a path."""

    def __init__(self, url, path="/activestack", **options):
        # The library's own check of UTF-8 is slow; decoding checks, too.
        self.socket = websocket.create_connection(url + path, timeout=SECONDS,
                                                  skip_utf8_validation=True, **options)
        self.inbox = []          # frames nobody has asked for yet, in the order of arrival
        self.client_id = self.user_id = self.token = None
        self.closed = None       # a Closed, once the server has closed
        self.session = None      # the newest signed session

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- in the words of the protocol

    def connect(self, **options):
        """Sends {"connect": ...} and waits for the session."""
        self.send({"connect": options})
        self.expect(lambda f: "gatewayConnectAck" in f, "gatewayConnectAck")
        return self

    def login(self, provider, credential, **members):
        """Logs in, through to the ConnectResponse; returns the AuthenticationResponse."""
        response = self.request("authenticate", authProvider=provider, credential=credential, **members)
        assert response["result"], f"the login was refused: {response}"
        self._remember(response["result"])
        self.expect_connect_response()
        return response

    def _remember(self, token):
        self.user_id, self.token = token["user"]["ID"], token["token"]

    def expect_connect_response(self):
        return self.expect(lambda f: f.get("cn") == SYNC + "ConnectResponse", "ConnectResponse")

    def send_request(self, operation, event=False, **members):
        """Sends a request, bare or (event=True) as [operation, request]; returns its messageId.

        A member given as None is left out, so that tests can also take away what is usual.
        """
        request = {"cn": class_of(operation), "messageId": str(uuid.uuid4()),
                   "clientId": self.client_id, **members}
        request = {k: v for k, v in request.items() if v is not None}
        self.send([operation, request] if event else request)
        return request.get("messageId")

    def request(self, operation, event=False, **members):
        """One request and its response (or SyncErrorResponse)."""
        return self.response_to(self.send_request(operation, event, **members))

    def response_to(self, message_id):
        return self.expect(lambda f: f.get("correspondingMessageId") == message_id and "cn" in f,
                           f"a response to {message_id}")

    def expect_push(self, predicate, what="a push", seconds=SECONDS):
        """The next push (a frame with a class that answers no request) that `predicate` accepts."""
        return self.expect(
            lambda f: "cn" in f and not f.get("correspondingMessageId") and predicate(f), what, seconds)

    def expect_update(self, object_id, seconds=SECONDS, **fields):
        """Waits for an update of the object, with these values among its fields; returns the object."""
        def wanted(o):
            return o["ID"] == object_id and all(o.get(k, ...) == v for k, v in fields.items())

        push = self.expect_push(
            lambda p: p["cn"] == SYNC + "PushUpdateResponse" and any(map(wanted, p["objectList"])),
            f"an update of {object_id} with {fields}", seconds)
        return next(filter(wanted, push["objectList"]))

    def expect_delete(self, object_id, seconds=SECONDS):
        """Waits for the push that says that the object is gone."""
        return self.expect_push(
            lambda p: p["cn"] == SYNC + "PushDeleteResponse"
            and any(_pair_id(o) == object_id for o in p["objectList"]),
            f"a delete of {object_id}", seconds)

    def expect_ack(self, message_id, seconds=SECONDS):
        """Waits for the {"ack": ...} that `sendAck` asks for."""
        return self.expect(lambda f: f.get("ack") == message_id, f"the ack of {message_id}", seconds)

    def acknowledge(self, *pairs, deletes=False):
        """Sends the push receipt for pairs (class name, ID); returns its response."""
        return self.request("deletesReceived" if deletes else "updatesReceived",
                            classIdPairs=[pair(*p) for p in pairs])

    # ---- in frames

    def send(self, value):
        self.send_text(json.dumps(value))

    def send_text(self, text):
        """Any text or UTF-8 bytes (checked by nobody) as one text frame."""
        self.socket.send(text, websocket.ABNF.OPCODE_TEXT)

    def send_binary(self, data):
        self.socket.send(data, websocket.ABNF.OPCODE_BINARY)

    def expect(self, predicate, what, seconds=SECONDS):
        """The oldest frame, waiting or still to come, that `predicate` accepts; it leaves the inbox."""
        for frame in self.inbox:
            if predicate(frame):
                self.inbox.remove(frame)
                return frame
        deadline = time.monotonic() + seconds
        while True:
            frame = self._receive(deadline - time.monotonic())
            if frame is None:
                raise AssertionError(f"{what}: not within {seconds} s; {self._inbox_text()}")
            if predicate(frame):
                return frame
            self.inbox.append(frame)

    def expect_nothing(self, predicate, seconds):
        """Fails if a frame that `predicate` accepts is there or comes within `seconds`."""
        self.drain(seconds)
        found = list(filter(predicate, self.inbox))
        assert not found, f"unexpected: {found}"

    def drain(self, seconds=0.0):
        """Reads into the inbox all that comes within `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            frame = self._receive(max(0.0, deadline - time.monotonic()))
            if frame is None:
                return
            self.inbox.append(frame)

    def expect_close(self, seconds=SECONDS):
        """Waits until the server closes; returns the Closed with `code` and `reason`."""
        try:
            deadline = time.monotonic() + seconds
            while True:
                frame = self._receive(deadline - time.monotonic())
                assert frame is not None, f"still open after {seconds} s; {self._inbox_text()}"
                self.inbox.append(frame)
        except Closed as closed:
            return closed

    def _inbox_text(self):
        """What else has come, for a person to read."""
        last = "\n".join(frame.text[:1000] for frame in self.inbox[-5:])
        return f"{len(self.inbox)} other frames, the last of them:\n{last}"

    def _receive(self, seconds):
        """The next frame, parsed; None when time is up; raises Closed."""
        if self.closed:
            raise self.closed
        if seconds < 0:
            return None
        self.socket.settimeout(max(seconds, 0.001))
        try:
            opcode, data = self.socket.recv_data()
        except websocket.WebSocketTimeoutException:
            return None
        except (websocket.WebSocketException, OSError) as e:
            self.closed = Closed(None, str(e))
            raise self.closed from e
        finally:
            self.socket.settimeout(SECONDS)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            code = struct.unpack("!H", data[:2])[0] if len(data) >= 2 else None
            self.closed = Closed(code, data[2:].decode(errors="replace"))
            raise self.closed
        frame = Frame(data.decode())
        if "gatewayConnectAck" in frame:
            self._read_session(frame["gatewayConnectAck"])
        return frame

    def _read_session(self, signed):
        self.session = signed
        self.client_id = json.loads(base64.b64decode(signed.split(";")[0]))["clientId"]

    def close(self):
        """Closes in order."""
        self.socket.close()

    def vanish(self):
        """Drops the connection without a word."""
        self.socket.shutdown()


def _pair_id(item):
    return item.get("ID")
