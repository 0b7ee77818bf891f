"""A thread between clients and a TCP server, through which a test harms what passes.

    with TcpGate(port) as gate:
        gate.on(b"COMMIT", gate.LOSE)      # when a client says so

Ports are of the loopback interface.
"""

import contextlib
import select
import socket
import threading


class TcpGate:
    DROP = "drop"    # the connection ends, and the server does not hear it
    LOSE = "lose"    # the server hears it and answers, but the connection ends before the answer
    HOLD = "hold"    # the server hears it, but from now on its answers go nowhere

    def __init__(self, port):
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.rule = (None, None)
        self.ended = False

    def on(self, words, action):
        """From now on, for every connection; b"" is whatever a client says, None nothing."""
        self.rule = (words, action)

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError), \
                socket.create_connection(("127.0.0.1", self.server_port)) as server:
            action = None
            while not self.ended and action != self.DROP:
                for source in select.select([client, server], [], [], 0.5)[0]:
                    data = source.recv(65536)
                    if not data or (source is server and action == self.LOSE):
                        return
                    if source is server:
                        client.sendall(data if action != self.HOLD else b"")
                        continue
                    words, wanted = self.rule
                    action = wanted if words is not None and words in data else action
                    if action != self.DROP:
                        server.sendall(data)
