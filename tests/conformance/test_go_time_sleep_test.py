"""Go's time/sleep_test.go in Python: TestSleep, TestAfterFunc, TestAfterFuncStarvation, TestAfter,
TestAfterTick, TestAfterStop, TestAfterQueuing, TestTimerStopStress, TestSleepZeroDeadlock,
TestReset, TestOverflowSleep, TestZeroTimer, TestTimerModifiedEarlier and TestAdjustTimers; and of
tick_test.go what is about timers: TestChan, TestTimerGC, TestAfterTimes and TestLongAdjustTimers.

Where Go sleeps so that a goroutine is asleep, `parked` sees that it is. Where a test here sleeps,
it is for time to pass: what is due within it is due after it, on any machine.
"""

import contextvars
import gc
import math
import os
import signal
import threading
import time
import weakref

import pytest

import gmprt
from gmprt import (
    Chan,
    DeadlockError,
    Ticker,
    Timer,
    WouldBlock,
    after,
    after_func,
    go,
    gosched,
    on_recv,
    select,
    sleep,
)
from gmprt.sync import WaitGroup
from tests.conformance.parking import LONG, join_all, parked, reap, until

TINY = 1e-9
SHORT = 0.005
FAR = 3.6e6


def func_timer(d):
    """A timer made of `after_func`, and a channel that gets a value when it fires."""
    c = Chan(1)
    return after_func(d, lambda: c.send(time.monotonic())), c


def chan_timer(d):
    """A timer, and its channel."""
    timer = Timer(d)
    return timer, timer.c


both = pytest.mark.parametrize("make", [chan_timer, func_timer])


def has_value(c):
    """Whether there is a value; it is taken."""
    try:
        c.recv_nowait()
    except WouldBlock:
        return False
    return True


# TestSleep


def test_a_signal_does_not_shorten_a_sleep(procs):
    came = []
    former = signal.signal(signal.SIGUSR1, lambda *_: came.append(time.monotonic()))
    try:

        def interrupt():
            sleep(0.01)
            os.kill(os.getpid(), signal.SIGUSR1)

        g = go(interrupt)
        start = time.monotonic()
        sleep(0.03)
        assert time.monotonic() - start >= 0.03
        assert g.join(LONG)
        until(lambda: came, "the signal")
    finally:
        signal.signal(signal.SIGUSR1, former)


# TestAfterFunc


def test_a_function_can_have_itself_called_again(procs):
    left, done = [10], Chan()
    never, gs = Chan(), []

    def fn():
        gs.append(gmprt.current())
        left[0] -= 1
        if left[0] < 0:
            done.send(True)
        else:
            after_func(0, fn)
            never.recv()  # keeps only its own goroutine

    after_func(0, fn)
    assert done.recv(LONG) is True
    assert len(gs) == 11
    assert gs.pop().join(LONG)
    reap(*gs)


def test_it_passes_arguments(procs):
    got = Chan(1)
    after_func(0, lambda *args, **kwargs: got.send((args, kwargs)), 1, d=2, fn=3)
    assert got.recv(LONG) == ((1,), {"d": 2, "fn": 3})


def test_what_cannot_be_called_is_a_type_error_at_the_call(procs):
    with pytest.raises(TypeError):
        after_func(0, 3)


def test_it_is_a_child_of_who_called_after_func_with_its_context_of_then(procs):
    var = contextvars.ContextVar("var", default="none")
    seen = Chan(1)

    def fn():
        g = gmprt.current()
        seen.send((g.parent, g.name, g.created_at, var.get()))

    def caller():
        var.set("then")
        timer = after_func(FAR, fn)
        var.set("later")
        return gmprt.current().id, timer

    g = go(caller)
    parent, timer = g.result(LONG)
    for d in (0, 0):  # reset by another, and again
        timer.reset(d)
        got = seen.recv(LONG)
        assert got[0] == parent != gmprt.current().id
        assert got[1] == fn.__qualname__
        assert os.path.basename(__file__) in got[2]
        assert got[3] == "then"


def test_its_handle_has_no_channel(procs):
    timer = after_func(FAR, int)
    assert timer.c is None
    assert timer.stop() is True


