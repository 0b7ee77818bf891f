"""Declared indexes, and reads by example: findByExample, searchByExample, findUnique (spec 3.4)."""

import hashlib
import itertools
import json

import pytest
import redis
from client import pair
from shapes import assert_error, assert_refused, assert_sync_shape
from stack import MODEL, Stack
from store import Store, now_ms, object_key, session_key

TASK, NOTE, ITEM = "com.app.mo.Task", "com.app.mo.Note", "com.app.mo.Item"
PERSON, MEMBERSHIP = "com.app.mo.Person", "com.app.mo.Membership"
MAX_SCAN = 200
PER_STEP = 250  # objects that one step looks at


def strict_model():
    """The example domain, in which titles are unique, and Persons may be made and removed."""
    model = json.loads(MODEL.read_text())
    classes = model["classes"]
    classes[ITEM]["indexes"].append({"fields": ["title"], "unique": True})
    classes[TASK]["indexes"].append({"fields": ["text", "priority"], "unique": True})
    classes[PERSON]["access"] |= {"create": "signedIn", "remove": "signedIn"}
    classes["com.app.mo.Secret"] = {
        "fields": {"user": {"type": "string"}, "word": {"type": "string"}},
        "indexes": [{"fields": ["word"]}],
        "access": {"read": {"owner": "user"}, "create": "signedIn"}}
    return model


def expected_sets(store, model):
    """What the indexes must hold by the objects that there are: key -> members."""
    classes, sets = model["classes"], {}
    for key in store.scan_iter("{o:*}"):
        if not key.endswith("}") or not store.hexists(key, "@c"):
            continue
        class_name, object_id = key[3:-1].split(":", 1)
        fields = {k: v.split(" ", 2)[2] for k, v in store.hgetall(key).items() if k[0] != "@"}
        owner = class_name
        while owner:
            for index in classes[owner].get("indexes", []):
                texts = [fields.get(name, "null") for name in index["fields"]]
                if "null" not in texts:
                    digest = hashlib.sha1("\n".join(texts).encode()).hexdigest()
                    name = "+".join(index["fields"])
                    sets.setdefault(f"{{k:{owner}}}:x:{name}:{digest}", set()).add(
                        f"{object_id}\n{class_name}")
            owner = classes[owner].get("parent")
    return sets


def stored_sets(store):
    return {key: set(store.zrange(key, 0, -1)) for key in store.scan_iter("{k:*}:x:*")}


@pytest.fixture(scope="module")
def strict(servers, tmp_path_factory):
    model = strict_model()
    path = tmp_path_factory.mktemp("model") / "model.json"
    path.write_text(json.dumps(model))
    settings = {"model.file": path, "sync.max_scan": MAX_SCAN}
    with Stack(servers, gateways=2, sync_agents=2, settings=settings) as stack:
        yield stack
        assert stored_sets(stack.redis()) == expected_sets(stack.redis(), model)


@pytest.fixture
def ada(strict, connect):
    yield connect(strict.gateways[0], "ada")
    strict.check()


@pytest.fixture
def ben(strict, connect):
    return connect(strict.gateways[1], "ben")


def create(client, class_name, object_id=None, **fields):
    return client.request("createObject",
                          theObject={"cn": class_name, "ID": object_id, **fields})


def put(client, class_name, object_id, **fields):
    return client.request("putObject", theObject={"cn": class_name, "ID": object_id, **fields})


def remove(client, class_name, object_id):
    return client.request("removeObject", removePair=pair(class_name, object_id))


def search(client, class_name, operation="findByExample", **fields):
    return client.request(operation, theObject={"cn": class_name, **fields})


def ids(response):
    return [o["ID"] for o in response["result"]]


def make_person(client, **fields):
    return create(client, PERSON, **fields)["theObject"]["ID"]


def me(client):
    return search(client, PERSON, userId=client.user_id)["result"][0]["ID"]


# ---- Shapes, and what an example is

@pytest.mark.parametrize("operation, name, result", [
    ("findByExample", "FindByExampleResponse", []),
    ("searchByExample", "SearchByExampleResponse", []),
    ("findUnique", "FindUniqueResponse", None)])
def test_responses_have_all_members_in_the_order_of_the_seed(ada, new_id, operation, name, result):
    message = new_id("message")
    response = ada.request(operation, messageId=message, theObject={"cn": TASK, "title": new_id()})
    assert_sync_shape(response, name, ada.client_id, message)
    assert response["result"] == result and response["data"] is None


