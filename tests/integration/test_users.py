"""Users: what operators do with them (activestack-ctl user), and what they do with their own accounts, in
both protocols (design section 13)."""

import json
import os
import pty
import subprocess

import pytest
from by_hand import Operator
from client import AUTH, SYNC
from content_client import ContentClient, code_of
from ctl import CTL, Ended, without_broker
from frames import REVOKED, expect_revoked
from servers import wait_until
from stack import PASSWORD, PROVIDER, SANITIZERS, Stack
from store import stored_object, token_hash

BASIC = "activestack:basic"
MOST_FAILED, MOST_OF_ADDRESS = 3, 20
PERSON = "com.app.mo.Person"
OTHER = "another long password"
SOON = 10  # seconds; where nothing else runs it is less than one


@pytest.fixture(scope="module")
def users_stack(servers):
    with Stack(servers, gateways=2, auth_agents=2, settings={
            "auth.providers": "file,basic,anonymous", "sync.poll_ms": 50,
            "gateway.content_provider": BASIC,
            "auth.max_failed_logins": MOST_FAILED,
            "auth.max_failed_logins_per_address": MOST_OF_ADDRESS}) as stack:
        yield stack


@pytest.fixture
def stack(users_stack):
    for key in users_stack.redis().scan_iter("{f:*}"):
        users_stack.redis().delete(key)
    yield users_stack
    users_stack.check()


@pytest.fixture
def user(stack):
    """Runs `activestack-ctl user`."""
    return lambda *words, stdin="": Ended(stack, "user", *words, stdin=stdin.encode())


@pytest.fixture
def name(user, new_id):
    """Of a user that was just added."""
    name = new_id("user")
    assert user("add", name, "--first-name", "Una", "--email", f"{name}@example.org",
                stdin=PASSWORD).code == 0
    return name


@pytest.fixture
def log_in(stack, connect):
    """A client of ActiveStack that is logged in at the provider basic."""
    def make(name, password=PASSWORD, gateway=0):
        client = connect(stack.gateways[gateway])
        client.login(BASIC, f"{name}:{password}")
        return client
    return make


@pytest.fixture
def log_in_content(stack, connect_content):
    def make(name, password=PASSWORD, gateway=1):
        client = connect_content(stack.gateways[gateway])
        client.login(f"{name}:{password}")
        return client
    return make


@pytest.fixture
def authenticate(stack, connect):
    """statusCode, and whether it was granted."""
    def ask(credential, provider=BASIC):
        response = connect(stack.gateways[0]).request("authenticate", authProvider=provider,
                                                      credential=credential)
        return response["statusCode"], response["result"] is not None
    return ask


def serves(client):
    """Is the client still logged in?"""
    if isinstance(client, ContentClient):
        return client.get_content(client.entries["self"])["type"] == "result"
    return client.request("countAllByName", classNames=[PERSON])["cn"] == SYNC + "CountAllByNameResponse"


def row_of(user, name):
    """The words of the user's line: id, state, sessions, last login, email, roles, accounts."""
    ended = user("list", name)
    assert (ended.code, len(ended.lines)) == (0, 2), ended.err
    return ended.lines[1].split()


def id_of(user, name):
    return row_of(user, name)[0]


# ---- What operators do

def test_a_user_that_was_added_logs_in_in_both_protocols(stack, user, name, log_in, log_in_content):
    login = log_in(name)
    assert login.user_id == id_of(user, name)
    content = log_in_content(name)
    assert content.get_content(content.entries["self"])["data"]["content"]["first_name"] == "Una"
    row = row_of(user, f"{name}@example.org")
    assert row[1:3] == ["enabled", "2"] and row[4:] == [f"{name}@example.org", "-", f"{BASIC}:{name}"]
    assert [line for line in user("list").lines if line.startswith(login.user_id)]
    assert PASSWORD not in str(stack.redis().hgetall("{b:" + name + "}"))


def test_names_and_emails_are_there_once(user, name, new_id):
    for words in ((name,), (new_id("user"), "--email", f"{name.upper()}@example.org")):
        ended = user("add", *words, stdin=PASSWORD)
        assert (ended.code, ended.lines) == (1, []) and "somebody has this" in ended.err


