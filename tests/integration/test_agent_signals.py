"""Agents read files again at SIGHUP, and end at SIGTERM when they have finished what they have begun."""

import json
import os
import signal
import uuid

import pytest
from asking import count_all
from auth_asking import Asker
from client import Client
from servers import wait_until
from stack import PROVIDER, Stack, user_row

REQUESTS = 3000
WRITES = 200
TASK = "com.app.mo.Task"


@pytest.fixture(scope="module")
def stack(servers):
    with Stack(servers, gateways=1) as stack:
        yield stack


@pytest.fixture
def auth(stack):
    with Asker(stack) as asker:
        yield asker
    stack.check()


@pytest.fixture
def files(stack):
    """(users file, configuration), which are as they were when the test is over."""
    found = (stack.folder / "users.json", stack.config)
    texts = [file.read_text() for file in found]
    yield found
    for file, text in zip(found, texts):
        file.write_text(text)
    for process in stack.processes:
        hang_up(process)


def count(process, event):
    return process.log_text().count(f" {event}")


def hang_up(process, event="process.reloaded"):
    before = count(process, event)
    os.kill(process.pid, signal.SIGHUP)
    wait_until(lambda: count(process, event) > before, 15, f"{process.name} logs {event}")


def receive_all(asker, number):
    """(correlation id, body) of so many replies, in whichever order they come."""
    answers = []
    for _, properties, body in asker.channel.consume(asker.queue, auto_ack=True,
                                                     inactivity_timeout=20):
        assert properties is not None, f"{len(answers)} of {number} replies within 20 s"
        answers.append((properties.correlation_id, body))
        if len(answers) == number:
            return answers


def log_in(auth, name):
    return auth.authenticate(f"{name}@example.org:correct horse", str(uuid.uuid4()))["result"]


def add_user(file, name):
    file.write_text(json.dumps([*json.loads(file.read_text()),
                                user_row(f"{name}@example.org", name.title(), "Example")]))


def test_who_is_new_in_the_users_file_may_log_in_after_sighup(stack, auth, files):
    add_user(files[0], "fred")
    assert not log_in(auth, "fred"), "nobody has told the agent"
    hang_up(stack.auth_agents[0])
    assert log_in(auth, "fred") and log_in(auth, "ada")


def test_who_is_gone_from_the_users_file_may_not(stack, auth, files):
    rows = json.loads(files[0].read_text())
    files[0].write_text(json.dumps([row for row in rows if not row["email"].startswith("ben@")]))
    assert log_in(auth, "ben")
    hang_up(stack.auth_agents[0])
    assert not log_in(auth, "ben")


def test_a_mistake_in_the_users_file_is_told_and_everything_stays(stack, auth, files):
    agent = stack.auth_agents[0]
    add_user(files[0], "gina")
    rows = json.loads(files[0].read_text())
    files[0].write_text(json.dumps([*rows, {**rows[0], "email": "no:mail"}]))
    files[1].write_text(files[1].read_text().replace("log.level = debug", "log.level = info"))
    hang_up(agent, "process.not_reloaded")
    assert "email: expected a text without colon" in agent.tail()
    before = count(agent, "auth.refused")
    assert log_in(auth, "ada")
    assert not log_in(auth, "gina"), "the good half of the file does not count"
    assert count(agent, "auth.refused") > before, "neither does the level, which was right"


def test_logins_go_on_while_the_file_is_read_again_and_again(stack, auth, files):
    numbers = []
    for _ in range(20):
        numbers += [auth.send("authenticate", {"credential": stack.credential("ada"),
                                               "authProvider": "file"},
                              client=str(uuid.uuid4()), device="") for _ in range(2)]
        os.kill(stack.auth_agents[0].pid, signal.SIGHUP)
    answers = receive_all(auth, len(numbers))
    assert sorted(number for number, _ in answers) == sorted(numbers)
    assert all(json.loads(body)["result"] for _, body in answers)


@pytest.mark.parametrize("kind", ["gateways", "sync_agents", "auth_agents"])
def test_the_level_of_the_log_is_read_again(stack, files, kind):
    process, text = getattr(stack, kind)[0], files[1].read_text()
    files[1].write_text(text + "no.such_setting = 1\n")
    hang_up(process, "process.not_reloaded")
    assert "no.such_setting" in process.tail()
    files[1].write_text(text.replace("log.level = debug", "log.level = error"))
    hang_up(process)
    before = count(process, "process.stopping")
    process.stop()
    assert count(process, "process.stopping") == before, "it is an info"
    files[1].write_text(text)
    process.start()


def waiting(asker, queue):
    return asker.channel.queue_declare(queue, passive=True).method.message_count


def test_an_agent_that_stops_answers_what_it_has_begun_and_gives_back_the_rest(stack, auth):
    agent = stack.auth_agents[0]
    agent.pause()  # so that the signal comes while most of them wait
    numbers = [auth.send("testCall", {}, client="c") for _ in range(REQUESTS)]
    agent.process.send_signal(signal.SIGTERM)
    agent.resume()
    agent.stop()
    # What was answered and given back as well would be there twice.
    wait_until(lambda: waiting(auth, "testCall") + waiting(auth, auth.queue) == REQUESTS, 15,
               "each request is answered, or waits")
    agent.start()
    wait_until(lambda: waiting(auth, auth.queue) == REQUESTS, 15, "the rest is answered")
    assert sorted(number for number, _ in receive_all(auth, REQUESTS)) == sorted(numbers)



def test_writes_are_each_answered_once_though_their_agent_is_replaced(stack):
    agent = stack.sync_agents[0]
    with Client(stack.gateways[0].url) as client:
        client.connect().login(PROVIDER, stack.credential("ada"))
        agent.pause()  # so that the signal comes while most of them wait
        numbers = {client.send_request("createObject", theObject={"cn": TASK, "ID": str(uuid.uuid4())})
                   for _ in range(WRITES)}
        agent.process.send_signal(signal.SIGTERM)
        agent.resume()
        agent.stop()
        agent.start()
        answers = [client.expect(lambda f: f.get("correspondingMessageId") in numbers, "an answer")
                   for _ in range(WRITES)]
        assert {answer["correspondingMessageId"] for answer in answers} == numbers
        assert all(answer.get("result") for answer in answers)
        assert count_all(client, TASK) == [{TASK: WRITES}]
    stack.check()
