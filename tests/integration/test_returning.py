"""Clients that come back for their session, and gateways that do (spec 1.6; design section 7)."""

import base64
import hashlib
import hmac
import json
import re
import time

import pytest
from asking import create, find, put, remove
from client import SYNC, Client
from frames import Closed
from servers import wait_until
from shapes import assert_error, assert_sync_shape
from store import session_of

TASK = "com.app.mo.Task"
NEVER_MS = 3_600_000  # for what must not happen by itself while a test runs


@pytest.fixture
def gateway(stack):
    return stack.gateways[0]


@pytest.fixture
def opened():
    """Opens sockets that have not said anything yet, and closes them after the test."""
    clients = []

    def make(gateway):
        clients.append(Client(gateway.url))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def come_back(opened):
    """come_back(gateway, signed session): a socket that asks for it."""
    def make(gateway, session):
        client = opened(gateway)
        client.send({"reconnect": {"lastSessionId": "x", "reconnectId": session,
                                   "ensureMessageDelivery": True}})
        return client

    return make


def fields_of(session):
    return json.loads(base64.b64decode(session.split(";")[0]))


def is_ack(frame):
    return "gatewayConnectAck" in frame


def is_push(frame):
    return "objectList" in frame


def returned(client):
    """All frames up to the ConnectResponse, which has to be good."""
    before = []
    while True:
        frame = client.expect(lambda f: True, "a ConnectResponse")
        if frame.get("cn") == SYNC + "ConnectResponse":
            assert_sync_shape(frame, "ConnectResponse", client.client_id, None)
            return before
        before.append(frame)


def assert_refused(client, reason, message_id=None):
    """The ConnectResponse without a client id that says why; then the client may log in."""
    frame = client.expect_connect_response()
    assert_sync_shape(frame, "ConnectResponse", None, message_id)
    assert isinstance(frame["data"], str) and re.search(reason, frame["data"]), frame["data"]
    assert_error(client.request("findById", theClassName=TASK, theClassId="x"), "-100")


def bare_return(client, of, **members):
    """Sends a ReconnectRequest for what the client `of` is; returns its messageId."""
    return client.send_request("reconnect", **{
        "userId": of.user_id, "token": of.token, "deviceId": None,
        "existingClientId": of.client_id, "existingClientIds": [of.client_id], **members})


def unbound(stack, client):
    """The connection is lost, and the agents know it."""
    redis = stack.redis()
    sid = session_of(redis, client.client_id)
    client.vanish()
    wait_until(lambda: redis.hget(f"{{s:{sid}}}", "gw") == "", 15, "the session is unbound")
    return sid


# ---- With the signed session

def test_a_return_has_a_fresh_client_id_and_the_same_session(stack, connect, come_back):
    first = connect(stack.gateways[0], "ada")
    sid = unbound(stack, first)
    second = come_back(stack.gateways[1], first.session)
    (ack,) = returned(second)
    fields = fields_of(ack["gatewayConnectAck"])
    assert list(fields) == ["savedAt", "clientId", "existingClientId", "existingClientIds",
                            *([] if "deviceId" not in fields else ["deviceId"]), "token", "userId"]
    assert fields["clientId"] == second.client_id != first.client_id
    assert fields["existingClientId"] == first.client_id
    assert fields["existingClientIds"] == [first.client_id]
    hashed = "sha256:" + hashlib.sha256(first.token.encode()).hexdigest()
    assert (fields["token"], fields["userId"]) == (hashed, first.user_id)
    assert session_of(stack.redis(), second.client_id) == sid
    assert second.request("findById", theClassName=TASK, theClassId="x")["result"] is None


