"""Models that change on live data: what a store written under one model is under the next."""

import copy

import pytest
from asking import create, find, put
from servers import json
from shapes import assert_error, assert_refused

NOTE = "com.test.Note"
SIGNED_IN = {action: "signedIn" for action in ("read", "create", "update", "remove")}
FIRST = {"classes": {
    "com.test.Person": {
        "id": "integer", "anchor": "userId",
        "fields": {"userId": {"type": "string", "readOnly": True}},
        "access": {"read": "signedIn"}},
    NOTE: {
        "fields": {"title": {"type": "string"}, "place": {"type": "string"},
                   "parent": {"type": "toOne", "target": NOTE}},
        "indexes": [{"fields": ["place"]}],
        "access": SIGNED_IN},
}}


def changed(model, **members):
    """The model with these members of Note in place of its own."""
    model = copy.deepcopy(model)
    model["classes"][NOTE].update(members)
    return model


RENAMED = changed(
    FIRST,
    fields={"heading": {"type": "string", "column": "title"},
            "room": {"type": "string", "column": "place"},
            "above": {"type": "toOne", "target": NOTE, "column": "parent", "required": True}},
    indexes=[{"fields": ["room"], "unique": True}])


class Changing:
    """A stack whose agents are given one model after the other."""

    def __init__(self, stack, model_file):
        self.stack, self.model_file = stack, model_file
        self.redis, self.gateway = stack.redis(), stack.gateways[0]

    def serve(self, model):
        """Starts all agents anew, with this model."""
        self.model_file.write_text(json.dumps(model))
        for agent in self.stack.sync_agents + self.stack.auth_agents:
            agent.stop()
            agent.start()


@pytest.fixture
def changing(new_stack, tmp_path):
    model_file = tmp_path / "model.json"
    model_file.write_text(json.dumps(FIRST))
    stack = new_stack(settings={"model.file": model_file, "sync.max_scan": 20,
                                "sync.job_lease_ms": 1000})
    return Changing(stack, model_file)


# ---- Renamed fields: the column stays

def test_a_field_that_was_renamed_has_the_values_of_before(changing, connect, new_id):
    ada = connect(changing.gateway, "ada")
    top, note = new_id(), new_id()
    create(ada, NOTE, top, title="Top", place="attic")
    create(ada, NOTE, note, title="Old", place="cellar", parent={"className": NOTE, "ID": top})
    changing.serve(RENAMED)
    found = find(ada, NOTE, note)
    assert (found["heading"], found["room"], found["above"]["ID"]) == ("Old", "cellar", top)
    assert not {"title", "place", "parent"} & set(found)

    put(ada, NOTE, note, heading="New")
    changing.serve(FIRST)
    assert find(ada, NOTE, note)["title"] == "New"


def test_clients_hear_the_name_and_never_the_column(changing, connect, new_id):
    ada, ben = connect(changing.gateway, "ada"), connect(changing.gateway, "ben")
    top, note = new_id(), new_id()
    create(ada, NOTE, top, title="Top", place=top)
    create(ada, NOTE, note, title="Old", place=note)
    changing.serve(RENAMED)
    find(ben, NOTE, note)
    put(ada, NOTE, note, heading="New")
    push = ben.expect_push(lambda p: p.get("updatedFields") == ["heading"])
    assert push["objectList"][0]["heading"] == "New"
    assert_refused(put(ada, NOTE, note, room=top), "-201", "another object has the same room")
    assert_refused(create(ada, NOTE, new_id()), "-251", "above")


def test_a_renamed_field_is_looked_for_in_the_index_of_before(changing, connect, new_id):
    ada = connect(changing.gateway, "ada")
    notes = [new_id() for _ in range(30)]
    for note in notes:
        create(ada, NOTE, note, title="Many", place=note)
    changing.serve(RENAMED)
    found = ada.request("findByExample", theObject={"cn": NOTE, "room": notes[7]})["result"]
    assert [o["ID"] for o in found] == [notes[7]]
    assert_error(ada.request("findByExample", theObject={"cn": NOTE, "heading": "Many"}), "-120",
                 f"needs an index on {NOTE}(heading)")


def test_a_required_reference_that_was_renamed_takes_the_object_along(changing, connect, new_id):
    ada = connect(changing.gateway, "ada")
    top, note = new_id(), new_id()
    create(ada, NOTE, top, place=top)
    create(ada, NOTE, note, place=note, parent={"className": NOTE, "ID": top})
    changing.serve(RENAMED)
    assert ada.request("removeObject", removePair={"className": NOTE, "ID": top})["result"] is True
    assert find(ada, NOTE, note) is None
