"""What the steps of watched values do in Redis when they meet (agents/sync/store/value.lua)."""

import pytest
from store import job_key, now_ms, object_key, session_key

REF = "com.app.mo.Person:7"
OTHER = "com.app.mo.Task:t1"
ITEM = f"~{REF}\topen\t[]"
MOST = 250
WINDOW = 100


class Clock:
    """Stands still unless it is moved."""

    def __init__(self):
        self.time = now_ms()

    def __call__(self):
        return self.time


@pytest.fixture
def sid(store, monkeypatch):
    """A session that watches the value, whose object is there."""
    monkeypatch.setattr(store, "now", Clock())
    sid = store.session("c1")
    store.redis.hset(object_key(REF), mapping={"@v": 1, "@c": 1})
    watch(store)
    return sid


def watch(store, most=9, way=0):
    now = store.now()
    return store.run("watch", "c1", now, now, now + 5000, most, "model", "7", "open", "[]",
                     3, "com.app.mo.Person", "signedIn", way)


def begin(store, most=MOST):
    return store.run("watch_begin", ITEM, store.now(), store.now() + 5000, most)


def read(store, run, *reads, most=MOST):
    return store.run("watch_read", ITEM, run, store.now() + 5000, "", 0, most, *reads)


def settle(store, run, touched, value, gone=0, asker="", model="model"):
    now = store.now()
    return store.run("watch_settle", ITEM, run, touched, value, gone, asker, now, WINDOW, now + 5000, model,
                     MOST)


def touch(store, *entries, most=MOST, takes=9):
    """A job that touches what depends on these, (ref, what) each: items to compute, is there more."""
    job = str(store.redis.incr("j:next"))
    store.redis.hset(job_key(job), "type", "touch")
    store.redis.rpush(job_key(job) + ":q", *[f"{ref}\n{what}" for ref, what in entries])
    return touch_on(store, job, most, takes), job


def touch_on(store, job, most=MOST, takes=9):
    now = store.now()
    return store.run("watch_touch", job, now, now + 5000, most, WINDOW, takes)


def due(store):
    return store.redis.zscore("values", ITEM)


def stored(store, *names):
    return store.redis.hmget(object_key(ITEM), *names)


def test_what_a_later_run_has_settled_stays(store, sid):
    (_, first, touched, _), (_, second, *_) = begin(store), begin(store)
    assert settle(store, second, touched, "2")[:3] == ["ok", 1, "2"]
    assert settle(store, first, touched, "1")[:3] == ["ok", "1", "2"]
    assert stored(store, "value", "computed") == ["2", "1"]


def test_an_earlier_run_leaves_the_later_one_to_be_looked_at(store, sid):
    (_, first, touched, _), _ = begin(store), begin(store)
    settle(store, first, touched, "1")
    assert due(store) == store.now() + 5000, "it is found when the later one has died"


def test_what_is_touched_while_it_is_computed_is_computed_again(store, sid):
    _, run, touched, _ = begin(store)
    read(store, run, "see", OTHER, 1, "done")
    (claimed, more), job = touch(store, (OTHER, "done"))
    assert (claimed, more) == ([], 0), "it is under way"
    assert not store.redis.exists(job_key(job)) and store.redis.zscore("jobs", job) is None
    settle(store, run, touched, "1")
    assert due(store) == store.now() + WINDOW
    _, run, touched, _ = begin(store)
    settle(store, run, touched, "1")
    assert due(store) is None


def test_what_was_not_read_yet_does_not_count(store, sid):
    _, run, touched, _ = begin(store)
    read(store, run, "see", OTHER, 1, "done")
    settle(store, run, touched, "1")
    _, run, touched, _ = begin(store)
    touch(store, (OTHER, "done"))
    settle(store, run, touched, "1")
    assert due(store) is None and stored(store, "touched") == [None]


def test_a_dependency_that_was_left_behind_is_taken_away_by_who_finds_it(store, sid):
    _, first, touched, _ = begin(store)
    _, second, *_ = begin(store)
    settle(store, second, touched, "1")
    read(store, first, "see", OTHER, 1, "done")  # it does not know that it is too late
    assert touch(store, (OTHER, "done"))[0] == [[], 0]
    assert due(store) is None and store.redis.zscore(object_key(OTHER, ":dw"), f"done\n{ITEM}") is None


