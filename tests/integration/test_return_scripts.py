"""Scripts of the sync agent by themselves: who is bound, and what a return tells.

Design section 7; agents/sync/store/reconnect.lua.
"""

import pytest
from store import DAY_MS, gateway_key, now_ms, session_key, token_hash

CLASS = "com.app.mo.Task"
TASK, OTHER = f"{CLASS}:t1", f"{CLASS}:t2"


@pytest.fixture
def sid(store):
    """The session of c1, which watches two objects."""
    store.token("c1")
    _, sid, _ = store.connect("c1")
    for ref in (TASK, OTHER):
        store.object(ref, title='"one"')
        store.watch(sid, ref)
    store.settle_all(("c1", "", ""))
    return sid


def many(store, sid, count, size=1):
    """So many objects that the session watches."""
    refs = [f"{CLASS}:m{i:04}" for i in range(count)]
    for ref in refs:
        store.object(ref, text=f'"{"x" * size}"')
        store.watch(sid, ref)
    return refs


# ---- connect

def test_a_login_is_bound_once(store, sid):
    assert store.binding(sid) == ("c1", "gateway.1")
    assert store.field(sid, "address") == "192.0.2.1"
    assert store.connect("c1") == ["ok", sid, "u1"]
    assert store.redis.zrange("sessions", 0, -1) == [sid]
    store.disconnect("c1")
    assert store.connect("c1", gateway="gateway.2") == ["ok", sid, "u1"]
    assert store.field(sid, "gw") == "", "who has gone is not bound by what comes twice"


@pytest.mark.parametrize("wrong", [{"client": "c9"}, {"user": "u2"}, {"token": "another"}])
def test_a_connect_without_a_good_login_is_refused(store, wrong):
    store.token("c1")
    assert store.connect(**{"client": "c1", **wrong}) == ["refused"]
    assert not store.redis.exists("sessions")


def test_an_expired_login_is_refused(store):
    store.token("c1", lasts_ms=1000)
    store.skew_ms = 1000
    assert store.connect("c1") == ["refused"]


# ---- returns: who is let in

@pytest.mark.parametrize("wrong, why", [
    ({"token": "another"}, "login"), ({"user": "u2"}, "login")])
def test_a_return_without_a_good_login_is_refused(store, sid, wrong, why):
    store.token("c8", user="u2", token="of u2")
    assert store.reconnect("c2", "c1", **wrong).refused == why
    assert store.binding(sid) == ("c1", "gateway.1")


def test_a_return_with_an_expired_login_is_refused(store, sid):
    store.skew_ms = 2 * DAY_MS
    assert store.reconnect("c2", "c1").refused == "login"


def test_a_disabled_user_does_not_return(store, sid):
    store.redis.hset("{u:u1}", "disabled", 1)
    assert store.reconnect("c2", "c1").refused == "login"


def test_a_session_that_nobody_knows_is_refused(store, sid):
    assert store.reconnect("c2", "c7", "c8").refused == "unknown"
    assert store.reconnect("c2").refused == "unknown"


def test_a_session_of_another_user_is_refused(store, sid):
    store.token("c8", user="u2", token="of u2")
    assert store.reconnect("c9", "c1", user="u2", token="of u2").refused == "login"
    assert store.binding(sid) == ("c1", "gateway.1")


def test_another_session_of_the_same_user_needs_its_own_login(store, sid):
    store.token("c8", token="other")
    store.connect("c8", token="other")
    assert store.reconnect("c9", "c1", token="other").refused == "login"


def test_a_session_that_has_ended_is_refused_and_says_why(store, sid):
    store.logout("c1")
    assert store.reconnect("c2", "c1").refused == "logged out"


# ---- returns: the binding

def test_a_return_takes_the_session_over(store, sid):
    first = store.reconnect("c2", "c1", gateway="gateway.2")
    assert first.went == ("c1", "gateway.1") and first.sid == sid and not first.more
    assert store.binding(sid) == ("c2", "gateway.2")
    assert store.field(sid, "address") == "192.0.2.2"
    assert not store.redis.exists(gateway_key("gateway.1"))
    assert store.redis.smembers(gateway_key("gateway.2")) == {sid}
    assert store.redis.hget(f"{{t:{token_hash('secret')}}}", "client") == "c2"
    assert store.redis.zrange("{c:c2}:t", 0, -1) == [token_hash("secret")]
    assert not store.redis.exists("{c:c1}:t")
    assert store.reconnect("c3", "c1", "c2").went == ("c2", "gateway.2")


