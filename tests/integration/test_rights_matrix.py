"""Every operation of both protocols, beside every kind of rule, for whoever may ask: the owner, who has a
role (keeper), a stranger, a user of the provider anonymous (guest), and who has not logged in.

Who may do what is in support/rights_world.py, what operations answer in support/rights_operations.py; both
are written by hand. Many requests are under way at once; what differs is told as a table.
"""

import contextlib
import re

import pytest
import rights_fields as fields
from asking import create, remove
from client import Client, pair
from content_client import ContentClient
from frames import SECONDS
from rights_operations import (
    CONTENT_OTHERS, CONTENT_READS, CONTENT_STRANGER, CONTENT_WRITES, NOT_WATCHING, NOTE, OF_GUESTS, OTHERS,
    READS, WATCHING, WRITES, Target, content_word_of, of_clients, word_of)
from rights_world import (
    CALLERS, KID, KINDS, MOST_ON_PATHS, ROLES, RUNS, SECRET, THING, USERS, World, model, processes)
from servers import wait_until
from stack import Stack
from store import assert_books_balance
from watching import in_parts
from workers import Worker

class Hearing:
    """A client that keeps every frame that it was ever sent."""

    def took(self, frame):
        self.__dict__.setdefault("heard", []).append(frame.text)
        super().took(frame)


class Caller(Hearing, Client):
    def ask_all(self, requests):
        """(operation, event, members) each, many at once; their answers, in this order."""
        answers = []
        for some in in_parts(requests):
            messages = [self.send_request(operation, event, **members)
                        for operation, event, members in some]
            answers += [self.response_to(message) for message in messages]
        return answers


class ContentCaller(Hearing, ContentClient):
    def ask_all(self, requests):
        answers = []
        for some in in_parts(requests):
            messages = [self.send_request(cls, **members) for cls, _, members in some]
            answers += [self.answer_to(message) for message in messages]
        return answers


@pytest.fixture(scope="module")
def rights_stack(servers):
    """The second gateway's clients of the content protocol are users of the provider anonymous."""
    stack = Stack(
        servers, gateways=2, processes=processes(), roles=ROLES,
        model=model(**{fields.PAPER: fields.paper_class()}),
        settings={"sync.poll_ms": 50, "sync.watch_window_ms": 20, "process.presence_ms": 0,
                  "sync.max_path_objects": MOST_ON_PATHS})
    stack.gateways[1].environment["ACTIVESTACK_GATEWAY_CONTENT_PROVIDER"] = "anonymous"
    with stack:
        yield stack


@pytest.fixture(scope="module")
def enter(rights_stack):
    """enter(caller) makes a client that has logged in (but "nobody" has not); with content=True one of the
    content protocol."""
    gateways, clients = rights_stack.gateways, contextlib.ExitStack()

    def make(caller, content=False):
        gateway = gateways[1 if caller == "guest" else 0]
        client = clients.enter_context((ContentCaller if content else Caller)(gateway.url))
        credential = rights_stack.credential(USERS.get(caller, "guest"))
        if not content:
            client.connect()
        if caller != "nobody":
            client.login(*(() if content else ("anonymous" if caller == "guest" else "file",)), credential)
        return client

    with clients:
        yield make


@pytest.fixture(scope="module")
def world(rights_stack, enter):
    """With one object of each kind, `read`, that no write is about."""
    ada = enter("owner")
    made = World(rights_stack, ada.user_id,
                 rights_stack.redis().hget("{u:%s}" % ada.user_id, "anchor"))
    for kind in KINDS:
        made.add(kind, "read")
    made.import_all()
    yield made
    rights_stack.check()
    assert_books_balance(rights_stack.redis())


def compare(got, expected):
    """Both: {(row, kind, caller): word}."""
    assert got.keys() == expected.keys()
    wrong = [f"{row:28} {kind:12} {caller:9} {got[row, kind, caller]!s:22} {wanted}"
             for (row, kind, caller), wanted in expected.items() if got[row, kind, caller] != wanted]
    head = f"{'operation':28} {'rule':12} {'caller':9} {'answer':22} expected"
    assert not wrong, "\n".join([f"{len(wrong)} of {len(expected)} are wrong:", head, *wrong])


def assert_nothing_hidden(caller, client):
    """Of what it may not read, it was never sent the secret, in whatever frame."""
    told = {name for text in client.heard for name in re.findall(SECRET + r"[\w-]+-of-(\w+)", text)}
    hidden = {kind.name for kind in KINDS if not kind.has(caller, "read")}
    assert not told & hidden, f"{caller} was sent secrets of {sorted(told & hidden)}"


