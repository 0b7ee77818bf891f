"""Plug-ins: processes that the sync agent runs itself (agents/plugins/activestack_plugin.h)."""

import csv
import io
import re
import signal
from urllib.parse import quote

import pytest
from client import SYNC
from plugin_calls import Caller
from servers import json, wait_until
from shapes import assert_error, assert_refused
from stack import BUILD, PROCESSES, RELATIONS_MODEL, Stack

TASK, GROUP = "com.app.mo.Task", "com.app.mo.Group"
TRIALS = BUILD / "tests/support/plugins"
LATE_MS = 2000  # after which a thread is given up a second later


def trial(**more):
    return {"run": "signedIn", "deadlineMs": 60000, "plugin": "trial", **more}


def trial_stack(servers, settings=None, **processes):
    return Stack(servers, sync_agents=1, processes={"processes": processes},
                 settings={"process.plugin_dir": TRIALS, **(settings or {})})


@pytest.fixture(scope="module")
def trials(servers):
    with trial_stack(servers, {"sync.max_answer_bytes": 1 << 20}, trial=trial(),
                     two=trial(threads=2), slow=trial(), quick=trial(deadlineMs=5000),
                     late=trial(deadlineMs=LATE_MS),
                     acting=trial(actsForCaller=True)) as stack:
        yield stack


@pytest.fixture
def caller(trials):
    with Caller(trials) as caller:
        yield caller


# ---- What a plug-in gets and gives ----

@pytest.mark.parametrize("arguments", [None, 2**53 + 1, [1.10, {"a": "ä\0"}], {"x": {}}])
def test_arguments_arrive_and_results_come_back_as_they_are(caller, arguments):
    assert caller.ask("trial", arguments) == ("reply", arguments)


def test_a_plugin_is_told_who_asks_for_what_and_until_when(caller):
    call = caller.send("two", "tell", headers={"user": "u1"})
    kind, told = caller.receive(call)
    assert kind == "reply"
    assert (told["process"], told["user"], told["id"]) == ("two", "u1", call)


@pytest.mark.parametrize("word, reason", [
    ("rubbish", "its answer is no JSON"),
    ("null", "the plug-in gave no answer"),
    ("fail the moon is full", "the moon is full"),
    ("fail_in_latin", "it failed, and its words are no UTF-8"),
    ("large 1048577", "its answer is too large"),
])
def test_a_plugin_that_fails_is_an_error_with_its_reason(caller, word, reason):
    assert caller.ask("trial", word) == ("error", {"message": reason})


def test_the_largest_answer_is_that_of_the_setting(caller):
    kind, answer = caller.ask("trial", "large 1048576")
    assert kind == "reply" and len(answer) == 1048574


def test_progress_comes_before_the_result(caller):
    call = caller.send("trial", "progress")
    assert caller.receive(call) == ("progress", {"done": 1})
    assert caller.receive(call) == ("reply", 2)


@pytest.mark.parametrize("body", [b"{]", b"\xff", b'"\xed\xa0\x80"'])
def test_arguments_that_are_no_json_are_an_error(caller, body):
    assert caller.ask("trial", body=body) == ("error", {"message": "its arguments are no JSON"})


def test_a_message_that_names_nothing_of_its_queue_is_an_error(caller):
    for name in ("", "nothing", "trial", "HTTP:x"):
        assert caller.ask(name, queue="two") == ("error", {"message": "it is not declared"})


# ---- Time ----

def test_a_plugin_may_see_that_nobody_waits_any_more(caller):
    assert caller.ask("trial", "until_cancelled", seconds=2) == ("reply", "cancelled")


def test_as_many_calls_run_at_once_as_there_are_threads(caller):
    calls = [caller.send("two", "until_cancelled", seconds=4) for _ in range(2)]
    third = caller.send("two", 3)
    assert [caller.receive(c) for c in calls] == [("reply", "cancelled")] * 2
    assert caller.receive(third) == ("reply", 3)


