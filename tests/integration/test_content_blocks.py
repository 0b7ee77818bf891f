"""Blocks of the content protocol, at the level of scripts: what sessions are told, answer, and miss.

Design section 11; agents/sync/store/notify.lua, settle_block.lua, resume.lua. Who is marked:
test_content_marks.py.
"""

import pytest
from content_marks import (BOTH, CHILD, CHILDREN, CONTENT, ONLY_CHILDREN, PARENT, block, marks,
                           objects, reader)
from store import object_key, session_key


# ---- blocks

def test_the_first_change_is_told_at_once_and_what_follows_gathers(store, reader):
    store.change(PARENT)
    step = store.fan_out(store.job(PARENT, "u", 2))
    assert step.ready == [reader]
    first = block(store, reader)
    assert (first.client, first.gateway, first.entries) == ("c1", "gateway.1", {PARENT: CONTENT})
    assert store.settle_blocks(("c1", first.number)) == []
    for _ in range(3):
        store.change_and_tell(PARENT)
        store.tell_children(PARENT)
    assert store.notify(reader) == [] and store.claim_blocks() == []
    store.skew_ms = store.NOTIFY_MS
    assert store.claim_blocks() == [reader]
    assert block(store, reader).entries == {PARENT: BOTH}


def test_while_a_block_is_unanswered_there_is_no_other(store, reader):
    store.watch(reader, CHILD)
    store.tell_children(PARENT)
    first = block(store, reader)
    assert first.entries == {PARENT: ONLY_CHILDREN}
    store.change_and_tell(CHILD)
    store.skew_ms = 1000
    assert store.notify(reader) == []
    assert store.settle_blocks(("c1", first.number)) == [reader]
    assert block(store, reader).entries == {CHILD: CONTENT}


def test_an_answer_clears_just_what_its_block_held(store, reader):
    store.watch(reader, CHILD)
    store.change_and_tell(PARENT)
    store.change_and_tell(CHILD)
    first = block(store, reader)
    store.change_and_tell(CHILD)
    store.tell_children(PARENT)
    store.skew_ms = 1000
    store.settle_blocks(("c1", first.number))
    assert set(marks(store, reader)) == {CHILD, CHILDREN}
    assert block(store, reader).entries == {CHILD: CONTENT, PARENT: ONLY_CHILDREN}
    assert store.books() == {"made": 4, "superseded": 1, "acknowledged": 1}


def test_an_unanswered_block_is_told_again_with_what_has_gathered(store, reader):
    store.watch(reader, CHILD)
    store.change_and_tell(PARENT)
    first = block(store, reader)
    store.change_and_tell(CHILD)
    for wait in (5000, 10000, 20000, 40000, 60000, 60000):
        store.skew_ms += wait - 500
        assert store.notify(reader) == []
        store.skew_ms += 500
        assert store.claim_blocks() == [reader]
        again = block(store, reader)
        assert again.number > first.number and again.entries == {PARENT: CONTENT, CHILD: CONTENT}
    store.settle_blocks(("c1", first.number))
    assert len(marks(store, reader)) == 2, "only the last block can be answered"
    store.settle_blocks(("c1", again.number))
    assert marks(store, reader) == {}
    store.change_and_tell(PARENT)
    store.skew_ms += 100
    block(store, reader)
    store.skew_ms += 5000
    block(store, reader)


def test_answers_that_are_strange_settle_nothing(store, reader):
    store.change_and_tell(PARENT)
    first = block(store, reader)
    for client, number in (("c1", first.number + 1), ("c1", 0), ("c1", -1), ("nobody", first.number),
                           ("", 0)):
        assert store.settle_blocks((client, number)) == []
    assert len(marks(store, reader)) == 1
    for _ in range(2):
        assert store.settle_blocks(("c1", first.number)) == []
    assert store.books() == {"made": 1, "acknowledged": 1}
    assert not store.redis.exists(session_key(reader, ":b"), session_key(reader, ":d"), "blocks")


def test_what_does_not_go_into_a_block_comes_in_the_next_the_oldest_first(store, reader):
    refs = [f"com.app.mo.Task:t{i}" for i in range(5)]
    for ref in refs:
        store.skew_ms += 1
        store.object(ref)
        store.watch(reader, ref)
        store.tell(ref)
    store.tell(refs[0])
    told = []
    while marks(store, reader):
        found = block(store, reader, most=2)
        told.append(list(found.entries))
        store.skew_ms += 100
        store.settle_blocks(("c1", found.number))
    assert told == [refs[:2], refs[2:4], refs[4:]]


