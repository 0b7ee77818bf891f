"""Clients of the content protocol for lasting_crowd.py, which says what they do.

Each subscribes to what it reads, answers every block of changes, reads again by version what it was
told has changed, and returns with its token. What had no answer is asked again under the same id.
"""

import itertools

import json_patch
from content_client import code_of, is_block, key, login_data
from content_requests import name_of
from lasting_crowd import Lasting, Write, Writes
from light_socket import Lost
from stack import USERS

# Somebody of USERS is left, of whom tests may know when somebody is connected.
CONTENT_USERS = USERS[:4]
ASK_AGAIN = {429, 503}
GONE = {4040420, 4040520, 4040522}       # there is no such thing now
THERE_BEFORE = {4090630, 4220740}        # what a write gets that has come true without its answer
PAD = {"pad": "x" * 300}                 # a patch is shorter than this


def value_of(content):
    """As clients of ActiveStack remember an object."""
    return content["title"], content["text"]


class Place:
    """What a client reads, by version: an object, or, with a view, a page of children."""

    def __init__(self, of, *page):
        self.of, self.page = of, page
        self.cls = "get_children" if page else "get_content"
        self.ver = self.value = None

    @property
    def data(self):
        page = dict(zip(("view", "page"), self.page))
        return {"key": self.of, "ver": self.ver, "subscribe": True, **page}

    @property
    def name(self):
        """The same for the same place of other clients."""
        return " ".join(map(str, (name_of(self.of), *self.page)))

    def take(self, frame, history):
        if frame["type"] == "error":
            self.ver = self.value = None
        elif frame["status"] != 204:
            self.value = self._value_in(frame["data"])
            self.ver = frame["data"]["ver"]
            history.record(self.name, self.ver, self.value)

    def _value_in(self, data):
        whole = [data["total"], data.get("page")] if self.page else data.get("content")
        if "patch" not in data:
            return whole
        if self.page:
            return [data["total"], json_patch.apply(self.value[1], data["patch"])]
        return json_patch.apply(self.value, data["patch"])


class LastingContent(Lasting):
    path, reads_some = "/content", 15

    def __init__(self, crowd, number):
        super().__init__(crowd, number)
        self.user = CONTENT_USERS[number % len(CONTENT_USERS)]
        self.session = self.entries = self.greeting = None
        self.ids = itertools.count(1)
        self.places = {}                # name -> Place
        self.again = set()              # names of places that have changed while they were read

    def greet(self):
        if self.session is None:
            cls, data = "login", login_data(self.crowd.stack.credential(self.user))
        else:
            cls, data = "reconnect", {"session": self.session}
        self.greeting = self.request(cls, data)

    def request(self, cls, data, request_id=None):
        request_id = request_id or f"{self.number}-{next(self.ids)}"
        self.say({"type": "request", "id": request_id, "cls": cls, "data": data})
        return request_id

    # ---- Reads

    def read(self):
        if not self.ready:
            return
        if not self.places:
            notes, home = self.entries["notes"], self.entries["home"]
            self._add_places(Place(notes, "asc", 1), Place(notes, "asc", 2),
                             Place(home, "asc_pres_first", 1))
        for item in self.share:
            if self.cares_for(item) and _name_of_item(item) not in self.places:
                self._add_places(Place(key(item.split("-")[0], item)))
        for name in self.places:
            self._read_place(name)

    def cares_for(self, item):
        return True

    def read_pages(self):
        for name, place in self.places.items():
            if place.page:
                self._read_place(name)

    def _add_places(self, *places):
        self.places |= {place.name: place for place in places}

    def _read_place(self, name):
        if name in self.reads.values():
            self.again.add(name)
        else:
            place = self.places[name]
            self.reads[self.request(place.cls, place.data)] = name

    def ask_again(self, request_id):
        name = self.reads.get(request_id)
        if name:
            place = self.places[name]
            self.request(place.cls, place.data, request_id)

    # ---- What it is told

    def take(self, frame):
        if is_block(frame):
            self._take_block(frame)
        elif frame.get("id") == self.greeting:
            self._take_greeting(frame)
        elif frame["status"] in ASK_AGAIN:
            self.figures[f"errors {frame['data']['code']}"] += 1
            self.later(1.0, self.ask_again, frame.get("id"))
        elif frame.get("id") in self.reads:
            self._take_read(frame)
        else:
            self.take_answer(frame)

    def _take_block(self, frame):
        self.say({"type": "result", "id": frame["id"], "cls": "changed", "status": 200})
        self.figures["documents told"] += len(frame["data"])
        for entry in frame["data"]:
            for name, place in self.places.items():
                if place.of == entry["key"] and entry["children" if place.page else "content"]:
                    self._read_place(name)

    def _take_greeting(self, frame):
        if frame["type"] == "error":
            if frame["status"] not in ASK_AGAIN:
                self.fail(f"it was refused: {frame}")
            self.lost(Lost())
            return
        if self.session is None:
            self.entries, self.session = frame["data"], frame["data"]["session"]
        self.bound()
        for request_id in list(self.reads):
            self.ask_again(request_id)
        self.returned()

    def _take_read(self, frame):
        place = self.places[self.reads.pop(frame["id"])]
        if frame["type"] == "error" and code_of(frame) not in GONE:
            self.fail(str(frame))
        place.take(frame, self.crowd.history)
        self.figures[f"{place.cls} {frame['status']}"] += 1
        if not place.page:
            self.remember(place.of["id"], place.value and value_of(place.value), "read")
        if place.name in self.again:
            self.again.remove(place.name)
            self._read_place(place.name)

    def take_answer(self, frame):
        """To what is no read, or was answered before: agents that die may answer twice."""
        if "id" not in frame:
            self.fail(str(frame))
        self.figures["answers repeated"] += 1

    def returned(self):
        """It is bound (again)."""


