"""Scripts of the sync agent by themselves: who is there (online.lua, agents/runtime/lua/binding.lua).

A user is there while one of their sessions is bound, and for a while after the last one lost its binding.
"""

import pytest
from store import job_key, object_key, session_key, stored_object

PERSON = "com.app.mo.Person:7"


@pytest.fixture
def ada(store):
    """The user u1, who has a Person and no session yet."""
    store.object(PERSON, userId='"u1"')
    store.redis.hset("{u:u1}", mapping={
        "anchor": 7, "me": '{"className":"com.app.mo.Person","ID":"7"}'})
    store.token("c1")
    return "u1"


def look(store):
    """Looks at everybody who is to be looked at; what the Person shows then, and its version."""
    for user in store.claim_users():
        store.look_at(user)
    return shown(store)


def shown(store):
    return stored_object(store.redis, PERSON).get("connected"), version(store)


def version(store):
    return int(store.redis.hget(object_key(PERSON), "@v"))


def wait(store, ms):
    store.skew_ms += ms


def test_who_is_bound_is_there(store, ada):
    _, sid, _ = store.connect("c1")
    assert store.claim_users() == [ada]
    jobs = store.look_at(ada)
    assert shown(store) == ("true", 2)
    told = store.redis.hgetall(job_key(jobs[0]))
    assert (told["ref"], told["kind"], told["version"], told["writer"]) == (PERSON, "u", "2", "")
    assert store.look_at(ada) == [] and version(store) == 2, "nothing has changed"
    assert store.claim_users() == [] and not store.redis.exists("online")
    assert store.redis.smembers("{u:u1}:b") == {sid}


def test_who_is_claimed_and_not_looked_at_is_claimed_again_after_the_lease(store, ada):
    store.connect("c1")
    assert store.claim_users() == [ada] and store.claim_users() == []
    wait(store, store.LEASE_MS + 1)
    assert look(store) == ("true", 2)


def test_who_has_gone_is_away_after_the_grace(store, ada):
    store.connect("c1")
    look(store)
    store.disconnect("c1")
    assert look(store) == ("true", 2)
    wait(store, store.GRACE_MS - 1000)
    assert store.claim_users() == []
    wait(store, 1000)
    assert look(store) == ("false", 3)
    assert not store.redis.exists("online", "{u:u1}:b")


def test_without_a_grace_who_has_gone_is_away_at_once(store, ada):
    store.connect("c1")
    look(store)
    store.disconnect("c1")
    wait(store, 1)
    store.look_at(ada, grace_ms=0)
    assert shown(store) == ("false", 3)


def test_a_return_within_the_grace_changes_nothing(store, ada):
    _, sid, _ = store.connect("c1")
    look(store)
    store.disconnect("c1")
    look(store)
    wait(store, store.GRACE_MS - 1000)
    assert not store.reconnect("c2", "c1").refused
    assert look(store) == ("true", 2)
    wait(store, 10 * store.GRACE_MS)
    assert look(store) == ("true", 2)
    assert store.redis.smembers("{u:u1}:b") == {sid}


