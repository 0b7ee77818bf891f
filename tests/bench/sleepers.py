"""processes: does findById become slower while processes run that take long?

Some sleep in threads of the agent itself, as plug-ins; the calls of others wait for workers.
"""

import contextlib
import statistics
import threading

from benchmarks import CONNECTIONS, create, find, logged_in
from processes import ask
from rig import SETTINGS, Rig, medians
from servers import wait_until
from stack import BUILD, Stack
from workers import Worker

ROUNDS = 3
COUNT = 16     # plug-ins that sleep, and calls that wait
IN_FLIGHT = 32
FIGURES = ("rate", "p50", "p95", "p99")
SPARE_S = 5    # in which sleepers begin, and a round ends


def declared(sleep_s):
    deadline = {"run": "signedIn", "deadlineMs": (sleep_s + 60) * 1000}
    return {"processes": {"nap": deadline, "sleep": {**deadline, "plugin": "trial", "threads": COUNT}}}


class Sleepers:
    """Processes that are under way for as long as the rounds last."""

    def __init__(self, rig, sleep_s):
        self.rig, self.sleep_s = rig, sleep_s

    @contextlib.contextmanager
    def asleep(self):
        woken = threading.Event()
        napping = Worker(self.rig.stack, "nap", lambda call: (woken.wait(self.sleep_s), call.reply(1)))
        with logged_in(self.rig) as client, napping:
            messages = [ask(client, "sleep", f"sleep {self.sleep_s * 1000}") for _ in range(COUNT)]
            naps = [ask(client, "nap") for _ in range(COUNT)]
            redis = self.rig.stack.redis()
            wait_until(lambda: redis.zcard("processes") == 2 * COUNT, SPARE_S, "all are under way")
            yield
            assert redis.zcard("processes") == 2 * COUNT, "some have woken before the round was over"
            woken.set()
            for message in messages + naps:
                assert client.expect(lambda f, m=message: f.get("correspondingMessageId") == m,
                                     "an answer", self.sleep_s + SPARE_S)["result"]


def sleepers(outer, seconds, sleep_s):
    sleep_s = max(sleep_s, seconds + SPARE_S)
    settings = {**SETTINGS, "process.plugin_dir": BUILD / "tests/support/plugins"}
    with Stack(outer.servers, processes=declared(sleep_s), settings=settings) as stack:
        rig, results = Rig(outer.servers, stack), {"nothing runs": [], "they sleep": []}
        create(rig, "read")

        def measure(way):
            results[way].append(rig.through_gateway(
                CONNECTIONS, IN_FLIGHT, seconds, '"ID":"bench-read"', find("read")))

        for _ in range(ROUNDS):
            measure("nothing runs")
            with Sleepers(rig, sleep_s).asleep():
                measure("they sleep")
        show(results, seconds, sleep_s)


def show(results, seconds, sleep_s):
    print(f"\nprocesses: findById, {IN_FLIGHT} in flight, while {COUNT} plug-ins of the same agent sleep "
          f"for {sleep_s} s and {COUNT} calls wait for workers; {ROUNDS} interleaved rounds of {seconds} s\n\n"
          f"{'':<16}{'requests/s':>10}{'p50 us':>8}{'p95':>8}{'p99':>8}")
    for way, rounds in results.items():
        print_row(way, medians(rounds), 0)
    pairs = list(zip(*results.values()))
    print_row("ratio", {name: statistics.median(asleep[name] / awake[name] for awake, asleep in pairs)
                        for name in FIGURES}, 2)


def print_row(name, row, digits):
    rate, *latencies = (row[figure] for figure in FIGURES)
    print(f"{name:<16}{rate:10.{digits}f}" + "".join(f"{us:8.{digits}f}" for us in latencies),
          flush=True)
