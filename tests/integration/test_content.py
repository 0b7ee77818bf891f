"""get_content and patch_content as the agents answer them (content protocol; design section 11)."""

import json

import jsonpatch
import pytest
from asking import create, find, put, remove
from by_hand import Operator
from client import pair
from content_by_hand import ContentByHand
from content_client import code_of, key
from ctl import Ended
from store import object_key

NOTE, TASK, PERSON, ROOM = (f"com.app.mo.{name}" for name in ("Note", "Task", "Person", "Room"))
PATCH_FORMAT, CONFLICT, UNFIT, LARGE = 4000600, 4090630, 4220640, 4130600
EMPTY = {"title": None, "text": None, "created": None, "owner": None, "body": None}


@pytest.fixture
def operator(stack):
    with Operator(stack) as operator:
        yield operator


@pytest.fixture
def ada(stack, connect):
    """A client of the other protocol, whose session the content client has, too."""
    return connect(stack.gateways[0], "ada")


@pytest.fixture
def ben(stack, connect):
    return connect(stack.gateways[1], "ben")


@pytest.fixture
def docs(operator, ada):
    return ContentByHand(operator, ada)


@pytest.fixture
def note(ada, new_id):
    """Makes a note of these fields; returns its key."""
    def make(**fields):
        object_id = new_id("note")
        assert create(ada, NOTE, object_id, **fields)["result"] is True
        return key("note", object_id)
    return make


@pytest.fixture
def person(stack):
    """The key of a user's own document."""
    def of(client):
        return key("user", int(stack.redis().hget(f"{{u:{client.user_id}}}", "anchor")))
    return of


def read(docs, of, ver=None, **options):
    """Status and data of what is read."""
    answer = docs.get_content(of, ver, **options)
    assert answer["type"] == "result" and answer["cls"] == "get_content", answer
    return answer["status"], answer.get("data")


def state_of(docs, of):
    """Content and version."""
    data = read(docs, of)[1]
    return data["content"], data["ver"]


def patched(docs, of, patch, ver=None):
    """The version that a patch has made."""
    answer = docs.patch_content(of, patch, ver)
    assert (answer["type"], answer.get("status")) == ("result", 200), answer
    assert list(answer["data"]) == ["ver"]
    return answer["data"]["ver"]


def replace(path, value):
    return {"op": "replace", "path": path, "value": value}


def patch_since(docs, of, content, ver):
    """The patch from an earlier state, which has to lead to the present one."""
    status, data = read(docs, of, ver)
    assert status == 206 and list(data) == ["key", "ver", "patch"] and data["key"] == of
    assert (jsonpatch.apply_patch(content, data["patch"]), data["ver"]) == state_of(docs, of)
    return data["patch"]


# ---- get_content

def test_content_is_every_field_and_a_version(docs, note):
    of = note(title="one", body={"a": [1, None]})
    status, data = read(docs, of)
    assert status == 200 and list(data) == ["key", "ver", "content"] and data["key"] == of
    assert isinstance(data["ver"][0], str) and data["ver"][1] == 1
    assert data["content"] == {**EMPTY, "title": "one", "body": {"a": [1, None]}}


def test_relations_are_keys(docs, ada, note, person):
    of = note(owner=pair(PERSON, str(person(ada)["id"])))
    assert state_of(docs, of)[0]["owner"] == {"key": person(ada)}


def test_a_version_that_is_the_present_one_has_nothing_new(docs, ada, note):
    of = note(title="one")
    content, ver = state_of(docs, of)
    assert read(docs, of, ver) == (204, None)
    put(ada, NOTE, of["id"], title="two")
    assert patch_since(docs, of, content, ver) == [replace("/title", "two")]


