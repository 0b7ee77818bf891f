"""Fields that not everyone may read: whatever tells of an object, of what is hidden it tells nothing.

Ada's posts have a wage that she and the editor Ben may read, and a diary that only she may; Cleo sees
neither. Wherever a secret stood, Cleo would have its text.
"""

import json

import pytest
from asking import create, find, find_all, get_all, ids, put, remove
from client import SYNC, Client, pair
from content_client import code_of, key
from servers import wait_until
from stack import Stack, user_row
from store import balance, session_of
from watching import expect_value, value

PERSON, POST, TEAM = "app.Person", "app.Post", "app.Team"
ME, EDITOR = {"owner": "by"}, {"role": "editor"}
WAGE, DIARY = 7654321, "the secret diary"
SECRETS = (str(WAGE), DIARY, "wage", "diary")
EVERYTHING = dict.fromkeys(("read", "create", "update", "remove"), "signedIn")


def watcher(value_of, **more):
    return {"of": [{"class": POST, "by": "team"}], "value": value_of, **more}


MODEL = {"classes": {
    PERSON: {"type": "person", "anchor": "userId", "access": {"read": "signedIn"},
             "fields": {"userId": {"type": "string", "readOnly": True}}},
    TEAM: {"type": "team", "access": EVERYTHING, "fields": {"name": {"type": "string"}},
           "watchers": {"wages": watcher("sum", field="wage"),
                        "rich": watcher("count", where=[{"field": "wage", "is": ">", "value": 0}]),
                        "many": watcher("count")}},
    POST: {"type": "post", "access": EVERYTHING, "history": True, "indexes": [{"fields": ["wage"]}],
           "queries": {"rich": {"run": "signedIn", "where": [{"field": "wage", "is": ">", "value": 0}]},
                       "all": {"run": "signedIn", "order": [{"by": "title"}]}},
           "fields": {
               "title": {"type": "string"},
               "by": {"type": "toOne", "target": PERSON},
               "team": {"type": "toOne", "target": TEAM},
               "wage": {"type": "integer", "access": {"read": [ME, EDITOR]}},
               "diary": {"type": "string", "access": {"read": ME}}}},
}}


