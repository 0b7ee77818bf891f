"""Views of an object's children: what belongs to them, in which order, and how they are kept.

Content protocol, "get_children"; agents/runtime/lua/view.lua and children.lua. The classes are those of
support/children-model.json: a Shelf lists its things, a Tree and a Grove are referred to by theirs, a Club
has them through Tickets, and the ids of a Log's lines begin with its own.
"""

import pytest
from asking import put, remove
from client import pair
from relations import wait_for_jobs
from servers import json
from store import object_key
from views import Views, full, log_id, pairs, split


@pytest.fixture
def views(children_stack, connect):
    views = Views(children_stack, connect(children_stack.gateways[0], "ada"))
    yield views
    views.close()


@pytest.fixture
def ada(views):
    return views.client


@pytest.fixture
def leaves(views, new_id):
    """Makes leaves with these fields each; returns their refs."""
    def make(*rows):
        refs = []
        for fields in rows:
            refs.append(f"Leaf:{new_id('leaf')}")
            views.add(refs[-1], **fields)
        return refs

    return make


@pytest.fixture
def shelf(views, new_id):
    """Makes a shelf of these things, whose views are built."""
    def make(*refs):
        ref = f"Shelf:{new_id('shelf')}"
        views.add(ref, things=pairs(*refs))
        for view in ("plain", "back", "mixed", "worst"):
            views.check(ref, view)
        return ref

    return make


def names(views, ref, view):
    return [s.get("name", s.get("label")) for s in views.pages(ref, view)]


# ---- Orders

def test_texts_stand_in_the_order_of_their_code_points(views, leaves, shelf):
    given = ["b", "B", "a", "", "ab", "é", "z", "￿", "😀", "a b", "a\u0000", "a\u0000b", "a\u0001", "10",
             "9", 'q"\\/\b\f\n\r\t', "\u001f", "\\u0041", "~", "\u2028", None]
    ref = shelf(*leaves(*({"name": name} for name in given)))
    expected = sorted(given[:-1], key=str.encode)
    assert names(views, ref, "plain") == expected + [None]
    assert names(views, ref, "back") == expected[::-1] + [None]


def test_integers_beyond_what_a_double_holds_keep_their_order(views, leaves, shelf):
    given = [0, -1, 1, 9, 10, -9, -10, -11, 2**53, 2**53 + 1, 2**53 + 2, -2**53 - 1, -2**53, 2**63 - 1,
             -2**63, 99, 100, 101]
    ref = shelf(*leaves(*({"count": count, "state": "ripe"} for count in given)))
    assert [s["count"] for s in views.pages(ref, "mixed")] == sorted(given, reverse=True)


def test_doubles_stand_in_the_order_of_their_values(views, leaves, shelf):
    given = [0, 1.5, -1.5, 1e300, -1e300, 1e-300, 0.1, 1, 2, 10, -0.25, 1e21, 5e-324]
    ref = shelf(*leaves(*({"weight": weight} for weight in given)))
    assert [s["weight"] for s in views.pages(ref, "mixed")] == sorted(given)
    assert [s["weight"] for s in views.pages(ref, "worst")] == sorted(given, reverse=True)


def test_values_that_are_equal_as_numbers_are_ties(views, leaves, shelf):
    refs = leaves(*({"weight": weight} for weight in (1.0, -0.0, 1, 0)))
    assert views.shown(shelf(*refs), "mixed") == [refs[1], refs[3], refs[0], refs[2]]


def test_ranks_stand_first_and_what_has_none_or_is_null_last_in_both_directions(views, leaves, shelf):
    gone, rotten, nothing, ripe, green = leaves(*(
        {"state": state} for state in ("gone", "rotten", None, "ripe", "green")))
    ref = shelf(gone, rotten, nothing, ripe, green)
    assert views.shown(ref, "mixed") == [ripe, green, rotten, gone, nothing]
    assert views.shown(ref, "worst") == [rotten, green, ripe, gone, nothing]


def test_ties_go_by_class_and_by_id_as_its_kind_says(views, leaves, shelf, new_id):
    fruits = [f"Fruit:{n}" for n in (1000000, 999999, 9, 10, 100)]
    for ref in fruits:
        views.add(ref, label="x")
    needle, leaf, other = f"Needle:{new_id('a')}", f"Leaf:{new_id('b')}", f"Leaf:{new_id('c')}"
    for ref in (needle, leaf, other):
        views.add(ref, name="x")
    ref = shelf(other, needle, *fruits, leaf)
    ordered = sorted(fruits, key=lambda f: int(f.split(":")[1])) + [leaf, other, needle]
    assert views.shown(ref, "plain") == views.shown(ref, "back") == ordered


def test_long_texts_count_with_their_beginning(views, leaves, shelf):
    long = "x" * 512
    refs = leaves({"name": long + "b"}, {"name": long + "a"}, {"name": long[1:] + "a"}, {"name": long})
    assert views.shown(shelf(*refs), "plain") == [refs[2], refs[0], refs[1], refs[3]]


