"""The content protocol to the letter: each message as support/seed-content.md prints it goes from
or to a client of the example domain.

What a test sends and compares stands above it, so that none is forgotten.
"""

import functools
import json

import json_patch
import pytest
from relations import wait_for_jobs
from seed_content import PRINTS, assert_printed, filled, parsed
from servers import wait_until
from stack import Stack, user_row
from store import object_key, pending_marks

MO = "com.app.mo."

# username -> display_name, picture, presence and connected, as they stand on the printed pages;
# the last one is not seen there.
PEOPLE = {
    "abadi": ("Abadi Bouzouf", "users/32131", "online", True),
    "betani": ("Betani Patif", "users/87324", "online", True),
    "coll": ("Coll Derp", None, "online", True),
    "delano": ("Delano Manopla", "users/43242", "online", False),
    "aneli": ("Aneli Patelo", "users/21412", "offline", False),
    "zoe": ("Zoe", None, "offline", False),
}
PRINTED_IDS = {"abadi": 32131, "betani": 87324, "coll": 98234, "delano": 43242, "aneli": 21412}
TOTO = "toto:foo"  # who logs in on the first page of the document

DECLARED = set()


def prints(*names):
    """Says what the test sends or compares; it fails if it does not."""
    def declare(test):
        DECLARED.update(names)

        @functools.wraps(test)
        def checked(seed, **fixtures):
            test(seed, **fixtures)
            assert seed.used == set(names)

        return checked

    return declare


class Seed:
    """Sends and compares prints, and knows which."""

    def __init__(self):
        self.used = set()

    def send(self, client, name, values=None):
        """As printed, but for the values."""
        self.used.add(name)
        text = filled(name, values)
        client.send_text(text)
        return json.loads(text).get("id")

    def ask(self, client, name, values=None):
        return client.answer_to(self.send(client, name, values))

    def compare(self, frame, name, values=None, open_=()):
        self.used.add(name)
        assert_printed(frame, name, values, open_)


def test_every_print_is_sent_or_compared_here():
    assert DECLARED == set(PRINTS)


@pytest.fixture
def seed():
    return Seed()


@pytest.fixture(scope="module")
def shared_seed_stack(servers, tmp_path_factory):
    users = tmp_path_factory.mktemp("seed") / "users.json"
    users.write_text(json.dumps([user_row("toto", "Foo", "Bar", "foo"),
                                 *(user_row(name, name, "Example", name) for name in PEOPLE)]))
    settings = {"auth.users_file": users, "sync.presence_grace_ms": 100, "sync.poll_ms": 50}
    with Stack(servers, gateways=2, sync_agents=2, settings=settings) as stack:
        yield stack


@pytest.fixture
def seed_stack(shared_seed_stack):
    yield shared_seed_stack
    shared_seed_stack.check()


@pytest.fixture
def connect_toto(seed_stack, connect_content):
    """Connects somebody, who logs in as the printed user unless told otherwise."""
    def connect_toto(credential=TOTO, gateway=0, **options):
        client = connect_content(seed_stack.gateways[gateway], **options)
        if credential:
            client.login(credential)
        return client

    return connect_toto


@pytest.fixture
def toto(connect_toto):
    return connect_toto()


@pytest.fixture
def other(connect_toto):
    """The same user at another gateway: another session, which may change what is his."""
    return connect_toto(gateway=1)


@pytest.fixture
def connect_person(connect_toto):
    """Connects one of PEOPLE, who is then as printed, if she was not so before."""
    def connect_person(name):
        client = connect_toto(f"{name}:{name}", gateway=1)
        fields = dict(zip(("display_name", "picture", "presence"), PEOPLE[name]))
        change(client, client.entries["self"], **fields)
        return client

    return connect_person


def change(client, of, **fields):
    """Returns the version."""
    answer = client.patch_content(of, [
        {"op": "replace", "path": f"/{name}", "value": value} for name, value in fields.items()])
    assert answer["status"] == 200, answer
    return answer["data"]["ver"]


