"""Rules of fields for updates, and rules of which any of several lets: who may write an object may not
therefore set each of its fields, whatever the operation. And what is for those alone who sign in, and so not
for users of the provider anonymous.

Ada writes posts, Ben is an editor, Cleo neither. Posts hang on walls, which everyone may see."""

import json
import uuid

import pytest
from asking import create, find, put
from client import pair
from content_client import code_of, key
from shapes import assert_refused
from stack import Stack, user_row
from store import balance
from watching import expect_value, value

PERSON, POST, BOARD, SHELF, WALL = (f"app.{name}" for name in ("Person", "Post", "Board", "Shelf", "Wall"))
EDITOR, WRITER = {"role": "editor"}, {"owner": "by"}
FORBIDDEN, PATCH_FORBIDDEN, ADD_FORBIDDEN, PAGE_FORBIDDEN = "-117", 4030630, 4030730, 4030530
VIEWS = {"all": {"size": 5, "order": [{"by": "title"}]}}


def field(kind, **more):
    return {"type": kind, **more}


def parent(class_type, **relation):
    everyone = dict.fromkeys(("read", "create", "addChild"), "signedIn")
    return {"type": class_type, "access": everyone, "fields": {"posts": {"target": POST, **relation}},
            "children": {"relation": "posts", "views": VIEWS}}


MODEL = {"classes": {
    PERSON: {"type": "person", "anchor": "userId", "access": {"read": "signedIn"},
             "fields": {"userId": field("string", readOnly=True)}},
    POST: {"type": "post", "fields": {
        "title": field("string"), "by": field("toOne", target=PERSON, server="creator"),
        "status": field("string", default="draft", access={"update": EDITOR}),
        "note": field("string", access={"update": WRITER}),
        "wage": field("integer", access={"update": EDITOR, "read": EDITOR}),
        "board": field("toOne", target=BOARD, access={"update": EDITOR})},
        "access": {"read": "signedIn", "create": "signedIn", "update": [WRITER, EDITOR]}},
    BOARD: parent("board", type="toMany", inverse="board"),
    SHELF: parent("shelf", type="list", access={"update": EDITOR}),
    WALL: {**parent("wall", type="list"), "access": dict.fromkeys(("read", "create"), "everyone"),
           "watchers": {"titles": {"value": "path", "of": ["posts"], "field": "title"}}},
}}
WALL_FIELDS = MODEL["classes"][WALL]["fields"]
WALL_FIELDS["mark"] = field("string", access={"read": "signedIn"})
WALL_FIELDS["shown"] = field("toMany", target="app.Pin", inverse="wall", listed=True)
MODEL["classes"]["app.Pin"] = {"fields": {"wall": field("toOne", target=WALL)},
                               "access": dict.fromkeys(("read", "create"), "signedIn")}


