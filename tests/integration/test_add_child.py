"""add_child (content protocol): what is made, linked, refused and told; rooms and messages of the example
domain, and relations of all kinds from a model made here."""

import itertools
import json

import pytest
from asking import create, find
from client import pair
from content_client import ContentClient, code_of, key
from ctl import Ended
from servers import wait_until
from stack import MODEL
from store import assert_books_balance, stored_object

PERSON, ROOM, MESSAGE = (f"com.app.mo.{name}" for name in ("Person", "Room", "Message"))


@pytest.fixture
def enter():
    """enter(stack, "ada"): a client of the content protocol, logged in."""
    clients = []

    def make(stack, user, gateway=0, **options):
        clients.append(ContentClient(stack.gateways[gateway].url, **options))
        clients[-1].login(stack.credential(user))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def ada(stack, enter):
    return enter(stack, "ada")


@pytest.fixture
def ben(stack, enter):
    return enter(stack, "ben", gateway=1)


def conversations_of(client):
    """Who knows the user knows them: they have the user's id."""
    return key("conversations", client.entries["self"]["id"])


def made(answer):
    """The key of the child."""
    assert answer["type"] == "result" and answer["status"] == 200, answer
    assert list(answer["data"]) == ["key"]
    return answer["data"]["key"]


def content(client, of):
    return client.get_content(of)["data"]["content"]


def children(client, of, view="asc"):
    return [child["key"] for child in client.get_children(of, view)["data"]["page"]]


def refused(answer, code, *words):
    assert code_of(answer) == code, answer
    for word in words:
        assert word in answer["data"]["msg"], answer
    return True


@pytest.fixture
def room(ada):
    return made(ada.add_child(conversations_of(ada), "room", name="talk"))


# ---- Rooms and messages, as in the seed

def test_a_room_has_its_maker_among_its_members(ada, ben):
    room = made(ada.add_child(conversations_of(ada), "room",
                              members=[{"key": ben.entries["self"]}]))
    assert room["type"] == "room" and isinstance(room["id"], int)
    assert content(ben, room)["members"] == [{"key": ben.entries["self"]}, {"key": ada.entries["self"]}]
    assert room in children(ada, conversations_of(ada))


def test_a_member_who_names_itself_stands_there_once(ada, ben):
    members = [{"key": ada.entries["self"]}, {"key": ben.entries["self"], "presence": "busy"}]
    room = made(ada.add_child(ada.entries["rooms"], "room", members=members))
    assert [m["key"] for m in content(ada, room)["members"]] == [m["key"] for m in members]


def test_messages_are_numbered_in_their_room(ada, room):
    other = made(ada.add_child(conversations_of(ada), "room"))
    first, second = (made(ada.add_child(room, "msg", text=text)) for text in ("hi!", "you?"))
    assert (first, second) == (key("msg", [room["id"], 1]), key("msg", [room["id"], 2]))
    assert made(ada.add_child(other, "msg", text="")) == key("msg", [other["id"], 1])
    found = content(ada, first)
    assert list(found) == ["sender", "time", "text", "read"]
    assert found["sender"] == {"key": ada.entries["self"]} and found["time"] > 10 ** 12
    assert (found["text"], found["read"]) == ("hi!", False)
    assert children(ada, room) == [first, second]


def test_numbers_are_unique_and_grow_whoever_writes(stack, enter, ada):
    room = made(ada.add_child(conversations_of(ada), "room"))
    writers = [enter(stack, "ada", gateway=i % 2) for i in range(4)]
    sent = [(writer, writer.send_request("add_child", key=room, obj={
        "key": {"type": "msg"}, "text": str(i)})) for writer in writers for i in range(25)]
    numbers = [made(writer.answer_to(message))["id"][1] for writer, message in sent]
    assert sorted(numbers) == list(range(1, 101))


def test_an_imported_message_is_not_overwritten(new_stack, enter):
    stack = new_stack()
    ada = enter(stack, "ada")
    room = made(ada.add_child(conversations_of(ada), "room"))
    line = json.dumps({"cn": MESSAGE, "ID": f"[{room['id']},7]", "text": "old"})
    assert Ended(stack, "import", stdin=line.encode()).code == 0
    assert made(ada.add_child(room, "msg"))["id"] == [room["id"], 8]
    # Also one that was not counted.
    stack.redis().delete(f"{{k:{MESSAGE}}}:numbers")
    for number in range(1, 7):
        assert made(ada.add_child(room, "msg"))["id"] == [room["id"], number]
    assert made(ada.add_child(room, "msg"))["id"] == [room["id"], 9]
    assert content(ada, key("msg", [room["id"], 7]))["text"] == "old"