def add(client, parent, *child, **fields):
    answer = client.add_child(parent, *child, **fields)
    assert answer["status"] == 200, answer
    return answer["data"]["key"]


def version_of(client, of):
    return client.get_content(of)["data"]["ver"]


# ---- Sessions

@prints("Login Request", "Login Response")
def test_login(seed, connect_toto):
    client = connect_toto(None)
    answer = seed.ask(client, "Login Request")
    data = answer["data"]
    seed.compare(answer, "Login Response", {
        "asda2ad22da": data["session"], 423421341: data["self"]["id"],
        232134123: data["rooms"]["id"], 412341235: data["fav"]["id"],
        234234321: data["root"]["id"], 234213423: data["home"]["id"],
        "http//foo.bar.com/static": data["config"]["media_server"]}, open_=("frame.data",))
    assert list(data)[-1] == "config"


@prints("Login Request", "Login Error")
def test_a_login_that_fails(seed, connect_toto):
    for values in ({"foo": "bar"}, {"toto": "nobody"}):
        answer = seed.ask(connect_toto(None), "Login Request", values)
        seed.compare(answer, "Login Error")


@prints("Logout Request", "Logout Response")
def test_logout(seed, toto):
    answer = seed.ask(toto, "Logout Request")
    seed.compare(answer, "Logout Response")
    toto.login(TOTO)


@prints("Reconnect Request", "Reconnect Response")
def test_reconnect(seed, toto, connect_toto):
    toto.vanish()
    back = connect_toto(None, gateway=1)
    answer = seed.ask(back, "Reconnect Request", {"asda2ad22da": toto.session})
    seed.compare(answer, "Reconnect Response")
    assert back.get_content(toto.entries["self"])["status"] == 200


# ---- Content

@prints("Content Query Request", "Content Query Full Response")
def test_content(seed, toto, other):
    me = toto.entries["self"]
    change(other, me, picture="users/423421341", presence="online")
    answer = seed.ask(toto, "Content Query Request", {423421341: me["id"]})
    identity, number = answer["data"]["ver"]
    seed.compare(answer, "Content Query Full Response", {
        423421341: me["id"], "server_213233213": identity, 123412412: number},
        open_=("frame.data.content",))


@prints("Content Query Request", "Content Query Not Changed Response")
def test_content_that_has_not_changed(seed, toto):
    me = toto.entries["self"]
    answer = seed.ask(toto, "Content Query Request", {
        423421341: me["id"], None: version_of(toto, me)})
    seed.compare(answer, "Content Query Not Changed Response")


@prints("Content Query Request", "Content Query Patch response")
def test_content_that_has_changed(seed, toto, other):
    me = toto.entries["self"]
    before = change(other, me, presence="online")
    identity, number = change(other, me, presence="offline")
    answer = seed.ask(toto, "Content Query Request", {423421341: me["id"], None: before})
    seed.compare(answer, "Content Query Patch response", {
        423421341: me["id"], "server_213233213": identity, 123412412: number})


# ---- Pages

VIEW = "asc_pres_first"


@pytest.fixture
def favourites(toto, connect_person):
    """The printed page as it was before: without Coll, and Delano is there."""
    clients = {name: connect_person(name) for name in PEOPLE}
    fav = toto.entries["fav"]
    if toto.get_children(fav, VIEW)["data"]["total"] == 0:
        for name in PEOPLE:
            if name != "coll":
                add(toto, fav, "user", clients[name].entries["self"]["id"])
    for name in ("aneli", "zoe"):
        leave(toto, clients[name])
    return clients


def leave(looker, client):
    """Logs out; returns when everybody can see it."""
    client.logout()
    wait_until(lambda: not looker.get_content(client.entries["self"])["data"]["content"]["connected"],
               10, "nobody is connected as this user any more")


