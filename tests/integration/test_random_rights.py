"""Rights are granted and withdrawn at random, by all kinds of rules, while documents change, pushes wait,
and sessions come and go.

No byte of a document reaches a session later than a second after the right to read it has ended, which is
when the write that ended it was answered; and nothing at all that was written after that. Whenever all is
quiet, each session has been told of all that its user may read, and of nothing else, and the books
balance. A run prints its seed, which makes the same choices again:

    TEST_RANDOM_SECONDS=600     how long (20)
    TEST_RANDOM_SEED=7          which choices (new ones each time)

The second is that of a machine that is not busy: how long objects that everybody may read are under way
just then is measured beside it, and comes on top.
"""

import collections
import itertools
import os
import random
import secrets
import subprocess
import time

import pytest
from client import pair
from ctl import CTL
from rights_crowd import MOST_OPEN, ContentSession, Crowd, StackSession
from rights_oracle import BEAT, GRACE, MEMBER, RULES, TEAM, Doc, Oracle, Team, class_of, model
from seeded import seeded
from store import assert_books_balance

SECONDS = float(os.environ.get("TEST_RANDOM_SECONDS", 20))
SEED = int(os.environ.get("TEST_RANDOM_SEED", secrets.randbelow(10**9)))
READERS = ("ada", "ben", "cleo", "dora")
WRITER = "emil"
ROLES = {WRITER: ["writer"]}  # of the users file, whose roles an operator cannot take away
SESSIONS, DOCS, TEAMS, MEMBERS = 16, 40, 8, 12
ROUND_S, BEAT_S = 5.0, 0.05
FIELDS = {"Text": ["owner"], "ToOne": ["person"], "List": ["people"], "Role": ["owner"],
          "AnyOf": ["person", "team"], "PathList": ["team"], "PathJoin": ["team"], "PathOwner": ["team"]}


@pytest.fixture
def random_stack(new_stack):
    return new_stack(gateways=2, sync_agents=2, model=model(), roles=ROLES, settings={
        "sync.poll_ms": 20, "sync.redelivery_first_ms": 300, "sync.job_lease_ms": 1000})