def test_a_put_of_the_other_protocol_is_a_new_version(docs, ada, ben, note):
    of = note(title="one", text="x" * 200)
    content, ver = state_of(docs, of)
    put(ben, NOTE, of["id"], title="two", text="x" * 200)
    put(ada, NOTE, of["id"], created=5)
    put(ada, NOTE, of["id"], title=None)
    assert patch_since(docs, of, content, ver) == [replace("/title", None), replace("/created", 5)]
    assert state_of(docs, of)[1] == [ver[0], 4]


def test_a_change_inside_a_json_field_is_a_patch_inside_of_it(docs, ada, note):
    body = {"rooms": [{"name": f"room {i}", "seats": i} for i in range(50)], "a/b~c": 1}
    of = note(body=body)
    content, ver = state_of(docs, of)
    body["rooms"][7]["seats"] = 70
    put(ada, NOTE, of["id"], body=body)
    assert patch_since(docs, of, content, ver) == [replace("/body/rooms/7/seats", 70)]
    body["a/b~c"] = 2
    put(ada, NOTE, of["id"], title="x", body=body)
    assert patch_since(docs, of, content, ver) == [
        replace("/title", "x"), replace("/body/a~1b~0c", 2), replace("/body/rooms/7/seats", 70)]


def test_a_field_that_is_as_it_was_is_no_part_of_the_patch(docs, ada, note):
    of = note(body=[1, 2, 3], text="x" * 100)
    content, ver = state_of(docs, of)
    put(ada, NOTE, of["id"], body=[1])
    put(ada, NOTE, of["id"], body=[1, 2, 3])
    assert patch_since(docs, of, content, ver) == []


def test_where_the_earlier_text_is_gone_the_whole_field_is_replaced(docs, ada, note):
    of = note(body=[0] * 50, text="x" * 300)
    content, ver = state_of(docs, of)
    for number in range(1, 11):
        put(ada, NOTE, of["id"], body=[number] + [0] * 49)
    assert patch_since(docs, of, content, ver) == [replace("/body", [10] + [0] * 49)]


def test_a_patch_is_never_longer_than_the_content(docs, ada, note):
    of = note(title="a", text="b", body="c")
    content, ver = state_of(docs, of)
    put(ada, NOTE, of["id"], title="aa", text="bb", body="cc", created=1)
    status, data = read(docs, of, ver)
    assert status == 200 and data["content"] == {
        **content, "title": "aa", "text": "bb", "body": "cc", "created": 1}


@pytest.mark.parametrize("strange", [
    lambda identity, number: ["another", number], lambda identity, number: [identity, number + 1],
    lambda identity, number: [5, number], lambda identity, number: [identity, 0],
    lambda identity, number: [identity, -1], lambda identity, number: [identity, 10 ** 30],
    lambda identity, number: [identity + "x" * 1000, number], lambda identity, number: ["", number]])
def test_an_unknown_version_gets_everything(docs, note, strange):
    of = note(title="one")
    ver = state_of(docs, of)[1]
    assert read(docs, of, strange(*ver)) == (200, read(docs, of)[1])


def test_what_is_made_anew_is_another_document(stack, docs, ada, note):
    of = note(title="one")
    ver = state_of(docs, of)[1]
    remove(ada, NOTE, of["id"])
    assert code_of(docs.get_content(of, ver)) == 4040420
    stack.redis().delete(object_key(f"{NOTE}:{of['id']}"))  # its tombstone has expired
    create(ada, NOTE, of["id"], title="anew")
    status, data = read(docs, of, ver)
    assert status == 200 and data["ver"][1] == ver[1] and data["ver"][0] != ver[0]
    assert code_of(docs.patch_content(of, [], ver)) == CONFLICT


