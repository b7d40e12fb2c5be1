"""The two heaps of timers against a sorted list (Hypothesis state machines), with no scheduler.

What goes in comes out in the order of its time, and of its coming where that is the same; what has
been taken out does not come out, is not kept alive and does not pile up.
"""

import weakref
from math import inf
from types import FunctionType

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from gmprt._runtime import heap, timers
from gmprt._runtime.g import G
from gmprt._runtime.heap import TimerHeap
from gmprt._runtime.m import M
from gmprt._runtime.sudog import Sudog

WHEN = st.integers(0, 12).map(float)
WHENS = st.lists(WHEN, min_size=1, max_size=8)
WHICH = st.integers(0, 1000)
STORM = 150  # enough at once for a heap to be swept


def at_most(living, sweep_at):
    """How many entries a heap may have."""
    return max(2 * living, living + sweep_at)


class Timer:
    """What lies in a TimerHeap."""

    def __init__(self):
        self.heap = self.entry = None


class TimerHeapMachine(RuleBasedStateMachine):
    """The model: [when, timer] of what is in, sorted, the older first among equals."""

    def __init__(self):
        super().__init__()
        self.heap = TimerHeap()
        self.model = []
        self.out = [Timer()]  # never in, taken out, or due
        self.gone = []  # weak references to those that nobody but the heap could hold

    def _push(self, timer, when):
        earlier = self.heap.first
        assert self.heap.push(timer, when) is (when < earlier)
        self.model.append([when, timer])
        self.model.sort(key=lambda pair: pair[0])  # stable

    @rule(whens=WHENS, again=st.booleans())
    def push(self, whens, again):
        """New ones, or such as have been in before."""
        for when in whens:
            self._push(self.out.pop() if again and self.out else Timer(), when)

    @rule(which=WHICH, keep=st.booleans())
    def remove(self, which, keep):
        if not self.model:
            return
        timer = self.model.pop(which % len(self.model))[1]
        assert self.heap.remove(timer) is True
        if keep:
            self.out.append(timer)
        else:
            self.gone.append(weakref.ref(timer))

    @rule(when=WHEN, backwards=st.booleans())
    def storm(self, when, backwards):
        """Many come and go, so that the heap is swept."""
        many = [Timer() for _ in range(STORM)]
        for i, timer in enumerate(many):
            self.heap.push(timer, when + i % 3)
        for timer in reversed(many) if backwards else many:
            assert self.heap.remove(timer) is True
        self.gone += map(weakref.ref, many)

    @rule(moment=WHEN)
    def pop_due(self, moment):
        due = ["what was there"]
        self.heap.pop_due(moment, due)
        expected = [pair for pair in self.model if pair[0] <= moment]
        self.model = self.model[len(expected) :]
        assert [[when, timer] for when, _, timer in due[1:]] == expected
        assert due[1:] == sorted(due[1:], key=lambda entry: entry[:2])
        assert self.heap.first > moment
        self.out += [timer for _, timer in expected]

    @invariant()
    def agree(self):
        entries = self.heap.entries
        for _, timer in self.model[:3]:
            assert self.heap.push(timer, -1.0) is False
        for timer in self.out[-3:]:
            assert self.heap.remove(timer) is False
        assert self.heap.pending() == len(self.model)
        assert self.heap.first == min((entry[0] for entry in entries), default=inf)
        assert self.heap.first <= (self.model[0][0] if self.model else inf)
        assert self.heap.stale == sum(entry[2] is None for entry in entries)
        assert len(entries) <= at_most(len(self.model), heap._SWEEP_AT)
        assert all(timer.entry[2] is timer for _, timer in self.model)
        assert all(timer.entry is None for timer in self.out)
        assert [ref() for ref in self.gone] == [None] * len(self.gone)
        assert len(self.heap.lock) == 1


class Clock:
    """The time that `expire` sees: a copy of it, so that no M that runs is misled."""

    def __init__(self):
        self.time = 0.0
        names = {**vars(timers), "now": lambda: self.time}
        self.expire = FunctionType(timers.expire.__code__, names)


class Stack:
    """Where a Sudog finds its goroutine."""

    def __init__(self, g):
        self.g = g


