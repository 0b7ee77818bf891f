"""What stands in Redis, for tests that look behind the scenes or set one.

    books = Books(stack.redis())
    assert books.balance()              # the recount equals the counters

    store = Store(redis)                # a stage for single scripts, without any agent
    sid = store.session("c1")
    store.run("settle", "c1", 1, 0, "u", now, 1, "com.app.mo.Task:t1")
"""

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


def session_of(redis, client_id):
    return redis.get(f"c:{client_id}")


def marks_of(redis, sid):
    """ref -> what is kept of it, split: kind, version, tries, epoch, sends ("" for none)."""
    return {ref: (mark.split(" ") + [""])[:5]
            for ref, mark in redis.hgetall(session_key(sid, ":m")).items()}


def pending_marks(redis):
    """(session, ref) -> (kind, version) of all that somebody must still hear of."""
    found = {}
    for key in redis.scan_iter("{s:*}:m"):
        sid = key[len("{s:"):-len("}:m")]
        for ref, (kind, version, *_) in marks_of(redis, sid).items():
            if kind != "-":
                found[sid, ref] = (kind, int(version))
    return found


def stored_object(redis, ref):
    """field -> JSON text of an object; None if there is none."""
    fields = redis.hgetall(object_key(ref))
    if "@c" not in fields:
        return None
    return {name: value.split(" ", 2)[2] for name, value in fields.items() if name[0] != "@"}


def balance(redis):
    """(the counters' pending, the recount's). Of one moment, so that it can be asked under load."""
    snapshot = redis.pipeline(transaction=True)
    snapshot.hgetall("books").eval(_COUNT_PENDING, 0)
    books, counted = snapshot.execute()
    return _pending(books), counted


def pending_by_books(redis):
    """How many marks the counters say are pending: cheap, whatever there is."""
    return _pending(redis.hgetall("books"))


def _pending(books):
    made, *over = (int(books.get(name, 0)) for name in ("made", "acknowledged", "superseded", "ended"))
    return made - sum(over)


_COUNT_PENDING = """
local count = 0
for _, key in ipairs(redis.call('KEYS', '{s:*}:m')) do
  for _, mark in ipairs(redis.call('HVALS', key)) do
    count = count + (string.sub(mark, 1, 1) ~= '-' and 1 or 0)
  end
end
return count
"""


def script(name):
    """The Lua text of a script, taken from what is compiled into the agent."""
    source = (BUILD / f"agents/sync/script_{name}.c").read_text()
    lines = re.findall(r'^    "(.*)\\n"$', source, re.MULTILINE)
    return "\n".join(line.replace('\\"', '"').replace("\\\\", "\\") for line in lines)


class Store:
    """A Redis database of its own, in which tests put sessions and objects and run scripts."""

    TIMING = (5000, 60000, 900000)  # redelivery: first, most, for sessions that send no receipts
    LEASE_MS = 5000

    def __init__(self, redis):
        self.redis = redis
        self.scripts = {}

    def run(self, name, *args):
        if name not in self.scripts:
            self.scripts[name] = self.redis.register_script(script(name))
        return self.scripts[name](args=list(args))

    def session(self, client, gateway="gateway.1", epoch=1, user="u1", answers=True):
        """A session that is bound; `answers`: it has sent a receipt before."""
        sid = self.redis.incr("s:next")
        self.redis.hset(session_key(sid), mapping={
            "client": client, "gw": gateway, "epoch": epoch, "user": user, "device": "", "me": "",
            "dialect": "activestack", "created": now_ms(), "seen": now_ms(),
            **({"receipts": 1} if answers else {})})
        self.redis.set(f"c:{client}", sid)
        self.redis.sadd(session_key(sid, ":c"), client)
        return str(sid)

    def watch(self, sid, ref):
        self.redis.zadd(object_key(ref, ":w"), {sid: sid})
        self.redis.sadd(session_key(sid, ":w"), ref)

    def object(self, ref, version=1, **fields):
        """An object all of whose fields have this version; values are JSON texts."""
        created = now_ms() - DAY_MS
        self.redis.hset(object_key(ref), mapping={
            "@v": version, "@c": created,
            **{name: f"{version} {created} {text}" for name, text in fields.items()}})

    def change(self, ref, field="title", text='"new"'):
        """A new version of the object; returns it."""
        version = self.redis.hincrby(object_key(ref), "@v", 1)
        self.redis.hset(object_key(ref), field, f"{version} {now_ms()} {text}")
        return version

    def remove(self, ref):
        """Leaves a tombstone; returns its version."""
        version = int(self.redis.hget(object_key(ref), "@v")) + 1
        self.redis.delete(object_key(ref))
        self.redis.hset(object_key(ref), mapping={"@v": version, "@d": now_ms()})
        return version

    def job(self, ref, kind="u", version=1, writer="", complete=1, sets=None):
        """The fan-out that a commit leaves behind; returns its id."""
        job = self.redis.incr("j:next")
        self.redis.hset(job_key(job), mapping={
            "type": "fan-out", "ref": ref, "kind": kind, "version": version,
            "audience": "\n".join(sets or [object_key(ref, ":w")]), "writer": writer,
            "complete": complete, "set": 1, "after": 0})
        self.redis.zadd("jobs", {job: now_ms() + self.LEASE_MS})
        return str(job)

    def fan_out(self, job, place=1, after=0, most=250):
        """One step of the job; place 0 takes it over from a worker that died."""
        return self.run("fan_out", job, place, after, now_ms(), now_ms() + self.LEASE_MS, most,
                        *self.TIMING, 0)

    def tell(self, ref, kind="u", **options):
        """A whole fan-out of the newest version, in one step; returns whom it sends to."""
        version = int(self.redis.hget(object_key(ref), "@v"))
        step = self.fan_out(self.job(ref, kind, version, **options))
        return step[9][0::4]

    def settle(self, client, *refs, kind="u", epoch=1, number=0):
        return self.run("settle", client, epoch, number, kind, now_ms(), len(refs), *refs)

    def redeliver(self, sid, at=None, most=100):
        """What is sent again to the session at this time; (ref, kind, version) of each."""
        answer = self.run("redeliver", sid, at or now_ms(), most, *self.TIMING, 0)
        return [tuple(item[:3]) for item in answer[5]] if answer[0] == "ok" else None

    def overtaken(self, told, sids):
        flat = [part for pair in told.items() for part in pair]
        return self.run("overtaken", now_ms(), len(flat), *flat, len(sids), *sids)

    def mark(self, sid, ref):
        """(kind, version, sends) of a mark; None if there is none."""
        mark = marks_of(self.redis, sid).get(ref)
        return (mark[0], int(mark[1]), mark[4]) if mark else None

    def due_in(self, sid, ref):
        """Milliseconds until the mark is due; None if it is not in the list."""
        due = self.redis.zscore(session_key(sid, ":d"), ref)
        return None if due is None else int(due) - now_ms()

    def books(self):
        return {name: int(value) for name, value in self.redis.hgetall("books").items()}
