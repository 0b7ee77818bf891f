"""activestack-ctl export and import: the objects as lines of JSON."""

import json
import re

import pytest
from asking import create, find, put, remove
from by_hand import Operator
from client import pair
from ctl import Ended, without_broker
from servers import wait_until
from shapes import assert_refused
from stack import RELATIONS_MODEL
from store import object_key, stored_object

COMPANY, SCREW, HOOK, EYE = (f"com.test.{name}" for name in ("Company", "Screw", "Hook", "Eye"))
VEHICLE, CAR, TRUCK = (f"com.test.{name}" for name in ("Vehicle", "Car", "Truck"))
PAPER, RECEIPT = "com.test.Paper", "com.test.Receipt"
TASK, NOTE, ITEM, PERSON, FAVORITES = (
    f"com.app.mo.{name}" for name in ("Task", "Note", "Item", "Person", "Favorites"))


def without_amqp_url(stack, tmp_path):
    config = tmp_path / "without.conf"
    config.write_text(re.sub("(?m)^(amqp|redis).url = .*\n", "", stack.config.read_text()))
    return config


# ---- Asking

def test_without_a_broker_it_says_so(stack, tmp_path):
    ended = Ended(stack, "export", config=without_broker(stack, tmp_path))
    assert ended.code == 2 and "broker at amqp.url cannot be reached" in ended.err


def test_without_an_address_of_the_broker_it_says_so(stack, tmp_path):
    ended = Ended(stack, "export", config=without_amqp_url(stack, tmp_path))
    assert ended.code == 2 and "amqp.url is not set" in ended.err


def test_where_no_agent_has_ever_run_it_says_so(new_stack):
    stack = new_stack(gateways=0, sync_agents=0, auth_agents=0)
    ended = Ended(stack, "export")
    assert ended.code == 2 and "no agent that could answer has ever run here" in ended.err


def test_when_nobody_answers_it_says_so(new_stack):
    stack = new_stack(gateways=0, auth_agents=0)
    stack.sync_agents[0].stop()
    ended = Ended(stack, "export", "--wait", "1")
    assert ended.code == 2 and "nobody answers" in ended.err


@pytest.mark.parametrize("wait", ["0", "-1", "x", "1x", "", "86401"])
def test_a_wait_that_is_none_is_refused(stack, wait):
    ended = Ended(stack, "export", "--wait", wait)
    assert ended.code == 2 and "--wait" in ended.err


@pytest.mark.parametrize("event", [True, False])
def test_clients_cannot_send_what_is_the_operators(stack, connect, event):
    client = connect(stack.gateways[0], "ada")
    answer = client.request("exportObjects", event=event)
    assert answer["errorCode"] == "-106"


# ---- export

def test_an_export_has_every_object_as_clients_see_it(new_stack, connect):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    create(ada, NOTE, "n1", body={"a": [1.10, None]})
    me = find(ada, PERSON, "1")
    for name in ("t2", "t10", "t1"):
        create(ada, TASK, name, title=f"Grüße\n{name}", owner=pair(PERSON, "1"))
    create(ada, TASK, "gone")
    remove(ada, TASK, "gone")

    objects = Ended(stack, "export").objects()
    assert [(o["cn"], o["ID"]) for o in objects] == [
        (PERSON, "1"), (TASK, "t1"), (TASK, "t10"), (TASK, "t2"), (NOTE, "n1")]
    for o in objects:
        shown = find(ada, o["cn"], o["ID"])
        assert o.pop("@created") > 10 ** 12 and o.pop("@version") >= 1
        assert o == {name: shown[name] for name in o}
    assert objects[0]["userId"] == me["userId"]


def test_an_export_can_be_of_some_classes(new_stack, connect, tmp_path):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    for class_name, name in ((NOTE, "n"), (TASK, "t")):
        create(ada, class_name, name)

    def exported(*words):
        return [o["ID"] for o in Ended(stack, "export", *words).objects()]

    assert exported(NOTE) == ["n"]
    assert exported(NOTE, TASK) == ["t", "n"]  # in the order of the model
    assert exported(ITEM) == ["t", "n"]
    file = tmp_path / "out.jsonl"
    assert exported("--output", file, TASK) == []
    assert [json.loads(line)["ID"] for line in file.read_text().splitlines()] == ["t"]


@pytest.mark.parametrize("name", ["com.app.mo.None", "", "a\"\n\\", "x" * 100_000])
def test_a_class_that_there_is_not_is_told(stack, name):
    ended = Ended(stack, "export", name)
    assert ended.code == 2 and ended.lines == [] and "the model has no class" in ended.err


