"""sync: what goroutines share besides channels, as in Go's package sync.

All of it works between goroutines of any M and foreign threads, mixed. Wait queues are FIFO.

Locks: one of rank SYNC an object, held for a few bytecodes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from sys import _getframe
from types import TracebackType
from typing import ParamSpec, TypeVar

from ._runtime import (
    DEAD,
    DONT_WAIT,
    NOBODY,
    TIMED_OUT,
    Context,
    G,
    Rank,
    Sudog,
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
    now,
    raise_signals,
    raise_why,
)

__all__ = ["Mutex", "WaitGroup"]

P = ParamSpec("P")
T = TypeVar("T")

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
            raise RuntimeError("unlock of unlocked mutex")
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
            self._acquire()
            if woken or not self._waitq:
                # In starvation mode the lock comes by hand-off, never from here.
                try:
                    if not self._starving:
                        self._free.pop()
                        self._lock.release()
                        return
                except IndexError:
                    pass
            if woken and not self._starving and now() - began > STARVING_AFTER:
                self._starving = True
            sg = gp.stack.sudog  # type: ignore[union-attr]  # it runs
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
            retry = bool(self._free)
            if retry:  # unlocked before it saw this waiter
                self._waitq.remove(sg)
                gp.reason = None
            self._lock.release()
            if retry:
                woken = True
                continue
            gopark(mp, gp)
            sg.owner = NOBODY
            if sg.why is not None:
                raise_why(gp, sg.why)
            if sg.ok:  # handed over
                self._acquire()
                if not self._waitq or now() - began < STARVING_AFTER:
                    self._starving = False
                self._lock.release()
                return
            woken = True

    def _unlock_slow(self) -> None:
        """Free the lock and wake the first waiter, or hand it over if there is starvation."""
        self._acquire()
        if self._starving and self._waitq:
            sg = self._waitq.popleft()
            sg.ok = True
            self._lock.release()
            goready(sg)
            return
        self._free.append(None)
        sg_next = self._waitq.popleft() if self._waitq else None
        self._lock.release()
        if sg_next is not None:
            goready(sg_next)

    def _wake_one(self) -> None:
        self._acquire()
        sg = self._waitq.popleft() if self._waitq and self._free else None
        self._lock.release()
        if sg is not None:
            goready(sg)

    def _acquire(self) -> None:
        if not self._lock.acquire(False):
            lock_slow(self._lock)

    def dequeue(self, sg: Sudog) -> bool:
        """Take a waiter out (see Owner)."""
        self._acquire()
        try:
            self._waitq.remove(sg)
        except ValueError:
            return False
        else:
            sg.claim = DEAD
            if not self._waitq:
                self._starving = False
            return True
        finally:
            self._lock.release()

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
        if not lock.acquire(False):
            lock_slow(lock)
        count = self._count + n
        if count < 0:
            lock.release()
            raise ValueError("negative WaitGroup counter")
        self._count = count
        ready: list[Sudog] = []
        if not count and self._waitq:
            ready.extend(self._waitq)
            self._waitq.clear()
        lock.release()
        for sg in ready:
            goready(sg)

    def done(self) -> None:
        """Count one down. Raises: ValueError at zero."""
        self.add(-1)

    def wait(self, timeout: float | None = None, *, ctx: Context | None = None) -> None:
        """Wait until the counter is zero. Blocks: G. Raises: TimeoutError; the error of `ctx`."""
        when = None if timeout is None else deadline(timeout)
        done = None if ctx is None else look_at(ctx)
        lock = self._lock
        if not lock.acquire(False):
            lock_slow(lock)
        if not self._count:
            lock.release()
            return
        if when is DONT_WAIT:
            lock.release()
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
        lock.release()
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
        gp: G[T] = newproc(_getframe(1), fn, args, kwargs)
        gp.on_end(self.done)
        return gp

    def dequeue(self, sg: Sudog) -> bool:
        """Take a waiter out (see Owner)."""
        lock = self._lock
        if not lock.acquire(False):
            lock_slow(lock)
        try:
            self._waitq.remove(sg)
        except ValueError:
            return False
        else:
            sg.claim = DEAD
            return True
        finally:
            lock.release()

    def __repr__(self) -> str:
        return f"<WaitGroup {self._count}, {len(self._waitq)} waiting>"
