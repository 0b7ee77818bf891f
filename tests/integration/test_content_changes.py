"""What subscribers of the content protocol are told (content protocol, "Notifications", "changed").

Single steps, and what is hard to reach from outside, are in test_content_marks.py, test_content_blocks.py
and test_random_marks.py.
"""

import json

import pytest
from asking import create, put, remove
from content_client import code_of, is_block, key
from ctl import Ended
from servers import wait_until
from store import assert_books_balance, pending_marks, session_key

TASK = "com.app.mo.Task"
KEYS = 100_000
SOON = 0.3  # seconds, in which what must not happen would


@pytest.fixture
def gateway(stack):
    return stack.gateways[0]


@pytest.fixture
def writer(gateway, connect):
    """Of ActiveStack."""
    return connect(gateway, "ada")


@pytest.fixture
def task(writer, new_id):
    """A key of a task that there is."""
    task_id = new_id("task")
    assert create(writer, TASK, task_id, title="one")["result"]
    return key("task", task_id)


def write(writer, of, **fields):
    assert put(writer, TASK, of["id"], **fields)["result"]


def watch(reader, *keys):
    """The last is known to be watched when something is told of it, so a key of the test's own is."""
    for of in keys:
        assert code_of(reader.get_content(of, subscribe=True)) is None


def entries(block):
    return {entry["key"]["id"]: (entry["content"], entry["children"]) for entry in block["data"]}


def is_quiet(stack):
    redis = stack.redis()
    return not pending_marks(redis) and not redis.exists("jobs")


# ---- blocks

def test_what_changes_while_a_block_is_unanswered_gathers(gateway, connect_content, writer, task):
    reader = connect_content(gateway, "ben", answers=False)
    watch(reader, task)
    write(writer, task, title="two")
    first = reader.expect_block()
    assert first["type"] == "request" and first["cls"] == "changed" and "status" not in first
    assert first["data"] == [{"key": task, "content": True, "children": False}]
    for title in ("three", "four", "five"):
        write(writer, task, title=title)
    reader.expect_nothing(is_block, SOON)
    reader.answer_block(first)
    second = reader.expect_block()
    assert second["id"] != first["id"] and entries(second) == {task["id"]: (True, False)}
    assert reader.get_content(task)["data"]["content"]["title"] == "five"
    reader.answer_block(second)
    reader.expect_nothing(is_block, SOON)


def test_an_answer_clears_its_block(stack, gateway, connect_content, writer, task):
    reader = connect_content(gateway, "ben", answers=False)
    watch(reader, task)
    write(writer, task, title="two")
    block = reader.expect_block()
    redis = stack.redis()

    def marks():
        return [ref for _, ref in pending_marks(redis) if ref == f"{TASK}:{task['id']}"]

    assert marks()
    for strange in ("", "7", str(int(block["id"]) + 1), "x", "-1", "9" * 30):
        reader.answer_block({"id": strange})
    assert reader.get_content(task)["status"] == 200, "the connection is usable"
    assert marks()
    reader.answer_block(block)
    wait_until(lambda: not marks(), 30, "the mark is settled")
    assert_books_balance(redis)


def test_a_document_that_is_removed_is_told_of_whole(gateway, connect_content, writer, task):
    reader = connect_content(gateway, "ben")
    watch(reader, task)
    assert remove(writer, TASK, task["id"])["result"]
    reader.expect_changed(task, content=True, children=True)
    assert code_of(reader.get_content(task)) == 4040420


# ---- subscriptions

def test_a_key_that_is_not_there_yet_is_told_when_it_appears(gateway, connect_content, writer, new_id):
    reader, of = connect_content(gateway, "ben"), key("task", new_id("task"))
    reader.subscribe(of)
    assert code_of(reader.get_content(of)) == 4040420
    wait_until(lambda: gateway.stack.redis().exists(f"{{o:{TASK}:{of['id']}}}:sw"), 30, "a wish")
    create(writer, TASK, of["id"], title="here")
    reader.expect_changed(of, content=True)
    remove(writer, TASK, of["id"])
    reader.expect_changed(of, content=True, children=True)


def test_what_is_revoked_is_told_no_more(gateway, connect_content, writer, new_id):
    reader, ids = connect_content(gateway, "ben"), [new_id("task") for _ in range(2)]
    keys = [key("task", task_id) for task_id in ids]
    for task_id in ids:
        create(writer, TASK, task_id, title="one")
    watch(reader, *keys)
    reader.revoke(keys[0])
    wait_until(lambda: not gateway.stack.redis().exists(f"{{o:{TASK}:{ids[0]}}}:sw"), 30, "no wish")
    for of in keys:
        write(writer, of, title="two")
    reader.expect_changed(keys[1])
    reader.expect_no_change(keys[0], SOON)


