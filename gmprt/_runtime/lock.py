"""Locks of the runtime: ranked, raw, and safe against the code that interrupts their holder.

Invariants:
- A lock is held for a few bytecodes; no user code runs under one, and nobody parks under one.
- Locks are taken in the order of their `Rank`; two of one rank (select) by channel number.

Between any two bytecodes of the holder a finaliser or a signal handler may run on the holder's
own thread, and may call in here for the very same lock. Waiting would then never end. So the fast
path is `acquire(False)`, and `lock_slow` waits in slices and, once enough of them have passed in
vain, looks down its own stack for a frame of the runtime that user code has interrupted: then it
raises.

Hot paths write `if not lock.acquire(False): lock_slow(lock)` ... `lock.release()` by hand: a
`with` block costs twice as much.
"""

import sys
from _thread import allocate_lock
from enum import IntEnum
from os.path import dirname
from threading import get_ident
from types import CodeType, FrameType
from typing import Protocol

from .fault import throw

__all__ = [
    "ENTRANCES",
    "PACKAGE_DIR",
    "Lock",
    "Rank",
    "interrupted_runtime",
    "lock_slow",
    "make_lock",
    "set_lockrank",
]

PACKAGE_DIR = dirname(dirname(__file__))
"""The folder of the package; a code object whose file is below it is the runtime's own."""

ENTRANCES: set[CodeType] = set()
"""Code of the runtime that calls user code as its purpose, and so holds no lock while it does."""

_SLICE = 0.05  # seconds before looking whether this very thread holds the lock
_GIVE_UP = 20  # slices of waiting on top of an interrupted runtime frame before the error


class Rank(IntEnum):
    """The order in which locks are taken: a holder may only take a greater rank.

    `docs/design.md#locks` has the same table, with what each guards.
    """

    BOOT = 10
    INTERRUPT = 20
    SYNC = 30
    CHAN = 40
    TIMER = 45
    SCHED = 50


class Lock(Protocol):
    """What the runtime asks of a lock."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; False if it could not be had."""

    def release(self) -> None:
        """Give it back."""

    def locked(self) -> bool:
        """Tell whether somebody holds it."""


_checking = False
_held: dict[int, list["_CheckedLock"]] = {}


class _CheckedLock:
    """A lock that throws when taken out of order (`GMPRT_DEBUG=lockrank=1`)."""

    __slots__ = ("_lock", "_rank")

    def __init__(self, rank: Rank) -> None:
        self._lock = allocate_lock()
        self._rank = rank

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        held = _held.setdefault(get_ident(), [])
        if held and held[-1]._rank > self._rank:
            throw(f"lock order: {self._rank.name} wanted under {held[-1]._rank.name}")
        taken = self._lock.acquire(blocking, timeout)
        if taken:
            held.append(self)
        return taken

    def release(self) -> None:
        held = _held.get(get_ident(), [])
        if self in held:
            held.remove(self)
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()


def set_lockrank(on: bool) -> None:
    """Make the locks that are created from now on check their order."""
    global _checking
    _checking = on


def make_lock(rank: Rank) -> Lock:
    """Return a new lock of that rank."""
    if _checking:
        return _CheckedLock(rank)
    return allocate_lock()


def lock_slow(lock: Lock) -> None:
    """Take a lock that was not free.

    Raises: RuntimeError if this thread's own interrupted runtime code seems to hold it.
    """
    attempt = 0
    while not lock.acquire(True, _SLICE):
        attempt += 1
        if attempt >= _GIVE_UP and interrupted_runtime(sys._getframe(1), False):
            raise RuntimeError(
                "gmprt was called by a finaliser or signal handler that interrupted the runtime "
                "while it held the same lock; hand the work to a goroutine instead"
            )


def interrupted_runtime(frame: FrameType | None, on_user: bool) -> bool:
    """Tell whether user code on this stack lies on a frame of the runtime that did not call it.

    Looks from `frame` down; `on_user`: what was called from there is user code.
    """
    while frame is not None:
        code = frame.f_code
        own = code.co_filename.startswith(PACKAGE_DIR)
        if own and on_user and code not in ENTRANCES:
            return True
        on_user = not own
        frame = frame.f_back
    return False
