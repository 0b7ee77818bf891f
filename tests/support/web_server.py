"""A web server as operations of the HTTP connector may meet it: one that answers what it was asked,
and does wrong in every way that its paths name.

    with WebServer() as server:
        requests.get(server.url + "/echo/a?b=c")     # JSON: method, path, headers, body, port
        server.seen("/echo")                         # what it was asked for under this path
"""

import contextlib
import gzip
import http.server
import json
import socket
import ssl
import threading
import urllib.parse

LARGE = 10 << 20  # bytes


class WebServer:
    """Listens on 127.0.0.1; with `tls`, the two files of a certificate, it speaks HTTPS."""

    def __init__(self, tls=None):
        self.closing, self.let_go = threading.Event(), threading.Event()
        self.requests = []
        self.documents = {}
        self.connections = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.let_go.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def seen(self, path):
        return [r for r in self.requests if r["path"].startswith(path)]

    def hang_up(self):
        """Closes all its connections."""
        self._server.hang_up()


class _Server(http.server.ThreadingHTTPServer):
    block_on_close = True
    daemon_threads = False

    def __init__(self, *args):
        super().__init__(*args)
        self._open = set()

    def process_request(self, request, client_address):
        self.owner.connections += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self):
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        """Clients that go away in the middle are what the tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        size = int(self.headers.get("Content-Length", 0))
        url = urllib.parse.urlsplit(self.path)
        self.asked = {"method": self.command, "path": self.path, "headers": dict(self.headers),
                      "body": self.rfile.read(size).decode(), "port": self.client_address[1]}
        self.server.owner.requests.append(self.asked)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        getattr(self, "do_" + url.path.split("/")[1])()

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = handle_any

    def log_message(self, *_):
        pass

    def send(self, body, status=200, type="application/json", **headers):
        self.send_response(status)
        self.send_header("Content-Type", type)
        self.send_header("Content-Length", headers.pop("length", len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # ---- As it should

    def do_echo(self):
        self.send(json.dumps(self.asked).encode())

    def do_answer(self):
        """What the query says: status, type, body, and Location (to)."""
        q = self.query
        more = {"Location": q["to"]} if "to" in q else {}
        self.send(q.get("body", "").encode(), int(q.get("status", 200)), q.get("type", "text/plain"),
                  **more)

    def do_discovery(self):
        """What its owner says under the name behind it."""
        name = self.path.split("/")[2]
        self.send(self.server.owner.documents[name].encode())

    def do_wait(self):
        """Until the server's owner lets it go; then what the query says, if anything."""
        self.server.owner.let_go.wait()
        self.do_answer() if "body" in self.query else self.do_echo()

    def do_loop(self):
        self.send(b"", 302, Location="/loop")

    def do_trailers(self):
        """A preliminary answer, chunks and a trailer."""
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"2\r\n[1\r\n3\r\n,2]\r\n0\r\nX-Sum: 3\r\n\r\n")

    # ---- As it should not

    def do_hang(self):
        self.server.owner.closing.wait()
        self.close_connection = True

    def do_drip(self):
        """A byte now and then, for ever."""
        self.send(b"", length=LARGE)
        while not self.server.owner.closing.wait(0.02):
            self.wfile.write(b" ")

    def do_large(self):
        self.send(b"x" * LARGE, type="text/plain")

    def do_endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not self.server.owner.closing.is_set():
            self.wfile.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")

    def do_headers(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.owner.closing.is_set():
            self.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    def do_hints(self):
        """Preliminary answers, and never the answer."""
        while not self.server.owner.closing.is_set():
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 1000 + b"\r\n\r\n")

    def do_behind(self):
        """A whole answer, and trailers for ever."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"2\r\n[]\r\n0\r\n")
        while not self.server.owner.closing.is_set():
            self.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    def do_short(self):
        """Says more than it has."""
        self.send(b"[1,2]", length=100)
        self.close_connection = True

    def do_long(self):
        """Has more than it says."""
        self.send(b"[1,2][3,4]", length=5)

    def do_negative(self):
        self.send(b"[1,2]", length=-5)
        self.close_connection = True

    def do_gone(self):
        self.close_connection = True

    def do_half(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
        self.close_connection = True

    def do_garbage(self):
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.close_connection = True

    def do_latin(self):
        self.send("grün".encode("latin-1"), type="text/plain; charset=iso-8859-1")

    def do_gzip(self):
        """Small, and nobody asked for it."""
        self.send(gzip.compress(b" " * (LARGE // 100)), Content_Encoding="gzip")

    def do_deflated(self):
        """Unpacked to LARGE by whoever believes in Transfer-Encoding."""
        body = gzip.compress(b" " * LARGE)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "gzip, chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
