"""Random requests of many clients at once, against a model in memory (support/domain_model.py).

Time goes in rounds. In each, every client sends one request, all at once. Most requests of a round
leave each other alone, so that the model knows the one right answer to each. Some come in groups
that quarrel over an object; then there has to be an order, one after the other, in which the model
gives the answers that were given; where several orders do, the observer looks what it came to.
Clients keep what they were told, as real ones do; in the end each copy has to be what is stored.

A run prints its seed, which makes the same choices again; what came of a quarrel may differ, and
with it what follows. These variables of the environment choose another run:

    TEST_RANDOM_SECONDS=300     how long (30; 15 where programs run slowly)
    TEST_RANDOM_SEED=7          which one (a new one each time)

    TEST_RANDOM_SECONDS=300 tests/run test_random
"""

import json
import os
import random
import secrets
import time
from dataclasses import replace

import pytest
from domain import Domain
from domain_model import Object, Span, World
from random_clients import Crowd
from random_footprints import Footprint
from random_operations import (NOT_KEPT, FindById, FindByIds, GetAll, GetHistory, Repeat, Search,
                               Write)
from random_requests import Requests
from seeded import seeded
from stack import SUPPORT, Stack, slow
from store import now_ms

MODEL = SUPPORT / "random-model.json"
SECONDS = float(os.environ.get("TEST_RANDOM_SECONDS", 15 if slow() else 30))
SEED = int(os.environ.get("TEST_RANDOM_SEED", secrets.randbelow(10**9)))
CLIENTS = 20
MAX_SCAN = 60
MAX_LISTED = 5
HISTORY_KEPT = 8
APART_MS = 4  # between two rounds, so that times chosen in between are clearly past
SETTINGS = {"model.file": MODEL, "sync.max_scan": MAX_SCAN, "sync.max_listed": MAX_LISTED,
            "sync.history_kept": HISTORY_KEPT, "sync.redelivery_first_ms": 5000, "sync.redelivery_max_ms": 20000,
            "sync.redelivery_silent_ms": 30000, "log.level": "info"}


@pytest.fixture
def crowd(servers):
    domain = Domain(json.loads(MODEL.read_text()))
    Search.most, GetHistory.kept = MAX_SCAN, HISTORY_KEPT
    with Stack(servers, gateways=2, sync_agents=2, settings=SETTINGS) as stack:
        crowd = Crowd(stack, domain, CLIENTS, random.Random(SEED))
        yield crowd
        crowd.close()


