"""Go's sync/cond_test.go in Python: TestCondSignal, TestCondSignalGenerations, TestCondBroadcast,
TestRace, TestCondSignalStealing; and what the documentation of Cond promises.
"""

import threading

import pytest

import gmprt
from gmprt import Chan, go, gosched
from gmprt.sync import Cond, Mutex, RWMutex
from tests.conformance.parking import LONG, Boom, join_all, parked, reap, until


def waits(cond, then=lambda: None):
    """Wait once, with the lock, and do `then` before it is unlocked."""
    with cond.L:
        cond.wait()
        return then()


# TestCondSignal


def test_a_signal_wakes_one(procs):
    cond, awake = Cond(Mutex()), []
    gs = [parked(waits, cond, lambda: awake.append(1)) for _ in range(4)]
    for n in range(4):
        assert len(awake) == n
        with cond.L:
            cond.signal()
        until(lambda n=n: len(awake) > n, "the one who is woken")
        assert len(awake) == n + 1
        assert sum(g.state == "waiting" for g in gs) == 3 - n
    join_all(*gs)
    cond.signal()


def test_with_nobody_who_waits_a_signal_is_lost(procs):
    cond = Cond(Mutex())
    cond.signal()
    cond.broadcast()
    g = parked(waits, cond)
    assert g.wait_reason == "sync.Cond.Wait"
    assert g.waiting_on is cond
    cond.signal()
    assert g.join(LONG)


# TestCondSignalGenerations


def test_each_signal_wakes_the_one_who_waited_before_it(procs):
    cond, running, awake = Cond(Mutex()), Chan(1), Chan(1)

    def body(i):
        with cond.L:
            running.send(None)
            cond.wait()
            awake.send(i)

    gs = []
    for i in range(50):
        gs.append(go(body, i))
        if i:
            assert awake.recv(LONG) == i - 1
        running.recv(LONG)
        with cond.L:
            cond.signal()
    assert awake.recv(LONG) == 49
    join_all(*gs)


def test_signals_wake_in_the_order_in_which_they_waited(procs):
    cond, order = Cond(Mutex()), []
    gs = [parked(waits, cond, lambda i=i: order.append(i)) for i in range(10)]
    for n in range(10):
        cond.signal()
        until(lambda n=n: len(order) > n, "the next")
    join_all(*gs)
    assert order == list(range(10))


# TestCondBroadcast


def test_a_broadcast_wakes_each_once(procs):
    n, rounds = 20, 10
    cond, running, awake, leave = Cond(Mutex()), Chan(n), Chan(n), []

    def body(i):
        with cond.L:
            while not leave:
                running.send(i)
                cond.wait()
                awake.send(i)

    gs = [go(body, i) for i in range(n)]
    for r in range(rounds):
        for _ in range(n):
            running.recv(LONG)
        if r == rounds - 1:
            with cond.L:
                leave.append(True)
        assert len(awake) == 0
        with cond.L:
            cond.broadcast()
        assert sorted(awake.recv(LONG) for _ in range(n)) == list(range(n))
    join_all(*gs)
    assert len(running) == 0
    cond.broadcast()


def test_those_whom_a_broadcast_wakes_hold_the_lock_one_by_one(procs):
    cond, inside = Cond(Mutex()), []

    def alone():
        inside.append(1)
        gosched()
        assert inside == [1]
        inside.clear()

    gs = [parked(waits, cond, alone) for _ in range(10)]
    cond.broadcast()
    join_all(*gs)


# TestRace


def test_three_who_change_one_thing_see_each_other(procs):
    cond, x = Cond(Mutex()), [0]

    def first():
        with cond.L:
            x[0] = 1
            cond.wait()
            assert x == [2]
            x[0] = 3
            cond.signal()

    def second():
        while True:
            with cond.L:
                if x == [1]:
                    x[0] = 2
                    cond.signal()
                    return
            gosched()

    def third():
        while True:
            with cond.L:
                if x == [2]:
                    cond.wait()
                    assert x == [3]
                    return
                if x == [3]:
                    return
            gosched()

    for _ in range(20):
        x[0] = 0
        join_all(go(first), go(second), go(third))


# TestCondSignalStealing


@pytest.mark.parametrize("wake", [Cond.signal, Cond.broadcast])
def test_who_comes_later_does_not_steal_the_wake_up(procs, wake):
    for _ in range(20):
        m = Mutex()
        cond, begun, done = Cond(m), Chan(), []

        def first(cond=cond, begun=begun):
            with cond.L:
                begun.send(None)
                cond.wait()

        def second(cond=cond, done=done):
            with cond.L:
                while not done:
                    cond.wait()

        g = go(first)
        begun.recv(LONG)
        with m:  # so it waits: it has given the lock up
            pass
        waker, thief = go(wake, cond), go(second)
        assert g.join(LONG)
        with m:
            done.append(True)
        cond.broadcast()
        join_all(waker, thief)


# Cond's documentation


def test_wait_gives_the_lock_up_while_it_waits_and_has_it_again_after(procs):
    m = Mutex()
    cond = Cond(m)
    g = parked(waits, cond, m.try_lock)
    assert m.try_lock() is True
    cond.signal()
    until(lambda: g.waiting_on is m, "its wait for the lock")
    m.unlock()
    assert g.result(LONG) is False
    assert m.try_lock() is True


