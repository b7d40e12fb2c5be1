"""The frames that threads are in, without the trap in 3.11's `sys._current_frames`.

3.11 holds a lock of the interpreter there while it makes frame objects, and making one may start
the collector. What that calls lets go of the GIL, perhaps to a thread that wants this lock, as each
does that starts or ends: both wait for ever (CPython's issue 106883). From 3.12 the collector runs
between bytecodes only.

Invariants: nothing here changes how the program runs, but that on 3.11 there is no collection while
`current_frames` looks.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from _thread import get_ident
from types import FrameType

__all__ = ["HAS_TRAP", "current_frames", "frame_of_tstate"]

HAS_TRAP = sys.version_info < (3, 12)


def current_frames() -> dict[int, FrameType]:
    """Do as `sys._current_frames`; the caller's own is the caller's."""
    off = HAS_TRAP and gc.isenabled()
    if off:
        gc.disable()
    try:
        frames = sys._current_frames()
    finally:
        if off:
            gc.enable()
    frames[get_ident()] = sys._getframe(1)
    return frames


def frame_of_tstate(tstate: int) -> FrameType | None:
    """Return the frame on top of a thread that cannot end meanwhile; None if there is none. With
    the GIL only."""
    # Not as an object, which a NULL is not: ctypes would crash.
    address = _get_frame(tstate)
    if not address:
        return None
    frame: FrameType = ctypes.cast(address, ctypes.py_object).value
    _dec_ref(address)  # that of the call; `frame` has its own
    return frame


_get_frame = ctypes.pythonapi.PyThreadState_GetFrame
_get_frame.argtypes = [ctypes.c_void_p]
_get_frame.restype = ctypes.c_void_p
_dec_ref = ctypes.pythonapi["Py_DecRef"]  # by index: the settings of no other's are changed
_dec_ref.argtypes = [ctypes.c_void_p]
_dec_ref.restype = None
