"""Go's os/signal/signal_test.go in Python, the tests of NotifyContext alone, here
`signal_context`: TestNotifyContextNotifications, TestNotifyContextStop,
TestNotifyContextCancelParent, TestNotifyContextPrematureCancelParent,
TestNotifyContextSimultaneousStop and TestNotifyContextCause; then what is said of it here alone.

Where a signal is sent, a child does it (progs/notify.py).
"""

import signal
import threading
from pathlib import Path

import pytest

from gmprt import Canceled, go, on_recv, select
from gmprt.context import (
    background,
    cause,
    signal_context,
    with_cancel,
    with_cancel_cause,
    with_timeout,
    with_value,
)
from tests.conformance.parking import LONG, Boom, join_all
from tests.support import run_prog

PROG = Path(__file__).parents[1] / "integration" / "progs" / "notify.py"


def outcome(*args):
    """Run a program that has to end well and silently, and give its lines."""
    done = run_prog(PROG, *args)
    assert (done.stderr, done.returncode) == ("", 0), done
    return done.stdout.splitlines()


@pytest.fixture(autouse=True)
def handlers_as_before():
    signums = [signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2]
    before = [signal.getsignal(n) for n in signums]
    yield
    assert [signal.getsignal(n) for n in signums] == before


# TestNotifyContextNotifications, TestNotifyContextCause


@pytest.mark.parametrize("n", [1, 10])
def test_a_signal_ends_the_context_and_nothing_else(n):
    assert outcome("notifications", n) == ["Canceled Canceled SIGINT", "lives"]


# TestNotifyContextStop


def test_stop_ends_the_context_and_puts_back_what_was():
    assert outcome("stopped") == ["False", "Canceled Canceled no signal True", "True", "lives"]


# TestNotifyContextCancelParent, TestNotifyContextPrematureCancelParent


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_parent_that_is_cancelled_ends_the_context(procs, when):
    why = Boom("parent canceled")
    parent, cancel_parent = with_cancel_cause(background())
    if when == "before":
        cancel_parent(why)
    ctx, stop = signal_context(signal.SIGINT, parent=parent)
    if when == "after":
        assert ctx.err() is None
        cancel_parent(why)
    assert ctx.done().recv_ok(LONG) == (None, False)
    assert type(ctx.err()) is Canceled
    assert cause(ctx) is why
    stop()


# TestNotifyContextSimultaneousStop


def test_many_stop_it_at_once(procs):
    ctx, stop = signal_context(signal.SIGINT)
    gs = [go(stop) for _ in range(10)]
    assert ctx.done().recv_ok(LONG) == (None, False)
    join_all(*gs)
    assert type(ctx.err()) is Canceled
    assert cause(ctx) is ctx.err()


# What Go's tests leave out


def test_after_stop_the_signal_does_what_it_did():
    assert outcome("default_after_stop") == ["diverted", "KeyboardInterrupt in goroutine 1"]
    assert outcome("own_handler_after_stop") == ["[]", "['mine']"]


def test_main_may_wait_for_nothing_but_a_signal():
    assert outcome("main_waits") == ["Canceled Canceled SIGALRM"]
    assert outcome("main_waits_with_ctx") == ["Canceled Canceled SIGALRM True"]


def test_the_first_of_several_signals_is_the_cause():
    assert outcome("one_of_several") == ["Canceled Canceled SIGUSR2"]


def test_two_contexts_of_one_signal():
    assert outcome("two_contexts") == [
        "Canceled Canceled no signal True",
        "Canceled Canceled SIGINT",
        "Canceled Canceled SIGINT",
        "diverted",
        "KeyboardInterrupt",
    ]


@pytest.mark.parametrize("where", ["goroutine", "goroutines", "thread"])
def test_it_can_be_made_and_stopped_anywhere(where):
    assert outcome("made_elsewhere", where) == ["Canceled Canceled SIGUSR1", "True"]


def test_the_cause_goes_to_children_not_to_parents():
    assert outcome("parents") == ["Canceled Canceled SIGUSR1 True None"]


def test_it_is_a_pair_and_a_context_manager(procs):
    with signal_context(signal.SIGUSR1, signal.SIGUSR2) as ctx:
        assert ctx.err() is None
        assert cause(ctx) is None
        assert ctx.deadline() is None
        assert select(on_recv(ctx.done()), default=True).index == -1
    assert type(ctx.err()) is Canceled
    with (pair := signal_context(signal.SIGUSR1)) as ctx:
        assert pair.ctx is ctx
        pair.stop()
        assert type(ctx.err()) is Canceled

    def body():
        with signal_context(signal.SIGUSR1) as ctx:
            raise Boom(ctx)

    with pytest.raises(Boom) as caught:
        body()
    assert type(caught.value.args[0].err()) is Canceled


def test_it_has_its_parents_values_and_deadline(procs):
    with with_timeout(with_value(background(), "key", "value"), LONG) as parent:
        ctx, stop = signal_context(signal.SIGUSR1, parent=parent)
        assert ctx.value("key") == "value"
        assert ctx.deadline() == parent.deadline()
        stop()
        assert parent.err() is None


def test_stop_twice_is_harmless(procs):
    before = signal.getsignal(signal.SIGUSR1)
    _, stop = signal_context(signal.SIGUSR1)
    stop()
    ctx, stop_second = signal_context(signal.SIGUSR1)
    stop()
    assert ctx.err() is None
    assert signal.getsignal(signal.SIGUSR1) != before
    stop_second()


def test_no_signal_is_a_value_error(procs):
    with pytest.raises(ValueError, match="signal"):
        signal_context()
    with with_cancel(background()) as parent, pytest.raises(ValueError, match="signal"):
        signal_context(parent=parent)


def test_what_is_no_context_is_no_parent(procs):
    for bad in (3, "parent", with_cancel(background())):
        with pytest.raises(TypeError):
            signal_context(signal.SIGUSR1, parent=bad)


def test_a_foreign_thread_may_make_and_stop_one(procs):
    """Main meanwhile waits as any Python program does, or in the runtime."""
    got = []

    def target():
        ctx, stop = signal_context(signal.SIGUSR1)
        stop()
        got.append(ctx.err())

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(LONG)
    assert [type(err) for err in got] == [Canceled]
