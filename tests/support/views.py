"""Views of the domain of children-model.json: what they should show, sorted anew from the store, and
what get_children says of them.

    views = Views(stack, client)           # the client's session asks, by messages of the broker
    views.add("Shelf", "s1", things=["Leaf:l1", "Fruit:2"])
    views.page("Shelf:s1", "plain", 1)     # the frame that answers
    views.shown("Shelf:s1", "plain")       # refs, over all pages
    views.expected("Shelf:s1", "plain")    # the same from the objects

Refs are "<class without its package>:<ID>".
"""

import itertools

import redis
from by_hand import Operator
from client import pair
from servers import json
from stack import CHILDREN_MODEL
from store import object_key

PACKAGE = "com.kin."
LONG = 512  # bytes of a text that count


def full(name):
    return PACKAGE + name


def split(ref):
    """Full class name and ID."""
    name, object_id = ref.split(":", 1)
    return full(name), object_id


def full_ref(ref):
    return PACKAGE + ref


def pairs(*refs):
    return [pair(*split(ref)) for ref in refs]


# ---- The model

class Domain:
    """The classes with what they inherit."""

    def __init__(self, path=CHILDREN_MODEL):
        self.rows = json.loads(path.read_text())["classes"]

    def lineage(self, name):
        while name:
            yield name
            name = self.rows[name].get("parent")

    def inherited(self, name, member):
        return next((self.rows[n][member] for n in self.lineage(name) if member in self.rows[n]), None)

    def fields(self, name):
        found = {}
        for n in reversed(list(self.lineage(name))):
            found.update(self.rows[n]["fields"])
        return found

    def is_a(self, name, ancestors):
        return any(n in ancestors for n in self.lineage(name))

    def by_type(self, class_type):
        return next(n for n in self.rows if self.rows[n].get("type") == class_type)

    def id_kind(self, name):
        return self.inherited(name, "id") or "string"

    def key(self, ref):
        """As frames have it."""
        name, object_id = ref.split(":", 1)
        value = object_id if self.id_kind(name) == "string" else json.loads(object_id)
        return {"type": self.rows[name]["type"], "id": value}

    def ref(self, key):
        name = self.by_type(key["type"])
        value = key["id"]
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"),
                                                               ensure_ascii=False)
        return f"{name}:{text}"


# ---- A sort of our own

class Last:
    """Behind everything, in every direction."""

    def __lt__(self, _):
        return False

    def __gt__(self, other):
        return not isinstance(other, Last)

    def __eq__(self, other):
        return isinstance(other, Last)


class Backwards:
    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return not isinstance(other, Last) and other.value < self.value \
            if isinstance(other, Backwards) else True

    def __eq__(self, other):
        return isinstance(other, Backwards) and self.value == other.value


def sort_value(order, kind, text):
    value = None if text is None else json.loads(text)
    if value is None:
        return (1, 0)
    if "ranks" in order:
        if value not in order["ranks"]:
            return (1, 0)
        value = order["ranks"].index(value)
    elif kind == "string":
        value = value.encode()[:LONG]
    elif kind == "double":
        value = float(value)
    return (0, Backwards(value) if order.get("descending") else value)


def id_value(kind, object_id):
    if kind == "string":
        return object_id.encode()
    if kind == "integer":
        return int(object_id)
    return [(1, i.encode()[:LONG]) if isinstance(i, str) else (0, i) for i in json.loads(object_id)]


class Objects:
    """All objects of the store, at one moment."""

    def __init__(self, domain, redis):
        self.domain = domain
        self.texts = {}
        keys = [k for k in redis.scan_iter("{o:com.kin.*}", count=10000) if k.endswith("}")]
        pipe = redis.pipeline()
        for key in keys:
            pipe.hgetall(key)
        for key, fields in zip(keys, pipe.execute()):
            if "@c" in fields:
                self.texts[key[3:-1]] = {n: v.split(" ", 2)[2] for n, v in fields.items()
                                         if n[0] != "@"}

    def refs(self, ref, field):
        """What it refers to."""
        value = json.loads(self.texts.get(ref, {}).get(field, "null"))
        values = [value] if isinstance(value, dict) else value or []
        return {f"{p['className']}:{p['ID']}" for p in values}

    def of(self, *classes):
        return [r for r in self.texts if self.domain.is_a(r.split(":", 1)[0], classes)]

    def children(self, parent):
        """Refs of all children, in no order."""
        name, parent_id = parent.split(":", 1)
        relation = self.domain.fields(name)[self.domain.inherited(name, "children")["relation"]]
        targets = relation["target"] if isinstance(relation["target"], list) else [relation["target"]]
        members = self.of(*targets)
        if relation["type"] == "list":
            linked = self.refs(parent, self.domain.inherited(name, "children")["relation"])
        elif relation["inverse"] == "ID":
            first = int(parent_id) if self.domain.id_kind(name) == "integer" else parent_id
            linked = {m for m in members if json.loads(m.split(":", 1)[1])[0] == first}
        elif "through" in relation:
            linked = set().union(*(self.refs(j, relation["onward"]) for j in self.of(relation["through"])
                                   if parent in self.refs(j, relation["inverse"])))
        else:
            linked = {m for m in members if parent in self.refs(m, relation["inverse"])}
        return [m for m in members if m in linked]

    def sort_key(self, orders, ref):
        name, object_id = ref.split(":", 1)
        fields, values = self.domain.fields(name), []
        for order in orders:
            by = [order["by"]] if isinstance(order["by"], str) else order["by"]
            field = next((f for f in by if f in fields), None)
            values.append(sort_value(order, fields[field]["type"] if field else None,
                                     self.texts[ref].get(field)))
        return (*values, name.encode(), id_value(self.domain.id_kind(name), object_id))

    def view(self, parent, view):
        orders = self.domain.inherited(parent.split(":", 1)[0], "children")["views"][view]["order"]
        return sorted(self.children(parent), key=lambda ref: self.sort_key(orders, ref))

    def summary(self, ref):
        name, _ = ref.split(":", 1)
        shown, fields = {"key": self.domain.key(ref)}, self.domain.fields(name)
        for field in self.domain.inherited(name, "summary") or []:
            value = json.loads(self.texts[ref].get(field, "null"))
            if fields[field]["type"] == "toOne" and value:
                value = {"key": self.domain.key(f"{value['className']}:{value['ID']}")}
            shown[field] = value
        return shown


