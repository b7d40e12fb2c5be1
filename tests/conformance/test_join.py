"""`G.join`, `G.result`, `G.exception` and `G.ended`: waiting for a goroutine's end."""

import math
import traceback

import pytest

import gmprt
from gmprt import Chan, EndOfChan, GoroutineExit, current, go, on_recv, select
from tests.conformance.parking import LONG, Boom, join_all, parked, reap


def fails(text="on purpose"):
    raise Boom(text)


def depth_of(exc):
    return len(traceback.extract_tb(exc.__traceback__))


def test_join_is_true_once_done(procs):
    g = go(int)
    assert g.join() is True
    assert g.join() is True
    assert g.join(0) is True
    assert g.join(-1) is True
    assert g.join(timeout=LONG) is True


@pytest.mark.parametrize("timeout", [0, -1, 0.01, -math.inf])
def test_join_is_false_at_the_time_out(procs, timeout):
    ch = Chan()
    g = parked(ch.recv)
    assert g.join(timeout) is False
    assert not g.done()
    ch.send("unharmed")
    assert g.result(LONG) == "unharmed"


@pytest.mark.parametrize("timeout", [None, math.inf, LONG, 1e15])
def test_join_waits_as_long_as_it_may(procs, timeout):
    ch = Chan()
    g = parked(ch.recv)
    joiner = parked(g.join, timeout)
    ch.send(None)
    assert joiner.result(LONG) is True


@pytest.mark.parametrize("ask", ["join", "result", "exception"])
def test_nan_is_no_time_out(procs, ask):
    ch = Chan()
    g = parked(ch.recv)
    with pytest.raises(ValueError, match="nan"):
        getattr(g, ask)(math.nan)
    reap(g)


@pytest.mark.parametrize("ask", ["result", "exception"])
@pytest.mark.parametrize("timeout", [0, -1, 0.01])
def test_result_and_exception_raise_timeout_error(procs, ask, timeout):
    ch = Chan()
    g = parked(ch.recv)
    with pytest.raises(TimeoutError):
        getattr(g, ask)(timeout)
    ch.send(5)
    assert g.result(LONG) == 5
    assert g.exception(LONG) is None


@pytest.mark.parametrize("ask", ["join", "result", "exception"])
def test_waiting_for_oneself_is_a_runtime_error(procs, ask):
    def body():
        with pytest.raises(RuntimeError):
            getattr(current(), ask)()
        with pytest.raises(RuntimeError):
            getattr(current(), ask)(timeout=0)
        return "lives"

    assert go(body).result(LONG) == "lives"


@pytest.mark.parametrize("ask", ["join", "result", "exception"])
def test_main_can_not_wait_for_itself_either(ask):
    with pytest.raises(RuntimeError):
        getattr(current(), ask)()


def test_result_gives_the_value_as_often_as_it_is_asked(procs):
    value = object()
    g = go(lambda: value)
    assert g.result() is value
    assert g.result(0) is value
    assert g.result(timeout=-1) is value
    assert g.exception() is None


def test_join_does_not_raise_the_goroutines_exception(procs):
    g = go(fails)
    assert g.join() is True
    assert isinstance(g.exception(), Boom)


def test_result_raises_the_goroutines_exception_with_its_traceback(procs):
    def outer():
        fails("deep")

    g = go(outer)
    with pytest.raises(Boom, match="deep") as caught:
        g.result()
    assert caught.value is g.exception()
    names = [f.name for f in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-2:] == ["outer", "fails"]


def test_the_traceback_of_the_exception_starts_in_the_goroutines_function(procs):
    g = go(fails)
    assert g.join()
    names = [f.name for f in traceback.extract_tb(g.exception().__traceback__)]
    assert names == ["fails"]


def test_each_raise_starts_from_the_first_traceback(procs):
    g = go(fails)
    depths = []
    for _ in range(5):
        with pytest.raises(Boom) as caught:
            g.result()
        depths.append(depth_of(caught.value))
    assert len(set(depths)) == 1