def test_a_client_finds_its_own_person_after_the_login(ada):
    """The first request of the browser SDK (spec 11.1)."""
    found = search(ada, PERSON, userId=ada.user_id)["result"]
    assert [(p["userId"], p["display_name"]) for p in found] == [(ada.user_id, "Ada Example")]
    assert search(ada, PERSON, "findUnique", userId=ada.user_id)["result"] == found[0]
    assert search(ada, PERSON, userId="nobody")["result"] == []


def test_a_second_login_finds_the_person_and_makes_none(strict, ada, connect):
    again = connect(strict.gateways[1], "ada")
    assert me(again) == me(ada)


def test_a_login_finds_the_person_that_carries_the_users_id(strict, connect):
    dora = connect(strict.gateways[0], "dora")
    person = me(dora)
    strict.redis().hdel("{u:" + dora.user_id + "}", "anchor", "me")
    again = connect(strict.gateways[1], "dora")
    assert me(again) == person
    assert strict.redis().hget("{u:" + dora.user_id + "}", "anchor") == person
    assert put(again, PERSON, person, status="here")["result"] is True, "it is the user's own"


def test_the_found_are_watched(ada, ben, new_id):
    task, title = new_id("task"), new_id("title")
    create(ada, TASK, task, title=title)
    assert ids(search(ben, TASK, title=title)) == [task]
    put(ada, TASK, task, done=True)
    ben.expect_update(task, done=True)


@pytest.mark.parametrize("fields", [
    {"priority": 7, "done": True}, {"priority": 7}, {"due": 1700000000001}, {"estimate": 1.5}])
def test_all_given_fields_must_be_equal(ada, new_id, fields):
    mark = new_id("mark")
    wanted = new_id("a")
    create(ada, TASK, wanted, text=mark, **fields)
    create(ada, TASK, new_id("b"), text=mark)
    for i, name in enumerate(fields):
        create(ada, TASK, new_id(f"c{i}"), text=mark,
               **(fields | {name: not fields[name] if fields[name] is True else fields[name] + 1}))
    assert ids(search(ada, TASK, text=mark, **fields)) == [wanted]


def test_fields_that_are_not_set_are_left_open(ada, new_id):
    mark = new_id("mark")
    task = new_id("task")
    create(ada, TASK, task, text=mark, title=new_id(), due=5, done=True)
    assert ids(search(ada, TASK, text=mark, title="", due=0, done=None, owner=None,
                      assignee={"className": PERSON, "ID": ""})) == [task]


def test_results_come_in_the_order_of_their_ids(ada, new_id):
    mark = new_id("mark")
    persons = [make_person(ada, last_name=mark) for _ in range(12)]
    assert ids(search(ada, PERSON, last_name=mark)) == persons == sorted(persons, key=int)
    tasks = [new_id(prefix) for prefix in "cab"]
    for task in tasks:
        create(ada, TASK, task, text=mark)
    assert ids(search(ada, TASK, text=mark)) == sorted(tasks)


def test_an_example_of_a_parent_class_finds_its_descendants_and_no_others(ada, new_id):
    mark = new_id("mark")
    owner = pair(PERSON, make_person(ada, last_name=mark))
    task, note = new_id("task"), new_id("note")
    create(ada, TASK, task, text=mark, owner=owner)
    create(ada, NOTE, note, text=mark, owner=owner)
    for fields in {"text": mark}, {"owner": owner}, {"owner": owner, "text": mark}:
        assert sorted(ids(search(ada, ITEM, **fields))) == sorted([task, note])
        assert ids(search(ada, TASK, **fields)) == [task]
        assert ids(search(ada, NOTE, **fields)) == [note]


def test_the_id_of_an_example_counts_only_where_nothing_was_found(ada, new_id):
    task, other, title = new_id("task"), new_id("other"), new_id("title")
    create(ada, TASK, task, title=title)
    create(ada, TASK, other)
    assert ids(search(ada, TASK, ID=other, title=title)) == [task]
    assert ids(search(ada, TASK, ID=other, title="nothing")) == [other]
    assert ids(search(ada, ITEM, ID=other, title="nothing")) == [other]
    assert search(ada, TASK, "findUnique", ID=other, title="nothing")["result"]["ID"] == other
    assert search(ada, TASK, "searchByExample", ID=other, title="nothing")["result"] == []
    assert search(ada, TASK, ID="unknown", title="nothing")["result"] == []


def test_of_several_that_match_the_unique_one_is_the_first_by_id(ada, new_id):
    mark = new_id("mark")
    for prefix in "bac":
        create(ada, TASK, f"{prefix}-{mark}", text=mark)
    assert search(ada, TASK, "findUnique", text=mark)["result"]["ID"] == f"a-{mark}"


