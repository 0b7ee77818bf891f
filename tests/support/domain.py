"""The classes of a model file (deploy/example/README.md), as tests see them.

    domain = Domain(json.loads(path.read_text()))
    domain["com.test.Box"].fields["size"].type

A ref is (class name, ID).
"""

import json
from typing import NamedTuple


def text(value):
    """By which values are compared."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pair(ref):
    return {"className": ref[0], "ID": ref[1]}


def ref_of(value):
    return value["className"], value["ID"]


class Field:
    """One row of a class in the model file."""

    def __init__(self, name, row):
        self.name, self.type = name, row["type"]
        self.required, self.read_only = row.get("required", False), row.get("readOnly", False)
        self.default, self.values = row.get("default"), row.get("values")
        targets = row.get("target", [])
        self.targets = [targets] if isinstance(targets, str) else targets
        self.is_relation = self.type in ("toOne", "list")
        self.inverse, self.through = row.get("inverse"), row.get("through")
        self.onward = row.get("onward")
        self.empty = [] if self.type in ("list", "toMany") else None

    @property
    def is_given_by_clients(self):
        return self.type != "toMany" and not self.read_only


class Index(NamedTuple):
    owner: str
    fields: tuple
    unique: bool


class Listing(NamedTuple):
    """A listed to-many. Objects of `sources` refer by `inverse` to one of `owners`; these are its
    members, or, `onward` given, what they refer to by it. `members`: the classes of these."""
    name: str
    owners: list
    sources: list
    inverse: str
    onward: str
    members: list


class Class:
    """With all that it has of its parents. `lineage`: itself first; `concrete`: what may stand where
    it is asked for, in the order of the file."""

    def __init__(self, name, rows):
        self.name, self.lineage = name, [name]
        while "parent" in rows[self.lineage[-1]]:
            self.lineage.append(rows[self.lineage[-1]]["parent"])
        self.abstract = rows[name].get("abstract", False)
        self.fields, self.indexes, inherited = {}, [], {}
        for owner in reversed(self.lineage):
            row = rows[owner]
            self.fields |= {key: Field(key, value) for key, value in row["fields"].items()}
            self.indexes += [Index(owner, tuple(i["fields"]), i.get("unique", False))
                             for i in row.get("indexes", [])]
            inherited |= {key: row[key] for key in ("id", "history", "access") if key in row}
        self.has_integer_ids = inherited.get("id") == "integer"
        self.has_history = inherited.get("history", False)
        self.access = inherited["access"]
        self.concrete = []

    def order(self, object_id, class_name):
        """The key by which objects are listed."""
        member = f"{object_id}\n{class_name}".encode()
        return (int(object_id) if self.has_integer_ids else 0, member)


class Domain:
    def __init__(self, model):
        rows = model["classes"]
        self.classes = {name: Class(name, rows) for name in rows}
        for c in self.classes.values():
            c.concrete = [other.name for other in self.classes.values()
                          if c.name in other.lineage and not other.abstract]
        self.listings = [self._listing(name, Field(key, row)) for name in rows
                         for key, row in rows[name]["fields"].items() if row.get("listed")]

    def _listing(self, owner, f):
        members = self.targets(f)
        return Listing(f.name, self[owner].concrete,
                       self[f.through].concrete if f.through else members, f.inverse, f.onward,
                       members)

    def __getitem__(self, name):
        return self.classes[name]

    def family(self, class_name):
        """All that the furthest parent of a class finds: of an ID there is one object."""
        return self[self[class_name].lineage[-1]].concrete

    def targets(self, field):
        """The classes whose objects may stand in a relation."""
        return [name for target in field.targets for name in self[target].concrete]

    def may_list(self, source, owner):
        """Can an object of one class stand in a list of one of the other, or bring something there?"""
        return any(source in one.sources and owner in one.owners for one in self.listings)

    def is_wrong(self, field, value):
        """Would a request be refused for this value alone?"""
        if value is None:
            return field.required
        if field.type == "list":
            return not isinstance(value, list) or any(self._is_wrong_pair(field, v) for v in value)
        if field.type == "toOne":
            return self._is_wrong_pair(field, value)
        if field.values and value not in field.values:
            return True
        return not isinstance(value, _TYPES[field.type]) or (
            isinstance(value, bool) and field.type not in ("boolean", "json"))

    def _is_wrong_pair(self, field, value):
        return (not isinstance(value, dict) or value.get("className") not in self.targets(field)
                or not isinstance(value.get("ID"), str) or not value["ID"])


_TYPES = {"string": str, "integer": int, "date": int, "double": (int, float), "boolean": bool,
          "json": object}
