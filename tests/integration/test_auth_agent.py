"""The auth agent alone, asked over AMQP as a gateway asks it (spec 3.9, 8)."""

import hashlib
import json
import uuid

import pytest
from auth_asking import Asker
from servers import wait_until
from stack import AuthAgent, Stack

CLASS = "com.percero.agents.auth.vo."
PERSON = "com.app.mo.Person"


@pytest.fixture(scope="module")
def auth_stack(servers):
    with Stack(servers, gateways=0, sync_agents=0) as stack:
        yield stack


@pytest.fixture
def auth(auth_stack):
    with Asker(auth_stack) as asker:
        yield asker
    auth_stack.check()


@pytest.fixture
def client():
    return str(uuid.uuid4())


@pytest.fixture
def another_client():
    return str(uuid.uuid4())


def token_key(token):
    return "{t:" + hashlib.sha256(token.encode()).hexdigest() + "}"


def test_a_login_is_answered_in_the_shape_of_the_spec(auth, client):
    response = auth.authenticate(auth.stack.credential("ada"), client, "d1")
    result = response.pop("result")
    assert response == {
        "cn": CLASS + "AuthenticationResponse", "clientId": client, "deviceId": "d1",
        "correspondingMessageId": "m1", "message": "Success", "statusCode": 200}
    assert set(result) == {"cn", "ID", "id", "dateCreated", "dateModified", "lastLogin", "user",
                           "clientId", "deviceId", "token"}
    assert result["cn"] == CLASS + "UserToken" and result["ID"] == result["id"]
    assert result["user"] == {"className": CLASS + "User", "properties": None,
                              "ID": str(uuid.UUID(result["user"]["ID"]))}
    assert (result["clientId"], result["deviceId"]) == (client, "d1")
    assert result["dateCreated"] == result["dateModified"] == result["lastLogin"]


def test_a_token_is_stored_only_as_its_hash(auth, client):
    login = auth.login("ada", client)
    redis = auth.stack.redis()
    row = redis.hgetall(token_key(login["token"]))
    assert (row["user"], row["client"]) == (login["user"]["ID"], client)
    assert redis.ttl(token_key(login["token"])) > 0
    assert login["token"] not in str(row) + str(redis.keys())


@pytest.mark.parametrize("credential", [
    "ada@example.org:wrong", "nobody@example.org:correct horse", "", ":", "ada@example.org",
    "ada@example.org:correct horse:", "ada@example.org:correct:horse"])
def test_a_refused_login_never_tells_which_part_was_wrong(auth, client, credential):
    response = auth.authenticate(credential, client)
    assert response["result"] is None
    assert (response["statusCode"], response["message"]) == (402, "Forbidden")


def test_an_unknown_provider_is_a_failure(auth, client):
    response = auth.authenticate("a:b", client, provider="nowhere")
    assert (response["statusCode"], response["message"]) == (403, "Failure")
    assert response["result"] is None


def test_a_provider_is_known_in_any_case(auth, client):
    assert auth.authenticate(auth.stack.credential("ada"), client, provider="FILE")["result"]


def test_anonymous_users_are_all_the_same(auth, client, another_client):
    body = {"authProvider": "anonymous"}
    one = auth.ask("authenticate", body, client=client)["result"]
    two = auth.ask("authenticate", {**body, "credential": None}, client=another_client)["result"]
    assert one["user"] == two["user"] and one["token"] != two["token"]
    user = auth.stack.redis().hgetall("{u:" + one["user"]["ID"] + "}")
    assert (user["firstName"], user["lastName"]) == ("ANON", "ANON")


@pytest.mark.parametrize("operation, body", [
    ("authenticate", {"authProvider": "file"}),
    ("authenticate", {"credential": "a:b"}),
    ("authenticate", {"credential": 1, "authProvider": "file"}),
    ("authenticate", {"credential": "a:b", "authProvider": ["file"]}),
    ("authenticate", {"credential": "x" * 4097, "authProvider": "file"}),
    ("reauthenticate", {}),
    ("reauthenticate", {"token": 7}),
    ("validateUserByToken", {"token": "x" * 4097}),
])
def test_a_malformed_request_is_refused_and_the_next_one_served(auth, client, operation, body):
    response = auth.ask(operation, body, client=client)
    assert (response["errorCode"], response["errorName"]) == ("-115", "malformedRequest")
    assert auth.login("ada", client)


