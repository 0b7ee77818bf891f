"""The change feed: once switched on, every committed change goes to the exchange `changes`, too
(deploy/example/feed/README.md). And the consumer that stands beside its description."""

import json
import os
import signal
import subprocess
import sys

import pika
import pytest
from asking import create, find, put, remove
from ctl import Ended
from servers import ROOT, spawn, wait_until
from stack import Stack
from store import now_ms

NOTE, PERSON, TASK = "com.app.mo.Note", "com.app.mo.Person", "com.app.mo.Task"
EXCHANGE = "changes"
SECONDS = 60
LEASE_MS = 500
FEED = ROOT / "deploy/example/feed/search_index.py"


@pytest.fixture(scope="module")
def feeding_stack(servers):
    settings = {"sync.change_feed": "true", "sync.job_lease_ms": LEASE_MS, "sync.poll_ms": 20}
    with Stack(servers, sync_agents=1, settings=settings) as stack:
        yield stack


@pytest.fixture
def client(feeding_stack, connect):
    yield connect(feeding_stack.gateways[0], "ada")
    feeding_stack.check()


class Feed:
    """A queue that is bound to some of the changes, and what has come to it: what comes twice, since an
    agent has done it again, counts once."""

    def __init__(self, stack, *keys, **arguments):
        self.connection = stack.amqp()
        self.channel = self.connection.channel()
        self.had = set()
        self.queue = self.channel.queue_declare(
            "", exclusive=True,
            arguments={f"x-{name.replace('_', '-')}": value for name, value in arguments.items()},
        ).method.queue
        for key in keys:
            self.channel.queue_bind(self.queue, EXCHANGE, key)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def take(self):
        """(routing key, properties, body) of the next one."""
        found = []

        def arrived():
            found[:] = self.channel.basic_get(self.queue, auto_ack=True)
            return found[0] and self._is_new(json.loads(found[2]))

        wait_until(arrived, SECONDS, "a change in the feed")
        return found[0].routing_key, found[1], json.loads(found[2])

    def _is_new(self, body):
        change = body["className"], body["ID"], body["version"]
        is_new = change not in self.had
        self.had.add(change)
        return is_new

    def take_until(self, is_last):
        """The bodies up to the one of which `is_last` is true."""
        bodies = [self.take()[2]]
        while not is_last(bodies[-1]):
            bodies.append(self.take()[2])
        return bodies

    def rest(self):
        """The bodies of all others that are there."""
        bodies = []
        while True:
            method, _, body = self.channel.basic_get(self.queue, auto_ack=True)
            if method is None:
                return bodies
            bodies += [json.loads(body)] if self._is_new(json.loads(body)) else []


@pytest.fixture
def feed(feeding_stack):
    feeds = []

    def make(*keys, **arguments):
        feeds.append(Feed(feeding_stack, *keys, **arguments))
        return feeds[-1]

    yield make
    for each in feeds:
        each.connection.close()


def test_each_change_is_told_with_the_state_that_it_has_led_to(client, feed, new_id):
    task, changes, began = new_id("task"), feed(TASK + ".*"), now_ms()

    def next_change():
        key, properties, body = changes.take()
        assert (properties.delivery_mode, properties.type) == (2, "change")
        assert body.pop("v") == 1 and began - 1000 <= body.pop("time") <= now_ms() + 1000
        assert (body.pop("className"), body.pop("ID")) == (TASK, task)
        assert key == f"{TASK}.{body['kind']}"
        return body

    create(client, TASK, task, title="one", estimate=1.5)
    body = next_change()
    assert (body["version"], body["kind"]) == (1, "created")
    assert body["object"] == find(client, TASK, task)

    put(client, TASK, task, title="two")
    body = next_change()
    assert (body["version"], body["kind"], body["object"]["title"]) == (2, "updated", "two")
    assert body["object"]["estimate"] == 1.5

    remove(client, TASK, task)
    assert next_change() == {"version": 3, "kind": "removed", "object": None}
    assert changes.rest() == []


