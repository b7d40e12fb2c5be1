"""What a suspended frame holds, reference by reference, its evaluation stack included.

Python shows a frame's local variables, but not its cells, its function, nor what lies on its
evaluation stack (`for v in ch` holds the channel nowhere else). So this reads the interpreter's own
frame. Whatever cannot be read for certain is left out, which can only make an object look as if
somebody else held it.

The evaluation stack is read as deep as the interpreter has noted it; where it has not, because the
frame is in a call of C code, as deep as the bytecode says, at instructions that leave their
operands where they are until the call is over.

Invariants:
- `usable` is set once `_works` has found the layout it expects on frames made for that.
- What is returned may miss references, but has none too many.

Rejected: `f_locals` alone, which would lose every closure's cells and every `for v in ch`, and on
3.11 and 3.12 leaves a snapshot behind that keeps deleted locals alive.
"""

from __future__ import annotations

import ctypes
import dis
import struct
import sys
from array import array
from collections.abc import Container
from itertools import filterfalse, pairwise
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

from .._runtime import GIL, local_slots, own_sleeps

__all__ = ["Disturbed", "held_by", "things_held_by", "usable"]

_WORD = 8
_HEAD = object.__basicsize__  # 16, without the GIL 32
_F_FRAME = (_HEAD + _WORD) // _WORD  # in PyFrameObject: f_back, then f_frame, in words
_BY_GENERATOR = 1  # owner: the generator's own traversal tells of it
_BY_ITSELF = 2  # owner: it is over, what is left lies in the frame object
_BY_C_STACK = 3  # owner: no frame of Python's, but where C code called the interpreter

# In _PyInterpreterFrame, in words: f_code or f_executable, f_func or f_funcobj, previous; then in
# bytes of the word at `_STATE`, which begins with stacktop: the owner. prev_instr or instr_ptr is
# at `_INSTRUCTION`, localsplus begins at `_LOCALS`.
_LAYOUTS = {(3, 11): (4, 0, 6, 5), (3, 12): (0, 2, 1, 6), (3, 13): (0, 2, 1, 6)}
_CODE, _FUNC, _PREVIOUS, _OWNER_BYTE = _LAYOUTS.get(sys.version_info[:2], (0, 0, 0, 0))
_INSTRUCTION, _STATE, _LOCALS = 7, 8, 9
_OWNER = 8 * _OWNER_BYTE
_BYTECODE = CodeType.__basicsize__  # where it begins in a code object, in bytes
_EXIT_ON_STACK: bool = sys.version_info < (3, 12)

# They call C code with their operands in place, and these stay there until it returns.
_OPERANDS_STAY = frozenset({"CALL", "CALL_KW", "CALL_FUNCTION_EX", "PRECALL", "FOR_ITER"})

# All of memory as words, and as objects; a slice is a list of them, in one call of C code.
_memory = memoryview((ctypes.c_uint64 * (1 << 44)).from_address(0)).cast("B").cast("Q")
_objects = (ctypes.py_object * (1 << 44)).from_address(0)

# By id: a code, kept alive; where its local variables end in a frame, and where the frame does.
_shapes: dict[int, tuple[CodeType, int, int]] = {}
_depths: dict[int, dict[int, int] | None] = {}  # by id of code in `_shapes`


def objects_at(addresses: list[int]) -> list[Any]:
    """Return the objects at addresses that `held_by` has returned, while nothing has run since."""
    words = array("Q", addresses)
    at = words.buffer_info()[0] // _WORD
    return _objects[at : at + len(words)]


class Disturbed(Exception):
    """Another thread has run while a frame was read."""


def things_held_by(frame: FrameType) -> list[object]:
    """Return what a suspended frame and those below it refer to, once per reference.

    Raises: Disturbed if with the GIL another thread has run in between: then the addresses may be
    those of what is gone. Without it the caller has halted whoever could run the frames.
    """
    before = own_sleeps()
    addresses = held_by(frame)
    if GIL and own_sleeps() != before:
        raise Disturbed
    return objects_at(addresses)