def test_it_fires_though_nobody_keeps_the_handle(procs):
    c = Chan(20)
    for i in range(20):
        after_func(SHORT, c.send, i)
    gc.collect()
    assert {c.recv(LONG) for _ in range(20)} == set(range(20))


def test_after_funcs_of_a_foreign_thread_and_of_main_are_alike(procs):
    c = Chan(2)

    def body():
        after_func(SHORT, c.send, "thread")
        after(SHORT).recv(LONG)

    t = threading.Thread(target=body)
    t.start()
    after_func(SHORT, c.send, "main")
    assert {c.recv(LONG), c.recv(LONG)} == {"main", "thread"}
    t.join(LONG)
    assert not t.is_alive()


# TestAfterFuncStarvation


def test_it_fires_though_others_are_always_runnable(procs):
    stop, c = [], Chan(1)

    def send():
        while not stop:
            c.send(True)
        c.close()

    def receive():
        for _ in c:
            pass

    gs = [go(send), go(receive)]
    after_func(1e-6, stop.append, True)
    join_all(*gs)


def test_it_fires_though_all_only_yield(procs):
    stop = []

    def body():
        while not stop:
            gosched()

    gs = [go(body) for _ in range(3)]
    after_func(SHORT, stop.append, True)
    join_all(*gs)


# TestAfter


def test_after_gives_the_time_and_not_before_it(procs):
    start = time.monotonic()
    value = after(0.02).recv()
    end = time.monotonic()
    assert end - start >= 0.02
    assert start + 0.02 <= value <= end


def test_it_gives_one_value(procs):
    c = after(TINY)
    c.recv(LONG)
    with pytest.raises(TimeoutError):
        c.recv(SHORT)


# TestAfterTick


def test_one_after_another_takes_the_sum(procs):
    start = time.monotonic()
    for _ in range(10):
        after(0.003).recv()
    assert time.monotonic() - start >= 0.03


# TestAfterStop


@both
def test_one_that_is_stopped_does_not_fire_also_when_a_later_one_has(procs, make):
    first, c = make(0.02)
    second = after_func(0.03, lambda: None)
    later = after(0.04)
    assert first.stop(), "it had been due already: a machine that stands still"
    second.stop()
    later.recv(LONG)
    assert not has_value(c)
    assert first.stop() is False
    assert second.stop() is False


@both
def test_stop_tells_whether_it_was_pending(procs, make):
    timer, c = make(FAR)
    assert [timer.stop(), timer.stop()] == [True, False]
    timer, c = make(TINY)
    c.recv(LONG)
    assert [timer.stop(), timer.stop()] == [False, False]


# TestAfterQueuing

SLOTS = [5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0]


@both
def test_they_fire_in_the_order_of_their_times(procs, make):
    """Those who wait run on several threads, which may stand still: so there are some attempts."""
    for attempt in range(6):
        delta, results = 0.004 * 2**attempt, Chan(len(SLOTS))
        start = time.monotonic()

        def wait(slot, c, results=results):
            results.send((slot, c.recv()))

        timers = [make(slot * delta) for slot in SLOTS]
        gs = [go(wait, slot, c) for slot, (_, c) in zip(SLOTS, timers, strict=True)]
        got = [results.recv(LONG) for _ in SLOTS]
        join_all(*gs)
        assert all(value >= start + slot * delta for slot, value in got)
        if [slot for slot, _ in got] == sorted(SLOTS):
            return
    pytest.fail(f"out of order: {got}")


def test_many_at_random_times_all_fire_and_none_too_early(procs, rng):
    n = 300
    due = [rng.random() * 0.03 for _ in range(n)]
    fired = Chan(n)
    start = time.monotonic()

    def wait(i, c):
        fired.send((i, c.recv()))

    gs = []
    for i, d in enumerate(due):
        if i % 2:
            gs.append(go(wait, i, after(d)))
        else:
            after_func(d, lambda i=i: fired.send((i, time.monotonic())))
    got = dict(fired.recv(LONG) for _ in range(n))
    join_all(*gs)
    assert sorted(got) == list(range(n))
    assert all(got[i] >= start + d for i, d in enumerate(due))


