"""Rights that are withdrawn and granted, at the level of scripts: who is told that it has lost an object, and who
that there is one (agents/runtime/lua/knowledge.lua, withdrawal.lua). Of the content protocol:
test_content_blocks.py.
"""

import pytest
from store import job_key, now_ms, object_key, session_key

CLASS = "com.app.mo.Task"
TASK = f"{CLASS}:t1"
OWNERS = {CLASS: "owner:owner"}
VALUE = f"~{TASK}\tcount\t[]"
FOREVER = now_ms() * 2


@pytest.fixture
def sid(store):
    """The owner's, which knows the object."""
    store.object(TASK, owner='"u1"')
    sid = store.session("c1")
    store.watch(sid, TASK)
    return sid


@pytest.fixture
def other(store):
    """Watches the class."""
    sid = store.session("c2", user="u2")
    store.redis.zadd(f"{{k:{CLASS}}}:w", {sid: sid})
    return sid


def tell(store, kind="u", writer="", review=False, **options):
    sets = [*store._audience(TASK, kind), f"{{k:{CLASS}}}:w"]
    version = int(store.redis.hget(object_key(TASK), "@v"))
    job = store.job(TASK, kind, version, writer=writer, sets=sets)
    if review:
        store.redis.hset(job_key(job), "review", 1)
    return store.fan_out(job, restricted=OWNERS, **options)


def give(store, user):
    return store.change(TASK, "owner", f'"{user}"')


def watches(store, sid, item=TASK):
    return store.redis.zscore(object_key(item, ":w"), sid) is not None


def test_who_loses_an_object_hears_that_it_has_gone_and_nothing_more(store, sid):
    give(store, "u2")
    step = tell(store)
    assert (step.sids, step.losers) == ([], [sid])
    assert store.mark(sid, TASK)[:2] == ("d", 2) and not watches(store, sid)
    store.change(TASK)
    step = tell(store)
    assert (step.sids, step.losers) == ([], [])
    assert store.redeliver(sid, FOREVER, restricted=OWNERS).objects == [(TASK, "d", 2)]
    store.remove(TASK)
    assert tell(store, "d").sids == []
    store.settle("c1", {TASK: 2}, kind="d")
    assert store.books() == {"made": 1, "acknowledged": 1}


def test_who_gives_an_object_away_loses_it_too(store, sid):
    give(store, "u2")
    assert tell(store, writer=sid).losers == [sid]


def test_who_gains_an_object_of_a_class_that_it_watches_knows_it(store, sid, other):
    store.change(TASK)
    assert tell(store).sids == [sid] and not watches(store, other)
    give(store, "u2")
    step = tell(store)
    assert (step.sids, step.losers) == ([other], [sid]) and watches(store, other)
    store.remove(TASK)
    assert tell(store, "d").sids == [other]


def test_who_watches_a_class_hears_no_removal_of_what_it_does_not_know(store, sid, other):
    store.remove(TASK)
    step = tell(store, "d")
    assert step.sids == [sid] and store.mark(other, TASK) is None


def test_a_loss_before_the_last_update_was_acknowledged_takes_its_place(store, sid):
    store.change(TASK)
    tell(store)
    give(store, "u2")
    tell(store)
    store.settle("c1", {TASK: 2})
    assert store.mark(sid, TASK)[:2] == ("d", 3), "that was a receipt for the update"
    assert store.books() == {"made": 2, "superseded": 1}


def test_a_loss_is_told_again_until_it_is_acknowledged(store, sid):
    store.disconnect("c1")
    give(store, "u2")
    assert tell(store).losers == []
    store.change(TASK)
    store.token("c1")
    told = store.reconnect("c3", "c1", restricted=OWNERS)
    assert told.objects == [(TASK, "d", 2)]
    assert store.redeliver(sid, FOREVER, restricted=OWNERS).objects == [(TASK, "d", 2)]
    store.settle("c3", {TASK: 2}, kind="d")
    assert store.mark(sid, TASK) is None


def test_what_is_sent_is_looked_at_though_nobody_has_said_that_it_is_lost(store, sid):
    store.change(TASK)
    tell(store)
    give(store, "u2")
    assert store.redeliver(sid, FOREVER, restricted=OWNERS).objects == [(TASK, "d", 3)]
    assert not watches(store, sid)
    assert tell(store).losers == [], "it knows"
    assert store.books() == {"made": 2, "superseded": 1}


