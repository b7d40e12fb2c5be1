"""Go's context/x_test.go in Python: TestBackground, TestTODO, TestWithCancel, TestDeadline,
TestTimeout, TestCanceledTimeout, TestValues, TestSimultaneousCancels, TestInterlockedCancels,
TestLayersCancel, TestLayersTimeout, TestWithCancelCanceledParent,
TestWithCancelSimultaneouslyCanceledParent, TestWithValueChecksKey, TestInvalidDerivedFail,
TestDeadlineExceededSupportsTimeout, TestCause, TestCauseRace, TestWithoutCancel,
TestCustomContextPropagation, TestCustomContextCause, TestAfterFuncCalledAfterCancel,
TestAfterFuncCalledAfterTimeout, TestAfterFuncCalledImmediately, TestAfterFuncNotCalledAfterStop,
TestAfterFuncCalledAsynchronously and TestContextErrDoneRace.

What a context prints as is for people here, so no text is compared. TestAllocs is left out.
"""

import threading
import time
from dataclasses import dataclass

import pytest

from gmprt import Canceled, Chan, ContextDone, DeadlineExceeded, go, gosched, on_recv, select
from gmprt.context import (
    after_func,
    background,
    cause,
    todo,
    with_cancel,
    with_cancel_cause,
    with_deadline,
    with_timeout,
    with_value,
    without_cancel,
)
from gmprt.sync import WaitGroup
from tests.conformance.contexts import SHORT, VERY_LONG, Own, Wrapper, is_closed
from tests.conformance.parking import LONG, Boom, join_all

# TestBackground, TestTODO


@pytest.mark.parametrize("empty", [background, todo])
def test_an_empty_context_is_never_done(procs, empty):
    ctx = empty()
    assert ctx is not None
    assert ctx.done() is None
    assert select(on_recv(ctx.done()), default=True).index == -1
    assert ctx.err() is None
    assert ctx.deadline() is None
    assert ctx.value("key") is None
    assert background() is not todo()


# TestWithCancel


def test_cancel_is_seen_at_once_also_through_a_wrapper(procs):
    c1, cancel = with_cancel(background())
    o = Wrapper(c1)
    c2, cancel2 = with_cancel(o)
    contexts = [c1, o, c2]
    for ctx in contexts:
        assert ctx.done() is not None
        assert ctx.err() is None
        assert not is_closed(ctx.done())
    cancel()
    for ctx in contexts:
        assert is_closed(ctx.done())
        assert type(ctx.err()) is Canceled
    cancel2()


# TestDeadline, TestTimeout


def due(seconds):
    return with_deadline(background(), time.monotonic() + seconds)


def after(seconds):
    return with_timeout(background(), seconds)


@pytest.mark.parametrize("make", [due, after])
@pytest.mark.parametrize("seconds", [SHORT, 0, -SHORT])
def test_a_deadline_ends_the_context(procs, make, seconds):
    with make(seconds) as ctx:
        assert ctx.done().recv_ok(LONG) == (None, False)
        assert type(ctx.err()) is DeadlineExceeded
        if seconds <= 0:
            assert make(seconds).ctx.err() is not None


@pytest.mark.parametrize("make", [due, after])
def test_a_deadline_ends_what_wraps_the_context(procs, make):
    with make(SHORT) as ctx:
        o = Wrapper(ctx)
        assert o.done().recv_ok(LONG) == (None, False)
        assert type(o.err()) is DeadlineExceeded


@pytest.mark.parametrize("make", [due, after])
@pytest.mark.parametrize(
    "derive",
    [
        lambda p: with_timeout(p, VERY_LONG),
        lambda p: with_deadline(p, time.monotonic() + VERY_LONG),
    ],
    ids=["with_timeout", "with_deadline"],
)
def test_a_later_deadline_does_not_put_an_earlier_one_off(procs, make, derive):
    with make(SHORT) as ctx, derive(Wrapper(ctx)) as child:
        assert child.done().recv_ok(LONG) == (None, False)
        assert type(child.err()) is DeadlineExceeded


# TestCanceledTimeout


