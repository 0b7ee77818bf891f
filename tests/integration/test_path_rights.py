"""Rules along paths: each operation of both protocols, where the user stands at the end of a path of one
object, of a list, of what refers to the object, or as somebody's boss. And rule.lua by itself.

Ada is in the team of the project, Ben is its boss, Cleo is a guest of it, Dora is nobody there."""

import json

import pytest
from asking import count_all, create, find, get_all, ids, put, remove
from client import pair
from content_client import code_of, key
from shapes import assert_refused
from stack import Stack
from store import assert_books_balance, object_key, session_key

PERSON, TEAM, PROJECT, GUEST, TASK, NOTE = (
    f"app.{name}" for name in ("Person", "Team", "Project", "Guest", "Task", "Note"))
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
def paths_stack(servers):
    with Stack(servers, model=MODEL, settings={"sync.max_path_objects": MOST}) as stack:
        yield stack
        stack.check()
        assert_books_balance(stack.redis())


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


# ---- By scripts: rule.lua by itself, with objects as scripts leave them
#
# A team has members (a list of Persons), a project belongs to a team, a task to a project, and a Join joins
# a person and a project.

MEMBERS = f"{MOST}!path:>Task=project;>Project=team;>Team=members;="
JOINED = f"{MOST}!path:>Task=project;<Join=project;=Join=person"


def text_of_pair(ref):
    return json.dumps(pair(*ref.split(":", 1)), separators=(",", ":"))


class World:
    def __init__(self, store):
        self.store = store

    def session(self, client, user, person=None, roles=None):
        sid = self.store.session(client, user=user)
        if person:
            self.store.redis.hset(session_key(sid), "me", text_of_pair(person))
        if roles is not None:
            self.store.redis.hset(f"{{u:{user}}}", "roles", f",{','.join(roles)},")
        return sid

    def refer(self, ref, field, *targets, listed=False):
        """As references_set() does it."""
        text = "[" + ",".join(map(text_of_pair, targets)) + "]" if listed else text_of_pair(targets[0])
        redis = self.store.redis
        redis.hset(object_key(ref), mapping={field: "1 1 " + text, "@r:" + field: "\n".join(targets)})
        for target in targets:
            redis.zadd(object_key(target, ":r"), {f"{field}\n{ref}": 0})


@pytest.fixture
def world(store):
    world = World(store)
    for ref in ("Person:1", "Person:2", "Team:t", "Project:p", "Task:a", "Task:b"):
        store.object(ref)
    world.refer("Team:t", "members", "Person:1", "Person:2", listed=True)
    world.refer("Project:p", "team", "Team:t")
    world.refer("Task:a", "project", "Project:p")
    return world


@pytest.fixture
def lets(world):
    def ask(sid, rule, ref="Task:a"):
        client, _ = world.store.binding(sid)
        class_name, object_id = ref.split(":", 1)
        outcome, _, found = world.store.run("read", client, world.store.now(), 1, class_name, rule, 0, 1,
                                            object_id)
        assert outcome == "ok"
        return found[0::2] == [ref]
    return ask


@pytest.mark.parametrize("rule, expected", [
    ("everyone", "ab"), ("signedIn", "a"), ("nobody", ""), ("role:editor", "a"), ("owner:who", "b"),
    ("owner:who|role:editor", "ab"), ("nobody|signedIn", "a"), ("role:none|role:other", ""),
    ("role:editor|everyone", "ab"), ("role:edit|role:itor", ""),
])
def test_one_alternative_of_a_rule_is_enough(world, lets, rule, expected):
    a = world.session("c1", "u1", roles=["editor"])
    b = world.session("c2", "u2", roles=[])
    world.store.redis.sadd("anonymous", b)
    world.store.object("Task:o", who='"u2"')
    assert "".join(n for n, sid in (("a", a), ("b", b)) if lets(sid, rule, "Task:o")) == expected


def test_a_path_leads_to_the_users_own_objects(world, lets):
    member, other = (world.session("c1", "u1", "Person:1"), world.session("c2", "u2", "Person:3"))
    nobody = world.session("c3", "u3")
    assert lets(member, MEMBERS)
    assert not lets(other, MEMBERS) and not lets(nobody, MEMBERS)
    assert not lets(member, MEMBERS, "Task:b"), "it has no project"
    assert lets(other, MEMBERS + "|signedIn")


