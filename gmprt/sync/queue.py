"""What the waiting sides of the locks share."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Locker", "lock_surely"]


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
