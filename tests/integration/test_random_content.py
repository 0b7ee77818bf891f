"""Random requests of many clients of both protocols at once; what they come to know has to agree.

Content clients read by version, apply the patches that they get, change documents with and without a
version, add children, look at pages, subscribe, lose their connections and return; beside them,
ActiveStack clients write and watch the same objects. Whatever anybody is told of a version is noted:
it has to be the same for all, and what a patch of one version has to lead to. When all is quiet, each
subscribed copy and page is what is stored, and pages are as a sort in Python says.

A run tells its seed, also when it fails, which makes the same choices again, though what comes of them may
differ.

    TEST_RANDOM_CONTENT_SECONDS=300     how long (60; 20 where programs run slowly)
    TEST_RANDOM_SEED=7                  which one (a new one each time)
"""

import collections
import json
import os
import random
import secrets
import time

import pytest
from asking import find, get_all
from client import Client
from content_client import key
from content_requests import (AddChild, Copy, GetChildren, GetContent, History, PatchContent,
                              name_of)
from mixed_crowd import Create, Find, MixedCrowd, Put, Remove
from model_views import Views
from random_patches import Patches
from seeded import seeded
from servers import wait_until
from stack import MODEL, PROVIDER, USERS, Stack, slow
from store import object_key

SECONDS = float(os.environ.get("TEST_RANDOM_CONTENT_SECONDS", 20 if slow() else 60))
SEED = int(os.environ.get("TEST_RANDOM_SEED", secrets.randbelow(10**9)))
CONTENT_CLIENTS, STACK_CLIENTS = 35, 15
OPEN_REQUESTS = 2    # of one client
NOTES, TASKS = 25, 15
MOST_ROOMS = 30
MO = "com.app.mo."
SETTINGS = {"log.level": "info", "sync.redelivery_first_ms": 20000, "sync.redelivery_max_ms": 20000,
            "sync.redelivery_silent_ms": 30000, "sync.presence_grace_ms": 200, "sync.poll_ms": 50}
FOREIGN = ["nobody's", 3]


@pytest.fixture
def crowd(servers):
    with Stack(servers, gateways=2, sync_agents=2, settings=SETTINGS) as stack:
        crowd = MixedCrowd(stack, json.loads(MODEL.read_text()), History(), random.Random(SEED),
                           CONTENT_CLIENTS, STACK_CLIENTS)
        yield crowd
        crowd.close()


