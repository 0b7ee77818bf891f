"""Models that change on live data: what a store written under one model is under the next."""

from asking import create, find, put, remove
from changing import FIRST, NOTE, SIGNED_IN, by_example, changed, digest
from servers import json, wait_until
from shapes import assert_error, assert_refused

RENAMED = changed(
    FIRST,
    fields={"heading": {"type": "string", "column": "title"},
            "room": {"type": "string", "column": "place"},
            "above": {"type": "toOne", "target": NOTE, "column": "parent", "required": True}},
    indexes=[{"fields": ["room"], "unique": True}])


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


def test_a_renamed_list_and_its_renamed_inverse_are_the_same_ones(changing, connect, new_id):
    ada, top, notes = connect(changing.gateway, "ada"), new_id(), [new_id(), new_id()]
    below = {"type": "toMany", "target": NOTE, "inverse": "parent", "listed": True}
    listing = changed(FIRST, fields={**FIRST["classes"][NOTE]["fields"], "below": below})
    changing.serve(listing)
    create(ada, NOTE, top)
    create(ada, NOTE, notes[0], parent={"className": NOTE, "ID": top})
    changing.serve(changed(RENAMED, fields={
        **RENAMED["classes"][NOTE]["fields"],
        "above": {"type": "toOne", "target": NOTE, "column": "parent"},
        "children": {**below, "inverse": "above", "column": "below"}}))
    assert [o["ID"] for o in find(ada, NOTE, top)["children"]] == notes[:1]
    create(ada, NOTE, notes[1], above={"className": NOTE, "ID": top})
    push = ada.expect_push(lambda p: p.get("updatedFields") == ["children"])
    assert [o["ID"] for o in push["objectList"][0]["children"]] == sorted(notes)


def test_a_required_reference_that_was_renamed_takes_the_object_along(changing, connect, new_id):
    ada = connect(changing.gateway, "ada")
    top, note = new_id(), new_id()
    create(ada, NOTE, top, place=top)
    create(ada, NOTE, note, place=note, parent={"className": NOTE, "ID": top})
    changing.serve(RENAMED)
    assert remove(ada, NOTE, top)["result"] is True
    assert find(ada, NOTE, note) is None


# ---- Removed classes: their objects stay

def test_what_an_object_of_a_removed_class_refers_to_may_be_removed(changing, connect, new_id):
    memo = "com.test.Memo"
    model = changed(FIRST)
    model["classes"][memo] = {"access": SIGNED_IN, "fields": {
        "about": {"type": "toOne", "target": NOTE, "required": True}}}
    changing.serve(model)
    ada = connect(changing.gateway, "ada")
    note, about = new_id(), new_id()
    create(ada, NOTE, note)
    create(ada, memo, about, about={"className": NOTE, "ID": note})
    changing.serve(FIRST)
    assert_error(create(ada, memo, new_id()), "-104")
    assert remove(ada, NOTE, note)["result"] is True
    assert find(ada, NOTE, note) is None
    changing.serve(model)
    assert find(ada, memo, about)["about"] is None


# ---- The applied model, who serves which, and what indexes can be used

INDEXED = changed(FIRST, indexes=[{"fields": ["place"]}, {"fields": ["title"]},
                                  {"fields": ["title", "place"]}])


def test_the_first_agent_of_a_store_applies_its_model(changing):
    assert json.loads(changing.redis.hget("model", "applied")) == FIRST
    assert changing.redis.hget("model", "digest") == digest(FIRST)
    assert changing.redis.smembers("model:built") == {f"{NOTE}:place"}


def test_an_agent_with_another_model_says_so_and_applies_nothing(changing):
    for agent in changing.stack.processes:
        assert "model.differs" not in agent.log_text()
    changing.serve(INDEXED)
    for agent in changing.stack.sync_agents + changing.stack.auth_agents:
        wait_until(lambda: "model.differs" in agent.log_text(), 10, "the warning is there")
        assert agent.log_text().count("activestack-ctl model check") == 1
    assert changing.redis.hget("model", "digest") == digest(FIRST)


def test_an_index_that_is_not_built_is_not_used(changing, connect, new_id):
    ada = connect(changing.gateway, "ada")
    notes = [new_id() for _ in range(21)]
    for note in notes:
        create(ada, NOTE, note, title="Many", place=note if note < notes[10] else "same")
    changing.serve(INDEXED)
    # The next best index that is built answers.
    assert by_example(ada, title="Many", place=notes[0]) == [notes[0]]
    assert_error(by_example(ada, title="Many"), "-120", f"{NOTE}(title)", "on title is not built")
    remove(ada, NOTE, notes[0])
    assert sorted(by_example(ada, title="Many")) == sorted(notes[1:])  # 20 may be looked through


def test_an_index_that_somebody_does_not_maintain_is_not_used(changing, connect, new_id):
    ada = connect(changing.gateway, "ada")
    note = new_id()
    create(ada, NOTE, note, title="Old", place="cellar")
    changing.serve(changed(FIRST, indexes=[]))
    put(ada, NOTE, note, place="attic")
    changing.serve(FIRST)
    assert by_example(ada, place="attic") == [note]
    assert changing.redis.smembers("model:built") == set()


def test_null_by_choice_is_not_the_absence_of_a_value(changing, connect, new_id):
    """What was never set gets a default that comes later; what was set to null does not."""
    ada = connect(changing.gateway, "ada")
    changing.serve(changed(FIRST, fields={"title": {"type": "string", "default": "Untitled"}},
                           indexes=[]))
    note = new_id()
    assert create(ada, NOTE, note, title=None)["theObject"]["title"] is None
    assert find(ada, NOTE, note)["title"] is None
    assert changing.redis.hget(f"{{o:{NOTE}:{note}}}", "title").endswith(" null")
