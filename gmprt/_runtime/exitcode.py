"""The exit status at exit time: GMPRT_LEAKS=error wants 66, but a program's own status stays.

Python does not tell its `atexit` callbacks the status. What can be known: an uncaught exception is
in `sys.last_value`; a status given to `sys.exit` is noted by a wrapper that is there only with
GMPRT_LEAKS=error; and whether the main module returned or was unwound by an exception shows in
where its frame stopped. A bare `raise SystemExit(n)` leaves n unknown: then the status stays as it
is.
"""

from __future__ import annotations

import dis
import os
import sys
from types import FrameType
from typing import Any, NoReturn

__all__ = ["end_with_leak_status", "watch_exit"]

LEAKED = 66

_bottom: FrameType | None = None
_asked: list[Any] = []


def watch_exit() -> None:
    """Begin to watch how the program ends. Runs on: the main thread, with GMPRT_LEAKS=error."""
    global _bottom
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
    _bottom = frame
    real = sys.exit

    def exit(status: Any = None, /) -> NoReturn:  # stands for sys.exit
        """Exit the interpreter by raising SystemExit(status)."""
        _asked[:] = [status]
        real(status)

    sys.exit = exit


def end_with_leak_status() -> None:
    """End the process with status 66 if the program itself ends with 0; else return."""
    if _own_status_is_zero():
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # there is none, or it is closed or full
                pass
        os._exit(LEAKED)


def _own_status_is_zero() -> bool:
    """Tell whether the program ends with status 0, as far as can be known."""
    if _bottom is None or not _unwound(_bottom):
        return True
    if getattr(sys, "last_value", None) is not None:
        return False  # an uncaught exception: 1
    if not _asked:
        return False  # SystemExit raised by hand: unknown
    return _asked[0] is None or _asked[0] == 0


def _unwound(frame: FrameType) -> bool:
    """Tell whether a finished frame was left by an exception, not by its return."""
    lasti = frame.f_lasti
    last = ""
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset > lasti:
            break
        last = instruction.opname
    return not last.startswith("RETURN_")
