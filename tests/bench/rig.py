"""What the benchmarks stand on: a running ActiveStack, programs that make load, the clocks of all
processes, and the broker's own count of messages."""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from client import DEVELOPERS_LOGIN
from servers import wait_until
from stack import BUILD

PROGRAMS = BUILD / "tests/bench"
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
STATS_SECONDS = 5  # the broker's channels report their counts so often
HEAD = ("rate", "p50", "p95", "p99")
SETTINGS = {
    **DEVELOPERS_LOGIN,
    "log.level": "info",
    "agent.workers": 2,
    # The load has no time for pings.
    "gateway.ping_interval_ms": 3600000,
    "gateway.ping_timeout_ms": 7200000,
    # Else the broker's count of messages never stands still.
    "gateway.alive_ms": 600000,
    "sync.gateway_lease_ms": 3600000,
}


def cpu_us(stat):
    """CPU time of a process, or thread, by its file `stat`; also of one that has just ended."""
    fields = Path(stat).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_US


def resident_kb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"{pid} has no VmRSS")


class Program:
    """One of the C programs beside this file, of which we read lines of standard output."""

    def __init__(self, name, *arguments, environment=None):
        self.name = name
        self.process = subprocess.Popen(
            [PROGRAMS / name, *map(str, arguments)], env={**os.environ, **(environment or {})},
            text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{self.name} failed: see above")
        return line.strip()

    def expect(self, word):
        line = self.line()
        assert line == word, f"{self.name} said {line}, not {word}"

    def say(self, line):
        print(line, file=self.process.stdin, flush=True)


class Holder(Program):
    """Connections that are logged in and stay; see ws_hold.c."""

    def __init__(self, rig, connections):
        super().__init__("ws_hold", rig.gateway.port, connections)
        self.count = connections
        self.expect("ready")

    def request(self, text):
        """Sends a request on every connection and waits for all answers."""
        self.say(text)
        self.expect("answered")

    def drop(self):
        """Loses all connections."""
        self.say("drop")
        self.expect("dropped")

    def come_back(self):
        """All return at once: {"ms": N, "told": N, "again": N}, see ws_hold.c."""
        self.say("return")
        return json.loads(self.line())

    def pushes(self):
        """Ends the connections; how many pushes there were?"""
        self.process.stdin.close()
        return json.loads(self.line())["pushes"]


class Rig:
    def __init__(self, servers, stack):
        self.servers, self.stack = servers, stack
        self.gateway = stack.gateways[0]
        self.amqp = {"AMQP_URL": stack.amqp_url}
        self.redis = stack.redis()
        self.groups = {
            "gateway": [p.pid for p in stack.gateways],
            "agent": [p.pid for p in stack.sync_agents],
            "broker": [servers.rabbitmq.pid],
            "redis": [servers.redis.pid],
        }

    # ---- Load

    def through_gateway(self, connections, *arguments):
        """`arguments` as in LOAD_ARGUMENTS of load.h; returns figures."""
        return self._measure("ws_load", self.gateway.port, connections, *arguments)

    def over_amqp(self, queue, clients, arguments, agent=None):
        """The same without the gateway, in these clients' names. `agent` is who answers, if it is
        not ours."""
        groups = {**self.groups, "agent": [agent]} if agent else self.groups
        return self._measure("amqp_load", queue, *arguments, *clients, groups=groups)

    def responder(self, queue, body):
        """A plain AMQP responder that says `body` to everything."""
        program = Program("amqp_echo", queue, body, environment=self.amqp)
        program.expect("ready")
        return program

    def spent(self, load_pid, run):
        """CPU time of each group and of the load, in us, while run() ran; what it returned."""
        before = self._clocks(load_pid, self.groups)
        result = run()
        after = self._clocks(load_pid, self.groups)
        return {who: after[who] - before[who] for who in (*self.groups, "client", "all")}, result

    def _measure(self, name, *arguments, groups=None):
        with Program(name, *arguments, environment=self.amqp) as load:
            load.expect("begin")
            before = self._clocks(load.pid, groups or self.groups)
            figures = json.loads(load.line())
            after = self._clocks(load.pid, groups or self.groups)
        figures["cpu"] = {who: (after[who] - before[who]) / figures["count"]
                          for who in after if who in before}
        return figures

    def _clocks(self, load_pid, groups):
        """CPU time of each group, of the load, and of each thread of the gateway; what Redis has
        spent in scripts, by the clock."""
        clocks = {group: sum(cpu_us(f"/proc/{pid}/stat") for pid in pids)
                  for group, pids in groups.items()}
        clocks["client"] = cpu_us(f"/proc/{load_pid}/stat")
        clocks["all"] = sum(clocks.values())
        clocks["scripts"] = self.redis.info("commandstats")["cmdstat_evalsha"]["usec"]
        for task in sorted(Path(f"/proc/{self.gateway.pid}/task").iterdir(), key=lambda t: int(t.name)):
            clocks[f"thread {(task / 'comm').read_text().strip()}"] = cpu_us(task / "stat")
        return clocks

    # ---- The broker's counts

    def broker_messages(self, run):
        """How many messages were published while run() ran."""
        before = self._settled_count(0)
        run()
        return self._settled_count(before + 1) - before

    def _settled_count(self, least):
        """The count of published messages when every channel has reported."""
        seen = []

        def is_settled():
            seen.append((time.monotonic(), self._published()))
            same = [at for at, count in seen if count == seen[-1][1]]
            return seen[-1][1] >= least and same[-1] - same[0] > 1.5 * STATS_SECONDS

        wait_until(is_settled, 60, "the broker's count of messages stands still")
        return seen[-1][1]

    def _published(self):
        overview = self.servers.rabbitmq.management("GET", "/api/overview")
        return overview["message_stats"].get("publish", 0)


def medians(rounds):
    """Of several runs' figures, each figure's median."""
    result = {name: statistics.median(r[name] for r in rounds) for name in HEAD}
    names = [name for name in rounds[0]["cpu"] if all(name in r["cpu"] for r in rounds)]
    result["cpu"] = {name: statistics.median(r["cpu"][name] for r in rounds) for name in names}
    return result