# TestTimerStopStress


def test_each_of_many_has_either_been_stopped_or_has_fired(procs):
    n, fired = 200, []
    stopped = [False] * n

    def body(i):
        timer = after_func((i % 5) * 0.001, fired.append, i)
        sleep(((i * 7) % 5) * 0.001)
        stopped[i] = timer.stop()

    join_all(*[go(body, i) for i in range(n)])
    until(lambda: len(fired) >= n - sum(stopped), "those that were not stopped")
    assert sorted(fired) == [i for i in range(n) if not stopped[i]]


def test_of_stop_and_a_receiver_one_gets_each(procs):
    n, got = 100, []

    def body(i):
        timer = Timer((i % 4) * 0.001)
        taker = go(lambda: timer.c.recv(0.02))
        sleep(((i * 7) % 4) * 0.001)
        stopped = timer.stop()
        got.append(stopped != (taker.exception(LONG) is None))

    join_all(*[go(body, i) for i in range(n)])
    assert got == [True] * n


@both
def test_who_stops_or_resets_one_that_has_not_fired_is_told_that_it_was_pending(procs, make):
    """Whoever does so at the same time: it has been pending all the while, until it is stopped."""
    timer, c = make(FAR)
    told = []
    for _ in range(100):
        told.append(join_all(*[go(timer.reset, FAR) for _ in range(4)]))
        told.append(join_all(go(timer.stop), go(timer.reset, FAR)))
        timer.reset(FAR)
    assert timer.stop() is True
    assert told[::2] == [[True] * 4] * 100
    assert all(got in ([True, True], [True, False]) for got in told[1::2])
    assert not has_value(c)


@both
def test_of_many_who_stop_it_one_is_told_that_it_was_pending(procs, make):
    timer, c = make(FAR)
    for _ in range(30):
        assert sorted(join_all(*[go(timer.stop) for _ in range(4)])) == [False] * 3 + [True]
        assert timer.reset(FAR) is False
    timer.stop()
    assert not has_value(c)


def test_many_who_reset_it_leave_one_time_and_one_value(procs):
    timer = Timer(FAR)
    for _ in range(20):
        join_all(*[go(timer.reset, d) for d in (FAR, TINY, FAR, TINY, FAR)])
        timer.reset(TINY)
        timer.c.recv(LONG)
        assert timer.stop() is False
        assert not has_value(timer.c)


# TestSleepZeroDeadlock


def test_sleep_of_nothing_while_memory_is_collected(procs):
    def collect():
        for _ in range(30):
            gc.collect(0)
            gosched()

    g = go(collect)
    for _ in range(100):
        sleep(0)
        sleep(-1)
        c = Chan(1)
        c.send(True)
        c.recv()
    assert g.join(LONG)


@pytest.mark.parametrize("receivers", [1, 8])
def test_one_that_sleeps_again_and_again_for_hardly_any_time_keeps_nobody_waiting(procs, receivers):
    """TestTickerConcurrentStress's other half: who collects sleeps for a nanosecond."""
    stop, ticker = [], Ticker(TINY)

    def restless():
        while not stop:
            gc.collect(0)
            sleep(TINY)

    def receive():
        for _ in range(50):
            ticker.c.recv()

    g = go(restless)
    join_all(*[go(receive) for _ in range(receivers)])
    stop.append(True)
    assert g.join(LONG)


# TestReset


@both
def test_reset_gives_it_another_time_also_after_it_has_fired(procs, make):
    timer, c = make(FAR)
    assert timer.reset(FAR) is True
    assert not has_value(c)
    start = time.monotonic()
    assert timer.reset(0.01) is True
    assert c.recv(LONG) >= start + 0.01
    assert timer.reset(FAR) is False
    assert timer.stop() is True
    assert timer.reset(TINY) is False
    c.recv(LONG)
    assert timer.stop() is False


@both
def test_reset_to_later_does_not_fire_at_the_former_time(procs, make):
    timer, c = make(0.02)
    assert timer.reset(0.05), "it had been due already: a machine that stands still"
    start = time.monotonic()
    assert c.recv(LONG) >= start + 0.045
    assert not has_value(c)


