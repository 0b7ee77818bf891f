"""Requests of the core API, each with what it must be answered by a World (domain_model.py).

An operation knows its request (`name`, `members`), what it touches (`footprint`), what must be
answered (`run`, which also changes the world as the request does) and what a client learns from the
answer (`learn`). `told` strips from a frame what every answer has.
"""

import itertools

from client import SYNC, pair
from domain import text
from domain_model import Span
from random_footprints import Footprint, changing, listing, lives, places, referred

FUTURE_MS = 3600 * 1000
NOT_KEPT = ("existing", "incomplete", "wrong")  # outcomes after which a repeated request is a new one
_ENVELOPE = {"cn", "clientId", "timestamp", "ids", "type", "correspondingMessageId",
             "gatewayMessageId", "data", "errorName", "errorDesc"}


def told(frame):
    """What an answer says, apart from the envelope; `code` is that of a refusal."""
    said = {key: value for key, value in frame.items() if key not in _ENVELOPE}
    if frame.get("data"):
        said["code"] = frame["data"]["code"]
    return said


class Operation:
    """`user` is the id of whose client sends it."""

    name = None

    def __init__(self, user, **members):
        self.user, self.members = user, members

    def __str__(self):
        return f"{self.name} {text(self.members)} of user {self.user}"

    def footprint(self, world):
        return Footprint()

    def learn(self, copies, answer):
        pass


# ---- Writes

class Write(Operation):
    code = None   # of a refusal that has none of its own
    outcome = None

    def refusal(self, word):
        special = {"forbidden": "-117", "incomplete": "-251"}
        return {"result": False, "code": special.get(word, self.code)}


class Create(Write):
    name, code = "createObject", "-200"

    def __init__(self, user, class_name, object_id, given):
        identity = {} if object_id is None else {"ID": object_id}
        super().__init__(user, theObject={"cn": class_name, **identity, **given})
        self.class_name, self.object_id, self.given = class_name, object_id, given

    def footprint(self, world):
        c = world.domain[self.class_name]
        refs = referred(world, self.class_name, self.given)
        mark = Footprint(reads={("life", *ref) for ref in refs})
        mark |= listing(world, self.class_name, refs)
        if c.has_integer_ids:
            made = self.class_name, world.next_id(self.class_name)
            mark.writes.add(("next", self.class_name))
        else:
            made = self.class_name, self.object_id or str(id(self))
        mark |= changing(world, made)
        mark.reads |= {("object", name, made[1]) for name in world.domain.family(self.class_name)}
        mark.writes.add(("life", *made))
        if not self._is_wrong(world):
            mark.writes |= places(world.draft(self.class_name, made[1], self.given, Span(0, 0)))
        return mark

    def _is_wrong(self, world):
        c = world.domain[self.class_name]
        return (c.has_integer_ids and self.object_id is not None) or any(
            c.fields[name].is_given_by_clients and world.domain.is_wrong(c.fields[name], value)
            for name, value in self.given.items())

    def run(self, world, now, answer):
        echo = {"theObject": self.members["theObject"]}
        if self._is_wrong(world):
            self.outcome = "wrong"
            return {**echo, **self.refusal("wrong")}
        outcome = world.create(self.user, self.class_name, self._id(world, answer), self.given, now)
        self.outcome = outcome.word
        if not outcome.is_ok:
            return {**echo, **self.refusal(outcome.word)}
        return {"theObject": outcome.object.shown(), "result": True}

    def _id(self, world, answer):
        """The client's, or the one that the server has made: any that was never used."""
        if self.object_id is not None or world.domain[self.class_name].has_integer_ids:
            return self.object_id
        made = (answer.get("theObject") or {}).get("ID") or "none"
        ref = self.class_name, made
        return "used before" if ref in world.objects or ref in world.removed else made

    def learn(self, copies, answer):
        if answer["result"]:
            copies.take(answer["theObject"], self.name)


