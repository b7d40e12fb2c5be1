"""Deadlock: main waits and nothing is left that could wake it, so main raises `DeadlockError`.

Here main catches it and goes on; what an uncaught one prints is for a program of its own.
"""

import threading
import time

import pytest

import gmprt
from gmprt import (
    Chan,
    DeadlockError,
    after,
    after_func,
    current,
    go,
    gosched,
    on_recv,
    on_send,
    select,
    sleep,
)
from gmprt._runtime.heap import TimerHeap
from gmprt.sync import Mutex, WaitGroup
from tests.conformance.parking import LONG, join_all, parked, reap


def locked():
    m = Mutex()
    m.lock()
    return m


def pending():
    wg = WaitGroup()
    wg.add(1)
    return wg


WAITS = {
    "chan receive": lambda: Chan().recv(),
    "chan send": lambda: Chan().send(1),
    "select": lambda: select(on_recv(Chan()), on_send(Chan(), 1)),
    "select (no cases)": lambda: select(),
    "sync.Mutex.Lock": lambda: locked().lock(),
    "sync.WaitGroup.Wait": lambda: pending().wait(),
}


@pytest.mark.parametrize("reason", WAITS)
def test_in_every_wait_for_ever(procs, reason):
    with pytest.raises(DeadlockError) as caught:
        WAITS[reason]()
    text = str(caught.value)
    assert text.startswith("all goroutines are asleep - deadlock!")
    assert f"goroutine 1 [{reason}]:" in text
    assert __name__.rpartition(".")[2] in text
    assert go(lambda: "lives").result(LONG) == "lives"


def test_a_join_of_a_goroutine_that_waits_for_ever(procs):
    g = parked(Chan().recv)
    for ask in (g.join, g.result, g.exception):
        with pytest.raises(DeadlockError) as caught:
            ask()
        assert f"goroutine {g.id} [chan receive]:" in str(caught.value)
        assert "goroutine 1 [join]:" in str(caught.value)
    reap(g)


def test_it_is_found_when_the_last_runnable_goroutine_parks(procs):
    """Main waits first; it is the other's wait, later, that leaves nobody."""
    ch, never = Chan(), Chan()

    def works_then_waits():
        for _ in range(20):
            gosched()
        sleep(0.002)
        never.recv()

    g = go(works_then_waits)
    with pytest.raises(DeadlockError):
        ch.recv()
    assert g.state == "waiting"
    reap(g)


def test_it_is_found_when_the_last_goroutine_ends(procs):
    ch = Chan()
    g = go(sleep, 0.002)
    with pytest.raises(DeadlockError):
        ch.recv()
    assert g.done()


def test_it_is_found_when_the_last_system_call_returns(procs):
    ch = Chan()
    g = go(gmprt.syscall, gmprt.stack)
    with pytest.raises(DeadlockError):
        ch.recv()
    assert g.done()


def test_it_is_found_when_the_last_foreign_thread_ends(procs):
    ch = Chan()
    thread = threading.Thread(target=sleep, args=(0.05,))
    thread.start()
    with pytest.raises(DeadlockError):
        ch.recv()
    assert not thread.is_alive()
    thread.join()


def test_two_that_wait_for_each_other(procs):
    a, b = Chan(), Chan()
    g = go(lambda: (a.recv(), b.send(1)))
    with pytest.raises(DeadlockError):
        b.recv()
    reap(g)


def test_what_main_waited_on_is_left_as_it_was(procs):
    ch = Chan()
    with pytest.raises(DeadlockError):
        ch.recv()
    with pytest.raises(gmprt.WouldBlock):
        ch.send_nowait("nobody waits any more")
    with pytest.raises(DeadlockError):
        ch.send("not sent")
    with pytest.raises(gmprt.WouldBlock):
        ch.recv_nowait()
    g = go(ch.send, "works")
    assert ch.recv() == "works"
    assert g.join(LONG)


def test_main_may_resolve_it(procs):
    gate = Chan()
    g = parked(gate.recv)
    with pytest.raises(DeadlockError):
        g.join()
    gate.send("resolved")
    assert g.result(LONG) == "resolved"


def test_inside_run_it_leaves_run(procs):
    with pytest.raises(DeadlockError):
        gmprt.run(Chan().recv)
    assert gmprt.run(lambda: "again") == "again"


def test_a_wait_with_a_time_out_is_none(procs):
    with pytest.raises(TimeoutError):
        Chan().recv(timeout=0.02)
    g = go(lambda: Chan().recv(timeout=0.02))
    assert g.join() is True
    assert isinstance(g.exception(), TimeoutError)


def test_a_sleeping_goroutine_is_none(procs):
    ch = Chan()
    go(lambda: (sleep(0.02), ch.send("woken")))
    assert ch.recv() == "woken"


def test_a_system_call_is_none(procs):
    ch, ev = Chan(), threading.Event()

    def body():
        gmprt.syscall(ev.wait, 0.02)
        ch.send("returned")

    go(body)
    assert ch.recv() == "returned"


def test_a_live_foreign_thread_is_none(procs):
    ch = Chan()
    leave = threading.Event()

    def target():
        leave.wait(0.05)
        ch.send("from the thread")

    thread = threading.Thread(target=target)
    thread.start()
    assert ch.recv() == "from the thread"
    thread.join()


def test_main_in_a_system_call_is_none(procs):
    ev = threading.Event()
    g = parked(Chan().recv)
    assert gmprt.syscall(ev.wait, 0.02) is False
    with gmprt.blocking():
        assert ev.wait(0.02) is False
    reap(g)


def test_other_goroutines_that_deadlock_are_none_of_mains_business(procs):
    """As in Go: only when all sleep."""
    a, b = Chan(), Chan()
    stuck = [parked(a.recv), parked(b.recv)]
    assert go(lambda: "works").result() == "works"
    sleep(0.001)
    assert [g.state for g in stuck] == ["waiting", "waiting"]
    reap(*stuck)


def test_the_error_is_raised_in_main_alone(procs):
    seen = []

    def body():
        try:
            Chan().recv()
        except BaseException as e:
            seen.append(type(e))
            raise

    gs = [parked(body) for _ in range(3)]
    with pytest.raises(DeadlockError):
        Chan().recv()
    assert seen == []
    assert current().state == "running"
    reap(*gs)
    assert join_all(*gs) == [None] * 3


def test_a_timer_that_is_just_being_fired_is_none(procs, monkeypatch):
    """Between the heap and the one it wakes it is in no list, for as long as the system likes."""
    pop_due = TimerHeap.pop_due

    def slowly(self, moment, due):
        pop_due(self, moment, due)
        if due:
            time.sleep(0.1)

    monkeypatch.setattr(TimerHeap, "pop_due", slowly)
    assert after(0.01).recv() > 0
    done = Chan()
    after_func(0.01, done.close)
    assert done.recv_ok() == (None, False)
