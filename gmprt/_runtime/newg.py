"""Making goroutines: what a `go` statement does.

Invariants:
- A goroutine is in one queue from its making on, and popping it there is the claim.
- Whoever queues one at a P that has been lost meanwhile wakes an M, since nobody else looks there.

Locks: none; without a P, sched.lock (in handoff.py).

Rejected: an atomic claim per goroutine at its start: `interrupt` only leaves a mark.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import Context, copy_context
from sys import _getframe
from types import CodeType, FrameType
from typing import Any, ParamSpec, TypeVar

from .g import G
from .handoff import wake_for_foreign, wakep
from .m import M, tls
from .p import RUNQ_MAX, P
from .sched import GOID_BATCH, sched

__all__ = ["Spawn", "getm", "go", "newproc", "set_attach", "set_born_hook"]

PS = ParamSpec("PS")
T = TypeVar("T")

_attach: Callable[[], M]


def set_attach(attach: Callable[[], M]) -> None:
    """Name what brings the calling thread in; called by boot.py."""
    global _attach
    _attach = attach


def getm() -> M:
    """Return the calling thread's M, or its stand-in."""
    try:
        return tls.m
    except AttributeError:
        return _attach()


def go(fn: Callable[PS, T], /, *args: PS.args, **kwargs: PS.kwargs) -> G[T]:
    """Start `fn(*args, **kwargs)` as a goroutine and return its handle at once.

    It runs in a copy of the caller's contextvars. Works anywhere, with no set-up. Blocks: no.
    Raises: TypeError if `fn` is not callable. Go: proc.go newproc.
    """
    # This is `newproc`, written out: a call less is 3 % of go + join (benchmarks/spawn_join.py).
    if not callable(fn):
        raise TypeError(f"go: a function to call, not {fn!r}")
    try:
        mp = tls.m
    except AttributeError:
        mp = _attach()
    frame = _getframe(1)
    gp: G[T] = G()
    try:
        gp.id = next(mp.goids)
    except StopIteration:
        gp.id = _more_goids(mp)
    gp.fn = fn
    gp.args = args
    gp.kwargs = kwargs or None
    gp.ctx = copy_context()
    gp.code = frame.f_code
    gp.lasti = frame.f_lasti
    gp.parent = mp.curg.id
    gp.stack = None
    gp.joinq = []
    gp.attn = None
    if _on_born is not None:
        _on_born(gp)
    pp = mp.p
    if pp is None:
        _queue_without_p(gp)
        return gp
    runnext = pp.runnext
    if runnext:
        _kick_runnext(pp)
    runnext.append(gp)
    if (sched.wakeful and not sched.nspinning) or pp.m is None:  # None: the P was lost meanwhile
        wakep()
    return gp


_on_born: Callable[[G[Any]], None] | None = None


def set_born_hook(hook: Callable[[G[Any]], None]) -> None:
    """Have each new goroutine told of before it can run (leaks)."""
    global _on_born
    _on_born = hook


def newproc(
    frame: FrameType,
    fn: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    joinq: list[Any] | None = None,
) -> G[T]:
    """Make a goroutine whose `go` statement is where `frame` stands, and queue it: as `go`.

    `joinq` is told of its end (`G.joinq`), from the first moment.
    """
    mp = getm()
    q: list[Any] = [] if joinq is None else joinq
    code, lasti = frame.f_code, frame.f_lasti
    return _newproc(mp, code, lasti, mp.curg.id, copy_context(), fn, args, kwargs, q)


class Spawn:
    """A `go` statement that is carried out later, as by the one who has written it."""

    __slots__ = ("args", "code", "ctx", "fn", "kwargs", "lasti", "parent")

    def __init__(
        self,
        frame: FrameType,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.code = frame.f_code  # [const]
        self.lasti = frame.f_lasti  # [const]
        self.parent = getm().curg.id  # [const]
        self.ctx = copy_context()  # [const]
        self.fn = fn  # [const]
        self.args = args  # [const]
        self.kwargs = kwargs  # [const]

    def __repr__(self) -> str:
        return f"<go {self.fn!r}>"

    def start(self) -> G[Any]:
        """Make the goroutine, each time in a fresh copy of the context. Any thread."""
        ctx = self.ctx.copy()
        code, lasti, parent = self.code, self.lasti, self.parent
        return _newproc(getm(), code, lasti, parent, ctx, self.fn, self.args, self.kwargs, [])


def _newproc(
    mp: M,
    code: CodeType,
    lasti: int,
    parent: int,
    ctx: Context,
    fn: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    joinq: list[Any],
) -> G[T]:
    """Make a goroutine and queue it. Must agree with `go`."""
    gp: G[T] = G()
    try:
        gp.id = next(mp.goids)
    except StopIteration:
        gp.id = _more_goids(mp)
    gp.fn = fn
    gp.args = args
    gp.kwargs = kwargs or None
    gp.ctx = ctx
    gp.code = code
    gp.lasti = lasti
    gp.parent = parent
    gp.stack = None
    gp.joinq = joinq
    gp.attn = None
    if _on_born is not None:
        _on_born(gp)
    pp = mp.p
    if pp is None:
        _queue_without_p(gp)
        return gp
    runnext = pp.runnext
    if runnext:
        _kick_runnext(pp)
    runnext.append(gp)
    if (sched.wakeful and not sched.nspinning) or pp.m is None:  # None: the P was lost meanwhile
        wakep()
    return gp


def _more_goids(mp: M) -> int:
    """Give an M another batch of ids, and return the first of them."""
    first = sched.goid_batch()
    mp.goids = iter(range(first + 1, first + GOID_BATCH))
    return first


def _kick_runnext(pp: P) -> None:
    """Move the goroutine in runnext to the tail of the queue; half of a full one goes global."""
    try:
        kicked = pp.runnext.pop()
    except IndexError:
        return  # a thief was faster
    runq = pp.runq
    runq.append(kicked)
    if len(runq) > RUNQ_MAX:
        overflow = sched.runq
        try:
            for _ in range(RUNQ_MAX // 2):
                overflow.append(runq.popleft())
        except IndexError:
            pass  # a thief has emptied it


def _queue_without_p(gp: G[Any]) -> None:
    """Queue a goroutine made by a thread that holds no P."""
    if sys.is_finalizing():
        raise RuntimeError("gmprt: cannot start a goroutine, the interpreter is being finalised")
    sched.runq.append(gp)
    wake_for_foreign()
    if sched.no_threads and len(sched.pidle) >= sched.procs and _unqueue(gp):
        raise RuntimeError("gmprt: cannot start a goroutine, no thread can be started to run it")


def _unqueue(gp: G[Any]) -> bool:
    try:
        sched.runq.remove(gp)
    except ValueError:
        return False  # somebody has taken it after all
    return True
