"""How far `stuck` looks, and what it reads of frames."""

import sys

import pytest

import gmprt
from gmprt import leaks
from gmprt.leaks import frames, reach
from tests.support import wait_until


@pytest.fixture
def parked(procs):
    """Give a function that starts a goroutine and waits until it waits; those end with the test."""
    gs = []

    def park(fn, *args):
        g = gmprt.go(fn, *args)
        gs.append(g)
        wait_until(lambda: g.state == "waiting", "it waits")
        return g

    yield park
    for g in gs:
        g.interrupt()
    assert all(g.join(30) for g in gs)


def waits(ch, *_):
    ch.recv()


def are_found(gs, most=reach.OBJECTS_MAX):
    """Tell whether they are found, and never any other: on a busy machine it may take more looks,
    as without the GIL nothing is said if another thread has run."""
    looks = []

    def found():
        looks.append(reach.stuck_gs(most))
        return looks[-1] == gs

    wait_until(found, "they are found")
    return all(set(look) <= set(gs) for look in looks)


def test_a_heap_behind_the_stuck_is_not_looked_through(parked):
    """They are proved so from what is near, however much else they refer to."""
    heap = [[number] for number in range(10_000)]
    holder = [heap]
    gs = [parked(waits, gmprt.Chan(), holder) for _ in range(5)]
    assert are_found(gs, most=1_000)


def test_a_heap_that_only_the_stuck_hold_is_not_looked_through(parked):
    class Worker:
        def __init__(self):
            self.heap = [[number] for number in range(10_000)]
            self.ch = gmprt.Chan()

        def run(self):
            self.ch.recv()

    g = parked(Worker().run)
    assert are_found([g], most=1_000)


def test_a_heap_too_large_hides_only_those_behind_it(parked):
    heap = [[number] for number in range(10_000)]
    behind = gmprt.Chan()
    heap[5_000].append(behind)
    gs = [parked(waits, gmprt.Chan(), heap), parked(waits, behind)]
    del heap, behind
    assert are_found(gs[:1], most=1_000)
    assert are_found(gs)


def test_a_ring_of_objects_that_a_stuck_one_holds_is_seen_through(parked):
    """Such a ring has a holder that is not known until it is looked through itself."""
    ring = [gmprt.Chan()]
    ring.append(ring)
    gs = [parked(waits, gmprt.Chan(), ring), parked(waits, ring[0])]
    del ring
    assert are_found(gs)


def test_a_ring_of_objects_that_is_held_elsewhere_keeps_live(parked):
    ring = [gmprt.Chan()]
    ring.append(ring)
    gs = [parked(waits, gmprt.Chan(), ring), parked(waits, ring[0])]
    assert are_found(gs[:1])


def test_what_lies_in_the_buffer_of_a_channel_is_seen(parked):
    outer, inner, full = gmprt.Chan(1), gmprt.Chan(), gmprt.Chan(1)
    outer.send(inner)
    full.send(outer)
    gs = [parked(waits, inner), parked(full.send, None)]
    del outer, inner
    assert leaks.stuck() == []
    del full
    assert are_found(gs)


@pytest.mark.skipif(not gmprt._runtime.GIL, reason="there is no switch interval to keep")
def test_the_switch_interval_is_as_before(parked):
    parked(waits, gmprt.Chan())
    before = sys.getswitchinterval()
    leaks.stuck()
    assert sys.getswitchinterval() == before


def test_a_frame_that_is_over_leads_to_those_below_it():
    def over():
        return sys._getframe()

    def below():
        local = object()
        return frames.held_by(over()).count(id(local))

    assert below() == 1


def test_what_is_not_asked_for_is_left_out():
    local = object()
    frame = sys._getframe()
    assert frames.held_by(frame).count(id(local)) == 1
    assert id(local) not in frames.held_by(frame, {0, id(local)})


def test_objects_at_gives_each_object():
    things = [object(), "text", 7**50, None]
    assert frames.objects_at(list(map(id, things))) == things
    assert frames.objects_at([]) == []
