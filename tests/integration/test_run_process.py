"""runProcess (spec 3.8): from the client's request to its answer by a worker. The contract is in
deploy/example/processes.md; what becomes of calls otherwise in test_process_ends.py."""

import json
import threading
import time

import pytest
from client import SYNC
from processes import (
    DEADLINE_MS, MIB, ask, assert_failed, assert_result, calls_under_way, echo, is_result, run, wait_dropped)
from servers import wait_until
from shapes import assert_error, assert_sync_shape
from workers import Worker


@pytest.fixture
def stack(process_stack):
    return process_stack


@pytest.fixture
def client(stack, connect):
    return connect(stack.gateways[0], "ada")


# ---- The straight way

@pytest.mark.parametrize("value", [
    None, True, 0, -1.5, "text \u0000 \U0001f600", [], {}, [1, [2, {"a": None}]],
    {"big": 2**53 + 1, "cn": "com.app.mo.Task"}])
def test_any_json_goes_there_and_back(stack, client, value):
    with Worker(stack, "open", echo):
        assert_result(run(client, "open", value), value)


def test_a_worker_gets_what_the_contract_says(stack, client, process):
    before = time.time()
    with Worker(stack, process, lambda call: call.reply("done")) as worker:
        assert_result(client.request("runProcess", queryName=process), "done")
    call = worker.calls[0]
    p = call.properties
    assert (call.body, p.content_type, p.type, p.delivery_mode) == (b"null", "application/json", process, 2)
    assert (p.reply_to, call.redelivered) == ("processReplied", False)
    assert p.correlation_id and p.message_id and p.app_id.startswith("sync-agent@")
    assert before - 2 < p.timestamp < time.time() + 2
    assert 0 < int(p.expiration) <= DEADLINE_MS
    assert call.headers["user"] == client.user_id and "client" not in call.headers
    assert call.headers["accepted"] / 1000 > before - 2
    assert 0 < call.headers["deadline"] / 1000 - before < DEADLINE_MS / 1000 + 30


def test_the_alias_and_the_event_run_it_too(stack, client, process):
    with Worker(stack, process, echo):
        assert_result(client.request("runServerProcess", event=True, cn=SYNC + "RunProcessRequest",
                                     queryName=process, queryArguments=1), 1)
        assert_result(client.request("runServerProcess", queryName=process, queryArguments=2), 2)
        assert_result(client.request("runProcess", event=True, queryName=process, queryArguments=3), 3)


def test_calls_of_several_workers_and_clients_do_not_mix(stack, connect, process):
    clients = [connect(stack.gateways[i % 2], user) for i, user in enumerate(("ada", "ben", "cleo"))]
    with Worker(stack, process, echo), Worker(stack, process, echo, prefetch=5):
        messages = [(c, i, ask(c, process, [c.client_id, i])) for i in range(3) for c in clients]
        for c, i, message in messages:
            assert_result(c.response_to(message), [c.client_id, i])


# ---- What is refused

@pytest.mark.parametrize("unknown", [
    "nobody.knows", "P0", "processes", "process.p0", "open:x", ":", "HTTP:weather", "sql_proc:add",
    "open ", "a\nb", "\u0001", "o\u0308", "x" * 255])
def test_what_is_not_declared_does_not_run(client, unknown):
    assert_failed(run(client, unknown), unknown, "no such process")


