"""Connecting and logging in (contract, "ActiveStack over plain WebSocket"; spec 1.3 to 1.7, 8)."""

import base64
import hashlib
import json
import time
import uuid

import pytest
import websocket
from client import AUTH, SYNC, Client
from shapes import assert_auth_shape, assert_error, assert_sync_shape
from stack import PASSWORD


@pytest.fixture
def gateway(stack):
    return stack.gateways[0]


@pytest.fixture
def stranger(gateway):
    """A socket that has not said anything yet."""
    with Client(gateway.url) as client:
        yield client


def parts_of(signed):
    """The fields and the signature of a signed session."""
    fields, signature = signed.split(";")
    return json.loads(base64.b64decode(fields, validate=True)), base64.b64decode(signature,
                                                                                 validate=True)


# ---- gatewayConnectAck

def test_connect_is_answered_with_a_signed_session(stranger):
    before = int(time.time() * 1000)
    stranger.send({"connect": {"ensureMessageDelivery": True}})
    frame = stranger.expect(lambda f: True, "a frame")
    assert list(frame) == ["gatewayConnectAck"]
    fields, signature = parts_of(frame["gatewayConnectAck"])
    assert list(fields) == ["savedAt", "clientId"]
    assert before - 1000 <= fields["savedAt"] <= time.time() * 1000 + 1000
    assert len(fields["clientId"]) == 32 and set(fields["clientId"]) <= set("0123456789abcdef")
    assert len(signature) == 64  # SHA-512


@pytest.mark.parametrize("frame", ['{"connect":true}', '{"connect":null}', '{"connect":{}}',
                                   '{"unknown":1,"connect":"x"}'])
def test_what_connect_holds_does_not_matter(stranger, frame):
    stranger.send_text(frame)
    assert "gatewayConnectAck" in stranger.expect(lambda f: True, "a frame")


def test_connect_a_second_time_does_nothing(stranger):
    stranger.connect()
    first = stranger.client_id
    stranger.send({"connect": True})
    assert_error(stranger.request("findById"), "-100")
    assert stranger.client_id == first and stranger.inbox == []


def test_a_request_as_the_first_frame_connects_by_itself(stack, stranger):
    message = stranger.send_request("authenticate", authProvider="file",
                                    credential=stack.credential("ada"))
    first = stranger.expect(lambda f: True, "a frame")
    assert list(first) == ["gatewayConnectAck"]
    assert stranger.response_to(message)["result"]
    stranger.expect_connect_response()


def test_every_connection_has_another_client_id(connect, gateway):
    assert len({connect(gateway).client_id for _ in range(5)}) == 5


@pytest.mark.parametrize("path, options", [
    ("/activestack", {}), ("/", {"subprotocols": ["activestack"]}),
    ("/anything/else", {"subprotocols": ["activestack"]}),
    ("/activestack?a=b", {})])
def test_the_dialect_is_found_by_path_or_subprotocol(gateway, path, options):
    with Client(gateway.url, path=path, **options) as client:
        client.connect()
        assert client.socket.getsubprotocol() == options.get("subprotocols", [None])[0]


def test_a_path_that_nobody_serves_is_no_websocket(gateway):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Client(gateway.url, path="/nothing")
    assert refused.value.status_code == 404


# ---- Logging in

def test_a_login_is_answered_signed_anew_and_then_connected_in_this_order(stack, stranger):
    stranger.connect()
    message = stranger.send_request("authenticate", authProvider="file", deviceId="d1",
                                    credential=stack.credential("ada"))
    frames = [stranger.expect(lambda f: True, "a frame") for _ in range(3)]
    response, ack, connected = frames

    assert_auth_shape(response, "AuthenticationResponse", stranger.client_id, message)
    assert (response["statusCode"], response["message"]) == (200, "Success")
    token = response["result"]
    assert token["cn"] == AUTH + "UserToken"
    assert token["clientId"] == stranger.client_id

    fields, _ = parts_of(ack["gatewayConnectAck"])
    assert list(fields) == ["savedAt", "clientId", "deviceId", "token", "userId"]
    assert fields["clientId"] == stranger.client_id
    hashed = "sha256:" + hashlib.sha256(token["token"].encode()).hexdigest()
    assert (fields["token"], fields["userId"]) == (hashed, token["user"]["ID"])

    assert_sync_shape(connected, "ConnectResponse", stranger.client_id, None)
    assert abs(connected["currentTimestamp"] - time.time() * 1000) < 60_000


def test_an_anonymous_login_needs_no_credential(connect, gateway):
    client = connect(gateway)
    response = client.login("anonymous", None)
    assert response["result"]["user"]["ID"]
    assert client.request("findById", theClassName="com.app.mo.Task", theClassId="x")["result"] is None


