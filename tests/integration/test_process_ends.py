"""How calls of processes end without an answer in time: slow workers, workers that die, sessions that end,
clients that are elsewhere by then."""

import json
import threading

import pika
import pytest
from by_hand import dead_letters
from client import SYNC, Client
from processes import (
    ask, assert_failed, assert_result, calls_under_way, echo, is_result, run, wait_dropped)
from servers import wait_until
from shapes import assert_error
from store import session_key, session_of
from workers import Refused, Worker


@pytest.fixture
def stack(process_stack):
    return process_stack


@pytest.fixture
def client(stack, connect):
    return connect(stack.gateways[0], "ada")


# ---- Workers that are slow, and die

def test_a_slow_worker_is_too_late(stack, client):
    go_on = threading.Event()
    with Worker(stack, "brief", lambda call: (go_on.wait(60), call.reply("late"))) as worker:
        message = ask(client, "brief")
        assert_error(client.response_to(message), "-116", "Unable to run process brief")
        go_on.set()
        wait_dropped(stack, worker.calls[0].properties.correlation_id, "late")
        assert_error(run(client, "brief", messageId=message), "-116")  # as it was answered
    assert stack.redis().zcard("processes") == 0
    client.expect_nothing(lambda f: f.get("correspondingMessageId") == message, 0.05)


def test_a_call_that_nobody_takes_in_time_expires(stack, client):
    go_on = threading.Event()
    with Worker(stack, "brief", lambda call: (go_on.wait(60), echo(call))) as worker:
        messages = [ask(client, "brief", i) for i in range(2)]
        for message in messages:
            assert_error(client.response_to(message), "-116")
        go_on.set()
    assert len(worker.calls) == 1  # the other was not there any more


def test_the_shortest_deadline(stack, client):
    with Worker(stack, "instant", echo):
        response = run(client, "instant", 1)
    if response["cn"] != SYNC + "RunProcessResponse":
        assert_error(response, "-116")


def test_a_call_of_a_dead_worker_comes_again(stack, client, process):
    def serve(call):
        if not call.redelivered:
            call.die()
        echo(call)

    with Worker(stack, process, serve) as worker:
        assert_result(run(client, process, 7), 7)
    first, second = worker.calls
    assert not first.redelivered and second.redelivered
    assert first.properties.message_id == second.properties.message_id
    assert first.properties.correlation_id == second.properties.correlation_id


def wait_letter(stack, process):
    found = []

    def seen():
        found.extend(letter for letter in dead_letters(stack) if letter[0].type == process)
        return found

    wait_until(seen, 10, f"a dead letter of {process}")
    return found[0]


def test_a_call_that_its_workers_die_of_is_given_up(stack, client, process):
    with Worker(stack, process, lambda call: call.die()) as worker:
        assert_failed(run(client, process, ["poison"]), process, "its workers have died of it")
        properties, body = wait_letter(stack, process)
    assert len(worker.calls) == 6  # once, and five times again: delivery-limit in definitions.json
    assert json.loads(body) == ["poison"]
    assert properties.headers["reason"] == "delivery_limit"
    assert properties.headers["user"] == client.user_id
    assert properties.correlation_id == worker.calls[0].properties.correlation_id


def test_a_call_that_its_worker_refuses_is_given_up(stack, client, process):
    def serve(call):
        raise Refused

    with Worker(stack, process, serve) as worker:
        assert_failed(run(client, process), process, "its worker has refused it")
        assert wait_letter(stack, process)[0].headers["reason"] == "rejected"
    assert len(worker.calls) == 1


@pytest.mark.parametrize("correlation_id", [None, "unknown"])
def test_what_was_given_up_of_no_call_is_kept_for_whoever_looks(stack, process, correlation_id):
    """Published by hand, for no reason that a broker has."""
    with stack.amqp() as connection:
        connection.channel().basic_publish("", "processFailed", b"\xff", pika.BasicProperties(
            type=process, correlation_id=correlation_id))
    properties, body = wait_letter(stack, process)
    assert (body, properties.correlation_id) == (b"\xff", correlation_id)


# ---- The end of a session

def test_the_calls_of_a_session_end_with_it(stack, client, process):
    redis, go_on = stack.redis(), threading.Event()
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))) as worker:
        sid = session_of(redis, client.client_id)
        ask(client, process)
        worker.wait_calls(1)
        (call,) = calls_under_way(stack, client)
        client.send_request("logout", pleaseDestroyClient=True)
        wait_until(lambda: not redis.exists(f"{{p:{call}}}", f"{{p:{call}}}:a"), 20, "the call is gone")
        go_on.set()
    assert redis.zscore("processes", call) is None
    assert not list(redis.scan_iter(f"{{s:{sid}}}:p*"))
    wait_dropped(stack, call, "unknown")


