"""Scripts of the sync agent by themselves, where a case is hard to reach from outside.

Marks, receipts, redelivery: design section 9 and agents/runtime/lua/mark.lua.
"""

import pytest
import redis
from store import Store, balance, job_key, now_ms, object_key, session_key

TASK = "com.app.mo.Task:t1"
OTHER = "com.app.mo.Task:t2"
FOREVER = now_ms() * 2


@pytest.fixture
def store(servers):
    with servers.redis.database() as url:
        store = Store(redis.Redis.from_url(url, decode_responses=True))
        store.object(TASK, title='"one"')
        store.object(OTHER, title='"two"')
        yield store
        expected, counted = balance(store.redis)
        assert expected == counted, "the books do not balance"


@pytest.fixture
def watcher(store):
    sid = store.session("c1")
    store.watch(sid, TASK)
    store.watch(sid, OTHER)
    return sid


def change_and_tell(store, times=1):
    for _ in range(times):
        version = store.change(TASK)
        store.tell(TASK)
    return version


# ---- sends and receipts

def test_a_receipt_ends_the_mark_that_it_answers(store, watcher):
    change_and_tell(store)
    assert store.mark(watcher, TASK) == ("u", 2, "u2x1")
    store.settle("c1", TASK)
    assert store.mark(watcher, TASK) is None
    assert store.due_in(watcher, TASK) is None
    assert store.books() == {"made": 1, "acknowledged": 1}


def test_a_receipt_settles_the_oldest_send_and_proves_nothing_newer(store, watcher):
    change_and_tell(store, times=3)
    assert store.mark(watcher, TASK) == ("u", 4, "u2x1,u3x1,u4x1")
    store.settle("c1", TASK)
    store.settle("c1", TASK)
    assert store.mark(watcher, TASK) == ("u", 4, "u4x1")
    store.settle("c1", TASK)
    assert store.mark(watcher, TASK) is None
    assert store.books() == {"made": 3, "superseded": 2, "acknowledged": 1}


def test_a_late_receipt_does_not_settle_the_send_of_a_later_change(store, watcher):
    change_and_tell(store)
    store.redeliver(watcher, FOREVER)
    store.settle("c1", TASK)  # for one of two sends of version 2: the client has it
    assert store.mark(watcher, TASK) == ("-", 2, "u2x1")
    change_and_tell(store)
    store.settle("c1", TASK)  # for the other send of version 2
    assert store.mark(watcher, TASK) == ("u", 3, "u3x1")
    store.settle("c1", TASK)
    assert store.mark(watcher, TASK) is None


def test_what_is_remembered_of_an_ended_mark_goes_with_its_last_receipt(store, watcher):
    change_and_tell(store)
    store.redeliver(watcher, FOREVER)
    store.settle("c1", TASK)
    store.settle("c1", TASK)
    assert store.mark(watcher, TASK) is None
    store.settle("c1", TASK)  # one too many
    assert store.books() == {"made": 1, "acknowledged": 1}


def test_at_most_four_sends_are_unanswered_and_the_next_waits_for_a_receipt(store, watcher):
    change_and_tell(store, times=4)
    version = store.change(TASK)
    assert store.tell(TASK) == []
    assert store.mark(watcher, TASK) == ("u", version, "u2x1,u3x1,u4x1,u5x1")
    assert store.due_in(watcher, TASK) > 0
    store.settle("c1", TASK)
    assert store.due_in(watcher, TASK) <= 0
    assert store.redeliver(watcher) == [(TASK, "u", str(version))]


def test_redelivery_sends_also_where_four_are_unanswered_and_merges_the_oldest(store, watcher):
    change_and_tell(store, times=4)
    version = store.change(TASK)
    store.tell(TASK)
    assert store.redeliver(watcher, FOREVER) == [(TASK, "u", str(version))]
    # Counted with the older version of the two: it proves too little rather than too much.
    assert store.mark(watcher, TASK) == ("u", version, "u2x2,u4x1,u5x1,u6x1")
    for _ in range(4):
        store.settle("c1", TASK)
    assert store.mark(watcher, TASK) == ("u", version, "u6x1")
    store.settle("c1", TASK)
    assert store.mark(watcher, TASK) is None


