"""A sync agent dies between any two steps of a watched value (common/base/fault.h names the points).

Whatever the point: who asks gets the value, once; who watches is told the newest; nothing is left behind, and
the books balance.
"""

import pytest
from client import pair
from servers import wait_until
from stack import Stack
from store import assert_books_balance, marks_of, object_key, session_of
from watching import DERIVED_MODEL, PROJECT, TASK, Writer, expect_value, is_value, item, value

SETTINGS = {"model.file": DERIVED_MODEL, "sync.job_lease_ms": 400, "sync.poll_ms": 20,
            "sync.watch_window_ms": 20, "sync.redelivery_first_ms": 300, "sync.presence_grace_ms": 3_600_000}
TASKS = 150  # more than a step reads


@pytest.fixture(scope="module")
def mortal_stack(servers):
    with Stack(servers, gateways=1, sync_agents=1, settings=SETTINGS) as stack:
        yield stack


@pytest.fixture
def clients(mortal_stack, connect):
    """A writer, and a reader whose session has sent a receipt before."""
    ada, ben = (connect(mortal_stack.gateways[0], user) for user in ("ada", "ben"))
    ben.acknowledge((TASK, "nothing"))
    yield Writer(ada), ben
    mortal_stack.check()
    wait_for_quiet(mortal_stack)
    assert_books_balance(mortal_stack.redis())


@pytest.fixture
def project(mortal_stack, clients, new_id):
    writer, _ = clients
    project = writer.make(PROJECT, new_id("project"))
    writer.make_many([(TASK, new_id("task"), {"project": pair(*project), "hours": 1})
                      for _ in range(TASKS)])
    wait_for_quiet(mortal_stack)
    return project


def wait_for_quiet(stack):
    redis = stack.redis()
    wait_until(lambda: not redis.exists("jobs", "values"), 30, "nothing is left to do")


def die_at(stack, fault):
    agent = stack.sync_agents[0]
    agent.stop()
    agent.start(fault=fault)
    return agent


def tasks_of(writer, project):
    return sorted(r for r, f in writer.derived.objects.items() if f.get("project") == pair(*project))


@pytest.mark.parametrize("fault", ["after-watch-read:1", "after-watch-read:3", "after-watch-settle",
                                   "after-reply"])
def test_a_question_survives_the_death_of_its_worker(mortal_stack, clients, project, fault):
    writer, ben = clients
    agent = die_at(mortal_stack, fault)
    message = ben.send_request("getChangeWatcher", classIdPair=pair(*project), fieldName="hours")
    agent.expect_death()
    agent.start()
    assert ben.response_to(message)["value"] == TASKS
    ben.expect_nothing(lambda f: f.get("correspondingMessageId") == message, 0.2)
    writer.put(tasks_of(writer, project)[0], hours=2)
    expect_value(ben, project, "hours", TASKS + 1)
    acknowledge_all(mortal_stack, ben, project)


@pytest.mark.parametrize("fault", [
    "after-commit", "after-watch-touch", "after-watch-read:1", "after-watch-read:2", "after-watch-settle",
    "after-marks:2", "after-push"])
def test_a_change_survives_the_death_of_its_worker(mortal_stack, clients, project, fault):
    writer, ben = clients
    assert value(ben, project, "hours") == TASKS
    task = tasks_of(writer, project)[0]
    agent = die_at(mortal_stack, fault)
    message = writer.client.send_request("putObject", theObject={"cn": TASK, "ID": task[1], "hours": 8})
    agent.expect_death()
    agent.start()
    assert writer.client.response_to(message)["result"] is True
    expect_value(ben, project, "hours", TASKS + 7)
    wait_for_quiet(mortal_stack)
    acknowledge_all(mortal_stack, ben, project)
    stale = [name for name, run in mortal_stack.redis().zrange(
        object_key(item(project, "hours"), ":d"), 0, -1, withscores=True)
        if run < int(mortal_stack.redis().hget(object_key(item(project, "hours")), "settled"))]
    assert not stale


@pytest.mark.parametrize("fault", ["after-commit", "after-watch-touch", "after-watch-settle", "after-marks:2",
                                   "after-push"])
def test_the_end_of_an_object_survives_the_death_of_a_worker(mortal_stack, clients, new_id, fault):
    writer, ben = clients
    project = writer.make(PROJECT, new_id("project"), name="short")
    assert value(ben, project, "name") == "short"
    wait_for_quiet(mortal_stack)
    agent = die_at(mortal_stack, fault)
    message = writer.client.send_request("removeObject", removePair=pair(*project))
    agent.expect_death()
    agent.start()
    assert writer.client.response_to(message)["result"] is True
    expect_value(ben, project, "name", None)
    redis = mortal_stack.redis()
    wait_until(lambda: not redis.exists(object_key(item(project, "name"))), 10, "it is dropped")
    acknowledge_all(mortal_stack, ben, project)


def acknowledge_all(stack, client, project):
    redis = stack.redis()
    sid = session_of(redis, client.client_id)

    def is_settled():
        client.acknowledge((PROJECT, project[1]))
        return not [name for name in marks_of(redis, sid) if name.startswith("~")]

    wait_until(is_settled, 10, "receipts have settled the mark")
    client.drain(0.6)  # what was under way
    client.inbox.clear()
    client.expect_nothing(is_value, 0.4)
