"""The socket of a service manager, in which a program says how it is (sd_notify(3)).

    manager = NotifySocket()
    ...  # a program that has manager.environment is started
    manager.wait_for("READY=1")
"""

import queue
import re
import socket
import threading
import time
import uuid

PATIENCE_S = 120


class NotifySocket:
    """Reads all the time, as who tells waits for that. `watchdog_us`: within which time a program has to
    beat; None: it need not."""

    def __init__(self, watchdog_us=None):
        name = f"activestack-test-{uuid.uuid4()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + name)
        self._told = queue.Queue()
        self.environment = {"NOTIFY_SOCKET": "@" + name}
        if watchdog_us:
            self.environment["WATCHDOG_USEC"] = str(watchdog_us)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            self._told.put(self._socket.recv(4096).decode())

    def next(self):
        """The next thing that is told."""
        return self._told.get(timeout=PATIENCE_S)

    def wait_for(self, pattern):
        """Everything up to the first thing that matches."""
        told, until = [], time.monotonic() + PATIENCE_S
        while not told or not re.fullmatch(pattern, told[-1]):
            assert time.monotonic() < until, f"no {pattern} in {told}"
            told.append(self.next())
        return told
