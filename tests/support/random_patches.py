"""Random JSON values, and random patches of contents of the example domain that fit what they are of.

    patch = Patches(chance, people).of(key, content)    # an operation, or a list of them
"""

import json

import json_patch

WORDS = ("alpha", "Beta", "gamma", "delta", "", "zeta", "Ångström", "日本", "a/b", "m~n", "x y")
MOST_BYTES = 1500  # of a value that has grown by patches

# type -> field -> how a value is made: a method of Patches, or the values themselves.
FIELDS = {
    "user": {"display_name": "word", "status": "word", "picture": "word",
             "presence": ("online", "busy", "offline")},
    "task": {"title": "word", "text": "word", "done": (True, False, None), "priority": "integer",
             "estimate": "double", "due": "date", "assignee": "person", "owner": "person"},
    "note": {"title": "word", "text": "word", "body": "json", "owner": "person"},
    "room": {"name": "word"},
    "msg": {"read": (True, False)},
}
NEVER_NULL = ("presence", "read")


class Patches:
    def __init__(self, chance, people):
        self.chance, self.people = chance, people

    def of(self, key, content):
        fields = FIELDS[key["type"]]
        patch, after = [], content
        for _ in range(self.chance.choice((1, 1, 1, 2, 3))):
            operation = self._operation(fields, after)
            try:
                later = json_patch.apply(after, operation)
            except json_patch.PatchError:  # into itself, or a test that fails
                continue
            if len(json.dumps(later)) < 2 * MOST_BYTES:
                patch, after = [*patch, operation], later
        return patch[0] if len(patch) == 1 and self.chance.random() < 0.3 else patch

    def given(self, class_type):
        """Fields of a new document."""
        return {name: self.value(kind) for name, kind in FIELDS[class_type].items()
                if self.chance.random() < 0.5}

    def value(self, kind):
        return getattr(self, kind)() if isinstance(kind, str) else self.chance.choice(kind)

    def _operation(self, fields, content):
        name = self.chance.choice(list(fields))
        if isinstance(content.get(name), (dict, list)) and fields[name] == "json":
            return self._operation_inside(f"/{name}", content[name])
        dice = self.chance.random()
        if dice < 0.1 and name not in NEVER_NULL:
            return {"op": "remove", "path": f"/{name}"}
        if dice < 0.2:
            return {"op": "test", "path": f"/{name}", "value": content.get(name)}
        same_kind = [other for other in fields if fields[other] == fields[name]]
        if dice < 0.3 and len(same_kind) > 1:
            return {"op": "copy", "from": f"/{self.chance.choice(same_kind)}", "path": f"/{name}"}
        return {"op": self.chance.choice(("add", "replace")), "path": f"/{name}",
                "value": self.value(fields[name])}

    # ---- inside of a JSON value

    def _operation_inside(self, path, value):
        places = list(_places(path, value))
        at, found = self.chance.choice(places)
        dice = self.chance.random()
        if len(places) > 60 or dice < 0.05:
            return {"op": "replace", "path": path, "value": self.json()}
        if isinstance(found, dict) and dice < 0.5:
            return {"op": "add", "path": f"{at}/{_escaped(self.word())}", "value": self.json()}
        if isinstance(found, list) and dice < 0.5:
            index = self.chance.choice(("-", self.chance.randrange(len(found) + 1)))
            return {"op": "add", "path": f"{at}/{index}", "value": self.json()}
        if dice < 0.7:
            return {"op": "replace", "path": at, "value": self.json()}
        if dice < 0.85 and at != path:
            return {"op": "remove", "path": at}
        source, _ = self.chance.choice(places)
        move = dice < 0.93 and source != path
        return {"op": "move" if move else "copy", "from": source, "path": at}

    # ---- values

    def word(self):
        return " ".join(self.chance.choice(WORDS) for _ in range(self.chance.randrange(1, 4)))

    def integer(self):
        return self.chance.randrange(-50, 50)

    def double(self):
        return self.chance.choice((None, self.chance.randrange(-1000, 1000) / 8))

    def date(self):
        return self.chance.choice((None, 1_600_000_000_000 + self.chance.randrange(10**9)))

    def person(self):
        return self.chance.choice((None, {"key": self.chance.choice(self.people)}))

    def json(self, depth=0):
        dice = self.chance.random()
        if depth < 3 and dice < 0.3:
            return {self.word(): self.json(depth + 1) for _ in range(self.chance.randrange(5))}
        if depth < 3 and dice < 0.6:
            return [self.json(depth + 1) for _ in range(self.chance.randrange(5))]
        return self.chance.choice((None, True, False, self.integer(), self.integer() + 0.25, self.word()))


def _places(path, value):
    """(pointer, value) of all that there is, itself first."""
    yield path, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _places(f"{path}/{_escaped(name)}", member)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _places(f"{path}/{i}", item)


def _escaped(name):
    return name.replace("~", "~0").replace("/", "~1")
