"""Naming an M that waits for a lock of its thread while goroutines that live on it are ready.

One of those may hold that lock, and then nobody ever goes on: it was preempted, or it waits,
between `acquire()` and `release()` or in a `with` block. Said on stderr, once for each place.
"""

from __future__ import annotations

import dis
from types import CodeType, FrameType
from typing import Any

from .debug import living
from .fault import to_stderr
from .g import G, place_of
from .lock import PACKAGE_DIR
from .m import M
from .sched import GIL
from .stops import top_of
from .withs import may_hold_lock

__all__ = ["name_blocked"]

_named: set[tuple[CodeType, int]] = set()
_SHOWN = 3  # goroutines that are named


def name_blocked(mp: M, seconds: float) -> None:
    """Say which goroutine has blocked `mp` for so long, if it waits for a lock. Runs on: sysmon."""
    top = top_of(mp)
    if top is None:
        return
    code, lasti = top
    if (code, lasti) in _named or not _takes_lock(code, lasti):
        return
    _named.add((code, lasti))
    gp = mp.curg
    here = [other for other in living() if other.stack is not None and other.m is mp]
    others = [other for other in here if other is not gp]
    # Without the GIL the M may wake up and run them: then their frames are not looked at.
    holders = [other for other in others if GIL and _holds(_frame(other))] or others
    names = ", ".join(
        f"goroutine {other.id} ({other.name}){_at(other)}" for other in holders[:_SHOWN]
    )
    more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
    to_stderr(
        f"gmprt: goroutine {gp.id} ({gp.name}) has waited for {seconds:.1f} s for a lock of its "
        f"thread, at {place_of(code, lasti)}. Goroutines of the same thread cannot run meanwhile; "
        f"one of them may hold it: {names}{more}. A lock of gmprt.sync blocks the goroutine alone\n"
    )


def _takes_lock(code: CodeType, lasti: int) -> bool:
    """Tell whether a frame that has stopped there is in `acquire()`, or enters a `with` block."""
    method = ""
    for one in dis.get_instructions(code):
        if one.offset > lasti:
            break
        if one.opname == "BEFORE_WITH":
            method = "acquire"
        elif one.opname in ("LOAD_METHOD", "LOAD_ATTR", "LOAD_SPECIAL"):
            method = str(one.argval)
    return method in ("acquire", "__enter__")


def _holds(frame: FrameType | None) -> bool:
    while frame is not None:
        if not frame.f_code.co_filename.startswith(PACKAGE_DIR) and may_hold_lock(frame):
            return True
        frame = frame.f_back
    return False


def _frame(gp: G[Any]) -> FrameType | None:
    sp = gp.stack
    return getattr(getattr(sp, "greenlet", sp), "gr_frame", None)


def _at(gp: G[Any]) -> str:
    """Say where a goroutine of a blocked M stands, in its own code."""
    frame = _frame(gp) if GIL else None
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE_DIR):
        frame = frame.f_back
    return "" if frame is None else f" at {place_of(frame.f_code, frame.f_lasti)}"
