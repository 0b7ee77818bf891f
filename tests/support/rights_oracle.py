"""Who may read which of the documents of the random rights test, and since when, in a few lines that
share nothing with the server.

    oracle = Oracle(users)                         # name -> (user's id, ID of their Person)
    oracle.change(lambda: ..., sent, replied)      # a write that was sent and answered then
    oracle.may("ada", "doc-1")
    oracle.was_allowed("ada", "doc-1", made, now)  # may bytes that were made then arrive now?

Between the two times of a write nobody knows whether it has happened: a right may begin when it is
sent, and has ended when it is answered.
"""

from client import pair

PERSON, TEAM, MEMBER, DOC, BEAT = (f"app.{name}" for name in ("Person", "Team", "Member", "Doc", "Beat"))
WRITER = {"role": "writer"}
JOIN = [{"class": MEMBER, "by": "team"}, "person"]
RULES = {
    "Text": {"owner": "owner"},
    "ToOne": {"owner": "person"},
    "List": {"owner": "people"},
    "Role": {"role": "editor"},
    "AnyOf": [{"owner": "person"}, {"role": "editor"}, {"path": ["team", "people"]}],
    "PathList": {"path": ["team", "people"]},
    "PathJoin": {"path": ["team", *JOIN]},
    "PathOwner": {"path": ["team"], "owner": "lead"},
}
GRACE = 1.0  # seconds in which what is under way may arrive


def model():
    def to_one(target, **more):
        return {"type": "toOne", "target": target, **more}

    people = {"type": "list", "target": PERSON}
    text = {"type": "string"}
    by_writers = {"read": "everyone", "create": WRITER, "update": WRITER, "remove": WRITER}
    return {"classes": {
        PERSON: {"type": "person", "anchor": "userId", "access": {"read": "everyone"},
                 "fields": {"userId": {"type": "string", "readOnly": True}}},
        BEAT: {"type": "beat", "access": by_writers, "fields": {"secret": text}},
        TEAM: {"access": by_writers, "fields": {"people": people, "lead": text}},
        MEMBER: {"access": by_writers, "fields": {"team": to_one(TEAM, required=True),
                                                  "person": to_one(PERSON, required=True)}},
        DOC: {"abstract": True, "history": True, "fields": {
            "secret": text, "owner": text, "person": to_one(PERSON), "people": people,
            "team": to_one(TEAM)}},
        **{class_of(kind): {"parent": DOC, "type": kind, "fields": {},
                            "access": {**by_writers, "read": rule}} for kind, rule in RULES.items()}}}


def class_of(kind):
    return "app." + kind


class Doc:
    def __init__(self, kind):
        self.kind = kind
        self.owner = self.person = self.team = None  # names of users, ID of a team
        self.people = set()


class Team:
    def __init__(self):
        self.people, self.lead = set(), None


class Oracle:
    def __init__(self, users, editors):
        self.users = users
        self.docs, self.teams, self.members = {}, {}, {}  # by ID; members: (team, user)
        self.editors = set(editors)
        self.spans = {}     # (user, doc) -> [[from, to]], the last perhaps to None

    # ---- Rules, as the model's page explains them

    def may(self, user, doc_id):
        doc = self.docs.get(doc_id)
        return doc is not None and getattr(self, "_" + doc.kind)(user, doc)

    def _Text(self, user, doc):
        return doc.owner == user

    def _ToOne(self, user, doc):
        return doc.person == user

    def _List(self, user, doc):
        return user in doc.people

    def _Role(self, user, _):
        return user in self.editors

    def _PathList(self, user, doc):
        return doc.team in self.teams and user in self.teams[doc.team].people

    def _PathJoin(self, user, doc):
        return doc.team is not None and (doc.team, user) in self.members.values()

    def _PathOwner(self, user, doc):
        return doc.team in self.teams and self.teams[doc.team].lead == user

    def _AnyOf(self, user, doc):
        return any(rule(user, doc) for rule in (self._ToOne, self._Role, self._PathList))

    # ---- Changes

    def change(self, make, sent, replied):
        before = self._pairs()
        make()
        after = self._pairs()
        for lost in before - after:
            self.spans[lost][-1][1] = replied
        for gained in after - before:
            self.spans.setdefault(gained, []).append([sent, None])

    def _pairs(self):
        return {(user, doc) for user in self.users for doc in self.docs if self.may(user, doc)}

    def remove_team(self, team):
        """What refers to it is cleared, and members go with it."""
        del self.teams[team]
        self.members = {name: member for name, member in self.members.items() if member[0] != team}
        for doc in self.docs.values():
            if doc.team == team:
                doc.team = None

    def was_allowed(self, user, doc, made, now, lag):
        """May what was made then arrive now? What was under way when a right ended may, for so long as
        it is under way; what was made after that may not."""
        return any(start <= now and (end is None or (made <= end and now <= end + GRACE + lag))
                   for start, end in self.spans.get((user, doc), []))

    # ---- Texts of requests

    def values(self, **fields):
        """The fields of a Doc or a Team, as requests have them."""
        person = {name: pair(PERSON, person) for name, (_, person) in self.users.items()}
        how = {"owner": lambda v: self.users[v][0], "lead": lambda v: self.users[v][0],
               "person": person.get, "people": lambda v: [person[name] for name in sorted(v)],
               "team": lambda v: pair(TEAM, v)}
        return {name: None if value is None else how[name](value) for name, value in fields.items()}
