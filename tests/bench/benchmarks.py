"""The benchmarks by name; each prints a table. Only ratios within one run mean anything: absolute
figures depend on the machine and on what else it does."""

import contextlib
import json
import resource
import statistics

from client import Client, class_of
from rig import HEAD, Holder, medians, resident_kb

ROUNDS = 3
DEPTHS = (1, 32, 256)
CONNECTIONS = 32  # over which the load goes, as long as so much is in flight
TASK = "com.app.mo.Task"
GROUPS = ("gateway", "agent", "broker", "redis", "client")
RSS_CONNECTIONS = (2000, 10000)
SPARE_FILES = 200
COUNTED = 300  # requests for a count of the broker's messages


def request(operation, **members):
    """A request as the load programs take it; they fill in @ID@ and @SLOT@."""
    return json.dumps({"cn": class_of(operation), "messageId": "@ID@", **members},
                      separators=(",", ":"))


def task(name, **fields):
    return {"cn": TASK, "ID": f"bench-{name}", **fields}


def put(name):
    return request("putObject", theObject=task(name, title="@ID@"))


def find(name):
    return request("findById", theClassName=TASK, theClassId=f"bench-{name}")


def logged_in(rig):
    client = Client(rig.gateway.url).connect()
    client.login("anonymous", "")
    return client


def create(rig, *names):
    """Makes objects that nobody watches: whoever made them is gone."""
    with logged_in(rig) as client:
        for name in names:
            answer = client.request("createObject", theObject=task(name, title="bench"))
            assert answer.get("result"), f"not created: {answer}"
        client.send_request("logout")
        client.expect_close()


def read(client, name):
    return client.request("findById", theClassName=TASK, theClassId=f"bench-{name}")


# ---- requests

class Requests:
    """findById of one object through the gateway, beside two pairs of plain AMQP clients."""

    EXPECTED = '"ID":"bench-read"'

    def __init__(self, rig, seconds, clients, responder, answer):
        self.rig, self.seconds, self.clients = rig, seconds, clients
        self.answer = answer
        self.ways = {
            "gateway": lambda depth: rig.through_gateway(min(depth, CONNECTIONS), *self.load(depth)),
            "AMQP + agent": lambda depth: self.amqp("findById", depth),
            "AMQP + echo": lambda depth: self.amqp("bench-echo", depth, responder.pid),
        }

    def load(self, depth):
        return depth, self.seconds, self.EXPECTED, find("read")

    def amqp(self, queue, depth, agent=None):
        return self.rig.over_amqp(queue, [c.client_id for c in self.clients], self.load(depth), agent)

    def run(self):
        print(f"\nrequests: findById of one object, {len(self.answer)} bytes of answer; medians of "
              f"{ROUNDS} interleaved rounds of {self.seconds} s; {len(self.rig.stack.sync_agents)} "
              "sync agent(s) of 2 workers\n")
        print(f"{'in flight':>9}  {'through':<22}{'requests/s':>10}{'p50 us':>8}{'p95':>8}{'p99':>8}"
              f"   CPU us: " + "".join(f"{g:>9}" for g in GROUPS))
        for depth in DEPTHS:
            self.table(depth, self.rounds(depth))
        messages = self.rig.broker_messages(
            lambda: [read(self.clients[0], "read") for _ in range(COUNTED)])
        print(f"broker messages per request: {messages / COUNTED:.2f}")

    def rounds(self, depth):
        results = {way: [] for way in self.ways}
        for _ in range(ROUNDS):
            for way, run in self.ways.items():
                results[way].append(run(depth))
        return results

    def table(self, depth, results):
        for way, rounds in results.items():
            row = medians(rounds)
            print(f"{depth:9}  {way:<22}{row['rate']:10.0f}"
                  + "".join(f"{row[p]:8.0f}" for p in HEAD[1:]) + " " * 11
                  + "".join(f"{row['cpu'][g]:9.1f}" for g in GROUPS), flush=True)
        for way in list(results)[1:]:
            pairs = list(zip(results["gateway"], results[way]))
            rate = statistics.median(g["rate"] / o["rate"] for g, o in pairs)
            late = statistics.median(g["p50"] - o["p50"] for g, o in pairs)
            print(f"{'':9}  gateway / {way:<12}{rate:10.2f}{late:+8.0f}")
        print(f"{'':9}  gateway's threads: {threads(results['gateway'])}\n")