@pytest.mark.parametrize("members, code, words", [
    ({"queryName": None}, "-113", "queryName"),
    ({"queryName": ""}, "-113", "queryName"),
    ({"queryName": 7}, "-115", "queryName"),
    ({"queryName": ["open"]}, "-115", "queryName"),
    ({"queryName": {"name": "open"}}, "-115", "queryName"),
    ({"queryName": True}, "-115", "queryName"),
    ({"queryName": "open\u0000"}, "-115", "NUL"),
    ({"queryName": "x" * 256}, "-115", "255"),
    ({"shardedProcess": "true"}, "-115", "shardedProcess"),
    ({"shardedProcess": 1}, "-115", "shardedProcess"),
    ({"shardedProcess": {}}, "-115", "shardedProcess"),
    ({"serviceGroupId": 1}, "-115", "serviceGroupId"),
    ({"serviceGroupId": []}, "-115", "serviceGroupId"),
    ({"processId": 1}, "-115", "processId"),
    ({"processId": "x" * 256}, "-115", "processId"),
    ({"progress": "yes"}, "-115", "progress"),
    ({"shardedProcess": True}, "-101", "no such service group"),
    ({"shardedProcess": True, "serviceGroupId": "open"}, "-101", "no such service group"),
    ({"shardedProcess": True, "serviceGroupId": "putObject"}, "-101", "no such service group"),
    ({"shardedProcess": True, "serviceGroupId": "secret"}, "-117", "may not"),
])
def test_members_of_the_wrong_kind_are_told(client, members, code, words):
    assert_error(client.request("runProcess", **{"queryName": "open", **members}), code, words)


@pytest.mark.parametrize("member", ["shardedProcess", "progress", "queryName"])
def test_null_is_no_flag_and_no_name(client, member):
    client.send({"cn": SYNC + "RunProcessRequest", "messageId": member, "queryName": "open", member: None})
    assert_error(client.response_to(member), "-113" if member == "queryName" else "-115", member)


def test_who_may_not_run_it_hears_so(stack, client):
    with Worker(stack, "closed", echo) as worker:
        assert_error(run(client, "closed"), "-117", "Unable to run process closed", "may not")
    assert worker.calls == []


def test_nobody_serves_it(stack, client, process):
    assert_failed(run(client, process), process, "no worker serves it now")
    with Worker(stack, process, echo):
        wait_until(lambda: run(client, process, 1).get("result") == 1, 10, "the worker is seen")


def test_a_repeated_request_may_run_when_a_worker_has_come(stack, client, process):
    assert_failed(run(client, process, messageId="again-" + process), process, "no worker")
    with Worker(stack, process, echo):
        wait_until(lambda: run(client, process, messageId="again-" + process).get("cn", "").endswith(
            "RunProcessResponse"), 10, "the worker is seen")


def test_a_full_queue_takes_no_more(stack, client, process):
    """A quorum queue finds out a little late that it is full, so it gets more than it may have."""
    management = stack.servers.rabbitmq.management
    policy = f"/api/policies/{stack.vhost}/full"
    management("PUT", policy, {
        "pattern": f"^process\\.{process}$", "apply-to": "queues", "priority": 9,
        "definition": {"max-length": 1, "overflow": "reject-publish"}})
    go_on = threading.Event()
    try:
        wait_until(lambda: _has_policy(stack, process), 10, "the policy is in force")
        with Worker(stack, process, lambda call: go_on.wait(60)) as worker, stack.amqp() as connection:
            channel = connection.channel()
            for _ in range(20):
                channel.basic_publish("", "process." + process, b"null")
            worker.wait_calls(1)
            assert_error(run(client, process, messageId="full"), "-118", f"Unable to run process {process}")
            assert_error(run(client, process, messageId="full"), "-118")  # the same again
            go_on.set()
        assert calls_under_way(stack, client) == set()
    finally:
        go_on.set()
        management("DELETE", policy)


def _has_policy(stack, process):
    queue = stack.servers.rabbitmq.management("GET", f"/api/queues/{stack.vhost}/process.{process}")
    return queue.get("policy") == "full"


def test_a_session_has_so_many_calls_under_way_and_no_more(stack, client, process):
    go_on = threading.Event()
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))):
        messages = [ask(client, process, i) for i in range(3)]
        wait_until(lambda: len(calls_under_way(stack, client)) == 3, 10, "three calls are under way")
        assert_error(run(client, process), "-118", "too many of your calls")
        go_on.set()
        for i, message in enumerate(messages):
            assert_result(client.response_to(message), i)
        assert_result(run(client, process, 4), 4)
        assert calls_under_way(stack, client) == set()


