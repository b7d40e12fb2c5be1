"""context: deadlines, cancellation and values, handed down a tree of calls. Go: package context.

Every wait of gmprt that can be long takes `ctx=`. Here the contexts are made; what they are, and
how one ends with another, is in contexttree.py.

Locks: none.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from math import inf
from sys import _getframe
from typing import Any, NamedTuple, ParamSpec, Protocol

from ._runtime import (
    DONT_WAIT,
    Canceled,
    Context,
    ContextDone,
    DeadlineExceeded,
    Spawn,
    add_timer,
    cause,
    check_ctx,
    del_timer,
    getm,
    now,
    uncounted,
    unwatch_signals,
    watch_signals,
)
from ._runtime import deadline as deadline_after
from .contexttree import (
    AfterFunc,
    BaseContext,
    CancelContext,
    EmptyContext,
    ValueContext,
    attach,
    end,
    root_of,
)

__all__ = [
    "BaseContext",
    "CancelCause",
    "CancelCauseScope",
    "CancelScope",
    "Canceled",
    "Context",
    "ContextDone",
    "DeadlineExceeded",
    "SignalScope",
    "after_func",
    "background",
    "cause",
    "signal_context",
    "todo",
    "with_cancel",
    "with_cancel_cause",
    "with_deadline",
    "with_timeout",
    "with_value",
    "without_cancel",
]

P = ParamSpec("P")


# -- making them

_BACKGROUND = uncounted(EmptyContext("background"))
_TODO = uncounted(EmptyContext("todo"))


class CancelCause(Protocol):
    """`cancel` of `with_cancel_cause`."""

    def __call__(self, cause: BaseException | None = None) -> None: ...


class CancelScope(NamedTuple):
    """A context and what cancels it; as a context manager gives the one, and calls the other."""

    ctx: BaseContext
    cancel: Callable[[], None]

    def __enter__(self) -> BaseContext:
        return self.ctx

    def __exit__(self, *exc: object) -> None:
        self.cancel()


class CancelCauseScope(NamedTuple):
    """As `CancelScope`; `cancel` takes the cause."""

    ctx: BaseContext
    cancel: CancelCause

    def __enter__(self) -> BaseContext:
        return self.ctx

    def __exit__(self, *exc: object) -> None:
        self.cancel()


def background() -> BaseContext:
    """Return the root of every tree: never done, no deadline, no values."""
    return _BACKGROUND


def todo() -> BaseContext:
    """Return the same as `background`, for where it is not clear yet which context to use."""
    return _TODO


def _check_parent(parent: Any) -> None:
    if parent is None:
        raise TypeError("cannot create context from nil parent; use context.background()")
    check_ctx(parent, "parent")


def _check_cause(cause: Any) -> None:
    if cause is not None and not isinstance(cause, BaseException):
        raise TypeError(f"cause: an exception or None, not {cause!r}")


def with_cancel(parent: Context) -> CancelScope:
    """Return a child of `parent` and the function that cancels it, which is harmless twice.

    Raises: TypeError if `parent` is no context, here and below. Go: context.WithCancel.
    """
    _check_parent(parent)
    node = CancelContext(parent, parent.deadline(), None)
    return CancelScope(node, node._cancel)


def with_cancel_cause(parent: Context) -> CancelCauseScope:
    """As `with_cancel`; `cancel(exc)` says why, for `cause(ctx)`. Go: context.WithCancelCause."""
    _check_parent(parent)
    node = CancelContext(parent, parent.deadline(), None)
    return CancelCauseScope(node, node._cancel_cause)


def with_deadline(
    parent: Context, when: float | None, cause: BaseException | None = None
) -> CancelScope:
    """Return a child of `parent` that is done at `when`, on the monotonic clock, or before.

    None and inf: as `with_cancel`. `cause` is the cause then. Raises: ValueError for nan.
    Go: context.WithDeadlineCause.
    """
    _check_parent(parent)
    _check_cause(cause)
    if when is not None:
        deadline_after(when)  # a number, and not nan
        when = None if when == inf else float(when)
    limit = parent.deadline()
    if when is None or (limit is not None and limit <= when):
        return with_cancel(parent)
    node = CancelContext(parent, when, cause)
    if when <= now():
        end(node, DeadlineExceeded(), cause)
    elif node.claim:
        add_timer(getm(), node, when)
        if not node.claim:  # cancelled before it had a timer to take out
            del_timer(node)
    return CancelScope(node, node._cancel)


def with_timeout(
    parent: Context, seconds: float | None, cause: BaseException | None = None
) -> CancelScope:
    """Return a child of `parent` that is done in `seconds`, or before.

    None and inf: as `with_cancel`; zero and less: it is done already. Raises: ValueError for nan.
    Go: context.WithTimeoutCause.
    """
    when = deadline_after(seconds)
    return with_deadline(parent, now() if when is DONT_WAIT else when, cause)


def with_value(parent: Context, key: Any, value: Any) -> BaseContext:
    """Return a child of `parent` that holds `value` for `key`; keys compare by equality.

    Use a class of one's own for the key, so that no two packages collide.
    Raises: TypeError for None as the key. Go: context.WithValue.
    """
    _check_parent(parent)
    if key is None:
        raise TypeError("nil key")
    node = ValueContext()
    node.parent = parent
    node._root = root_of(parent)
    node._deadline = parent.deadline()
    node.key = key
    node.held = value
    return node


def without_cancel(parent: Context) -> BaseContext:
    """Return a child of `parent` that has its values, but no deadline, and is never done.

    Go: context.WithoutCancel.
    """
    _check_parent(parent)
    node = BaseContext()
    node.parent = parent
    node._root = node._deadline = None
    return node


def after_func(
    ctx: Context, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
) -> Callable[[], bool]:
    """Start `fn(*args, **kwargs)` as a goroutine once `ctx` is done, at once if it is.

    With the contextvars of the caller and as its child. Returns `stop`: it says whether it has
    kept the function from being started. Blocks: no. Raises: TypeError. Go: context.AfterFunc.
    """
    check_ctx(ctx, "after_func")
    if not callable(fn):
        raise TypeError(f"after_func: a function to call, not {fn!r}")
    node = AfterFunc(Spawn(_getframe(1), fn, args, kwargs))
    node.up = attach(node, ctx)
    return node.stop


# -- signals


class SignalScope(NamedTuple):
    """A context that a signal cancels, and what ends that; as a context manager likewise."""

    ctx: BaseContext
    stop: Callable[[], None]

    def __enter__(self) -> BaseContext:
        return self.ctx

    def __exit__(self, *exc: object) -> None:
        self.stop()


def signal_context(*signals: int, parent: Context | None = None) -> SignalScope:
    """Return a context that is cancelled when one of `signals` comes, and `stop`, which cancels it
    and gives the signals back to whom they belonged.

    Until `stop` these signals do nothing else: no KeyboardInterrupt for SIGINT. `cause(ctx)` is a
    `Canceled` with `signum`. From any goroutine or thread.
    Blocks: the thread, until the main thread has changed the handlers.
    Raises: ValueError for none, and for what is no signal; OSError for one that cannot be handled;
    RuntimeError from another thread if the main one sits in a call and has never used gmprt.
    Go: signal.NotifyContext.
    """
    if not signals:
        raise ValueError("signal_context: at least one signal")
    signums = list(dict.fromkeys(int(signal.Signals(signum)) for signum in signals))
    parent = _BACKGROUND if parent is None else parent
    _check_parent(parent)
    getm()
    node = CancelContext(parent, parent.deadline(), None)
    try:
        watch_signals(signums, node)
    except BaseException:
        node._cancel()
        raise

    def stop() -> None:
        node._cancel()
        unwatch_signals(signums, node)

    return SignalScope(node, stop)
