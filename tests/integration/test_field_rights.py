"""Rules of fields: of what is hidden from somebody nothing tells, and who may write an object may not
therefore set each of its fields, whatever the operation. And what is for those alone who sign in, and so not
for users of the provider anonymous.

Ada's posts have a wage that she and the editor Ben may read, and a diary that only she may; Cleo sees
neither. Wherever a secret stood, Cleo would have its text. Ada writes articles, too, of which Ben may change
more than she; they hang on boards, shelves and walls, and walls everyone may see.
"""

import json
import uuid

import pytest
from asking import create, find, find_all, get_all, ids, put, remove
from client import SYNC, Client, pair
from content_client import code_of, key
from relations import wait_for_jobs
from servers import wait_until
from shapes import assert_refused
from stack import Stack
from store import assert_books_balance, session_of
from watching import expect_value, value

PERSON, POST, TEAM, ARTICLE, BOARD, SHELF, WALL, PIN, SLIP = (
    f"app.{name}" for name in ("Person", "Post", "Team", "Article", "Board", "Shelf", "Wall", "Pin", "Slip"))
USERS = ("ada", "ben", "cleo")
EDITOR, ME = {"role": "editor"}, {"owner": "by"}
FORBIDDEN, PATCH_FORBIDDEN, ADD_FORBIDDEN, PAGE_FORBIDDEN = "-117", 4030630, 4030730, 4030530
WAGE, DIARY = 7654321, "the secret diary"
SECRETS = (str(WAGE), DIARY, "wage", "diary")
EVERYTHING = dict.fromkeys(("read", "create", "update", "remove"), "signedIn")


def field(kind, **more):
    return {"type": kind, **more}


def watcher(value_of, **more):
    return {"of": [{"class": POST, "by": "team"}], "value": value_of, **more}


def board(class_type, **articles):
    everyone = dict.fromkeys(("read", "create", "addChild"), "signedIn")
    return {"type": class_type, "access": everyone, "fields": {"articles": {"target": ARTICLE, **articles}},
            "children": {"relation": "articles", "views": {"all": {"size": 5, "order": [{"by": "title"}]}}}}


def wall():
    row = board("wall", type="list")
    row["fields"].update(mark=field("string", access={"read": "signedIn"}),
                         shown=field("toMany", target=PIN, inverse="wall", listed=True))
    return {**row, "access": dict.fromkeys(("read", "create"), "everyone"),
            "watchers": {"titles": {"value": "path", "of": ["articles"], "field": "title"}}}


MODEL = {"classes": {
    PERSON: {"type": "person", "anchor": "userId", "access": {"read": "signedIn"},
             "fields": {"userId": field("string", readOnly=True)}},
    TEAM: {"type": "team", "access": EVERYTHING, "fields": {"name": field("string")},
           "watchers": {"wages": watcher("sum", field="wage"),
                        "rich": watcher("count", where=[{"field": "wage", "is": ">", "value": 0}]),
                        "many": watcher("count")}},
    POST: {"type": "post", "access": EVERYTHING, "history": True, "indexes": [{"fields": ["wage"]}],
           "queries": {"rich": {"run": "signedIn", "where": [{"field": "wage", "is": ">", "value": 0}]},
                       "all": {"run": "signedIn", "order": [{"by": "title"}]}},
           "fields": {
               "title": field("string"),
               "by": field("toOne", target=PERSON),
               "team": field("toOne", target=TEAM),
               "wage": field("integer", access={"read": [ME, EDITOR]}),
               "diary": field("string", access={"read": ME})}},
    ARTICLE: {"type": "article", "fields": {
        "title": field("string"), "by": field("toOne", target=PERSON, server="creator"),
        "status": field("string", default="draft", access={"update": EDITOR}),
        "note": field("string", access={"update": ME}),
        "wage": field("integer", access={"update": EDITOR, "read": EDITOR}),
        "board": field("toOne", target=BOARD, access={"update": EDITOR})},
        "access": {"read": "signedIn", "create": "signedIn", "update": [ME, EDITOR]}},
    BOARD: board("board", type="toMany", inverse="board"),
    SHELF: board("shelf", type="list", access={"update": EDITOR}),
    WALL: wall(),
    PIN: {"fields": {"wall": field("toOne", target=WALL)},
          "access": dict.fromkeys(("read", "create"), "signedIn")},
    SLIP: {"access": {**EVERYTHING, "read": ME}, "fields": {
        "text": field("string"), "by": field("toOne", target=PERSON),
        "mark": field("string", default="red", access={"update": EDITOR})}},
}}


