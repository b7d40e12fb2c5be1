"""errgroup: goroutines that work on one task, of which the first error counts.

Invariants:
- A goroutine's end is taken by `G.on_end`, before anybody who joins it goes on; so its exception
  is the group's, and never reported.
- `_first` has one token: who pops it sets `_error`; the context is cancelled right after.
- A goroutine is in `_active` until its end has been taken; the body of a `with` block counts.

Locks: none of its own.

Go: golang.org/x/sync/errgroup; differs: it always has a context, and is a context manager.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import _getframe
from types import FrameType, TracebackType
from typing import Any, NamedTuple, ParamSpec, TypeVar

from ._runtime import Context, G, GoroutineExit, newproc
from .chan import Chan
from .chantypes import WouldBlock
from .context import BaseContext, background, with_cancel_cause
from .sync import WaitGroup

__all__ = ["Group", "GroupWithContext", "with_context"]

P = ParamSpec("P")
T = TypeVar("T")


class Group:
    """Goroutines that `wait` waits for, and whose first error it raises.

    `ctx` is the group's own, a child of the one given: cancelled by the first error, which is then
    its cause, and when `wait` returns. At most `limit` goroutines run at a time; None or negative:
    any number.

    As a context manager the body counts as one of the group's functions: the exit waits for all
    and raises the error that came first.
    """

    __slots__ = (
        "__weakref__",
        "_active",
        "_cancel",
        "_error",
        "_first",
        "_slots",
        "_traceback",
        "_wg",
        "ctx",
    )
    ctx: BaseContext  # [const]

    def __init__(self, ctx: Context | None = None, limit: int | None = None) -> None:
        self.ctx, self._cancel = with_cancel_cause(background() if ctx is None else ctx)
        self._wg = WaitGroup()
        self._active: dict[G[Any], None] = {}  # [atomic: dict]
        self._first: list[None] = [None]  # [atomic: list.pop]
        self._error: BaseException | None = None  # [any] set once
        self._traceback: TracebackType | None = None  # [any] its first one, set before
        self._slots: Chan[None] | None = None  # [any] holds a value for each that runs
        self.set_limit(limit)

    def set_limit(self, n: int | None) -> None:
        """Let at most `n` goroutines run at a time; negative or None: any number; 0: no new ones.

        Raises: RuntimeError while goroutines are active; TypeError for what is no int.
        """
        if n is not None and (isinstance(n, bool) or not isinstance(n, int)):
            raise TypeError(f"errgroup: the limit is an int or None, not {n!r}")
        active = len(self._active) if self._slots is None else len(self._slots)
        if active:
            raise RuntimeError(
                f"errgroup: modify limit while {active} goroutines in the group are still active"
            )
        self._slots = None if n is None or n < 0 else Chan(n)

    def go(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> G[T]:
        """Start `fn(*args, **kwargs)`; at the limit wait until another has ended.

        Blocks: G, at the limit. Raises: TypeError if `fn` is not callable.
        """
        _check(fn)
        slots = self._slots
        if slots is not None:
            slots.send(None)
        return self._start(_getframe(1), slots, fn, args, kwargs)

    def try_go(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> G[T] | None:
        """As `go`, but at the limit start nothing and return None. Blocks: no."""
        _check(fn)
        slots = self._slots
        if slots is not None:
            try:
                slots.send_nowait(None)
            except WouldBlock:
                return None
        return self._start(_getframe(1), slots, fn, args, kwargs)

    def _start(
        self,
        frame: FrameType,
        slots: Chan[None] | None,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> G[T]:
        self._wg.add(1)
        try:
            gp = newproc(frame, fn, args, kwargs)
        except BaseException:
            self._end(None, slots)
            raise
        self._active[gp] = None
        gp.on_end(lambda: self._take_end(gp, slots))
        return gp

    def _take_end(self, gp: G[Any], slots: Chan[None] | None) -> None:
        """Take what a goroutine has ended with. Runs on: its M, with no lock."""
        exc = gp.exc
        if exc is not None and not isinstance(exc, GoroutineExit):
            gp.asked = True  # never reported: the group has it
            self._fail(exc, gp.value)
        self._end(gp, slots)

    def _fail(self, exc: BaseException, traceback: TracebackType | None) -> None:
        """Note an error, if it is the first, and cancel the context."""
        try:
            self._first.pop()
        except IndexError:
            return
        self._traceback = traceback
        self._error = exc
        self._cancel(exc)

    def _end(self, gp: G[Any] | None, slots: Chan[None] | None) -> None:
        if gp is not None:
            self._active.pop(gp, None)
        if slots is not None:
            slots.recv_nowait()
        self._wg.done()

    def wait(self) -> None:
        """Wait until all have ended, cancel the context, and raise the first error if any.

        Blocks: G. Raises: what the first goroutine that failed raised.
        """
        self._wg.wait()
        self._cancel(self._error)
        self._raise()

    def _raise(self) -> None:
        error = self._error
        if error is not None:
            try:
                raise error.with_traceback(self._traceback)
            finally:
                del error  # the traceback holds this frame

    # -- as a context manager

    def __enter__(self) -> Group:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc, GoroutineExit):
            self._cancel(exc)
        elif exc is not None:
            self._fail(exc, traceback)
        try:
            self._wg.wait()
        except BaseException as interrupt:
            self._cancel(interrupt)
            self._end_all()
            raise
        self._cancel(self._error)
        if exc is None or (isinstance(exc, Exception) and exc is not self._error):
            self._raise()  # with the body's exception, if there is one, as its __context__
        # else the body's own exception goes on

    def _end_all(self) -> None:
        """End those that are left, and wait for them whatever happens: the exit was interrupted."""
        while self._active:
            for gp in list(self._active):
                gp.interrupt()
            try:
                self._wg.wait()
            except RuntimeError:
                raise  # a deadlock: waiting on is no use
            except BaseException:
                continue

    def __repr__(self) -> str:
        return f"<errgroup.Group of {len(self._active)}, {self.ctx!r}>"


def _check(fn: object) -> None:
    if not callable(fn):
        raise TypeError(f"errgroup: a function to call, not {fn!r}")


class GroupWithContext(NamedTuple):
    """What `with_context` returns."""

    g: Group
    ctx: BaseContext


def with_context(ctx: Context) -> GroupWithContext:
    """Return a group whose context is a child of `ctx`, and that context."""
    group = Group(ctx)
    return GroupWithContext(group, group.ctx)
