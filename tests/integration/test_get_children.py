"""get_children: pages of an object's children, and what has changed in them (content protocol).

The order of children is in test_views.py; the classes are those of support/children-model.json.
"""

import pytest
from asking import create, put, remove
from client import pair
from content_client import ContentClient, code_of
from json_patch import apply
from relations import wait_for_jobs
from servers import json, wait_until
from stack import CHILDREN_MODEL
from store import object_key
from views import Views, full, full_ref, pairs, split

SIZE = 7  # of a page of "plain"


@pytest.fixture
def views(children_stack, connect):
    views = Views(children_stack, connect(children_stack.gateways[0], "ada"))
    yield views
    views.close()


@pytest.fixture
def ben(children_stack):
    with ContentClient(children_stack.gateways[0].url) as client:
        client.login(children_stack.credential("ben"))
        yield client


@pytest.fixture
def shelf(views, new_id):
    """A shelf of leaves with these names; its ref, and those of the leaves."""
    def make(*names):
        refs = [f"Leaf:{new_id('leaf')}" for _ in names]
        for ref, name in zip(refs, names):
            views.add(ref, name=name)
        ref = f"Shelf:{new_id('shelf')}"
        views.add(ref, things=pairs(*refs))
        return ref, refs

    return make


def key_of(views, ref):
    return views.domain.key(full_ref(ref))


# ---- Answers

def test_a_page_has_the_members_of_the_protocol_in_their_order(views, ben, shelf):
    ref, (a, b) = shelf("a", "b")
    answer = ben.get_children(key_of(views, ref), "plain")
    assert (answer["type"], answer["cls"], answer["status"]) == ("result", "get_children", 200)
    data = answer["data"]
    assert list(data) == ["key", "ver", "view", "index", "size", "total", "page"]
    identity, number = data.pop("ver")
    assert isinstance(identity, str) and number == 1
    empty = {"count": None, "weight": None, "state": None, "tree": None}
    assert data == {"key": key_of(views, ref), "view": "plain", "index": 1, "size": 2, "total": 2, "page": [
        {"key": key_of(views, a), "name": "a", **empty}, {"key": key_of(views, b), "name": "b", **empty}]}


def test_a_page_that_has_not_changed_is_not_told_again(views, ben, shelf):
    ref, _ = shelf("a", "b")
    ver = ben.get_children(key_of(views, ref), "plain")["data"]["ver"]
    answer = ben.get_children(key_of(views, ref), "plain", ver=ver)
    assert answer["status"] == 204 and "data" not in answer


def test_a_patch_has_the_members_of_the_protocol_and_leads_to_the_page(views, ben, shelf):
    ref, leaves = shelf(*"abcdef")
    before = ben.get_children(key_of(views, ref), "plain")["data"]
    put(views.client, *split(leaves[1]), name="z")
    put(views.client, *split(leaves[2]), state="ripe")
    answer = ben.get_children(key_of(views, ref), "plain", ver=before["ver"])
    assert answer["status"] == 206
    data = answer["data"]
    assert list(data) == ["key", "ver", "view", "page", "size", "total", "patch"]
    assert data["ver"] == [before["ver"][0], 2]
    assert (data["page"], data["size"], data["total"]) == (1, 6, 6)
    whole = ben.get_children(key_of(views, ref), "plain")["data"]
    assert whole["ver"] == data["ver"]
    assert apply(before["page"], data["patch"]) == whole["page"] != before["page"]
    assert len(json.dumps(data["patch"])) < len(json.dumps(whole["page"]))


def test_each_page_has_versions_of_its_own(views, ben, shelf):
    ref, leaves = shelf(*"abcdefghij")
    first, second = (ben.get_children(key_of(views, ref), "plain", page)["data"] for page in (1, 2))
    assert (first["size"], second["size"], second["total"]) == (SIZE, 3, 10)
    assert first["ver"][0] != second["ver"][0]
    put(views.client, *split(leaves[9]), count=5)
    assert ben.get_children(key_of(views, ref), "plain", 1, ver=first["ver"])["status"] == 204
    assert ben.get_children(key_of(views, ref), "plain", 2, ver=second["ver"])["status"] == 206
    other = ben.get_children(key_of(views, ref), "plain", 2, ver=first["ver"])
    assert other["status"] == 200, "a version of another page is unknown"