@pytest.mark.parametrize("data, code, said", [
    ("[]", 4000400, "data: expected an object, found array"),
    ("null", 4000400, "data: expected an object, found null"),
    ("{}", 4000400, "data.key"),
    ('{"key":null}', 4000400, "data.key"),
    ('{"key":{"type":"note"}}', 4000400, "data.key"),
    ('{"key":{"type":5,"id":5}}', 4000400, "data.key"),
    ('{"key":{"type":"note","id":null}}', 4000400, "data.key"),
    ('{"key":{"type":"note","id":[]}}', 4000400, "data.key"),
    ('{"key":{"type":"note","id":1.5}}', 4000400, "data.key"),
    ('{"key":{"type":"note","id":"n"},"ver":5}', 4000400, "data.ver: expected [identity, number]"),
    ('{"key":{"type":"note","id":"n"},"ver":[]}', 4000400, "data.ver"),
    ('{"key":{"type":"note","id":"n"},"ver":["a"]}', 4000400, "data.ver"),
    ('{"key":{"type":"note","id":"n"},"ver":["a",1,2]}', 4000400, "data.ver"),
    ('{"key":{"type":"note","id":"n"},"ver":["a","1"]}', 4000400, "data.ver"),
    ('{"key":{"type":"note","id":"n"},"ver":["a",1.5]}', 4000400, "data.ver"),
    ('{"key":{"type":"note","id":"n"},"ver":[null,1]}', 4000400, "data.ver"),
    ('{"key":{"type":"note","id":"n"},"ver":[1.5,1]}', 4000400, "data.ver"),
    ('{"key":{"type":"note","id":"n"},"subscribe":1}', 4000400, "data.subscribe: expected true"),
    ('{"key":{"type":"note","id":"n"},"subscribe":null}', 4000400, "data.subscribe"),
    ('{"key":{"type":"nothing","id":"n"}}', 4040420, ""),
    ('{"key":{"type":"note","id":5}}', 4040420, ""),
    ('{"key":{"type":"user","id":"5"}}', 4040420, ""),
    ('{"key":{"type":"note","id":"there is none"}}', 4040420, "there is no such document"),
])
def test_a_bad_request_is_told_what_is_wrong(docs, data, code, said):
    answer = docs.answer_to(docs.send_data("get_content", data))
    assert code_of(answer) == code and said in answer["data"]["msg"]
    assert answer["cls"] == "get_content" and answer["id"]


def test_who_is_not_logged_in_reads_and_patches_nothing(operator, docs, note):
    of = note(title="one")
    docs.client_id = "nobody"
    assert code_of(docs.get_content(of)) == 4010410
    assert code_of(docs.patch_content(of, [])) == 4010610


def test_a_change_of_one_field_costs_a_fifth_at_most(docs, ada, note):
    of = note(title="t" * 100, text="x" * 2400, body={f"part {i}": "y" * 80 for i in range(25)})
    whole = docs.get_content(of)
    assert len(whole.text) > 5000
    for fields in ({"title": "u" * 100}, {"created": 5},
                   {"body": {**whole["data"]["content"]["body"], "part 7": "z" * 80}}):
        content, ver = state_of(docs, of)
        put(ada, NOTE, of["id"], **fields)
        answer = docs.get_content(of, ver)
        assert answer["status"] == 206 and 5 * len(answer.text) <= len(whole.text), fields
        assert jsonpatch.apply_patch(content, answer["data"]["patch"]) == state_of(docs, of)[0]


# ---- patch_content

def test_a_patch_makes_the_next_version(docs, note):
    of = note(title="one", body=[1])
    ver = state_of(docs, of)[1]
    after = patched(docs, of, [replace("/title", "two"), {"op": "add", "path": "/body/-", "value": 2}],
                    ver)
    assert after == [ver[0], 2] and read(docs, of, after) == (204, None)
    assert state_of(docs, of) == ({**EMPTY, "title": "two", "body": [1, 2]}, after)


def test_a_patch_may_be_one_operation_and_have_no_version(docs, note):
    of = note(title="one")
    assert patched(docs, of, replace("/title", "two"))[1] == 2
    answer = docs.request("patch_content", key=of, patch={"op": "remove", "path": "/title"})
    assert answer["data"]["ver"][1] == 3
    assert state_of(docs, of)[0] == EMPTY, "what is removed is null"