def test_what_was_missed_comes_first_updates_then_deletes(stack, connect, come_back, new_id):
    writer, reader = connect(stack.gateways[0], "ada"), connect(stack.gateways[1], "ben")
    changed, removed = new_id("task"), new_id("task")
    for task in (changed, removed):
        create(writer, TASK, task, title="old")
        find(reader, TASK, task)
    unbound(stack, reader)
    remove(writer, TASK, removed)
    put(writer, TASK, changed, title="new")
    again = come_back(stack.gateways[0], reader.session)
    ack, update, delete = returned(again)
    assert is_ack(ack)
    assert update["cn"] == SYNC + "PushUpdateResponse" and update["clientId"] == again.client_id
    assert [(o["ID"], o["title"]) for o in update["objectList"]] == [(changed, "new")]
    assert delete["cn"] == SYNC + "PushDeleteResponse"
    assert [o["ID"] for o in delete["objectList"]] == [removed]


def test_what_does_not_fit_one_frame_comes_in_several_before_the_response(new_stack, connect,
                                                                           come_back, new_id):
    stack = new_stack(settings={"sync.replay_bytes": 2048})
    writer, reader = connect(stack.gateways[0], "ada"), connect(stack.gateways[0], "ben")
    tasks = [new_id("task") for _ in range(60)]
    for task in tasks:
        create(writer, TASK, task, title="old")
        find(reader, TASK, task)
    unbound(stack, reader)
    for task in tasks:
        put(writer, TASK, task, title="new" * 50)
    again = come_back(stack.gateways[0], reader.session)
    pushes = list(filter(is_push, returned(again)))
    assert len(pushes) > 1
    assert all(len(push.text) < 4096 for push in pushes)
    assert sorted(o["ID"] for push in pushes for o in push["objectList"]) == sorted(tasks)


def test_the_names_of_a_session_are_bounded_and_the_newest_stays(stack, connect, come_back):
    client = connect(stack.gateways[0], "ada")
    sid, names = session_of(stack.redis(), client.client_id), []
    for i in range(34):
        names.append(client.client_id)
        again = come_back(stack.gateways[i % 2], client.session)
        returned(again)
        assert client.expect_close().code == 4001
        client = again
    assert fields_of(client.session)["existingClientIds"] == names[-32:]
    assert session_of(stack.redis(), client.client_id) == sid


def test_requests_behind_a_return_are_answered_after_it(stack, connect, come_back):
    first = connect(stack.gateways[0], "ada")
    second = come_back(stack.gateways[1], first.session)
    message = second.send_request("findById", theClassName=TASK, theClassId="x")
    returned(second)
    assert second.response_to(message)["result"] is None


def test_who_never_logged_in_is_just_connected(gateway, connect, come_back, stack):
    first = connect(gateway)
    second = come_back(gateway, first.session)
    ack = second.expect(lambda f: True, "a frame")
    assert list(fields_of(ack["gatewayConnectAck"])) == ["savedAt", "clientId"]
    assert_error(second.request("connect"), "-100")
    assert second.inbox == []
    second.login("file", stack.credential("ada"))


# ---- With a bare ReconnectRequest

def test_a_reconnect_request_as_the_first_frame_returns(stack, connect, opened):
    first = connect(stack.gateways[0], "ada")
    second = opened(stack.gateways[1])
    message = bare_return(second, first)
    assert is_ack(second.expect(lambda f: True, "a frame"))
    response = second.expect(lambda f: True, "a frame")
    assert_sync_shape(response, "ConnectResponse", second.client_id, message)
    assert first.expect_close().code == 4001
    assert (session_of(stack.redis(), second.client_id) ==
            session_of(stack.redis(), first.client_id))


@pytest.mark.parametrize("of_the_client", [
    {"existingClientIds": None}, {"existingClientId": None}, {"existingClientId": ""},
    {"existingClientIds": []}, {"deviceId": ""}])
def test_one_name_is_enough(stack, connect, opened, of_the_client):
    first, second = connect(stack.gateways[0], "ada"), opened(stack.gateways[1])
    message = bare_return(second, first, **of_the_client)
    assert second.response_to(message)["clientId"] == second.client_id


