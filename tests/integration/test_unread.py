"""A client that reads nothing while very many updates hit few objects (design sections 7 and 17): no
memory grows, and when it reads again it is told each object once.

    TEST_UNREAD_UPDATES=1000000     so many updates
"""

import os
import socket

from benchmarks import request
from client import DEVELOPERS_LOGIN
from rig import Program, resident_kb
from servers import wait_until
from stack import Stack, slow
from store import object_key, stored_object

TASK = "com.app.mo.Task"
UPDATES = int(os.environ.get("TEST_UNREAD_UPDATES", "3000" if slow() else "10000"))
OBJECTS, AGAIN = 100, 10      # AGAIN: objects that may come twice, with a receipt on its way
LARGE = "x" * 4000
IN_FLIGHT, CONNECTIONS = 32, 2
FOREVER = 86400
SETTINGS = {**DEVELOPERS_LOGIN, "log.level": "info", "gateway.max_push_bytes": 200_000,
            "gateway.max_send_age_ms": 1000 * FOREVER, "gateway.ping_interval_ms": 3_600_000,
            "gateway.ping_timeout_ms": 7_200_000, "sync.redelivery_first_ms": 60_000}
SMALL = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)]  # what the reader's kernel takes in
MOST_GROWTH_KB = 4096         # from the middle to the end


def watched_tasks(writer, reader, prefix):
    tasks = [f"{prefix}-{n}" for n in range(OBJECTS)]
    for task in tasks:
        writer.request("createObject", theObject={"cn": TASK, "ID": task, "text": LARGE})
    reader.request("findByIds", theClassIdList=[{"className": TASK, "ids": tasks}])
    return tasks


def versions(redis, tasks):
    """How many updates there have been, with the creations."""
    pipeline = redis.pipeline(transaction=False)
    for task in tasks:
        pipeline.hget(object_key(f"{TASK}:{task}"), "@v")
    return sum(map(int, pipeline.execute()))


def memory_kb(gateway, redis):
    return resident_kb(gateway.pid), redis.info("memory")["used_memory"] // 1024


def load(gateway, prefix):
    """Updates without end."""
    put = request("putObject", theObject={"cn": TASK, "ID": f"{prefix}-@{OBJECTS}@", "title": "@ID@"})
    return Program("ws_load", gateway.port, CONNECTIONS, IN_FLIGHT, FOREVER, '"result":', put)


def write_unread(stack, tasks, prefix):
    """Memory in the middle and at the end of all updates, from when the reader is behind."""
    redis, (first, other) = stack.redis(), stack.gateways

    def reach(count):
        wait_until(lambda: versions(redis, tasks) >= count, 60 + count / 20, f"{count} updates")

    with load(other, prefix):
        wait_until(lambda: first.figure("clients_behind"), 120, "the reader is behind")
        begin = versions(redis, tasks)
        reach(begin + UPDATES // 2)
        middle = memory_kb(first, redis)
        reach(begin + UPDATES)
        end = memory_kb(first, redis)
    wait_until(lambda: redis.zcard("jobs") == 0, 60, "everybody is told")
    return middle, end


def read_all(reader, redis, tasks):
    """Reads, with receipts, until it was told the newest of all; returns the IDs in each frame."""
    newest = {task: stored_object(redis, f"{TASK}:{task}")["title"].strip('"') for task in tasks}
    told, frames = {}, []
    while told != newest:
        push = reader.expect_push(lambda f: "objectList" in f, "the newest of all")
        told.update((o["ID"], o["title"]) for o in push["objectList"])
        frames.append([o["ID"] for o in push["objectList"]])
        reader.send_request("updatesReceived", classIdPairs=[
            {"className": TASK, "ID": o["ID"]} for o in push["objectList"]])
    return frames


def test_what_is_not_read_takes_no_memory_and_comes_once(servers, connect, new_id, capsys):
    prefix = new_id("unread")
    with Stack(servers, gateways=2, sync_agents=2, settings=SETTINGS) as stack:
        gateway, redis = stack.gateways[0], stack.redis()
        reader = connect(gateway, "ben", sockopt=SMALL)
        tasks = watched_tasks(connect(stack.gateways[1], "ada"), reader, prefix)
        middle, end = write_unread(stack, tasks, prefix)
        in_its_queue = gateway.figure("pushes_total")
        frames = read_all(reader, redis, tasks)
        late = sum(map(len, frames[in_its_queue:]))
        with capsys.disabled():
            print(f"\n{versions(redis, tasks)} updates; gateway and Redis: {middle}, {end} kB; sent "
                  f"before it read again: {in_its_queue}, after that: {late} objects")
        # A sanitizer keeps what was freed.
        assert slow() or all(
            after - before < MOST_GROWTH_KB for before, after in zip(middle, end))
        assert late <= OBJECTS + AGAIN
        assert reader.closed is None
