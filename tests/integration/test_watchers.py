"""Watched values: answered, told anew when they differ, told again until their receipt (spec 3.7, 9).

The classes are those of support/derived-model.json. What the values must be is computed by derived.py.
"""

import json

import pytest
from asking import find
from client import SYNC, Client, pair
from servers import wait_until
from shapes import assert_error
from stack import Stack
from store import assert_books_balance, marks_of, object_key, session_key, session_of
from watching import (AREA, DERIVED_MODEL, ERRAND, HELPER, NOTE, PERSON, PROJECT, TASK, Writer, ask,
                      expect_value, is_value, item, value)

SETTINGS = {"model.file": DERIVED_MODEL, "sync.redelivery_first_ms": 300,
            "sync.redelivery_max_ms": 600, "sync.watch_window_ms": 20, "sync.poll_ms": 20,
            "sync.max_watched_objects": 20, "sync.max_watchers": 30, "sync.job_lease_ms": 1000,
            "sync.max_answer_bytes": 65536, "sync.max_params_bytes": 100}
DATE = 1_700_000_000_000


@pytest.fixture(scope="module")
def derived_stack(servers):
    with Stack(servers, gateways=2, sync_agents=2, settings=SETTINGS) as stack:
        yield stack


@pytest.fixture
def ada(derived_stack, connect):
    yield connect(derived_stack.gateways[0], "ada")
    derived_stack.check()
    wait_until(lambda: not derived_stack.redis().exists("jobs"), 10, "no job is left")
    assert_books_balance(derived_stack.redis())


@pytest.fixture
def ben(derived_stack, connect):
    """A client of the other gateway whose session has sent a receipt before."""
    client = connect(derived_stack.gateways[1], "ben")
    client.acknowledge((TASK, "nothing"))
    return client


@pytest.fixture
def redis(derived_stack):
    return derived_stack.redis()


@pytest.fixture
def writer(ada):
    return Writer(ada)


@pytest.fixture
def project(writer, new_id):
    """A project with three tasks."""
    lead = writer.make(HELPER, new_id("helper"), name="Zoë")
    project = writer.make(PROJECT, new_id("project"), name="dam", lead=pair(*lead))
    for number, fields in enumerate([
            {"title": "dig", "hours": 3, "cost": 0.1, "due": DATE + 1, "done": True},
            {"title": "fill", "hours": 5, "cost": 0.2, "due": DATE},
            {"title": "äußern", "hours": None, "cost": None, "due": None, "done": False}]):
        writer.make(TASK, new_id(f"task-{number}"), project=pair(*project),
                    helpers=[pair(*lead)], **fields)
    return project


def tasks_of(writer, project):
    return sorted(r for r, f in writer.derived.objects.items() if f.get("project") == pair(*project))


# ---- Every kind

KINDS = [("open", ()), ("long", (3, None)), ("long", (3, True)), ("hours", ()), ("cost", ()), ("mean", ()),
         ("shortest", ()), ("latest", ()), ("lastTitle", ()), ("firstTitle", ()), ("next", ()),
         ("leadName", ()), ("helpers", ())]


@pytest.mark.parametrize("name, params", KINDS, ids=str)
def test_a_value_of_each_kind_is_answered_and_told_as_it_changes(ben, writer, project, new_id, name, params):
    given = list(params) or None
    first = ask(ben, project, name, given)
    assert first["cn"] == SYNC + "PushCWUpdateResponse"
    assert (first["classIdPair"], first["fieldName"], first["params"]) == (pair(*project), name, given)
    assert first["value"] == writer.value(project, name, params)
    dig, fill, say = tasks_of(writer, project)
    lead = (HELPER, writer.derived.objects[project]["lead"]["ID"])
    second = writer.make(HELPER, new_id("helper"), name="Abe")
    for change in (
            lambda: writer.put(fill, hours=1, due=DATE + 7, cost=2.5, title="zap", done=True),
            lambda: writer.put(say, hours=9, due=DATE - 7, cost=-1e3, helpers=[pair(*second)]),
            lambda: writer.put(lead, name="Mia"),
            lambda: writer.make(ERRAND, new_id("task"), project=pair(*project), hours=30, cost=1,
                                due=1, title="~", done=True, helpers=[pair(*lead), pair(*second)]),
            lambda: writer.remove(dig),
            lambda: writer.put(say, project=None)):
        before = writer.value(project, name, params)
        change()
        now = writer.value(project, name, params)
        if now != before:
            expect_value(ben, project, name, now, given)
        ben.acknowledge((PROJECT, project[1]))
    assert ask(ben, project, name, given)["value"] == now


