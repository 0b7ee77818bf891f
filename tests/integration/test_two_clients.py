"""What one client writes arrives at the other: two gateways, three sync agents.

Pushes, receipts (spec 3.6, 6; design section 9).
"""

import uuid

import pytest
from client import AUTH, SYNC
from servers import wait_until
from shapes import assert_sync_shape
from store import assert_books_balance, balance, marks_of, session_of

TASK, NOTE = "com.app.mo.Task", "com.app.mo.Note"


@pytest.fixture
def writer(stack, connect):
    return connect(stack.gateways[0], "ada")


@pytest.fixture
def reader(stack, connect):
    return connect(stack.gateways[1], "ben")


@pytest.fixture
def task(stack, writer, reader, new_id):
    """A Task that the writer has made and the reader has read and has been told of once.

    So everything around the reading is over: a change that overtakes it is told twice.
    """
    task = new_id("task")
    writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "young"})
    read(reader, task)
    put(writer, task, title="old")
    reader.expect_update(task, title="old")
    acknowledge_all(stack, reader, task)
    reader.inbox.clear()
    return task


def read(client, task):
    return client.request("findById", theClassName=TASK, theClassId=task)["result"]


def put(client, task, **fields):
    response = client.request("putObject", theObject={"cn": TASK, "ID": task, **fields})
    assert response["result"] is True
    return response


def remove(client, task):
    return client.request("removeObject", removePair={"className": TASK, "ID": task})


def is_push(frame):
    return "objectList" in frame


def expect_push(client, name):
    return client.expect_push(lambda f: f["cn"] == SYNC + name, name)


def pending(stack, client):
    """ID -> "u" or "d", for all that this client has not acknowledged."""
    redis = stack.redis()
    marks = marks_of(redis, session_of(redis, client.client_id))
    return {ref.split(":", 1)[1]: mark[0] for ref, mark in marks.items() if mark[0] != "-"}


def acknowledge_all(stack, client, task):
    """Sends receipts until each push has one."""
    for _ in range(6):
        client.acknowledge((TASK, task))
        if not pending(stack, client):
            return
    raise AssertionError(f"still pending: {pending(stack, client)}")


# ---- Shapes

def test_an_update_push_has_the_seeds_shape_and_names_what_changed(writer, reader, task):
    put(writer, task, title="new", done=True)
    push = expect_push(reader, "PushUpdateResponse")
    assert_sync_shape(push, "PushUpdateResponse", reader.client_id, None)
    assert push["objectList"] == [read(reader, task)]
    assert list(push["objectList"][0]) == list(read(writer, task))
    assert push["updatedFields"] == ["done", "title"], "in ascending order"


def test_a_delete_push_has_the_seeds_shape(writer, reader, task):
    remove(writer, task)
    push = expect_push(reader, "PushDeleteResponse")
    assert_sync_shape(push, "PushDeleteResponse", reader.client_id, None)
    assert [list(pair.items()) for pair in push["objectList"]] == [
        [("className", TASK), ("ID", task)]]


def test_a_cleared_field_is_named_too(writer, reader, task):
    put(writer, task, title=None)
    push = expect_push(reader, "PushUpdateResponse")
    assert push["updatedFields"] == ["title"] and push["objectList"][0]["title"] is None


# ---- Who is told

def test_the_writer_is_not_told_what_it_wrote(writer, reader, task):
    put(writer, task, title="new")
    reader.expect_update(task, title="new")
    remove(writer, task)
    reader.expect_delete(task)
    writer.expect_nothing(is_push, 0.1)


def test_who_has_not_read_an_object_is_not_told_of_it(stack, connect, writer, reader, task):
    other = connect(stack.gateways[1], "cleo")
    put(writer, task, title="new")
    reader.expect_update(task)
    other.expect_nothing(is_push, 0.1)


def test_who_created_an_object_is_told_what_others_make_of_it(writer, reader, task):
    put(reader, task, title="changed")
    assert writer.expect_update(task)["title"] == "changed"


