"""Clients that stay though their connection does not: hibernate, upgradeClient, logout (spec 1.8, 3.3)."""

import pytest
from client import AUTH, SYNC
from servers import wait_until
from shapes import assert_error, assert_sync_shape
from store import assert_books_balance, marks_of, session_key, session_of

TASK = "com.app.mo.Task"


@pytest.fixture
def writer(stack, connect):
    return connect(stack.gateways[0], "ada")


@pytest.fixture
def reader(stack, connect):
    return connect(stack.gateways[1], "ben")


@pytest.fixture
def session(stack, reader):
    """The fields of the reader's session."""
    sid = session_of(stack.redis(), reader.client_id)
    return lambda *names: stack.redis().hmget(session_key(sid), *names)


@pytest.fixture
def marks(stack, reader):
    sid = session_of(stack.redis(), reader.client_id)
    return lambda: marks_of(stack.redis(), sid)


@pytest.fixture
def task(writer, reader, new_id):
    """A Task that the writer has made and the reader has read."""
    task = new_id("task")
    writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "old"})
    reader.request("findById", theClassName=TASK, theClassId=task)
    return task


def put(client, task, title):
    assert client.request("putObject", theObject={"cn": TASK, "ID": task, "title": title})["result"]


def hibernate(client):
    client.send({"hibernate": {}})
    return client.expect_push(lambda f: f["cn"] == SYNC + "HibernateResponse", "HibernateResponse")


def is_push(frame):
    return "objectList" in frame


# ---- hibernate

def test_hibernation_unbinds_the_session_and_leaves_the_socket_open(reader, session, task):
    response = hibernate(reader)
    assert_sync_shape(response, "HibernateResponse", reader.client_id, None)
    assert response["result"] is True
    assert session("gw", "hibernates") == ["", "1"]
    found = reader.request("findById", theClassName=TASK, theClassId=task)
    assert found["result"]["title"] == "old", "requests are still served"


def test_who_hibernates_is_told_nothing_and_nothing_is_forgotten(writer, reader, marks, task):
    hibernate(reader)
    put(writer, task, "missed")
    wait_until(marks, 10, "the change is marked")
    reader.expect_nothing(is_push, 0.3)
    assert marks()[f"{TASK}:{task}"][:2] == ["u", "2"]


def test_two_special_messages_in_one_frame_are_served_in_their_order(stack, connect):
    client = connect(stack.gateways[0])
    client.send({"hibernate": {}, "ack": {"correspondingMessageId": "x"}})
    error = client.expect(lambda f: "errorCode" in f, "an error")
    assert_error(error, "-100")


def test_a_hibernation_before_the_login_is_complete_waits_for_it(stack, connect):
    client = connect(stack.gateways[0])
    client.send_request("authenticate", authProvider="file", credential=stack.credential("cleo"))
    client.expect(lambda f: f.get("cn") == AUTH + "AuthenticationResponse", "the login")
    assert hibernate(client)["result"] is True


# ---- upgradeClient

def test_an_upgrade_makes_the_session_persistent(reader, session):
    message = reader.send_request("upgradeClient", deviceType="phone")
    response = reader.response_to(message)
    assert_sync_shape(response, "UpgradeClientResponse", reader.client_id, message)
    assert response["result"] is True
    assert session("persistent", "deviceType") == ["1", "phone"]


@pytest.mark.parametrize("event", [False, True])
def test_an_upgrade_wakes_up_and_sends_what_was_missed(writer, reader, session, marks, task, event):
    hibernate(reader)
    put(writer, task, "missed")
    wait_until(marks, 10, "the change is marked")
    assert reader.request("upgradeClient", event=event)["result"] is True
    assert reader.expect_update(task, title="missed")
    assert session("hibernates")[0] == "0" and session("gw")[0].startswith("gateway.")
    put(writer, task, "afterwards")
    assert reader.expect_update(task, title="afterwards")


def test_an_upgrade_sends_again_what_was_not_acknowledged(writer, reader, task):
    put(writer, task, "new")
    reader.expect_update(task, title="new")
    reader.request("upgradeClient", deviceType=None)
    assert reader.expect_update(task, title="new")


def test_an_upgrade_without_anything_missed_pushes_nothing(reader, task):
    assert reader.request("upgradeClient", deviceType="x")["result"] is True
    reader.expect_nothing(is_push, 0.3)


@pytest.mark.parametrize("kind", [7, True, [], {}, "x" * 256])
def test_a_device_type_is_a_short_text(reader, session, kind):
    assert_error(reader.request("upgradeClient", deviceType=kind), "-115", "deviceType")
    assert session("persistent") == [None]


# ---- logout

def log_out(client, **members):
    client.send_request("logout", **members)
    assert client.expect_close().code == 1000


def test_the_session_of_a_persistent_client_outlives_its_logout(writer, reader, session, marks, task):
    reader.request("upgradeClient", deviceType="phone")
    token = reader.token
    log_out(reader)
    assert session("gw", "ended") == ["", None]
    put(writer, task, "missed")
    wait_until(marks, 10, "the change is marked")
    assert writer.request("validateUserByToken", token=token)["result"] is False, "but not its login"


@pytest.mark.parametrize("upgraded, members", [
    (False, {}), (False, {"pleaseDestroyClient": False}), (True, {"pleaseDestroyClient": True}),
    (False, {"pleaseDestroyClient": True})])
def test_other_sessions_end_with_the_logout(stack, writer, reader, session, marks, task, upgraded,
                                            members):
    if upgraded:
        reader.request("upgradeClient")
    put(writer, task, "never acknowledged")
    reader.expect_update(task)
    log_out(reader, **members)
    assert session("ended")[0] and session("gw") == [""]
    wait_until(lambda: not marks(), 10, "what it owned is gone")
    assert_books_balance(stack.redis())


@pytest.mark.parametrize("destroy", ["yes", 1, None, []])
def test_only_true_destroys(reader, session, destroy):
    reader.request("upgradeClient")
    log_out(reader, pleaseDestroyClient=destroy)
    assert session("ended") == [None]
