"""One private RabbitMQ and one private Redis for a run of the tests.

Both are started through deploy/rabbitmq/serve and deploy/redis/serve, so that tests run on the very
configuration that deploy/up uses, in a temporary folder and on free ports. They die with the
process that started them, however that ends.

    with Servers() as servers:
        servers.redis.kill()            # as by a power cut
        servers.redis.start()           # from its files

TEST_REDIS_SERVER names the program that serves as Redis, such as valkey-server.
"""

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pika
import redis
from certificates import Authority

ROOT = Path(__file__).resolve().parents[2]
USERS = ("gateway", "agent", "worker", "feed", "operator")  # of RabbitMQ, beside its administrator
REDIS_SERVER = os.environ.get("TEST_REDIS_SERVER", "redis-server")
PATIENCE = 4  # how many times as long a machine may take that is busy, or runs programs with a sanitizer


def free_port():
    """A port that nobody has now, and that the kernel will not give away soon."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, seconds, what):
    """Calls `condition` until it returns something true, which is returned; fails when that takes many times
    longer than the `seconds` that it may take where nothing else runs.

    An exception counts as "not yet"; the last one is told when time is up.
    """
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            result = condition()
            if result:
                return result
        except Exception as e:  # whatever it is, it may pass
            last = e
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s" + (f" ({last!r})" if last else ""))
        time.sleep(0.02)


def spawn(command, log, **options):
    """Starts a process that the kernel kills when we die; its output is appended to `log`."""
    with open(log, "ab") as out:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **options)


class Server:
    """What RabbitMQ and Redis have in common: a folder, a password, one process to kill."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True)
        self.log = self.folder / "log.txt"
        self.password = secrets.token_hex(16)
        (self.folder / "password").write_text(self.password)
        self.process = None
        self.starts = 0  # how often it was started

    def start(self, seconds=90):
        """Starts the server from its files and waits until it serves."""
        self.launch()
        wait_until(self.is_ready, seconds, f"{self.command[0]} serves")

    def launch(self):
        """Starts the server without waiting for it."""
        self.starts += 1
        self.process = spawn(self.command, self.log, env={**os.environ, "REDIS_SERVER": REDIS_SERVER})

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.command[0]} ended:\n{self.log.read_text()[-2000:]}")
        return self.answers()

    def kill(self):
        """As by a power cut; what is in the files stays."""
        if self.process and self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def pause(self):
        """Stops the server without closing its connections, as an overload or a lost network does."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)


class RabbitMQ(Server):
    """Serves TLS too, at `tls_url`, with a certificate of `authority`; it takes those of clients that
    show one."""

    def __init__(self, folder):
        super().__init__(folder)
        self.port, self.management_port, self.metrics_port = free_port(), free_port(), free_port()
        self._make_passwords()
        self._offer_tls()
        self.command = [ROOT / "deploy/rabbitmq/serve", folder, self.port, self.management_port,
                        free_port(), free_port(), self.metrics_port]
        self.url = self.url_of("activestack")
        self.tls_url = self.url_of("activestack", tls=True)
        self.management_url = f"http://activestack:{self.password}@127.0.0.1:{self.management_port}"

    def _make_passwords(self):
        self.passwords = {"activestack": self.password}
        for user in USERS:
            self.passwords[user] = secrets.token_hex(16)
            (self.folder / f"password-of-{user}").write_text(self.passwords[user])

    def url_of(self, user, vhost="activestack", tls=False):
        """AMQP, for a user of deploy/rabbitmq/definitions.json."""
        scheme, port = ("amqps", self.tls_port) if tls else ("amqp", self.port)
        return f"{scheme}://{user}:{self.passwords[user]}@127.0.0.1:{port}/{vhost}"

    def _offer_tls(self):
        port = self.tls_port = free_port()
        self.authority = Authority(self.folder / "authority")
        cert, key = self.authority.issue("broker")
        (self.folder / "own.conf").write_text(f"""
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {self.authority.file}
ssl_options.certfile = {cert}
ssl_options.keyfile = {key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
# More than programs take: RabbitMQ 4 would refuse it to tests that send too much.
max_message_size = 134217728
""")

    @property
    def pid(self):
        """Of the broker itself, if it is there, not of the script that watches over it."""
        try:
            return int((self.folder / "pid").read_text())
        except FileNotFoundError:
            return self.process.pid

    def answers(self):
        with socket.create_connection(("127.0.0.1", self.port), 1):
            pass  # cheaper than a login, and quiet in the broker's log while it starts
        self.connect().close()
        return self.management("GET", "/api/overview")

    def evaluate(self, expression):
        """Has the broker evaluate an Erlang expression, as its administrator may."""
        dist_port, epmd_port = self.command[4:6]
        environment = {**os.environ, "HOME": str(self.folder / "home"), "ERL_EPMD_ADDRESS": "127.0.0.1",
                       "ERL_EPMD_PORT": str(epmd_port), "RABBITMQ_DIST_PORT": str(dist_port),
                       "RABBITMQ_NODENAME": "activestack@127.0.0.1", "RABBITMQ_USE_LONGNAME": "true",
                       "RABBITMQ_CONF_ENV_FILE": "/dev/null"}
        ended = subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", "eval", expression], env=environment,
                               stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=60)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def connect(self):
        """A pika.BlockingConnection of our own."""
        return pika.BlockingConnection(pika.URLParameters(self.url))

    def management(self, method, path, body=None, user="activestack"):
        """One call of the management API; returns its JSON."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.management_port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode())
        login = base64.b64encode(f"{user}:{self.passwords[user]}".encode()).decode()
        request.add_header("Authorization", "Basic " + login)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def consumers(self):
        """Queue name -> tags of its consumers, up to date."""
        found = {}
        for c in self.management("GET", "/api/consumers/activestack"):
            found.setdefault(c["queue"]["name"], []).append(c["consumer_tag"])
        return found


class Redis(Server):
    def __init__(self, folder):
        super().__init__(folder)
        self.port = free_port()
        self.command = [ROOT / "deploy/redis/serve", folder, self.port]
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        self.free_databases = list(range(1, 16))

    @property
    def pid(self):
        return self.process.pid

    @contextlib.contextmanager
    def database(self):
        """Lends an empty database; gives its URL."""
        number = self.free_databases.pop(0)
        url = self.url.rsplit("/", 1)[0] + f"/{number}"
        redis.Redis.from_url(url).flushdb()
        yield url
        self.free_databases.append(number)

    def answers(self):
        return self.connect().ping()

    def connect(self):
        """A redis.Redis of our own that gives texts."""
        return redis.Redis.from_url(self.url, decode_responses=True)


class Servers:
    """RabbitMQ and Redis together, in a temporary folder that goes with them."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="activestack-test-"))
        self.rabbitmq = RabbitMQ(self.folder / "rabbitmq")
        self.redis = Redis(self.folder / "redis")

    def __enter__(self):
        try:
            self.rabbitmq.launch()
            self.redis.start()
            wait_until(self.rabbitmq.is_ready, 120, "RabbitMQ serves")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.rabbitmq.kill()
        self.redis.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self):
        """What C programs of the tests read to find the servers."""
        return {"AMQP_URL": self.rabbitmq.url, "MANAGEMENT_URL": self.rabbitmq.management_url,
                "REDIS_URL": self.redis.url}
