"""Workers of processes, as the contract has them (deploy/example/processes.md), each in a thread with
a connection of its own.

    with Worker(stack, "greet", lambda call: call.reply("hello")) as worker:
        client.request("runProcess", queryName="greet")
        assert worker.calls[0].arguments is None

What serves a call may reply, or not; the call is acknowledged when it returns. It may raise Died, which
is what a worker that is killed looks like to the broker, or Refused.
"""

import itertools
import json
import threading

import pika
from servers import wait_until

PREFIX = "process."


class Died(Exception):
    """The worker's connection is gone, and the call is not acknowledged."""


class Refused(Exception):
    """The worker gives the call back for good."""


class Call:
    def __init__(self, worker, method, properties, body):
        self.worker, self.properties, self.body = worker, properties, body
        self.redelivered = method.redelivered
        self.headers = properties.headers or {}

    @property
    def arguments(self):
        return json.loads(self.body)

    def raw(self, body, kind=None, correlation_id=...):
        """Publishes a reply as it is; returns when the broker has it."""
        if correlation_id is ...:
            correlation_id = self.properties.correlation_id
        self.worker.channel.basic_publish("", self.properties.reply_to, body, pika.BasicProperties(
            correlation_id=correlation_id, type=kind, delivery_mode=2), mandatory=True)

    def reply(self, value):
        self.raw(json.dumps(value), "reply")

    def error(self, value):
        self.raw(json.dumps(value), "error")

    def progress(self, value):
        self.raw(json.dumps(value), "progress")

    def die(self):
        raise Died

    def ask(self, operation, **members):
        """An operation in the caller's name, and its answer."""
        return self.worker.ask(operation, {"client": self.headers["client"]}, members)


class Worker:
    """`serve(call)` runs in the worker's thread."""

    def __init__(self, stack, process, serve, prefetch=1):
        self.stack, self.process, self.serve, self.prefetch = stack, process, serve, prefetch
        self.calls = []  # every delivery, in order
        self.problem = None
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._thread.start()
        assert self._ready.wait(120), f"no worker of {self.process}: {self.problem}"
        assert not self.problem, self.problem
        return self

    def stop(self):
        self._stopping.set()
        self._thread.join(120)
        assert not self._thread.is_alive(), f"the worker of {self.process} does not end"
        if self.problem:
            raise self.problem

    def wait_calls(self, count, seconds=20):
        wait_until(lambda: self.problem or len(self.calls) >= count, seconds,
                   f"{count} calls of {self.process}")
        assert not self.problem, self.problem
        return self.calls

    def ask(self, operation, headers, members):
        correlation_id = str(next(self._numbers))
        self.channel.basic_publish("", operation, json.dumps(members), pika.BasicProperties(
            reply_to=self.replies, correlation_id=correlation_id, headers=headers, delivery_mode=2,
            message_id=members.get("messageId")))
        for _, properties, body in self.replies_channel.consume(self.replies, auto_ack=True,
                                                                inactivity_timeout=60):
            assert properties, f"no answer to {operation}"
            if properties.correlation_id == correlation_id:
                return json.loads(body) if body else None

    def _connect(self):
        self.connection = self.stack.amqp("worker")
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.channel.basic_qos(prefetch_count=self.prefetch)
        self.replies_channel = self.connection.channel()
        self.replies = self.replies_channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_declare(PREFIX + self.process, passive=True)

    def _take(self, method, properties, body):
        call = Call(self, method, properties, body)
        self.calls.append(call)
        try:
            self.serve(call)
        except Refused:
            self.channel.basic_reject(method.delivery_tag, requeue=False)
        else:
            self.channel.basic_ack(method.delivery_tag)

    def _consume(self):
        for method, properties, body in self.channel.consume(PREFIX + self.process,
                                                             inactivity_timeout=0.02):
            self._ready.set()
            if self._stopping.is_set():
                return
            if method:
                self._take(method, properties, body)

    def _run(self):
        try:
            while not self._stopping.is_set():
                self._connect()
                try:
                    self._consume()
                except Died:
                    continue
                finally:
                    self.connection.close()
        except Exception as e:  # told by whoever waits
            self.problem = e
            self._ready.set()