def test_who_has_read_the_object_gets_a_push(docs, ada, ben, note):
    of = note(title="one")
    find(ben, NOTE, of["id"])
    patched(docs, of, replace("/title", "two"))
    assert ben.expect_update(of["id"], title="two")["body"] is None
    assert find(ada, NOTE, of["id"])["title"] == "two"


def test_a_stale_version_is_a_conflict(docs, ada, note):
    of = note(title="one")
    ver = state_of(docs, of)[1]
    put(ada, NOTE, of["id"], title="two")
    for other in (ver, ["another", 2], [ver[0], 3], [2342, 2]):
        answer = docs.patch_content(of, replace("/title", "three"), other)
        assert code_of(answer) == CONFLICT and answer["data"]["msg"] == "Version Conflict"
        assert code_of(docs.patch_content(of, [], other)) == CONFLICT
    assert state_of(docs, of) == ({**EMPTY, "title": "two"}, [ver[0], 2])


@pytest.mark.parametrize("patch", [
    [], replace("/title", "one"), [{"op": "test", "path": "/body/0", "value": 1.0}],
    [replace("/title", "two"), replace("/title", "one")], {"op": "copy", "from": "/body", "path": "/body"},
    {"op": "remove", "path": "/text"}, {"op": "add", "path": "/text", "value": None}])
def test_a_patch_that_changes_nothing_leaves_the_version(docs, note, patch):
    of = note(title="one", body=[1])
    ver = state_of(docs, of)[1]
    assert patched(docs, of, patch) == patched(docs, of, patch, ver) == ver


def test_a_document_that_was_never_changed_by_a_patch_keeps_its_texts(docs, ada, note, new_id):
    body = ('{"big":9007199254740993,"exact":1.10,"none":null,"list":[],"object":{},"e":1E+5,'
            '"text":"ä\\u0001/"}')
    of = note(title="one")
    sent = docs.send_data("patch_content", f'{{"key":{json.dumps(of)},"ver":null,"patch":'
                          f'{{"op":"add","path":"/body","value":{body}}}}}')
    assert docs.answer_to(sent)["status"] == 200
    assert f'"body":{body}' in docs.get_content(of).text
    patched(docs, of, [replace("/title", "two"), {"op": "move", "from": "/body/big", "path": "/body/b"}])
    moved = body.replace('"big":9007199254740993,', "").replace("}", ',"b":9007199254740993}')
    moved = moved.replace('{,"b":9007199254740993}', "{}", 1)
    assert f'"body":{moved}' in docs.get_content(of).text


