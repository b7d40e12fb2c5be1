"""What CPython keeps of an object's references, where it tells of it only in C; without the GIL.

A thread counts its references to what it has made apart from those of all others. When another lets
go of the last of these, the object is put into a queue of the thread that made it, which drops it
once it runs Python again: until then it is there, with one reference more than anybody holds.
"""

from __future__ import annotations

import _thread
import ctypes
import sys

from .sched import GIL

__all__ = ["alone"]

_SHARED = object.__basicsize__ - 16  # offset of `ob_ref_shared`, before the type
_STATES, _QUEUED = 3, 2  # its lowest bits


def alone(thing: object) -> bool:
    """Tell whether one reference is left, that of the caller's local name. False if in doubt.

    Without the GIL what other threads do meanwhile may deceive: ask twice.
    """
    return sys.getrefcount(thing) == _ONE + (_known and _queued(thing))


def _queued(thing: object) -> bool:
    return ctypes.c_size_t.from_address(id(thing) + _SHARED).value & _STATES == _QUEUED


def _is_as_expected() -> bool:
    """Look at an object of this thread's own: first comes who has made it."""
    if GIL or sys.implementation.name != "cpython":
        return False
    thing = object()
    word = ctypes.c_size_t.from_address
    made_by, shared = word(id(thing)).value, word(id(thing) + _SHARED).value
    return made_by == _thread.get_ident() and shared == 0


def _references_of_one() -> int:
    thing = object()
    return _count(thing)


def _count(thing: object) -> int:
    return sys.getrefcount(thing)


_ONE = _references_of_one()  # of one name, seen from a function that is called with it
_known = _is_as_expected()
