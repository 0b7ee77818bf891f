"""Random requests for a World: what clients may send next.

    requests = Requests(world, random.Random(seed))
    operation = requests.any_of(user)          # whatever it comes to
    group = requests.contest(users)            # several that quarrel over one object

All chance comes from the generator that is given, so a seed gives the same requests again, as far as
the answers are the same. Values come from small sets, so that they often equal each other.
"""

from domain import pair
from random_operations import (FUTURE_MS, CountAll, Create, FindById, FindByIds, GetAccessor, GetAll,
                               GetHistory, Put, Remove, Search)

OBJECTS = 300            # about so many are kept
TAILS = ("", "", "", "-ä€😀", ":x", '"q"', "\\b", " z", "/{x}", "%1")   # of ids
STRINGS = ("red", "green", "blue", "", "ä\"\\\n", "grey", "a longer text, with commas", "0")
JSONS = (1, "x", [], {}, [1, {"a": None}], {"b": [True, 1.5]}, False)


class Requests:
    def __init__(self, world, chance):
        self.world, self.chance = world, chance
        self.made = 0
        self.kinds = [
            (16, self.create), (26, self.put), (6, self.remove), (12, self.find), (5, self.find_many),
            (10, self.search), (4, self.get_all), (2, self.count_all), (4, self.accessor),
            (4, self.history)]

    @property
    def domain(self):
        return self.world.domain

    def any_of(self, user):
        """One request; None if the one that was drawn is not possible now."""
        weights, makers = zip(*self.kinds)
        return self.chance.choices(makers, weights)[0](user)

    def contest(self, users):
        """A request for each of the users, all about one object, most of them writes."""
        ref = self.some_ref()
        if ref is None:
            return []
        makers = [self._contested_put, self._contested_put, self._contested_put, self._contested_find,
                  self._contested_reference]
        if self.chance.random() < 0.3:
            makers.append(lambda user, ref: Remove(user, ref))
        return [self.chance.choice(makers)(user, ref) for user in users]

    def contest_for_new(self, users):
        """The same new object, made by several."""
        class_name = self.concrete()
        object_id = self.new_id(class_name)
        group = []
        for user in users:
            given = self.values(class_name, creating=True, user=user)
            group.append(Create(user, class_name, object_id, given))
        return group

    # ---- what there is

    def ref_of_any(self, class_name):
        """Of an object of the class or a descendant; None if there is none."""
        found = [ref for ref, obj in self.world.objects.items() if class_name in obj.class_.lineage]
        return self.chance.choice(found) if found else None

    def some_ref(self):
        # Half of the requests are about a few objects, so that those have many watchers.
        refs = [ref for ref in self.world.objects if self.domain[ref[0]].access.get("update")]
        if not refs:
            return None
        return self.chance.choice(refs[:20] if self.chance.random() < 0.5 else refs)

    def lost_ref(self, class_name):
        """Of what was removed, or of what never was."""
        removed = [ref for ref in self.world.removed if ref[0] == class_name]
        if removed and self.chance.random() < 0.7:
            return self.chance.choice(removed)
        return class_name, "987654321" if self.domain[class_name].has_integer_ids else "missing"

    def any_ref(self, class_name):
        """To ask for: it may exist or not."""
        ref = self.ref_of_any(class_name) if self.chance.random() < 0.9 else None
        return ref or self.lost_ref(self.chance.choice(self.domain[class_name].concrete))

    def concrete(self):
        return self.chance.choice([c.name for c in self.domain.classes.values()
                                   if not c.abstract and c.access.get("create")])

    def any_class(self):
        return self.chance.choice(list(self.domain.classes))

    def new_id(self, class_name):
        """None for classes whose ids the server makes, and now and then for others."""
        if self.domain[class_name].has_integer_ids or self.chance.random() < 0.1:
            return None
        self.made += 1
        short = class_name.rsplit(".", 1)[1].lower()
        return f"{short}-{self.made}{self.chance.choice(TAILS)}"

    # ---- values

    def values(self, class_name, creating, user):
        """For a create all that is required, and some of the rest; for a put some."""
        given = {}
        for f in self.domain[class_name].fields.values():
            if (creating and f.required) or self.chance.random() < (0.5 if creating else 0.35):
                if f.name == "writer" and not creating:
                    continue  # who loses the right to an object is told in a later version
                given[f.name] = user if f.name == "writer" else self.value(f)
        return given

    def value(self, f):
        roll = self.chance.random()
        if roll < 0.01:
            return self.wrong_value(f)
        if roll < 0.10 and not f.required:
            return None
        if f.type == "toOne":
            return self.pair(f)
        if f.type in ("list", "toMany"):
            pairs = [self.pair(f) for _ in range(self.chance.randrange(4))]
            return [one for one in pairs if one]
        return self.plain_value(f)

    def plain_value(self, f):
        if f.values:
            return self.chance.choice(f.values)
        if f.name in ("name", "code"):
            return f"{f.name} {self.chance.randrange(80)}"
        return {"string": lambda: self.chance.choice(STRINGS),
                "integer": lambda: self.chance.choice((-1, 0, 7, 2**63 - 1, self.chance.randrange(9))),
                "date": lambda: self.chance.choice((1, 86400000, 1700000000000)),
                "double": lambda: self.chance.choice((0.5, -1.25, 2.0, 1e30)),
                "boolean": lambda: self.chance.random() < 0.5,
                "json": lambda: self.chance.choice(JSONS)}[f.type]()

    def pair(self, f):
        """To what may stand there, or, rarely, to what is not there any more."""
        targets = [t for t in self.domain.targets(f) if self.ref_of_any(t)]
        if self.chance.random() < 0.04:
            return pair(self.lost_ref(self.chance.choice(self.domain.targets(f))))
        if not targets:
            return None
        return pair(self.ref_of_any(self.chance.choice(targets)))

    def wrong_value(self, f):
        if f.is_relation:
            return self.chance.choice(("text", {"className": "com.test.Diary", "ID": "1"}))
        return {"string": 5, "integer": 1.5, "date": "today", "double": "1", "boolean": 0,
                "json": None}.get(f.type)

    # ---- times of puts

    def put_time(self, ref, given, now_ms):
        """None, too late, too early, or close to when one of the fields was set; always such that
        everybody can tell what is newer."""
        obj = self.world.objects.get(ref)
        kind = self.chance.choice(("none", "none", "none", "none", "late", "zero", "old", "before", "at"))
        name = self.chance.choice(sorted(given)) if given else None
        if kind == "none" or obj is None or name is None:
            return None
        time = {"late": now_ms + FUTURE_MS, "zero": 0, "old": obj.created.lo - 1,
                "before": obj.set_at(name).lo - 1, "at": obj.set_at(name).hi}[kind]
        return time if self.is_clear(obj, given, time) else None

    @staticmethod
    def is_clear(obj, given, time):
        spans = [obj.set_at(name) for name in given if name in obj.class_.fields]
        return all(time < span.lo or time >= span.hi for span in spans)

    def now_ms(self):
        return max((obj.created.hi for obj in self.world.objects.values()), default=0)

    # ---- requests

    def create(self, user):
        class_name = self.concrete()
        object_id = self.new_id(class_name)
        if len(self.world.objects) > OBJECTS and self.chance.random() < 0.8:
            return None
        if self.chance.random() < 0.06:
            object_id = self.any_ref(class_name)[1]
        given = self.values(class_name, creating=True, user=user)
        if given and self.chance.random() < 0.03:
            given.pop(self.chance.choice(sorted(given)))
        return Create(user, class_name, object_id, given)

    def put(self, user):
        ref = self.some_ref() if self.chance.random() < 0.97 else self.lost_ref(self.concrete())
        if ref is None:
            return None
        given = self.values(ref[0], creating=False, user=user)
        return Put(user, ref, given, self.put_time(ref, given, self.now_ms()))

    def remove(self, user):
        class_name = self.concrete()
        if self.chance.random() < 0.1:
            return Remove(user, self.lost_ref(class_name))
        ref = self.ref_of_any(class_name)
        # What much depends on goes rarely.
        if ref and len(self.world.consequences(ref)[0]) > 6 and self.chance.random() < 0.8:
            return None
        return Remove(user, ref, self.chance.choice(self.domain[ref[0]].lineage)) if ref else None

    def find(self, user):
        class_name = self.any_class()
        return FindById(user, class_name, self.any_ref(class_name)[1])

    def find_many(self, user):
        groups = []
        for _ in range(self.chance.randrange(1, 4)):
            class_name = self.any_class()
            groups.append((class_name, [self.any_ref(class_name)[1]
                                        for _ in range(self.chance.randrange(6))]))
        return FindByIds(user, groups)

    def search(self, user):
        class_name = self.any_class()
        name = self.chance.choice(("findByExample", "searchByExample", "findUnique"))
        pattern = self.ref_of_any(class_name)
        fields = [f for f in self.domain[class_name].fields.values() if f.type != "toMany"]
        asked = self.chance.sample(fields, self.chance.randrange(min(3, len(fields)) + 1))
        example = {}
        for f in asked:
            known = self.world.objects[pattern] if pattern else None
            if known and f.name in known.class_.fields and self.chance.random() < 0.8:
                example[f.name] = known.value(f.name)
            elif not f.read_only:
                example[f.name] = self.example_value(f)
        object_id = self.any_ref(class_name)[1] if self.chance.random() < 0.3 else None
        return Search(user, name, class_name, example, object_id)

    def example_value(self, f):
        if f.type == "toOne":
            return self.pair(f)
        return [] if f.type == "list" else self.plain_value(f)

    def get_all(self, user):
        size = self.chance.choice((None, 0, -3, 1, 7, 50, 2**40))
        return GetAll(user, self.any_class(), size, self.chance.choice((None, 0, 0, 1, 5, 1000)),
                      self.chance.choice((None, True, False)))

    def count_all(self, user):
        return CountAll(user, [self.any_class() for _ in range(self.chance.randrange(4))])

    def accessor(self, user):
        class_name = self.any_class()
        return GetAccessor(user, class_name, self.any_ref(class_name)[1], self.chance.random() < 0.5)

    def history(self, user):
        class_name = self.any_class()
        return GetHistory(user, class_name, self.any_ref(class_name)[1])

    # ---- requests that quarrel

    def _contested_put(self, user, ref):
        return self._timed_put(user, ref, self.values(ref[0], creating=False, user=user))

    def _timed_put(self, user, ref, given):
        """With a time of the past, so that the order of arrival decides as little as possible."""
        obj = self.world.objects[ref]
        latest = max((obj.set_at(name).hi for name in given if name in obj.class_.fields),
                     default=obj.created.hi)
        time = latest + self.chance.choice((-1, 0, 0, 1, 2, 3))
        return Put(user, ref, given, time if self.is_clear(obj, given, time) else latest)

    def _contested_find(self, user, ref):
        return self.chance.choice((FindById(user, *ref), FindByIds(user, [(ref[0], [ref[1]])])))

    def _contested_reference(self, user, ref):
        """A new object that refers to it, or another one that is made to."""
        sources = [(c.name, f) for c in self.domain.classes.values() if not c.abstract
                   for f in c.fields.values()
                   if f.is_relation and ref[0] in self.domain.targets(f) and c.access.get("create")]
        if not sources:
            return self._contested_find(user, ref)
        class_name, f = self.chance.choice(sources)
        reference = {f.name: [pair(ref)] if f.type == "list" else pair(ref)}
        source = self.ref_of_any(class_name)
        if source and self.chance.random() < 0.4:
            return self._timed_put(user, source, reference)
        given = self.values(class_name, creating=True, user=user) | reference
        return Create(user, class_name, self.new_id(class_name), given)
