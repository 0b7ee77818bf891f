"""Scripts of the sync agent by themselves: calls of processes (agents/sync/store/call.lua)."""

import pytest
from store import session_key

DEADLINE_MS = 5000


class Calls:
    """Calls of one client, in the store."""

    def __init__(self, store, client="c1"):
        self.store, self.redis, self.client = store, store.redis, client
        self.sid = store.session(client)

    def begin(self, call, name=None, again=0, run="signedIn", most=10, acts="", served=1, number="1",
              accepted=None):
        now = self.store.now()
        name = f"runProcess:{name}:{'h' * 64}" if name else ""
        return self.store.run(
            "process_begin", self.client, accepted or now, now, call, name, "m1", "greet", run,
            now + DEADLINE_MS, 0, self.client, "gateway.1", number, acts, now + 2 * DEADLINE_MS, served,
            again, most)

    def end(self, call, by="reply x", step="s1", again=0, body="1", most=10, most_bytes=1000, look=0):
        return self.store.run("process_end", self.store.now(), call, by, step, again, "r", "", "", body,
                              1, most, most_bytes, self.store.KNOWN_S, look)

    def under_way(self):
        return self.redis.smembers(session_key(self.sid, ":pu"))

    def results(self):
        """Calls that a repeated request finds."""
        return set(self.redis.hvals(session_key(self.sid, ":p")))

    def overdue(self):
        return self.store.claim_calls()


@pytest.fixture
def calls(store):
    return Calls(store)


def test_a_step_that_is_run_again_says_the_same(calls):
    begun = calls.begin("a", "n1", acts="d1")
    assert begun[:2] == ["begin", "a"] and begun[4] == "d1"
    assert calls.begin("a", "n1", acts="d1") == begun
    assert calls.begin("b", acts="d2") == calls.begin("b", acts="d2")  # one without a name
    assert calls.redis.zcard("sessions") == 3
    ended = calls.end("a")
    assert ended[0] == "ok" and ended[4] == ["reply", "c1", "gateway.1", "1"]
    assert calls.end("a") == ended
    assert calls.redis.llen(session_key(calls.sid, ":pl")) == 1


def test_only_a_delivery_that_comes_again_has_a_call_published_again(calls):
    begun = calls.begin("a", "n1")
    assert calls.begin("b", "n1") == ["known"]
    assert calls.begin("b", "n1", again=1) == begun
    assert calls.under_way() == {"a"}
    calls.store.skew_ms = DEADLINE_MS + 1
    assert calls.begin("b", "n1", again=1) == ["known"]


def test_the_first_end_counts(calls):
    calls.begin("a", "n1")
    assert calls.end("a", by="reply x")[0] == "ok"
    assert calls.end("a", by="reply y", step="s2") == ["late"]
    assert calls.end("a", by="reply x", step="s2") == ["late"]
    assert calls.end("a", by="reply y", step="s2", again=1) == ["late"]
    assert calls.end("a", by="reply x", step="s2", again=1)[0] == "ok"
    assert calls.end("b") == ["unknown"]
    assert calls.begin("b", "n1") == ["ended", "greet", "r", "", "", "1", 1]


def test_who_may_not_run_it_leaves_nothing_behind(calls):
    assert calls.begin("a", "n1", run="nobody") == ["forbidden"]
    assert calls.begin("a", "n1", run="role:editor") == ["forbidden"]
    assert calls.begin("a", "n1", served=0) == ["absent"]
    calls.begin("b", "n2")
    assert calls.begin("a", "n1", most=1) == ["full"]
    assert calls.begin("a", "n1", most=2)[0] == "begin"
    calls.client = "nobody"
    assert calls.begin("c", "n1") == ["client"]


def test_what_is_known_is_said_whoever_may_run_it_now(calls):
    calls.begin("a", "n1")
    calls.end("a")
    for refused in ({"run": "nobody"}, {"served": 0}, {"most": 0}):
        assert calls.begin("b", "n1", **refused)[0] == "ended"


