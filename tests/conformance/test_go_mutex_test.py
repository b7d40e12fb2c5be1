"""Go's sync/mutex_test.go in Python: TestSemaphore, TestMutex, TestMutexMisuse and
TestMutexFairness; of the last also what it stands for, the starvation mode.
"""

import pytest

from gmprt import Chan, go, gosched, sleep
from gmprt.sync import Mutex, Semaphore
from tests.conformance.parking import LONG, join_all, parked, reap
from tests.support import wait_until

STARVED = 0.003  # seconds, more than the millisecond after which a loser is handed the lock


def make_starving(m, waiter):
    """Let `waiter`, the first who waits for `m`, lose the race for it after a millisecond.

    Whether it lost: it may also have been quicker, and holds it now.
    """
    sleep(STARVED)
    m.unlock()
    if not m.try_lock():
        return False
    # It has been woken, has seen that it lost, and waits again; or it had it in between.
    wait_until(lambda: waiter.done() or waiter.state == "waiting", "the loser waits again")
    if waiter.done():
        m.unlock()
        return False
    return True


def starving(m, body):
    """Hold `m` and return a goroutine of `body` that starves for it."""
    for _ in range(100):
        m.lock()
        waiter = parked(body)
        if make_starving(m, waiter):
            return waiter
        assert waiter.join(LONG)
    raise AssertionError("one that is woken always wins the race")


# TestSemaphore


def test_a_semaphore_of_one_is_a_lock(procs):
    sem, inside = Semaphore(1), []

    def hammer(i):
        for _ in range(100):
            sem.acquire()
            inside.append(i)
            assert inside == [i]
            inside.pop()
            sem.release()

    join_all(*[go(hammer, i) for i in range(10)])
    assert sem.try_acquire() is True
    assert sem.try_acquire() is False


# TestMutex


def test_goroutines_that_lock_without_a_pause_all_come_to_an_end(procs):
    m, total = Mutex(), [0]

    def hammer():
        for _ in range(200):
            m.lock()
            total[0] += 1
            m.unlock()

    join_all(*[go(hammer) for _ in range(10)])
    assert total == [2000]
    assert m.try_lock() is True
    assert m.try_lock() is False


def test_what_one_wrote_under_the_lock_the_next_reads(procs):
    m, steps = Mutex(), [0]

    def step():
        for _ in range(50):
            with m:
                before = list(steps)
                gosched()
                assert steps == before
                steps.append(len(steps))

    join_all(*[go(step) for _ in range(6)])
    assert steps == list(range(301))


# TestMutexMisuse


def test_a_block_that_has_unlocked_already_is_misuse(procs):
    m = Mutex()
    with pytest.raises(RuntimeError, match="unlocked"), m:
        m.unlock()
    assert m.try_lock() is True


def test_misuse_is_the_error_of_who_does_it_and_the_lock_is_as_before(procs):
    m = Mutex()
    g = go(m.unlock)
    assert "unlocked" in str(g.exception(LONG))
    with m:
        waiter = parked(m.lock)
        assert m.try_lock() is False
    assert waiter.join(LONG)
    m.unlock()
    with pytest.raises(RuntimeError, match="unlocked"):
        m.unlock()


# TestMutexFairness


def test_those_who_wait_get_it_in_the_order_in_which_they_came(procs):
    m, order = Mutex(), []

    def body(i):
        with m:
            order.append(i)
            gosched()

    m.lock()
    gs = [parked(body, i) for i in range(12)]
    m.unlock()
    join_all(*gs)
    assert order == list(range(12))


def test_one_who_starves_gets_it_at_the_next_unlock(procs):
    m, order = Mutex(), []

    def once():
        with m:
            order.append("starved")

    waiter = starving(m, once)
    order.clear()
    m.unlock()
    with m:
        order.append("newcomer")
    assert waiter.join(LONG)
    assert order == ["starved", "newcomer"]


def test_nobody_gets_in_between_an_unlock_and_one_who_starves(procs):
    m, gate = Mutex(), Chan()

    def until_told():
        with m:
            gate.recv()

    m.lock()
    waiter = parked(until_told)
    while not make_starving(m, waiter):
        gate.send(None)
        assert waiter.join(LONG)
        m.lock()
        waiter = parked(until_told)
    m.unlock()
    assert m.try_lock() is False  # it is the waiter's, who has not run yet perhaps
    gate.send(None)
    assert waiter.join(LONG)
    assert m.try_lock() is True


def test_while_one_starves_those_who_come_queue_behind_it(procs):
    m, order = Mutex(), []

    def first():
        with m:
            order.append("starved")

    def later(i):
        with m:
            order.append(i)

    waiter = starving(m, first)
    order.clear()
    gs = [parked(later, i) for i in range(5)]
    m.unlock()
    join_all(waiter, *gs)
    assert order == ["starved", 0, 1, 2, 3, 4]


def test_starvation_ends_with_the_last_who_waits(procs):
    m = Mutex()

    def once():
        with m:
            pass

    waiter = starving(m, once)
    m.unlock()
    assert waiter.join(LONG)
    for _ in range(3):
        assert m.try_lock() is True
        m.unlock()
        with m:
            pass


def test_one_who_starves_and_is_interrupted_takes_the_lock_from_nobody(procs):
    m = Mutex()

    def once():
        with m:
            return "held"

    waiter = starving(m, once)
    others = [parked(once) for _ in range(3)]
    reap(waiter)
    m.unlock()
    assert join_all(*others) == ["held"] * 3
    assert m.try_lock() is True


def test_the_only_one_who_starves_is_interrupted_and_the_lock_is_free_again(procs):
    m = Mutex()

    def once():
        with m:
            pass

    reap(starving(m, once))
    m.unlock()
    assert m.try_lock() is True


def test_one_who_hardly_ever_lets_go_does_not_shut_out_several(procs):
    m, stop = Mutex(), []

    def hog():
        while not stop:
            with m:
                sleep(0.001)

    def at_times():
        for _ in range(3):
            with m:
                pass

    g = go(hog)
    join_all(*[go(at_times) for _ in range(4)])
    stop.append(True)
    assert g.join(LONG)