def test_of_nothing(ben, writer, new_id):
    empty = writer.make(PROJECT, new_id("project"))
    for name, params in KINDS:
        assert value(ben, empty, name, list(params) or None) == writer.value(empty, name, params)


def test_numbers_are_exact(ben, writer, new_id):
    project = writer.make(PROJECT, new_id("project"))
    task = writer.make(TASK, new_id("task"), project=pair(*project), hours=2**63 - 1, cost=0.1)
    assert value(ben, project, "hours") == 2**63 - 1
    assert value(ben, project, "cost") == 0.1
    writer.make(TASK, new_id("task"), project=pair(*project), hours=-2, cost=0.2)
    expect_value(ben, project, "hours", 2**63 - 3)
    expect_value(ben, project, "cost", 0.30000000000000004)
    writer.put(task, hours=2**53 + 1)
    expect_value(ben, project, "hours", 2**53 - 1)


def test_watchers_of_watchers(ben, writer, project, new_id):
    area = writer.make(AREA, new_id("area"), projects=[pair(*project)])
    other = writer.make(PROJECT, new_id("project"))
    names = ("hours", "busiest", "openTasks", "helpers", "firstTitles")
    for name in names:
        assert value(ben, area, name) == writer.value(area, name)
    told = {name: writer.value(area, name) for name in names}
    for change in (
            lambda: writer.put(area, projects=[pair(*other), pair(*project)]),
            lambda: writer.make(TASK, new_id("task"), project=pair(*other), title="new", hours=7),
            lambda: writer.put(tasks_of(writer, project)[0], done=False, hours=1),
            lambda: writer.remove(project)):
        change()
        for name in names:
            now = writer.value(area, name)
            if now != told[name]:
                told[name] = expect_value(ben, area, name, now)["value"]


def test_a_field_of_an_object_is_watched_by_its_name(ben, writer, project, new_id):
    task = tasks_of(writer, project)[0]
    assert value(ben, task, "title") == "dig"
    assert value(ben, task, "project") == {"properties": None, **pair(*project)}
    assert value(ben, task, "any") is None
    helper = writer.derived.objects[project]["lead"]
    assert value(ben, task, "helpers") == [{"properties": None, **helper}]
    writer.put(task, title="dug", project=None, helpers=[], any={"a": [1.10, None]})
    for name, wanted in (("title", "dug"), ("project", None), ("helpers", []), ("any", {"a": [1.1, None]})):
        expect_value(ben, task, name, wanted)


def test_an_object_is_found_by_the_name_of_its_parent(ben, writer, project, new_id):
    errand = writer.make(ERRAND, new_id("task"), title="there", project=pair(*project))
    answer = ask(ben, (TASK, errand[1]), "title")
    assert answer["value"] == "there" and answer["classIdPair"] == pair(*errand)
    writer.put(errand, title="back")
    expect_value(ben, errand, "title", "back")


def test_params_are_echoed_and_tell_values_apart(ben, writer, project):
    assert ask(ben, project, "long", [3, None])["params"] == [3, None]
    assert ask(ben, project, "open", [])["params"] == []
    assert ask(ben, project, "open")["params"] is None
    assert value(ben, project, "long", [4, None]) == 1
    assert value(ben, project, "long", [6, None]) == 0
    writer.put(tasks_of(writer, project)[1], hours=6)
    expect_value(ben, project, "long", 1, [6, None])


# ---- Told when it differs, until it is acknowledged

