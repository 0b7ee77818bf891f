"""What is not acknowledged is told again: times, newest state, deletes (design section 9)."""

import pytest
from servers import wait_until
from stack import Stack
from store import assert_books_balance, marks_of, session_of

TASK = "com.app.mo.Task"
FIRST_MS = 300
SETTINGS = {"sync.redelivery_first_ms": FIRST_MS, "sync.redelivery_max_ms": 600,
            "sync.redelivery_silent_ms": 8000, "sync.poll_ms": 20}


@pytest.fixture(scope="module")
def hasty_stack(servers):
    """Tells again after 0.3 s, then every 0.6 s; after 8 s those who send no receipts."""
    with Stack(servers, gateways=2, sync_agents=2, settings=SETTINGS) as stack:
        yield stack


@pytest.fixture
def writer(hasty_stack, connect):
    yield connect(hasty_stack.gateways[0], "ada")
    hasty_stack.check()


@pytest.fixture
def reader(hasty_stack, connect):
    """A client whose session has sent a receipt before."""
    client = connect(hasty_stack.gateways[1], "ben")
    client.acknowledge((TASK, "nothing"))
    return client


@pytest.fixture
def task(hasty_stack, writer, reader, new_id):
    task, redis = shared_task(writer, reader, new_id), hasty_stack.redis()
    while f"{TASK}:{task}" in marks_of(redis, session_of(redis, reader.client_id)):
        reader.acknowledge((TASK, task))
    reader.inbox.clear()
    return task


def shared_task(writer, reader, new_id):
    """The ID of a Task that the reader has read, and has been told of once: so that is over."""
    task = new_id("task")
    writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "young"})
    reader.request("findById", theClassName=TASK, theClassId=task)
    put(writer, task, title="old")
    reader.expect_update(task, title="old")
    return task


def put(client, task, **fields):
    client.request("putObject", theObject={"cn": TASK, "ID": task, **fields})


def remove(client, task):
    client.request("removeObject", removePair={"className": TASK, "ID": task})


def is_push(frame):
    return "objectList" in frame


def next_push(client):
    return client.expect_push(is_push)


def expect_no_more(client):
    """What was under way when the receipt came may come still."""
    client.drain(0.9)
    client.inbox.clear()
    client.expect_nothing(is_push, 0.9)


def test_an_update_is_told_again_until_its_receipt(hasty_stack, writer, reader, task):
    """How long it waits in between is what test_scripts.py looks at, by the clock of the scripts."""
    put(writer, task, title="new")
    first, again, later = (next_push(reader) for _ in range(3))
    assert first["updatedFields"] == ["title"]
    assert again["updatedFields"] == later["updatedFields"] == []
    assert first["objectList"] == again["objectList"] == later["objectList"]
    redis = hasty_stack.redis()
    assert f"{TASK}:{task}" in marks_of(redis, session_of(redis, reader.client_id))
    reader.acknowledge((TASK, task))
    expect_no_more(reader)


def test_a_delete_is_told_again_until_its_receipt(writer, reader, task):
    remove(writer, task)
    first, again = next_push(reader), next_push(reader)
    assert first["objectList"] == again["objectList"] == [{"className": TASK, "ID": task}]
    assert first["cn"] == again["cn"]
    reader.acknowledge((TASK, task), deletes=True)
    expect_no_more(reader)


def test_only_the_newest_state_is_told_again(writer, reader, task):
    for title in ("a", "b", "c"):
        put(writer, task, title=title)
    reader.expect_update(task, title="c")
    reader.inbox.clear()
    again = [next_push(reader) for _ in range(3)][-1]  # those before may have been under way
    assert again["updatedFields"] == [] and again["objectList"][0]["title"] == "c"


def test_what_is_gone_meanwhile_is_told_as_deleted(writer, reader, task):
    put(writer, task, title="new")
    reader.expect_update(task)
    remove(writer, task)
    reader.expect_delete(task)
    reader.inbox.clear()
    again = [next_push(reader) for _ in range(3)][1:]  # the one before may have been under way
    assert all(push["cn"].endswith("PushDeleteResponse") for push in again), "the update is never told again"


def test_many_objects_are_told_again_in_one_message(writer, reader, new_id):
    tasks = [shared_task(writer, reader, new_id) for _ in range(20)]
    for task in tasks:
        put(writer, task, title="new")
    for task in tasks:
        reader.expect_update(task)
    together = reader.expect_push(lambda f: len(f.get("objectList", [])) > 1)
    assert together["updatedFields"] == []
    told = {o["ID"] for o in together["objectList"]}
    while told != set(tasks):
        told |= {o["ID"] for o in next_push(reader)["objectList"]}


def test_a_receipt_that_comes_with_the_next_redelivery_ends_it_too(hasty_stack, writer, reader, task):
    put(writer, task, title="new")
    next_push(reader)
    next_push(reader)
    reader.acknowledge((TASK, task))  # for the first
    reader.acknowledge((TASK, task))  # for the second
    redis = hasty_stack.redis()
    assert f"{TASK}:{task}" not in marks_of(redis, session_of(redis, reader.client_id))


def test_who_never_sends_receipts_is_told_again_much_later(hasty_stack, connect, writer, new_id):
    silent = connect(hasty_stack.gateways[1], "cleo")
    task = shared_task(writer, silent, new_id)
    put(writer, task, title="new")
    silent.expect_update(task)
    silent.expect_nothing(is_push, 1.5)
    assert silent.expect_update(task, title="new")


def test_while_a_client_is_away_nothing_is_sent_to_it(hasty_stack, writer, reader, task):
    redis = hasty_stack.redis()
    sid = session_of(redis, reader.client_id)
    put(writer, task, title="new")
    next_push(reader)
    reader.vanish()
    wait_until(lambda: redis.hget(f"{{s:{sid}}}", "gw") == "", 10, "the session is unbound")
    assert redis.zscore("due", sid) is None
    assert marks_of(redis, sid)[f"{TASK}:{task}"][:2] == ["u", "3"]


def test_sessions_of_a_gateway_that_died_are_unbound_when_a_push_comes_back(
        hasty_stack, connect, writer, new_id):
    gateway, redis = hasty_stack.gateways[1], hasty_stack.redis()
    orphan = connect(gateway, "ben")
    orphan.acknowledge((TASK, "nothing"))
    task = shared_task(writer, orphan, new_id)
    sid = session_of(redis, orphan.client_id)
    queue = redis.hget(f"{{s:{sid}}}", "gw")
    gateway.kill()
    hasty_stack.servers.rabbitmq.management("DELETE",
                                            f"/api/queues/{hasty_stack.vhost}/{queue}")
    put(writer, task, title="new")
    wait_until(lambda: redis.hget(f"{{s:{sid}}}", "gw") == "", 10, "the session is unbound")
    assert marks_of(redis, sid)[f"{TASK}:{task}"][:2] == ["u", "3"]
    gateway.start()


def test_the_books_balance_after_all_that(hasty_stack):
    assert_books_balance(hasty_stack.redis())
