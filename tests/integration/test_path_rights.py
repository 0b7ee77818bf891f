"""Rules with several alternatives and paths over relations: rule.lua by itself, with objects as scripts
leave them.

A team has members (a list of Persons), a project belongs to a team, a task to a project, and a Join joins
a person and a project.
"""

import json

import pytest
from store import object_key, session_key

PERSON, TEAM, PROJECT, TASK, JOIN = "Person", "Team", "Project", "Task", "Join"
MOST = 5
MEMBERS = f"{MOST}!path:>Task=project;>Project=team;>Team=members;="
JOINED = f"{MOST}!path:>Task=project;<Join=project;=Join=person"


def pair(ref):
    class_name, object_id = ref.split(":", 1)
    return json.dumps({"className": class_name, "ID": object_id}, separators=(",", ":"))


class World:
    def __init__(self, store):
        self.store = store

    def session(self, client, user, person=None, roles=None):
        sid = self.store.session(client, user=user)
        if person:
            self.store.redis.hset(session_key(sid), "me", pair(person))
        if roles is not None:
            self.store.redis.hset(f"{{u:{user}}}", "roles", f",{','.join(roles)},")
        return sid

    def refer(self, ref, field, *targets, listed=False):
        """As references_set() does it."""
        text = "[" + ",".join(map(pair, targets)) + "]" if listed else pair(targets[0])
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
    for name, text in (("x", pair("Person:1")), ("y", '"u2"')):
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
