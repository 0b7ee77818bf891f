"""The rows of the rights matrix: each operation, what it asks of an object, which rights that takes, and
what it answers to who has them and to who has not.

Answers are words: "shown" is any that has the object's secret, a code is that of the error or refusal,
and other results are as they stand in JSON.
"""

import json
import re
from typing import Callable, NamedTuple

from client import pair
from content_client import code_of, key
from ctl import Ended
from rights_world import KID, RIGHTS, RUNS, SECRET

NOTE = "changed"  # what writes write


class Target(NamedTuple):
    """What a request is about: an object of this kind (that there is, unless the row makes it)."""
    kind: object
    id: str
    owned: dict

    @property
    def pair(self):
        return pair(self.kind.class_name, self.id)

    @property
    def key(self):
        return key(self.kind.name, self.id)

    def object(self, **fields):
        return {"cn": self.kind.class_name, "ID": self.id, **fields}


class Row(NamedTuple):
    """`members` makes the request from a Target. `effect`: what is then said of the object in the
    store, which needs an object of its own. `runs`: it is a matter of who may run something."""
    name: str
    rights: tuple
    has: str
    lacks: str
    members: Callable
    operation: str = None  # if it is not the name
    event: bool = False    # its class stands for another operation
    effect: str = None
    runs: bool = False

    @property
    def sent(self):
        return self.operation or self.name

    @property
    def makes(self):
        return self.effect == "made"

    def is_about(self, kind):
        return not self.runs or kind.name in RUNS

    def is_let(self, kind, caller):
        if self.runs:
            return caller in RUNS[kind.name][1]
        return all(kind.has(caller, right) for right in self.rights)

    def expected(self, kind, caller):
        if self.name == "getAccessor":
            return rights_of(kind, caller)
        return self.has if self.is_let(kind, caller) else self.lacks


def rights_of(kind, caller):
    """As accessors are worded: in the order create, delete, read, update."""
    names = {"create": "c", "remove": "d", "read": "r", "update": "u"}
    return "".join(letter for right, letter in names.items() if kind.has(caller, right)) + (
        " shown" if kind.has(caller, "read") else "")


def _query(name, *arguments):
    return lambda t: {"theClassName": t.kind.class_name, "queryName": name,
                      "queryArguments": [getattr(t, a) for a in arguments]}


def _example(t):
    return {"theObject": {"cn": t.kind.class_name, "name": t.id}}


def _by_id(t):
    return {"theClassName": t.kind.class_name, "theClassId": t.id}


def _new(t):
    return {"theObject": t.object(**t.owned)}


def _change(t):
    return {"theObject": t.object(note=NOTE)}


def _removal(t):
    return {"removePair": t.pair}


def _transaction(save=None, remove=False):
    return lambda t: {"objectsToSave": [save(t)["theObject"]] if save else [],
                      "objectsToRemove": [t.pair] if remove else []}


def _process(t):
    return {"queryName": t.kind.name, "queryArguments": None}


READS = [
    Row("findById", ("read",), "shown", "null", _by_id),
    Row("findById by its parent", ("read",), "shown", "null",
        lambda t: {"theClassName": "app.Thing", "theClassId": t.id}, "findById"),
    Row("findByIds", ("read",), "shown", "[]",
        lambda t: {"theClassIdList": [{"className": t.kind.class_name, "ids": [t.id]}]}),
    Row("findByExample", ("read",), "shown", "[]", _example),
    Row("searchByExample", ("read",), "shown", "[]", _example),
    Row("findUnique", ("read",), "shown", "null", _example),
    Row("getAllByName", ("read",), "shown", "[]",
        lambda t: {"theClassName": t.kind.class_name, "returnTotal": True}),
    Row("countAllByName", ("read",), "counted", "0",
        lambda t: {"classNames": [t.kind.class_name]}),
    Row("runQuery", ("read",), "shown", "[]", _query("named", "id")),
    Row("runQuery for some", (), "shown", "-117", _query("asked"), "runQuery", runs=True),
    Row("runProcess", (), '"ran"', "-117", _process, runs=True),
    Row("runServerProcess", (), '"ran"', "-117", _process, event=True, runs=True),
    Row("getHistory", ("read",), "shown", "null", _by_id),
    Row("getAccessor", (), None, None, lambda t: {**_by_id(t), "returnObject": True}),
    Row("getChangeWatcher", ("read",), "shown", "-117",
        lambda t: {"classIdPair": t.pair, "fieldName": "secret", "params": None}),
    Row("getChangeWatcher of a count", ("read",), "0", "-117",
        lambda t: {"classIdPair": t.pair, "fieldName": "kidCount", "params": None},
        "getChangeWatcher"),
]

