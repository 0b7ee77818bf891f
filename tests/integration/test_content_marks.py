"""Marks of the content protocol, at the level of scripts: who is marked of what, and who is not.

Design section 11; agents/sync/store/fan_out.lua.
"""

import pytest
from store import job_key, marks_of, now_ms, object_key, session_key

PARENT, CHILD = "com.app.mo.Group:1", "com.app.mo.Task:t1"
CHILDREN = "+" + PARENT


@pytest.fixture(autouse=True)
def objects(store):
    store.object(PARENT, name='"one"')
    store.object(CHILD, title='"one"')


@pytest.fixture
def reader(store):
    """The session of c1, which wants to hear of the parent's content and of its children."""
    sid = store.session("c1", dialect="content")
    for item in (PARENT, CHILDREN):
        store.watch(sid, item)
    return sid


def marks(store, sid):
    """item -> (kind, version)"""
    return {item: (mark[0], int(mark[1])) for item, mark in marks_of(store.redis, sid).items()}


# ---- who is marked

def test_a_change_is_marked_and_never_pushed(store, reader):
    assert store.change_and_tell(PARENT) == 2
    assert store.tell(PARENT) == []
    assert marks(store, reader) == {PARENT: ("u", 2)}
    assert store.redis.zscore("blocks", reader) <= now_ms() and not store.redis.exists("due")
    assert store.books() == {"made": 1}


def test_a_change_of_children_marks_who_minds_them(store, reader):
    other = store.session("c2", dialect="content")
    store.watch(other, PARENT)
    store.tell_children(PARENT)
    assert marks(store, reader)[CHILDREN][0] == "c"
    assert marks(store, other) == {}
    store.tell_children(PARENT)
    assert store.books() == {"made": 2, "superseded": 1}


def test_a_removal_is_told_of_both_and_the_wish_stays(store, reader):
    pupil = store.session("c2")
    store.watch(pupil, PARENT)
    store.remove(PARENT)
    job = store.job(PARENT, "d", 2)
    assert store.fan_out(job).sids == [pupil]
    store.run("fan_out_end", job)
    assert marks(store, reader) == {PARENT: ("d", 2), CHILDREN: ("d", 2)}
    assert store.redis.smembers(session_key(reader, ":w")) == {PARENT, CHILDREN}
    assert not store.redis.exists(object_key(PARENT, ":w"), session_key(pupil, ":w"))
    store.object(PARENT, name='"anew"')
    store.tell(PARENT)
    assert marks(store, reader)[PARENT] == ("u", 1)


def test_a_key_that_appears_later_is_told(store, reader):
    store.watch(reader, "com.app.mo.Task:later")
    store.object("com.app.mo.Task:later", title='"here"')
    store.tell("com.app.mo.Task:later")
    assert marks(store, reader) == {"com.app.mo.Task:later": ("u", 1)}


def test_a_step_that_is_done_again_marks_once(store, reader):
    job = store.job(PARENT, "c", store.redis.incr("j:next"))
    for place in (1, 0):
        store.fan_out(job, place)
    assert store.books() == {"made": 1}


# ---- the writer

@pytest.mark.parametrize("ref, kind", [(PARENT, "u"), (PARENT, "c")])
def test_the_writer_is_not_told_if_all_was_taken_as_it_was_sent(store, reader, ref, kind):
    version = store.change(ref)
    for complete in (1, 0):
        store.fan_out(store.job(ref, kind, version, writer=reader, complete=complete))
        assert bool(marks(store, reader)) == (complete == 0)


def test_the_writer_still_hears_of_what_was_before(store, reader):
    store.change_and_tell(PARENT)
    version = store.change(PARENT)
    store.fan_out(store.job(PARENT, "u", version, writer=reader))
    assert marks(store, reader) == {PARENT: ("u", 2)}


def test_the_writer_is_told_if_somebody_wrote_after_it(store, reader):
    job = store.job(PARENT, "u", store.change(PARENT), writer=reader)
    store.change(PARENT)
    store.fan_out(job)
    assert marks(store, reader) == {PARENT: ("u", 3)}


# ---- the end

def test_the_end_of_a_session_leaves_no_wish(store, reader):
    store.change_and_tell(PARENT)
    store.tell_children(PARENT)
    job = store.logout("c1")[2]
    assert store.end_session(job, reader)
    assert not store.redis.exists(object_key(PARENT, ":sw"), object_key(PARENT, ":cw"),
                                  session_key(reader, ":w"), job_key(job), "blocks")
    assert store.books() == {"made": 2, "ended": 2}


def test_a_session_that_misses_too_much_ends(store, reader):
    store.change_and_tell(PARENT)
    store.change(CHILD)
    store.watch(reader, CHILD)
    step = store.fan_out(store.job(CHILD, "u", 2), most_marks=1)
    assert step.closed == [("c1", "gateway.1")]
    assert store.field(reader, "why") == "too much was missed"