@pytest.fixture(scope="module")
def fields_stack(servers):
    """The second gateway's clients of the content protocol are users of the provider anonymous."""
    stack = Stack(servers, gateways=2, model=MODEL, roles={"ben": ["editor"]})
    stack.gateways[1].environment["ACTIVESTACK_GATEWAY_CONTENT_PROVIDER"] = "anonymous"
    with stack:
        yield stack
        stack.check()
        assert_books_balance(stack.redis())


@pytest.fixture
def log_in(fields_stack, connect):
    return lambda user: connect(fields_stack.gateways[0], user)


@pytest.fixture
def enter(fields_stack, connect_content):
    return lambda user: connect_content(fields_stack.gateways[0], user)


@pytest.fixture
def people(fields_stack, log_in):
    clients = [log_in(user) for user in USERS]
    for client in clients:
        own = fields_stack.redis().hget(f"{{u:{client.user_id}}}", "anchor")
        client.me = pair(PERSON, own)
    return clients


@pytest.fixture
def readers(enter):
    return [enter(user) for user in USERS]


@pytest.fixture
def opened(fields_stack):
    with Client(fields_stack.gateways[0].url) as client:
        yield client


@pytest.fixture
def post(fields_stack, people):
    """The ID of one of Ada's, of which everybody is told who is to be."""
    made = create(people[0], POST, title="one", by=people[0].me, wage=WAGE, diary=DIARY)["theObject"]["ID"]
    wait_for_jobs(fields_stack.redis())
    return made


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


def test_of_a_change_of_hidden_fields_alone_nothing_is_heard(people, readers, post):
    ada, ben, cleo = people
    of = key("post", post)
    for client, reader in zip(people, readers):
        find(client, POST, post)
        reader.get_content(of, subscribe=True)
    put(ada, POST, post, wage=8)
    assert ben.expect_update(post, wage=8)
    readers[1].expect_changed(of, content=True)
    put(ada, POST, post, title="two")
    push = cleo.expect_push(lambda p: p["cn"] == SYNC + "PushUpdateResponse")
    assert push["objectList"][0]["title"] == "two"
    readers[2].expect_changed(of, content=True)
    assert readers[2].get_content(of)["data"]["ver"][1] == 3, "the first one was that of the title"


def test_who_writes_what_shows_them_more_is_told_so(people, post):
    ada, _, cleo = people
    find(cleo, POST, post)
    put(cleo, POST, post, by=cleo.me)
    assert seen([cleo.expect_update(post)]) == [(WAGE, DIARY)]
    answer = cleo.request("processTransaction", objectsToRemove=[], putTimestamp=None, objectsToSave=[
        {"cn": POST, "ID": post, "by": ada.me}])
    assert answer["result"] is True
    assert seen([cleo.expect_update(post, by=ada.me)]) == [()]


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


def test_whose_patch_shows_them_more_reads_it(people, readers, post):
    cleo, of = readers[2], key("post", post)
    me = {"key": key("person", people[2].me["ID"])}
    answer = cleo.patch_content(of, [{"op": "replace", "path": "/by", "value": me}])
    news = cleo.get_content(of, answer["data"]["ver"])
    assert news["status"] == 200 and seen([news["data"]["content"]]) == [(WAGE, DIARY)]


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

@pytest.fixture
def ada(log_in):
    return log_in("ada")


@pytest.fixture
def ben(log_in):
    return log_in("ben")


@pytest.fixture
def article(ada):
    """The ID of one that Ada has written."""
    return create(ada, ARTICLE, title="one")["theObject"]["ID"]


def replace(path, value):
    return [{"op": "replace", "path": path, "value": value}]


def test_whoever_one_of_the_rules_lets_may_do_it(ada, ben, log_in, enter, article):
    assert put(ada, ARTICLE, article, title="two")["result"] is True
    assert put(ben, ARTICLE, article, title="three")["result"] is True
    assert_refused(put(log_in("cleo"), ARTICLE, article, title="no"), FORBIDDEN)
    of = key("article", article)
    assert code_of(enter("ada").patch_content(of, replace("/title", "four"))) is None
    assert code_of(enter("ben").patch_content(of, replace("/title", "five"))) is None
    assert code_of(enter("cleo").patch_content(of, replace("/title", "no"))) == PATCH_FORBIDDEN
    assert find(ada, ARTICLE, article)["title"] == "five"


# ---- Writes: putObject

def test_a_put_of_a_guarded_field_is_refused_whole(ada, ben, article):
    assert_refused(put(ada, ARTICLE, article, title="two", status="live"), FORBIDDEN, "you may not set status")
    assert find(ada, ARTICLE, article)["title"] == "one"
    assert put(ben, ARTICLE, article, title="three", status="live")["result"] is True
    assert_refused(put(ben, ARTICLE, article, note="mine"), FORBIDDEN, "you may not set note")
    assert put(ada, ARTICLE, article, note="mine")["result"] is True
    found = find(ada, ARTICLE, article)
    assert (found["title"], found["status"], found["note"]) == ("three", "live", "mine")