def threads(rounds):
    """CPU microseconds per request of those that did anything."""
    cpu = medians(rounds)["cpu"]
    return "  ".join(f"{cpu[name]:.1f}" for name in cpu if name.startswith("thread") and cpu[name] > 0.05)


def requests(rig, seconds):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(logged_in(rig)) for _ in range(CONNECTIONS)]
        create(rig, "read")
        answer = json.dumps(read(clients[0], "read"), separators=(",", ":"))
        responder = stack.enter_context(rig.responder("bench-echo", answer))
        Requests(rig, seconds, clients, responder, answer).run()


# ---- idle

def idle(rig, _seconds):
    """Resident memory of the gateway for each connection that is logged in and does nothing."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_FILES
    with contextlib.ExitStack() as stack:
        create(rig, "idle")
        start, holders, count = resident_kb(rig.gateway.pid), [], 0
        print(f"\nidle: resident memory of the gateway, {start} kB without connections\n")
        print(f"{'connections':>11}{'kB each':>9}{'after one request each':>24}")
        for target in RSS_CONNECTIONS:
            if target > files:
                print(f"{target:11}  skipped: only {files} files may be open")
                continue
            holders.append(stack.enter_context(Holder(rig, target - count)))
            count = target
            quiet = resident_kb(rig.gateway.pid)
            for holder in holders:
                holder.request(find("idle").replace("@ID@", f"idle-{count}"))
            print(f"{count:11}{(quiet - start) / count:9.2f}"
                  f"{(resident_kb(rig.gateway.pid) - start) / count:24.2f}", flush=True)


# ---- writes

def writes(rig, seconds):
    """putObject at 32 in flight, each on an object of its own, with and without a watcher."""
    print(f"\nwrites: putObject, {CONNECTIONS} in flight over {CONNECTIONS} connections; medians of "
          f"{ROUNDS} rounds of {seconds} s\n\n"
          "A watcher is told of the newest state only, so under load not of every update. Broker\n"
          "messages are of one update at a time, with the watcher's receipt.\n")
    print(f"{'watchers':>8}{'updates/s':>11}{'p50 us':>8}{'p95':>8}{'p99':>8}   CPU us: "
          + "".join(f"{g:>9}" for g in GROUPS) + f"{'pushes/update':>15}{'messages/update':>17}")
    for watchers in (0, 1):
        rounds, pushes = zip(*(watched_load(rig, watchers, seconds, n) for n in range(ROUNDS)))
        row = medians(rounds)
        print(f"{watchers:8}{row['rate']:11.0f}" + "".join(f"{row[p]:8.0f}" for p in HEAD[1:])
              + " " * 11 + "".join(f"{row['cpu'][g]:9.1f}" for g in GROUPS)
              + f"{statistics.median(pushes):15.2f}{messages_per_update(rig, watchers):17.2f}",
              flush=True)


def watched_load(rig, watchers, seconds, number):
    """Figures of the load, and pushes per update. Objects that no earlier watcher knows."""
    names = [f"load-{watchers}-{number}-{slot}" for slot in range(CONNECTIONS)]
    create(rig, *names)
    with contextlib.ExitStack() as stack:
        holders = [stack.enter_context(Holder(rig, 1)) for _ in range(watchers)]
        for holder in holders:
            for name in names:
                holder.request(find(name).replace("@ID@", name))
        figures = rig.through_gateway(CONNECTIONS, CONNECTIONS, seconds, '"result":true',
                                      put(f"load-{watchers}-{number}-@SLOT@"))
        return figures, sum(h.pushes() for h in holders) / figures["total"]


def messages_per_update(rig, watchers):
    name = f"count-{watchers}"
    create(rig, name)
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(logged_in(rig))
        watching = [stack.enter_context(logged_in(rig)) for _ in range(watchers)]
        for client in watching:
            read(client, name)

        def update(number):
            title = f"update {number}"
            assert writer.request("putObject", theObject=task(name, title=title))["result"]
            for client in watching:
                client.expect_update(f"bench-{name}", title=title)
                client.acknowledge((TASK, f"bench-{name}"))

        return rig.broker_messages(lambda: [update(n) for n in range(COUNTED)]) / COUNTED


BENCHMARKS = {"requests": requests, "idle": idle, "writes": writes}
