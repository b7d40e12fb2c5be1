"""What CPython keeps of an object's references, where it tells of it only in C; without the GIL.

A thread counts its references to what it has made apart from those of all others. When another lets
go of the last of these, the object is put into a queue of the thread that made it, which drops it
once it runs Python again: until then it is there, with one reference more than anybody holds.

All the others count theirs in one place, by atomic additions. Where two threads use an object at
each step, that place travels between their CPUs: to read `tls.m` took 75 ns on one thread and 149
on each of two, `sched.runq` 65 and 355 (3.13t). What lasts as long as the process needs no count.
"""

from __future__ import annotations

import _thread
import ctypes
import sys
from typing import TypeVar

__all__ = ["alone", "uncounted"]

T = TypeVar("T")

_IMMORTAL = 0xFFFFFFFF  # in `ob_ref_local`: nobody counts; it is in that of None, too
_LOCAL = object.__basicsize__ - 20  # offset of `ob_ref_local`, which has 32 bits
_SHARED = object.__basicsize__ - 16  # offset of `ob_ref_shared`, before the type
_STATES, _QUEUED = 3, 2  # its lowest bits


def alone(thing: object) -> bool:
    """Tell whether one reference is left, that of the caller's local name. False if in doubt.

    Without the GIL what other threads do meanwhile may deceive: ask twice.
    """
    return sys.getrefcount(thing) == _ONE + (_known and _queued(thing))


def uncounted(thing: T) -> T:
    """Have no references to `thing` be counted, which lasts as long as the process; return it.

    As CPython itself does with None, functions and classes. With the GIL, or where an object's head
    does not look as expected: nothing. Runs on: the thread that has made it, before others know it.
    """
    if _known:
        ctypes.c_uint32.from_address(id(thing) + _LOCAL).value = _IMMORTAL
    return thing


def _queued(thing: object) -> bool:
    return ctypes.c_size_t.from_address(id(thing) + _SHARED).value & _STATES == _QUEUED


def _is_as_expected() -> bool:
    """Look at an object of this thread's own: first comes who has made it. False with the GIL."""
    if getattr(sys, "_is_gil_enabled", lambda: True)() or sys.implementation.name != "cpython":
        return False
    thing = object()
    word, half = ctypes.c_size_t.from_address, ctypes.c_uint32.from_address
    made_by, shared = word(id(thing)).value, word(id(thing) + _SHARED).value
    local = half(id(thing) + _LOCAL)
    before = local.value
    held = [thing] * 5
    counts = local.value - before == len(held) and half(id(None) + _LOCAL).value == _IMMORTAL
    return made_by == _thread.get_ident() and shared == 0 and counts


def _references_of_one() -> int:
    thing = object()
    return _count(thing)


def _count(thing: object) -> int:
    return sys.getrefcount(thing)


_ONE = _references_of_one()  # of one name, seen from a function that is called with it
_known = _is_as_expected()
