"""Many watching sessions for little: made by writing keys, bound to a gateway that is only a queue."""

import json
import secrets

import pika
from servers import wait_until
from store import now_ms, object_key, session_key


class Watchers:
    """`count` sessions that watch `watched`, a set of Redis: object_key(ref, ":w") or that of a class.

    Each has sent a receipt before, so redelivery comes early. Their pushes arrive in a queue of ours.
    """

    def __init__(self, stack, count, watched):
        self.redis = stack.redis()
        self.connection = stack.amqp()
        self.channel = self.connection.channel()
        self.queue = self.channel.queue_declare(
            "gateway." + secrets.token_hex(16), exclusive=True).method.queue
        self.told = {}  # client id -> bodies of its pushes
        last = self.redis.incrby("s:next", count)
        self.sids = [str(sid) for sid in range(last - count + 1, last + 1)]
        self.clients = {f"{sid:0>32}": sid for sid in self.sids}
        self._make(watched)

    def _make(self, watched):
        pipeline = self.redis.pipeline(transaction=False)
        for client, sid in self.clients.items():
            pipeline.set(f"c:{client}", sid)
            pipeline.hset(session_key(sid), mapping={
                "client": client, "gw": self.queue, "epoch": 1, "user": "watcher", "device": "",
                "me": "", "dialect": "activestack", "created": now_ms(), "seen": now_ms(),
                "receipts": 1})
            pipeline.zadd("sessions", {sid: sid})
            pipeline.zadd(watched, {sid: sid})
        pipeline.execute()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def expect_all(self, seconds=30):
        """Waits until each has been told something; returns the bodies by client id."""
        wait_until(self._all_told, seconds, f"all of {len(self.clients)} sessions are told")
        return self.told

    def _all_told(self):
        while True:
            _, properties, body = self.channel.basic_get(self.queue, auto_ack=True)
            if properties is None:
                return len(self.told) == len(self.clients)
            assert properties.type == "push"
            for group in json.loads(body)["groups"]:
                for client in group["to"]:
                    self.told.setdefault(client, []).append(group["body"])

    def acknowledge(self, class_name, object_id, deletes=False):
        """Each sends one push receipt."""
        operation = "deletesReceived" if deletes else "updatesReceived"
        body = json.dumps({"classIdPairs": [{"className": class_name, "ID": object_id}]}).encode()
        for client in self.clients:
            self.channel.basic_publish("", operation, body, pika.BasicProperties(
                headers={"client": client}))


def watchers_of(stack, count, ref):
    return Watchers(stack, count, object_key(ref, ":w"))


def watchers_of_class(stack, count, class_name):
    return Watchers(stack, count, f"{{k:{class_name}}}:w")
