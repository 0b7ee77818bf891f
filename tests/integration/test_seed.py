"""The core API to the letter: each request as support/seed-messages.md prints it, each answer beside
the printed one.

Left out: `reconnect`, which is not served under that name and is answered with error -106
(test_bad_input.py), and the logins by OAuth (the second and third print under "Login"), which need a
provider (test_oauth.py).
"""

import json
import uuid

import pika
import pytest
from asking import create, find, get_all, put, remove
from by_hand import Operator
from client import AUTH, SYNC, pair
from relations import wait_for_jobs
from sealing import hashed
from seed import MEMBERS, PRINTS, SEED_MODEL, answer_to, assert_like, fill, request_of
from servers import wait_until
from shapes import assert_auth_shape, assert_sync_shape
from stack import Stack
from store import now_ms, pending_marks, session_key, session_of
from workers import Worker

MY_MODEL, SOME_MODEL = "com.app.mo.MyModelObject", "com.app.mo.SomeModelObject"
SINGLE, OTHER = "com.app.mo.SingleModelObject", "com.app.mo.OtherModelObject"
RESULT = "com.app.mo.ResultModelObject"
TO_ONE, TO_MANY = "com.app.mo.MyToOneObject", "com.app.mo.MyToManyObject"
TASK = "task_name"
TO_MANY_CHILD, PERSON = "com.app.mo.MyToManyObjectChildClass", "com.app.mo.Person"

NOT_SERVED = {"reconnect"}
SERVED = {
    "Login", "Disconnect SyncEngine", "Disconnect Auth", "Logout", "connect", "findById", "findByIds",
    "getAllByName", "findByExample", "putObject", "createObject", "removeObject", "runServerProcess",
    "getChangeWatcher", "Push Updates Received", "Deletes Received", "PushUpdateResponse",
    "DeleteUpdateResponse"}


def test_every_print_is_sent_or_compared_here():
    assert set(PRINTS) == SERVED | NOT_SERVED


@pytest.fixture(scope="module")
def shared_seed_stack(servers):
    processes = servers.folder / "seed-processes.json"
    processes.write_text(json.dumps({"processes": {TASK: {"run": "signedIn", "deadlineMs": 20000}}}))
    settings = {"model.file": SEED_MODEL, "process.file": processes, "sync.redelivery_first_ms": 100,
                "sync.redelivery_silent_ms": 100}
    with Stack(servers, gateways=2, settings=settings) as stack:
        yield stack


@pytest.fixture
def seed_stack(shared_seed_stack):
    yield shared_seed_stack
    shared_seed_stack.check()


@pytest.fixture
def redis(seed_stack):
    return seed_stack.redis()


@pytest.fixture
def ada(seed_stack, connect):
    return connect(seed_stack.gateways[0], "ada")


@pytest.fixture
def ben(seed_stack, connect):
    return connect(seed_stack.gateways[1], "ben")


@pytest.fixture
def make(ada, redis):
    """Makes an object; returns its ID when everybody is told who watches its class."""
    def make(class_name, **fields):
        response = create(ada, class_name, str(uuid.uuid4()), **fields)
        assert response["result"] is True, response
        wait_for_jobs(redis)
        return response["theObject"]["ID"]

    return make


@pytest.fixture
def make_related(make):
    """Makes an object with all that is printed of one among the answers; returns its ID."""
    def make_related(**fields):
        made = make(MY_MODEL, someTimestampField=1353312000000,
                    someToOneProperty=pair(TO_ONE, make(TO_ONE)), **fields)
        for class_name in (TO_MANY, TO_MANY_CHILD):
            make(class_name, someToOneProperty=pair(MY_MODEL, made))
        return made

    return make_related


def filled(client, request, values=()):
    """The request's text and its messageId. `values` are those of its own placeholders."""
    message = str(uuid.uuid4())
    return message, fill(request, {
        "<token>": client.token, "<user_id>": client.user_id, "<user)id>": client.user_id,
        "<client_id>": client.client_id, "<uuid of message>": message, **dict(values)})


def ask(client, request, values=()):
    """Sends a printed request; returns what comes for it, the ack aside."""
    message, text = filled(client, request, values)
    client.send_text(text)
    client.expect_ack(message)
    return client.response_to(message)


def assert_answer(client, answer, heading):
    assert_like(answer, answer_to(heading))
    assert answer["clientId"] == client.client_id
    assert answer["correspondingMessageId"]