def test_the_first_login_makes_the_person_and_the_next_finds_it(auth, client, another_client):
    redis = auth.stack.redis()
    user = auth.login("cleo", client)["user"]["ID"]
    row = redis.hgetall("{u:" + user + "}")
    assert json.loads(row["me"]) == {"className": PERSON, "ID": row["anchor"]}
    person = redis.hgetall("{o:" + PERSON + ":" + row["anchor"] + "}")
    values = {name: json.loads(value.split(" ", 2)[2])
              for name, value in person.items() if name[0] != "@"}
    assert values == {"userId": user, "first_name": "Cleo", "last_name": "Example",
                      "display_name": "Cleo Example", "presence": "offline"}
    jobs = [redis.hgetall("{j:" + job + "}") for job in redis.zrange("jobs", 0, -1)]
    assert [job["audience"].split("\n") for job in jobs
            if job["ref"] == PERSON + ":" + row["anchor"]] == [
        ["{o:" + PERSON + ":" + row["anchor"] + "}:w", "{o:" + PERSON + ":" + row["anchor"] + "}:sw",
         "{k:" + PERSON + "}:w"]]

    redis.hset("{o:" + PERSON + ":" + row["anchor"] + "}", "first_name", '2 2 "Cleopatra"')
    assert auth.login("cleo", another_client)["user"]["ID"] == user
    assert redis.hget("{u:" + user + "}", "anchor") == row["anchor"]
    assert redis.hget("{o:" + PERSON + ":" + row["anchor"] + "}", "first_name").endswith('patra"')


def test_a_new_login_of_the_same_client_replaces_the_token(auth, client):
    first, second = auth.login("ada", client), auth.login("ada", client)
    assert not auth.is_valid(first, client)
    assert auth.is_valid(second, client)


def test_a_login_of_another_client_on_the_device_replaces_the_token(auth, client, another_client):
    device = str(uuid.uuid4())
    first = auth.login("ada", client, device)
    elsewhere = auth.login("ada", client + "-x", device + "-x")
    second = auth.login("ada", another_client, device)
    assert not auth.is_valid(first, client)
    assert auth.is_valid(second, another_client)
    assert auth.is_valid(elsewhere, client + "-x")


def test_a_login_without_a_device_replaces_no_other(auth, client, another_client):
    first, second = auth.login("ada", client), auth.login("ada", another_client)
    assert auth.is_valid(first, client) and auth.is_valid(second, another_client)


def test_a_login_delivered_twice_leaves_both_answers_true(auth, client):
    body = {"credential": auth.stack.credential("ben"), "authProvider": "file"}
    logins = [auth.receive(auth.send("authenticate", body, number="777", client=client,
                                     device="d2"))["result"] for _ in range(2)]
    assert all(auth.is_valid(login, client) for login in logins)
    auth.login("ben", client, "d2")
    assert not any(auth.is_valid(login, client) for login in logins)


def test_reauthentication_binds_the_token_to_the_new_client(auth, client, another_client):
    login = auth.login("ada", client, "d3")
    response = auth.ask("reauthenticate", {"token": login["token"]}, client=another_client,
                        device="d3")
    again = response["result"]
    assert response["cn"] == CLASS + "AuthenticationResponse"
    assert (response["statusCode"], response["message"]) == (200, "Success")
    assert {**again, "clientId": 0, "lastLogin": 0, "dateModified": 0} == {
        **login, "clientId": 0, "lastLogin": 0, "dateModified": 0}
    assert again["clientId"] == another_client
    assert not auth.is_valid(login, client)
    assert auth.ask("disconnectAuth", {}, client=client)["result"] is False
    assert auth.is_valid(login, another_client)


