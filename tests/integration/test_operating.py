"""Situations of deploy/operating.md, made and then healed with what the management UI has, that is, with
its API: as its user `operator` reads it, in a vhost whose queues are quorum queues, as in a cluster."""

import json
import threading
from urllib.parse import quote

import pytest
from processes import NAMES, ask, assert_failed, assert_result, echo, run
from servers import wait_until
from shapes import assert_error
from stack import Stack
from workers import Refused, Worker

pytestmark = pytest.mark.long

TASK = "com.app.mo.Task"
# Whoever looks at pages that are 5 s old takes his time.
PATIENT = {"processes": {name: {"run": "signedIn", "deadlineMs": 120_000} for name in NAMES + ["open"]}}
READ_AGAIN = ("type", "message_id", "correlation_id", "reply_to", "content_type", "delivery_mode")


class Console:
    """The management UI, of one vhost."""

    def __init__(self, stack):
        self.vhost, self._management = stack.vhost, stack.servers.rabbitmq.management

    def call(self, method, path, body=None, user="operator"):
        return self._management(method, f"/api/{path}", body, user)

    def queues(self):
        """Name -> its row on the page Queues."""
        return {row["name"]: row for row in self.call("GET", f"queues/{self.vhost}")}

    def wait_queue(self, name, condition):
        """The page shows figures that are up to 5 s old."""
        return wait_until(lambda: (lambda row: row if condition(row) else None)(self.queues()[name]), 60,
                          f"the page shows it of {name}")

    def consumers(self, queue):
        return self.call("GET", f"queues/{self.vhost}/{queue}")["consumer_details"]

    def get(self, queue, count=1, take=False):
        """Get messages: back into the queue, or for good."""
        return self.call("POST", f"queues/{self.vhost}/{queue}/get", {
            "count": count, "encoding": "auto",
            "ackmode": "ack_requeue_false" if take else "ack_requeue_true"})

    def publish(self, queue, letter):
        """A message that was read, as it was, but for what the broker has written into its headers."""
        properties = {k: v for k, v in letter["properties"].items() if k in READ_AGAIN}
        properties["headers"] = {k: v for k, v in letter["properties"]["headers"].items()
                                 if not k.startswith("x-") and k != "reason"}
        answer = self.call("POST", f"exchanges/{self.vhost}/amq.default/publish", {
            "properties": properties, "routing_key": queue, "payload": letter["payload"],
            "payload_encoding": letter["payload_encoding"]})
        assert answer["routed"]

    def limit(self, queue, length):
        """A policy for calls of one process, which goes before that of definitions.json; None: takes it
        back."""
        path = f"policies/{self.vhost}/limit-of-{queue}"
        if length is None:
            self.call("DELETE", path)
            return
        definition = self.call("GET", f"policies/{self.vhost}/processes")["definition"]
        self.call("PUT", path, {
            "pattern": f"^{queue}$".replace(".", r"\."), "apply-to": "queues", "priority": 9,
            "definition": {**definition, "max-length": length}})


@pytest.fixture(scope="module")
def operated(servers):
    with Stack(servers, sync_agents=2, processes=PATIENT, queue_type="quorum",
               settings={"process.presence_ms": 0, "process.max_calls": 100,
                         "gateway.request_timeout_ms": 120_000}) as stack:
        yield stack


@pytest.fixture
def console(operated):
    console = Console(operated)
    yield console
    console.call("DELETE", f"queues/{operated.vhost}/dead-letter/contents")
    operated.check()


@pytest.fixture
def client(operated, connect):
    return connect(operated.gateways[0], "ada")


def test_operations_are_quorum_queues_and_those_of_gateways_are_not(console):
    found = {name: row["type"] for name, row in console.queues().items()}
    assert {found[name] for name in ("findById", "authenticate", "dead-letter", "process.open")} == {
        "quorum"}
    assert {kind for name, kind in found.items() if name.startswith("gateway.")} == {"classic"}


@pytest.fixture
def held(operated, process):
    """A worker that keeps its first call until it is told to go on."""
    go_on = threading.Event()

    def serve(call):
        go_on.wait(60)
        echo(call)

    with Worker(operated, process, serve) as worker:
        worker.go_on = go_on
        wait_until(lambda: operated.consumers(f"process.{process}"), 60, "its consumer")
        yield worker
        go_on.set()


