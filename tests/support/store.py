"""What stands in Redis, for tests that look behind the scenes or set one.

    expected, counted = balance(stack.redis())  # the counters' pending marks, and the recount's

    store = Store(redis)                # a stage for single scripts, without any agent
    sid = store.session("c1")
    store.settle("c1", {"com.app.mo.Task:t1": 2})
"""

import hashlib
import re
import time

from stack import BUILD

DAY_MS = 24 * 3600 * 1000


def now_ms():
    return int(time.time() * 1000)


def session_key(sid, part=""):
    return f"{{s:{sid}}}{part}"


def object_key(ref, part=""):
    return f"{{o:{ref}}}{part}"


def job_key(job):
    return f"{{j:{job}}}"


def gateway_key(gateway):
    return f"{{g:{gateway}}}"


def restricted_args(restricted):
    """Classes that not everyone may read, and the texts of their rules, or such a text and those of
    columns; as arg_restricted() has it."""
    args = [len(restricted or {})]
    for name, rules in (restricted or {}).items():
        rule, columns = (rules, {}) if isinstance(rules, str) else rules
        args += [name, rule, len(columns), *[part for row in columns.items() for part in row]]
    return args


def token_hash(token):
    return hashlib.sha256(token.encode()).hexdigest()


def session_of(redis, client_id):
    return redis.get(f"c:{client_id}")


def marks_of(redis, sid):
    """ref -> what is kept of it, split: kind, version, tries, needs, sent, epoch."""
    return {ref: mark.split(" ") for ref, mark in redis.hgetall(session_key(sid, ":m")).items()}


def pending_marks(redis):
    """(session, ref) -> (kind, version) of all that somebody must still hear of."""
    found = {}
    for key in redis.scan_iter("{s:*}:m"):
        sid = key[len("{s:"):-len("}:m")]
        for ref, (kind, version, *_) in marks_of(redis, sid).items():
            found[sid, ref] = (kind, int(version))
    return found


def open_replies(redis, client_id):
    """How many replies are kept until the client confirms them."""
    return redis.hlen(session_key(session_of(redis, client_id), ":o"))


def stored_object(redis, ref):
    """field -> JSON text of an object; None if there is none."""
    fields = redis.hgetall(object_key(ref))
    if "@c" not in fields:
        return None
    return {name: value.split(" ", 2)[2] for name, value in fields.items() if name[0] != "@"}


def balance(redis):
    """(the counters' pending, the recount's). Of one moment, so that it can be asked under load."""
    booked, counted = redis.eval(_BOOKED + _COUNTED + "return { booked, counted }", 0)
    return _pending(_sums(booked)), counted


def assert_books_balance(redis):
    counters, counted = balance(redis)
    assert counters == counted, "the books do not balance"


def pending_by_books(redis):
    """How many marks the counters say are pending: cheap, whatever there is."""
    return _pending(books_of(redis))


def books_of(redis):
    """The counters, summed up over all pages of the books."""
    return _sums(redis.eval(_BOOKED + "return booked", 0))


def _sums(booked):
    books = {}
    for name, value in zip(booked[0::2], booked[1::2]):
        books[name] = books.get(name, 0) + int(value)
    return books


def _pending(books):
    made, *over = (books.get(name, 0) for name in ("made", "acknowledged", "superseded", "ended"))
    return made - sum(over)


_BOOKED = """
local booked = {}
for page = 0, 1023 do
  for _, part in ipairs(redis.call('HGETALL', '{b:' .. page .. '}')) do
    table.insert(booked, part)
  end
end
"""
_COUNTED = """
local counted = 0
for _, key in ipairs(redis.call('KEYS', '{s:*}:m')) do
  counted = counted + redis.call('HLEN', key)
end
"""


def script(name):
    """The Lua text of a script, taken from what is compiled into an agent."""
    source = next(BUILD.glob(f"agents/**/script_{name}.c")).read_text()
    lines = re.findall(r'^    "(.*)\\n"$', source, re.MULTILINE)
    return "\n".join(line.replace('\\"', '"').replace("\\\\", "\\") for line in lines)


class Step:
    """What one step of a fan-out says: a list, with names."""

    def __init__(self, reply):
        (_, self.done, self.place, self.after, self.ref, self.kind, self.version, self.since,
         said, told, closed, self.number, self.ready, losers, self.behind, self.review) = reply
        self.objects = [(self.ref, self.kind, int(self.version))]
        self.sids, self.to = told[0::4], list(zip(told[1::4], told[2::4]))  # (client, gateway)
        self.fields = said[0]
        seen = (said[place] for place in told[3::4])
        self.seen = {sid: dict(zip(s[0::2], s[1::2])) for sid, s in zip(self.sids, seen)}
        self.losers = losers[0::4]
        self.closed = list(zip(closed[0::2], closed[1::2]))