# ---- Processes

def test_run_server_process(ada, seed_stack):
    """Its answer is not printed."""
    message, request = str(uuid.uuid4()), request_of("runServerProcess")
    with Worker(seed_stack, TASK, lambda call: call.reply(call.arguments)):
        ada.send_text(fill(request, {
            "<token>": ada.token, "<user_id>": ada.user_id, "<client_id>": ada.client_id,
            "<task_name>": TASK, "<message_id>": message}))
        ada.expect_ack(message)
        answer = ada.response_to(message)
    assert_sync_shape(answer, "RunProcessResponse", ada.client_id, message)
    assert answer["result"] == ["arg1", 12.345, 12345]


# ---- Reads

def test_find_by_id(ada, make_related):
    """Its answer is not printed; the object is like the one under findByExample."""
    request, printed = request_of("findById"), answer_to("findByExample")["result"][0]
    wanted = make_related()
    answer = ask(ada, request, {"<uuid of object to find>": wanted})
    assert_sync_shape(answer, "FindByIdResponse", ada.client_id, answer["correspondingMessageId"])
    assert_like(answer["result"], printed)
    assert answer["result"]["ID"] == wanted
    assert ask(ada, request, {"<uuid of object to find>": str(uuid.uuid4())})["result"] is None


def test_find_by_ids(ada, make_related):
    """As findById."""
    wanted = [make_related() for _ in range(3)]
    answer = ask(ada, request_of("findByIds"), {
        "<uuid>": wanted[0], "<uuid of next object to find>": wanted[1],
        "<and so on>": str(uuid.uuid4()), "<uuid of last object to find>": wanted[2]})
    assert_sync_shape(answer, "FindByIdsResponse", ada.client_id, answer["correspondingMessageId"])
    assert_like(answer["result"], answer_to("findByExample")["result"])
    assert [o["ID"] for o in answer["result"]] == wanted


def test_get_change_watcher(ada, make):
    """Asked by the name of the parent class, answered by that of the object's own."""
    watched = make(SOME_MODEL)
    wanted = make(RESULT, name="first", of=pair(SOME_MODEL, watched))
    make(RESULT, name="second", of=pair(SOME_MODEL, watched))
    answer = ask(ada, request_of("getChangeWatcher"), {
        "<object_id>": watched, "<name of parameter>": "first"})
    assert_answer(ada, answer, "getChangeWatcher")
    assert answer["classIdPair"] == pair(SOME_MODEL, watched)
    assert answer["value"] == {"className": RESULT, "properties": None, "ID": wanted}


def test_get_all_by_name(ada, make):
    """The objects that are printed are of a child of the class that is asked for."""
    for left in get_all(ada, MY_MODEL)["result"]:
        remove(ada, left["cn"], left["ID"])
    made = sorted(make(SOME_MODEL) for _ in range(2))
    answer = ask(ada, request_of("getAllByName"))
    assert_answer(ada, answer, "getAllByName")
    assert [o["ID"] for o in answer["result"]] == made
    assert (answer["pageSize"], answer["pageNumber"], answer["totalCount"]) == (25, 0, 2)


def test_find_by_example(ada, make_related):
    """The printed request asks for a Person, the printed answer tells of another object."""
    request = request_of("findByExample")
    user = json.loads(fill(request, dict.fromkeys(
        ["<token>", "<user)id>", "<client_id>", "<uuid of message>"])))["theObject"]["userId"]
    person = create(ada, PERSON, userId=user)["theObject"]
    answer = ask(ada, request)
    assert list(answer) == list(answer_to("findByExample"))
    assert answer["result"] == [person] and list(person) == MEMBERS[PERSON]

    mark = str(uuid.uuid4())
    made = make_related(someStringField=mark)
    answer = ada.request("findByExample", theObject={"cn": MY_MODEL, "someStringField": mark})
    assert_answer(ada, answer, "findByExample")
    assert answer["result"] == [find(ada, MY_MODEL, made)]


def test_the_example_of_a_login_finds_the_users_own_person(ada):
    example = json.loads(fill(request_of("Login"), {
        "<UserToken.User.ID>": ada.user_id}))
    found, = ada.request("findByExample", theObject=example)["result"]
    assert (found["cn"], found["userId"]) == (PERSON, ada.user_id)


# ---- Writes, and what others are told of them

