"""Watched values that a process says (agents/sync/watchers/process.h)."""

import json
import threading

import pytest
from asking import create, put
from client import Client, pair
from servers import wait_until
from stack import Stack
from store import assert_books_balance, object_key, session_of
from watching import (DERIVED_MODEL, ERRAND, PERSON, PROJECT, TASK, Writer, ask, expect_value, is_value, item, value)
from workers import Worker

PROCESSES = {"processes": {name: {"run": "nobody", "deadlineMs": 2000 if name == "slow" else 60_000}
                           for name in ("total", "absent", "rubbish", "slow", "torn",
                                        "named", "memo")}}
PROCESSES["processes"]["memo"]["deadlineMs"] = 30000
MEMO = "com.test.Memo"
MEMO_CLASS = {"fields": {"readers": {"type": "list", "target": PERSON}},
              "access": {"read": {"owner": "readers"}, "create": "signedIn", "update": "signedIn"},
              "watchers": {"said": {"value": "process", "process": "memo"}}}


@pytest.fixture(scope="module")
def process_stack(servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    model = json.loads(DERIVED_MODEL.read_text())
    model["classes"][PROJECT]["watchers"].update({
        name: {"value": "process", "process": name,
               "params": [{"name": "factor", "type": "integer"}] if name == "total" else []}
        for name in PROCESSES["processes"]})
    model["classes"][MEMO] = MEMO_CLASS
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "processes.json").write_text(json.dumps(PROCESSES))
    with Stack(servers, gateways=2, sync_agents=2, settings={
            "model.file": folder / "model.json", "process.file": folder / "processes.json",
            "process.presence_ms": 0, "sync.watch_window_ms": 20, "sync.poll_ms": 20,
            "sync.redelivery_first_ms": 300, "sync.reply_repeat_ms": 300000}) as stack:
        yield stack


@pytest.fixture
def ada(process_stack, connect):
    yield connect(process_stack.gateways[0], "ada")
    process_stack.check()
    assert_books_balance(process_stack.redis())


@pytest.fixture
def ben(process_stack, connect):
    client = connect(process_stack.gateways[1], "ben")
    client.acknowledge((TASK, "nothing"))
    return client


@pytest.fixture
def writer(ada):
    return Writer(ada)


@pytest.fixture
def project(writer, new_id):
    project = writer.make(PROJECT, new_id("project"), name="dam")
    for hours in (1, 2):
        writer.make(TASK, new_id("task"), hours=hours, project=pair(*project))
    return project


class Total:
    """Says the hours of a project, times the factor, as the writer has them."""

    def __init__(self, writer):
        self.writer = writer

    def __call__(self, call):
        asked = call.arguments
        tasks = [(ref, fields) for ref, fields in self.writer.derived.objects.items()
                 if fields.get("project") == pair(asked["className"], asked["ID"])]
        factor = (asked["params"] or [1])[0]
        call.reply({"value": factor * sum(fields["hours"] for _, fields in tasks),
                    "reads": [{"className": asked["className"], "ID": asked["ID"], "fieldName": "tasks"},
                              *({"className": c, "ID": i} for (c, i), _ in tasks)]})


def is_quiet(redis):
    return not redis.exists("jobs", "values")


def test_what_a_process_says_is_answered_and_said_anew(process_stack, ben, writer, project, new_id):
    with Worker(process_stack, "total", Total(writer)) as worker:
        answer = ask(ben, project, "total", [10])
        assert answer["value"] == 30 and answer["params"] == [10] and answer["fieldName"] == "total"
        assert worker.calls[0].arguments == {**pair(*project), "fieldName": "total", "params": [10]}
        assert not {"user", "device", "accepted", "client"} & set(worker.calls[0].headers)
        assert value(ben, project, "total", [10]) == 30
        task = writer.make(TASK, new_id("task"), hours=4, project=pair(*project))
        expect_value(ben, project, "total", 70, [10])
        writer.put(task, hours=5)
        expect_value(ben, project, "total", 80, [10])
        wait_until(lambda: is_quiet(process_stack.redis()), 10, "it is said")
        calls = len(worker.calls)
        writer.put(project, name="other")
        writer.put(task, hours=6)
        expect_value(ben, project, "total", 90, [10])
        wait_until(lambda: is_quiet(process_stack.redis()), 10, "it is said")
        assert len(worker.calls) == calls + 1, "the name is nothing that it has read"


