"""runProcess: workers of processes, from the client's request to its answer."""

import json
import uuid

import pytest
from client import SYNC
from stack import Stack
from workers import Worker

PROCESSES = {
    "processes": {
        "greet": {"run": "signedIn", "deadlineMs": 20000},
    },
}


@pytest.fixture(scope="module")
def shared_process_stack(servers):
    file = servers.folder / "processes.json"
    file.write_text(json.dumps(PROCESSES))
    with Stack(servers, gateways=2, sync_agents=2, settings={"process.file": file}) as stack:
        yield stack


@pytest.fixture
def process_stack(shared_process_stack):
    yield shared_process_stack
    shared_process_stack.check()


def run(client, name, arguments=None, **members):
    return client.request("runProcess", queryName=name, queryArguments=arguments, **members)


def test_a_worker_answers(process_stack, connect):
    client = connect(process_stack.gateways[0], "ada")
    with Worker(process_stack, "greet", lambda call: call.reply({"hello": call.arguments})):
        answer = run(client, "greet", ["world", 2**53 + 1])
    assert answer["cn"] == SYNC + "RunProcessResponse"
    assert answer["result"] == {"hello": ["world", 2**53 + 1]}
