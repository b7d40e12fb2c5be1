"""What tells whether anybody but the caller holds an object."""

import threading
import weakref

from gmprt._runtime.rawobject import alone
from gmprt._runtime.sched import GIL


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