def test_a_call_that_waited_until_its_deadline_is_not_begun(caller):
    """A second later it is given up without a word, which may be so where the machine is busy."""
    slow = caller.send("slow", "sleep 1500")
    late = caller.send("slow", "crash", seconds=1)
    assert caller.receive(slow) == ("reply", "slept")
    answer = caller.receive(late, seconds=3)
    assert not answer or answer == (
        "error", {"message": "its time was up before it began", "code": "-116"})
    assert caller.ask("slow", 1) == ("reply", 1)


@pytest.mark.parametrize("seconds", [3600, None])
def test_no_call_has_longer_than_its_declaration_says(caller, seconds):
    assert caller.ask("late", "until_cancelled", seconds=seconds) == ("reply", "cancelled")


def test_threads_that_hang_are_replaced_until_there_were_too_many(servers):
    with trial_stack(servers, {"process.max_stuck": 1}, hangs=trial(deadlineMs=LATE_MS),
                     other=trial()) as stack, Caller(stack) as caller:
        agent = stack.sync_agents[0]
        first = caller.send("hangs", "hang")
        assert caller.ask("hangs", 1, seconds=None)[0] in ("reply", "error")  # in the new thread
        assert caller.receive(first, seconds=0.1) is None
        assert caller.ask("hangs", 2) == ("reply", 2)
        caller.send("hangs", "hang")
        wait_until(lambda: "host.used_up" in agent.log_text(), 20, "the plug-in is given up")
        wait_until(lambda: not stack.consumers("process.hangs"), 20, "its queue has no consumer")
        caller.send("hangs", 3)
        wait_until(lambda: caller.waiting("hangs") == 1, 20, "nobody takes its calls")
        assert caller.ask("other", 4) == ("reply", 4)


def test_an_answer_that_comes_too_late_is_dropped(trials, caller):
    late = caller.send("late", f"sleep {LATE_MS + 2500}")
    wait_until(lambda: "host.stuck queue=process.late" in trials.sync_agents[0].log_text(), 20,
               "it is given up")
    assert caller.ask("late", 1) == ("reply", 1)
    assert caller.receive(late, seconds=2) is None


# ---- Deaths ----

def test_a_call_whose_agent_dies_runs_again_and_writes_once(servers, connect):
    with trial_stack(servers, acting=trial(deadlineMs=60000, actsForCaller=True)) as stack:
        client = connect(stack.gateways[0], "ada")
        request = client.send_request(
            "runProcess", queryName="acting",
            queryArguments=f"ask_slowly createObject {{'theObject':{{'cn':'{TASK}'}}}}")
        wait_until(lambda: tasks(client), 20, "the plug-in has written")
        stack.sync_agents[0].restart()
        made = client.response_to(request)["result"]
        assert made["result"] is True
        assert tasks(client) == [made["theObject"]]


def tasks(client):
    return client.request("getAllByName", theClassName=TASK)["result"]


def test_an_agent_that_stops_lets_its_calls_end(servers):
    with trial_stack(servers, trial=trial()) as stack, Caller(stack) as caller:
        call = caller.send("trial", "sleep 1000")
        wait_until(lambda: caller.waiting("trial") == 0, 20, "it runs")
        stack.sync_agents[0].stop()
        assert caller.receive(call) == ("reply", "slept")


def test_an_agent_stops_though_a_call_does_not_end(servers):
    """The call waits for another agent then."""
    with trial_stack(servers, trial=trial(deadlineMs=60000)) as stack, Caller(stack) as caller:
        caller.send("trial", "hang", seconds=60)
        wait_until(lambda: caller.waiting("trial") == 0, 20, "it runs")
        stack.sync_agents[0].stop()
        wait_until(lambda: caller.waiting("trial") == 1, 20, "it came back to its queue")


def test_a_call_goes_on_while_the_broker_is_away(trials, caller):
    call = caller.send("slow", "sleep 1500")
    wait_until(lambda: caller.waiting("slow") == 0, 20, "it runs")
    agent = trials.sync_agents[0]
    before = len(re.findall(r"amqp.up connection=\S*#host ", agent.log_text()))
    rabbitmq = trials.servers.rabbitmq
    name = f"{agent.agent_name}#host"

    def connection():
        found = rabbitmq.management("GET", f"/api/vhosts/{trials.vhost}/connections")
        return [c["name"] for c in found if name in str(c.get("client_properties"))]

    found = wait_until(connection, 20, "the connection shows")
    rabbitmq.management("DELETE", f"/api/connections/{quote(found[0])}")
    wait_until(lambda: len(re.findall(r"amqp.up connection=\S*#host ", agent.log_text())) > before,
               20, "it has come back")
    assert caller.receive(call) == ("reply", "slept")
    assert caller.ask("slow", 1) == ("reply", 1)