@pytest.mark.parametrize(("d", "error"), [(math.nan, ValueError), ("1", TypeError)])
@both
def test_a_reset_to_nonsense_changes_nothing(procs, make, d, error):
    timer, c = make(SHORT)
    with pytest.raises(error):
        timer.reset(d)
    c.recv(LONG)


# TestOverflowSleep


def test_a_very_long_time_is_not_a_short_one(procs):
    g = parked(sleep, 1e300)
    i, _, _ = select(on_recv(after(1e300)), on_recv(after(0.02)))
    assert i == 1
    reap(g)


@pytest.mark.parametrize("d", [0, -1, -1e300, -math.inf, False])
def test_no_time_or_less_is_at_once(procs, d):
    sleep(d)
    start = time.monotonic()
    value = after(d).recv(LONG)
    assert value >= start
    timer = Timer(d)
    assert timer.c.recv(0) >= value
    done = Chan(1)
    after_func(d, done.send, None)
    done.recv(LONG)


@pytest.mark.parametrize("d", [None, math.inf])
@both
def test_never_is_a_time_too(procs, make, d):
    timer, c = make(d)
    with pytest.raises(TimeoutError):
        c.recv(SHORT)
    assert [timer.reset(d), timer.stop(), timer.stop()] == [True, True, False]
    assert timer.reset(d) is False
    assert timer.reset(TINY) is True
    c.recv(LONG)


@pytest.mark.parametrize("use", [sleep, Timer, after, lambda d: after_func(d, int)])
def test_nan_is_a_value_error(procs, use):
    with pytest.raises(ValueError, match="nan"):
        use(math.nan)


# TestZeroTimer


@both
def test_timers_of_no_time_are_not_missed(procs, make):
    for _ in range(100):
        _, c = make(0)
        c.recv(LONG)
    timer, c = make(FAR)
    for _ in range(100):
        timer.reset(0)
        c.recv(LONG)


# TestTimerModifiedEarlier


@both
def test_one_that_is_moved_ahead_again_and_again_is_not_dropped(procs, make):
    for _ in range(30):
        timer, c = make(FAR)
        for _ in range(10):
            if not timer.stop():
                c.recv(LONG)
            timer.reset(-1e9)
        c.recv(LONG)


# TestAdjustTimers


@both
def test_those_that_are_moved_to_and_fro_keep_their_times(procs, make, rng):
    """Each is fired, moved far off and stopped three times, and fired again; all in any order."""

    def steps(timer, c):
        c.recv(LONG)
        yield
        for d in (60, 180, 120):
            assert timer.reset(d) is False
            yield
            assert timer.stop() is True
            yield
        assert timer.reset(0) is False
        yield
        c.recv(LONG)

    left = [steps(*make(0)) for _ in range(60)]
    while left:
        one = rng.choice(left)
        if next(one, "end") == "end":
            left.remove(one)


# TestChan


def test_the_channel_looks_unbuffered_also_when_a_value_is_due(procs):
    timer = Timer(TINY)
    sleep(SHORT)
    for c in (timer.c, after(FAR), after(TINY)):
        assert (len(c), c.cap) == (0, 0)
    assert has_value(timer.c)
    assert not has_value(timer.c)
    assert (len(timer.c), timer.c.cap) == (0, 0)


def test_the_channel_is_receive_only(procs):
    for c in (Timer(FAR).c, after(FAR)):
        with pytest.raises(RuntimeError):
            c.send(1.0)
        with pytest.raises(RuntimeError):
            c.close()
        assert not c.closed
        assert not has_value(c)


def test_one_that_nobody_waits_on_is_stopped_and_set(procs):
    timer = Timer(FAR)
    timer.stop()
    assert not has_value(timer.c)
    timer.reset(FAR)
    assert not has_value(timer.c)
    timer.reset(TINY)
    sleep(SHORT)
    assert has_value(timer.c)


def test_a_value_that_is_due_is_gone_after_reset(procs):
    timer = Timer(TINY)
    sleep(SHORT)
    assert timer.reset(FAR) is True
    assert not has_value(timer.c)


