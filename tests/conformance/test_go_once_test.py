"""Go's sync/once_test.go in Python: TestOnce and TestOncePanic; and what the documentation of Once
promises.
"""

import threading

import pytest

from gmprt import Chan, go, goexit
from gmprt.sync import Once
from tests.conformance.parking import LONG, Boom, join_all, parked, reap

# TestOnce


def test_of_many_who_come_at_once_one_calls_and_all_see_what_it_did(procs):
    once, calls = Once(), []

    def body():
        once.do(calls.append, "called")
        return list(calls)

    assert join_all(*[go(body) for _ in range(10)]) == [["called"]] * 10
    assert calls == ["called"]


def test_threads_come_too(procs):
    once, calls, seen = Once(), [], []

    def body():
        once.do(calls.append, 1)
        seen.append(list(calls))

    threads = [threading.Thread(target=body) for _ in range(4)]
    for t in threads:
        t.start()
    join_all(*[go(body) for _ in range(4)])
    for t in threads:
        t.join(LONG)
    assert seen == [[1]] * 8


# TestOncePanic


def test_a_function_that_raises_counts_as_done(procs):
    once = Once()

    def fails():
        raise Boom

    with pytest.raises(Boom):
        once.do(fails)
    assert once.do(fails) is None
    calls = []
    once.do(calls.append, 1)
    assert calls == []


def test_its_error_is_that_of_the_caller_alone(procs):
    once, gate = Once(), Chan()

    def fails():
        gate.recv()
        raise Boom

    first = parked(once.do, fails)
    others = [parked(once.do, fails) for _ in range(4)]
    gate.send(None)
    assert type(first.exception(LONG)) is Boom
    assert join_all(*others) == [None] * 4


def test_a_goroutine_that_ends_within_counts_as_done(procs):
    once, calls = Once(), []
    g = go(once.do, goexit)
    assert g.result(LONG) is None
    once.do(calls.append, 1)
    assert calls == []


def test_a_call_that_is_interrupted_counts_as_done(procs):
    once, calls = Once(), []
    first = parked(once.do, Chan().recv)
    waiter = parked(once.do, calls.append, 1)
    reap(first)
    assert waiter.join(LONG)
    assert calls == []


# Once.Do's documentation


def test_nobody_returns_before_the_call_does(procs):
    once, gate, did = Once(), Chan(), []

    def slow():
        gate.recv()
        did.append("done")

    def body():
        once.do(slow)
        return list(did)

    first = parked(body)
    others = [parked(body) for _ in range(5)]
    assert did == []
    gate.send(None)
    assert join_all(first, *others) == [["done"]] * 6


def test_the_first_function_is_the_one_that_is_called(procs):
    once, got = Once(), []
    for name in ("first", "second", "third"):
        once.do(got.append, name)
    assert got == ["first"]


def test_it_passes_arguments_and_drops_the_value(procs):
    got = []

    def fn(*args, **kwargs):
        got.append((args, kwargs))
        return "value"

    assert Once().do(fn, 1, fn=2, self=3) is None
    assert got == [((1,), {"fn": 2, "self": 3})]


def test_what_cannot_be_called_is_a_type_error_and_counts_for_nothing(procs):
    once, calls = Once(), []
    with pytest.raises(TypeError):
        once.do(3)
    once.do(calls.append, 1)
    assert calls == [1]
    with pytest.raises(TypeError):
        once.do(None)


def test_a_call_from_within_waits_for_itself(procs):
    once = Once()
    g = parked(once.do, lambda: once.do(int))
    reap(g)
    assert once.do(int) is None


def test_one_who_gives_up_waiting_is_no_call(procs):
    once, gate, did = Once(), Chan(), []

    def slow():
        gate.recv()
        did.append(1)

    first = parked(once.do, slow)
    reap(parked(once.do, slow))
    gate.send(None)
    assert first.join(LONG)
    once.do(slow)
    assert did == [1]


def test_two_are_independent(procs):
    one, other, calls = Once(), Once(), []
    one.do(lambda: other.do(calls.append, 1))
    assert calls == [1]
    other.do(calls.append, 2)
    assert calls == [1]
