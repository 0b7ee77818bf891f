"""Logins that end (design section 13): their sessions end, and their sockets are closed with 4002."""

import time

import pytest
from frames import expect_revoked
from servers import wait_until
from stack import PROVIDER, Stack
from store import session_key, session_of, token_hash


@pytest.fixture(scope="module")
def short_stack(servers):
    """In which logins expire soon."""
    with Stack(servers, gateways=1, auth_agents=2, settings={"auth.token_max_age_s": 6}) as stack:
        yield stack


@pytest.fixture
def gateway(short_stack):
    yield short_stack.gateways[0]
    short_stack.check()


def test_a_login_that_has_expired_ends_its_session_in_both_protocols(short_stack, gateway, connect,
                                                                     connect_content):
    ada, ben = connect(gateway, "ada"), connect_content(gateway, "ben")
    redis = short_stack.redis()
    sid = session_of(redis, ada.client_id)
    expires = redis.zscore("logins", sid)
    expect_revoked(ada)
    assert time.time() * 1000 >= expires, "not before"
    expect_revoked(ben)
    assert redis.zscore("logins", sid) is None
    wait_until(lambda: not redis.exists("closings"), 20, "the broker has confirmed what closed them")
    wait_until(lambda: redis.zscore("sessions", sid) is None, 20, "a sync agent has tidied up")

    again = connect(gateway)
    again.send({"reconnect": {"reconnectId": ada.session}})
    refused = again.expect(lambda f: f.get("cn", "").endswith("ConnectResponse"), "an answer")
    assert refused["clientId"] is None and refused["data"]
    assert again.request("reauthenticate", token=ada.token)["result"] is None
    with connect_content(gateway) as other:
        answer = other.reconnect(ben.session)
        assert (answer["type"], answer["data"]["code"]) == ("error", 4010220)


def test_a_login_that_comes_back_does_not_live_longer(short_stack, gateway, connect):
    ada = connect(gateway, "ada")
    redis = short_stack.redis()
    sid = session_of(redis, ada.client_id)
    expires = redis.zscore("logins", sid)
    ada.vanish()
    ada.open(gateway.url)
    ada.send({"reconnect": {"reconnectId": ada.session}})
    assert ada.expect_connect_response()["clientId"]
    assert redis.zscore("logins", sid) == expires
    expect_revoked(ada)


def test_who_has_logged_out_is_not_closed_later(short_stack, gateway, connect):
    ada = connect(gateway, "ada")
    sid = session_of(short_stack.redis(), ada.client_id)
    ada.request("logout")
    assert short_stack.redis().zscore("logins", sid) is None


# ---- Scripts

def test_a_gateway_that_was_away_closes_what_was_revoked_meanwhile(store):
    sid = store.session("c1")
    store.redis.hset(session_key(sid), mapping={"ended": store.now(), "why": "the login has ended"})
    assert store.announce("gateway.1", "c1", "c2") == {"c1": "4002", "c2": "4005"}


@pytest.mark.parametrize("device, other, outcome", [
    ("", "", "ok"), ("", "d1", "ok"), ("d1", "d1", "ok"), ("d1", "d2", "refused"),
    ("d1", "", "refused")])
def test_a_token_is_good_on_its_own_device_only(store, device, other, outcome):
    store.session("c1")
    store.token("c1")
    store.redis.hset("{t:" + token_hash("secret") + "}", "device", device)
    assert (store.reconnect("c2", "c1", device=other).refused or "ok") == {
        "ok": "ok", "refused": "login"}[outcome]


def test_a_token_is_no_login_on_another_device(gateway, connect):
    ada = connect(gateway)
    token = ada.request("authenticate", authProvider=PROVIDER, deviceId="d1",
                        credential=gateway.stack.credential("ada"))["result"]["token"]
    ada.expect_connect_response()
    for device in ("d2", ""):
        refused = connect(gateway).request("reauthenticate", token=token, deviceId=device)
        assert (refused["result"], refused["statusCode"]) == (None, 401)
    own = connect(gateway).request("reauthenticate", token=token, deviceId="d1")
    assert own["result"]["token"] == token


def sweep(store, *told, most=50):
    """One step: whether there is more, and the closings that gateways are to be told of."""
    now = store.now()
    more, closings = store.run("sweep", now, now + store.LEASE_MS, most, store.KNOWN_S, len(told),
                               *told)
    return more == 1, closings


def test_a_gateway_is_told_again_until_the_broker_has_it(store):
    sid = store.session("c1")
    store.redis.zadd("logins", {sid: store.now() - 1})
    assert sweep(store) == (False, ["c1 gateway.1"])
    assert sweep(store) == (False, []), "somebody else is at it"
    store.skew_ms += store.LEASE_MS + 1
    assert sweep(store) == (False, ["c1 gateway.1"]), "who was at it has died"
    assert sweep(store, "c1 gateway.1") == (False, [])
    store.skew_ms += store.LEASE_MS + 1
    assert sweep(store) == (False, [])


