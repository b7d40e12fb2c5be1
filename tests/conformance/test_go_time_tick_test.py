"""Go's time/tick_test.go in Python: TestTicker, TestTeardown, TestNewTickerLtZeroDuration,
TestTickerResetLtZeroDuration, TestTimerGC, TestChan and TestTickTimes; and of sleep_test.go what
is about tickers: TestTickerStress, TestTickerConcurrentStress and
TestOverflowPeriodRuntimeTimer. Then what a ticker is in Python besides: iteration and `with`.
"""

import gc
import math
import threading
import time
import weakref
from itertools import pairwise

import pytest

from gmprt import Chan, Ticker, WouldBlock, after, go, gosched, on_recv, select, sleep
from tests.conformance.parking import LONG, Boom, join_all, parked, reap, until

TINY = 1e-9
SHORT = 0.005
FAR = 3.6e6
DUST = 1e-9  # what sums of floats may be off by


def has_value(c):
    """Whether there is a value; it is taken."""
    try:
        c.recv_nowait()
    except WouldBlock:
        return False
    return True


# TestTicker


def test_it_ticks_no_faster_than_it_should_also_after_reset(procs):
    ticker = Ticker(0.002)
    start = time.monotonic()
    for _ in range(5):
        ticker.c.recv()
    ticker.reset(0.004)
    again = time.monotonic()
    for _ in range(5):
        ticker.c.recv()
    ticker.stop()
    end = time.monotonic()
    assert again - start >= 5 * 0.002 - 0.002 - DUST
    assert end - again >= 5 * 0.004 - DUST
    sleep(0.008)
    assert not has_value(ticker.c)


def test_ticks_are_whole_periods_apart(procs):
    period = 0.003
    start = time.monotonic()
    with Ticker(period) as ticker:
        made = time.monotonic()
        ticks = [ticker.c.recv() for _ in range(8)]
    assert start + period <= ticks[0] + DUST
    steps = [(b - a) / period for a, b in pairwise(ticks)]
    assert all(step > 0.5 for step in steps)
    assert all(abs(step - round(step)) < 1e-3 for step in steps)
    assert abs((ticks[0] - made) / period - round((ticks[0] - start) / period)) < 1


def test_the_first_tick_comes_after_a_period(procs):
    start = time.monotonic()
    with Ticker(0.02) as ticker:
        assert not has_value(ticker.c) or time.monotonic() >= start + 0.02
        assert start + 0.02 <= ticker.c.recv() <= time.monotonic()


def test_a_slow_receiver_misses_ticks(procs):
    """One waits for it however late it comes; the next is still to come."""
    with Ticker(0.002) as ticker:
        sleep(0.02)
        late = time.monotonic()
        first = ticker.c.recv(0)
        second = ticker.c.recv(LONG)
    assert first <= late - 0.01
    assert second >= late


def test_those_it_missed_do_not_come_later_also_if_others_wait(procs):
    with Ticker(0.002) as ticker:
        for _ in range(3):
            ticker.c.recv()
            sleep(0.01)
            late = time.monotonic()
            ticker.c.recv(0)
            g = go(ticker.c.recv)
            assert g.result(LONG) >= late


def test_each_tick_goes_to_one(procs):
    with Ticker(0.001) as ticker:
        gs = [parked(lambda: [ticker.c.recv() for _ in range(4)]) for _ in range(4)]
        ticks = [t for part in join_all(*gs) for t in part]
    assert len(set(ticks)) == 16


# TestTeardown


def test_stopping_and_making_again(procs):
    for _ in range(5):
        ticker = Ticker(0.001)
        ticker.c.recv(LONG)
        ticker.stop()
        ticker.stop()
        assert not has_value(ticker.c)


# TestNewTickerLtZeroDuration, TestTickerResetLtZeroDuration


@pytest.mark.parametrize("d", [0, 0.0, -1, -math.inf])
def test_an_interval_that_is_not_positive_is_a_value_error(procs, d):
    with pytest.raises(ValueError, match=r"^non-positive interval for NewTicker$"):
        Ticker(d)
    ticker = Ticker(SHORT)
    with pytest.raises(ValueError, match=r"^non-positive interval for Ticker\.Reset$"):
        ticker.reset(d)
    ticker.c.recv(LONG)
    ticker.c.recv(LONG)
    ticker.stop()
    with pytest.raises(ValueError, match="non-positive"):
        ticker.reset(d)
    assert list(ticker) == []