# ---- From a client's request to its answer ----

def run(client, name, arguments=None, **members):
    return client.request("runProcess", queryName=name, queryArguments=arguments, **members)


def result(client, name, arguments=None):
    answer = run(client, name, arguments)
    assert answer["cn"] == SYNC + "RunProcessResponse", answer
    return answer["result"]


def test_a_plugin_that_hangs_is_overdue(trials, connect):
    client = connect(trials.gateways[0], "ada")
    assert_error(run(client, "quick", "hang"), "-116")
    assert result(client, "trial", [1]) == [1]


def test_a_client_that_wants_to_know_hears_how_far_it_is(trials, connect):
    client = connect(trials.gateways[0], "ada")
    request = client.send_request("runProcess", queryName="quick", queryArguments="report",
                                  progress=True)
    told = client.expect(lambda f: f.get("cn") == SYNC + "RunProcessProgress", "progress")
    assert (told["correspondingMessageId"], told["progress"]) == (request, {"done": 1})
    client.response_to(request)


def test_a_call_that_ends_its_agents_is_given_up(servers, connect):
    with trial_stack(servers, trial=trial(deadlineMs=60000)) as stack:
        limit_deliveries(stack, 1)
        agent, client = stack.sync_agents[0], connect(stack.gateways[0], "ada")
        request = client.send_request("runProcess", queryName="trial", queryArguments="crash")
        for again in (agent.launch, agent.start):
            agent.expected_end = True
            assert agent.process.wait(120) == -signal.SIGABRT
            again()
        assert_failed(client.response_to(request), "trial", "its workers have died of it")
        assert result(client, "trial", [1]) == [1]


def limit_deliveries(stack, limit):
    """How often a call may be delivered again after the first time."""
    policy = f"/api/policies/{stack.vhost}/processes"
    found = stack.servers.rabbitmq.management("GET", policy)
    found["definition"]["delivery-limit"] = limit
    stack.servers.rabbitmq.management("PUT", policy, {
        k: found[k] for k in ("pattern", "definition", "apply-to", "priority")})
    queue = f"/api/queues/{stack.vhost}/process.trial"
    wait_until(lambda: stack.servers.rabbitmq.management("GET", queue)["effective_policy_definition"]
               ["delivery-limit"] == limit, 20, "the policy holds")


def assert_failed(answer, name, *words):
    assert (answer["errorName"], answer["errorCode"]) == ("Error Running Process", "-101"), answer
    assert answer["errorDesc"].startswith(f"Unable to run process {name}:\n")
    for word in words:
        assert word in answer["errorDesc"]


# ---- What a plug-in may ask ----

def ask(client, operation, members, process="acting"):
    """What the plug-in is answered. `members` has no double quotes but those of JSON."""
    return result(client, process, f"ask {operation} {members}".replace('"', "'"))


def test_a_plugin_asks_with_the_rights_of_the_caller(trials, connect, new_id):
    client, task = connect(trials.gateways[0], "ada"), new_id("task")
    made = ask(client, "createObject", json.dumps({"theObject": {"cn": TASK, "ID": task}}))
    assert made["result"] is True
    found = ask(client, "findById", json.dumps({"theClassName": TASK, "theClassId": task}))
    assert found["result"]["ID"] == task
    assert found["clientId"] != client.client_id
    refused = ask(client, "createObject", json.dumps({"theObject": {"cn": GROUP, "name": "x"}}))
    assert_refused(refused, "-117")


