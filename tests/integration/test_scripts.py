"""Scripts of the sync agent by themselves, where a case is hard to reach from outside: marks.

Marks, receipts, redelivery: design section 9 and agents/runtime/lua/mark.lua. Sessions are in
test_session_scripts.py and test_return_scripts.py, steps through a class in test_class_walks.py.
"""

import pytest
from store import job_key, now_ms, object_key, session_key

TASK = "com.app.mo.Task:t1"
OTHER = "com.app.mo.Task:t2"
FOREVER = now_ms() * 2


@pytest.fixture(autouse=True)
def objects(store):
    store.object(TASK, title='"one"')
    store.object(OTHER, title='"two"')


@pytest.fixture
def watcher(store):
    sid = store.session("c1")
    store.watch(sid, TASK)
    store.watch(sid, OTHER)
    return sid


def change_and_tell(store, times=1, ref=TASK):
    for _ in range(times):
        version = store.change_and_tell(ref)
    return version


# ---- receipts

def test_a_receipt_ends_the_mark_that_it_answers(store, watcher):
    change_and_tell(store)
    assert store.mark(watcher, TASK) == ("u", 2, 2)
    assert store.marked() == {watcher}
    assert store.settle("c1", {TASK: 2}) == []
    assert store.mark(watcher, TASK) is None
    assert store.due_in(watcher, TASK) is None
    assert store.marked() == set()
    assert not store.redis.exists(session_key(watcher, ":m"), session_key(watcher, ":d"))
    assert store.books() == {"made": 1, "acknowledged": 1}


def test_a_receipt_for_an_older_version_settles_nothing(store, watcher):
    change_and_tell(store, times=3)
    for version in (2, 3):
        store.settle("c1", {TASK: version})
        assert store.mark(watcher, TASK) == ("u", 4, 4)
    store.settle("c1", {TASK: 4})
    assert store.mark(watcher, TASK) is None
    assert store.books() == {"made": 3, "superseded": 2, "acknowledged": 1}


def test_a_receipt_that_comes_twice_or_late_settles_once(store, watcher):
    change_and_tell(store)
    store.settle("c1", {TASK: 2})
    store.settle("c1", {TASK: 2})
    change_and_tell(store)
    store.settle("c1", {TASK: 2})
    assert store.mark(watcher, TASK) == ("u", 3, 3)
    assert store.books() == {"made": 2, "acknowledged": 1}


def test_a_receipt_by_hand_settles_what_was_sent_last(store, watcher):
    change_and_tell(store)
    version = store.change(TASK)
    store.redis.hset(session_key(watcher), "gw", "")
    store.tell(TASK)
    assert store.mark(watcher, TASK) == ("u", version, 2), "marked but not sent"
    store.settle("c1", {TASK: ""})
    assert store.mark(watcher, TASK) == ("u", version, 2)
    store.redis.hset(session_key(watcher), "gw", "gateway.1")
    store.redeliver(watcher)
    store.settle("c1", {TASK: ""})
    assert store.mark(watcher, TASK) is None


@pytest.mark.parametrize("number", ["nonsense", "null", "0", "-1"])
def test_a_receipt_for_no_send_settles_nothing(store, watcher, number):
    change_and_tell(store)
    store.settle("c1", {TASK: number})
    assert store.mark(watcher, TASK) == ("u", 2, 2)


def test_a_receipt_for_updates_settles_no_delete_and_the_other_way_round(store, watcher):
    change_and_tell(store)
    store.settle("c1", {TASK: 2}, kind="d")
    assert store.mark(watcher, TASK) == ("u", 2, 2)
    version = store.remove(TASK)
    store.tell(TASK, kind="d")
    store.settle("c1", {TASK: version}, kind="u")
    assert store.mark(watcher, TASK) == ("d", version, version)
    store.settle("c1", {TASK: version}, kind="d")
    assert store.mark(watcher, TASK) is None
    assert store.books() == {"made": 2, "superseded": 1, "acknowledged": 1}


def test_a_receipt_for_what_was_never_marked_changes_nothing(store, watcher):
    assert store.settle("c1", {TASK: 1, "com.app.mo.Task:unknown": 3, "nonsense": 7}) == []
    assert store.books() == {}


def test_receipts_of_several_clients_come_together(store, watcher):
    second = store.session("c2", gateway="gateway.2")
    silent = store.session("c3", answers=False)
    for sid in (second, silent):
        store.watch(sid, TASK)
    change_and_tell(store)
    change_and_tell(store, ref=OTHER)
    unknown = store.settle_all(("nobody", TASK, 2), ("c1", TASK, 2), ("c1", OTHER, 2),
                               ("c2", TASK, 0), ("c3", "", ""), ("else", "", ""))
    assert unknown == ["nobody", "else"]
    assert store.mark(watcher, TASK) is None and store.mark(watcher, OTHER) is None
    assert store.mark(second, TASK) == ("u", 2, 2)
    assert store.field(silent, "receipts") == "1", "it has sent one, if an empty one"
    assert store.redis.zscore("due", watcher) is None
    assert store.redis.zscore("due", second) is not None