BAD_PATCHES = [
    # of the wrong shape
    (5, PATCH_FORMAT), ("add", PATCH_FORMAT), (None, PATCH_FORMAT), ([5], PATCH_FORMAT),
    ({}, PATCH_FORMAT), ([{"op": "frob", "path": "/title", "value": 1}], PATCH_FORMAT),
    ([{"op": "add", "path": "/title"}], PATCH_FORMAT), ([{"op": "remove"}], PATCH_FORMAT),
    ([{"op": "move", "path": "/title"}], PATCH_FORMAT), ([replace(5, 1)], PATCH_FORMAT),
    ([replace("title", 1)], PATCH_FORMAT), ([replace("/body/~", 1)], PATCH_FORMAT),
    ([replace("/body/~2", 1)], PATCH_FORMAT), ([replace("/body/a~", 1)], PATCH_FORMAT),
    # into scalars
    ([replace("/title/0", 1)], UNFIT), ([{"op": "add", "path": "/title/x", "value": 1}], UNFIT),
    ([{"op": "add", "path": "/text/x", "value": 1}], UNFIT), ([{"op": "remove", "path": "/body/n/x"}], UNFIT),
    # misuse of "-"
    ([replace("/body/list/-", 1)], UNFIT), ([{"op": "remove", "path": "/body/list/-"}], UNFIT),
    ([{"op": "add", "path": "/body/list/-/0", "value": 1}], UNFIT),
    ([{"op": "test", "path": "/body/list/-", "value": 1}], UNFIT),
    ([{"op": "copy", "from": "/body/list/-", "path": "/text"}], UNFIT),
    # leading zeros, and what else is no index
    *[([{"op": "add", "path": f"/body/list/{index}", "value": 1}], UNFIT)
      for index in ("00", "01", "+1", "-1", "1.0", "1e0", " 1", "", "4", "9" * 30)],
    # into themselves, and from nowhere
    ([{"op": "move", "from": "/body", "path": "/body/inner"}], UNFIT),
    ([{"op": "move", "from": "/body/list", "path": "/body/list/0"}], UNFIT),
    ([{"op": "move", "from": "/nothing", "path": "/title"}], UNFIT),
    ([{"op": "remove", "path": "/body/nothing"}], UNFIT), ([{"op": "remove", "path": ""}], UNFIT),
    ([{"op": "test", "path": "/title", "value": "two"}], UNFIT),
    # what the model does not allow
    ([{"op": "add", "path": "/unknown", "value": 1}], UNFIT), ([replace("/title", 5)], UNFIT),
    ([{"op": "add", "path": "/key", "value": 1}], UNFIT), ([replace("", [])], UNFIT),
    ([replace("", None)], UNFIT), ([replace("/created", "now")], UNFIT),
    ([replace("/owner", 5)], UNFIT), ([replace("/owner", {"key": {"type": "note", "id": "n"}})], UNFIT),
    ([replace("/owner", {"key": key("user", 10 ** 15)})], UNFIT),
]


@pytest.mark.parametrize("bad, code", BAD_PATCHES, ids=lambda value: json.dumps(value)[:60])
def test_a_bad_patch_changes_nothing(docs, note, bad, code):
    of = note(title="one", body={"list": [1, 2, 3], "n": 5})
    before = state_of(docs, of)
    good = replace("/text", "this is taken back")
    answer = docs.patch_content(of, bad)
    assert code_of(answer) == code and len(answer["data"]["msg"]) > 10
    if isinstance(bad, list):
        assert code_of(docs.patch_content(of, [good, *bad], before[1])) == code
    assert state_of(docs, of) == before


@pytest.mark.parametrize("data, code", [
    ("5", PATCH_FORMAT), ('{"key":{"type":"note","id":"n"}}', PATCH_FORMAT),
    ('{"patch":[]}', PATCH_FORMAT), ('{"key":{"type":"note","id":"n"},"patch":[],"ver":1}', PATCH_FORMAT),
    ('{"key":{"type":"nothing","id":"n"},"patch":[]}', 4040620),
    ('{"key":{"type":"note","id":"there is none"},"patch":[]}', 4040620)])
def test_a_bad_request_to_patch_is_told_what_is_wrong(docs, data, code):
    assert code_of(docs.answer_to(docs.send_data("patch_content", data))) == code


def test_a_patch_has_so_many_operations_and_no_more(docs, note):
    of = note(body=[])
    add = {"op": "add", "path": "/body/-", "value": 1}
    for count in (1001, 10_000):
        answer = docs.patch_content(of, [add] * count)
        assert code_of(answer) == LARGE and "1000" in answer["data"]["msg"]
    assert state_of(docs, of)[0] == {**EMPTY, "body": []}
    patched(docs, of, [add] * 1000)
    assert state_of(docs, of)[0]["body"] == [1] * 1000


@pytest.mark.parametrize("double", [
    {"op": "copy", "from": "/body", "path": "/body/-"}, {"op": "copy", "from": "/body", "path": "/body/0"}])
def test_copies_that_double_a_document_end_at_the_size_of_an_object(docs, note, double):
    of = note(body=["x" * 1000])
    before = state_of(docs, of)
    answer = docs.patch_content(of, [double] * 60)
    assert code_of(answer) == LARGE and "operation" in answer["data"]["msg"]
    assert state_of(docs, of) == before
    patched(docs, of, [double] * 8)
    assert len(docs.get_content(of).text) > 256_000


