"""Contexts and timers by the hundred thousand: all are served, and nothing stays behind."""

import gc
import weakref

import pytest

import gmprt
from gmprt import Canceled, after_func, go, sleep
from gmprt.context import background, with_cancel, with_timeout
from tests.conformance.parking import join_all

MANY = 100_000


def broad(root):
    """Every node is its parent's second child at most: 17 generations."""
    nodes = [root]
    for i in range(MANY):
        nodes.append(with_cancel(nodes[i // 2]).ctx)
    return nodes


def deep(root):
    """A chain: no recursion would survive it."""
    nodes = [root]
    for _ in range(MANY):
        nodes.append(with_cancel(nodes[-1]).ctx)
    return nodes


def flat(root):
    """All are the root's own children."""
    return [root, *(with_cancel(root).ctx for _ in range(MANY))]


@pytest.mark.parametrize("shape", [broad, deep, flat])
def test_a_tree_of_a_hundred_thousand_is_cancelled_whole(rt, shape):
    root, cancel = with_cancel(background())
    nodes = shape(root)
    cancel()
    assert {type(node.err()) for node in nodes} == {Canceled}
    refs = [weakref.ref(node) for node in nodes[:: MANY // 10]]
    del nodes, root, cancel
    gc.collect()
    assert [ref() for ref in refs] == [None] * len(refs)


def test_deadlines_that_are_cancelled_do_not_pile_up(rt):
    before = gmprt.stats()["timers"]
    for _ in range(20_000):
        with with_timeout(background(), 3600.0):
            pass
    assert gmprt.stats()["timers"] == before
    for _ in range(20_000):
        assert after_func(3600.0, int).stop() is True
    assert gmprt.stats()["timers"] == before


def test_a_hundred_thousand_timers_are_pending_and_leave(rt):
    before = gmprt.stats()["timers"]
    timers = [after_func(3600.0, int) for _ in range(MANY)]
    assert gmprt.stats()["timers"] == before + MANY
    assert {timer.stop() for timer in timers} == {True}
    assert gmprt.stats()["timers"] == before


def test_ten_thousand_sleepers_all_wake(procs):
    woken = []

    def body(i):
        sleep(0.001 * (i % 7))
        woken.append(i)

    join_all(*[go(body, i) for i in range(10_000)])
    assert sorted(woken) == list(range(10_000))
