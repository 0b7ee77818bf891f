"""Scripts of the sync agent by themselves: how bindings and sessions end, gateways, open requests.

Design sections 7 and 9; agents/runtime/lua/session.lua and resend.lua. Returns are in
test_return_scripts.py.
"""

import pytest
from store import gateway_key, job_key, now_ms, object_key, session_key

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


# ---- disconnect, hibernate

def test_a_disconnect_of_an_earlier_client_id_is_ignored(store, sid):
    store.reconnect("c2", "c1")
    assert store.disconnect("c1") == ["ok", sid]
    assert store.binding(sid) == ("c2", "gateway.1")
    assert store.disconnect("nobody") == ["client"]
    assert store.disconnect("c2") == ["ok", sid]
    assert store.binding(sid) == ("c2", "")


def test_who_hibernates_is_awake_again_with_an_upgrade(store, sid):
    store.disconnect("c1", hibernates=1)
    store.change_and_tell(TASK)
    assert store.announce("gateway.1", "c1") == {} and store.field(sid, "gw") == ""
    store.upgrade("c1")
    assert store.binding(sid) == ("c1", "gateway.1")
    assert store.redeliver(sid).objects == [(TASK, "u", 2)]


def test_who_has_left_is_not_awake_again(store, sid):
    store.disconnect("c1", hibernates=1)
    store.disconnect("c1")
    store.upgrade("c1")
    assert store.field(sid, "gw") == ""


# ---- announcements

def test_an_announcement_binds_again_and_makes_all_due(store, sid):
    for ref in (TASK, OTHER):
        store.change_and_tell(ref)
    assert store.due_in(sid, TASK) > 0
    assert store.announce("gateway.1", "c1") == {}
    assert store.redis.zscore(session_key(sid, ":d"), TASK) == 0
    assert len(store.redeliver(sid).objects) == 2
    store.redis.hset(session_key(sid), "gw", "")
    assert store.announce("gateway.1", "c1") == {}
    assert store.binding(sid) == ("c1", "gateway.1")
    assert store.settle("c1", {TASK: 2, OTHER: 2}) == []
    assert store.books() == {"made": 2, "acknowledged": 2}


def test_clients_with_very_many_marks_are_announced_a_few_at_a_time(store, sid):
    store.redis.zadd(session_key(sid, ":d"), {f"{TASK}-{i}": 9 for i in range(5000)})
    handled, close = store.run("announce", "gateway.1", store.now(), 2, "c1", "nobody")
    assert (handled, close) == (1, [])


def test_who_should_not_be_there_is_to_be_closed(store, sid):
    store.reconnect("c2", "c1", gateway="gateway.2")
    store.token("c8", token="other")
    store.connect("c8", token="other")
    store.logout("c8")
    assert store.announce("gateway.1", "c1", "c8", "nobody", "c2") == {
        "c1": "4001", "c8": "4005", "nobody": "4005"}
    assert store.binding(sid) == ("c2", "gateway.1")


def test_an_announcement_that_comes_late_does_not_bind_who_has_left(store, sid):
    store.disconnect("c1")
    assert store.announce("gateway.1", "c1") == {}
    assert store.field(sid, "gw") == "" and store.redis.zscore("idle", sid)


# ---- gateways

def alive(store, gateway="gateway.1"):
    return store.run("gateway_alive", gateway, store.now() + 10000)


def gone_step(store, job, most=250):
    now = store.now()
    return store.run("gateway_gone", job, now, now + store.LEASE_MS, most, *store.IDLE)


def test_a_lease_has_its_number_until_it_ends(store):
    first = alive(store)
    assert alive(store) == first, "whether or not its answer was lost"
    assert alive(store, "gateway.2") != first
    store.skew_ms = 10001
    assert alive(store) == first, "nobody has seen that it was over"
    store.skew_ms = 20002
    assert store.claim() == ([], [])
    assert not store.redis.exists("leases", "gateways")
    assert alive(store) != first


def test_sessions_of_a_gateway_without_a_lease_are_unbound_in_steps(store):
    sids = [store.session(f"g{i}") for i in range(5)]
    alive(store)
    assert store.claim() == ([], [])
    store.skew_ms = 10001
    jobs, _ = store.claim()
    assert [job[1] for job in jobs] == ["gateway"]
    steps = [gone_step(store, jobs[0][0], most=2) for _ in range(3)]
    assert steps == [0, 0, 1]
    assert all(store.field(sid, "gw") == "" for sid in sids)
    assert set(store.redis.zrange("idle", 0, -1)) == set(sids)
    assert not store.redis.exists(gateway_key("gateway.1"), job_key(jobs[0][0]), "jobs")
    assert gone_step(store, jobs[0][0]) == 1, "done again"


