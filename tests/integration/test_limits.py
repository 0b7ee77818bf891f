"""Deadlines, back ends that are not there, clients that read too slowly (design section 1, 5 to 7)."""

import time
import uuid

import pytest
from client import Client
from servers import wait_until
from shapes import assert_error
from store import stored_object

TASK, NOTE = "com.app.mo.Task", "com.app.mo.Note"


@pytest.fixture
def logged_in():
    """Logs in on a stack of the test's own, where that may take longer than a request may."""
    clients = []

    def log_in(stack):
        clients.append(Client(stack.gateways[0].url).connect())
        clients[-1].login("file", stack.credential("ada"))
        return clients[-1]

    def make(stack):
        return wait_until(lambda: log_in(stack), 30, "a login in time")

    yield make
    for client in clients:
        client.close()


def test_a_request_without_an_answer_in_time_is_told_so(new_stack, logged_in, new_id):
    stack = new_stack(settings={"gateway.request_timeout_ms": 700})
    client, agent, task = logged_in(stack), stack.sync_agents[0], new_id("task")
    read = {"theClassName": TASK, "theClassId": task}
    write = {"messageId": str(uuid.uuid4()), "theObject": {"cn": TASK, "ID": task, "title": "x"}}

    agent.pause()
    began = time.monotonic()
    reading = client.send_request("findById", **read)
    writing = client.send_request("createObject", **write)
    for message in (reading, writing):
        assert_error(client.response_to(message), "-116")
    assert 0.6 < time.monotonic() - began < 25, "not after the default, which is 30 s"
    agent.resume()

    def answered(operation, **members):
        return wait_until(lambda: answer_in_time(client, operation, **members), 30, "an answer in time")

    # The outcome of the write was unknown; the same messageId asks again and gets its result.
    again = answered("createObject", **write)
    assert again["result"] is True and again["theObject"]["title"] == "x"
    assert answered("findById", **read)["result"]["title"] == "x"
    client.expect_nothing(lambda f: f.get("correspondingMessageId") == reading, 0.2)


def answer_in_time(client, operation, **members):
    """None where there was none."""
    answer = client.request(operation, **members)
    return answer if answer.get("errorCode") != "-116" else None


def test_what_a_process_may_have_to_answer_has_more_time(new_stack, logged_in):
    stack = new_stack(settings={"gateway.request_timeout_ms": 200,
                                "gateway.process_timeout_ms": 3000})
    client, agent = logged_in(stack), stack.sync_agents[0]
    agent.pause()
    began = time.monotonic()
    slow = [client.send_request(operation, queryName="p")
            for operation in ("runProcess", "runServerProcess")]
    read = client.send_request("findById", theClassName=TASK, theClassId="t")
    assert_error(client.response_to(read), "-116")
    client.expect_nothing(lambda f: f.get("correspondingMessageId") in slow, 0.5)
    for message in slow:
        assert_error(client.response_to(message), "-116")
    assert time.monotonic() - began > 2.9
    agent.resume()


def test_a_write_that_was_accepted_is_carried_out_even_after_its_deadline(new_stack, logged_in,
                                                                         new_id):
    stack = new_stack(settings={"gateway.request_timeout_ms": 300})
    client, agent, task = logged_in(stack), stack.sync_agents[0], new_id("task")
    agent.pause()
    message = client.send_request("createObject", sendAck=True, theObject={"cn": TASK, "ID": task})
    client.expect_ack(message)
    assert_error(client.response_to(message), "-116")
    agent.resume()
    wait_until(lambda: stored_object(stack.redis(), f"{TASK}:{task}") is not None, 10,
               "what was acknowledged is carried out")


def test_where_no_agent_has_ever_run_the_back_end_is_away(new_stack):
    stack = new_stack(sync_agents=0, auth_agents=0)
    with Client(stack.gateways[0].url) as client:
        client.connect()
        response = client.request("authenticate", authProvider="file", credential="a:b")
        assert_error(response, "-119")
        assert client.closed is None


def test_who_reads_too_slowly_loses_the_connection_and_costs_nobody_else(new_stack, logged_in,
                                                                        new_id):
    stack = new_stack(settings={"gateway.max_send_bytes": 2_000_000})
    gateway = stack.gateways[0]
    slow, quick, note = logged_in(stack), logged_in(stack), new_id("note")
    quick.request("createObject", theObject={"cn": NOTE, "ID": note, "body": "x" * 900_000})
    for _ in range(60):
        slow.send_request("findById", theClassName=NOTE, theClassId=note)
    wait_until(lambda: gateway.figure("replies_total") >= 60, 30, "all replies have come to the gateway")
    assert quick.request("findById", theClassName=TASK, theClassId="none")["result"] is None
    assert slow.expect_close().code == 4003
    assert len(slow.inbox) < 60
