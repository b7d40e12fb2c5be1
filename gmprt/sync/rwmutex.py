"""RWMutex: many readers or one writer."""

from __future__ import annotations

from collections import deque

from .._runtime import (
    NOBODY,
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

__all__ = ["RLocker", "RWMutex"]


class RWMutex:
    """A lock held by any number of readers or by one writer. Go: sync.RWMutex.

    A writer that waits keeps new readers out; when a writer is done, the readers that wait go
    first. So neither starves. `with` takes the write lock, `with m.rlocker():` the read lock.
    """

    __slots__ = ("__weakref__", "_lock", "_readers", "_rwaitq", "_writing", "_wwaitq")

    def __init__(self) -> None:
        self._readers = 0  # [lock: _lock] who hold the read lock
        self._writing = False  # [lock: _lock] somebody holds the write lock
        self._rwaitq: deque[Sudog] = deque()  # [lock: _lock]
        self._wwaitq: deque[Sudog] = deque()  # [lock: _lock]
        self._lock = make_lock(Rank.SYNC)

    def lock(self) -> None:
        """Take the write lock. Blocks: G."""
        acquire(self._lock)
        if not (self._writing or self._readers or self._wwaitq):
            self._writing = True
            release(self._lock)
            return
        self._wait(self._wwaitq, "sync.RWMutex.Lock")

    def try_lock(self) -> bool:
        """Take the write lock if nobody holds or awaits any. Blocks: no."""
        acquire(self._lock)
        free = not (self._writing or self._readers or self._wwaitq)
        if free:
            self._writing = True
        release(self._lock)
        return free

    def unlock(self) -> None:
        """Give the write lock back; any goroutine may.

        Raises: RuntimeError if it is not held.
        """
        acquire(self._lock)
        if not self._writing:
            release(self._lock)
            raise RuntimeError("sync: Unlock of unlocked RWMutex")
        self._writing = False
        ready = self._admit_readers() or self._admit_writer()
        release(self._lock)
        for sg in ready:
            goready(sg)

    def rlock(self) -> None:
        """Take the read lock. Blocks: G, while a writer has the lock or waits for it."""
        acquire(self._lock)
        if not (self._writing or self._wwaitq):
            self._readers += 1
            release(self._lock)
            return
        self._wait(self._rwaitq, "sync.RWMutex.RLock")

    def try_rlock(self) -> bool:
        """Take the read lock if no writer has the lock or waits for it. Blocks: no."""
        acquire(self._lock)
        free = not (self._writing or self._wwaitq)
        if free:
            self._readers += 1
        release(self._lock)
        return free

    def runlock(self) -> None:
        """Give the read lock back; any goroutine may. Raises: RuntimeError if it is not held."""
        acquire(self._lock)
        if not self._readers:
            release(self._lock)
            raise RuntimeError("sync: RUnlock of unlocked RWMutex")
        self._readers -= 1
        ready = self._admit_writer()
        release(self._lock)
        for sg in ready:
            goready(sg)

    def rlocker(self) -> RLocker:
        """Return a lock whose `lock` and `unlock` are `rlock` and `runlock`."""
        return RLocker(self)

    def _admit_readers(self) -> list[Sudog]:
        """Give the read lock to all who wait for it. Caller holds: _lock; no writer has it."""
        ready = list(self._rwaitq)
        self._rwaitq.clear()
        self._readers += len(ready)
        return ready

    def _admit_writer(self) -> list[Sudog]:
        """Give the write lock to the first who waits, if it is free. Caller holds: _lock."""
        if self._readers or self._writing or not self._wwaitq:
            return []
        self._writing = True
        return [self._wwaitq.popleft()]

    def _wait(self, queue: deque[Sudog], reason: str) -> None:
        """Queue until the lock is handed over. Caller holds: _lock, which is released."""
        mp = getm()
        gp = mp.curg
        sg = gp.stack.sudog  # type: ignore[union-attr]  # it runs
        sg.owner = self
        gp.waiting = sg
        gp.since = mp.now
        gp.reason = reason
        queue.append(sg)
        release(self._lock)
        gopark(mp, gp)
        sg.owner = NOBODY
        if sg.why is not None:
            raise_why(gp, sg.why)

    def dequeue(self, sg: Sudog) -> bool:
        """Take a waiter out (see Owner). Readers that only a writer has kept out go on."""
        acquire(self._lock)
        found = take_out(self._rwaitq, sg) or take_out(self._wwaitq, sg)
        ready = []
        if found and not (self._writing or self._wwaitq):
            ready = self._admit_readers()
        release(self._lock)
        for other in ready:
            goready(other)
        return found

    def __enter__(self) -> None:
        self.lock()

    def __exit__(self, *exc: object) -> None:
        self.unlock()

    def __repr__(self) -> str:
        state = "locked" if self._writing else f"{self._readers} reading"
        waiting = f"{len(self._wwaitq)} writers, {len(self._rwaitq)} readers waiting"
        return f"<RWMutex {state}, {waiting}>"


class RLocker:
    """The read side of a RWMutex as a lock. Go: RWMutex.RLocker."""

    __slots__ = ("_rw",)

    def __init__(self, rw: RWMutex) -> None:
        self._rw = rw

    def lock(self) -> None:
        """Take the read lock. Blocks: G."""
        self._rw.rlock()

    def try_lock(self) -> bool:
        """Take the read lock if that needs no waiting. Blocks: no."""
        return self._rw.try_rlock()

    def unlock(self) -> None:
        """Give the read lock back. Raises: RuntimeError if it is not held."""
        self._rw.runlock()

    def __enter__(self) -> None:
        self._rw.rlock()

    def __exit__(self, *exc: object) -> None:
        self._rw.runlock()

    def __repr__(self) -> str:
        return f"<read side of {self._rw!r}>"
