"""Calls of processes in tests: what conftest's `process_stack` declares, and how calls are asked for.

    with Worker(process_stack, "open", echo):
        assert_result(run(client, "open", 1), 1)
"""

from client import SYNC
from servers import wait_until
from shapes import assert_error, assert_sync_shape
from store import session_key, session_of

NAMES = [f"p{i}" for i in range(40)]  # each test has its own, so that no test gets another's call
DEADLINE_MS = 60_000  # of calls that are to be answered
PROCESSES = {
    "processes": {
        **{name: {"run": "signedIn", "deadlineMs": DEADLINE_MS} for name in NAMES},
        "open": {"run": "everyone", "deadlineMs": DEADLINE_MS},
        "closed": {"run": "nobody", "deadlineMs": DEADLINE_MS},
        "brief": {"run": "signedIn", "deadlineMs": 2000},
        "later": {"run": "signedIn", "deadlineMs": 6000},
        "instant": {"run": "signedIn", "deadlineMs": 1},
        "acting": {"run": "signedIn", "deadlineMs": DEADLINE_MS, "actsForCaller": True},
    },
    "serviceGroups": {"reports": {"run": "signedIn"}, "secret": {"run": "nobody"}},
}
MIB = 1 << 20
SETTINGS = {"process.max_calls": 3, "process.results_kept": 3, "process.result_bytes_kept": 1000,
            "process.presence_ms": 0, "sync.max_answer_bytes": MIB, "sync.reply_repeat_ms": 200}


def ask(client, name, arguments=None, **members):
    return client.send_request("runProcess", queryName=name, queryArguments=arguments, **members)


def run(client, name, arguments=None, **members):
    return client.response_to(ask(client, name, arguments, **members))


def echo(call):
    call.reply(call.arguments)


def assert_result(response, result):
    assert_sync_shape(response, "RunProcessResponse", response["clientId"],
                      response["correspondingMessageId"])
    assert response["result"] == result


def assert_failed(response, name, reason):
    assert_error(response, "-101", reason)
    assert response["errorDesc"].startswith(f"Unable to run process {name}:\n")


def is_result(frame):
    return frame.get("cn") == SYNC + "RunProcessResponse"


def calls_under_way(stack, client):
    redis = stack.redis()
    return redis.smembers(session_key(session_of(redis, client.client_id), ":pu"))


def wait_dropped(stack, call, why):
    """An agent has dropped an answer to the call."""
    line = f"process.answer_dropped call={call} why={why}"
    wait_until(lambda: any(line in agent.log_text() for agent in stack.sync_agents), 10, line)
