"""A WebSocket that never waits and costs little, for tests with hundreds of them in one thread.

    socket = LightSocket(port)
    socket.send({"connect": {}})         # may be said at once; goes out when it can
    ... when a selector finds it readable or writable ...
    for frame in socket.turn():          # parsed
        ...

It trusts the server where Client checks. Its mask is zero, which the protocol allows.
"""

import errno
import json
import socket
import struct

_HANDSHAKE = ("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FINAL, _MASKED = 0x80, 0x80


class Lost(Exception):
    """The connection is gone; `code` is None when nobody said why."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"lost with {code} {reason!r}")
        self.code, self.reason = code, reason


class LightSocket:
    def __init__(self, port, path="/activestack"):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.out = bytearray(_HANDSHAKE.format(path=path, port=port).encode())
        self.waiting = bytearray()  # frames: they may not follow before the handshake's answer
        self.arrived = bytearray()
        self.is_open = False        # the handshake is over
        self.frames_read = 0
        error = self.socket.connect_ex(("127.0.0.1", port))
        if error not in (0, errno.EINPROGRESS):
            self.socket.close()
            raise Lost(reason=errno.errorcode[error])

    def fileno(self):
        return self.socket.fileno()

    def close(self):
        self.socket.close()

    def send(self, value):
        self._add(_TEXT, json.dumps(value, separators=(",", ":")).encode())

    def wants_write(self):
        return bool(self.out)

    def flush(self):
        """Writes what the socket takes; the rest stays."""
        try:
            while self.out:
                del self.out[:self.socket.send(self.out)]
        except BlockingIOError:
            pass
        except OSError as e:
            raise Lost(reason=str(e)) from e

    def turn(self):
        """Reads what is there and yields the frames; raises Lost behind the last one."""
        ended = self._receive()
        if self.is_open or self._shake_hands():
            yield from self._frames()
        if ended:
            raise ended

    def _receive(self):
        """Returns Lost when nothing more will come."""
        try:
            while True:
                data = self.socket.recv(65536)
                if not data:
                    return Lost()
                self.arrived += data
                if len(data) < 65536:
                    return None
        except BlockingIOError:
            return None
        except OSError as e:
            return Lost(reason=str(e))

    def _shake_hands(self):
        head, end, _ = self.arrived.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            raise Lost(reason=head.decode(errors="replace")[:200])
        del self.arrived[:len(head) + 4]
        self.is_open = True
        self.out += self.waiting
        return True

    def _frames(self):
        at = 0
        try:
            while (found := self._frame(at)) is not None:
                opcode, start, end = found
                payload, at = bytes(self.arrived[start:end]), end
                if opcode == _TEXT:
                    self.frames_read += 1
                    yield json.loads(payload)
                elif opcode == _PING:
                    self._add(_PONG, payload)
                elif opcode == _CLOSE:
                    code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else None
                    raise Lost(code, payload[2:].decode(errors="replace"))
        finally:
            del self.arrived[:at]

    def _frame(self, at):
        """(opcode, start, end) of the whole frame that begins here, or None."""
        there = len(self.arrived) - at
        if there < 2:
            return None
        size, start = self.arrived[at + 1], at + 2
        if size >= 126:
            wide = 2 if size == 126 else 8
            start += wide
            if there < start - at:
                return None
            size = int.from_bytes(self.arrived[start - wide:start], "big")
        if len(self.arrived) < start + size:
            return None
        return self.arrived[at] & 0x0f, start, start + size

    def _add(self, opcode, payload):
        out = self.out if self.is_open else self.waiting
        out.append(_FINAL | opcode)
        if len(payload) < 126:
            out.append(_MASKED | len(payload))
        elif len(payload) < 65536:
            out += struct.pack("!BH", _MASKED | 126, len(payload))
        else:
            out += struct.pack("!BQ", _MASKED | 127, len(payload))
        out += bytes(4) + payload
