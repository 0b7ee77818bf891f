"""Users who register themselves: `register` and the basic provider (spec 3.9, 8.4)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from by_hand import Operator
from servers import wait_until
from shapes import assert_auth_shape, assert_error
from stack import Stack

BASIC = "activestack:basic"
PASSWORD = "pass:word with colons"


@pytest.fixture(scope="module")
def basic_stack(servers):
    with Stack(servers, auth_agents=2, settings={"auth.providers": "file,basic"}) as stack:
        yield stack


@pytest.fixture
def client(basic_stack, connect):
    yield connect(basic_stack.gateways[0])
    basic_stack.check()


@pytest.fixture
def ada(new_id):
    """The credential of a registration, complete."""
    name = new_id("ada")
    return {"username": name, "password": PASSWORD,
            "metadata": {"firstName": "Ada", "lastName": "Example", "email": f"{name}@example.org"}}


def register(client, credential, provider=BASIC):
    text = credential if isinstance(credential, str) else json.dumps(credential)
    return client.request("register", event=True, authProvider=provider, credential=text)


def authenticate(client, credential, provider=BASIC):
    text = credential if isinstance(credential, str) else json.dumps(credential)
    return client.request("authenticate", authProvider=provider, credential=text)


def outcome(response):
    return response["statusCode"], response["message"], response["result"]


def test_who_has_registered_logs_in_in_both_forms(basic_stack, connect, client, ada):
    message = client.send_request("register", event=True, authProvider=BASIC,
                                  credential=json.dumps(ada))
    response = client.response_to(message)
    assert_auth_shape(response, "AuthenticationResponse", client.client_id, message)
    assert outcome(response) == (200, "Success", None)

    plain = f"{ada['username']}:{PASSWORD}"
    first = client.login(BASIC, plain)["result"]["user"]["ID"]
    other = connect(basic_stack.gateways[0])
    del ada["metadata"]
    assert other.login(BASIC.upper(), json.dumps(ada))["result"]["user"]["ID"] == first

    people = client.request("findByExample", theObject={"cn": "com.app.mo.Person", "userId": first})
    if people["cn"].endswith("FindByExampleResponse"):
        assert [p["display_name"] for p in people["result"]] == ["Ada Example"]
    user = basic_stack.redis().hgetall("{u:" + first + "}")
    assert (user["firstName"], user["lastName"]) == ("Ada", "Example")


def test_a_password_is_stored_only_as_its_argon2id_hash(basic_stack, client, ada):
    register(client, ada)
    account = basic_stack.redis().hgetall("{b:" + ada["username"] + "}")
    assert account["hash"].startswith("$argon2id$")
    assert PASSWORD not in json.dumps(account)
    for process in basic_stack.processes:
        assert PASSWORD not in process.log_text()


@pytest.mark.parametrize("metadata", [
    {"FirstName": "Ada", "LASTNAME": "Example", "Email": "x"},
    {"first_name": "Ada", "last_name": "Example", "e_mail": "x", "more": [1]}])
def test_metadata_has_names_in_any_case_and_with_underscores(basic_stack, client, ada, metadata):
    ada["metadata"] = {k: v if v != "x" else ada["username"] + "@example.org"
                       for k, v in metadata.items()}
    assert outcome(register(client, ada)) == (200, "Success", None)
    account = basic_stack.redis().hgetall("{b:" + ada["username"] + "}")
    assert (account["firstName"], account["lastName"]) == ("Ada", "Example")


@pytest.mark.parametrize("change", [
    {"password": "another"},
    {"metadata": {"firstName": "B", "lastName": "C", "email": "free@example.org"}},
    {"username": "somebody else"},
], ids=["all the same", "same user name", "same email"])
def test_a_user_name_or_email_is_given_once(client, ada, change):
    assert register(client, ada)["statusCode"] == 200
    again = json.loads(json.dumps({**ada, **change}))
    if "metadata" not in change:
        again["metadata"]["email"] = again["metadata"]["email"].upper()
    assert outcome(register(client, again)) == (404, "Duplicate User Name", None)
    assert authenticate(client, f"{ada['username']}:another")["statusCode"] == 433
    assert authenticate(client, f"{ada['username']}:{PASSWORD}")["result"]


@pytest.mark.parametrize("spoil", [
    lambda c: c.pop("username"), lambda c: c.pop("password"), lambda c: c.pop("metadata"),
    lambda c: c.update(username=""), lambda c: c.update(username="a:b"),
    lambda c: c.update(username="a\u0000b"), lambda c: c.update(username="a\nb"),
    lambda c: c.update(username="n" * 256), lambda c: c.update(username=7),
    lambda c: c.update(password=""), lambda c: c.update(password="p" * 1025),
    lambda c: c.update(password=["x"]), lambda c: c.update(metadata="none"),
    lambda c: c["metadata"].pop("firstName"), lambda c: c["metadata"].update(lastName=""),
    lambda c: c["metadata"].update(email=None)])
def test_a_registration_that_lacks_something_fails(basic_stack, client, ada, spoil):
    before = set(basic_stack.redis().scan_iter("{b:*"))
    spoil(ada)
    assert outcome(register(client, ada)) == (403, "Failure", None)
    assert set(basic_stack.redis().scan_iter("{b:*")) == before


@pytest.mark.parametrize("credential", ["", "{", "{}", "[]", "a:b", "null"])
def test_what_is_no_registration_fails(client, credential):
    assert outcome(register(client, credential)) == (403, "Failure", None)


def test_other_providers_register_nobody(client):
    assert outcome(register(client, "ada@example.org:x", "file")) == (402, "Forbidden", None)
    assert outcome(register(client, "a:b", "nowhere")) == (403, "Failure", None)
    assert_error(client.request("register", event=True, authProvider=BASIC), "-115", "credential")


@pytest.mark.parametrize("spoiled", [
    "nobody-at-all:x", "nobody-at-all", "", ":", "{}", "{\"username\":\"x\",\"password\":7}"])
def test_a_refused_login_never_tells_which_part_was_wrong(client, ada, spoiled):
    register(client, ada)
    expected = (433, "Bad username or password", None)
    assert outcome(authenticate(client, spoiled)) == expected
    assert outcome(authenticate(client, ada["username"] + ":wrong")) == expected
    assert outcome(authenticate(client, ada["username"].upper() + ":" + PASSWORD)) == expected


def test_of_many_at_once_one_gets_the_name(basic_stack, connect, ada):
    clients = [connect(basic_stack.gateways[0]) for _ in range(8)]
    with ThreadPoolExecutor(len(clients)) as pool:
        codes = list(pool.map(lambda c: register(c, ada)["statusCode"], clients))
    assert sorted(codes) == [200] + [404] * 7


def test_a_registration_that_is_delivered_twice_succeeds_twice(basic_stack, ada):
    with Operator(basic_stack) as operator:
        body = {"authProvider": BASIC, "credential": json.dumps(ada), "clientId": "by-hand"}
        first = operator.ask("register", body, correlation_id="77")
        second = operator.ask("register", body, correlation_id="77")
        third = operator.ask("register", body, correlation_id="78")
    assert [r["statusCode"] for r in (first, second, third)] == [200, 200, 404]


def test_a_registered_user_is_somebody_also_after_a_restart(basic_stack, connect, client, ada):
    register(client, ada)
    basic_stack.auth_agents[0].restart()
    wait_until(lambda: authenticate(connect(basic_stack.gateways[0]),
                                    f"{ada['username']}:{PASSWORD}")["result"], 20, "the login")


def test_where_only_operators_make_accounts_nobody_registers(new_stack, connect, ada):
    stack = new_stack(sync_agents=0, settings={"auth.providers": "basic", "auth.registration": "false"})
    client = connect(stack.gateways[0])
    assert outcome(register(client, ada)) == (402, "Forbidden", None)
    assert outcome(authenticate(client, ada)) == (433, "Bad username or password", None)