class Run:
    def __init__(self, crowd):
        self.crowd, self.chance = crowd, crowd.chance
        self.views = Views(json.loads(MODEL.read_text()))
        self.figures = collections.Counter()
        self.entries = {member.user: member.entries for member in crowd.contents}
        self.people = [self.entries[user]["self"] for user in USERS]
        self.patches = Patches(self.chance, self.people)
        self.items = [key("task", f"task-{i}") for i in range(TASKS)] + [
            key("note", f"note-{i}") for i in range(NOTES)]
        self.rooms = {}       # name -> (key, users among its members)
        self.messages, self.own_notes = [], []
        self.containers = [entries[name] for entries in self.entries.values()
                           for name in ("fav", "rooms", "notes")]
        self.containers += {m.user: m.conversations for m in crowd.contents}.values()
        self.shared = [self.entries["ada"][name] for name in ("root", "home")]
        self._subscribe_early(crowd.contents[::5])
        for item in self.items:
            self._create(self.chance.choice(crowd.stacks), item)
        crowd.pump(lambda: not any(m.open for m in crowd.stacks), lambda: "all objects are made")

    def _subscribe_early(self, members):
        """To what is not there yet: they have to hear of it when it appears."""
        for member in members:
            member.subscribe(*self.items)
            member.expect_told_of(self.items)
        watchers = [object_key(":".join(self.ref(item)), ":sw") for item in self.items]
        wait_until(lambda: all(self.crowd.redis.zcard(name) == len(members) for name in watchers),
                   10, "all subscriptions are made")

    # ---- what there is

    def documents(self):
        rooms = [room for room, _ in self.rooms.values()]
        return self.items + self.people + rooms + self.messages[-20:] + self.own_notes[-20:]

    def parents(self):
        return self.containers + self.shared + [room for room, _ in self.rooms.values()]

    def ref(self, of):
        """As ActiveStack names it."""
        text = of["id"] if isinstance(of["id"], str) else json.dumps(of["id"], separators=(",", ":"))
        return self.views.types[of["type"]], text

    # ---- choices

    def step(self):
        """Something new by some who have time."""
        for member in self.crowd.contents:
            if member.is_away:
                if self.chance.random() < 0.05:
                    self.crowd.come_back(member)
            elif len(member.open_requests) < OPEN_REQUESTS and self.chance.random() < 0.3:
                self._content_step(member)
        for member in self.crowd.stacks:
            if len(member.open) < OPEN_REQUESTS and self.chance.random() < 0.2:
                self._stack_step(member)
        self.crowd.turn(0.005)

    def _content_step(self, member):
        choice, = self.chance.choices(
            (self._read, self._read_page, self._patch, self._add_child, self._leave,
             self._start_anew, self._revoke), (30, 20, 35, 6, 2, 0.5, 1))
        self.figures[choice.__name__] += choice(member) is not False

    def _read(self, member):
        of = self.chance.choice(self.documents())
        if member.is_busy(name_of(of)):
            return False
        copy = member.copies.get(name_of(of), Copy())
        member.ask(GetContent(of, copy, self._subscribes(member, of), self._version(copy)))

    def _version(self, copy):
        dice = self.chance.random()
        return FOREIGN if dice < 0.03 else None if dice < 0.15 else copy.ver

    def _subscribes(self, member, of):
        return name_of(of) not in member.revoked and self.chance.random() < 0.5

    def _read_page(self, member):
        of = self.chance.choice(self.parents())
        view = self.chance.choice(list(self.views.of(of["type"])))
        page = self.chance.choice((1, 1, 1, 2, 3))
        if member.is_busy((name_of(of), view, page)):
            return False
        copy = member.pages.get((name_of(of), view, page), Copy())
        member.ask(GetChildren(of, view, page, copy, self._subscribes(member, of),
                               self._version(copy)))

    def _patch(self, member):
        known = [place for place, copy in member.copies.items()
                 if copy.value and not member.is_busy(place) and self._may_patch(member, place)]
        if not known:
            return False
        place = self.chance.choice(known)
        copy, of = member.copies[place], member.keys[place]
        patch = self.patches.of(of, copy.value)
        ver = self.chance.choices((copy.ver, None, FOREIGN), (55, 40, 5))[0]
        member.ask(PatchContent(of, copy, patch, ver))

    def _may_patch(self, member, place):
        of = member.keys[place]
        if of["type"] == "user":
            return of == member.entries["self"]
        return of["type"] != "room" or member.user in self.rooms[place][1]

    def _add_child(self, member):
        self.chance.choice((self._add_room, self._add_message, self._add_message, self._add_note,
                            self._add_favourite))(member)

    def _add_room(self, member):
        if len(self.rooms) >= MOST_ROOMS:
            return
        guests = self.chance.sample(USERS, 2)
        parent = self.chance.choice((member.conversations, member.entries["rooms"]))

        def learned(of):
            self.rooms[name_of(of)] = of, {member.user, *guests}

        member.ask(AddChild(parent, {
            "key": {"type": "room"}, "name": self.patches.word(),
            "members": [{"key": self.entries[guest]["self"]} for guest in guests]}, learned))

    def _add_message(self, member):
        mine = [room for room, users in self.rooms.values() if member.user in users]
        if mine:
            member.ask(AddChild(self.chance.choice(mine), {
                "key": {"type": "msg"}, "text": self.patches.word()}, self.messages.append))

    def _add_note(self, member):
        """A new one, or one that there is; it may be among them already, or have been removed."""
        if self.chance.random() < 0.5:
            note = self.chance.choice([item for item in self.items if item["type"] == "note"])
            fields, may = {}, (4220740, 4040720)
        else:
            note = key("note", f"note-{secrets.token_hex(6)}")
            fields, may = self.patches.given("note"), ()
        member.ask(AddChild(member.entries["notes"], {"key": note, **fields},
                            lambda of: of in self.items or self.own_notes.append(of), may))

    def _add_favourite(self, member):
        child = self.chance.choice([*self.people, self.entries["ada"]["home"]])
        member.ask(AddChild(member.entries["fav"], {"key": child}, lambda of: None, (4220740,)))

    def _leave(self, member):
        if member.writes:  # what became of them nobody would know
            return False
        self.crowd.leave(member)

    def _start_anew(self, member):
        if member.open_requests:
            return False
        member.start_anew()

    def _revoke(self, member):
        """For good: a later subscription might overtake this."""
        of = self.chance.choice(self.documents() + self.parents())
        name = name_of(of)
        pages = [place for place in member.pages if place[0] == name]
        if any(map(member.is_busy, [name, *pages])):
            return False
        member.revoke(of)
        member.revoked.add(name)
        for copy in [member.copies.get(name), *map(member.pages.get, pages)]:
            if copy:
                copy.subscribed = False

    # ---- ActiveStack

    def _stack_step(self, member):
        choice, = self.chance.choices((self._find, self._put, self._create_again, self._remove,
                                       self._put_favourites), (30, 50, 12, 3, 5))
        self.figures[choice.__name__] += choice(member) is not False

    def _find(self, member):
        of = self.chance.choice(self.documents() + self.containers)
        self.crowd.ask_stack(member, Find(self.ref(of)))

    def _put(self, member):
        of = self.chance.choice(self.items)
        given = {name: self._as_pair(value)
                 for name, value in self.patches.given(of["type"]).items()}
        self.crowd.ask_stack(member, Put(self.ref(of), **given))

    def _as_pair(self, value):
        if isinstance(value, dict) and list(value) == ["key"] and "type" in value["key"]:
            class_name, object_id = self.ref(value["key"])
            return {"className": class_name, "ID": object_id}
        return value

    def _create_again(self, member):
        self._create(member, self.chance.choice(self.items))

    def _create(self, member, of):
        self.crowd.ask_stack(member, Create(self.ref(of), lambda made: None, title=of["id"]))

    def _remove(self, member):
        self.crowd.ask_stack(member, Remove(self.ref(self.chance.choice(self.items))))

    def _put_favourites(self, member):
        groups = [self.entries["ada"]["home"]]
        chosen = [of for of in self.people + groups if self.chance.random() < 0.6]
        self.crowd.ask_stack(member, Put(self.ref(self.entries[member.user]["fav"]), children=[
            self._as_pair({"key": of}) for of in self.chance.sample(chosen, len(chosen))]))

    # ---- the end

    def check_end(self):
        self.crowd.settle()
        observer = self.crowd.add_observer()
        parents = self.parents()
        documents = {name_of(of): of for of in [
            *self.documents(), *self.messages, *self.own_notes, *parents]}
        for member in self.crowd.contents:
            documents |= {name: member.keys[name] for name in member.copies}
        self.crowd.read_all(observer, [GetContent(of, Copy()) for of in documents.values()])
        with Client(self.crowd.stack.gateways[0].url) as looker:
            looker.connect().login(PROVIDER, self.crowd.stack.credential("ada"))
            self._check_objects(observer, looker, documents)
            children = {name_of(of): self._children(looker, of) for of in parents}
        self._read_pages(observer, parents, children)
        for member in self.crowd.contents:
            self._check_copies(member.copies, observer.copies, member)
            self._check_copies(member.pages, observer.pages, member)
        self.figures["changes compared"] = self.crowd.history.check_claims()
        counters, counted = self.crowd.books()
        assert (counters, counted) == (0, 0), f"the books say {counters}, a recount {counted}"

    def _check_copies(self, copies, stored, member):
        for place, copy in copies.items():
            if copy.subscribed:
                found = stored.get(place, Copy())  # nobody looks far past the end
                assert (copy.ver, copy.value) == (found.ver, found.value), (
                    f"client {member.number} has another copy of {place}:\n{copy.ver} {copy.value}"
                    f"\nstored:\n{found.ver} {found.value}")

    def _check_objects(self, observer, looker, documents):
        """Both protocols show the same, and clients of the other one have been told of it."""
        stored = {}
        for name, of in documents.items():
            ref, content = self.ref(of), observer.copies[name].value
            obj = stored[ref] = find(looker, *ref)
            assert (obj is None) == (content is None), f"{of}: {obj} and {content}"
            if obj:
                shown = {field: self._as_shown(value) for field, value in content.items()}
                assert shown == {field: obj[field] for field in self._content_fields(of["type"])}
        for member in self.crowd.stacks:
            for ref, copy in member.copies.objects.items():
                now = stored[ref] if ref in stored else find(looker, *ref)
                assert copy == now, f"client {member.number} heard {copy} of {ref}, stored is {now}"

    def _as_shown(self, value):
        if isinstance(value, list) and all(isinstance(v, dict) and list(v) == ["key"] for v in value):
            return [self._as_pair(item) for item in value]
        return self._as_pair(value)

    def _content_fields(self, of_type):
        return [name for name, row in self.views.fields(of_type).items()
                if name != self.views.relation(of_type)
                and (row["type"] != "toMany" or row.get("listed"))]

    def _children(self, looker, of):
        """(type, id) of all, by what ActiveStack shows of them."""
        if of["type"] == "room":  # no list of it
            return {("msg", tuple(m["id"])) for m in self.messages if m["id"][0] == of["id"]}
        if of["type"] == "unit":
            pairs = [m["person"] for m in get_all(looker, MO + "Membership")["result"]
                     if m["group"]["ID"] == str(of["id"])]
        else:
            pairs = find(looker, *self.ref(of))["children"]
        return {self.views.child(pair["className"], pair["ID"]) for pair in pairs}

    def _read_pages(self, observer, parents, children):
        """All pages of all views: each is what it has to be, and the same when it is asked again."""
        for of in parents:
            for view, row in self.views.of(of["type"]).items():
                expected = self._expected(observer, of, view, children[name_of(of)])
                pages = max(1, -(-len(expected) // row["size"])) + 1  # one past the end
                self.crowd.read_all(observer, [
                    GetChildren(of, view, page + 1, Copy()) for page in range(pages)])
                self._check_pages(observer, of, view, expected, row["size"])

    def _expected(self, observer, of, view, children):
        """The summaries, in order."""
        contents = {}
        for child in children:
            of_child = key(child[0], list(child[1]) if isinstance(child[1], tuple) else child[1])
            contents[child] = {"key": of_child, **observer.copies[name_of(of_child)].value}
        return [{name: contents[child][name] for name in ("key", *self.views.summary(child[0]))}
                for child in self.views.sorted(of["type"], view, contents)]

    def _check_pages(self, observer, of, view, expected, size):
        for page in range(1, max(1, -(-len(expected) // size)) + 1):
            found = observer.pages[name_of(of), view, page].value
            wanted = expected[(page - 1) * size:page * size]
            assert found == [len(expected), wanted], (
                f"page {page} of {view} of {of} is\n{found}\nand has to be\n{wanted}")
        assert observer.pages[name_of(of), view, page + 1].value is None, "a page past the end"

    def summary(self):
        members = self.crowd.contents
        self.figures |= {
            "versions": len(self.crowd.history.seen), "blocks": sum(m.blocks_read for m in members),
            "returns": sum(m.returns for m in members),
            "pushes": sum(m.pushes for m in self.crowd.stacks),
            **self.crowd.history.answers}
        return ", ".join(f"{name.strip('_')} {count}" for name, count in self.figures.items())


@seeded(TEST_RANDOM_SEED=SEED)
def test_whatever_is_known_of_a_version_agrees(crowd, capsys):
    with capsys.disabled():
        print(f"\nTEST_RANDOM_SEED={SEED}, {SECONDS:g} seconds: ", end="", flush=True)
    run = Run(crowd)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        run.step()
    run.check_end()
    with capsys.disabled():
        print(run.summary(), end=" ")
    crowd.stack.check()