def test_a_session_that_sends_no_receipts_is_told_of_every_change(store):
    silent = store.session("silent", answers=False)
    store.watch(silent, TASK)
    for _ in range(10):
        store.change(TASK)
        assert store.tell(TASK) == [silent]
    assert store.mark(silent, TASK)[:2] == ("u", 11)
    assert store.due_in(silent, TASK) > 800_000


def test_a_receipt_for_updates_settles_no_delete_and_the_other_way_round(store, watcher):
    change_and_tell(store)
    store.settle("c1", TASK, kind="d")
    assert store.mark(watcher, TASK) == ("u", 2, "u2x1")
    version = store.remove(TASK)
    store.tell(TASK, kind="d")
    store.settle("c1", TASK, kind="u")
    assert store.mark(watcher, TASK) == ("d", version, "d3x1")
    store.settle("c1", TASK, kind="d")
    assert store.mark(watcher, TASK) is None
    assert store.books() == {"made": 2, "superseded": 1, "acknowledged": 1}


def test_a_receipt_for_what_was_never_sent_changes_nothing(store, watcher):
    assert store.settle("c1", TASK, "com.app.mo.Task:unknown", "nonsense") == ["ok", watcher]
    assert store.books() == {}


# ---- receipt numbers and bindings

def test_a_receipt_that_comes_twice_settles_once(store, watcher):
    change_and_tell(store, times=2)
    store.settle("c1", TASK, number=1)
    store.settle("c1", TASK, number=1)
    assert store.mark(watcher, TASK) == ("u", 3, "u3x1")


def test_receipts_may_overtake_each_other(store, watcher):
    change_and_tell(store, times=4)
    for number in (3, 1, 3, 1, 2):
        store.settle("c1", TASK, number=number)
    assert store.mark(watcher, TASK) == ("u", 5, "u5x1")
    assert store.redis.hget(session_key(watcher), "low") == "3"
    assert not store.redis.exists(session_key(watcher, ":rn"))
    store.settle("c1", TASK, number=2)
    assert store.mark(watcher, TASK) == ("u", 5, "u5x1")


def test_the_memory_of_receipt_numbers_is_bounded(store, watcher):
    for number in range(2, 1103):
        store.settle("c1", number=number)
    assert store.redis.zcard(session_key(watcher, ":rn")) <= 1000
    change_and_tell(store)
    store.settle("c1", TASK, number=50)  # seen, whether or not that is still known
    assert store.mark(watcher, TASK) == ("u", 2, "u2x1")
    store.settle("c1", TASK, number=1103)
    assert store.mark(watcher, TASK) is None


def test_a_receipt_from_an_older_binding_settles_nothing(store, watcher):
    change_and_tell(store)
    store.redis.hset(session_key(watcher), "epoch", 2)
    assert store.settle("c1", TASK, epoch=1) == ["ok", watcher]
    assert store.mark(watcher, TASK) == ("u", 2, "u2x1")


def test_sends_of_an_older_binding_are_not_settled_in_the_new_one(store, watcher):
    change_and_tell(store)
    store.redis.hset(session_key(watcher), "epoch", 2)
    store.settle("c1", TASK, epoch=2)
    assert store.mark(watcher, TASK)[:2] == ("u", 2)
    assert store.redeliver(watcher, FOREVER) == [(TASK, "u", "2")]
    store.settle("c1", TASK, epoch=2)
    assert store.mark(watcher, TASK) is None


def test_a_receipt_of_a_client_id_that_nobody_has_is_refused(store):
    assert store.settle("nobody", TASK) == ["client"]


# ---- fan-out

def test_a_step_marks_at_most_so_many_and_goes_on_where_it_stopped(store):
    sids = [store.session(f"c{i}") for i in range(5)]
    for sid in sids:
        store.watch(sid, TASK)
    version = store.change(TASK)
    job = store.job(TASK, version=version)
    place, after, told, steps = 1, 0, [], 0
    while True:
        _, done, place, after, *_, recipients = store.fan_out(job, place, after, most=2)
        told += recipients[0::4]
        steps += 1
        if done:
            break
    assert told == sids and steps == 3