def test_several_waiters_get_one_exception_object(procs):
    ch = Chan()

    def waits_then_fails():
        ch.recv()
        fails()

    def waiter():
        try:
            g.result()
        except Boom as e:
            return e, depth_of(e)

    g = parked(waits_then_fails)
    waiters = [parked(waiter) for _ in range(5)]
    ch.send(None)
    got = join_all(*waiters)
    assert {id(e) for e, _ in got} == {id(g.exception())}
    assert all(e is g.exception() for e, _ in got)


def test_all_joiners_wake(procs):
    ch = Chan()
    g = parked(ch.recv)
    joiners = [parked(g.join) for _ in range(20)]
    resulters = [parked(g.result) for _ in range(20)]
    ch.send("end")
    assert join_all(*joiners) == [True] * 20
    assert join_all(*resulters) == ["end"] * 20


def test_a_joiner_that_gave_up_takes_nothing_from_the_others(procs):
    ch = Chan()
    g = parked(ch.recv)
    quitters = [go(g.join, 0.01) for _ in range(5)]
    stayers = [parked(g.result) for _ in range(3)]
    assert join_all(*quitters) == [False] * 5
    ch.send(1)
    assert join_all(*stayers) == [1] * 3


@pytest.mark.parametrize(
    "exc", [Boom("x"), StopIteration(3), KeyError("k"), AssertionError(), BaseException("b")]
)
def test_any_exception_comes_through(procs, exc):
    def body():
        raise exc

    g = go(body)
    with pytest.raises(type(exc)) as caught:
        g.result()
    assert caught.value is exc
    assert g.exception() is exc


def test_result_is_none_after_goexit_and_exception_the_goroutine_exit(procs):
    def body():
        gmprt.goexit()
        return "never"

    g = go(body)
    assert g.result() is None
    assert isinstance(g.exception(), GoroutineExit)


def test_an_exception_returned_is_no_exception_raised(procs):
    e = Boom()
    g = go(lambda: e)
    assert g.result() is e
    assert g.exception() is None


def test_a_chain_of_joins(procs):
    ch = Chan()
    g = parked(ch.recv)
    for _ in range(50):
        g = parked(g.result)
    ch.send("through")
    assert g.result(LONG) == "through"


def test_joining_says_join_and_names_the_goroutine(procs):
    ch = Chan()
    g = parked(ch.recv)
    for ask in (g.join, g.result, g.exception):
        joiner = parked(ask)
        assert joiner.wait_reason == "join"
        assert joiner.waiting_on is g
        reap(joiner)
    reap(g)


def test_ended_is_closed_when_the_goroutine_is_done(procs):
    ch = Chan()
    g = parked(ch.recv)
    ended = g.ended
    assert ended.closed is False
    with pytest.raises(gmprt.WouldBlock):
        ended.recv_nowait()
    with pytest.raises(TimeoutError):
        ended.recv(0)
    waiter = parked(ended.recv_ok)
    ch.send(None)
    assert waiter.result(LONG) == (None, False)
    assert ended.closed is True
    assert g.done()
    with pytest.raises(EndOfChan):
        ended.recv()


@pytest.mark.parametrize("fn", [int, fails, gmprt.goexit])
def test_ended_asked_for_after_the_end_is_closed(procs, fn):
    g = go(fn)
    assert g.join()
    assert g.ended.closed is True
    assert g.ended.recv_ok() == (None, False)
    assert list(g.ended) == []
    g.exception()


def test_ended_is_one_channel(procs):
    g = go(int)
    assert g.ended is g.ended
    g.join()
    assert g.ended is g.ended


def test_select_waits_for_the_first_goroutine_to_end(procs):
    chans = [Chan() for _ in range(3)]
    gs = [parked(ch.recv) for ch in chans]
    sel = parked(select, *[on_recv(g.ended) for g in gs])
    chans[1].send("go")
    assert tuple(sel.result(LONG)) == (1, None, False)
    reap(gs[0], gs[2])


def test_ended_of_a_goroutine_interrupted_before_its_start_closes_too():
    former = gmprt.gomaxprocs(1)
    try:
        g = go(int)
        ended = g.ended
        g.interrupt()
        assert ended.recv_ok(LONG) == (None, False)
        assert g.done()
    finally:
        gmprt.gomaxprocs(former)