def test_who_gets_an_object_back_before_the_loss_is_acknowledged_is_told_of_it(store, sid):
    give(store, "u2")
    tell(store)
    give(store, "u1")
    assert tell(store).sids == []
    assert store.redeliver(sid, FOREVER, restricted=OWNERS).objects == [(TASK, "u", 3)]
    assert watches(store, sid)


# ---- reviews: nothing has changed but who may read it

def test_a_review_tells_only_who_gains_or_loses(store, sid, other):
    third = store.session("c3", user="u2")
    store.watch(third, TASK)
    give(store, "u2")
    step = tell(store, review=True)
    assert (step.sids, step.losers, step.review) == ([other], [sid], 1)
    step = tell(store, review=True)
    assert (step.sids, step.losers) == ([], [])
    assert store.mark(third, TASK) is None


def test_a_review_of_what_has_gone_says_nothing(store, sid, other):
    store.remove(TASK)
    step = tell(store, review=True)
    assert (step.done, step.sids, step.losers) == (1, [], []) and watches(store, sid)


# ---- nothing older last

def test_a_read_that_a_loss_overtook_is_followed_by_another_notice(store, sid):
    give(store, "u2")
    tell(store)
    store.settle("c1", {TASK: 2}, kind="d")
    store.overtaken({TASK: 2}, [sid], restricted=OWNERS)
    told = store.redeliver(sid, restricted=OWNERS)
    assert told.objects == [(TASK, "d", 2)]
    store.overtaken({TASK: 2}, [], [sid], restricted=OWNERS)
    assert store.redeliver(sid, restricted=OWNERS).objects == [], "it was told the loss"


def test_a_loss_that_a_read_overtook_is_followed_by_the_object(store, sid):
    store.overtaken({TASK: 1}, [], [sid], restricted=OWNERS)
    assert store.redeliver(sid, restricted=OWNERS).objects == [(TASK, "u", 1)]


# ---- values

def watch_value(store, sid, value="7"):
    """A value that is there."""
    now = store.now()
    args = [store.field(sid, "client"), now, now, now + store.LEASE_MS, 10, "model", "t1", "count", "[]", 3,
            CLASS, OWNERS[CLASS], 0]
    assert store.run("watch", *args)[0] in ("compute", "ok")
    store.redis.hset(object_key(VALUE), mapping={"@v": 3, "@c": 1, "value": value, "model": "model"})


def test_the_values_of_an_object_are_lost_with_it(store, sid):
    watch_value(store, sid)
    give(store, "u2")
    step = tell(store)
    assert (step.losers, step.behind) == ([sid], [sid])
    assert not watches(store, sid, VALUE) and not store.redis.exists(object_key(TASK, ":vw"))
    told = store.redeliver(sid, restricted=OWNERS)
    assert told.values == {VALUE: "null"}
    store.overtaken({VALUE: 3}, [], [sid], restricted=OWNERS)
    assert store.redeliver(sid, restricted=OWNERS).values == {}
    store.settle("c1", {VALUE: 3})
    assert store.mark(sid, VALUE) is None


def test_who_knows_only_values_loses_them(store, sid):
    store.redis.zrem(object_key(TASK, ":w"), sid)
    watch_value(store, sid)
    give(store, "u2")
    step = tell(store, review=True)
    assert (step.losers, step.behind) == ([], [sid])
    assert store.redeliver(sid, restricted=OWNERS).values == {VALUE: "null"}


def test_a_value_that_is_on_its_way_is_lost_by_another_send(store, sid):
    watch_value(store, sid)
    job = store.job(VALUE, "w", 3, sets=[object_key(VALUE, ":w")])
    assert store.fan_out(job, restricted=OWNERS).sids == [sid]
    sent = store.numbers[VALUE, 3]
    give(store, "u2")
    assert store.redeliver(sid, FOREVER, restricted=OWNERS).values == {VALUE: "null"}
    store.settle_all(("c1", VALUE, sent))
    assert store.mark(sid, VALUE) is not None, "that was a receipt for the value"


def test_a_new_value_is_not_told_to_who_may_not_read_the_object_any_more(store, sid):
    watch_value(store, sid)
    give(store, "u2")
    step = store.fan_out(store.job(VALUE, "w", 3, sets=[object_key(VALUE, ":w")]), restricted=OWNERS)
    assert (step.sids, step.behind) == ([], [sid])
    assert store.redeliver(sid, restricted=OWNERS).values == {VALUE: "null"}
    assert session_key(sid, ":v") not in store.redis.keys("*")