def test_who_asks_before_the_first_value_waits(process_stack, connect, ben, writer, project):
    go_on = threading.Event()
    total = Total(writer)

    def serve(call):
        assert go_on.wait(60)
        total(call)

    cleo = connect(process_stack.gateways[0], "cleo")
    with Worker(process_stack, "total", serve) as worker:
        messages = [client.send_request("getChangeWatcher", classIdPair=pair(*project), fieldName="total",
                                        params=[1]) for client in (ben, cleo, cleo)]
        waiting = object_key(item(project, "total", [1]), ":a")
        wait_until(lambda: process_stack.redis().llen(waiting) == 3, 10, "all of them wait")
        assert len(worker.wait_calls(1)) == 1
        go_on.set()
        for client, message in zip((ben, cleo, cleo), messages):
            assert client.response_to(message)["value"] == 3
        wait_until(lambda: not process_stack.redis().exists(waiting), 10, "nobody waits")


def test_who_comes_back_before_the_first_value_is_answered_there(process_stack, connect, writer, project):
    go_on, total = threading.Event(), Total(writer)
    client = connect(process_stack.gateways[0])
    client.open(process_stack.gateways[0].url)
    client.connect(ensureMessageDelivery=True)
    client.login("file", process_stack.credential("cleo"))
    waiting = object_key(item(project, "total", [1]), ":a")

    def are_waiting(count):
        wait_until(lambda: process_stack.redis().llen(waiting) == count, 20, f"{count} questions wait")

    with Worker(process_stack, "total", lambda call: go_on.wait(30) and total(call)):
        message = client.send_request("getChangeWatcher", classIdPair=pair(*project), fieldName="total",
                                      params=[1])
        are_waiting(1)
        client.vanish()
        with Client(process_stack.gateways[1].url) as returned:
            returned.send({"reconnect": {"lastSessionId": "x", "reconnectId": client.session,
                                         "ensureMessageDelivery": True}})
            returned.expect_connect_response()
            are_waiting(2)
            late = process_stack.gateways[1].figure("replies_late_total")
            go_on.set()
            assert returned.response_to(message)["value"] == 3
            assert process_stack.gateways[1].figure("replies_late_total") == late


@pytest.mark.parametrize("message", ["a\nb", 'a\n"', "a\n{", "a\n\n\n[", "\n"], ids=ascii)
def test_a_message_id_may_have_lines_while_its_answer_waits(process_stack, ben, writer, project, message):
    with Worker(process_stack, "total", Total(writer)):
        answer = ask(ben, project, "total", [1], messageId=message)
    assert (answer["value"], answer["params"]) == (3, [1])


@pytest.mark.parametrize("behind", ['"\n[1]', '"a\n[1]', "a\n[1]", '"a"\n[1', '"a"\n'])
def test_a_question_that_waits_in_another_form_is_dropped(process_stack, ben, writer, project, behind):
    go_on, total = threading.Event(), Total(writer)
    redis, waiting = process_stack.redis(), object_key(item(project, "total", [1]), ":a")

    def serve(call):
        assert go_on.wait(60)
        total(call)

    with Worker(process_stack, "total", serve):
        message = ben.send_request("getChangeWatcher", classIdPair=pair(*project), fieldName="total", params=[1])
        wait_until(lambda: redis.llen(waiting) == 1, 20, "it waits")
        redis.lpush(waiting, "\n".join([*redis.lindex(waiting, 0).split("\n")[:3], behind]))
        go_on.set()
        assert ben.response_to(message)["value"] == 3
        wait_until(lambda: not redis.exists(waiting), 20, "nobody waits")


