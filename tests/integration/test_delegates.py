"""Workers that act in the caller's name (deploy/example/processes.md)."""

import pytest
from asking import create, find, put
from processes import assert_result, run
from servers import wait_until
from shapes import assert_error
from store import object_key, session_key, session_of
from workers import Worker

TASK, PERSON = "com.app.mo.Task", "com.app.mo.Person"


@pytest.fixture
def stack(process_stack):
    return process_stack


@pytest.fixture
def ada(stack, connect):
    return connect(stack.gateways[0], "ada")


def acting(stack, serve):
    """A worker that replies with what `serve(call)` returns."""
    return Worker(stack, "acting", lambda call: call.reply(serve(call)))


def read(call, class_name, object_id):
    return call.ask("findById", theClassName=class_name, theClassId=object_id)["result"]


def test_it_reads_what_the_caller_may_read_and_makes_nobody_watch(stack, ada, connect, new_id):
    ben, task = connect(stack.gateways[1], "ben"), new_id("task")
    create(ben, TASK, task, title="one")

    def serve(call):
        call.ask("getAllByName", theClassName=TASK)
        return read(call, TASK, task)["title"]

    with acting(stack, serve) as worker:
        assert_result(run(ada, "acting"), "one")
        redis = stack.redis()
        sid = session_of(redis, worker.calls[0].headers["client"])
        mine = session_of(redis, ada.client_id)
        watching = redis.zrange(object_key(f"{TASK}:{task}", ":w"), 0, -1)
        assert watching == [session_of(redis, ben.client_id)]
        assert redis.zscore("{k:" + TASK + "}:w", sid) is None
        assert not redis.exists(session_key(sid, ":m"), session_key(sid, ":w"), session_key(sid, ":k"))
        assert sid != mine
        assert worker.calls[0].headers["client"] != ada.client_id
    put(ben, TASK, task, title="two")
    ada.expect_nothing(lambda f: "objectList" in f, 0.1)


def test_what_it_writes_is_told_to_the_caller(stack, ada, new_id):
    task = new_id("task")
    create(ada, TASK, task, title="one")

    def serve(call):
        answer = call.ask("putObject", messageId=call.properties.message_id,
                          theObject={"cn": TASK, "ID": task, "title": "two"})
        return answer["result"]

    with acting(stack, serve):
        assert_result(run(ada, "acting"), True)
        ada.expect_update(task, title="two")
    redis = stack.redis()
    assert redis.hget(object_key(f"{TASK}:{task}"), "@v") == "2"


def test_a_write_is_done_once_however_often_the_call_comes(stack, ada, new_id):
    task = new_id("task")
    create(ada, TASK, task, title="one")

    def serve(call):
        call.ask("putObject", messageId=call.properties.message_id,
                 theObject={"cn": TASK, "ID": task, "title": "two"})
        if not call.redelivered:
            call.die()
        call.reply("done")

    with Worker(stack, "acting", serve):
        assert_result(run(ada, "acting"), "done")
    assert stack.redis().hget(object_key(f"{TASK}:{task}"), "@v") == "2"


def test_it_may_do_no_more_than_the_caller(stack, ada, connect):
    ben = connect(stack.gateways[1], "ben")

    def person_of(client):
        people = client.request("getAllByName", theClassName=PERSON)["result"]
        return next(p for p in people if p["userId"] == client.user_id)

    people = [person_of(ada), person_of(ben)]

    def serve(call):
        return [call.ask("putObject", theObject={"cn": PERSON, "ID": p["ID"], "status": "busy"})["result"]
                for p in people]

    with acting(stack, serve):
        assert_result(run(ada, "acting"), [True, False])
        assert_result(run(ben, "acting"), [False, True])


def test_it_acts_no_longer_than_the_call(stack, ada, new_id):
    answers, task = [], new_id("task")

    def serve(call):
        call.reply(call.headers["client"])
        redis = stack.redis()
        wait_until(lambda: redis.hexists("{p:" + call.properties.correlation_id + "}", "by"), 20,
                   "the call has ended")
        answers.append(call.ask("createObject", theObject={"cn": TASK, "ID": task}))

    with Worker(stack, "acting", serve) as worker:
        delegate = run(ada, "acting")["result"]
        wait_until(lambda: answers or worker.problem, 20, "the worker has tried")
    assert_error(answers[0], "-100")
    redis = stack.redis()
    assert find(ada, TASK, task) is None
    sid = session_of(redis, delegate)
    wait_until(lambda: redis.zscore("sessions", sid) is None, 20, "the session of the worker is gone")
    assert redis.zscore("idle", sid) is None
    assert sid not in redis.smembers("{u:" + ada.user_id + "}:s")


def test_it_may_run_processes_in_the_callers_name(stack, ada):
    def serve(call):
        return call.ask("runProcess", messageId="inner", queryName="open", queryArguments=1)["result"]

    with acting(stack, serve), Worker(stack, "open", lambda call: call.reply([call.headers["user"]])):
        assert_result(run(ada, "acting"), [ada.user_id])


def test_a_logout_ends_what_acts_for_the_caller(stack, ada, new_id):
    answers, task = [], new_id("task")

    def serve(call):
        redis = stack.redis()
        sid = session_of(redis, call.headers["client"])
        ada.send_request("logout", pleaseDestroyClient=True)
        wait_until(lambda: redis.hexists(session_key(sid), "ended"), 20, "the worker's session has ended")
        answers.append(call.ask("createObject", theObject={"cn": TASK, "ID": task}))

    with Worker(stack, "acting", serve) as worker:
        ada.send_request("runProcess", queryName="acting")
        wait_until(lambda: answers or worker.problem, 30, "the worker has tried")
    assert_error(answers[0], "-100")


def test_who_acts_for_nobody_gets_no_client(stack, ada):
    with Worker(stack, "open", lambda call: call.reply("client" in call.headers)):
        assert_result(run(ada, "open"), False)
