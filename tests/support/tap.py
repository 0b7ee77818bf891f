"""Everything that goes over a virtual host of RabbitMQ: each message that is published and each that is
delivered, copied by the broker's firehose into a queue.

    with Tap(stack) as tap:
        ...
        for message in tap.messages(): ...
"""

import contextlib

EXCHANGE = "amq.rabbitmq.trace"


class Tap:
    def __init__(self, stack):
        self.stack = stack

    def __enter__(self):
        self._trace(True)
        self.connection = self.stack.amqp()
        self.channel = self.connection.channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self.queue, EXCHANGE, "#")
        return self

    def __exit__(self, *_):
        self.connection.close()
        self._trace(False)

    def _trace(self, on):
        self.stack.servers.rabbitmq.management("PUT", f"/api/vhosts/{self.stack.vhost}",
                                               {"tracing": on})

    def messages(self):
        """(where, bytes) of all so far: "publish." or "deliver.", and the exchange or the queue;
        the bytes hold the body, properties and headers too."""
        found = []
        with contextlib.suppress(StopIteration):
            while True:
                method, properties, body = self.channel.basic_get(self.queue, auto_ack=True)
                if method is None:
                    return found
                found.append((method.routing_key, body + repr(properties.headers).encode()))
        return found