@pytest.mark.parametrize("words", [
    (), ("dance",), ("add",), ("role", "ada"), ("role", "ada", "editor"), ("role", "ada", ""),
    ("disable", "a", "b"),
    ("disable", "a", "--email", "b"), ("disable", "a", "+b"), ("passwd",)])
def test_what_it_does_not_understand_it_does_not_do(user, words):
    ended = user(*words, stdin=PASSWORD)
    assert (ended.code, ended.lines) == (2, []) and ended.err


@pytest.mark.parametrize("words", [
    ("list", "nobody"), ("role", "nobody", "+a"), ("passwd", "nobody"), ("disable", "nobody"),
    ("enable", "nobody"), ("logout", "nobody"), ("remove", "nobody")])
def test_nobody_s_account_is_not_changed(user, words):
    ended = user(*words, stdin=PASSWORD)
    assert ended.code == 1 and "no such user" in ended.err


@pytest.mark.parametrize("words, told", [
    (("add", "a:b"), "theUser"), (("add", "x" * 256), "theUser"), (("add", "a\tb"), "theUser"),
    (("add", "x", "--roles", "a b"), "roles"), (("add", "x", "--email", "x" * 256), "email")],
    ids=["colon", "long", "control", "role", "email"])
def test_what_cannot_be_is_refused_with_its_name(user, words, told):
    ended = user(*words, stdin=PASSWORD)
    assert ended.code == 2 and told in ended.err


@pytest.mark.parametrize("member, value", [
    ("disabled", "false"), ("disabled", None), ("disabled", 0), ("logout", "true"), ("theUser", 1),
    ("giveRoles", "editor"), ("giveRoles", {"a": "editor"}), ("takeRoles", None)])
def test_a_malformed_change_changes_nobody(stack, user, name, member, value):
    assert user("disable", name).code == 0
    with Operator(stack) as operator:
        answer = operator.ask("userChange", {"theUser": name, member: value})
    assert answer["errorCode"] == "-115" and member in answer["errorDesc"], answer
    row = row_of(user, name)
    assert (row[1], row[5]) == ("disabled", "-")


@pytest.mark.parametrize("password", ["", "x" * 1025, "a\0b"], ids=["none", "long", "NUL"])
def test_a_password_that_cannot_be_one_is_refused(user, name, password):
    ended = user("passwd", name, stdin=password)
    assert ended.code == 2 and "password" in ended.err


def test_without_a_broker_nothing_is_said_to_be_done(stack, tmp_path):
    ended = Ended(stack, "user", "list", config=without_broker(stack, tmp_path))
    assert ended.code == 2 and "cannot be reached" in ended.err


@pytest.mark.parametrize("again, code", [(OTHER, 0), ("something else", 2)])
def test_a_password_is_asked_for_twice_and_never_shown(stack, name, authenticate, again, code):
    terminal, inside = pty.openpty()
    running = subprocess.Popen([CTL, "--config", stack.config, "user", "passwd", name],
                               stdin=inside, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=SANITIZERS)
    assert running.stderr.peek().startswith(b"Password: ")
    os.write(terminal, f"{OTHER}\n{again}\n".encode())
    out, err = running.communicate(timeout=60)
    os.write(inside, b".")  # behind all that was shown
    shown = os.read(terminal, 1000)
    os.close(inside)
    os.close(terminal)
    assert (running.returncode, shown, out) == (code, b".", b""), err
    assert OTHER.encode() not in err
    assert authenticate(f"{name}:{OTHER}") == ((200, True) if code == 0 else (433, False))


def test_another_password_ends_all_logins(user, name, log_in, log_in_content, authenticate):
    clients = log_in(name), log_in_content(name)
    assert user("passwd", name, stdin=OTHER + "\n").code == 0
    expect_revoked(*clients)
    assert authenticate(f"{name}:{PASSWORD}") == (433, False)
    assert serves(log_in(name, OTHER))