def test_so_many_wait_for_one_call(calls):
    calls.begin("a", "n1", number="0")
    calls.redis.lpush("{p:a}:a", *["c0\ngateway.0\n1"] * 7)  # under a name that the session had before
    for number in range(1, 8):
        assert calls.begin("b", "n1", number=str(number)) == ["known"]
    assert calls.begin("b", "n1", number="8") == ["full"]
    assert calls.begin("b", "n1", number="0") == ["known"]
    assert sorted(calls.end("a")[4][3::4]) == [str(number) for number in range(8)]


def test_an_overdue_call_is_looked_at_until_it_was_told(calls):
    store = calls.store
    calls.begin("a", "n1")
    assert calls.overdue() == []
    store.skew_ms = DEADLINE_MS
    assert calls.overdue() == ["a"] and calls.overdue() == []
    lease = store.now() + store.LEASE_MS
    assert calls.end("a", by="overdue", again=1, look=lease)[0] == "ok"
    store.skew_ms += store.LEASE_MS + 1
    assert calls.overdue() == ["a"]
    assert calls.end("a", by="overdue", step="s2", again=1, look=lease)[0] == "ok"
    assert calls.end("a", by="reply x", step="s3") == ["late"]


def test_a_call_that_is_forgotten_is_not_looked_at_again(calls):
    calls.redis.zadd("processes", {"gone": 0})
    assert calls.overdue() == ["gone"]
    assert calls.end("gone", by="overdue", again=1, look=9) == ["unknown"]
    assert calls.redis.zcard("processes") == 0


def test_results_are_forgotten_in_their_order_but_not_those_of_open_requests(calls):
    calls.redis.hset(session_key(calls.sid, ":o"), "n0", "0 1 c1 runProcess\n{}")
    for i in range(5):
        calls.begin(f"call-{i}", f"n{i}")
        calls.end(f"call-{i}", most=2)
    assert calls.results() == {"call-0", "call-4"}
    assert calls.redis.ttl("{p:call-0}") == -1 and calls.redis.ttl("{p:call-4}") > 0
    assert not calls.redis.exists("{p:call-3}")
    calls.redis.hdel(session_key(calls.sid, ":o"), "n0")
    for i in range(5, 7):
        calls.begin(f"call-{i}", f"n{i}")
        calls.end(f"call-{i}", most=2)
    assert calls.results() == {"call-5", "call-6"}
    assert int(calls.store.field(calls.sid, "callBytes")) == 2


def test_a_delegate_ends_with_its_call(calls):
    store, redis = calls.store, calls.redis
    calls.begin("a", "n1", acts="d1")
    delegate = redis.get("c:d1")
    assert store.field(delegate, "user") == "u1" and store.field(delegate, "gw") == ""
    assert redis.zscore("idle", delegate) and not redis.exists("{u:u1}:b")
    calls.end("a")
    assert store.field(delegate, "ended") and redis.zscore("idle", delegate) is None
    (job,) = store.claim()[0]
    assert job[1:] == ("end", delegate)
    assert store.end_session(job[0], delegate)
    assert redis.zscore("sessions", delegate) is None


def test_the_calls_of_a_session_end_with_it_in_steps(calls):
    store, redis = calls.store, calls.redis
    for i in range(40):
        calls.begin(f"call-{i}", f"n{i}", most=100, acts=f"d{i}" if i >= 20 else "")
        if i < 20:
            calls.end(f"call-{i}", most=100)
    delegates = [redis.get(f"c:d{i}") for i in range(20, 40)]
    job = store.logout("c1", destroy=1)[2]
    assert not store.end_session(job, calls.sid, most=15)
    while not store.end_session(job, calls.sid, most=15):
        pass
    assert not list(redis.scan_iter("{p:*")) and not list(redis.scan_iter("{s:" + calls.sid + "}:*"))
    assert redis.zcard("processes") == 0
    store.claim()
    assert all(store.field(delegate, "ended") for delegate in delegates)


def test_a_call_that_was_accepted_before_the_session_ended_leaves_nothing_of_it(calls):
    store = calls.store
    accepted = store.now()
    store.skew_ms = 10
    store.logout("c1", destroy=1)
    assert calls.begin("a", "n1", accepted=accepted)[0] == "begin"
    assert calls.under_way() == set() and calls.results() == set()
    assert calls.end("a")[4] == []
    assert 0 < calls.redis.ttl("{p:a}") <= store.KNOWN_S
    store.skew_ms = 20
    assert calls.begin("b", "n1") == ["client"]
