"""A client of the content protocol over WebSocket, for tests.

    with ContentClient(gateway.url) as a:
        entries = a.login(gateway.stack.credential("ada"))          # the data of the result
        answer = a.get_content(entries["self"], subscribe=True)     # the whole frame
        a.expect_changed(entries["self"], content=True)

Requests return the frame that answers them, be it a result or an error: `code_of(frame)` is an
error's code. Keys are as they stand in frames; key("user", 5) makes one.

Blocks of changes stay in the inbox, where expect_block() finds them; their entries wait in `told`,
too, from which expect_changed() takes them one by one. They are answered as they are read, unless
the client was made with answers=False; then answer_block() does it.
"""

import time
import uuid

from frames import SECONDS, FrameClient


def key(class_type, object_id):
    return {"type": class_type, "id": object_id}


def code_of(frame):
    """Of an error, whose status has to agree; None of a result."""
    if frame["type"] != "error":
        return None
    assert frame["status"] == frame["data"]["code"] // 10000, frame
    return frame["data"]["code"]


class ContentClient(FrameClient):
    def __init__(self, url, path="/content", answers=True, **options):
        super().__init__(url, path, **options)
        self.answers = answers   # each block, as it is read
        self.session = None      # the token
        self.entries = None      # the data of the login's result
        self.told = []           # entries of blocks that nobody has asked for yet

    @property
    def conversations(self):
        """No entry point, but known to whoever knows its user."""
        return key("conversations", self.entries["self"]["id"])

    # ---- requests

    def login(self, credential):
        """`credential` is username:password. Returns the data: session, entry points, config."""
        answer = self.request("login", **login_data(credential))
        assert answer["type"] == "result", f"the login was refused: {answer}"
        self.entries, self.session = answer["data"], answer["data"]["session"]
        return self.entries

    def logout(self):
        return self.request("logout")

    def reconnect(self, session):
        """Takes the session with this token over."""
        answer = self.request("reconnect", session=session)
        if answer["type"] == "result":
            self.session = session
        return answer

    def get_content(self, of, ver=None, subscribe=False):
        return self.request("get_content", key=of, ver=ver, subscribe=subscribe)

    def get_children(self, of, view, page=1, ver=None, subscribe=False):
        return self.request("get_children", key=of, ver=ver, view=view, page=page,
                            subscribe=subscribe)

    def patch_content(self, of, patch, ver=None):
        return self.request("patch_content", key=of, ver=ver, patch=patch)

    def add_child(self, parent, class_type, child_id=None, **fields):
        """`child_id`: where clients choose it, or of a document that there is."""
        child = {"type": class_type} if child_id is None else key(class_type, child_id)
        return self.request("add_child", key=parent, obj={"key": child, **fields})

    def request(self, cls, **data):
        """A request, with `data` if it has any, and its answer."""
        return self.answer_to(self.send_request(cls, **data))

    def send_request(self, cls, request_id=None, **data):
        """Returns the request's id."""
        request_id = request_id or str(uuid.uuid4())
        frame = {"type": "request", "id": request_id, "cls": cls}
        self.send({**frame, "data": data} if data else frame)
        return request_id

    def answer_to(self, request_id, seconds=SECONDS):
        return self.expect(
            lambda f: f["type"] in ("result", "error") and f.get("id") == request_id,
            f"an answer to {request_id}", seconds)

    # ---- notifications

    def subscribe(self, *keys):
        self.notify("subscribe", list(keys))

    def revoke(self, *keys):
        self.notify("revoke", list(keys))

    def notify(self, cls, data):
        self.send({"type": "notify", "cls": cls, "data": data})

    def expect_error(self, seconds=SECONDS):
        """The next error that belongs to no request."""
        return self.expect(lambda f: f["type"] == "error" and "id" not in f, "an error", seconds)

    # ---- what the server tells

    def took(self, frame):
        if is_block(frame):
            self.told += frame["data"]
            if self.answers:
                self.answer_block(frame)

    def answer_block(self, block):
        self.send({"type": "result", "id": block["id"], "cls": "changed", "status": 200})

    def expect_block(self, seconds=SECONDS):
        """The oldest block that nobody has asked for, whole."""
        return self.expect(is_block, "a block of changes", seconds)

    def expect_changed(self, of, content=None, children=None, seconds=SECONDS):
        """Waits for an entry with this key and these flags (None: whichever); returns it."""
        def wanted(entry):
            return (entry["key"] == of and content in (None, entry["content"])
                    and children in (None, entry["children"]))

        deadline = time.monotonic() + seconds
        while True:
            for i, entry in enumerate(self.told):
                if wanted(entry):
                    return self.told.pop(i)
            frame = self.receive(deadline - time.monotonic())
            assert frame, (f"no change of {of} (content {content}, children {children}) within "
                           f"{seconds} s; told: {self.told}")
            self.inbox.append(frame)

    def forget_changes(self):
        """Of all that has been read."""
        self.told = []
        self.inbox = [frame for frame in self.inbox if not is_block(frame)]

    def expect_no_change(self, of, seconds):
        """Fails if a block with this key is there or comes within `seconds`."""
        self.drain(seconds)
        found = [entry for entry in self.told if entry["key"] == of]
        assert not found, f"unexpected: {found}"


def login_data(credential):
    username, password = credential.split(":", 1)
    return {"username": username, "password": password}


def is_block(frame):
    return frame["type"] == "request" and frame["cls"] == "changed"