def test_a_gateway_that_comes_back_meanwhile_keeps_who_is_left(store):
    sids = [store.session(f"g{i}") for i in range(4)]
    alive(store)
    store.skew_ms = 10001
    job = store.claim()[0][0][0]
    assert gone_step(store, job, most=2) == 0
    alive(store)
    assert gone_step(store, job, most=2) == 1
    assert [store.field(sid, "gw") for sid in sids].count("gateway.1") == 2
    store.announce("gateway.1", *[f"g{i}" for i in range(4)])
    assert [store.field(sid, "gw") for sid in sids].count("gateway.1") == 4


def test_a_session_that_has_moved_is_not_unbound_with_its_old_gateway(store, sid):
    alive(store)
    store.reconnect("c2", "c1", gateway="gateway.2")
    store.redis.sadd(gateway_key("gateway.1"), sid)
    store.run("gateway_lost", "gateway.1", store.now())
    job = store.claim()[0][0][0]
    assert gone_step(store, job) == 1
    assert store.binding(sid) == ("c2", "gateway.2")


def test_however_many_messages_come_back_one_job_follows(store):
    store.session("g1")
    alive(store)
    for _ in range(5):
        store.run("gateway_lost", "gateway.1", store.now())
    assert len(store.claim()[0]) == 1


def test_a_gateway_that_never_asks_for_a_lease_is_looked_at(store, sid):
    assert store.claim() == ([], [])
    store.skew_ms = 30001
    job = store.claim()[0][0][0]
    assert gone_step(store, job) == 1 and store.field(sid, "gw") == ""
    store.reconnect("c2", "c1")
    alive(store)
    store.skew_ms = 40000
    alive(store)
    store.skew_ms = 60002 - 15000
    assert store.claim() == ([], []) and store.field(sid, "gw") == "gateway.1"


# ---- the end of a session

def test_an_idle_session_ends_with_closed_books(store, sid):
    for ref in (TASK, OTHER):
        store.change_and_tell(ref)
    store.disconnect("c1")
    store.redis.delete("jobs")
    store.skew_ms = store.IDLE_MS - 1000
    assert store.claim() == ([], [])
    store.skew_ms = store.IDLE_MS
    jobs, _ = store.claim()
    assert [job[1:] for job in jobs] == [("end", sid)]
    assert store.field(sid, "why") == "idle for too long"
    assert store.end_session(jobs[0][0], sid)
    assert store.books() == {"made": 2, "ended": 2}
    assert store.marked() == set()
    assert not store.redis.exists("idle", "jobs", "due")


def test_who_comes_back_is_not_idle(store, sid):
    store.disconnect("c1")
    store.reconnect("c2", "c1")
    store.skew_ms = store.IDLE_MS
    store.claim()
    assert store.field(sid, "ended") is None


def test_the_end_of_a_session_goes_in_steps_and_leaves_nothing(store, sid):
    refs = [f"{CLASS}:m{i}" for i in range(30)]
    for ref in refs:
        store.object(ref)
        store.watch(sid, ref)
        store.change_and_tell(ref)
    store.redis.sadd(session_key(sid, ":k"), CLASS)
    store.redis.zadd(f"{{k:{CLASS}}}:w", {sid: sid})
    store.keep("c1", "m1")
    store.settle("c1", {refs[0]: 2})
    status, _, job = store.logout("c1")
    assert status == "ok"
    steps = 1
    while not store.end_session(job, sid, most=7):
        steps += 1
        assert steps < 100
    assert steps >= 4 and store.end_session(job, sid)
    assert store.books() == {"made": 30, "acknowledged": 1, "ended": 29}
    assert not any(store.redis.exists(object_key(ref, ":w")) for ref in refs)
    assert not store.redis.exists(f"{{k:{CLASS}}}:w", gateway_key("gateway.1"), "{u:u1}:s")
    assert not store.redis.keys(session_key(sid, ":*"))
    for key in ("c:c1", session_key(sid)):
        assert 0 < store.redis.ttl(key) <= store.KNOWN_S


def test_an_accepted_write_is_not_lost_to_a_logout_that_overtook_it(store, sid):
    accepted = now_ms()
    store.logout("c1", accepted)
    assert store.settle("c1", {TASK: 1}) == ["c1"]
    class_name, object_id = TASK.split(":")
    read = store.run("read", "c1", accepted - 1, 1, class_name, "signedIn", 0, 1, object_id)
    assert read[0] == "ok" and read[2][0] == TASK
    read = store.run("read", "c1", accepted + 1, 1, class_name, "signedIn", 0, 1, object_id)
    assert read == ["client"]


