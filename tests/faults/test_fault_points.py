"""A sync agent dies between any two steps of a write (common/base/fault.h names the points).

Whatever the point: the writer gets its answer, once; every watching session is told; each mark is
what it should be; the books balance.
"""

import pytest
from content_client import ContentClient, login_data
from servers import wait_until
from stack import Stack
from store import assert_books_balance, pending_marks, stored_object
from watchers import watchers_of, watchers_of_class

TASK = "com.app.mo.Task"
WATCHERS = 1000
BATCHES = 5  # of 250, and one for the writer's own session

# A worker that dies leaves its jobs to the others after the lease.
# Nobody is shown as gone while other tests are under way, since that would pass the same points.
SETTINGS = {"sync.job_lease_ms": 400, "sync.poll_ms": 20, "sync.presence_grace_ms": 3_600_000}


@pytest.fixture(scope="module")
def mortal_stack(servers):
    with Stack(servers, gateways=1, sync_agents=1, settings=SETTINGS) as stack:
        yield stack


@pytest.fixture
def writer(mortal_stack, connect):
    client = connect(mortal_stack.gateways[0], "ada")
    redis, bound = mortal_stack.redis(), f"{{u:{client.user_id}}}:b"
    wait_until(lambda: redis.exists(bound) and redis.zscore("online", client.user_id) is None, 30,
               "the writer's Person shows that it is there")
    wait_for_jobs(mortal_stack)  # of the login
    yield client
    mortal_stack.check()


def wait_for_jobs(stack):
    redis = stack.redis()
    wait_until(lambda: redis.zcard("jobs") == 0, 30, "all jobs are done")


def die_at(stack, fault):
    """From now on the agent dies at this point; another takes over when it has."""
    agent = stack.sync_agents[0]
    agent.stop()
    agent.start(fault=fault)
    return agent


def write_and_die(stack, writer, fault, operation, **members):
    """Sends a write, has the agent die at the point and another continue; returns the response."""
    agent = die_at(stack, fault)
    message = writer.send_request(operation, **members)
    agent.expect_death()
    agent.start()
    response = writer.response_to(message)
    wait_for_jobs(stack)
    writer.expect_nothing(lambda f: f.get("correspondingMessageId") == message, 0.2)
    return response


def assert_all_told(stack, watchers, ref, kind, version):
    """Each watcher was told and still owes a receipt; with it the books are closed. The writer may be
    told, too: whoever continues does not know what it has heard."""
    for bodies in watchers.expect_all().values():
        for body in bodies:
            assert [o["ID"] for o in body["objectList"]] == [ref.split(":")[1]]
    redis, sids = stack.redis(), set(watchers.sids)

    def marks():
        return {sid: mark for (sid, marked), mark in pending_marks(redis).items()
                if marked == ref and sid in sids}

    assert marks() == {sid: (kind, version) for sid in watchers.sids}
    assert_books_balance(redis)

    watchers.acknowledge(*ref.split(":"), deletes=kind == "d")
    wait_until(lambda: not marks(), 30, "all their marks of the object are settled")
    assert_books_balance(redis)


@pytest.mark.parametrize("fault", [
    "after-commit", "after-reply", "after-marks:1", "after-marks:3", f"after-marks:{BATCHES}",
    "after-push:1", f"after-push:{BATCHES}"])
def test_a_put_survives_the_death_of_its_worker(mortal_stack, writer, new_id, fault):
    task = new_id("task")
    writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "old"})
    wait_for_jobs(mortal_stack)
    with watchers_of(mortal_stack, WATCHERS, f"{TASK}:{task}") as watchers:
        response = write_and_die(mortal_stack, writer, fault, "putObject",
                                 theObject={"cn": TASK, "ID": task, "title": "new"})
        assert response["result"] is True
        assert stored_object(mortal_stack.redis(), f"{TASK}:{task}")["title"] == '"new"'
        assert_all_told(mortal_stack, watchers, f"{TASK}:{task}", "u", 2)
        for bodies in watchers.told.values():
            assert all(body["objectList"][0]["title"] == "new" for body in bodies)


@pytest.mark.parametrize("fault", ["after-commit", "after-marks:2", "after-push:1", "after-reply"])
def test_a_removal_survives_the_death_of_its_worker(mortal_stack, writer, new_id, fault):
    task = new_id("task")
    writer.request("createObject", theObject={"cn": TASK, "ID": task})
    wait_for_jobs(mortal_stack)
    with watchers_of(mortal_stack, WATCHERS, f"{TASK}:{task}") as watchers:
        response = write_and_die(mortal_stack, writer, fault, "removeObject",
                                 removePair={"className": TASK, "ID": task})
        assert response["result"] is True
        assert stored_object(mortal_stack.redis(), f"{TASK}:{task}") is None
        assert_all_told(mortal_stack, watchers, f"{TASK}:{task}", "d", 2)
    # The watch went with the object.
    assert not mortal_stack.redis().exists(f"{{o:{TASK}:{task}}}:w")


