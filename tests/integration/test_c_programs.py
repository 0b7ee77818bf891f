"""The tests in C that need the servers: each test_*.c of this folder is a program, built by meson,
that finds them through AMQP_URL, MANAGEMENT_URL and REDIS_URL and reports as TAP."""

import subprocess
from pathlib import Path

import pytest
from stack import BUILD, SANITIZERS

SOURCES = sorted(Path(__file__).parent.glob("test_*.c"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_program(source, server_environment):
    run(source.stem, server_environment)


def test_links_to_the_broker_over_tls(servers, server_environment):
    run("test_amqp_link", {**server_environment, "AMQP_TLS_URL": servers.rabbitmq.tls_url,
                           "AMQP_CA_FILE": str(servers.rabbitmq.authority.file)})


def run(name, server_environment):
    program = BUILD / "tests/integration" / name
    ended = subprocess.run(
        [program], env={**server_environment, **SANITIZERS, "CK_VERBOSITY": "verbose"}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    assert ended.returncode == 0, ended.stdout