WRITES = [
    Row("createObject", ("create",), "true", "-117", _new, effect="made"),
    Row("create", ("create",), "true", "-117", _new, event=True, effect="made"),
    Row("putObject", ("update",), "true", "-117", _change, effect="changed"),
    Row("update", ("update",), "true", "-117", _change, event=True, effect="changed"),
    Row("removeObject", ("remove",), "true", "-117", _removal, effect="removed"),
    Row("delete", ("remove",), "true", "-117", _removal, event=True, effect="removed"),
    Row("transaction creates", ("create",), "true", "-117", _transaction(_new),
        "processTransaction", effect="made"),
    Row("transaction puts", ("update",), "true", "-117", _transaction(_change),
        "processTransaction", effect="changed"),
    Row("transaction removes", ("remove",), "true", "-117", _transaction(remove=True),
        "processTransaction", effect="removed"),
]

CONTENT_READS = [
    Row("get_content", ("read",), "200 shown", "4030430", lambda t: {"key": t.key, "ver": None}),
    Row("get_children", ("read",), "200", "4030530",
        lambda t: {"key": t.key, "ver": None, "view": "all", "page": 1}),
]

CONTENT_WRITES = [
    # These two read as well: they say what there is already.
    Row("patch_content", ("read", "update"), "200", "4030630",
        lambda t: {"key": t.key, "ver": None,
                   "patch": {"op": "replace", "path": "/note", "value": NOTE}}, effect="changed"),
    Row("add_child", ("read", "addChild"), "200", "4030730",
        lambda t: {"key": t.key, "obj": {"key": {"type": "kid"}, "name": "new"}},
        effect="given a child"),
]

# From which reads on a session is told of an object, and which watch nothing.
WATCHING = ("findById", "findByIds", "findByExample", "searchByExample", "findUnique", "getAllByName",
            "getAccessor", "getChangeWatcher")
NOT_WATCHING = ("countAllByName", "runQuery", "getHistory")