def put_values(make, object_id, at):
    return {"<uuid of object>": object_id, "<timestamp of update>": at, "<uuid>": [
        str(uuid.uuid4()), make(SINGLE), make(OTHER), make(OTHER)]}


def test_put_object(ada, ben, make):
    changed = make(MY_MODEL)
    created = find(ben, MY_MODEL, changed)
    values = put_values(make, changed, at=now_ms())
    assert_answer(ada, ask(ada, request_of("putObject"), values), "putObject")
    _, single, *others = values["<uuid>"]
    told = ben.expect_update(changed)
    assert told == find(ada, MY_MODEL, changed) == {
        **created, "someIntegerPropertyName": 12345, "someDoublePropertyName": 12.345,
        "someStringPropertyName": "...", "someToOnePropertyName": pair(SINGLE, single),
        "someToManyPropertyName": [pair(OTHER, other) for other in others]}


def test_create_object(ada, ben, make):
    get_all(ben, MY_MODEL)
    object_id, single = str(uuid.uuid4()), make(SINGLE)
    answer = ask(ada, request_of("createObject"), {
        "<uuid of new object>": object_id, "<uuid>": single})
    assert_answer(ada, answer, "createObject")
    made = answer["theObject"]
    assert (made["ID"], made["someStringProperty"], made["someToOneProperty"]) == (
        object_id, "...", pair(SINGLE, single))
    assert ben.expect_update(object_id) == find(ada, MY_MODEL, object_id) == made


def test_remove_object(ada, ben, make):
    gone = make(MY_MODEL)
    find(ben, MY_MODEL, gone)
    answer = ask(ada, request_of("removeObject"), {"<uuid of object to remove>": gone})
    assert_answer(ada, answer, "removeObject")
    assert find(ada, MY_MODEL, gone) is None
    push = ben.expect_delete(gone)
    assert_like(push, answer_to("DeleteUpdateResponse"))
    assert push["clientId"] == ben.client_id


# ---- Pushes, and their receipts

def has_mark(redis, client, object_id):
    sid = session_of(redis, client.client_id)
    return (sid, f"{MY_MODEL}:{object_id}") in pending_marks(redis)


def test_an_update_is_pushed_until_it_is_received(ada, ben, redis, make):
    """Printed is the push that comes again: the first one names the fields that have changed."""
    changed = make(MY_MODEL)
    find(ben, MY_MODEL, changed)
    put(ada, MY_MODEL, changed, someStringProperty="new")
    first, again = (ben.expect_push(lambda p: p["cn"] == SYNC + "PushUpdateResponse")
                    for _ in range(2))
    assert first["updatedFields"] == ["someStringProperty"]
    for push in ({**first, "updatedFields": []}, again):
        assert_like(push, answer_to("PushUpdateResponse"))
        assert push["clientId"] == ben.client_id
        assert push["objectList"][0]["someStringProperty"] == "new"

    assert has_mark(redis, ben, changed)
    received = request_of("Push Updates Received")
    while has_mark(redis, ben, changed):  # one receipt for each time that it was sent
        answer = ask(ben, received, {"<uuid of update object>": changed})
        assert_answer(ben, answer, "Push Updates Received")


def test_a_delete_is_pushed_until_it_is_received(ada, ben, redis, make):
    gone = make(MY_MODEL)
    find(ben, MY_MODEL, gone)
    remove(ada, MY_MODEL, gone)
    first, again = (ben.expect_delete(gone) for _ in range(2))
    for push in (first, again):
        assert_like(push, answer_to("DeleteUpdateResponse"))

    assert has_mark(redis, ben, gone)
    received = request_of("Deletes Received")
    while has_mark(redis, ben, gone):
        answer = ask(ben, received, {"<uuid of removed object>": gone})
        assert_answer(ben, answer, "Deletes Received")


# ---- The session

def test_a_client_is_told_that_it_is_connected(seed_stack, connect):
    client = connect(seed_stack.gateways[0])
    client.send_request("authenticate", authProvider="file",
                        credential=seed_stack.credential("ada"))
    response = client.expect_connect_response()
    assert_like(response, answer_to("connect"))
    assert response["clientId"] == client.client_id


def test_logout(ada, redis):
    sid = session_of(redis, ada.client_id)
    message, text = filled(ada, request_of("Logout"))
    ada.send_text(text)
    ada.expect_ack(message)
    farewell = ada.response_to(message)
    assert_auth_shape(farewell, "DisconnectResponse", ada.client_id, message)
    assert farewell["result"] is True
    assert ada.expect_close().code == 1000
    assert redis.hexists(session_key(sid), "ended")