@pytest.mark.parametrize("fault", ["after-commit", "after-marks:2", "after-push:2"])
@pytest.mark.parametrize("named_by", ["the client", "the server"])
def test_a_creation_survives_the_death_of_its_worker(mortal_stack, writer, new_id, fault, named_by):
    wanted = {"cn": TASK, "title": "born", **({"ID": new_id()} if named_by == "the client" else {})}
    with watchers_of_class(mortal_stack, 600, "com.app.mo.Item") as watchers:
        response = write_and_die(mortal_stack, writer, fault, "createObject", theObject=wanted)
        assert response["result"] is True and response["theObject"]["title"] == "born"
        ref = f"{TASK}:{response['theObject']['ID']}"
        assert stored_object(mortal_stack.redis(), ref) == {"title": '"born"'}
        assert_all_told(mortal_stack, watchers, ref, "u", 1)
    mortal_stack.redis().delete("{k:com.app.mo.Item}:w")


@pytest.fixture
def talker(mortal_stack, writer):
    """A client of the content protocol; `writer` has waited until all is quiet."""
    client = ContentClient(mortal_stack.gateways[0].url)
    client.login(mortal_stack.credential("ada"))
    wait_for_jobs(mortal_stack)
    yield client
    client.close()


@pytest.mark.parametrize("fault", ["after-commit", "after-reply", "after-marks:1"])
def test_a_child_that_is_added_survives_the_death_of_its_worker(mortal_stack, talker, fault):
    room = talker.add_child(talker.entries["rooms"], "room")["data"]["key"]
    wait_for_jobs(mortal_stack)
    with ContentClient(mortal_stack.gateways[0].url) as reader:
        reader.login(mortal_stack.credential("ben"))
        assert reader.get_children(room, "asc", subscribe=True)["data"]["total"] == 0
        agent = die_at(mortal_stack, fault)
        request = talker.send_request("add_child", key=room, obj={"key": {"type": "msg"}, "text": "x"})
        agent.expect_death()
        agent.start()
        assert talker.answer_to(request)["data"]["key"]["id"] == [room["id"], 1]
        reader.expect_changed(room, children=True)
        wait_for_jobs(mortal_stack)
        page = reader.get_children(room, "asc")["data"]
        assert [child["text"] for child in page["page"]] == ["x"]


def test_a_login_survives_the_death_of_its_worker(mortal_stack, writer):
    agent = die_at(mortal_stack, "after-entry-points")
    with ContentClient(mortal_stack.gateways[0].url) as client:
        request = client.send_request("login", **login_data(mortal_stack.credential("emil")))
        agent.expect_death()
        agent.start()
        entries = client.answer_to(request)["data"]
        again = ContentClient(mortal_stack.gateways[0].url)
        assert again.login(mortal_stack.credential("emil"))["notes"] == entries["notes"]
        again.close()
    wait_for_jobs(mortal_stack)


def test_a_second_death_in_the_same_job_changes_nothing(mortal_stack, writer, new_id):
    task = new_id("task")
    writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "old"})
    wait_for_jobs(mortal_stack)
    with watchers_of(mortal_stack, WATCHERS, f"{TASK}:{task}") as watchers:
        agent = die_at(mortal_stack, "after-marks:2")
        message = writer.send_request("putObject", theObject={"cn": TASK, "ID": task, "title": "x"})
        agent.expect_death()
        agent.launch(fault="after-push:2")  # dies again, while it continues
        agent.expect_death()
        agent.start()
        assert writer.response_to(message)["result"] is True
        wait_for_jobs(mortal_stack)
        assert_all_told(mortal_stack, watchers, f"{TASK}:{task}", "u", 2)


def test_a_newer_put_while_the_job_waits_for_its_next_worker_is_told_in_its_place(
        mortal_stack, writer, new_id):
    task = new_id("task")
    writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "old"})
    wait_for_jobs(mortal_stack)
    with watchers_of(mortal_stack, WATCHERS, f"{TASK}:{task}") as watchers:
        agent = die_at(mortal_stack, "after-marks:2")
        writer.send_request("putObject", theObject={"cn": TASK, "ID": task, "title": "newer"})
        agent.expect_death()
        newest = writer.send_request("putObject", theObject={"cn": TASK, "ID": task, "done": True})
        agent.start()
        writer.response_to(newest)
        wait_for_jobs(mortal_stack)
        for bodies in watchers.expect_all().values():
            assert bodies[-1]["objectList"][0]["done"] is True
            assert bodies[-1]["objectList"][0]["title"] == "newer"
        redis = mortal_stack.redis()
        # The writer may be told as well: its first put may be answered behind the second.
        told = [sid for sid, _ in pending_marks(redis) if sid in watchers.sids]
        assert len(told) == WATCHERS
        assert_books_balance(redis)


def test_a_logout_survives_the_death_of_its_worker(mortal_stack, connect, new_id):
    """There is no fault point between the script and the job, so the job is left by hand."""
    client = connect(mortal_stack.gateways[0], "ben")
    for _ in range(3):
        client.request("createObject", theObject={"cn": TASK, "ID": new_id()})
    redis = mortal_stack.redis()
    sid = redis.get(f"c:{client.client_id}")
    redis.hset("{j:left}", mapping={"type": "end", "session": sid})
    redis.zadd("jobs", {"left": 1})
    wait_for_jobs(mortal_stack)
    assert not redis.keys(f"{{s:{sid}}}:[wmd]")
