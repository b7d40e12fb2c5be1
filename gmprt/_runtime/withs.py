"""Whether a goroutine may hold a lock of its thread: what preemption must not tear apart.

A lock of `threading` belongs to a thread, so a goroutine that is preempted inside `with lock:`
stands against every other of its thread: they wait for ever, or are let in beside it. Python does
not tell who holds one. But a `with` block that a frame is in can be found by the table of its code
that says where exceptions go; what was entered is the owner of the `__exit__` that waits on the
frame's evaluation stack.

May hold a lock: what has `acquire` and `release` itself, or refers to such a thing directly; an
ExitStack with one in it; a generator that stands in such a block; and what cannot be looked into.
gmprt's own locks belong to goroutines and do not count. `acquire()` without `with` cannot be seen.

Also one: whatever stands in a module of the standard library that takes locks.
"""

from __future__ import annotations

import contextlib
import dis
import gc
from collections.abc import Iterator
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any

from . import rawframe

__all__ = ["LOCKING", "takes_locks", "may_hold_lock"]

LOCKING = """
    _pyio _strptime _threading_local _weakrefset asyncio bdb concurrent
    contextlib._BaseExitStack.enter_context ctypes functools.cached_property.__get__
    http.cookiejar importlib io logging multiprocessing pdb queue reprlib sched socket subprocess
    sysconfig tempfile threading warnings weakref webbrowser zipfile zipimport
""".split()  # noqa: SIM905 - a list of 30 strings is read by nobody
"""What takes locks in the standard library, or keeps something by thread, or is called by a C
object that is locked: packages with all that is in them, modules, functions."""

_LOCKING = frozenset(LOCKING)
_METHODS = frozenset({"__enter__", "__exit__", "__del__"})

UNKNOWN = -1  # in `_blocks`: in a block, but where its `__exit__` lies is not known

_blocks_of: dict[int, tuple[CodeType, dict[int, tuple[int, ...]]]] = {}  # by id


def takes_locks(frame: FrameType) -> bool:
    """Tell whether a frame is one of what is in `LOCKING`, or about to take or let go of a lock, or
    a finaliser."""
    if frame.f_code.co_name in _METHODS:
        return True
    name = frame.f_globals.get("__name__")
    if not isinstance(name, str):
        return False
    names = (name.partition(".")[0], name, f"{name}.{frame.f_code.co_qualname}")
    return not _LOCKING.isdisjoint(names)


def may_hold_lock(frame: FrameType) -> bool:
    """Tell whether a frame is in a `with` block that may hold a lock.

    Runs on: the frame's own thread, above it; or the frame is a generator's that is suspended.
    """
    code = frame.f_code
    known = _blocks_of.get(id(code))
    if known is None:
        try:
            blocks = _blocks(code)
        except Exception:  # a bytecode that is not understood: each block is taken for a lock's
            blocks = dict.fromkeys(range(0, len(code.co_code), 2), (UNKNOWN,))
        if len(_blocks_of) > 10_000:
            _blocks_of.clear()  # of a program that makes code all the time
        known = _blocks_of[id(code)] = (code, blocks)  # alive, so that the id stays its own
    return any(_is_locks(frame, index) for index in known[1].get(frame.f_lasti, ()))


def _is_locks(frame: FrameType, index: int) -> bool:
    """Tell whether the `__exit__` at that place of the evaluation stack may be a lock's."""
    if index == UNKNOWN or not rawframe.usable:
        return True
    try:
        leave = rawframe.stack_entry(frame, index)
    except LookupError:
        return True
    return _leaves_lock(leave)


def _leaves_lock(leave: object) -> bool:
    """Tell whether an `__exit__` may be that of something which holds a lock."""
    owner: Any = getattr(leave, "__self__", None)
    if owner is None:
        return True
    kind = type(owner)
    if _is_lock(owner):
        return True
    if issubclass(kind, contextlib._GeneratorContextManager):
        inner = owner.gen.gi_frame
        return inner is not None and may_hold_lock(inner)
    if issubclass(kind, contextlib.ExitStack):
        return any(_leaves_lock(entry[1]) for entry in tuple(owner._exit_callbacks))
    return any(_is_lock(thing) for thing in _attributes(owner))


def _attributes(owner: object) -> Iterator[object]:
    """Yield what an object refers to directly, or by its `__dict__`."""
    for thing in gc.get_referents(owner):
        if isinstance(thing, type):
            continue
        if type(thing) is dict:
            yield from list(thing.values())
        else:
            yield thing


def _is_lock(thing: object) -> bool:
    """Tell whether an object has `acquire` and `release` and is none of gmprt's."""
    names: set[str] = set()
    for kind in type.__getattribute__(type(thing), "__mro__"):
        module = kind.__dict__.get("__module__")
        if isinstance(module, str) and module.partition(".")[0] == "gmprt":
            return False
        names.update(name for name in ("acquire", "release") if name in kind.__dict__)
    return len(names) == 2


def _blocks(code: CodeType) -> dict[int, tuple[int, ...]]:
    """Find, for each instruction inside `with` blocks, where their `__exit__` lie."""
    instructions = [i for i in dis.get_instructions(code) if i.opname != "CACHE"]
    names = {i.offset: i.opname for i in instructions}
    order = [i.offset for i in instructions]
    position = {offset: n for n, offset in enumerate(order)}
    table = dis._parse_exception_table(code)  # type: ignore[attr-defined]
    entries = {offset: entry for entry in table for offset in range(entry.start, entry.end, 2)}

    def is_with(target: int) -> bool:
        n = position.get(target)
        following = order[n : n + 3] if n is not None else []
        return "WITH_EXCEPT_START" in [names[offset] for offset in following]

    found: dict[int, tuple[int, ...]] = {}
    ends: list[int] = []
    for offset in order:
        inside: list[int] = []
        at, seen = offset, set()
        while at in entries and at not in seen:
            seen.add(at)
            entry = entries[at]
            if is_with(entry.target):
                inside.append(entry.depth - 1)
                ends.append(entry.end)
            at = entry.target  # the table has the innermost only: where would it go from there?
        if inside:
            found[offset] = tuple(inside)
    # Where a block is left, up to the call of `__exit__`, the table has ended already.
    leaving: set[int] = set()
    for end in set(ends):
        for offset in order[position.get(end, len(order)) :]:
            if names[offset] not in _LEAVING:
                break
            leaving.add(offset)
            if names[offset] == "CALL":
                break
    for one in instructions:
        if one.opname.startswith("JUMP") and one.argval in leaving:
            leaving.add(one.offset)
    for offset in leaving:
        found[offset] = (*found.get(offset, ()), UNKNOWN)
    # While a call lasts the frame may stand behind its instruction, in what that has cached.
    for offset, following in pairwise([*order, len(code.co_code)]):
        if offset in found:
            for inner in range(offset + 2, following, 2):
                found[inner] = found[offset]
    return found


_LEAVING = frozenset({"EXTENDED_ARG", "NOP", "SWAP", "LOAD_CONST", "PRECALL", "CALL"})