def values_of_page(toto, clients, data):
    identity, number = data["ver"]
    return {**{printed: clients[name].entries["self"]["id"] for name, printed in PRINTED_IDS.items()},
            423421341: toto.entries["fav"]["id"], "server_213233213": identity, 12341332423: number,
            800: data["total"]}


def ask_for_page(seed, toto, ver):
    """The printed version is one that the server knows nothing of."""
    values = {423421341: toto.entries["fav"]["id"]}
    if ver:
        values |= {"server_213233213": ver[0], 123413243: ver[1]}
    return seed.ask(toto, "Page Query Request", values)


def _shape(operation):
    return operation["op"], list(operation), operation.get("value")


def as_printed(patch, page, values):
    """The printed patch, if this one does the same by the same operations, in whichever order."""
    printed = parsed("Page Query Patch Response", values)["data"]["patch"]
    assert json_patch.apply(page, patch) == json_patch.apply(page, printed)
    assert sorted(map(_shape, patch)) == sorted(map(_shape, printed))
    return printed


@prints("Page Query Request", "Page Query Full Response", "Page Query Not Changed Response",
        "Page Query Patch Response")
def test_pages(seed, toto, connect_toto, favourites):
    before = ask_for_page(seed, toto, None)["data"]
    assert before["total"] == 5 and len(before["page"]) == 5

    add(toto, toto.entries["fav"], "user", favourites["coll"].entries["self"]["id"])
    leave(toto, favourites["delano"])
    answer = ask_for_page(seed, connect_toto(), before["ver"])
    values = values_of_page(toto, favourites, answer["data"])
    answer["data"]["patch"] = as_printed(answer["data"]["patch"], before["page"], values)
    seed.compare(answer, "Page Query Patch Response", values)

    answer = ask_for_page(seed, connect_toto(), None)
    assert answer["data"]["total"] == 6
    seed.compare(answer, "Page Query Full Response",
                 values_of_page(toto, favourites, answer["data"]))
    again = ask_for_page(seed, connect_toto(), answer["data"]["ver"])
    seed.compare(again, "Page Query Not Changed Response")


# ---- Changes

def values_of_version(answer):
    identity, number = answer["data"]["ver"]
    return {"server_213233213": identity, 23479087213: number}


@prints("Modify Content Request, updating user status and presence",
        "Modify Content Success Response", "Modify Content Error Response")
def test_a_change_with_a_version(seed, toto, other):
    me = toto.entries["self"]
    identity, number = version_of(toto, me)
    printed = "Modify Content Request, updating user status and presence"
    values = {1234234: me["id"], 2342: identity, 21342134: number}
    answer = seed.ask(toto, printed, values)
    seed.compare(answer, "Modify Content Success Response", values_of_version(answer))
    data = toto.get_content(me)["data"]
    assert data["ver"] == answer["data"]["ver"]
    assert (data["content"]["status"], data["content"]["presence"]) == ("Not Here", "busy")

    seed.compare(seed.ask(other, printed, values), "Modify Content Error Response")
    assert toto.get_content(me)["data"] == data


@pytest.fixture
def room(toto):
    return add(toto, toto.conversations, "room")


@prints("Modify Content Request, sending a read receipt", "Modify Content Success Response")
def test_a_read_receipt(seed, toto, room):
    message = add(toto, room, "msg", text="hi!")
    printed = "Modify Content Request, sending a read receipt"
    answer = seed.ask(toto, printed, {342131213: message["id"][0], 3421321312: message["id"][1]})
    seed.compare(answer, "Modify Content Success Response", {
        **values_of_version(answer), "asdf3wf3r": answer["id"]})
    assert toto.get_content(message)["data"]["content"]["read"] is True


@prints("Adding Children Request, creating a chat session", "Adding Children Response")
def test_a_new_chat_session(seed, toto, connect_person):
    parent, person = toto.conversations, connect_person("abadi").entries["self"]
    answer = seed.ask(toto, "Adding Children Request, creating a chat session", {
        3421321312: parent["id"], 123213: person["id"]})
    seed.compare(answer, "Adding Children Response", {2134123: answer["data"]["key"]["id"]})
    content = toto.get_content(answer["data"]["key"])["data"]["content"]
    assert content["members"] == [{"key": person}, {"key": toto.entries["self"]}]