def test_every_client_is_told_also_several_of_one_user_on_one_gateway(stack, connect, writer, task):
    readers = [connect(stack.gateways[i % 2], "ben") for i in range(6)]
    for reader in readers:
        read(reader, task)
    put(writer, task, title="for all")
    for reader in readers:
        assert reader.expect_update(task)["title"] == "for all"


def test_what_was_removed_is_not_watched_any_more(stack, writer, reader, task):
    remove(writer, task)
    reader.expect_delete(task)
    redis = stack.redis()
    wait_until(lambda: not redis.exists(f"{{o:{TASK}:{task}}}:w"), 10, "the watches are gone")


def test_changes_are_told_in_their_order_up_to_the_newest(writer, reader, task):
    for title in "abcdefghij":
        put(writer, task, title=title)
    titles = []
    while titles[-1:] != ["j"]:
        titles.append(expect_push(reader, "PushUpdateResponse")["objectList"][0]["title"])
        reader.acknowledge((TASK, task))  # at most four pushes go out without a receipt
    assert titles == sorted(titles), "never something older after something newer"


def test_a_put_that_changes_nothing_tells_nobody(writer, reader, task):
    put(writer, task, title="old")
    put(writer, task, text="end")
    assert expect_push(reader, "PushUpdateResponse")["updatedFields"] == ["text"]


# ---- Receipts

def test_a_push_is_pending_until_its_receipt(stack, writer, reader, task):
    put(writer, task, title="new")
    reader.expect_update(task)
    assert pending(stack, reader) == {task: "u"}
    assert reader.acknowledge((TASK, task))["result"] is True
    assert pending(stack, reader) == {}


def test_a_delete_is_pending_until_its_receipt(stack, writer, reader, task):
    remove(writer, task)
    reader.expect_delete(task)
    reader.acknowledge((TASK, task))  # of updates, not of deletes
    assert pending(stack, reader) == {task: "d"}
    assert reader.acknowledge((TASK, task), deletes=True)["result"] is True
    assert pending(stack, reader) == {}


def test_one_receipt_may_answer_many_pushes(stack, writer, reader, new_id):
    tasks = [new_id("task") for _ in range(30)]
    for task in tasks:
        writer.request("createObject", theObject={"cn": TASK, "ID": task})
        read(reader, task)
    for task in tasks:  # all of them before the first is told again
        put(writer, task, title="new")
    for task in tasks:
        reader.expect_update(task)
    assert len(pending(stack, reader)) == 30
    reader.acknowledge(*((TASK, task) for task in tasks))
    assert pending(stack, reader) == {}, "one receipt for each is enough"


def test_a_receipt_settles_one_push_and_not_the_next(stack, writer, reader, task):
    for title in ("a", "b"):
        put(writer, task, title=title)
        reader.expect_update(task, title=title)
    reader.acknowledge((TASK, task))
    assert pending(stack, reader) == {task: "u"}
    acknowledge_all(stack, reader, task)


def test_a_receipt_too_many_settles_nothing_later(stack, writer, reader, task):
    put(writer, task, title="a")
    reader.expect_update(task, title="a")
    reader.acknowledge((TASK, task))
    reader.acknowledge((TASK, task))
    put(writer, task, title="b")
    reader.expect_update(task, title="b")
    assert pending(stack, reader) == {task: "u"}


def test_a_receipt_settles_only_what_was_pushed_to_the_session_that_sends_it(
        stack, writer, reader, task):
    put(writer, task, title="new")
    reader.expect_update(task)
    response = writer.request("updatesReceived", clientId=reader.client_id,
                              userId=reader.user_id, classIdPairs=[{"className": TASK, "ID": task}])
    assert response["result"] is True and response["clientId"] == writer.client_id
    assert pending(stack, reader) == {task: "u"}


@pytest.mark.parametrize("pairs", [None, [], [{"className": "none", "ID": "x", "properties": {}}]])
def test_a_receipt_for_nothing_is_answered(reader, pairs):
    for operation in ("updatesReceived", "deletesReceived"):
        assert reader.request(operation, classIdPairs=pairs)["result"] is True


