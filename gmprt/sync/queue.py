"""What the waiting sides of the locks share."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from .._runtime import DEAD, Lock, Sudog, lock_slow

__all__ = ["Locker", "acquire", "lock_surely", "take_out"]


def acquire(lock: Lock) -> None:
    """Take an object's lock; `release` gives it back."""
    try:
        lock.pop()
    except IndexError:
        lock_slow(lock)


def take_out(queue: deque[Sudog], sg: Sudog) -> bool:
    """Remove a waiter from a queue; False if it is not there. Caller holds: the queue's lock."""
    try:
        queue.remove(sg)
    except ValueError:
        return False
    sg.claim = DEAD
    return True


class Locker(Protocol):
    """What `Cond` asks of a lock. Go: sync.Locker."""

    def lock(self) -> None: ...
    def unlock(self) -> None: ...


def lock_surely(lock: Locker) -> BaseException | None:
    """Lock it, whatever interrupts that; return the last interrupt, for the caller to raise.

    Raises: RuntimeError if there is a deadlock, or no waiting here: trying again would not help.
    """
    interrupt = None
    while True:
        try:
            lock.lock()
        except RuntimeError:
            raise
        except BaseException as exc:
            interrupt = exc
        else:
            return interrupt