def test_of_very_many_names_the_newest_count(stack, connect, opened):
    first = connect(stack.gateways[0], "ada")
    second, third = opened(stack.gateways[1]), opened(stack.gateways[1])
    names = ["x"] * 100_000
    message = bare_return(second, first, existingClientId=None,
                          existingClientIds=[first.client_id, *names])
    assert_refused(second, "existingClientId", message)
    message = bare_return(third, first, existingClientId=None,
                          existingClientIds=[*names, first.client_id])
    assert third.response_to(message)["clientId"] == third.client_id
    assert fields_of(third.session)["existingClientIds"] == [first.client_id]


@pytest.mark.parametrize("wrong, reason", [
    ({"userId": None}, "userId"), ({"userId": ""}, "userId"), ({"userId": 7}, "userId"),
    ({"userId": "a\0b"}, "userId"), ({"userId": "u" * 2000}, "userId"),
    ({"token": None}, "token"), ({"token": {}}, "token"),
    ({"deviceId": 7}, "deviceId"), ({"deviceId": "d" * 256}, "deviceId"),
    ({"existingClientId": None, "existingClientIds": None}, "existingClientId"),
    ({"existingClientId": 7}, "existingClientId"), ({"existingClientId": "x"}, "existingClientId"),
    ({"existingClientIds": "x"}, "existingClientIds"),
    ({"existingClientIds": ["x", 7]}, "existingClientIds"),
    ({"existingClientIds": [["x"]]}, "existingClientIds"),
    ({"existingClientId": "0" * 32, "existingClientIds": ["0" * 32]}, "session"),
    ({"token": "guessed"}, "login")])
def test_a_wrong_reconnect_request_is_refused_with_the_reason(stack, connect, opened, wrong, reason):
    first, second = connect(stack.gateways[0], "ada"), opened(stack.gateways[1])
    message = bare_return(second, first, **wrong)
    assert_refused(second, reason, message)
    second.login("file", stack.credential("ben"))
    assert "existingClientId" not in fields_of(second.session)
    assert find(first, TASK, "x") is None  # its session is still its own


def test_a_member_that_stands_there_twice_is_malformed(gateway, opened):
    client = opened(gateway)
    client.send_text('{"cn":"%sReconnectRequest","existingClientId":"a","existingClientId":"b"}' % SYNC)
    assert_error(client.expect(lambda f: "errorCode" in f, "an error"), "-115", "existingClientId")


def test_the_token_of_another_user_does_not_give_one_their_session(stack, connect, opened):
    ada, ben = connect(stack.gateways[0], "ada"), connect(stack.gateways[0], "ben")
    thief = opened(stack.gateways[1])
    message = bare_return(thief, ada, userId=ben.user_id, token=ben.token)
    assert_refused(thief, ".", message)
    message = bare_return(thief, ada, token=ben.token)
    assert_refused(thief, ".", message)
    assert find(ada, TASK, "x") is None and find(ben, TASK, "x") is None


# ---- Signed sessions that are none

def sign(fields, secret):
    text = base64.b64encode(json.dumps(fields).encode())
    return (text + b";" + base64.b64encode(hmac.digest(secret, text, hashlib.sha512))).decode()


def secret_of(stack):
    return re.search(r"^gateway.session_secret = (\S+)$", stack.config.read_text(),
                     re.MULTILINE)[1].encode()


def forged(stack, session):
    fields, signature = session.split(";")
    other = {**json.loads(base64.b64decode(fields)), "userId": "somebody else"}
    return base64.b64encode(json.dumps(other).encode()).decode() + ";" + signature