def test_nobody_finds_what_they_may_not_read(ada, ben, new_id):
    word = new_id("word")
    for client in ada, ben:
        create(client, "com.app.mo.Secret", f"{word}-{client.user_id}", user=client.user_id, word=word)
    for fields in {"word": word}, {"user": ada.user_id, "word": word}, {"user": ada.user_id}:
        assert f"{word}-{ada.user_id}" in ids(search(ada, "com.app.mo.Secret", **fields))
        assert f"{word}-{ada.user_id}" not in ids(search(ben, "com.app.mo.Secret", **fields))


@pytest.mark.parametrize("value", ['a\nb', 'say "so"', "back\\slash", "é\u0001 \U0001f600", "{k:x}", "a+b"])
def test_any_text_can_be_looked_for_with_and_without_an_index(ada, new_id, value):
    value += new_id()
    task = new_id("task")
    create(ada, TASK, task, title=value)
    create(ada, TASK, new_id("task"), title=value + "\n")
    assert ids(search(ada, TASK, title=value)) == [task]
    create(ada, TASK, new_id("task"), text=value)
    assert len(search(ada, TASK, text=value)["result"]) == 1


def test_values_do_not_run_into_each_other(ada, new_id):
    """["a\\nb", 1] and ["a", ...] are different places in an index of two fields."""
    mark = new_id()
    assert create(ada, TASK, new_id("t"), text=f"{mark}\n1", priority=1)["result"] is True
    assert create(ada, TASK, new_id("t"), text=mark, priority=1)["result"] is True


# ---- Bad input

@pytest.mark.parametrize("example, code", [
    (None, "-115"), (7, "-115"), ([], "-115"), ({}, "-115"), ({"cn": "no.Such"}, "-104"), ({"cn": 7}, "-115"),
    ({"cn": TASK, "nope": 1}, "-115"), ({"cn": TASK, "done": "yes"}, "-115"),
    ({"cn": PERSON, "ID": "x", "userId": "u"}, "-115"),
    ({"cn": TASK, "owner": {"className": TASK, "ID": "1"}}, "-115"),
    ({"cn": "com.app.mo.Group", "children": [{"className": PERSON, "ID": "1"}]}, "-115")])
@pytest.mark.parametrize("operation", ["findByExample", "searchByExample", "findUnique"])
def test_what_is_no_example_is_refused(ada, operation, example, code):
    assert_error(ada.request(operation, theObject=example), code)


# ---- Many objects

@pytest.fixture(scope="module")
def many(strict):
    """(the owner, the ids) of more Notes than one step looks at, and than may be looked through."""
    from client import Client

    with Client(strict.gateways[0].url).connect() as client:
        client.login("file", strict.credential("cleo"))
        owner = pair(PERSON, me(client))
        notes = [f"note-{i:04}" for i in range(2 * PER_STEP + 7)]
        for some in (notes[i:i + 100] for i in range(0, len(notes), 100)):
            for message in [client.send_request("createObject", theObject={
                    "cn": NOTE, "ID": note, "owner": owner, "text": note}) for note in some]:
                assert client.response_to(message)["result"] is True
        yield owner, notes


def test_an_index_answers_however_many_objects_there_are(ada, many):
    owner, notes = many
    assert ids(search(ada, NOTE, owner=owner)) == notes
    assert ids(search(ada, ITEM, owner=owner)) == notes


def test_without_an_index_an_example_is_refused_with_its_name(ada, many):
    owner, notes = many
    for fields, missing in [({"text": notes[3]}, f"needs an index on {NOTE}(text)"),
                            ({"owner": owner, "text": notes[3]}, f"needs an index on {NOTE}(owner,text)"),
                            ({"body": {"a": 1}}, f"{NOTE} has more than {MAX_SCAN} objects"),
                            ({}, f"{NOTE} has more than {MAX_SCAN} objects")]:
        response = search(ada, NOTE, **fields)
        assert_error(response, "-120")
        assert missing in response["errorDesc"]


def test_an_example_that_matches_everything_returns_everything_of_a_small_class(ada):
    all_of = ada.request("getAllByName", theClassName=PERSON)["result"]
    assert search(ada, PERSON)["result"] == all_of
    assert search(ada, MEMBERSHIP)["result"] == []


def test_an_answer_that_is_too_large_is_refused(new_stack, connect, new_id):
    stack = new_stack(settings={"sync.max_answer_bytes": 1024})
    client = connect(stack.gateways[0], "ada")
    owner = pair(PERSON, me(client))
    for _ in range(2):
        create(client, TASK, new_id("task"), owner=owner, text="x" * 600)
    assert_error(search(client, TASK, owner=owner), "-120")
    assert search(client, TASK, "findUnique", owner=owner)["result"]


