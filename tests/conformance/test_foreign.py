"""Foreign threads: every part of the API from `threading.Thread`, where one that waits blocks
itself alone.
"""

import math
import queue
import threading
import time

import pytest

import gmprt
from gmprt import (
    Chan,
    ChanClosed,
    EndOfChan,
    WouldBlock,
    current,
    go,
    gosched,
    on_recv,
    on_send,
    select,
)
from gmprt.sync import Mutex, WaitGroup
from tests.conformance.parking import LONG, Boom, Thread, join_all, parked, reap


def fails():
    raise Boom("on purpose")


def test_go_join_result_and_exception(procs):
    def target():
        g = go(int, "7")
        assert g.join() is True
        assert g.result() == 7
        assert g.parent == 0
        h = go(fails)
        assert isinstance(h.exception(), Boom)
        with pytest.raises(Boom):
            h.result(LONG)
        return "end"

    assert Thread(target).result() == "end"


def test_go_when_everything_idles(procs):
    """Main does not run the runtime here: it waits for the thread as any Python program does."""
    got = queue.SimpleQueue()

    def target():
        got.put(go(lambda: "ran").result(LONG))

    thread = threading.Thread(target=target)
    thread.start()
    with gmprt.blocking():
        thread.join(LONG)
    assert got.get_nowait() == "ran"


def test_it_is_nobody(procs):
    assert Thread(current).result() is None
    assert Thread(gosched).result() is None


@pytest.mark.parametrize("cap", [0, 3])
def test_values_to_and_from_a_thread(procs, cap):
    there, back = Chan(cap), Chan(cap)

    def target():
        for v in there:
            back.send(v * 2)
        back.close()

    thread = Thread(target)

    def feed():
        for i in range(200):
            there.send(i)
        there.close()

    g = go(feed)
    assert list(back) == [2 * i for i in range(200)]
    assert g.join(LONG)
    thread.result()


def test_threads_talk_to_threads_through_a_channel(procs):
    ch = Chan()

    def feed(i):
        for n in range(100):
            ch.send((i, n))

    def take():
        return [ch.recv() for _ in range(100)]

    takers = [Thread(take) for _ in range(3)]
    feeders = [Thread(feed, i) for i in range(3)]
    for t in feeders:
        t.result()
    got = [v for t in takers for v in t.result()]
    assert sorted(got) == [(i, n) for i in range(3) for n in range(100)]


def test_a_thread_that_waits_leaves_goroutines_running(procs):
    ch = Chan()
    thread = Thread(ch.recv)
    assert go(lambda: "runs").result(LONG) == "runs"
    ch.send("value")
    assert thread.result() == "value"


@pytest.mark.parametrize("timeout", [0, -1, 0.01])
def test_time_outs(procs, timeout):
    gate, m, wg = Chan(), Mutex(), WaitGroup()
    waiting = parked(gate.recv)
    wg.add(1)

    def target():
        for wait in (
            lambda: Chan().recv(timeout),
            lambda: Chan().recv_ok(timeout),
            lambda: Chan().send(1, timeout=timeout),
            lambda: select(on_recv(Chan()), on_send(Chan(), 1), timeout=timeout),
            lambda: select(timeout=timeout),
            lambda: wg.wait(timeout),
            lambda: waiting.result(timeout),
            lambda: waiting.exception(timeout),
            lambda: next(Chan().iter(timeout)),
        ):
            with pytest.raises(TimeoutError):
                wait()
        return waiting.join(timeout)

    assert Thread(target).result() is False
    assert m.try_lock()
    reap(waiting)


@pytest.mark.parametrize("timeout", [None, math.inf, 1e12, 1e300, LONG])
def test_waits_with_all_time(procs, timeout):
    ch = Chan()
    thread = Thread(ch.recv, timeout)
    ch.send(1)
    assert thread.result() == 1
    g = parked(ch.recv)
    thread = Thread(g.join, timeout)
    ch.send(2)
    assert thread.result() is True


def test_nan_is_a_value_error(procs):
    def target():
        for wait in (
            lambda: Chan().recv(math.nan),
            lambda: Chan().send(1, timeout=math.nan),
            lambda: select(on_recv(Chan()), timeout=math.nan),
            lambda: gmprt.sleep(math.nan),
        ):
            with pytest.raises(ValueError, match="nan"):
                wait()

    Thread(target).result()


def test_nowait_and_close(procs):
    ch = Chan(1)

    def target():
        ch.send_nowait(1)
        with pytest.raises(WouldBlock):
            ch.send_nowait(2)
        assert ch.recv_nowait() == 1
        with pytest.raises(WouldBlock):
            ch.recv_nowait()
        ch.close()
        with pytest.raises(EndOfChan):
            ch.recv()
        with pytest.raises(ChanClosed):
            ch.send(1)

    Thread(target).result()
    assert ch.closed