def test_a_queue_hears_of_what_it_is_bound_to(client, feed, new_id):
    notes, removals, everything = feed(NOTE + ".*"), feed("#.removed"), feed("#")
    for class_name in (TASK, NOTE):
        object_id = new_id()
        create(client, class_name, object_id)
        remove(client, class_name, object_id)
    assert [notes.take()[2]["kind"] for _ in range(2)] == ["created", "removed"]
    assert {removals.take()[2]["className"] for _ in range(2)} == {TASK, NOTE}
    for _ in range(4):
        everything.take()
    assert notes.rest() == removals.rest() == []


def test_what_the_server_makes_is_told_too(feeding_stack, connect, feed):
    people = feed(PERSON + ".#")
    cleo = connect(feeding_stack.gateways[0], "cleo")
    people.take_until(lambda body: body["object"]["userId"] == cleo.user_id and
                      body["object"]["connected"] is True)


@pytest.mark.parametrize("fault", ["after-commit", "after-marks", "after-push"])
def test_a_change_is_told_whenever_its_worker_dies(feeding_stack, client, feed, new_id, fault):
    task, changes, redis = new_id("task"), feed(TASK + ".*"), feeding_stack.redis()
    agent = feeding_stack.sync_agents[0]
    wait_until(lambda: redis.zcard("jobs") == 0, SECONDS, "all jobs are done")
    agent.stop()
    agent.start(fault=fault)
    message = client.send_request("createObject", theObject={"cn": TASK, "ID": task, "title": "x"})
    agent.expect_death()
    agent.start()
    assert client.response_to(message)["result"] is True
    body = changes.take()[2]
    assert (body["ID"], body["version"], body["object"]["title"]) == (task, 1, "x")
    wait_until(lambda: redis.zcard("jobs") == 0, SECONDS, "all jobs are done")


def test_a_mirror_ends_like_the_store_although_the_agent_dies(feeding_stack, client, feed, new_id):
    changes, redis = feed(TASK + ".*"), feeding_stack.redis()
    tasks, messages = [new_id("task") for _ in range(20)], []
    for title in "abc":
        for task in tasks:
            messages.append(client.send_request(
                "createObject" if title == "a" else "putObject",
                theObject={"cn": TASK, "ID": task, "title": title}))
        if title == "b":
            feeding_stack.sync_agents[0].restart()
    for message in messages:
        assert "result" in client.response_to(message)  # false where one has overtaken another
    wait_until(lambda: redis.zcard("jobs") == 0, SECONDS, "all jobs are done")
    mirror = {}
    for body in changes.rest():
        if body["version"] > mirror.get(body["ID"], (0,))[0]:
            mirror[body["ID"]] = (body["version"], body["object"])
    for task in tasks:
        assert mirror[task][1] == find(client, TASK, task)


def test_what_a_full_queue_refuses_is_told_when_it_has_room(client, feed, new_id):
    changes = feed(TASK + ".*", max_length=1, overflow="reject-publish")
    tasks = [new_id("task") for _ in range(3)]
    for task in tasks:
        create(client, TASK, task)
    assert {changes.take()[2]["ID"] for _ in tasks} == set(tasks)


def is_there(connection):
    try:
        connection.channel().exchange_declare(EXCHANGE, passive=True)
    except pika.exceptions.ChannelClosedByBroker as closed:
        assert closed.reply_code == 404
        return False
    return True


def test_an_exchange_that_somebody_has_deleted_is_made_anew(feeding_stack, client, feed, new_id):
    channel = feed().channel
    channel.exchange_delete(EXCHANGE)
    create(client, TASK, new_id("task"))

    with feeding_stack.amqp() as connection:
        wait_until(lambda: is_there(connection), SECONDS, "the exchange is there")
    changes, note = feed(NOTE + ".*"), new_id("note")
    create(client, NOTE, note)
    assert changes.take()[2]["ID"] == note


def test_off_no_exchange_is_made_or_needed(stack, connect, new_id):
    client = connect(stack.gateways[0], "ada")
    create(client, TASK, new_id("task"))
    with stack.amqp() as connection:
        assert not is_there(connection)