# ---- Uniqueness

def test_of_two_creates_at_once_one_is_refused(ada, ben, new_id):
    for _ in range(20):
        title = new_id("title")
        sent = [(c, c.send_request("createObject", theObject={"cn": TASK, "ID": new_id(), "title": title}))
                for c in (ada, ben)]
        results = [client.response_to(message) for client, message in sent]
        refused, = [r for r in results if not r["result"]]
        assert_refused(refused, "-200")
        assert refused["data"]["message"] == "another object has the same title"
        assert len(search(ada, TASK, title=title)["result"]) == 1


def test_uniqueness_holds_over_all_descendants_and_names_all_fields(ada, new_id):
    title, text = new_id("title"), new_id("text")
    create(ada, TASK, new_id("task"), title=title, text=text, priority=1)
    assert_refused(create(ada, NOTE, new_id("note"), title=title), "-200")
    both = create(ada, TASK, new_id("task"), text=text, priority=1)
    assert both["data"]["message"] == "another object has the same text and priority"
    assert create(ada, TASK, new_id("task"), text=text, priority=2)["result"] is True
    assert create(ada, TASK, new_id("task"), text=text)["result"] is True, "null takes no place"
    assert create(ada, TASK, new_id("task"), text=text)["result"] is True


def test_a_put_into_a_place_that_is_taken_is_refused_and_changes_nothing(ada, new_id):
    task, other, title = new_id("task"), new_id("other"), new_id("title")
    create(ada, TASK, task, title=title)
    create(ada, TASK, other, title=title + "2")
    assert_refused(put(ada, TASK, other, title=title, done=True), "-201")
    found = search(ada, TASK, title=title + "2")["result"][0]
    assert (found["ID"], found["done"]) == (other, None)
    assert put(ada, TASK, other, title=title + "2", done=True)["result"] is True, "its own place"


def test_a_refusal_is_repeated_with_its_fields(ada, new_id):
    title, message = new_id("title"), new_id("message")
    task = create(ada, TASK, new_id("task"), title=title)["theObject"]["ID"]
    request = {"messageId": message, "theObject": {"cn": TASK, "ID": new_id("x"), "title": title}}
    first = ada.request("createObject", **request)
    remove(ada, TASK, task)
    again = ada.request("createObject", **request)
    assert (first["result"], again["result"]) == (False, False)
    assert again["data"]["message"] == first["data"]["message"] == "another object has the same title"


# ---- Indexes follow every write

def test_a_put_moves_the_object_to_its_new_place(ada, new_id):
    task, old, new = new_id("task"), new_id("old"), new_id("new")
    create(ada, TASK, task, title=old)
    put(ada, TASK, task, title=new)
    assert search(ada, TASK, title=old)["result"] == []
    assert ids(search(ada, TASK, title=new)) == [task]
    assert create(ada, TASK, new_id("task"), title=old)["result"] is True, "the old place is free"


def test_a_put_of_one_field_moves_the_object_in_an_index_of_two(ada, new_id):
    task, person = new_id("task"), pair(PERSON, me(ada))
    create(ada, TASK, task, assignee=person)
    assert task not in ids(search(ada, TASK, assignee=person, done=True))
    put(ada, TASK, task, done=True)
    assert task in ids(search(ada, TASK, assignee=person, done=True))
    put(ada, TASK, task, done=False)
    assert task not in ids(search(ada, TASK, assignee=person, done=True))
    assert task in ids(search(ada, TASK, assignee=person, done=False))


def test_a_put_to_null_takes_the_object_out(ada, new_id):
    task, title = new_id("task"), new_id("title")
    create(ada, TASK, task, title=title)
    put(ada, TASK, task, title=None)
    assert search(ada, TASK, title=title)["result"] == []
    assert create(ada, TASK, new_id("task"), title=title)["result"] is True


def test_a_stale_put_leaves_the_object_where_it_is(ada, new_id):
    task, title = new_id("task"), new_id("title")
    create(ada, TASK, task, title=title)
    ada.request("putObject", putTimestamp=now_ms() - 3_600_000,
                theObject={"cn": TASK, "ID": task, "title": "older", "text": "older"})
    assert ids(search(ada, TASK, title=title)) == [task]


def test_a_removal_frees_the_place(ada, new_id):
    task, title = new_id("task"), new_id("title")
    create(ada, TASK, task, title=title)
    remove(ada, TASK, task)
    assert search(ada, TASK, title=title)["result"] == []
    assert create(ada, TASK, new_id("task"), title=title)["result"] is True


