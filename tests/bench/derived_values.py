"""watchers: what a write costs where a model has watchers, and where a value depends on what is written."""

import functools
import json
import statistics

from benchmarks import logged_in, request, rounds_of
from by_hand import Operator
from client import pair
from rig import SETTINGS, Rig, medians
from stack import Stack
from store import now_ms

COUNT = 100
IN_FLIGHT = 256
CONNECTIONS = 32


def cn(name):
    return "com.bench." + name


def model(has_watchers):
    """The last title of a Project is that of its Tasks."""
    everybody = {action: "signedIn" for action in ("read", "create", "update", "remove")}
    project = {"fields": {"tasks": {"type": "toMany", "target": cn("Task"), "inverse": "project"}},
               "access": everybody}
    if has_watchers:
        project["watchers"] = {"last": {"value": "max", "of": ["tasks"], "field": "title"}}
    return {"classes": {
        cn("Person"): {"anchor": "userId",
                       "fields": {"userId": {"type": "string", "readOnly": True}}},
        cn("Project"): project,
        cn("Task"): {"fields": {"title": {"type": "string"}, "text": {"type": "string"},
                                "project": {"type": "toOne", "target": cn("Project")}},
                     "access": everybody}}}


def stack_of(outer, name, has_watchers):
    path = outer.stack.folder / f"{name}.json"
    path.write_text(json.dumps(model(has_watchers)))
    return Stack(outer.servers, settings={**SETTINGS, "model.file": path})


def fill(stack):
    """Tasks that are watched by their projects, and such that are not."""
    operator = Operator(stack)
    for group in ("watched", "alone"):
        answer = operator.ask("importObjects", {"objects": [
            o for n in range(COUNT) for o in (
                {"cn": cn("Project"), "ID": f"{group}{n}"},
                {"cn": cn("Task"), "ID": f"{group}{n}", "project": pair(cn("Project"), f"{group}{n}")})]})
        assert answer["refused"] == [], answer
    operator.connection.close()


def watch(client):
    for n in range(COUNT):
        answer = client.request("getChangeWatcher", classIdPair=pair(cn("Project"), f"watched{n}"),
                                fieldName="last")
        assert answer["value"] is None, answer


def put(group, field):
    """A new text each; all of one time, so that none is older than another."""
    changed = {"cn": cn("Task"), "ID": f"{group}@{COUNT}@", field: "@ID@"}
    return request("putObject", theObject=changed, putTimestamp=now_ms())


def ways(plain, watching, seconds):
    def through_gateway(rig, *asked):
        return rig.through_gateway(CONNECTIONS, IN_FLIGHT, seconds, '"result":true', put(*asked))

    return {
        "the model has no watchers": functools.partial(through_gateway, plain, "alone", "title"),
        "no value depends on the object": functools.partial(through_gateway, watching, "alone", "title"),
        "one depends on another field": functools.partial(through_gateway, watching, "watched", "text"),
        "one depends on the field": functools.partial(through_gateway, watching, "watched", "title"),
    }


def show(results):
    print(f"\n{'putObject of a text':<36}{'requests/s':>10}   CPU us:{'agent':>9}{'redis':>9}"
          f"{'scripts':>9}{'ratio':>8}")
    first = next(iter(results.values()))
    for way, rounds in results.items():
        row = medians(rounds)
        ratio = statistics.median(r["cpu"]["redis"] / f["cpu"]["redis"] for r, f in zip(rounds, first))
        print(f"{way:<36}{row['rate']:10.0f}{'':10}" + "".join(
            f"{row['cpu'][clock]:9.1f}" for clock in ("agent", "redis", "scripts")) + f"{ratio:8.2f}")


def derived_values(outer, seconds):
    """The ratio is that of Redis's time to its time where the model has no watchers."""
    with stack_of(outer, "plain", False) as plain, stack_of(outer, "watching", True) as watching:
        for stack in (plain, watching):
            fill(stack)
        rigs = [Rig(outer.servers, stack) for stack in (plain, watching)]
        print(f"\nwatchers: {COUNT} values; {IN_FLIGHT} requests in flight, rounds of {seconds} s")
        with logged_in(rigs[1]) as client:
            watch(client)
            show(rounds_of(ways(*rigs, seconds)))
