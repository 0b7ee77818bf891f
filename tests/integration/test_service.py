"""The programs as services: what they tell the service manager, and what signals do."""

import signal
import subprocess

import pytest
from notify_socket import NotifySocket
from servers import ROOT
from stack import BUILD, PROGRAMS, Stack

UNITS = BUILD / "deploy/systemd"


@pytest.fixture(scope="module")
def services(servers):
    """A stack of a gateway and an auth agent, and the manager of each."""
    stack = Stack(servers, gateways=1, sync_agents=0, auth_agents=1)
    managers = {}
    for process in stack.processes:
        managers[process.kind] = NotifySocket(watchdog_us=400000)
        process.environment.update(managers[process.kind].environment)
    with stack:
        yield stack, managers
    for manager in managers.values():
        manager.wait_for("STOPPING=1")


@pytest.fixture
def stack(services):
    yield services[0]
    services[0].check()


@pytest.fixture
def managers(services):
    return services[1]


# ---- The service manager ----

@pytest.mark.parametrize("kind", ["gateway", "auth-agent"])
def test_a_program_tells_when_it_is_ready_and_that_it_moves(stack, managers, kind):
    process = next(p for p in stack.processes if p.kind == kind)
    told = managers[kind].wait_for("READY=1")
    assert process.status("/readyz") == (200, "ready\n")
    assert told[-2] == "STATUS=ready"
    assert managers[kind].next() == "WATCHDOG=1"
    assert managers[kind].next() == "WATCHDOG=1"


def test_a_program_without_a_broker_is_not_ready(stack, managers):
    agent = stack.auth_agents[0]
    agent.stop()
    managers["auth-agent"].wait_for("STOPPING=1")
    agent.environment["ACTIVESTACK_AMQP_URL"] = "amqp://a:b@127.0.0.1:1/x"
    agent.launch()
    told = managers["auth-agent"].wait_for("STATUS=missing: broker, for 2 of 2 workers(;.*)?")
    assert "READY=1" not in told
    assert managers["auth-agent"].wait_for("WATCHDOG=1"), "it waits, which is no reason to end it"
    agent.stop()
    managers["auth-agent"].wait_for("STOPPING=1")
    del agent.environment["ACTIVESTACK_AMQP_URL"]
    agent.start()
    managers["auth-agent"].wait_for("READY=1")


@pytest.mark.parametrize("kind", ["gateway", "auth-agent"])
def test_a_reload_is_told_from_its_begin_to_its_end(stack, managers, kind):
    process = next(p for p in stack.processes if p.kind == kind)
    process.process.send_signal(signal.SIGHUP)
    managers[kind].wait_for(r"RELOADING=1\nMONOTONIC_USEC=\d+")
    assert "STATUS=ready" not in managers[kind].wait_for("READY=1")


def test_a_reload_with_a_mistake_ends_too(stack, managers):
    agent = stack.auth_agents[0]
    before = stack.config.read_text()
    stack.config.write_text(before + "agent.workers = none\n")
    agent.process.send_signal(signal.SIGHUP)
    managers["auth-agent"].wait_for(r"RELOADING=1\nMONOTONIC_USEC=\d+")
    managers["auth-agent"].wait_for("READY=1")
    stack.config.write_text(before)


def test_the_units_are_what_systemd_understands(tmp_path):
    units = []
    for kind, program in PROGRAMS.items():
        name = f"activestack-{kind}.service"
        text = (UNITS / name).read_text()
        start = next(line for line in text.splitlines() if line.startswith("ExecStart="))
        assert start.endswith("/bin/activestack-" + kind)
        units.append(tmp_path / name)
        units[-1].write_text(text.replace(start, f"ExecStart={BUILD / program}"))
    target = tmp_path / "activestack.target"
    target.write_text((ROOT / "deploy/systemd/activestack.target").read_text())
    ended = subprocess.run(["systemd-analyze", "verify", "--man=no", *units, target], text=True,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