def test_a_note_has_the_id_that_its_writer_chooses_or_one_of_the_server(ada, new_id):
    notes, mine = ada.entries["notes"], new_id("note")
    assert made(ada.add_child(notes, "note", mine, title="b")) == key("note", mine)
    other = made(ada.add_child(notes, "note", title="a", body={"x": [1.10]}))
    assert isinstance(other["id"], str) and content(ada, other)["body"] == {"x": [1.1]}
    assert children(ada, notes)[-2:] == [other, key("note", mine)]


# ---- Links to what is there

def test_a_favourite_is_linked_once(ada, ben):
    fav, person = ada.entries["fav"], ben.entries["self"]
    before = content(ben, person)
    for _ in range(2):
        assert made(ada.add_child(fav, "user", person["id"])) == person
    assert children(ada, fav).count(person) == 1
    assert content(ben, person) == before
    assert made(ada.add_child(fav, "unit", 1)) == key("unit", 1)
    assert set(map(str, (person, key("unit", 1)))) <= set(map(str, children(ada, fav)))


def test_what_is_there_is_not_changed_on_the_way(ada, new_id):
    note = made(ada.add_child(ada.entries["notes"], "note", new_id("note"), title="x"))
    assert refused(ada.add_child(ada.entries["notes"], "note", note["id"], title="y"), 4220740,
                   "there is such a document")
    assert content(ada, note)["title"] == "x"


def test_what_does_not_exist_cannot_be_linked(ada):
    assert refused(ada.add_child(ada.entries["fav"], "user", 10 ** 9), 4220740, "no such document")


def test_a_message_of_another_room_cannot_be_linked(ada, room):
    other = made(ada.add_child(conversations_of(ada), "room"))
    message = made(ada.add_child(other, "msg", text="there"))
    assert refused(ada.add_child(room, "msg", message["id"]), 4220740, "another document")
    assert made(ada.add_child(other, "msg", message["id"])) == message
    assert refused(ada.add_child(room, "msg", [room["id"], 500]), 4220740, "no such document")


# ---- Rights

def test_only_members_write_into_a_room(ada, ben, room):
    assert refused(ben.add_child(room, "msg", text="x"), 4030730)
    shared = made(ada.add_child(conversations_of(ada), "room",
                                members=[{"key": ben.entries["self"]}]))
    assert made(ben.add_child(shared, "msg", text="x"))
    assert children(ada, room) == []


def test_only_the_user_adds_to_what_is_the_users_own(ada, ben):
    assert refused(ben.add_child(ada.entries["fav"], "user", ben.entries["self"]["id"]), 4030730)
    assert refused(ben.add_child(conversations_of(ada), "room"), 4030730)
    assert refused(ada.add_child(ada.entries["home"], "user", ben.entries["self"]["id"]), 4030730)


def test_what_may_not_be_created_is_not_created(ada):
    assert refused(ada.add_child(ada.entries["fav"], "unit", name="mine"), 4030730)


# ---- Bad input

@pytest.mark.parametrize("parent, code", [
    (key("room", 10 ** 12), 4040720), (key("room", "x"), 4040720), (key("nothing", 1), 4040720),
    (key("room", None), 4000700), ({"type": "room"}, 4000700), ([], 4000700), ("x", 4000700),
    (None, 4000700), ({"type": 5, "id": 1}, 4000700), (key("room", {}), 4000700)])
def test_a_parent_that_is_none(ada, parent, code):
    assert refused(ada.add_child(parent, "msg"), code)


@pytest.mark.parametrize("data", [None, [], "x", {}, {"obj": {"key": {"type": "msg"}}}])
def test_data_of_the_wrong_shape_is_malformed(ada, data, new_id):
    message = new_id()
    ada.send({"type": "request", "id": message, "cls": "add_child", "data": data})
    assert refused(ada.answer_to(message), 4000700)


