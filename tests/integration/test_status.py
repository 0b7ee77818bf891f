"""The status port of each program: is it alive, is it ready, its figures; and --probe, which asks it."""

import os
import re
import socket
import subprocess
import urllib.parse

import pytest
from servers import wait_until
from stack import BUILD, PROGRAMS, SANITIZERS, AuthAgent, Stack, SyncAgent
from store import pending_marks
from tcp_gate import TcpGate

TASK = "com.app.mo.Task"
SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (-?[0-9.]+)$')


def one_of(stack, kind):
    return next(p for p in stack.processes if p.kind == kind)


def probe(process):
    return subprocess.run([process.program, "--config", process.stack.config, "--probe"], text=True,
                          env={**SANITIZERS, **process.environment}, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=120)


def samples(process):
    """{(name, labels): value} of /metrics, with the labels as they are printed."""
    status, text = process.status("/metrics")
    assert status == 200
    found = [SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#")]
    assert all(found), text
    assert len({m.group(1, 2) for m in found}) == len(found), "a sample is there twice"
    return {m.group(1, 2): float(m[3]) for m in found}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_program_that_serves_is_alive_and_ready(stack, kind):
    process = one_of(stack, kind)
    wait_until(lambda: process.status("/readyz") == (200, "ready\n"), 20, f"{kind} is ready")
    assert process.status("/healthz") == (200, "ok\n")
    assert process.status("/other")[0] == 404
    ended = probe(process)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ready\n", "")


@pytest.mark.parametrize("kind", PROGRAMS)
def test_it_tells_of_version_memory_and_processor(stack, kind):
    figures = samples(one_of(stack, kind))
    version = subprocess.run([BUILD / PROGRAMS[kind], "--version"], text=True, capture_output=True,
                             env={**os.environ, **SANITIZERS}, check=True).stdout.split()[1]
    assert figures["activestack_build_info", f'version="{version}"'] == 1
    assert figures["process_resident_memory_bytes", None] > 1 << 20
    assert figures["process_cpu_seconds_total", None] > 0
    assert 3 < figures["process_open_fds", None] < figures["process_max_fds", None]
    started = float(subprocess.run(
        ["date", "+%s", "-r", f"/proc/{one_of(stack, kind).pid}"], text=True, capture_output=True,
        check=True).stdout)
    assert abs(figures["process_start_time_seconds", None] - started) < 3600


@pytest.mark.parametrize("kind", PROGRAMS)
def test_every_figure_is_explained(stack, kind):
    text = one_of(stack, kind).status("/metrics")[1]
    families = dict(re.findall(r"(?m)^# HELP (\S+) (.+)$", text))
    assert families.keys() == dict(re.findall(r"(?m)^# TYPE (\S+) (.+)$", text)).keys()
    told = subprocess.run([BUILD / PROGRAMS[kind], "--help-metrics"], text=True, capture_output=True,
                          env={**os.environ, **SANITIZERS}, check=True).stdout
    explained = dict(re.findall(r"(?m)^(\S+)  \w+\n    (.+)$", told))
    assert explained == families
    names = {re.sub("_(bucket|sum|count)$", "", name) for name, _ in samples(one_of(stack, kind))}
    assert names <= families.keys()


@pytest.mark.parametrize("kind", PROGRAMS)
def test_without_a_status_port_nobody_can_be_asked(stack, kind):
    process = one_of(stack, kind)
    ended = subprocess.run([process.program, "--config", stack.config, "--probe"], text=True,
                           env={**SANITIZERS, **process.environment, "ACTIVESTACK_STATUS_PORT": "0"},
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert ended.returncode == 2 and "status.port" in ended.stderr


def test_a_probe_of_nobody_says_so(stack):
    gateway = stack.gateways[0]
    with socket.socket() as nobody:  # has the port, and does not listen
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        ended = subprocess.run([gateway.program, "--config", stack.config, "--probe"], text=True,
                               env={**SANITIZERS, **gateway.environment, "ACTIVESTACK_STATUS_PORT": str(port)},
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    assert ended.returncode == 2 and f"127.0.0.1:{port}" in ended.stderr and ended.stdout == ""


# ---- Figures of agents

@pytest.fixture(scope="module")
def small_stack(servers):
    with Stack(servers, sync_agents=2, settings={"status.store_ms": 100}) as s:
        yield s


def total(stack, name, labels=None):
    """Over all sync agents; 0 where there is no such sample."""
    return sum(samples(agent).get((name, labels), 0)
               for agent in stack.sync_agents if agent.process.poll() is None)


def of(operation, *more):
    return ",".join([f'operation="{operation}"', *more])


def test_requests_are_counted_by_operation_and_outcome(small_stack, connect, new_id):
    client = connect(small_stack.gateways[0], "ada")
    wanted = {("requests_total", of("createObject", 'outcome="answered"')): 2,
              ("requests_total", of("findById", 'outcome="answered"')): 1,
              ("requests_total", of("findById", 'outcome="error"')): 1,
              ("requests_total", of("findById", 'outcome="dropped"')): 0,
              ("queue_seconds_count", of("findById")): 2,
              ("request_seconds_count", of("findById")): 2}
    before = {key: total(small_stack, "activestack_agent_" + key[0], key[1]) for key in wanted}
    ids = [new_id("task") for _ in range(2)]
    for task in ids:
        client.request("createObject", theObject={"cn": TASK, "ID": task, "title": "one"})
    client.request("findById", theClassName=TASK, theClassId=ids[0])
    client.request("findById", theClassName="com.app.mo.Nothing", theClassId="1")
    wait_until(lambda: {key: total(small_stack, "activestack_agent_" + key[0], key[1]) - before[key]
                        for key in wanted} == wanted, 20, f"counted: {wanted}")


def test_calls_and_messages_are_counted(small_stack, connect):
    names = ("activestack_agent_redis_calls_total", None), ("activestack_agent_redis_seconds_count", None), \
        ("activestack_agent_messages_total", 'outcome="confirmed"')
    before = [total(small_stack, *name) for name in names]
    connect(small_stack.gateways[0], "ben")
    wait_until(lambda: all(total(small_stack, *name) > then for name, then in zip(names, before)), 20,
               "more of each")


def test_an_auth_agent_counts_its_own_operations(small_stack, connect):
    connect(small_stack.gateways[0], "ben")
    figures = samples(small_stack.auth_agents[0])
    assert figures["activestack_agent_requests_total", of("authenticate", 'outcome="answered"')] >= 1
    assert ("activestack_agent_requests_total", of("findById", 'outcome="answered"')) not in figures


def test_what_a_dead_agent_leaves_is_counted_as_redelivered(small_stack, connect, new_id):
    first, second = small_stack.sync_agents
    client = connect(small_stack.gateways[0], "ada")
    second.stop()
    first.kill()
    first.launch(fault="after-commit")
    first.wait_ready()
    asked = client.send_request("createObject",
                                theObject={"cn": TASK, "ID": new_id("task"), "title": "one"})
    first.expect_death()
    second.start()
    assert client.response_to(asked)["result"] is True
    assert samples(second)["activestack_agent_redelivered_total", of("createObject")] == 1
    first.start()


def test_what_is_too_large_is_counted(small_stack):
    before = total(small_stack, "activestack_agent_oversized_total", of("findById"))
    with small_stack.amqp() as broker:
        broker.channel().basic_publish("", "findById", b"x" * ((16 << 20) + 1))
    wait_until(lambda: total(small_stack, "activestack_agent_oversized_total", of("findById")) ==
               before + 1, 20, "it is counted")


def test_the_books_are_told(small_stack, connect, new_id):
    writer, reader = (connect(small_stack.gateways[0], user) for user in ("ada", "ben"))
    task = new_id("task")
    writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "one"})
    reader.request("findById", theClassName=TASK, theClassId=task)
    writer.request("putObject", theObject={"cn": TASK, "ID": task, "title": "two"})
    reader.expect_update(task, title="two")
    for agent in small_stack.sync_agents:
        wait_until(lambda: samples(agent)["activestack_books_pending", None] ==
                   len(pending_marks(small_stack.redis())) > 0, 20, "the pending mark is told")
        figures = samples(agent)
        assert figures["activestack_books_made_total", None] >= figures["activestack_books_pending", None]
        assert figures["activestack_store_gateways", None] == 1
        assert ("activestack_store_due", 'what="sessions"') in figures


# ---- Readiness of agents

@pytest.mark.parametrize("kind", ["sync-agent", "auth-agent"])
@pytest.mark.parametrize("setting, name", [("redis.url", "redis"), ("amqp.url", "broker")])
def test_an_agent_is_not_ready_without_redis_or_broker(small_stack, kind, setting, name):
    agent = (SyncAgent if kind == "sync-agent" else AuthAgent)(small_stack, 9)
    url = urllib.parse.urlsplit(small_stack.redis_url if name == "redis" else small_stack.amqp_url)
    with TcpGate(url.port) as gate:
        gate.on(b"", gate.DROP)
        there = url._replace(netloc=f"{url.netloc.rsplit(':', 1)[0]}:{gate.port}").geturl()
        agent.environment["ACTIVESTACK_" + setting.replace(".", "_").upper()] = there
        agent.launch()
        line = f"missing: {name}, for 2 of 2 workers\n"
        wait_until(lambda: agent.status("/readyz")[0] == 503, 20, "it answers")
        if name == "redis":  # the broker is there
            wait_until(lambda: agent.status("/readyz")[1] == line, 20, "only Redis is missing")
        assert line in agent.status("/readyz")[1]
        assert agent.status("/healthz") == (200, "ok\n")
        ended = probe(agent)
        assert ended.returncode == 1 and line in ended.stdout
        gate.on(None, None)
        wait_until(lambda: agent.status("/readyz") == (200, "ready\n"), 30, "it is ready")
        agent.stop()
