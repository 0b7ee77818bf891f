"""What is written of the programs, beside what they do."""

import os
import re
import subprocess

import pytest
from servers import ROOT
from stack import BUILD, SANITIZERS

MANUAL = ROOT / "deploy/man"
PROGRAMS = {
    "activestack-gateway.8": "gateway/activestack-gateway",
    "activestack-sync-agent.8": "agents/sync/activestack-sync-agent",
    "activestack-auth-agent.8": "agents/auth/activestack-auth-agent",
    "activestack-ctl.1": "deploy/ctl/activestack-ctl",
}


def run(*command):
    return subprocess.run(list(map(str, command)), text=True, env={**os.environ, **SANITIZERS},
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def test_pages_are_what_the_programs_print():
    ended = run(ROOT / "deploy/reference/make", "--check", BUILD)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("page", PROGRAMS)
def test_each_option_is_in_the_manual(page):
    """Also each command of activestack-ctl."""
    told = run(BUILD / PROGRAMS[page], "--help").stdout
    words = re.findall(r"--[a-z][a-z-]*", told) + re.findall(r"(?m)^  ([a-z][a-z-]+)", told)
    manual = run("mandoc", "-T", "ascii", "-O", "width=200", MANUAL / page).stdout
    manual = re.sub(".\b", "", manual)  # bold, underlined
    assert len(words) > 4 and [word for word in words if word not in manual] == []
