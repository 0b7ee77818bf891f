"""Views of an object's children under random writes: each equals a fresh sort, whenever it was built.

The classes are those of support/children-model.json; see test_views.py. TEST_RANDOM_SEED=7 makes the same
writes again.
"""

import os
import random
import secrets

import pytest
from asking import put, remove
from client import pair
from relations import wait_for_jobs
from seeded import seeded
from stack import CHILDREN_MODEL
from store import object_key
from views import Views, log_id, pairs, split

SEED = int(os.environ.get("TEST_RANDOM_SEED", secrets.randbelow(10**9)))
KINDS = {"Shelf": ("plain", "back", "mixed", "worst"), "Tree": ("plain", "count"), "Grove": ("weight",),
         "Club": ("plain", "count"), "Log": ("newest", "text")}
TEXTS = [None, "", "a", "b", "ab", "é", "😀", "￿", 'q"\\', "a\u0000", "x" * 600, "x" * 600 + "y"]


class Chance:
    """Writes of all kinds to a few objects, none of which other tests know."""

    def __init__(self, views, new_id, seed):
        self.random, self.views, self.ada = random.Random(seed), views, views.client
        base = log_id(views.redis) * 1000
        self.log = base
        self.parents = [f"{kind}:{base if kind == 'Log' else new_id(kind)}{'' if n == 0 else n}"
                        for kind in KINDS for n in range(3)]
        self.children = [f"{kind}:{new_id(kind)}" for kind in ("Leaf", "Needle") for _ in range(6)]
        self.children += [f"Fruit:{base + n}" for n in range(6)]
        self.tickets = [f"Ticket:{new_id('ticket')}" for _ in range(8)]
        for ref in self.parents + self.children + self.tickets:
            views.add(ref)

    def some(self, refs):
        return self.random.sample(refs, self.random.randint(0, min(4, len(refs))))

    def one(self, refs):
        return self.random.choice([*refs, None])

    def of(self, *kinds):
        return [r for r in self.parents + self.children if r.split(":")[0] in kinds]

    def relation(self, refs):
        ref = self.one(refs)
        return ref and pair(*split(ref))

    def fields(self, ref):
        """Random values of some fields."""
        r, kind = self.random, ref.split(":")[0]
        number = r.choice([None, 0, 1, -1, 10, 2**53 + 1, 2**53, -2**63, 2**63 - 1])
        fields = {"count": number, "tree": self.relation(self.of("Tree"))}
        if kind == "Fruit":
            fields["label"] = r.choice(TEXTS)
        else:
            fields.update(name=r.choice(TEXTS), remark=r.choice(TEXTS), state=r.choice(
                [None, "green", "ripe", "rotten", "gone"]), ripe=r.choice([None, True, False]),
                weight=r.choice([None, 0, -0.5, 1e300, 0.1, 1, 1.0]), day=r.choice([None, 1, 5]),
                trees=pairs(*self.some(self.of("Grove"))))
        return {name: fields[name] for name in r.sample(list(fields), r.randint(1, 3))}

    def change(self, ref):
        self.views.add(ref, **self.fields(ref))

    def put(self):
        ref = self.random.choice(self.children)
        put(self.ada, *split(ref), **self.fields(ref))

    def fill(self):
        self.views.add(self.random.choice(self.of("Shelf")), things=pairs(*self.some(self.children)))

    def issue(self):
        """Each of these puts may lead to an object that is not there; then it is refused."""
        fields = {"club": self.relation(self.of("Club")), "member": self.relation(self.children)}
        some = self.random.sample(list(fields), self.random.randint(1, 2))
        put(self.ada, *split(self.random.choice(self.tickets)), **{f: fields[f] for f in some})

    def write_line(self):
        log = self.random.choice(self.of("Log")).split(":")[1]
        ref = f"Line:[{log},{self.random.randint(1, 12)}]"
        if self.random.random() < 0.4:
            remove(self.ada, *split(ref))
        elif not self.views.redis.exists(object_key("com.kin." + ref)):
            self.views.add(ref, text=self.random.choice(TEXTS), day=self.random.choice([None, 1, 2]))

    def vanish(self):
        ref = self.random.choice(self.children + self.tickets + self.parents)
        remove(self.ada, *split(ref))

    def appear(self):
        ref = self.random.choice(self.children + self.tickets + self.parents)
        answer = self.views.operator.ask("importObjects", {"objects": [
            {"cn": split(ref)[0], "ID": split(ref)[1]}]})
        assert answer["refused"] == []

    def look(self):
        """Has a view built, if it is not."""
        ref = self.random.choice(self.parents)
        view = self.random.choice(KINDS[ref.split(":")[0]])
        self.views.page(ref, view)

    def step(self):
        action = self.random.choices(
            [self.put, self.fill, self.issue, self.write_line, self.vanish, self.appear, self.look],
            [30, 10, 20, 15, 5, 10, 10])[0]
        action()


@pytest.fixture
def new_views(new_stack, connect):
    """Of a store without other objects, since all of them are sorted again and again."""
    made = []

    def make(**settings):
        stack = new_stack(sync_agents=2, settings={"model.file": CHILDREN_MODEL, **settings})
        made.append(Views(stack, connect(stack.gateways[0], "ada")))
        return made[-1]

    yield make
    for views in made:
        views.close()


@pytest.mark.parametrize("seed", [1, SEED], ids=["known", "random"])
def test_views_equal_a_fresh_sort_after_every_write(new_views, new_id, seed):
    with seeded(TEST_RANDOM_SEED=seed):
        write_and_sort(new_views(), new_id, seed)


def write_and_sort(views, new_id, seed):
    chance = Chance(views, new_id, seed)
    for _ in range(150):
        chance.step()
        wait_for_jobs(views.redis)
        assert views.built(views.objects()) == []
    for ref in chance.parents:
        if views.redis.hexists(object_key("com.kin." + ref), "@c"):
            for view in KINDS[ref.split(":")[0]]:
                views.check(ref, view)


@seeded(TEST_RANDOM_SEED=SEED)
def test_views_that_are_built_in_the_middle_of_writes_miss_nothing(new_views, new_id):
    """One child is placed at a time, so writes come between."""
    views = new_views(**{"sync.view_batch": 1})
    for number in range(4):
        chance = Chance(views, new_id, SEED + number)
        chance.look = chance.put
        for _ in range(60):
            chance.step()
        asked = [views.send(ref, view) for ref in chance.parents for view in KINDS[ref.split(":")[0]]]
        for _ in range(40):
            chance.step()
        for request in asked:
            assert views.receive(request)["status"] in (200, 404)
        wait_for_jobs(views.redis)
        objects = views.objects()
        assert views.built(objects) == []
    assert len(views.redis.keys("{o:*}:vs")) > 20