def test_a_password_that_is_kept_elsewhere_is_not_changed(user, connect, stack):
    connect(stack.gateways[0], "ada")
    ended = user("passwd", "file:ada@example.org", stdin=OTHER)
    assert ended.code == 1 and "another provider" in ended.err


def test_who_is_disabled_is_gone_at_once_and_refused(stack, user, name, log_in, connect,
                                                            log_in_content, authenticate):
    ada, content, elsewhere = log_in(name), log_in_content(name), log_in(name, gateway=1)
    assert user("disable", name).code == 0
    for client in (ada, content, elsewhere):
        assert client.expect_close(SOON).code == REVOKED
    assert row_of(user, name)[1:3] == ["disabled", "0"]
    assert authenticate(f"{name}:{PASSWORD}") == authenticate(f"{name}:wrong") == (433, False)
    again = connect(stack.gateways[0])
    assert again.request("reauthenticate", token=ada.token)["result"] is None
    assert user("enable", name).code == 0
    assert serves(log_in(name)) and serves(log_in_content(name))


def test_who_sleeps_is_gone_at_once_too(user, name, log_in):
    ada = log_in(name)
    ada.send({"hibernate": {}})
    ada.expect(lambda f: f.get("cn", "").endswith("HibernateResponse"), "an answer")
    assert user("disable", name).code == 0
    assert ada.expect_close(SOON).code == REVOKED


def test_who_is_logged_out_may_come_back(user, name, log_in, log_in_content):
    clients = log_in(name), log_in_content(name)
    assert user("logout", name).code == 0
    expect_revoked(*clients)
    assert serves(log_in(name))


def test_a_user_name_that_is_somebody_s_email_misleads_no_operator(stack, user, connect, new_id, name):
    """User names are free to choose: whoever takes ada's email as one is not made an editor in her place."""
    ada = connect(stack.gateways[0], "ada").user_id
    email = stack.credential("ada").split(":")[0]
    assert user("add", email, stdin=PASSWORD).code == 0
    for words in (("role", email, "+editor"), ("disable", email), ("remove", email)):
        ended = user(*words)
        assert ended.code == 1 and "several" in ended.err
    assert user("role", f"{PROVIDER}:{email}", "+helper").code == 0
    assert "helper" in row_of(user, ada)[5]
    assert user("remove", f"{BASIC}:{email}").code == 0 and id_of(user, email) == ada
    assert user("role", email, "-helper").code == 0


def test_very_many_sessions_end_step_by_step(stack, user, name, log_in):
    client, redis = log_in(name), stack.redis()
    last = redis.incrby("s:next", 600)
    with redis.pipeline() as pipeline:
        for sid in range(last - 599, last + 1):
            pipeline.hset(f"{{s:{sid}}}", mapping={
                "user": client.user_id, "client": f"c{sid}", "gw": "", "created": 1,
                "dialect": "activestack", "epoch": 1})
            pipeline.sadd(f"{{u:{client.user_id}}}:s", sid)
        pipeline.execute()
    assert user("logout", name).code == 0
    expect_revoked(client)
    wait_until(lambda: not redis.exists("revocations"), 20, "all have ended")
    assert not redis.exists("revocations:at", f"{{u:{client.user_id}}}:s", f"{{u:{client.user_id}}}:t")


def test_an_agent_that_dies_leaves_nobody_logged_in(stack, user, name, log_in):
    client, redis = log_in(name), stack.redis()
    for agent in stack.auth_agents:
        agent.kill()
    redis.hincrby(f"{{u:{client.user_id}}}", "generation", 1)
    redis.zadd("revocations", {client.user_id: 1})
    for agent in stack.auth_agents:
        agent.start()
    expect_revoked(client)


def test_roles_of_operators_stay_beside_those_of_providers(stack, user, name, log_in):
    client, redis = log_in(name), stack.redis()

    def roles():
        return redis.hget("{u:" + client.user_id + "}", "roles") or ""

    assert user("role", name, "+editor", "+chief.editor", "-guest").code == 0
    assert roles() == ",editor,chief.editor," and row_of(user, name)[5] == "editor,chief.editor"
    redis.hset("{u:" + client.user_id + "}:r", BASIC, ",guest,reader,")
    assert user("role", name, "-chief.editor").code == 0
    assert roles() == ",editor,reader,"
    assert user("role", name, "+guest", "-editor").code == 0
    assert roles() == ",guest,reader,"
    log_in(name)
    assert roles() == ",guest,", "those of the provider are what it says at the login"


