"""Go's context/context_test.go in Python: TestParentFinishesChild, TestChildFinishesFirst,
TestCancelRemoves and TestCustomContextGoroutines; and its example_test.go: WithCancel,
WithDeadline, WithTimeout, WithValue, AfterFunc_cond, AfterFunc_connection and AfterFunc_merge.

Go's tests look into a parent's table of children. Here that is what can be seen from outside: a
child that is done is kept by nobody.
"""

import gc
import socket
import time
import weakref

import pytest

from gmprt import (
    Canceled,
    Chan,
    DeadlineExceeded,
    go,
    num_goroutine,
    on_recv,
    on_send,
    select,
    syscall,
)
from gmprt.context import (
    after_func,
    background,
    cause,
    with_cancel,
    with_cancel_cause,
    with_deadline,
    with_timeout,
    with_value,
)
from gmprt.sync import Cond, Mutex
from tests.conformance.contexts import SHORT, VERY_LONG, Wrapper, is_closed
from tests.conformance.parking import LONG, Boom, join_all, until


class OwnDone(Wrapper):
    """One that passes on all but its channel, which is another at each call."""

    def done(self):
        return Chan()


# TestParentFinishesChild


def test_a_parent_finishes_its_children(procs):
    parent, cancel = with_cancel(background())
    cancel_child, stop1 = with_cancel(parent)
    value_child = with_value(parent, "key", "value")
    timer_child, stop2 = with_timeout(value_child, VERY_LONG)
    family = [parent, cancel_child, value_child, timer_child]
    assert not any(is_closed(ctx.done()) for ctx in family)
    assert [ctx.err() for ctx in family] == [None] * 4

    cancel()
    assert all(is_closed(ctx.done()) for ctx in family)
    assert [type(ctx.err()) for ctx in family] == [Canceled] * 4
    stop1()
    stop2()
    assert [type(ctx.err()) for ctx in family] == [Canceled] * 4

    late = with_value(parent, "key", "value")
    assert is_closed(late.done())
    assert type(late.err()) is Canceled
    later, stop3 = with_cancel(parent)
    assert is_closed(later.done())
    assert type(later.err()) is Canceled
    stop3()


# TestChildFinishesFirst


@pytest.mark.parametrize("of", ["background", "a cancelable one"])
def test_a_child_that_finishes_first_leaves_its_parent_alone(procs, of):
    cancelable, stop = with_cancel(background())
    parent = background() if of == "background" else cancelable
    child, cancel = with_cancel(parent)
    assert not is_closed(parent.done())
    assert not is_closed(child.done())

    cancel()
    assert is_closed(child.done())
    assert type(child.err()) is Canceled
    assert not is_closed(parent.done())
    assert parent.err() is None
    stop()


# TestCancelRemoves


class Token:
    """Lives as long as the context that has it as a value."""


def derived_with_cancel(parent):
    return with_cancel(parent).cancel


def derived_with_timeout(parent):
    return with_timeout(parent, VERY_LONG).cancel


def registered(parent):
    return after_func(parent, parent.value, "token")


@pytest.mark.parametrize("derive", [derived_with_cancel, derived_with_timeout, registered])
def test_what_has_ended_is_removed_from_its_parent(procs, derive):
    root, cancel_root = with_cancel(background())
    token = Token()
    gone = weakref.ref(token)
    end = derive(with_value(root, "token", token))
    del token
    gc.collect()
    assert gone() is not None
    end()
    del end
    gc.collect()
    assert gone() is None
    assert root.err() is None
    cancel_root()


# TestCustomContextGoroutines


def test_no_goroutine_watches_a_context_of_ours(procs):
    """Also not one that is wrapped: its channel is still that of ours."""
    before = num_goroutine()
    ctx1, cancel1 = with_cancel(background())
    ctx3, cancel3 = with_cancel(Wrapper(ctx1))
    ctx4, cancel4 = with_timeout(ctx3, VERY_LONG)
    ctx5, cancel5 = with_cancel(ctx4)
    assert num_goroutine() == before
    cancel5()
    _, cancel6 = with_timeout(ctx5, VERY_LONG)
    assert num_goroutine() == before
    cancel6()
    cancel1()
    _, cancel7 = with_cancel(ctx5)
    assert num_goroutine() == before
    for cancel in (cancel3, cancel4, cancel7):
        cancel()
    assert num_goroutine() == before