def _name_of_item(item):
    return f"{item.split('-')[0]} {item}"


class ContentWriter(Writes, LastingContent):
    """Writes Notes by version, so that nothing can happen twice. When a write that was asked again
    is refused because it has happened, it reads what there is: that has to be what it wrote. It is
    not told of what it does itself, so it looks at its pages again."""

    makes = "note"

    def __init__(self, crowd, number):
        super().__init__(crowd, number)
        self.known = {}                 # ID -> version and content

    def create(self, item, value):
        note = {"key": key("note", item), "title": value[0], "text": value[1], "body": PAD}
        return Write(item, value, "add_child", key=self.entries["notes"], obj=note)

    def change(self, item, value):
        ver, _ = self.known[item]
        return Write(item, value, "patch_content", key=key("note", item), ver=ver, patch=[
            {"op": "replace", "path": "/title", "value": value[0]},
            {"op": "replace", "path": "/text", "value": value[1]}])

    def remove(self, item):
        """The protocol has no such request."""

    def cares_for(self, item):
        return item not in self.items

    def send(self, write, request_id=None):
        return self.request(write.operation, write.asked, request_id)

    def ask_again(self, request_id):
        super().ask_again(request_id)
        write = self.open_writes.get(request_id)
        if write:
            self.figures["writes asked again"] += 1
            write.acknowledged = True   # that is: it may have happened
            self.send(write, request_id)

    def returned(self):
        for request_id in list(self.open_writes):
            self.ask_again(request_id)

    def take_answer(self, frame):
        write = self.open_writes.pop(frame.get("id"), None)
        if write is None:
            super().take_answer(frame)
        elif frame["type"] == "error":
            self._take_refusal(write, frame)
        elif write.operation == "add_child":
            self._look(write)
        elif write.operation == "patch_content":
            self._learn(write, frame["data"]["ver"], {
                **self.known[write.item][1], "title": write.value[0], "text": write.value[1]})
        else:
            self._learn(write, frame["data"]["ver"], frame["data"]["content"])

    def _take_refusal(self, write, frame):
        if write.acknowledged and code_of(frame) in THERE_BEFORE:
            self.figures["writes that had happened"] += 1
            self._look(write)
        else:
            self.fail(f"{write}: {frame}")

    def _look(self, write):
        """What has become of it."""
        write.operation, write.asked = "get_content", {"key": key("note", write.item), "ver": None}
        self.open_writes[self.send(write)] = write

    def _learn(self, write, ver, content):
        if value_of(content) != write.value:
            self.fail(f"{write} made {content}")
        self.crowd.history.record(_name_of_item(write.item), ver, content)
        self.known[write.item] = ver, content
        self.written(write)
        self.read_pages()
