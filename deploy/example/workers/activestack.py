"""What workers and services in Python need (../processes.md has the contract).

A worker answers the calls of one process:

    def answer(call):
        call.progress({"done": 1, "of": 3})
        found = call.ask("findById", theClassName="com.app.mo.Task", theClassId=call.arguments["task"])
        return found["result"]["title"]

    Worker("amqp://user:password@host:5672/vhost", "titleOf", answer).run()

A service is a user of its own, with the rights of its roles, who asks without having been called:

    with Service("amqp://...", "file", "robot@example.org:password") as service:
        service.ask("putObject", theObject={"cn": "com.app.mo.Task", "ID": "1", "done": True})

One call at a time. A call whose worker dies is given to the next one, with `call.is_repeated`; what it
asks carries message ids that are the same in every run, so that nothing is written twice.
"""

import itertools
import json
import time
import uuid

import pika

HEARTBEAT_S = 60  # an answer that takes longer calls call.progress() or call.ask() meanwhile


class Failed(Exception):
    """Raised by an answer: the caller gets its words, and its code if it has one ("-1000")."""

    def __init__(self, message, code=None):
        super().__init__(message)
        self.code = code


class Overdue(Exception):
    """The call's time is up: whatever comes now is too late."""


class Call:
    """`arguments` as the client sent them; `user` is the caller's id; `deadline` is in seconds since
    1970; `client` acts with the caller's rights, None unless the process is declared so."""

    def __init__(self, worker, delivery, properties, body):
        headers = properties.headers or {}
        self._worker, self._properties = worker, properties
        self._numbers = itertools.count(1)
        self.arguments = json.loads(body)
        self.user, self.client = headers.get("user"), headers.get("client")
        self.deadline = headers["deadline"] / 1000
        self.is_repeated = delivery.redelivered

    def progress(self, what):
        """Tells a client that has asked for it how far the call has got."""
        self._worker.reply(self._properties, "progress", what)

    def ask(self, operation, **members):
        """Sends an operation with the caller's rights; returns its response. Raises Failed for a
        SyncErrorResponse."""
        if not self.client:
            raise Failed("this process is not declared to act for its caller")
        message_id = f"{self._properties.message_id}/{next(self._numbers)}"
        return self._worker.request(operation, members, self.client, message_id, self.deadline)


class Asking:
    """A connection that sends operations and waits for their responses."""

    def __init__(self, url, name):
        parameters = pika.URLParameters(url)
        parameters.heartbeat = HEARTBEAT_S
        parameters.client_properties = {"connection_name": name}
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._awaited = self._received = None  # the id of the one question, and its answer
        self._own_queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.basic_consume(self._own_queue, self._on_answer, auto_ack=True)

    def close(self):
        self._connection.close()

    def request(self, operation, members, client, message_id, deadline):
        """The response; raises Failed for a SyncErrorResponse, Overdue behind the deadline."""
        self._awaited, self._received = str(uuid.uuid4()), None
        self._publish(operation, {**members, "messageId": message_id, "clientId": client}, type=operation,
                      reply_to=self._own_queue, correlation_id=self._awaited,
                      message_id=message_id)
        while self._received is None:
            left = deadline - time.time()
            if left <= 0:
                raise Overdue
            self._connection.process_data_events(time_limit=left)
        answer = self._received
        if answer["cn"].endswith(".SyncErrorResponse"):
            raise Failed(answer["errorDesc"], answer["errorCode"])
        return answer

    def _publish(self, queue, value, **properties):
        self._channel.basic_publish("", queue, json.dumps(value), pika.BasicProperties(
            content_type="application/json", **properties), mandatory=True)

    def _on_answer(self, _channel, _delivery, properties, body):
        if properties.correlation_id == self._awaited:  # else it has come too late
            self._received = json.loads(body)


class Worker(Asking):
    def __init__(self, url, process, answer):
        super().__init__(url, f"worker of {process}")
        self._queue, self._answer = f"process.{process}", answer
        self._channel.basic_qos(prefetch_count=1)

    def run(self):
        for delivery, properties, body in self._channel.consume(self._queue):
            self._on_call(delivery, properties, body)

    def reply(self, properties, kind, value):
        self._publish(properties.reply_to, value, type=kind, correlation_id=properties.correlation_id,
                      delivery_mode=1 if kind == "progress" else 2)

    def _on_call(self, delivery, properties, body):
        """The call is acknowledged when the broker has its reply."""
        call = Call(self, delivery, properties, body)
        try:
            self.reply(properties, "reply", self._answer(call))
        except Failed as e:
            self.reply(properties, "error", {"message": str(e), **({"code": e.code} if e.code else {})})
        except Overdue:
            pass  # the agents have told the caller
        self._channel.basic_ack(delivery.delivery_tag)


class Service(Asking):
    """Logs in with a provider and its credential; Failed if that is refused. What it reads it would be
    told of, so it logs out when it has done its work."""

    def __init__(self, url, provider, credential, name="service", seconds=30):
        super().__init__(url, name)
        self._client, self._seconds = uuid.uuid4().hex, seconds
        login = self.ask("authenticate", authProvider=provider, credential=credential)["result"]
        if not login:
            raise Failed("the login is refused")
        self.user = login["user"]["ID"]
        self.ask("connect", userId=self.user, token=login["token"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._publish("logout", {"clientId": self._client, "pleaseDestroyClient": True}, type="logout")
        self.close()

    def ask(self, operation, **members):
        return self.request(operation, members, self._client, str(uuid.uuid4()),
                            time.time() + self._seconds)