# ---- What only the gateway sends

@pytest.fixture
def operator(seed_stack):
    with Operator(seed_stack) as operator:
        yield operator


@pytest.fixture
def login(seed_stack, operator):
    """The values of the placeholders, for a client that has logged in by hand."""
    client = uuid.uuid4().hex
    token = operator.ask("authenticate", {
        "cn": AUTH + "AuthenticationRequest", "clientId": client, "deviceId": "d",
        "authProvider": "file", "credential": seed_stack.credential("ada")})["result"]
    return {"<client)id>": client, "<client_id>": client, "<device_id>": "d",
            "<token>": token["token"], "<user_id>": token["user"]["ID"]}


def test_connect_and_disconnect(operator, redis, login):
    response = operator.ask("connect", fill(request_of("connect"), login))
    assert_like(response, answer_to("connect"))
    assert response["clientId"] == login["<client_id>"]
    row = session_key(session_of(redis, login["<client_id>"]))
    assert redis.hget(row, "gw") == operator.queue
    assert operator.ask("disconnect", fill(request_of("Disconnect SyncEngine"), login)) is None
    assert redis.hget(row, "gw") == ""
    response = operator.ask("disconnectAuth", fill(request_of("Disconnect Auth"), login))
    assert_auth_shape(response, "DisconnectResponse", login["<client_id>"], None)
    assert response["result"] is True


class Agent:
    """Stands in for the agents: takes what a gateway publishes, and answers it."""

    def __init__(self, stack):
        self.connection = stack.amqp()
        self.channel = self.connection.channel()
        for queue in ("connect", "disconnect", "logout"):
            self.channel.queue_declare(queue, durable=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def take(self, queue):
        """The next message: its properties, and its body, parsed."""
        taken = []

        def has_come():
            taken[:] = self.channel.basic_get(queue, auto_ack=True)
            return taken[0] is not None

        wait_until(has_come, 20, f"a message in {queue}")
        return taken[1], json.loads(self.stack.opened(queue, *taken[1:]))

    def answer(self, request, body="", **headers):
        """`request` are the properties of what is answered."""
        self.channel.basic_publish("", request.reply_to, body.encode(), pika.BasicProperties(
            type="reply", correlation_id=request.correlation_id, message_id=request.message_id,
            headers={"client": request.headers["client"], **headers}))


@pytest.fixture
def agent(new_stack):
    """Instead of a sync agent."""
    stack = new_stack(sync_agents=0, settings={"model.file": SEED_MODEL})
    with Agent(stack) as agent:
        agent.stack = stack
        yield agent


def log_in(agent, connect):
    """A client that the agent has bound to a session."""
    client = connect(agent.stack.gateways[0])
    token = client.request("authenticate", authProvider="file", deviceId="d",
                           credential=agent.stack.credential("ada"))["result"]
    client.user_id, client.token = token["user"]["ID"], token["token"]
    properties, request = agent.take("connect")
    assert_own(client, request, "connect")
    response = fill(PRINTS["connect"][1], {"<client-id>": client.client_id})
    agent.answer(properties, response, user=client.user_id)
    assert client.expect_connect_response() == json.loads(response)
    return client


def assert_own(client, request, heading):
    """What the gateway has sent for the client is the print, in its order."""
    printed = json.loads(fill(request_of(heading), {
        "<client)id>": client.client_id, "<client_id>": client.client_id, "<device_id>": "d",
        "<token>": hashed(client.token), "<user_id>": client.user_id}))
    assert list(request.items()) == list({**printed, "deviceId": "d"}.items())


def test_the_gateway_connects_and_disconnects_a_client_as_printed(agent, connect):
    client = log_in(agent, connect)
    client.close()
    assert_own(client, agent.take("disconnect")[1], "Disconnect SyncEngine")


def test_the_gateway_hands_a_logout_on_and_ends_the_login_as_printed(agent, connect):
    client = log_in(agent, connect)
    agent.stack.auth_agents[0].stop()
    message, text = filled(client, request_of("Logout"))
    client.send_text(text)
    properties, request = agent.take("logout")
    assert set(request) == set(json.loads(text)) - {"token"}
    agent.answer(properties)
    properties, request = agent.take("disconnectAuth")
    assert properties.message_id == message
    assert_own(client, request, "Disconnect Auth")