def test_a_removed_user_leaves_nothing_behind(stack, user, name, log_in, log_in_content, connect,
                                              authenticate):
    client, content, redis = log_in(name), log_in_content(name), stack.redis()
    other = connect(stack.gateways[0], "ada")
    person = json.loads(redis.hget("{u:" + client.user_id + "}", "me"))["ID"]
    other.request("findById", theClassName=PERSON, theClassId=person)
    favorites = content.entries["fav"]["id"]
    assert user("remove", name).code == 0
    expect_revoked(client, content)
    other.expect_delete(person)
    wait_until(lambda: not redis.keys("{u:" + client.user_id + "}*"), 20, "the user is forgotten")
    assert stored_object(redis, f"{PERSON}:{person}") is None
    assert stored_object(redis, f"com.app.mo.Favorites:{favorites}") is None
    assert not redis.keys(f"*{name}*")
    assert authenticate(f"{name}:{PASSWORD}") == (433, False)
    assert user("add", name, stdin=PASSWORD).code == 0
    assert log_in(name).user_id != client.user_id


# ---- Accounts that are one user's

def test_a_verified_email_joins_accounts(stack, user, connect, new_id, log_in):
    name = new_id("cleo")
    first = connect(stack.gateways[0], "cleo").user_id
    assert user("add", name, "--email", "Cleo@Example.org", stdin=PASSWORD).code == 0
    assert log_in(name).user_id == first
    assert set(row_of(user, first)[6].split(",")) == {"file:cleo@example.org", f"{BASIC}:{name}"}


def test_an_account_that_joins_brings_its_roles_and_takes_none(stack, user, connect, new_id):
    name, ben = new_id("ben"), connect(stack.gateways[0], "ben").user_id
    assert user("role", ben, "+keeper", "-reader").code == 0
    assert user("add", name, "--email", "ben@example.org", "--roles", "reader,writer",
                stdin=PASSWORD).code == 0
    assert id_of(user, name) == ben
    assert row_of(user, ben)[5] == "keeper,reader,writer"


def test_an_email_that_nobody_has_verified_joins_nothing(stack, connect, new_id, log_in):
    name = new_id("dora")
    credential = {"username": name, "password": PASSWORD, "metadata": {
        "firstName": "D", "lastName": "D", "email": "dora@example.org"}}
    connect(stack.gateways[0]).request("register", event=True, authProvider=BASIC,
                                       credential=json.dumps(credential))
    assert log_in(name).user_id != connect(stack.gateways[0], "dora").user_id


def login_by(store, account, *identifiers, user="u9"):
    now = store.now()
    return store.run("login", 0, 0, 0, "google", account, user, "A", "B", "a@b", len(identifiers),
                     *identifiers, "", "", f"hash-{account}", "t1", f"c-{account}", "", "", now,
                     now + 1000, 0)[:2]


def test_whose_identifiers_are_those_of_several_users_is_refused(store):
    assert login_by(store, "1", "email:a@b", user="u1") == ["ok", "u1"]
    assert login_by(store, "2", "email:c@d", user="u2") == ["ok", "u2"]
    assert login_by(store, "3", "email:a@b", "email:c@d", user="u3") == ["ambiguous"]
    assert login_by(store, "3", "email:a@b", "email:e@f", user="u3") == ["ok", "u1"]
    assert login_by(store, "4", "email:e@f", user="u4") == ["ok", "u1"]
    assert not store.redis.exists("{u:u3}")


# ---- What users do with their own accounts

def change(client, old, new):
    if isinstance(client, ContentClient):
        return client.request("change_password", oldPassword=old, newPassword=new)
    return client.request("changePassword", cn=AUTH + "ChangePasswordRequest", oldPassword=old,
                          newPassword=new)