def test_one_cancelled_before_its_time_is_cancelled(procs):
    with with_timeout(background(), LONG) as ctx:
        child, cancel = with_timeout(Wrapper(ctx), VERY_LONG)
        cancel()
        assert is_closed(child.done())
        assert type(child.err()) is Canceled


# TestValues


@dataclass(frozen=True)
class Key1:
    n: int


@dataclass(frozen=True)
class Key2:
    n: int


K1, K2, K3 = Key1(1), Key2(1), Key2(3)


def values(ctx):
    return [ctx.value(k) for k in (K1, K2, K3)]


def test_values_by_key(procs):
    c0 = background()
    assert values(c0) == [None, None, None]
    c1 = with_value(c0, K1, "c1k1")
    assert values(c1) == ["c1k1", None, None]
    c2 = with_value(c1, K2, "c2k2")
    assert values(c2) == ["c1k1", "c2k2", None]
    c3 = with_value(c2, K3, "c3k3")
    assert values(c3) == ["c1k1", "c2k2", "c3k3"]
    c4 = with_value(c3, K1, None)
    assert values(c4) == [None, "c2k2", "c3k3"]
    assert c4.value(K1, "default") is None
    assert values(c3) == ["c1k1", "c2k2", "c3k3"]

    assert values(Wrapper(c0)) == [None, None, None]
    o1 = Wrapper(c1)
    assert values(o1) == ["c1k1", None, None]
    assert values(with_value(o1, K2, "o2k2")) == ["c1k1", "o2k2", None]
    o3 = Wrapper(c4)
    assert values(o3) == [None, "c2k2", "c3k3"]
    assert values(with_value(o3, K3, None)) == [None, "c2k2", None]


# TestSimultaneousCancels


def test_all_contexts_of_a_tree_cancelled_at_once(procs, rng):
    pairs = [with_cancel(background())]
    queue = list(pairs)
    while len(pairs) < 100:
        parent = queue.pop(0).ctx
        children = [with_cancel(parent) for _ in range(4)]
        pairs += children
        queue += children
    order = rng.sample(pairs, len(pairs))
    wg = WaitGroup()
    gs = [wg.go(pair.cancel) for pair in order]
    for pair in rng.sample(pairs, len(pairs)):
        assert pair.ctx.done().recv_ok(LONG) == (None, False)
    wg.wait(LONG)
    join_all(*gs)


# TestInterlockedCancels


def test_a_child_cancelled_by_who_waits_for_its_parent(procs):
    for _ in range(20):
        parent, cancel_parent = with_cancel(background())
        child, cancel_child = with_cancel(parent)

        def body(parent=parent, cancel_child=cancel_child):
            parent.done().recv_ok()
            cancel_child()

        g = go(body)
        cancel_parent()
        assert child.done().recv_ok(LONG) == (None, False)
        assert g.join(LONG)


# TestLayersCancel, TestLayersTimeout


@pytest.mark.parametrize("by", ["cancel", "timeout"])
def test_many_layers(procs, rng, by):
    seconds = SHORT if by == "timeout" else VERY_LONG
    keys, cancels, timers, ctx, layers = [], [], 0, background(), 0
    while layers < 30 or not (keys and timers and len(cancels) > timers):
        layers += 1
        kind = rng.randrange(3)
        if kind == 0:
            keys.append(object())
            ctx = with_value(ctx, keys[-1], keys[-1])
        elif kind == 1:
            ctx, cancel = with_cancel(ctx)
            cancels.append(cancel)
        else:
            ctx, cancel = with_timeout(ctx, seconds)
            cancels.append(cancel)
            timers += 1
    assert [ctx.value(key) for key in keys] == keys
    if by == "timeout":
        assert ctx.done().recv_ok(LONG) == (None, False)
        assert type(ctx.err()) is DeadlineExceeded
    else:
        assert not is_closed(ctx.done())
        rng.choice(cancels)()
        assert is_closed(ctx.done())
        assert type(ctx.err()) is Canceled
    assert [ctx.value(key) for key in keys] == keys
    for cancel in cancels:
        cancel()


