"""WaitGroup: counts goroutines and waits until all are done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from sys import _getframe
from typing import ClassVar, ParamSpec, TypeVar

from .._runtime import (
    DEAD,
    DONT_WAIT,
    NOBODY,
    TIMED_OUT,
    Claim,
    Context,
    G,
    Rank,
    Sudog,
    acquire,
    begin_limits,
    deadline,
    end_limits,
    getm,
    gopark,
    goready,
    lock_slow,
    look_at,
    make_lock,
    newproc,
    parked,
    raise_signals,
    raise_why,
    release,
    take_out,
    unpark,
)

__all__ = ["WaitGroup"]

P = ParamSpec("P")
T = TypeVar("T")


class WaitGroup:
    """Counts goroutines and waits until all are done. Go: sync.WaitGroup."""

    __slots__ = ("__weakref__", "_count", "_lock", "_waitq")

    def __init__(self) -> None:
        self._count = 0  # [lock: _lock]
        self._waitq: deque[Sudog] = deque()  # [lock: _lock]
        self._lock = make_lock(Rank.SYNC)

    def add(self, n: int) -> None:
        """Change the counter by `n`; at zero all waiters go on. Blocks: no.

        Raises: ValueError if it would become negative, and it does not change then; TypeError for
        no int.
        """
        if isinstance(n, bool) or not isinstance(n, int):
            raise TypeError(f"WaitGroup.add: an int, not {n!r}")
        lock = self._lock
        acquire(lock)
        count = self._count + n
        if count < 0:
            release(lock)
            raise ValueError("sync: negative WaitGroup counter")
        self._count = count
        ready: list[Sudog] = []
        if not count and self._waitq:
            ready.extend(self._waitq)
            self._waitq.clear()
        release(lock)
        for sg in ready:
            goready(sg)

    def done(self) -> None:
        """Count one down. Raises: ValueError at zero."""
        # `add(-1)` with others still to come, written out: three calls less, a tenth of what a
        # counted goroutine costs (benchmarks/spawn_many.py).
        lock = self._lock
        try:
            lock.pop()
        except IndexError:
            lock_slow(lock)
        count = self._count - 1
        if count > 0:
            self._count = count
        lock.append(None)
        if parked:
            unpark(lock)
        if count <= 0:
            self.add(-1)

    # The end of a goroutine is told to who stands in its `joinq` (G.joinq): the group itself.
    claim: ClassVar[Claim] = DEAD
    stack: ClassVar[None] = None
    elem = done

    def wait(self, timeout: float | None = None, *, ctx: Context | None = None) -> None:
        """Wait until the counter is zero. Blocks: G. Raises: TimeoutError; the error of `ctx`."""
        when = None if timeout is None else deadline(timeout)
        done = None if ctx is None else look_at(ctx)
        lock = self._lock
        acquire(lock)
        if not self._count:
            release(lock)
            return
        if when is DONT_WAIT:
            release(lock)
            raise TimeoutError("WaitGroup.wait timed out")
        mp = getm()
        gp = mp.curg
        limited = when is not None or done is not None
        sg = Sudog(gp.stack) if limited else gp.stack.sudog  # type: ignore[union-attr]
        sg.owner = self
        gp.waiting = sg
        gp.since = mp.now
        gp.reason = "sync.WaitGroup.Wait"
        self._waitq.append(sg)
        release(lock)
        if limited:
            begin_limits(mp, sg, when, ctx, done)
        gopark(mp, gp)
        sg.owner = NOBODY
        why = sg.why
        if limited:
            end_limits(mp, sg, when, done)
        if why is not None:
            if why is TIMED_OUT:
                raise TimeoutError("WaitGroup.wait timed out")
            raise_why(gp, why)
        if mp.sigs:
            raise_signals(mp)

    def go(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> G[T]:
        """Start `fn(*args, **kwargs)` as a goroutine that is counted until it ends, in whatever
        way.

        Blocks: no. Raises: TypeError if `fn` is not callable. Go: WaitGroup.Go.
        """
        if not callable(fn):
            raise TypeError(f"WaitGroup.go: a function to call, not {fn!r}")
        self.add(1)
        try:
            return newproc(_getframe(1), fn, args, kwargs, [self])
        except BaseException:  # no thread for it, at the interpreter's end
            self.done()
            raise

    def dequeue(self, sg: Sudog) -> bool:
        """Take a waiter out (see Owner)."""
        acquire(self._lock)
        found = take_out(self._waitq, sg)
        release(self._lock)
        return found

    def __repr__(self) -> str:
        return f"<WaitGroup {self._count}, {len(self._waitq)} waiting>"
