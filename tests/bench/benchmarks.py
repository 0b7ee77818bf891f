"""The benchmarks by name; each prints a table.

Only ratios within one run mean anything: absolute figures depend on the machine, and rates and
latencies also on what else it does. CPU times, per request, are the steadiest.
"""

import contextlib
import json
import resource
import statistics

from client import Client, class_of
from rig import HEAD, Holder, medians, resident_kb

ROUNDS = 5
DEPTHS = (1, 32, 256)
CONNECTIONS = 32  # over which the load goes, as long as so much is in flight
TASK = "com.app.mo.Task"
GROUPS = ("gateway", "agent", "broker", "redis", "client", "all")
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
    client.login_as_developer()
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


# ---- Columns that several tables share

HEADINGS = (f"{'p50 us':>8}{'p95':>8}{'p99':>8}   CPU us:"
            + "".join(f"{group:>9}" for group in GROUPS))


def columns(row):
    return ("".join(f"{row[name]:8.0f}" for name in HEAD[1:]) + " " * 10
            + "".join(f"{row['cpu'][group]:9.1f}" for group in GROUPS))


# ---- requests

EXPECTED = '"ID":"bench-read"'


def requests(rig, seconds):
    """findById of one object through the gateway, beside two pairs of plain AMQP clients."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(logged_in(rig)) for _ in range(CONNECTIONS)]
        create(rig, "read")
        answer = json.dumps(read(clients[0], "read"), separators=(",", ":"))
        echo = stack.enter_context(rig.responder("bench-echo", answer))
        print(f"\nrequests: findById of one object, {len(answer)} bytes of answer; medians of {ROUNDS} "
              f"interleaved rounds of {seconds} s; {len(rig.stack.sync_agents)} sync agent(s)\n\n"
              f"{'in flight':>9}  {'through':<22}{'requests/s':>10}{HEADINGS}")
        for depth in DEPTHS:
            load = depth, seconds, EXPECTED, find("read")
            show_requests(depth, rounds_of(ways_to_ask(rig, clients, echo, load)))
        messages = rig.broker_messages(lambda: [read(clients[0], "read") for _ in range(COUNTED)])
        print(f"broker messages per request: {messages / COUNTED:.2f}")


def ways_to_ask(rig, clients, echo, load):
    """What is compared: the gateway, the first, with what does without it."""
    ids = [client.client_id for client in clients]
    return {
        "gateway": lambda: rig.through_gateway(min(load[0], CONNECTIONS), *load),
        "AMQP + agent": lambda: rig.over_amqp("findById", ids, load),
        "AMQP + echo": lambda: rig.over_amqp("bench-echo", ids, load, echo.pid),
    }


def rounds_of(ways):
    """Turn by turn, so that what else the machine does meets all of them."""
    results = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, run in ways.items():
            results[way].append(run())
    return results


def show_requests(depth, results):
    for way, rounds in results.items():
        row = medians(rounds)
        print(f"{depth:9}  {way:<22}{row['rate']:10.0f}{columns(row)}")
    (_, ours), *others = results.items()
    for way, theirs in others:
        rate = statistics.median(o["rate"] / t["rate"] for o, t in zip(ours, theirs))
        late = statistics.median(o["p50"] - t["p50"] for o, t in zip(ours, theirs))
        cpu = statistics.median(o["cpu"]["all"] / t["cpu"]["all"] for o, t in zip(ours, theirs))
        print(f"{'':9}  gateway / {way:<12}{rate:10.2f}{late:+8.0f}{cpu:{len(HEADINGS) - 8}.2f}")
    print(f"{'':9}  the gateway's threads: {threads(medians(ours)['cpu'])}\n", flush=True)


def threads(cpu):
    """Those that did anything."""
    return ", ".join(f"{name.split()[1]} {us:.1f} us" for name, us in cpu.items()
                     if name.startswith("thread") and us > 0.05)


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
          "A watcher is told of the newest state only, so under load not of every update. The broker's\n"
          "messages are counted of one update at a time, with the receipt.\n")
    print(f"{'watchers':>8}{'updates/s':>11}{HEADINGS}{'pushes/update':>15}{'messages/update':>17}")
    for watchers in (0, 1):
        rounds, pushes = zip(*(watched_load(rig, watchers, seconds, n) for n in range(ROUNDS)))
        row = medians(rounds)
        print(f"{watchers:8}{row['rate']:11.0f}{columns(row)}{statistics.median(pushes):15.2f}"
              f"{messages_per_update(rig, watchers):17.2f}", flush=True)


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
