"""A Redis primary with replicas behind Sentinel: the programs follow a failover, and what a client has an
ack or an answer for is on the next primary, too (design section 1, promise 3)."""

from types import SimpleNamespace

import pytest
from asking import create, put
from ctl import Ended
from in_flight import InFlight
from replicated import Replicated
from servers import wait_until
from shapes import assert_error
from stack import Stack
from store import assert_books_balance, stored_object

pytestmark = pytest.mark.long
TASK = "com.app.mo.Task"


@pytest.fixture(scope="module")
def replicated(tmp_path_factory):
    with Replicated(tmp_path_factory.mktemp("replicated"), replicas=1, sentinels=3) as r:
        yield r


@pytest.fixture(scope="module")
def followers(servers, replicated):
    """A stack on it that waits for the replica."""
    own = SimpleNamespace(folder=servers.folder, rabbitmq=servers.rabbitmq, redis=replicated)
    stack = Stack(own, gateways=2, sync_agents=2, settings={
            **replicated.settings, "redis.wait_replicas": 1, "redis.wait_ms": 500,
            "redis.timeout_ms": 2000, "sync.job_lease_ms": 1000, "sync.redelivery_first_ms": 500,
            "gateway.request_timeout_ms": 60_000, "gateway.ping_timeout_ms": 300_000})
    stack.gateways[1].set(request_timeout_ms=4000)
    with stack:
        yield stack


@pytest.fixture
def ada(followers, connect):
    return connect(followers.gateways[0], "ada")


def log_of(stack):
    return "".join(agent.log_text() for agent in stack.sync_agents)


class Writing:
    """Writes while the primary changes; what was promised has to be on the next one."""

    def __init__(self, followers, connect, replicated):
        self.replicated, self.former = replicated, replicated.primary()
        self.writer = InFlight(connect(followers.gateways[0], "ben"))
        self.writer.create(100)
        self.writer.wait_for(lambda: self.writer.answers, 20, "the first answer")

    def go_on(self):
        """Until there is another primary: with a hundred creations under way all the time."""
        def is_over():
            self.writer.read(0.05)
            self.writer.create(100 - len(self.writer.tasks) + len(self.writer.answers))
            return self.replicated.has_failed_over(self.former)

        wait_until(is_over, 30, "another primary serves")

    def end(self):
        writer, found = self.writer, self.replicated.primary().connect()
        writer.wait_for_answers()
        assert [f for frames in writer.answers.values() for f in frames
                if f.get("result") is not True] == []
        writer.assert_each_answered_once()
        writer.assert_promises_kept(found)
        wait_until(lambda: found.zcard("jobs") == 0, 30, "all jobs are done")
        assert_books_balance(found)


def test_whoever_is_to_be_asked_is_found_and_judged(followers, replicated, tmp_path):
    ended = Ended(followers, "check-config", "--live")
    assert (ended.code, ended.lines) == (0, ["ok"]), ended.err

    def judged(**changed):
        config = tmp_path / "changed.conf"
        lines = dict(line.split(" = ", 1) for line in followers.config.read_text().splitlines())
        lines.update({f"redis.{name}": str(value) for name, value in changed.items()})
        config.write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))
        ended = Ended(followers, "check-config", "--live", config=config)
        return ended.code, ended.err

    code, err = judged(wait_replicas=2)
    assert code == 1 and "redis.wait_replicas: 2, but Redis has 1" in err
    code, err = judged(wait_replicas=0)
    assert code == 1 and "redis.wait_replicas: 0, expected 1, of all replicas" in err
    assert judged(wait_replicas=0, allow_weak="true")[0] == 0
    code, err = judged(sentinel_name="another")
    assert code == 2 and "redis.unknown_name" in err
    assert judged(sentinel_password="wrong")[0] == 2
    code, err = judged(sentinels="127.0.0.1")
    assert code == 1 and "redis.sentinels: not of the form host:port,host:port" in err
    replica = replicated.replicas()[0]
    code, err = judged(sentinels="", sentinel_name="",
                       url=f"redis://:{replicated.password}@127.0.0.1:{replica.port}/0")
    assert code == 2 and "redis.no_primary" in err


def test_what_no_replica_has_is_neither_answered_nor_shown(followers, replicated, ada, connect,
                                                           new_id):
    other = connect(followers.gateways[0], "ben")
    task = new_id("task")
    create(ada, TASK, task, title="old")
    replicas = replicated.replicas()
    for replica in replicas:
        replica.pause()
    try:
        before = log_of(followers).count("redis.not_replicated")
        write = ada.send_request("putObject", theObject={"cn": TASK, "ID": task, "title": "new"})
        wait_until(lambda: stored_object(replicated.primary().connect(), f"{TASK}:{task}")["title"] ==
                   '"new"', 20, "it is written")
        read = other.send_request("findById", theClassName=TASK, theClassId=task)
        wait_until(lambda: log_of(followers).count("redis.not_replicated") >= before + 4, 20,
                   "both have been tried more than once")
        for client in (ada, other):
            client.drain(0.1)
            assert not [f for f in client.inbox
                        if f.get("correspondingMessageId") in (write, read)]
    finally:
        for replica in replicas:
            replica.resume()
    assert ada.response_to(write)["result"] is True
    assert other.response_to(read)["result"]["title"] == "new"


def test_whose_time_is_up_meanwhile_hears_that_nothing_is_sure(followers, replicated, connect,
                                                              new_id):
    hasty, task = connect(followers.gateways[1], "cleo"), new_id("task")
    create(hasty, TASK, task, title="old")
    replica = replicated.replicas()[0]
    replica.pause()
    try:
        new = {"theObject": {"cn": TASK, "ID": task, "title": "new"}}
        write = hasty.send_request("putObject", **new)
        assert_error(hasty.response_to(write), "-116")
    finally:
        replica.resume()

    def is_answered():
        hasty.send_request("putObject", messageId=write, **new)
        return hasty.response_to(write).get("result") is True

    wait_until(is_answered, 20, "the same request gets its result")


def test_a_planned_change_of_the_primary_is_followed(followers, replicated, connect):
    writing = Writing(followers, connect, replicated)
    replicated.sentinels[1].connect().execute_command("SENTINEL", "FAILOVER", "store")
    writing.go_on()
    # The sentinels would tell it in ten seconds. Until then it takes writes, which no replica gets.
    writing.former.connect().replicaof("127.0.0.1", replicated.primary().port)
    writing.end()


def test_the_primary_dies_and_nothing_that_was_promised_is_lost(followers, replicated, ada, connect,
                                                               new_id):
    task = new_id("task")
    create(ada, TASK, task, title="old")
    writing = Writing(followers, connect, replicated)
    replicated.sentinels[0].kill()  # the others are asked, then
    writing.former.kill()
    writing.go_on()
    read = ada.send_request("findById", theClassName=TASK, theClassId=task)
    writing.former.start()  # as what it was; the sentinels tell it
    writing.end()
    assert ada.response_to(read)["result"]["title"] == "old"
    assert put(ada, TASK, task, title="new")["result"] is True
    assert stored_object(writing.former.connect(), f"{TASK}:{task}")["title"] == '"new"'
