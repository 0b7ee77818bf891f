"""Whom an owner rule lets in: rights.lua by itself, through the script that reads; then the example
domain's rooms, which belong to their members.

The text of an owner field is a user's id, the pair of the user's own object, or a list of such pairs;
"@u" is whom an object belongs to, stored like a field.
"""

import json

import pytest
from asking import create, find, put
from client import pair as client_pair
from shapes import assert_refused
from store import object_key, session_key

CLASS = "com.app.mo.Room"
ROOM = f"{CLASS}:7"
PERSON = "com.app.mo.Person"


def pair(object_id, class_name=PERSON):
    return json.dumps({"className": class_name, "ID": object_id}, separators=(",", ":"))


def listed(*pairs):
    return "[" + ",".join(pairs) + "]"


@pytest.fixture
def may_read(store):
    """May user "u1", whose own object is Person 5, read an object with this text in column "who"?"""
    sid = store.session("c1", user="u1")
    store.redis.hset(session_key(sid), "me", pair("5"))

    def ask(text, column="who", me=None):
        store.object(ROOM, **({} if text is None else {"who": text}))
        if column == "@u" and text is not None:
            store.redis.hset(object_key(ROOM), "@u", "0 0 " + text)
        if me is not None:
            store.redis.hset(session_key(sid), "me", me)
        outcome, _, found = store.run("read", "c1", store.now(), 1, CLASS, f"owner:{column}", 0, 1, "7")
        assert outcome == "ok" and found[0::2] in ([], [ROOM])
        return bool(found)
    return ask


@pytest.mark.parametrize("text", [
    '"u1"', pair("5"), listed(pair("5")), listed(pair("6"), pair("5")),
    listed(pair("5"), pair("6"), pair("5")),
])
def test_owners_are_let_in(may_read, text):
    assert may_read(text)


@pytest.mark.parametrize("text", [
    None, "null", "[]", '"u2"', '"u"', '"u11"', pair("6"), pair("55"), pair("5", "com.app.mo.Group"),
    listed(pair("6")), listed(pair("55"), pair("51")), listed(pair("5", "com.app.mo.Group")),
    listed(pair(pair("5"))), pair(pair("5")), json.dumps(pair("5")), '["u1"]',
])
def test_others_are_not(may_read, text):
    assert not may_read(text)


@pytest.mark.parametrize("text", ["[]", listed(pair("5")), pair("5"), "null", '""'])
def test_who_has_no_object_of_their_own_is_in_no_list(may_read, text):
    assert not may_read(text, me="")


def test_an_odd_id_is_no_pattern(may_read):
    odd = pair('a%d.[^"\\')
    assert may_read(listed(pair("6"), odd), me=odd)
    assert not may_read(listed(pair("6"), pair('a1.x"\\')), me=odd)


@pytest.mark.parametrize("text, expected", [('"u1"', True), ('"u2"', False), (None, False)])
def test_an_object_belongs_to_its_user(may_read, text, expected):
    assert may_read(text, column="@u") is expected


# ---- Rooms

FORBIDDEN = "-117"


@pytest.fixture
def people(stack, connect):
    """Client and pair of the Person of each user."""
    def one(user):
        client = connect(stack.gateways[0], user)
        own = stack.redis().hget(f"{{u:{client.user_id}}}", "anchor")
        return client, client_pair(PERSON, own)
    return {user: one(user) for user in ("ada", "ben", "cleo")}


def test_members_change_a_room_and_its_members(people):
    (ada, adas), (ben, bens), (cleo, _) = people.values()
    room = create(ada, CLASS, name="ours", members=[adas, bens])["theObject"]["ID"]
    assert put(ben, CLASS, room, name="ben's")["result"] is True
    assert_refused(put(cleo, CLASS, room, name="cleo's"), FORBIDDEN)
    assert put(ada, CLASS, room, members=[adas])["result"] is True
    assert_refused(put(ben, CLASS, room, name="ben's again"), FORBIDDEN)
    assert find(cleo, CLASS, room)["name"] == "ben's"
    assert put(ada, CLASS, room, members=[])["result"] is True
    assert_refused(put(ada, CLASS, room, members=[adas]), FORBIDDEN)


def test_nobody_makes_others_join_a_group(people, new_id):
    membership = "com.app.mo.Membership"
    (ada, adas), (_, bens) = list(people.values())[:2]
    assert_refused(create(ada, membership, new_id(), person=bens), FORBIDDEN)
    assert_refused(create(ada, membership, new_id()), FORBIDDEN)
    assert create(ada, membership, new_id(), person=adas)["result"] is True