@pytest.mark.parametrize("provider, credential, status", [
    ("file", "ada@example.org:wrong", 402),
    ("file", "nobody@example.org:" + PASSWORD, 402),
    ("file", "without a colon", 402),
    ("nowhere", "ada@example.org:" + PASSWORD, 403)])
def test_a_refused_login_has_no_result_and_may_be_tried_again(stack, stranger, provider,
                                                              credential, status):
    stranger.connect()
    message = stranger.send_request("authenticate", authProvider=provider, credential=credential)
    response = stranger.response_to(message)
    assert_auth_shape(response, "AuthenticationResponse", stranger.client_id, message)
    assert response["result"] is None and response["statusCode"] == status
    assert_error(stranger.request("findById"), "-100")
    assert stranger.login("file", stack.credential("ada"))


def test_wrong_user_and_wrong_password_look_the_same(connect, gateway):
    client = connect(gateway)
    answers = [client.request("authenticate", authProvider="file", credential=credential)
               for credential in ("ada@example.org:wrong", "zoe@example.org:wrong")]
    for answer in answers:
        del answer["correspondingMessageId"]
    assert answers[0] == answers[1]


def test_a_second_login_on_the_same_connection_is_refused(stack, connect, gateway):
    client = connect(gateway, "ada")
    for operation in ("authenticate", "reauthenticate"):
        assert_error(client.request(operation, authProvider="file", token="x",
                                    credential=stack.credential("ben")), "-115", "logged in")
    assert client.request("findById", theClassName="com.app.mo.Task", theClassId="x")["result"] is None


def test_a_token_logs_in_on_another_connection(connect, stack, gateway):
    first = connect(gateway, "ada")
    token, user = first.token, first.user_id
    second = connect(stack.gateways[1])
    response = second.request("reauthenticate", token=token)
    assert response["cn"] == AUTH + "AuthenticationResponse"
    assert response["result"]["user"]["ID"] == user
    assert response["result"]["clientId"] == second.client_id
    second.expect_connect_response()


def test_an_unknown_token_does_not_log_in(connect, gateway):
    client = connect(gateway)
    response = client.request("reauthenticate", token="guessed")
    assert response["result"] is None and response["statusCode"] == 401
    assert_error(client.request("findById"), "-100")


def test_a_token_is_valid_for_its_user_and_client(connect, gateway):
    user, stranger = connect(gateway, "ada"), connect(gateway)
    asked = {"userId": user.user_id, "token": user.token}
    response = user.request("validateUserByToken", **asked)
    assert_auth_shape(response, "ValidateUserByTokenResponse", user.client_id,
                      response["correspondingMessageId"])
    assert response["result"] is True
    assert user.request("validateUserByToken", **{**asked, "token": "guessed"})["result"] is False
    assert stranger.request("validateUserByToken", **asked)["result"] is False


def test_requests_sent_behind_the_login_wait_for_it(stack, connect, gateway):
    client = connect(gateway)
    client.send_request("authenticate", authProvider="file", credential=stack.credential("ada"))
    client.expect(lambda f: f.get("cn") == AUTH + "AuthenticationResponse", "the login's response")
    message = client.send_request("findById", theClassName="com.app.mo.Task", theClassId="x")
    client.expect(lambda f: f.get("cn") == SYNC + "ConnectResponse", "the ConnectResponse")
    assert client.response_to(message)["result"] is None


def test_a_login_makes_the_persons_object_once(stack, connect, gateway):
    redis = stack.redis()
    client = connect(gateway, "dora")
    person = redis.hget("{u:" + client.user_id + "}", "anchor")
    found = client.request("findById", theClassName="com.app.mo.Person", theClassId=person)["result"]
    assert found["cn"] == "com.app.mo.Person" and found["ID"] == person
    assert found["userId"] == client.user_id
    assert (found["first_name"], found["display_name"]) == ("Dora", "Dora Example")
    assert found["presence"] == "offline"
    again = connect(stack.gateways[1], "dora")
    assert again.user_id == client.user_id
    assert redis.hget("{u:" + client.user_id + "}", "anchor") == person


# ---- Asking who one is

def test_a_bare_connect_request_gets_the_connect_response_again(connect, gateway):
    client = connect(gateway, "ada")
    message = client.send_request("connect")
    frame = client.expect_connect_response()
    assert frame["clientId"] == client.client_id
    assert frame["correspondingMessageId"] in (None, message)


def test_a_bare_connect_request_before_the_login_is_refused(connect, gateway):
    assert_error(connect(gateway).request("connect"), "-100")


def test_many_logins_at_once_are_all_answered(stack, connect, gateway):
    clients = [connect(stack.gateways[i % 2]) for i in range(20)]
    messages = [c.send_request("authenticate", authProvider="anonymous") for c in clients]
    for client, message in zip(clients, messages):
        assert client.response_to(message)["result"]["clientId"] == client.client_id
        client.expect_connect_response()
    assert len({uuid.UUID(client.client_id) for client in clients}) == 20