@pytest.fixture(scope="module")
def fields_stack(servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    (folder / "model.json").write_text(json.dumps(MODEL))
    (folder / "users.json").write_text(json.dumps([
        {**user_row(f"{name}@example.org", name, "Example"), "roles": roles}
        for name, roles in {"ada": [], "ben": ["editor"], "cleo": []}.items()]))
    stack = Stack(servers, gateways=2, settings={"model.file": folder / "model.json",
                                                 "auth.users_file": folder / "users.json"})
    stack.gateways[1].environment["ACTIVESTACK_GATEWAY_CONTENT_PROVIDER"] = "anonymous"
    with stack:
        yield stack
        stack.check()
        expected, counted = balance(stack.redis())
        assert expected == counted


@pytest.fixture
def log_in(fields_stack, connect):
    return lambda user: connect(fields_stack.gateways[0], user)


@pytest.fixture
def enter(fields_stack, connect_content):
    return lambda user: connect_content(fields_stack.gateways[0], user)


@pytest.fixture
def ada(log_in):
    return log_in("ada")


@pytest.fixture
def ben(log_in):
    return log_in("ben")


@pytest.fixture
def post(ada):
    """The ID of one that Ada has written."""
    return create(ada, POST, title="one")["theObject"]["ID"]


def replace(path, value):
    return [{"op": "replace", "path": path, "value": value}]


# ---- Any of several

def test_whoever_one_of_the_rules_lets_may_do_it(ada, ben, log_in, enter, post):
    assert put(ada, POST, post, title="two")["result"] is True
    assert put(ben, POST, post, title="three")["result"] is True
    assert_refused(put(log_in("cleo"), POST, post, title="no"), FORBIDDEN)
    of = key("post", post)
    assert code_of(enter("ada").patch_content(of, replace("/title", "four"))) is None
    assert code_of(enter("ben").patch_content(of, replace("/title", "five"))) is None
    assert code_of(enter("cleo").patch_content(of, replace("/title", "no"))) == PATCH_FORBIDDEN
    assert find(ada, POST, post)["title"] == "five"


# ---- putObject

def test_a_put_of_a_guarded_field_is_refused_whole(ada, ben, post):
    assert_refused(put(ada, POST, post, title="two", status="live"), FORBIDDEN, "you may not set status")
    assert find(ada, POST, post)["title"] == "one"
    assert put(ben, POST, post, title="three", status="live")["result"] is True
    assert_refused(put(ben, POST, post, note="mine"), FORBIDDEN, "you may not set note")
    assert put(ada, POST, post, note="mine")["result"] is True
    found = find(ada, POST, post)
    assert (found["title"], found["status"], found["note"]) == ("three", "live", "mine")


def test_who_sees_a_field_may_send_it_back(ada, ben, post):
    assert put(ben, POST, post, status="live")["result"] is True
    assert put(ada, POST, post, title="two", status="live", board=None)["result"] is True
    assert_refused(put(ada, POST, post, status=None), FORBIDDEN, "you may not set status")
    assert find(ada, POST, post)["title"] == "two"


def test_nobody_learns_a_hidden_value_by_sending_it(ada, ben, post):
    assert put(ben, POST, post, wage=1000)["result"] is True
    answers = [put(ada, POST, post, wage=wage) for wage in (1000, 999, None)]
    for answer in answers:
        assert_refused(answer, FORBIDDEN, "you may not set wage")
    assert answers[0]["data"] == answers[1]["data"] == answers[2]["data"]


def test_a_refusal_is_the_same_when_the_request_comes_again(ada, ben, post):
    message = str(uuid.uuid4())
    request = {"putTimestamp": None, "theObject": {"cn": POST, "ID": post, "status": "live"}}
    first = ada.request("putObject", messageId=message, **request)
    assert_refused(first, FORBIDDEN, "you may not set status")
    assert put(ben, POST, post, status="live")["result"] is True
    assert ada.request("putObject", messageId=message, **request)["data"] == first["data"]


# ---- createObject

@pytest.mark.parametrize("given", [{"status": "draft"}, {"wage": None, "board": None}, {"note": "mine"}])
def test_what_it_would_have_anyway_and_what_is_ones_own_may_be_given(ada, given):
    made = create(ada, POST, **given)
    assert made["result"] is True
    assert find(ada, POST, made["theObject"]["ID"])["status"] == "draft"


@pytest.mark.parametrize("name, value", [("status", "live"), ("status", None), ("wage", 7)])
def test_a_new_one_is_given_a_guarded_field_by_whom_its_rule_lets(ada, ben, name, value):
    assert_refused(create(ada, POST, **{name: value}), FORBIDDEN, f"you may not set {name}")
    assert find(ben, POST, create(ben, POST, **{name: value})["theObject"]["ID"])[name] == value


# ---- processTransaction

def save(client, *objects):
    return client.request("processTransaction", transactionId=None, objectsToRemove=[],
                          objectsToSave=[{"cn": POST, **fields} for fields in objects])


def test_a_transaction_with_a_guarded_field_saves_nothing(ada, ben, post, new_id):
    new = new_id("post")
    assert_refused(save(ada, {"ID": post, "title": "two"}, {"ID": new, "status": "live"}), FORBIDDEN,
                   f"objectsToSave[1] ({POST}:{new}): you may not set status")
    assert_refused(save(ada, {"ID": new}, {"ID": post, "title": "two", "wage": 1}), FORBIDDEN,
                   f"objectsToSave[1] ({POST}:{post}): you may not set wage")
    assert find(ada, POST, new) is None and find(ada, POST, post)["title"] == "one"
    assert save(ada, {"ID": new, "note": "mine"}, {"ID": post, "status": "draft"})["result"] is True
    assert save(ben, {"ID": new, "status": "live"}, {"ID": post, "wage": 2})["result"] is True
    assert (find(ben, POST, new)["status"], find(ben, POST, post)["wage"]) == ("live", 2)


# ---- patch_content

def test_a_patch_of_a_guarded_field_is_refused_whole(enter, ada, post):
    of, docs = key("post", post), enter("ada")
    patch = replace("/title", "two") + replace("/status", "live")
    answer = docs.patch_content(of, patch)
    assert code_of(answer) == PATCH_FORBIDDEN and "you may not set status" in answer["data"]["msg"]
    assert find(ada, POST, post)["title"] == "one"
    assert code_of(docs.patch_content(of, replace("/status", "draft"))) is None
    assert code_of(enter("ben").patch_content(of, patch)) is None
    assert find(ada, POST, post)["status"] == "live"


# ---- add_child

def board_of(client, class_name):
    made = create(client, class_name)["theObject"]
    return key(class_name.rpartition(".")[2].lower(), made["ID"])


def test_a_child_is_made_by_whom_the_field_s_rule_lets_that_links_it(enter, ada, ben):
    board, shelf = board_of(ada, BOARD), board_of(ada, SHELF)
    for of, name in ((board, "board"), (shelf, "posts")):
        answer = enter("ada").add_child(of, "post", title="no")
        assert code_of(answer) == ADD_FORBIDDEN and f"you may not set {name}" in answer["data"]["msg"]
        assert code_of(enter("ben").add_child(of, "post", title="yes")) is None
    assert find(ada, SHELF, shelf["id"])["posts"] and enter("ada").get_children(board, "all")["data"]


def test_what_is_there_becomes_a_child_likewise(enter, ada, post):
    board, shelf = board_of(ada, BOARD), board_of(ada, SHELF)
    for of in (board, shelf):
        assert code_of(enter("ada").add_child(of, "post", post)) == ADD_FORBIDDEN
        assert code_of(enter("ben").add_child(of, "post", post)) is None
    assert find(ada, POST, post)["board"] == pair(BOARD, board["id"])
    assert find(ada, SHELF, shelf["id"])["posts"] == [pair(POST, post)]


def test_other_fields_of_a_new_child_are_guarded_too(enter, ada):
    shelf = board_of(ada, SHELF)
    answer = enter("ben").add_child(shelf, "post", note="of another")
    made = answer["data"]["key"]["id"]
    assert find(ada, POST, made)["note"] == "of another", "whoever makes it is its writer"
    answer = enter("ada").add_child(shelf, "post", status="live")
    assert code_of(answer) == ADD_FORBIDDEN and "you may not set status" in answer["data"]["msg"]


# ---- Who has not signed in

@pytest.fixture
def guest(fields_stack, connect):
    client = connect(fields_stack.gateways[1])
    client.login("anonymous", "")
    return client


@pytest.fixture
def wall(ada, post):
    wall = create(ada, WALL, mark="mine", posts=[pair(POST, post)])["theObject"]["ID"]
    assert create(ada, "app.Pin", wall=pair(WALL, wall))["result"] is True
    return wall


def test_what_is_for_those_who_sign_in_is_hidden_from_others(ada, guest, post, wall):
    assert find(guest, POST, post) is None
    for client, is_seen in ((ada, True), (guest, False)):
        found = find(client, WALL, wall)
        assert ("mark" in found, "shown" in found) == (is_seen, is_seen), found


def test_a_value_of_what_is_for_those_who_sign_in_is_another_one_for_others(ada, guest, post, wall):
    of = WALL, wall
    assert (value(ada, of, "titles"), value(guest, of, "titles")) == (["one"], [])
    assert put(ada, POST, post, title="two")["result"] is True
    expect_value(ada, of, "titles", ["two"])
    assert value(guest, of, "titles") == []


def test_pages_of_what_is_for_those_who_sign_in_are_for_them(fields_stack, enter, connect_content, wall):
    docs, of = connect_content(fields_stack.gateways[1], "ada"), key("wall", wall)
    assert code_of(docs.get_content(of)) is None
    assert code_of(docs.get_children(of, "all")) == PAGE_FORBIDDEN
    assert code_of(enter("ada").get_children(of, "all")) is None