# ---- The search index

class SearchIndex:
    """The example consumer; `listener` is its process that listens."""

    def __init__(self, stack, folder):
        self.environment = {**os.environ, "AMQP_URL": stack.amqp_url_of("feed")}
        self.command = [sys.executable, FEED, "--database", folder / "index.db"]
        self.log, self.listener = folder / "listen.log", None

    def run(self, *words):
        return subprocess.run([*self.command, *words], env=self.environment, text=True, check=True,
                              timeout=60, stdout=subprocess.PIPE).stdout

    def listen(self):
        self.listener = spawn([*self.command, "listen"], self.log, env=self.environment)

    def find(self, *words):
        """The ids of what has these words."""
        lines = self.run("find", *words).splitlines()
        return {line.split("\t")[0].split(" ", 1)[1] for line in lines}

    def wait_for(self, words, ids):
        wait_until(lambda: self.find(*words.split()) == set(ids), SECONDS,
                   f"{words} is found in {ids}:\n{self.log.read_text()}")


@pytest.fixture
def index(feeding_stack, tmp_path):
    index = SearchIndex(feeding_stack, tmp_path)
    yield index
    if index.listener and index.listener.poll() is None:
        index.listener.kill()
        index.listener.wait()


def test_the_search_index_follows(feeding_stack, client, index, new_id, tmp_path):
    early, task, note = new_id("early"), new_id("task"), new_id("note")
    create(client, TASK, early, title="Water the cactus")
    index.run("bind")
    (tmp_path / "all.jsonl").write_text("\n".join(Ended(feeding_stack, "export").lines))
    index.run("load", tmp_path / "all.jsonl")
    assert index.find("cactus") == {early}

    index.listen()
    create(client, TASK, task, title="Grüße an \"alle\"", text="cactus and thistle")
    create(client, NOTE, note, title="", body={"lines": ["thistle", 7]})
    index.wait_for("thistle", [task, note])
    index.wait_for("cactus", [early, task])
    index.wait_for('grüße "alle"', [task])

    # Ended at any moment, it goes on where it was.
    index.listener.send_signal(signal.SIGKILL)
    index.listener.wait()
    put(client, TASK, task, text="nothing of that")
    remove(client, NOTE, note)
    assert index.find("thistle") == {task, note}
    index.listen()
    index.wait_for("thistle", [])
    index.wait_for("nothing that", [task])
    index.listener.send_signal(signal.SIGTERM)
    assert index.listener.wait(SECONDS) == 0


def test_the_search_index_believes_nothing_older(feeding_stack, index, feed, new_id):
    task, publisher = new_id("task"), feed().channel
    index.run("bind")
    index.listen()

    def tell(version, title, at):
        publisher.basic_publish(EXCHANGE, f"{TASK}.updated", json.dumps({
            "v": 1, "className": TASK, "ID": task, "version": version, "kind": "updated",
            "object": title and {"cn": TASK, "ID": task, "title": title}, "time": at}))

    tell(2, "second", 200)
    tell(1, "first", 100)
    tell(2, "second again", 200)
    index.wait_for("second", [task])
    tell(3, None, 300)
    tell(2, "late", 200)
    tell(1, "reborn", 400)
    index.wait_for("reborn", [task])
    assert not index.find("first") and not index.find("again") and not index.find("late")
    tell(2, "grown", 500)
    index.wait_for("grown", [task])


@pytest.mark.parametrize("url, what", [(None, "AMQP_URL"), ("off", "changes")])
def test_the_search_index_says_what_it_lacks(stack, tmp_path, url, what):
    environment = {k: v for k, v in os.environ.items() if k != "AMQP_URL"}
    ended = subprocess.run(
        [sys.executable, FEED, "--database", tmp_path / "index.db",
         *(["--amqp", stack.amqp_url_of("feed")] if url else []), "bind"],
        env=environment, text=True, timeout=60, stderr=subprocess.PIPE)
    assert ended.returncode != 0 and what in ended.stderr
