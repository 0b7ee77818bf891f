"""Many clients lose their connections and return at once: nothing is missed (design section 7).

tests/bench/run returns does the same with 5,000 and tells what it costs.
"""

from client import DEVELOPERS_LOGIN
from returns import at_once
from rig import Rig
from store import assert_books_balance

CLIENTS, CHANGED = 200, 10


def test_all_who_return_at_once_are_told_all_that_changed(servers, new_stack):
    stack = new_stack(sync_agents=2, settings=DEVELOPERS_LOGIN)
    _, back = at_once(Rig(servers, stack), CLIENTS, CHANGED)
    assert back["told"] == CHANGED
    assert_books_balance(stack.redis())
