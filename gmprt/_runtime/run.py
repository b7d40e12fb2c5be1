"""The small public verbs: run, current, goexit, sleep, lock_os_thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from .attn import raise_signals, raise_why
from .boot import gomaxprocs
from .clock import DONT_WAIT, deadline
from .ctx import begin_limits, end_limits, look_at
from .debug import current_g
from .g import G, GoroutineExit
from .giveway import GROUND
from .lock import ENTRANCES
from .newg import getm
from .park import gopark, gosched
from .protocols import Context
from .sched import sched
from .sudog import DEAD, NOBODY, TIMED_OUT, Claim, Sudog

__all__ = ["current", "goexit", "lock_os_thread", "run", "sleep", "unlock_os_thread"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_running = False


def run(main: Callable[[*Ts], T], /, *args: *Ts, procs: int | None = None) -> T:
    """Run `main(*args)` as the main goroutine and return its result or raise its exception.

    Optional: without it, too, the main thread is goroutine 1. `procs` is gomaxprocs meanwhile.
    Goroutines that are alive when main returns live on until the process ends.
    Raises: RuntimeError outside the main thread, in another goroutine, inside another `run`;
    TypeError if `main` is not callable.
    """
    global _running
    if not callable(main):
        raise TypeError(f"run: a function to call, not {main!r}")
    mp = getm()
    if mp.curg is not sched.g1:
        raise RuntimeError(
            "gmprt.run must be called by the main goroutine of the main thread; "
            "elsewhere use go(main).result()"
        )
    if _running:
        raise RuntimeError("gmprt.run cannot be called inside another gmprt.run")
    before = None if procs is None else gomaxprocs(procs)
    _running = True
    try:
        result = main(*args)
        if mp.sigs:
            raise_signals(mp)  # one that came in the runtime, too late for the last wait
        return result
    finally:
        _running = False
        if before is not None:
            gomaxprocs(before)


ENTRANCES.add(run.__code__)
GROUND.add(run.__code__)


def current() -> G[Any] | None:
    """Return the running goroutine, main included; None in a foreign thread."""
    getm()  # a first use is one, too
    return current_g()


def goexit() -> NoReturn:
    """End the calling goroutine; its `finally` blocks run. Go: Goexit.

    Raises: GoroutineExit; RuntimeError in main and in a foreign thread.
    """
    gp = current()
    if gp is None or gp is sched.g1:
        where = "a foreign thread" if gp is None else "the main goroutine"
        raise RuntimeError(f"goexit cannot end {where}: return from it, or use sys.exit")
    raise GoroutineExit


class _Sleep:
    """The owner of sleeping goroutines' waits: they are in no queue, the Claim decides."""

    __slots__ = ()
    waits_on = None

    def dequeue(self, sg: Sudog) -> bool:
        """Claim the end of the sleep."""
        try:
            sg.claim.pop()  # type: ignore[union-attr]  # made with a claim
        except IndexError:
            return False
        return True


_SLEEP = _Sleep()


def sleep(seconds: float | None, *, ctx: Context | None = None) -> None:
    """Park the goroutine for that many seconds; zero or less yields.

    None and inf: for ever. Blocks: G. Raises: ValueError for nan; the error of `ctx`.
    Go: time.Sleep.
    """
    when = deadline(seconds)
    done = None if ctx is None else look_at(ctx)
    if when is DONT_WAIT:
        gosched()
        return
    mp = getm()
    gp = mp.curg
    sg = Sudog(gp.stack)
    sg.owner = _SLEEP
    sg.claim = claim = Claim()
    claim.append(None)
    gp.waiting = sg
    gp.since = mp.now
    gp.reason = "sleep"
    begin_limits(mp, sg, when, ctx, done)
    gopark(mp, gp)
    end_limits(mp, sg, when, done)
    sg.owner = NOBODY
    sg.claim = DEAD
    if sg.why is not TIMED_OUT:
        raise_why(gp, sg.why)
    if mp.sigs:
        raise_signals(mp)


def lock_os_thread() -> None:
    """Keep the calling goroutine's thread to itself: no fresh goroutine starts there. Nestable.

    Goroutines that had started there still run when this one waits. One that ends locked ends its
    thread once no other lives there, never the main thread. A no-op in a foreign thread.
    Go: LockOSThread.
    """
    mp = getm()
    if mp.foreign:
        return
    gp = mp.curg
    mp.locked[gp] = mp.locked.get(gp, 0) + 1
    mp.due = 0


def unlock_os_thread() -> None:
    """Undo one `lock_os_thread`; no-op if there is none. Go: UnlockOSThread."""
    mp = getm()
    gp = mp.curg
    nesting = mp.locked.get(gp, 0)
    if nesting > 1:
        mp.locked[gp] = nesting - 1
    elif nesting:
        del mp.locked[gp]
        mp.due = 0
