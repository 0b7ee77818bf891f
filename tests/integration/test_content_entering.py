"""What a login of the content protocol is answered with: token, entry points, config.

Content protocol, "login"; the entry points are those of deploy/example/model.json, or of a model made here.
"""

import json

import pytest
from asking import find, put
from by_hand import Operator
from client import pair
from content_client import ContentClient, code_of, key, login_data
from servers import wait_until
from stack import MODEL
from store import stored_object

OWN = {"rooms": "Rooms", "fav": "Favorites", "notes": "Notebook"}
UNNAMED = "Conversations"


def class_of(name):
    return f"com.app.mo.{name}"


@pytest.fixture
def gateway(stack):
    return stack.gateways[0]


@pytest.fixture
def enter(stack):
    """Logs in; enter("ada") returns the client."""
    clients = []

    def make(user, gateway=0, at=stack):
        clients.append(ContentClient(at.gateways[gateway].url))
        clients[-1].login(at.credential(user))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_a_login_has_the_seeds_shape_and_more_entry_points(stack, enter):
    data = enter("ada").entries
    assert list(data) == [
        "session", "self", "rooms", "fav", "root", "home", "notes", "config"]
    types = {"self": "user", "rooms": "rooms", "fav": "fav", "root": "index", "home": "unit",
             "notes": "notes"}
    for name, entry_type in types.items():
        assert list(data[name]) == ["type", "id"] and data[name]["type"] == entry_type
        assert isinstance(data[name]["id"], int)
    assert data["root"] == key("index", 1) and data["home"] == key("unit", 1)
    assert data["config"] == {"media_server": "https://media.example.com/static"}
    assert isinstance(data["session"], str) and len(data["session"]) >= 32


def test_self_is_the_users_own_object_of_either_protocol(stack, enter, connect):
    ada = enter("ada")
    content = ada.get_content(ada.entries["self"])["data"]["content"]
    assert content["first_name"] == "Ada"
    same = connect(stack.gateways[1], "ada")
    assert find(same, class_of("Person"), str(ada.entries["self"]["id"]))["userId"] == same.user_id


def test_every_login_of_a_user_has_the_same_entry_points(enter):
    first, second = enter("ada").entries, enter("ada", gateway=1).entries
    assert first.pop("session") != second.pop("session")
    assert first == second


def test_what_is_a_users_own_is_nobody_elses(enter):
    ada, ben = enter("ada").entries, enter("ben").entries
    for name in ("self", *OWN):
        assert ada[name] != ben[name]
    assert (ada["root"], ada["home"]) == (ben["root"], ben["home"])


def test_what_is_a_users_own_has_the_users_id(enter):
    ada = enter("ada")
    mine = ada.entries["self"]["id"]
    for name in OWN:
        assert ada.entries[name]["id"] == mine
    assert ada.get_content(key("conversations", mine))["status"] == 200


def test_only_its_user_may_change_it(stack, enter, connect):
    fav = str(enter("ada").entries["fav"]["id"])
    me = connect(stack.gateways[0], "ada")
    refused = put(connect(stack.gateways[0], "ben"), class_of("Favorites"), fav, children=[])
    assert refused["result"] is False and refused["data"]["code"] == "-117"
    assert put(me, class_of("Favorites"), fav, children=[])["result"] is True


def test_many_logins_at_once_make_everything_once(new_stack):
    stack = new_stack(gateways=2, sync_agents=2)
    clients = [ContentClient(stack.gateways[i % 2].url) for i in range(12)]
    logins = [client.send_request("login", **login_data(stack.credential("ada")))
              for client in clients]
    answers = [client.answer_to(login)["data"] for client, login in zip(clients, logins)]
    for answer in answers:
        del answer["session"]
        assert answer == answers[0]
    redis = stack.redis()
    for name in (*OWN.values(), UNNAMED, "Group", "Index", "Membership", "Person"):
        assert redis.zcard(f"{{k:{class_of(name)}}}:ids") == 1, name
    for client in clients:
        client.close()


def test_everyone_is_in_the_home_group_once(stack, enter, connect):
    people = {user: enter(user).entries["self"]["id"] for user in ("ada", "ben")}
    enter("ada")
    ada = connect(stack.gateways[0], "ada")
    for person in people.values():
        found = ada.request("findByExample", theObject={
            "cn": class_of("Membership"), "person": pair(class_of("Person"), str(person))})["result"]
        assert [join["group"]["ID"] for join in found] == ["1"]


def test_what_is_fixed_is_made_with_its_fields_and_references(stack, enter):
    enter("ada")
    redis = stack.redis()
    assert stored_object(redis, f"{class_of('Group')}:1")["name"] == '"Home"'
    assert json.loads(stored_object(redis, f"{class_of('Index')}:1")["children"]) == [
        pair(class_of("Group"), "1")]
    assert int(redis.get(f"{{k:{class_of('Group')}}}:next")) >= 1, "the next one is another one"


def test_who_watches_the_class_is_told_of_what_is_made(new_stack, connect):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    ada.request("getAllByName", theClassName=class_of("Notebook"))
    with ContentClient(stack.gateways[0].url) as ben:
        notes = ben.login(stack.credential("ben"))["notes"]
    assert ada.expect_update(str(notes["id"]))["children"] == []


# ---- The request that the gateway sends

def authenticated(operator, stack, client_id):
    """The token of a login by hand, and its user."""
    result = operator.ask("authenticate", {
        "authProvider": "file", "credential": stack.credential("ada"), "clientId": client_id})["result"]
    return result["token"], result["user"]["ID"]