@pytest.mark.parametrize("operation, members, code", [
    ("nothing", "{}", "-106"),
    ("logout", "{}", "-106"),            # has no answer
    ("updatesReceived", "{}", "-106"),   # a receipt
    ("authenticate", "{}", "-106"),      # not of the store
    ("inspectBooks", "{}", "-106"),      # the operator's
    ("disconnect", "{}", "-106"),        # the gateway's
    ("findById", "", "-115"),
    ("findById", "[]", "-115"),
    ("findById", "{}}", "-115"),
    ("findById", "{}", "-115"),          # refused by the agent
])
def test_a_plugin_may_not_ask_anything(trials, connect, operation, members, code):
    answer = ask(connect(trials.gateways[0], "ada"), operation, members)
    assert (answer["cn"], answer["errorCode"]) == (SYNC + "SyncErrorResponse", code)


def test_a_plugin_cannot_pretend_to_be_somebody_else(trials, connect, new_id):
    ben, task = connect(trials.gateways[0], "ben"), new_id("task")
    pretended = {"clientId": ben.client_id, "userId": "1", "messageId": "m"}
    made = ask(connect(trials.gateways[0], "ada"), "createObject",
               json.dumps({"theObject": {"cn": TASK, "ID": task}, **pretended}))
    assert made["result"] is True
    assert made["clientId"] not in (ben.client_id, None)


def test_a_process_that_does_not_act_may_ask_nothing(trials, connect):
    client = connect(trials.gateways[0], "ada")
    answer = ask(client, "countAllByName", json.dumps({"classNames": [TASK]}), process="trial")
    assert_error(answer, "-117", "does not act")


# ---- The plug-ins that we ship ----

PART, SCREW, VEHICLE, DIARY = (f"com.test.{n}" for n in ("Part", "Screw", "Vehicle", "Diary"))


@pytest.fixture(scope="module")
def example(servers):
    """The plug-ins of the example, in a domain with relations and with objects that have owners."""
    model = json.loads(RELATIONS_MODEL.read_text())
    own = {"owner": "owner"}
    model["classes"][DIARY] = {
        "fields": {"owner": {"type": "toOne", "target": "com.test.Person"},
                   "text": {"type": "string"}},
        "access": {"read": own, "create": own}}
    file = servers.folder / "model-with-owners.json"
    file.write_text(json.dumps(model))
    processes = json.loads(PROCESSES.read_text())
    processes["processes"]["cloneInHaste"] = {**processes["processes"]["cloneObject"],
                                              "deadlineMs": 400}
    with Stack(servers, gateways=2, sync_agents=2, settings={"model.file": file},
               processes=processes) as stack:
        yield stack


@pytest.fixture
def ada(example, connect):
    return connect(example.gateways[0], "ada")


@pytest.fixture
def ben(example, connect):
    return connect(example.gateways[1], "ben")


def create(client, cn, **fields):
    return client.request("createObject", theObject={"cn": cn, **fields})["theObject"]


def find(client, cn, of):
    return client.request("findById", theClassName=cn, theClassId=of)["result"]


def pair(cn, of):
    return {"className": cn, "ID": of}


def me(client):
    person = {"cn": "com.test.Person", "userId": client.user_id}
    return pair("com.test.Person", client.request("findByExample", theObject=person)["result"][0]["ID"])


def test_an_object_is_cloned_and_told_of(ada, ben):
    car = create(ada, "com.test.Car", name="one", seats=2**53 + 1)
    for client in (ada, ben):
        client.request("getAllByName", theClassName="com.test.Car")
    clone = result(ada, "cloneObject", {**pair(VEHICLE, car["ID"]), "set": {"name": "two"}})
    assert clone == {**pair("com.test.Car", clone["ID"]), "copies": [
        {"className": "com.test.Car", "from": car["ID"], "to": clone["ID"]}]}
    assert find(ada, "com.test.Car", clone["ID"]) == {**car, "ID": clone["ID"], "name": "two"}
    for client in (ada, ben):
        client.expect_update(clone["ID"], name="two", seats=2**53 + 1)