# ---- Kinds of relations

def fruit(views, number, **fields):
    views.add(f"Fruit:{number}", **fields)
    return f"Fruit:{number}"


def test_children_of_a_list_follow_it(views, ada, leaves, shelf):
    a, b, c = leaves({"name": "a"}, {"name": "b"}, {"name": "c"})
    ref = shelf(c, a)
    put(ada, *split(ref), things=pairs(b, c, b))
    assert views.check(ref, "plain") == [b, c]
    put(ada, *split(ref), things=None)
    assert views.check(ref, "plain") == []
    put(ada, *split(ref), things=pairs(a))
    assert views.check(ref, "mixed") == [a]


def test_children_that_refer_to_their_parent_move_with_the_reference(views, ada, leaves, new_id):
    trees = [f"Tree:{new_id('tree')}" for _ in range(2)]
    for tree in trees:
        views.add(tree)
        views.check(tree, "plain")
    a, b = leaves({"name": "a"}, {"name": "b"})
    for leaf in (b, a):
        put(ada, *split(leaf), tree=pair(*split(trees[0])))
    assert views.check(trees[0], "plain") == [a, b]
    put(ada, *split(a), tree=pair(*split(trees[1])), name="z")
    assert [views.check(tree, "plain") for tree in trees] == [[b], [a]]
    put(ada, *split(b), tree=None)
    assert views.check(trees[0], "plain") == []


def test_children_that_list_their_parents_are_in_each_of_them(views, ada, leaves, new_id):
    groves = [f"Grove:{new_id('grove')}" for _ in range(3)]
    for grove in groves:
        views.add(grove)
        views.check(grove, "weight")
    light, heavy = leaves({"weight": 1}, {"weight": 2})
    put(ada, *split(heavy), trees=pairs(*groves[:2]))
    put(ada, *split(light), trees=pairs(*groves[1:]))
    assert [views.check(g, "weight") for g in groves] == [[heavy], [light, heavy], [light]]
    put(ada, *split(light), trees=pairs(groves[0], groves[1]), weight=3)
    assert [views.check(g, "weight") for g in groves] == [[heavy, light], [heavy, light], []]


def test_children_through_join_objects_stay_as_long_as_one_links_them(views, ada, leaves, new_id):
    club, other = f"Club:{new_id('club')}", f"Club:{new_id('club')}"
    for ref in (club, other):
        views.add(ref)
        views.check(ref, "plain")
    a, b = leaves({"name": "a"}, {"name": "b"})
    tickets = [f"Ticket:{new_id('ticket')}" for _ in range(3)]
    for ticket, member in zip(tickets, (b, a, a)):
        views.add(ticket, club=pair(*split(club)), member=pair(*split(member)))
    assert views.check(club, "plain") == [a, b]
    remove(ada, *split(tickets[1]))
    assert views.check(club, "plain") == [a, b], "there is another ticket"
    put(ada, *split(tickets[2]), club=pair(*split(other)), member=pair(*split(b)))
    assert views.check(club, "plain") == [b] and views.check(other, "plain") == [b]
    put(ada, *split(tickets[0]), member=None)
    assert views.check(club, "plain") == []


def test_what_links_children_before_a_view_is_built_counts_too(views, ada, leaves, new_id):
    club = f"Club:{new_id('club')}"
    views.add(club)
    (a,) = leaves({"name": "a"})
    tickets = [f"Ticket:{new_id('ticket')}" for _ in range(2)]
    for ticket in tickets:
        views.add(ticket, club=pair(*split(club)), member=pair(*split(a)))
    assert views.check(club, "plain") == [a]
    remove(ada, *split(tickets[0]))
    assert views.check(club, "plain") == [a]
    remove(ada, *split(tickets[1]))
    assert views.check(club, "plain") == []


def test_children_whose_ids_begin_with_that_of_the_parent(views, ada):
    first = log_id(views.redis)
    logs = [first, first * 10 + 1000]  # one's text begins with the other's
    for number in logs:
        views.add(f"Log:{number}")
        views.check(f"Log:{number}", "text")
    for number in logs:
        for line in (1, 10, 9):
            views.add(f"Line:[{number},{line}]", text="same", day=line)
    for number in logs:
        lines = [f"Line:[{number},{line}]" for line in (1, 9, 10)]
        assert views.check(f"Log:{number}", "text") == lines
        assert views.check(f"Log:{number}", "newest") == lines[::-1]
    remove(ada, *split(f"Line:[{logs[0]},9]"))
    put(ada, *split(f"Line:[{logs[0]},1]"), text="z")
    assert views.check(f"Log:{logs[0]}", "text") == [f"Line:[{logs[0]},{line}]" for line in (10, 1)]