def test_what_is_nested_too_deep_for_a_frame_is_not_made(docs, note):
    of = note()
    for depth, code in ((61, None), (62, LARGE)):  # gateway.max_depth, without what lies around it
        answer = docs.answer_to(docs.send_data("patch_content", (
            f'{{"key":{json.dumps(of)},"patch":'
            f'{{"op":"add","path":"/body","value":{"[" * depth + "]" * depth}}}}}')))
        assert code_of(answer) == code, answer
    assert docs.get_content(of).text.count("[") == 61 + 1


def test_only_its_user_patches_a_person(docs, ada, ben, person):
    patched(docs, person(ada), replace("/status", "Not Here"))
    before = state_of(docs, person(ben))
    assert code_of(docs.patch_content(person(ben), replace("/status", "gone"))) == 4030630
    assert code_of(docs.patch_content(person(ben), [], before[1])) == 4030630
    assert state_of(docs, person(ben)) == before


@pytest.mark.parametrize("field, value", [("connected", "maybe"), ("connected", None), ("userId", "me")])
def test_what_the_server_sets_is_not_patched(docs, ada, person, field, value):
    before = state_of(docs, person(ada))[0][field]
    assert code_of(docs.patch_content(person(ada), replace(f"/{field}", value))) == UNFIT
    assert state_of(docs, person(ada))[0][field] == before


def test_lists_are_patched_key_by_key(docs, ada, ben, person):
    made = create(ada, ROOM, None, name="r" * 100, members=[pair(PERSON, str(person(ada)["id"]))])
    of = key("room", int(made["theObject"]["ID"]))
    content, ver = state_of(docs, of)
    assert content == {"name": "r" * 100, "members": [{"key": person(ada)}]}
    add = {"op": "add", "path": "/members/0", "value": {"key": person(ben), "display_name": "Ben"}}
    patched(docs, of, add)
    assert patch_since(docs, of, content, ver) == [
        replace("/members", [{"key": person(ben)}, {"key": person(ada)}])]
    assert [member["ID"] for member in find(ben, ROOM, str(of["id"]))["members"]] == [
        str(person(ben)["id"]), str(person(ada)["id"])]
    patched(docs, of, {"op": "remove", "path": "/members"})
    assert patch_since(docs, of, content, ver) == [replace("/members", [])]
    assert code_of(docs.patch_content(of, replace("/name", "x"))) == 4030630, "it has left the room"


def test_what_comes_back_from_an_export_is_another_document(stack, docs, ada, note):
    of = note(title="one", text="gone")
    ver = state_of(docs, of)[1]
    remove(ada, NOTE, of["id"])
    exported = {"cn": NOTE, "ID": of["id"], "title": "one", "@version": ver[1],
                "@created": int(ver[0].split("-")[0])}
    ended = Ended(stack, "import", stdin=json.dumps(exported).encode())
    assert ended.code == 0, ended.err
    content, after = state_of(docs, of)
    assert after[0] != ver[0] and content["text"] is None
    assert read(docs, of, ver)[0] == 200


def test_the_same_id_gets_the_same_answer(docs, note):
    of = note(body=[])
    add = {"key": of, "ver": None, "patch": {"op": "add", "path": "/body/-", "value": 1}}
    answers = [docs.answer_to(docs.send_request("patch_content", "m1" + of["id"], **add))
               for _ in range(3)]
    assert answers[0]["status"] == 200 and answers[1:] == answers[:1] * 2
    assert state_of(docs, of)[0]["body"] == [1]
    another = docs.answer_to(docs.send_request("patch_content", "m2" + of["id"], **add))
    assert another["data"]["ver"][1] == answers[0]["data"]["ver"][1] + 1