def test_what_belongs_to_it_is_cloned_too(ada):
    truck = create(ada, "com.test.Truck", name="t", load=1.10)
    other = create(ada, VEHICLE, name="other")
    spare = create(ada, PART, name="spare", vehicle=pair(VEHICLE, other["ID"]))
    parts = [create(ada, PART, name=n, vehicle=pair("com.test.Truck", truck["ID"]),
                    spare=pair(PART, spare["ID"])) for n in "ab"]
    screws = [create(ada, SCREW, part=pair(PART, part["ID"])) for part in parts]
    clone = result(ada, "cloneObject", {**pair("com.test.Truck", truck["ID"]), "with": [
        {"className": PART, "by": "vehicle", "with": [{"className": SCREW, "by": "part"}]}]})
    to = {c["from"]: c["to"] for c in clone["copies"]}
    assert set(to) == {o["ID"] for o in [truck, *parts, *screws]} and len(set(to.values())) == 5
    assert find(ada, "com.test.Truck", clone["ID"])["load"] == 1.10
    for part, screw in zip(parts, screws):
        copy = find(ada, PART, to[part["ID"]])
        assert (copy["name"], copy["vehicle"]["ID"], copy["spare"]["ID"]) == (
            part["name"], clone["ID"], spare["ID"])
        assert find(ada, SCREW, to[screw["ID"]])["part"]["ID"] == copy["ID"]


def test_nobody_clones_what_they_may_not_read_or_make(ada, ben):
    diary = create(ada, DIARY, text="dear", owner=me(ada))
    assert result(ada, "cloneObject", pair(DIARY, diary["ID"]))["className"] == DIARY
    assert_failed(run(ben, "cloneObject", pair(DIARY, diary["ID"])), "cloneObject",
                  "no such object, or it may not be read")
    assert_failed(run(ada, "cloneObject", {**pair(DIARY, diary["ID"]), "set": {"owner": me(ben)}}),
                  "cloneObject", "you may not do this")


def test_a_clone_that_cannot_be_finished_is_taken_back(ada):
    car = create(ada, "com.test.Car", name="half")
    before = count(ada, "com.test.Car")
    assert_failed(run(ada, "cloneObject", {**pair("com.test.Car", car["ID"]),
                                           "with": [{"className": PART, "by": "nothing"}]}),
                  "cloneObject", "nothing")
    assert count(ada, "com.test.Car") == before


def test_a_clone_that_takes_too_long_is_taken_back_in_time(ada):
    vehicle = create(ada, "com.test.Car", name="long")
    parts = [{"cn": PART, "vehicle": pair("com.test.Car", vehicle["ID"])} for _ in range(500)]
    for i in range(0, len(parts), 50):
        assert ada.request("processTransaction", objectsToSave=parts[i:i + 50])["result"]
    before = count(ada, "com.test.Car"), count(ada, PART)
    assert_failed(run(ada, "cloneInHaste", {**pair("com.test.Car", vehicle["ID"]),
                                            "with": [{"className": PART, "by": "vehicle"}]}),
                  "cloneInHaste", "too many objects for the time")
    assert (count(ada, "com.test.Car"), count(ada, PART)) == before


def count(client, cn):
    return client.request("countAllByName", classNames=[cn])["result"][0][cn]


@pytest.mark.parametrize("arguments, reason", [
    (None, "expected an object"),
    ([], "expected an object"),
    ({}, "className and ID: expected strings"),
    ({"className": "com.test.Car", "ID": 5}, "className and ID: expected strings"),
    ({"className": "com.test.Nothing", "ID": "x"}, "no such class"),
    ({"className": "com.test.Car", "ID": "x"}, "no such object"),
    ({"className": "com.test.Car", "ID": "x", "set": 1}, "set: expected an object"),
])
def test_what_cannot_be_cloned_is_said(ada, arguments, reason):
    assert_failed(run(ada, "cloneObject", arguments), "cloneObject", reason)


@pytest.mark.parametrize("more, reason", [
    ({"with": 1}, "with: expected an array"),
    ({"with": [1]}, "with: expected objects with className and by"),
    ({"with": [{"className": PART, "by": "vehicle", "with": 1}]}, "with: expected an array"),
    ({"set": {"wings": 2}}, "wings"),
])
def test_what_cannot_be_cloned_with_an_object_is_said(ada, more, reason):
    vehicle = create(ada, VEHICLE, name="v")
    create(ada, PART, vehicle=pair(VEHICLE, vehicle["ID"]))
    assert_failed(run(ada, "cloneObject", {**pair(VEHICLE, vehicle["ID"]), **more}), "cloneObject",
                  reason)


