"""runQuery: declared queries, and nothing else (spec 3.4)."""

import json

import pytest
from asking import create, ids
from client import pair
from shapes import assert_error, assert_sync_shape
from stack import MODEL, Stack
from store import object_key, session_of

TASK, NOTE, ITEM = "com.app.mo.Task", "com.app.mo.Note", "com.app.mo.Item"
PERSON, SECRET = "com.app.mo.Person", "com.app.mo.Secret"
MAX_SCAN = 60
LIMIT = 20


def param(name, kind, **more):
    return {"name": name, "type": kind, **more}


def is_(field, sign, value):
    return {"field": field, "is": sign, "value": value}


def is_param(field, sign, number):
    return {"field": field, "is": sign, "param": number}


STRING = [param("text", "string", required=True)]
ITEM_QUERIES = {"byText": {"where": [is_param("text", "=", 0)], "params": STRING}}
TASK_QUERIES = {
    "of": {"where": [is_param("assignee", "=", 0), is_param("estimate", "=", 1)],
           "params": [param("assignee", "toOne", target=PERSON), param("estimate", "double")]},
    "first": {"where": [is_param("text", "=", 0)], "params": STRING, "limit": LIMIT},
    "urgent": {"where": [is_param("text", "=", 0), is_("done", "!=", True),
                         is_param("priority", ">=", 1)],
               "order": [{"by": "due"}, {"by": "priority", "descending": True}],
               "params": [*STRING, param("least", "integer")], "limit": LIMIT,
               "columns": ["title", "priority", "owner", "done"]},
    "titled": {"where": [is_param("title", "=", 0)], "params": [param("title", "string")]},
    "bodied": {"where": [is_("priority", ">", 0)]},
    "forNobody": {"run": "nobody"}}


@pytest.fixture(scope="module")
def stack(servers, tmp_path_factory):
    """The example domain, in which items are found by their text, and with secrets."""
    model = json.loads(MODEL.read_text())
    classes = model["classes"]
    classes[ITEM]["indexes"].append({"fields": ["text"]})
    classes[ITEM]["queries"] = ITEM_QUERIES
    classes[TASK]["queries"] |= TASK_QUERIES
    classes[SECRET] = {
        "fields": {"user": {"type": "string"}, "word": {"type": "string"}},
        "indexes": [{"fields": ["word"]}],
        "access": {"read": {"owner": "user"}, "create": "signedIn"},
        "queries": {"all": {"where": [is_param("word", "=", 0)], "params": STRING}}}
    path = tmp_path_factory.mktemp("model") / "model.json"
    path.write_text(json.dumps(model))
    settings = {"model.file": path, "sync.max_scan": MAX_SCAN, "sync.max_answer_bytes": 100_000}
    with Stack(servers, gateways=2, sync_agents=2, settings=settings) as stack:
        yield stack


@pytest.fixture
def ada(stack, connect):
    yield connect(stack.gateways[0], "ada")
    stack.check()


@pytest.fixture
def text(new_id):
    """What the objects of one test have in common."""
    return new_id("text")


def run(client, class_name, name, *arguments):
    return client.request("runQuery", theClassName=class_name, queryName=name,
                          queryArguments=list(arguments))


def me(client):
    return client.request("findUnique", theObject={"cn": PERSON, "userId": client.user_id})["result"]


def test_objects_for_which_all_conditions_hold_are_found(ada, new_id, text):
    task, note, other = (new_id(name) for name in ("a", "b", "c"))
    made = create(ada, TASK, task, text=text, priority=1)["theObject"]
    create(ada, NOTE, note, text=text)
    create(ada, TASK, other, text=new_id("text"))
    message = new_id("message")
    found = ada.request("runQuery", messageId=message, theClassName=ITEM, queryName="byText",
                        queryArguments=[text])
    assert_sync_shape(found, "RunQueryResponse", ada.client_id, message)
    assert ids(found["result"]) == sorted([task, note])
    assert made in found["result"]
    assert run(ada, TASK, "byText", text)["result"] == [made]  # a descendant's own ones


def test_nothing_is_watched(stack, ada, connect, new_id, text):
    task, ben = new_id("task"), connect(stack.gateways[1], "ben")
    create(ada, TASK, task, text=text)
    assert ids(run(ben, TASK, "first", text)["result"]) == [task]
    redis = stack.redis()
    watching = redis.zrange(object_key(f"{TASK}:{task}", ":w"), 0, -1)
    assert session_of(redis, ada.client_id) in watching
    assert session_of(redis, ben.client_id) not in watching


def test_pairs_may_name_a_parent_and_doubles_are_compared_as_numbers(ada, new_id):
    ids_made = [new_id("task") for _ in range(3)]
    person = me(ada)["ID"]
    for task, estimate in zip(ids_made, (1.5, 1.50, 2)):
        create(ada, TASK, task, assignee=pair(PERSON, person), estimate=estimate)
    found = run(ada, TASK, "of", {**pair(PERSON, person), "properties": {}}, 1.500)["result"]
    assert ids(found) == sorted(ids_made[:2])
    assert run(ada, TASK, "of", None, 1.5)["result"] == []


