"""The example workers and the service (deploy/example/workers), run as their users run them."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from asking import create, find
from servers import ROOT, spawn, wait_until
from shapes import assert_error
from stack import BUILD, PASSWORD, Stack
from store import now_ms

TASK = "com.app.mo.Task"
WORKERS = ROOT / "deploy/example/workers"
PROCESSES = {"processes": {
    "greet": {"run": "signedIn", "deadlineMs": 20000},
    "estimate": {"run": "signedIn", "deadlineMs": 20000},
    "finishTasks": {"run": "signedIn", "deadlineMs": 20000, "actsForCaller": True}}}


@pytest.fixture(scope="module")
def workers_stack(servers, tmp_path_factory):
    file = tmp_path_factory.mktemp("workers") / "processes.json"
    file.write_text(json.dumps(PROCESSES))
    with Stack(servers, gateways=1, sync_agents=2, settings={"process.file": file}) as stack:
        yield stack


@pytest.fixture
def ada(workers_stack, connect):
    return connect(workers_stack.gateways[0], "ada")


@pytest.fixture
def start(workers_stack):
    """Starts a worker's program; returns when it consumes its queue."""
    programs = []

    def start(process, *command):
        log = workers_stack.folder / f"worker-{process}.log"
        programs.append(spawn(command, log, env={
            **os.environ, "AMQP_URL": workers_stack.amqp_url_of("worker")}))
        wait_until(lambda: consumers(workers_stack, process) == len(programs), 30,
                   f"the worker consumes; {log}")
        return programs[-1]

    yield start
    for program in programs:
        program.kill()
        program.wait()


def consumers(stack, process):
    with stack.amqp() as connection:
        queue = connection.channel().queue_declare(f"process.{process}", passive=True)
        return queue.method.consumer_count


def run(client, process, arguments, **members):
    return client.request("runProcess", queryName=process, queryArguments=arguments, **members)


def test_the_worker_in_c(ada, start):
    start("greet", BUILD / "deploy/example/workers/greet")
    assert run(ada, "greet", {"name": "Ada", "language": "fr"})["result"] == "Bonjour, Ada"
    assert run(ada, "greet", {"name": "Ada"})["result"] == "Hello, Ada"
    assert run(ada, "greet", {"name": "é" * 2000})["result"] == "Hello, " + "é" * 2000
    assert_error(run(ada, "greet", {"name": "Ada", "language": "xx"}), "-101", "language: expected")
    assert_error(run(ada, "greet", None), "-101", "name: expected a string")


def test_the_worker_in_nodejs(ada, start, tmp_path):
    for file in ("estimate.js", "package.json"):
        shutil.copy(WORKERS / file, tmp_path)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=tmp_path, check=True,
                   stdout=subprocess.DEVNULL)
    start("estimate", "node", tmp_path / "estimate.js")
    items = [{"price": 2.5, "count": 4}, {"price": 1, "count": 2}]
    assert run(ada, "estimate", {"items": items})["result"] == {"total": 12}
    assert run(ada, "estimate", {"items": items, "discount": 0.5})["result"] == {"total": 6}
    assert_error(run(ada, "estimate", {"items": 5}), "-101", "expected")
    assert_error(run(ada, "estimate", {"items": items, "discount": "half"}), "-101", "discount: expected")


def test_the_worker_in_python_acts_for_its_caller(ada, start, new_id):
    start("finishTasks", sys.executable, WORKERS / "finish_tasks.py")
    one, missing = new_id("task"), new_id("task")
    create(ada, TASK, one, title="open")
    message = ada.send_request("runProcess", queryName="finishTasks", progress=True,
                               queryArguments={"tasks": [one, missing]})
    ada.expect(lambda f: f.get("progress") == {"done": 1, "of": 2}, "the progress")
    assert ada.response_to(message)["result"] == {"finished": 1, "missing": [missing]}
    ada.expect_update(one, done=True)  # whoever called is told what was done in their name
    assert find(ada, TASK, one)["done"] is True
    assert_error(run(ada, "finishTasks", [one]), "-101", "tasks")


def test_a_worker_that_was_killed_leaves_its_call_to_the_next(ada, start, new_id):
    one = new_id("task")
    create(ada, TASK, one)
    first = start("finishTasks", sys.executable, WORKERS / "finish_tasks.py")
    os.kill(first.pid, 19)  # it takes the call, and does nothing
    message = ada.send_request("runProcess", queryName="finishTasks", queryArguments={"tasks": [one]})
    start("finishTasks", sys.executable, WORKERS / "finish_tasks.py")
    first.kill()
    assert ada.response_to(message)["result"] == {"finished": 1, "missing": []}


def test_the_service(workers_stack, ada, new_id):
    late, done = new_id("task"), new_id("task")
    create(ada, TASK, late, due=now_ms() - 1000, priority=3)
    create(ada, TASK, done, due=now_ms() - 1000, priority=3, done=True)
    output = subprocess.run(
        [sys.executable, WORKERS / "escalate.py"], check=True, text=True, stdout=subprocess.PIPE,
        env={**os.environ, "AMQP_URL": workers_stack.amqp_url_of("worker"),
             "SERVICE_CREDENTIAL": f"emil@example.org:{PASSWORD}"}).stdout
    assert "tasks escalated" in output
    ada.expect_update(late, priority=1)
    assert find(ada, TASK, done)["priority"] == 3