def test_an_output_that_cannot_be_written_is_told(stack):
    for place in ("/dev/full", "/nowhere/at/all"):
        ended = Ended(stack, "export", "--output", place)
        assert ended.code == 2 and place in ended.err


def test_many_and_large_objects_come_page_by_page(new_stack, connect):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    names = sorted(f"t{i}" for i in range(600))
    for some in (names[:200], names[200:400], names[400:]):  # a client may have so many open
        for sent in [ada.send_request("createObject", theObject={"cn": TASK, "ID": name})
                     for name in some]:
            assert ada.response_to(sent)["result"]
    large = {f"z{i}": str(i) * 300_000 for i in range(5)}
    for name, text in large.items():
        assert create(ada, TASK, name, text=text)["result"]
    objects = Ended(stack, "export", TASK).objects()
    assert [o["ID"] for o in objects] == names + list(large)
    assert {o["ID"]: o["text"] for o in objects[600:]} == large


# ---- import

def fill(client):
    """Objects with all kinds of values; `owner` leads to the Person that the login has made."""
    me = create(client, TASK, "t0", owner=pair(PERSON, "1"))["theObject"]["owner"]
    create(client, TASK, "a", title="Grüße\n\"", done=True, priority=2 ** 62, estimate=1.5, owner=me)
    create(client, TASK, "b", assignee=me, due=1)
    create(client, NOTE, "n", body={"x": [1, [], {}, None, 1e300]})


def line(class_name, object_id, **fields):
    return {"cn": class_name, "ID": object_id, **fields}


def lines(*objects):
    return "".join(json.dumps(o) + "\n" for o in objects).encode()


def told(ended):
    """line number -> what was said of it"""
    return {int(n): why for n, why in re.findall(r"(?m)^line (\d+): (.*)$", ended.err)}


def counts(ended):
    return [int(n) for n in re.findall(r"\d+", ended.lines[-1])]


def test_what_was_exported_is_imported_into_an_empty_store(new_stack, connect, tmp_path):
    stack = new_stack()
    fill(connect(stack.gateways[0], "ada"))
    first = Ended(stack, "export", "--output", tmp_path / "out.jsonl")
    text = (tmp_path / "out.jsonl").read_bytes()
    assert first.code == 0 and text

    stack.redis().flushdb()
    ended = Ended(stack, "import", tmp_path / "out.jsonl")
    assert (ended.code, ended.err) == (0, "")
    assert counts(ended) == [len(text.splitlines()), 0, 0, 0]
    assert "\n".join(Ended(stack, "export").lines) + "\n" == text.decode()

    again = Ended(stack, "import", stdin=text)  # by standard input
    assert again.code == 0 and counts(again) == [0, 0, len(text.splitlines()), 0]
    assert "\n".join(Ended(stack, "export").lines) + "\n" == text.decode()


def test_an_import_changes_what_differs_and_tells_who_watches(new_stack, connect):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    create(ada, TASK, "t", title="old", priority=1)
    ended = Ended(stack, "import", stdin=lines(line(TASK, "t", title="new")))
    assert ended.code == 0 and counts(ended) == [0, 1, 0, 0]
    assert ada.expect_update("t", title="new")["priority"] == 1
    find(ada, TASK, "u")
    ada.request("getAllByName", theClassName=TASK)
    assert Ended(stack, "import", stdin=lines(line(TASK, "u", title="made"))).code == 0
    ada.expect_update("u", title="made")


def test_an_import_keeps_read_only_fields_and_integer_ids(new_stack, connect):
    stack = new_stack()
    people = [line(PERSON, str(n), userId=f"u{n}", first_name="P") for n in (7, 41, 9)]
    ended = Ended(stack, "import", stdin=lines(*people))
    assert ended.code == 0 and counts(ended) == [3, 0, 0, 0]
    ada = connect(stack.gateways[0], "ada")
    for person in people:
        shown = find(ada, PERSON, person["ID"])
        assert {k: shown[k] for k in person} == person
        assert shown["presence"] == "offline"  # the default
    me = Ended(stack, "export", PERSON).objects()[-1]
    assert (me["ID"], me["userId"]) == ("42", ada.user_id)


def test_who_is_connected_is_neither_exported_nor_imported(new_stack, connect):
    stack = new_stack()
    said = line(PERSON, "7", userId="u7", connected=True)
    assert counts(Ended(stack, "import", stdin=lines(said))) == [1, 0, 0, 0]
    assert counts(Ended(stack, "import", stdin=lines(said))) == [0, 0, 1, 0]
    assert find(connect(stack.gateways[0], "ada"), PERSON, "7")["connected"] is False
    assert "connected" not in Ended(stack, "export", PERSON).objects()[0]


