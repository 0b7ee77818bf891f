"""Sync agents and gateways die while calls of processes are under way (common/base/fault.h names the
points); the client is answered all the same, and a worker that heeds the key runs the call once."""

import threading

import pytest
from client import Client
from processes import ask, assert_failed, assert_result, echo, run
from servers import wait_until
from shapes import assert_error
from stack import Stack
from workers import Refused, Worker

DECLARED = {
    "processes": {
        "patient": {"run": "signedIn", "deadlineMs": 60000},
        "hasty": {"run": "signedIn", "deadlineMs": 1500, "actsForCaller": True},
    },
    "serviceGroups": {"reports": {"run": "signedIn"}},
}


@pytest.fixture(scope="module")
def shared_mortal_stack(servers):
    with Stack(servers, gateways=2, sync_agents=1, processes=DECLARED, settings={
            "process.presence_ms": 0, "sync.job_lease_ms": 1000}) as stack:
        yield stack


@pytest.fixture
def mortal_stack(shared_mortal_stack):
    yield shared_mortal_stack
    shared_mortal_stack.check()


@pytest.fixture
def agent(mortal_stack):
    """The only one; whatever becomes of it, it runs again afterwards."""
    agent = mortal_stack.sync_agents[0]
    yield agent
    if agent.process.poll() is not None:
        agent.start()


@pytest.fixture
def client(mortal_stack, agent, connect):
    return connect(mortal_stack.gateways[0], "ada")


def die_at(agent, fault):
    agent.stop()
    agent.start(fault=fault)


def nothing_is_left(stack):
    redis = stack.redis()
    wait_until(lambda: redis.zcard("processes") == 0, 20, "no call is looked at any more")
    wait_until(lambda: not list(redis.scan_iter("{s:*}:pu")), 20, "no call is under way")


def keys(worker):
    return {call.properties.message_id for call in worker.calls}


@pytest.mark.parametrize("fault", [
    "after-call-begun", "after-call-published", "after-call-ended", "after-call-told"])
def test_a_call_is_answered_although_the_agent_dies(mortal_stack, agent, client, fault):
    die_at(agent, fault)
    with Worker(mortal_stack, "patient", echo) as worker:
        message = ask(client, "patient", fault)
        agent.expect_death()
        agent.start()
        assert_result(client.response_to(message), fault)
        assert_result(run(client, "patient", fault, messageId=message), fault)
        assert len(keys(worker)) == 1
    nothing_is_left(mortal_stack)


def test_an_agent_dies_between_its_stored_call_and_a_repeated_request(mortal_stack, agent, client):
    """Whoever asks meanwhile waits for the same call."""
    die_at(agent, "after-call-begun")
    with Worker(mortal_stack, "patient", echo) as worker:
        message = ask(client, "patient", 1)
        agent.expect_death()
        ask(client, "patient", 1, messageId=message)
        agent.start()
        for _ in range(2):
            assert_result(client.response_to(message), 1)
        assert len(keys(worker)) == 1
    nothing_is_left(mortal_stack)


@pytest.mark.parametrize("fault", ["after-call-ended", "after-call-told"])
def test_a_deadline_is_told_although_the_agent_dies(mortal_stack, agent, client, fault):
    go_on = threading.Event()
    die_at(agent, fault)
    with Worker(mortal_stack, "hasty", lambda call: (go_on.wait(60), echo(call))):
        message = ask(client, "hasty")
        agent.expect_death()
        agent.start()
        assert_error(client.response_to(message), "-116")
        go_on.set()
    nothing_is_left(mortal_stack)
    redis = mortal_stack.redis()
    wait_until(lambda: not [k for k in redis.scan_iter("{s:*}")
                            if redis.type(k) == "hash" and redis.hget(k, "dialect") == "process"
                            and not redis.hexists(k, "ended")], 20, "nobody acts for the caller any more")


@pytest.mark.parametrize("fault", ["after-call-ended", "after-call-told"])
def test_a_refusal_of_a_worker_is_told_although_the_agent_dies(mortal_stack, agent, client, fault):
    def serve(call):
        raise Refused

    die_at(agent, fault)
    with Worker(mortal_stack, "patient", serve):
        message = ask(client, "patient")
        agent.expect_death()
        agent.start()
        assert_failed(client.response_to(message), "patient", "refused")
    nothing_is_left(mortal_stack)


@pytest.mark.parametrize("fault", [
    "after-call-begun", "after-call-published", "after-call-ended", "after-call-told"])
def test_a_sharded_call_is_answered_although_the_agent_dies(mortal_stack, agent, client, fault):
    die_at(agent, fault)
    message = client.send_request("runProcess", shardedProcess=True, serviceGroupId="reports")
    agent.expect_death()
    agent.start()
    assert_result(client.response_to(message), None)
    nothing_is_left(mortal_stack)


def test_a_worker_answers_while_no_agent_runs(mortal_stack, agent, client):
    go_on = threading.Event()
    with Worker(mortal_stack, "patient", lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, "patient", 3)
        worker.wait_calls(1)
        agent.kill()
        go_on.set()
        agent.start()
        assert_result(client.response_to(message), 3)


@pytest.mark.parametrize("ensure", [False, True])
def test_the_gateway_of_the_client_dies(mortal_stack, agent, ensure):
    """The client comes back elsewhere, under a fresh id, and hears the answer there."""
    go_on = threading.Event()
    first, second = mortal_stack.gateways
    with Client(first.url) as client, Worker(
            mortal_stack, "patient", lambda call: (go_on.wait(60), echo(call))) as worker:
        client.connect(ensureMessageDelivery=ensure)
        client.login("file", mortal_stack.credential("ada"))
        message = ask(client, "patient", 4)
        worker.wait_calls(1)
        first.kill()
        with Client(second.url) as returned:
            returned.send({"reconnect": {"lastSessionId": "x", "reconnectId": client.session,
                                         "ensureMessageDelivery": ensure}})
            returned.expect_connect_response()
            go_on.set()
            response = returned.response_to(message)
            assert_result(response, 4)
            assert response["clientId"] == returned.client_id != client.client_id
        first.start()
    assert len(worker.calls) == 1


def test_the_gateway_dies_and_nobody_comes_back_before_the_answer(mortal_stack, agent):
    first, second = mortal_stack.gateways
    redis = mortal_stack.redis()
    go_on = threading.Event()
    with Client(first.url) as client, Worker(
            mortal_stack, "patient", lambda call: (go_on.wait(60), echo(call))) as worker:
        client.connect()
        client.login("file", mortal_stack.credential("ada"))
        message = ask(client, "patient", 4)
        worker.wait_calls(1)
        first.kill()
        go_on.set()
        (call,) = {c.properties.correlation_id for c in worker.calls}
        wait_until(lambda: redis.hexists("{p:" + call + "}", "by"), 20, "the call has ended")
        with Client(second.url) as returned:
            returned.send({"reconnect": {"lastSessionId": "x", "reconnectId": client.session}})
            returned.expect_connect_response()
            assert_result(run(returned, "patient", 4, messageId=message), 4)
        first.start()
    assert len(worker.calls) == 1