def test_a_return_and_an_announcement_make_all_due_at_once(store, reader):
    store.token("c1")
    store.change_and_tell(PARENT)
    first = block(store, reader)
    store.disconnect("c1")
    store.tell_children(PARENT)
    assert store.notify(reader) == [] and store.claim_blocks() == []
    sid, went, quiet = store.resume("c2", gateway="gateway.2")
    assert (sid, went) == (reader, ("", ""))
    assert store.claim_blocks() == [], "its answer has not gone out"
    store.run("resumed", reader, quiet)
    store.settle_blocks(("c1", first.number), ("c2", first.number))
    second = block(store, reader)
    assert (second.client, second.gateway, second.entries) == ("c2", "gateway.2", {PARENT: BOTH})
    store.run("resumed", reader, quiet)
    assert store.notify(reader) == [], "that comes too late"
    assert store.announce("gateway.2", "c2") == {}
    assert store.claim_blocks() == [reader]
    store.settle_blocks(("c2", second.number))
    third = block(store, reader)
    assert third.entries == {PARENT: BOTH}
    store.settle_blocks(("c2", third.number))
    assert marks(store, reader) == {}


def test_a_return_whose_agent_dies_is_told_all_the_same(store, reader):
    store.token("c1")
    store.change_and_tell(PARENT)
    store.resume("c2")
    store.skew_ms = 5000
    assert store.claim_blocks() == [reader]
    assert block(store, reader).client == "c2"


# ---- returns and idle sessions

def test_a_token_has_its_session_back(store, reader):
    store.token("c1")
    for _ in "once more":
        assert store.resume("c2", gateway="gateway.2")[:2] == (reader, ("c1", "gateway.1"))
    assert store.resume("c3")[:2] == (reader, ("c2", "gateway.2"))
    assert store.resume("c2", gateway="gateway.2") == "taken over"
    assert store.resume("c4", accepted=1) == "taken over", "the later return has overtaken it"
    assert store.binding(reader) == ("c3", "gateway.1")


def test_no_other_token_has_it(store, reader):
    pupil = store.session("p1", user="u2")
    store.token("p1", user="u2", token="other")
    assert store.resume("c2", token="other") == "unknown", "it is of the other protocol"
    assert store.resume("c2", token="nothing") == "login"
    store.token("c1")
    assert store.reconnect("c2", "c1").refused == "unknown"
    assert store.binding(pupil) == ("p1", "gateway.1")
    store.logout("c1")
    assert store.resume("c2") == "logged out"


def test_a_session_is_idle_for_as_long_as_its_protocol_allows(store, reader):
    pupil = store.session("p1")
    for client in ("c1", "p1"):
        store.disconnect(client)
    store.skew_ms = store.CONTENT_IDLE_MS - 1
    assert store.claim()[0] == []
    store.skew_ms = store.CONTENT_IDLE_MS
    assert [job[1:] for job in store.claim()[0]] == [("end", reader)]
    assert store.field(pupil, "ended") is None


def test_what_is_gone_is_told_of_whole(store, reader):
    other = store.session("c2", dialect="content")
    store.watch(other, CHILDREN)
    store.tell_children(PARENT)
    store.tell(PARENT)
    store.remove(PARENT)
    for sid in (reader, other):
        assert block(store, sid).entries == {PARENT: BOTH}
    store.fan_out(store.job(PARENT, "d", 2))
    store.object(PARENT)
    store.skew_ms = 5000
    for sid in (reader, other):
        assert block(store, sid).entries == {PARENT: BOTH}, "it was gone meanwhile"


OWNERS = {"com.app.mo.Task": "owner:owner"}


def test_what_may_not_be_read_any_more_has_gone(store, reader):
    store.watch(reader, CHILD)
    store.change_and_tell(PARENT)
    store.change_and_tell(CHILD)
    nobody = {"com.app.mo.Group": "nobody"}
    assert block(store, reader, restricted=nobody).entries == {PARENT: BOTH, CHILD: CONTENT}
    assert marks(store, reader) == {PARENT: ("d", 2), CHILD: ("u", 2)}
    assert store.books() == {"made": 3, "superseded": 1}
    store.change(PARENT)
    assert store.fan_out(store.job(PARENT, version=3), restricted=nobody).ready == []
    assert marks(store, reader)[PARENT] == ("d", 2), "what it is now says nobody"