def test_a_step_that_is_done_again_sends_again_and_marks_once(store, watcher):
    version = store.change(TASK)
    job = store.job(TASK, version=version)
    first = store.fan_out(job)
    again = store.fan_out(job, place=0)  # by another worker: the first may have died before it sent
    assert first[9][0::4] == again[9][0::4] == [watcher]
    assert store.mark(watcher, TASK) == ("u", 2, "u2x2")
    assert store.books() == {"made": 1}


def test_a_job_taken_over_goes_on_after_its_last_complete_step(store):
    sids = [store.session(f"c{i}") for i in range(6)]
    for sid in sids:
        store.watch(sid, TASK)
    job = store.job(TASK, version=store.change(TASK))
    _, _, place, after, *_ = store.fan_out(job, most=2)
    store.fan_out(job, place, after, most=2)  # says that the step before is complete, then dies
    taken_over = store.fan_out(job, place=0, most=2)
    assert taken_over[9][0::4] == sids[2:4]


def test_a_session_in_several_audiences_is_told_once(store, watcher):
    store.redis.zadd("{k:com.app.mo.Task}:w", {watcher: watcher})
    job = store.job(TASK, version=store.change(TASK),
                    sets=[object_key(TASK, ":w"), "{k:com.app.mo.Task}:w"])
    assert store.fan_out(job)[9][0::4] == [watcher]


def test_a_fan_out_that_comes_late_tells_the_newest_state(store, watcher):
    first = store.job(TASK, version=store.change(TASK, text='"a"'))
    second = store.job(TASK, version=store.change(TASK, text='"b"'))
    step = store.fan_out(second)
    assert step[6] == "3" and step[9][0::4] == [watcher]
    step = store.fan_out(first)
    assert step[9] == [], "everybody has been told of something newer"
    assert store.mark(watcher, TASK) == ("u", 3, "u3x1")


def test_a_fan_out_of_something_that_was_removed_meanwhile_tells_the_removal(store, watcher):
    job = store.job(TASK, version=store.change(TASK))
    store.remove(TASK)
    step = store.fan_out(job)
    assert step[5] == "d" and step[8] == []
    assert store.mark(watcher, TASK) == ("d", 3, "d3x1")


def test_the_writer_is_not_told_what_it_wrote(store, watcher):
    store.change(TASK)
    assert store.tell(TASK, writer=watcher) == []
    assert store.books() == {}


def test_the_writer_is_told_if_not_all_of_it_was_taken(store, watcher):
    store.change(TASK)
    assert store.tell(TASK, writer=watcher, complete=0) == [watcher]


def test_the_writer_is_told_if_it_had_not_heard_of_an_earlier_change(store, watcher):
    change_and_tell(store)
    store.change(TASK)
    assert store.tell(TASK, writer=watcher) == [watcher]


def test_the_writer_is_told_if_somebody_wrote_after_it(store, watcher):
    job = store.job(TASK, version=store.change(TASK), writer=watcher)
    store.change(TASK)
    assert store.fan_out(job)[9][0::4] == [watcher]


def test_a_session_without_a_binding_is_marked_and_not_sent_to(store, watcher):
    store.redis.hset(session_key(watcher), "gw", "")
    store.change(TASK)
    assert store.tell(TASK) == []
    assert store.mark(watcher, TASK) == ("u", 2, "")
    assert store.redis.zscore("due", watcher) is None


def test_a_job_ends_once(store, watcher):
    job = store.job(TASK, version=store.change(TASK))
    store.fan_out(job)
    store.run("fan_out_end", job)
    assert store.fan_out(job) == ["gone"]
    assert store.redis.zcard("jobs") == 0 and not store.redis.exists(job_key(job))


# ---- redelivery

def test_the_time_between_redeliveries_doubles_up_to_a_limit(store, watcher):
    change_and_tell(store)
    waits = []
    for _ in range(6):
        waits.append(round(store.due_in(watcher, TASK) / 1000))
        store.redis.zadd(session_key(watcher, ":d"), {TASK: 0})
        store.redeliver(watcher)
    assert waits == [5, 10, 20, 40, 60, 60]