def test_the_grace_begins_with_the_last_of_several_departures(store, ada):
    store.connect("c1")
    store.session("c9", user=ada)
    store.announce("gateway.1", "c9")
    look(store)
    store.disconnect("c1")
    assert store.claim_users() == [], "c9 is there"
    wait(store, 60_000)
    store.disconnect("c9")
    assert look(store) == ("true", 2)
    wait(store, store.GRACE_MS // 2)
    store.announce("gateway.1", "c1")
    assert store.redis.scard("{u:u1}:b") == 0, "it has said good-bye"
    wait(store, store.GRACE_MS)
    assert look(store) == ("false", 3)


def test_a_departure_that_is_overtaken_by_a_second_one_waits_for_its_own_grace(store, ada):
    store.connect("c1")
    look(store)
    store.disconnect("c1", hibernates=1)
    wait(store, store.GRACE_MS - 1)
    store.upgrade("c1")
    store.disconnect("c1")
    wait(store, 1000)
    assert look(store) == ("true", 2), "the second departure was a second ago"
    wait(store, store.GRACE_MS)
    assert look(store) == ("false", 3)


def test_an_arrival_that_nobody_looked_at_in_time_was_never_there(store, ada):
    store.connect("c1")
    store.disconnect("c1")
    assert look(store) == (None, 1)
    wait(store, store.GRACE_MS)
    assert look(store) == (None, 1)


def bound_by_a_return(store, sid):
    store.disconnect("c1")
    store.reconnect("c2", "c1")


def bound_by_an_announcement(store, sid):
    store.redis.hset(session_key(sid), "gw", "")
    store.redis.delete("{u:u1}:b")
    store.announce("gateway.1", "c1")


def bound_by_an_upgrade(store, sid):
    store.disconnect("c1", hibernates=1)
    store.upgrade("c1")


@pytest.mark.parametrize("bind", [bound_by_a_return, bound_by_an_announcement, bound_by_an_upgrade])
def test_every_way_to_be_bound_counts(store, ada, bind):
    _, sid, _ = store.connect("c1")
    bind(store, sid)
    assert look(store) == ("true", 2)
    assert store.redis.smembers("{u:u1}:b") == {sid}


def unbound_by_disconnect(store):
    store.disconnect("c1")


def unbound_by_hibernation(store):
    store.disconnect("c1", hibernates=1)


def unbound_by_logout(store):
    store.logout("c1")


def unbound_by_the_logout_of_a_persistent_client(store):
    store.upgrade("c1")
    store.logout("c1")


def unbound_with_the_gateway(store):
    store.run("gateway_alive", "gateway.1", store.now() - 1)
    job = store.claim()[0][0][0]
    now = store.now()
    assert store.run("gateway_gone", job, now, now + store.LEASE_MS, 250, *store.IDLE) == 1


def unbound_by_too_many_marks(store):
    sid = store.redis.get("c:c1")
    for ref in ("com.app.mo.Task:t1", "com.app.mo.Task:t2"):
        store.object(ref)
        store.watch(sid, ref)
        store.tell(ref, most_marks=1)
    assert store.field(sid, "why") == "too much was missed"
    store.end_session(store.redis.zrange("jobs", 0, -1)[-1], sid)


@pytest.mark.parametrize("unbind", [
    unbound_by_disconnect, unbound_by_hibernation, unbound_by_logout, unbound_with_the_gateway,
    unbound_by_the_logout_of_a_persistent_client, unbound_by_too_many_marks])
def test_every_way_to_lose_a_binding_counts(store, ada, unbind):
    store.connect("c1")
    look(store)
    unbind(store)
    assert look(store)[0] == "true"
    wait(store, store.GRACE_MS)
    assert look(store)[0] == "false"
    assert not store.redis.exists("{u:u1}:b", "online")


def test_a_take_over_is_neither_an_arrival_nor_a_departure(store, ada):
    store.connect("c1")
    look(store)
    store.reconnect("c2", "c1", gateway="gateway.2")
    assert not store.redis.exists("online")
    store.disconnect("c1")  # that of the connection which was sent away
    assert not store.redis.exists("online")


def test_the_end_of_an_idle_session_does_not_count_twice(store, ada):
    store.connect("c1")
    look(store)
    store.disconnect("c1")
    wait(store, store.GRACE_MS)
    assert look(store) == ("false", 3)
    wait(store, store.IDLE_MS)
    store.claim()
    assert store.claim_users() == []


@pytest.mark.parametrize("missing", ["user", "object"])
def test_a_user_without_an_object_is_nowhere_shown(store, missing):
    store.token("c1")
    if missing == "object":
        store.redis.hset("{u:u1}", "anchor", 7)
    store.connect("c1")
    assert store.claim_users() == ["u1"]
    assert store.look_at("u1") == []
    assert not store.redis.exists("online", object_key(PERSON))


def test_the_object_may_be_of_a_descendant_and_keeps_its_indexes_and_history(store, ada):
    store.redis.rename(object_key(PERSON), object_key("com.app.mo.Pilot:7"))
    store.redis.hset("{u:u1}", "me", '{"className":"com.app.mo.Pilot","ID":"7"}')
    store.connect("c1")
    now = store.now()
    store.run("online", 0, 0, 0, ada, now, now + 5000, 0, "connected", 2,
              1, 0, 1, "com.app.mo.Person", 0,
              1, 3, 2, "com.app.mo.Pilot", "com.app.mo.Person",
              1, "com.app.mo.Pilot", "connected", "connected", 0)
    pilot = "com.app.mo.Pilot:7"
    assert stored_object(store.redis, pilot)["connected"] == "true"
    assert '"user":null' in store.redis.lindex(object_key(pilot, ":h"), 0)
    place, = store.redis.keys("{k:com.app.mo.Pilot}:x:connected:*")
    assert store.redis.zrange(place, 0, -1) == ["7\ncom.app.mo.Pilot"]
