"""A running ActiveStack for tests: gateways and agents from the build folder that BUILD_DIR names.

    with Stack(servers, gateways=2, sync_agents=3) as stack:
        a = Client(stack.gateways[0].url)
        stack.sync_agents[0].kill()          # SIGKILL; expected from now on
        stack.sync_agents[0].start()

Each stack has a vhost and a Redis database of its own on the servers of the run, so that several can
live side by side. After each test `check()` fails if a process died that nobody killed, or if a
sanitizer or valgrind wrote a report into a log.
"""

import contextlib
import functools
import itertools
import os
import re
import secrets
import signal
import subprocess
import urllib.request
from pathlib import Path

import pika
import redis
import sealing
from servers import ROOT, free_port, json, spawn, wait_until

BUILD = Path(os.environ.get("BUILD_DIR", ROOT / "build-tests")).resolve()
MODEL = ROOT / "deploy/example/model.json"
PROCESSES = ROOT / "deploy/example/processes.json"
RELATIONS_MODEL = ROOT / "tests/support/relations-model.json"  # what the example domain lacks
CHILDREN_MODEL = ROOT / "tests/support/children-model.json"    # children of all kinds
VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite",
            "--show-leak-kinds=definite", "--error-exitcode=99"]
SUPPORT = Path(__file__).parent
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "LSAN_OPTIONS": f"suppressions={SUPPORT}/lsan.supp:print_suppressions=0",
    "TSAN_OPTIONS": f"suppressions={SUPPORT}/tsan.supp:exitcode=99",
}
REPORT = re.compile(
    r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|^==\d+== .*(lost|Invalid|uninit)",
    re.MULTILINE)
PROVIDER = "file"
PASSWORD = "correct horse"
USERS = ("ada", "ben", "cleo", "dora", "emil")
START_SECONDS = 60
WORKERS = 2  # of each agent
BROKER_USERS = {"gateway": "gateway", "sync-agent": "agent", "auth-agent": "agent"}


def slow():
    """Do the programs run several times slower than built plainly?"""
    return bool(os.environ.get("TEST_VALGRIND")) or "address" in BUILD.name or "thread" in BUILD.name