def test_a_newer_change_begins_with_the_first_wait_again(store, watcher):
    change_and_tell(store)
    store.redeliver(watcher, FOREVER)
    store.settle("c1", TASK)
    store.settle("c1", TASK)
    change_and_tell(store)
    assert store.due_in(watcher, TASK) <= 5000


def test_redelivery_tells_the_newest_state_of_all_that_is_due(store, watcher):
    change_and_tell(store)
    store.change(OTHER)
    store.tell(OTHER)
    store.change(TASK)
    store.remove(OTHER)
    assert sorted(store.redeliver(watcher, FOREVER)) == [(TASK, "u", "3"), (OTHER, "d", "3")]
    assert store.mark(watcher, TASK) == ("u", 3, "u2x1,u3x1")
    assert store.mark(watcher, OTHER) == ("d", 3, "u2x1,d3x1")


def test_what_is_not_due_is_not_sent_again(store, watcher):
    change_and_tell(store)
    assert store.redeliver(watcher) == []


def test_a_session_is_due_with_the_earliest_of_its_marks(store, watcher):
    change_and_tell(store)
    store.change(OTHER)
    store.tell(OTHER)
    store.redis.zadd(session_key(watcher, ":d"), {OTHER: 17})
    store.settle("c1", TASK)
    assert store.redis.zscore("due", watcher) == 17
    store.settle("c1", OTHER)
    assert store.redis.zscore("due", watcher) is None


def test_a_session_without_a_binding_waits_for_its_return(store, watcher):
    change_and_tell(store)
    store.redis.hset(session_key(watcher), "gw", "")
    assert store.redeliver(watcher, FOREVER) is None
    assert store.redis.zscore("due", watcher) is None
    assert store.mark(watcher, TASK)[:2] == ("u", 2)


def test_a_delete_is_redelivered_even_when_the_tombstone_has_expired(store, watcher):
    store.remove(TASK)
    store.tell(TASK, kind="d")
    store.redis.delete(object_key(TASK))
    assert store.redeliver(watcher, FOREVER) == [(TASK, "d", "2")]


def test_what_is_claimed_is_due_again_only_when_the_lease_is_over(store, watcher):
    job = store.job(TASK, version=store.change(TASK))
    store.redis.zadd("jobs", {job: 1})
    store.redis.zadd("due", {watcher: 1})
    now = now_ms()
    assert store.run("claim", now, now + 100, 50) == [[[job, "fan-out", ""]], [watcher]]
    assert store.run("claim", now, now + 100, 50) == [[], []]
    assert store.run("claim", now + 100, now + 200, 50) == [[[job, "fan-out", ""]], [watcher]]


def test_a_migration_is_left_to_agents_with_its_model(store):
    store.redis.hset("{j:7}", mapping={"type": "migrate", "digest": "theirs"})
    store.redis.zadd("jobs", {7: 1})
    now = now_ms()
    assert store.run("claim", now, now + 100, 50, "ours") == [[], []]
    assert store.redis.zscore("jobs", 7) == 1
    assert store.run("claim", now, now + 100, 50, "theirs") == [[["7", "migrate", ""]], []]


# ---- nothing older last

def test_what_was_overtaken_on_its_way_is_due_now(store, watcher):
    change_and_tell(store)
    version = store.change(TASK)
    store.overtaken({TASK: 2}, [watcher])
    assert store.mark(watcher, TASK) == ("u", version, "u2x1")
    assert store.due_in(watcher, TASK) <= 0
    assert store.redeliver(watcher) == [(TASK, "u", str(version))]


@pytest.mark.parametrize("answered_before", [0, 1])
def test_receipts_for_earlier_sends_do_not_settle_what_was_overtaken(
        store, watcher, answered_before):
    """The newest was sent twice, and something older may have reached the client behind that."""
    change_and_tell(store)
    store.redeliver(watcher, at=now_ms() + 60000)
    for _ in range(answered_before):
        store.settle("c1", TASK)
    store.overtaken({TASK: 1}, [watcher])
    for _ in range(2 - answered_before):
        store.settle("c1", TASK)
    assert store.mark(watcher, TASK) == ("u", 2, "")
    assert store.redeliver(watcher) == [(TASK, "u", "2")]
    store.settle("c1", TASK)
    assert store.mark(watcher, TASK) is None