# What no rule is about: the members of a request, and what it answers to who has logged in, and to who
# has not. A login with words that nobody has chosen is none.
_TOLD = {"classIdPairs": [pair(KID, "none")]}
_TOKEN = {"token": "guessed"}
_NO_LOGIN, _UNSERVED, _TWICE = "no login", "-106", "-115"
_PROVIDERS = '["file", "anonymous"]'  # those that are open
OTHERS = {
    "updatesReceived": (_TOLD, "true", "-100"),
    "deletesReceived": (_TOLD, "true", "-100"),
    "upgradeClient": ({"deviceType": "phone"}, "true", "-100"),
    "authenticate": ({"authProvider": "file", "credential": "ada@example.org:no"}, _TWICE, _NO_LOGIN),
    "reauthenticate": (_TOKEN, _TWICE, _NO_LOGIN),
    "register": ({"authProvider": "file", "credential": "eve@example.org:no"}, _TWICE, _NO_LOGIN),
    **dict.fromkeys(("authenticateOAuthCode", "41"),
                    ({"authProvider": "NONE", "code": "DEV", "redirectUri": "https://a.example"}, _TWICE,
                     _NO_LOGIN)),
    **dict.fromkeys(("authenticateOAuthAccessToken", "42"),
                    ({"authProvider": "NONE", "accessToken": "DEV"}, _TWICE, _NO_LOGIN)),
    **dict.fromkeys(("validateUserByToken", "17"), (_TOKEN, "false", "false")),
    **dict.fromkeys(("authenticateUserAccount", "getOAuthRequestToken", "getRegAppOAuths",
                     "getRegisteredApplication", "getServiceUsers", "logoutUser"),
                    ({}, _UNSERVED, _UNSERVED)),
    "getAllServiceProviders": ({}, _PROVIDERS, _PROVIDERS),
    "testCall": ({}, "null", "null"),
    # Accounts of the users file are the operator's.
    "changePassword": ({"oldPassword": "no", "newPassword": "a new one"}, "402", "-100"),
    "deleteAccount": ({"password": "no"}, "402", "-100"),
    "endOtherSessions": ({}, "true", "-100"),
    "logout": ({}, "true", "-100"),
}
CONTENT_OTHERS = {
    "login": ({"username": "ada@example.org", "password": "no"}, "4010110", "4010130"),
    "reconnect": ({"session": "guessed"}, "4010210", "4010220"),
    "subscribe": ([key("kid", "none")], "no answer", "4010810"),
    "revoke": ([key("kid", "none")], "no answer", "4010910"),
    "change_password": ({"oldPassword": "no", "newPassword": "a new one"}, "4031130", "4011110"),
    "delete_account": ({"password": "no"}, "4031330", "4011310"),
    "end_other_sessions": ({}, "200", "4011210"),
    "logout": ({}, "200", "4010310"),
}
# One user stands for all who are anonymous: nobody of them may end that, or the others' sessions.
OF_GUESTS = {"endOtherSessions": "402", "end_other_sessions": "4031230"}
CONTENT_STRANGER = {"get_content": "4010410", "get_children": "4010510", "patch_content": "4010610",
                    "add_child": "4010710"}


def of_clients(stack):
    """The operations that clients may send, with their classes; and the classes of the content protocol.
    The program that knows them says so."""
    rows = [re.split(r"\s+", line) for line in Ended(stack, "operations").lines[1:]]
    return ({row[0]: row[7] for row in rows if row[3] == "client"},
            {row[6] for row in rows if row[6] != "-"})


def word_of(frame):
    """Of an answer by ActiveStack."""
    if frame["cn"].endswith("SyncErrorResponse"):
        return frame["errorCode"]
    if frame.get("data"):
        return frame["data"]["code"]
    if frame.get("statusCode", 200) != 200:
        return _NO_LOGIN if "AuthenticateOAuth" in frame["cn"] or "AuthenticationResponse" in frame["cn"] \
            else str(frame["statusCode"])
    if frame["cn"].endswith("GetAccessorResponse"):
        return _accessor(frame)
    if frame["cn"].endswith("GetAllByNameResponse") and frame["totalCount"] != len(frame["result"]):
        return f"{len(frame['result'])} of {frame['totalCount']}"
    if SECRET in frame.text:
        return "shown"
    if frame["cn"].endswith("CountAllByNameResponse"):
        [count] = [n for row in frame["result"] for n in row.values()]
        return "counted" if count else "0"
    return json.dumps(frame.get("value", frame.get("result")))


def _accessor(frame):
    names = {"canCreate": "c", "canDelete": "d", "canRead": "r", "canUpdate": "u"}
    return "".join(letter for name, letter in names.items() if frame["accessor"][name]) + (
        " shown" if SECRET in frame.text else "")


def content_word_of(frame):
    code = code_of(frame)
    return str(code) if code else str(frame["status"]) + (" shown" if SECRET in frame.text else "")


assert set(RIGHTS) == {right for row in READS + WRITES + CONTENT_WRITES for right in row.rights}
