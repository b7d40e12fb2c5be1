"""What a wait knows of a context: whether it is done, and how its end ends the wait.

A wait may have two limits, a deadline and a context. Both end it as an interrupt would, by
claiming its Sudog through the owner: the M's heap at the deadline, the context's `done` channel
when it is closed (`Chan.watch`). So no queue of waiters knows of either, and FIFO order stays.

Invariants:
- A context is looked at first, before anything is sent, taken or queued; its own code (a context
  may be a class of the user's) runs only there and after the wait, never between.
- A Sudog with a limit is used once: heap or channel may still name it when the wait is over.

Locks: none; `watch` and `unwatch` take the channel's.

Rejected: waiting on two channels with a Claim, as select does: a claimed place in a queue that
loses a race with a fast receiver begins again at the tail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .handoff import goready
from .protocols import Context
from .sudog import Sudog
from .timers import add_timeout, forget_timeout

if TYPE_CHECKING:
    from .m import M

__all__ = [
    "CANCEL_KEY",
    "Canceled",
    "ContextDone",
    "CtxEnd",
    "DeadlineExceeded",
    "OwnContext",
    "begin_limits",
    "cause",
    "check_ctx",
    "ctx_error",
    "end_limits",
    "look_at",
]


class ContextDone(Exception):  # the contract's name
    """A context is done; what a wait under it raises."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(args or ("context done",)))


class Canceled(ContextDone):
    """A context was cancelled. Go: context.Canceled.

    `signum` is the signal's number where `signal_context` has cancelled it, else None.
    """

    signum: int | None = None

    def __init__(self, *args: object) -> None:
        super().__init__(*(args or ("context canceled",)))


class DeadlineExceeded(ContextDone):
    """A context's deadline has passed. Go: context.DeadlineExceeded."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(args or ("context deadline exceeded",)))


class OwnContext:
    """What the contexts of `gmprt.context` derive from: they need no checking."""

    __slots__ = ()


class _CancelKey:
    """The key under which a context gives the nearest ancestor that can be cancelled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<the nearest context that can be cancelled>"


CANCEL_KEY = _CancelKey()

_METHODS = ("done", "err", "deadline", "value")


def check_ctx(ctx: Any, what: str = "ctx") -> None:
    """Refuse what is not a context. Raises: TypeError."""
    if isinstance(ctx, OwnContext):
        return
    if isinstance(ctx, type) or not all(callable(getattr(ctx, name, None)) for name in _METHODS):
        hint = "; pass its .ctx" if isinstance(getattr(ctx, "ctx", None), OwnContext) else ""
        raise TypeError(f"{what}: a context, not {ctx!r}{hint}")


def look_at(ctx: Any) -> Any:
    """Look at a wait's context before anything else; return its `done` channel, or None.

    Raises: its error if it is done; TypeError if it is no context.
    """
    if not isinstance(ctx, OwnContext):
        check_ctx(ctx)
    if ctx.err() is not None:
        raise ctx_error(ctx)
    done = ctx.done()
    if done is not None and not hasattr(done, "watch"):
        raise TypeError(f"ctx: its done() must return a gmprt channel or None, not {done!r}")
    return done


def cause(ctx: Context) -> BaseException | None:
    """Return why `ctx` is done: the exception given to its `cancel`, else its error.

    None while it is not done, and for a context that never is. Raises: TypeError if it is no
    context. Go: context.Cause.
    """
    check_ctx(ctx, "cause")
    err = ctx.err()
    if err is None:
        return None
    try:
        node = ctx.value(CANCEL_KEY)
    except Exception:  # a class of the user's that knows no such key
        node = None
    why: BaseException | None = getattr(node, "why", None) if isinstance(node, OwnContext) else None
    return err if why is None else why


def ctx_error(ctx: Context) -> BaseException:
    """Return what a wait under a context that is done raises: a new instance of its error.

    `__cause__` is the context's cause where that is another one.
    """
    err = ctx.err()
    if err is None:
        err = Canceled()  # a class of the user's that closes `done` before it sets its error
    try:
        error = type(err)(*err.args)
    except Exception:  # an exception class of the user's with another signature
        error = err
    if isinstance(err, Canceled) and isinstance(error, Canceled):
        error.signum = err.signum
    why = cause(ctx)
    if why is not None and why is not err:
        error.__cause__ = why
    return error


class CtxEnd:
    """`Sudog.why` of a wait that its context has ended."""

    __slots__ = ("ctx",)

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx  # [const]

    def __repr__(self) -> str:
        return "CTX_DONE"


def begin_limits(mp: M, sg: Sudog, when: float | None, ctx: Any, done: Any) -> None:
    """Put a queued Sudog, made for this wait alone, under its deadline and its context.

    The caller holds no lock and parks next; `done` is what `look_at` returned. Runs on: own M.
    """
    if when is not None:
        add_timeout(mp, sg, when)
    if done is not None:
        sg.ctx = ctx
        why = CtxEnd(ctx)
        if not done.watch(sg, why) and sg.owner.dequeue(sg):
            sg.why = why
            goready(sg)


def end_limits(mp: M, sg: Sudog, when: float | None, done: Any) -> None:
    """Take it out again, after the wait. Runs on: own M."""
    if when is not None:
        forget_timeout(mp, sg)
    if done is not None:
        done.unwatch(sg)