def test_a_path_goes_by_what_refers_to_an_object_and_to_its_owner(world, lets):
    by_pair = world.session("c1", "u1", "Person:1")
    by_id, other = world.session("c2", "u2"), world.session("c3", "u3", "Person:3")
    for name, text in (("x", text_of_pair("Person:1")), ("y", '"u2"')):
        world.store.object(f"Join:{name}", person=text)
        world.refer(f"Join:{name}", "project", "Project:p")
    world.store.object("Other:z", person='"u3"')
    world.refer("Other:z", "project", "Project:p")
    assert lets(by_pair, JOINED) and lets(by_id, JOINED)
    assert not lets(other, JOINED), "an object of another class refers to the project"


@pytest.mark.parametrize("rule", [
    f"{MOST}!path:>Task=project;=Project=members", f"{MOST}!path:>Task=project;=Project=@u"])
def test_the_end_of_a_path_names_users_in_a_list_or_owns_the_object(world, lets, rule):
    member, owner = world.session("c1", "u1", "Person:2"), world.session("c2", "u2")
    world.refer("Project:p", "members", "Person:12", "Person:2", listed=True)
    world.store.redis.hset(object_key("Project:p"), "@u", '0 0 "u2"')
    assert lets(member, rule) is ("members" in rule)
    assert lets(owner, rule) is ("@u" in rule)


def test_classes_of_a_step_are_left_by_their_own_columns(world, lets):
    member = world.session("c1", "u1", "Person:1")
    rule = f"{MOST}!path:>Task=wrong,Bug=project;>Project=team,Other=members;>Team=members;="
    assert not lets(member, rule)
    world.store.object("Bug:a")
    world.refer("Bug:a", "project", "Project:p")
    assert lets(member, rule, "Bug:a")


def test_an_odd_id_is_nobody_else_s(world, lets):
    odd = 'Person:a"},{"className":"Person","ID":"1'
    world.refer("Team:t", "members", odd, listed=True)
    assert not lets(world.session("c1", "u1", "Person:1"), MEMBERS)
    assert lets(world.session("c2", "u2", odd), MEMBERS)


@pytest.mark.parametrize("members, expected", [(MOST - 2, True), (MOST - 1, False)])
def test_who_has_to_come_by_too_many_objects_is_not_let_in(world, lets, members, expected):
    """A project, a team and its members."""
    world.refer("Team:t", "members", *(f"Person:{n}" for n in range(1, members + 1)), listed=True)
    sid = world.session("c1", "u1", "Person:1")
    assert lets(sid, MEMBERS) is expected
    assert lets(sid, MEMBERS + "|owner:who|everyone")


@pytest.mark.parametrize("joins, expected", [(MOST - 1, True), (MOST, False), (MOST + 9, False)])
def test_so_many_objects_may_refer_to_one_on_the_way(world, lets, joins, expected):
    for n in range(joins):
        world.store.object(f"Join:{n}", person='"u1"')
        world.refer(f"Join:{n}", "project", "Project:p")
    assert lets(world.session("c1", "u1"), JOINED) is expected


def test_a_step_that_has_walked_far_leaves_the_rest_to_the_next(world):
    """Each task has a project, and a team of many members, of its own."""
    world.session("c1", "u1", "Person:1")
    for n in range(5):
        world.store.object(f"Task:{n}")
        world.store.redis.zadd("{k:Task}:ids", {f"{n}\nTask": 0})
        world.store.redis.hset(object_key(f"Task:{n}"), "@r:project", f"Project:{n}")
        world.store.redis.hset(object_key(f"Project:{n}"), "@r:team", f"Team:{n}")
        world.store.redis.hset(object_key(f"Team:{n}"), "@r:members",
                               "\n".join(f"Person:{n * 1000 + m}" for m in range(1, 901)))
    rule = MEMBERS.replace(f"{MOST}!", "1000!") + "|owner:none"
    found, last = [], ""
    for step in range(2):
        reply = world.store.run("read_all", "c1", world.store.now(), "Task", 0, 0, 0, last, 0, 250, 0, 250,
                                1, "Task", rule, 0)
        found, last = found + reply[2][0::2], reply[5]
        assert last == ("2\nTask", "")[step]
    assert found == ["Task:0"]