def test_a_value_that_is_due_is_gone_after_stop(procs):
    timer = Timer(TINY)
    sleep(SHORT)
    assert timer.stop() is True
    assert not has_value(timer.c)
    assert timer.stop() is False
    timer.reset(FAR)
    assert not has_value(timer.c)
    assert timer.reset(TINY) is True
    assert timer.c.recv(LONG)
    sleep(SHORT)
    assert not has_value(timer.c)
    assert timer.reset(FAR) is False
    assert not has_value(timer.c)


def test_a_value_that_came_while_somebody_else_waited_is_gone_too(procs):
    """Two timers, one receiver: the other's value is due, and was looked at, and is dropped."""
    one, other = Timer(TINY), Timer(TINY)
    sleep(SHORT)
    i, _, _ = select(on_recv(one.c), on_recv(other.c))
    rest = [one, other][1 - i]
    assert [one, other][i].stop() is False
    assert rest.stop() is True
    assert not has_value(rest.c)


def test_it_can_be_set_while_somebody_waits_on_it(procs):
    timer = Timer(FAR)
    g = parked(timer.c.recv)
    assert timer.reset(FAR * 2) is True
    assert not g.join(0)
    assert timer.stop() is True
    assert not g.join(0)
    start = time.monotonic()
    assert timer.reset(TINY) is False
    assert g.result(LONG) >= start
    assert not has_value(timer.c)
    assert timer.stop() is False


def test_of_two_who_select_on_it_one_gets_the_value(procs):
    timer, stop, got = Timer(FAR), Chan(), Chan(2)

    def body():
        if select(on_recv(timer.c), on_recv(stop)).index == 0:
            got.send(None)

    gs = [parked(body), parked(body)]
    assert len(got) == 0
    timer.reset(SHORT)
    got.recv(LONG)
    assert timer.stop() is False
    stop.close()
    join_all(*gs)
    assert len(got) == 0


def test_those_who_wait_on_one_that_is_stopped_get_nothing(procs):
    timer, stop = Timer(FAR), Chan()
    timer.stop()

    def body():
        return select(on_recv(timer.c), on_recv(stop)).index

    gs = [parked(body), parked(body)]
    stop.close()
    assert join_all(*gs) == [1, 1]


def test_the_second_who_waits_gets_the_second_value(procs):
    timer = Timer(FAR)
    first, second = parked(timer.c.recv), parked(timer.c.recv)
    timer.reset(TINY)
    value = first.result(LONG)
    assert second.state == "waiting"
    assert timer.reset(TINY) is False
    assert second.result(LONG) >= value


def test_one_who_gives_up_takes_no_value(procs):
    timer = Timer(FAR)
    reap(parked(timer.c.recv))
    with pytest.raises(TimeoutError):
        timer.c.recv(SHORT)
    timer.reset(TINY)
    sleep(SHORT)
    assert has_value(timer.c)


def test_a_select_takes_what_is_due_and_waits_for_nothing_else(procs):
    timer = Timer(FAR)
    assert select(on_recv(timer.c), default=True).index == -1
    timer.reset(TINY)
    sleep(SHORT)
    i, value, ok = select(on_recv(Chan()), on_recv(timer.c), default=True)
    assert (i, ok) == (1, True)
    assert value <= time.monotonic()
    assert select(on_recv(timer.c), default=True).index == -1


def test_a_select_ends_at_the_first_of_its_timers(procs):
    far, near = Timer(FAR), Timer(SHORT)
    assert select(on_recv(far.c), on_recv(near.c), on_recv(None)).index == 1
    assert far.stop() is True
    with pytest.raises(TimeoutError):
        select(on_recv(far.c), on_recv(near.c), timeout=SHORT)


def test_one_channel_twice_in_a_select(procs):
    timer = Timer(SHORT)
    got = select(on_recv(timer.c), on_recv(timer.c))
    assert got.index in (0, 1)
    assert got.ok
    assert not has_value(timer.c)


