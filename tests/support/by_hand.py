"""Requests published to the broker by hand, as an operator does it in the management UI."""

import itertools
import json

import pika

SECONDS = 20


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
        """The body of the next answer to this; None for an empty one."""
        for answer in self._others:
            if answer[0] == correlation_id:
                self._others.remove(answer)
                return answer[1]
        for _, properties, body in self.channel.consume(self.queue, auto_ack=True,
                                                        inactivity_timeout=SECONDS):
            assert properties is not None, f"no answer to {correlation_id} within {SECONDS} s"
            value = json.loads(body) if body else None
            if properties.correlation_id == correlation_id:
                return value
            self._others.append((properties.correlation_id, value))

    def ask(self, operation, body, **options):
        return self.receive(self.send(operation, body, **options))
