"""What the system must do, as plain Python: a model of the store in memory.

    domain = Domain(json.loads(path.read_text()))      # domain.py
    world = World(domain, max_listed=1000)             # objects, tombstones, counters
    outcome = world.put(user, class_name, object_id, {"title": "x"}, at=None, now=Span(t0, t1))

It knows classes with parents, references, removal by spec 5.6, the merge of puts by field (design
section 8), defaults, declared indexes and uniqueness, owners, listed to-many fields, and histories; it
knows nothing of sessions, Redis or the wire. Values are those of JSON, and equal when their JSON texts
are.

When a request was accepted is known only to lie between its sending and its answer, so a time is a
Span of milliseconds. To compare two that overlap raises Ambiguous: whoever makes requests has to make
such as can be judged.

Objects are never changed but replaced, so that copy() of a World is cheap.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from domain import Class, pair, ref_of, text

EVERYONE = ("everyone", "signedIn")


class Ambiguous(Exception):
    """Nobody outside can tell which of two times is the later."""


class Span(NamedTuple):
    lo: int
    hi: int

    def is_before(self, other):
        if self.hi < other.lo:
            return True
        if self.lo >= other.hi:
            return False
        raise Ambiguous(f"{self} and {other}")

    def around(self, other):
        return Span(min(self.lo, other.lo), max(self.hi, other.hi))


# ---- Objects

class State(NamedTuple):
    """One entry of a history."""
    version: int
    time: Span
    user: str
    shown: dict


@dataclass(frozen=True)
class Object:
    """`fields` has what was ever set: name -> (value, Span of the put time)."""

    class_: Class = field(repr=False)
    id: str
    created: Span
    fields: dict
    version: int = 1
    states: tuple = field(default=(), repr=False)

    @property
    def ref(self):
        return self.class_.name, self.id

    def value(self, name):
        return self.fields[name][0] if name in self.fields else self.class_.fields[name].empty

    def set_at(self, name):
        return self.fields[name][1] if name in self.fields else self.created

    def shown(self):
        """As clients see it."""
        return {"cn": self.class_.name, "ID": self.id,
                **{name: self.value(name) for name in self.class_.fields}}

    def refs(self, name):
        """What it refers to by one of its relations."""
        value = self.value(name)
        return [ref_of(one) for one in (value if isinstance(value, list) else [value]) if one]

    def references(self):
        """(field, ref) of all that it refers to."""
        for f in self.class_.fields.values():
            if f.is_relation:
                for ref in self.refs(f.name):
                    yield f, ref

    def index_key(self, index):
        """Its place in an index; None if it has none."""
        values = [self.value(name) for name in index.fields]
        return None if None in values else (index, tuple(map(text, values)))

    def changed(self, values, at, now, user):
        """With new values, and a state more in its history."""
        fields = {**self.fields, **{name: (value, at) for name, value in values.items()}}
        return replace(self, fields=fields, version=self.version + 1).remembered(now, user)

    def remembered(self, now, user):
        if not self.class_.has_history:
            return self
        state = State(self.version, now, user, self.shown())
        return replace(self, states=(state, *self.states))

    def in_one_step(self, before):
        """All that a request has changed since `before` (None: it was made) is one version, and one state,
        of whoever was first."""
        version, kept = (before.version, len(before.states)) if before else (0, 0)
        new = self.states[:len(self.states) - kept]
        states = self.states[len(new):]
        if new:
            states = (new[0]._replace(version=version + 1, user=new[-1].user), *states)
        return replace(self, version=version + 1, states=states)

    def is_as(self, other):
        """Does the other differ in nothing but times?"""
        return self.shown() == other.shown() and self.version == other.version


class Outcome(NamedTuple):
    """How a write ended: as the commit scripts call it, with the object of a create."""
    word: str
    object: Object = None

    @property
    def is_ok(self):
        return self.word in ("ok", "same", "existing")


class World:
    """All objects, the refs of those that were removed, and the integer ids given away.

    A ref is (class name, ID). `user` is the id of who asks.
    """

    def __init__(self, domain, max_listed):
        self.domain, self.max_listed = domain, max_listed
        self.objects, self.removed, self.last_ids = {}, {}, {}

    def copy(self):
        other = World(self.domain, self.max_listed)
        other.objects, other.removed = dict(self.objects), dict(self.removed)
        other.last_ids = dict(self.last_ids)
        return other

    def may(self, user, action, class_name, values):
        """By the rule of the class, for an object of these values."""
        rule = self.domain[class_name].access.get(action, "nobody")
        return rule in EVERYONE or (rule != "nobody" and values.get(rule["owner"]) == user)

    def may_read(self, user, obj):
        return self.may(user, "read", obj.class_.name, obj.shown())

    # ---- writes

    def draft(self, class_name, object_id, given, now):
        """The object that a create asks for."""
        c = self.domain[class_name]
        values = {f.name: f.default for f in c.fields.values() if f.default is not None}
        values |= {name: value for name, value in given.items() if c.fields[name].is_given_by_clients}
        return Object(c, object_id, now, {name: (value, now) for name, value in values.items()
                                          if value is not None})

    def create(self, user, class_name, object_id, given, now):
        """`object_id` None asks for the next integer."""
        new = self.draft(class_name, object_id, given, now)
        values = {name: value for name, (value, _) in new.fields.items()}
        if any(f.required and f.name not in values for f in new.class_.fields.values()):
            return Outcome("incomplete")
        if not self.may(user, "create", class_name, values):
            return Outcome("forbidden")
        if new.ref in self.objects:
            if self.may_read(user, self.objects[new.ref]):
                return Outcome("existing", self.objects[new.ref])
            return Outcome("forbidden")
        if new.ref in self.removed:
            return Outcome("removed")
        if any((name, object_id) in self.objects for name in self.domain.family(class_name)):
            return Outcome("taken")
        if any(ref not in self.objects for _, ref in new.references()):
            return Outcome("reference")
        if self._overfills(new, None):
            return Outcome("full")
        if self._conflicts(new, values):
            return Outcome("unique")
        if object_id is None:
            new = replace(new, id=self.next_id(class_name))
            self.last_ids[class_name] = int(new.id)
        new = new.remembered(now, user)
        before = dict(self.objects)
        self.objects[new.ref] = new
        self._refresh_lists([new], now)
        self._join_steps(before)
        return Outcome("ok", new)

    def next_id(self, class_name):
        return str(self.last_ids.get(class_name, 0) + 1)

    def put(self, user, ref, given, at, now):
        """`at`: Span of the put time."""
        if ref not in self.objects:
            return Outcome("missing")
        old = self.objects[ref]
        if not self.may(user, "update", ref[0], old.shown()):
            return Outcome("forbidden")
        taken, stale = {}, False
        for name, value in given.items():
            if not old.class_.fields[name].is_given_by_clients:
                continue
            value = old.class_.fields[name].empty if value is None else value
            if text(value) == text(old.value(name)):
                continue
            if at.is_before(old.set_at(name)):
                stale = True
            else:
                taken[name] = value
        if not taken:
            return Outcome("stale" if stale else "same")
        new = old.changed(taken, at, now, user)
        if any(f.name in taken and target not in self.objects for f, target in new.references()):
            return Outcome("reference")
        if self._overfills(new, old):
            return Outcome("full")
        if self._conflicts(new, taken):
            return Outcome("unique")
        before = dict(self.objects)
        self.objects[ref] = new
        self._refresh_lists([old, new], now)
        self._join_steps(before)
        return Outcome("ok", new)

    def remove(self, user, ref, now):
        if ref not in self.objects:
            return Outcome("same")
        if not self.may(user, "remove", ref[0], self.objects[ref].shown()):
            return Outcome("forbidden")
        doomed, clears = self.consequences(ref)
        before = dict(self.objects)
        changed = [before[one] for one in (*doomed, *(source for source, _, _ in clears))]
        for gone in doomed:
            del self.objects[gone]
            self.removed[gone] = now
        for source, name, target in clears:
            if source in self.objects:
                self.objects[source] = self._without(self.objects[source], name, target, now)
        self._refresh_lists(changed, now)
        self._join_steps(before)
        return Outcome("ok")

    def _join_steps(self, before):
        for ref, obj in self.objects.items():
            if obj is not before.get(ref):
                self.objects[ref] = obj.in_one_step(before.get(ref))

    def consequences(self, ref):
        """Refs of all that goes with the object, itself first, and (ref, field, target) of what is
        cleared, in the order in which that is done."""
        doomed, clears = [ref], []
        for target in doomed:
            for f, source in self._referring(target):
                if not f.required:
                    clears.append((source, f.name, target))
                elif source not in doomed:
                    doomed.append(source)
        return doomed, clears

    def _referring(self, target):
        found = {(f.name, ":".join(obj.ref)): (f, obj.ref) for obj in self.objects.values()
                 for f, ref in obj.references() if ref == target}
        return [found[key] for key in sorted(found, key=lambda key: "\n".join(key).encode())]

    @staticmethod
    def _without(obj, name, target, now):
        value = obj.value(name)
        left = [one for one in value if ref_of(one) != target] if isinstance(value, list) else None
        return obj.changed({name: left}, now, now, None)

    def _conflicts(self, new, changed):
        for index in new.class_.indexes:
            key = new.index_key(index)
            if index.unique and key and any(name in changed for name in index.fields):
                if any(other.ref != new.ref for other in self.holders(key)):
                    return True
        return False

    # ---- listed to-many fields

    def _sources(self, listing, owner):
        return [obj for obj in self.objects.values()
                if obj.class_.name in listing.sources and owner in obj.refs(listing.inverse)]

    def _members(self, listing, owner):
        """The value of the field."""
        sources = self._sources(listing, owner)
        found = {obj.ref for obj in sources}
        if listing.onward:
            found = {ref for obj in sources for ref in obj.refs(listing.onward)
                     if ref[0] in listing.members}
        return [pair(ref) for ref in sorted(found, key=lambda ref: "\n".join(ref).encode())]

    def _overfills(self, new, old):
        """Does it refer to something that it did not, and that has as many as it may list?"""
        for listing in self.domain.listings:
            if new.class_.name in listing.sources:
                before = old.refs(listing.inverse) if old else []
                for owner in new.refs(listing.inverse):
                    if (owner not in before and owner[0] in listing.owners
                            and len(self._sources(listing, owner)) >= self.max_listed):
                        return True
        return False

    def _refresh_lists(self, changed, now):
        """Of all that these referred to, or now do, by the server."""
        for owner in {ref: None for obj in changed for _, ref in obj.references()}:
            lists = self._other_lists(owner) if owner in self.objects else None
            if lists:
                self.objects[owner] = self.objects[owner].changed(lists, now, now, None)

    def _other_lists(self, owner):
        """Those of its listed fields that must now have other values."""
        lists = ((one.name, self._members(one, owner)) for one in self.domain.listings
                 if owner[0] in one.owners)
        return {name: value for name, value in lists if value != self.objects[owner].value(name)}

    # ---- reads

    def holders(self, key):
        """The objects that have a place in an index."""
        index = key[0]
        return [obj for obj in self.of_class(index.owner) if obj.index_key(index) == key]

    def of_class(self, class_name):
        """The objects of a class and its descendants, in the order of their ids."""
        c = self.domain[class_name]
        found = [obj for obj in self.objects.values() if class_name in obj.class_.lineage]
        return sorted(found, key=lambda obj: c.order(obj.id, obj.class_.name))

    def readable(self, user, class_name):
        return [obj for obj in self.of_class(class_name) if self.may_read(user, obj)]

    def live(self, class_name, object_id):
        """The object, asked for by its class or a parent of it; None if there is none."""
        for name in self.domain[class_name].concrete:
            if (name, object_id) in self.objects:
                return self.objects[name, object_id]
        return None

    def find(self, user, class_name, object_id):
        obj = self.live(class_name, object_id)
        return obj if obj and self.may_read(user, obj) else None

    def search(self, user, class_name, example, most):
        """What has all values that the example gives; None if more than `most` objects would have
        to be looked through."""
        c = self.domain[class_name]
        given = {name: text(value) for name, value in example.items()
                 if not _is_open(c.fields[name], value)}
        fitting = [index for index in c.indexes if set(index.fields) <= set(given)]
        if fitting:
            best = max(fitting, key=lambda index: len(index.fields))
            key = best, tuple(given[name] for name in best.fields)
            walked, bounded = self.holders(key), len(best.fields) < len(given)
        else:
            walked, bounded = self.of_class(class_name), True
        if bounded and len(walked) > most:
            return None
        return [obj for obj in walked
                if class_name in obj.class_.lineage and self.may_read(user, obj)
                and all(name in obj.fields and text(obj.value(name)) == value
                        for name, value in given.items())]


def _is_open(f, value):
    """Does an example say nothing by this?"""
    if value is None or (f.type == "date" and value <= 0):
        return True
    if f.type == "string":
        return not value.strip()
    return f.type in ("list", "toMany") and not value