def test_a_receipt_with_properties_counts(stack, writer, reader, task):
    put(writer, task, title="new")
    reader.expect_update(task)
    reader.request("updatesReceived", sendAck=True, classIdPairs=[
        {"className": TASK, "ID": task, "properties": {}}])
    assert pending(stack, reader) == {}


def test_a_huge_receipt_is_settled(stack, writer, reader, task):
    put(writer, task, title="new")
    reader.expect_update(task)
    others = [(TASK, f"unknown-{i}") for i in range(2000)]
    assert reader.acknowledge(*others, (TASK, task))["result"] is True
    assert pending(stack, reader) == {}


def test_the_writer_is_told_when_it_had_not_heard_of_an_earlier_change(writer, reader, task):
    put(writer, task, title="by the writer")
    put(reader, task, text="by the reader")  # before it has acknowledged the writer's change
    told = reader.expect_update(task, text="by the reader")
    assert told["title"] == "by the writer"


@pytest.fixture
def mine(task):
    """A put that is sent more than once."""
    return {"messageId": str(uuid.uuid4()), "theObject": {"cn": TASK, "ID": task, "title": "mine"}}


def test_a_put_that_is_answered_after_a_newer_change_does_not_stay_the_last_word(
        stack, writer, reader, task, mine):
    """The writer takes its values for true when it is answered."""
    writer.request("putObject", **mine)
    put(reader, task, title="theirs")
    writer.expect_update(task, title="theirs")
    acknowledge_all(stack, writer, task)
    writer.inbox.clear()
    assert writer.request("putObject", **mine)["result"] is True
    writer.expect_update(task, title="theirs")


def test_who_puts_without_watching_is_not_told_of_newer_changes(
        stack, connect, writer, reader, task, mine):
    cleo = connect(stack.gateways[0], "cleo")
    cleo.request("putObject", **mine)
    put(reader, task, title="theirs")
    writer.expect_update(task, title="theirs")
    assert cleo.request("putObject", **mine)["result"] is True
    cleo.expect_nothing(is_push, 0.3)
    assert not pending(stack, cleo)


def test_the_books_balance_after_all_that(stack):
    def balanced():
        counters, counted = balance(stack.redis())
        return counters == counted

    assert balanced()


# ---- Connections that end

def test_a_client_that_vanishes_is_unbound_and_its_marks_are_kept(stack, writer, reader, task):
    redis = stack.redis()
    sid = session_of(redis, reader.client_id)
    reader.vanish()
    wait_until(lambda: redis.hget(f"{{s:{sid}}}", "gw") == "", 10, "the session is unbound")
    put(writer, task, title="missed")
    wait_until(lambda: marks_of(redis, sid)[f"{TASK}:{task}"][0] == "u", 10, "the change is marked")


def test_a_logout_is_answered_before_the_close(stack, writer, reader, task):
    redis = stack.redis()
    sid = session_of(redis, reader.client_id)
    put(writer, task, title="never acknowledged")
    reader.expect_update(task)
    message = reader.send_request("logout", pleaseDestroyClient=True)
    response = reader.expect(lambda f: f.get("cn", "").startswith(AUTH), "DisconnectResponse")
    assert response["cn"] == AUTH + "DisconnectResponse"
    assert response["result"] is True
    assert response["clientId"] == reader.client_id
    assert response["correspondingMessageId"] in (None, message)
    assert reader.expect_close().code == 1000

    wait_until(lambda: not redis.keys(f"{{s:{sid}}}:[wmd]"), 10, "what it owned is gone")
    assert redis.hget(f"{{s:{sid}}}", "gw") == ""
    assert_books_balance(redis)


@pytest.mark.parametrize("event", [False, True])
def test_after_a_logout_the_token_is_worth_nothing(stack, connect, event):
    client = connect(stack.gateways[0], "cleo")
    token = client.token
    client.send_request("logout", event=event)
    assert client.expect_close().code == 1000
    again = connect(stack.gateways[0])
    assert again.request("reauthenticate", token=token)["result"] is None
