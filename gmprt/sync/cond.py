"""Cond: waiting for something to change."""

from __future__ import annotations

from collections import deque

from .._runtime import (
    NOBODY,
    Claim,
    Rank,
    Sudog,
    acquire,
    getm,
    gopark,
    goready,
    make_lock,
    raise_why,
    release,
    take_out,
)
from .queue import Locker, lock_surely

__all__ = ["Cond", "Locker"]


class Cond:
    """A place to wait for, and to announce, that something has changed. Go: sync.Cond.

    `L` is the lock given; hold it while changing what is waited for, and when calling `wait`.
    """

    __slots__ = ("L", "__weakref__", "_lock", "_waitq")

    def __init__(self, lock: Locker) -> None:
        if not (callable(getattr(lock, "lock", None)) and callable(getattr(lock, "unlock", None))):
            raise TypeError(f"Cond: an object with lock and unlock, not {lock!r}")
        self.L = lock  # [const]
        self._waitq: deque[Sudog] = deque()  # [lock: _lock]
        self._lock = make_lock(Rank.SYNC)

    def wait(self) -> None:
        """Unlock `L`, wait to be signalled, lock `L` again, also where an interrupt ends the wait.

        Call it in a loop that looks at the condition. Blocks: G. Raises: RuntimeError if `L` is
        not locked.
        """
        sg = Sudog(getm().curg.stack)
        # In the queue before `L` is free, so that who signals from then on finds this waiter. But
        # unlocking is the user's code, which may raise or park: until it is back the token in the
        # Claim says that there is nobody to wake.
        sg.claim = Claim([None])
        acquire(self._lock)
        self._waitq.append(sg)
        release(self._lock)
        try:
            self.L.unlock()
        except BaseException:
            if not self._leave(sg):
                self.signal()  # it was meant for another
            raise
        try:
            self._park(sg)
        finally:
            self._relock()

    def signal(self) -> None:
        """Wake who has waited longest, if anybody waits. Blocks: no."""
        self._notify(1)

    def broadcast(self) -> None:
        """Wake all who wait. Blocks: no."""
        self._notify(len(self._waitq))

    def _notify(self, n: int) -> None:
        acquire(self._lock)
        ready = []
        for _ in range(min(n, len(self._waitq))):
            sg = self._waitq.popleft()
            if sg.claim is None:
                ready.append(sg)
            else:
                sg.claim.clear()  # not parked yet: it will see that
        release(self._lock)
        for sg in ready:
            goready(sg)

    def _park(self, sg: Sudog) -> None:
        """Wait until notified, unless that has happened already."""
        mp = getm()
        gp = mp.curg
        sg.owner = self
        gp.waiting = sg
        gp.since = mp.now
        gp.reason = "sync.Cond.Wait"
        acquire(self._lock)
        notified = not sg.claim
        sg.claim = None  # from here on it is a plain waiter
        release(self._lock)
        if notified:
            gp.reason = None
        else:
            gopark(mp, gp)
        sg.owner = NOBODY
        if sg.why is not None:
            raise_why(gp, sg.why)

    def _leave(self, sg: Sudog) -> bool:
        acquire(self._lock)
        found = take_out(self._waitq, sg)
        release(self._lock)
        return found

    def _relock(self) -> None:
        """Lock `L` again: the caller's `with L:` is going to unlock it."""
        interrupt = lock_surely(self.L)
        if interrupt is not None:
            try:
                raise interrupt
            finally:
                del interrupt

    def dequeue(self, sg: Sudog) -> bool:
        """Take a waiter out (see Owner)."""
        return self._leave(sg)

    def __repr__(self) -> str:
        return f"<Cond of {self.L!r}, {len(self._waitq)} waiting>"
