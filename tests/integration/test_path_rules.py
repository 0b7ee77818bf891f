"""Rules along paths, through the agents: each operation of both protocols, where the user stands at the
end of a path of one object, of a list, of what refers to the object, or as somebody's boss.

Ada is in the team of the project, Ben is its boss, Cleo is a guest of it, Dora is nobody there."""

import json

import pytest
from asking import count_all, create, find, get_all, ids, put, remove
from client import pair
from content_client import code_of, key
from shapes import assert_refused
from stack import Stack, user_row
from store import balance

PERSON, TEAM, PROJECT, GUEST, TASK, NOTE = (
    f"app.{name}" for name in ("Person", "Team", "Project", "Guest", "Task", "Note"))
NAMES = ("ada", "ben", "cleo", "dora")
PEOPLE = {"path": ["team", "people"]}
GUESTS = {"path": [{"class": GUEST, "by": "project"}, "person"]}
BOSS = {"path": ["team"], "owner": "boss"}
OF_TASK = {"path": ["project", *PEOPLE["path"]]}
FORBIDDEN, NO_PATCH, NO_CHILD, NO_PAGE = "-117", 4030630, 4030730, 4030530
MOST = 5  # objects on a path


def relation(kind, target, **more):
    return {"type": kind, "target": target, **more}


OPEN = dict.fromkeys(("read", "create", "update", "remove"), "signedIn")
NAME = {"name": {"type": "string"}}
MODEL = {"classes": {
    PERSON: {"type": "person", "anchor": "userId", "access": {"read": "signedIn"},
             "fields": {"userId": {"type": "string", "readOnly": True}}},
    TEAM: {"fields": {"people": relation("list", PERSON), "boss": relation("toOne", PERSON)},
           "access": OPEN},
    GUEST: {"fields": {"project": relation("toOne", PROJECT), "person": relation("toOne", PERSON)},
            "access": OPEN},
    PROJECT: {"type": "project", "fields": {
        **NAME, "team": relation("toOne", TEAM), "notes": relation("toMany", NOTE, inverse="project")},
        "access": {"read": [PEOPLE, GUESTS, BOSS], "create": PEOPLE, "update": [PEOPLE, GUESTS],
                   "remove": BOSS, "addChild": PEOPLE},
        "children": {"relation": "notes", "views": {"all": {"size": 5, "order": [{"by": "name"}]}}},
        "queries": {"named": {"where": [{"field": "name", "is": "=", "param": 0}],
                              "params": [{"name": "name", "type": "string"}]}}},
    NOTE: {"type": "note", "fields": {**NAME, "project": relation("toOne", PROJECT)},
           "access": {"read": "signedIn", "create": OF_TASK, "update": OF_TASK}},
    TASK: {"fields": {**NAME, "project": relation("toOne", PROJECT), "cost": {
        "type": "integer", "access": {"update": {"path": ["project", "team"], "owner": "boss"}}}},
        "access": {"read": OF_TASK, "create": OF_TASK, "update": "signedIn", "remove": OF_TASK}},
}}