def test_a_value_is_due_once_and_not_before_its_time(store, sid):
    _, run, touched, _ = begin(store)
    read(store, run, "out", OTHER, "assignee")
    settle(store, run, touched, "1")
    settled_at = store.now()
    assert touch(store, (OTHER, "assignee"))[0] == [[], 0]
    assert due(store) == settled_at + WINDOW
    assert store.claim_values() == []
    store.now.time += WINDOW
    assert store.claim_values() == [ITEM]
    assert store.claim_values() == []


def test_another_model_has_everything_computed_anew_once(store, sid):
    _, run, touched, _ = begin(store)
    settle(store, run, touched, "1")
    assert store.claim_values() == []
    assert store.claim_values(digest="newer") == [ITEM]
    _, run, touched, _ = begin(store)
    settle(store, run, touched, "2", model="newer")
    assert store.claim_values(digest="newer") == store.claim_values() == []


def test_touching_goes_in_steps(store, sid):
    _, run, touched, _ = begin(store)
    for n in range(5):
        read(store, run, "see", OTHER, 1, f"field{n}")
    settle(store, run, touched, "1")
    (_, more), job = touch(store, (OTHER, "*"), (OTHER, "field1"), most=2)
    steps = 1
    while more:
        _, more = touch_on(store, job, most=2)
        steps += 1
    assert steps >= 3 and int(stored(store, "touched")[0]) == 7  # "@" too, and field1 twice


def test_what_nobody_watches_is_dropped_in_steps(store, sid):
    _, run, touched, _ = begin(store)
    for n in range(5):
        read(store, run, "see", OTHER, 1, f"field{n}")
    settle(store, run, touched, "1")
    job = store.run("logout", "c1", store.now(), store.now(), store.now() + 5000, 60, 1, *store.IDLE)[2]
    store.end_session(job, sid)
    assert due(store) == 0 and store.claim_values() == [ITEM]
    assert begin(store, most=3) == ["dropping"]
    assert read(store, run, "see", OTHER, 0) == ["gone"]
    while begin(store, most=3) == ["dropping"]:
        pass
    assert not store.redis.exists(object_key(ITEM), object_key(ITEM, ":d"), object_key(ITEM, ":w"),
                                  object_key(OTHER, ":dw"), object_key(REF, ":dw"), "values",
                                  "values:models")


def test_who_begins_to_watch_what_is_dropped_has_it_computed(store, sid):
    _, run, touched, _ = begin(store)
    settle(store, run, touched, "1")
    store.redis.zrem(object_key(ITEM, ":w"), sid)
    assert begin(store) == ["gone"]
    assert watch(store)[:3] == ["compute", sid, ITEM]
    assert begin(store)[0] == "compute"


def test_a_session_counts_what_it_watches(store, sid):
    assert store.redis.zrange(session_key(sid, ":v"), 0, -1) == [ITEM]
    assert watch(store, most=1)[0] in ("compute", "ok")
    assert store.redis.zrange(session_key(sid, ":v"), 0, -1) == [ITEM]
    store.run("watch_leave", sid, ITEM)
    assert not store.redis.exists(session_key(sid, ":v"))
    assert watch(store, most=0) == ["full", sid]


def test_long_lists_are_read_in_parts(store, sid):
    for n in range(5):
        store.redis.zadd(object_key(REF, ":r"), {f"assignee\ncom.app.mo.Task:t{n}": 0})
    run = begin(store)[1]
    reads = ["in", REF, "com.app.mo.Task", "assignee"]
    first = read(store, run, *reads, "", most=3)
    assert first == ["ok", [[f"com.app.mo.Task:t{n}" for n in range(3)], "com.app.mo.Task:t2"]]
    rest = read(store, run, *reads, "com.app.mo.Task:t2", *reads, "", most=9)
    assert rest[1] == [["com.app.mo.Task:t3", "com.app.mo.Task:t4"], ""]
    assert len(rest[2][0]) == 5 and rest[2][1] == ""
    assert read(store, run, *reads, "", *reads, "", most=1) == ["ok", [["com.app.mo.Task:t0"], "com.app.mo.Task:t0"]]


def test_long_texts_are_read_in_parts(store, sid):
    """A text counts for each KiB of it."""
    run, see = begin(store)[1], ["see", OTHER, 1, "title"]
    for size, expected in ((1, 2), (3071, 2), (3072, 1), (10 ** 6, 1)):
        store.redis.hset(object_key(OTHER), mapping={"@v": 1, "@c": 1, "title": "1 1 " + "x" * size})
        assert read(store, run, *see, *see, most=5)[1:] == [["x" * size]] * expected