def test_rows_are_columns_in_the_order_of_the_query(ada, new_id, text):
    rows = [("late", 30, 5, None), ("soon", 10, 5, False), ("sooner", 10, 7, None),
            ("unplanned", None, 9, None), ("done", 5, 9, True), ("low", 1, 0, None)]
    for title, due, priority, done in rows:
        create(ada, TASK, new_id("task"), text=text, title=title, due=due, priority=priority,
               done=done)
    found = run(ada, TASK, "urgent", text, 5)["result"]
    assert found == [["sooner", 7, None, None], ["soon", 5, None, False], ["late", 5, None, None],
                     ["unplanned", 9, None, None]]


@pytest.mark.parametrize("name, more", [("first", []), ("urgent", [0])])
def test_no_more_than_the_limit_is_answered(ada, new_id, text, name, more):
    made = sorted(new_id("task") for _ in range(LIMIT * 2 + 3))
    for number, task in enumerate(made):
        create(ada, TASK, task, text=text, title=task, priority=number, due=-number)
    found = run(ada, TASK, name, text, *more)["result"]
    if name == "first":
        assert ids(found) == made[:LIMIT]
    else:
        assert [row[0] for row in found] == made[::-1][:LIMIT]


def test_what_the_session_may_not_read_is_not_there(stack, ada, connect, new_id, text):
    ben = connect(stack.gateways[1], "ben")
    for client in (ada, ben):
        create(client, SECRET, new_id("secret"), user=client.user_id, word=text)
    for client in (ada, ben):
        assert [s["user"] for s in run(client, SECRET, "all", text)["result"]] == [client.user_id]


def test_a_query_is_run_only_by_whom_it_is_for(ada):
    assert_error(run(ada, TASK, "forNobody"), "-117")


@pytest.mark.parametrize("members, code, told", [
    ({"theClassName": "com.app.mo.Nothing"}, "-104", "theClassName"),
    ({"theClassName": None}, "-115", "theClassName"),
    ({"queryName": None}, "-115", "queryName"),
    ({"queryName": 7}, "-115", "queryName"),
    ({"queryName": "SELECT * FROM Task"}, "-105",
     'queryName: com.app.mo.Task declares no query "SELECT * FROM Task"'),
    ({"queryName": ""}, "-115", "queryName: expected 1 to 512 bytes"),
    ({"queryName": "of\u0001"}, "-105", "declares no query"),
    ({"queryName": "all"}, "-105", "declares no query"),
    ({"queryArguments": None}, "-115",
     "queryArguments: expected 2 (text, least), found 0"),
    ({"queryArguments": ["x", 1, 2]}, "-115", "expected 2 (text, least), found 3"),
    ({"queryArguments": {"text": "x"}}, "-115", "queryArguments: expected an array"),
    ({"queryArguments": [7, 1]}, "-115",
     "queryArguments[0] (text): expected a string, found a number"),
    ({"queryArguments": [None, 1]}, "-115",
     "queryArguments[0] (text): required"),
    ({"queryArguments": ["x", 1.5]}, "-115", "queryArguments[1] (least): expected an"),
])
def test_bad_input_is_told(ada, members, code, told):
    asked = {"theClassName": TASK, "queryName": "urgent", "queryArguments": ["x", 1], **members}
    error = ada.request("runQuery", **asked)
    assert_error(error, code, told)


def test_a_null_in_place_of_no_arguments_will_do(ada):
    found = ada.request("runQuery", theClassName=PERSON, queryName="online")
    assert found["result"] == []


def test_too_many_objects_to_look_through_are_refused(ada, new_id, text):
    for number in range(MAX_SCAN + 1):
        create(ada, TASK, new_id("task"), text=text, priority=number)
    error = run(ada, TASK, "titled", "x")
    assert_error(error, "-120", f"needs an index on {TASK}(title)")
    assert_error(run(ada, TASK, "bodied"), "-120")
    error = run(ada, TASK, "urgent", text, 1)
    assert_error(error, "-120", f"more than {MAX_SCAN} objects of {TASK} have this text")
    assert len(run(ada, TASK, "byText", text)["result"]) == MAX_SCAN + 1  # all are answers


def test_an_answer_that_is_too_large_is_refused(ada, new_id, text):
    for number in range(5):
        create(ada, TASK, new_id("task"), text=text, title="x" * 25_000, priority=number)
    assert_error(run(ada, TASK, "byText", text), "-120")
    assert_error(run(ada, TASK, "urgent", text, 0), "-120")
    assert len(run(ada, TASK, "urgent", text, 3)["result"]) == 2