class Process:
    """One gateway or agent, with a log of its own that goes on over restarts."""

    def __init__(self, stack, kind, number, environment=None):
        self.stack, self.kind, self.name = stack, kind, f"{kind}-{number}"
        self.program = BUILD / PROGRAMS[kind]
        self.status_port = free_port()
        self.environment = {"ACTIVESTACK_STATUS_PORT": str(self.status_port), **(environment or {})}
        self.log = stack.folder / f"{self.name}.log"
        self.process = None
        self.expected_end = True  # not started yet, stopped or killed by the test

    @property
    def pid(self):
        return self.process.pid

    def launch(self, fault=None):
        """Starts the program without waiting for it. `fault` is for common/base/fault.h."""
        command = [self.program, "--config", self.stack.config]
        if os.environ.get("TEST_VALGRIND"):
            command = VALGRIND + command
        environment = {**os.environ, **SANITIZERS, **self.stack.environment(self.kind),
                       **self.environment}
        if fault:
            environment["ACTIVESTACK_FAULT"] = fault
        self.process = spawn(command, self.log, env=environment)
        self.expected_end = False

    def start(self, fault=None):
        self.launch(fault)
        self.wait_ready()

    def wait_ready(self):
        wait_until(self._is_ready, START_SECONDS, f"{self.name} is ready")

    def _is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}:\n{self.tail()}")
        return self.answers()

    def stop(self, seconds=120):
        """Ends the program in order (SIGTERM); it has to end with exit code 0."""
        if self.process is None or self.process.poll() is not None:
            return
        self.expected_end = True
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        assert code == 0, f"{self.name} ended with {code}:\n{self.tail()}"

    def kill(self):
        """SIGKILL, at once."""
        self.expected_end = True
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def expect_death(self, seconds=120):
        """Waits until the program has died at the fault point that it was started with."""
        self.expected_end = True
        code = self.process.wait(seconds)
        assert code == -signal.SIGKILL, f"{self.name} ended with {code}:\n{self.tail()}"

    def pause(self):
        """SIGSTOP; returns when all its threads stand still."""
        self.process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.pid}/task")
        wait_until(lambda: all(_state(thread) == "T" for thread in threads.iterdir()), 10,
                   f"{self.name} stands still")

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def cpu_seconds(self):
        """What it has used of the processor, in all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self):
        return self.log_text()[-4000:]

    def status(self, path):
        """(status, text) of a GET of its status port."""
        return http_get(f"http://127.0.0.1:{self.status_port}{path}")

    def check(self):
        if not self.expected_end and self.process.poll() is not None:
            self.expected_end = True  # tell it once
            raise AssertionError(f"{self.name} died with {self.process.returncode}:\n{self.tail()}")
        report = REPORT.search(self.log_text())
        assert not report, f"{self.name}:\n{self.log_text()[max(0, report.start() - 200):][:6000]}"


def http_get(url, context=None):
    try:
        with urllib.request.urlopen(url, timeout=30, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def _state(thread):
    return (thread / "stat").read_text().rsplit(")", 1)[1].split()[0]


class Gateway(Process):
    def __init__(self, stack, number):
        self.port = free_port()
        super().__init__(stack, "gateway", number, {"ACTIVESTACK_GATEWAY_PORT": str(self.port),
                                                    "ACTIVESTACK_GATEWAY_NAME": f"gateway-{number}"})
        self.url = f"ws://127.0.0.1:{self.port}"
        self.tls = None  # how those who ask it check its certificate; None: it has none

    def set(self, **settings):
        """Of this gateway alone: port=1 is gateway.port. Before it is started."""
        for name, value in settings.items():
            self.environment[f"ACTIVESTACK_GATEWAY_{name.upper()}"] = str(value)

    def set_tls(self, certificate, key, context, **settings):
        """`context` is an ssl.SSLContext for `http()`."""
        self.set(tls_certificate=certificate, tls_key=key, **settings)
        self.tls, self.url = context, self.url.replace("ws:", "wss:")

    def answers(self):
        return self.http("/readyz")[0] == 200

    def http(self, path):
        """(status, text) of a GET."""
        return http_get(f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}", self.tls)

    def figure(self, name):
        """One of its metrics, without what all their names begin with."""
        return int(re.search(rf"^activestack_gateway_{name} (\d+)$", self.http("/metrics")[1],
                             re.MULTILINE)[1])


class Agent(Process):
    """Ready when the links of all its workers are up, that is: when they consume."""

    def launch(self, fault=None):
        # A name of its own for each start, to tell its links from those of the one that died.
        self.agent_name = f"{self.name}-{secrets.token_hex(3)}"
        self.environment["ACTIVESTACK_AGENT_NAME"] = self.agent_name
        super().launch(fault)

    def links(self):
        return {str(i + 1) for i in range(WORKERS)}

    def answers(self):
        # The management API shows consumers only after seconds.
        up = re.findall(rf"amqp.up connection=\S*{self.agent_name}#(\w+) ", self.log_text())
        return self.links() <= set(up)


class SyncAgent(Agent):
    def __init__(self, stack, number):
        super().__init__(stack, "sync-agent", number)

    def links(self):
        return super().links() | ({"host"} if self.stack.hosts else set())


class AuthAgent(Agent):
    def __init__(self, stack, number):
        super().__init__(stack, "auth-agent", number)


PROGRAMS = {
    "gateway": "gateway/activestack-gateway",
    "sync-agent": "agents/sync/activestack-sync-agent",
    "auth-agent": "agents/auth/activestack-auth-agent",
}


class Stack:
    """`settings` are lines of the configuration file: {"sync.poll_ms": 50}; `processes` is what the file
    of processes declares, None: there is none; `model` what that of the model does, None: the example's;
    `roles` are what the users file says of USERS and others, {"ada": ["editor"]}: those that are not there
    have none; None: it says nothing of roles. With `tls` the programs reach the broker over TLS.
    `queue_type` is that of durable queues."""

    _numbers = itertools.count()

    def __init__(self, servers, gateways=1, sync_agents=1, auth_agents=1, settings=None,
                 processes=None, model=None, roles=None, tls=False, queue_type="classic"):
        number = next(self._numbers)
        self.servers = servers
        self.folder = servers.folder / f"stack-{number}"
        self.folder.mkdir(mode=0o700)
        self._make_vhost(
            "activestack" if number == 0 and queue_type == "classic" else f"test-{number}", queue_type)
        self.tls = tls
        self._lent = contextlib.ExitStack()
        self.redis_url = self._lent.enter_context(servers.redis.database())
        self.config = self.folder / "activestack.conf"
        self.seal_secret = secrets.token_hex(32)
        self._users = self.folder / "users.json"
        self._write_users(roles)
        self._write_config({**self._declare(processes, settings or {}), **self._declare_model(model),
                            **(settings or {})})
        self.gateways = [Gateway(self, i + 1) for i in range(gateways)]
        self.sync_agents = [SyncAgent(self, i + 1) for i in range(sync_agents)]
        self.auth_agents = [AuthAgent(self, i + 1) for i in range(auth_agents)]

    @property
    def processes(self):
        return self.gateways + self.sync_agents + self.auth_agents

    def __enter__(self):
        try:
            for process in self.processes:
                process.launch()
            for process in self.processes:
                process.wait_ready()
            self._starts = self._starts_of_servers()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, *_):
        try:
            for process in self.processes:
                process.stop()
            self.check()
        finally:
            self._kill()
            self._lent.close()
            if self.vhost != "activestack":
                self.servers.rabbitmq.management("DELETE", f"/api/vhosts/{self.vhost}")

    def _kill(self):
        for process in self.processes:
            if process.process and process.process.poll() is None:
                process.kill()

    def recover(self):
        """Returns when all programs have their servers again, which other tests may have killed."""
        starts = self._starts_of_servers()
        if starts != self._starts:
            for process in self.processes:
                wait_until(lambda p=process: p.status("/readyz")[0] == 200, START_SECONDS,
                           f"{process.name} is ready again")
            self._starts = starts
        return self

    def _starts_of_servers(self):
        return self.servers.rabbitmq.starts, self.servers.redis.starts

    def check(self):
        """Fails if something went wrong behind the test's back."""
        for process in self.processes:
            process.check()

    def credential(self, user):
        """What `user` (one of USERS) logs in with."""
        return f"{user}@example.org:{PASSWORD}"

    def redis(self):
        """A redis.Redis on this stack's database, for looking behind the scenes."""
        return redis.Redis.from_url(self.redis_url, decode_responses=True)

    def amqp_url_of(self, user):
        """As the programs are told it: each kind is a user with the rights that it needs."""
        return self.servers.rabbitmq.url_of(user, self.vhost, self.tls)

    def environment(self, kind):
        """What programs of a kind are told beside the configuration file."""
        return {"ACTIVESTACK_AMQP_URL": self.amqp_url_of(BROKER_USERS[kind])}

    def amqp(self, user="activestack"):
        """A pika.BlockingConnection to this stack's vhost."""
        return pika.BlockingConnection(
            pika.URLParameters(self.servers.rabbitmq.url_of(user, self.vhost)))

    def opened(self, queue, properties, body):
        """The body of a delivery, in clear."""
        if properties.content_encoding != sealing.ENCODING:
            return body
        return sealing.Seal(self.seal_secret).open(body, **sealing.context_of(queue, properties))

    def change_roles(self, roles):
        """In the users file, which auth agents read here by a new start; they count from a user's next login on."""
        self._write_users(roles)
        for agent in self.auth_agents:
            agent.stop()
            agent.start()

    def _write_users(self, roles):
        rows = [user_row(f"{name}@example.org", name.title(), "Example")
                for name in dict.fromkeys([*USERS, *(roles or {})])]
        for row in rows if roles is not None else ():
            row["roles"] = roles.get(row["email"].split("@")[0], [])
        self._users.write_text(json.dumps(rows))

    def consumers(self, queue):
        """The tags of the consumers of a queue, up to date."""
        found = self.servers.rabbitmq.management("GET", f"/api/consumers/{self.vhost}")
        return [c["consumer_tag"] for c in found if c["queue"]["name"] == queue]

    def _make_vhost(self, vhost, queue_type):
        self.vhost = vhost
        self.amqp_url = self.servers.rabbitmq.url_of("activestack", vhost)
        if vhost == "activestack":
            return  # made by the server's own definitions
        template = json.loads((ROOT / "deploy/rabbitmq/definitions.json").read_text())
        call = self.servers.rabbitmq.management
        metadata = {**template["vhosts"][0]["metadata"], "default_queue_type": queue_type}
        call("POST", "/api/definitions", {"vhosts": [{"name": vhost, "metadata": metadata}]})
        for row in template["permissions"]:
            call("PUT", f"/api/permissions/{vhost}/{row['user']}",
                 {right: row[right] for right in ("configure", "write", "read")})
        for queue in template["queues"]:
            call("PUT", f"/api/queues/{vhost}/{queue['name']}", {"durable": True})
        for policy in template["policies"]:
            call("PUT", f"/api/policies/{vhost}/{policy['name']}",
                 {k: policy[k] for k in ("pattern", "definition", "apply-to", "priority")})

    def _declare(self, processes, settings):
        """Writes the file of processes and returns the settings that go with it. `hosts` is whether
        the sync agents themselves run some of them."""
        self.hosts = False
        if processes is None:
            return {}
        plain = processes.get("processes", {}).values()
        self.hosts = settings.get("process.host") != "false" and (
            any("plugin" in p for p in plain) or not {"http", "sql"}.isdisjoint(processes))
        file = self.folder / "processes.json"
        file.write_text(json.dumps(processes))
        return {"process.file": file, "process.plugin_dir": BUILD / "agents/plugins"}

    def _declare_model(self, model):
        if model is None:
            return {}
        file = self.folder / "model.json"
        file.write_text(json.dumps(model))
        return {"model.file": file}

    def _write_config(self, settings):
        lines = {
            "log.level": "debug",
            "amqp.url": self.amqp_url_of("operator"),  # for activestack-ctl
            "redis.url": self.redis_url,
            "model.file": MODEL,
            "agent.workers": WORKERS,
            "gateway.host": "127.0.0.1",
            "gateway.session_secret": secrets.token_hex(32),
            "auth.seal_secret": self.seal_secret,
            "gateway.drain_ms": 100,
            # All clients are on this machine.
            "gateway.max_connections_per_address": 0,
            "gateway.max_upgrades_per_s_per_address": 0,
            "auth.providers": "file,anonymous",
            "auth.users_file": self._users,
            "auth.max_failed_logins": 1000000,  # of all tests together
            # However slow all is: what tests want to be told again they say themselves, and clients that
            # read nothing for a while stay.
            "sync.redelivery_first_ms": 30_000,
            "gateway.ping_timeout_ms": 600_000,
            "auth.max_failed_logins_per_address": 1000000,
            **settings,
        }
        self.config.write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))


def user_row(name, first_name, last_name, password=PASSWORD):
    """What a file of users says of one."""
    return {"firstName": first_name, "lastName": last_name, "email": name,
            "passHash": password_hash(password)}


@functools.cache
def password_hash(password=PASSWORD):
    """Made once per run by the program that makes those of real users."""
    return subprocess.run(
        [BUILD / "deploy/ctl/activestack-ctl", "hash-password"], input=password, text=True,
        check=True, stdout=subprocess.PIPE).stdout.strip()