# ---- open requests

def test_a_request_is_open_until_its_reply_is_confirmed(store, sid):
    assert store.keep("c1", "m1") == ["ok"]
    assert 7000 < store.due_in(sid, "=m1") <= 7500
    assert store.redis.zscore("due", sid) is not None
    assert store.redeliver(sid).replies == []
    told = store.redeliver(sid, now_ms() + 8000)
    assert told.replies == ["m1"] and told.requests == ["1 c1 findById\n{}"]
    store.replies_received(("c1", "m1"), ("c1", "m1"), ("c1", "never"), ("nobody", "m1"))
    assert store.redeliver(sid, now_ms() * 2).replies == []
    assert not store.redis.exists(session_key(sid, ":o"), session_key(sid, ":d"))
    assert store.field(sid, "openBytes") == "0"


def test_the_time_between_repeated_replies_doubles_up_to_a_limit(store, sid):
    store.keep("c1", "m1")
    waits = []
    for _ in range(12):
        waits.append(round(store.due_in(sid, "=m1") / 500) / 2)  # by two clocks
        store.redis.zadd(session_key(sid, ":d"), {"=m1": 0})
        store.redeliver(sid)
    assert waits == [7.5, 15, 30] + [60] * 9
    store.replies_received(("c1", "m1"))
    assert store.field(sid, "openBytes") == "0"


def test_a_request_that_comes_twice_is_kept_once(store, sid):
    store.keep("c1", "m1")
    store.redeliver(sid, now_ms() + 8000)
    store.keep("c1", "m1", request="0 9 c1 putObject\n{}")
    assert store.redis.hget(session_key(sid, ":o"), "m1").startswith("1 1 c1 findById")


def test_no_more_requests_are_kept_than_the_limits_allow(store, sid):
    request = "0 1 c1 findById\n{}"
    for i in range(4):
        assert store.keep("c1", f"m{i}", most=3) == ["ok"]
    assert set(store.redis.hkeys(session_key(sid, ":o"))) == {"m0", "m1", "m2"}
    store.keep("c1", "m8", most_bytes=4 * len(request) - 1)
    assert not store.redis.hexists(session_key(sid, ":o"), "m8")
    store.keep("c1", "m9", most_bytes=4 * len(request))
    assert store.redis.hexists(session_key(sid, ":o"), "m9")
    store.replies_received(("c1", "m0"))
    store.keep("c1", "m8", most=4)
    assert store.redis.hexists(session_key(sid, ":o"), "m8")


def test_nothing_is_kept_for_who_is_not_known(store, sid):
    assert store.keep("nobody", "m1") == ["client"]
    store.logout("c1", now_ms() + 1000)
    assert store.keep("c1", "m1") == ["client"]
    assert not store.redis.exists(session_key(sid, ":o"))


def test_a_reply_may_be_confirmed_under_the_next_client_id(store, sid):
    store.keep("c1", "m1")
    assert store.reconnect("c2", "c1").replies == ["m1"]
    store.replies_received(("c2", "m1"))
    assert not store.redis.exists(session_key(sid, ":o"))


def put(store, message_id, kept=1000):
    """What becomes of a write, whose result is kept: outcome, session, version or earlier outcome."""
    name = f"putObject:{message_id}:{'0' * 64}"
    now = now_ms()
    outcome, sid, state, *_ = store.run(
        "put", 0, 0, 0, 0, "c1", now, now + 5000, name, kept, 3600, 0, 0, 0, 1, CLASS, "t1", "signedIn", now,
        3, "title", f'"{message_id}"', "", 0, 0, "", 0, 0, 0)
    return [outcome, sid, state.rpartition(" ")[0]]


def test_the_result_of_an_open_write_outlives_those_that_are_not_waited_for(store, sid):
    store.keep("c1", "m1")
    first = put(store, "m1", kept=1)
    assert first == ["ok", sid, "2"]
    assert put(store, "m2", kept=1)[2] == "3"
    assert store.redis.hkeys(session_key(sid, ":r")) == [f"putObject:m2:{'0' * 64}"]
    assert put(store, "m1") == ["again", sid, "ok 2"]
    store.replies_received(("c1", "m1"))
    assert not store.redis.exists(session_key(sid, ":or"))
    assert put(store, "m1")[0] == "ok", "its result is not needed any more"
    assert put(store, "m2", kept=1)[0] in ("ok", "again")