def test_what_does_not_differ_is_not_told(ben, writer, project):
    dig, fill, _ = tasks_of(writer, project)
    assert value(ben, project, "shortest") == 3
    writer.put(fill, hours=8)
    writer.put(dig, title="deep")
    writer.put(dig, hours=2)
    pushes = [ben.expect_push(is_value)]
    assert pushes[0]["value"] == 2 and pushes[0]["params"] is None


def test_a_value_is_told_again_until_a_receipt_names_its_object(ben, writer, project, redis):
    assert value(ben, project, "open") == 2
    fill = tasks_of(writer, project)[1]
    writer.put(fill, done=True)
    first = expect_value(ben, project, "open", 1)
    again = expect_value(ben, project, "open", 1)
    assert first["clientId"] == again["clientId"] == ben.client_id
    sid = session_of(redis, ben.client_id)
    kind, *_ = marks_of(redis, sid)[item(project, "open")]
    assert kind == "w"

    def is_settled():
        ben.acknowledge((PROJECT, project[1]))
        return item(project, "open") not in marks_of(redis, sid)

    wait_until(is_settled, 10, "receipts have settled the mark")
    ben.drain(0.9)  # what was under way
    ben.inbox.clear()
    ben.expect_nothing(is_value, 0.9)
    writer.put(fill, done=False)
    expect_value(ben, project, "open", 2)


def test_receipts_for_an_object_and_for_its_values_are_told_apart(ben, writer, project, redis):
    """One receipt for each of what was sent, in the order in which it was sent."""
    find(ben, *project)
    assert value(ben, project, "name") == "dam"
    sid = session_of(redis, ben.client_id)
    for name in ("a", "b", "c"):
        writer.put(project, name=name)
        ben.expect_update(project[1], name=name)
        expect_value(ben, project, "name", name)

    def is_settled():
        ben.acknowledge((PROJECT, project[1]))
        return not marks_of(redis, sid)

    wait_until(is_settled, 10, "receipts have settled both marks")


def come_back(gateway, client, opened):
    """Another socket that has the client's session from now on."""
    back = opened(gateway)
    back.send({"reconnect": {"lastSessionId": "x", "reconnectId": client.session,
                             "ensureMessageDelivery": True}})
    back.expect(lambda f: "gatewayConnectAck" in f, "gatewayConnectAck")
    return back


@pytest.fixture
def opened():
    clients = []

    def make(gateway):
        clients.append(Client(gateway.url))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_a_return_is_told_what_it_has_missed(derived_stack, ben, writer, project, opened):
    """Under a fresh client id, on another gateway: the newest value only, before the ConnectResponse."""
    assert value(ben, project, "open") == 2 and value(ben, project, "hours") == 8
    ben.vanish()
    fill = tasks_of(writer, project)[1]
    for hours in (7, 6, 1):
        writer.put(fill, hours=hours)
    redis = derived_stack.redis()
    wait_until(lambda: redis.hget(object_key(item(project, "hours")), "value") == "4", 10, "it is 4")
    back = come_back(derived_stack.gateways[0], ben, opened)
    told = back.expect_push(is_value)
    assert told["value"] == 4 and told["clientId"] == back.client_id != ben.client_id
    back.expect_connect_response()
    assert not [f for f in back.inbox if is_value(f) and f["fieldName"] == "open"]
    writer.put(fill, done=True)
    expect_value(back, project, "open", 1)


def test_each_watching_session_is_told(derived_stack, connect, ben, writer, project):
    others = [connect(derived_stack.gateways[i % 2], user)
              for i, user in enumerate(("cleo", "dora", "emil"))]
    for client in (ben, *others):
        assert value(client, project, "hours") == 8
    writer.put(tasks_of(writer, project)[2], hours=2)
    for client in (ben, *others):
        expect_value(client, project, "hours", 10)


# ---- What goes

def test_the_end_of_an_object_is_told_once_as_null(ben, writer, project, redis):
    value(ben, project, "hours")
    assert value(ben, project, "leadName") == "Zoë"
    writer.remove(project)
    expect_value(ben, project, "hours", None)
    expect_value(ben, project, "leadName", None)
    for _ in range(4):
        ben.acknowledge((PROJECT, project[1]))
    sid = session_of(redis, ben.client_id)
    wait_until(lambda: not redis.exists(object_key(item(project, "hours"))), 10, "it is dropped")
    assert not redis.sismember(session_key(sid, ":w"), item(project, "hours"))
    assert not redis.keys(object_key(project[0] + ":" + project[1], ":dw"))
    assert value(ben, project, "hours") is None