def test_who_sees_a_field_may_send_it_back(ada, ben, article):
    assert put(ben, ARTICLE, article, status="live")["result"] is True
    assert put(ada, ARTICLE, article, title="two", status="live", board=None)["result"] is True
    assert_refused(put(ada, ARTICLE, article, status=None), FORBIDDEN, "you may not set status")
    assert find(ada, ARTICLE, article)["title"] == "two"


def test_nobody_learns_a_hidden_value_by_sending_it(ada, ben, article):
    assert put(ben, ARTICLE, article, wage=1000)["result"] is True
    answers = [put(ada, ARTICLE, article, wage=wage) for wage in (1000, 999, None)]
    for answer in answers:
        assert_refused(answer, FORBIDDEN, "you may not set wage")
    assert answers[0]["data"] == answers[1]["data"] == answers[2]["data"]


def test_nobody_learns_a_hidden_value_by_an_old_put(people, post):
    """A put that is too old is stale, whatever stands there."""
    answers = [put(people[2], POST, post, at=1, wage=wage) for wage in (WAGE, WAGE + 1)]
    for answer in answers:
        assert answer["result"] is False
    assert answers[0]["data"] == answers[1]["data"]
    assert put(people[0], POST, post, at=1, wage=WAGE)["result"] is True
    assert remove(people[0], POST, post)["result"] is True


def test_nobody_learns_what_stands_in_an_object_by_writing_it(people):
    """Who may write what they may not read is answered alike, whatever stands there."""
    ada, _, cleo = people
    slip = create(ada, SLIP, text="one", by=ada.me)["theObject"]["ID"]
    assert find(ada, SLIP, slip)["mark"] == "red" and find(cleo, SLIP, slip) is None
    for sends in (lambda text: put(cleo, SLIP, slip, at=1, text=text),
                  lambda text: cleo.request("processTransaction", objectsToRemove=[], transTimestamp=1, objectsToSave=[
                      {"cn": SLIP, "ID": slip, "text": text}])):
        right, wrong = sends("one"), sends("two")
        assert right["result"] is False and right["data"] == wrong["data"], (right, wrong)
    for mark in ("red", "blue", None):
        assert_refused(put(cleo, SLIP, slip, mark=mark), FORBIDDEN, "you may not set mark")
    assert put(ada, SLIP, slip, at=1, text="one", mark="red")["result"] is True


def test_a_refusal_is_the_same_when_the_request_comes_again(ada, ben, article):
    message = str(uuid.uuid4())
    request = {"putTimestamp": None, "theObject": {"cn": ARTICLE, "ID": article, "status": "live"}}
    first = ada.request("putObject", messageId=message, **request)
    assert_refused(first, FORBIDDEN, "you may not set status")
    assert put(ben, ARTICLE, article, status="live")["result"] is True
    assert ada.request("putObject", messageId=message, **request)["data"] == first["data"]


# ---- Writes: createObject

@pytest.mark.parametrize("given", [{"status": "draft"}, {"wage": None, "board": None}, {"note": "mine"}])
def test_what_it_would_have_anyway_and_what_is_ones_own_may_be_given(ada, given):
    made = create(ada, ARTICLE, **given)
    assert made["result"] is True
    assert find(ada, ARTICLE, made["theObject"]["ID"])["status"] == "draft"


@pytest.mark.parametrize("name, value", [("status", "live"), ("status", None), ("wage", 7)])
def test_a_new_one_is_given_a_guarded_field_by_whom_its_rule_lets(ada, ben, name, value):
    assert_refused(create(ada, ARTICLE, **{name: value}), FORBIDDEN, f"you may not set {name}")
    assert find(ben, ARTICLE, create(ben, ARTICLE, **{name: value})["theObject"]["ID"])[name] == value


# ---- Writes: processTransaction

def save(client, *objects):
    return client.request("processTransaction", transactionId=None, objectsToRemove=[],
                          objectsToSave=[{"cn": ARTICLE, **fields} for fields in objects])