class Run:
    """One write of rights is under way at a time, so that the oracle knows their order; others change
    the documents' secrets meanwhile, through a session of their own."""

    def __init__(self, stack, chance):
        self.stack, self.chance = stack, chance
        self.crowd = Crowd(stack)
        self.readers = [self.crowd.add((StackSession, ContentSession)[i // len(READERS) % 2],
                                       READERS[i % len(READERS)]) for i in range(SESSIONS)]
        self.granting, self.changing, self.beating = (
            self.crowd.add(StackSession, WRITER, watched=()) for _ in range(3))
        for _ in stack.gateways:
            self.crowd.add(StackSession, READERS[0], watched=(BEAT,))
        self.names = (f"{n}" for n in itertools.count(1))
        self.made = {}          # number of a secret -> when it was sent
        self.secrets = {}       # document -> its newest secret
        self.is_changing = set()
        self.answered = {}      # number of a beat -> when
        self.next_beat, self.is_granting, self.role = 0.0, False, None
        self.figures = collections.Counter()

    # ---- Writes

    def write(self, operation, make, **members):
        """One that grants or withdraws; `make` does the same to the oracle."""
        sent = time.monotonic()

        def done(frame, now):
            assert frame.get("result") is True, f"{operation} {members}: {frame}"
            self.oracle.change(make, sent, now)
            self.is_granting = False
            self.figures["writes of rights"] += 1

        self.is_granting = True
        self.granting.ask(operation, done, **members)

    def secret(self, doc):
        number = int(next(self.names))
        self.made[number] = time.monotonic()
        return f"{doc}!{number}"

    def change_secret(self):
        doc = self.chance.choice(list(self.oracle.docs))
        if doc in self.is_changing:
            return
        text = self.secret(doc)

        def done(frame, _):
            self.is_changing.discard(doc)
            if frame["result"]:
                self.secrets[doc] = text
            else:
                assert doc not in self.oracle.docs or self.is_granting, frame

        self.is_changing.add(doc)
        self.changing.ask("putObject", done, theObject={
            "cn": class_of(self.crowd.kinds[doc]), "ID": doc, "secret": text})
        self.figures["secrets"] += 1

    def beat(self):
        """What everybody may read, and what tells how long a push takes now."""
        now = time.monotonic()
        if now < self.next_beat or None in self.answered.values():
            return
        self.next_beat = now + BEAT_S
        number = len(self.answered) + 1

        def done(frame, now):
            assert frame["result"] is True, frame
            self.answered[number] = now

        self.answered[number] = None
        self.beating.ask("putObject", done, theObject={"cn": BEAT, "ID": "beat", "secret": str(number)})

    # ---- Rights

    def user(self):
        return self.chance.choice((None, *READERS))

    def some_users(self):
        return {name for name in READERS if self.chance.random() < 0.3}

    def value_of(self, field):
        if field == "team":
            return self.chance.choice((None, *self.oracle.teams))
        return self.some_users() if field == "people" else self.user()

    def put(self, class_name, object_id, target, values):
        self.write("putObject", lambda: vars(target).update(values), theObject={
            "cn": class_name, "ID": object_id, **self.oracle.values(**values)})

    def grant_document(self):
        doc = self.chance.choice(list(self.oracle.docs))
        kind = self.crowd.kinds[doc]
        field = self.chance.choice(FIELDS[kind])
        self.put(class_of(kind), doc, self.oracle.docs[doc], {field: self.value_of(field)})

    def grant_team(self):
        team = self.chance.choice(list(self.oracle.teams))
        field = self.chance.choice(("people", "lead"))
        self.put(TEAM, team, self.oracle.teams[team], {field: self.value_of(field)})

    def create(self, class_name, object_id, make, **values):
        self.write("createObject", make, theObject={"cn": class_name, "ID": object_id, **values})

    def remove(self, class_name, object_id, make):
        self.write("removeObject", make, removePair=pair(class_name, object_id))

    def make_document(self, kind=None):
        kind, object_id = kind or self.chance.choice(list(RULES)), "doc-" + next(self.names)
        doc = Doc(kind)
        values = {field: self.value_of(field) for field in FIELDS[kind]}
        vars(doc).update(values)
        self.crowd.make_known(object_id, kind)
        self.secrets[object_id] = self.secret(object_id)
        self.create(class_of(kind), object_id, lambda: self.oracle.docs.update({object_id: doc}),
                    secret=self.secrets[object_id], **self.oracle.values(**values))

    def make_team(self):
        object_id = "team-" + next(self.names)
        self.create(TEAM, object_id, lambda: self.oracle.teams.update({object_id: Team()}))

    def make_member(self):
        object_id, user = "member-" + next(self.names), self.chance.choice(READERS)
        team = self.chance.choice(list(self.oracle.teams))
        self.create(MEMBER, object_id, lambda: self.oracle.members.update({object_id: (team, user)}),
                    **self.oracle.values(team=team, person=user))

    def remove_member(self):
        if self.oracle.members:
            member = self.chance.choice(list(self.oracle.members))
            self.remove(MEMBER, member, lambda: self.oracle.members.pop(member))

    def replace_document(self):
        doc = self.chance.choice(list(self.oracle.docs))
        kind = self.crowd.kinds[doc]
        self.remove(class_of(kind), doc, lambda: self.oracle.docs.pop(doc))

    def replace_team(self):
        team = self.chance.choice(list(self.oracle.teams))
        self.remove(TEAM, team, lambda: self.oracle.remove_team(team))

    def change_role(self):
        """As the operator does it."""
        user = self.chance.choice(READERS)
        loses = user in self.oracle.editors
        sent = time.monotonic()
        self.role = subprocess.Popen([CTL, "--config", self.stack.config, "user", "role",
                                      f"{user}@example.org", ("-" if loses else "+") + "editor"],
                                     stdout=subprocess.DEVNULL)
        self.is_granting = True

        def done():
            assert self.role.returncode == 0, f"the role of {user} could not be changed"
            self.oracle.change(lambda: self.oracle.editors.symmetric_difference_update({user}), sent,
                               time.monotonic())
            self.role, self.is_granting = None, False
            self.figures["roles"] += 1

        self.role_done = done

    def look_for_role(self):
        if self.role and self.role.poll() is not None:
            self.role_done()

    def change_rights(self):
        if len(self.oracle.docs) < DOCS:
            self.make_document()
        elif len(self.oracle.teams) < TEAMS:
            self.make_team()
        else:
            self.chance.choices((self.grant_document, self.grant_team, self.make_member,
                                 self.remove_member, self.replace_document, self.replace_team,
                                 self.change_role), (10, 6, 3, 3, 2, 1, 1))[0]()

    # ---- Together

    def begin(self):
        self.crowd.pump(lambda: all(s.ready for s in self.crowd.sessions), lambda: "all have entered")
        redis = self.stack.redis()
        ids = {s.user: s.user_id for s in self.readers if isinstance(s, StackSession)}
        self.oracle = Oracle({name: (ids[name], redis.hget("{u:%s}" % ids[name], "anchor"))
                              for name in READERS},
                             editors=())
        made = []
        self.granting.ask("createObject", lambda frame, _: made.append(frame["result"]),
                          theObject={"cn": BEAT, "ID": "beat", "secret": "0"})
        self.crowd.pump(lambda: made, lambda: "there is a beat")
        for step in [self.make_team] * TEAMS + [
                lambda kind=kind: self.make_document(kind) for kind in RULES] + [
                self.make_member] * MEMBERS:
            step()
            self.crowd.pump(lambda: not self.is_granting, lambda: "it is written")

    def finish_write(self):
        while self.is_granting:
            self.crowd.turn(0.02)
            self.look_for_role()

    def go_on(self, until):
        """Everybody does what they do until then."""
        while time.monotonic() < until:
            self.crowd.turn(0.005)
            self.beat()
            self.look_for_role()
            if not self.is_granting:
                self.change_rights()
            if len(self.is_changing) < 4:
                self.change_secret()
            for session in self.readers:
                self.go_on_as(session)

    def go_on_as(self, session):
        roll = self.chance.random()
        if session.socket is None:
            if roll < 0.02:
                session.enter()
        elif not session.ready:
            return
        elif roll < 0.002:
            session.vanish()
            if roll < 0.0002:
                session.forget()
            self.figures["left"] += 1
        else:
            if not session.is_slow or roll < 0.05:
                session.send_receipts()
            if 0.5 < roll < 0.53 and len(session.open) < MOST_OPEN:
                doc = self.chance.choice(list(self.oracle.docs))
                session.read(doc, class_of(self.crowd.kinds[doc]), self.chance)

    def wanted(self, session):
        return {doc: self.secrets[doc] for doc in self.oracle.docs
                if self.oracle.may(session.user, doc)}

    def settle(self):
        """Until everybody holds for true what they may read, and nothing else."""
        for session in self.readers:
            if session.socket is None:
                session.enter()

        def is_quiet():
            self.look_for_role()
            for session in self.crowd.sessions:
                if session.ready:
                    session.send_receipts()
            return (not self.is_granting and not self.is_changing
                    and not any(s.is_busy for s in self.crowd.sessions)
                    and all(s.copies == self.wanted(s) for s in self.readers))

        self.crowd.pump(is_quiet, self.unsettled)

    def unsettled(self):
        lines = []
        for session in self.readers:
            wanted = self.wanted(session)
            lines += [f"{session}: {doc} ({self.crowd.kinds[doc]}) is {session.copies.get(doc)}, "
                      f"should be {wanted.get(doc)}" for doc in sorted(wanted.keys() | session.copies)
                      if wanted.get(doc) != session.copies.get(doc)]
            if session.is_busy:
                lines.append(f"{session}: {len(session.open)} requests are open")
        return "\n".join(lines)

    def lag(self, at):
        """How long pushes took then."""
        return max((came - answered for number, answered in self.answered.items() if answered
                    for came in self.crowd.arrivals[number] if answered <= at and came >= at - GRACE),
                   default=0.0)

    def check_arrived(self):
        late = []
        for session in self.readers:
            for at, doc, number in session.arrived:
                asked = session.user, doc, self.made[number], at
                if not self.oracle.was_allowed(*asked, 0) and not self.oracle.was_allowed(
                        *asked, self.lag(at)):
                    late.append(f"{session}: {doc}!{number} ({self.crowd.kinds[doc]}), made at "
                                f"{self.made[number]:.3f}, came at {at:.3f}, pushes took "
                                f"{self.lag(at):.3f} s; might read it from, to: "
                                f"{self.oracle.spans.get((session.user, doc))}")
            self.figures["secrets arrived"] += len(session.arrived)
            session.arrived.clear()
        assert not late, "\n".join(late[:20])

    def check_books(self):
        assert_books_balance(self.stack.redis())


@seeded(TEST_RANDOM_SEED=SEED)
def test_nothing_is_seen_by_whom_it_is_hidden_from(random_stack):
    print(f"TEST_RANDOM_SEED={SEED}")
    run = Run(random_stack, random.Random(SEED))
    try:
        run.begin()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            run.go_on(min(end, time.monotonic() + ROUND_S))
            run.finish_write()
            run.check_arrived()
            run.settle()
            run.check_arrived()
            run.check_books()
    finally:
        run.crowd.close()
        print(dict(run.figures))
    random_stack.check()