def target_of(world, row, kind, caller):
    """Reads share an object; what a write is about is its own."""
    if not row.effect:
        return Target(kind, f"read-of-{kind.name}", world.owned)
    name = f"{row.name.replace(' ', '-')}-{caller}"
    object_id = f"{name}-of-{kind.name}" if row.makes else world.add(kind, name)
    return Target(kind, object_id, world.owned)


def run_all(client, caller, cases, word):
    """{(row, kind, caller): word} of (row, target) each."""
    answers = client.ask_all([(row.sent, row.event, row.members(target)) for row, target in cases])
    return {(row.name, target.kind.name, caller): word(answer)
            for (row, target), answer in zip(cases, answers)}


@pytest.fixture(scope="module")
def workers(rights_stack):
    with contextlib.ExitStack() as stack:
        for name in RUNS:
            stack.enter_context(Worker(rights_stack, name, lambda call: call.reply("ran")))
        yield


# ---- Requests

def test_every_operation_that_clients_may_send_has_a_row(rights_stack):
    operations, classes = of_clients(rights_stack)
    assert {row.sent for row in READS + WRITES} | OTHERS.keys() == operations.keys()
    assert {row.sent for row in CONTENT_READS + CONTENT_WRITES} | CONTENT_OTHERS.keys() == classes


def ask_everything(world, enter, rows, content_rows):
    cases = {(caller, content): [(row, target_of(world, row, kind, caller))
                                 for row in some for kind in KINDS if row.is_about(kind)]
             for caller in CALLERS for content, some in ((False, rows), (True, content_rows))}
    if world.lines:
        world.import_all()
    got, expected = {}, {}
    for (caller, content), some in cases.items():
        client = enter(caller, content)
        got |= run_all(client, caller, some, content_word_of if content else word_of)
        assert_nothing_hidden(caller, client)
        expected |= {(row.name, target.kind.name, caller): row.expected(target.kind, caller)
                     for row, target in some}
    compare(got, expected)
    return [(row, target, caller) for (caller, _), some in cases.items() for row, target in some]


def test_reads_show_what_the_rules_allow(world, enter, workers):
    ask_everything(world, enter, READS, CONTENT_READS)


def effect_of(row, stored):
    """What has become of an object: the row's word, or None if nothing has."""
    if stored is None:
        return "removed" if not row.makes else None
    if row.makes:
        return "made"
    return "given a child" if stored["kids"] else "changed" if stored["note"] == NOTE else None


def test_writes_do_what_the_rules_allow_and_nothing_else(world, enter):
    cases = ask_everything(world, enter, WRITES, CONTENT_WRITES)
    stored = world.stored()
    keys = [(row.name, target.kind.name, caller) for row, target, caller in cases]
    compare({key: effect_of(row, stored.get(target.id)) for key, (row, target, _) in zip(keys, cases)},
            {key: row.effect if row.is_let(target.kind, caller) else None
             for key, (row, target, caller) in zip(keys, cases)})


def test_a_class_holds_for_each_what_they_may_read(world, enter):
    kinds = {kind.name: kind for kind in KINDS}
    for caller in CALLERS:
        response = enter(caller).request("getAllByName", theClassName=THING, returnTotal=True)
        shown = {o["cn"].removeprefix("app.") for o in response["result"]}
        assert shown == {name for name in kinds if kinds[name].has(caller, "read")}, caller
        assert response["totalCount"] == len(response["result"])


def content_answer_of(client, cls, members):
    """A word; `members` that are a list belong to a notification."""
    if isinstance(members, dict):
        return content_word_of(client.request(cls, **members))
    client.notify(cls, members)
    asked = client.send_request("get_content", key=members[0], ver=None)
    first = client.receive(SECONDS)
    if first.get("id") == asked:
        return "no answer"
    client.answer_to(asked)
    return content_word_of(first)


@pytest.mark.parametrize("caller", [*CALLERS, "nobody"])
def test_what_no_rule_is_about_is_the_same_for_all(rights_stack, enter, caller):
    classes, _ = of_clients(rights_stack)
    client = enter(caller)
    got = {(operation, "-", caller): word_of(client.request(
        operation, event=True, cn=classes[operation], **row[0])) for operation, row in OTHERS.items()}
    content = enter(caller, content=True)
    got |= {(cls + " of content", "-", caller): content_answer_of(content, cls, row[0])
            for cls, row in CONTENT_OTHERS.items()}
    rows = [*OTHERS.items(), *CONTENT_OTHERS.items()]
    compare(got, dict(zip(got, (not_entered if caller == "nobody" else OF_GUESTS.get(name, entered)
                                if caller == "guest" else entered
                                for name, (_, entered, not_entered) in rows))))