def test_nan_is_a_value_error(procs):
    with pytest.raises(ValueError, match="nan"):
        Ticker(math.nan)
    with Ticker(SHORT) as ticker:
        with pytest.raises(ValueError, match="nan"):
            ticker.reset(math.nan)
        ticker.c.recv(LONG)


# TestTimerGC


def made(stopped):
    ticker = Ticker(FAR)
    if stopped:
        ticker.stop()
    return [weakref.ref(ticker), weakref.ref(ticker.c)]


@pytest.mark.parametrize("stopped", [False, True])
def test_a_ticker_that_nobody_holds_is_garbage_stopped_or_not(procs, stopped):
    refs = [ref for _ in range(50) for ref in made(stopped)]
    gc.collect()
    assert [ref() for ref in refs] == [None] * 100


def test_so_is_one_that_has_ticked_for_somebody(procs):
    ticker = Ticker(TINY)
    refs = [weakref.ref(ticker), weakref.ref(ticker.c)]
    ticker.c.recv(LONG)
    g = go(lambda c: [c.recv() for _ in range(3)], ticker.c)
    join_all(g)
    for _ in ticker:
        break
    reap(parked(lambda t: [t.reset(FAR), list(t)], ticker))
    del ticker, g, _
    gc.collect()
    assert [ref() for ref in refs] == [None] * 2


def test_one_whose_channel_alone_is_held_ticks_on(procs):
    c = Ticker(0.001).c
    gc.collect()
    for _ in range(3):
        c.recv(LONG)
    g = parked(lambda: [c.recv() for _ in range(20)])
    gc.collect()
    assert len(g.result(LONG)) == 20


# TestChan


def test_the_channel_looks_unbuffered_and_is_receive_only(procs):
    ticker = Ticker(TINY)
    sleep(SHORT)
    assert (len(ticker.c), ticker.c.cap) == (0, 0)
    with pytest.raises(RuntimeError):
        ticker.c.send(1.0)
    with pytest.raises(RuntimeError):
        ticker.c.close()
    assert has_value(ticker.c)
    ticker.stop()
    assert not ticker.c.closed


def test_one_that_nobody_waits_on_is_stopped_and_set(procs):
    ticker = Ticker(FAR)
    ticker.stop()
    assert not has_value(ticker.c)
    ticker.reset(FAR)
    assert not has_value(ticker.c)
    ticker.reset(TINY)
    sleep(SHORT)
    assert has_value(ticker.c)
    sleep(SHORT)
    assert has_value(ticker.c)


@pytest.mark.parametrize("end", [Ticker.stop, lambda t: t.reset(FAR)], ids=["stop", "reset"])
def test_a_tick_that_is_due_is_gone_after_stop_and_reset(procs, end):
    ticker = Ticker(TINY)
    sleep(SHORT)
    end(ticker)
    assert not has_value(ticker.c)
    ticker.reset(TINY)
    ticker.c.recv(LONG)
    sleep(SHORT)
    end(ticker)
    assert not has_value(ticker.c)
    ticker.stop()


def test_it_can_be_set_while_somebody_waits_on_it(procs):
    ticker = Ticker(FAR)
    g = parked(ticker.c.recv)
    ticker.reset(FAR * 2)
    assert not g.join(0)
    ticker.stop()
    assert not g.join(0)
    start = time.monotonic()
    ticker.reset(TINY)
    assert g.result(LONG) >= start
    assert ticker.c.recv(LONG) >= start
    ticker.stop()
    assert not has_value(ticker.c)


def test_of_two_who_select_on_it_both_get_a_tick(procs):
    ticker, stop = Ticker(FAR), Chan()

    def body():
        return select(on_recv(ticker.c), on_recv(stop)).index

    gs = [parked(body), parked(body)]
    ticker.reset(0.002)
    assert join_all(*gs) == [0, 0]
    ticker.stop()
    gs = [parked(body), parked(body)]
    stop.close()
    assert join_all(*gs) == [1, 1]


# TestTickTimes


def test_the_value_is_the_time_of_the_tick_not_of_the_receive(procs):
    start = time.monotonic()
    ticker = Ticker(0.005)
    made = time.monotonic()
    sleep(0.05)
    assert start + 0.005 <= ticker.c.recv(0) <= made + 0.005


# TestTickerStress, TestTickerConcurrentStress


@pytest.mark.parametrize("receivers", [1, 8])
def test_it_ticks_while_memory_is_collected(procs, receivers):
    stop = []

    def collect():
        while not stop:
            gc.collect(0)
            sleep(0)

    collector = go(collect)
    ticker = Ticker(TINY)

    def receive():
        for _ in range(50):
            ticker.c.recv()

    join_all(*[go(receive) for _ in range(receivers)])
    ticker.stop()
    stop.append(True)
    assert collector.join(LONG)


