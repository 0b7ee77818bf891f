"""Connecting and logging in with the content protocol (content protocol, "Envelope", "Requests from
the client"; contract, "Addresses" and "Close codes"), as far as the gateway does it: the sync agent is
played by the test."""

import itertools
import json

import pika
import pytest
import websocket
from by_hand import SyncAgentByHand
from client import Client
from content_client import ContentClient, code_of, key, login_data
from sealing import hashed
from stack import PROVIDER

NOT_JSON = ["", "\n\n", "hello", "{", '{"type":"request","id":"x","cls":"logout"', "[1,]"]
HOPELESS = ["[]", "7", "null", "{}", '{"type":"dance"}', '{"type":"request","cls":"logout"}',
            '{"type":"request","id":7,"cls":"logout"}', '{"type":"request","id":"","cls":"logout"}',
            "[" * 65 + "]" * 65]
NEEDS_LOGIN = {"logout": 4010310, "get_content": 4010410, "get_children": 4010510,
               "patch_content": 4010610, "add_child": 4010710}


class ContentAgent(SyncAgentByHand):
    """Binds with the result of a login; other requests wait for the test."""

    QUEUES = (*SyncAgentByHand.QUEUES, "changedReceived", "logout", "subscribe", "revoke")

    def _bind(self, request):
        self.gateways[request.client] = request.properties.reply_to
        self.reply(request, {"type": "result", "id": request.properties.message_id, "cls": "login",
                             "status": 200, "data": {"session": None}},
                   user=request.user)

    def result(self, request, cls, **headers):
        self.reply(request, {"type": "result", "id": request.properties.message_id, "cls": cls,
                             "status": 200}, client=request.client, **headers)

    def reply_empty(self, request):
        self.channel.basic_publish("", request.properties.reply_to, b"", pika.BasicProperties(
            type="reply", correlation_id=request.properties.correlation_id, headers={"v": 1}))

    def push_block(self, client, number):
        """Returns the block."""
        block = {"type": "request", "id": str(number), "cls": "changed",
                 "data": [{"key": {"type": "user", "id": number}, "content": True,
                           "children": False}]}
        self.push(client, kind="b", body=block)
        return block


@pytest.fixture
def gateway(stack):
    return stack.gateways[0]


@pytest.fixture
def stranger(gateway, connect_content):
    """Not logged in."""
    return connect_content(gateway)


@pytest.fixture
def agent(new_stack):
    """Instead of sync agents; the auth agent is a real one."""
    stack = new_stack(sync_agents=0)
    with ContentAgent(stack) as agent:
        agent.stack = stack
        yield agent


@pytest.fixture
def open_client(agent, connect_content):
    return lambda **options: connect_content(agent.stack.gateways[0], **options)


@pytest.fixture
def log_in(agent):
    """Returns the answer to a login as this user."""
    def log_in(client, user="ada"):
        request = client.send_request("login", **login_data(agent.stack.credential(user)))
        answers = []

        def has_come():
            client.drain()
            answers[:] = [f for f in client.inbox if f.get("id") == request]
            return answers

        agent.serve_until(has_come, "the answer to the login")
        client.inbox.remove(answers[0])
        return answers[0]

    return log_in


def assert_served(client):
    """It is still listened to."""
    assert code_of(client.request("dance")) == 4000000


# ---- Addresses

@pytest.mark.parametrize("path, options", [
    ("/content", {}), ("/content?a=b", {}), ("/", {"subprotocols": ["content"]}),
    ("/activestack", {"subprotocols": ["content"]}),
    ("/anything", {"subprotocols": ["other", "content", "activestack"]})])
def test_the_dialect_is_found_by_path_or_subprotocol(gateway, path, options):
    with ContentClient(gateway.url, path=path, **options) as client:
        assert_served(client)
        assert client.socket.getsubprotocol() == ("content" if options else None)


@pytest.mark.parametrize("path, subprotocols", [
    ("/content", ["activestack"]), ("/x", ["activestack", "content"])])
def test_a_subprotocol_says_more_than_a_path(gateway, path, subprotocols):
    with Client(gateway.url, path=path, subprotocols=subprotocols) as client:
        client.connect()
        assert client.socket.getsubprotocol() == "activestack"


@pytest.mark.parametrize("path", ["/contents", "/content/", "/Content", "/the%20acceptor"])
def test_other_paths_are_no_websockets(gateway, path):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        ContentClient(gateway.url, path=path)
    assert refused.value.status_code == 404


# ---- Frames

def test_nothing_is_said_before_the_client_has_asked(stranger):
    stranger.send_text("\n")
    assert_served(stranger)
    assert stranger.inbox == []


@pytest.mark.parametrize("text, code", [
    *((text, 1007) for text in NOT_JSON), (b'"\xff"', 1007), *((text, 1008) for text in HOPELESS)],
    ids=repr)