def test_an_earlier_client_id_settles_nothing(store, watcher):
    change_and_tell(store)
    store.token("c1")
    store.reconnect("c2", "c1")
    assert store.settle("c1", {TASK: 2}) == []
    assert store.mark(watcher, TASK) == ("u", 2, 2)
    store.settle("c2", {TASK: 2})
    assert store.mark(watcher, TASK) is None


def test_an_object_that_is_made_anew_begins_again(store, watcher):
    """Its tombstone has expired: a lower version is the newest."""
    change_and_tell(store, times=5)
    store.object(TASK, title='"anew"')
    assert store.tell(TASK) == [watcher]
    assert store.mark(watcher, TASK) == ("u", 1, 1)
    store.settle("c1", {TASK: 6})
    assert store.mark(watcher, TASK) == ("u", 1, 1), "what was before says nothing of it"
    store.settle("c1", {TASK: 1})
    assert store.mark(watcher, TASK) is None


def test_redelivery_tells_of_an_object_that_was_made_anew(store, watcher):
    change_and_tell(store, times=5)
    store.object(TASK)
    assert store.redeliver(watcher, FOREVER).objects == [(TASK, "u", 1)]
    store.settle("c1", {TASK: 1})
    assert store.mark(watcher, TASK) is None


def test_who_is_told_of_an_object_made_anew_watches_it(store, watcher):
    """The removal was not told in time."""
    store.disconnect("c1")
    job = store.job(TASK, "d", store.remove(TASK))
    store.fan_out(job)
    store.run("fan_out_end", job)
    assert not store.redis.exists(object_key(TASK, ":w"))
    store.object(TASK)
    store.announce("gateway.1", "c1")
    store.token("c1")
    assert store.reconnect("c2", "c1").objects == [(TASK, "u", 1)]
    store.change(TASK)
    assert store.tell(TASK) == [watcher]


# ---- fan-out

def test_a_step_marks_at_most_so_many_and_goes_on_where_it_stopped(store):
    sids = [store.session(f"c{i}") for i in range(5)]
    for sid in sids:
        store.watch(sid, TASK)
    job = store.job(TASK, version=store.change(TASK))
    place, after, told, steps, done = 1, 0, [], 0, False
    while not done:
        step = store.fan_out(job, place, after, most=2)
        place, after, done = step.place, step.after, step.done
        told += step.sids
        steps += 1
    assert told == sids and steps == 3


def test_a_step_that_is_done_again_sends_again_and_marks_once(store, watcher):
    job = store.job(TASK, version=store.change(TASK))
    first = store.fan_out(job)
    again = store.fan_out(job, place=0)  # by another worker: the first may have died before it sent
    assert first.sids == again.sids == [watcher]
    assert first.to == again.to == [("c1", "gateway.1")]
    assert store.mark(watcher, TASK) == ("u", 2, 2)
    assert store.books() == {"made": 1}


def test_a_step_that_is_done_again_tells_also_who_has_answered(store, watcher):
    """What the first worker sent may reach the client after its receipt for something newer."""
    job = store.job(TASK, version=store.change(TASK))
    store.fan_out(job)
    change_and_tell(store)
    store.settle("c1", {TASK: 3})
    assert store.fan_out(job, place=0).sids == [watcher]
    assert store.mark(watcher, TASK) == ("u", 3, 3)


def test_a_job_taken_over_goes_on_after_its_last_complete_step(store):
    sids = [store.session(f"c{i}") for i in range(6)]
    for sid in sids:
        store.watch(sid, TASK)
    job = store.job(TASK, version=store.change(TASK))
    step = store.fan_out(job, most=2)
    store.fan_out(job, step.place, step.after, most=2)  # the step before is complete; then it dies
    assert store.fan_out(job, place=0, most=2).sids == sids[2:4]


def test_a_session_in_several_audiences_is_told_once(store, watcher):
    store.redis.zadd("{k:com.app.mo.Task}:w", {watcher: watcher})
    job = store.job(TASK, version=store.change(TASK),
                    sets=[object_key(TASK, ":w"), "{k:com.app.mo.Task}:w"])
    assert store.fan_out(job).sids == [watcher]


def test_a_fan_out_that_comes_late_tells_the_newest_state(store, watcher):
    first = store.job(TASK, version=store.change(TASK, text='"a"'))
    second = store.job(TASK, version=store.change(TASK, text='"b"'))
    step = store.fan_out(second)
    assert step.version == "3" and step.sids == [watcher]
    assert store.fan_out(first).sids == [], "everybody has been told of something newer"
    assert store.mark(watcher, TASK) == ("u", 3, 3)