class Put(Write):
    """`time` is the putTimestamp: exact milliseconds, None, or so late that it is cut."""

    name, code = "putObject", "-201"

    def __init__(self, user, ref, given, time=None):
        super().__init__(user, theObject={"cn": ref[0], "ID": ref[1], **given}, putTimestamp=time)
        self.ref, self.given, self.time = ref, given, time

    def _is_wrong(self, world):
        fields = world.domain[self.ref[0]].fields
        return any(fields[name].is_given_by_clients and world.domain.is_wrong(fields[name], value)
                   for name, value in self.given.items())

    def footprint(self, world):
        mark = changing(world, self.ref)
        refs = referred(world, self.ref[0], self.given)
        mark.reads |= {("life", *ref) for ref in refs}
        old = world.objects.get(self.ref)
        if old and any(old.class_.fields[name].is_relation for name in self.given):
            # Of a join object each relation decides what stands in the other's list.
            refs |= {ref for _, ref in old.references()}
            mark |= listing(world, self.ref[0], refs)
        if old and not self._is_wrong(world):
            # Some of the fields may be stale, so it may come to any part of them.
            unique = {name for i in old.class_.indexes if i.unique for name in i.fields}
            given = [item for item in self.given.items() if item[0] in unique]
            for count in range(len(given)):
                for some in itertools.combinations(given, count + 1):
                    mark.writes |= places(old.changed(dict(some), Span(0, 0), Span(0, 0), None))
        return mark

    def run(self, world, now, answer):
        if self._is_wrong(world):
            self.outcome = "wrong"
            return self.refusal("wrong")
        outcome = world.put(self.user, self.ref, self.given, self._time(now), now)
        self.outcome = outcome.word
        return {"result": True} if outcome.is_ok else self.refusal(outcome.word)

    def _time(self, now):
        """When it counts as put: a time that the server has not reached yet is cut to its own."""
        if self.time is None or self.time <= 0:
            return now
        return Span(min(self.time, now.lo), min(self.time, now.hi))

    def learn(self, copies, answer):
        if answer["result"]:
            copies.merge(self.ref, self.given, self.name)


class Remove(Write):
    """`parent`: the class by which the object is named, if not its own."""

    name, code = "removeObject", "-202"

    def __init__(self, user, ref, parent=None):
        super().__init__(user, removePair=pair(parent or ref[0], ref[1]))
        self.ref = ref

    def footprint(self, world):
        if self.ref not in world.objects:
            return changing(world, self.ref)
        doomed, clears = world.consequences(self.ref)
        sources = [source for source, _, _ in clears]
        mark = changing(world, *doomed, *sources)
        for ref in (*doomed, *sources):
            mark |= listing(world, ref[0], [to for _, to in world.objects[ref].references()])
        mark.writes |= {("life", *ref) for ref in doomed}
        return mark

    def run(self, world, now, answer):
        outcome = world.remove(self.user, self.ref, now)
        self.outcome = outcome.word
        return {"result": True} if outcome.is_ok else self.refusal(outcome.word)

    def learn(self, copies, answer):
        if answer["result"]:
            copies.drop(self.ref, self.name)


class Repeat(Write):
    """The same request again, with its messageId, later: the first answer, and nothing twice."""

    def __init__(self, first, message, answer):
        super().__init__(first.user, **first.members, messageId=message)
        self.name, self.first, self.answer = first.name, first, answer
        self.outcome = "existing"  # it is not repeated once more

    def run(self, world, now, answer):
        return self.answer

    def learn(self, copies, answer):
        self.first.learn(copies, answer)


# ---- Reads

class Read(Operation):
    """Its `result` is one object or None, or a list of them."""

    def footprint(self, world):
        return Footprint(reads=self.reads(world))

    def learn(self, copies, answer):
        result = answer.get("result")
        for obj in result if isinstance(result, list) else [result]:
            if obj:
                copies.take(obj, self.name)


def shown(obj):
    return obj.shown() if obj else None


class FindById(Read):
    name = "findById"

    def __init__(self, user, class_name, object_id):
        super().__init__(user, theClassName=class_name, theClassId=object_id)
        self.asked = class_name, object_id

    def reads(self, world):
        return lives(world, self.asked[0], [self.asked[1]])

    def run(self, world, now, answer):
        return {"result": shown(world.find(self.user, *self.asked))}


class FindByIds(Read):
    name = "findByIds"

    def __init__(self, user, groups):
        super().__init__(user, theClassIdList=[{"className": c, "ids": ids} for c, ids in groups])
        self.groups = groups

    def reads(self, world):
        return set().union(*(lives(world, c, ids) for c, ids in self.groups))

    def run(self, world, now, answer):
        found = [world.find(self.user, c, one) for c, ids in self.groups for one in ids]
        return {"result": [obj.shown() for obj in found if obj]}