def test_what_is_still_the_newest_is_left_alone(store, watcher):
    change_and_tell(store)
    store.overtaken({TASK: 2}, [watcher])
    assert store.mark(watcher, TASK) == ("u", 2, "u2x1")
    assert store.due_in(watcher, TASK) > 0


def test_a_read_that_a_removal_overtook_is_followed_by_the_delete(store, watcher):
    version = store.remove(TASK)
    store.overtaken({TASK: 1}, [watcher])
    assert store.redeliver(watcher) == [(TASK, "d", str(version))]


def test_a_session_that_has_ended_is_told_nothing_more(store, watcher):
    store.redis.hset(session_key(watcher), "ended", 1)
    store.change(TASK)
    store.overtaken({TASK: 1}, [watcher])
    assert store.mark(watcher, TASK) is None


# ---- the end of a session

def test_the_end_of_a_session_goes_in_steps_and_closes_its_books(store):
    sid = store.session("c9")
    refs = [f"com.app.mo.Task:m{i}" for i in range(30)]
    for ref in refs:
        store.object(ref)
        store.watch(sid, ref)
        store.change(ref)
        store.tell(ref)
    store.settle("c9", refs[0])
    assert store.run("logout", "c9", now_ms(), now_ms(), now_ms() + 5000, 3600, 0)[0] == "ok"
    job = store.redis.zrange("jobs", -1, -1)[0]
    steps = 0
    while store.run("end_session", job, sid, 7, now_ms() + 5000) != ["ok", 1]:
        steps += 1
        assert steps < 100
    assert steps >= 4
    assert store.books() == {"made": 30, "acknowledged": 1, "ended": 29}
    assert not any(store.redis.exists(object_key(ref, ":w")) for ref in refs)
    assert not store.redis.keys(session_key(sid, ":*"))


def test_an_accepted_write_is_not_lost_to_a_logout_that_overtook_it(store, watcher):
    accepted = now_ms()
    store.run("logout", "c1", accepted, accepted, accepted + 5000, 3600, 0)
    assert store.settle("c1", TASK)[0] == "client", "accepted after the logout"
    class_name, object_id = TASK.split(":")
    read = store.run("read", "c1", accepted - 1, 3, class_name, "signedIn", "", 1, object_id)
    assert read[0] == "ok" and read[2][0] == TASK


def test_a_disconnect_of_an_older_binding_is_ignored(store, watcher):
    store.redis.hset(session_key(watcher), "epoch", 2)
    store.run("disconnect", "c1", 1, now_ms(), 0)
    assert store.redis.hget(session_key(watcher), "gw") == "gateway.1"
    store.run("disconnect", "c1", 2, now_ms(), 0)
    assert store.redis.hget(session_key(watcher), "gw") == ""


def test_a_gateway_that_is_gone_unbinds_only_the_bindings_that_it_had(store, watcher):
    store.run("unbind", now_ms(), 2, watcher, 7)
    assert store.redis.hget(session_key(watcher), "gw") == "gateway.1"
    store.run("unbind", now_ms(), 2, watcher, 1)
    assert store.redis.hget(session_key(watcher), "gw") == ""


# ---- steps through a class

def read_all(store, last, most, numeric=False, rank=0):
    """One step of getAllByName: the IDs that it finds, the member behind which to go on."""
    step = store.run("read_all", "c1", now_ms(), "com.app.mo.Task", 0, int(numeric), last, rank,
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
def test_a_walk_misses_nothing_although_objects_come_and_go(store, watcher, numeric, names):
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


def test_who_only_counts_looks_at_nothing(store, watcher):
    list_tasks(store, dict.fromkeys("abc", 0))
    assert store.run("read_all", "c1", now_ms(), "com.app.mo.Task", 0, 0, "", 0, 0, 0, 0, 0) == [
        "ok", watcher, [], 3, 0, ""]