def test_the_total_is_part_of_a_page(views, ben, shelf):
    ref, leaves = shelf(*"abcdefghij")
    before = ben.get_children(key_of(views, ref), "plain")["data"]
    remove(views.client, *split(leaves[9]))
    data = ben.get_children(key_of(views, ref), "plain", ver=before["ver"])["data"]
    assert (data["total"], data["patch"]) == (9, [])


@pytest.mark.parametrize("ver", [["foreign", 1], [7, 1], ["", 0], ["x" * 1000, 1]])
def test_a_version_of_another_history_gets_the_page(views, ben, shelf, ver):
    ref, _ = shelf("a")
    ben.get_children(key_of(views, ref), "plain")
    assert ben.get_children(key_of(views, ref), "plain", ver=ver)["status"] == 200


@pytest.mark.parametrize("number", [0, 2, -1, 2**70])
def test_a_number_that_the_page_never_had_gets_the_page(views, ben, shelf, number):
    ref, _ = shelf("a")
    identity, _ = ben.get_children(key_of(views, ref), "plain")["data"]["ver"]
    answer = ben.get_children(key_of(views, ref), "plain", ver=[identity, number])
    assert answer["status"] == 200


def test_a_patch_that_is_longer_than_the_page_is_not_sent(views, ben, shelf):
    ref, leaves = shelf(*"abcdefg")
    ver = ben.get_children(key_of(views, ref), "plain")["data"]["ver"]
    remove(views.client, *split(leaves[6]))
    views.add(ref, things=pairs(leaves[0]))
    assert ben.get_children(key_of(views, ref), "plain", ver=ver)["status"] == 200


def test_the_children_of_an_object_without_any_are_an_empty_page(views, ben, shelf):
    ref, _ = shelf()
    data = ben.get_children(key_of(views, ref), "plain")["data"]
    assert (data["index"], data["size"], data["total"], data["page"]) == (1, 0, 0, [])
    assert code_of(ben.get_children(key_of(views, ref), "plain", 2)) == 4040522


def test_references_are_shown_as_keys(views, ben, new_id):
    tree, leaf = f"Tree:{new_id('tree')}", f"Leaf:{new_id('leaf')}"
    views.add(tree)
    views.add(leaf, tree=pair(*split(tree)), name='q"\\é')
    page = ben.get_children(key_of(views, tree), "plain")["data"]["page"]
    assert page[0]["tree"] == {"key": key_of(views, tree)} and page[0]["name"] == 'q"\\é'


# ---- What is kept of pages

@pytest.fixture
def keeping(new_stack, connect, new_id):
    """A stack that keeps little; its Views, and a shelf with three leaves."""
    def make(**settings):
        stack = new_stack(settings={"model.file": CHILDREN_MODEL, **{
            "sync." + name: value for name, value in settings.items()}})
        views = Views(stack, connect(stack.gateways[0], "ada"))
        leaves = [f"Leaf:{name}" for name in "abc"]
        for leaf in leaves:
            views.add(leaf, name=leaf)
        views.add("Shelf:s", things=pairs(*leaves))
        return views

    return make


def versions(views, count):
    """Of so many readings, each after a change."""
    found = []
    for number in range(count):
        views.add("Leaf:a", count=number)
        found.append(views.page("Shelf:s", "plain")["data"]["ver"])
    return found


def test_only_the_newest_readings_of_a_page_are_kept(keeping):
    views = keeping(pages_kept=3)
    statuses = [views.page("Shelf:s", "plain", ver=ver)["status"] for ver in versions(views, 5)]
    assert statuses == [200, 200, 206, 206, 204]
    views.close()


def test_no_more_bytes_of_a_page_are_kept_than_there_is_room(keeping):
    views = keeping(page_bytes_kept=0)
    assert [views.page("Shelf:s", "plain", ver=v)["status"] for v in versions(views, 2)] == [200, 204]
    views.close()


def test_a_page_that_nobody_reads_is_forgotten(keeping):
    views = keeping(pages_kept_s=1)
    (ver,) = versions(views, 1)
    key = object_key("com.kin.Shelf:s", ":pg:plain:1")
    wait_until(lambda: not views.redis.exists(key), 10, "the page is forgotten")
    answer = views.page("Shelf:s", "plain", ver=ver)
    assert answer["status"] == 200 and answer["data"]["ver"][0] != ver[0]
    views.close()


