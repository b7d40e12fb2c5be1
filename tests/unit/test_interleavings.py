"""The wake-up protocol's own code, stepped line by line through its races: no wake-up is lost.

docs/model proves the protocol; this runs the functions that carry it out. They are those of a
second copy of the runtime, which no other thread knows.
"""

import importlib
import sys
from types import SimpleNamespace

import pytest

from tests.support import GIL
from tests.support.interleave import StepNote, interleave

PREEMPTIONS = 2 if GIL else 1  # without the GIL a step takes four times as long
NAMES = ["handoff", "idle", "lock", "m", "newg", "p", "proc", "sched"]


@pytest.fixture(scope="module")
def copy():
    """Import the runtime once more, beside the one that runs."""

    def ours():
        return [name for name in sys.modules if name == "gmprt" or name.startswith("gmprt.")]

    kept = {name: sys.modules.pop(name) for name in ours()}
    try:
        mods = {name: importlib.import_module(f"gmprt._runtime.{name}") for name in NAMES}
    finally:
        for name in ours():
            del sys.modules[name]
        sys.modules.update(kept)
    mods["lock"].Note = StepNote
    return SimpleNamespace(**mods)


class World:
    """Ms and Ps as at the beginning of a race: `held` of the Ms have a P each."""

    def __init__(self, copy, ms: int, ps: int, held: int) -> None:
        sched = copy.sched.sched
        sched.reset()
        sched.sysmon_note = StepNote()
        sched.maxthreads = 0  # no threads but those of the test
        self.sched = sched
        self.ms = [copy.m.M(i) for i in range(ms)]
        self.ps = [copy.p.P(i) for i in range(ps)]
        sched.allm += self.ms
        sched.allp += self.ps
        sched.pidle += self.ps
        sched.procs = ps
        for mp in self.ms:
            mp.note = StepNote()
        for mp in self.ms[:held]:
            copy.handoff.wire(sched.pidle.pop(0), mp)

    def check(self) -> None:
        """Each P has one holder or is idle; and nobody is left waiting."""
        for pp in self.ps:
            assert [mp for mp in self.ms if mp.p is pp] == ([] if pp.m is None else [pp.m])
            assert self.sched.pidle.count(pp) == (pp.m is None)
        assert not self.sched.pwait
        assert self.sched.nspinning == 0


def waiter(mp):
    """Make a goroutine that is parked on `mp`, and its Sudog."""
    gp = SimpleNamespace(reason="chan receive")
    return gp, SimpleNamespace(stack=SimpleNamespace(g=gp, m=mp))


def test_goready_against_an_m_that_goes_idle(copy):
    def make():
        world = World(copy, ms=1, ps=1, held=1)
        mp = world.ms[0]
        gp, sg = waiter(mp)

        def sleeper():
            while not mp.readyq:
                copy.idle.idle(mp, True, False)

        def check():
            world.check()
            assert list(mp.readyq) == [gp]

        return [sleeper, lambda: copy.handoff.goready(sg)], check

    files = [copy.idle.__file__, copy.handoff.__file__]
    assert interleave(make, files, PREEMPTIONS) > 5


def test_goready_against_a_foreign_thread_that_waits(copy):
    def make():
        World(copy, ms=0, ps=1, held=0)
        mp = copy.m.foreign_m(None, 0)
        mp.note = StepNote()
        gp, sg = waiter(mp)
        got = []

        def sleeper():
            got.append(copy.proc.find_runnable(mp))

        def check():
            assert got == [gp]

        return [sleeper, lambda: copy.handoff.goready(sg)], check

    assert interleave(make, [copy.proc.__file__, copy.handoff.__file__], PREEMPTIONS) > 5


def test_a_goroutine_of_a_foreign_thread_against_the_last_m_that_goes_idle(copy):
    def make():
        world = World(copy, ms=1, ps=1, held=1)
        mp = world.ms[0]
        got = []

        def sleeper():
            while not (mp.p and world.sched.runq):
                if mp.p is None and world.sched.takeable() and copy.handoff.acquirep(mp):
                    continue
                copy.idle.idle(mp, True, False)
            got.append(world.sched.runq.popleft())
            copy.proc.resetspinning(mp)

        def check():
            world.check()
            assert got == ["fresh"]

        return [sleeper, lambda: copy.newg._queue_without_p("fresh")], check

    files = [copy.idle.__file__, copy.handoff.__file__, copy.newg.__file__]
    assert interleave(make, files, 1) > 5


def test_a_p_that_is_taken_against_ms_that_want_one(copy):
    """sysmon takes the P from an M that comes back from a call, and a second M wants one too."""

    def make():
        world = World(copy, ms=2, ps=1, held=1)
        first, second = world.ms
        pp = world.ps[0]
        had = []

        def use(mp):
            if mp.p is None and not copy.handoff.acquirep(mp):
                copy.handoff.wait_for_p(mp, lambda mp: None)
            had.append(mp)
            copy.handoff.handoffp(pp, mp)

        def check():
            world.check()
            assert set(had) == {first, second}

        steps = [
            lambda: copy.handoff.handoffp(pp, first),
            lambda: use(first),
            lambda: use(second),
        ]
        return steps, check

    assert interleave(make, [copy.handoff.__file__], 1) > 5


def test_a_lock_that_is_given_back_against_those_who_wait_for_it(copy):
    def make():
        lock = copy.lock.make_lock(copy.lock.Rank.CHAN)
        inside = []

        def use():
            copy.lock.acquire(lock)
            inside.append(None)
            assert len(inside) == 1
            inside.pop()
            copy.lock.release(lock)

        def check():
            assert lock == [None]
            assert not copy.lock.parked

        return [use, use], check

    assert interleave(make, [copy.lock.__file__, __file__], PREEMPTIONS) > 5


@pytest.mark.parametrize("broken", ["no look", "look first"])
def test_a_lost_wake_up_is_found(broken):
    """The tool must be able to fail."""

    def make():
        note, queue, idle = StepNote(), [], [False]

        def sleeper():
            idle[0] = True
            if not queue:
                note.sleep()

        def waker():
            looked = idle[0] and broken == "look first"
            queue.append(None)
            if looked:
                note.wake()

        return [sleeper, waker], lambda: None

    with pytest.raises(AssertionError, match="a wake-up is lost") as failure:
        interleave(make, [__file__])
    assert "schedule: " in failure.value.__notes__[0]