@pytest.mark.parametrize("data", [
    None, {}, "x", 7, [7], [None], [{"type": "task"}], [{"id": "x"}], [{"type": 7, "id": "x"}],
    [{"type": "task", "id": None}], [{"type": "task", "id": {}}], [{"type": "task", "id": []}],
    [{"type": "user", "id": 1.5}], [{"type": "user", "id": 1, "more": 1}]])
def test_what_is_no_list_of_keys_is_told_and_the_connection_stays(gateway, connect_content, data):
    reader = connect_content(gateway, "ben")
    for cls, code in (("subscribe", 4000800), ("revoke", 4000900)):
        reader.notify(cls, data)
        error = reader.expect_error()
        assert code_of(error) == code and error["cls"] == cls
    assert code_of(reader.get_content(reader.entries["self"])) is None


def test_who_has_not_logged_in_has_no_wishes(gateway, connect_content, task):
    stranger = connect_content(gateway)
    for cls, code in (("subscribe", 4010810), ("revoke", 4010910)):
        stranger.notify(cls, [task])
        assert code_of(stranger.expect_error()) == code


def test_keys_that_no_document_can_have_are_accepted(gateway, connect_content, writer, task):
    reader = connect_content(gateway, "ben")
    reader.subscribe(key("nothing", 1), key("user", "x"), key("msg", [1, "a"]), task)
    wait_until(lambda: gateway.stack.redis().exists(f"{{o:{TASK}:{task['id']}}}:sw"), 30, "a wish")
    write(writer, task, title="two")
    reader.expect_changed(task, content=True)
    assert not [frame for frame in reader.inbox if frame["type"] == "error"]


# ---- the writer

def test_a_writer_hears_of_its_own_change_only_if_it_was_unconditional(gateway, connect_content, task):
    writer, other = (connect_content(gateway, user) for user in ("ben", "ada"))
    watch(other, task)
    ver = writer.get_content(task, subscribe=True)["data"]["ver"]
    patch = {"op": "replace", "path": "/title", "value": "two"}
    answer = writer.patch_content(task, patch, ver=ver)
    assert answer["status"] == 200
    other.expect_changed(task, content=True)
    writer.expect_no_change(task, SOON)
    writer.patch_content(task, {**patch, "value": "three"})
    writer.expect_changed(task, content=True)
    other.expect_changed(task, content=True)


def test_each_protocol_hears_of_the_other(gateway, connect, connect_content, task):
    reader = connect_content(gateway, "ben")
    pupil = connect(gateway, "ada")
    watch(reader, task)
    pupil.request("findById", theClassName=TASK, theClassId=task["id"])
    reader.patch_content(task, {"op": "replace", "path": "/title", "value": "two"})
    pupil.expect_update(task["id"], title="two")
    reader.expect_changed(task, content=True)
    write(pupil, task, title="three")
    reader.expect_changed(task, content=True)


# ---- what the operator sees

def test_why_tells_of_contents_and_of_children(stack, gateway, connect_content, writer):
    reader = connect_content(gateway, "ben", answers=False)
    group, redis = reader.entries["home"], stack.redis()
    ref = f"com.app.mo.Group:{group['id']}"
    assert code_of(reader.get_children(group, "asc", subscribe=True)) is None
    sid = redis.zrange(f"{{o:{ref}}}:cw", 0, -1)[-1]
    client = redis.hget(session_key(sid), "client")

    def why():
        return Ended(stack, "why", client, "com.app.mo.Group", str(group["id"])).lines[2:]

    assert why() == ["It watches the children of the object.",
                     "Nothing is pending: it has read, acknowledged or written the newest version."]
    me = json.loads(redis.hget(f"{{u:{writer.user_id}}}", "me"))
    assert put(writer, me["className"], me["ID"], display_name=f"Ada {client}")["result"]
    block = reader.expect_block()
    assert block["data"] == [{"key": group, "content": False, "children": True}]
    assert why()[:3] == [
        "It watches the children of the object.", "It has to hear of a change of its children.",
        "It was sent that (sends to its latest connection: 1), and has not acknowledged it."]
    reader.answer_block(block)
    wait_until(lambda: len(why()) == 2, 30, "nothing is pending")


# ---- other settings

def settle(stack, reader):
    """Answers each block, until there is nothing more to be told; returns what they held."""
    told = {}

    def is_settled():
        reader.drain(0.05)
        for block in filter(is_block, reader.inbox):
            reader.answer_block(block)
            told.update(entries(block))
        reader.forget_changes()
        return is_quiet(stack)

    wait_until(is_settled, 30, "all is settled")
    return told


@pytest.fixture
def hasty_stack(new_stack):
    return new_stack(gateways=2, sync_agents=2, settings={
        "sync.redelivery_first_ms": 300, "sync.max_block": 2, "sync.max_subscriptions": 5,
        "sync.content_idle_s": 1, "sync.notify_ms": 50})


