"""Whatever dies, and however often: nothing is missed, nothing is lost, the books balance.

200 clients of both protocols on two gateways watch 1,000 objects that some of them change, while one
process after another gets SIGKILL, the next as soon as the last is ready again. At the end of each
round the writers pause, and all has to become quiet: what every client was told last is what is
stored, and what is stored is what the writers were told (design section 1, promises 1 to 5); and
people are shown as connected who are.

    TEST_KILL_SECONDS=1200    for so long, of rounds that each end with all checks
    TEST_KILL_SEED=7          the same victims in the same order
"""

import collections
import json
import os
import random
import time

import pytest
from client import DEVELOPERS_LOGIN
from content_client import ContentClient
from lasting_clients import LastingClient, WatchAll, Writer
from lasting_content import CONTENT_USERS, ContentWriter, LastingContent
from lasting_crowd import MO, Crowd, class_of_item
from seeded import seeded
from servers import wait_until
from stack import USERS, Stack
from store import assert_books_balance, marks_of, session_key, stored_object

SECONDS = float(os.environ.get("TEST_KILL_SECONDS", "60"))
SEED = int(os.environ.get("TEST_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
ROUND_SECONDS = 30
SECONDS_PER_BROKER_KILL = 200   # RabbitMQ takes long to come back
KINDS = ([Writer] * 8 + [ContentWriter] * 4 + [LastingClient] * 126 + [LastingContent] * 56
         + [WatchAll] * 6)
OBJECTS = 1000
GUEST = USERS[-1]               # is there while others are killed, and leaves
QUIET_SECONDS = 120
GONE_SECONDS = 30                # until somebody who has gone is shown so
# What waits for a while waits for less, so that there is something to see in a minute.
SETTINGS = {**DEVELOPERS_LOGIN, "log.level": "info", "sync.job_lease_ms": 1000,
            "sync.redelivery_first_ms": 1000, "sync.redelivery_max_ms": 4000, "sync.reply_repeat_ms": 2000,
            "sync.gateway_lease_ms": 4000, "gateway.alive_ms": 500, "gateway.ping_interval_ms": 2000,
            "gateway.ping_timeout_ms": 60000, "agent.presence_ms": 500,
            "sync.presence_grace_ms": 1000}


@pytest.fixture
def everything(servers):
    with Stack(servers, gateways=2, sync_agents=3, settings=SETTINGS) as stack:
        yield stack


class Chooser:
    """Kills what its seed says; RabbitMQ at fixed times."""

    KINDS = ("gateway",) * 4 + ("sync-agent",) * 4 + ("redis",) * 2 + ("auth-agent",)

    def __init__(self, stack, seed):
        self.stack, self.chance = stack, random.Random(seed)
        self.kills = collections.Counter()
        self.began, self.paused = time.monotonic(), 0.0
        count = max(1, round(SECONDS / SECONDS_PER_BROKER_KILL))
        self.broker_times = [(i + 0.5) * SECONDS / count for i in range(count)]
        self.last_ready = 0.0

    def kill_for(self, seconds, check):
        """One after the other, until the time is over."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            kind, victim = self._choose(self.paused + time.monotonic() - began)
            self.kills[kind] += 1
            victim.kill()
            victim.start()
            for gateway in self.stack.gateways:  # they may have lost their broker
                gateway.wait_ready()
            self.last_ready = time.monotonic()
            check()
        self.paused += time.monotonic() - began

    def _choose(self, spent):
        servers = self.stack.servers
        if self.broker_times and spent >= self.broker_times[0]:
            self.broker_times.pop(0)
            return "rabbitmq", servers.rabbitmq
        kind = self.chance.choice(self.KINDS)
        if kind == "redis":
            return kind, servers.redis
        return kind, self.chance.choice([p for p in self.stack.processes if p.name.startswith(kind)])


def expect_quiet(crowd, redis):
    """Nobody waits for anything, nothing is pending."""
    def is_quiet():
        crowd.check()
        with crowd.lock:
            return (crowd.is_quiet() and redis.zcard("jobs") == 0
                    and not any(redis.hlen(key) for key in redis.scan_iter("{s:*}:m", 1000)))

    try:
        wait_until(is_quiet, QUIET_SECONDS, "everything is quiet")
    except AssertionError as e:
        with crowd.lock:
            raise AssertionError(f"{e}; jobs: {redis.zrange('jobs', 0, 9)}, clients: "
                                 f"{crowd.unquiet()[:10]}, marks: {some_marks(redis)}") from e


def some_marks(redis):
    """Of some sessions: what stands of them, some of their marks, and when those are due."""
    sids = [key[len("{s:"):-len("}:m")] for key in redis.scan_iter("{s:*}:m", 1000)]
    return len(sids), redis.zrange("gateways", 0, -1, withscores=True), [
        (redis.hgetall(session_key(sid)), dict(list(marks_of(redis, sid).items())[:3]),
         redis.zrange(session_key(sid, ":d"), 0, 2, withscores=True), redis.zscore("due", sid))
        for sid in sids[:3]]


def assert_nothing_is_lost(crowd, redis):
    """The store is what the writers were told; every copy is what is stored."""
    with crowd.lock:
        told = {item: value for writer in crowd.writers for item, value in writer.items.items()}
        stored = {item: stored_value(redis, item) for item in told}
        wrong = {item: (told[item], stored[item]) for item in told if told[item] != stored[item]}
        assert not wrong, f"writers were told one thing, the store has another: {sample(wrong)}"
        for client in crowd.clients:
            assert_copy(client, stored)
    assert_books_balance(redis)


def assert_copy(client, stored):
    expected = {item for item, value in stored.items() if value} if client.share is None else set()
    wrong = {item: (client.heard.get(item), stored[item]) for item in expected | set(client.copy)
             if client.copy.get(item) != stored[item]}
    assert not wrong, f"client {client.number} heard otherwise than is stored: {sample(wrong)}"


def assert_pages_are_stored(crowd):
    """Every page that a client holds is what is shown to one who comes anew, versions included."""
    with crowd.lock:
        lasting = {user: [c for c in crowd.clients if getattr(c, "user", None) == user]
                   for user in CONTENT_USERS}
        for user, clients in lasting.items():
            with ContentClient(crowd.stack.gateways[0].url) as looker:
                looker.login(crowd.stack.credential(user))
                places = {name: place for client in clients for name, place in client.places.items()}
                fresh = {name: looker.request(place.cls, **{**place.data, "ver": None, "subscribe": False})
                         for name, place in places.items()}
                for client in clients:
                    assert_places(client, fresh)


def assert_places(client, fresh):
    for name, place in client.places.items():
        found = fresh[name].get("data", {})
        value = [found["total"], found["page"]] if "page" in found else found.get("content")
        assert (place.ver, place.value) == (found.get("ver"), value), (
            f"client {client.number} has {place.ver} of {name}, stored is {found.get('ver')}")


def expect_connected(crowd, redis, guest):
    """The guest has left; of all others somebody is there."""
    expected = {guest["id"]: "false"}
    with crowd.lock:
        expected |= {c.entries["self"]["id"]: "true" for c in crowd.clients if hasattr(c, "entries")}
    wait_until(lambda: {person: stored_object(redis, f"{MO}Person:{person}").get("connected")
                        for person in expected} == expected,
               GONE_SECONDS, f"connected is {expected}")


def sample(found):
    return f"{len(found)}, such as {dict(list(found.items())[:3])}"


def stored_value(redis, item):
    fields = stored_object(redis, f"{class_of_item(item)}:{item}")
    return fields and (json.loads(fields["title"]), json.loads(fields["text"]))


def rounds():
    count = max(1, round(SECONDS / ROUND_SECONDS))
    return [SECONDS / count] * count


@pytest.mark.long
@seeded(TEST_KILL_SEED=SEED)
def test_nothing_is_missed_although_everything_dies(everything, capsys):
    with capsys.disabled():
        print(f"\nTEST_KILL_SEED={SEED}", flush=True)
    redis, chooser, waits = everything.redis(), Chooser(everything, SEED), []
    with Crowd(everything, random.Random(SEED), KINDS) as crowd:
        crowd.log_in()
        crowd.create(OBJECTS)
        crowd.read()
        for seconds in rounds():
            guest = ContentClient(chooser.chance.choice(everything.gateways).url)
            me = guest.login(everything.credential(GUEST))["self"]
            crowd.start_writing()
            chooser.kill_for(seconds, crowd.check)
            crowd.stop_writing()
            guest.vanish()
            expect_quiet(crowd, redis)
            waits.append(time.monotonic() - chooser.last_ready)
            expect_connected(crowd, redis, me)
            expect_quiet(crowd, redis)  # who watches has heard that the guest is gone
            assert_nothing_is_lost(crowd, redis)
            assert_pages_are_stored(crowd)
            everything.check()
    with capsys.disabled():
        kills = ", ".join(f"{kind} {count}" for kind, count in sorted(chooser.kills.items()))
        print(f"{SECONDS:.0f} s; kills: {kills}\n{crowd.figures}\n"
              f"from the last readiness until all was quiet: {max(waits):.1f} s at most", flush=True)
    assert chooser.kills["rabbitmq"] >= 1
    assert crowd.figures["returns"] > 0 < crowd.figures["writes unknown"]