@pytest.fixture(scope="module")
def fields_stack(servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    (folder / "model.json").write_text(json.dumps(MODEL))
    (folder / "users.json").write_text(json.dumps([
        {**user_row(f"{name}@example.org", name, "Example"), "roles": roles}
        for name, roles in {"ada": [], "ben": ["editor"], "cleo": []}.items()]))
    with Stack(servers, settings={"model.file": folder / "model.json",
                                  "auth.users_file": folder / "users.json"}) as stack:
        yield stack
        stack.check()
        expected, counted = balance(stack.redis())
        assert expected == counted


@pytest.fixture
def people(fields_stack, connect):
    clients = [connect(fields_stack.gateways[0], user) for user in ("ada", "ben", "cleo")]
    for client in clients:
        own = fields_stack.redis().hget(f"{{u:{client.user_id}}}", "anchor")
        client.me = pair(PERSON, own)
    return clients


@pytest.fixture
def readers(fields_stack, connect_content):
    return [connect_content(fields_stack.gateways[0], user) for user in ("ada", "ben", "cleo")]


@pytest.fixture
def opened(fields_stack):
    with Client(fields_stack.gateways[0].url) as client:
        yield client


@pytest.fixture
def post(people):
    """The ID of one of Ada's."""
    return create(people[0], POST, title="one", by=people[0].me, wage=WAGE, diary=DIARY)["theObject"]["ID"]


def seen(objects):
    """Which of the two each has been told of."""
    return [tuple(o[name] for name in ("wage", "diary") if name in o) for o in objects]


EACH = [(WAGE, DIARY), (WAGE,), ()]


def assert_silent(*clients):
    """Nothing that came for the last of them tells of what is hidden."""
    for frame in clients[-1].inbox:
        assert not any(secret in frame.text for secret in SECRETS), frame.text


# ---- Reads

def test_reads_show_to_each_what_they_may_see(people, post):
    assert seen([find(client, POST, post) for client in people]) == EACH
    assert seen([find_all(client, (POST, [post]))["result"][0] for client in people]) == EACH
    for client, expected in zip(people, EACH):
        assert seen([o for o in get_all(client, POST)["result"] if o["ID"] == post]) == [expected]
        answer = client.request("getAccessor", theClassName=POST, theClassId=post, returnObject=True)
        assert seen([answer["resultObject"]]) == [expected]
        states = client.request("getHistory", theClassName=POST, theClassId=post)["result"]
        assert seen([json.loads(state["objectData"]) for state in states]) == [expected]


def test_what_is_hidden_is_found_by_nobody_who_may_not_see_it(people, post):
    ada, ben, cleo = people
    for operation in ("findByExample", "searchByExample"):
        found = [ids(client.request(operation, theObject={"cn": POST, "wage": WAGE})["result"])
                 for client in people]
        assert post in found[0] and post in found[1] and found[2] == []
    unique = {"cn": POST, "wage": WAGE, "title": "one"}
    assert ada.request("findUnique", theObject=unique)["result"] is not None
    assert cleo.request("findUnique", theObject=unique)["result"] is None


def test_queries_take_what_is_hidden_for_nothing(people, post):
    def run(client, name):
        answer = client.request("runQuery", theClassName=POST, queryName=name, queryArguments=[])
        return [o for o in answer["result"] if o["ID"] == post]

    assert [seen(run(client, "all")) for client in people] == [[expected] for expected in EACH]
    assert [len(run(client, "rich")) for client in people] == [1, 1, 0]


def test_what_is_made_and_was_there_already_is_told_alike(people, post):
    cleo = people[2]
    assert seen([create(cleo, POST, by=cleo.me, wage=1, diary="x")["theObject"]]) == [(1, "x")]
    assert seen([create(cleo, POST, by=people[0].me, wage=1, diary="x")["theObject"]]) == [()]
    assert seen([create(client, POST, post)["theObject"] for client in people]) == EACH


# ---- Pushes

def test_a_change_is_told_to_each_as_they_may_see_it(people, post):
    ada, ben, cleo = people
    for client in people:
        find(client, POST, post)
    for wage in (1, 2):
        put(ada, POST, post, wage=wage, title=f"now {wage}")
        assert seen([ben.expect_update(post, title=f"now {wage}")]) == [(wage,)]
        push = cleo.expect_push(lambda p: p["cn"] == SYNC + "PushUpdateResponse"
                                and p["objectList"][0]["title"] == f"now {wage}")
        assert seen(push["objectList"]) == [()] and push["updatedFields"] == ["title"]
    assert_silent(*people)


def test_a_return_tells_what_may_be_seen(fields_stack, people, post, opened):
    ada, _, cleo = people
    find(cleo, POST, post)
    sid, redis = session_of(fields_stack.redis(), cleo.client_id), fields_stack.redis()
    cleo.vanish()
    wait_until(lambda: redis.hget(f"{{s:{sid}}}", "gw") == "", 15, "the session is unbound")
    put(ada, POST, post, title="later", wage=3)
    opened.send({"reconnect": {"reconnectId": cleo.session}})
    assert seen([opened.expect_update(post, title="later")]) == [()]


# ---- The content protocol

def test_content_lists_what_may_be_seen(people, readers, post):
    of = key("post", post)
    answers = [reader.get_content(of, subscribe=True)["data"] for reader in readers]
    assert seen([answer["content"] for answer in answers]) == EACH
    assert len({answer["ver"][0] for answer in answers}) == 3, "these are views of their own"
    put(people[0], POST, post, title="two", wage=5)
    for reader, answer, paths in zip(readers, answers, (2, 2, 1)):
        reader.expect_changed(of, content=True)
        news = reader.get_content(of, answer["ver"])
        assert news["status"] == 206 and len(news["data"]["patch"]) == paths
        assert reader.get_content(of, news["data"]["ver"])["status"] == 204
        other = reader.get_content(of, answers[readers.index(reader) - 1]["ver"])
        assert other["status"] == 200, "the version of another view"


def test_a_patch_goes_by_what_may_be_seen(readers, post):
    ada, _, cleo = readers
    of = key("post", post)
    for path in ("/wage", "/diary"):
        assert code_of(cleo.patch_content(of, [{"op": "test", "path": path, "value": WAGE}])) is not None
    answer = cleo.patch_content(of, [{"op": "replace", "path": "/title", "value": "three"}])
    assert cleo.get_content(of, answer["data"]["ver"])["status"] == 204
    assert code_of(ada.patch_content(of, [{"op": "test", "path": "/wage", "value": WAGE}])) is None


# ---- Watched values

def test_values_are_made_of_what_may_be_seen(people):
    ada = people[0]
    team = TEAM, create(ada, TEAM, name="t")["theObject"]["ID"]
    mine = POST, create(ada, POST, team=pair(*team), by=ada.me, wage=4)["theObject"]["ID"]
    for name, expected in (("wages", (4, 4, 0)), ("rich", (1, 1, 0)), ("many", (1, 1, 1))):
        assert tuple(value(client, team, name) for client in people) == expected
    assert [value(client, mine, "wage") for client in people] == [4, 4, None]
    put(ada, *mine, wage=6)
    for client in people[:2]:
        expect_value(client, team, "wages", 6)
        expect_value(client, mine, "wage", 6)
    assert value(people[2], team, "wages") == 0 and value(people[2], mine, "wage") is None
    put(ada, *mine, by=people[2].me)
    expect_value(people[2], team, "wages", 6)
    expect_value(people[2], mine, "wage", 6)
    expect_value(ada, mine, "wage", None)


# ---- Writes

def test_nobody_learns_a_hidden_value_by_an_old_put(people, post):
    """A put that is too old is stale, whatever stands there."""
    answers = [put(people[2], POST, post, at=1, wage=wage) for wage in (WAGE, WAGE + 1)]
    for answer in answers:
        assert answer["result"] is False
    assert answers[0]["data"] == answers[1]["data"]
    assert put(people[0], POST, post, at=1, wage=WAGE)["result"] is True
    assert remove(people[0], POST, post)["result"] is True


# ---- By scripts

def test_a_review_tells_who_knows_an_object_what_they_may_see_of_it_now(store):
    ref, who = f"{POST}:1", {name: store.session(name, user=name) for name in ("ada", "cleo")}
    store.object(ref, title='"one"', wage="1", by='"ada"')
    restricted = {POST: ("signedIn", {"wage": "owner:by"})}
    for sid in who.values():
        store.watch(sid, ref)
    job = store.job(ref)
    store.redis.hset(f"{{j:{job}}}", "review", 1)
    step = store.fan_out(job, restricted=restricted)
    assert {name: step.seen[sid]["wage"][-1] for name, sid in who.items()} == {"ada": "1", "cleo": "-"}
    for name in who:
        store.settle(name, {ref: 1})
    assert store.marked() == set()
