"""Who holds a P, with no scheduler running: the moments between a look and what follows from it."""

from collections import deque

import pytest

from gmprt._runtime import handoff
from gmprt._runtime.m import M
from gmprt._runtime.p import P
from gmprt._runtime.sched import Sched


@pytest.fixture
def sched(monkeypatch):
    """Give a scheduler of the test's own, which nobody else knows."""
    own = Sched()
    monkeypatch.setattr(handoff, "sched", own)
    monkeypatch.setattr(handoff, "lock_sched", own.lock.pop)
    return own


class Robbed(deque):
    """A queue from which a thief takes the last one after it has been seen."""

    def __bool__(self):
        return True


def test_a_retired_ps_queue_may_be_robbed_while_it_is_emptied(sched):
    pp = P(0)
    pp.retired = True
    pp.runnext, pp.runq = Robbed(["next"]), Robbed(["first", "second"])
    assert handoff.passp(pp) is None
    assert list(sched.runq) == ["next", "first", "second"]


def test_one_whose_p_is_taken_before_it_could_use_it_does_not_sleep_unqueued(sched, monkeypatch):
    """Nobody would wake it: only who is in `pwait` is given a P."""
    mp, pp = M(7), P(0)
    sched.allp.append(pp)
    sched.pidle.append(pp)
    seen = []

    def release(lock):
        lock.append(None)
        if not seen:  # `gomaxprocs` comes just here, and the P is too many for a moment
            handoff.unwire(pp, mp)
            seen.append("taken")
            sched.pidle.append(pp)

    class Note:
        def sleep(self):
            assert mp in sched.pwait, "asleep, and nobody knows"

        def wake(self):
            pass

    monkeypatch.setattr(handoff, "release", release)
    mp.note = Note()
    handoff.wait_for_p(mp, lambda mp: None)
    assert seen == ["taken"]
    assert mp.p is pp
