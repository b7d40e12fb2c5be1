"""`sync.WaitGroup` and `sync.Mutex`; Go's sync/waitgroup_test.go and mutex_test.go in Python."""

import math
import sys
import threading
import time

import pytest

import gmprt
from gmprt import Chan, current, go, gosched, sleep
from gmprt.sync import Mutex, WaitGroup
from tests.conformance.parking import LONG, Boom, join_all, parked, reap, until


def fails():
    raise Boom("on purpose")


# WaitGroup


def test_waiting_for_none_is_no_wait(procs):
    wg = WaitGroup()
    assert wg.wait() is None
    assert wg.wait(0) is None
    assert wg.wait(timeout=-1) is None


def test_wait_waits_until_all_are_done(procs):
    wg, done = WaitGroup(), Chan(16)
    wg.add(16)
    gate = Chan()

    def body(i):
        gate.recv()
        done.send(i)
        wg.done()

    gs = [go(body, i) for i in range(16)]
    waiter = parked(wg.wait)
    assert waiter.wait_reason == "sync.WaitGroup.Wait"
    assert waiter.waiting_on is wg
    for i in range(16):
        assert not waiter.done()
        assert len(done) <= i
        gate.send(None)
    assert waiter.join(LONG)
    assert len(done) == 16
    join_all(*gs)


def test_all_waiters_wake(procs):
    wg = WaitGroup()
    wg.add(1)
    gs = [parked(wg.wait) for _ in range(10)]
    wg.done()
    assert join_all(*gs) == [None] * 10


def test_it_can_be_used_again(procs):
    wg = WaitGroup()
    for n in range(1, 20):
        wg.add(n)
        gs = [go(wg.done) for _ in range(n)]
        wg.wait()
        join_all(*gs)


def test_add_takes_a_negative_number(procs):
    wg = WaitGroup()
    wg.add(3)
    waiter = parked(wg.wait)
    wg.add(-2)
    assert not waiter.join(0)
    wg.add(-1)
    assert waiter.join(LONG)


@pytest.mark.parametrize(
    "under",
    [lambda wg: wg.done(), lambda wg: wg.add(-1), lambda wg: wg.add(-5)],
    ids=["done", "add(-1)", "add(-5)"],
)
def test_a_negative_counter_is_a_value_error(procs, under):
    with pytest.raises(ValueError, match="negative"):
        under(WaitGroup())
    wg = WaitGroup()
    wg.add(2)
    wg.done()
    wg.done()
    with pytest.raises(ValueError, match="negative"):
        under(wg)


@pytest.mark.parametrize("timeout", [0, -1, 0.01])
def test_wait_times_out(procs, timeout):
    wg = WaitGroup()
    wg.add(1)
    with pytest.raises(TimeoutError):
        wg.wait(timeout)
    with pytest.raises(TimeoutError):
        wg.wait(timeout=timeout)
    wg.done()
    wg.wait(timeout)


def test_wait_of_nan_is_a_value_error(procs):
    wg = WaitGroup()
    wg.add(1)
    with pytest.raises(ValueError, match="nan"):
        wg.wait(math.nan)


@pytest.mark.parametrize("timeout", [None, math.inf, LONG, 1e12])
def test_wait_with_all_time(procs, timeout):
    wg = WaitGroup()
    wg.add(1)
    g = parked(wg.wait, timeout)
    wg.done()
    assert g.join(LONG)
    g.result()


def test_one_that_gave_up_takes_nothing_from_the_others(procs):
    wg = WaitGroup()
    wg.add(1)
    stays = parked(wg.wait)
    with pytest.raises(TimeoutError):
        wg.wait(0.01)
    gone = parked(wg.wait)
    reap(gone)
    wg.done()
    assert stays.result(LONG) is None


def test_go_counts_for_the_group(procs):
    wg, gate = WaitGroup(), Chan()
    gs = [wg.go(gate.recv) for _ in range(5)]
    assert all(isinstance(g, gmprt.G) for g in gs)
    waiter = parked(wg.wait)
    for i in range(5):
        gate.send(i)
    assert waiter.join(LONG)
    assert sorted(join_all(*gs)) == list(range(5))


def test_go_passes_arguments_and_the_handle_gives_the_value(procs):
    wg = WaitGroup()
    g = wg.go(dict, fn=1, self=2)
    h = wg.go(int, "7")
    wg.wait(LONG)
    assert g.result(0.5) == {"fn": 1, "self": 2}
    assert h.result(0.5) == 7


def test_go_of_what_is_not_callable_counts_for_nothing(procs):
    wg = WaitGroup()
    with pytest.raises(TypeError):
        wg.go(3)
    wg.wait(0)


@pytest.mark.parametrize("fn", [fails, gmprt.goexit, sys.exit])
def test_go_is_done_also_when_it_raises(procs, fn):
    wg = WaitGroup()
    gs = [wg.go(fn) for _ in range(3)]
    wg.wait(LONG)
    for g in gs:
        assert g.join(LONG)
        assert g.exception() is not None


def test_go_is_done_also_when_interrupted(procs):
    wg = WaitGroup()
    g = wg.go(Chan().recv)
    until(lambda: g.state == "waiting", "its wait")
    g.interrupt()
    wg.wait(LONG)
    assert g.join(LONG)


def test_go_is_done_also_when_interrupted_before_its_start():
    """Such a one never runs, so nothing that it would run can count it off."""
    former = gmprt.gomaxprocs(1)
    try:
        wg = WaitGroup()
        gs = [wg.go(int) for _ in range(20)]
        for g in gs:
            g.interrupt()
        wg.wait(LONG)
        assert all(g.join(LONG) for g in gs)
    finally:
        gmprt.gomaxprocs(former)