def test_a_return_that_a_later_one_has_overtaken_is_refused(store, sid):
    """Its client has given up waiting for it, and asked again."""
    asked = store.now()
    assert store.reconnect("c3", "c1", accepted=asked).refused is None
    assert store.reconnect("c2", "c1", accepted=asked - 1).refused == "taken over"
    assert store.binding(sid) == ("c3", "gateway.1")


def test_who_returns_from_the_present_binding_may_have_a_clock_that_is_behind(store, sid):
    asked = store.now()
    store.reconnect("c2", "c1", accepted=asked)
    assert store.reconnect("c3", "c1", "c2", accepted=asked - 1000).refused is None


def test_who_had_left_before_a_return_need_not_be_closed(store, sid):
    store.disconnect("c1")
    assert store.redis.zscore("idle", sid)
    assert store.reconnect("c2", "c1").went == ("", "")
    assert store.redis.zscore("idle", sid) is None


def test_the_same_return_again_changes_nothing_and_says_the_same(store, sid):
    """The worker that did it first may have died before it told anybody."""
    first = store.reconnect("c2", "c1")
    again = store.reconnect("c2", "c1")
    assert first.went == again.went == ("c1", "gateway.1")
    assert store.field(sid, "epoch") == "2"
    store.disconnect("c2")
    assert store.reconnect("c3", "c2").went == ("", "")


def test_who_was_taken_over_stays_so(store, sid):
    store.reconnect("c2", "c1")
    store.reconnect("c3", "c1", "c2")
    assert store.reconnect("c2", "c1").refused == "taken over"
    assert store.binding(sid) == ("c3", "gateway.1")


def test_who_has_left_is_not_bound_by_a_return_that_comes_late(store, sid):
    store.reconnect("c2", "c1")
    store.disconnect("c2")
    assert store.reconnect("c2", "c1").refused == "gone"
    assert store.field(sid, "gw") == ""


def test_the_newest_name_that_is_known_counts(store, sid):
    store.token("c8", token="other")
    _, other, _ = store.connect("c8", token="other")
    assert store.reconnect("c9", "c1", "c8", "unknown", token="other").sid == other


def test_a_gateway_that_was_thought_gone_has_its_returning_client_back(store, sid):
    store.change_and_tell(TASK)
    store.reconnect("c2", "c1", most_bytes=1)
    store.redis.zadd("gateways", {"gateway.1": 1})
    jobs, _ = store.claim()
    store.run("gateway_gone", jobs[0][0], store.now(), store.now(), 250, 1000)
    assert store.field(sid, "gw") == ""
    step = store.reconnect("c2", "c1")
    assert step.objects == [(TASK, "u", 2)], "what was told may be lost with it"
    assert store.binding(sid) == ("c2", "gateway.1")


def test_only_the_last_names_are_kept(store, sid):
    for i in range(2, 35):
        assert not store.reconnect(f"c{i}", f"c{i - 1}").refused
    names = store.redis.zrange(session_key(sid, ":c"), 0, -1)
    assert names == [f"c{i}" for i in range(3, 35)]
    assert sorted(store.redis.keys("c:*")) == sorted(f"c:{name}" for name in names)
    assert store.reconnect("new", "c2").refused == "unknown"


# ---- returns: what was missed

def test_a_return_tells_what_was_missed_in_order(store, sid):
    store.disconnect("c1")
    store.keep("c1", "m1")
    store.change_and_tell(TASK)
    store.change_and_tell(TASK)
    store.remove(OTHER)
    store.tell(OTHER, kind="d")
    step = store.reconnect("c2", "c1")
    assert step.objects == [(TASK, "u", 3), (OTHER, "d", 2)]
    assert step.replies == ["m1"] and not step.more
    again = store.reconnect("c2", "c1")
    assert again.objects == [] and again.replies == [] and not again.more
    store.settle("c2", {TASK: 3})
    store.settle("c2", {OTHER: 2}, kind="d")
    assert store.books() == {"made": 3, "superseded": 1, "acknowledged": 2}


def test_what_is_not_acknowledged_after_a_return_is_due_again(store, sid):
    store.change_and_tell(TASK)
    store.reconnect("c2", "c1")
    assert 0 < store.due_in(sid, TASK) <= 5000
    assert store.redeliver(sid, now_ms() + 5000).objects == [(TASK, "u", 2)]


def tell_all(store, client, *earlier, **options):
    """All steps: (objects, replies) of each."""
    steps, step = [], None
    while step is None or step.more:
        step = store.reconnect(client, *earlier, **options)
        steps.append((step.objects, step.replies))
        assert len(steps) < 1000
    return steps


