"""What tells whether anybody but the caller holds an object, and objects that nobody counts."""

import gc
import sys
import threading
import weakref
from collections import deque

import pytest

from gmprt._runtime.lock import parked
from gmprt._runtime.m import tls
from gmprt._runtime.rawobject import alone, uncounted
from gmprt._runtime.sched import GIL, sched
from gmprt._runtime.sudog import NOBODY, TIMED_OUT


class Thing:
    pass


def test_one_that_only_the_caller_holds():
    thing = Thing()
    assert alone(thing)


def test_one_that_others_hold_too():
    thing = Thing()
    held = [thing]
    assert not alone(thing)
    held.clear()
    assert alone(thing)


def made_by_a_thread_that_sleeps(stop):
    """Return it, and a list with the one thing it has made, which nobody else holds."""
    held, made = [], threading.Event()

    def make():
        held.append(Thing())
        made.set()
        stop.wait()

    thread = threading.Thread(target=make)
    thread.start()
    made.wait()
    return thread, held


def test_one_that_waits_for_its_maker_to_drop_it():
    """Without the GIL the maker's queue has a reference, which does not count."""
    stop = threading.Event()
    thread, held = made_by_a_thread_that_sleeps(stop)
    one = held.pop()
    two = one
    assert not alone(one)
    del two
    assert alone(one)
    stop.set()
    thread.join()


def test_one_that_was_dropped_by_all_but_its_maker_does_not_know():
    stop = threading.Event()
    thread, held = made_by_a_thread_that_sleeps(stop)
    handle = weakref.ref(held[0])
    held.clear()
    thing = handle()
    assert (thing is None) == GIL
    assert GIL or alone(thing)
    stop.set()
    thread.join()
    del thing
    assert handle() is None


@pytest.mark.skipif(GIL, reason="with the GIL counting costs nothing")
def test_what_is_uncounted_has_the_count_of_none():
    """As many as nobody could hold, whatever is added or dropped, on any thread."""
    thing = uncounted(Thing())
    counts = {sys.getrefcount(None), sys.getrefcount(thing)}
    held = [thing] * 100
    dropper = threading.Thread(target=held.clear)
    dropper.start()
    dropper.join()
    counts.add(sys.getrefcount(thing))
    assert len(counts) == 1


def test_what_is_uncounted_keeps_what_it_refers_to():
    thing = uncounted(Thing())
    thing.child = Thing()
    handle = weakref.ref(thing.child)
    gc.collect()
    assert handle() is thing.child
    del thing.child
    gc.collect()
    assert handle() is None


def test_what_the_runtime_touches_at_each_step_is_uncounted():
    """Else threads that have nothing to do with each other get in each other's way."""
    if GIL:
        pytest.skip("with the GIL counting costs nothing")
    never = sys.getrefcount(None)
    parts = [part for part in vars(sched).values() if isinstance(part, (list, dict, deque))]
    assert len(parts) > 20
    for thing in (sched, tls, parked, TIMED_OUT, NOBODY, *sched.allp, *parts):
        assert sys.getrefcount(thing) == never, thing
