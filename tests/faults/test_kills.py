"""SIGKILL to each of the processes in the middle of writes (design section 1, promises 3 and 5).

What a client has an ack or an answer for is there afterwards; each request gets exactly one answer.
"""

import json
import time

import pytest
from in_flight import InFlight
from servers import wait_until
from shapes import assert_error
from stack import Stack, slow
from store import assert_books_balance, stored_object

TASK = "com.app.mo.Task"
# A client here answers pings only when it reads, which it does not while servers come back.
SETTINGS = {"sync.job_lease_ms": 1000, "sync.redelivery_first_ms": 500,
            "gateway.ping_timeout_ms": 300_000}


@pytest.fixture(scope="module")
def whole_stack(servers):
    stack = Stack(servers, gateways=2, sync_agents=3, settings=SETTINGS)
    stack.gateways[1].environment["ACTIVESTACK_GATEWAY_MAX_BROKER_OUTAGE_MS"] = "1000"
    with stack:
        yield stack


@pytest.fixture
def writers(whole_stack, connect):
    """A client on each gateway."""
    yield [InFlight(connect(gateway, user))
           for gateway, user in zip(whole_stack.gateways, ("ada", "ben"))]
    whole_stack.check()


def assert_nothing_lost(stack, writers):
    redis = stack.redis()
    for writer in writers:
        writer.assert_each_answered_once()
        writer.assert_promises_kept(redis)
        assert writer.client.closed is None
    wait_until(lambda: redis.zcard("jobs") == 0, 30, "all jobs are done")
    assert_books_balance(redis)


def test_an_agent_dies_with_requests_in_flight(whole_stack, writers):
    for writer in writers:
        writer.create(200)
    victim = whole_stack.sync_agents[0]
    writers[0].wait_for(lambda: writers[0].answers, 20, "the first answer")
    victim.kill()
    for writer in writers:
        writer.wait_for_answers()
        assert all(frames[0]["result"] is True for frames in writer.answers.values())
    victim.start()
    assert_nothing_lost(whole_stack, writers)


def test_a_watcher_hears_the_newest_of_everything_although_agents_die(whole_stack, connect, new_id):
    writer = connect(whole_stack.gateways[0], "ada")
    reader = connect(whole_stack.gateways[1], "ben")
    tasks = [new_id("task") for _ in range(20)]
    for task in tasks:
        writer.request("createObject", theObject={"cn": TASK, "ID": task, "priority": 0})
        reader.request("findById", theClassName=TASK, theClassId=task)
    reader.acknowledge((TASK, tasks[0]))  # a session that sends receipts is repeated to
    messages = []
    for priority in range(1, 6):
        for task in tasks:
            messages.append(writer.send_request(
                "putObject", theObject={"cn": TASK, "ID": task, "priority": priority}))
        if priority in (2, 4):
            whole_stack.sync_agents[priority // 2].restart()
    for message in messages:
        assert "result" in writer.response_to(message)  # false where one has overtaken another
    redis = whole_stack.redis()
    newest = {task: json.loads(stored_object(redis, f"{TASK}:{task}")["priority"]) for task in tasks}
    known = {}
    while known != newest:
        push = reader.expect_push(lambda f: "objectList" in f, f"all of {newest}, not {known}")
        known.update((o["ID"], o["priority"]) for o in push["objectList"])
        reader.send_request("updatesReceived", classIdPairs=[
            {"className": TASK, "ID": o["ID"]} for o in push["objectList"]])


def test_a_gateway_dies_with_requests_in_flight(whole_stack, writers):
    doomed, other = writers
    doomed.create(200)
    other.create(50)
    doomed.wait_for(lambda: len(doomed.acks) >= 20, 20, "the first acks")
    whole_stack.gateways[0].kill()
    wait_until(lambda: doomed.read(0.2) or doomed.client.closed, 20, "it hears of that")
    other.wait_for_answers()
    doomed.assert_promises_kept(whole_stack.redis())
    assert len(doomed.promised()) >= 20
    whole_stack.gateways[0].start()
    assert_nothing_lost(whole_stack, [other])


def test_redis_dies_with_requests_in_flight(whole_stack, writers):
    redis = whole_stack.servers.redis
    for writer in writers:
        writer.create(100)
    writers[0].wait_for(lambda: writers[0].answers, 20, "the first answer")
    redis.kill()
    for writer in writers:
        writer.create(50)
        writer.read(0.2)
    redis.start()
    for writer in writers:
        writer.wait_for_answers()
    assert_nothing_lost(whole_stack, writers)
    assert all(frames[0].get("result") for frames in writers[0].answers.values())


def test_rabbitmq_dies_with_requests_in_flight(whole_stack, writers):
    """The first gateway lets requests wait for the broker, the second not for long."""
    rabbitmq = whole_stack.servers.rabbitmq
    patient, impatient = writers
    for writer in writers:
        writer.create(100)
    patient.wait_for(lambda: patient.answers, 20, "the first answer")
    rabbitmq.kill()
    spent = sum(process.cpu_seconds() for process in whole_stack.processes)

    for gateway in whole_stack.gateways:
        wait_until(lambda: gateway.http("/readyz")[0] == 503, 20, "the gateway is not ready")
        assert "broker" in gateway.http("/readyz")[1], "it names what is missing"
        assert gateway.http("/healthz")[0] == 200, "it is alive all the same"
    patient.create(50)
    refused = impatient.create(50)
    impatient.wait_for(lambda: set(refused) <= set(impatient.answers), 20, "it waits no longer")
    for message in refused:
        assert_error(impatient.answers[message][0], "-119")
    assert_error(impatient.client.request("findById", theClassName=TASK, theClassId="x"), "-119")

    began = time.monotonic()
    rabbitmq.start()
    spent = sum(process.cpu_seconds() for process in whole_stack.processes) - spent
    assert slow() or spent < 0.3 * (time.monotonic() - began) + 1, "nobody is busy meanwhile"
    for gateway in whole_stack.gateways:
        wait_until(lambda: gateway.http("/readyz")[0] == 200, 60, "the gateway is ready again")
    for writer in writers:
        writer.wait_for_answers()
    assert_nothing_lost(whole_stack, writers)
    assert all(frames[0].get("result") for frames in patient.answers.values())
    for writer in writers:
        writer.create(1)
        writer.wait_for_answers()
        writer.assert_each_answered_once()