def end_others(client):
    if isinstance(client, ContentClient):
        return client.request("end_other_sessions")
    return client.request("endOtherSessions", cn=AUTH + "EndOtherSessionsRequest")


def delete(client, **password):
    if isinstance(client, ContentClient):
        return client.request("delete_account", **password)
    return client.request("deleteAccount", cn=AUTH + "DeleteAccountRequest", **password)


def granted(answer):
    if "status" in answer:
        return answer["status"] == 200
    return (answer["statusCode"], answer["result"]) == (200, True)


def refusal(answer):
    return code_of(answer) if "status" in answer else answer["statusCode"]


@pytest.fixture(params=["activestack", "content"])
def own(request, name, log_in, log_in_content):
    """A client of each protocol in turn."""
    return {"activestack": log_in, "content": log_in_content}[request.param](name)


def number(client):
    """Which of two answers of the protocols is meant."""
    return isinstance(client, ContentClient)


def test_a_new_password_ends_all_sessions_but_one_s_own(own, name, log_in, log_in_content,
                                                        authenticate):
    others = log_in(name), log_in_content(name)
    assert granted(change(own, PASSWORD, OTHER))
    expect_revoked(*others)
    assert serves(own)
    assert authenticate(f"{name}:{PASSWORD}") == (433, False)
    assert authenticate(f"{name}:{OTHER}") == (200, True)


def test_a_change_that_is_delivered_twice_succeeds_twice(stack, name, log_in, authenticate):
    client = log_in(name)
    body = {"clientId": client.client_id, "userId": client.user_id, "oldPassword": PASSWORD,
            "newPassword": OTHER}
    with Operator(stack) as operator:
        answers = [operator.ask("changePassword", body, correlation_id=c) for c in ("77", "77", "78")]
    assert [a["statusCode"] for a in answers] == [200, 200, 433]
    assert authenticate(f"{name}:{OTHER}") == (200, True) and serves(client)


def test_who_does_not_know_the_password_does_not_change_it(own, name, log_in, authenticate):
    other = log_in(name)
    assert refusal(change(own, "wrong", OTHER)) == (433, 4031130)[number(own)]
    assert authenticate(f"{name}:{PASSWORD}") == (200, True)
    assert serves(other) and serves(own)


@pytest.mark.parametrize("old, new", [(None, OTHER), (PASSWORD, None), (1, OTHER), (PASSWORD, []),
                                      (PASSWORD, ""), ("", OTHER), (PASSWORD, "x" * 1025),
                                      ("x" * 4097, OTHER)], ids=map(str, range(8)))
def test_a_malformed_change_is_refused(own, old, new):
    answer = change(own, old, new)
    if number(own):
        assert code_of(answer) == 4001100
    else:
        assert answer["errorCode"] == "-115"
    assert serves(own)


def test_passwords_are_not_guessed_in_a_session_either(own):
    for _ in range(MOST_FAILED):
        assert refusal(change(own, "wrong", OTHER)) in (433, 4031130)
    assert refusal(change(own, PASSWORD, OTHER)) == (429, 4291100)[number(own)]


def test_a_user_ends_their_other_sessions(own, name, log_in, log_in_content):
    others = log_in(name), log_in_content(name)
    assert granted(end_others(own))
    expect_revoked(*others)
    assert serves(own) and serves(log_in(name))


def test_a_user_deletes_their_account_with_the_password(stack, own, name, log_in):
    other = log_in(name)
    assert refusal(delete(own, password="wrong")) == (433, 4031330)[number(own)]
    assert serves(own)
    assert granted(delete(own, password=PASSWORD)), "who deletes it hears of it"
    expect_revoked(own, other)
    redis = stack.redis()
    wait_until(lambda: not redis.keys("{u:" + other.user_id + "}*"), 20, "the user is forgotten")
    assert not redis.keys(f"*{name}*")