def test_a_fan_out_of_something_that_was_removed_meanwhile_tells_the_removal(store, watcher):
    job = store.job(TASK, version=store.change(TASK))
    store.remove(TASK)
    step = store.fan_out(job)
    assert step.kind == "d" and "@d" in step.fields and "title" not in step.fields
    assert store.mark(watcher, TASK) == ("d", 3, 3)


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
    assert store.fan_out(job).sids == [watcher]


def test_a_session_without_a_binding_is_marked_and_not_sent_to(store, watcher):
    store.disconnect("c1")
    store.change(TASK)
    assert store.tell(TASK) == []
    assert store.mark(watcher, TASK) == ("u", 2, 0)
    assert store.redis.zscore("due", watcher) is None


def test_every_change_goes_out_at_once_however_many_have_no_receipt(store, watcher):
    for _ in range(10):
        store.change(TASK)
        assert store.tell(TASK) == [watcher]
    assert store.mark(watcher, TASK) == ("u", 11, 11)


def test_a_session_with_too_many_marks_ends_and_is_closed(store, watcher):
    refs = [f"com.app.mo.Task:m{i}" for i in range(3)]
    for ref in refs:
        store.object(ref)
        store.watch(watcher, ref)
    for ref in refs[:2]:
        store.change(ref)
        assert store.tell(ref, most_marks=2) == [watcher]
    store.change(refs[0])
    assert store.tell(refs[0], most_marks=2) == [watcher], "the limit is reached, not passed"
    job = store.job(refs[2], version=store.change(refs[2]))
    step = store.fan_out(job, most_marks=2)
    assert step.sids == [] and step.closed == [("c1", "gateway.1")]
    assert store.field(watcher, "why") == "too much was missed"
    assert store.fan_out(job, place=0, most_marks=2).closed == []
    assert store.settle("c1", {refs[0]: 3}) == ["c1"]
    jobs, sids = store.claim()
    assert [job[1:] for job in jobs] == [("end", watcher)] and sids == []
    assert store.end_session(jobs[0][0], watcher)
    assert store.books() == {"made": 3, "superseded": 1, "ended": 2}


def test_a_session_without_a_binding_that_misses_too_much_ends_too(store, watcher):
    store.disconnect("c1")
    change_and_tell(store)
    store.change(OTHER)
    step = store.fan_out(store.job(OTHER, version=2), most_marks=1)
    assert step.closed == [] and store.field(watcher, "ended")


def test_a_job_ends_once(store, watcher):
    job = store.job(TASK, version=store.change(TASK))
    store.fan_out(job)
    store.run("fan_out_end", job)
    assert store.fan_out(job) is None
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
    change_and_tell(store)
    assert store.due_in(watcher, TASK) <= 5000


def test_who_sends_no_receipts_is_told_again_rarely(store):
    silent = store.session("silent", answers=False)
    store.watch(silent, TASK)
    change_and_tell(store)
    assert store.due_in(silent, TASK) > 800_000


def test_redelivery_tells_the_newest_state_of_all_that_is_due(store, watcher):
    change_and_tell(store)
    change_and_tell(store, ref=OTHER)
    store.change(TASK)
    store.remove(OTHER)
    told = store.redeliver(watcher, FOREVER)
    assert told.objects == [(TASK, "u", 3), (OTHER, "d", 3)]
    assert store.mark(watcher, TASK) == ("u", 3, 3)
    assert store.mark(watcher, OTHER) == ("d", 3, 3)


def test_what_is_not_due_is_not_sent_again(store, watcher):
    change_and_tell(store)
    assert store.redeliver(watcher).objects == []


@pytest.mark.parametrize("limit", [{"most": 1}, {"most_bytes": 1}])
def test_redelivery_goes_in_steps(store, watcher, limit):
    change_and_tell(store)
    change_and_tell(store, ref=OTHER)
    told = [store.redeliver(watcher, now_ms() + 5000, **limit) for _ in range(3)]
    assert [step.more for step in told] == [True, True, False]
    assert [step.objects for step in told] == [[(TASK, "u", 2)], [(OTHER, "u", 2)], []]


def test_a_session_is_due_with_the_earliest_of_its_marks(store, watcher):
    change_and_tell(store)
    change_and_tell(store, ref=OTHER)
    store.redis.zadd(session_key(watcher, ":d"), {OTHER: 17})
    store.settle("c1", {TASK: 2})
    assert store.redis.zscore("due", watcher) == 17
    store.settle("c1", {OTHER: 2})
    assert store.redis.zscore("due", watcher) is None