def test_a_null_that_ends_is_told_again_until_its_receipt(ben, writer, new_id, redis):
    project = writer.make(PROJECT, new_id("project"))
    assert value(ben, project, "mean") is None
    writer.remove(project)
    expect_value(ben, project, "mean", None)
    wait_until(lambda: not redis.exists(object_key(item(project, "mean"))), 10, "it is dropped")
    expect_value(ben, project, "mean", None)
    sid = session_of(redis, ben.client_id)

    def is_settled():
        ben.acknowledge((PROJECT, project[1]))
        return not marks_of(redis, sid)

    wait_until(is_settled, 10, "the mark has ended")


def dependencies(redis):
    return [key for key in redis.scan_iter("{o:*}:dw")] + [key for key in redis.scan_iter("{o:~*")]


def test_what_nobody_watches_any_more_leaves_nothing_behind(derived_stack, connect, writer, new_id, redis):
    before = set(dependencies(redis))
    project = writer.make(PROJECT, new_id("project"))
    for _ in range(15):
        writer.make(TASK, new_id("task"), project=pair(*project), hours=1)
    area = writer.make(AREA, new_id("area"), projects=[pair(*project)])
    cleo = connect(derived_stack.gateways[0], "cleo")
    assert value(cleo, area, "hours") == 15 and value(cleo, project, "hours") == 15
    assert len(dependencies(redis)) > len(before) + 15
    cleo.send_request("logout", pleaseDestroyClient=True)
    wait_until(lambda: set(dependencies(redis)) <= before, 10, "all of it is dropped")
    assert not redis.zrange("values", 0, -1)


def test_what_it_does_not_depend_on_any_more_is_forgotten(ben, writer, project, redis):
    value(ben, project, "hours")
    dig = tasks_of(writer, project)[0]
    name = item(project, "hours")
    ref = ":".join(dig)
    assert redis.zscore(object_key(ref, ":dw"), f"hours\n{name}") is not None
    writer.put(dig, project=None)
    expect_value(ben, project, "hours", 5)
    wait_until(lambda: not redis.exists(object_key(ref, ":dw")), 10, "it is forgotten")
    computed = redis.hget(object_key(name), "computed")
    writer.put(dig, hours=100)
    writer.put(tasks_of(writer, project)[0], hours=6)
    expect_value(ben, project, "hours", 6)
    assert int(redis.hget(object_key(name), "computed")) == int(computed) + 1


# ---- Rights

def own_person(client):
    return PERSON, client.request("findByExample", theObject={
        "cn": PERSON, "userId": client.user_id})["result"][0]["ID"]


def test_what_a_session_may_not_read_does_not_count_for_it(ada, ben, writer, project, new_id):
    """The note is told of to whoever owns it, and to nobody else."""
    mine, yours = own_person(ada), own_person(ben)
    for client in (ada, ben):
        assert value(client, project, "notesOfMine") == 0
        assert value(client, project, "noteTexts") == []
    note = writer.make(NOTE, new_id("note"), text="hush", owner=pair(*yours), project=pair(*project))
    expect_value(ben, project, "notesOfMine", 1)
    expect_value(ben, project, "noteTexts", ["hush"])
    writer.put(note, owner=pair(*mine))
    expect_value(ben, project, "notesOfMine", 0)
    expect_value(ben, project, "noteTexts", [])
    expect_value(ada, project, "notesOfMine", 1)
    expect_value(ada, project, "noteTexts", ["hush"])
    ben.inbox.clear()
    writer.put(note, text="psst")
    expect_value(ada, project, "noteTexts", ["psst"])
    assert not [f for f in ben.inbox if is_value(f) and f["fieldName"] == "noteTexts"
                and f["value"]]