def test_without_a_password_only_a_fresh_login_deletes_the_account(stack, connect):
    emil = connect(stack.gateways[0], "emil")
    token = "{t:" + token_hash(emil.token) + "}"
    created = stack.redis().hget(token, "created")
    stack.redis().hset(token, "created", int(created) - 301_000)
    assert refusal(change(emil, PASSWORD, OTHER)) == 402, "it is the file's"
    assert refusal(delete(emil)) == 402
    assert refusal(delete(emil, password=PASSWORD)) == 402
    stack.redis().hset(token, "created", created)
    assert granted(delete(emil))
    expect_revoked(emil)
    again = connect(stack.gateways[0], "emil")
    assert again.user_id != emil.user_id, "whoever logs in then is somebody new"


def test_who_is_not_logged_in_has_no_account(stack, connect, connect_content):
    for client in (connect(stack.gateways[0]), connect_content(stack.gateways[0])):
        for answer in (change(client, "a", "b"), end_others(client), delete(client)):
            assert answer.get("errorCode") == "-100" or code_of(answer) % 100 == 10


def test_what_is_everybody_s_is_nobody_s_to_end(stack, connect):
    one, other = connect(stack.gateways[0]), connect(stack.gateways[1])
    for client in (one, other):
        client.login("anonymous", None)
    for answer in (change(one, "a", "b"), end_others(one), delete(one)):
        assert refusal(answer) == 402
    assert serves(one) and serves(other)


@pytest.mark.parametrize("operation", ["inspectUsers", "userAdd", "userChange", "userPassword",
                                       "userRemove"])
def test_clients_are_no_operators(log_in, name, operation):
    answer = log_in(name).request(operation, cn=f"{AUTH}{operation[0].upper()}{operation[1:]}Request",
                                  event=True, theUser=name)
    assert answer["errorCode"] == "-106"


# ---- Failed logins

def test_after_so_many_failures_even_the_password_is_refused(stack, name, authenticate, connect_content):
    for _ in range(MOST_FAILED - 1):
        assert authenticate(f"{name}:wrong") == (433, False)
    assert authenticate(f"{name}:{PASSWORD}") == (200, True), "one less"
    for _ in range(MOST_FAILED):
        assert authenticate(f"{name}:wrong") == (433, False)
    assert authenticate(f"{name}:{PASSWORD}") == (429, False)
    content = connect_content(stack.gateways[0])
    assert code_of(content.request("login", username=name, password=PASSWORD)) == 4290100
    counts = list(stack.redis().scan_iter("{f:*}"))
    assert counts and all(0 < stack.redis().ttl(key) <= 300 for key in counts)
    assert name not in str(counts)


def test_whether_there_is_such_a_user_makes_no_difference(stack, authenticate, new_id):
    nobody = new_id("nobody")
    for _ in range(MOST_FAILED):
        assert authenticate(f"{nobody}:wrong") == (433, False)
    assert authenticate(f"{nobody}:wrong") == (429, False)
    assert authenticate(f"{nobody}:wrong", PROVIDER) == (402, False), "another provider's"


def test_an_address_fails_only_so_often_too(stack, name, authenticate, new_id):
    redis = stack.redis()
    redis.set("{f:@127.0.0.1}", MOST_OF_ADDRESS - 1)
    assert authenticate(f"{name}:{PASSWORD}") == (200, True)
    assert redis.get("{f:@127.0.0.1}") == str(MOST_OF_ADDRESS - 1), "a success counts for nothing"
    assert authenticate(f"{new_id('nobody')}:wrong") == (433, False)
    assert authenticate(f"{name}:{PASSWORD}") == (429, False)


def test_of_ipv6_a_whole_64_is_one_address(stack, name, new_id):
    """It belongs to one subscriber, who has an address in it for each attempt."""
    def attempt(address, who):
        return operator.ask("authenticate", {"authProvider": BASIC, "clientId": "by-hand",
                                             "credential": f"{who}:wrong"},
                            headers={"address": address})["statusCode"]

    with Operator(stack) as operator:
        codes = [attempt(f"2001:db8:0:1::{i:x}", new_id("nobody")) for i in range(MOST_OF_ADDRESS + 1)]
        assert codes == [433] * MOST_OF_ADDRESS + [429]
        assert attempt("2001:db8:0:2::1", name) == 433
        assert attempt("192.0.2.1", name) == 433