def test_it_is_set_and_stopped_by_several_at_once(procs):
    ticker = Ticker(TINY)

    def body(i):
        for n in range(30):
            if (n + i) % 3:
                ticker.reset(TINY)
            else:
                ticker.stop()

    join_all(*[go(body, i) for i in range(4)])
    ticker.reset(TINY)
    ticker.c.recv(LONG)
    ticker.stop()
    assert not has_value(ticker.c)


# TestOverflowPeriodRuntimeTimer


@pytest.mark.parametrize("d", [1e308, math.inf, None])
def test_a_very_long_interval_is_not_a_short_one(procs, d):
    ticker = Ticker(d)
    assert select(on_recv(ticker.c), on_recv(after(SHORT))).index == 1
    ticker.reset(TINY)
    ticker.c.recv(LONG)
    ticker.reset(d)
    assert select(on_recv(ticker.c), on_recv(after(SHORT))).index == 1


# Iteration


def test_iteration_receives_the_ticks_and_ends_at_stop(procs):
    ticker, ticks = Ticker(0.001), []
    for tick in ticker:
        ticks.append(tick)
        if len(ticks) == 5:
            ticker.stop()
    assert len(ticks) == 5
    assert ticks == sorted(ticks)
    assert list(ticker) == []


def test_stop_ends_every_iteration_that_waits(procs):
    ticker = Ticker(FAR)
    gs = [parked(lambda: list(ticker)) for _ in range(3)]
    gs += [parked(lambda: list(ticker.iter(LONG)))]
    ticker.stop()
    assert join_all(*gs) == [[]] * 4


def test_a_tick_that_is_due_does_not_outlive_stop(procs):
    ticker = Ticker(TINY)
    it = iter(ticker)
    next(it)
    sleep(SHORT)
    ticker.stop()
    assert list(it) == []


def test_after_reset_it_can_be_iterated_again(procs):
    ticker = Ticker(0.001)
    for _ in range(3):
        count = 0
        for _ in ticker:
            count += 1
            if count == 3:
                ticker.stop()
        assert count == 3
        ticker.reset(0.001)
    ticker.stop()


def test_a_reset_between_two_ticks_ends_no_iteration(procs):
    ticker = Ticker(0.001)
    it = iter(ticker)
    next(it)
    ticker.stop()
    ticker.reset(0.001)
    start = time.monotonic()
    assert next(it) >= start
    ticker.stop()
    assert list(it) == []


def test_one_who_waits_in_an_iteration_sees_a_reset(procs):
    ticker = Ticker(FAR)
    g = parked(lambda: next(iter(ticker)))
    start = time.monotonic()
    ticker.reset(TINY)
    assert g.result(LONG) >= start
    ticker.stop()


def test_each_receive_of_an_iteration_has_a_time_out(procs):
    with Ticker(FAR) as ticker:
        it = ticker.iter(timeout=SHORT)
        with pytest.raises(TimeoutError):
            next(it)
    with Ticker(0.001) as ticker:
        got = [tick for tick, _ in zip(ticker.iter(LONG), range(4), strict=False)]
    assert len(got) == 4


def test_a_time_out_of_nothing_takes_what_is_due(procs):
    ticker = Ticker(TINY)
    sleep(SHORT)
    assert next(ticker.iter(0)) <= time.monotonic()
    ticker.reset(FAR)
    with pytest.raises(TimeoutError):
        next(ticker.iter(0))
    with pytest.raises(ValueError, match="nan"):
        ticker.iter(math.nan)


def test_a_foreign_thread_iterates(procs):
    ticker, ticks = Ticker(0.001), []

    def body():
        ticks.extend(ticker)

    t = threading.Thread(target=body)
    t.start()
    until(lambda: len(ticks) >= 0 and t.is_alive(), "its start")
    sleep(0.01)
    ticker.stop()
    t.join(LONG)
    assert not t.is_alive()
    assert ticks == sorted(ticks)


# with


def test_a_block_stops_it_whatever_happens_in_it(procs):
    ticker = Ticker(TINY)

    def body():
        with ticker as same:
            assert same is ticker
            same.c.recv(LONG)
            raise Boom

    with pytest.raises(Boom):
        body()
    gosched()
    assert not has_value(ticker.c)
    assert list(ticker) == []