def test_go_inside_the_groups_own_goroutines(procs):
    wg, total = WaitGroup(), Chan(200)

    def tree(depth):
        total.send(1)
        if depth:
            wg.go(tree, depth - 1)
            wg.go(tree, depth - 1)

    wg.go(tree, 5)
    wg.wait(LONG)
    assert len(total) == 2**6 - 1


def test_what_was_done_before_is_seen_after_wait(procs):
    for _ in range(20):
        wg, slots = WaitGroup(), [None] * 50

        def body(i, slots=slots):
            slots[i] = i

        for i in range(50):
            wg.go(body, i)
        wg.wait(LONG)
        assert slots == list(range(50))


# Mutex


def test_lock_and_unlock(procs):
    m = Mutex()
    assert m.lock() is None
    assert m.unlock() is None
    m.lock()
    m.unlock()


def test_try_lock(procs):
    m = Mutex()
    assert m.try_lock() is True
    assert m.try_lock() is False
    m.unlock()
    assert m.try_lock() is True
    m.unlock()


def test_with_locks_and_unlocks(procs):
    m = Mutex()
    with m:
        assert m.try_lock() is False
    assert m.try_lock() is True
    m.unlock()

    def body():
        with m:
            raise Boom

    with pytest.raises(Boom):
        body()
    assert m.try_lock() is True


def test_unlocking_what_is_not_locked_is_a_runtime_error(procs):
    m = Mutex()
    with pytest.raises(RuntimeError, match="unlock of unlocked mutex"):
        m.unlock()
    m.lock()
    m.unlock()
    with pytest.raises(RuntimeError):
        m.unlock()
    assert m.try_lock() is True


def test_another_goroutine_may_unlock_it(procs):
    m = Mutex()
    m.lock()
    go(m.unlock).result(LONG)
    assert m.try_lock() is True


def test_it_is_not_reentrant(procs):
    m = Mutex()

    def body():
        m.lock()
        m.lock()

    g = parked(body)
    assert g.wait_reason == "sync.Mutex.Lock"
    assert g.waiting_on is m
    m.unlock()
    assert g.join(LONG)


def test_one_holds_it_at_a_time(procs):
    m, inside, total = Mutex(), [0], [0]

    def body():
        for _ in range(100):
            with m:
                inside[0] += 1
                assert inside[0] == 1
                gosched()
                total[0] += 1
                inside[0] -= 1

    join_all(*[go(body) for _ in range(8)])
    assert total == [800]


def test_one_holds_it_at_a_time_also_with_try_lock(procs):
    """Go's HammerMutex: some only try."""
    m, inside = Mutex(), [0]

    def body(i):
        held = 0
        for n in range(150):
            if (n + i) % 3 == 0 and not m.try_lock():
                gosched()
                continue
            if (n + i) % 3:
                m.lock()
            inside[0] += 1
            assert inside[0] == 1
            gosched()
            inside[0] -= 1
            held += 1
            m.unlock()
        return held

    assert sum(join_all(*[go(body, i) for i in range(6)])) >= 6 * 100
    assert m.try_lock()


def test_threads_and_goroutines_share_it(procs):
    m, count = Mutex(), [0]

    def body():
        for _ in range(200):
            m.lock()
            count[0] += 1
            m.unlock()

    threads = [threading.Thread(target=body) for _ in range(3)]
    gs = [go(body) for _ in range(3)]
    for t in threads:
        t.start()
    body()
    join_all(*gs)
    for t in threads:
        t.join(LONG)
    assert count == [1400]


def test_every_waiter_gets_it(procs):
    m, order = Mutex(), []
    m.lock()

    def body(i):
        with m:
            order.append(i)

    gs = [parked(body, i) for i in range(20)]
    m.unlock()
    join_all(*gs)
    assert sorted(order) == list(range(20))


def test_mutex_fairness(procs):
    """Go's TestMutexFairness: one that takes it again at once does not shut out one that wants it
    at times.
    """
    m, stop = Mutex(), []

    def hog():
        while not stop:
            m.lock()
            sleep(0.0001)
            m.unlock()

    g = go(hog)
    for _ in range(10):
        sleep(0.0001)
        m.lock()
        m.unlock()
    stop.append(1)
    assert g.join(LONG)


def test_a_starved_waiter_is_handed_the_lock(procs):
    """One that has waited over a millisecond gets the lock itself: the hog, quicker, does not get
    it first.
    """
    m = Mutex()
    m.lock()
    waiter = parked(lambda: (m.lock(), "held")[1])
    sleep(0.01)
    deadline = time.monotonic() + LONG
    while True:
        m.unlock()
        if not m.try_lock():
            break
        gosched()
        assert time.monotonic() < deadline, "the waiter never gets it"
    assert waiter.result(LONG) == "held"
    m.unlock()


def test_a_holder_that_waits_keeps_it(procs):
    m, gate = Mutex(), Chan()

    def holder():
        with m:
            gate.recv()

    g = parked(holder)
    others = [parked(m.lock) for _ in range(3)]
    assert m.try_lock() is False
    gate.send(None)
    assert g.join(LONG)
    for _ in range(3):
        until(lambda: any(o.done() for o in others), "the next holder")
        others.remove(next(o for o in others if o.done()))
        assert not any(o.done() for o in others)
        m.unlock()
    assert m.try_lock() is True


def test_current_is_unharmed_by_a_lock_that_waits(procs):
    m = Mutex()

    def body():
        me = current()
        with m:
            gosched()
        return current() is me

    assert join_all(*[go(body) for _ in range(10)]) == [True] * 10