def test_a_return_goes_in_steps_updates_first_then_deletes_then_replies(store, sid):
    refs = many(store, sid, 40, size=1000)
    store.disconnect("c1")
    for i, ref in enumerate(refs):
        if i % 4:
            store.change_and_tell(ref)
        else:
            store.remove(ref)
            store.tell(ref, kind="d")
    for i in range(3):
        store.keep("c1", f"m{i}")
    steps = tell_all(store, "c2", "c1", most_bytes=5000)
    assert len(steps) >= 6
    told = [item for objects, _ in steps for item in objects]
    kinds = [kind for _, kind, _ in told]
    assert kinds == ["u"] * 30 + ["d"] * 10 and len({ref for ref, *_ in told}) == 40
    assert all([kind for _, kind, _ in objects].count("u") <= 5 for objects, _ in steps)
    assert [replies for _, replies in steps[:-1] if replies] == []
    assert steps[-1][1] == ["m0", "m1", "m2"]


def test_many_deletes_do_not_hold_redis(store, sid):
    refs = many(store, sid, 600)
    store.disconnect("c1")
    for ref in refs:
        store.remove(ref)
        store.tell(ref, kind="d")
    steps = tell_all(store, "c2", "c1")
    assert len(steps) >= 3, "no more than 500 are looked at in one"
    assert sum(len(objects) for objects, _ in steps) == 600


def test_what_happens_between_two_steps_is_not_missed(store, sid):
    refs = many(store, sid, 6, size=1000)
    store.disconnect("c1")
    for ref in refs[:4]:
        store.change_and_tell(ref)
    first = store.reconnect("c2", "c1", most_bytes=2000)
    assert [ref for ref, *_ in first.objects] == refs[:2] and first.more
    store.remove(refs[2])  # was an update when the return began
    store.change_and_tell(refs[5])  # goes out at once
    assert store.mark(sid, refs[5]) == ("u", 2, 2)
    store.redis.hset(session_key(sid), "gw", "")
    store.tell(refs[2], kind="d")
    store.redis.hset(session_key(sid), "gw", "gateway.1")
    told = [item for objects, _ in tell_all(store, "c2", "c1", most_bytes=2000) for item in objects]
    assert (refs[3], "u", 2) in told
    everything = told + store.redeliver(sid, now_ms() + 5000).objects
    assert (refs[2], "d", 3) in everything and (refs[5], "u", 2) in everything


def test_what_was_acknowledged_between_two_steps_is_not_told(store, sid):
    refs = many(store, sid, 3, size=1000)
    for ref in refs:
        store.change_and_tell(ref)
    store.reconnect("c2", "c1", most_bytes=1)
    store.settle("c2", {refs[1]: 2})
    told = [item for objects, _ in tell_all(store, "c2", "c1", most_bytes=1) for item in objects]
    assert told == [(refs[2], "u", 2)]


def test_what_may_not_be_read_any_more_comes_with_the_deletes(store, sid):
    refs = many(store, sid, 2)
    store.disconnect("c1")
    for ref in (refs[0], TASK):
        store.change(ref, "owner", '"u1"')
    store.change(refs[1], "owner", '"u2"')
    for ref in (refs[1], TASK, refs[0]):
        store.tell(ref)
    steps = tell_all(store, "c2", "c1", most_bytes=1, restricted={CLASS: "owner:owner"})
    assert [item for objects, _ in steps for item in objects] == [
        (refs[0], "u", 2), (TASK, "u", 2), (refs[1], "d", 2)]


def test_redelivery_waits_while_a_return_is_told_in_order(store, sid):
    refs = many(store, sid, 2)
    for ref in refs:
        store.change_and_tell(ref)
    assert store.reconnect("c2", "c1", most_bytes=1).more
    waits = store.redis.zscore("due", sid) - store.now()
    assert 25000 < waits <= 30000
    store.redis.zadd("due", {sid: 1})  # somebody had claimed it before the return
    assert store.redeliver(sid) is None
    assert store.redis.zscore("due", sid) - store.now() > 25000
    store.change_and_tell(TASK)
    assert store.redis.zscore("due", sid) - store.now() > 25000
    store.skew_ms = 30001  # nobody has asked for the next step
    assert store.claim()[1] == [sid]
    assert {ref for ref, *_ in store.redeliver(sid).objects} == {*refs, TASK}


def test_redelivery_goes_on_when_a_return_is_complete(store, sid):
    refs = many(store, sid, 2)
    for ref in refs:
        store.change_and_tell(ref)
    tell_all(store, "c2", "c1", most_bytes=1)
    assert store.redis.zscore("due", sid) - store.now() <= 5000
    assert store.field(sid, "quiet") is None