@pytest.mark.parametrize("obj, code", [
    (None, 4000700), ([], 4000700), ("x", 4000700), ({}, 4000700), ({"key": None}, 4000700),
    ({"key": []}, 4000700), ({"key": {}}, 4000700), ({"key": {"type": 7}}, 4000700),
    ({"key": {"type": "msg", "id": {}}}, 4000700), ({"key": {"type": "msg", "id": []}}, 4000700),
    ({"key": {"type": "msg", "id": 1.5}}, 4000700),
    ({"key": {"type": "nothing"}}, 4220740), ({"key": {"type": "user"}}, 4220740),
    ({"key": {"type": "msg", "id": "x"}}, 4220740), ({"key": {"type": "msg", "id": 5}}, 4220740),
    ({"key": {"type": "msg"}, "nothing": 1}, 4220740), ({"key": {"type": "msg"}, "text": 5}, 4220740),
    ({"key": {"type": "msg"}, "time": 5}, 4220740), ({"key": {"type": "msg"}, "sender": None}, 4220740),
    ({"key": {"type": "msg"}, "read": "yes"}, 4220740), ({"key": {"type": "msg"}, "id": 1}, 4220740)])
def test_a_child_that_is_none_leaves_everything_as_it_was(ada, room, obj, code):
    assert refused(ada.request("add_child", key=room, obj=obj), code)
    assert children(ada, room) == []
    assert made(ada.add_child(room, "msg"))["id"] == [room["id"], 1], "no number is lost"


def test_members_that_stand_there_twice_are_refused(ada, room, new_id):
    for members, code in (('"key":{"type":"msg"},"key":{"type":"msg"}', 4000700),
                          ('"key":{"type":"msg"},"text":"a","text":"b"', 4220740)):
        message = new_id()
        ada.send_text('{"type":"request","id":"%s","cls":"add_child","data":{"key":%s,"obj":{%s}}}'
                      % (message, json.dumps(room), members))
        assert refused(ada.answer_to(message), code)


@pytest.mark.parametrize("members", [
    [{"key": key("user", 10 ** 9)}], [{"key": key("room", 1)}], [key("user", 1)], [None], "x", 5])
def test_members_that_are_none_are_refused(ada, members):
    assert refused(ada.add_child(conversations_of(ada), "room", members=members), 4220740)


def test_a_document_without_children_has_none(ada):
    assert refused(ada.add_child(ada.entries["self"], "msg"), 4220740, "no child")


def test_who_is_not_logged_in_adds_nothing(stack):
    with ContentClient(stack.gateways[0].url) as client:
        assert refused(client.add_child(key("room", 1), "msg"), 4010710)


def test_limits_are_kept_at_their_edges(new_stack, enter):
    stack = new_stack(settings={"sync.max_listed": 3, "sync.max_object_bytes": 2048})
    ada, ben, cleo = (enter(stack, user) for user in ("ada", "ben", "cleo"))
    people = [{"key": client.entries["self"]} for client in (ben, cleo)]
    conversations = conversations_of(ada)
    assert len(content(ada, made(ada.add_child(conversations, "room", members=people)))["members"]) == 3
    four = people + [{"key": ada.entries["self"]}] + people[:1]
    assert refused(ada.add_child(conversations, "room", members=four), 4220740, "at most 3")
    three = people + [{"key": enter(stack, "dora").entries["self"]}]
    assert refused(ada.add_child(conversations, "room", members=three), 4220740, "at most 3")
    for _ in range(2):
        made(ada.add_child(conversations, "room"))
    assert refused(ada.add_child(conversations, "room"), 4220740, "children")
    assert len(children(ada, conversations)) == 3
    room = children(ada, conversations)[0]
    obj = {"key": {"type": "msg"}, "text": ""}
    obj["text"] = "x" * (2048 - len(json.dumps(obj)))
    assert made(ada.request("add_child", key=room, obj=obj))
    obj["text"] += "x"
    assert refused(ada.request("add_child", key=room, obj=obj), 4130700)


# ---- Once

def test_a_request_that_comes_twice_makes_one_child(ada, room, new_id):
    message = new_id()
    answers = []
    for _ in range(2):
        ada.send_request("add_child", request_id=message, key=room,
                         obj={"key": {"type": "msg"}, "text": "once"})
        answers.append(ada.answer_to(message))
    assert answers[0] == answers[1] and len(children(ada, room)) == 1
    ada.send_request("add_child", request_id=message, key=room,
                     obj={"key": {"type": "msg"}, "text": "another"})
    assert made(ada.answer_to(message))["id"] == [room["id"], 2]


