"""Operations published by hand, without a gateway: an operator can do so in the management UI."""

import uuid

import pytest
from by_hand import Operator
from client import AUTH, SYNC
from shapes import assert_auth_shape, assert_error, assert_refused, assert_sync_shape
from store import session_key, session_of, stored_object

TASK = "com.app.mo.Task"


@pytest.fixture
def operator(stack):
    with Operator(stack) as operator:
        yield operator


@pytest.fixture
def client_id():
    return uuid.uuid4().hex


@pytest.fixture
def login(stack, operator, client_id):
    """What everything that follows a login must carry in its body."""
    response = operator.ask("authenticate", {
        "cn": AUTH + "AuthenticationRequest", "clientId": client_id, "deviceId": "d",
        "messageId": "login", "authProvider": "file", "credential": stack.credential("ada")})
    assert_auth_shape(response, "AuthenticationResponse", client_id, "login")
    token = response["result"]
    return {"clientId": client_id, "deviceId": "d", "token": token["token"],
            "userId": token["user"]["ID"]}


@pytest.fixture
def session(operator, login):
    """The same, once it is connected."""
    operator.ask("connect", {"cn": SYNC + "ConnectRequest", **login})
    return login


def test_a_connect_request_with_a_valid_token_binds_the_client(stack, operator, login, client_id):
    response = operator.ask("connect", {"cn": SYNC + "ConnectRequest", **login})
    assert_sync_shape(response, "ConnectResponse", client_id, None)
    assert abs(response["currentTimestamp"] - response["timestamp"]) < 1000
    redis = stack.redis()
    row = redis.hgetall(session_key(session_of(redis, client_id)))
    assert (row["client"], row["gw"], row["epoch"]) == (client_id, operator.queue, "1")
    assert (row["user"], row["device"]) == (login["userId"], "d")


@pytest.mark.parametrize("wrong", [{"token": "guessed"}, {"userId": "somebody"},
                                   {"clientId": "another"}])
def test_a_connect_request_that_no_login_backs_gets_no_client_id(operator, login, wrong):
    response = operator.ask("connect", {"cn": SYNC + "ConnectRequest", **login, **wrong})
    assert_sync_shape(response, "ConnectResponse", None, None)


def test_a_connect_request_that_comes_twice_makes_one_session(stack, operator, session, client_id):
    redis = stack.redis()
    sid = session_of(redis, client_id)
    response = operator.ask("connect", {"cn": SYNC + "ConnectRequest", **session})
    assert_sync_shape(response, "ConnectResponse", client_id, None)
    assert session_of(redis, client_id) == sid


def test_a_disconnect_request_unbinds_the_client_and_keeps_the_session(stack, operator, session,
                                                                       client_id):
    assert operator.ask("disconnect", {"cn": SYNC + "DisconnectRequest", **session}) is None
    redis = stack.redis()
    assert redis.hget(session_key(session_of(redis, client_id)), "gw") == ""


def test_a_disconnect_request_of_the_auth_agent_ends_the_login(operator, session, client_id):
    request = {"cn": AUTH + "DisconnectRequest", "messageId": "m", **session}
    response = operator.ask("disconnectAuth", request)
    assert_auth_shape(response, "DisconnectResponse", client_id, "m")
    assert response["result"] is True
    check = operator.ask("validateUserByToken",
                         {"cn": AUTH + "ValidateUserByTokenRequest", **session})
    assert check["result"] is False


def test_an_object_is_written_and_read_by_hand(stack, operator, session, client_id, new_id):
    task = new_id("task")
    created = operator.ask("createObject", {
        "cn": SYNC + "CreateRequest", "messageId": "c1", **session,
        "theObject": {"cn": TASK, "ID": task, "title": "by hand"}})
    assert_sync_shape(created, "CreateResponse", client_id, "c1")
    found = operator.ask("findById", {"cn": SYNC + "FindByIdRequest", "messageId": "f1", **session,
                                      "theClassName": TASK, "theClassId": task})
    assert found["result"] == created["theObject"]
    assert stored_object(stack.redis(), f"{TASK}:{task}") == {"title": '"by hand"'}