def test_an_unknown_or_expired_token_is_unauthorized(auth, client):
    login = auth.login("ada", client)
    auth.stack.redis().hset(token_key(login["token"]), "expires", 1)
    for token in ("no such token", login["token"]):
        response = auth.ask("reauthenticate", {"token": token}, client=client)
        assert (response["statusCode"], response["message"]) == (401, "Unauthorized")
        assert response["result"] is None
    assert not auth.is_valid(login, client)


def test_a_token_is_valid_only_for_its_user_and_client(auth, client, another_client):
    ada, ben = auth.login("ada", client), auth.login("ben", client)
    assert auth.is_valid(ada, client) and auth.is_valid(ben, client)
    assert not auth.is_valid(ada, another_client)
    assert not auth.is_valid({**ada, "user": ben["user"]}, client)
    assert not auth.is_valid({**ada, "user": {"ID": ""}}, client)


def test_a_disabled_user_is_refused_like_a_wrong_password(auth, client):
    login = auth.login("emil", client)
    auth.stack.redis().hset("{u:" + login["user"]["ID"] + "}", "disabled", 1)
    refused = auth.authenticate(auth.stack.credential("emil"), client)
    assert (refused["statusCode"], refused["result"]) == (402, None)
    assert auth.ask("reauthenticate", {"token": login["token"]}, client=client)["statusCode"] == 401
    assert not auth.is_valid(login, client)


def test_disconnect_deletes_the_tokens_of_the_client(auth, client, another_client):
    login, other = auth.login("dora", client, "d4"), auth.login("dora", another_client, "d5")
    response = auth.ask("disconnectAuth", {}, client=client)
    assert (response["cn"], response["result"]) == (CLASS + "DisconnectResponse", True)
    assert auth.ask("disconnectAuth", {}, client=client)["result"] is False
    assert not auth.is_valid(login, client)
    assert auth.is_valid(other, another_client)
    assert len(auth.stack.redis().keys("*" + client + "*")) == 0


def test_a_request_published_by_hand_takes_identity_from_its_body(auth, client):
    body = {"credential": auth.stack.credential("ada"), "authProvider": "file",
            "clientId": client, "deviceId": "d6"}
    login = auth.ask("authenticate", body)["result"]
    assert (login["clientId"], login["deviceId"]) == (client, "d6")
    anonymous = auth.ask("authenticate", {**body, "clientId": None})
    assert anonymous["errorCode"] == "-115"


def test_sync_agents_take_over_from_a_login(new_stack, client):
    stack = new_stack(gateways=0, sync_agents=1)
    with Asker(stack) as auth:
        login = auth.login("ada", client, "d7")
        wait_until(lambda: not stack.redis().exists("jobs"), 20, "everybody has been told of the Person")
        response = auth.ask("connect", {"token": login["token"]}, client=client,
                            user=login["user"]["ID"], device="d7")
    assert response["clientId"] == client
    session = stack.redis().hgetall("{s:" + stack.redis().get("c:" + client) + "}")
    assert json.loads(session["me"])["className"] == PERSON


def test_no_secret_is_in_the_log(auth, client):
    login = auth.login("ada", client)
    log = auth.stack.auth_agents[0].log_text()
    assert login["token"] not in log and "correct horse" not in log


def test_mistakes_in_the_users_file_stop_the_start_and_are_all_told(auth_stack, tmp_path):
    users = tmp_path / "users.json"
    users.write_text(json.dumps([{"firstName": 1, "email": "a:b", "extra": 0},
                                 {"firstName": "", "lastName": "", "email": "a:b", "passHash": ""}]))
    agent = AuthAgent(auth_stack, 9)
    agent.environment.update(ACTIVESTACK_AUTH_USERS_FILE=str(users),
                             ACTIVESTACK_AUTH_PROVIDERS="file, nowhere")
    agent.launch()
    agent.expected_end = True
    wait_until(lambda: agent.process.poll() is not None, 60, "the agent ends")
    assert agent.process.returncode == 1
    for told in ("[0].firstName", "[0].lastName", "[0].passHash", "[0].extra", "[1].email",
                 "[1].passHash", '"nowhere"'):
        assert told in agent.log_text()
