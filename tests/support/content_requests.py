"""Requests of the content protocol with what a client learns from their answers, for the random test.

A request knows its `cls`, its `data` and its `place`: what of the client's copies it is about, of
which there is one request at a time. `learn(member, frame)` takes the answer; the checks are here
and in History, which everybody shares.
"""

import collections

import json_patch
from content_client import code_of


def name_of(key):
    """A text that stands for a key."""
    return f"{key['type']} {key['id']}"


class History:
    """What anybody ever saw: two values for one version are a failure."""

    def __init__(self):
        self.seen = {}       # (what, identity, number) -> canonical text of it
        self.answers = collections.Counter()  # "get_content 206" -> how often
        self.claims = []     # (what, identity, number before, patch): not yet compared

    def record(self, what, ver, value):
        identity, number = ver
        assert isinstance(identity, str) and type(number) is int, f"{what} has the version {ver}"
        text = json_patch.canonical(value)
        known = self.seen.setdefault((what, identity, number), text)
        assert known == text, f"{what} as of {ver} is\n{text}\nand was\n{known}"

    def claim(self, what, ver, patch):
        """A patch that nobody knows the earlier content of has led to this version."""
        self.claims.append((what, *ver, patch))

    def check_claims(self):
        """Those of which both versions were seen by somebody; returns how many."""
        checked = 0
        for what, identity, number, patch in self.claims:
            before = self.seen.get((what, identity, number - 1))
            after = self.seen.get((what, identity, number))
            if before and after:
                assert _leads_to(before, patch, after) or _leads_to(after, patch, after), (
                    f"{what} as of {number - 1}\n{before}\nwith {patch} became\n{after}")
                checked += 1
        return checked


def _leads_to(before, patch, after):
    try:
        return json_patch.canonical(patched(json_patch.parse(before), patch)) == after
    except json_patch.PatchError:
        return False


def patched(content, patch):
    """A field that is taken away is null from then on."""
    return {**dict.fromkeys(content), **json_patch.apply(content, patch)}


class Copy:
    """`value` is None when there is no such thing."""

    def __init__(self, ver=None, value=None, subscribed=False):
        self.ver, self.value, self.subscribed = ver, value, subscribed


class Request:
    cls = place = None
    is_write = False
    may = ()   # codes of errors that are no failure

    def __init__(self, **data):
        self.data = data

    def learn(self, member, frame):
        code = code_of(frame)
        member.history.answers[f"{self.cls} {code or frame['status']}"] += 1
        if code is None:
            self.learn_result(member, frame)
        else:
            assert code in self.may, f"{self}: {frame}"
            self.learn_error(member, code)

    def learn_error(self, member, code):
        pass

    def __str__(self):
        return f"{self.cls} {self.data}"


# ---- Reads

class Read(Request):
    """Of what has versions. Keeps what it was asked with, as the answer may be a patch of that."""

    def __init__(self, copy, subscribe, ver, **data):
        super().__init__(**data, ver=ver, subscribe=subscribe)
        self.base = copy.value if ver == copy.ver else None
        self.was_subscribed, self.subscribe = copy.subscribed, subscribe or copy.subscribed

    def learn_result(self, member, frame):
        ver = self.data["ver"]
        if frame["status"] == 204:
            assert self.base is not None and "data" not in frame, f"{self}: {frame}"
            value = self.base
        else:
            found = frame["data"]
            assert found["key"] == self.data["key"], f"{self}: {frame}"
            value = self.value_of(frame["status"], found)
            ver = found["ver"]
        stale = member.stale.pop(self.place, None)
        assert ver != stale, f"{self}: {stale} was said to be stale"
        member.history.record(self.what, ver, value)
        self.keep(member, Copy(ver, value, self.subscribe))

    def learn_error(self, member, code):
        self.keep(member, Copy(subscribed=self.was_subscribed))


class GetContent(Read):
    """`copy` is what the client has; `ver` is the copy's, or one that nobody knows, or None."""

    cls, may = "get_content", (4040420,)

    def __init__(self, key, copy, subscribe=False, ver=None):
        super().__init__(copy, subscribe, ver, key=key)
        self.place = self.what = name_of(key)

    def value_of(self, status, found):
        if status == 206:
            assert self.base is not None, f"{self}: {found}"
            return json_patch.apply(self.base, found["patch"])
        return found["content"]

    def keep(self, member, copy):
        member.copies[self.place] = copy


class GetChildren(Read):
    """A page's value is the total and the summaries."""

    cls, may = "get_children", (4040520, 4040522)

    def __init__(self, key, view, page, copy, subscribe=False, ver=None):
        super().__init__(copy, subscribe, ver, key=key, view=view, page=page)
        self.place = name_of(key), view, page
        self.what = f"page {page} of {view} of {name_of(key)}"

    def value_of(self, status, found):
        assert found["view"] == self.data["view"], f"{self}: {found}"
        number = found["page"] if status == 206 else found["index"]
        assert number == self.data["page"], f"{self}: {found}"
        if status == 206:
            assert self.base is not None, f"{self}: {found}"
            page = json_patch.apply(self.base[1], found["patch"])
        else:
            page = found["page"]
        return [found["total"], page]

    def keep(self, member, copy):
        member.pages[self.place] = copy


# ---- Writes

class PatchContent(Request):
    """`copy`: what the client knows; `ver`: None, the copy's, or one that has passed."""

    cls, is_write = "patch_content", True

    def __init__(self, key, copy, patch, ver, may=()):
        super().__init__(key=key, ver=ver, patch=patch)
        self.key, self.copy, self.may = key, copy, (*may, 4040620)
        self.place = name_of(key)
        self.may += (4090630,) if ver else (4220640, 5030600)

    def learn_result(self, member, frame):
        ver, asked = frame["data"]["ver"], self.data["ver"]
        patch = self.data["patch"]
        if asked is None:
            member.history.claim(self.place, ver, patch)
            return
        assert asked == self.copy.ver, f"{self} was taken; the newest that it knew is {self.copy.ver}"
        value = patched(self.copy.value, patch)
        changes = json_patch.canonical(value) != json_patch.canonical(self.copy.value)
        assert ver == [asked[0], asked[1] + changes], f"{self}: {frame}"
        member.history.record(self.place, ver, value)
        member.copies[self.place] = Copy(ver, value, self.copy.subscribed)
        member.pages_have_moved()

    def learn_error(self, member, code):
        if code == 4090630 and self.data["ver"] == self.copy.ver:
            member.stale[self.place] = self.copy.ver  # so it will not read that again


class AddChild(Request):
    """`learned(key)` is called with the new document's."""

    cls, is_write = "add_child", True

    def __init__(self, parent, child, learned, may=()):
        super().__init__(key=parent, obj=child)
        self.learned, self.may = learned, may

    def learn_result(self, member, frame):
        made = frame["data"]["key"]
        assert made["type"] == self.data["obj"]["key"]["type"], f"{self}: {frame}"
        self.learned(made)
        member.pages_have_moved()