def test_a_reference_that_a_removal_clears_leaves_the_indexes(strict, ada, new_id):
    task, title = new_id("task"), new_id("title")
    gone, stays = make_person(ada), make_person(ada)
    create(ada, TASK, task, title=title, assignee=pair(PERSON, gone), owner=pair(PERSON, stays))
    remove(ada, PERSON, gone)
    assert search(ada, TASK, assignee=pair(PERSON, gone))["result"] == []
    assert ids(search(ada, TASK, owner=pair(PERSON, stays))) == [task]
    assert ids(search(ada, TASK, title=title)) == [task]
    entries = strict.redis().hget(object_key(f"{TASK}:{task}"), "@x").split("\n")
    assert [e.split(":")[-2] for e in entries] == ["owner", "title"]


def test_a_removal_needs_no_model_to_know_the_indexes(strict, ada, new_id):
    """An object may still be listed in an index that the model has forgotten."""
    task = new_id("task")
    create(ada, TASK, task, title=new_id())
    forgotten, member = f"{{k:{TASK}}}:x:estimate:abc", f"{task}\n{TASK}"
    strict.redis().zadd(forgotten, {member: 0})
    beside = strict.redis().hget(object_key(f"{TASK}:{task}"), "@x")
    strict.redis().hset(object_key(f"{TASK}:{task}"), "@x", f"{beside}\n{forgotten}")
    remove(ada, TASK, task)
    assert strict.redis().zrank(forgotten, member) is None


# ---- The script alone: what happens between two steps

@pytest.fixture
def store(servers):
    with servers.redis.database() as url:
        store = Store(redis.Redis.from_url(url, decode_responses=True))
        store.session("c1")
        yield store


def list_objects(store, object_ids, numeric=False, **fields):
    for object_id in object_ids:
        store.object(f"{TASK}:{object_id}", **fields)
        store.redis.zadd(f"{{k:{TASK}}}:ids", {f"{object_id}\n{TASK}": object_id if numeric else 0})


def step(store, last="", most=3, wanted=250, holds=-1, numeric=False, example=()):
    reply = store.run("read_example", "c1", now_ms(), 1, TASK, "signedIn", 0, TASK, "everyone", 1, 0,
                      holds, int(numeric), last, most, wanted, len(example), *example)
    return ([ref.split(":")[1] for ref in reply[2][0::2]], reply[3]) if reply[0] == "ok" else reply[0]


def walk(store, between=lambda last: None, **options):
    found, last = step(store, **options)
    while last:
        between(last)
        more, last = step(store, last, **options)
        found += more
    return found


@pytest.mark.parametrize("numeric", [False, True])
def test_a_walk_sees_everything_even_if_what_it_saw_is_removed_meanwhile(store, numeric):
    object_ids = [str(i) if numeric else f"t{i:02}" for i in range(1, 21)]
    list_objects(store, object_ids, numeric)

    def unlist(last):
        seen = store.redis.zrank(f"{{k:{TASK}}}:ids", last)
        store.redis.zremrangebyrank(f"{{k:{TASK}}}:ids", 0, seen)

    assert walk(store, unlist, numeric=numeric) == object_ids
    assert store.redis.zcard(f"{{k:{TASK}}}:ids") < 3


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_a_walk_ends_at_the_end(store, count):
    list_objects(store, map(str, range(count)))
    assert walk(store) == [str(i) for i in range(count)]


def test_a_step_with_large_objects_is_cut_short_and_goes_on(store):
    list_objects(store, "abcde", title='"' + "x" * 600_000 + '"')
    assert step(store, most=250)[0] == ["a", "b"]
    assert walk(store, most=250) == list("abcde")


def test_a_step_finds_no_more_than_is_wanted(store):
    list_objects(store, "abc")
    assert step(store, most=250, wanted=1) == (["a"], f"a\n{TASK}")


def test_too_many_objects_are_refused_at_the_first_step_only(store):
    list_objects(store, "abcd")
    assert step(store, holds=3) == "expensive"
    assert step(store, last=f"a\n{TASK}", holds=3)[0] == ["b", "c", "d"]


def test_what_does_not_match_is_not_watched(store):
    list_objects(store, "ab", title='"x"')
    list_objects(store, "c", title='"y"')
    assert walk(store, example=("title", '"y"')) == ["c"]
    sid = store.redis.get("c:c1")
    assert store.redis.smembers(session_key(sid, ":w")) == {f"{TASK}:c"}
