"""Calls of processes, published by hand as the sync agent does it (deploy/example/processes.md), for
what runs in the agents themselves."""

import json
import time
import uuid

import pika

SECONDS = 60


class Caller:
    """Puts calls into the queues of processes and reads what they are answered."""

    def __init__(self, stack):
        self.connection = stack.amqp()
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self._others = []  # answers that nobody has asked for yet

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, name, arguments=None, seconds=60, queue=None, body=None, headers=None):
        """Returns the call's id. `seconds`: until the deadline; None: the message has none."""
        call = uuid.uuid4().hex
        deadline = {} if seconds is None else {"deadline": int((time.time() + seconds) * 1000)}
        self.channel.basic_publish(
            "", f"process.{queue or name.split(':')[0]}",
            json.dumps(arguments).encode() if body is None else body,
            pika.BasicProperties(type=name, message_id=call, correlation_id=call,
                                 reply_to=self.queue, content_type="application/json",
                                 delivery_mode=2, headers={**deadline, **(headers or {})}),
            mandatory=True)
        return call

    def receive(self, call, seconds=SECONDS):
        """(type, JSON) of the next answer to a call; None: there is none within so many seconds."""
        for answer in self._others:
            if answer[0] == call:
                self._others.remove(answer)
                return answer[1:]
        for _, properties, body in self.channel.consume(self.queue, auto_ack=True,
                                                        inactivity_timeout=seconds):
            if properties is None:
                return None
            answer = (properties.correlation_id, properties.type, json.loads(body))
            if answer[0] == call:
                return answer[1:]
            self._others.append(answer)

    def ask(self, name, arguments=None, **options):
        answer = self.receive(self.send(name, arguments, **options))
        assert answer, f"no answer within {SECONDS} s"
        return answer

    def waiting(self, name):
        """How many calls nobody has taken yet."""
        return self.channel.queue_declare(f"process.{name}", passive=True).method.message_count