class Run:
    """`chance` makes every choice; `world` is what must be stored now."""

    def __init__(self, crowd):
        self.crowd, self.chance = crowd, crowd.chance
        self.world = World(crowd.members[0].copies.domain, MAX_LISTED)
        self.requests = Requests(self.world, self.chance)
        self.round, self.operations, self.contests = 0, 0, 0
        self.last = now_ms()
        self.repeatable = []  # (member, messageId, operation, its answer)
        self._adopt_people()

    def _adopt_people(self):
        """The logins have made them."""
        answer = self.crowd.ask_one(self.crowd.observer, GetAll(None, "com.test.Person"))
        for person in answer["result"]:
            values = {name: (person[name], Span(0, 0)) for name in ("userId", "first_name")}
            obj = Object(self.world.domain["com.test.Person"], person["ID"], Span(0, 0), values)
            self.world.objects[obj.ref] = obj

    # ---- a round

    def next_round(self):
        self.round += 1
        while now_ms() <= self.last + APART_MS:
            time.sleep(0.001)
        groups = self._choose_groups()
        begun = now_ms()
        flat = [request for group in groups for request in group]
        answers = iter(self.crowd.ask(flat))
        self.last = now_ms()
        now = Span(begun, self.last)
        self.operations += len(flat)
        for group in groups:
            self._check(group, [next(answers) for _ in group], now)
        self.crowd.tell_what_there_is(frozenset(self.world.objects))
        self.crowd.send_receipts()

    def _choose_groups(self):
        """Lists of (member, operation, times); those of two lists leave each other alone."""
        free = self.chance.sample(self.crowd.members, len(self.crowd.members))
        groups, taken = [], Footprint()
        if self.chance.random() < 0.4:
            self._add(groups, taken, self._contest(free))
        while free:
            member = free.pop()
            for _ in range(6):
                group = self._single(member)
                if group and self._add(groups, taken, group):
                    break
        return groups

    def _add(self, groups, taken, group):
        mark = self._footprint(group)
        if not group or mark.interferes(taken):
            return False
        groups.append(group)
        taken.reads |= mark.reads
        taken.writes |= mark.writes
        taken.touches |= mark.touches
        return True

    def _footprint(self, group):
        mark = Footprint()
        for _, operation, _ in group:
            mark |= operation.footprint(self.world)
        return mark

    def _single(self, member):
        if self.repeatable and self.chance.random() < 0.04:
            mine = [entry for entry in self.repeatable if entry[0] is member]
            if mine:
                _, message, operation, answer = self.chance.choice(mine)
                return [(member, Repeat(operation, message, answer), 1)]
        operation = self.requests.any_of(member.user_id)
        return [(member, operation, 2 if self.chance.random() < 0.04 else 1)] if operation else None

    def _contest(self, free):
        count = self.chance.randrange(2, 5)
        kind = self.requests.contest_for_new if self.chance.random() < 0.2 else self.requests.contest
        rivals = [free.pop() for _ in range(count)]
        return [(member, operation, 1) for member, operation
                in zip(rivals, kind([member.user_id for member in rivals])) if operation]

    # ---- what came of it

    def _check(self, group, answers, now):
        if len(group) == 1:
            self._check_single(group[0], *answers[0], now)
        else:
            self.contests += 1
            self._check_contest(group, [said[0] for _, said in answers], now)

    def _check_single(self, request, message, answers, now):
        member, operation, _ = request
        expected = operation.run(self.world, now, answers[0])
        for answer in answers:
            if answer != expected:
                self._fail(f"{operation}\nexpected {expected}\ngot      {answer}")
        if isinstance(operation, Write) and operation.outcome not in NOT_KEPT:
            self.repeatable = [*self.repeatable[-200:], (member, message, operation, expected)]

    def _check_contest(self, group, answers, now):
        open_ = [(operation, answer) for (_, operation, _), answer in zip(group, answers)]
        worlds = self._explain(self.world, open_, now)
        if not worlds:
            self._fail("no order of these explains the answers:\n" + "\n".join(
                f"{operation}\n  got {answer}" for operation, answer in open_))
        self._adopt(worlds, now)

    def _explain(self, world, open_, now):
        """The worlds that there may be after requests that were answered so, in whatever order."""
        if not open_:
            return [world]
        worlds = []
        for i, (operation, answer) in enumerate(open_):
            after = world.copy()
            if operation.run(after, now, answer) == answer:
                worlds += [new for new in self._explain(after, open_[:i] + open_[i + 1:], now)
                           if all(new.objects != known.objects for known in worlds)]
        return worlds

    def _adopt(self, worlds, now):
        """Takes over the world that there is; the observer looks where they differ."""
        refs = {ref: None for world in worlds for ref in world.objects}
        for ref in refs:
            found = [world.objects.get(ref) for world in worlds]
            if any(obj is not found[0] and obj != found[0] for obj in found):
                worlds = self._look(worlds, ref, now)
        world = worlds[0]
        for ref, obj in world.objects.items():
            world.objects[ref] = self._widened(obj, [other.objects[ref] for other in worlds])
        self.world = self.requests.world = world

    def _look(self, worlds, ref, now):
        for look in (FindById, GetHistory):
            operation = look(self.crowd.observer.user_id, *ref)
            answer = self.crowd.ask_one(self.crowd.observer, operation)
            fitting = [w for w in worlds if operation.run(w, now, answer) == answer]
            if not fitting:
                self._fail(f"{operation}\nexpected one of {[operation.run(w, now, answer) for w in worlds]}"
                           f"\ngot      {answer}")
            worlds = fitting
        return worlds

    @staticmethod
    def _widened(obj, others):
        """Where nobody can see when a field was set, it was at any of the times that may be."""
        if all(other is obj for other in others):
            return obj
        fields = dict(obj.fields)
        for other in others:
            for name in {**fields, **other.fields}:
                at = fields[name][1] if name in fields else obj.created
                fields[name] = obj.value(name), at.around(other.set_at(name))
        return replace(obj, fields=fields)

    # ---- the end

    def check_end(self):
        self.crowd.settle()
        for member in self.crowd.everybody:
            self._check_copies(member)
        self._check_stored()
        self.crowd.settle()
        counters, counted = self.crowd.books()
        if (counters, counted) != (0, 0):
            self._fail(f"the books say {counters}, a recount {counted}")
        unsent = sum(gateway.figure("push_receipts_unsent_total")
                     for gateway in self.crowd.stack.gateways)
        if unsent:
            self._fail(f"{unsent} objects had receipts that the gateways know no push for")

    def _check_copies(self, member):
        """What the client was told of is as it is now; of what it watches by class, it was told."""
        copies = member.copies
        for ref, copy in copies.objects.items():
            expected = self.world.find(member.user_id, *ref)
            if copy != (expected.shown() if expected else None):
                self._fail(f"{member.habit} client {member.number} has another copy of {ref}"
                           f"\nexpected {expected and expected.shown()}\nheard    "
                           + "\n         ".join(map(str, copies.heard[ref])))
        for class_name, before in copies.classes.items():
            for obj in self.world.readable(member.user_id, class_name):
                if obj.ref not in before and obj.ref not in copies.objects:
                    self._fail(f"client {member.number} watches {class_name} and never heard of {obj}")

    def _check_stored(self):
        """A fresh look at everything, by each user: objects, lists and indexes."""
        lookers = {member.user_id: member for member in self.crowd.members}
        for user, member in lookers.items():
            for c in self.world.domain.classes.values():
                self._expect(member, GetAll(user, c.name))
                ids = [ref[1] for ref in [*self.world.objects, *self.world.removed] if ref[0] == c.name]
                for start in range(0, len(ids), 200):
                    self._expect(member, FindByIds(user, [(c.name, ids[start:start + 200])]))
        for obj in list(self.world.objects.values()):
            for index in obj.class_.indexes:
                if obj.index_key(index):
                    example = {name: obj.value(name) for name in index.fields}
                    self._expect(member, Search(user, "searchByExample", index.owner, example))

    def _expect(self, member, operation):
        answer = self.crowd.ask_one(member, operation)
        expected = operation.run(self.world, Span(0, 0), answer)
        if answer != expected:
            self._fail(f"in the end: {operation}\nexpected {expected}\ngot      {answer}")

    def summary(self):
        pushes = sum(member.pushes for member in self.crowd.everybody)
        repeats = sum(member.repeats for member in self.crowd.everybody)
        copies = sum(len(member.copies.objects) for member in self.crowd.everybody)
        return (f"{self.operations} requests in {self.round} rounds, {self.contests} quarrels, "
                f"{len(self.world.objects)} objects left with {self._count_listed()} in their lists, "
                f"{len(self.world.removed)} removed, "
                f"{pushes} pushes, {repeats} repeated replies, {copies} copies")

    def _count_listed(self):
        """How often an object stands in a listed field."""
        return sum(len(obj.value(one.name)) for one in self.world.domain.listings
                   for obj in self.world.objects.values() if obj.class_.name in one.owners)

    def _fail(self, what):
        pytest.fail(f"seed {SEED}, round {self.round}: {what}", pytrace=False)


@seeded(TEST_RANDOM_SEED=SEED)
def test_every_answer_and_every_copy_is_as_the_model_says(crowd, capsys):
    with capsys.disabled():
        print(f"\nseed {SEED}, {SECONDS:g} seconds: ", end="", flush=True)
    run = Run(crowd)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        run.next_round()
    ended = time.monotonic()
    run.check_end()
    with capsys.disabled():
        print(f"{run.summary()}; the end took {time.monotonic() - ended:.0f} s", end=" ")
    crowd.stack.check()
