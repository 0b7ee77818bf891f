"""The domain of the rights matrix: a class for each kind of rule, and objects that Ada owns by each of
them. Who may do what with these is written by hand, from deploy/example/README.md.

Each class is named like its kind, each object like what it is there for. All of them are imported, so
that they are there whatever the rules say.
"""

import json
from typing import NamedTuple

from client import pair
from ctl import Ended

PERSON, KID, THING = "app.Person", "app.Kid", "app.Thing"
GROUP, ROOM, SEAT, SHARE = "app.Group", "app.Room", "app.Seat", "app.Share"
RIGHTS = ("read", "create", "update", "remove", "addChild")
CALLERS = ("owner", "keeper", "stranger", "guest")  # the last is a user of the provider anonymous
USERS = {"owner": "ada", "keeper": "ben", "stranger": "cleo"}
ROLES = {"ada": ["reader"], "ben": ["keeper"]}
MOST_ON_PATHS = 30
SECRET = "hidden-in-"  # begins the text that only who may read an object may ever get


class Kind(NamedTuple):
    """`lets`: the callers who have the rights; `apart`: those who have single ones of them."""
    name: str
    access: dict
    lets: tuple
    apart: dict = {}

    @property
    def class_name(self):
        return "app." + self.name

    def has(self, caller, right):
        return caller in self.apart.get(right, self.lets)


def alike(rule, **others):
    """The same rule for all rights but these."""
    return {**dict.fromkeys(RIGHTS, rule), **others}


EVERYBODY, USERS_ONLY, ADA, BEN, NOBODY = (
    CALLERS, ("owner", "keeper", "stranger"), ("owner",), ("keeper",), ())

KINDS = [
    Kind("nobody", alike("nobody"), NOBODY),
    Kind("everyone", alike("everyone"), EVERYBODY),
    Kind("signedIn", alike("signedIn"), USERS_ONLY),
    Kind("ownerText", alike({"owner": "owner"}), ADA),
    Kind("ownerToOne", alike({"owner": "person"}), ADA),
    Kind("ownerList", alike({"owner": "people"}), ADA),
    Kind("ownerUser", alike({"owner": "@user"}, create="nobody"), ADA, {"create": NOBODY}),
    Kind("role", alike({"role": "keeper"}), BEN),
    Kind("anyOf", alike([{"owner": "person"}, {"role": "keeper"}]), ("owner", "keeper")),
    Kind("pathToSelf", alike({"path": ["person"]}), ADA),
    Kind("pathOut", alike({"path": ["group", "people"]}), ADA),
    Kind("pathUnseen", alike({"path": ["group", "room", "people"]}), ADA),
    Kind("pathJoin", alike({"path": ["group", {"class": SEAT, "by": "group"}, "person"]}), ADA),
    Kind("pathToMany", alike({"path": ["group", "seats", "person"]}), ADA),
    Kind("pathIn", alike({"path": [{"class": SHARE, "by": "thing"}, "person"]}, create="nobody"), ADA,
         {"create": NOBODY}),
    Kind("pathOwner", alike({"path": ["group"], "owner": "lead"}), ADA),
    Kind("pathUser", alike({"path": ["group"], "owner": "@user"}), ADA),
    Kind("pathTooFar", alike({"path": ["group", "crowd"]}), NOBODY),
    Kind("pathOrRole", alike([{"role": "keeper"}, {"path": ["group", "people"]}, "nobody"]),
         ("owner", "keeper")),
    # Each right by itself: nobody has this one, everybody has the others.
    Kind("noRead", alike("everyone", read="nobody"), EVERYBODY, {"read": NOBODY}),
    Kind("noCreate", alike("everyone", create="nobody"), EVERYBODY, {"create": NOBODY}),
    Kind("noUpdate", alike("everyone", update="nobody"), EVERYBODY, {"update": NOBODY}),
    Kind("noRemove", alike("everyone", remove="nobody"), EVERYBODY, {"remove": NOBODY}),
    Kind("noAddChild", alike("everyone", addChild="nobody"), EVERYBODY, {"addChild": NOBODY}),
]

# Rules that need no object, which queries and processes can have, too.
RUNS = {"nobody": ("nobody", NOBODY), "everyone": ("everyone", EVERYBODY),
        "signedIn": ("signedIn", USERS_ONLY), "role": ({"role": "keeper"}, BEN)}


