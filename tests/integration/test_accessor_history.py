"""getAccessor and getHistory (spec 3.4, 10.4)."""

import json
import uuid

import pytest
from client import SYNC
from servers import wait_until
from shapes import assert_error, assert_sync_shape
from stack import MODEL, Stack
from store import now_ms, object_key

MO = "com.app.mo."
TASK, ITEM, PERSON = MO + "Task", MO + "Item", MO + "Person"
DOC, SECRET, DIARY, PAGE, LOCKED = (MO + name for name in ("Doc", "Secret", "Diary", "Page", "Locked"))
OWNED = {action: {"owner": "by"} for action in ("read", "create", "update", "remove")}
SIGNED_IN = dict.fromkeys(("read", "create", "update", "remove"), "signedIn")
CLASSES = {
    DOC: {"history": True, "access": SIGNED_IN, "fields": {
        "title": {"type": "string"}, "price": {"type": "double"}, "count": {"type": "integer"},
        "more": {"type": "json"}, "next": {"type": "toOne", "target": DOC}}},
    PAGE: {"parent": DOC, "fields": {"number": {"type": "integer"}}},
    SECRET: {"access": OWNED, "fields": {"by": {"type": "string"}, "text": {"type": "string"}}},
    DIARY: {"parent": SECRET, "history": True, "fields": {}},
    LOCKED: {"access": {"read": "signedIn", "create": "nobody"}, "fields": {}},
}
KEPT = 25


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The example model with classes that have a history, and with people who have one."""
    model = json.loads(MODEL.read_text())
    model["classes"][PERSON]["history"] = True
    model["classes"].update(CLASSES)
    path = tmp_path_factory.mktemp("model") / "model.json"
    path.write_text(json.dumps(model))
    return path


@pytest.fixture(scope="module")
def own_stack(servers, model):
    settings = {"model.file": model, "sync.history_kept": KEPT, "sync.max_answer_bytes": 200_000}
    with Stack(servers, sync_agents=2, settings=settings) as stack:
        yield stack


@pytest.fixture
def ada(own_stack, connect):
    yield connect(own_stack.gateways[0], "ada")
    own_stack.check()


@pytest.fixture
def ben(own_stack, connect):
    return connect(own_stack.gateways[0], "ben")


def create(client, class_name, object_id, **fields):
    response = client.request("createObject", theObject={"cn": class_name, "ID": object_id, **fields})
    assert response["result"] is True, response
    return response["theObject"]


def put(client, class_name, object_id, **fields):
    response = client.request("putObject", theObject={"cn": class_name, "ID": object_id, **fields})
    assert response["result"] is True, response


def remove(client, class_name, object_id):
    pair = {"className": class_name, "ID": object_id}
    assert client.request("removeObject", removePair=pair)["result"] is True


# ---- getAccessor

def get_accessor(client, class_name, object_id, **members):
    return client.request("getAccessor", theClassName=class_name, theClassId=object_id, **members)


def rights(client, class_name, object_id):
    """Those that the client has, in the order create, delete, read, update."""
    accessor = get_accessor(client, class_name, object_id, returnObject=False)["accessor"]
    return "".join(letter for letter, name in zip(
        "cdru", ("canCreate", "canDelete", "canRead", "canUpdate")) if accessor[name])


@pytest.mark.parametrize("event", [False, True])
def test_an_accessor_has_the_shape_of_the_spec(ada, new_id, event):
    doc = new_id("doc")
    stored = create(ada, DOC, doc, title="one")
    message = ada.send_request("getAccessor", event=event, theClassName=DOC, theClassId=doc,
                               returnObject=True)
    response = ada.response_to(message)
    assert_sync_shape(response, "GetAccessorResponse", ada.client_id, message)
    assert response["resultObject"] == stored
    assert list(response["accessor"].items()) == [
        ("cn", "com.percero.framework.accessor.Accessor"), ("ID", "null"), ("canCreate", True),
        ("canDelete", True), ("canRead", True), ("canUpdate", True)]


@pytest.mark.parametrize("returns", [False, None])
def test_the_object_comes_only_if_it_is_asked_for_and_is_watched_then(ada, ben, new_id, returns):
    doc, other = new_id("doc"), new_id("doc")
    create(ada, DOC, doc)
    create(ada, DOC, other)
    assert get_accessor(ben, DOC, doc, returnObject=returns)["resultObject"] is None
    assert get_accessor(ben, DOC, other, returnObject=True)["resultObject"]["ID"] == other
    put(ada, DOC, doc, title="not watched")
    put(ada, DOC, other, title="watched")
    ben.expect_update(other, title="watched")
    ben.expect_nothing(lambda f: any(o["ID"] == doc for o in f.get("objectList", [])), 0.1)


def test_an_accessor_follows_the_rules_for_the_sessions_user(ada, ben, new_id):
    secret = new_id("secret")
    create(ada, SECRET, secret, by=ada.user_id, text="mine")
    assert rights(ada, SECRET, secret) == "cdru"
    assert rights(ben, SECRET, secret) == ""
    mine = get_accessor(ada, SECRET, secret, returnObject=True, userId=ben.user_id)
    assert mine["resultObject"]["text"] == "mine", "what the message says of the user counts nothing"
    theirs = get_accessor(ben, SECRET, secret, returnObject=True, userId=ada.user_id)
    assert theirs["resultObject"] is None and theirs["accessor"]["canRead"] is False


def test_the_accessor_of_what_does_not_exist_says_whether_it_may_be_created(ada, new_id):
    assert rights(ada, DOC, new_id()) == "c"
    assert rights(ada, PAGE, new_id()) == "c"
    assert rights(ada, ITEM, new_id()) == "", "abstract"
    assert rights(ada, LOCKED, new_id()) == ""
    assert rights(ada, SECRET, new_id()) == "", "nobody owns it"


def test_an_accessor_finds_an_object_by_a_parent_class(ada, new_id):
    page = new_id("page")
    create(ada, PAGE, page, number=1)
    response = get_accessor(ada, DOC, page, returnObject=True)
    assert response["resultObject"]["cn"] == PAGE
    assert rights(ada, DOC, page) == "cdru"


def test_people_may_change_only_themselves(ada, own_stack):
    me = own_stack.redis().hget("{u:" + ada.user_id + "}", "anchor")
    assert rights(ada, PERSON, me) == "ru"
    assert rights(ada, PERSON, "999999") == ""


@pytest.mark.parametrize("operation", ["getAccessor", "getHistory"])
@pytest.mark.parametrize("members, code", [
    ({}, "-115"), ({"theClassName": DOC}, "-115"), ({"theClassId": "1"}, "-115"),
    ({"theClassName": DOC, "theClassId": 1}, "-115"), ({"theClassName": [], "theClassId": "1"}, "-115"),
    ({"theClassName": DOC, "theClassId": ""}, "-115"),
    ({"theClassName": DOC, "theClassId": "x" * 513}, "-115"),
    ({"theClassName": "no.Such", "theClassId": "1"}, "-104")])
def test_a_bad_request_is_refused(ada, operation, members, code):
    assert_error(ada.request(operation, **members), code, "theClass")


@pytest.mark.parametrize("returns", [1, "true", [], {}])
def test_return_object_is_a_boolean(ada, returns):
    assert_error(get_accessor(ada, DOC, "1", returnObject=returns), "-115", "returnObject")


@pytest.mark.parametrize("operation", ["getAccessor", "getHistory"])
def test_who_is_not_logged_in_gets_neither(own_stack, connect, operation):
    client = connect(own_stack.gateways[0])
    assert_error(client.request(operation, theClassName=DOC, theClassId="1"), "-100")


# ---- getHistory

def history(client, class_name, object_id):
    response = client.request("getHistory", theClassName=class_name, theClassId=object_id)
    assert "errorCode" not in response, response
    return response["result"]


def past(states, field):
    return [json.loads(state["objectData"])[field] for state in states]


def test_a_history_tells_of_every_state_the_newest_first(ada, ben, new_id):
    doc, before = new_id("doc"), now_ms()
    first = create(ada, DOC, doc, title="one")
    put(ben, DOC, doc, title="two", price=1.5)
    message = ada.send_request("getHistory", theClassName=DOC, theClassId=doc)
    response = ada.response_to(message)
    assert_sync_shape(response, "GetHistoryResponse", ada.client_id, message)
    newest, oldest = response["result"]
    assert list(newest) == ["cn", "ID", "objectChangeDate", "objectChangerId", "objectVersion",
                            "objectId", "objectClassName", "objectData"]
    assert newest["cn"] == SYNC + "HistoricalObject"
    assert (newest["objectVersion"], oldest["objectVersion"]) == ("2", "1")
    assert (newest["objectChangerId"], oldest["objectChangerId"]) == (ben.user_id, ada.user_id)
    assert before <= oldest["objectChangeDate"] <= newest["objectChangeDate"] <= now_ms()
    assert {(s["objectId"], s["objectClassName"]) for s in (newest, oldest)} == {(doc, DOC)}
    assert newest["ID"] != oldest["ID"]
    assert list(json.loads(oldest["objectData"]).items()) == list(first.items())
    assert json.loads(newest["objectData"]) == {**first, "title": "two", "price": 1.5}


def test_history_keeps_texts_as_they_were_sent(ada, new_id):
    doc = new_id('doc"\\ü')
    message = str(uuid.uuid4())
    ada.send_text('{"cn":"%sCreateRequest","messageId":"%s","theObject":{"cn":"%s","ID":%s,'
                  '"title":"\\"\\\\\\n\\u00fc","price":1.10,"count":9223372036854775807,'
                  '"more":{"a":[1.0,{}],"b":[]}}}' % (SYNC, message, DOC, json.dumps(doc)))
    assert ada.response_to(message)["result"] is True
    (state,) = history(ada, DOC, doc)
    for text in ('"ID":' + json.dumps(doc, ensure_ascii=False), '"price":1.10',
                 '"count":9223372036854775807', '"more":{"a":[1.0,{}],"b":[]}'):
        assert text in state["objectData"]
    assert past([state], "title") == ['"\\\nü']


def test_what_changes_nothing_is_no_state(ada, new_id):
    doc = new_id("doc")
    create(ada, DOC, doc, title="one")
    put(ada, DOC, doc, title="one")
    ada.request("putObject", putTimestamp=1, theObject={"cn": DOC, "ID": doc, "title": "stale"})
    create(ada, DOC, doc, title="there already")
    assert past(history(ada, DOC, doc), "title") == ["one"]


def test_a_history_is_bounded(own_stack, ada, new_id):
    doc = new_id("doc")
    create(ada, DOC, doc)
    for i in range(KEPT + 5):
        put(ada, DOC, doc, count=i)
    assert past(history(ada, DOC, doc), "count") == list(range(KEPT + 4, 4, -1))
    assert own_stack.redis().llen(object_key(f"{DOC}:{doc}", ":h")) == KEPT


def test_a_cleared_reference_is_a_state_that_the_server_made(ada, new_id):
    doc, target = new_id("doc"), new_id("doc")
    create(ada, DOC, target)
    create(ada, DOC, doc, next={"className": DOC, "ID": target})
    remove(ada, DOC, target)
    newest, oldest = history(ada, DOC, doc)
    assert past([newest, oldest], "next") == [None, {"className": DOC, "ID": target}]
    assert newest["objectChangerId"] is None and oldest["objectChangerId"] == ada.user_id


def test_a_removal_ends_the_history(own_stack, ada, new_id):
    doc = new_id("doc")
    create(ada, DOC, doc)
    remove(ada, DOC, doc)
    assert history(ada, DOC, doc) is None
    assert not own_stack.redis().exists(object_key(f"{DOC}:{doc}", ":h"))


def test_a_class_without_history_has_none_and_its_child_may_have_one(own_stack, ada, new_id):
    task, secret, diary = new_id("task"), new_id("secret"), new_id("diary")
    create(ada, TASK, task, title="one")
    create(ada, SECRET, secret, by=ada.user_id)
    create(ada, DIARY, diary, by=ada.user_id)
    assert history(ada, TASK, task) == [] and history(ada, SECRET, secret) == []
    assert len(history(ada, SECRET, diary)) == 1
    assert not own_stack.redis().exists(object_key(f"{TASK}:{task}", ":h"))


def test_a_child_class_has_the_history_of_its_parent(ada, new_id):
    page = new_id("page")
    create(ada, PAGE, page, number=1)
    put(ada, PAGE, page, number=2)
    states = history(ada, DOC, page)
    assert past(states, "number") == [2, 1] and states[0]["objectClassName"] == PAGE


def test_only_who_may_read_the_object_gets_its_history(ada, ben, new_id):
    diary = new_id("diary")
    create(ada, DIARY, diary, by=ada.user_id, text="secret")
    assert past(history(ada, DIARY, diary), "text") == ["secret"]
    assert history(ben, DIARY, diary) is None
    put(ada, DIARY, diary, by=ben.user_id)
    assert history(ada, DIARY, diary) is None
    assert past(history(ben, DIARY, diary), "text") == ["secret", "secret"]


def test_the_history_of_nothing_is_null(ada, new_id):
    assert history(ada, DOC, new_id()) is None


def test_a_history_is_not_watched(ada, ben, new_id):
    doc = new_id("doc")
    create(ada, DOC, doc)
    assert len(history(ben, DOC, doc)) == 1
    put(ada, DOC, doc, title="new")
    ben.expect_nothing(lambda f: "objectList" in f, 0.2)


def test_a_history_that_is_too_large_for_an_answer_is_refused(ada, new_id):
    doc = new_id("doc")
    create(ada, DOC, doc, title="x" * 50_000)
    for i in range(4):
        put(ada, DOC, doc, count=i)
    assert_error(ada.request("getHistory", theClassName=DOC, theClassId=doc), "-120")


def test_a_person_begins_with_a_state_of_its_own(own_stack, ada):
    me = own_stack.redis().hget("{u:" + ada.user_id + "}", "anchor")
    wait_until(lambda: history(ada, PERSON, me), 10, "the state of the first login")
    oldest = history(ada, PERSON, me)[-1]
    assert past([oldest], "first_name") == ["Ada"]
    assert oldest["objectChangerId"] is None and oldest["objectVersion"] == "1"
