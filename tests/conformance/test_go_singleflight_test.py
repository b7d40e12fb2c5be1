"""golang.org/x/sync's singleflight/singleflight_test.go in Python: TestDo, TestDoErr,
TestDoDupSuppress, TestForget, TestPanicDo, TestPanicErrorUnwrap, TestPanicDoSharedByDoChan,
TestGoexitDo, and of TestDoChan and ExampleGroup what needs no DoChan: a goroutine that calls `do`
stands for it.
"""

import pytest

from gmprt import Chan, GoroutineExit, go, goexit, sleep
from gmprt.singleflight import Group
from gmprt.sync import WaitGroup
from tests.conformance.parking import LONG, Boom, join_all, parked


def fails(exc):
    raise exc


# TestDo, TestDoChan


def test_do_gives_the_value(procs):
    assert Group().do("key", lambda: "bar") == ("bar", False)
    assert go(Group().do, "key", lambda: "bar").result(LONG)[0] == "bar"


# TestDoErr, TestPanicErrorUnwrap


@pytest.mark.parametrize("exc", [Boom("some error"), BaseException("no Exception"), KeyError()])
def test_do_raises_what_the_function_raises(procs, exc):
    """Itself, wrapped in nothing."""
    with pytest.raises(type(exc)) as caught:
        Group().do("key", fails, exc)
    assert caught.value is exc


# TestDoDupSuppress


def test_duplicates_are_suppressed(procs):
    g, n = Group(), 10
    started, values, calls = WaitGroup(), Chan(1), Chan(n)

    def fn():
        if len(calls) == 0:
            started.done()  # the first call
        calls.send_nowait(None)
        v = values.recv()
        values.send(v)  # for any later call
        sleep(0.01)  # lets more come
        return v

    def body():
        started.done()
        return g.do("key", fn)[0]

    started.add(n + 1)
    gs = [go(body) for _ in range(n)]
    started.wait(LONG)
    values.send("bar")
    assert join_all(*gs) == ["bar"] * n
    assert 0 < len(calls) < n


# TestForget


def test_after_forget_the_next_call_is_a_new_one(procs):
    g, gate1, gate2 = Group(), Chan(), Chan()
    first = parked(g.do, "key", lambda: (gate1.recv(), 1)[1])
    g.forget("key")
    second = parked(g.do, "key", lambda: (gate2.recv(), 2)[1])
    gate1.send(None)
    assert first.result(LONG) == (1, False)
    # The end of the first, which is forgotten, has not taken the second's place away.
    third = parked(g.do, "key", lambda: 3)
    gate2.send(None)
    assert join_all(second, third) == [(2, True), (2, True)]


# TestPanicDo, TestPanicDoSharedByDoChan


def test_all_that_wait_get_the_exception(procs):
    g, gate, n = Group(), Chan(), 5
    exc = Boom("invalid memory address or nil pointer dereference")

    def fn():
        gate.recv()
        raise exc

    gs = [parked(g.do, "key", fn) for _ in range(n)]
    gate.send(None)
    assert [h.exception(LONG) for h in gs] == [exc] * n


# TestGoexitDo


def test_a_goroutine_that_ends_in_do_ends_those_that_wait(procs):
    g, gate, n = Group(), Chan(), 5

    def fn():
        gate.recv()
        goexit()

    gs = [parked(g.do, "key", fn) for _ in range(n)]
    gate.send(None)
    assert join_all(*gs) == [None] * n
    assert {type(h.exception()) for h in gs} == {GoroutineExit}


# ExampleGroup


def test_two_calls_share_one_result(procs):
    g, gate = Group(), Chan()
    one = parked(g.do, "key", lambda: (gate.recv(), "func 1")[1])
    two = parked(g.do, "key", lambda: (gate.recv(), "func 2")[1])
    gate.send(None)
    assert join_all(one, two) == [("func 1", True), ("func 1", True)]
