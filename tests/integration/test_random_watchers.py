"""1,000 watched values of 1,000 objects under random writes.

In the end each client holds for each value what a fresh computation in Python says (support/derived.py);
and no value was computed more often than, beside the first time, there were writes that touched what it is
made of, which Python counts, too.

A run prints its seed, which makes the same choices again. These variables choose another run:

    TEST_RANDOM_WRITES=20000    how many writes (1000)
    TEST_RANDOM_SEED=7          which one (a new one each time)
"""

import os
import random
import secrets

import pytest
from client import pair
from derived import targets
from seeded import seeded
from servers import wait_until
from stack import Stack, slow
from store import object_key
from watching import AREA, DERIVED_MODEL, ERRAND, HELPER, PROJECT, TASK, Writer, in_parts, is_value, item

WRITES = int(os.environ.get("TEST_RANDOM_WRITES", 300 if slow() else 1000))
SEED = int(os.environ.get("TEST_RANDOM_SEED", secrets.randbelow(10**9)))
HELPERS, PROJECTS, AREAS, TASKS = 20, 180, 20, 780
VALUES = 1000
NAMES = {PROJECT: [("open", ()), ("long", (3, None)), ("long", (5, True)), ("hours", ()), ("cost", ()),
                   ("mean", ()), ("shortest", ()), ("latest", ()), ("lastTitle", ()), ("firstTitle", ()),
                   ("next", ()), ("leadName", ()), ("helpers", ())],
         AREA: [(name, ()) for name in ("hours", "busiest", "openTasks", "helpers", "firstTitles")]}
SETTINGS = {"model.file": DERIVED_MODEL, "sync.watch_window_ms": 20, "sync.poll_ms": 20,
            "sync.redelivery_first_ms": 1000}


class Watching:
    """A client and what it holds for true: what it was answered, and then what it was told last."""

    def __init__(self, client):
        self.client, self.values = client, {}

    def watch_all(self, keys):
        for some in in_parts(keys):
            messages = [self.client.send_request(
                "getChangeWatcher", classIdPair=pair(*ref), fieldName=name,
                params=list(params) or None) for ref, name, params in some]
            for message in messages:
                answer = self.client.response_to(message)
                assert answer["cn"].endswith("PushCWUpdateResponse"), answer
                self._take(answer)

    def _take(self, frame):
        ref = frame["classIdPair"]["className"], frame["classIdPair"]["ID"]
        self.values[ref, frame["fieldName"], tuple(frame["params"] or ())] = frame["value"]

    def hear(self):
        """Takes what has come, and acknowledges it. Was there anything?"""
        self.client.drain()
        told = [frame for frame in self.client.inbox if is_value(frame)]
        self.client.inbox.clear()
        for frame in told:
            self._take(frame)
        if told:
            self.client.acknowledge(*[(f["classIdPair"]["className"], f["classIdPair"]["ID"])
                                      for f in told])
        return bool(told)


class Inputs:
    """What each value is made of, and how often that was touched."""

    def __init__(self, derived, keys):
        self.derived, self.touched, self.read, self.by_input = derived, {}, {}, {}
        for key in keys:
            self.touched[key] = 0
            self._look(key)

    def _look(self, key):
        (class_name, object_id), name, params = key
        for read in self.read.get(key, ()):
            self.by_input[read].discard(key)
        self.read[key] = self.derived.inputs(class_name, object_id, name, params)
        for read in self.read[key]:
            self.by_input.setdefault(read, set()).add(key)

    def touch(self, inputs):
        found = {key for read in inputs for key in self.by_input.get(read, ())}
        for key in found:
            self.touched[key] += 1
            self._look(key)


