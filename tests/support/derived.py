"""Derived values computed afresh, in memory: what watchers of a model are by their words in
deploy/example/README.md, for tests that compare.

    derived = Derived(json.loads(MODEL.read_text()))
    derived.put("com.test.Task", "t1", project={"className": ..., "ID": ...}, hours=3)
    derived.value("com.test.Project", "p1", "hours")
    derived.inputs("com.test.Project", "p1", "hours")   # what a change of may change the value

It knows as much of models as support/derived-model.json needs, and reads with the rights of all.
"""

from fractions import Fraction
from functools import cmp_to_key


class Derived:
    def __init__(self, model):
        self.classes = model["classes"]
        self.objects = {}    # (class, id) -> field -> value
        self.referring = {}  # (class, id) -> (class, id) -> fields by which that one refers to it

    # ---- What is stored

    def put(self, class_name, object_id, **fields):
        ref = class_name, object_id
        before = self.objects.setdefault(ref, {})
        for name, value in fields.items():
            for target in targets(before.get(name)):
                self.referring[target][ref].discard(name)
            for target in targets(value):
                self.referring.setdefault(target, {}).setdefault(ref, set()).add(name)
            before[name] = value

    def remove(self, class_name, object_id):
        """The object, and what refers to it: nothing of the model is required."""
        ref = class_name, object_id
        for other, names in self.referring.pop(ref, {}).items():
            for name in names:
                value = self.objects[other][name]
                self.objects[other][name] = (
                    [v for v in value if _ref(v) != ref] if isinstance(value, list) else None)
        self.put(class_name, object_id, **dict.fromkeys(self.objects[ref]))
        del self.objects[ref]

    def field(self, class_name, name):
        while class_name:
            declared = self.classes[class_name]
            if name in declared["fields"]:
                return declared["fields"][name]
            class_name = declared.get("parent")
        return None

    def watcher(self, class_name, name):
        return self.classes[class_name].get("watchers", {}).get(name)

    def is_a(self, class_name, ancestor):
        while class_name and class_name != ancestor:
            class_name = self.classes[class_name].get("parent")
        return class_name == ancestor

    # ---- Values

    def value(self, class_name, object_id, name, params=()):
        return self._compute((class_name, object_id), name, params, set())

    def inputs(self, class_name, object_id, name, params=()):
        """(ref, field) that were read, and (ref, class, field) for what refers to an object."""
        read = set()
        self._compute((class_name, object_id), name, params, read)
        return read

    def _compute(self, ref, name, params, read):
        if ref not in self.objects:
            return None
        watcher = self.watcher(ref[0], name)
        reached = [ref]
        for step in watcher["of"]:
            reached = sorted({r for at in reached for r in self._step(at, step, read)})
        self._see(reached, watcher, read)
        reached = [r for r in reached if self._holds(r, watcher.get("where", ()), params, read)]
        return self._total(watcher, self._ranked(reached, watcher, read), read)

    def _see(self, reached, watcher, read):
        """Everything that is needed of an object is read at once, before it is known whether it counts."""
        names = {condition["field"] for condition in watcher.get("where", ())}
        names |= {order["by"] for order in watcher.get("order", ())} | {watcher.get("field")}
        read |= {(ref, name) for ref in reached for name in names
                 if name and not self.watcher(ref[0], name)}

    def _step(self, ref, step, read):
        if isinstance(step, dict):
            return self._referring(ref, step["class"], step["by"], read)
        field = self.field(ref[0], step)
        if field["type"] == "toMany":
            return self._referring(ref, field["target"], field["inverse"], read)
        value = self._get(ref, step, read)
        return [_ref(v) for v in (value if field["type"] == "list" else [value]) or [] if v]

    def _referring(self, ref, class_name, by, read):
        for name in self.classes:
            if self.is_a(name, class_name):
                read.add((ref, name, by))
        return [other for other, names in self.referring.get(ref, {}).items()
                if by in names and self.is_a(other[0], class_name)]

    def _get(self, ref, name, read):
        if self.watcher(ref[0], name):
            return self._compute(ref, name, (), read)
        read.add((ref, name))
        return self.objects[ref].get(name)

    def _holds(self, ref, conditions, params, read):
        def holds(condition):
            wanted = params[condition["param"]] if "param" in condition else condition["value"]
            value = self._get(ref, condition["field"], read)
            kind = condition["is"]
            if kind in ("=", "!="):
                return (value == wanted) == (kind == "=")
            if value is None or wanted is None:
                return False
            return {"<": value < wanted, "<=": value <= wanted, ">": value > wanted,
                    ">=": value >= wanted}[kind]

        return all([holds(c) for c in conditions])

    def _ranked(self, reached, watcher, read):
        """In the order; a null stands last either way."""
        orders = [(order.get("descending", False), {r: self._get(r, order["by"], read) for r in reached})
                  for order in watcher.get("order", ())]

        def compare(a, b):
            for descending, values in orders:
                first, second = values[a], values[b]
                if first != second:
                    if first is None or second is None:
                        return 1 if first is None else -1
                    return -1 if (first < second) != descending else 1
            return -1 if a < b else 1

        return sorted(reached, key=cmp_to_key(compare))

    def _total(self, watcher, reached, read):
        kind, field = watcher["value"], watcher.get("field")
        if kind == "count":
            return len(reached)
        if kind == "first":
            reached = reached[:1]
        values = [self._get(r, field, read) if field else _told(r) for r in reached]
        if kind == "first" or (kind == "path" and self._leads_to_one(watcher)):
            return values[0] if values else None
        values = [v for v in values if v is not None]
        if kind == "path":
            return values
        if kind == "sum":
            return _number(sum(map(Fraction, values)), values)
        if not values:
            return None
        if kind == "avg":
            return float(sum(map(Fraction, values))) / len(values)  # the sum is rounded, then the mean
        return min(values) if kind == "min" else max(values)

    def _leads_to_one(self, watcher):
        return all(step == "lead" for step in watcher["of"])


def targets(value):
    """The objects to which the value of a field refers."""
    values = value if isinstance(value, list) else [value]
    return {_ref(v) for v in values if isinstance(v, dict) and "className" in v}


def _ref(pair):
    return pair["className"], pair["ID"]


def _told(ref):
    return {"className": ref[0], "properties": None, "ID": ref[1]}


def _number(exact, values):
    is_integer = all(isinstance(v, int) for v in values) and -2**63 <= exact < 2**63
    return int(exact) if is_integer else float(exact)