def test_a_transaction_with_a_guarded_field_saves_nothing(ada, ben, article, new_id):
    new = new_id("article")
    assert_refused(save(ada, {"ID": article, "title": "two"}, {"ID": new, "status": "live"}), FORBIDDEN,
                   f"objectsToSave[1] ({ARTICLE}:{new}): you may not set status")
    assert_refused(save(ada, {"ID": new}, {"ID": article, "title": "two", "wage": 1}), FORBIDDEN,
                   f"objectsToSave[1] ({ARTICLE}:{article}): you may not set wage")
    assert find(ada, ARTICLE, new) is None and find(ada, ARTICLE, article)["title"] == "one"
    assert save(ada, {"ID": new, "note": "mine"}, {"ID": article, "status": "draft"})["result"] is True
    assert save(ben, {"ID": new, "status": "live"}, {"ID": article, "wage": 2})["result"] is True
    assert (find(ben, ARTICLE, new)["status"], find(ben, ARTICLE, article)["wage"]) == ("live", 2)


# ---- Writes: patch_content

def test_a_patch_of_a_guarded_field_is_refused_whole(enter, ada, article):
    of, docs = key("article", article), enter("ada")
    patch = replace("/title", "two") + replace("/status", "live")
    answer = docs.patch_content(of, patch)
    assert code_of(answer) == PATCH_FORBIDDEN and "you may not set status" in answer["data"]["msg"]
    assert find(ada, ARTICLE, article)["title"] == "one"
    assert code_of(docs.patch_content(of, replace("/status", "draft"))) is None
    assert code_of(enter("ben").patch_content(of, patch)) is None
    assert find(ada, ARTICLE, article)["status"] == "live"


# ---- Writes: add_child

def board_of(client, class_name):
    made = create(client, class_name)["theObject"]
    return key(class_name.rpartition(".")[2].lower(), made["ID"])


def test_a_child_is_made_by_whom_the_field_s_rule_lets_that_links_it(enter, ada, ben):
    board, shelf = board_of(ada, BOARD), board_of(ada, SHELF)
    for of, name in ((board, "board"), (shelf, "articles")):
        answer = enter("ada").add_child(of, "article", title="no")
        assert code_of(answer) == ADD_FORBIDDEN and f"you may not set {name}" in answer["data"]["msg"]
        assert code_of(enter("ben").add_child(of, "article", title="yes")) is None
    assert find(ada, SHELF, shelf["id"])["articles"] and enter("ada").get_children(board, "all")["data"]


def test_what_is_there_becomes_a_child_likewise(enter, ada, article):
    board, shelf = board_of(ada, BOARD), board_of(ada, SHELF)
    for of in (board, shelf):
        assert code_of(enter("ada").add_child(of, "article", article)) == ADD_FORBIDDEN
        assert code_of(enter("ben").add_child(of, "article", article)) is None
    assert find(ada, ARTICLE, article)["board"] == pair(BOARD, board["id"])
    assert find(ada, SHELF, shelf["id"])["articles"] == [pair(ARTICLE, article)]


def test_other_fields_of_a_new_child_are_guarded_too(enter, ada):
    shelf = board_of(ada, SHELF)
    answer = enter("ben").add_child(shelf, "article", note="of another")
    made = answer["data"]["key"]["id"]
    assert find(ada, ARTICLE, made)["note"] == "of another", "whoever makes it is its writer"
    answer = enter("ada").add_child(shelf, "article", status="live")
    assert code_of(answer) == ADD_FORBIDDEN and "you may not set status" in answer["data"]["msg"]


# ---- Who has not signed in

@pytest.fixture
def guest(fields_stack, connect):
    client = connect(fields_stack.gateways[1])
    client.login("anonymous", "")
    return client


@pytest.fixture
def wall(ada, article):
    wall = create(ada, WALL, mark="mine", articles=[pair(ARTICLE, article)])["theObject"]["ID"]
    assert create(ada, PIN, wall=pair(WALL, wall))["result"] is True
    return wall


def test_what_is_for_those_who_sign_in_is_hidden_from_others(ada, guest, article, wall):
    assert find(guest, ARTICLE, article) is None
    for client, is_seen in ((ada, True), (guest, False)):
        found = find(client, WALL, wall)
        assert ("mark" in found, "shown" in found) == (is_seen, is_seen), found


def test_a_value_of_what_is_for_those_who_sign_in_is_another_one_for_others(ada, guest, article, wall):
    of = WALL, wall
    assert (value(ada, of, "titles"), value(guest, of, "titles")) == (["one"], [])
    assert put(ada, ARTICLE, article, title="two")["result"] is True
    expect_value(ada, of, "titles", ["two"])
    assert value(guest, of, "titles") == []


def test_pages_of_what_is_for_those_who_sign_in_are_for_them(fields_stack, enter, connect_content, wall):
    docs, of = connect_content(fields_stack.gateways[1], "ada"), key("wall", wall)
    assert code_of(docs.get_content(of)) is None
    assert code_of(docs.get_children(of, "all")) == PAGE_FORBIDDEN
    assert code_of(enter("ada").get_children(of, "all")) is None


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