def test_what_was_refused_stays_refused(docs, note):
    of = note(title="one")
    wanted = {"key": of, "ver": None, "patch": [
        {"op": "test", "path": "/title", "value": "two"}, replace("/text", "it was")]}
    first = docs.answer_to(docs.send_request("patch_content", "m" + of["id"], **wanted))
    assert code_of(first) == UNFIT
    patched(docs, of, replace("/title", "two"))
    assert docs.answer_to(docs.send_request("patch_content", "m" + of["id"], **wanted)) == first
    assert state_of(docs, of)[0]["text"] is None


def test_patches_without_a_version_all_arrive(docs, note):
    of = note(body=[])
    sent = [docs.send_request("patch_content", key=of, ver=None, patch={
        "op": "add", "path": "/body/-", "value": number}) for number in range(100)]
    answers = [docs.answer_to(one) for one in sent]
    assert sorted(answer["data"]["ver"][1] for answer in answers) == list(range(2, 102))
    assert sorted(state_of(docs, of)[0]["body"]) == list(range(100))


def test_of_patches_with_one_version_one_arrives(docs, note):
    of = note(body=[])
    ver = state_of(docs, of)[1]
    sent = [docs.send_request("patch_content", key=of, ver=ver, patch={
        "op": "add", "path": "/body/-", "value": number}) for number in range(30)]
    codes = [code_of(docs.answer_to(one)) for one in sent]
    assert sorted(codes, key=str) == [CONFLICT] * 29 + [None]
    assert len(state_of(docs, of)[0]["body"]) == 1


# ---- through a gateway, beside the other protocol

@pytest.fixture
def cleo(stack, connect_content):
    return connect_content(stack.gateways[1], "cleo")


def test_a_reader_hears_of_what_changes_from_that_very_version(cleo, ada, note):
    of = note(title="one", body=[1])
    content, ver = state_of(cleo, of)
    put(ada, NOTE, of["id"], title="two")
    assert read(cleo, of, ver, subscribe=True)[0] == 206
    ver = state_of(cleo, of)[1]
    put(ada, NOTE, of["id"], title="three")
    cleo.expect_changed(of, content=True, children=False)
    assert patch_since(cleo, of, {**content, "title": "two"}, ver) == [replace("/title", "three")]
    remove(ada, NOTE, of["id"])
    cleo.expect_changed(of, content=True, children=True)
    assert code_of(cleo.get_content(of)) == 4040420


def test_a_writer_hears_of_its_own_change_if_it_gave_no_version(cleo, note):
    of, another = note(title="one"), note(title="one")
    for one in (of, another):
        read(cleo, one, subscribe=True)
    patched(cleo, of, replace("/title", "two"), state_of(cleo, of)[1])
    patched(cleo, another, replace("/title", "two"))
    cleo.expect_changed(another, content=True, children=False)
    assert of not in [entry["key"] for entry in cleo.told]


def test_bad_patches_leave_the_connection_as_it_was(cleo, note):
    of = note(title="one", body={"list": [1, 2, 3], "n": 5})
    before = state_of(cleo, of)
    codes = [code_of(cleo.patch_content(of, bad)) for bad, _ in BAD_PATCHES]
    assert codes == [code for _, code in BAD_PATCHES]
    assert code_of(cleo.patch_content(of, [{"op": "test", "path": "/body/n", "value": 5}] * 10_000)) \
        == LARGE
    assert state_of(cleo, of) == before


def test_ids_begin_anew_with_each_connection(stack, connect_content, cleo, note):
    of = note(body=[])
    add = {"key": of, "ver": None, "patch": {"op": "add", "path": "/body/-", "value": 1}}
    first = cleo.answer_to(cleo.send_request("patch_content", "1", **add))
    assert cleo.answer_to(cleo.send_request("patch_content", "1", **add)) == first
    back = connect_content(stack.gateways[0])
    assert back.reconnect(cleo.session)["status"] == 200
    after = back.answer_to(back.send_request("patch_content", "1", **add))
    assert after["data"]["ver"][1] == first["data"]["ver"][1] + 1
    assert state_of(back, of)[0]["body"] == [1, 1]