# TestWithCancelCanceledParent


def test_a_child_of_a_cancelled_parent_is_born_cancelled(procs):
    parent, cancel = with_cancel_cause(background())
    why = Boom("because")
    cancel(why)
    child, _ = with_cancel(parent)
    assert is_closed(child.done())
    assert type(child.err()) is Canceled
    assert cause(child) is why


# TestWithCancelSimultaneouslyCanceledParent


def test_a_child_made_while_its_parent_is_cancelled(procs):
    for i in range(100):
        parent, cancel = with_cancel_cause(background())
        why = Boom(i)
        g = go(cancel, why)
        child, _ = with_cancel(parent)
        assert child.done().recv_ok(LONG) == (None, False)
        assert type(child.err()) is Canceled
        assert cause(child) is why
        assert g.join(LONG)


# TestWithValueChecksKey


def test_none_is_no_key(procs):
    with pytest.raises((TypeError, ValueError), match="nil key"):
        with_value(background(), None, "value")


# TestInvalidDerivedFail


@pytest.mark.parametrize(
    "derive",
    [
        lambda: with_cancel(None),
        lambda: with_cancel_cause(None),
        lambda: with_deadline(None, time.monotonic() + SHORT),
        lambda: with_timeout(None, SHORT),
        lambda: with_value(None, "key", "value"),
        lambda: without_cancel(None),
    ],
    ids=["with_cancel", "with_cancel_cause", "with_deadline", "with_timeout", "with_value",
         "without_cancel"],
)  # fmt: skip
def test_none_is_no_parent(procs, derive):
    with pytest.raises(TypeError, match="cannot create context from nil parent"):
        derive()


# TestDeadlineExceededSupportsTimeout


def test_a_deadline_of_a_context_is_told_from_the_time_out_of_a_call(procs):
    """In Go it says of itself that it is a time-out. Here TimeoutError is the call's own."""
    assert issubclass(DeadlineExceeded, ContextDone)
    assert not issubclass(DeadlineExceeded, TimeoutError)


# TestCause

PARENT, CHILD = Boom("parent cause"), Boom("child cause")
TOO_SLOW, EARLY = Boom("too slow"), Boom("finished early")


class Custom:
    """Go's customContext: a whole implementation of one's own, done with its parent or before."""

    def __init__(self, parent):
        self.parent = parent
        self.own_done = Chan()
        self.own_err = None
        self.lock = threading.Lock()
        self.stop = after_func(parent, lambda: self.finish(parent.err()))

    def finish(self, err):
        with self.lock:
            if self.own_err is not None:
                return
            self.own_err = err
        self.own_done.close()

    def cancel(self):
        self.finish(Canceled())

    def done(self):
        return self.own_done

    def err(self):
        return self.own_err if is_closed(self.own_done) else None

    def deadline(self):
        return self.parent.deadline()

    def value(self, key, default=None):
        return self.parent.value(key, default)


def cancelled():
    ctx, cancel = with_cancel(background())
    cancel()
    return ctx


def with_a_cause():
    ctx, cancel = with_cancel_cause(background())
    cancel(PARENT)
    return ctx


def without_a_cause():
    ctx, cancel = with_cancel_cause(background())
    cancel(None)
    return ctx


def two_causes(first):
    ctx, cancel_parent = with_cancel_cause(background())
    ctx, cancel_child = with_cancel_cause(ctx)
    ends = [lambda: cancel_parent(PARENT), lambda: cancel_child(CHILD)]
    for end in ends if first == "parent" else reversed(ends):
        end()
    return ctx


def parent_has_a_cause(first):
    ctx, cancel_parent = with_cancel_cause(background())
    ctx, cancel_child = with_cancel(ctx)
    ends = [lambda: cancel_parent(PARENT), cancel_child]
    for end in ends if first == "parent" else reversed(ends):
        end()
    return ctx


def child_has_a_cause(first):
    ctx, cancel_parent = with_cancel(background())
    ctx, cancel_child = with_cancel_cause(ctx)
    ends = [cancel_parent, lambda: cancel_child(CHILD)]
    for end in ends if first == "parent" else reversed(ends):
        end()
    return ctx


