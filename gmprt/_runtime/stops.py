"""Looking at other threads, and changing their events: what may stop all threads for a moment.

Without the GIL each change of events and each look at frames does. The interpreter would never end
if its end caught somebody at it, whose thread is gone then; nor would a forked child. So these are
done under one lock, and not any more once the interpreter ends.

Invariants: who holds the lock calls nothing that waits.

Locks: `_events_lock` (rank BOOT).
"""

from __future__ import annotations

import gc
import sys
import time
from _thread import get_ident
from types import CodeType, FrameType

from .clock import now
from .frames import HAS_TRAP, frame_of_tstate
from .lock import PACKAGE_DIR, Rank, acquire, make_lock, release
from .m import M
from .sched import GIL, lock_sched, sched

__all__ = [
    "collecting",
    "events_are_locked",
    "frame_of",
    "hold_stops",
    "lock_events",
    "own_code",
    "release_stops",
    "stop_preempting",
    "top_of",
    "unlock_events",
]

_events_lock = make_lock(Rank.BOOT)


def lock_events() -> None:
    """Take the lock under which events are changed."""
    acquire(_events_lock)


def unlock_events() -> None:
    """Give it back."""
    release(_events_lock)


def events_are_locked() -> bool:
    """Tell whether somebody holds it."""
    return not _events_lock


def stop_preempting() -> None:
    """Change no thread's events any more: the interpreter is about to end."""
    acquire(_events_lock)
    sched.preemptoff = True
    release(_events_lock)


def hold_stops() -> None:
    """Before a fork, without the GIL: see that no other thread is about to stop all threads.

    A lock of the interpreter that it would hold just then stays locked in the child, whose first
    collection waits for it for ever. So sysmon changes no events meanwhile, no collection begins,
    and one that has begun ends first.
    """
    global _collects
    if GIL:
        return
    acquire(_events_lock)
    _collects = gc.isenabled()
    gc.disable()
    until = now() + _COLLECTION_SECONDS
    while now() < until:
        _Before().__class__ = _After  # type: ignore[assignment]  # this, too, stops all threads
        if not collecting - {get_ident()}:
            return
        time.sleep(0.001)


class _Before:
    pass


class _After:
    pass


collecting: set[int] = set()  # [atomic: set.add/discard] idents of the threads that collect
_COLLECTION_SECONDS = 5.0  # a collection may run finalisers that wait for this thread


def release_stops(in_child: bool) -> None:
    """After a fork: undo that; in the child with a fresh lock, where nobody else is left."""
    global _events_lock
    if not GIL and _collects:
        gc.enable()
    if in_child:
        _events_lock = make_lock(Rank.BOOT)
        collecting.clear()
    elif not GIL:
        release(_events_lock)


_collects = False


def frame_of(mp: M) -> FrameType | None:
    """Return the frame on top of a thread; None if there is none, or if the interpreter ends."""
    if HAS_TRAP:
        lock_sched()  # as in `_arm`: an M that ends is taken out of `allm` under it before
        try:
            return frame_of_tstate(mp.tstate) if mp in sched.allm and mp.tstate else None
        finally:
            release(sched.lock)
    acquire(_events_lock)
    try:
        return None if sched.exiting else sys._current_frames().get(mp.ident)
    except Exception:  # an audit hook does not allow it
        return None
    finally:
        release(_events_lock)


def top_of(mp: M) -> tuple[CodeType, int] | None:
    """Return where a thread stands; None if that cannot be told.

    Of the top frame alone, since the thread may be running.
    """
    frame = frame_of(mp)
    return None if frame is None else (frame.f_code, frame.f_lasti)


def own_code(mp: M) -> CodeType | None:
    """Return the code that a thread runs, past what the runtime is doing for it; None if none.

    The runtime may be on top each time one looks: its function is called in each collection, and a
    thread that does nothing but collect gives up the GIL only there.
    """
    frame = frame_of(mp)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE_DIR):
        # Without the GIL it may be running, and its lower frames change meanwhile.
        frame = frame.f_back if GIL else None
    return None if frame is None else frame.f_code