class Told:
    """What redelivery and a step of a return tell: (ref, kind, version), and open replies."""

    def __init__(self, updates, deletes, replies, number, values, more=0, client=None):
        self.number, self.client = number, client
        self.objects = [(ref, "u", int(version)) for ref, version, _ in updates]
        self.objects += [(ref, "d", int(version)) for ref, version in deletes]
        self.objects += [(item, "w", int(version)) for item, version, *_ in values]
        self.values = {item: text for item, _, text, _ in values}
        self.replies = [message_id for message_id, _ in replies]
        self.requests, self.more = [request for _, request in replies], bool(more)


class Return(Told):
    """A step of a return; `refused` says why there is none."""

    def __init__(self, reply):
        self.refused = reply[1] if reply[0] == "refused" else None
        if not self.refused:
            super().__init__(*reply[5:10], reply[4])
            self.sid, self.went = reply[1], tuple(reply[2:4])


class Block:
    """What a session of the content protocol is told at once."""

    def __init__(self, number, client, gateway, entries):
        self.number, self.client, self.gateway = number, client, gateway
        self.entries = {ref: (content == 1, children == 1) for ref, content, children in entries}
        assert len(self.entries) == len(entries), "a document stands in it twice"


class Store:
    """A Redis database of its own, in which tests put sessions and objects and run scripts.

    `skew_ms` moves the time that scripts are told. Versions stand for the last send that told of
    them, as a gateway would know it.
    """

    TIMING = (5000, 60000, 900000, 7500)  # first, most, who sends no receipts; replies
    LEASE_MS = 5000
    IDLE_MS = 14 * DAY_MS
    CONTENT_IDLE_MS = 1800 * 1000
    IDLE = (IDLE_MS, CONTENT_IDLE_MS)
    KNOWN_S = 3600
    NOTIFY_MS = 100
    GRACE_MS = 10000

    def __init__(self, redis):
        self.redis = redis
        self.scripts = {}
        self.skew_ms = 0
        self.numbers, self.versions = {}, {}  # of sends: (ref, version) -> number, and back

    def now(self):
        return now_ms() + self.skew_ms

    def run(self, name, *args):
        if name not in self.scripts:
            self.scripts[name] = self.redis.register_script(script(name))
        return self.scripts[name](args=list(args))

    # ---- what there is

    def session(self, client, gateway="gateway.1", user="u1", answers=True, dialect="activestack"):
        """A session that is bound; `answers`: it has sent a receipt before."""
        sid = self.redis.incr("s:next")
        self.redis.hset(session_key(sid), mapping={
            "client": client, "gw": gateway, "epoch": 1, "user": user, "device": "", "me": "",
            "dialect": dialect, "created": self.now(), "seen": self.now(),
            **({"receipts": 1} if answers else {})})
        self.redis.set(f"c:{client}", sid)
        self.redis.zadd(session_key(sid, ":c"), {client: 1})
        self.redis.sadd(gateway_key(gateway), sid)
        self.redis.sadd(f"{{u:{user}}}:s", sid)
        self.redis.zadd("sessions", {sid: sid})
        return str(sid)

    def token(self, client, user="u1", token="secret", lasts_ms=DAY_MS):
        """A login's."""
        expires = self.now() + lasts_ms
        self.redis.hset(f"{{t:{token_hash(token)}}}", mapping={
            "user": user, "client": client, "device": "", "expires": expires, "created": 1,
            "modified": 1, "login": "basic", "id": 1, "request": ""})
        for key in (f"{{u:{user}}}:t", f"{{c:{client}}}:t"):
            self.redis.zadd(key, {token_hash(token): expires})

    def watch(self, sid, item):
        """What the session wants to hear of: a ref, or "+" and a ref."""
        plain = ":sw" if self.field(sid, "dialect") == "content" else ":w"
        part = ":cw" if item.startswith("+") else plain
        self.redis.zadd(object_key(item.lstrip("+"), part), {sid: sid})
        self.redis.sadd(session_key(sid, ":w"), item)

    def object(self, ref, version=1, **fields):
        """An object all of whose fields have this version; values are JSON texts."""
        created = self.now() - DAY_MS
        self.redis.delete(object_key(ref))
        self.redis.hset(object_key(ref), mapping={
            "@v": version, "@c": created,
            **{name: f"{version} {created} {text}" for name, text in fields.items()}})

    def change(self, ref, field="title", text='"new"'):
        """A new version of the object; returns it."""
        version = self.redis.hincrby(object_key(ref), "@v", 1)
        self.redis.hset(object_key(ref), field, f"{version} {self.now()} {text}")
        return version

    def remove(self, ref, keeps=None):
        """Leaves a tombstone, perhaps with a field; returns its version."""
        version, kept = self.redis.hmget(object_key(ref), "@v", keeps or "")
        self.redis.delete(object_key(ref))
        self.redis.hset(object_key(ref), mapping={
            "@v": int(version) + 1, "@d": self.now(), **({keeps: kept} if keeps else {})})
        return int(version) + 1

    # ---- sessions

    def field(self, sid, name):
        return self.redis.hget(session_key(sid), name)

    def binding(self, sid):
        """Client id and gateway."""
        return self.field(sid, "client"), self.field(sid, "gw")

    def connect(self, client, gateway="gateway.1", user="u1", token="secret",
                dialect="activestack", address="192.0.2.1"):
        """ok, session, user."""
        return self.run("connect", client, gateway, address, user, "", token_hash(token), dialect,
                        self.now())[:3]

    def reconnect(self, client, *earlier, gateway="gateway.1", user="u1", token="secret",
                  most_bytes=1 << 18, restricted=None, accepted=None, address="192.0.2.2",
                  device=""):
        """One step of a return; the newest of the earlier names last."""
        step = Return(self.run("reconnect", client, gateway, address, user, device,
                               token_hash(token), "activestack", len(earlier), *earlier, self.now(),
                               accepted or self.now(), most_bytes, *self.TIMING,
                               *restricted_args(restricted)))
        return step if step.refused else self._note(step)

    def resume(self, client, gateway="gateway.1", token="secret", accepted=None,
               address="192.0.2.2"):
        """A return of the content protocol: (session, whom to send away, until when it is told
        nothing) or why it is refused."""
        reply = self.run("resume", client, gateway, address, "", "", token_hash(token), "content",
                         0, self.now(), accepted or self.now())
        return reply[1] if reply[0] == "refused" else (reply[1], tuple(reply[2:4]), reply[5])

    def disconnect(self, client, hibernates=0):
        return self.run("disconnect", client, self.now(), hibernates, *self.IDLE)

    def logout(self, client, accepted=None, destroy=0):
        now = self.now()
        return self.run("logout", client, now if accepted is None else accepted, now,
                        now + self.LEASE_MS, self.KNOWN_S, destroy, *self.IDLE)

    def upgrade(self, client, gateway="gateway.1"):
        return self.run("upgrade", client, self.now(), self.now(), gateway, "phone")

    def announce(self, gateway, *clients):
        """client -> code of those that are to be closed."""
        _, flat = self.run("announce", gateway, self.now(), len(clients), *clients)
        return dict(zip(flat[0::2], flat[1::2]))

    def claim(self, most=50, digest=""):
        """Jobs (id, type, session) and sessions that are due."""
        jobs, sids, *_ = self._claim(most, digest)
        return [tuple(job[:3]) for job in jobs], sids

    def claim_blocks(self, most=250):
        """The sessions that can be told in blocks."""
        return self._claim(0, "", most_blocks=most)[2]

    def claim_users(self, most=50):
        """Users of whom it is to be looked at whether they are there."""
        return self._claim(0, "", most_users=most)[3]

    def claim_values(self, most=50, digest="model"):
        """Watched values that are to be computed, or dropped."""
        return self._claim(0, digest, most_values=most)[5]

    def claim_calls(self, most=50):
        """Calls of processes that are overdue."""
        return self._claim(most, "")[4]

    def _claim(self, most, digest, most_blocks=0, most_users=0, most_values=0):
        now = self.now()
        return self.run("claim", now, now + self.LEASE_MS, most, self.KNOWN_S, digest, most_blocks,
                        most_users, most_values)

    def look_at(self, user, anchor="com.app.mo.Person", field="connected", grace_ms=GRACE_MS):
        """Has the user's own object show whether they are there; returns the fan-outs."""
        now = self.now()
        return self.run("online", 0, 0, 0, user, now, now + self.LEASE_MS, grace_ms, field, 1,
                        1, 0, 1, anchor, 0)[0]

    def end_session(self, job, sid, most=250):
        """One step; True: it was the last."""
        return self.run("end_session", job, sid, most, self.now() + self.LEASE_MS)[1] == 1

    def keep(self, client, message_id, request="0 1 c1 findById\n{}", most=256, most_bytes=1 << 20):
        now = self.now()
        return self.run("keep", client, now, message_id, request, now + self.TIMING[3], most,
                        most_bytes)

    def replies_received(self, *receipts):
        """(client, messageId) each."""
        return self.run("replies_received", self.now(), *[x for pair in receipts for x in pair])

    # ---- marks

    def _note(self, told):
        for ref, _, version in told.objects:
            self.numbers[ref, version] = told.number
            self.versions[ref, told.number] = version
        return told

    def job(self, ref, kind="u", version=1, writer="", complete=1, sets=None):
        """The fan-out that a commit leaves behind; returns its id."""
        job = self.redis.incr("j:next")
        self.redis.hset(job_key(job), mapping={
            "type": "fan-out", "ref": ref, "kind": kind, "version": version,
            "audience": "\n".join(sets or self._audience(ref, kind)), "writer": writer,
            "complete": complete, "set": 1, "after": 0})
        self.redis.zadd("jobs", {job: self.now() + self.LEASE_MS})
        return str(job)

    def _audience(self, ref, kind):
        parts = {"u": [":w", ":sw"], "d": [":w", ":sw", ":cw"], "c": [":cw"]}[kind]
        return [object_key(ref, part) for part in parts]

    def fan_out(self, job, place=1, after=0, most=250, most_marks=10000, unseen=(),
                restricted=None):
        """One step of the job; place 0 takes it over from a worker that died. None: it is done."""
        now = self.now()
        reply = self.run("fan_out", job, place, after, now, now + self.LEASE_MS, most, most_marks,
                         self.KNOWN_S, *self.TIMING, *restricted_args(restricted),
                         len(unseen), *unseen)
        return self._note(Step(reply)) if reply[0] == "ok" else None

    def tell(self, ref, kind="u", most_marks=10000, **options):
        """A whole fan-out of the newest version, in one step; returns whom it sends to."""
        version = int(self.redis.hget(object_key(ref), "@v"))
        return self.fan_out(self.job(ref, kind, version, **options), most_marks=most_marks).sids

    def tell_children(self, ref, **options):
        """A whole fan-out of a change of its children."""
        job = self.job(ref, "c", self.redis.incr("j:next"), **options)
        self.fan_out(job)
        self.run("fan_out_end", job)

    def change_and_tell(self, ref):
        """A new version, of which everybody is told who watches; returns it."""
        version = self.change(ref)
        self.tell(ref)
        return version

    def settle_all(self, *receipts, kind="u", pause_ms=0):
        """(client, ref, version) each; returns the clients that are not known."""
        flat = [part for client, ref, version in receipts
                for part in (client, ref, self.numbers.get((ref, version), version))]
        return self.run("settle", kind, self.now(), pause_ms, *flat)

    def settle(self, client, versions, kind="u"):
        return self.settle_all(*[(client, *item) for item in versions.items()], kind=kind)

    def redeliver(self, sid, at=None, most=100, most_bytes=1 << 18, restricted=None):
        """What is told again to the session at this time; None if it can be told nothing."""
        reply = self.run("redeliver", sid, at or self.now(), most, most_bytes, *self.TIMING,
                         *restricted_args(restricted))
        return self._note(Told(*reply[4:9], reply[3], reply[1])) if reply[0] == "ok" else None

    def subscribe(self, client, *items, revoke=0, most=100, restricted=None):
        now = self.now()
        return self.run("subscribe", client, now, now + self.LEASE_MS, revoke, most,
                        *restricted_args(restricted), *items)

    def notify(self, *sids, most=1000, restricted=None):
        """Tells these in blocks; returns those that it has made."""
        handled, number, blocks = self.run(
            "notify", self.now(), most, self.NOTIFY_MS, *self.TIMING, *restricted_args(restricted),
            len(sids), *sids)
        assert handled == len(sids)
        return [Block(number, *block) for block in blocks]

    def settle_blocks(self, *receipts, pause_ms=0):
        """(client, number) each; returns the sessions that can be told of more."""
        handled, ready = self.run("settle_block", self.now(), self.NOTIFY_MS, pause_ms,
                                  *[part for pair in receipts for part in pair])
        assert handled == len(receipts)
        return ready

    def overtaken(self, told, sids, losers=(), restricted=None):
        """The look after a message that told these of versions; `losers`: that they have lost it all."""
        flat = [part for ref, version in told.items() for part in (ref, version, 1)]
        return self.run("overtaken", self.now(), *restricted_args(restricted), len(flat), *flat,
                        len(sids), len(losers), *sids, *losers)

    def mark(self, sid, ref):
        """(kind, version, version that was sent) of a mark; None if there is none."""
        mark = marks_of(self.redis, sid).get(ref)
        return (mark[0], int(mark[1]), self.versions.get((ref, int(mark[4])), 0)) if mark else None

    def due_in(self, sid, item):
        """Milliseconds until the mark, or "=<messageId>", is due; None if it is not in the list."""
        due = self.redis.zscore(session_key(sid, ":d"), item)
        return None if due is None else int(due) - self.now()

    def books(self):
        return books_of(self.redis)

    def marked(self):
        """The sessions that have marks, as the books know them."""
        return {sid for key in self.redis.scan_iter("{b:*}:m") for sid in self.redis.smembers(key)}
