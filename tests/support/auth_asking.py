"""An auth agent asked over AMQP, as a gateway asks it (spec 3.9)."""

import itertools
import json

import pika


class Asker:
    """Publishes requests with the headers that a gateway sets, and waits for the replies."""

    def __init__(self, stack):
        self.stack = stack
        self.connection = stack.amqp()
        self.channel = self.connection.channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.numbers = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, operation, body, number=None, **headers):
        number = number or str(next(self.numbers))
        self.channel.basic_publish(
            "", operation, json.dumps(body).encode(),
            pika.BasicProperties(type=operation, reply_to=self.queue, correlation_id=number,
                                 message_id=f"m{number}",
                                 headers={"dialect": "activestack", "v": 1, **headers}))
        return number

    def receive(self, number):
        for _, properties, body in self.channel.consume(self.queue, auto_ack=True,
                                                        inactivity_timeout=60):
            assert properties is not None, "no reply within 60 s"
            if properties.correlation_id == number:
                assert properties.type == "reply"
                return json.loads(body)

    def ask(self, operation, body, **headers):
        return self.receive(self.send(operation, body, **headers))

    def authenticate(self, credential, client, device="", provider="file"):
        return self.ask("authenticate", {"credential": credential, "authProvider": provider},
                        client=client, device=device)

    def login(self, user, client, device=""):
        return self.authenticate(self.stack.credential(user), client, device)["result"]

    def is_valid(self, login, client):
        return self.ask("validateUserByToken", {"token": login["token"]}, client=client,
                        user=login["user"]["ID"])["result"]
