"""`lock_os_thread`: nothing new on this thread; Go's runtime/proc_test.go TestLockOSThreadNesting
and kin.
"""

import os
import sys
import threading

import pytest

import gmprt
from gmprt import Chan, go, gosched, lock_os_thread, sleep, unlock_os_thread
from tests.conformance.parking import LONG, join_all, parked, until


def on_threads(n):
    """Where `n` fresh goroutines start, all alive at once so that they spread as they can."""
    gate = Chan()

    def body():
        ident = threading.get_ident()
        gate.recv()
        return ident

    gs = [parked(body) for _ in range(n)]
    for _ in gs:
        gate.send(None)
    return join_all(*gs)


def test_no_fresh_goroutine_starts_on_a_locked_thread(procs):
    def body():
        lock_os_thread()
        idents = on_threads(10)
        unlock_os_thread()
        return threading.get_ident() in idents

    assert go(body).result(LONG) is False


def test_nor_on_the_main_thread_while_main_has_locked_it(procs):
    lock_os_thread()
    try:
        assert threading.get_ident() not in on_threads(10)
    finally:
        unlock_os_thread()


def test_a_locked_goroutine_stays_on_its_thread_across_waits(procs):
    ch = Chan()

    def body():
        lock_os_thread()
        idents = {threading.get_ident()}
        for _ in range(5):
            ch.recv()
            idents.add(threading.get_ident())
            gosched()
            idents.add(threading.get_ident())
            sleep(0.0005)
            idents.add(threading.get_ident())
        unlock_os_thread()
        return len(idents)

    gs = [go(body) for _ in range(4)]
    for _ in range(20):
        ch.send(None)
    assert join_all(*gs) == [1] * 4


def test_locks_nest(procs):
    def body():
        for _ in range(3):
            lock_os_thread()
        unlock_os_thread()
        unlock_os_thread()
        still = threading.get_ident() in on_threads(8)
        unlock_os_thread()
        return still

    assert go(body).result(LONG) is False


def test_unlocking_what_is_not_locked_does_nothing(procs):
    def body():
        for _ in range(3):
            unlock_os_thread()
        lock_os_thread()
        still = threading.get_ident() in on_threads(5)
        unlock_os_thread()
        unlock_os_thread()
        return still

    unlock_os_thread()
    assert go(body).result(LONG) is False
    assert go(lambda: "lives").result(LONG) == "lives"


def test_those_that_had_started_here_still_run_when_the_locked_one_waits(procs):
    ch = Chan()
    before = [parked(ch.recv) for _ in range(5)]
    lock_os_thread()
    try:
        for i in range(5):
            ch.send(i)
        assert sorted(join_all(*before)) == list(range(5))
    finally:
        unlock_os_thread()


def test_many_locked_at_once_talk_to_each_other(procs):
    n = 6
    chans = [Chan() for _ in range(n + 1)]

    def relay(i):
        lock_os_thread()
        for _ in range(20):
            chans[i + 1].send(chans[i].recv() + 1)
        unlock_os_thread()

    gs = [go(relay, i) for i in range(n)]

    def feed():
        for v in range(20):
            chans[0].send(v)

    feeder = go(feed)
    assert [chans[n].recv() for _ in range(20)] == [v + n for v in range(20)]
    join_all(feeder, *gs)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc")
def test_one_that_ends_locked_ends_its_thread(procs):
    """Main locks its own thread first, so that the goroutine cannot be on that one, which never
    ends.
    """

    def body():
        lock_os_thread()
        return threading.get_native_id()

    lock_os_thread()
    try:
        tid = go(body).result(LONG)
    finally:
        unlock_os_thread()
    assert tid != threading.get_native_id()
    until(lambda: not os.path.exists(f"/proc/self/task/{tid}"), "the end of the thread")
    assert go(lambda: "lives").result(LONG) == "lives"


def test_one_that_ends_locked_on_the_main_thread_harms_nothing(procs):
    gs = [go(lock_os_thread) for _ in range(20)]
    join_all(*gs)
    assert join_all(*[go(int, str(i)) for i in range(20)]) == list(range(20))


def test_in_a_foreign_thread_it_is_harmless():
    box = []

    def target():
        lock_os_thread()
        box.append(go(lambda: "made").result(LONG))
        unlock_os_thread()
        unlock_os_thread()
        box.append("end")

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(LONG)
    assert box == ["made", "end"]


def test_a_locked_one_may_be_in_a_system_call(procs):
    ev = threading.Event()

    def body():
        lock_os_thread()
        before = threading.get_ident()
        got = gmprt.syscall(ev.wait, LONG)
        same = before == threading.get_ident()
        unlock_os_thread()
        return got, same

    g = go(body)
    until(lambda: g.state == "syscall", "the call")
    go(ev.set)
    assert g.result(LONG) == (True, True)