def test_who_has_lost_the_object_is_not_told_the_value_that_it_waits_for(process_stack, ada, ben, new_id):
    go_on, redis = threading.Event(), process_stack.redis()
    ours = [pair(PERSON, redis.hget(f"{{u:{client.user_id}}}", "anchor")) for client in (ada, ben)]
    memo = MEMO, create(ada, MEMO, new_id("memo"), readers=ours)["theObject"]["ID"]

    def serve(call):
        assert go_on.wait(20)
        call.reply({"value": "secret", "reads": []})

    with Worker(process_stack, "memo", serve):
        hers, his = [client.send_request("getChangeWatcher", classIdPair=pair(*memo), fieldName="said", params=[])
                     for client in (ada, ben)]
        of, sid = item(memo, "said"), session_of(redis, ben.client_id)
        wait_until(lambda: redis.llen(object_key(of, ":a")) == 2, 20, "both of them wait")
        assert put(ada, *memo, readers=ours[:1])["result"] is True
        wait_until(lambda: redis.zscore(object_key(of, ":w"), sid) is None, 20, "one of them has lost it")
        go_on.set()
        assert ada.response_to(hers)["value"] == "secret"
        assert ben.response_to(his)["value"] is None
    assert not [frame for frame in ben.inbox if "secret" in frame.text]


@pytest.mark.parametrize("reply", [7, [], {}, {"reads": []}, {"value": 1, "reads": [1]},
                                   {"value": 1, "reads": "all"}, {"value": 1, "reads": {"className": TASK}},
                                   {"value": 1, "reads": [{"className": "no.such.Class", "ID": "1"}]},
                                   {"value": 1, "reads": [{"className": TASK, "ID": "a\u0000b"}]},
                                   {"value": 1, "reads": [{"className": TASK, "ID": "1", "fieldName": "x"}]}],
                         ids=json.dumps)
def test_what_makes_no_sense_is_null(process_stack, ben, project, reply):
    with Worker(process_stack, "rubbish", lambda call: call.reply(reply)):
        assert value(ben, project, "rubbish") is None
        assert value(ben, project, "rubbish") is None


def test_of_an_absent_process_the_value_is_null_until_it_is_there(process_stack, ben, project):
    assert value(ben, project, "absent") is None
    with Worker(process_stack, "absent", lambda call: call.reply({"value": {"a": [1.10]}})):
        expect_value(ben, project, "absent", {"a": [1.1]})
    assert value(ben, project, "absent") == {"a": [1.1]}


def test_of_a_process_that_is_too_slow_the_value_is_null(process_stack, ben, project):
    with Worker(process_stack, "slow", lambda call: None):
        assert value(ben, project, "slow") is None


def test_what_changes_while_the_process_reads_is_not_missed(process_stack, ben, writer, project):
    """It says what was, and only then, for the first time, that it has read it."""
    first = threading.Event()

    def serve(call):
        said = writer.derived.objects[project]["name"]
        if not first.is_set():
            first.set()
            writer.put(project, name="new")
        call.reply({"value": said, "reads": [{**pair(*project), "fieldName": "name"}]})

    with Worker(process_stack, "torn", serve):
        assert value(ben, project, "torn") == "dam"
        expect_value(ben, project, "torn", "new")
        ben.inbox.clear()
        writer.put(project, name="newer")
        expect_value(ben, project, "torn", "newer")
        assert not [f for f in ben.inbox if is_value(f) and f["value"] == "dam"]


def test_what_is_named_by_a_parent_of_its_class_is_read_too(process_stack, ben, writer, project, new_id):
    errand = writer.make(ERRAND, new_id("task"), title="to town")

    def serve(call):
        call.reply({"value": writer.derived.objects[errand]["title"],
                    "reads": [{"className": TASK, "ID": errand[1], "fieldName": "title"}]})

    with Worker(process_stack, "named", serve):
        assert value(ben, project, "named") == "to town"
        wait_until(lambda: process_stack.redis().zscore("values", item(project, "named")) is None, 10,
                   "it is said")
        writer.derived.put(*errand, title="home")
        assert put(writer.client, *errand, title="home")["result"] is True
        expect_value(ben, project, "named", "home")