def test_of_a_removal_hears_who_knew_what_was_removed(store, reader):
    other = store.session("c2", user="u2", dialect="content")
    store.object(CHILD, owner='"u2"')
    for client in ("c1", "c2"):
        store.subscribe(client, CHILD, restricted=OWNERS)
    store.remove(CHILD)
    assert store.fan_out(store.job(CHILD, "d", 2), restricted=OWNERS).ready == [other]
    assert marks(store, reader) == {}
    assert block(store, other, restricted=OWNERS).entries == {CHILD: BOTH}


def test_of_what_was_given_away_it_is_told_that_it_has_gone(store, reader):
    store.object(CHILD, owner='"u1"')
    store.subscribe("c1", CHILD, "+" + CHILD, restricted=OWNERS)
    store.change(CHILD, "owner", '"u2"')
    assert set(store.fan_out(store.job(CHILD, version=2), restricted=OWNERS).ready) == {reader}
    assert marks(store, reader) == {CHILD: ("d", 2), "+" + CHILD: ("d", 2)}
    told = block(store, reader, restricted=OWNERS)
    assert told.entries == {CHILD: BOTH}
    store.remove(CHILD)
    assert store.fan_out(store.job(CHILD, "d", 3), restricted=OWNERS).ready == []
    store.settle_blocks(("c1", told.number))
    assert marks(store, reader) == {} and store.books() == {"made": 2, "acknowledged": 2}


@pytest.mark.parametrize("item", [CHILD, "+" + CHILD])
def test_who_may_read_what_it_wished_for_in_the_blind_is_told(store, reader, item):
    store.object(CHILD, owner='"u2"')
    store.subscribe("c1", item, restricted=OWNERS)
    store.change(CHILD)
    assert store.fan_out(store.job(CHILD, version=2), restricted=OWNERS).ready == []
    store.change(CHILD, "owner", '"u1"')
    assert store.fan_out(store.job(CHILD, version=3), restricted=OWNERS).ready == [reader]
    assert block(store, reader, restricted=OWNERS).entries == {CHILD: CONTENT if item == CHILD else ONLY_CHILDREN}
    store.change(CHILD, "owner", '"u2"')
    store.fan_out(store.job(CHILD, version=4), restricted=OWNERS)
    assert marks(store, reader) == {item: ("d", 4)}


def test_who_cannot_be_told_is_passed_over(store, reader):
    pupil, gone = store.session("c2"), store.session("c3", dialect="content")
    store.watch(gone, PARENT)
    store.change_and_tell(PARENT)
    store.logout("c3")
    assert [told.client for told in store.notify(pupil, gone, reader, "99")] == ["c1"]


def test_late_answers_pause_what_is_told_again_but_nothing_new(store, reader):
    other = store.session("c2", dialect="content")
    store.watch(other, PARENT)
    store.change_and_tell(PARENT)
    block(store, reader)
    store.settle_blocks(("nobody", 1), pause_ms=60000)
    store.skew_ms = 5000
    assert store.notify(reader) == []
    assert block(store, other).entries == {PARENT: CONTENT}
    store.redis.delete("receipts:late")
    store.skew_ms += 60000
    assert block(store, reader).entries == {PARENT: CONTENT}


def test_large_blocks_are_made_and_settled_a_few_at_a_time(store):
    sids = [store.session(f"m{i}", dialect="content") for i in range(3)]
    for i in range(600):
        ref = f"com.app.mo.Task:t{i}"
        store.object(ref)
        for sid in sids:
            store.watch(sid, ref)
        store.tell(ref)
    now, rest = store.now(), (1000, 100, *store.TIMING, 0)
    handled, number, blocks = store.run("notify", now, *rest, 3, *sids)
    assert (handled, len(blocks)) == (2, 2)
    handled, second, blocks = store.run("notify", now, *rest, 1, sids[2])
    assert (handled, len(blocks[0][2])) == (1, 600)
    receipts = ["m0", number, "m1", number, "m2", second]
    assert store.run("settle_block", store.now(), 100, 0, *receipts) == [2, []]
    assert store.run("settle_block", store.now(), 100, 0, *receipts[4:]) == [1, []]
    assert store.marked() == set()


def test_a_claim_takes_as_many_as_it_is_told_and_leaves_them_alone_for_a_while(store, reader):
    other = store.session("c2", dialect="content")
    store.watch(other, PARENT)
    store.change_and_tell(PARENT)
    assert len(store.claim_blocks(most=1)) == 1 and len(store.claim_blocks()) == 1
    assert store.claim_blocks() == []
    store.skew_ms = store.LEASE_MS
    assert len(store.claim_blocks()) == 2