def test_another_request_of_the_same_id_makes_another_child(ada, new_id):
    """Also where ids are texts that derive from the request."""
    message, notes, made_ids = new_id(), ada.entries["notes"], []
    for title in ("one", "two", "one"):
        ada.send_request("add_child", request_id=message, key=notes,
                         obj={"key": {"type": "note"}, "title": title})
        made_ids.append(made(ada.answer_to(message)))
    assert made_ids[0] == made_ids[2] != made_ids[1]
    assert [content(ada, note)["title"] for note in made_ids[:2]] == ["one", "two"]


# ---- Who is told

def test_who_minds_the_children_is_told_and_the_writer_of_what_the_server_added(ada, ben, room):
    for client in (ada, ben):
        client.get_children(room, "asc", subscribe=True)
    made(ada.add_child(room, "msg", text="x"))
    for client in (ada, ben):  # the server has set sender and time
        client.expect_changed(room, content=False, children=True)


def test_the_writer_is_not_told_of_what_it_knows(stack, enter, ben):
    dora = enter(stack, "dora")
    fav = dora.entries["fav"]
    for client in (dora, ben):
        client.get_children(fav, "asc", subscribe=True)
        client.get_content(fav, subscribe=True)
    made(dora.add_child(fav, "user", ben.entries["self"]["id"]))
    ben.expect_changed(fav, content=False, children=True)
    dora.expect_no_change(fav, 0.3)


def test_activestack_hears_of_the_child_and_of_the_list(stack, connect, ada):
    conversations = conversations_of(ada)
    reader = connect(stack.gateways[1], "cleo")
    reader.request("getAllByName", theClassName=ROOM)
    find(reader, "com.app.mo.Conversations", str(conversations["id"]))
    room = made(ada.add_child(conversations, "room", name="loud"))
    assert reader.expect_update(str(room["id"]))["name"] == "loud"
    shown = reader.expect_update(str(conversations["id"]))["children"]
    assert shown[-1] == pair(ROOM, str(room["id"]))


# ---- createObject fills the same fields

def test_create_object_has_the_maker_and_is_answered_with_it(stack, connect, ada):
    client = connect(stack.gateways[0], "ada")
    me = pair(PERSON, str(ada.entries["self"]["id"]))
    answer = create(client, ROOM, None, name="mine")
    assert answer["result"] is True and answer["theObject"]["members"] == [me]
    assert find(client, ROOM, answer["theObject"]["ID"]) == answer["theObject"]


# ---- Relations of other kinds

BOARD, CARD, TAG, LABEL, LINE = (f"com.test.{name}" for name in ("Board", "Card", "Tag", "Label", "Line"))
EVERYBODY = dict.fromkeys(("read", "create", "update", "remove", "addChild"), "signedIn")


def others_model(change=lambda classes: None):
    model = json.loads(MODEL.read_text())
    view = {"asc": {"size": 50, "order": [{"by": "name"}]}}

    def parent(class_type, relation, **fields):
        return {"type": class_type, "access": EVERYBODY, "fields": {"kids": relation, **fields},
                "children": {"relation": "kids", "views": view}}

    name = {"name": {"type": "string"}}
    classes = model["classes"]
    classes["com.test.Board"] = parent(
        "board", {"type": "toMany", "target": CARD, "inverse": "board"})
    classes[CARD] = {"type": "card", "access": EVERYBODY, "summary": ["name"], "fields": {
        **name, "board": {"type": "toOne", "target": BOARD, "required": True}}}
    classes["com.test.Tag"] = parent(
        "tag", {"type": "toMany", "target": CARD, "through": LABEL, "inverse": "tag", "onward": "card"})
    classes[LABEL] = {"access": EVERYBODY, "fields": {
        "tag": {"type": "toOne", "target": TAG}, "card": {"type": "toOne", "target": CARD},
        "at": {"type": "date", "server": "now"}}}
    classes["com.test.Shelf"] = parent(
        "shelf", {"type": "toMany", "target": "com.test.Book", "inverse": "shelves"})
    classes["com.test.Book"] = {"type": "book", "access": EVERYBODY, "summary": ["name"], "fields": {
        **name, "shelves": {"type": "list", "target": "com.test.Shelf"}}}
    classes["com.test.Poem"] = parent("poem", {"type": "toMany", "target": LINE, "inverse": "ID"})
    classes[LINE] = {"type": "line", "id": "array", "access": EVERYBODY, "fields": name}
    change(classes)
    return model