def test_a_close_wakes_threads_that_wait(procs):
    ch = Chan()
    receivers = [Thread(ch.recv_ok) for _ in range(3)]
    ch.close()
    assert [t.result() for t in receivers] == [(None, False)] * 3
    full = Chan(1)
    full.send(0)
    sender = Thread(full.send, 1)
    gmprt.sleep(0.001)
    full.close()
    with pytest.raises(ChanClosed):
        sender.result()


def test_a_thread_may_close(procs):
    ch = Chan()
    g = parked(ch.recv_ok)
    Thread(ch.close).result()
    assert g.result(LONG) == (None, False)


def test_select_in_a_thread(procs):
    a, b = Chan(), Chan()
    thread = Thread(select, on_recv(a), on_recv(b))
    b.send("value")
    assert tuple(thread.result()) == (1, "value", True)
    thread = Thread(select, on_recv(a), on_send(b, "out"))
    assert b.recv() == "out"
    assert tuple(thread.result()) == (1, None, True)
    assert Thread(lambda: select(on_recv(a), default=True).index).result() == -1
    with pytest.raises(WouldBlock):
        a.send_nowait(1)


def test_selects_of_threads_and_goroutines_meet(procs):
    a, b, n = Chan(), Chan(), 100

    def both():
        out = back = 0
        while out < n or back < n:
            i, _, _ = select(on_send(a if out < n else None, 1), on_recv(b if back < n else None))
            out, back = out + (i == 0), back + (i == 1)

    def other():
        back = out = 0
        while out < n or back < n:
            i, _, _ = select(on_recv(a if back < n else None), on_send(b if out < n else None, 1))
            back, out = back + (i == 0), out + (i == 1)

    thread, g = Thread(both), go(other)
    thread.result()
    assert g.join(LONG)


def test_mutex_in_threads(procs):
    m, total = Mutex(), [0]

    def target():
        for _ in range(100):
            with m:
                total[0] += 1

    m.lock()
    threads = [Thread(target) for _ in range(3)]
    assert total == [0]
    m.unlock()
    for t in threads:
        t.result()
    assert total == [300]


def test_wait_group_in_threads(procs):
    wg = WaitGroup()
    wg.add(3)
    waiter = Thread(wg.wait)
    threads = [Thread(wg.done) for _ in range(3)]
    for t in threads:
        t.result()
    assert waiter.result() is None
    g = Thread(wg.go, int, "3").result()
    wg.wait(LONG)
    assert g.result() == 3


def test_ended_wakes_a_thread(procs):
    gate = Chan()
    g = parked(gate.recv)
    thread = Thread(g.ended.recv_ok)
    gate.send(None)
    assert thread.result() == (None, False)
    assert g.join(LONG)


def test_sleep_blocks_the_thread_alone(procs):
    start = time.monotonic()
    thread = Thread(gmprt.sleep, 0.02)
    assert go(lambda: "runs").result(LONG) == "runs"
    thread.result()
    assert time.monotonic() - start >= 0.0195


def test_inspection_from_a_thread(procs):
    g = parked(Chan().recv)

    def target():
        assert gmprt.num_goroutine() >= 2
        assert gmprt.gomaxprocs() == procs
        assert gmprt.stats()["ps"] == procs
        assert g.state == "waiting"
        return gmprt.stack()

    assert f"goroutine {g.id} [chan receive]:" in Thread(target).result()
    Thread(g.interrupt).result()
    assert g.join(LONG)


def test_gomaxprocs_from_a_thread(procs):
    assert Thread(gmprt.gomaxprocs, 3).result() == procs
    assert gmprt.gomaxprocs(procs) == 3
    gs = [go(int, str(i)) for i in range(20)]
    assert join_all(*gs) == list(range(20))


def test_many_threads_make_goroutines(procs):
    def target(i):
        return [g.result(LONG) for g in [go(divmod, i, n + 1) for n in range(30)]]

    threads = [Thread(target, i) for i in range(6)]
    for i, t in enumerate(threads):
        assert t.result() == [divmod(i, n + 1) for n in range(30)]


def test_a_thread_that_ends_at_once_leaves_its_goroutines(procs):
    ch = Chan()
    g = Thread(go, ch.recv).result()
    ch.send("value")
    assert g.result(LONG) == "value"


def test_thread_locals_are_the_threads(procs):
    local = threading.local()

    def target():
        local.x = "mine"
        assert go(lambda: getattr(local, "x", "none")).result(LONG) == "none"
        return local.x

    assert Thread(target).result() == "mine"
