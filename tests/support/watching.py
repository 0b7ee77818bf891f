"""Clients that watch derived values (support/derived-model.json), and writers that keep account of what the
values must be (derived.py).

    watching = Watching(client)
    watching.watch((PROJECT, "p1"), "hours")
    watching.values[(PROJECT, "p1"), "hours", ()]   # what the client holds for true
"""

import json

from asking import create, put, remove
from client import SYNC, pair
from derived import Derived
from stack import SUPPORT

DERIVED_MODEL = SUPPORT / "derived-model.json"
PERSON, AREA, PROJECT = "com.test.Person", "com.test.Area", "com.test.Project"
TASK, ERRAND = "com.test.Task", "com.test.Errand"
HELPER, NOTE = "com.test.Helper", "com.test.Note"


def ask(client, ref, name, params=None, **members):
    """getChangeWatcher: the whole response."""
    return client.request("getChangeWatcher", classIdPair=pair(*ref), fieldName=name, params=params, **members)


def value(client, ref, name, params=None):
    answer = ask(client, ref, name, params)
    assert answer["cn"] == SYNC + "PushCWUpdateResponse", answer
    return answer["value"]


def is_value(frame):
    return frame.get("cn") == SYNC + "PushCWUpdateResponse" and not frame["correspondingMessageId"]


def expect_value(client, ref, name, wanted, params=None):
    """Waits until the client is told this value, and returns the push."""
    return client.expect_push(
        lambda f: is_value(f) and f["classIdPair"] == pair(*ref) and f["fieldName"] == name
        and f["params"] == params and f["value"] == wanted, f"{name} of {ref} is {wanted}")


def item(ref, name, params=(), sid=None):
    """The name of a value in the store."""
    text = json.dumps(list(params), separators=(",", ":"))
    return "\t".join([f"~{ref[0]}:{ref[1]}", name, text] + ([sid] if sid else []))


def in_parts(items, size=50):
    """Parts of a list, so that a client has no more requests open at once than it may."""
    return [items[i:i + size] for i in range(0, len(items), size)]


class Writer:
    """Writes, and what it has written as Derived knows it."""

    def __init__(self, client):
        self.client = client
        self.derived = Derived(json.loads(DERIVED_MODEL.read_text()))

    # The account is kept before the server is asked, so that a worker which reads it never lags behind.

    def make(self, class_name, object_id, **fields):
        self.derived.put(class_name, object_id, **fields)
        response = create(self.client, class_name, object_id, **fields)
        assert response["result"] is True, response
        return class_name, object_id

    def make_many(self, objects):
        """The same for a list of (class, ID, fields), many at once."""
        for some in in_parts(objects):
            messages = [self.client.send_request("createObject", theObject={
                "cn": class_name, "ID": object_id, **fields}) for class_name, object_id, fields in some]
            for message, (class_name, object_id, fields) in zip(messages, some):
                response = self.client.response_to(message)
                assert response.get("result") is True, response
                self.derived.put(class_name, object_id, **fields)

    def put(self, ref, **fields):
        self.derived.put(*ref, **fields)
        response = put(self.client, *ref, **fields)
        assert response["result"] is True, response

    def remove(self, ref):
        response = remove(self.client, *ref)
        assert response["result"] is True, response
        self.derived.remove(*ref)

    def value(self, ref, name, params=()):
        return self.derived.value(*ref, name, params)