def test_objects_are_exported_as_csv(ada, new_id):
    company = create(ada, "com.test.Company", name=new_id("company"))
    cars = [create(ada, "com.test.Car", ID=new_id("car"), name=name, seats=seats,
                   maker=pair("com.test.Company", company["ID"]))
            for name, seats in [('a "big", red\none', 2**53 + 1), (None, None), ("ä;", 0)]]
    example = {"cn": "com.test.Car", "maker": pair("com.test.Company", company["ID"])}
    text = result(ada, "exportCsv", {"theObject": example, "columns": ["ID", "name", "seats", "maker"]})
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["ID", "name", "seats", "maker"]
    assert sorted(rows[1:]) == sorted(
        [car["ID"], car["name"] or "", "" if car["seats"] is None else str(car["seats"]),
         company["ID"]] for car in cars)
    assert text.endswith("\r\n") and text.count("\r\n") == 4


def test_an_export_has_all_fields_unless_some_are_asked_for(ada, new_id):
    ticket = create(ada, "com.test.Ticket", text=new_id("ticket"))
    example = {"cn": "com.test.Ticket", "text": ticket["text"]}
    assert result(ada, "exportCsv", {"theObject": example}) == (
        f"ID,text\r\n{ticket['ID']},{ticket['text']}\r\n")
    assert result(ada, "exportCsv", {"theObject": example, "columns": ["text"], "header": False}) == (
        f"{ticket['text']}\r\n")


def test_an_export_has_only_what_the_caller_may_read(ada, ben, new_id):
    word = new_id("diary")
    for client in (ada, ben):
        create(client, DIARY, text=word, owner=me(client))
    for client in (ada, ben):
        text = result(client, "exportCsv", {"theObject": {"cn": DIARY, "text": word},
                                            "columns": ["owner"]})
        assert text == f"owner\r\n{me(client)['ID']}\r\n"


@pytest.mark.parametrize("arguments, reason", [
    (None, "expected an object"),
    ({}, "theObject: expected an object with a cn"),
    ({"theObject": {}}, "cn"),
    ({"theObject": {"cn": "com.test.Nothing"}}, "no such class"),
    ({"theObject": {"cn": "com.test.Ticket"}, "columns": "text"}, "columns: expected an array"),
    ({"theObject": {"cn": "com.test.Ticket"}, "columns": [1]}, "columns: expected an array"),
    ({"theObject": {"cn": "com.test.Ticket"}, "header": "no"}, "header: expected a boolean"),
])
def test_what_cannot_be_exported_is_said(ada, arguments, reason):
    assert_failed(run(ada, "exportCsv", arguments), "exportCsv", reason)


def test_a_text_that_no_agent_would_send_is_not_made(ada, new_id):
    """It would be as many times as large as the caller likes."""
    text = new_id("ticket") + "x" * 100000
    create(ada, "com.test.Ticket", text=text)
    arguments = {"theObject": {"cn": "com.test.Ticket", "text": text}, "columns": ["text"] * 20000}
    assert_failed(run(ada, "exportCsv", arguments), "exportCsv", "the text is too large")


# ---- Loading ----

@pytest.mark.parametrize("plugin, reason", [
    ("missing", "cannot open shared object file"),
    ("another_version", "built for another version of activestack_plugin.h, not for 1"),
    ("without_symbol", "it has no symbol activestack_plugin"),
    ("silent", "activestack_plugin() says nothing"),
])
def test_an_agent_whose_plugin_is_not_good_does_not_start(servers, plugin, reason):
    stack = trial_stack(servers, bad=trial(plugin=plugin))
    agent = stack.sync_agents[0]
    agent.launch()
    agent.expected_end = True
    assert agent.process.wait(120) == 1
    assert re.search(rf"process bad: plug-in \S*/{plugin}\.so: .*{re.escape(reason)}",
                     agent.log_text())
    stack.servers.rabbitmq.management("DELETE", f"/api/vhosts/{stack.vhost}")


def test_an_agent_that_hosts_nothing_needs_no_plugins(servers):
    with trial_stack(servers, {"process.host": "false"}, bad=trial(plugin="missing")) as stack:
        assert not stack.consumers("process.bad")