class Run:
    def __init__(self, chance, writer):
        self.chance, self.writer, self.objects = chance, writer, {}
        self.inputs = None
        self.made = 0

    def any(self, class_name):
        return self.chance.choice(self.objects[class_name])

    def maybe(self, value):
        return value if self.chance.random() < 0.9 else None

    def field(self, name):
        return self.maybe({
            "title": lambda: self.chance.choice("abcdefghäöü") * self.chance.randrange(1, 3),
            "done": lambda: self.chance.random() < 0.5,
            "hours": lambda: self.chance.choice([self.chance.randrange(10), 2**60, -2**60]),
            "cost": lambda: self.chance.choice([0.1, 0.2, 1e16, -1e16, 7, 1e-9]),
            "due": lambda: self.chance.randrange(1, 10),
            "project": lambda: pair(*self.any(PROJECT)),
            "helpers": lambda: [pair(*self.any(HELPER)) for _ in range(self.chance.randrange(3))],
            "projects": lambda: [pair(*self.any(PROJECT)) for _ in range(self.chance.randrange(6))],
            "lead": lambda: pair(*self.any(HELPER)),
            "name": lambda: self.chance.choice(["Ada", "Ben", "Zoë"])}[name]())

    FIELDS = {HELPER: ["name"], PROJECT: ["name", "lead"], AREA: ["name", "projects"],
              TASK: ["title", "done", "hours", "cost", "due", "project", "helpers"]}
    FIELDS[ERRAND] = FIELDS[TASK]

    def fields(self, class_name, names):
        found = {name: self.field(name) for name in names}
        return {name: [] if value is None and name in ("helpers", "projects") else value
                for name, value in found.items()}

    def _new(self, class_name):
        self.made += 1
        ref = class_name, f"{class_name[-4:].lower()}-{self.made}"
        self.objects.setdefault(TASK if class_name == ERRAND else class_name, []).append(ref)
        return *ref, self.fields(class_name, self.FIELDS[class_name])

    def make_many(self, class_name, count):
        self.writer.make_many([self._new(class_name) for _ in range(count)])

    def make(self, class_name):
        class_name, object_id, fields = self._new(class_name)
        self._change(lambda: self.writer.make(class_name, object_id, **fields),
                     self._born((class_name, object_id), fields))

    def _born(self, ref, fields):
        return {(target, ref[0], name) for name, value in fields.items() for target in targets(value)}

    def _change(self, write, touches):
        write()
        if self.inputs:
            self.inputs.touch(touches)

    def put(self):
        ref = self.any(self.chance.choice([HELPER, PROJECT, AREA] + [TASK] * 7))
        names = self.FIELDS[ref[0]]
        fields = self.fields(ref[0], self.chance.sample(names, self.chance.randrange(1, 3) % len(names) or 1))
        before = self.writer.derived.objects[ref]
        touches = set()
        for name, value in fields.items():
            if before.get(name) != value:
                touches.add((ref, name))
                touches |= {(target, ref[0], name)
                            for target in targets(value) ^ targets(before.get(name))}
        self._change(lambda: self.writer.put(ref, **fields), touches)

    def remove_task(self):
        ref = self.any(TASK)
        self.objects[TASK].remove(ref)
        before = self.writer.derived.objects[ref]
        touches = self._born(ref, before) | {(ref, name) for name in before}
        self._change(lambda: self.writer.remove(ref), touches)

    def write(self):
        self.chance.choices([self.put, lambda: self.make(self.chance.choice([TASK, ERRAND])),
                             self.remove_task], [20, 1, 1])[0]()


@pytest.fixture
def stack(servers):
    with Stack(servers, gateways=2, sync_agents=2, settings=SETTINGS) as stack:
        yield stack


def populate(run):
    for class_name, count in ((HELPER, HELPERS), (PROJECT, PROJECTS), (AREA, AREAS), (TASK, TASKS)):
        run.make_many(class_name, count)


def choose(chance, objects):
    keys = [(ref, name, params) for class_name, names in NAMES.items() for ref in objects[class_name]
            for name, params in names]
    return chance.sample(keys, VALUES)


def is_quiet(redis, watching):
    heard = [client.hear() for client in watching]
    return not (any(heard) or redis.exists("jobs") or redis.exists("values"))


@seeded(TEST_RANDOM_SEED=SEED)
def test_in_the_end_each_value_is_what_it_is_made_of(stack, connect):
    print(f"TEST_RANDOM_SEED={SEED}")
    chance, redis = random.Random(SEED), stack.redis()
    run = Run(chance, Writer(connect(stack.gateways[0], "ada")))
    populate(run)
    keys = choose(chance, run.objects)
    watching = [Watching(connect(stack.gateways[i % 2], user)) for i, user in
                enumerate(("ben", "cleo", "dora", "emil"))]
    for number, client in enumerate(watching):
        client.watch_all(keys[number::len(watching)])
    run.inputs = Inputs(run.writer.derived, keys)
    for number in range(WRITES):
        run.write()
        if number % 50 == 0:
            for client in watching:
                client.hear()
    wait_until(lambda: is_quiet(redis, watching), 60, "everything is told")
    for number, key in enumerate(keys):
        (class_name, object_id), name, params = key
        wanted = run.writer.derived.value(class_name, object_id, name, params)
        assert watching[number % len(watching)].values[key] == wanted, key
        computed = int(redis.hget(object_key(item(*key)), "computed"))
        assert computed <= 1 + run.inputs.touched[key], key
    stack.check()
