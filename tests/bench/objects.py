"""objects: what a request costs in a class with 10 objects, and in one with 1,000,000."""

import functools
import json
import statistics
from collections import namedtuple

from asking import count_all, create, remove
from benchmarks import ROUNDS, logged_in, request, rounds_of
from fill import PER_GROUP, expect_alike, fields, fill
from rig import SETTINGS, Rig, medians
from servers import wait_until
from stack import Stack
from store import now_ms

FEW, MANY = PER_GROUP, 1_000_000
SMALL_CLASSES = 20  # with FEW objects each, so that there is enough to be read for the first time
IN_FLIGHT = 256     # each over a connection of its own
PAGE = 5
MADE = "made"       # group of what the load has created
SLOW_US = 500       # what held Redis for so long is kept

# `any_cn`: one of several such classes, as the load programs take it.
Side = namedtuple("Side", "cn any_cn objects")
SIDES = {"few": Side("com.bench.Few0", f"com.bench.Few@{SMALL_CLASSES}@", FEW),
         "many": Side("com.bench.Many", "com.bench.Many", MANY)}


def model():
    everybody = {action: "signedIn" for action in ("read", "create", "update", "remove")}
    thing = {"fields": {"title": {"type": "string"}, "number": {"type": "integer"},
                        "group": {"type": "string"}},
             "indexes": [{"fields": ["group"]}], "access": everybody}
    names = [f"com.bench.Few{n}" for n in range(SMALL_CLASSES)] + ["com.bench.Many"]
    return {"classes": {
        "com.bench.Person": {"anchor": "userId",
                             "fields": {"userId": {"type": "string", "readOnly": True}}},
        **{name: thing for name in names}}}


# ---- What is asked: a text in the answer, and the requests that are sent in turn

def find_by_id(class_name, number):
    return '"result":{', [request("findById", theClassName=class_name, theClassId=number)]


def find_by_example(side):
    return '"group":"0"', [request("findByExample", theObject={"cn": side.cn, "group": "0"})]


def page(side, number):
    """The number goes out without quotes, though it is a mark at first."""
    asked = request("getAllByName", theClassName=side.cn, pageSize=PAGE, returnTotal=True,
                    pageNumber=f"<{number}>")
    return f'"pageSize":{PAGE}', [asked.replace('"<', "").replace('>"', "")]


def count(side):
    return '"result":[{', [request("countAllByName", classNames=[side.cn])]


def put(side):
    """A new title each, of any object; all of one time, so that none is older than another."""
    changed = {"cn": side.any_cn, "ID": f"@{side.objects}@", "title": "@ID@"}
    return '"result":true', [request("putObject", theObject=changed, putTimestamp=now_ms())]


def create_and_remove(side):
    made = {"cn": side.cn, "ID": "@ID@", "title": "@ID@", "number": 1, "group": MADE}
    pair = {"className": side.cn, "ID": "@LAST@"}
    return '"result":true', [request("createObject", theObject=made),
                             request("removeObject", removePair=pair)]