class Search(Read):
    """findByExample, searchByExample or findUnique."""

    most = None  # objects that the server looks through: its setting sync.max_scan

    def __init__(self, user, name, class_name, example, object_id=None):
        identity = {} if object_id is None else {"ID": object_id}
        super().__init__(user, theObject={"cn": class_name, **identity, **example})
        self.name, self.class_name, self.example = name, class_name, example
        self.object_id = None if name == "searchByExample" else object_id

    def reads(self, world):
        return {("class", name) for name in world.domain[self.class_name].lineage}

    def run(self, world, now, answer):
        found = world.search(self.user, self.class_name, self.example, self.most)
        if found is None:
            return {"errorCode": "-120"}
        if not found and self.object_id:
            one = world.find(self.user, self.class_name, self.object_id)
            found = [one] if one else []
        if self.name == "findUnique":
            return {"result": shown(found[0] if found else None)}
        return {"result": [obj.shown() for obj in found]}


class GetAll(Read):
    name = "getAllByName"

    def __init__(self, user, class_name, size=None, number=None, total=None):
        super().__init__(user, theClassName=class_name, pageSize=size, pageNumber=number,
                         returnTotal=total)
        self.class_name, self.size, self.number, self.total = class_name, size, number, total

    def reads(self, world):
        return {("class", self.class_name)}

    def run(self, world, now, answer):
        found = [obj.shown() for obj in world.readable(self.user, self.class_name)]
        page = found
        if self.number is not None and self.size is not None and self.size > 0:
            page = found[self.size * self.number:][:self.size]
        return {"result": page, "pageSize": self.size, "pageNumber": self.number,
                "totalCount": len(found) if self.total else 0}

    def learn(self, copies, answer):
        super().learn(copies, answer)
        copies.watch_class(self.class_name)


class CountAll(Operation):
    name = "countAllByName"

    def __init__(self, user, class_names):
        super().__init__(user, classNames=class_names)
        self.class_names = class_names

    def footprint(self, world):
        return Footprint(reads={("class", name) for name in self.class_names})

    def run(self, world, now, answer):
        return {"result": [{name: len(world.readable(self.user, name))} for name in self.class_names]}


class GetAccessor(Operation):
    name = "getAccessor"

    def __init__(self, user, class_name, object_id, returns):
        super().__init__(user, theClassName=class_name, theClassId=object_id, returnObject=returns)
        self.asked, self.returns = (class_name, object_id), returns

    def footprint(self, world):
        return Footprint(reads=lives(world, self.asked[0], [self.asked[1]]))

    def run(self, world, now, answer):
        obj = world.live(*self.asked)
        c = world.domain[self.asked[0]]

        def may(action):
            if obj:
                return world.may(self.user, action, obj.class_.name, obj.shown())
            return action == "create" and not c.abstract and world.may(
                self.user, action, c.name, {})

        returned = obj if self.returns and obj and may("read") else None
        return {"resultObject": shown(returned),
                "accessor": {"cn": "com.percero.framework.accessor.Accessor", "ID": "null",
                             "canCreate": may("create"), "canDelete": may("remove"),
                             "canRead": may("read"), "canUpdate": may("update")}}

    def learn(self, copies, answer):
        if answer["resultObject"]:
            copies.take(answer["resultObject"], self.name)


class GetHistory(Operation):
    name = "getHistory"
    kept = None  # the server's setting sync.history_kept

    def __init__(self, user, class_name, object_id):
        super().__init__(user, theClassName=class_name, theClassId=object_id)
        self.asked = class_name, object_id

    def footprint(self, world):
        return Footprint(reads=lives(world, self.asked[0], [self.asked[1]]))

    def run(self, world, now, answer):
        obj = world.find(self.user, *self.asked)
        if not obj:
            return {"result": None}
        said = {state["objectVersion"]: state for state in answer.get("result") or []}
        return {"result": [self._entry(obj, state, said.get(str(state.version), {}))
                           for state in obj.states[:self.kept]]}

    @staticmethod
    def _entry(obj, state, said):
        """`said` gives what can be known to lie within bounds only: the time."""
        date, data = said.get("objectChangeDate", -1), said.get("objectData")
        return {
            "cn": SYNC + "HistoricalObject", "ID": f"{obj.class_.name}:{obj.id}:{state.version}",
            "objectChangeDate": date if state.time.lo <= date <= state.time.hi else state.time,
            "objectChangerId": state.user, "objectVersion": str(state.version),
            "objectId": obj.id, "objectClassName": obj.class_.name,
            "objectData": data if data == text(state.shown) else text(state.shown)}
