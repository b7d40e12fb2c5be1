"""Making and choosing goroutines, no scheduler running: an M that loses its P at a bad moment."""

import sys
import threading
import weakref

import pytest

from gmprt._runtime import newg, proc
from gmprt._runtime.g import G
from gmprt._runtime.m import foreign_m, tls
from gmprt._runtime.p import P
from gmprt._runtime.sched import Sched


@pytest.fixture
def woken(monkeypatch):
    """Give a scheduler of the test's own; the list gets an entry for each M that is woken."""
    calls: list[None] = []
    mine = Sched()
    for module in (newg, proc):
        monkeypatch.setattr(module, "sched", mine)
        monkeypatch.setattr(module, "wakep", lambda: calls.append(None))
    return calls


def an_m():
    mp = foreign_m(None, 0)
    mp.goids = iter(range(10))  # ids of its own: the scheduler is not asked
    return mp


def by_go():
    return newg.go(int)


def by_newproc():
    return newg.newproc(sys._getframe(), int, (), {})


@pytest.mark.parametrize("make", [by_go, by_newproc])
def test_a_goroutine_queued_at_a_p_that_was_lost_meanwhile_has_an_m_woken(woken, make):
    """sysmon may sleep, with every P idle, and this M go into a call that never returns."""
    mp, pp = an_m(), P(0)
    mp.p = pp  # as it read it; and nobody holds the P any more
    thread = threading.Thread(target=lambda: (setattr(tls, "m", mp), make()))
    thread.start()
    thread.join()
    assert len(pp.runnext) == 1
    assert woken == [None]


def test_a_goroutine_queued_at_ones_own_p_wakes_nobody(woken):
    mp, pp = an_m(), P(0)
    mp.p, pp.m = pp, mp
    thread = threading.Thread(target=lambda: (setattr(tls, "m", mp), newg.go(int)))
    thread.start()
    thread.join()
    assert len(pp.runnext) == 1
    assert woken == []


def test_goroutines_moved_to_a_p_that_was_lost_meanwhile_have_an_m_woken(woken):
    """It takes the first of them; the others would wait for as long as that runs."""
    mp, pp = an_m(), P(0)
    mp.tick = 1
    proc.sched.runq.extend("ab")
    proc.sched.procs = 1
    assert proc._pick(mp, pp, True) == "a"
    assert list(pp.runq) == ["b"]
    assert woken == [None]


@pytest.mark.parametrize("ready", [False, True])
def test_an_m_that_sends_a_goroutine_away_keeps_nothing_of_it(monkeypatch, ready):
    """It may sleep for long after that, and the goroutine's end, and its exception, stay unseen."""
    mine = Sched()
    monkeypatch.setattr(proc, "sched", mine)
    monkeypatch.setattr(proc, "_must_not_start", lambda mp, gp: True)
    monkeypatch.setattr(proc, "find_runnable", lambda mp: gone())
    mine.blockers[None] = 1
    mp, pp = an_m(), P(0)
    mp.p, pp.m, mp.due, mp.turn = pp, mp, 1000, True
    if ready:
        mp.readyq.append(mp.curg)
    pp.runnext.append(G())
    gone = weakref.ref(pp.runnext[0])
    assert proc.schedule(mp) is (mp.curg if ready else None)
    assert gone() is None
