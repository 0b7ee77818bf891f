"""returns: what a return costs whoever watches little or much, and many clients that return at once."""

import contextlib
import statistics

from asking import put
from benchmarks import ROUNDS, TASK, create, find, logged_in
from rig import Holder
from servers import wait_until
from store import object_key, session_key

FEW, MANY = 10, 100_000      # objects that a returning client watches
CLIENTS, TIMES = 10, 100     # so many return at once, so often, in each round
CROWD, CHANGED = 5000, 10    # clients that return at once, and objects that changed meanwhile
PER_STEP = 5000


def watch(redis, holder, name, count):
    """The holder's sessions watch so many objects, as if they had read them."""
    sids = sessions_of(redis, holder)
    for start in range(0, count, PER_STEP):
        refs = [f"{TASK}:{name}-{n}" for n in range(start, min(start + PER_STEP, count))]
        pipeline = redis.pipeline(transaction=False)
        for ref in refs:
            pipeline.zadd(object_key(ref, ":w"), {sid: sid for sid in sids})
        for sid in sids:
            pipeline.sadd(session_key(sid, ":w"), *refs)
        pipeline.execute()


def sessions_of(redis, holder):
    """The numbers of the newest sessions, which are the holder's."""
    return redis.zrange("sessions", -holder.count, -1)


def redis_us(redis):
    """CPU time of the thread that serves."""
    cpu = redis.info("cpu")
    return 1e6 * (cpu["used_cpu_user_main_thread"] + cpu["used_cpu_sys_main_thread"])


def cost(redis, holder):
    """CPU time of Redis for a return, in us."""
    before = redis_us(redis)
    for _ in range(TIMES):
        holder.drop()
        holder.come_back()
    return (redis_us(redis) - before) / TIMES / holder.count


def by_watched(rig):
    with contextlib.ExitStack() as stack:
        holders = {count: stack.enter_context(Holder(rig, CLIENTS)) for count in (FEW,)}
        watch(rig.redis, holders[FEW], "few", FEW)
        holders[MANY] = stack.enter_context(Holder(rig, CLIENTS))
        watch(rig.redis, holders[MANY], "many", MANY)
        rounds = [{count: cost(rig.redis, holder) for count, holder in holders.items()}
                  for _ in range(ROUNDS)]
    print(f"\nreturns: CPU time of Redis for a return when nothing has changed, medians of {ROUNDS} "
          f"interleaved rounds\nof {CLIENTS * TIMES} returns\n\n{'watched objects':>15}{'us':>8}")
    for count in (FEW, MANY):
        print(f"{count:15,}{statistics.median(r[count] for r in rounds):8.0f}")
    ratio = statistics.median(r[MANY] / r[FEW] for r in rounds)
    print(f"{'ratio':>15}{ratio:8.2f}", flush=True)


def pending(redis, sids):
    """How many marks they have."""
    pipeline = redis.pipeline(transaction=False)
    for sid in sids:
        pipeline.hlen(session_key(sid, ":m"))
    return sum(pipeline.execute())


def at_once(rig, count=CROWD, changed=CHANGED):
    """(CPU times, what the holder says) of so many clients that return when objects have changed."""
    names = [f"back-{n}" for n in range(changed)]
    create(rig, *names)
    with Holder(rig, count) as holder:
        sids = sessions_of(rig.redis, holder)
        for name in names:
            holder.request(find(name).replace("@ID@", name))
        holder.drop()
        change(rig, names)
        spent, back = rig.spent(holder.pid, holder.come_back)
        assert back["told"] == changed, f"not all was told before the ConnectResponse: {back}"
        wait_until(lambda: pending(rig.redis, sids) == 0, 120, "all is acknowledged")
    return spent, back


def change(rig, names):
    with logged_in(rig) as writer:
        for name in names:
            assert put(writer, TASK, f"bench-{name}", title="meanwhile")["result"]


def returns(rig, _seconds):
    """Both tables."""
    by_watched(rig)
    spent, back = at_once(rig)
    print(f"\nreturns: {CROWD:,} clients return at once and are told of {CHANGED} objects each: all "
          f"there after {back['ms'] / 1000:.1f} s,\n{back['again']} of them in a second try, nothing "
          f"missed. CPU time meanwhile, in s:\n")
    for who, us in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"{who:>15}{us / 1e6:8.1f}")
