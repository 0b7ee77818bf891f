"""Scripts of the content protocol by themselves: what they find of a version, and what puts keep.

agents/sync/store/: put.lua, get_content.lua, patch.lua, earlier.lua.
"""

import pytest
from store import DAY_MS, now_ms, object_key

CLASS, ID = "com.app.mo.Note", "n1"
NOTE = f"{CLASS}:{ID}"
SUFFIX = "-12345678"


@pytest.fixture(autouse=True)
def sid(store):
    return store.session("c1")


def put(store, *texts, refs="", state="", tells=0, kept=(8, 1000), at=None, name=""):
    """`texts`: field, text of each; `state`: that which it is a change of."""
    values = [part for field, text in zip(texts[0::2], texts[1::2]) for part in (field, text, refs)]
    now = now_ms()
    return store.run("put", 0, 0, 0, 0, "c1", now, now + 5000, name, 1000, 3600, 0, 0, 0, 1, CLASS, ID,
                     "signedIn", at or now, len(values), *values, 0, 0, state, tells, *kept)


def get(store, number=0, birth=None, suffix=SUFFIX, watches=0, rule="signedIn", most=10):
    birth = store.redis.hget(object_key(NOTE), "@c") if birth is None else birth
    return store.run("get_content", "c1", now_ms(), CLASS, 1, CLASS, rule, 0, ID, suffix,
                     f"{birth}{SUFFIX}", number, watches, most)


def earlier(store, number):
    """field -> text of what is known of this version."""
    flat = get(store, number)[3]
    return dict(zip(flat[0::2], flat[1::2]))


def state(store):
    version, birth = store.redis.hmget(object_key(NOTE), "@v", "@c")
    return f"{version} {birth}"


# ---- put.lua with a state

def test_a_change_of_another_state_is_a_conflict_and_changes_nothing(store):
    store.object(NOTE, title='"one"')
    before = store.redis.hgetall(object_key(NOTE))
    for other in ("2 " + before["@c"], "1 17", "0 0"):
        assert put(store, "title", '"two"', state=other)[0] == "conflict"
    assert store.redis.hgetall(object_key(NOTE)) == before
    assert put(store, "title", '"two"', state=state(store))[:3] == [
        "ok", "1", f"2 {before['@c']}"]


def test_a_conflict_is_not_kept_but_success_is(store):
    store.object(NOTE, title='"one"')
    name = "patch_content:c1/m1:" + "0" * 64
    assert put(store, "title", '"two"', state="7 7", name=name)[0] == "conflict"
    done = put(store, "title", '"two"', state=state(store), name=name)
    assert put(store, "title", '"two"', state="7 7", name=name) == ["again", "1", f"ok {done[2]}"]


def test_who_says_which_state_they_change_is_never_stale(store):
    future = now_ms() + DAY_MS
    store.object(NOTE)
    store.redis.hset(object_key(NOTE), "title", f'1 {future} "one"')
    assert put(store, "title", '"two"')[0] == "stale"
    assert put(store, "title", '"two"', state=state(store))[0] == "ok"
    assert store.redis.hget(object_key(NOTE), "title") == f'2 {future} "two"', "no time goes back"


def test_a_change_of_nothing_has_the_version_that_there_is(store):
    store.object(NOTE, title='"one"')
    assert put(store, "title", '"one"', state=state(store)) == ["same", "1", state(store)]
    assert put(store, state=state(store)) == ["same", "1", state(store)]
    assert put(store, state="9 9")[0] == "conflict"


@pytest.mark.parametrize("tells, complete", [(0, "1"), (1, "0")])
def test_the_writer_is_told_if_it_does_not_know_what_lay_between(store, tells, complete):
    store.object(NOTE, title='"one"')
    _, _, _, jobs, _ = put(store, "title", '"two"', state=state(store), tells=tells)
    assert store.redis.hget(f"{{j:{jobs[0]}}}", "complete") == complete


# ---- earlier texts

def test_earlier_arrays_and_objects_are_known_by_version(store):
    store.object(NOTE, body='{"a":1}', title='"one"')
    put(store, "body", "[1]")
    put(store, "title", '"two"')
    put(store, "body", '"text"')
    put(store, "body", "[2]")
    assert earlier(store, 1) == {"body": '{"a":1}'}
    assert earlier(store, 2) == earlier(store, 3) == {"body": "[1]"}
    assert earlier(store, 4) == {}, "scalars are not kept"


def test_relations_are_not_kept(store):
    store.object(NOTE)
    store.object("com.app.mo.Person:5")
    put(store, "owner", '{"className":"com.app.mo.Person","ID":"5"}', refs="com.app.mo.Person:5")
    put(store, "owner", "null")
    assert earlier(store, 2) == {}
    assert not store.redis.exists(object_key(NOTE, ":p"))