def belongs_to(redis, ref):
    stored = redis.hget(object_key(ref), "@u")
    return stored and json.loads(stored.split(" ", 2)[2])


def own_of(redis, user):
    return redis.hget(f"{{u:{user}}}", "own:" + FAVORITES)


def test_to_whom_an_object_belongs_goes_along(new_stack, connect):
    stack = new_stack()
    redis = stack.redis()
    ada = connect(stack.gateways[0], "ada")
    [me] = Ended(stack, "export", PERSON).objects()
    mine = line(FAVORITES, "5", children=[], **{"@user": ada.user_id})
    theirs = line(FAVORITES, "6", children=[], **{"@user": "somebody"})
    nobodys = line(FAVORITES, "7", children=[])
    assert counts(Ended(stack, "import", stdin=lines(mine, theirs, nobodys))) == [3, 0, 0, 0]
    found = {o["ID"]: o for o in Ended(stack, "export", FAVORITES).objects()}
    assert [found[n].get("@user") for n in "567"] == [ada.user_id, "somebody", None]
    assert own_of(redis, ada.user_id) == "5" and own_of(redis, "somebody") == "6"

    children = [pair(PERSON, me["ID"])]
    assert put(ada, FAVORITES, "5", children=children)["result"] is True
    for other in "67":
        assert_refused(put(ada, FAVORITES, other, children=children), "-117")

    assert counts(Ended(stack, "import", stdin=lines(mine | {"children": children},
                                                     theirs, nobodys))) == [0, 0, 3, 0]
    assert counts(Ended(stack, "import", stdin=lines(
        line(FAVORITES, "7", **{"@user": ada.user_id}), line(FAVORITES, "6")))) == [0, 1, 1, 0]
    assert belongs_to(redis, f"{FAVORITES}:7") == ada.user_id
    assert belongs_to(redis, f"{FAVORITES}:6") == "somebody", "not told, so as it was"
    assert own_of(redis, ada.user_id) == "5", "there is one already"


def test_what_was_removed_is_there_again(new_stack, connect):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    create(ada, TASK, "t", title="here")
    text = "\n".join(Ended(stack, "export").lines).encode()
    remove(ada, TASK, "t")
    assert counts(Ended(stack, "import", stdin=text))[:2] == [1, 0]
    assert find(ada, TASK, "t")["title"] == "here"
    [t] = Ended(stack, "export", TASK).objects()
    assert t["@version"] == 3  # greater than that of the removal


def test_references_may_lead_to_lines_that_come_later(new_stack):
    stack = new_stack(gateways=0, auth_agents=0)
    me = pair(PERSON, "3")
    text = lines(*(line(TASK, f"t{i}", owner=me, assignee=me) for i in range(250)),
                 line(PERSON, "3", userId="u"))
    ended = Ended(stack, "import", stdin=text)
    assert (ended.code, ended.err) == (0, "") and counts(ended) == [251, 0, 0, 0]
    assert all(o["owner"] == me for o in Ended(stack, "export", TASK).objects())


def test_listed_relations_come_with_what_they_list(new_stack):
    """Parts stand before and behind the company that lists them; another one is there already."""
    stack = new_stack(gateways=0, auth_agents=0, settings={"model.file": RELATIONS_MODEL})
    car = pair("com.test.Car", "1")
    company = line("com.test.Company", "c")
    parts = [line("com.test.Part", f"p{i}", vehicle=car, supplier=pair("com.test.Company", "c"))
             for i in range(3)]
    text = lines(parts[1], company, parts[0], line("com.test.Car", "1"))
    assert Ended(stack, "import", stdin=text).code == 0
    assert Ended(stack, "import", stdin=lines(parts[2])).code == 0
    stored = stored_object(stack.redis(), "com.test.Company:c")
    assert json.loads(stored["supplies"]) == [pair("com.test.Part", f"p{i}") for i in range(3)]
    parts[1]["supplier"] = None
    assert Ended(stack, "import", stdin=lines(parts[1])).code == 0
    stored = stored_object(stack.redis(), "com.test.Company:c")
    assert json.loads(stored["supplies"]) == [pair("com.test.Part", f"p{i}") for i in (0, 2)]
    assert "supplies" not in Ended(stack, "export", "com.test.Company").objects()[0]