class Owner:
    """What they all wait on: grants each claim once."""

    def __init__(self):
        self.waiting = []

    def dequeue(self, sg):
        if sg not in self.waiting:
            return False
        self.waiting.remove(sg)
        return True


class TimeoutsMachine(RuleBasedStateMachine):
    """The model: [when, sudog] of the waits that have not been told to be over, sorted."""

    def __init__(self):
        super().__init__()
        self.mp, self.owner, self.clock = M(7), Owner(), Clock()
        self.model = []
        self.expired = []  # made ready, or found claimed; about to say that their wait is over

    def _wait(self, when):
        gp = G()
        gp.reason = "sleep"
        sg = Sudog(Stack(gp))
        sg.owner = self.owner
        self.owner.waiting.append(sg)
        timers.add_timeout(self.mp, sg, when)
        return sg

    @rule(whens=WHENS)
    def wait(self, whens):
        self.model += [[when, self._wait(when)] for when in whens]
        self.model.sort(key=lambda pair: pair[0])  # stable

    @rule(which=WHICH)
    def claim(self, which):
        """Somebody else ends a wait; its goroutine has not noticed yet."""
        if self.owner.waiting:
            self.owner.waiting.pop(which % len(self.owner.waiting))

    @rule(which=WHICH)
    def forget(self, which):
        """A wait is over before its time."""
        if self.model:
            _, sg = self.model.pop(which % len(self.model))
            self.owner.dequeue(sg)
            timers.forget_timeout(self.mp, sg)

    @rule()
    def forget_the_expired(self):
        """What was ready runs, and says that its wait is over: that leaves no trace."""
        entries, stale = len(self.mp.timers), self.mp.stale
        for sg in self.expired:
            timers.forget_timeout(self.mp, sg)
        self.expired.clear()
        assert (len(self.mp.timers), self.mp.stale) == (entries, stale)

    @rule(when=WHEN, backwards=st.booleans())
    def storm(self, when, backwards):
        """Many begin to wait and cease, so that the heap is swept."""
        many = [self._wait(when + i % 3) for i in range(STORM)]
        for sg in reversed(many) if backwards else many:
            self.owner.dequeue(sg)
            timers.forget_timeout(self.mp, sg)

    @rule(moment=WHEN, rested=st.booleans())
    def expire(self, moment, rested):
        """Those who are woken go first in their order; twice in a row only if others have run."""
        self.clock.time = moment
        if rested:
            self.mp.tick += 1000
        self.mp.readyq.append("first come")
        due = [sg for when, sg in self.model if when <= moment]
        woken = [sg for sg in due if sg in self.owner.waiting]
        self.model = self.model[len(due) :]
        self.clock.expire(self.mp)
        assert self.mp.now == moment
        ready = list(self.mp.readyq)
        if rested:
            assert ready[-1] == "first come"
        ready.remove("first come")
        assert list(map(id, ready)) == [id(sg.stack.g) for sg in woken]
        assert all(sg.why is (timers.TIMED_OUT if sg in woken else None) for sg in due)
        assert all(sg.stack.g.reason is (None if sg in woken else "sleep") for sg in due)
        assert not any(sg in self.owner.waiting for sg in due)
        self.mp.readyq.clear()
        self.expired += due

    @rule()
    def next_deadline(self):
        wanted = self.model[0][0] if self.model else None
        assert timers.next_deadline(self.mp) == wanted
        assert timers.first_deadline(self.mp) == (inf if wanted is None else wanted)

    @invariant()
    def agree(self):
        mp = self.mp
        assert timers.pending(mp) == len(self.model)
        assert timers.first_deadline(mp) <= (self.model[0][0] if self.model else inf)
        assert mp.stale == sum(entry[2].over for entry in mp.timers)
        assert len(mp.timers) <= at_most(len(self.model), timers._SWEEP_AT)
        assert all(sg.timed and not sg.over for _, sg in self.model)
        assert not any(sg.timed for sg in self.expired)


def test_a_timer_heap_is_a_sorted_list():
    run_state_machine_as_test(
        TimerHeapMachine, settings=settings(max_examples=60, stateful_step_count=40)
    )


def test_the_deadlines_of_an_m_are_a_sorted_list():
    run_state_machine_as_test(
        TimeoutsMachine, settings=settings(max_examples=60, stateful_step_count=40)
    )
