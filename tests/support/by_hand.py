"""Requests published to the broker by hand, as an operator does it in the management UI, and answered
by hand, without an agent."""

import itertools
import json

import pika
from client import SYNC
from frames import Frame
from servers import wait_until

SECONDS = 60


class Operator:
    """Publishes requests to the operations' queues and reads the answers from a queue of its own.

    `headers` are those that a gateway would set; without any the agents read who asks in the body.
    """

    def __init__(self, stack):
        self.connection = stack.amqp()
        self.channel = self.connection.channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self._numbers = itertools.count(1)
        self._others = []  # (correlation id, body) of answers that nobody has asked for yet

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, operation, body, correlation_id=None, headers=None, reply=True, **properties):
        """Returns the correlation id. `body` may be text, too."""
        correlation_id = correlation_id or str(next(self._numbers))
        text = body if isinstance(body, str) else json.dumps(body)
        self.channel.basic_publish("", operation, text.encode(), pika.BasicProperties(
            reply_to=self.queue if reply else None, correlation_id=correlation_id, headers=headers,
            **properties))
        return correlation_id

    def receive(self, correlation_id):
        """The body of the next answer to this, with its `text`; None for an empty one."""
        for answer in self._others:
            if answer[0] == correlation_id:
                self._others.remove(answer)
                return answer[1]
        for _, properties, body in self.channel.consume(self.queue, auto_ack=True,
                                                        inactivity_timeout=SECONDS):
            assert properties is not None, f"no answer to {correlation_id} within {SECONDS} s"
            value = Frame(body.decode()) if body else None
            if properties.correlation_id == correlation_id:
                return value
            self._others.append((properties.correlation_id, value))

    def ask(self, operation, body, **options):
        return self.receive(self.send(operation, body, **options))


class SyncAgentByHand:
    """A sync agent that is played by the test: what a gateway asks of it, and what it makes of that.

        agent = SyncAgentByHand(stack)            # of a stack without sync agents
        request = agent.take("updatesReceived")
        agent.reply(request, {"v": 1, "unknown": []})

    Binds everybody, and answers what gateways say of themselves; that stays in `announced`.
    """

    QUEUES = ("announce", "connect", "deletesReceived", "disconnect", "findById", "gatewayAlive",
              "reconnect", "repliesReceived", "updatesReceived")

    def __init__(self, stack):
        self.connection = stack.amqp()
        self.channel = self.connection.channel()
        self.waiting = []    # requests that the test has not taken yet
        self.announced = []  # bodies of announcements
        self.gateways = {}   # client id -> queue of the gateway that has bound it
        for queue in self.QUEUES:
            self.channel.queue_declare(queue, durable=True)
            self.channel.basic_consume(queue, self._on_request, auto_ack=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def _on_request(self, _channel, method, properties, body):
        request = Request(method.routing_key, properties, json.loads(body) if body else None)
        {"connect": self._bind, "gatewayAlive": self._know, "announce": self._hear}.get(
            request.operation, self.waiting.append)(request)

    def _bind(self, request):
        self.gateways[request.client] = request.properties.reply_to
        self.reply(request, {"cn": SYNC + "ConnectResponse", "clientId": request.client,
                             "correspondingMessageId": None}, user=request.user)

    def _know(self, request):
        self.reply(request, {"v": 1, "lease": 1})

    def _hear(self, request):
        self.announced.append(request.body)
        self.reply(request, {"v": 1, "close": []})

    def serve(self, seconds=0.05):
        """Takes in what has come, and what comes within so long."""
        self.connection.process_data_events(seconds)

    def serve_until(self, condition, what):
        wait_until(lambda: self.serve() or condition(), SECONDS, what)

    def take(self, operation):
        """The next request for this operation."""
        def found():
            return [r for r in self.waiting if r.operation == operation]

        self.serve_until(found, f"a request for {operation}")
        request = found()[0]
        self.waiting.remove(request)
        return request

    def reply(self, request, body, **headers):
        self._publish(request.properties.reply_to, "reply", body, headers,
                      correlation_id=request.properties.correlation_id)

    def push(self, client, *told, kind="u", body=None):
        """Tells a client of objects: pairs (ref, version)."""
        body = body or {"cn": SYNC + "PushUpdateResponse", "clientId": None,
                        "correspondingMessageId": None, "told": told}
        group = {"to": [client], "kind": kind, "of": told, "body": body}
        self._publish(self.gateways[client], "push", {"v": 1, "groups": [group]}, {})

    def repeat(self, client, body):
        """Sends a reply once more."""
        self._publish(self.gateways[client], "again", body, {"client": client})

    def _publish(self, queue, kind, body, headers, **properties):
        self.channel.basic_publish("", queue, json.dumps(body).encode(), pika.BasicProperties(
            type=kind, headers={"v": 1, **headers}, **properties))


class Request:
    """What came to a queue: `client`, `user` and `keep` are headers."""

    def __init__(self, operation, properties, body):
        self.operation, self.properties, self.body = operation, properties, body
        headers = properties.headers or {}
        self.client, self.user = headers.get("client"), headers.get("user")
        self.keep = headers.get("keep")


def dead_letters(stack):
    """What lies in the queue of dead letters; it is empty afterwards."""
    with stack.amqp() as connection:
        channel = connection.channel()
        letters = []
        while True:
            method, properties, body = channel.basic_get("dead-letter", auto_ack=True)
            if not method:
                return letters
            letters.append((properties, body))