# Writes first: whoever has read an object would be told of them.
ASKED = {
    "putObject, any": put,
    "createObject, removeObject": create_and_remove,
    "findById, any for the first time": lambda side: find_by_id(side.any_cn, f"@{side.objects}@"),
    "findById, the same 10 objects": lambda side: find_by_id(side.cn, f"@{FEW}@"),
    "findByExample that finds 10": find_by_example,
    "countAllByName": count,
    "getAllByName, first page": lambda side: page(side, 0),
    "getAllByName, page in the middle": lambda side: page(side, side.objects // PAGE // 2),
    "getAllByName, last page": lambda side: page(side, side.objects // PAGE - 1),
    "getAllByName, any page": lambda side: page(side, f"@{side.objects // PAGE}@"),
}


# ---- The store

def prepare(redis):
    """Redis tells what held it, and does not write its file anew while we measure."""
    redis.config_set("auto-aof-rewrite-percentage", 0)
    redis.config_set("slowlog-log-slower-than", SLOW_US)
    redis.config_set("slowlog-max-len", 10000)


def check_fill(rig, redis):
    """What is filled in is what the agents write."""
    class_name = "com.bench.Few0"
    with logged_in(rig) as client:
        assert create(client, class_name, str(FEW), **fields(FEW))["result"]
        client.send_request("logout")
        client.expect_close()
    expect_alike(redis, f"{class_name}:0", f"{class_name}:{FEW}")
    with logged_in(rig) as client:
        assert remove(client, class_name, str(FEW))["result"]


def fill_all(rig, redis):
    """Returns the memory of Redis for each of the many objects, in bytes."""
    for number in range(SMALL_CLASSES):
        fill(redis, f"com.bench.Few{number}", 0, FEW)
    check_fill(rig, redis)
    before = redis.info("memory")["used_memory"]
    fill(redis, "com.bench.Many", 0, MANY)
    return (redis.info("memory")["used_memory"] - before) / MANY


# ---- Measuring

def measured(rig, side, asked, seconds):
    expected, requests = asked
    rig.redis.slowlog_reset()
    figures = rig.through_gateway(IN_FLIGHT, IN_FLIGHT, seconds, expected, *requests)
    figures["held"] = max((entry["duration"] for entry in rig.redis.slowlog_get(10000)), default=0)
    remove_made(rig, side)
    return figures


def remove_made(rig, side):
    """What the load has created and not removed when its time was over."""
    with logged_in(rig) as client:
        def is_as_before():
            example = {"cn": side.cn, "group": MADE}
            for thing in client.request("findByExample", theObject=example)["result"]:
                remove(client, side.cn, thing["ID"])
            return count_all(client, side.cn) == [{side.cn: side.objects}]

        wait_until(is_as_before, 60, f"{side.cn} has as many objects as before")


def show(name, results):
    few, many = results["few"], results["many"]
    line = f"{name:<34}"
    for rounds in (few, many):
        line += f"{statistics.median(r['rate'] for r in rounds):8.0f}"
    line += f"{ratio(few, many, lambda r: r['rate']):7.2f}"
    for clock in ("agent", "redis", "scripts"):
        costs = [medians(rounds)["cpu"][clock] for rounds in (few, many)]
        line += f"{costs[0]:10.1f}{costs[1]:8.1f}{ratio(few, many, lambda r: r['cpu'][clock]):6.2f}"
    print(line + "".join(f"{held(rounds):>9}" for rounds in (few, many)), flush=True)


def ratio(few, many, figure):
    """Of rounds that ran one after the other."""
    return statistics.median(figure(m) / figure(f) for f, m in zip(few, many))


def held(rounds):
    """The longest time in ms for which one command of a round held Redis, the median of rounds."""
    longest = statistics.median(r["held"] for r in rounds)
    return f"{longest / 1000:.1f}" if longest else f"<{SLOW_US / 1000:.1f}"


def objects(outer, seconds):
    """Reads and writes in a class with 10 objects beside those in a class with 1,000,000."""
    path = outer.stack.folder / "objects.json"
    path.write_text(json.dumps(model()))
    with Stack(outer.servers, settings={**SETTINGS, "model.file": path}) as stack:
        rig = Rig(outer.servers, stack)
        prepare(rig.redis)
        each = fill_all(rig, rig.redis)
        print(f"\nobjects: requests in a class with {FEW} objects and in one with {MANY:,}, {IN_FLIGHT} "
              f"in flight over as many\nconnections; medians of {ROUNDS} interleaved rounds of {seconds} "
              f"s. Each object takes {each:.0f} bytes of Redis.\n\n"
              "Held: the longest time that a command of a round held Redis, by the clock, so also while\n"
              f"others had the processor.\n\n{'':<34}{'requests/s':>16}{'':7}{'agent CPU us':>24}"
              f"{'Redis CPU us':>24}{'us in scripts':>24}{'held, ms':>18}\n"
              f"{'':<34}{'few':>8}{'many':>8}{'ratio':>7}"
              + f"{'few':>10}{'many':>8}{'ratio':>6}" * 3 + f"{'few':>9}{'many':>9}")
        for name, ask in ASKED.items():
            show(name, rounds_of({key: functools.partial(measured, rig, side, ask(side), seconds)
                                  for key, side in SIDES.items()}))
