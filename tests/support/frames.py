"""A WebSocket of a test, in frames: what clients of every protocol have in common.

Frames are read only inside the calls that wait for one; what nobody asked for stays in `inbox`, in
order, so a test can look at all there was. Every wait has a deadline and fails loudly.
"""

import json
import struct
import time

import websocket

SECONDS = 60  # how long a client waits for anything
REVOKED = 4002  # the close code of sockets whose logins have ended


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


class FrameClient:
    """`url` is ws://host:port of a gateway, without a path."""

    def __init__(self, url, path, **options):
        self.path, self.options = path, options
        self.open(url)

    def open(self, url):
        """A new connection, whatever became of an earlier one."""
        # The library's own check of UTF-8 is slow; decoding checks, too.
        self.socket = websocket.create_connection(url + self.path, timeout=SECONDS,
                                                  skip_utf8_validation=True, **self.options)
        self.inbox = []          # frames nobody has asked for yet, in the order of arrival
        self.closed = None       # a Closed, once the server has closed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def took(self, frame):
        """Hears of each frame as it is read, before whoever waits for it."""

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
            frame = self.receive(deadline - time.monotonic())
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
            frame = self.receive(max(0.0, deadline - time.monotonic()))
            if frame is None:
                return
            self.inbox.append(frame)

    def expect_close(self, seconds=SECONDS):
        """Waits until the server closes; returns the Closed with `code` and `reason`."""
        try:
            deadline = time.monotonic() + seconds
            while True:
                frame = self.receive(deadline - time.monotonic())
                assert frame is not None, f"still open after {seconds} s; {self._inbox_text()}"
                self.inbox.append(frame)
        except Closed as closed:
            return closed

    def _inbox_text(self):
        """What else has come, for a person to read."""
        last = "\n".join(frame.text[:1000] for frame in self.inbox[-5:])
        return f"{len(self.inbox)} other frames, the last of them:\n{last}"

    def receive(self, seconds):
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
        self.took(frame)
        return frame

    def close(self):
        """Closes in order."""
        self.socket.close()

    def vanish(self):
        """Drops the connection without a word."""
        self.socket.shutdown()


def expect_revoked(*clients):
    """Waits until the server closes them since their logins have ended."""
    for client in clients:
        assert client.expect_close().code == REVOKED
