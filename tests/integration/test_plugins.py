"""Plug-ins: processes that the sync agent runs itself (agents/plugins/activestack_plugin.h)."""

import re
from urllib.parse import quote

import pytest
from client import SYNC
from plugin_calls import Caller
from servers import json, wait_until
from shapes import assert_error
from stack import BUILD, PROCESSES, Stack

TASK, GROUP, MEMBERSHIP = "com.app.mo.Task", "com.app.mo.Group", "com.app.mo.Membership"
TRIALS = BUILD / "tests/support/plugins"


def trial(**more):
    return {"run": "signedIn", "deadlineMs": 10000, "plugin": "trial", **more}


def trial_stack(servers, settings=None, **processes):
    return Stack(servers, sync_agents=1, processes={"processes": processes},
                 settings={"process.plugin_dir": TRIALS, **(settings or {})})


@pytest.fixture(scope="module")
def trials(servers):
    with trial_stack(servers, {"sync.max_answer_bytes": 1 << 20}, trial=trial(),
                     two=trial(threads=2), slow=trial()) as stack:
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
    assert caller.ask("trial", "until_cancelled", seconds=0.2) == ("reply", "cancelled")


def test_as_many_calls_run_at_once_as_there_are_threads(caller):
    calls = [caller.send("two", "until_cancelled", seconds=1) for _ in range(2)]
    third = caller.send("two", 3)
    assert [caller.receive(c) for c in calls] == [("reply", "cancelled")] * 2
    assert caller.receive(third) == ("reply", 3)


def test_a_call_that_waited_until_its_deadline_is_not_begun(caller):
    slow = caller.send("slow", "sleep 600")
    late = caller.send("slow", "crash", seconds=0.3)
    assert caller.receive(slow) == ("reply", "slept")
    assert caller.receive(late) == (
        "error", {"message": "its time was up before it began", "code": "-116"})


def test_no_call_has_longer_than_its_declaration_says(servers):
    with trial_stack(servers, quick=trial(deadlineMs=200)) as stack, Caller(stack) as caller:
        assert caller.ask("quick", "until_cancelled", seconds=3600) == ("reply", "cancelled")
        assert caller.ask("quick", "until_cancelled", seconds=None) == ("reply", "cancelled")


def test_threads_that_hang_are_replaced_until_there_were_too_many(servers):
    with trial_stack(servers, {"process.max_stuck": 1}, hangs=trial(deadlineMs=200),
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


def test_an_answer_that_comes_too_late_is_dropped(servers):
    with trial_stack(servers, late=trial(deadlineMs=100)) as stack, Caller(stack) as caller:
        late = caller.send("late", "sleep 1500")
        wait_until(lambda: "host.stuck" in stack.sync_agents[0].log_text(), 20, "it is given up")
        assert caller.ask("late", 1) == ("reply", 1)
        assert caller.receive(late, seconds=0.5) is None


# ---- Deaths ----

def test_a_call_whose_agent_dies_runs_again(servers):
    with trial_stack(servers, trial=trial()) as stack, Caller(stack) as caller:
        agent = stack.sync_agents[0]
        call = caller.send("trial", "until_cancelled", seconds=4)
        wait_until(lambda: caller.waiting("trial") == 0, 20, "it runs")
        agent.restart()
        assert caller.receive(call) == ("reply", "cancelled")


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

    wait_until(connection, 20, "the connection shows")
    rabbitmq.management("DELETE", f"/api/connections/{quote(connection()[0])}")
    wait_until(lambda: len(re.findall(r"amqp.up connection=\S*#host ", agent.log_text())) > before,
               20, "it has come back")
    assert caller.receive(call) == ("reply", "slept")
    assert caller.ask("slow", 1) == ("reply", 1)


# ---- From a client's request to its answer ----

@pytest.fixture(scope="module")
def example(servers):
    """The example domain with its plug-ins, and one that is not among them."""
    processes = json.loads(PROCESSES.read_text())
    with Stack(servers, gateways=2, sync_agents=2, processes=processes) as stack:
        yield stack


@pytest.fixture
def ada(example, connect):
    return connect(example.gateways[0], "ada")


@pytest.fixture
def ben(example, connect):
    return connect(example.gateways[1], "ben")


def run(client, name, arguments):
    return client.request("runProcess", queryName=name, queryArguments=arguments)


def result(client, name, arguments):
    answer = run(client, name, arguments)
    assert answer["cn"] == SYNC + "RunProcessResponse", answer
    return answer["result"]


def create(client, cn, **fields):
    return client.request("createObject", theObject={"cn": cn, **fields})["theObject"]


def find(client, cn, of):
    return client.request("findById", theClassName=cn, theClassId=of)["result"]


def pair(cn, of):
    return {"className": cn, "ID": of}


def test_an_object_is_cloned(ada, new_id):
    task = create(ada, TASK, ID=new_id("task"), title="one", priority=2**53 + 1, estimate=1.10)
    clone = result(ada, "cloneObject", {**pair(TASK, task["ID"]), "set": {"title": "two"}})
    assert clone["className"] == TASK and clone["ID"] != task["ID"]
    assert clone["copies"] == [{"className": TASK, "from": task["ID"], "to": clone["ID"]}]
    assert find(ada, TASK, clone["ID"]) == {**task, "ID": clone["ID"], "title": "two"}


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
    assert agent.process.wait(20) == 1
    assert re.search(rf"process bad: plug-in \S*/{plugin}\.so: .*{re.escape(reason)}",
                     agent.log_text())
    stack.servers.rabbitmq.management("DELETE", f"/api/vhosts/{stack.vhost}")


def test_an_agent_that_hosts_nothing_needs_no_plugins(servers):
    with trial_stack(servers, {"process.host": "false"}, bad=trial(plugin="missing")) as stack:
        assert not stack.consumers("process.bad")