@pytest.fixture(scope="module")
def paths_stack(servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("paths")
    (folder / "model.json").write_text(json.dumps(MODEL))
    (folder / "users.json").write_text(json.dumps(
        [user_row(f"{name}@example.org", name, "Example") for name in NAMES]))
    with Stack(servers, settings={
            "model.file": folder / "model.json", "auth.users_file": folder / "users.json",
            "sync.max_path_objects": MOST}) as stack:
        yield stack
        stack.check()
        expected, counted = balance(stack.redis())
        assert expected == counted


class Clients:
    """Each user's client, by name, and with `content` one of the content protocol; opened when first used."""

    def __init__(self, stack, connect, connect_content):
        self._stack, self._made = stack, {}
        self._connect = {False: connect, True: connect_content}

    def __call__(self, name, content=False):
        if (name, content) not in self._made:
            self._made[name, content] = self._connect[content](self._stack.gateways[0], name)
        return self._made[name, content]

    def me(self, name):
        user = self(name).user_id
        return pair(PERSON, self._stack.redis().hget("{u:%s}" % user, "anchor"))


@pytest.fixture
def by(paths_stack, connect, connect_content):
    return Clients(paths_stack, connect, connect_content)


def made(client, class_name, **fields):
    answer = create(client, class_name, **fields)
    assert answer["result"] is True, answer
    return answer["theObject"]["ID"]


@pytest.fixture
def team(by):
    return made(by("ada"), TEAM, people=[by.me("ada")], boss=by.me("ben"))


@pytest.fixture
def project(by, team):
    project = made(by("ada"), PROJECT, name="one", team=pair(TEAM, team))
    made(by("ada"), GUEST, project=pair(PROJECT, project), person=by.me("cleo"))
    return project


@pytest.mark.parametrize("name, expected", [("ada", True), ("ben", True), ("cleo", True), ("dora", False)])
def test_who_stands_at_the_end_of_a_path_reads(by, project, name, expected):
    client, docs = by(name), by(name, content=True)
    named = {"theClassName": PROJECT, "queryName": "named", "queryArguments": ["one"]}
    assert (find(client, PROJECT, project) is not None) is expected
    assert (project in ids(get_all(client, PROJECT)["result"])) is expected
    assert (project in ids(client.request("runQuery", **named)["result"])) is expected
    assert count_all(client, PROJECT) == [{PROJECT: len(get_all(client, PROJECT)["result"])}]
    assert (code_of(docs.get_content(key("project", project))) is None) is expected
    assert (code_of(docs.get_children(key("project", project), "all")) is None) is expected


def test_a_new_object_is_made_by_whom_its_values_lead_to(by, team):
    of = pair(TEAM, team)
    for name in ("ben", "cleo", "dora"):
        assert_refused(create(by(name), PROJECT, team=of), FORBIDDEN)
    assert_refused(create(by("ada"), PROJECT), FORBIDDEN)
    project = made(by("ada"), PROJECT, team=of)
    assert_refused(create(by("dora"), TASK, project=pair(PROJECT, project)), FORBIDDEN)
    assert find(by("ada"), TASK, made(by("ada"), TASK, project=pair(PROJECT, project)))


@pytest.mark.parametrize("name, expected", [("ada", True), ("ben", False), ("cleo", True), ("dora", False)])
def test_who_stands_at_the_end_of_a_path_changes(by, project, name, expected):
    assert put(by(name), PROJECT, project, name="two")["result"] is expected
    patched = by(name, content=True).patch_content(
        key("project", project), [{"op": "replace", "path": "/name", "value": "three"}])
    assert code_of(patched) == (None if expected else NO_PATCH)
    assert find(by("ada"), PROJECT, project)["name"] == ("three" if expected else "one")


@pytest.mark.parametrize("name, expected", [("ada", False), ("ben", True), ("cleo", False), ("dora", False)])
def test_who_is_named_at_the_end_of_a_path_removes(by, project, name, expected):
    assert remove(by(name), PROJECT, project)["result"] is expected
    assert (find(by("ada"), PROJECT, project) is None) is expected


@pytest.mark.parametrize("name, expected", [("ada", True), ("ben", False), ("cleo", False), ("dora", False)])
def test_who_stands_at_the_end_of_both_paths_adds_a_child(by, project, name, expected):
    added = by(name, content=True).add_child(key("project", project), "note", name="new")
    assert code_of(added) == (None if expected else NO_CHILD)


def test_a_field_s_rule_goes_along_a_path(by, project):
    task = made(by("ada"), TASK, project=pair(PROJECT, project))
    assert_refused(put(by("ada"), TASK, task, cost=7), FORBIDDEN, "you may not set cost")
    assert_refused(create(by("ada"), TASK, project=pair(PROJECT, project), cost=7), FORBIDDEN,
                   "you may not set cost")
    assert put(by("ben"), TASK, task, cost=7)["result"] is True
    assert find(by("ada"), TASK, task)["cost"] == 7


def test_the_way_counts_as_it_is_before_the_write(by, project, team):
    """Nobody comes in by what the same transaction makes, or takes their right from themselves half-way."""
    task = pair(PROJECT, project)
    answer = by("dora").request("processTransaction", transactionId=None, objectsToRemove=[], objectsToSave=[
        {"cn": TEAM, "ID": team, "people": [by.me("dora")]}, {"cn": TASK, "project": task}])
    assert_refused(answer, FORBIDDEN)
    assert ids(get_all(by("dora"), TASK)["result"]) == []
    answer = by("ada").request("processTransaction", transactionId=None, objectsToRemove=[], objectsToSave=[
        {"cn": TEAM, "ID": team, "people": []}, {"cn": TASK, "project": task}])
    assert answer["result"] is True and find(by("ada"), PROJECT, project) is None


def test_rights_follow_the_way_as_it_changes(by, project, team):
    dora = by("dora")
    assert find(dora, PROJECT, project) is None
    assert put(by("ada"), TEAM, team, people=[by.me("ada"), by.me("dora")])["result"] is True
    assert find(dora, PROJECT, project)["name"] == "one"
    assert put(by("ada"), TEAM, team, people=[by.me("ada")])["result"] is True
    assert find(dora, PROJECT, project) is None
    guest = made(by("ada"), GUEST, project=pair(PROJECT, project), person=by.me("dora"))
    assert put(dora, PROJECT, project, name="two")["result"] is True
    assert remove(dora, GUEST, guest)["result"] is True
    assert_refused(put(dora, PROJECT, project, name="three"), FORBIDDEN)


def test_the_accessor_tells_what_paths_let(by, project):
    def rights(name):
        answer = by(name).request("getAccessor", theClassName=PROJECT, theClassId=project, returnObject=False)
        return [right for right, is_there in answer["accessor"].items() if is_there is True]

    assert rights("ada") == ["canCreate", "canRead", "canUpdate"]
    assert rights("ben") == ["canDelete", "canRead"]
    assert rights("cleo") == ["canRead", "canUpdate"]
    assert rights("dora") == []


def test_who_has_to_come_by_more_objects_than_a_path_may_is_not_let_in(by, project):
    for _ in range(MOST - 2):  # beside Cleo, each a guest and a person
        made(by("ada"), GUEST, project=pair(PROJECT, project), person=by.me("dora"))
    assert find(by("cleo"), PROJECT, project) is None
    assert find(by("ada"), PROJECT, project) is not None, "by another way"
