"""children: what it costs to keep the children of an object in order, among 100 and among 100,000."""

import functools
import json
import statistics

from benchmarks import logged_in, request, rounds_of
from by_hand import Operator
from client import pair
from rig import SETTINGS, Rig, medians
from servers import wait_until
from stack import Stack
from store import now_ms, object_key

FEW, MANY = 100, 100_000
PER_IMPORT = 500
SLOW_US = 500    # what held Redis for so long is kept
IN_FLIGHT = 256
CONNECTIONS = 32
TREES = {"few": FEW, "many": MANY, "unseen": FEW}  # nobody asks for a view of the last


def cn(name):
    return "com.bench." + name


def model():
    """A Node is a child of its Tree; a Free is the same, but nobody's child."""
    everybody = {action: "signedIn" for action in ("read", "create", "update", "remove")}
    thing = {"fields": {"name": {"type": "string"}, "tree": {"type": "toOne", "target": cn("Tree")}},
             "access": everybody}
    return {"classes": {
        cn("Person"): {"anchor": "userId",
                       "fields": {"userId": {"type": "string", "readOnly": True}}},
        cn("Node"): {"type": "node", "summary": ["name"], **thing},
        cn("Free"): thing,
        cn("Tree"): {
            "type": "tree", "access": everybody,
            "fields": {"nodes": {"type": "toMany", "target": cn("Node"), "inverse": "tree"}},
            "children": {"relation": "nodes", "views": {
                "asc": {"size": 50, "order": [{"by": "name"}]}}}}}}


# ---- The store

def add(operator, objects):
    for start in range(0, len(objects), PER_IMPORT):
        answer = operator.ask("importObjects", {"objects": objects[start:start + PER_IMPORT]})
        assert answer["refused"] == [], answer


def fill(operator):
    add(operator, [{"cn": cn("Tree"), "ID": tree} for tree in TREES])
    for tree, count in TREES.items():
        add(operator, [{"cn": cn("Node"), "ID": f"{tree}{n}", "name": str(n * 7919 % count),
                        "tree": pair(cn("Tree"), tree)} for n in range(count)])
    add(operator, [{"cn": cn("Free"), "ID": f"free{n}", "name": str(n),
                    "tree": pair(cn("Tree"), "few")} for n in range(FEW)])


# ---- Building

def build_view(rig, operator, client, tree):
    """Asks for the first page until the view is built."""
    frame = {"type": "request", "id": "1", "cls": "get_children", "data": {
        "key": {"type": "tree", "id": tree}, "view": "asc", "page": 1}}
    operator.send("get_children", frame, message_id="1", reply=False, headers={
        "client": client.client_id, "user": client.user_id, "dialect": "content"})
    views, unfinished = (object_key(cn("Tree") + ":" + tree, part) for part in (":vs", ":va"))
    wait_until(lambda: rig.redis.exists(views) and not rig.redis.exists(unfinished), 300,
               f"the view of {tree} is built")
    assert rig.redis.zcard(object_key(cn("Tree") + ":" + tree, ":v:asc")) == TREES[tree]


def redis_cpu_ms(redis):
    cpu = redis.info("cpu")
    return (cpu["used_cpu_user_main_thread"] + cpu["used_cpu_sys_main_thread"]) * 1000


def evaluations(redis):
    return redis.info("commandstats")["cmdstat_evalsha"]["calls"]


def build(rig, operator):
    """Has both views built; prints what the large one has cost."""
    with logged_in(rig) as client:
        build_view(rig, operator, client, "few")
        rig.redis.slowlog_reset()
        cpu, calls = redis_cpu_ms(rig.redis), evaluations(rig.redis)
        build_view(rig, operator, client, "many")
        cpu, calls = redis_cpu_ms(rig.redis) - cpu, evaluations(rig.redis) - calls
        held = sorted(entry["duration"] / 1000 for entry in rig.redis.slowlog_get(10000))
    print(f"building a view of {MANY:,} children: {cpu:.0f} ms of Redis's processor in {calls} scripts, "
          f"{cpu / calls:.2f} ms each; by the clock these held it for {statistics.median(held):.1f} ms, "
          f"one of a hundred for {held[len(held) * 99 // 100]:.1f} ms or more")


# ---- Writes

def put(class_name, group, count):
    """A new name each; all of one time, so that none is older than another."""
    changed = {"cn": cn(class_name), "ID": f"{group}@{count}@", "name": "@ID@"}
    return request("putObject", theObject=changed, putTimestamp=now_ms())


def ways(rig, seconds):
    def through_gateway(*asked):
        return rig.through_gateway(CONNECTIONS, IN_FLIGHT, seconds, '"result":true', put(*asked))

    return {
        "nobody's child": functools.partial(through_gateway, "Free", "free", FEW),
        "a child, of whom no view is built": functools.partial(through_gateway, "Node", "unseen", FEW),
        f"one moves among {FEW}": functools.partial(through_gateway, "Node", "few", FEW),
        f"one moves among {MANY:,}": functools.partial(through_gateway, "Node", "many", MANY),
    }


def show(results):
    print(f"\n{'putObject of a name':<36}{'requests/s':>10}   CPU us:{'agent':>9}{'redis':>9}"
          f"{'scripts':>9}{'ratio':>8}")
    first = next(iter(results.values()))
    for way, rounds in results.items():
        row = medians(rounds)
        ratio = statistics.median(r["cpu"]["redis"] / f["cpu"]["redis"] for r, f in zip(rounds, first))
        print(f"{way:<36}{row['rate']:10.0f}{'':10}" + "".join(
            f"{row['cpu'][clock]:9.1f}" for clock in ("agent", "redis", "scripts")) + f"{ratio:8.2f}")
    few, many = list(results.values())[2:]
    ratio = statistics.median(m["cpu"]["redis"] / f["cpu"]["redis"] for f, m in zip(few, many))
    print(f"one move among {MANY:,} takes {ratio:.2f} of Redis's time of one among {FEW}")


def children(outer, seconds):
    """Builds views and moves children in them."""
    path = outer.stack.folder / "children.json"
    path.write_text(json.dumps(model()))
    with Stack(outer.servers, settings={**SETTINGS, "model.file": path}) as stack:
        rig, operator = Rig(outer.servers, stack), Operator(stack)
        rig.redis.config_set("auto-aof-rewrite-percentage", 0)
        rig.redis.config_set("slowlog-log-slower-than", SLOW_US)
        rig.redis.config_set("slowlog-max-len", 10000)
        print(f"\nchildren: an object with {FEW}, and one with {MANY:,}; {IN_FLIGHT} requests in flight, "
              f"rounds of {seconds} s\n")
        rig.redis.config_set("appendfsync", "no")  # the disk is not what we measure
        fill(operator)
        build(rig, operator)
        rig.redis.config_set("appendfsync", "always")
        show(rounds_of(ways(rig, seconds)))
        operator.connection.close()
