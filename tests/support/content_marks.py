"""The stage of the scripts that mark sessions of the content protocol and tell them in blocks.

The fixtures are imported by name: two objects, the parent with children, and `reader`, the session of
c1, which wants to hear of the parent's content and of its children.
"""

import pytest
from store import marks_of

PARENT, CHILD = "com.app.mo.Group:1", "com.app.mo.Task:t1"
CHILDREN = "+" + PARENT
CONTENT, BOTH, ONLY_CHILDREN = (True, False), (True, True), (False, True)  # of a block's entry


@pytest.fixture(autouse=True)
def objects(store):
    store.object(PARENT, name='"one"')
    store.object(CHILD, title='"one"')


@pytest.fixture
def reader(store):
    sid = store.session("c1", dialect="content")
    for item in (PARENT, CHILDREN):
        store.watch(sid, item)
    return sid


def marks(store, sid):
    """item -> (kind, version)"""
    return {item: (mark[0], int(mark[1])) for item, mark in marks_of(store.redis, sid).items()}


def block(store, sid, **options):
    """The only block that the session is told now."""
    [found] = store.notify(sid, **options)
    return found
