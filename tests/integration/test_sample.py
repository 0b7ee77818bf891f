"""The sample of a configuration, as somebody uses it who takes the "#" away."""

import re
import subprocess

import pytest
from servers import ROOT
from stack import BUILD, SANITIZERS

CTL = BUILD / "deploy/ctl/activestack-ctl"
GIVEN = {
    "amqp.url": "amqp://a:b@127.0.0.1:1/x",
    "redis.url": "redis://127.0.0.1:1/0",
    "model.file": ROOT / "deploy/example/model.json",
    "gateway.session_secret": "s" * 32,
    "auth.seal_secret": "t" * 32,
}
PROGRAMS = ["gateway/activestack-gateway", "agents/sync/activestack-sync-agent",
            "agents/auth/activestack-auth-agent"]


def run(*command):
    return subprocess.run(list(map(str, command)), text=True, env=SANITIZERS, timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True)


@pytest.fixture(scope="module")
def sample():
    return (ROOT / "deploy/activestack.conf.sample").read_text()


def uncommented(sample):
    """All lines with settings, those in GIVEN with their values there."""
    settings = re.findall(r"(?m)^#(\S+) =(.*)$", sample)
    assert set(GIVEN) < {key for key, _ in settings}
    return "".join(f"{key} = {GIVEN.get(key, value)}\n" for key, value in settings)


def test_in_the_sample_every_line_is_a_comment(sample):
    assert all(line == "" or line.startswith("#") for line in sample.splitlines())


def test_without_comments_the_sample_is_accepted(sample, tmp_path):
    config = tmp_path / "sample.conf"
    config.write_text(uncommented(sample))
    assert run(CTL, "check-config", config).stdout == "ok\n"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.split("/")[-1])
def test_the_sample_has_the_defaults(program, sample, tmp_path):
    full, least = tmp_path / "full.conf", tmp_path / "least.conf"
    full.write_text(uncommented(sample))
    least.write_text("".join(f"{key} = {value}\n" for key, value in GIVEN.items()))
    in_force = [run(BUILD / program, "--check-config", "--config", f) for f in (full, least)]
    assert in_force[0].returncode == 0 and in_force[0].stdout == in_force[1].stdout