def timeout(seconds, *why):
    ctx, cancel = with_timeout(background(), seconds, *why)
    cancel()
    return ctx


def stacked(seconds):
    ctx, cancel = with_cancel_cause(background())
    ctx, cancel_timer = with_timeout(ctx, seconds, TOO_SLOW)
    cancel(EARLY)
    cancel_timer()
    return ctx


def cut_off(pair, *why):
    ctx = without_cancel(pair.ctx)
    pair.cancel(*why)
    return ctx


def custom(*ends):
    parent, cancel_parent = with_cancel_cause(background())
    ctx = Custom(parent)
    for end in ends:
        if end == "parent":
            cancel_parent(PARENT)
            ctx.done().recv_ok(LONG)
        else:
            ctx.cancel()
    ctx.stop()
    return ctx


ERR = "the error itself"
CAUSES = {
    "background": (background, None, None),
    "todo": (todo, None, None),
    "cancelled": (cancelled, Canceled, ERR),
    "with a cause": (with_a_cause, Canceled, PARENT),
    "without a cause": (without_a_cause, Canceled, ERR),
    "parent's cause before the child's": (lambda: two_causes("parent"), Canceled, PARENT),
    "parent's cause after the child's": (lambda: two_causes("child"), Canceled, CHILD),
    "parent's cause before none": (lambda: parent_has_a_cause("parent"), Canceled, PARENT),
    "parent's cause after none": (lambda: parent_has_a_cause("child"), Canceled, ERR),
    "child's cause after none": (lambda: child_has_a_cause("parent"), Canceled, ERR),
    "child's cause before none": (lambda: child_has_a_cause("child"), Canceled, CHILD),
    "time-out": (lambda: timeout(0), DeadlineExceeded, ERR),
    "time-out cancelled": (lambda: timeout(VERY_LONG), Canceled, ERR),
    "time-out with a cause": (lambda: timeout(0, TOO_SLOW), DeadlineExceeded, TOO_SLOW),
    "time-out with a cause, cancelled": (lambda: timeout(VERY_LONG, TOO_SLOW), Canceled, ERR),
    "time-out before the parent": (lambda: stacked(0), DeadlineExceeded, TOO_SLOW),
    "time-out after the parent": (lambda: stacked(VERY_LONG), Canceled, EARLY),
    "without cancel": (lambda: without_cancel(background()), None, None),
    "without cancel of a cancelled one": (
        lambda: cut_off(with_cancel_cause(background()), EARLY), None, None,
    ),
    "without cancel of one out of time": (
        lambda: cut_off(with_timeout(background(), 0, TOO_SLOW)), None, None,
    ),
    "custom context alone": (lambda: custom("child"), Canceled, ERR),
    "custom context after its parent": (lambda: custom("parent", "child"), Canceled, PARENT),
}  # fmt: skip


@pytest.mark.parametrize("name", CAUSES)
def test_cause(procs, name):
    make, kind, why = CAUSES[name]
    ctx = make()
    err = ctx.err()
    assert (err if kind is None else type(err)) is kind
    assert cause(ctx) is (err if why is ERR else why)


def test_the_cause_of_a_custom_context_done_before_its_parent(procs):
    """From outside nobody can tell which came first: Go gives the parent's, and regrets it."""
    ctx = custom("child", "parent")
    assert type(ctx.err()) is Canceled
    assert cause(ctx) in (PARENT, ctx.err())


# TestCauseRace


def test_cause_is_never_seen_half_set(procs):
    for i in range(50):
        why = Boom(i)
        ctx, cancel = with_cancel_cause(background())
        g = go(cancel, why)
        while (got := cause(ctx)) is None:
            gosched()
        assert got is why
        assert g.join(LONG)


# TestWithoutCancel


def test_without_cancel_keeps_values_alone(procs):
    ctx = without_cancel(with_value(background(), "key", "value"))
    assert ctx.deadline() is None
    assert ctx.done() is None
    assert ctx.err() is None
    assert ctx.value("key") == "value"