# ---- Clients that are elsewhere by then

@pytest.fixture
def come_back(stack):
    """come_back(client, gateway): the client's session on a connection of another client id."""
    clients = []

    def make(client, gateway, ensure=False):
        clients.append(Client(gateway.url))
        clients[-1].send({"reconnect": {"lastSessionId": "x", "reconnectId": client.session,
                                        "ensureMessageDelivery": ensure}})
        clients[-1].expect_connect_response()
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def connected(stack, connect, ensure):
    """A client; `ensure`: whose replies are said again until it has confirmed them."""
    client = connect(stack.gateways[0])
    client.open(stack.gateways[0].url)
    client.connect(ensureMessageDelivery=ensure)
    client.login("file", stack.credential("ada"))
    return client


def vanish(stack, client):
    """The connection is lost, and the agents know it."""
    redis = stack.redis()
    sid = session_of(redis, client.client_id)
    client.vanish()
    wait_until(lambda: redis.hget(session_key(sid), "gw") == "", 15, "the session is unbound")


@pytest.mark.parametrize("ensure", [False, True])
def test_the_answer_goes_to_where_the_client_is_by_then(stack, connect, come_back, process, ensure):
    go_on = threading.Event()
    client = connected(stack, connect, ensure)
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, process, 5)
        worker.wait_calls(1)
        vanish(stack, client)
        returned = come_back(client, stack.gateways[1], ensure)
        assert returned.client_id != client.client_id
        go_on.set()
        response = returned.response_to(message)
    assert_result(response, 5)
    assert response["clientId"] == returned.client_id
    assert len(worker.calls) == 1


def ended(stack, call):
    wait_until(lambda: stack.redis().hexists(f"{{p:{call}}}", "by"), 20, "the call has ended")


def test_an_answer_that_comes_meanwhile_is_told_at_the_return(stack, connect, come_back, process):
    go_on = threading.Event()
    client = connected(stack, connect, True)
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, process, 5)
        worker.wait_calls(1)
        (call,) = calls_under_way(stack, client)
        vanish(stack, client)
        go_on.set()
        ended(stack, call)
        assert_result(come_back(client, stack.gateways[1], True).response_to(message), 5)
    assert len(worker.calls) == 1


def test_without_ensured_delivery_it_is_told_to_who_asks_again(stack, connect, come_back, process):
    go_on = threading.Event()
    client = connected(stack, connect, False)
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, process, 5)
        worker.wait_calls(1)
        (call,) = calls_under_way(stack, client)
        vanish(stack, client)
        go_on.set()
        ended(stack, call)
        returned = come_back(client, stack.gateways[1])
        returned.expect_nothing(is_result, 0.05)
        assert_result(run(returned, process, 5, messageId=message), 5)
    assert len(worker.calls) == 1


def test_who_asks_again_elsewhere_meanwhile_is_answered_there(stack, connect, come_back, process):
    go_on = threading.Event()
    client = connected(stack, connect, False)
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, process, 5)
        worker.wait_calls(1)
        (call,) = calls_under_way(stack, client)
        vanish(stack, client)
        returned = come_back(client, stack.gateways[1])
        ask(returned, process, 5, messageId=message)
        redis = stack.redis()
        wait_until(lambda: redis.llen(f"{{p:{call}}}:a") == 2, 10, "it has asked again")
        go_on.set()
        assert_result(returned.response_to(message), 5)
        returned.expect_nothing(is_result, 0.05)
    assert len(worker.calls) == 1


def test_a_kept_request_is_not_answered_before_its_call_has_ended(stack, connect, process):
    """It is repeated by then, and nobody runs it again."""
    go_on = threading.Event()
    client = connected(stack, connect, True)
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, process, 5)
        worker.wait_calls(1)
        redis, sid = stack.redis(), session_of(stack.redis(), client.client_id)
        wait_until(lambda: int(redis.hget(session_key(sid, ":o"), message).split()[0]) >= 2, 20,
                   "the request has been repeated")
        go_on.set()
        assert_result(client.response_to(message), 5)
    assert len(worker.calls) == 1


def test_a_deadline_is_told_where_the_client_is_by_then(stack, connect, come_back):
    go_on = threading.Event()
    client = connected(stack, connect, False)
    with Worker(stack, "later", lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, "later")
        worker.wait_calls(1)
        vanish(stack, client)
        returned = come_back(client, stack.gateways[1])
        assert_error(returned.response_to(message), "-116")
        go_on.set()