def test_backlog_of_which_nobody_knows_any_more(operated, console, client, process, held):
    """Section 1: calls wait for a slow worker; they are dropped."""
    queue = f"process.{process}"
    asked = [ask(client, process, number) for number in range(4)]
    row = console.wait_queue(queue, lambda row: row["messages_ready"] == 3)
    assert (row["messages_unacknowledged"], row["policy"]) == (1, "processes")
    assert len(console.consumers(queue)) == 1
    assert console.get(queue)[0]["properties"]["headers"]["user"] == client.user_id
    console.call("DELETE", f"queues/{operated.vhost}/{queue}/contents")
    begun = held.calls[0].arguments  # whichever came first
    held.go_on.set()
    assert_result(client.response_to(asked[begun]), begun)
    assert_result(run(client, process, "after it"), "after it")
    assert [call.arguments for call in held.calls] == [begun, "after it"]


def test_a_poison_message(operated, console, client, process):
    """Section 2: the dead letter says which, whose, and why; it is taken away."""
    def serve(call):
        if call.arguments == "poison":
            call.die()
        echo(call)

    with Worker(operated, process, serve):
        assert_failed(run(client, process, "poison"), process, "its workers have died of it")
        wait_until(lambda: run(client, process, "good").get("result") == "good", 60, "the next call")
    letter = wait_until(lambda: console.get("dead-letter"), 60, "a dead letter")[0]
    properties = letter["properties"]
    assert (letter["payload"], properties["type"]) == ('"poison"', process)
    assert properties["headers"]["reason"] == "delivery_limit"
    assert properties["headers"]["user"] == client.user_id
    assert console.get("dead-letter", take=True)[0]["payload"] == letter["payload"]
    assert console.get("dead-letter") == []


def test_a_stuck_consumer(operated, console, client):
    """Section 3: an agent does not answer; its connections are closed, and another one does."""
    stuck = operated.sync_agents[0]
    stuck.pause()
    try:
        asked = [client.send_request("countAllByName", classNames=[TASK]) for _ in range(8)]
        console.wait_queue("countAllByName", lambda row: row["messages_unacknowledged"] > 0)
        holding = wait_until(
            lambda: [c for c in console.consumers("countAllByName")
                     if stuck.agent_name in c["consumer_tag"]], 60, "the page names the agent")
        for name in {c["channel_details"]["connection_name"] for c in holding}:
            console.call("DELETE", f"connections/{quote(name, safe='')}", user="activestack")
        for message in asked:
            assert client.response_to(message)["result"] == [{TASK: 0}]
    finally:
        stuck.resume()


def test_a_queue_over_its_length(console, client, process, held):
    """Section 1: what more comes is refused; the policy is raised."""
    queue = f"process.{process}"
    console.limit(queue, 1)
    console.wait_queue(queue, lambda row: row["policy"] == f"limit-of-{queue}")
    asked = []

    def refused():  # by and by: how many wait is looked at now and then
        if len(asked) < 90:
            asked.append(ask(client, process, len(asked)))
        client.drain(0.05)
        return [f for f in client.inbox if f.get("cn", "").endswith("ErrorResponse")]

    assert_error(wait_until(refused, 60, "a call is refused")[0], "-118", "too many calls of it wait")
    console.limit(queue, None)
    begun = held.calls[0].arguments
    held.go_on.set()
    assert_result(client.response_to(asked[begun]), begun)
    assert_result(wait_until(lambda: not_refused(run(client, process, "more")), 60, "room"), "more")


def not_refused(response):
    return response if "result" in response else None


def test_dead_letters_are_replayed(operated, console, client, process):
    """Section 7: what a worker has refused by mistake is done after all."""
    def refuse(_call):
        raise Refused

    with Worker(operated, process, refuse):
        assert_failed(run(client, process, {"order": 7}), process, "its worker has refused it")
    letter = wait_until(lambda: console.get("dead-letter", take=True), 60, "a dead letter")[0]
    assert letter["properties"]["headers"]["reason"] == "rejected"
    with Worker(operated, process, echo) as mended:
        console.publish(f"process.{letter['properties']['type']}", letter)
        call = mended.wait_calls(1)[0]
    assert call.arguments == json.loads(letter["payload"]) == {"order": 7}
    assert call.headers["user"] == client.user_id
    assert console.get("dead-letter") == []
