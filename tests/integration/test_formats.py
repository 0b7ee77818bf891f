"""Messages and jobs of other formats: the previous one is read, an unknown one is refused aloud.

common/protocol/format.h says which there are.
"""

import json
import uuid

import pika
import pytest
from by_hand import Operator, dead_letters
from client import SYNC
from servers import wait_until
from shapes import assert_error
from store import session_key, session_of, stored_object

TASK = "com.app.mo.Task"
READ = [{"v": 1}, {"v": 0}, {}, None]
UNKNOWN = [2, 7, 2**32 + 1]


@pytest.fixture
def operator(stack):
    with Operator(stack) as operator:
        yield operator


def put(client, item, title):
    return {"cn": SYNC + "PutRequest", "clientId": client.client_id, "userId": client.user_id,
            "messageId": uuid.uuid4().hex, "theObject": {"cn": TASK, "ID": item, "title": title}}


@pytest.fixture
def client(stack, connect):
    return connect(stack.gateways[0], "ada")


@pytest.fixture
def task(client, new_id):
    item = new_id("task")
    client.request("createObject", theObject={"cn": TASK, "ID": item, "title": "made"})
    return item


@pytest.mark.parametrize("headers", READ)
def test_requests_of_formats_that_are_known_are_carried_out(stack, operator, client, task, headers):
    answer = operator.ask("putObject", put(client, task, "changed"), headers=headers, delivery_mode=2)
    assert answer["result"] is True
    assert json.loads(stored_object(stack.redis(), f"{TASK}:{task}")["title"]) == "changed"


@pytest.mark.parametrize("number", UNKNOWN)
def test_a_write_of_an_unknown_format_is_refused_and_becomes_a_dead_letter(stack, operator, client, task,
                                                                           number):
    dead_letters(stack)
    request = put(client, task, "changed")
    answer = operator.ask("putObject", request, headers={"v": number, "client": client.client_id},
                          message_id=request["messageId"], delivery_mode=2)
    assert_error(answer, "-119", "unknown format")
    assert json.loads(stored_object(stack.redis(), f"{TASK}:{task}")["title"]) == "made"
    (properties, body), = dead_letters(stack)
    known = min(number, 2**32 - 1)
    assert (properties.type or "putObject", json.loads(body)) == ("putObject", request)
    assert properties.headers["reason"] == f"unknown format {known}"
    assert properties.headers["v"] == known, "what is published again says so, too"


def test_a_read_of_an_unknown_format_is_refused_and_forgotten(stack, operator, client, task):
    dead_letters(stack)
    answer = operator.ask("findById", {"cn": SYNC + "FindByIdRequest", "theClassName": TASK,
                                       "theClassId": task}, headers={"v": 2, "client": client.client_id})
    assert_error(answer, "-119", "unknown format 2")
    assert dead_letters(stack) == []


def test_a_sealed_login_of_an_unknown_format_is_refused_in_clear(operator):
    answer = operator.ask("authenticate", "rubbish", content_encoding="xchacha20-poly1305",
                          headers={"v": 2, "client": "c"})
    assert_error(answer, "-119", "unknown format 2")


def publish(stack, queue, *messages):
    with stack.amqp() as connection:
        channel = connection.channel()
        for properties in messages:
            channel.basic_publish("", queue, b'{"groups":[]}', pika.BasicProperties(**properties))


def test_a_gateway_refuses_messages_of_an_unknown_format_and_counts_them(stack, client, task):
    redis, gateway = stack.redis(), stack.gateways[0]
    queue = redis.hget(session_key(session_of(redis, client.client_id)), "gw")
    seen = gateway.figure("messages_of_unknown_format_total")
    close = {"client": client.client_id, "reason": "close", "code": 4002}
    publish(stack, queue, *[{"type": kind, "headers": {"v": 2, **close}} for kind in ("control", "push", "again")])
    wait_until(lambda: gateway.figure("messages_of_unknown_format_total") == seen + 3, 10, "they are counted")
    answer = client.request("findById", theClassName=TASK, theClassId=task)
    assert answer["result"]["ID"] == task, "nobody's socket was closed"


def test_a_reply_of_an_unknown_format_fails_its_request_at_once(stack, client):
    """It is answered by hand, in the name of an agent, whatever its number is; they count from 1."""
    redis = stack.redis()
    queue = redis.hget(session_key(session_of(redis, client.client_id)), "gw")
    most = 2000 + 2 * stack.gateways[0].figure("requests_total")
    for agent in stack.sync_agents:
        agent.pause()
    try:
        message = client.send_request("findById", theClassName=TASK, theClassId="nothing")
        publish(stack, queue, *[{"type": "reply", "correlation_id": str(number), "headers": {"v": 2}}
                                for number in range(1, most + 1)])
        assert_error(client.response_to(message), "-119", "format")
    finally:
        for agent in stack.sync_agents:
            agent.resume()


def test_a_job_of_an_unknown_format_waits_for_an_agent_that_knows_it(stack, client, new_id):
    redis, job = stack.redis(), f"test-{uuid.uuid4().hex}"
    redis.hset(f"{{j:{job}}}", mapping={"type": "gateway", "gateway": "gateway.none", "v": 2})
    redis.zadd("jobs", {job: 0})
    wait_until(lambda: any(f"job.format job={job}" in agent.log_text() for agent in stack.sync_agents), 10,
               "an agent has told of it")
    assert redis.zscore("jobs", job), "it is still there"
    redis.hdel(f"{{j:{job}}}", "v")
    redis.zadd("jobs", {job: 0})
    wait_until(lambda: redis.zscore("jobs", job) is None, 10, "it is done")
