"""Rules of fields, for the rights matrix: who sees which fields of a paper, and who may set them.

A paper may be read and changed by everybody, as far as its fields are concerned that say nothing else.
"""

from client import pair
from content_client import key
from rights_world import ADA, BEN, EVERYBODY, NOBODY, SECRET, USERS_ONLY, alike

PAPER = "app.Paper"
KEEPER = {"role": "keeper"}
RULES = {
    "open": None,
    "pay": {"read": KEEPER, "update": KEEPER},
    "private": {"read": {"owner": "person"}},
    "internal": {"read": "signedIn"},
    "fixed": {"update": "nobody"},
    "team": {"read": {"path": ["group", "people"]}, "update": [KEEPER, {"owner": "person"}]},
}
SEES = {"open": EVERYBODY, "pay": BEN, "private": ADA, "internal": USERS_ONLY, "fixed": EVERYBODY,
        "team": ADA}
SETS = {"open": EVERYBODY, "pay": BEN, "private": EVERYBODY, "internal": EVERYBODY, "fixed": NOBODY,
        "team": ("owner", "keeper")}


def paper_class():
    text = {"type": "string"}
    fields = {name: {**text, **({"access": rule} if rule else {})} for name, rule in RULES.items()}
    return {"type": "paper", "access": alike("everyone"), "history": True,
            "indexes": [{"fields": ["pay"]}],
            "fields": {**fields, "name": text, "person": {"type": "toOne", "target": "app.Person"},
                       "group": {"type": "toOne", "target": "app.Group"}},
            "queries": {"named": {"where": [{"field": "name", "is": "=", "param": 0}], "run": "everyone",
                                  "params": [{"name": "name", "type": "string"}]},
                        "paid": {"where": [{"field": "pay", "is": "=", "param": 0}], "run": "everyone",
                                 "params": [{"name": "pay", "type": "string"}]},
                        "columns": {"columns": list(RULES), "run": "everyone"}}}


def line(world, paper_id):
    """What is imported: Ada's, with a secret in each of the fields."""
    return {"cn": PAPER, "ID": paper_id, "name": paper_id, "person": world.owned["person"],
            "group": world.owned["group"], **{name: secret(name, paper_id) for name in RULES}}


def secret(field, paper_id):
    return f"{SECRET}{field}-{paper_id}"


def by_id(paper_id):
    return {"theClassName": PAPER, "theClassId": paper_id}


# Reads of a paper as an object: each shows the fields that the caller sees, and names no other.
READS = {
    "findById": by_id,
    "findByIds": lambda p: {"theClassIdList": [{"className": PAPER, "ids": [p]}]},
    "findByExample": lambda p: {"theObject": {"cn": PAPER, "name": p}},
    "searchByExample": lambda p: {"theObject": {"cn": PAPER, "name": p}},
    "findUnique": lambda p: {"theObject": {"cn": PAPER, "name": p}},
    "getAllByName": lambda p: {"theClassName": PAPER},
    "getAccessor": lambda p: {**by_id(p), "returnObject": True},
    "getHistory": by_id,
    "runQuery": lambda p: {"theClassName": PAPER, "queryName": "named", "queryArguments": [p]},
}

# What looks at the field `pay`: it finds the paper for who sees it.
BY_PAY = {
    "findByExample": lambda p: {"theObject": {"cn": PAPER, "pay": secret("pay", p)}},
    "searchByExample": lambda p: {"theObject": {"cn": PAPER, "pay": secret("pay", p)}},
    "findUnique": lambda p: {"theObject": {"cn": PAPER, "pay": secret("pay", p)}},
    "runQuery": lambda p: {"theClassName": PAPER, "queryName": "paid",
                           "queryArguments": [secret("pay", p)]},
}


def value_of(field):
    return lambda p: {"classIdPair": pair(PAPER, p), "fieldName": field, "params": None}


def shown(text, paper_id):
    """The fields whose secrets of this paper a text has."""
    return {name for name in RULES if secret(name, paper_id) in text}


def named(text):
    """The fields that a text names, as JSON, or as JSON inside a text of JSON."""
    return {name for name in RULES if f'"{name}"' in text.replace("\\", "")}


def seen_by(caller):
    return {name for name, callers in SEES.items() if caller in callers}


def put(paper_id, field, text="new", **others):
    return {"theObject": {"cn": PAPER, "ID": paper_id, field: text, **others}}


def patch(paper_id, field, operation="replace"):
    return {"key": key("paper", paper_id), "ver": None,
            "patch": [{"op": operation, "path": "/" + field, "value": "new"}]}
