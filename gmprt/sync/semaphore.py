"""Semaphore: weighted, first come, first served. Go: golang.org/x/sync/semaphore."""

from __future__ import annotations

from collections import deque
from typing import Literal

from .._runtime import (
    DONT_WAIT,
    NOBODY,
    TIMED_OUT,
    Context,
    Rank,
    Sudog,
    acquire,
    begin_limits,
    ctx_error,
    deadline,
    end_limits,
    getm,
    gopark,
    goready,
    look_at,
    make_lock,
    raise_why,
    release,
    take_out,
)

__all__ = ["Semaphore"]


class Semaphore:
    """Counts down from `n`; who asks for more than is left waits, first come, first served.

    `with` takes one. Raises: ValueError for `n < 0`; TypeError for what is no int.
    Go: golang.org/x/sync/semaphore.
    """

    __slots__ = ("__weakref__", "_doomed", "_held", "_lock", "_size", "_waitq")

    def __init__(self, n: int) -> None:
        self._size = _weight(n, "Semaphore")  # [const]
        self._held = 0  # [lock: _lock]
        self._waitq: deque[Sudog] = deque()  # [lock: _lock] `elem` is how many it wants
        self._doomed: deque[Sudog] = deque()  # [lock: _lock] who want more than there is
        self._lock = make_lock(Rank.SYNC)

    def acquire(
        self, n: int = 1, *, timeout: float | None = None, ctx: Context | None = None
    ) -> Literal[True]:
        """Take `n`; more than the size waits for the time-out or the context. Blocks: G.

        Raises: TimeoutError or the error of `ctx`, and then nothing was taken; ValueError for
        `n < 0`.
        """
        _weight(n, "Semaphore.acquire")
        when = None if timeout is None else deadline(timeout)
        done = None if ctx is None else look_at(ctx)
        acquire(self._lock)
        if self._size - self._held >= n and not self._waitq:
            self._held += n
            release(self._lock)
            return True
        if when is DONT_WAIT:
            release(self._lock)
            raise TimeoutError("Semaphore.acquire timed out")
        mp = getm()
        gp = mp.curg
        limited = when is not None or done is not None
        sg = Sudog(gp.stack) if limited else gp.stack.sudog  # type: ignore[union-attr]
        # More than there is: waits for its limits alone, in a queue of its own, as Go's.
        queue = self._waitq if n <= self._size else self._doomed
        sg.owner = self
        sg.elem = n
        gp.waiting = sg
        gp.since = mp.now
        gp.reason = "semacquire"
        queue.append(sg)
        release(self._lock)
        if limited:
            begin_limits(mp, sg, when, ctx, done)
        gopark(mp, gp)
        sg.owner = NOBODY
        sg.elem = None
        if limited:
            end_limits(mp, sg, when, done)
        why = sg.why
        if why is not None:
            if why is TIMED_OUT:
                raise TimeoutError("Semaphore.acquire timed out")
            raise_why(gp, why)
        if done is not None and ctx.err() is not None:  # type: ignore[union-attr]  # it is there
            # Acquired, but after the end: as Go, this says that it was not.
            self.release(n)
            raise ctx_error(ctx)  # type: ignore[arg-type]
        return True

    def try_acquire(self, n: int = 1) -> bool:
        """Take `n` if that needs no waiting. Blocks: no. Raises: ValueError for `n < 0`."""
        _weight(n, "Semaphore.try_acquire")
        acquire(self._lock)
        free = self._size - self._held >= n and not self._waitq
        if free:
            self._held += n
        release(self._lock)
        return free

    def release(self, n: int = 1) -> None:
        """Give `n` back. Blocks: no. Raises: RuntimeError if more than is held, and nothing
        changes; ValueError for `n < 0`."""
        _weight(n, "Semaphore.release")
        acquire(self._lock)
        if n > self._held:
            release(self._lock)
            raise RuntimeError("semaphore: released more than held")
        self._held -= n
        ready = self._admit()
        release(self._lock)
        for sg in ready:
            goready(sg)

    def _admit(self) -> list[Sudog]:
        """Serve waiters from the front as far as it goes. Caller holds: _lock."""
        ready = []
        while self._waitq and self._waitq[0].elem <= self._size - self._held:
            sg = self._waitq.popleft()
            self._held += sg.elem
            ready.append(sg)
        return ready

    def dequeue(self, sg: Sudog) -> bool:
        """Take a waiter out (see Owner). Those behind a big one may go on."""
        acquire(self._lock)
        found = take_out(self._waitq, sg) or take_out(self._doomed, sg)
        ready = self._admit() if found else []
        release(self._lock)
        for other in ready:
            goready(other)
        return found

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Semaphore {self._held}/{self._size}, {len(self._waitq)} waiting>"


def _weight(n: int, what: str) -> int:
    """Check a number of units."""
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{what}: an int, not {n!r}")
    if n < 0:
        raise ValueError(f"{what}: must not be negative: {n}")
    return n
