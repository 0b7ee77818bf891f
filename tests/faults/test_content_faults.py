"""A sync agent dies between any two steps of telling a subscriber of the content protocol.

It is told all the same, and when it has answered the books are closed.
"""

import pytest
from asking import create
from content_client import key
from servers import wait_until
from stack import Stack
from store import assert_books_balance, pending_marks, session_key

TASK = "com.app.mo.Task"
SETTINGS = {"sync.job_lease_ms": 400, "sync.poll_ms": 20, "sync.redelivery_first_ms": 500,
            "sync.presence_grace_ms": 3_600_000}


@pytest.fixture(scope="module")
def mortal_stack(servers):
    with Stack(servers, gateways=1, sync_agents=1, settings=SETTINGS) as stack:
        yield stack


def is_quiet(stack):
    """No job is left, which is looked at first, since a job makes marks; and no mark of a subscriber. The
    writer may be told, too: whoever continues its write does not know what it has heard."""
    redis = stack.redis()
    return redis.zcard("jobs") == 0 and not any(
        redis.hget(session_key(sid), "dialect") == "content" for sid, _ in pending_marks(redis))


@pytest.mark.parametrize("fault", ["after-marks", "before-block", "after-block"])
@pytest.mark.parametrize("what", ["a change", "a return"])
def test_a_subscriber_is_told_whoever_dies(mortal_stack, connect, connect_content, new_id, fault,
                                           what):
    stack, task = mortal_stack, new_id("task")
    gateway, agent, of = stack.gateways[0], stack.sync_agents[0], key("task", task)
    writer, reader = connect(gateway, "ada"), connect_content(gateway, "ben")
    create(writer, TASK, task, title="one")
    reader.get_content(of, subscribe=True)
    wait_until(lambda: is_quiet(stack), 30, "nothing is left of before")
    if what == "a return":
        reader.close()
    agent.stop()
    agent.start(fault=fault)
    message = writer.send_request("putObject", theObject={"cn": TASK, "ID": task, "title": "two"})
    if what == "a return":
        session, reader = reader.session, connect_content(gateway)
        returning = reader.send_request("reconnect", session=session)
    agent.expect_death()
    agent.start()
    writer.response_to(message)
    if what == "a return":
        assert reader.answer_to(returning)["status"] == 200
    reader.expect_changed(of, content=True)
    assert reader.get_content(of)["data"]["content"]["title"] == "two"

    def is_answered():
        reader.drain(0.05)  # it may be told twice
        return is_quiet(stack)

    wait_until(is_answered, 30, "all is answered")
    assert_books_balance(stack.redis())
    stack.check()