# ---- What workers answer

@pytest.mark.parametrize("answer, reason", [
    (b"", "not JSON at byte 0"),
    (b"{", "not JSON at byte 1"),
    (b"NaN", "not JSON"),
    (b"{}{}", "not JSON at byte 2"),
    (b"\"\xff\"", "not JSON"),
    (b"[" * 257 + b"]" * 257, "not JSON"),
    (b"\"" + b"x" * (MIB - 1) + b"\"", f"more than {MIB} bytes"),
    (b"\"" + b"x" * (17 * MIB) + b"\"", "too large"),
], ids=["empty", "cut", "nan", "two", "utf8", "deep", "large", "oversized"])
def test_rubbish_fails_the_call(stack, client, process, answer, reason):
    with Worker(stack, process, lambda call: call.raw(answer)):
        assert_failed(run(client, process), process, reason)


def test_a_hundred_megabytes_fail_the_call(stack, client, process):
    with Worker(stack, process, lambda call: call.raw(b"\"" + bytes(100 * MIB).replace(b"\0", b"x") + b"\"")):
        assert_failed(run(client, process), process, "too large")
        assert stack.sync_agents[0].process.poll() is None


def test_the_largest_answer_is_passed_on(stack, client, process):
    text = "x" * (MIB - 2)
    with Worker(stack, process, lambda call: call.reply(text)):
        assert_result(run(client, process), text)


def test_an_error_is_as_large_as_an_answer_and_no_larger(stack, client, process):
    with Worker(stack, process, lambda call: call.error("x" * call.arguments)):
        assert_failed(run(client, process, MIB - 2), process, "x" * (MIB - 2))
        assert_failed(run(client, process, MIB - 1), process, f"more than {MIB} bytes")


def test_the_name_of_an_error_is_no_story(stack, client, process):
    with Worker(stack, process, lambda call: call.error({"message": "no", "name": "n" * call.arguments})):
        assert run(client, process, 255)["errorName"] == "n" * 255
        assert run(client, process, 256)["errorName"] == "Error Running Process"


def test_an_unknown_type_fails_the_call(stack, client, process):
    with Worker(stack, process, lambda call: call.raw(b"1", "result")):
        assert_failed(run(client, process), process, "unknown type")


@pytest.mark.parametrize("error, code, error_name, desc", [
    ("it rains", "-101", "Error Running Process", "Unable to run process {}:\nit rains"),
    ({"message": "it rains"}, "-101", "Error Running Process", "Unable to run process {}:\nit rains"),
    ({"message": "no", "code": "-1000"}, "-1000", "Error Running Process", "no"),
    ({"message": "no", "code": -7, "name": "weather"}, "-7", "weather", "no"),
    ({"message": "no", "name": "weather"}, "-101", "weather", "no"),
    ({"message": "no", "code": "rm -rf"}, "-101", "Error Running Process", "Unable to run process {}:\nno"),
    ({"message": "no", "code": "-" + "1" * 20}, "-101", "Error Running Process",
     "Unable to run process {}:\nno"),
    ({"message": 'quote " \n', "code": "12"}, "12", "Error Running Process", 'quote " \n'),
    ({"message": 7}, "-101", "Error Running Process",
     "Unable to run process {}:\nits worker has failed, and does not say why"),
    (None, "-101", "Error Running Process",
     "Unable to run process {}:\nits worker has failed, and does not say why"),
    ([], "-101", "Error Running Process",
     "Unable to run process {}:\nits worker has failed, and does not say why"),
])
def test_an_error_of_a_worker_is_told(stack, client, error, code, error_name, desc):
    with Worker(stack, "open", lambda call: call.error(error)):
        response = run(client, "open")
    assert_sync_shape(response, "SyncErrorResponse", client.client_id, response["correspondingMessageId"])
    assert (response["errorCode"], response["errorName"]) == (code, error_name)
    assert response["errorDesc"] == desc.format("open")


