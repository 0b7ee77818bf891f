"""A client of the ActiveStack dialect over plain WebSocket, for tests.

    with Client(gateway.url) as a:
        a.connect()
        a.login("file", "ada@example.org:secret")
        created = a.request("createObject", theObject={"cn": "com.app.mo.Task", "ID": "t1"})
        push = a.expect_push(lambda p: p["cn"].endswith("PushUpdateResponse"))
"""

import base64
import json
import uuid

from frames import SECONDS, FrameClient

SYNC = "com.percero.agents.sync.vo."
AUTH = "com.percero.agents.auth.vo."

DEVELOPERS_LOGIN = {"auth.dangerous_dev_login": "true"}
DEVELOPER = {"authProvider": "DEV", "accessToken": "DEV"}

# Request classes that do not follow from the operation's name (common/protocol/operations.c has them all).
CLASSES = {
    "authenticate": AUTH + "AuthenticationRequest",
    "authenticateOAuthAccessToken": AUTH + "AuthenticateOAuthAccessTokenRequest",
    "authenticateOAuthCode": AUTH + "AuthenticateOAuthCodeRequest",
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


def class_of(operation):
    return CLASSES.get(operation) or f"{SYNC}{operation[0].upper()}{operation[1:]}Request"


def pair(class_name, object_id):
    return {"className": class_name, "ID": object_id}


class Client(FrameClient):
    def __init__(self, url, path="/activestack", **options):
        super().__init__(url, path, **options)
        self.client_id = self.user_id = self.token = None
        self.session = None      # the newest signed session

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

    def login_as_developer(self):
        """The same where DEVELOPERS_LOGIN is among the stack's settings: it costs next to nothing."""
        response = self.request("authenticateOAuthAccessToken", **DEVELOPER)
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

    def took(self, frame):
        """A new session stands in some frames."""
        if "gatewayConnectAck" in frame:
            self._read_session(frame["gatewayConnectAck"])

    def _read_session(self, signed):
        self.session = signed
        self.client_id = json.loads(base64.b64decode(signed.split(";")[0]))["clientId"]


def _pair_id(item):
    return item.get("ID")