def test_who_may_watch_no_more_is_refused(keeping, new_id):
    views = keeping(max_subscriptions=1)
    views.add("Shelf:other")
    with ContentClient(views.stack.gateways[0].url) as ben:
        ben.login(views.stack.credential("ben"))
        for shelf, code in (("s", None), ("other", 4290500), ("s", None)):
            answer = ben.get_children({"type": "shelf", "id": shelf}, "plain", subscribe=True)
            assert code_of(answer) == code
        assert ben.get_children({"type": "shelf", "id": "other"}, "plain")["status"] == 200
    views.close()


# ---- Errors

def test_who_is_not_logged_in_gets_nothing(children_stack, views, shelf):
    ref, _ = shelf("a")
    with ContentClient(children_stack.gateways[0].url) as stranger:
        assert code_of(stranger.get_children(key_of(views, ref), "plain")) == 4010510


@pytest.mark.parametrize("data", [
    {"key": None}, {"key": 5}, {"key": {}}, {"key": {"type": "shelf"}}, {"key": {"id": "s"}},
    {"key": {"type": 5, "id": "s"}}, {"key": {"type": "shelf", "id": None}},
    {"key": {"type": "shelf", "id": []}}, {"key": {"type": "shelf", "id": {}}},
    {"key": {"type": "shelf", "id": 1.5}}, {"key": {"type": "shelf", "id": True}},
    {"key": {"type": "shelf", "id": [[1]]}},
    {"page": 0}, {"page": -1}, {"page": 1.5}, {"page": "1"}, {"page": None}, {"page": []},
    {"page": -2**70}, {"page": True},
    {"view": None}, {"view": 1}, {"view": ["plain"]},
    {"ver": 1}, {"ver": []}, {"ver": ["a"]}, {"ver": ["a", "b"]}, {"ver": [None, 1]},
    {"ver": ["a", 1, 2]}, {"ver": {}}, {"ver": "a"},
    {"subscribe": 1}, {"subscribe": "true"},
], ids=str)
def test_what_has_the_wrong_shape_is_refused(views, ben, data):
    valid = {"key": {"type": "shelf", "id": "s"}, "view": "plain", "page": 1}
    answer = ben.request("get_children", **{**valid, **data})
    assert code_of(answer) == 4000500, answer
    member = next(iter(data))
    assert answer["data"]["msg"].startswith(f"Format Error: data.{member}"), answer


@pytest.mark.parametrize("member", ["key", "view", "page"])
def test_what_is_left_out_is_refused(ben, member):
    data = {"key": {"type": "shelf", "id": "s"}, "view": "plain", "page": 1}
    del data[member]
    assert code_of(ben.request("get_children", **data)) == 4000500


@pytest.mark.parametrize("key", [
    {"type": "nothing", "id": 1}, {"type": "shelf", "id": "nowhere"}, {"type": "shelf", "id": 1},
    {"type": "shelf", "id": ["s"]}, {"type": "log", "id": "1"}, {"type": "log", "id": 2**70},
    {"type": "shelf", "id": ""}], ids=str)
def test_documents_that_there_are_not(ben, key):
    assert code_of(ben.get_children(key, "plain" if key["type"] == "shelf" else "text")) == 4040520


@pytest.mark.parametrize("view", ["", "nothing", "PLAIN", "plain ", "x" * 10000, "weight", "\u0000"])
def test_views_that_there_are_not(views, ben, shelf, view):
    ref, _ = shelf("a")
    assert code_of(ben.get_children(key_of(views, ref), view)) == 4040521


def test_a_document_that_has_no_children_has_no_views(views, ben, shelf):
    _, (leaf,) = shelf("a")
    assert code_of(ben.get_children(key_of(views, leaf), "plain")) == 4040521


@pytest.mark.parametrize("page", [3, 4, 10**9, 2**53 + 1, 2**63 - 1, 2**63, 10**40])
def test_pages_past_the_end(views, ben, shelf, page):
    ref, _ = shelf(*"abcdefgh")
    assert code_of(ben.get_children(key_of(views, ref), "plain", page)) == 4040522


def test_a_parent_that_one_may_not_read(views, ben, new_id):
    me = views.client.request("findByExample", theObject={
        "cn": full("Person"), "userId": views.client.user_id})["result"][0]["ID"]
    diary = f"Diary:{new_id('diary')}"
    views.add(diary, keeper=pair(full("Person"), me))
    assert views.page(diary, "text")["status"] == 200
    assert code_of(ben.get_children(key_of(views, diary), "text")) == 4030530