def test_much_ends_step_by_step(store):
    sids = [store.session(f"c{i}", gateway="") for i in range(25)]
    for i in range(25):
        store.token(f"c{i}", token=f"secret{i}")
    kept = sids[7]
    revoke(store, kept)
    steps = 0
    while sweep(store, most=10)[0]:
        steps += 1
    assert steps >= 4
    assert store.redis.smembers("{u:u1}:s") == {kept}
    assert store.redis.zrange("{u:u1}:t", 0, -1) == [token_hash("secret7")]
    assert not store.redis.exists("revocations", "revocations:at")
    for job, kind, sid in store.claim(100)[0]:
        assert kind == "end" and store.end_session(job, sid)


def test_looks_at_logins_that_stay_are_bounded_too(store):
    """A step looks at a part of them, however many have come since."""
    store.redis.sadd("{u:u1}:s", *(f"stays{i}" for i in range(2000)))
    store.redis.zadd("revocations", {"u1": store.now()})
    steps = 1
    while sweep(store, most=10)[0]:
        steps += 1
    assert steps > 10
    assert store.redis.scard("{u:u1}:s") == 2000 and not store.redis.exists("revocations")


def revoke(store, kept=""):
    """What endOtherSessions does, or with nothing kept, an operator's logout."""
    store.redis.hset("{u:u1}", "created", 1)
    assert store.run("others_end", "u1", kept, store.now()) == 1


@pytest.mark.parametrize("skew_ms", [-60000, 0, 60000])
def test_a_login_is_good_for_nothing_once_it_is_revoked(store, skew_ms):
    store.token("c1")
    sid = store.connect("c1")[1]
    store.skew_ms = skew_ms  # by which the clocks of agents differ
    revoke(store)
    store.skew_ms = 0
    now = store.now()
    assert store.connect("c1")[0] == "refused", "no step was taken yet"
    assert store.reconnect("c2", "c1").refused == "login"
    assert store.run("reauthenticate", token_hash("secret"), "c3", "", now) == ["refused"]
    assert store.run("validate", token_hash("secret"), "u1", "c1", now) == 0
    assert store.run("own_account", "c1", "u1", "", now) == ["client"]
    revoke(store, sid)  # by one who still has a socket
    store.skew_ms = 70000
    assert sweep(store) == (False, ["c1 gateway.1"])
    assert not store.redis.exists("{u:u1}:s", "{u:u1}:t")


def delegate_of(store, sid, user="u1"):
    delegate = store.session(f"delegate-{sid}", gateway="", dialect="process", user=user)
    store.redis.hset(session_key(delegate), "caller", sid)
    return delegate


def test_whoever_works_for_a_session_stays_with_it(store):
    store.token("c1")
    store.token("c2", token="other")
    kept, other = store.connect("c1")[1], store.connect("c2", token="other")[1]
    stays, goes = delegate_of(store, kept), delegate_of(store, other)
    store.redis.hset("{u:u1}", "created", 1)
    assert store.run("own_account", f"delegate-{kept}", "u1", "", store.now())[:2] == ["ok", kept]
    revoke(store, kept)
    sweep(store)
    assert store.redis.smembers("{u:u1}:s") == {kept, stays}
    assert not store.redis.hexists(session_key(stays), "ended")
    assert store.redis.hexists(session_key(goes), "ended")
    assert store.redis.zrange("{u:u1}:t", 0, -1) == [token_hash("secret")]
    assert store.reconnect("c3", "c1").refused is None


def test_who_logs_in_behind_a_revocation_stays(store):
    revoke(store)
    now = store.now() - 60000  # by the clock of another agent
    assert store.run("login", 0, 0, 0, "google", "1", "u1", "A", "B", "", 0, "", "", token_hash("new"),
                     "t1", "c1", "", "", now, now + 120000, 0)[0] == "ok"
    user = store.redis.get("{a:google:1}")
    sid = store.connect("c1", token="new", user=user)[1]
    sweep(store)
    assert store.redis.smembers("{u:" + user + "}:s") == {sid}
    assert store.redis.exists("{t:" + token_hash("new") + "}")


@pytest.mark.parametrize("now, outcome", [("hash", "ok"), ("another", "refused"), (None, "refused")])
def test_a_password_that_is_not_right_any_more_lets_nobody_in(store, now, outcome):
    """It was compared before it was changed, or before the account was deleted."""
    if now:
        store.redis.hset("{b:ada}", "hash", now)
    assert store.run("login", 0, 0, 0, "activestack:basic", "ada", "u1", "A", "B", "", 0, "", "hash",
                     token_hash("new"), "t1", "c1", "", "", store.now(), store.now() + 1000, 0)[0] == outcome
    assert store.redis.exists("{u:u1}", "{a:activestack:basic:ada}") == (2 if outcome == "ok" else 0)
