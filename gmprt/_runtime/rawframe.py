"""The interpreter's own frame: where things lie in it, for what Python shows of no frame.

Words are read straight from memory. `usable` tells whether this Python lays its frames out as
expected, found out on a frame made for that; nothing may be read where it does not.

Invariants: none of this changes anything; a caller reads only frames that cannot run meanwhile.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from types import CodeType, FrameType

__all__ = ["local_slots", "object_at", "stack_entry", "usable"]

WORD = 8
HEAD = object.__basicsize__  # 16, without the GIL 32
F_FRAME = (HEAD + WORD) // WORD  # in PyFrameObject: f_back, then f_frame, in words
LOCALS = 9  # in _PyInterpreterFrame, in words: localsplus, and behind it the evaluation stack

# f_code or f_executable, in words
_CODE = {(3, 11): 4, (3, 12): 0, (3, 13): 0}.get(sys.version_info[:2], 0)

# All of memory as words.
memory = (ctypes.c_uint64 * (1 << 44)).from_address(0)


def local_slots(code: CodeType) -> int:
    """Count the slots of local variables, cells and free variables."""
    names = dict.fromkeys(code.co_varnames)
    names.update(dict.fromkeys(code.co_cellvars))
    return len(names) + len(code.co_freevars)


def object_at(address: int) -> object:
    """Return the object at an address; one must be there."""
    return ctypes.cast(address, ctypes.py_object).value


def stack_entry(frame: FrameType, index: int) -> object:
    """Return an entry of a frame's evaluation stack, the lowest being 0; it must be there.

    Raises: LookupError if the frame is not as expected.
    """
    code = frame.f_code
    at = memory[id(frame) // WORD + F_FRAME] // WORD
    if memory[at + _CODE] != id(code):
        raise LookupError("not the frame that was expected")
    address = memory[at + LOCALS + local_slots(code) + index]
    if not address:
        raise LookupError("nothing there")
    return object_at(address)


def _works() -> bool:
    """Read a frame whose contents are known, and compare."""
    known = sys.version_info[:2] in ((3, 11), (3, 12), (3, 13))
    if not known or sys.implementation.name != "cpython" or struct.calcsize("P") != WORD:
        return False
    found: list[object] = []

    class Guard:
        def __enter__(self) -> None:
            pass

        def __exit__(self, *exc: object) -> None:
            pass

    def look(frame: FrameType) -> None:
        found.append(stack_entry(frame, 0))

    guard = Guard()

    def inside(argument: object) -> object:
        local = argument
        with guard:
            look(sys._getframe())
        return lambda: local

    inside(None)
    return getattr(found[0], "__self__", None) is guard


try:
    usable = _works()
except LookupError:
    usable = False