def test_a_foreign_thread_waits_on_it(procs):
    timer, got = Timer(FAR), []

    def body():
        got.append(timer.c.recv(LONG))
        got.append(select(on_recv(after(SHORT)), timeout=LONG).ok)

    t = threading.Thread(target=body)
    t.start()
    start = time.monotonic()
    timer.reset(SHORT)
    t.join(LONG)
    assert got[0] >= start + SHORT
    assert got[1] is True


def test_waiting_on_one_that_never_fires_is_a_deadlock_in_main(procs):
    timer = Timer(FAR)
    timer.stop()
    with pytest.raises(DeadlockError):
        timer.c.recv()
    with pytest.raises(DeadlockError):
        select(on_recv(after(None)), on_recv(timer.c))


def test_a_function_that_is_still_to_come_is_no_deadlock(procs):
    c = Chan()
    after_func(SHORT, c.close)
    assert c.recv_ok() == (None, False)


# TestTimerGC


def made(how):
    """Make a timer in one of the ways and forget it; what would still be there if it were kept."""
    if how == "after":
        kept = after(FAR)
    else:
        timer = Timer(FAR)
        kept = timer.c
        if how == "Timer, stopped":
            timer.stop()
        elif how == "Timer, due":
            timer.reset(TINY)
    return weakref.ref(kept)


@pytest.mark.parametrize("how", ["after", "Timer", "Timer, stopped", "Timer, due"])
def test_a_timer_that_nobody_holds_is_garbage(procs, how):
    refs = [made(how) for _ in range(50)]
    gc.collect()
    assert [ref() for ref in refs] == [None] * 50


def test_so_is_one_that_somebody_has_waited_on(procs):
    c = after(FAR)
    gone = weakref.ref(c)
    with pytest.raises(TimeoutError):
        c.recv(TINY)
    reap(parked(c.recv))
    assert select(on_recv(c), on_recv(after(SHORT))).index == 1
    del c
    gc.collect()
    assert gone() is None


def test_one_that_somebody_waits_on_is_kept_and_fires(procs):
    g = parked(lambda: after(0.02).recv())
    gc.collect()
    assert g.result(LONG) <= time.monotonic()


class Token:
    """Lives as long as the function that has it as an argument."""


@pytest.mark.parametrize("end", ["stopped", "fired", "never"])
def test_a_function_that_will_not_be_called_is_garbage_with_its_handle(procs, end):
    token, fired = Token(), Chan(1)
    gone = weakref.ref(token)
    timer = after_func(
        {"stopped": FAR, "fired": TINY, "never": None}[end], lambda _: fired.send(None), token
    )
    if end == "stopped":
        assert timer.stop() is True
    elif end == "fired":
        fired.recv(LONG)
    del token, timer

    def collected():
        gc.collect()
        return gone() is None

    until(collected, "the end of it")


def test_a_function_that_will_be_called_is_kept(procs):
    token, fired = Token(), Chan(1)
    gone = weakref.ref(token)
    timer = after_func(FAR, lambda _: fired.send(None), token)
    del token
    gc.collect()
    assert gone() is not None
    assert timer.reset(TINY) is True
    fired.recv(LONG)


# TestAfterTimes


def test_the_value_is_the_time_when_it_was_due_not_when_it_was_received(procs):
    start = time.monotonic()
    c = after(0.005)
    made = time.monotonic()
    sleep(0.05)
    assert start + 0.005 <= c.recv(0) <= made + 0.005


# TestLongAdjustTimers


def test_many_time_outs_that_never_come_do_not_hold_up_the_others(procs):
    wg, q_in, q_out = WaitGroup(), Chan(), Chan()
    for _ in range(200):
        wg.go(sleep, 1e-5)

    def queue():
        waiting = []
        while True:
            out = gmprt.on_send(q_out, waiting[0]) if waiting else on_recv(None)
            i, value, ok = select(out, on_recv(q_in))
            if i == 0:
                del waiting[0]
            elif ok:
                waiting.append(value)
            else:
                return

    g = go(queue)
    for n in range(20):
        for i in range(10):
            q_in.send((n, i))
        for i in range(10):
            at, value, _ = select(on_recv(q_out), on_recv(after(LONG)))
            assert (at, value) == (0, (n, i))
    q_in.close()
    assert g.join(LONG)
    wg.wait(LONG)