def test_who_has_not_logged_in_gets_nothing(world, rights_stack):
    kind = next(kind for kind in KINDS if kind.name == "everyone")
    target = Target(kind, "read-of-everyone", world.owned)
    with Caller(rights_stack.gateways[0].url) as client:
        client.connect()
        got = run_all(client, "nobody", [(row, target) for row in READS + WRITES], word_of)
    compare(got, dict.fromkeys(got, "-100"))
    with ContentCaller(rights_stack.gateways[0].url) as client:
        got = run_all(client, "nobody", [(row, target) for row in CONTENT_READS + CONTENT_WRITES],
                      content_word_of)
    compare(got, {(row, *who): CONTENT_STRANGER[row] for row, *who in got})


# ---- What follows a read

CONTENT_WATCHING = ("get_content", "get_children", "subscribe")


def watch_by(client, way, targets):
    """Has the client ask for each of these; it is to hear nothing of them in what follows."""
    if isinstance(client, Caller):
        row = next(row for row in READS if row.name == way)
        client.ask_all([(way, False, row.members(t)) for t in targets])
    elif way == "subscribe":
        client.subscribe(*(t.key for t in targets))
    else:
        row = next(row for row in CONTENT_READS if row.name == way.removesuffix(" once"))
        client.ask_all([(row.name, False, {**row.members(t), "subscribe": way == row.name})
                        for t in targets])
    synchronise(client)
    client.heard.clear()


def synchronise(client):
    """Returns when the client was sent all that was under way to it."""
    if isinstance(client, Caller):
        client.request("findById", theClassName=KID, theClassId="none")
    else:
        client.get_content({"type": "kid", "id": "none"})


class Told:
    """Sessions that watch objects, one for each way of doing so and each caller."""

    def __init__(self, enter, targets):
        self.targets = targets
        self.clients = {(way, caller): enter(caller, content)
                        for content, ways in ((False, WATCHING + NOT_WATCHING),
                                              (True, (*CONTENT_WATCHING, "get_content once")))
                        for way in ways for caller in CALLERS}
        for (way, _), client in self.clients.items():
            watch_by(client, way, targets)

    def expected(self, changed):
        """Whoever may read what has changed is told of it, if they watch it by something that watches."""
        return {(way, t.kind.name, caller): way in (*WATCHING, *CONTENT_WATCHING) and t in changed
                and t.kind.has(caller, "read") for way, caller in self.clients for t in self.targets}

    def told(self):
        return {(way, t.kind.name, caller): any(f'"{t.id}"' in text for text in client.heard)
                for (way, caller), client in self.clients.items() for t in self.targets}

    def check(self, expected):
        """Waits for all that is to come, and looks whether anything else has."""
        def has_come():
            for client in self.clients.values():
                client.drain()
            told = self.told()
            return all(told[key] for key, wanted in expected.items() if wanted)

        with contextlib.suppress(AssertionError):
            wait_until(has_come, SECONDS, "all are told")
        for client in self.clients.values():
            synchronise(client)
        compare(self.told(), expected)
        for (_, caller), client in self.clients.items():
            assert_nothing_hidden(caller, client)
            client.heard.clear()


def test_who_watches_is_told_of_what_they_may_read(world, enter):
    targets = [Target(kind, world.add(kind, "watched"), world.owned) for kind in KINDS]
    world.import_all()
    told = Told(enter, targets)
    kid = create(enter("owner"), KID)["theObject"]["ID"]
    for target in targets:
        world.change(target.kind, "watched", note=NOTE, secret=SECRET + "new-" + target.id,
                     kids=[pair(KID, kid)])
    world.import_all()
    told.check(told.expected(targets))

    removers = {caller: enter(caller) for caller in CALLERS}
    gone = []
    for target in targets:
        caller = next((c for c in CALLERS if target.kind.has(c, "remove")), None)
        if caller:
            assert remove(removers[caller], target.kind.class_name, target.id)["result"] is True
            gone.append(target)
    told.check(told.expected(gone))


# ---- Rules of fields

@pytest.fixture(scope="module")
def paper(world):
    """Makes papers: paper("p") has the ID p."""
    def make(*names):
        world.lines += [fields.line(world, name) for name in names]
        world.import_all()
    return make


def words(found):
    return " ".join(sorted(found)) or "nothing"


