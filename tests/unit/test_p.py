"""P's queues, with no scheduler running. Go: proc_test TestSchedLocalQueue, ...Steal."""

import pytest

from gmprt._runtime.p import P


def filled(n: int, runnext: bool = False) -> P:
    pp = P(0)
    pp.runq.extend(range(n))  # any objects do: a P never looks at them
    if runnext:
        pp.runnext.append("next")
    return pp


def drained(pp: P) -> list:
    return list(iter(pp.get, None))


@pytest.mark.parametrize("n", [0, 1, 2, 255, 256])
def test_get_takes_runnext_first_then_fifo_and_each_once(n):
    assert drained(filled(n)) == list(range(n))
    assert drained(filled(n, runnext=True)) == ["next", *range(n)]


@pytest.mark.parametrize("n", range(10))
def test_a_thief_takes_half_rounded_up_of_the_oldest(n):
    pp = filled(n, runnext=True)
    batch = pp.grab(last_round=False)
    assert batch == list(range(n - n // 2))
    assert drained(pp) == ["next", *range(len(batch), n)]


@pytest.mark.parametrize(("n", "ready", "taken"), [(4, 1, 3), (4, 2, 3), (4, 9, 4), (0, 9, 0)])
def test_a_thief_takes_more_where_others_that_cannot_move_are_ready(n, ready, taken):
    pp = filled(n, runnext=True)
    assert pp.grab(False, ready) == list(range(taken))
    assert drained(pp) == ["next", *range(taken, n)]


def test_runnext_is_stolen_in_the_last_round_only_and_only_if_nothing_else_is_there():
    assert filled(0, runnext=True).grab(last_round=False) == []
    assert filled(0, runnext=True).grab(last_round=True) == ["next"]
    assert filled(1, runnext=True).grab(last_round=True) == [0]


@pytest.mark.parametrize("n", [1, 7, 256])
def test_stealing_back_and_forth_conserves_the_multiset(n):
    """Everything is somewhere, once, whoever steals from whom."""
    one, other = filled(n), P(1)
    for round_ in range(20):
        victim, thief = (one, other) if round_ % 2 == 0 else (other, one)
        thief.runq.extend(victim.grab(last_round=True))
        assert sorted([*one.runq, *other.runq]) == list(range(n))
