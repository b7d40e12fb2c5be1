"""Go's context/afterfunc_test.go in Python: TestCustomContextAfterFuncCancel,
TestCustomContextAfterFuncTimeout, TestCustomContextAfterFuncAfterFunc,
TestCustomContextAfterFuncUnregisterCancel, TestCustomContextAfterFuncUnregisterTimeout and
TestCustomContextAfterFuncUnregisterAfterFunc.

A context of one's own that has a method `after_func(fn) -> stop`, in Go `AfterFunc`, is asked to
call rather than watched.
"""

import pytest

from gmprt import Canceled, Chan, go, num_goroutine
from gmprt.context import after_func, with_cancel, with_timeout
from tests.conformance.contexts import VERY_LONG, Own
from tests.conformance.parking import LONG


class Asked(Own):
    """Calls what is registered with it. It has no channel unless somebody asks for it."""

    def __init__(self):
        super().__init__(done=False)
        self.registered = {}

    def done(self):
        if self.own_done is None:
            self.own_done = Chan()
        return self.own_done

    def after_func(self, fn, /):
        key = object()
        self.registered[key] = fn
        return lambda: self.registered.pop(key, None) is not None

    def cancel(self, err):
        """As in Go, the channel stays open: what is registered has to do."""
        self.own_err = err
        for fn in list(self.registered.values()):
            go(fn)
        self.registered.clear()


@pytest.mark.parametrize("derive", [with_cancel, lambda p: with_timeout(p, VERY_LONG)])
def test_a_child_is_cancelled_by_what_it_registered(procs, derive):
    """TestCustomContextAfterFuncCancel, TestCustomContextAfterFuncTimeout."""
    parent = Asked()
    with derive(parent) as child:
        parent.cancel(Canceled())
        assert child.done().recv_ok(LONG) == (None, False)
        assert type(child.err()) is Canceled


def test_after_func_uses_the_method(procs):
    """TestCustomContextAfterFuncAfterFunc."""
    parent, called = Asked(), Chan()
    stop = after_func(parent, called.close)
    parent.cancel(Canceled())
    assert called.recv_ok(LONG) == (None, False)
    assert stop() is False


def test_cancelled_children_are_unregistered(procs):
    """TestCustomContextAfterFuncUnregisterCancel."""
    parent, before = Asked(), num_goroutine()
    pairs = [with_cancel(parent), with_cancel(parent)]
    assert len(parent.registered) == 2
    assert num_goroutine() == before
    for pair in pairs:
        pair.cancel()
    assert len(parent.registered) == 0


def test_a_cancelled_time_out_is_unregistered(procs):
    """TestCustomContextAfterFuncUnregisterTimeout."""
    parent = Asked()
    pair = with_timeout(parent, VERY_LONG)
    assert len(parent.registered) == 1
    pair.cancel()
    assert len(parent.registered) == 0


def test_a_stopped_after_func_is_unregistered(procs):
    """TestCustomContextAfterFuncUnregisterAfterFunc."""
    parent = Asked()
    stop = after_func(parent, int)
    assert len(parent.registered) == 1
    assert stop() is True
    assert len(parent.registered) == 0
    assert stop() is False