# ---- What is stored, and what is said

class Views:
    def __init__(self, stack, client):
        self.stack, self.redis, self.client = stack, stack.redis(), client
        self.bytes = redis.Redis.from_url(stack.redis_url)  # sort keys are no text
        self.operator = Operator(stack)
        self.domain = Domain()
        self._ids = itertools.count(1)

    def close(self):
        self.operator.connection.close()

    # ---- writes that nobody's rights stand against

    def add(self, ref, **fields):
        """Makes an object, or sets fields of it, as an import."""
        name, object_id = split(ref)
        answer = self.operator.ask("importObjects", {"objects": [
            {"cn": name, "ID": object_id, **fields}]})
        assert answer["refused"] == [], answer

    # ---- reads

    def send(self, ref, view, page=1, ver=None):
        """Asks for a page, for whose answer receive() waits."""
        request_id = f"g{next(self._ids)}"
        frame = {"type": "request", "id": request_id, "cls": "get_children", "data": {
            "key": self.domain.key(full_ref(ref)), "view": view, "page": page, "ver": ver}}
        return self.operator.send("get_children", frame, message_id=request_id, headers={
            "client": self.client.client_id, "user": self.client.user_id, "dialect": "content"})

    def receive(self, sent):
        """The frame that answers."""
        return self.operator.receive(sent)

    def page(self, ref, view, page=1, ver=None):
        return self.receive(self.send(ref, view, page, ver))

    def pages(self, ref, view):
        """All summaries."""
        summaries = []
        for number in itertools.count(1):
            answer = self.page(ref, view, number)
            assert answer["status"] == 200, answer
            data = answer["data"]
            assert data["size"] == len(data["page"])
            summaries += data["page"]
            if len(summaries) >= data["total"]:
                assert len(summaries) == data["total"]
                return summaries

    def shown(self, ref, view):
        return [self.domain.ref(s["key"])[len(PACKAGE):] for s in self.pages(ref, view)]

    def objects(self):
        return Objects(self.domain, self.redis)

    def expected(self, ref, view):
        return [r[len(PACKAGE):] for r in self.objects().view(full_ref(ref), view)]

    def check(self, ref, view):
        """The pages show what the objects say; returns the refs."""
        objects = self.objects()
        expected = objects.view(full_ref(ref), view)
        assert self.pages(ref, view) == [objects.summary(r) for r in expected]
        return [r[len(PACKAGE):] for r in expected]

    # ---- what is kept

    def built(self, objects):
        """What is wrong in the store: of each view that is built, the refs in it against a sort of
        `objects`, and at each child where it stands."""
        problems, standing = [], {}
        for key in self.redis.scan_iter("{o:*}:vs", count=10000):
            parent = key[3:key.index("}:vs")]
            for view in self.redis.hgetall(key):
                if self.redis.hexists(object_key(parent, ":va"), view):
                    continue
                members = [m.rsplit(b"\0", 1)
                           for m in self.bytes.zrange(object_key(parent, ":v:" + view), 0, -1)]
                refs = [ref.decode() for _, ref in members]
                expected = objects.view(parent, view) if view else sorted(objects.children(parent))
                if (refs if view else sorted(refs)) != expected:
                    problems.append((parent, view, refs, expected))
                for sort_key, ref in members:
                    standing.setdefault(ref.decode(), {})[f"{parent}\n{view}"] = sort_key
        return problems + self._wrongly_standing(objects, standing)

    def _wrongly_standing(self, objects, standing):
        problems = []
        for ref, places in standing.items():
            stored = {place.decode(): entry.split(b" ", 1)[1]
                      for place, entry in self.bytes.hgetall(object_key(ref, ":in")).items()}
            problems += [(ref, place) for place, key in places.items() if stored.get(place) != key]
        return problems


def log_id(redis):
    return redis.incr("test:logs")
