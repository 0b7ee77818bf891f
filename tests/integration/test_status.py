"""The status port of each program: is it alive, is it ready, its figures; and --probe, which asks it."""

import os
import re
import socket
import subprocess

import pytest
from servers import free_port, wait_until
from stack import PROGRAMS, SANITIZERS, BUILD

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (-?[0-9.]+)$')


def one_of(stack, kind):
    return next(p for p in stack.processes if p.kind == kind)


def probe(process):
    return subprocess.run([process.program, "--config", process.stack.config, "--probe"], text=True,
                          env={**SANITIZERS, **process.environment}, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=30)


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
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert ended.returncode == 2 and "status.port" in ended.stderr


def test_a_probe_of_nobody_says_so(stack):
    gateway = stack.gateways[0]
    with socket.socket() as nobody:  # has the port, and does not listen
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        ended = subprocess.run([gateway.program, "--config", stack.config, "--probe"], text=True,
                               env={**SANITIZERS, **gateway.environment, "ACTIVESTACK_STATUS_PORT": str(port)},
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert ended.returncode == 2 and f"127.0.0.1:{port}" in ended.stderr and ended.stdout == ""