def test_a_session_without_a_binding_waits_for_its_return(store, watcher):
    change_and_tell(store)
    store.disconnect("c1")
    assert store.redeliver(watcher, FOREVER) is None
    assert store.redis.zscore("due", watcher) is None
    assert store.mark(watcher, TASK)[:2] == ("u", 2)


def test_a_delete_is_redelivered_even_when_the_tombstone_has_expired(store, watcher):
    store.remove(TASK)
    store.tell(TASK, kind="d")
    store.redis.delete(object_key(TASK))
    assert store.redeliver(watcher, FOREVER).objects == [(TASK, "d", 2)]
    store.settle("c1", {TASK: 2}, kind="d")
    assert store.mark(watcher, TASK) is None


def test_what_is_claimed_is_due_again_only_when_the_lease_is_over(store, watcher):
    job = store.job(TASK, version=store.change(TASK))
    store.redis.zadd("jobs", {job: 1})
    store.redis.zadd("due", {watcher: 1})
    assert store.claim() == ([(job, "fan-out", "")], [watcher])
    assert store.claim() == ([], [])
    store.skew_ms = store.LEASE_MS
    assert store.claim() == ([(job, "fan-out", "")], [watcher])


def test_late_receipts_pause_redelivery_but_no_job(store, watcher):
    job = store.job(TASK, version=store.change(TASK))
    store.redis.zadd("jobs", {job: 1})
    store.redis.zadd("due", {watcher: 1})
    store.settle_all(("c1", "", ""), pause_ms=60000)
    assert 0 < store.redis.pttl("receipts:late") <= 60000
    store.redis.zadd("due", {watcher: 1})
    assert store.claim() == ([(job, "fan-out", "")], [])
    store.settle_all(("c1", "", ""))  # one that is in time does not end the pause
    assert store.redis.exists("receipts:late")
    store.redis.delete("receipts:late")
    store.redis.zadd("due", {watcher: 1})
    assert store.claim() == ([], [watcher])


def test_a_migration_is_left_to_agents_with_its_model(store):
    store.redis.hset("{j:7}", mapping={"type": "migrate", "digest": "theirs"})
    store.redis.zadd("jobs", {7: 1})
    assert store.claim(digest="ours") == ([], [])
    assert store.redis.zscore("jobs", 7) == 1
    assert store.claim(digest="theirs") == ([("7", "migrate", "")], [])


# ---- nothing older last

def test_what_was_overtaken_on_its_way_is_due_now(store, watcher):
    change_and_tell(store)
    version = store.change(TASK)
    store.overtaken({TASK: 2}, [watcher])
    assert store.mark(watcher, TASK) == ("u", version, 2)
    assert store.due_in(watcher, TASK) <= 0
    assert store.redeliver(watcher).objects == [(TASK, "u", version)]


def test_what_was_overtaken_and_acknowledged_is_told_again(store, watcher):
    change_and_tell(store, times=2)
    store.settle("c1", {TASK: 3})
    store.overtaken({TASK: 2}, [watcher])
    assert store.redeliver(watcher).objects == [(TASK, "u", 3)]
    assert store.books() == {"made": 3, "superseded": 1, "acknowledged": 1}


@pytest.mark.parametrize("answered_before", [0, 1])
def test_receipts_for_earlier_sends_do_not_settle_what_was_overtaken(
        store, watcher, answered_before):
    """The newest was sent twice, and something older may have reached the client behind that."""
    change_and_tell(store)
    sends = [store.numbers[TASK, 2], store.redeliver(watcher, FOREVER).number]
    store.settle_all(*[("c1", TASK, number) for number in sends[:answered_before]])
    store.overtaken({TASK: 1}, [watcher])
    store.settle_all(*[("c1", TASK, number) for number in sends[answered_before:]])
    assert store.mark(watcher, TASK)[:2] == ("u", 2)
    assert store.redeliver(watcher).objects == [(TASK, "u", 2)]
    store.settle("c1", {TASK: 2})
    assert store.mark(watcher, TASK) is None


def test_what_is_still_the_newest_is_left_alone(store, watcher):
    change_and_tell(store)
    store.overtaken({TASK: 2}, [watcher])
    assert store.mark(watcher, TASK) == ("u", 2, 2)
    assert store.due_in(watcher, TASK) > 0


def test_a_read_that_a_removal_overtook_is_followed_by_the_delete(store, watcher):
    version = store.remove(TASK)
    store.overtaken({TASK: 1}, [watcher])
    assert store.redeliver(watcher).objects == [(TASK, "d", version)]


def test_a_session_that_has_ended_is_told_nothing_more(store, watcher):
    store.logout("c1")
    store.change(TASK)
    store.overtaken({TASK: 1}, [watcher])
    assert store.mark(watcher, TASK) is None