def test_a_parent_that_is_removed(views, ben, shelf):
    ref, _ = shelf("a")
    ben.get_children(key_of(views, ref), "plain")
    remove(views.client, *split(ref))
    assert code_of(ben.get_children(key_of(views, ref), "plain")) == 4040520


# ---- Who is told

def expect_children_changed(ben, key):
    ben.expect_changed(key, content=False, children=True)


def test_a_reader_who_subscribes_hears_of_what_the_page_shows(views, ben, shelf):
    ref, (a, b) = shelf("a", "b")
    key = key_of(views, ref)
    for view in ("worst", "plain"):
        ver = ben.get_children(key, view, subscribe=True)["data"]["ver"]
    put(views.client, *split(a), remark="not shown")
    put(views.client, *split(a), count=7)
    expect_children_changed(ben, key)
    data = ben.get_children(key, "plain", ver=ver)["data"]
    assert data["patch"] == [{"op": "replace", "path": "/0/count", "value": 7}]
    put(views.client, *split(b), ripe=True)
    expect_children_changed(ben, key)
    assert ben.get_children(key, "plain", ver=data["ver"])["status"] == 204, "another view's order"
    remove(views.client, *split(b))
    expect_children_changed(ben, key)


def test_who_asks_for_no_view_hears_of_the_children_all_the_same(views, ben, shelf):
    ref, (a, b) = shelf("a", "b")
    key = key_of(views, ref)
    ben.subscribe(key)
    wait_until(lambda: views.redis.exists(object_key(full_ref(a), ":in")), 20, "the children are known")
    put(views.client, *split(a), count=7)
    expect_children_changed(ben, key)
    views.add(ref, things=pairs(b))
    ben.expect_changed(key, children=True)
    put(views.client, *split(b), name="z")
    expect_children_changed(ben, key)


def test_a_view_that_was_left_half_built_is_none_to_rely_on(views, ben, shelf):
    ref, (a, _) = shelf("a", "b")
    assert views.shown(ref, "plain")
    parent = full_ref(ref)
    views.redis.hdel(object_key(full_ref(a), ":in"), f"{parent}\nplain")
    views.redis.zremrangebyrank(object_key(parent, ":v:plain"), 0, 0)
    views.redis.rpush(object_key(parent, ":vb:plain"), full_ref(a))
    views.redis.hset(object_key(parent, ":va"), "plain", "1 ")  # and who asked for it died
    key = key_of(views, ref)
    ben.subscribe(key)
    wait_until(lambda: views.redis.exists(object_key(full_ref(a), ":in")), 20, "the child is known")
    wait_for_jobs(views.redis)
    put(views.client, *split(a), count=7)
    expect_children_changed(ben, key)


def test_children_are_known_as_soon_as_somebody_minds_them(new_stack, connect, new_id):
    stack = new_stack(settings={"model.file": CHILDREN_MODEL, "sync.poll_ms": 60000})
    views = Views(stack, connect(stack.gateways[0], "ada"))
    leaf, ref = f"Leaf:{new_id('leaf')}", f"Shelf:{new_id('shelf')}"
    views.add(leaf, name="a")
    views.add(ref, things=pairs(leaf))
    with ContentClient(stack.gateways[0].url) as client:
        client.login(stack.credential("ben"))
        client.subscribe(key_of(views, ref))
        wait_until(lambda: views.redis.exists(object_key(full_ref(leaf), ":in")), 20,
                   "the child is known, though nobody looks for jobs")
    views.close()


def test_who_waits_for_an_object_hears_of_its_children_from_the_first_on(views, ben, shelf, new_id):
    tree, leaf = f"Tree:{new_id('tree')}", f"Leaf:{new_id('leaf')}"
    ben.subscribe(key_of(views, tree))
    wait_until(lambda: views.redis.exists(object_key(full_ref(tree), ":cw")), 20, "the wish is known")
    views.add(tree)
    ben.expect_changed(key_of(views, tree), content=True)
    wait_for_jobs(views.redis)
    views.add(leaf, tree=pair(*split(tree)))
    ben.expect_changed(key_of(views, tree), children=True)
    put(views.client, *split(leaf), name="z")
    expect_children_changed(ben, key_of(views, tree))