# TestCustomContextPropagation


class OwnDone(Wrapper):
    def __init__(self, ctx, done):
        super().__init__(ctx)
        self.own_done = done

    def done(self):
        return self.own_done


def test_the_cause_is_found_beyond_a_context_with_its_own_channel(procs):
    why, done = Boom("because"), Chan()
    ctx1, cancel1 = with_cancel_cause(background())
    ctx3, cancel3 = with_cancel(OwnDone(ctx1, done))
    cancel1(why)
    done.close()
    assert ctx3.done().recv_ok(LONG) == (None, False)
    assert type(ctx3.err()) is Canceled
    assert cause(ctx3) is why
    cancel3()


# TestCustomContextCause


class Alone(Own):
    """Go's customCauseContext: it has no parent, and may cancel a child itself."""

    def __init__(self):
        super().__init__()
        self.cancel_child = lambda: None

    def cancel(self):
        super().cancel(Canceled())
        self.cancel_child()


def test_the_cause_of_a_custom_context_is_its_error(procs):
    alone = Alone()
    alone.cancel()
    assert cause(alone) is alone.err()


def test_the_cause_of_a_child_is_not_that_of_a_custom_parent(procs):
    alone, why = Alone(), Boom("because")
    ctx, cancel = with_cancel_cause(alone)
    cancel(why)
    assert type(ctx.err()) is Canceled
    assert cause(ctx) is why
    assert alone.err() is None
    assert cause(alone) is None
    alone.cancel()
    assert type(ctx.err()) is Canceled
    assert cause(ctx) is why
    assert cause(alone) is alone.err()


def test_a_custom_context_may_cancel_its_child_itself(procs):
    alone = Alone()
    ctx, alone.cancel_child = with_cancel(alone)
    alone.cancel()
    for one in (ctx, alone):
        assert type(one.err()) is Canceled
        assert type(cause(one)) is Canceled


# TestAfterFuncCalledAfterCancel, TestAfterFuncCalledAfterTimeout, TestAfterFuncCalledImmediately


def test_after_func_is_called_after_cancel(procs):
    ctx, cancel = with_cancel(background())
    called = Chan()
    stop = after_func(ctx, called.close)
    with pytest.raises(TimeoutError):
        called.recv_ok(SHORT)
    cancel()
    assert called.recv_ok(LONG) == (None, False)
    assert stop() is False


def test_after_func_is_called_after_the_time_out(procs):
    called = Chan()
    with with_timeout(background(), SHORT) as ctx:
        after_func(ctx, called.close)
        assert called.recv_ok(LONG) == (None, False)


def test_after_func_is_called_at_once_if_it_is_done(procs):
    called = Chan()
    after_func(cancelled(), called.close)
    assert called.recv_ok(LONG) == (None, False)


# TestAfterFuncNotCalledAfterStop


def test_after_func_is_not_called_after_stop(procs):
    ctx, cancel = with_cancel(background())
    called = Chan()
    stop = after_func(ctx, called.close)
    assert stop() is True
    cancel()
    with pytest.raises(TimeoutError):
        called.recv_ok(SHORT)
    assert stop() is False


# TestAfterFuncCalledAsynchronously


def test_cancel_does_not_wait_for_after_func(procs):
    ctx, cancel = with_cancel(background())
    ch = Chan()
    after_func(ctx, ch.send, "called")
    cancel()
    assert ch.recv(LONG) == "called"


# TestContextErrDoneRace


def test_where_there_is_an_error_the_channel_is_closed(procs):
    for _ in range(50):
        ctx, cancel = with_cancel(background())
        done = ctx.done()
        g = go(cancel)
        while ctx.err() is None:
            gosched()
        assert is_closed(done)
        assert g.join(LONG)


def test_where_there_is_an_error_also_a_channel_made_late_is_closed(procs):
    """The same for whoever asks for the channel only then."""
    for _ in range(50):
        ctx, cancel = with_cancel(background())
        g = go(cancel)
        while ctx.err() is None:
            gosched()
        assert is_closed(ctx.done())
        assert g.join(LONG)
