"""Mutex: Go's mutual exclusion lock, with its normal and its starvation mode."""

from __future__ import annotations

from collections import deque
from types import TracebackType

from .._runtime import (
    NOBODY,
    Rank,
    Sudog,
    acquire,
    getm,
    gopark,
    goready,
    make_lock,
    now,
    raise_why,
    release,
    take_out,
)

__all__ = ["Mutex"]

STARVING_AFTER = 0.001  # Go: starvationThresholdNs


class Mutex:
    """A mutual exclusion lock for goroutines. Go: sync.Mutex.

    Normally a waiter that wakes competes with newcomers, who are faster. One that loses and has
    waited over 1 ms turns the lock to starvation mode: then `unlock` hands it to the first waiter,
    and newcomers queue; until the last waiter, or one that waited less, gets it.
    """

    __slots__ = ("__weakref__", "_free", "_lock", "_starving", "_waitq")

    def __init__(self) -> None:
        self._free: list[None] = [None]  # [atomic: list.append/pop] one token: free
        self._waitq: deque[Sudog] = deque()  # [lock: _lock]
        self._starving = False  # [lock: _lock]
        self._lock = make_lock(Rank.SYNC)

    def lock(self) -> None:
        """Take the lock; waits while another has it. Blocks: G."""
        if not self._waitq:
            try:
                self._free.pop()
                return
            except IndexError:
                pass
        self._lock_slow()

    def try_lock(self) -> bool:
        """Take the lock if it is free and nobody starves for it. Blocks: no."""
        if self._starving:
            return False
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def unlock(self) -> None:
        """Give the lock back; any goroutine may. Raises: RuntimeError if it is not locked."""
        if self._free:
            raise RuntimeError("sync: unlock of unlocked mutex")
        if self._waitq:
            self._unlock_slow()
            return
        self._free.append(None)
        if self._waitq:  # somebody has come meanwhile: see `_lock_slow`
            self._wake_one()

    def _lock_slow(self) -> None:
        """Queue and wait; a waiter that is woken competes again, at the head of the queue."""
        mp = getm()
        gp = mp.curg
        began = 0.0
        woken = False
        while True:
            acquire(self._lock)
            if not self._starving and (woken or not self._waitq):
                try:
                    self._free.pop()
                except IndexError:
                    pass
                else:
                    release(self._lock)
                    if woken:
                        mp.mutex_waits += 1
                        mp.mutex_wait += now() - began
                    return
            if woken and not self._starving and now() - began > STARVING_AFTER:
                self._starving = True
            sg: Sudog = gp.stack.sudog  # type: ignore[union-attr]  # it runs
            sg.owner = self
            sg.ok = False
            if not began:
                began = now()
            gp.waiting = sg
            gp.since = began
            gp.reason = "sync.Mutex.Lock"
            if woken:
                self._waitq.appendleft(sg)
            else:
                self._waitq.append(sg)
            first = self._first_if_free()
            if first is sg:
                gp.reason = None
                sg.owner = NOBODY
                self._got_it_locked(began)
                release(self._lock)
                return
            release(self._lock)
            if first is not None:
                goready(first)
            gopark(mp, gp)
            sg.owner = NOBODY
            if sg.why is not None:
                raise_why(gp, sg.why)
            if sg.ok:  # handed over
                acquire(self._lock)
                self._got_it_locked(began)
                release(self._lock)
                mp.mutex_waits += 1
                mp.mutex_wait += now() - began
                return
            woken = True

    def _first_if_free(self) -> Sudog | None:
        """Hand the lock to the first waiter if it was unlocked by one who saw no waiter.

        In starvation mode too: nobody else would ever. Caller holds: _lock, and wakes the one that
        is returned; there is a waiter.
        """
        if not self._free:
            return None
        try:
            self._free.pop()
        except IndexError:
            return None  # a newcomer has it, whose unlock will see the queue
        first = self._waitq.popleft()
        first.ok = True
        return first

    def _got_it_locked(self, began: float) -> None:
        """End starvation mode if this waiter was the last, or has not waited long."""
        if self._starving and (not self._waitq or now() - began < STARVING_AFTER):
            self._starving = False

    def _unlock_slow(self) -> None:
        """Free the lock and wake the first waiter, or hand it over if there is starvation."""
        acquire(self._lock)
        if self._starving and self._waitq:
            sg = self._waitq.popleft()
            sg.ok = True
            release(self._lock)
            goready(sg)
            return
        self._free.append(None)
        sg_next = self._waitq.popleft() if self._waitq else None
        release(self._lock)
        if sg_next is not None:
            goready(sg_next)

    def _wake_one(self) -> None:
        acquire(self._lock)
        sg = self._waitq.popleft() if self._waitq and self._free else None
        release(self._lock)
        if sg is not None:
            goready(sg)

    def dequeue(self, sg: Sudog) -> bool:
        """Take a waiter out (see Owner)."""
        acquire(self._lock)
        found = take_out(self._waitq, sg)
        if found and not self._waitq:
            self._starving = False
        release(self._lock)
        return found

    def __enter__(self) -> None:
        self.lock()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.unlock()

    def __repr__(self) -> str:
        state = "unlocked" if self._free else "locked"
        starving = ", starving" if self._starving else ""
        return f"<Mutex {state}, {len(self._waitq)} waiting{starving}>"