def _to_one(target):
    return {"type": "toOne", "target": target}


def _list(target):
    return {"type": "list", "target": target}


def _thing():
    return {
        "abstract": True, "history": True, "summary": ["name"],
        "fields": {
            "name": {"type": "string"}, "secret": {"type": "string"}, "note": {"type": "string"},
            "owner": {"type": "string"}, "person": _to_one(PERSON), "people": _list(PERSON),
            "kids": _list(KID), "group": _to_one(GROUP)},
        "indexes": [{"fields": ["name"]}],
        "children": {"relation": "kids", "views": {"all": {"size": 5, "order": [{"by": "name"}]}}},
        "watchers": {"kidCount": {"value": "count", "of": ["kids"]}},
        "queries": {"named": {"where": [{"field": "name", "is": "=", "param": 0}], "run": "everyone",
                              "params": [{"name": "name", "type": "string"}]}}}


def _class_of(kind):
    row = {"parent": THING, "type": kind.name, "fields": {}, "access": kind.access}
    if kind.name in RUNS:
        row["queries"] = {"asked": {"run": RUNS[kind.name][0]}}
    return row


def model(**more):
    """`more`: classes of tests."""
    everyone = {"access": alike("everyone")}
    return {"classes": {
        PERSON: {**everyone, "type": "person", "anchor": "userId",
                 "fields": {"userId": {"type": "string", "readOnly": True}}},
        KID: {**everyone, "type": "kid", "fields": {"name": {"type": "string"}}},
        GROUP: {**everyone, "fields": {
            "people": _list(PERSON), "crowd": _list(PERSON), "room": _to_one(ROOM),
            "lead": {"type": "string"},
            "seats": {"type": "toMany", "target": SEAT, "inverse": "group"}}},
        ROOM: {"access": alike("nobody"), "fields": {"people": _list(PERSON)}},
        SEAT: {"access": alike("nobody"), "fields": {
            "group": _to_one(GROUP), "person": _to_one(PERSON)}},
        SHARE: {"access": alike("nobody"), "fields": {
            "thing": _to_one(THING), "person": _to_one(PERSON)}},
        THING: _thing(),
        **{kind.class_name: _class_of(kind) for kind in KINDS}, **more}}


def processes():
    return {"processes": {name: {"run": run, "deadlineMs": 20000} for name, (run, _) in RUNS.items()}}


class World:
    """The objects. `owned` is what makes an object Ada's, whatever rule its class has: all paths lead
    to her."""

    def __init__(self, stack, user, person):
        self.stack, self.user = stack, user
        ada, group = pair(PERSON, person), pair(GROUP, "ours")
        self.person = ada
        self.owned = {"owner": user, "person": ada, "people": [ada], "group": group}
        crowd = [{"cn": PERSON, "ID": f"one-{i}", "userId": f"one-{i}"} for i in range(MOST_ON_PATHS + 1)]
        self.lines = [
            *crowd, {"cn": ROOM, "ID": "room", "people": [ada]},
            {"cn": GROUP, "ID": "ours", "people": [ada], "room": pair(ROOM, "room"), "lead": user,
             "crowd": [ada] + [pair(PERSON, one["ID"]) for one in crowd], "@user": user},
            {"cn": SEAT, "ID": "seat", "group": group, "person": ada}]

    def add(self, kind, name):
        """An object, once import_all() is called; returns its ID."""
        object_id = f"{name}-of-{kind.name}"
        self.lines.append({
            "cn": kind.class_name, "ID": object_id, "name": object_id, "secret": SECRET + object_id,
            **self.owned, "@user": self.user})
        if kind.name == "pathIn":
            self.lines.append({"cn": SHARE, "ID": object_id, "person": self.person,
                               "thing": pair(kind.class_name, object_id)})
        return object_id

    def change(self, kind, name, **fields):
        """As add(), of an object that there is."""
        self.lines.append({"cn": kind.class_name, "ID": f"{name}-of-{kind.name}", **fields})

    def import_all(self):
        lines, self.lines = self.lines, []
        ended = Ended(self.stack, "import", stdin="".join(
            json.dumps(line) + "\n" for line in lines).encode())
        assert (ended.code, ended.err) == (0, ""), ended.err

    def stored(self):
        """ID -> object, of all that have an ID that add() has made or a client has chosen."""
        return {o["ID"]: o for o in Ended(self.stack, "export", THING).objects()}