def test_the_first_answer_counts(stack, client, process):
    def serve(call):
        call.reply("first")
        call.reply("second")
        call.reply("first")
        call.error("third")

    with Worker(stack, process, serve) as worker:
        message = ask(client, process)
        assert_result(client.response_to(message), "first")
        wait_dropped(stack, worker.calls[0].properties.correlation_id, "late")
        assert_result(run(client, process, messageId=message), "first")
        client.expect_nothing(lambda f: f.get("correspondingMessageId") == message, 0.05)


def test_answers_to_unknown_calls_are_dropped(stack, client, process):
    def serve(call):
        call.raw(b"1", correlation_id="unknown-" + process)
        call.raw(b"1", correlation_id=None)
        call.raw(b"not json", correlation_id="x" * 255)
        call.raw(b"1", "progress", correlation_id="unknown")
        call.raw(b"1", "progress", correlation_id=None)
        echo(call)

    with Worker(stack, process, serve):
        assert_result(run(client, process, 1), 1)
        wait_dropped(stack, "unknown-" + process, "unknown")


def test_so_many_ask_for_one_call_and_no_more(stack, client, process):
    """Whoever is not answered with the others hears so at once."""
    go_on = threading.Event()
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, process, 5)
        worker.wait_calls(1)
        for _ in range(8):
            ask(client, process, 5, messageId=message)
        refused = client.response_to(message)
        assert_error(refused, "-118")
        go_on.set()
        for _ in range(8):
            assert_result(client.expect(is_result, "the result"), 5)


# ---- Progress

def is_progress(frame):
    return frame.get("cn") == SYNC + "RunProcessProgress"


def test_progress_is_told_to_who_asks_for_it(stack, client, process):
    go_on = threading.Event()

    def serve(call):
        call.progress("x" * (MIB - 1))  # more than an answer may have
        call.progress({"done": 0.5})
        call.raw(b"rubbish", "progress")
        go_on.wait(60)
        call.reply("all")
        call.progress("late")

    with Worker(stack, process, serve):
        message = ask(client, process, progress=True)
        frame = client.expect(is_progress, "progress")
        assert_sync_shape(frame, "RunProcessProgress", client.client_id, message)
        assert frame["progress"] == {"done": 0.5}
        go_on.set()
        assert_result(client.expect(is_result, "the result"), "all")
        assert_result(run(client, process, progress=False), "all")
        client.expect_nothing(is_progress, 0.05)


# ---- Once

def test_a_repeated_request_gets_its_result_and_runs_nothing(stack, client, process):
    with Worker(stack, process, echo) as worker:
        message = ask(client, process, "one")
        for _ in range(2):
            assert_result(client.response_to(message), "one")
            ask(client, process, "one", messageId=message)
        assert_result(client.response_to(message), "one")
        assert len(worker.calls) == 1
        assert_result(run(client, process, "another", messageId=message), "another")
        assert len(worker.calls) == 2
        assert worker.calls[0].properties.message_id != worker.calls[1].properties.message_id


def test_whoever_asks_while_it_is_under_way_is_answered_too(stack, client, process):
    go_on = threading.Event()
    with Worker(stack, process, lambda call: (go_on.wait(60), echo(call))) as worker:
        message = ask(client, process, 1)
        worker.wait_calls(1)
        ask(client, process, 1, messageId=message)
        redis = stack.redis()
        (call,) = calls_under_way(stack, client)
        wait_until(lambda: redis.llen(f"{{p:{call}}}:a") == 2, 10, "two ask for the same")
        go_on.set()
        for _ in range(2):
            assert_result(client.response_to(message), 1)
    assert len(worker.calls) == 1