@prints("Adding Children Request, sending a message", "Adding Children Response")
def test_a_message(seed, toto, room):
    answer = seed.ask(toto, "Adding Children Request, sending a message", {3421321312: room["id"]})
    made = answer["data"]["key"]
    assert made == {"type": "msg", "id": [room["id"], 1]}
    like_a_room = {**answer, "data": {"key": {**made, "id": 1}}}  # what is printed is made a room
    seed.compare({**like_a_room}, "Adding Children Response", {
        "sdf3223dqs": answer["id"], "room": "msg", 2134123: 1})
    content = toto.get_content(made)["data"]["content"]
    assert (content["text"], content["sender"]) == ("hi!", {"key": toto.entries["self"]})


# ---- Notifications

@prints("Subscribe", "Revoke Subscriptions")
def test_subscribe_and_revoke(seed, seed_stack, toto, room, connect_person):
    zoe = connect_person("zoe")
    me = zoe.entries["self"]
    values = {231213123: me["id"], 4324123: toto.entries["home"]["id"]}
    watchers = object_key(f"{MO}Person:{me['id']}", ":sw")
    redis = seed_stack.redis()

    seed.send(toto, "Subscribe", values)
    wait_until(lambda: redis.exists(watchers), 10, "there is a subscription")
    change(zoe, me, status="watched")
    toto.expect_changed(me, content=True)

    seed.send(toto, "Revoke Subscriptions", values)
    wait_until(lambda: not redis.exists(watchers), 10, "there is none any more")
    toto.forget_changes()
    toto.get_content(room, subscribe=True)
    change(zoe, me, status="not watched")
    change(toto, room, name="watched")
    toto.expect_changed(room, content=True)
    assert not toto.told


@prints("Change Notification Request", "Change Notification Response")
def test_changes_are_told(seed, seed_stack, connect_toto):
    """Nobody may change what a unit says; rooms stand in for the printed ones."""
    other, zoe = connect_toto("zoe:zoe", gateway=1), connect_toto("zoe:zoe", answers=False)
    me, fav = zoe.entries["self"], zoe.entries["fav"]
    early, named, full = (add(other, zoe.conversations, "room") for _ in range(3))
    wait_for_jobs(seed_stack.redis())  # that they were made is told to nobody any more
    for of in (me, early, named, full):
        zoe.get_content(of, subscribe=True)
    for of in (fav, full):
        zoe.get_children(of, "asc", subscribe=True)
    change(other, early, name="changed first")
    first = zoe.expect_block()

    change(other, me, status="changed")
    change(other, named, name="changed")
    change(other, full, name="changed")
    add(other, full, "msg", text="hi!")
    add(other, fav, "unit", other.entries["home"]["id"])
    wait_for_marks(seed_stack, me, named, full, fav)
    seed.send(zoe, "Change Notification Response", {"wdfqwef32f23f": first["id"]})
    block = zoe.expect_block()
    order = [me, named, fav, full]
    block["data"].sort(key=lambda entry: order.index(entry["key"]))
    seed.compare(block, "Change Notification Request", {
        "wdfqwef32f23f": block["id"], "unit": "room",
        231213123: me["id"], 4324123: named["id"], 4312341233: fav["id"], 3512232: full["id"]})


def wait_for_marks(stack, me, named, full, fav):
    """Until all that the block is to hold is noted."""
    person, favourites = f"{MO}Person:{me['id']}", f"{MO}Favorites:{fav['id']}"
    rooms = [f"{MO}Room:{room['id']}" for room in (named, full)]
    redis = stack.redis()
    wait_until(
        lambda: {person, *rooms, "+" + rooms[1], "+" + favourites}
        <= {ref for _, ref in pending_marks(redis)}, 10, "all changes are marked")
