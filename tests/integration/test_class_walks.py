"""getAllByName step by step: what comes and goes between two steps (agents/sync/store/read_all.lua)."""

import pytest
from store import now_ms


@pytest.fixture
def reader(store):
    return store.session("c1")


def read_all(store, last, most, numeric=False, rank=0):
    """One step of getAllByName: the IDs that it finds, the member behind which to go on."""
    step = store.run("read_all", "c1", now_ms(), "com.app.mo.Task", 0, 0, int(numeric), last, rank,
                     most, 0, 1000, 0)
    return [ref.split(":", 1)[1] for ref in step[2][0::2]], step[5]


def list_tasks(store, scores):
    """Tasks with these IDs, listed as the class lists them."""
    for task, score in scores.items():
        store.object(f"com.app.mo.Task:{task}")
        store.redis.zadd("{k:com.app.mo.Task}:ids", {f"{task}\ncom.app.mo.Task": score})


def unlist(store, task):
    store.redis.zrem("{k:com.app.mo.Task}:ids", f"{task}\ncom.app.mo.Task")


@pytest.mark.parametrize("numeric, names", [
    (False, ["a", "b", "c", "d", "e", "f"]), (True, ["8", "9", "10", "11", "12", "13"])])
def test_a_walk_misses_nothing_although_objects_come_and_go(store, reader, numeric, names):
    list_tasks(store, {name: int(name) if numeric else 0 for name in names})
    found, last = read_all(store, "", 3, numeric)
    assert found == names[:3]
    unlist(store, names[0])  # what stands before moves everything
    assert read_all(store, last, 2, numeric) == (names[3:5], f"{names[4]}\ncom.app.mo.Task")
    unlist(store, names[2])  # what the walk goes on behind is gone
    assert read_all(store, last, 3, numeric) == (names[3:], f"{names[5]}\ncom.app.mo.Task")
    list_tasks(store, {"7": 7} if numeric else {"B": 0})  # what came before is not for this walk
    assert read_all(store, last, 4, numeric) == (names[3:], "")
    unlist(store, names[5])
    assert read_all(store, f"{names[5]}\ncom.app.mo.Task", 3, numeric) == ([], "")


def test_who_only_counts_looks_at_nothing(store, reader):
    list_tasks(store, dict.fromkeys("abc", 0))
    assert store.run("read_all", "c1", now_ms(), "com.app.mo.Task", 0, 0, 0, "", 0, 0, 0, 0, 0) == [
        "ok", reader, [], 3, 0, ""]