def test_values_of_what_may_not_be_read_are_refused(ada, ben, writer, project, new_id):
    task = tasks_of(writer, project)[0]
    note = writer.make(NOTE, new_id("note"), owner=pair(*own_person(ada)), tasks=[pair(*task)])
    assert value(ada, note, "taskHours") == 3
    assert_error(ask(ben, note, "taskHours"), "-117")
    writer.put(note, owner=pair(*own_person(ben)))
    assert value(ben, note, "taskHours") == 3
    assert_error(ask(ada, note, "taskHours"), "-117")
    expect_value(ada, note, "taskHours", None)
    ada.inbox.clear()
    writer.put(task, hours=4)
    expect_value(ben, note, "taskHours", 4)
    ada.expect_nothing(is_value, 0.5)


def test_who_loses_an_object_is_told_once_that_it_has_no_value(ada, ben, writer, project, new_id, redis):
    task = tasks_of(writer, project)[0]
    note = writer.make(NOTE, new_id("note"), owner=pair(*own_person(ada)), tasks=[pair(*task)])
    assert value(ada, note, "taskHours") == 3
    writer.put(note, owner=pair(*own_person(ben)))
    assert value(ben, note, "taskHours") == 3
    expect_value(ada, note, "taskHours", None)
    writer.remove(note)
    expect_value(ben, note, "taskHours", None)
    wait_until(lambda: not redis.exists(object_key(item(note, "taskHours"), ":w")), 10, "nobody watches it")
    ada.expect_nothing(is_value, 0.3)


# ---- Limits, at their edges

def test_a_value_may_come_to_so_many_objects(ben, writer, new_id, redis):
    """Each as often as it is come to: sync.max_watched_objects is 20."""
    project = writer.make(PROJECT, new_id("project"))
    for _ in range(20):
        writer.make(TASK, new_id("task"), project=pair(*project), hours=1)
    assert value(ben, project, "hours") == 20
    more = writer.make(TASK, new_id("task"), project=pair(*project), hours=1)
    expect_value(ben, project, "hours", None)
    assert_error(ask(ben, project, "open"), "-120")
    sid = session_of(redis, ben.client_id)
    assert not redis.sismember(session_key(sid, ":w"), item(project, "open"))
    writer.remove(more)
    expect_value(ben, project, "hours", 20)
    assert value(ben, project, "open") == 20


def test_a_value_may_be_made_of_so_many_bytes(ben, writer, new_id):
    """sync.max_answer_bytes is 65536; a text has its quotes."""
    project = writer.make(PROJECT, new_id("project"))
    half = 65536 // 2 - 2
    for letter in "ab":
        writer.make(TASK, new_id("task"), project=pair(*project), title=letter * half)
    assert value(ben, project, "lastTitle") == "b" * half
    more = writer.make(TASK, new_id("task"), project=pair(*project), title="")
    expect_value(ben, project, "lastTitle", None)
    assert_error(ask(ben, project, "titled", ["c"]), "-120")
    writer.remove(more)
    expect_value(ben, project, "lastTitle", "b" * half)


def test_params_may_have_so_many_bytes(ben, project):
    """sync.max_params_bytes is 100, brackets and quotes among them."""
    assert value(ben, project, "titled", ["x" * 96]) == 0
    answer = ask(ben, project, "titled", ["x" * 97])
    assert_error(answer, "-115")
    assert "100 bytes" in answer["errorDesc"]


def test_a_session_may_watch_so_many_values(derived_stack, connect, writer, project):
    """sync.max_watchers is 30."""
    cleo = connect(derived_stack.gateways[0], "cleo")
    for hours in range(30):
        value(cleo, project, "long", [hours, None])
    assert_error(ask(cleo, project, "long", [30, None]), "-118")
    assert value(cleo, project, "long", [3, None]) == 1, "it is watched already"
    writer.remove(project)
    other = writer.make(PROJECT, "other-" + project[1])
    wait_until(lambda: ask(cleo, other, "open").get("value") == 0, 10, "there is room again")


