"""Marks of the content protocol, at the level of scripts: who has to hear of what.

Design section 11; agents/sync/store/fan_out.lua, subscribe.lua. How they are told:
test_content_blocks.py.
"""

import pytest
from content_marks import CHILD, CHILDREN, PARENT, block, marks, objects, reader
from store import job_key, object_key, session_key


# ---- who is marked

def test_a_change_is_marked_and_never_pushed(store, reader):
    assert store.change_and_tell(PARENT) == 2
    assert store.tell(PARENT) == []
    assert marks(store, reader) == {PARENT: ("u", 2)}
    assert store.claim_blocks() == [reader] and not store.redis.exists("due")
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


def test_what_is_no_part_of_the_content_is_no_change_of_it(store, reader):
    unseen = ("com.app.mo.Room", "name", "com.app.mo.Group", "children")
    store.change(PARENT, "children", "[]")
    store.fan_out(store.job(PARENT, "u", 2), unseen=unseen)
    assert marks(store, reader) == {}
    store.change(PARENT, "name")
    store.change(PARENT, "children", "[7]")
    store.fan_out(store.job(PARENT, "u", 4), unseen=unseen)
    assert marks(store, reader) == {}
    store.fan_out(store.job(PARENT, "u", 3), unseen=unseen)
    assert marks(store, reader) == {PARENT: ("u", 4)}
    store.fan_out(store.job(PARENT, "u", 5), unseen=unseen)
    assert marks(store, reader) == {PARENT: ("u", 4)}, "of this it has a mark already"


def test_that_there_is_an_object_is_told_even_if_it_has_nothing_but_children(store, reader):
    unseen = ("com.app.mo.Group", "children")
    store.object(PARENT, children="[7]")
    store.fan_out(store.job(PARENT, "u", 1), unseen=unseen)
    assert marks(store, reader) == {PARENT: ("u", 1)}


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


# ---- wishes

def subscribe(store, *items, client="c1", **options):
    return store.subscribe(client, *items, **options)


def test_what_a_session_asks_for_it_is_told(store, reader):
    assert subscribe(store, CHILD, "+" + CHILD, CHILD)[:2] == ["ok", reader]
    store.change_and_tell(CHILD)
    assert marks(store, reader) == {CHILD: ("u", 2)}
    assert store.redis.smembers(session_key(reader, ":w")) == {PARENT, CHILDREN, CHILD, "+" + CHILD}


def test_of_what_it_takes_back_it_is_told_no_more(store, reader):
    store.change_and_tell(PARENT)
    first = block(store, reader)
    store.tell_children(PARENT)
    assert subscribe(store, PARENT, CHILDREN, CHILD, revoke=1)[:2] == ["ok", reader]
    assert marks(store, reader) == {} and not store.redis.exists("blocks")
    store.change_and_tell(PARENT)
    store.tell_children(PARENT)
    assert store.settle_blocks(("c1", first.number)) == []
    assert store.books() == {"made": 2, "ended": 2}
    assert not store.redis.exists(session_key(reader, ":w"))


def test_no_more_wishes_are_kept_than_the_limit_allows(store, reader):
    assert subscribe(store, CHILD, "+" + CHILD, most=3) == ["full"]
    assert store.redis.scard(session_key(reader, ":w")) == 2
    assert subscribe(store, PARENT, CHILD, CHILD, CHILDREN, most=3)[:2] == ["ok", reader]
    assert subscribe(store, "+" + CHILD, revoke=1, most=3)[:2] == ["ok", reader]


def test_who_is_not_there_wishes_for_nothing(store, reader):
    assert subscribe(store, CHILD, client="nobody") == ["client"]
    accepted = store.now()
    store.skew_ms = 10
    store.logout("c1")
    assert store.run("subscribe", "c1", accepted, accepted, 0, 9, 0, CHILD)[:2] == ["ok", reader]
    store.skew_ms = 11
    assert subscribe(store, CHILD) == ["client"]
    assert not store.redis.exists(object_key(CHILD, ":sw"))
