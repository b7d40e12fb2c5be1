"""Locks of the runtime: ranked, raw, and safe against the code that interrupts their holder.

Invariants:
- A lock is held for a few bytecodes; no user code runs under one, and nobody parks under one.
- Locks are taken in the order of their `Rank`; two of one rank (select) by channel number.

A lock is a list with one token in it while it is free: to take it is `lock.pop()`, to give it back
`lock.append(None)` (`release`), each one atomic C call. With the interpreter's own locks the pair
costs four times as much, a tenth of a channel operation (benchmarks/pingpong.py). Who finds it
empty waits in `lock_slow`, by the wake-up protocol (note.py): it announces itself in `parked` and
tries once more; who releases publishes the token and looks at `parked`.

Between any two bytecodes of the holder a finaliser or a signal handler may run on the holder's
own thread, and may call in here for the very same lock. Waiting would then never end. So
`lock_slow` waits in slices and, once enough of them have passed in vain, looks down its own stack
for a frame of the runtime that user code has interrupted: then it raises.

Taken with `acquire(lock)`, given back with `release(lock)`; the hottest paths have those few lines
written out. A `with` block would cost more than the lock.
"""

import sys
from collections.abc import Iterable
from enum import IntEnum
from os.path import dirname, join
from threading import get_ident
from types import CodeType, FrameType
from typing import TypeAlias, TypeVar

from .fault import throw
from .note import Note
from .rawobject import uncounted

__all__ = [
    "ENTRANCES",
    "GIL",
    "PACKAGE_DIR",
    "Lock",
    "Rank",
    "acquire",
    "interrupted_runtime",
    "lock_slow",
    "make_lock",
    "parked",
    "release",
    "set_lockrank",
    "snapshot",
    "unpark",
]

T = TypeVar("T")

GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether this process runs Python on one thread at a time: chooses the wake policy, once."""

PACKAGE_DIR = join(dirname(dirname(__file__)), "")  # with the separator: no other's prefix
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


Lock: TypeAlias = list[None]
"""A lock: one token in it while it is free, none while it is held."""

parked: dict[Note, Lock] = uncounted({})
"""Who waits in `lock_slow`, and for what. [atomic: dict]"""

_checking = False
_held: dict[int, list["_CheckedLock"]] = {}


class _CheckedLock(list[None]):
    """A lock that throws when taken out of order (`GMPRT_DEBUG=lockrank=1`)."""

    __slots__ = ("rank",)

    def __init__(self, rank: Rank) -> None:
        super().__init__([None])
        self.rank = rank

    def pop(self, index: object = -1) -> None:
        held = _held.setdefault(get_ident(), [])
        if held and held[-1].rank > self.rank:
            throw(f"lock order: {self.rank.name} wanted under {held[-1].rank.name}")
        super().pop()
        held.append(self)

    def append(self, token: None) -> None:
        held = _held.get(get_ident(), [])
        for i, lock in enumerate(held):
            if lock is self:
                del held[i]
                break
        super().append(token)


def set_lockrank(on: bool) -> None:
    """Make the locks that are created from now on check their order."""
    global _checking
    _checking = on


def make_lock(rank: Rank) -> Lock:
    """Return a new lock of that rank."""
    # A literal has room for the one token exactly and so keeps its memory when that is taken.
    return _CheckedLock(rank) if _checking else [None]


def acquire(lock: Lock) -> None:
    """Take a lock; hot paths have it written out. `release` gives it back."""
    try:
        lock.pop()
    except IndexError:
        lock_slow(lock)


def release(lock: Lock) -> None:
    """Give a lock back."""
    lock.append(None)  # publish
    if parked:  # look
        unpark(lock)


def lock_slow(lock: Lock) -> None:
    """Take a lock that was not free.

    Raises: RuntimeError if this thread's own interrupted runtime code seems to hold it.
    """
    note = Note()
    parked[note] = lock  # announce
    slices = 0
    try:
        while True:
            try:
                lock.pop()  # re-check
                return
            except IndexError:
                pass
            if note.sleep(_SLICE):
                continue
            slices += 1
            if slices >= _GIVE_UP and interrupted_runtime(sys._getframe(1), False):
                raise RuntimeError(
                    "gmprt was called by a finaliser or signal handler that interrupted the "
                    "runtime while it held the same lock; hand the work to a goroutine instead"
                )
    finally:
        del parked[note]


def snapshot(items: Iterable[T]) -> list[T]:
    """Copy a container that others change meanwhile, which no method of it does atomically."""
    while True:
        try:
            return list(items)
        except RuntimeError:
            continue  # changed while being copied


def unpark(lock: Lock) -> None:
    """Wake one of those who wait for a lock that has been given back. Never raises.

    Others come and go meanwhile, and a copy would not be safe from them either: making one can
    start the collector, and with it any code. Who is missed has come after the token was there.
    """
    while True:
        try:
            for note, wanted in parked.items():
                if wanted is lock:
                    note.wake()
                    return
            return
        except RuntimeError:
            continue  # changed while it was looked through


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