def test_values_that_many_touch_at_once_are_computed_seldom(ben, writer, project, redis):
    """At most once in sync.watch_window_ms, and in the end the newest."""
    task = tasks_of(writer, project)[1]
    value(ben, project, "hours")
    messages = [writer.client.send_request(
        "putObject", theObject={"cn": TASK, "ID": task[1], "hours": hours}) for hours in range(100)]
    for message in messages:
        writer.client.response_to(message)
    stored = redis.hget(object_key(":".join(task)), "hours").split(" ")[2]
    expect_value(ben, project, "hours", 3 + int(stored))
    touched, computed = redis.hmget(object_key(item(project, "hours")), "touched", "computed")
    assert int(computed) <= int(touched) + 1 <= 101


# ---- Bad input

@pytest.mark.parametrize("members, said", [
    ({"classIdPair": None}, "classIdPair"),
    ({"classIdPair": "x"}, "classIdPair"),
    ({"classIdPair": {"className": PROJECT}}, "classIdPair"),
    ({"classIdPair": {"className": PROJECT, "ID": 5}}, "classIdPair"),
    ({"classIdPair": {"className": PROJECT, "ID": "a\u0000b"}}, "classIdPair"),
    ({"classIdPair": {"className": PROJECT, "ID": "a\tb"}}, "classIdPair"),
    ({"classIdPair": {"className": PROJECT, "ID": "a", "more": 1}}, "classIdPair"),
    ({"fieldName": None}, "fieldName"),
    ({"fieldName": 7}, "fieldName"),
    ({"fieldName": ""}, "fieldName"),
    ({"fieldName": "nothing"}, PROJECT),
    ({"fieldName": "tasks"}, PROJECT),
    ({"fieldName": "open\thours"}, PROJECT),
    ({"params": "x"}, "params"),
    ({"params": {}}, "params"),
    ({"params": [1]}, "params"),
    ({"fieldName": "long"}, "params"),
    ({"fieldName": "long", "params": []}, "params"),
    ({"fieldName": "long", "params": [None, True]}, "params"),
    ({"fieldName": "long", "params": ["3", True]}, "params[0]"),
    ({"fieldName": "long", "params": [3, "true"]}, "params[1]"),
    ({"fieldName": "long", "params": [3, True, 1]}, "params"),
    ({"fieldName": "long", "params": [2**63, True]}, "params[0]")], ids=json.dumps)
def test_what_cannot_be_watched_is_refused(ben, members, said):
    members = {"classIdPair": pair(PROJECT, "p"), "fieldName": "open", **members}
    answer = ben.request("getChangeWatcher", **members)
    assert_error(answer, "-115")
    assert said in answer["errorDesc"]


def test_an_unknown_class_is_refused(ben):
    assert_error(ask(ben, ("no.such.Class", "1"), "open"), "-104")


def test_of_an_object_that_is_not_there_the_value_is_null(ben, new_id, redis):
    missing = PROJECT, new_id("project")
    answer = ask(ben, missing, "open", [])
    assert answer["value"] is None and answer["params"] == [] and answer["fieldName"] == "open"
    assert answer["classIdPair"] == pair(*missing)
    assert not redis.exists(object_key(item(missing, "open")))


# ---- Another model

def test_what_a_model_makes_personal_is_not_told_to_who_watched_it_before(new_stack, connect, tmp_path):
    """The agents that come with the new model must not compute for all what not everybody may read now."""
    model, path = json.loads(DERIVED_MODEL.read_text()), tmp_path / "model.json"
    path.write_text(json.dumps(model))
    stack = new_stack(settings={**SETTINGS, "model.file": path})
    ada = connect(stack.gateways[0], "ada")
    writer = Writer(ada)
    project = writer.make(PROJECT, "p")
    task = writer.make(TASK, "t", project=pair(*project), hours=3)
    assert value(ada, project, "hours") == 3 and value(ada, project, "name") is None
    model["classes"][TASK]["access"]["read"] = {"role": "boss"}
    path.write_text(json.dumps(model))
    for agent in stack.sync_agents:
        agent.stop()
        agent.start()
    writer.put(task, hours=4)
    writer.put(project, name="fence")
    expect_value(ada, project, "name", "fence")
    ada.expect_nothing(lambda f: is_value(f) and f["fieldName"] == "hours", 1)
    assert value(ada, project, "hours") == 0