@pytest.fixture
def tasks(hasty_stack, connect):
    """Keys of five tasks, and who writes them."""
    writer = connect(hasty_stack.gateways[0], "ada")
    for i in range(5):
        assert create(writer, TASK, f"t{i}", title="one")["result"]
    return writer, [key("task", f"t{i}") for i in range(5)]


def test_a_block_without_an_answer_is_told_again_with_what_has_gathered(
        hasty_stack, connect_content, tasks):
    writer, keys = tasks
    reader = connect_content(hasty_stack.gateways[1], "ben", answers=False)
    watch(reader, *keys[:2])
    write(writer, keys[0], title="two")
    first = reader.expect_block()
    write(writer, keys[1], title="two")
    again = reader.expect_block()
    while len(entries(again)) < 2:
        assert entries(again) == entries(first)
        again = reader.expect_block()
    assert int(again["id"]) > int(first["id"])
    assert entries(again) == {"t0": (True, False), "t1": (True, False)}
    reader.answer_block(first)
    third = reader.expect_block()
    assert entries(third) == entries(again), "that was not the last block"
    reader.answer_block(third)
    settle(hasty_stack, reader)


def test_a_block_holds_no_more_than_the_limit(hasty_stack, connect_content, tasks):
    writer, keys = tasks
    reader = connect_content(hasty_stack.gateways[1], "ben", answers=False)
    watch(reader, *keys)
    write(writer, keys[0], title="two")
    block = reader.expect_block()
    for of in keys[1:]:
        write(writer, of, title="two")
    told = dict(entries(block))
    while len(told) < 5:
        reader.answer_block(block)
        block = reader.expect_block()
        assert len(block["data"]) <= 2
        told.update(entries(block))
    reader.answer_block(block)
    settle(hasty_stack, reader)


def test_what_was_missed_is_told_at_once_after_a_return(hasty_stack, connect_content, tasks):
    writer, keys = tasks
    reader = connect_content(hasty_stack.gateways[1], "ben", answers=False)
    watch(reader, *keys[:2])
    write(writer, keys[0], title="two")
    reader.expect_block()
    reader.vanish()
    write(writer, keys[1], title="two")
    wait_until(lambda: not hasty_stack.redis().exists("jobs"), 30, "it is marked")
    back = connect_content(hasty_stack.gateways[0])
    answer = back.reconnect(reader.session)
    assert answer["status"] == 200 and "data" not in answer
    assert entries(back.expect_block()) == {"t0": (True, False), "t1": (True, False)}
    write(writer, keys[0], title="three")
    back.expect_changed(keys[0], content=True)


def test_a_session_that_was_idle_for_too_long_is_gone(hasty_stack, connect_content, tasks):
    writer, keys = tasks
    reader = connect_content(hasty_stack.gateways[1], "ben")
    watch(reader, keys[0])
    reader.close()
    redis = hasty_stack.redis()
    wait_until(lambda: not redis.exists(f"{{o:{TASK}:t0}}:sw"), 30, "the end of the session")
    back = connect_content(hasty_stack.gateways[0])
    assert code_of(back.reconnect(reader.session)) == 4010220
    write(writer, keys[0], title="two")
    wait_until(lambda: is_quiet(hasty_stack), 30, "nobody has to be told")


def test_no_more_subscriptions_are_kept_than_the_limit_allows(hasty_stack, connect_content, tasks):
    writer, keys = tasks
    reader = connect_content(hasty_stack.gateways[0], "ben")
    reader.subscribe(*keys)
    reader.subscribe(key("task", "t5"))
    assert code_of(reader.expect_error()) == 4290800
    reader.revoke(keys[0])
    redis = hasty_stack.redis()
    wait_until(lambda: not redis.exists(f"{{o:{TASK}:t0}}:sw"), 30, "no wish")
    reader.subscribe(key("task", "t5"))
    wait_until(lambda: redis.exists(f"{{o:{TASK}:t5}}:sw"), 30, "a wish in its place")


def test_a_hundred_thousand_subscriptions(new_stack, connect, connect_content):
    stack = new_stack(sync_agents=2, settings={
        "gateway.max_frame_bytes": 8 << 20, "gateway.max_open_bytes": 16 << 20})
    reader, writer = connect_content(stack.gateways[0], "ben"), connect(stack.gateways[0], "ada")
    reader.subscribe(*[key("task", f"t{i}") for i in range(KEYS)])
    redis, last = stack.redis(), f"t{KEYS - 1}"
    wait_until(lambda: redis.exists(f"{{o:{TASK}:{last}}}:sw"), 120, "the last wish")
    create(writer, TASK, last, title="one")
    reader.expect_changed(key("task", last), content=True)
    reader.revoke(*[key("task", f"t{i}") for i in range(KEYS)])
    wait_until(lambda: not redis.exists(f"{{o:{TASK}:{last}}}:sw"), 120, "no wish")
    reader.close()