def test_a_repeated_request_gets_the_same_answer(stack, new_id):
    client_id = new_id("client")
    with Operator(stack) as operator:
        token, user = authenticated(operator, stack, client_id)

        def enter_by_hand():
            return operator.ask("connect", {"token": token}, message_id="1",
                                headers={"dialect": "content", "client": client_id, "user": user})

        first = enter_by_hand()
        assert (first["type"], first["id"], first["cls"]) == ("result", "1", "login")
        assert first["data"]["session"] == token
        sessions = stack.redis().smembers(f"{{u:{user}}}:s")
        assert enter_by_hand() == first
        assert stack.redis().smembers(f"{{u:{user}}}:s") <= sessions, "those of others may end"


@pytest.mark.parametrize("body, code", [
    ({"token": "wrong"}, 4010130), ({"token": 5}, 4000100), ({}, 4000100)])
def test_a_token_that_is_none_lets_nobody_in(stack, new_id, body, code):
    with Operator(stack) as operator:
        answer = operator.ask("connect", body, message_id="1", headers={
            "dialect": "content", "client": new_id("client"), "user": "somebody"})
    assert code_of(answer) == code and answer["id"] == "1"


# ---- Other models

def changed_model(tmp_path, change):
    model = json.loads(MODEL.read_text())
    change(model)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model))
    return {"model.file": path}


def test_what_cannot_be_named_is_left_out(new_stack, tmp_path, connect):
    """A field of the user's object that is empty, and a fixed document that is not there."""
    def change(model):
        person = model["classes"][class_of("Person")]
        person["fields"]["boss"] = {"type": "toOne", "target": class_of("Person")}
        model["entryPoints"] = {"boss": {"field": "boss"}, "self": {"self": True},
                                "other": {"key": key("unit", 77)}}
        del model["clientConfig"]

    stack = new_stack(settings=changed_model(tmp_path, change))
    with ContentClient(stack.gateways[0].url) as client:
        data = client.login(stack.credential("ada"))
    assert list(data) == ["session", "self", "config"] and data["config"] == {}
    ada = connect(stack.gateways[0], "ada")
    me = str(data["self"]["id"])
    assert put(ada, class_of("Person"), me, boss=pair(class_of("Person"), me))["result"] is True
    with ContentClient(stack.gateways[0].url) as client:
        data = client.login(stack.credential("ada"))
    assert list(data) == ["session", "boss", "self", "config"] and data["boss"] == data["self"]


def test_own_documents_may_have_string_ids_and_server_fields(new_stack, tmp_path):
    def change(model):
        model["classes"]["com.app.mo.Desk"] = {
            "type": "desk",
            "fields": {"user": {"type": "toOne", "target": class_of("Person"), "server": "creator"},
                       "since": {"type": "date", "server": "now"},
                       "tidy": {"type": "boolean", "default": True},
                       "guests": {"type": "list", "target": class_of("Person"), "server": "creator"}},
            "access": {"read": "signedIn", "remove": "signedIn"}}
        model["entryPoints"] = {"self": {"self": True}, "desk": {"own": "desk"}}

    stack = new_stack(settings=changed_model(tmp_path, change))
    with ContentClient(stack.gateways[0].url) as client:
        data = client.login(stack.credential("ada"))
        content = client.get_content(data["desk"])["data"]["content"]
    assert isinstance(data["desk"]["id"], str)
    assert content["user"] == {"key": data["self"]} and content["guests"] == [{"key": data["self"]}]
    assert content["tidy"] is True and content["since"] > 10 ** 12


def test_what_was_removed_is_made_again(new_stack, tmp_path, connect):
    def change(model):
        for name in ("Notebook", "Group", "Membership"):
            model["classes"][class_of(name)]["access"]["remove"] = "signedIn"

    stack = new_stack(settings=changed_model(tmp_path, change))
    with ContentClient(stack.gateways[0].url) as client:
        before = client.login(stack.credential("ada"))
    ada = connect(stack.gateways[0], "ada")
    for name, entry in (("Notebook", "notes"), ("Group", "home")):
        assert ada.request("removeObject", removePair=pair(
            class_of(name), str(before[entry]["id"])))["result"] is True
    redis = stack.redis()
    wait_until(lambda: redis.zcard("jobs") == 0, 15, "all is told")
    with ContentClient(stack.gateways[0].url) as client:
        after = client.login(stack.credential("ada"))
        assert client.get_content(after["notes"])["status"] == 200
    assert [after[name] for name in before if name != "session"] == [
        before[name] for name in before if name != "session"]
    assert redis.hget(f"{{o:{class_of('Group')}:1}}", "@v") == "3", "behind its tombstone"
    found = ada.request("getAllByName", theClassName=class_of("Membership"))
    assert [join["group"]["ID"] for join in found["result"]] == ["1"]


def test_whoever_is_a_member_already_does_not_join(new_stack, tmp_path, connect):
    def change(model):
        access = model["classes"][class_of("Membership")]["access"]
        access["create"] = access["remove"] = "signedIn"

    stack = new_stack(settings=changed_model(tmp_path, change))
    with ContentClient(stack.gateways[0].url) as client:
        me = client.login(stack.credential("ada"))["self"]["id"]
    ada = connect(stack.gateways[0], "ada")
    made, = ada.request("getAllByName", theClassName=class_of("Membership"))["result"]
    ada.request("removeObject", removePair=pair(class_of("Membership"), made["ID"]))
    assert ada.request("createObject", theObject={
        "cn": class_of("Membership"), "ID": "mine", "group": pair(class_of("Group"), "1"),
        "person": pair(class_of("Person"), str(me))})["result"] is True
    with ContentClient(stack.gateways[0].url) as client:
        client.login(stack.credential("ada"))
    found = ada.request("getAllByName", theClassName=class_of("Membership"))["result"]
    assert [join["ID"] for join in found] == ["mine"]