def test_references_that_lead_nowhere_are_told_in_the_end(new_stack):
    stack = new_stack(gateways=0, auth_agents=0)
    nobody = pair(PERSON, "4")
    ended = Ended(stack, "import", stdin=lines(
        line(TASK, "a", owner=nobody, assignee=nobody), line(TASK, "b", owner=pair(PERSON, "5")),
        line(TASK, "c", assignee=pair(PERSON, "6")), line(PERSON, "5", userId="u")))
    assert ended.code == 1 and counts(ended) == [4, 0, 0, 2]
    assert told(ended).keys() == {1, 3} and "assignee: there is no" in told(ended)[3]

    def mended():
        owners = {o["ID"]: (o["owner"], o["assignee"])
                  for o in Ended(stack, "export", TASK).objects()}
        return owners == {"a": (None, None), "b": (pair(PERSON, "5"), None), "c": (None, None)}

    wait_until(mended, 20, "references that lead nowhere are cleared")


def test_what_requires_another_object_does_not_stay_without_it(new_stack):
    stack = new_stack(gateways=0, auth_agents=0, settings={"model.file": RELATIONS_MODEL})
    ended = Ended(stack, "import", stdin=lines(
        # a circle of required references, and a chain that ends nowhere
        line(HOOK, "x", holds=pair(EYE, "y")), line(EYE, "y", holds=pair(HOOK, "x")),
        line(HOOK, "p", holds=pair(EYE, "q")), line(EYE, "q", holds=pair(HOOK, "r"))))
    assert ended.code == 1 and told(ended).keys() == {4} and "not imported" in told(ended)[4]
    wait_until(lambda: [o["ID"] for o in Ended(stack, "export").objects()] == ["x", "y"], 20,
               "what cannot be without another is gone")


@pytest.mark.parametrize("text, why", [
    (b"{", "not JSON"), (b"[]", "expected an object"), (b"null", "expected an object"),
    (b"{}", "cn: missing"), (b'{"cn":1}', "cn"), (b'{"cn":"com.app.mo.None","ID":"x"}', "cn"),
    (b'{"cn":"com.app.mo.Item","ID":"x"}', "abstract"),
    (b'{"cn":"com.app.mo.Task"}', "ID: missing"), (b'{"cn":"com.app.mo.Task","ID":7}', "ID"),
    (b'{"cn":"com.app.mo.Person","ID":"007","userId":"u"}', "ID"),
    (b'{"cn":"com.app.mo.Task","ID":"x","nope":1}', "no field"),
    (b'{"cn":"com.app.mo.Task","ID":"x","done":"yes"}', "done: expected"),
    (b'{"cn":"com.app.mo.Task","ID":"x","done":true,"done":true}', "twice"),
    (b'{"cn":"com.app.mo.Task","ID":"x","owner":{"className":"com.app.mo.Task","ID":"y"}}', "owner"),
    (b'{"cn":"com.app.mo.Task","ID":"x","@version":0}', "@version: expected"),
    (b'{"cn":"com.app.mo.Task","ID":"x","@created":"now"}', "@created: expected"),
    (b'{"cn":"com.app.mo.Task","ID":"x","@user":7}', "@user: expected"),
    (b'{"cn":"com.app.mo.Task","ID":"x","@other":1}', "no field"),
    (b"\xff\xfe\x00\x01\x02", "not JSON"), (bytes(range(256)).replace(b"\n", b""), "not JSON"),
    (b'{"a":' * 251 + b"1" + b"}" * 251, "not JSON"), (b"{} {}", "not JSON"),
])
def test_a_line_that_makes_no_sense_is_refused_and_the_rest_goes_on(stack, new_id, text, why):
    before, behind = (new_id("task") for _ in range(2))
    ended = Ended(stack, "import",
                  stdin=lines(line(TASK, before)) + text + b"\n \n" + lines(line(TASK, behind)))
    assert ended.code == 1 and told(ended).keys() == {2} and why in told(ended)[2]
    assert counts(ended) == [2, 0, 0, 1]


def test_a_line_may_be_as_long_as_the_setting_says(new_stack):
    stack = new_stack(gateways=0, auth_agents=0, settings={"ctl.max_line_bytes": 1024})
    fits = lines(line(TASK, "t", title="")).strip()
    fits = fits.replace(b'""', b'"' + b"x" * (1024 - len(fits)) + b'"')
    longer = fits.replace(b'"t"', b'"tt"')
    ended = Ended(stack, "import", stdin=b"\n".join([fits, longer, b"y" * 5_000_000, fits]))
    assert ended.code == 1 and counts(ended) == [1, 0, 1, 2]
    assert told(ended) == {n: "longer than 1024 bytes (ctl.max_line_bytes)" for n in (2, 3)}