def test_a_text_that_is_too_long_is_a_gap_and_takes_no_others_place(store):
    long = '["' + "x" * 100 + '"]'
    store.object(NOTE, body="[1]")
    for text in (long, "[3]", "[4]"):
        put(store, "body", text, kept=(8, 60))
    assert [earlier(store, number) for number in (1, 2, 3)] == [
        {"body": "[1]"}, {}, {"body": "[3]"}]


def test_the_newest_are_kept_as_many_as_may_be(store):
    store.object(NOTE, body="[1]")
    for number in range(2, 7):
        put(store, "body", f"[{number}]", kept=(3, 1000))
    assert [earlier(store, number) for number in range(1, 6)] == [
        {}, {}, {"body": "[3]"}, {"body": "[4]"}, {"body": "[5]"}]
    put(store, "body", "[7]", kept=(1, 1000))
    assert store.redis.lrange(object_key(NOTE, ":p"), 0, -1) == ["body 6 7 [6]"]
    put(store, "body", "[8]", kept=(0, 1000))
    assert store.redis.llen(object_key(NOTE, ":p")) == 1, "nothing is added"


def test_the_bytes_of_all_are_bounded(store):
    entry = len("body 1 2 [1]")
    store.object(NOTE, body="[1]")
    for number in range(2, 6):
        put(store, "body", f"[{number}]", kept=(8, 2 * entry))
    assert store.redis.lrange(object_key(NOTE, ":p"), 0, -1) == ["body 4 5 [4]", "body 3 4 [3]"]
    put(store, "body", "[66]", kept=(8, 2 * entry + 1))
    put(store, "body", "[7]", kept=(8, 2 * entry))
    assert store.redis.lrange(object_key(NOTE, ":p"), 0, -1) == ["body 6 7 [66]"]


# ---- get_content.lua

def test_a_version_of_this_history_is_known(store):
    store.object(NOTE, version=5, title='"one"')
    birth = store.redis.hget(object_key(NOTE), "@c")
    assert get(store, 5) == ["same"]
    assert get(store, 3)[2:4] == [3, []]
    for unknown in (get(store, 6), get(store, 5, birth="1"), get(store, 5, suffix="-87654321"),
                    get(store, 0), get(store, 5, birth="")):
        assert unknown[0] == "ok" and unknown[2:4] == [0, []]
    store.redis.hset(object_key(NOTE), "@b", int(birth) + 1)
    assert get(store, 5)[2] == 0, "it came here later than it was created"
    assert get(store, 5, birth=int(birth) + 1) == ["same"]


def test_what_is_read_is_watched_if_it_is_asked_for(store, sid):
    assert get(store, watches=1, birth="") == ["missing"]
    store.object(NOTE, title='"one"')
    assert get(store, watches=1, rule="nobody") == ["forbidden"]
    get(store)
    assert not store.redis.exists(object_key(NOTE, ":w"))
    get(store, watches=1)
    assert store.redis.zrange(object_key(NOTE, ":w"), 0, -1) == [sid]
    assert get(store, 1, watches=1) == ["same"]


def test_a_session_watches_so_much_and_no_more(store, sid):
    store.object(NOTE, title='"one"')
    store.watch(sid, "com.app.mo.Note:n2")
    assert get(store, watches=1, most=1) == ["full"]
    assert not store.redis.exists(object_key(NOTE, ":w"))
    assert get(store, watches=0, most=1)[0] == "ok"
    assert get(store, watches=1, most=2)[0] == "ok"
    assert get(store, watches=1, most=2)[0] == "ok", "it is watched already"


# ---- patch.lua

def patch(store, name, outcome="", said="", rule="signedIn", read_rule="signedIn"):
    now = now_ms()
    return store.run("patch", 0, 0, 0, 0, "c1", now, now + 5000, name, 1000, 3600, 1, CLASS, read_rule, 0, 0, 0,
                     1, CLASS, ID, rule, outcome, said)


def test_a_patch_is_read_for_and_its_refusal_kept(store):
    name = "patch_content:c1/m1:" + "0" * 64
    store.object(NOTE, title='"one"')
    assert patch(store, name)[0] == "read"
    assert patch(store, name, "unfit", "operation 0: no")[::2] == ["unfit", "operation 0: no"]
    assert patch(store, name)[::2] == ["again", "unfit operation 0: no"]
    assert patch(store, name[:-1] + "1")[0] == "read"


def test_a_patch_takes_both_rights(store):
    store.object(NOTE, title='"one"')
    assert patch(store, "", rule="nobody")[0] == "forbidden"
    assert patch(store, "", read_rule="nobody")[0] == "forbidden"


def test_a_patch_of_nothing_is_refused_for_ever(store):
    name = "patch_content:c1/m1:" + "0" * 64
    assert patch(store, name)[0] == "missing"
    store.object(NOTE, title='"one"')
    assert patch(store, name)[::2] == ["again", "missing "]