def test_a_parent_whose_id_is_a_text_with_quotes(views, ada, new_id):
    diary = f"Diary:{new_id()}" + '"\\,]['
    views.add(diary, keeper=pair(full("Person"), ada_id(ada)))
    views.check(diary, "text")
    name = diary.split(":", 1)[1]
    pages = ["Page:" + json.dumps([name, *rest], separators=(",", ":")) for rest in ((2,), ("x", 1))]
    for page, text in zip(pages, "ba"):
        views.add(page, text=text)
    assert views.check(diary, "text") == pages[::-1]


def ada_id(ada):
    me = ada.request("findByExample", theObject={"cn": full("Person"), "userId": ada.user_id})
    return me["result"][0]["ID"]


# ---- What comes and goes

def test_a_child_that_is_removed_leaves_all_views(views, ada, leaves, shelf):
    a, b = leaves({"name": "a"}, {"name": "b"})
    ref = shelf(a, b)
    remove(ada, *split(a))
    assert views.check(ref, "plain") == views.check(ref, "mixed") == [b]
    assert not views.redis.exists(object_key("com.kin." + a, ":in"))


def test_a_parent_that_is_removed_takes_its_views_with_it(views, ada, leaves, shelf):
    refs = leaves(*({"name": str(n)} for n in range(30)))
    ref = shelf(*refs)
    remove(ada, *split(ref))
    wait_for_jobs(views.redis)
    left = views.redis.keys(f"{{o:com.kin.{ref}}}:v*")
    assert left == [] and not views.redis.exists(object_key("com.kin." + refs[0], ":in"))


def test_what_was_referred_to_before_it_was_there(views, leaves, shelf, new_id):
    late = f"Leaf:{new_id('late')}"
    ref = shelf()
    answer = views.operator.ask("importObjects", {"objects": [
        {"cn": full("Shelf"), "ID": ref.split(":", 1)[1], "things": pairs(late)}]})
    assert len(answer["broken"]) == 1
    assert views.check(ref, "plain") == []
    views.add(late, name="late")
    assert views.check(ref, "plain") == [late]


def test_what_a_page_does_not_show_moves_nothing(views, ada, leaves, shelf):
    (a,) = leaves({"name": "a"})
    ref = shelf(a)
    before = views.page(ref, "plain")["data"]["ver"]
    put(ada, *split(a), remark="x")
    assert views.page(ref, "plain", ver=before)["status"] == 204
    put(ada, *split(a), count=1)
    assert views.page(ref, "plain", ver=before)["status"] == 206


def test_views_that_were_kept_by_another_model_are_built_anew(views, ada, leaves, shelf):
    refs = leaves(*({"name": name} for name in "cab"))
    ref = shelf(*refs)
    views.redis.hincrby("model", "number", 1)
    views.redis.delete(object_key("com.kin." + ref, ":v:plain"))  # whatever was missed meanwhile
    for view in ("plain", "back"):
        assert views.check(ref, view)
    wait_for_jobs(views.redis)
    assert views.redis.keys(f"{{o:com.kin.{ref}}}:vg:*") == []
    put(ada, *split(refs[0]), name="_")
    assert views.check(ref, "plain")[0] == refs[0] == views.check(ref, "back")[-1]


# ---- More than one step can take

MANY = 600


@pytest.fixture
def many_leaves(views, new_id):
    refs = [f"Leaf:{new_id('leaf')}" for _ in range(MANY)]
    answer = views.operator.ask("importObjects", {"objects": [
        {"cn": full("Leaf"), "ID": ref.split(":", 1)[1], "name": f"{n * 7 % 100}", "weight": 1}
        for n, ref in enumerate(refs)]})
    assert answer["created"] == MANY
    return refs


def test_many_children_that_come_and_go_at_once(views, ada, shelf, many_leaves):
    ref = shelf()
    for children in (many_leaves, many_leaves[:5], []):
        put(ada, *split(ref), things=pairs(*children))
        wait_for_jobs(views.redis)
        assert len(views.check(ref, "worst")) == len(children)
        assert views.built(views.objects()) == []


def test_a_child_of_many_parents_moves_in_all_of_them(views, ada, leaves, new_id):
    groves = [f"Grove:{new_id('grove')}" for _ in range(300)]
    for grove in groves:
        views.add(grove)
        views.page(grove, "weight")
    light, heavy = leaves({"weight": 1}, {"weight": 2})
    for leaf in (light, heavy):
        put(ada, *split(leaf), trees=pairs(*groves))
    wait_for_jobs(views.redis)
    put(ada, *split(light), weight=3)
    wait_for_jobs(views.redis)
    assert views.built(views.objects()) == []
    assert views.check(groves[-1], "weight") == [heavy, light]
    remove(ada, *split(light))
    wait_for_jobs(views.redis)
    assert views.built(views.objects()) == []
    assert not views.redis.exists(object_key("com.kin." + light, ":in"))


def test_a_view_is_built_in_as_many_steps_as_it_takes(views, new_id, many_leaves):
    ref = f"Shelf:{new_id('shelf')}"
    views.add(ref, things=pairs(*many_leaves))
    for view in ("worst", "plain"):
        assert len(views.check(ref, view)) == MANY
