"""How a thread is asked to look up from its work, without the GIL: it frees what it has made."""

import sys
import threading

import pytest

from gmprt._runtime import getm, giveway, knock
from gmprt._runtime.clock import now
from gmprt._runtime.knock import KNOCKED, Knock
from gmprt._runtime.m import M
from gmprt._runtime.monitoring import Monitoring
from tests.support import run_prog

pytestmark = pytest.mark.skipif(not knock.KNOCKS, reason="here nobody knocks")


@pytest.fixture
def mp(monkeypatch):
    """An M that no thread has, and the only one that is found by its id."""
    mp = M(99)
    monkeypatch.setattr(knock, "snapshot", lambda _: [mp])
    return mp


def test_one_that_is_dropped_on_another_thread_leaves_none(mp):
    """A collection may be faster than the thread: it is asked by events then, at the next look."""
    mp.knock = KNOCKED
    Knock(mp.id)  # dropped at once, here
    assert mp.knock is None


def test_one_that_goes_with_its_thread_is_no_answer():
    mp = getm()
    former = mp.knock
    Knock(mp.id)
    assert mp.knock is former


def test_who_has_not_answered_is_not_asked_twice(mp):
    mp.knock, mp.knock_time = KNOCKED, now()
    assert knock.knock_at(mp)
    assert mp.knock is KNOCKED


@pytest.mark.parametrize(("seconds", "decisions"), [(knock.LOST, 0), (0, 3)])
def test_but_by_events_if_it_must_have_been_lost(mp, seconds, decisions):
    mp.knock, mp.knock_time, mp.tick = KNOCKED, now() - seconds, decisions
    assert not knock.knock_at(mp)
    assert mp.knock is None


def test_nor_where_it_might_not_fit_on_the_stack(monkeypatch):
    mp = getm()
    assert knock._has_room(mp)
    monkeypatch.setattr(knock, "_ROOM", sys.getrecursionlimit() - 5)
    assert not knock._has_room(mp)
    assert not knock._has_room(M(99))


def test_who_looks_whether_it_may_give_way_has_been_asked_enough(mp):
    mp.want = giveway.ANSWERING
    assert Monitoring().ask(mp, mp.tick) == 0.0
    assert mp.want == giveway.ANSWERING


def test_it_runs_on_the_thread_that_has_made_it():
    """What all of this rests on; the thread computes, and calls nothing of ours."""
    ran_on, made, stop = [], [], threading.Event()

    class Made:
        def __del__(self):
            ran_on.append(threading.get_ident())
            stop.set()

    def compute():
        made.append(Made())
        while not stop.is_set():
            pass

    thread = threading.Thread(target=compute)
    thread.start()
    while not made:
        pass
    made.clear()
    thread.join()
    assert ran_on == [thread.ident]


ALTERNATE = """
import gc, sys, threading, gmprt
{before}
TURNS = {turns}

def main():
    turns = [0, 0]
    last = [None]

    def spin(me):
        changes = 0
        while changes < TURNS:
            if last[0] != me:
                last[0] = me
                changes += 1
        turns[me] = changes

    gs = [gmprt.go(spin, me) for me in (0, 1)]
    for g in gs:
        g.result()
    names = [sys.monitoring.get_tool(tool) for tool in range(6)]
    stats = gmprt.stats()
    # On a busy machine the P may be taken: then they run on two threads.
    forced = stats["preemptions"] + stats["retakes"]
    print(turns == [TURNS, TURNS], forced > 0, "gmprt" in names)

gmprt.run(main, procs=1)
{after}
"""


def alternate(turns=20, before="", after=""):
    """Have two computing goroutines take turns; tell whether they did, and by events or not."""
    done = run_prog(ALTERNATE.format(turns=turns, before=before, after=after))
    assert done.stderr == ""
    return done.stdout.split()


def test_nobody_sets_events():
    # A collection may drop what is in a thread's queue; then there are some.
    assert alternate(20, "gc.disable()") == ["True", "True", "False"]


def test_beside_a_trace_function_it_is_done_by_events():
    """A knock could come inside its call, where nobody may switch."""
    traced = "sys.settrace(lambda *_: None)"
    assert alternate(5, traced, "sys.settrace(None)")[:2] == ["True", "True"]


def test_beside_another_tool_too():
    assert alternate(5, "sys.monitoring.use_tool_id(0, 'other')")[:2] == ["True", "True"]


def test_collections_may_drop_it_first():
    """Another thread collects again and again, and drops what it finds in the queues of all."""
    before = """
stop = threading.Event()
def collect():
    while not stop.is_set():
        gc.collect(0)
        stop.wait(0.0002)
thread = threading.Thread(target=collect)
thread.start()
"""
    assert alternate(20, before, "stop.set(); thread.join()")[:2] == ["True", "True"]


SWITCHED = """
import sys, time, gmprt
inside, others = [], []

def long_enough():
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        pass

def hook(event, args):
    if event == "ours":
        inside.append(1)
        long_enough()
        inside.pop()

sys.addaudithook(hook)

def main():
    def other():
        while not done:
            others.append(bool(inside))
            gmprt.gosched()
    done = []
    g = gmprt.go(other)
    gmprt.gosched()  # from now on it lives on this thread
    for _ in range(5):
        sys.audit("ours")
    done.append(1)
    g.join()
    print(any(others), bool(others))

gmprt.run(main, procs=1)
"""


def test_nobody_switches_inside_an_audit_hook():
    """The interpreter calls nobody back meanwhile, and would not for those who run instead."""
    done = run_prog(SWITCHED)
    assert done.stdout.split() == ["False", "True"]


SWALLOWED = """
import gc, sys, time, gmprt
{before}
seen = []
sys.unraisablehook = seen.append

def main():
    ticks = []
    stop = []

    def tick():
        while not stop:
            gmprt.sleep(0.001)
            ticks.append(time.monotonic())

    def down(n):
        return down(n + 1)

    g = gmprt.go(tick)
    for _ in range(10):
        {inner}
        gmprt.sleep(0.0005)
    stop.append(1)
    g.join()
    print(len(ticks) > 40, seen)

gmprt.run(main, procs=1)
"""

SPIN = """end = time.monotonic() + 0.1
        while time.monotonic() < end:
            pass"""

DIVE = """end = time.monotonic() + 0.1
        while time.monotonic() < end:
            try:
                down(0)
            except RecursionError:
                pass"""


def test_those_who_hold_all_objects_keep_nobody_from_being_asked():
    """As memory profilers do: then it is not freed, and events do."""
    held = "gmprt.go(gmprt.gosched).join(); held = gc.get_objects()"
    done = run_prog(SWALLOWED.format(before=held, inner=SPIN))
    assert (done.stdout.split(), done.stderr) == (["True", "[]"], "")


def test_a_full_stack_swallows_none():
    done = run_prog(SWALLOWED.format(before="", inner=DIVE))
    assert (done.stdout.split(), done.stderr) == (["True", "[]"], "")
