"""golang.org/x/sync's semaphore/semaphore_test.go in Python: TestWeighted, TestWeightedPanic,
TestWeightedTryAcquire, TestWeightedAcquire, TestWeightedDoesntBlockIfTooBig,
TestLargeAcquireDoesntStarve, TestAllocCancelDoesntStarve and TestWeightedAcquireCanceled.
"""

import random

import pytest

from gmprt import Canceled, DeadlineExceeded, go, gosched, sleep
from gmprt.context import background, with_cancel, with_timeout
from gmprt.errgroup import with_context
from gmprt.sync import Mutex, Semaphore, WaitGroup
from tests.conformance.parking import LONG, join_all, parked


def try_for(sem, n):
    """Acquire with a context of 10 ms; whether it did."""
    with with_timeout(background(), 0.01) as ctx:
        try:
            return sem.acquire(n, ctx=ctx)
        except DeadlineExceeded:
            return False


# TestWeighted


def test_never_more_is_held_than_there_is(procs, rng):
    n, loops = 8, 40
    sem, held, m = Semaphore(n), [0], Mutex()

    def hammer(weight, rng):
        for _ in range(loops):
            assert sem.acquire(weight) is True
            with m:
                held[0] += weight
                assert held[0] <= n
            sleep(rng.random() * 0.0002)
            with m:
                held[0] -= weight
            sem.release(weight)

    gs = [go(hammer, weight, random.Random(rng.random())) for weight in range(n)]
    join_all(*gs)
    assert sem.try_acquire(n) is True
    assert sem.try_acquire(1) is False


# TestWeightedPanic


def test_release_of_what_was_not_acquired_is_an_error(procs):
    sem = Semaphore(1)
    with pytest.raises(RuntimeError):
        sem.release(1)
    assert sem.try_acquire(1) is True


# TestWeightedTryAcquire, TestWeightedAcquire


@pytest.mark.parametrize("attempt", [Semaphore.try_acquire, try_for])
def test_there_is_as_much_as_is_not_held(procs, attempt):
    sem = Semaphore(2)
    sem.acquire(1)
    tries = [attempt(sem, 1), attempt(sem, 1)]
    sem.release(2)
    tries.append(attempt(sem, 1))
    sem.acquire(1)
    tries.append(attempt(sem, 1))
    assert tries == [True, False, True, False]


# TestWeightedDoesntBlockIfTooBig


def test_one_who_wants_too_much_blocks_nobody_else(procs):
    n = 2
    sem = Semaphore(n)
    too_big, cancel = with_cancel(background())
    waiter = parked(lambda: sem.acquire(n + 1, ctx=too_big))
    g, ctx = with_context(background())

    def body():
        sem.acquire(1, ctx=ctx)
        sleep(0.001)
        sem.release(1)

    for _ in range(n * 3):
        g.go(body)
    g.wait()
    assert waiter.state == "waiting"
    cancel()
    assert type(waiter.exception(LONG)) is Canceled


# TestLargeAcquireDoesntStarve


def test_one_who_wants_all_is_not_starved_by_those_who_want_little(procs):
    n, running, wg = 4, [True], WaitGroup()
    sem = Semaphore(n)

    def body():
        while running:
            sleep(0.001)
            sem.release(1)
            sem.acquire(1)
        sem.release(1)

    for _ in range(n):
        sem.acquire(1)
        wg.go(body)
    assert sem.acquire(n, timeout=LONG) is True
    running.clear()
    sem.release(n)
    wg.wait(LONG)


# TestAllocCancelDoesntStarve


def test_one_who_gives_up_lets_those_behind_go_on(procs):
    for _ in range(20):
        sem = Semaphore(10)
        sem.acquire(1)
        ctx, cancel = with_cancel(background())
        waiter = parked(lambda sem=sem, ctx=ctx: sem.acquire(10, ctx=ctx))
        assert sem.try_acquire(1) is False
        canceller = go(cancel)
        assert sem.acquire(1, timeout=LONG) is True
        sem.release(1)
        assert type(waiter.exception(LONG)) is Canceled
        assert canceller.join(LONG)


# TestWeightedAcquireCanceled


def test_what_is_released_after_cancel_is_not_acquired(procs):
    for _ in range(50):
        sem = Semaphore(2)
        ctx, cancel = with_cancel(background())
        sem.acquire(1)

        def body(sem=sem, cancel=cancel):
            while sem.try_acquire(1):
                sem.release(1)
                gosched()
            cancel()
            sem.release(1)

        g = go(body)
        with pytest.raises(Canceled):
            sem.acquire(2, ctx=ctx)
        assert g.join(LONG)
        assert sem.try_acquire(2) is True
        sem.release(2)
        with pytest.raises(Canceled):
            sem.acquire(1, ctx=ctx)
        assert sem.try_acquire(2) is True