def test_headers_count_more_than_the_body(operator, session, client_id, new_id):
    request = {"cn": SYNC + "FindByIdRequest", "clientId": "another", "userId": "another",
               "messageId": "another", "theClassName": TASK, "theClassId": new_id()}
    response = operator.ask("findById", request, headers={"client": client_id},
                            message_id="the one")
    assert_sync_shape(response, "FindByIdResponse", client_id, "the one")


def test_an_unknown_client_is_told_to_log_in(operator, new_id):
    response = operator.ask("findById", {"clientId": "unknown", "messageId": "m",
                                         "theClassName": TASK, "theClassId": new_id()})
    assert_error(response, "-100")
    assert response["correspondingMessageId"] == "m"


def test_a_request_delivered_again_has_the_effect_and_the_answer_of_once(stack, operator, session,
                                                                        new_id):
    task = new_id("task")
    create = {"messageId": "c", **session, "theObject": {"cn": TASK, "title": "one"}}
    first, again = (operator.ask("createObject", create) for _ in range(2))
    assert first["theObject"] == again["theObject"]
    assert first["result"] is again["result"] is True

    operator.ask("createObject", {"messageId": "c2", **session,
                                  "theObject": {"cn": TASK, "ID": task, "title": "one"}})
    put = {"messageId": "p", **session, "theObject": {"cn": TASK, "ID": task, "title": "two"}}
    assert operator.ask("putObject", put)["result"] is True
    operator.ask("putObject", {**put, "messageId": "p2",
                               "theObject": {"cn": TASK, "ID": task, "title": "three"}})
    assert operator.ask("putObject", put)["result"] is True
    assert stored_object(stack.redis(), f"{TASK}:{task}")["title"] == '"three"'

    remove = {"messageId": "r", **session, "removePair": {"className": TASK, "ID": task}}
    assert operator.ask("removeObject", remove)["result"] is True
    assert operator.ask("removeObject", remove)["result"] is True


def test_a_refusal_delivered_again_is_the_same_refusal(operator, session, new_id):
    put = {"messageId": "p", **session, "theObject": {"cn": TASK, "ID": new_id(), "title": "x"}}
    assert_refused(operator.ask("putObject", put), "-201")
    operator.ask("createObject", {**put, "messageId": "c"})
    assert_refused(operator.ask("putObject", put), "-201")


def test_the_same_message_id_with_another_content_is_another_request(stack, operator, session,
                                                                     new_id):
    tasks = [new_id("task"), new_id("task")]
    for task in tasks:
        operator.ask("createObject", {"messageId": "same", **session,
                                      "theObject": {"cn": TASK, "ID": task}})
    assert all(stored_object(stack.redis(), f"{TASK}:{task}") is not None for task in tasks)


@pytest.mark.parametrize("body", ["", "hello", "[]", "7", '{"a":', '{"clientId":5}',
                                  '{"clientId":"' + "x" * 600 + '"}', '{"messageId":{}}',
                                  "[" * 10_000, '{"clientId":"a\\u0000b"}', "{}" * 2])
def test_what_is_no_request_is_refused_and_the_next_one_served(operator, session, body):
    assert_error(operator.ask("findById", body), "-115")
    found = operator.ask("findById", {**session, "theClassName": TASK, "theClassId": "none"})
    assert found["result"] is None


def test_a_request_that_wants_no_answer_gets_none_and_is_carried_out(stack, operator, session,
                                                                    new_id):
    task = new_id("task")
    operator.send("createObject", {"messageId": "c", **session,
                                   "theObject": {"cn": TASK, "ID": task}}, reply=False)
    create = {"messageId": "c2", **session, "theObject": {"cn": TASK, "ID": task, "title": "late"}}
    wanted = f"{TASK}:{task}"
    while stored_object(stack.redis(), wanted) is None:
        operator.ask("findById", {**session, "theClassName": TASK, "theClassId": task})
    assert operator.ask("createObject", create)["theObject"]["title"] is None
