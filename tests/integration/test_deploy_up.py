"""deploy/up by its contract, in a copy of the tree whose programs are built already."""

import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from client import Client
from servers import ROOT, wait_until
from stack import BUILD, PROGRAMS, slow

pytestmark = pytest.mark.skipif(slow(), reason="it is the scripts that are tested here")

TASK = "com.app.mo.Task"
NAMES = {"ACTIVESTACK_URLS", "AMQP_URL", "REDIS_URL", "MANAGEMENT_URL", "DEMO_PROVIDER",
         "DEMO_CREDENTIAL", "DEMO_CREDENTIAL_2", "ACTIVESTACK_CTL", "PIDS"}


class Deployment:
    def __init__(self, root):
        self.root = root
        shutil.copytree(ROOT / "deploy", root / "deploy")
        build = root / "build"
        for program in [*PROGRAMS.values(), "deploy/ctl/activestack-ctl", "agents/plugins"]:
            (build / program).parent.mkdir(parents=True, exist_ok=True)
            (build / program).symlink_to(BUILD / program)
        (build / "build.ninja").touch()  # nothing to be built

    def up(self, *words):
        """Runs deploy/up from another folder; returns (exit code, standard output)."""
        ended = subprocess.run([self.root / "deploy/up", *words], cwd="/", text=True, timeout=300,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return ended.returncode, ended.stdout

    def env(self):
        code, text = self.up("env")
        assert code == 0
        return dict(re.fullmatch(r"(\w+)='(.*)'", line).groups() for line in text.splitlines())

    def pids(self):
        return dict(entry.split("=") for entry in self.env()["PIDS"].split())

    def processes(self):
        """The command lines of all that lives in this deployment's folder, or was started from it."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                where = os.readlink(process / "cwd")
            except OSError:
                continue  # it has gone
            if str(self.root) in command or where.startswith(str(self.root)):
                found.append(command)
        return found


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    deployment = Deployment(tmp_path_factory.mktemp("a path with spaces"))
    try:
        code, text = deployment.up()
        assert code == 0 and text == ""  # progress goes to standard error
        yield deployment
    finally:
        deployment.up("reset")


def test_env_prints_assignments_only(deployment):
    env = deployment.env()
    assert set(env) == NAMES
    assert env["DEMO_PROVIDER"] == "file"
    assert env["DEMO_CREDENTIAL"].count(":") == env["DEMO_CREDENTIAL_2"].count(":") == 1
    assert set(deployment.pids()) == {"gateway-1", "sync-agent-1", "sync-agent-2", "auth-agent-1",
                                      "rabbitmq", "redis"}


def test_the_pids_are_those_of_the_programs_themselves(deployment):
    names = {name: Path(f"/proc/{pid}/comm").read_text().strip()
             for name, pid in deployment.pids().items()}
    assert names["redis"] == "redis-server" and names["rabbitmq"] == "beam.smp"
    assert names["gateway-1"].startswith("activestack-gat")


def test_both_demo_users_can_log_in(deployment):
    env = deployment.env()
    for credential in (env["DEMO_CREDENTIAL"], env["DEMO_CREDENTIAL_2"]):
        with Client(env["ACTIVESTACK_URLS"].split()[0]) as client:
            client.connect().login(env["DEMO_PROVIDER"], credential)


def test_the_processes_of_the_example_can_be_run(deployment):
    env = deployment.env()
    with Client(env["ACTIVESTACK_URLS"].split()[0]) as client:
        client.connect().login(env["DEMO_PROVIDER"], env["DEMO_CREDENTIAL"])
        answer = client.request("runProcess", queryName="exportCsv", queryArguments={
            "theObject": {"cn": "com.app.mo.Group"}, "columns": ["name"]})
        assert answer["result"].splitlines()[0] == "name"


def test_the_operators_tool_needs_no_environment(deployment):
    tool = deployment.env()["ACTIVESTACK_CTL"]
    ended = subprocess.run([tool, "check-config", "--live"], env={}, cwd="/", text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (ended.returncode, ended.stdout) == (0, "ok\n")


def test_what_runs_is_scaled_and_the_rest_stays(deployment):
    before = deployment.pids()
    assert deployment.up("--gateways", "2", "--sync-agents", "1")[0] == 0
    grown = deployment.pids()
    assert set(grown) == set(before) - {"sync-agent-2"} | {"gateway-2"}
    assert all(grown[name] == before[name] for name in set(grown) & set(before))
    assert len(deployment.env()["ACTIVESTACK_URLS"].split()) == 2

    assert deployment.up("--gateways", "1")[0] == 0
    assert set(deployment.pids()) == set(before) - {"sync-agent-2"}


@pytest.mark.parametrize("name", ["gateway-1", "sync-agent-1", "auth-agent-1", "redis", "rabbitmq"])
def test_what_is_killed_is_started_again(deployment, name):
    pid = deployment.pids()[name]
    os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: deployment.pids()[name] not in ("", pid), 30, f"{name} is started again")


def test_data_outlive_a_stop_and_nothing_else_does(deployment):
    env = deployment.env()
    assert deployment.up()[0] == 0  # all are ready again after what was killed
    with Client(env["ACTIVESTACK_URLS"].split()[0]) as client:
        client.connect().login(env["DEMO_PROVIDER"], env["DEMO_CREDENTIAL"])
        client.request("createObject", theObject={"cn": TASK, "ID": "kept", "title": "Still here"})

    assert deployment.up("stop")[0] == 0
    wait_until(lambda: not deployment.processes(), 5, "no process is left")
    assert deployment.up("env") == (1, "")
    assert deployment.up("stop")[0] == 0

    assert deployment.up()[0] == 0
    env = deployment.env()
    with Client(env["ACTIVESTACK_URLS"].split()[0]) as client:
        client.connect().login(env["DEMO_PROVIDER"], env["DEMO_CREDENTIAL"])
        found = client.request("findById", theClassName=TASK, theClassId="kept")
        assert found["result"]["title"] == "Still here"


def test_a_shell_can_read_the_assignments(deployment):
    text = deployment.up("env")[1]
    ended = subprocess.run(["bash", "-c", f"{text}\n" 'printf %s "$ACTIVESTACK_CTL"'], text=True,
                           stdout=subprocess.PIPE, check=True)
    assert ended.stdout == str(deployment.root / "build/up/activestack-ctl")
    assert len(shlex.split(text)) == len(NAMES)