@pytest.mark.parametrize("derive", [with_cancel, lambda p: with_timeout(p, VERY_LONG)])
def test_at_most_one_goroutine_watches_another_channel_and_ends_with_the_child(procs, derive):
    before = num_goroutine()
    root, cancel_root = with_cancel(background())
    child, cancel = derive(OwnDone(root))
    assert num_goroutine() <= before + 1
    cancel_root()  # it has a channel of its own, so this is none of its business
    assert child.err() is None
    cancel()
    until(lambda: num_goroutine() == before, "the end of who watched")


# ExampleWithCancel


def test_a_generator_goroutine_ends_when_it_is_cancelled(procs):
    gs = []

    def gen(ctx):
        dst = Chan()

        def body():
            n = 1
            while select(on_recv(ctx.done()), on_send(dst, n)).index:
                n += 1

        gs.append(go(body))
        return dst

    got = []
    with with_cancel(background()) as ctx:
        for n in gen(ctx):
            got.append(n)
            if n == 5:
                break
    assert got == [1, 2, 3, 4, 5]
    join_all(*gs)


# ExampleWithDeadline, ExampleWithTimeout


@pytest.mark.parametrize(
    "derive",
    [lambda: with_deadline(background(), time.monotonic() + SHORT),
     lambda: with_timeout(background(), SHORT)],
    ids=["with_deadline", "with_timeout"],
)  # fmt: skip
def test_a_wait_is_given_up_at_the_deadline(procs, derive):
    never = Chan()
    with derive() as ctx:
        assert select(on_recv(never), on_recv(ctx.done()), timeout=LONG).index == 1
        assert str(ctx.err()) == "context deadline exceeded"


# ExampleWithValue


def test_a_value_is_found_by_its_key(procs):
    ctx = with_value(background(), "language", "Python")
    assert ctx.value("language") == "Python"
    assert ctx.value("color") is None


# ExampleAfterFunc_cond


def test_a_wait_for_a_condition_ends_with_its_context(procs):
    cond = Cond(Mutex())

    def wake_all():
        with cond.L:
            cond.broadcast()

    def wait_on(ctx, is_met):
        stop = after_func(ctx, wake_all)
        try:
            while not is_met():
                cond.wait()
                ctx.raise_if_done()
        finally:
            stop()

    def body():
        with with_timeout(background(), SHORT) as ctx, cond.L:
            wait_on(ctx, lambda: False)

    gs = [go(body) for _ in range(4)]
    for g in gs:
        assert str(g.exception(LONG)) == "context deadline exceeded"


# ExampleAfterFunc_connection


def test_a_read_from_a_connection_ends_with_its_context(procs):
    ours, theirs = socket.socketpair()

    def read(ctx):
        stop = after_func(ctx, ours.shutdown, socket.SHUT_RD)
        got = syscall(ours.recv, 1024)
        if not stop():
            ctx.raise_if_done()
        return got

    with ours, theirs:
        theirs.send(b"hello")
        with with_timeout(background(), VERY_LONG) as ctx:
            assert read(ctx) == b"hello"
        with with_timeout(background(), SHORT) as ctx, pytest.raises(DeadlineExceeded):
            read(ctx)


# ExampleAfterFunc_merge


def test_the_cancellation_of_two_contexts_merged(procs):
    def merge(ctx, other):
        ctx, cancel = with_cancel_cause(ctx)
        stop = after_func(other, lambda: cancel(cause(other)))

        def end():
            stop()
            cancel(Canceled())

        return ctx, end

    ctx1, cancel1 = with_cancel_cause(background())
    ctx2, cancel2 = with_cancel_cause(background())
    merged, end = merge(ctx1, ctx2)
    why = Boom("ctx2 canceled")
    cancel2(why)
    merged.done().recv_ok(LONG)
    assert cause(merged) is why
    assert ctx1.err() is None
    end()
    cancel1(Boom("ctx1 canceled"))
