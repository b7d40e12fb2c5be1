"""Semaphore against a model: a counter and a queue (Hypothesis state machine).

What may wait runs in a goroutine of its own, and none starts before all those of earlier ones have
ended or parked, as the model says. So the order of arrival is certain, whatever the number of Ps,
and with it who gets through when.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gmprt import Canceled, GoroutineExit, go
from gmprt.context import background, with_cancel
from gmprt.sync import Semaphore
from tests.support import wait_all_parked

LONG = 5.0  # not more: after a failure each of many shorter examples may take as long
AGES = 1000.0
SOON = 0.0005


class Waiter:
    """One who waits for `n`."""

    def __init__(self, n):
        self.n = n
        self.outcome = None  # once it does not wait any more
        self.g = self.cancel = None


class Model:
    """So many units; who does not get through at once waits behind all who came before."""

    def __init__(self, size):
        self.size, self.held = size, 0
        self.queue = []
        self.doomed = []  # want more than there is, and so are in nobody's way

    def try_acquire(self, n):
        free = n <= self.size - self.held and not self.queue
        self.held += n if free else 0
        return free

    def wait(self, waiter):
        (self.queue if waiter.n <= self.size else self.doomed).append(waiter)

    def release(self, n):
        if n > self.held:
            return RuntimeError
        self.held -= n
        self._admit()

    def leave(self, waiter, outcome):
        waiter.outcome = outcome
        (self.queue if waiter in self.queue else self.doomed).remove(waiter)
        self._admit()

    def _admit(self):
        while self.queue and self.queue[0].n <= self.size - self.held:
            waiter = self.queue.pop(0)
            self.held += waiter.n
            waiter.outcome = True


def outcome(fn, *args, **kwargs):
    """What `fn` gives, or the type of what it raises."""
    try:
        return fn(*args, **kwargs)
    except (Exception, GoroutineExit) as e:
        return type(e)


WEIGHTS = st.sampled_from([1, 1, 1, 2, 2, 3, 4, 0, 5])
WHICH = st.integers(0, 1000)
WAYS = ["try", "with", "timeout 0", "timeout -1", "soon", "done ctx"]
NONSENSE = [(-1, ValueError), (True, TypeError), (1.0, TypeError), (None, TypeError)]


class SemaphoreMachine(RuleBasedStateMachine):
    @initialize(size=st.sampled_from([3, 4, 2, 1, 0]), weights=st.lists(WEIGHTS, max_size=8))
    def make(self, size, weights):
        self.sem, self.model = Semaphore(size), Model(size)
        self.waiting = []  # in the order of their arrival
        for n in weights:
            self._start(n, None)

    def _start(self, n, cancel, **limits):
        """Acquire in a goroutine, and in the model; see that they agree."""
        waiter = Waiter(n)
        waiter.cancel = cancel
        if self.model.try_acquire(n):
            waiter.outcome = True
        else:
            self.model.wait(waiter)
        waiter.g = go(outcome, self.sem.acquire, n, **limits)
        self.waiting.append(waiter)
        self._settle()

    def _settle(self):
        """Those whose wait has ended in the model end with its outcome, all others wait on."""
        ended = [w for w in self.waiting if w.outcome is not None]
        self.waiting = [w for w in self.waiting if w.outcome is None]
        for waiter in ended:
            assert waiter.g.result(LONG) is waiter.outcome
        wait_all_parked(*[w.g for w in self.waiting])

    # The rules

    @rule(n=WEIGHTS, limit=st.sampled_from(["", "", "timeout", "ctx", "both"]))
    def acquire(self, n, limit):
        """Limits that do not end the wait by themselves change nothing."""
        limits, cancel = {}, None
        if limit in ("timeout", "both"):
            limits["timeout"] = AGES
        if limit in ("ctx", "both"):
            limits["ctx"], cancel = with_cancel(background())
        self._start(n, cancel, **limits)

    @rule(n=WEIGHTS, how=st.sampled_from(WAYS))
    def attempt(self, n, how):
        """Whoever does not get through leaves no trace."""
        if how == "done ctx":
            with with_cancel(background()) as ctx:
                pass
            assert outcome(self.sem.acquire, n, ctx=ctx, timeout=0) is Canceled
            return
        if how == "with":
            self._with_block()
            return
        got = self.model.try_acquire(n)
        if how == "try":
            assert self.sem.try_acquire(n) is got
            return
        timeout = {"timeout 0": 0, "timeout -1": -1, "soon": SOON}[how]
        if how == "soon" and got:
            timeout = LONG  # the goroutine may be late, and then it would be right to give up
        g = go(outcome, self.sem.acquire, n, timeout=timeout)
        assert g.result(LONG) is (True if got else TimeoutError)

    def _with_block(self):
        def block():
            with self.sem:
                self.agree()
                raise KeyError

        if self.model.try_acquire(1):
            assert go(outcome, block).result(LONG) is KeyError
            self.model.release(1)

    def _release(self, n):
        n = self.model.held if n == "all" else n
        assert outcome(self.sem.release, n) is self.model.release(n)

    @rule(n=st.just("all") | WEIGHTS)
    def release(self, n):
        self._release(n)
        self._settle()

    @rule(
        n=WEIGHTS, which=WHICH, order=st.sampled_from(["alone", "release first", "release after"])
    )
    def take_a_waiter_out(self, n, which, order):
        """One who has been given units keeps them; one who has been taken out gets none."""
        if not self.waiting:  # no precondition: which rules there are may not depend on a choice
            return
        waiter = self.waiting[which % len(self.waiting)]
        if order == "release first":
            self._release(n)
        out, error = (waiter.cancel, Canceled) if waiter.cancel else (waiter.g.interrupt, None)
        out()
        if waiter.outcome is None:
            self.model.leave(waiter, error or GoroutineExit)
        if order == "release after":
            self._release(n)
        self._settle()

    @invariant()
    def agree(self):
        """As much is free and held as in the model, and looking changes nothing."""
        if not hasattr(self, "sem"):
            return
        model, sem = self.model, self.sem
        free = model.size - model.held
        assert sem.try_acquire(free + 1) is False
        assert outcome(sem.release, model.held + 1) is RuntimeError
        assert sem.try_acquire(free) is not bool(model.queue)
        if not model.queue:
            sem.release(free)
        for n, error in NONSENSE:
            for fn in (sem.acquire, sem.try_acquire, sem.release, Semaphore):
                assert outcome(fn, n) is error
        for waiter in self.waiting:
            assert waiter.g.wait_reason == "semacquire"
            assert waiter.g.waiting_on is sem

    def teardown(self):
        for waiter in getattr(self, "waiting", []):
            waiter.g.interrupt()
        for waiter in getattr(self, "waiting", []):
            assert waiter.g.join(LONG)


def test_a_semaphore_serves_as_its_model_does(procs):
    run_state_machine_as_test(
        SemaphoreMachine, settings=settings(max_examples=80, stateful_step_count=25)
    )


@pytest.mark.parametrize("size", [2, 3])
def test_the_model_itself(size):
    model, big, small, doomed = Model(size), Waiter(size), Waiter(1), Waiter(size + 1)
    assert model.try_acquire(1)
    for waiter in (doomed, big, small):
        model.wait(waiter)
    assert not model.try_acquire(1)
    assert (big.outcome, small.outcome, doomed.outcome) == (None, None, None)
    model.leave(big, "left")
    assert (big.outcome, small.outcome, doomed.outcome) == ("left", True, None)
    assert model.release(3) is RuntimeError
    assert model.release(2) is None
    assert model.held == 0