def test_wait_without_the_lock_is_an_error_and_leaves_nobody_waiting(procs):
    cond = Cond(Mutex())
    other = parked(waits, cond)
    with pytest.raises(RuntimeError, match="unlocked"):
        cond.wait()
    cond.signal()
    assert other.join(LONG)
    assert cond.L.try_lock() is True


def test_a_signal_needs_no_lock(procs):
    cond, met = Cond(Mutex()), []

    def body():
        with cond.L:
            while not met:
                cond.wait()

    gs = [parked(body) for _ in range(3)]
    cond.broadcast()
    with cond.L:
        met.append(True)
    cond.broadcast()
    join_all(*gs)


def test_readers_wait_for_a_writer_by_the_read_side_of_a_rwmutex(procs):
    rw = RWMutex()
    side = rw.rlocker()
    cond, value, inside = Cond(side), [], Chan(3)
    assert cond.L is side

    def reader():
        with cond.L:
            while not value:
                cond.wait()
            inside.send(None)
            gate.recv()
            return value[0]

    gate = Chan()
    gs = [parked(reader) for _ in range(3)]
    with rw:
        value.append("written")
        cond.broadcast()
        assert len(inside) == 0
    for _ in gs:
        inside.recv(LONG)  # all of them read at once
    assert rw.try_lock() is False
    for _ in gs:
        gate.send(None)
    assert join_all(*gs) == ["written"] * 3
    assert rw.try_lock() is True


def test_the_write_side_is_a_lock_for_it_too(procs):
    cond = Cond(RWMutex())
    g = parked(waits, cond, cond.L.try_rlock)
    assert cond.L.try_lock() is True
    cond.L.unlock()
    cond.broadcast()
    assert g.result(LONG) is False


def test_a_lock_of_ones_own_is_one(procs):
    class Own:
        def __init__(self):
            self.calls, self.m = [], Mutex()

        def lock(self):
            self.m.lock()
            self.calls.append("lock")

        def unlock(self):
            self.calls.append("unlock")
            self.m.unlock()

    own = Own()
    cond = Cond(own)

    def body():
        own.lock()
        cond.wait()
        own.unlock()

    g = parked(body)
    cond.signal()
    assert g.join(LONG)
    assert own.calls == ["lock", "unlock", "lock", "unlock"]
    with pytest.raises(TypeError):
        Cond(object())


def test_one_who_is_interrupted_holds_the_lock_again_and_takes_no_signal(procs):
    cond = Cond(Mutex())

    def body():
        try:
            waits(cond)
        except Boom:
            return cond.L.try_lock()
        return "woken"

    def holds_on():
        with cond.L:
            try:
                cond.wait()
            except Boom:
                return cond.L.try_lock()
        return "woken"

    gone, stays = parked(holds_on), parked(body)
    gone.interrupt(Boom)
    assert gone.result(LONG) is False
    cond.signal()
    assert stays.result(LONG) == "woken"
    assert cond.L.try_lock() is True


def test_a_signal_is_never_lost_on_one_who_is_interrupted(procs):
    """Either it was woken, or the signal wakes the next: somebody always is."""
    for _ in range(30):
        cond = Cond(Mutex())
        gs = [parked(waits, cond) for _ in range(2)]
        waker = go(cond.signal)
        gs[0].interrupt()
        assert waker.join(LONG)
        assert gs[0].join(LONG)
        if gs[0].exception() is not None:
            assert gs[1].join(LONG)
        else:
            cond.signal()
            assert gs[1].join(LONG)


def test_threads_wait_and_wake_too(procs):
    cond, value = Cond(Mutex()), []

    def wait():
        with cond.L:
            while not value:
                cond.wait()

    def wake():
        with cond.L:
            value.append(1)
        cond.broadcast()

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for t in threads:
        t.start()
    gs = [parked(wait) for _ in range(3)]
    last = threading.Thread(target=wake)
    last.start()
    join_all(*gs)
    for t in [*threads, last]:
        t.join(LONG)
        assert not t.is_alive()


def test_a_queue_of_two_conditions_on_one_lock(procs):
    """As in every textbook: who puts waits for room, who takes waits for something."""
    m, queue, cap = Mutex(), [], 2
    room, some = Cond(m), Cond(m)

    def put(values):
        for v in values:
            with m:
                while len(queue) == cap:
                    room.wait()
                queue.append(v)
                assert len(queue) <= cap
            some.signal()

    def take(n):
        got = []
        for _ in range(n):
            with m:
                while not queue:
                    some.wait()
                got.append(queue.pop(0))
            room.signal()
        return got

    putters = [go(put, range(i * 100, i * 100 + 30)) for i in range(3)]
    takers = [go(take, 30) for _ in range(3)]
    got = [v for part in join_all(*takers) for v in part]
    join_all(*putters)
    assert sorted(got) == [i * 100 + n for i in range(3) for n in range(30)]


def test_nobody_left_waiting_is_a_deadlock_in_main(procs):
    cond = Cond(Mutex())
    with pytest.raises(gmprt.DeadlockError), cond.L:
        cond.wait()
    assert cond.L.try_lock() is True


def test_reaped_waiters_leave_nothing_behind(procs):
    cond = Cond(Mutex())
    reap(*[parked(waits, cond) for _ in range(5)])
    g = parked(waits, cond)
    cond.signal()
    assert g.join(LONG)