def test_large_lines_come_in(new_stack):
    stack = new_stack(gateways=0, auth_agents=0)
    large = [line(TASK, str(n), text=str(n) * 7_000_000) for n in range(3)]
    assert counts(Ended(stack, "import", stdin=lines(*large))) == [3, 0, 0, 0]
    assert [o["text"] for o in Ended(stack, "export").objects()] == [o["text"] for o in large]


def test_an_empty_file_is_imported(stack, tmp_path):
    (tmp_path / "empty").touch()
    ended = Ended(stack, "import", tmp_path / "empty")
    assert (ended.code, ended.err, counts(ended)) == (0, "", [0, 0, 0, 0])


def test_of_an_id_that_stands_there_twice_the_last_line_wins(stack, new_id, connect):
    name = new_id("task")
    ended = Ended(stack, "import", stdin=lines(line(TASK, name, title="1"), line(TASK, name, title="2")))
    assert ended.code == 0 and counts(ended) == [1, 1, 0, 0]
    assert find(connect(stack.gateways[0], "ada"), TASK, name)["title"] == "2"


def test_unique_values_stay_unique(new_stack, tmp_path):
    model = json.loads(RELATIONS_MODEL.read_text())
    model["classes"][COMPANY]["indexes"] = [{"fields": ["name"], "unique": True}]
    (tmp_path / "model.json").write_text(json.dumps(model))
    stack = new_stack(gateways=0, auth_agents=0, settings={"model.file": tmp_path / "model.json"})
    ended = Ended(stack, "import", stdin=lines(
        line(COMPANY, "a", name="same"), line(COMPANY, "b", name="same"), line(COMPANY, "b", name="b")))
    assert ended.code == 1 and counts(ended) == [2, 0, 0, 1]
    assert told(ended) == {2: "another object has the same name"}
    ended = Ended(stack, "import", stdin=lines(line(COMPANY, "b", name="same")))
    assert told(ended) == {1: "another object has the same name"}
    assert [o["name"] for o in Ended(stack, "export").objects()] == ["same", "b"]


def test_an_id_stays_the_only_one_of_its_family(new_stack):
    """Also an integer: those beyond 2^53 share their place in Redis's order."""
    stack = new_stack(gateways=0, auth_agents=0, settings={"model.file": RELATIONS_MODEL})
    large = 2 ** 60
    ended = Ended(stack, "import", stdin=lines(
        line(CAR, "x", name="a"), line(VEHICLE, "x"), line(TRUCK, "x"), line(CAR, "x", name="b"),
        line(RECEIPT, str(large)), line(PAPER, str(large + 1)), line(PAPER, str(large))))
    assert ended.code == 1 and counts(ended) == [3, 1, 0, 3]
    family = "another object of the same family has this ID, of class "
    assert told(ended) == {2: family + CAR, 3: family + CAR, 7: family + RECEIPT}
    assert sorted(o["ID"] for o in Ended(stack, "export").objects()) == [
        str(large), str(large + 1), "x"]


def test_what_is_required_has_to_be_there(new_stack):
    stack = new_stack(gateways=0, auth_agents=0, settings={"model.file": RELATIONS_MODEL})
    ended = Ended(stack, "import", stdin=lines(line(SCREW, "s"), line(SCREW, "s", part=None)))
    assert ended.code == 1 and counts(ended) == [0, 0, 0, 2]
    assert told(ended)[1] == "part: missing, and required" and "part" in told(ended)[2]


@pytest.mark.parametrize("words", [("import", "/nowhere/at/all"), ("import", "/"), ("import", "a", "b"),
                                   ("import", "--dance"), ("export", "--dance")])
def test_arguments_that_make_no_sense_are_told(stack, words):
    ended = Ended(stack, *words)
    assert ended.code == 2 and ended.lines == [] and ended.err


def test_an_import_that_nobody_answers_changes_nothing_later(new_stack):
    stack = new_stack(gateways=0, auth_agents=0)
    agent = stack.sync_agents[0]
    agent.stop()
    ended = Ended(stack, "import", "--wait", "1", stdin=lines(line(TASK, "t")))
    assert ended.code == 2 and "nobody answers" in ended.err
    agent.start()
    assert Ended(stack, "export").objects() == []


@pytest.mark.parametrize("operation, body", [
    ("importObjects", {}), ("importObjects", {"objects": {}}), ("settleReferences", {}),
    ("settleReferences", {"targets": [1]}), ("settleReferences", {"targets": ["no.such.Class:1"]}),
    ("exportObjects", {"classNames": "x"}), ("exportObjects", {"next": {"className": TASK}}),
])
def test_what_no_command_would_ask_is_refused(stack, operation, body):
    with Operator(stack) as operator:
        assert operator.ask(operation, body)["errorCode"] in ("-115", "-104")