def test_whoever_reads_an_object_sees_the_fields_that_they_may(enter, paper):
    paper("p1")
    got, expected = {}, {}
    for caller in CALLERS:
        client, content = enter(caller), enter(caller, content=True)
        answers = dict(zip(fields.READS, client.ask_all([
            (name, False, members("p1")) for name, members in fields.READS.items()])))
        answers["get_content"] = content.get_content({"type": "paper", "id": "p1"})
        for name, answer in answers.items():
            got[name, "shown", caller] = words(fields.shown(answer.text, "p1"))
            got[name, "named", caller] = words(fields.named(answer.text))
        values = client.ask_all([("getChangeWatcher", False, fields.value_of(field)("p1"))
                                 for field in fields.RULES])
        got["getChangeWatcher", "shown", caller] = words(
            {name for answer in values for name in fields.shown(answer.text, "p1")})
        columns = client.request("runQuery", theClassName=fields.PAPER, queryName="columns")
        got["columns", "shown", caller] = words(fields.shown(columns.text, "p1"))
        expected |= {key: words(fields.seen_by(caller)) for key in got if key[2] == caller}
        by_pay = client.ask_all([(name, False, members("p1")) for name, members in fields.BY_PAY.items()])
        for name, answer in zip(fields.BY_PAY, by_pay):
            got[name, "by pay", caller] = '"p1"' in answer.text
            expected[name, "by pay", caller] = caller == "keeper"
    compare(got, expected)


def test_whoever_sets_a_field_may_set_it(enter, paper, world):
    person = world.owned["person"]
    cases = [(caller, field) for caller in CALLERS for field in fields.RULES]
    paper(*(f"{way}-{caller}-{field}" for caller, field in cases for way in ("put", "same", "patch", "add")))
    got, expected = {}, {}
    for caller, field in cases:
        client, content = enter_once(enter, caller), enter_once(enter, caller, content=True)
        sees, sets = caller in fields.SEES[field], caller in fields.SETS[field]

        def asked(way, operation, members):
            got[way, field, caller] = word_of(client.ask_all([(operation, False, members)])[0])

        name = f"{caller}-{field}"
        asked("put", "putObject", fields.put("put-" + name, field))
        asked("put the same", "putObject", fields.put(
            "same-" + name, field, fields.secret(field, "same-" + name)))
        asked("create", "createObject", fields.put("made-" + name, field, person=person))
        patched, added = (content_word_of(content.request("patch_content", **fields.patch(
            f"{way}-{name}", field, operation))) for way, operation in (
                ("patch", "replace"), ("add", "add")))
        got["patch", field, caller], got["patch adds", field, caller] = patched, added
        written = "true" if sets else "-117"
        expected |= {
            ("put", field, caller): written, ("create", field, caller): written,
            ("put the same", field, caller): "true" if sees or sets else "-117",
            ("patch", field, caller): ("200" if sets else "4030630") if sees else "4220640",
            ("patch adds", field, caller): "200" if sets else "4030630"}
    compare(got, expected)


def enter_once(enter, caller, content=False, made={}):
    """The same client for the same caller."""
    if (caller, content) not in made:
        made[caller, content] = enter(caller, content)
    return made[caller, content]


def test_who_watches_is_told_of_the_fields_that_they_see(rights_stack, enter, paper, world):
    paper("p2")
    clients = {(way, caller): enter(caller) for way in ("findById", "getAllByName", "findByExample")
               for caller in CALLERS}
    values = {caller: enter(caller) for caller in CALLERS}
    for (way, _), client in clients.items():
        client.ask_all([(way, False, fields.READS[way]("p2"))])
        synchronise(client)
        client.heard.clear()
    for client in values.values():
        client.ask_all([("getChangeWatcher", False, fields.value_of(name)("p2")) for name in fields.RULES])
        synchronise(client)
        client.heard.clear()
    world.lines = [{**fields.line(world, "p2"),
                    **{name: fields.secret(name, "p2") + "-new" for name in fields.RULES}}]
    world.import_all()
    everybody = {**clients, **{("getChangeWatcher", caller): c for caller, c in values.items()}}

    def told():
        for client in everybody.values():
            client.drain()
        return {(way, "told", caller): words(fields.shown("".join(client.heard), "p2"))
                for (way, caller), client in everybody.items()}

    expected = {(way, "told", caller): words(fields.seen_by(caller)) for way, caller in everybody}
    with contextlib.suppress(AssertionError):
        wait_until(lambda: told() == expected, SECONDS, "all are told")
    for client in everybody.values():
        synchronise(client)
    compare(told(), expected)
    compare({(way, "named", caller): words(fields.named("".join(client.heard)))
             for (way, caller), client in clients.items()},
            {(way, "named", caller): words(fields.seen_by(caller)) for way, caller in clients})
