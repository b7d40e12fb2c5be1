"""Calls that may block their thread: `syscall` and `blocking`.

If no other started goroutine lives on the M, the call is made in place: it keeps its P at
first, so that a quick call costs no hand-off, and sysmon takes the P away when the call turns out
to be long (Go: entersyscall, retake, exitsyscall). If others live here, they would be stranded:
then the call is made by an M without goroutines, and the caller parks. `blocking` is in place
always, and gives the P away at once if somebody could use it.

Inside a call `tls.m` is a stand-in like that of a foreign thread, so a wait there blocks the thread
alone, and `current()` is the caller.

Invariants:
- `M.incall` is True exactly while the M is in an announced call in place.
- The stand-in's `incall` is True exactly while user code of the call may run: there a signal's
  exception may be raised on the spot.
- While a call waits in `sched.callq`, some M makes another (`sched.ncalls`), and takes it next. So
  does an M that goes idle and where nobody lives.

Locks: sched.lock for the queue of calls that wait for a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from .attn import answer, raise_attn, raise_why
from .fault import to_stderr
from .g import G
from .handoff import (
    acquirep,
    goready,
    handoffp,
    launch,
    newm,
    take_call,
    take_idle_m,
    wait_for_p,
)
from .lock import ENTRANCES, release
from .m import M, tls
from .newg import getm
from .park import gopark
from .sched import lock_sched, sched
from .sudog import DEAD, NOBODY, Claim, Sudog

__all__ = ["blocking", "syscall"]

PS = ParamSpec("PS")
T = TypeVar("T")


def syscall(fn: Callable[PS, T], /, *args: PS.args, **kwargs: PS.kwargs) -> T:
    """Run a call that may block its thread; neither the P nor another goroutine waits for it.

    On the caller's thread or another, as suits. It sees a copy of the caller's contextvars, and
    `current()` is the caller. An interrupt comes after it returns.
    Blocks: G. Raises: what `fn` raises; TypeError if it is not callable. Go: entersyscall.
    """
    if not callable(fn):
        raise TypeError(f"syscall: a function to call, not {fn!r}")
    mp = getm()
    ctx = copy_context()
    if mp.foreign:
        return ctx.run(fn, *args, **kwargs)
    gp = mp.curg
    if mp.nlive() > 1:
        value: T = _elsewhere(mp, gp, ctx, fn, args, kwargs)
        return value
    return _in_place(mp, gp, ctx, fn, args, kwargs)


ENTRANCES.add(syscall.__code__)


def _in_place(
    mp: M,
    gp: G[Any],
    ctx: Context,
    fn: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> T:
    """Make the call on the caller's own thread."""
    stand_in = _entersyscall(mp, gp)
    try:
        stand_in.incall = True
        return ctx.run(fn, *args, **kwargs)
    finally:
        stand_in.incall = False
        _exitsyscall(mp)
        if gp.attn is not None:
            raise_attn(mp, gp)


ENTRANCES.add(_in_place.__code__)


def _entersyscall(mp: M, gp: G[Any]) -> M:
    """Announce a call in place; returns the stand-in. Runs on: own M. Go: reentersyscall."""
    stand_in = mp.stand_in(gp)
    mp.calltick += 1
    mp.incall = True
    tls.m = stand_in
    return stand_in


def _exitsyscall(mp: M) -> None:
    """End a call in place: take a P again, the old one if it is still there. Go: exitsyscall."""
    tls.m = mp
    mp.incall = False
    mp.calltick += 1
    if mp.p is None and not acquirep(mp):
        wait_for_p(mp, answer)


class blocking:  # used as a function: `with blocking():`
    """A block that may block its thread: `with blocking(): ...`.

    It runs in place, its P given to others; started goroutines that live on this thread wait for
    it. A wait of this API inside blocks the thread alone. A no-op in a foreign thread and inside
    another call. An interrupt comes after the block.
    """

    __slots__ = ("_m", "_stand_in")
    _stand_in: M

    def __init__(self) -> None:
        self._m: M | None = None

    def __enter__(self) -> None:
        mp = getm()
        if mp.foreign:
            return
        self._m = mp
        pp = mp.p
        self._stand_in = _entersyscall(mp, mp.curg)
        if pp is not None and (sched.pwait or sched.queued()) and handoffp(pp, mp):
            lock_sched()
            sched.handoffs += 1
            release(sched.lock)
        self._stand_in.incall = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mp = self._m
        if mp is None:
            return
        self._m = None
        self._stand_in.incall = False
        _exitsyscall(mp)
        if exc is None and mp.curg.attn is not None:
            raise_attn(mp, mp.curg)


