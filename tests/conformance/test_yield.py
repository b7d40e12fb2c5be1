"""`current`, `gosched`, `goexit` and `sleep`; Go's runtime/proc_test.go TestYieldProgress in
Python.
"""

import math
import threading
import time

import pytest

import gmprt
from gmprt import Chan, GoroutineExit, current, goexit, gosched, sleep
from tests.conformance.parking import LONG, Boom, join_all, parked, reap, until


def in_thread(fn, *args):
    """Run `fn` in a foreign thread; its result or exception."""
    box = []

    def target():
        try:
            box.append(("value", fn(*args)))
        except BaseException as e:
            box.append(("exception", e))

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(LONG)
    assert box, "the thread does not end"
    return box[0]


# current


def test_current_is_the_handle_that_go_gave(procs):
    gs = [gmprt.go(current) for _ in range(20)]
    assert join_all(*gs) == gs


def test_current_stays_the_same_across_waits(procs):
    ch = Chan()

    def body():
        seen = [current()]
        ch.recv()
        seen.append(current())
        gosched()
        seen.append(current())
        sleep(0.001)
        seen.append(current())
        return set(seen)

    gs = [parked(body) for _ in range(10)]
    for _ in gs:
        ch.send(None)
    assert join_all(*gs) == [{g} for g in gs]


def test_current_in_main_stays_main(procs):
    me = current()
    assert isinstance(me, gmprt.G)
    ch = Chan()
    gmprt.go(ch.send, 1)
    ch.recv()
    assert current() is me
    assert me.id == 1
    assert me.done() is False


def test_current_in_a_foreign_thread_is_none():
    assert in_thread(current) == ("value", None)


# gosched


def test_yield_progress(procs):
    """One that yields for ever keeps nobody from running."""
    for lock in (False, True):
        flag = []

        def body(lock=lock, flag=flag):
            if lock:
                gmprt.lock_os_thread()
            n = 0
            while not flag:
                gosched()
                n += 1
            if lock:
                gmprt.unlock_os_thread()
            return n

        g = gmprt.go(body)
        until(lambda g=g: g.state != "idle", "its start")
        for _ in range(5):
            gosched()
        flag.append(1)
        assert g.result(LONG) >= 0


def test_main_yielding_lets_a_goroutine_run_on_its_p():
    former = gmprt.gomaxprocs(1)
    try:
        ran = []
        gmprt.go(ran.append, 1)
        deadline = time.monotonic() + LONG
        while not ran:
            assert time.monotonic() < deadline
            gosched()
    finally:
        gmprt.gomaxprocs(former)


def test_yielding_goroutines_take_turns():
    """On one P none of three that yield gets ahead of the others by much.

    Of those on one thread: a P that looks blocked may be handed on, and two have slices.
    """
    former = gmprt.gomaxprocs(1)
    try:
        counts = [0, 0, 0]
        threads = [0, 0, 0]
        worst = [0]

        def body(i):
            threads[i] = threading.get_ident()
            for _ in range(500):
                counts[i] += 1
                gosched()
                if all(c < 500 for c in counts):
                    mine = [counts[j] for j in range(3) if threads[j] == threads[i]]
                    worst[0] = max(worst[0], max(mine) - min(mine))

        join_all(*[gmprt.go(body, i) for i in range(3)])
        assert counts == [500] * 3
        assert worst[0] < 250
    finally:
        gmprt.gomaxprocs(former)


def test_gosched_gives_none_also_in_a_foreign_thread(procs):
    assert gosched() is None
    assert in_thread(gosched) == ("value", None)
    assert gmprt.go(gosched).result(LONG) is None


# goexit


def test_goexit_runs_finally_blocks_and_nothing_after(procs):
    log = []

    def inner():
        try:
            goexit()
        finally:
            log.append("inner")

    def body():
        try:
            inner()
            log.append("after")
        except Exception:
            log.append("caught as Exception")
        finally:
            log.append("outer")
        log.append("never")

    assert gmprt.go(body).result(LONG) is None
    assert log == ["inner", "outer"]


def test_goexit_raises_goroutine_exit(procs):
    def body():
        with pytest.raises(GoroutineExit):
            goexit()
        return "went on"

    assert gmprt.go(body).result(LONG) == "went on"
    assert issubclass(GoroutineExit, BaseException)
    assert not issubclass(GoroutineExit, Exception)


def test_goexit_in_a_deferred_block_after_an_error(procs):
    """As in Go, where Goexit in a deferred call ends a panicking goroutine: the last to be raised
    counts.
    """

    def body():
        try:
            raise Boom
        finally:
            goexit()

    g = gmprt.go(body)
    assert g.result(LONG) is None
    assert isinstance(g.exception(), GoroutineExit)


def test_goexit_in_main_is_a_runtime_error():
    with pytest.raises(RuntimeError):
        goexit()


def test_goexit_in_main_inside_run_is_a_runtime_error():
    with pytest.raises(RuntimeError):
        gmprt.run(goexit)


def test_goexit_in_a_foreign_thread_is_a_runtime_error():
    kind, exc = in_thread(goexit)
    assert kind == "exception"
    assert isinstance(exc, RuntimeError)


# sleep


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.05])
def test_sleep_is_not_short(procs, seconds):
    def body():
        start = time.monotonic()
        assert sleep(seconds) is None
        return time.monotonic() - start

    took = [body(), *join_all(*[gmprt.go(body) for _ in range(10)])]
    assert min(took) >= seconds - 0.0005


def test_sleepers_sleep_at_the_same_time(procs):
    start = time.monotonic()
    join_all(*[gmprt.go(sleep, 0.1) for _ in range(200)])
    assert 0.0995 <= time.monotonic() - start < 10


def test_others_run_while_one_sleeps(procs):
    asleep = parked(sleep, LONG)
    assert gmprt.go(lambda: "meanwhile").result(LONG) == "meanwhile"
    assert asleep.wait_reason == "sleep"
    assert asleep.state == "waiting"
    reap(asleep)


@pytest.mark.parametrize("seconds", [0, -1, 0.0, -math.inf])
def test_no_time_to_sleep_yields(procs, seconds):
    """Else the spinner would hold the one P for ever."""
    ran = []

    def spin():
        while not ran:
            sleep(seconds)

    g = gmprt.go(spin)
    gmprt.go(ran.append, 1)
    assert g.join(LONG)


@pytest.mark.parametrize("seconds", [math.inf, None, 1e12])
def test_sleep_for_ever(procs, seconds):
    g = parked(sleep, seconds)
    assert g.wait_reason == "sleep"
    assert g.join(0.01) is False
    reap(g)


def test_sleep_of_nan_is_a_value_error(procs):
    with pytest.raises(ValueError, match="nan"):
        sleep(math.nan)
    g = gmprt.go(sleep, math.nan)
    assert isinstance(g.exception(LONG), ValueError)


@pytest.mark.parametrize("bad", ["1", object(), [1]])
def test_sleep_of_no_number_is_a_type_error(bad):
    with pytest.raises(TypeError):
        sleep(bad)


def test_sleep_in_a_foreign_thread_blocks_it_alone():
    def body():
        start = time.monotonic()
        sleep(0.02)
        return time.monotonic() - start

    kind, took = in_thread(body)
    assert kind == "value"
    assert took >= 0.0195
    assert in_thread(sleep, 0) == ("value", None)
    kind, exc = in_thread(sleep, math.nan)
    assert isinstance(exc, ValueError)


def test_sleep_takes_integers(procs):
    assert gmprt.go(sleep, 0).result(LONG) is None
    g = parked(sleep, 1000)
    reap(g)
