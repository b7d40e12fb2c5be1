"""How a thread is asked to look up from its work, without the GIL: it frees what it has made."""

import threading

import pytest

from gmprt._runtime import preempt
from gmprt._runtime.clock import now
from gmprt._runtime.m import M
from gmprt._runtime.preempt import KNOCKED, Knock, _Monitoring
from tests.support import run_prog

pytestmark = pytest.mark.skipif(not preempt._KNOCKS, reason="here nobody knocks")


@pytest.fixture
def mp():
    """An M that no thread has: whatever comes from it has come to the wrong one."""
    return M(99)


def test_one_that_is_dropped_on_the_wrong_thread_leaves_none(mp):
    """A collection may be faster than the thread: it is asked by events then, at the next look."""
    mp.knock = Knock(mp)
    assert _Monitoring()._arm(mp)
    assert mp.knock is None


def test_one_that_goes_with_its_thread_is_no_answer(mp):
    mp.knock = Knock(mp)
    mp.knock = None
    assert mp.knock is None


def test_who_has_not_answered_is_not_asked_twice(mp):
    mp.knock, mp.want_since = KNOCKED, now()
    preempter = _Monitoring()
    assert preempter._arm(mp)
    assert not preempter._again(mp)
    assert mp.knock is KNOCKED


def test_but_by_events_if_it_takes_too_long(mp):
    mp.knock, mp.want_since = KNOCKED, now() - preempt._LOST
    assert _Monitoring()._again(mp)
    assert mp.knock is None


def test_who_looks_whether_it_may_give_way_has_been_asked_enough(mp):
    mp.want = preempt.ANSWERING
    assert _Monitoring().ask(mp, mp.tick) == 0.0
    assert mp.want == preempt.ANSWERING


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
    print(turns == [TURNS, TURNS], gmprt.stats()["preemptions"] >= TURNS, "gmprt" in names)

gmprt.run(main, procs=1)
{after}
"""


def alternate(turns=20, before="", after=""):
    """Have two computing goroutines take turns; tell whether they did, and by events or not."""
    done = run_prog(ALTERNATE.format(turns=turns, before=before, after=after))
    assert done.stderr == ""
    return done.stdout.split()


def test_nobody_sets_events():
    assert alternate() == ["True", "True", "False"]


def test_beside_a_trace_function_it_is_done_by_events():
    """A knock could come inside its call, where nobody may switch."""
    traced = "sys.settrace(lambda *_: None)"
    assert alternate(5, traced, "sys.settrace(None)") == ["True", "True", "True"]


def test_beside_another_tool_too():
    assert alternate(5, "sys.monitoring.use_tool_id(0, 'other')") == ["True", "True", "True"]


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