class Call:
    """A call to be made on another M while its goroutine is parked. Owner of that wait."""

    __slots__ = ("args", "ctx", "exc", "fn", "gp", "kwargs", "made", "sg", "value")

    def __init__(
        self,
        sg: Sudog,
        gp: G[Any],
        ctx: Context,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.sg = sg
        self.gp = gp
        self.ctx = ctx
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.made = False  # [own: the M that makes it]
        self.value: Any = None
        self.exc: BaseException | None = None

    def __repr__(self) -> str:
        return f"<call of {self.fn!r} by goroutine {self.gp.id}>"

    def dequeue(self, sg: Sudog) -> bool:
        """Give the wait up: main for a signal's exception, or where no thread is to be had."""
        lock_sched()  # `take_call` looks at the claim, and then changes what the caller waits for
        found = bool(sg.claim)
        if found:
            sg.claim.pop()  # type: ignore[union-attr]  # made with a claim
        release(sched.lock)
        return found

    def refuse(self) -> None:
        """Have the caller make it on its own thread: there is no other."""
        if self.dequeue(self.sg):
            goready(self.sg)

    def run(self, mp: M) -> None:
        """Make the call on `mp`, which holds no P and where nobody lives, then take the next."""
        mp.call = None
        if self.sg.claim:  # else given up meanwhile: then it is never made
            self._make(mp)
        lock_sched()
        sched.ncalls -= 1
        take_call(mp)
        release(sched.lock)

    def _make(self, mp: M) -> None:
        self.made = True
        tls.m = mp.stand_in(self.gp)
        try:
            self.value = self.ctx.run(self.fn, *self.args, **self.kwargs)
        except BaseException as exc:  # raised again in the goroutine that called
            traceback = exc.__traceback__
            exc.__traceback__ = None if traceback is None else traceback.tb_next
            self.exc = exc
        finally:
            tls.m = mp
        if self.dequeue(self.sg):
            goready(self.sg)


ENTRANCES.add(Call._make.__code__)


def _elsewhere(
    mp: M,
    gp: G[Any],
    ctx: Context,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Have the call made by another M, and park.

    At the limit of Ms it waits its turn, FIFO; if there are no calls to wait for, it is made here.
    """
    sg = Sudog(gp.stack)
    sg.claim = Claim()
    sg.claim.append(None)
    sg.owner = call = Call(sg, gp, ctx, fn, args, kwargs)
    gp.waiting = sg
    gp.since = mp.now
    gp.reason = "syscall"
    _dispatch(call)
    gopark(mp, gp)
    sg.owner = NOBODY
    sg.claim = DEAD
    if sg.why is not None:
        raise_why(gp, sg.why)
    if not call.made:
        return _in_place(mp, gp, ctx, fn, args, kwargs)
    if gp.attn is not None:
        raise_attn(mp, gp)
    exc = call.exc
    if exc is not None:
        try:
            raise exc
        finally:
            del call, exc, sg  # the traceback holds this frame
    return call.value


def _dispatch(call: Call) -> None:
    """Give the call to an idle M where nobody lives, to a new one, or to the queue."""
    lock_sched()
    target = take_idle_m(home_too=False)
    fresh = None
    if target is None:
        target = fresh = newm()
    if target is not None:
        target.call = call
        sched.ncalls += 1
        release(sched.lock)
        if fresh is None:
            target.note.wake()
        else:
            launch(fresh)
        return
    waits = sched.ncalls > 0  # the Ms that make them see to the queue
    if waits:
        call.gp.reason = "syscall (thread limit)"
        sched.callq.append(call)
    warn = not sched.warned_threads
    sched.warned_threads = True
    release(sched.lock)
    if warn:
        to_stderr(
            f"gmprt: {len(sched.allm)} threads are in use, system calls wait their turn, or keep "
            "the goroutines of their thread waiting (GMPRT_MAXTHREADS allows more)\n"
        )
    if not waits:
        call.refuse()