@pytest.fixture
def others(new_stack, tmp_path, enter, connect):
    """A stack of this model, a client of each protocol, and what makes a parent of a class."""
    path = tmp_path / "model.json"
    path.write_text(json.dumps(others_model()))
    stack = new_stack(settings={"model.file": path})
    numbers = itertools.count(1)
    client = connect(stack.gateways[0], "ada")

    def parent(class_name):
        name = f'p"{next(numbers)}'
        assert create(client, f"com.test.{class_name}", name)["result"] is True
        return key(class_name.lower(), name)

    yield stack, enter(stack, "ada"), client, parent
    redis = stack.redis()
    wait_until(lambda: redis.zcard("jobs") == 0, 15, "all is told")
    assert_books_balance(redis)


def test_a_child_refers_to_its_parent_by_a_to_one(others):
    stack, ada, client, parent = others
    board, other = parent("Board"), parent("Board")
    card = made(ada.add_child(board, "card", name="a"))
    assert find(client, CARD, card["id"])["board"] == pair(BOARD, board["id"])
    assert children(ada, board) == [card]
    assert made(ada.add_child(board, "card", name="b", board={"key": board}))
    assert refused(ada.add_child(board, "card", board={"key": other}), 4220740, "data.obj.board")
    assert made(ada.add_child(other, "card", card["id"])) == card, "it moves"
    assert children(ada, other) == [card] and len(children(ada, board)) == 1


def test_a_child_refers_to_its_parents_by_a_list(others):
    stack, ada, client, parent = others
    shelf, other = parent("Shelf"), parent("Shelf")
    book = made(ada.add_child(shelf, "book", "b1", name="a"))
    assert made(ada.add_child(other, "book", "b1")) == book
    assert find(client, "com.test.Book", "b1")["shelves"] == [
        pair("com.test.Shelf", shelf["id"]), pair("com.test.Shelf", other["id"])]
    both = made(ada.add_child(other, "book", "b2", shelves=[{"key": shelf}]))
    for one in (shelf, other):
        assert children(ada, one) == [book, both] or children(ada, one) == [both, book]


def test_a_child_is_joined_to_its_parent(others):
    stack, ada, client, parent = others
    board, tag, other = parent("Board"), parent("Tag"), parent("Tag")
    card = made(ada.add_child(board, "card", name="x"))
    for _ in range(2):
        assert made(ada.add_child(tag, "card", card["id"])) == card
    assert made(ada.add_child(other, "card", card["id"])) == card
    joins = client.request("getAllByName", theClassName=LABEL)["result"]
    assert sorted(join["tag"]["ID"] for join in joins) == sorted([tag["id"], other["id"]])
    assert all(join["at"] > 10 ** 12 and join["card"]["ID"] == card["id"] for join in joins)
    assert children(ada, tag) == children(ada, other) == [card]
    made(ada.add_child(tag, "card", name="new", board={"key": board}))
    assert len(children(ada, tag)) == 2


def test_a_required_field_that_is_missing_is_named(others):
    stack, ada, client, parent = others
    tag = parent("Tag")
    assert refused(ada.add_child(tag, "card", name="x"), 4220740, "board")
    assert refused(ada.add_child(tag, "card", "c1"), 4220740, "board")
    assert stored_object(stack.redis(), f"{CARD}:c1") is None


def test_children_are_numbered_behind_a_string_too(others):
    stack, ada, client, parent = others
    poem = parent("Poem")
    lines = [made(ada.add_child(poem, "line", name=str(i))) for i in range(3)]
    assert [line["id"] for line in lines] == [[poem["id"], n] for n in (1, 2, 3)]
    assert children(ada, poem) == lines
    client.request("removeObject", removePair=pair(
        LINE, json.dumps([poem["id"], 3], separators=(",", ":"))))
    assert made(ada.add_child(poem, "line"))["id"] == [poem["id"], 4], "no number comes twice"


def test_what_was_removed_does_not_rise_again(others):
    stack, ada, client, parent = others
    shelf = parent("Shelf")
    made(ada.add_child(shelf, "book", "b1", name="a"))
    client.request("removeObject", removePair=pair("com.test.Book", "b1"))
    assert refused(ada.add_child(shelf, "book", "b1", name="a"), 4220740, "removed")
    client.request("removeObject", removePair=pair("com.test.Shelf", shelf["id"]))
    assert refused(ada.add_child(shelf, "book", "b2"), 4040720)