SIGNED_WRONG = {
    "forged": (forged, "not genuine"),
    "foreign": (lambda stack, s: sign(fields_of(s), b"the key of another house" * 2), "not genuine"),
    "expired": (lambda stack, s: sign({**fields_of(s), "savedAt": 1}, secret_of(stack)), "expired"),
    "half": (lambda stack, s: s[:len(s) // 2], "malformed"),
    "without its end": (lambda stack, s: s[:-4], "malformed"),
    "without the signature": (lambda stack, s: s.split(";")[0], "malformed"),
    "three parts": (lambda stack, s: s + ";" + s, "malformed"),
    "empty": (lambda stack, s: "", "malformed"),
    "huge": (lambda stack, s: "A" * 200_000 + ";" + s.split(";")[1], "malformed"),
    "NUL behind": (lambda stack, s: s + "\0", "malformed"),
    "NUL inside": (lambda stack, s: s.replace(";", "\0;"), "not genuine|malformed"),
    "names of another kind": (lambda stack, s: sign({**fields_of(s), "existingClientIds": [7]},
                                                    secret_of(stack)), "malformed"),
    "number": (lambda stack, s: 7, "expected a string"),
    "object": (lambda stack, s: {"a": s}, "expected a string"),
    "null": (lambda stack, s: None, "expected a string"),
}


@pytest.mark.parametrize("how", SIGNED_WRONG)
def test_a_wrong_signed_session_is_refused_with_the_reason(stack, connect, come_back, how):
    first = connect(stack.gateways[0], "ada")
    make, reason = SIGNED_WRONG[how]
    second = come_back(stack.gateways[1], make(stack, first.session))
    assert is_ack(second.expect(lambda f: True, "a frame"))
    assert_refused(second, reason)
    second.login("file", stack.credential("ben"))
    assert find(first, TASK, "x") is None


@pytest.mark.parametrize("content", [None, True, 7, "x", [], {}])
def test_a_return_without_a_signed_session_is_refused(gateway, opened, content):
    client = opened(gateway)
    client.send({"reconnect": content})
    assert_refused(client, "reconnectId")


def test_a_session_of_our_own_making_is_accepted_so_that_the_refusals_mean_something(
        stack, connect, come_back):
    first = connect(stack.gateways[0], "ada")
    second = come_back(stack.gateways[1],
                       sign({**fields_of(first.session), "savedAt": int(time.time() * 1000)},
                            secret_of(stack)))
    returned(second)


# ---- More than one return

def test_who_is_logged_in_cannot_return(stack, connect):
    client, other = connect(stack.gateways[0], "ada"), connect(stack.gateways[0], "ben")
    client.send({"reconnect": {"reconnectId": other.session}})
    assert_error(client.expect(lambda f: "errorCode" in f, "an error"), "-115", "logged in")
    assert_error(client.response_to(bare_return(client, other)), "-115", "logged in")
    assert find(client, TASK, "x") is None and find(other, TASK, "x") is None


def test_the_second_of_two_returns_on_one_socket_is_refused(stack, connect, come_back):
    first, other = connect(stack.gateways[0], "ada"), connect(stack.gateways[0], "ben")
    client = come_back(stack.gateways[1], first.session)
    client.send({"reconnect": {"reconnectId": other.session}})
    assert_error(client.expect(lambda f: "errorCode" in f, "an error"), "-115", "logged in")
    client.expect_connect_response()
    assert fields_of(client.session)["userId"] == first.user_id
    assert find(other, TASK, "x") is None


def test_after_a_refused_return_another_one_may_succeed(stack, connect, come_back):
    first = connect(stack.gateways[0], "ada")
    client = come_back(stack.gateways[1], "nonsense")
    assert_refused(client, "malformed")
    client.send({"reconnect": {"reconnectId": first.session}})
    returned(client)
    assert fields_of(client.session)["existingClientIds"] == [first.client_id]


def test_a_return_while_a_login_is_under_way_is_refused(new_stack, opened, connect):
    stack = new_stack()
    first = connect(stack.gateways[0], "ada")
    client = opened(stack.gateways[0]).connect()
    stack.auth_agents[0].pause()
    message = client.send_request("authenticate", authProvider="file",
                                  credential=stack.credential("ben"))
    client.send({"reconnect": {"reconnectId": first.session}})
    assert_error(client.expect(lambda f: "errorCode" in f, "an error"), "-115", "login")
    stack.auth_agents[0].resume()
    assert client.response_to(message)["result"]
    client.expect_connect_response()


@pytest.mark.parametrize("order", [("connect", "reconnect"), ("reconnect", "connect")])
def test_connect_and_reconnect_in_one_message(stack, connect, opened, order):
    first, second = connect(stack.gateways[0], "ada"), opened(stack.gateways[1])
    content = {"connect": {}, "reconnect": {"reconnectId": first.session}}
    second.send({name: content[name] for name in order})
    frames = returned(second)
    assert all(map(is_ack, frames)) and len(frames) == (2 if order[0] == "connect" else 1)
    assert len({fields_of(f["gatewayConnectAck"])["clientId"] for f in frames}) == 1
    assert second.request("findById", theClassName=TASK, theClassId="x")["result"] is None


def test_one_session_that_returns_at_many_places_at_once_is_at_one_in_the_end(stack, connect,
                                                                              come_back):
    first = connect(stack.gateways[0], "ada")
    clients = [come_back(stack.gateways[i % 2], first.session) for i in range(6)]
    for client in clients:
        client.expect(is_ack, "gatewayConnectAck")
    held = list(filter(holds, clients))
    bound = stack.redis().hget(f"{{s:{session_of(stack.redis(), first.client_id)}}}", "client")
    (winner,) = [client for client in held if client.client_id == bound]
    for client in [first, *held]:
        if client is not winner:
            assert client.expect_close().code == 4001
    assert find(winner, TASK, "x") is None


def holds(client):
    """Was the session its, for a moment at least?"""
    try:
        return client.expect_connect_response()["clientId"] is not None
    except Closed as closed:
        assert closed.code == 4001
        return False


# ---- Logout

@pytest.mark.parametrize("members", [{}, {"pleaseDestroyClient": True}])
def test_after_a_logout_neither_return_is_accepted(stack, connect, come_back, opened, members):
    first = connect(stack.gateways[0], "ada")
    first.send_request("logout", **members)
    assert first.expect_close().code == 1000
    assert_refused(come_back(stack.gateways[1], first.session), ".")
    second = opened(stack.gateways[0])
    message = bare_return(second, first)
    assert_refused(second, ".", message)


def test_who_closes_right_behind_the_logout_cannot_return_either(stack, connect, come_back):
    first = connect(stack.gateways[0], "ada")
    sid = session_of(stack.redis(), first.client_id)
    first.send_request("logout", pleaseDestroyClient=True)
    first.close()
    wait_until(lambda: stack.redis().hget(f"{{s:{sid}}}", "ended") is not None or
               not stack.redis().exists(f"{{s:{sid}}}"), 15, "the session has ended")
    assert_refused(come_back(stack.gateways[1], first.session), ".")


# ---- Gateways that lose their queue, their broker, their lease

@pytest.fixture
def patient_stack(new_stack):
    """Nothing is redelivered by itself."""
    return new_stack(settings={"sync.redelivery_first_ms": NEVER_MS, "sync.redelivery_max_ms": NEVER_MS,
                               "sync.redelivery_silent_ms": NEVER_MS, "gateway.alive_ms": 100,
                               "sync.gateway_lease_ms": 2000})


def queues_of_gateways(stack):
    return list(stack.redis().zrange("gateways", 0, -1))


def test_what_a_lost_queue_took_with_it_is_told_again(patient_stack, connect, new_id):
    stack, task = patient_stack, new_id("task")
    writer, reader = connect(stack.gateways[0], "ada"), connect(stack.gateways[0], "ben")
    create(writer, TASK, task, title="old")
    find(reader, TASK, task)
    (queue,) = queues_of_gateways(stack)
    put(writer, TASK, task, title="once")
    reader.expect_update(task, title="once")
    with stack.amqp() as amqp:
        amqp.channel().queue_delete(queue)
    reader.expect_update(task, title="once")


def test_a_gateway_that_was_silent_has_its_clients_again(patient_stack, connect, new_id):
    stack, task = patient_stack, new_id("task")
    redis, reader = stack.redis(), connect(stack.gateways[0], "ben")
    sid = session_of(redis, reader.client_id)
    stack.gateways[0].pause()
    wait_until(lambda: redis.hget(f"{{s:{sid}}}", "gw") == "", 30, "the lease has ended")
    stack.gateways[0].resume()
    wait_until(lambda: redis.hget(f"{{s:{sid}}}", "gw") != "", 30, "the session is bound again")
    writer = connect(stack.gateways[0], "ada")
    create(writer, TASK, task, title="old")
    find(reader, TASK, task)
    put(writer, TASK, task, title="new")
    reader.expect_update(task, title="new")


def test_a_gateway_that_was_silent_sends_away_whom_another_one_has_now(new_stack, connect, come_back):
    stack = new_stack(gateways=2, settings={"gateway.alive_ms": 100, "sync.gateway_lease_ms": 1000})
    redis, first = stack.redis(), connect(stack.gateways[0], "ben")
    sid = session_of(redis, first.client_id)
    stack.gateways[0].pause()
    wait_until(lambda: redis.hget(f"{{s:{sid}}}", "gw") == "", 30, "the lease has ended")
    returned(come_back(stack.gateways[1], first.session))
    stack.gateways[0].resume()
    assert first.expect_close(30).code == 4001


def test_the_sessions_of_a_killed_gateway_return_elsewhere(new_stack, connect, come_back, new_id):
    stack, task = new_stack(gateways=2), new_id("task")
    writer, reader = connect(stack.gateways[1], "ada"), connect(stack.gateways[0], "ben")
    create(writer, TASK, task, title="old")
    find(reader, TASK, task)
    stack.gateways[0].kill()
    put(writer, TASK, task, title="new")
    again = come_back(stack.gateways[1], reader.session)
    _, update = returned(again)
    assert [o["title"] for o in update["objectList"]] == ["new"]


# ---- Gateways that stop

def frames_of(gateway):
    """How many frames of clients it has read."""
    return gateway.figure("frames_received_total")


def test_a_return_that_is_under_way_is_finished_before_the_gateway_stops(new_stack, connect, come_back):
    stack = new_stack(gateways=2, settings={"gateway.drain_ms": 500})
    first = connect(stack.gateways[0], "ada")
    stack.sync_agents[0].pause()
    second = come_back(stack.gateways[1], first.session)
    second.expect(is_ack, "gatewayConnectAck")
    message = second.send_request("findById", theClassName=TASK, theClassId="x")
    wait_until(lambda: frames_of(stack.gateways[1]) == 2, 10, "both have come")
    stack.gateways[1].process.terminate()
    stack.gateways[1].expected_end = True
    wait_until(lambda: "gateway.draining" in stack.gateways[1].log_text(), 10, "it drains")
    stack.sync_agents[0].resume()
    returned(second)
    assert second.response_to(message)["result"] is None
    assert second.expect_close().code == 1001
    third = come_back(stack.gateways[0], second.session)
    returned(third)


def test_who_is_sent_away_late_has_a_place_in_the_window_too(new_stack, connect):
    stack = new_stack(settings={"gateway.drain_ms": 30_000})
    gateway, clients = stack.gateways[0], []
    for _ in range(5):
        clients.append(connect(stack.gateways[0], "ada"))
    stack.sync_agents[0].pause()
    frames = frames_of(gateway)
    late = clients[2].send_request("findById", theClassName=TASK, theClassId="x")
    wait_until(lambda: frames_of(gateway) == frames + 1, 10, "it has come")
    gateway.process.terminate()
    gateway.expected_end = True
    early = [client.expect_close() for client in clients if client is not clients[2]]
    clients[2].drain(4)  # longer than the others have for their farewell
    stack.sync_agents[0].resume()
    clients[2].response_to(late)
    closes = early + [clients[2].expect_close()]
    assert {closed.code for closed in closes} == {1001}
    assert sorted(int(closed.reason) for closed in closes) == [0, 6000, 12000, 18000, 24000]
    wait_until(lambda: gateway.process.poll() is not None, 20, "the gateway ends")
    assert gateway.process.returncode == 0