def test_so_many_results_are_kept(stack, client, process):
    with Worker(stack, process, echo) as worker:
        messages = []
        for i in range(3):
            messages.append(ask(client, process, i))
            assert_result(client.response_to(messages[i]), i)
        assert_result(run(client, process, 0, messageId=messages[0]), 0)
        assert len(worker.calls) == 3
        assert_result(run(client, process, 3), 3)
        assert_result(run(client, process, 2, messageId=messages[2]), 2)
        assert len(worker.calls) == 4
        assert_result(run(client, process, 0, messageId=messages[0]), 0)
        assert len(worker.calls) == 5


def test_so_many_bytes_of_results_are_kept(stack, client, process):
    with Worker(stack, process, echo) as worker:
        first = ask(client, process, "x" * 500)
        client.response_to(first)
        second = ask(client, process, "y" * 494)  # 502 + 496 bytes: less than 1000
        client.response_to(second)
        client.response_to(ask(client, process, "x" * 500, messageId=first))
        assert len(worker.calls) == 2
        largest = ask(client, process, "z" * 998)
        client.response_to(largest)
        assert_result(run(client, process, "z" * 998, messageId=largest), "z" * 998)
        assert len(worker.calls) == 3
        client.response_to(ask(client, process, "y" * 494, messageId=second))
        assert len(worker.calls) == 4  # it had gone for the largest
        beyond = ask(client, process, "z" * 999)
        assert_result(client.response_to(beyond), "z" * 999)
        assert_failed(run(client, process, "z" * 999, messageId=beyond), process, "too large to be kept")
        assert len(worker.calls) == 5


def test_a_result_that_may_have_to_be_said_again_is_kept_beyond_the_bound(stack, connect, process):
    client = connect(stack.gateways[0])
    client.close()
    client.open(stack.gateways[0].url)
    client.connect(ensureMessageDelivery=True)
    client.login("file", stack.credential("ada"))
    with Worker(stack, process, echo) as worker:
        for i in range(5):
            assert_result(run(client, process, i, messageId=f"kept-{i}"), i)
        assert_result(run(client, process, 0, messageId="kept-0"), 0)
        assert len(worker.calls) == 5


# ---- Sharded

class Group:
    """Takes what a service group is sent."""

    def __init__(self, stack, group):
        self.connection = stack.amqp()
        self.channel, self.queue = self.connection.channel(), "process." + group

    def take(self):
        for method, properties, body in self.channel.consume(self.queue, inactivity_timeout=60):
            assert method, "nothing came"
            self.channel.basic_ack(method.delivery_tag)
            return properties, json.loads(body)

    def close(self):
        self.connection.close()


def test_a_sharded_call_goes_to_its_group(stack, client):
    response = client.request("runProcess", shardedProcess=True, serviceGroupId="reports",
                              processId="p-7", queryArguments=[1, {"a": 2}], queryName="whatever")
    assert_result(response, None)
    group = Group(stack, "reports")
    properties, body = group.take()
    fresh = body.pop("clientId")
    assert body == {"cn": SYNC + "RunShardedProcess", "originatingClientId": client.client_id,
                    "serviceGroupId": "reports", "processId": "p-7", "arguments": [1, {"a": 2}]}
    assert fresh and fresh != client.client_id
    assert properties.type == "reports" and properties.reply_to is None and properties.expiration is None

    again = client.request("runProcess", shardedProcess=True, serviceGroupId="reports",
                           messageId="sharded")
    assert_result(again, None)
    assert_result(client.request("runProcess", shardedProcess=True, serviceGroupId="reports",
                                 messageId="sharded"), None)
    assert_result(client.request("runProcess", shardedProcess=True, serviceGroupId="reports",
                                 queryArguments="last"), None)
    assert group.take()[1]["arguments"] is None
    assert group.take()[1]["arguments"] == "last"
    group.close()