def test_what_cannot_be_tied_to_a_request_is_told_and_ends_the_connection(stranger, text, code):
    stranger.send_text(text)
    assert stranger.expect_close().code == code
    (error,) = stranger.inbox
    assert list(error) == ["type", "status", "data"]
    assert code_of(error) == 4000000 and error["data"]["msg"].startswith("Format Error: ")


def test_a_binary_frame_ends_the_connection(stranger):
    stranger.send_binary(b"{}")
    assert stranger.expect_close().code == 1003


def test_a_frame_that_is_too_large_ends_the_connection(stranger):
    stranger.send_text('{"type":"request","id":"' + "x" * (1 << 20))
    assert stranger.expect_close().code == 1009


@pytest.mark.parametrize("frame, echo, code", [
    ({"id": "x"}, {"id": "x"}, 4000000),
    ({"id": "x", "cls": 7}, {"id": "x"}, 4000000),
    ({"id": "x", "cls": "dance"}, {"id": "x", "cls": "dance"}, 4000000),
    ({"id": "x", "cls": "changed"}, {"id": "x", "cls": "changed"}, 4000000),
    ({"id": "x", "cls": "authenticate"}, {"id": "x", "cls": "authenticate"}, 4000000),
    ({"id": "x", "cls": "putObject"}, {"id": "x", "cls": "putObject"}, 4000000),
    ({"id": "x", "cls": "subscribe"}, {"id": "x", "cls": "subscribe"}, 4000800),
    ({"id": "y" * 256, "cls": "get_content"}, {"id": "y" * 256, "cls": "get_content"}, 4000400),
    ({"id": "x", "cls": "get_content", "n": 10 ** 1000}, {"id": "x", "cls": "get_content"}, 4000400),
    ({"type": "notify"}, {}, 4000000),
    ({"type": "notify", "cls": "dance"}, {"cls": "dance"}, 4000000),
    ({"type": "notify", "cls": "login"}, {"cls": "login"}, 4000100),
    ({"type": "notify", "cls": "revoke", "id": "x"}, {"cls": "revoke"}, 4000900),
], ids=lambda value: str(value)[:40])
def test_a_well_formed_frame_of_the_wrong_shape_gets_its_code(stranger, frame, echo, code):
    stranger.send({"type": "request", **frame})
    error = stranger.expect(lambda f: True, "an error")
    assert {**error, "data": None} == {"type": "error", **echo, "status": code // 10000, "data": None}
    assert code_of(error) == code
    assert_served(stranger)


@pytest.mark.parametrize("frame", [
    {"type": "result", "id": "1", "cls": "changed", "status": 200}, {"type": "result"},
    {"type": "error", "id": "1", "cls": "changed", "status": 500}, {"type": "error", "id": [1]}])
def test_an_answer_that_nobody_waits_for_is_ignored_and_counted(gateway, stranger, frame):
    before = gateway.figure("results_ignored_total")
    stranger.send(frame)
    assert_served(stranger)
    assert stranger.inbox == []
    assert gateway.figure("results_ignored_total") == before + 1


def test_unknown_members_are_ignored_and_escapes_are_read(stranger):
    stranger.send_text('{"\\u0074ype":"requ\\u0065st","id":"\\u00e4\\n","cls":"log\\u006fut","x":{}}')
    error = stranger.expect(lambda f: True, "an error")
    assert (error["id"], error["cls"], code_of(error)) == ("ä\n", "logout", 4010310)


@pytest.mark.parametrize("cls", NEEDS_LOGIN)
def test_what_needs_a_login_is_refused_before_it(stranger, cls):
    error = stranger.request(cls)
    assert code_of(error) == NEEDS_LOGIN[cls] and error["cls"] == cls
    assert error["data"]["msg"] == "Not Authenticated"


@pytest.mark.parametrize("cls, code", [("subscribe", 4010810), ("revoke", 4010910)])
def test_a_notification_that_needs_a_login_is_refused_without_an_id(stranger, cls, code):
    stranger.notify(cls, [])
    assert code_of(stranger.expect_error()) == code


# ---- login

@pytest.mark.parametrize("data", [
    {}, {"username": "ada"}, {"password": "x"}, {"username": 7, "password": "x"},
    {"username": "ada", "password": None}, {"username": ["ada"], "password": "x"},
    {"username": "ada", "password": "a\0b"}, {"username": "ada", "password": "x" * 100000}],
    ids=lambda value: str(value)[:40])
def test_a_login_of_the_wrong_shape_is_malformed(stranger, data):
    error = stranger.request("login", **data)
    assert code_of(error) == 4000100 and error["data"]["msg"].startswith("Format Error: ")


@pytest.mark.parametrize("data", [None, 7, "ada", ["ada", "x"]])
def test_a_login_whose_data_is_no_object_is_malformed(stranger, data):
    stranger.send({"type": "request", "id": "x", "cls": "login", "data": data})
    assert code_of(stranger.answer_to("x")) == 4000100


@pytest.mark.parametrize("data", [
    {"username": "ada@example.org", "password": "wrong"},
    {"username": "ada@example.org", "password": ""},
    {"username": "nobody@example.org", "password": "wrong"}, {"username": "", "password": ""},
    {"username": "ada@example.org:correct", "password": " horse"}])
def test_a_wrong_name_and_a_wrong_password_are_not_told_apart(stranger, data):
    error = stranger.request("login", **data)
    assert code_of(error) == 4010130 and error["data"]["msg"] == "Invalid Credential"
    assert_served(stranger)


def test_a_deployment_may_ask_for_the_distinction(new_stack, connect_content):
    stack = new_stack(settings={"auth.tell_unknown_users": "true"})
    client = connect_content(stack.gateways[0])
    error = client.request("login", username="nobody@example.org", password="x")
    assert code_of(error) == 4010120 and error["data"]["msg"] == "User Not Found"
    assert code_of(client.request("login", username="ada@example.org", password="x")) == 4010130


def test_so_it_is_with_users_who_have_registered(new_stack, connect, connect_content):
    stack = new_stack(settings={"auth.tell_unknown_users": "true", "auth.providers": "basic",
                                "gateway.content_provider": "activestack:basic"})
    names = {"firstName": "Ada", "lastName": "Example", "email": "ada@example.org"}
    connect(stack.gateways[0]).request(
        "register", event=True, authProvider="activestack:basic",
        credential=json.dumps({"username": "ada", "password": "right", "metadata": names}))
    client = connect_content(stack.gateways[0])
    assert code_of(client.request("login", username="nobody", password="right")) == 4010120
    assert code_of(client.request("login", username="ada", password="wrong")) == 4010130
    assert client.request("login", username="ada", password="right")["status"] == 200


def test_a_login_is_answered_by_its_result_alone(agent, open_client, log_in):
    client = open_client()
    answer = log_in(client)
    assert (answer["type"], answer["cls"], answer["status"]) == ("result", "login", 200)
    assert answer["data"]["session"]
    client.drain(0.05)
    assert client.inbox == []


def test_who_is_logged_in_does_not_log_in_again(agent, open_client, log_in):
    client = open_client()
    log_in(client)
    again = client.request("login", **login_data(agent.stack.credential("ben")))
    assert code_of(again) == 4010110
    assert code_of(client.request("reconnect", session="x")) == 4010210


def test_a_provider_that_is_not_there_lets_nobody_in(new_stack, connect_content):
    stack = new_stack(settings={"gateway.content_provider": "nowhere"})
    client = connect_content(stack.gateways[0])
    assert code_of(client.request("login", **login_data(stack.credential("ada")))) == 4010130


def test_who_does_not_log_in_in_time_is_sent_away(new_stack, connect_content):
    stack = new_stack(sync_agents=0, auth_agents=0, settings={"gateway.login_timeout_ms": 100})
    assert connect_content(stack.gateways[0]).expect_close().code == 4004


def test_a_login_without_agents_is_told_to_come_later(new_stack, connect_content):
    stack = new_stack(sync_agents=0, auth_agents=0,
                      settings={"gateway.request_timeout_ms": 300})
    client = connect_content(stack.gateways[0])
    assert code_of(client.request("login", username="ada", password="x")) == 5030100


# ---- reconnect

@pytest.mark.parametrize("data", [{}, {"session": None}, {"session": 7}, {"session": ""},
                                  {"session": "x" * 1025}], ids=lambda value: str(value)[:40])
def test_a_return_of_the_wrong_shape_is_malformed(stranger, data):
    assert code_of(stranger.request("reconnect", **data)) == 4000200
    assert_served(stranger)


def test_a_return_is_bound_by_its_reply(agent, open_client):
    client = open_client()
    message = client.send_request("reconnect", session="the token")
    request = agent.take("reconnect")
    assert (request.properties.headers["dialect"], request.user) == ("content", None)
    assert (request.properties.message_id, request.body["token"]) == (message, hashed("the token"))
    agent.result(request, "reconnect", user="u1")
    assert client.answer_to(message)["status"] == 200
    assert code_of(client.request("login", username="a", password="b")) == 4010110


def test_who_cannot_return_may_log_in(agent, open_client, log_in):
    client = open_client()
    message = client.send_request("reconnect", session="unknown")
    request = agent.take("reconnect")
    agent.reply(request, {"type": "error", "id": message, "cls": "reconnect", "status": 401,
                          "data": {"code": 4010220, "msg": "Unknown Session"}})
    assert code_of(client.answer_to(message)) == 4010220
    assert log_in(client)["type"] == "result"


def test_who_has_gone_before_the_binding_is_known_is_unbound(agent, open_client):
    client = open_client()
    client.send_request("reconnect", session="the token")
    request = agent.take("reconnect")
    client.close()
    figure = agent.stack.gateways[0].figure
    agent.serve_until(lambda: figure("connections") == 0, "the client has gone")
    agent.result(request, "reconnect", user="u1")
    farewell = agent.take("disconnect")
    assert (farewell.client, farewell.user) == (request.client, "u1")


# ---- logout

def test_after_a_logout_the_connection_may_log_in_again(agent, open_client, log_in):
    client = open_client()
    log_in(client)
    clients = set(agent.gateways)
    message = client.send_request("logout")
    request = agent.take("logout")
    agent.reply_empty(request)
    answer = client.answer_to(message)
    assert answer == {"type": "result", "id": message, "cls": "logout", "status": 200}
    assert code_of(client.request("logout")) == 4010310
    assert log_in(client, "ben")["type"] == "result"
    assert len(set(agent.gateways) - clients) == 1  # under another client id


# ---- changed

def test_blocks_go_out_as_they_are_and_their_answers_back(agent, open_client, log_in):
    client = open_client(answers=False)
    log_in(client)
    (name,) = agent.gateways
    for number in (1, 2):
        block = agent.push_block(name, number)
        received = client.expect_block()
        assert received.text == json.dumps(block)
        client.answer_block(received)
        assert agent.take("changedReceived").body == {"v": 1, "receipts": [[name, number]]}


def test_answers_of_many_clients_travel_together(agent, open_client, log_in):
    clients = [open_client() for _ in range(5)]
    for client in clients:
        log_in(client)
    for name in agent.gateways:
        agent.push_block(name, 7)
    for client in clients:
        client.expect_block()
    told = []

    def all_answered():
        told[:] = itertools.chain(*(r.body["receipts"] for r in agent.waiting
                                    if r.operation == "changedReceived"))
        return len(told) == len(clients)

    agent.serve_until(all_answered, "all answers")
    assert sorted(told) == sorted([name, 7] for name in agent.gateways)


# ---- With real agents

def test_one_connection_may_have_two_lives(stack, gateway, stranger, connect_content):
    first = stranger.login(stack.credential("ada"))
    assert stranger.logout()["status"] == 200
    assert code_of(stranger.get_content(first["self"])) == 4010410
    second = stranger.login(stack.credential("ben"))
    assert second["session"] != first["session"] and second["self"] != first["self"]
    assert stranger.get_content(second["self"])["status"] == 200
    assert code_of(connect_content(gateway).reconnect(first["session"])) == 4010220


def test_a_session_moves_to_the_connection_that_asks_for_it(stack, stranger, connect_content):
    entries = stranger.login(stack.credential("ada"))
    other = connect_content(stack.gateways[1])
    assert other.reconnect(entries["session"])["status"] == 200
    assert stranger.expect_close().code == 4001
    assert other.get_content(entries["self"])["status"] == 200
    assert other.logout()["status"] == 200
    assert code_of(other.reconnect(entries["session"])) == 4010220
    assert other.login(stack.credential("ada"))["self"] == entries["self"]


def test_a_login_of_activestack_is_no_session_of_this_protocol(stack, gateway, stranger, connect):
    client = connect(gateway, "ada")
    assert code_of(stranger.reconnect(client.token)) == 4010220
    assert client.request("findById", theClassName="com.app.mo.Task", theClassId="x")["cn"]


# ---- Notifications of the client: none is answered, so none can be waited for

def test_wishes_of_a_client_are_carried_out_in_their_order(agent, open_client, log_in):
    client = open_client()
    log_in(client)
    client.subscribe(key("user", 1))
    client.revoke(key("user", 1))
    client.subscribe(key("user", 2))
    first = agent.take("subscribe")
    agent.serve(0.2)
    assert agent.waiting == [], "the next one waits for this one"
    agent.reply_empty(first)
    agent.reply_empty(agent.take("revoke"))
    assert agent.take("subscribe").body["data"] == [key("user", 2)]


# ---- The other protocol

@pytest.mark.parametrize("operation", ["get_content", "patch_content", "subscribe", "revoke",
                                       "changedReceived"])
def test_activestack_has_no_operations_of_this_protocol(gateway, stack, connect, operation):
    client = connect(gateway)
    client.login(PROVIDER, stack.credential("ada"))
    client.send([operation, {"messageId": "m"}])
    error = client.expect(lambda f: f.get("correspondingMessageId") == "m", "an error")
    assert error["errorCode"] == "-106"