def held_by(frame: FrameType | None, but: Container[int] = frozenset((0,))) -> list[int]:
    """Return the addresses of what a suspended frame and those below it refer to, once per
    reference, without those in `but`, 0 among them.

    The caller sees to it that they cannot run meanwhile. Reads them without `f_back`, which would
    make an object of each.
    """
    held: list[int] = []
    memory, shapes = _memory, _shapes
    at = 0
    while frame is not None:
        at = memory[id(frame) // _WORD + _F_FRAME] // _WORD
        if memory[at + _STATE] >> _OWNER & 0xFF != _BY_ITSELF:
            break
        frame = frame.f_back
        at = 0
    unknown = frame
    while at:
        shape = shapes.get(memory[at + _CODE])
        if shape is None:
            if unknown is not None and memory[at + _STATE] >> _OWNER & 0xFF != _BY_C_STACK:
                _learn(unknown)
                unknown = None
            else:
                at = memory[at + _PREVIOUS] // _WORD
            continue
        code, n, end = shape
        words = memory[at : at + end].tolist()
        at = words[_PREVIOUS] // _WORD
        state = words[_STATE]
        stacktop = state & 0xFFFFFFFF  # a C int: -1 while it runs
        if state >> _OWNER & 0xFF != _BY_GENERATOR:
            held.append(words[_FUNC])
        elif stacktop < 1 << 31:
            continue
        if stacktop >= 1 << 31:
            depth = _depth_at(code, words[_INSTRUCTION] - id(code) - _BYTECODE)
            if depth < 0:  # in `__enter__`
                depth = -depth - 1
                held += _entering(words[n + depth])
            n += depth
        elif _LOCALS + stacktop > n:
            n = _LOCALS + stacktop
        held += words[_LOCALS:n]
    return list(filterfalse(but.__contains__, held))


def _learn(frame: FrameType | None) -> None:
    """Note the shapes of a frame and those below it."""
    while frame is not None:
        code = frame.f_code
        if id(code) not in _shapes:
            n = _LOCALS + local_slots(code)
            _shapes[id(code)] = (code, n, n + code.co_stacksize)
        frame = frame.f_back


def _entering(top: int) -> list[int]:
    """Return what BEFORE_WITH holds while it calls `__enter__`; `top` is the top of its stack.

    The object itself is not on the stack any more, but the bound methods `__enter__` and `__exit__`
    refer to it. On 3.11 `__exit__` is on the stack, later both are known to C alone, and what lies
    on top is the address of the object, which has been let go.
    """
    if _EXIT_ON_STACK:
        [leave] = objects_at([top])
        owner = getattr(leave, "__self__", None)
        return [top, id(owner)] if type(leave) is MethodType else []
    [owner] = objects_at([top])
    kind = type(owner)
    methods = (getattr(kind, "__enter__", None), getattr(kind, "__exit__", None))
    return [top, top] if all(type(method) is FunctionType for method in methods) else []


def _depth_at(code: CodeType, lasti: int) -> int:
    """Return how many entries lie on the evaluation stack before an instruction; 0 if unknown.

    Negative at BEFORE_WITH, of whose entries the top one is a case of its own.
    """
    key = id(code)
    if key not in _depths:
        try:
            _depths[key] = _analyse(code)
        except Exception:  # a bytecode that is not understood: nothing is known
            _depths[key] = None
    depths = _depths[key]
    return 0 if depths is None else depths.get(lasti, 0)


def _analyse(code: CodeType) -> dict[int, int]:
    """Find the depth before each instruction that leaves its operands where they are."""
    instructions = [i for i in dis.get_instructions(code) if i.opname != "CACHE"]
    following = {a.offset: b.offset for a, b in pairwise(instructions)}
    by_offset = {i.offset: i for i in instructions}
    before: dict[int, int] = {}
    todo: list[tuple[int, int]] = [(instructions[0].offset, 0)]
    todo += [
        (entry.target, entry.depth + (1 if entry.lasti else 0) + 1)
        for entry in dis._parse_exception_table(code)  # type: ignore[attr-defined]
    ]
    while todo:
        offset, depth = todo.pop()
        known = before.get(offset)
        if known is not None:
            if known != depth:
                raise ValueError("two depths at one instruction")
            continue
        before[offset] = depth
        one = by_offset[offset]
        arg = one.arg if one.opcode >= dis.HAVE_ARGUMENT else None
        if one.opcode in dis.hasjrel or one.opcode in dis.hasjabs:
            todo.append((one.argval, depth + dis.stack_effect(one.opcode, arg, jump=True)))
        if one.opname in _NO_NEXT:
            continue
        if offset in following:
            effect = dis.stack_effect(one.opcode, arg, jump=False)
            todo.append((following[offset], depth + effect))
    depths = {}
    for offset, depth in before.items():
        name = by_offset[offset].opname
        if name in _OPERANDS_STAY:
            depths[offset] = depth
        elif name == "BEFORE_WITH":
            depths[offset] = -depth
    return depths


_NO_NEXT = frozenset(
    {
        "RETURN_VALUE",
        "RETURN_CONST",
        "RETURN_GENERATOR_STOP",
        "RAISE_VARARGS",
        "RERAISE",
        "JUMP_FORWARD",
        "JUMP_BACKWARD",
        "JUMP_BACKWARD_NO_INTERRUPT",
        "INTERPRETER_EXIT",
    }
)


def _works() -> bool:
    """Read frames whose contents are known, and compare."""
    if sys.version_info[:2] not in _LAYOUTS or sys.implementation.name != "cpython":
        return False
    if struct.calcsize("P") != _WORD:
        return False
    found: list[list[int]] = []
    one, two, three = object(), object(), object()

    class Iterator:
        def __iter__(self) -> Iterator:
            return self

        def __next__(self) -> int:
            look(sys._getframe(1))
            raise StopIteration

    def look(frame: FrameType) -> None:
        found.append(held_by(frame))

    def plain(argument: object, iterator: Iterator) -> object:
        local = two
        cell = three
        for _ in iterator:
            pass
        return lambda: (cell, local, argument)

    iterator = Iterator()
    plain(one, iterator)
    seen = found[0]
    # In `plain` the iterator is a local and lies on the stack, `argument` and `local` are in cells;
    # in this function it and `one` are locals, `two` and `three` are in cells.
    expected = {id(iterator): 3, id(plain): 2, id(one): 1, id(two): 0, id(three): 0}
    return all(seen.count(address) == n for address, n in expected.items())


usable = _works()
