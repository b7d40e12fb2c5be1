"""Go's sync/oncefunc_test.go in Python: TestOnceFunc, TestOnceValue, TestOnceValues,
TestOnceFuncPanic, TestOnceValuePanic, TestOnceFuncGoexit, TestOnceFuncPanicTraceback and
TestOnceXGC.

Go's three functions are two here: one value can be a tuple.
"""

import gc
import traceback
import weakref

import pytest

from gmprt import Chan, go, goexit
from gmprt.sync import once_func, once_value
from tests.conformance.parking import LONG, Boom, join_all, parked

both = pytest.mark.parametrize("wrap", [once_func, once_value])

# TestOnceFunc


def test_the_function_is_called_at_the_first_call_only(procs):
    calls = []
    f = once_func(lambda: calls.append("called"))
    assert calls == []
    assert [f() for _ in range(10)] == [None] * 10
    assert calls == ["called"]


def test_the_value_of_a_once_func_is_dropped(procs):
    f = once_func(lambda: "value")
    assert f() is None
    assert f() is None


# TestOnceValue, TestOnceValues


@pytest.mark.parametrize("value", [None, 0, (1, 2), [3]])
def test_every_call_gives_the_value_of_the_first(procs, value):
    calls = []

    def fn():
        calls.append(1)
        return value

    f = once_value(fn)
    assert all(f() is value for _ in range(10))
    assert calls == [1]


@both
def test_those_who_come_meanwhile_wait_for_the_first(procs, wrap):
    gate, calls = Chan(), []

    def slow():
        calls.append(1)
        return gate.recv()

    f = wrap(slow)
    gs = [parked(f) for _ in range(5)]
    gate.send("value")
    assert join_all(*gs) == [None if wrap is once_func else "value"] * 5
    assert calls == [1]


@both
def test_what_cannot_be_called_is_a_type_error_at_once(procs, wrap):
    with pytest.raises(TypeError):
        wrap(3)


# TestOnceFuncPanic, TestOnceValuePanic


@both
def test_every_call_raises_the_exception_of_the_first(procs, wrap):
    calls, why = [], Boom("on purpose")

    def fails():
        calls.append(1)
        raise why

    f = wrap(fails)
    for _ in range(3):
        with pytest.raises(Boom) as got:
            f()
        assert got.value is why
    assert calls == [1]


@both
def test_those_who_waited_get_the_same_exception(procs, wrap):
    gate, calls = Chan(), []

    def fails():
        calls.append(1)
        gate.recv()
        raise Boom

    f = wrap(fails)
    gs = [parked(f) for _ in range(5)]
    gate.send(None)
    got = [g.exception(LONG) for g in gs]
    assert type(got[0]) is Boom
    assert all(exc is got[0] for exc in got)
    assert calls == [1]


@both
@pytest.mark.parametrize("kind", [KeyError, SystemExit, KeyboardInterrupt])
def test_so_it_is_with_an_exception_of_any_kind(procs, wrap, kind):
    calls = []

    def fails():
        calls.append(1)
        raise kind

    f = wrap(fails)
    for _ in range(2):
        with pytest.raises(kind):
            f()
    assert calls == [1]


# TestOnceFuncGoexit


@both
def test_a_function_that_ends_its_goroutine_is_not_called_again(procs, wrap):
    calls, beyond = [], []

    def fn():
        calls.append(1)
        goexit()

    f = wrap(fn)

    def body():
        f()
        beyond.append(1)

    for _ in range(2):
        assert go(body).result(LONG) is None
    assert calls == [1]
    assert beyond == []


# TestOnceFuncPanicTraceback


def where_it_starts():
    raise Boom("on purpose")


@both
def test_each_traceback_goes_to_where_it_was_raised_and_none_grows(procs, wrap):
    f, depths = wrap(where_it_starts), []
    for _ in range(4):
        with pytest.raises(Boom) as got:
            f()
        frames = traceback.extract_tb(got.value.__traceback__)
        assert frames[-1].name == "where_it_starts"
        depths.append(len(frames))
    assert depths[1] == depths[2] == depths[3]


# TestOnceXGC


class Buffer:
    """What a function holds on to."""


@both
def test_the_function_lives_until_it_has_been_called_and_no_longer(procs, wrap):
    buf = Buffer()
    gone = weakref.ref(buf)
    f = wrap(lambda buf=buf: setattr(buf, "used", True))
    del buf
    gc.collect()
    assert gone() is not None
    f()
    gc.collect()
    assert gone() is None
    f()


@both
def test_one_that_is_never_called_goes_with_its_function(procs, wrap):
    buf = Buffer()
    gone = weakref.ref(buf)
    f = wrap(lambda buf=buf: buf)
    del buf, f
    gc.collect()
    assert gone() is None
