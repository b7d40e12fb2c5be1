"""Who waits for whom, and under which contexts: what a report says beyond the wait itself.

Both are for the reader only. They look at what goroutines refer to, one step after the other, and
give up early in a large heap: then less is said.

Locks: none held.
"""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from opcode import opname
from types import CellType, FrameType, FunctionType, MethodType
from typing import Any

from .._runtime import PACKAGE_DIR, G, Halted, getm, living, main_g
from ..contexttree import end_of
from . import frames
from .reach import BARRIERS
from .report import Group, make_groups, say, say_with_place

__all__ = ["explained", "ring_in_words"]

_ATTEMPTS = 3  # at reading a frame, if another thread has run meanwhile
_GS_MAX = 500  # goroutines among which a ring is looked for
_OBJECTS_MAX = 1_000  # objects that are looked at for each
_EXIT_ON_STACK = sys.version_info < (3, 12)  # while `with` calls `__enter__`


def _held(gp: G[Any], halted: Halted) -> list[Any]:
    """Return what a goroutine refers to itself: from its frames, its arguments and its wait."""
    held: list[Any] = [gp.fn, *(gp.args or ()), *(gp.kwargs or {}).values()]
    if gp.state != "waiting":
        return held
    sg: Any = gp.waiting
    if sg is not None:
        held += [sg.elem, sg.ctx]
    frame = _users_frame(gp, halted)
    if frame is None:
        return held
    for _ in range(_ATTEMPTS):
        try:
            return held + frames.things_held_by(frame)
        except frames.Disturbed:
            continue
    return held  # then less is said


def _users_frame(gp: G[Any], halted: Halted) -> FrameType | None:
    """Return the innermost frame of a goroutine that is not the runtime's own: it cannot move."""
    if not frames.usable or gp.stack is None:
        return None
    here = gp.m is getm() and gp.m.curg is gp
    frame = sys._getframe() if here else halted.frame_of(gp)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE_DIR):
        frame = frame.f_back
    return frame


def _reached(start: Iterable[Any]) -> Iterator[Any]:
    """Yield what can be reached from some objects, the near ones first; not through modules,
    classes, goroutines and a function's global names."""
    seen: set[int] = set()
    todo = deque(start)
    while todo:
        thing = todo.popleft()
        if thing is None or id(thing) in seen:
            continue
        seen.add(id(thing))
        yield thing
        kind = type(thing)  # `isinstance` would ask the object for its `__class__`
        if kind is FunctionType:
            todo.extend(thing.__closure__ or ())
        elif gc.is_tracked(thing) and not issubclass(kind, BARRIERS):
            todo.extend(gc.get_referents(thing))


# -- rings


def ring_in_words() -> str:
    """Describe a ring of goroutines that wait for each other, main's if it is in one; else "".

    Runs on: an M, all others being asleep.
    """
    gs = list(islice(living(), _GS_MAX))
    main = main_g()
    if main is not None:
        gs = [main, *(gp for gp in gs if gp is not main)]
    ring = _shortest_ring(gs, _edges(gs))
    if not ring:
        return ""
    lines = [f"  {_name(gp)} in {gp.wait_reason}{_on(gp, how, other)}" for gp, how, other in ring]
    return "\n".join(["who waits for whom, in a ring:", *lines]) + "\n"


_Edge = tuple[str, G[Any]]  # how, and for whom


def _edges(gs: list[G[Any]]) -> dict[G[Any], list[_Edge]]:
    """Find out for whom each of some goroutines waits."""
    waits: dict[int, list[G[Any]]] = {}  # by the id of what they wait on
    edges: dict[G[Any], list[_Edge]] = {gp: [] for gp in gs}
    for gp in gs:
        on = gp.waiting_on
        for thing in on if isinstance(on, tuple) else (on,):
            if isinstance(thing, G):
                if thing in edges:
                    edges[gp].append(("join", thing))
            elif thing is not None:
                waits.setdefault(id(thing), []).append(gp)
    with Halted(all_asleep=True) as halted:
        for gp in gs:
            held = _held(gp, halted)
            inside = _inside_with(gp, held, halted)
            for thing in islice(_reached(held), _OBJECTS_MAX):
                for waiter in waits.get(id(thing), ()):
                    if id(thing) in inside:
                        edges[waiter].insert(0, ("held", gp))
                    elif waiter is not gp:
                        edges[waiter].append(("refers", gp))
    return edges


def _inside_with(gp: G[Any], held: list[Any], halted: Halted) -> set[int]:
    """Return the ids of objects in whose `with` block a goroutine is: it holds their `__exit__`."""
    leaves = [
        id(thing.__self__)
        for thing in held
        if type(thing) is MethodType and getattr(thing.__func__, "__name__", "") == "__exit__"
    ]
    # On 3.11 that of the object which it just tries to enter, too.
    frame = _users_frame(gp, halted) if _EXIT_ON_STACK else None
    if frame is not None and opname[frame.f_code.co_code[frame.f_lasti]] == "BEFORE_WITH":
        on = gp.waiting_on
        if id(on) in leaves:
            leaves.remove(id(on))
    return set(leaves)


def _shortest_ring(
    gs: list[G[Any]], edges: dict[G[Any], list[_Edge]]
) -> list[tuple[G[Any], str, G[Any]]]:
    """Return the shortest ring through the first of `gs` that is in one."""
    for start in gs:
        before: dict[G[Any], tuple[G[Any], str]] = {}
        todo = deque([start])
        while todo:
            gp = todo.popleft()
            for how, other in edges[gp]:
                if other is start:
                    ring = [(gp, how, other)]
                    while gp is not start:
                        last, how = before[gp]
                        ring.append((last, how, gp))
                        gp = last
                    return ring[::-1]
                if other not in before:
                    before[other] = (gp, how)
                    todo.append(other)
    return []


def _name(gp: G[Any]) -> str:
    return f"goroutine {gp.id} ({gp.name})"


def _on(gp: G[Any], how: str, other: G[Any]) -> str:
    """Say on what one waits, and what the other has to do with that."""
    if how == "join":
        return f" of {_name(other)}"
    on = gp.waiting_on
    if isinstance(on, tuple):
        what = ", ".join(say_with_place(ch) for ch in on if ch is not None)
    else:
        what = say_with_place(on)
    who = "itself" if other is gp else _name(other)
    return f" on {what}, held by {who}" if how == "held" else f" on {what}, which {who} refers to"


# -- contexts


def explained(gs: Iterable[G[Any]], stuck: Iterable[G[Any]] = ()) -> list[Group]:
    """Group goroutines as `make_groups` does, with what is to be said of their contexts."""
    groups = make_groups(gs, stuck)
    _add_notes(groups)
    return groups


def _add_notes(groups: Iterable[Group]) -> None:
    """Say in each group that its goroutines go on under a context that has ended, or depend on one
    that nobody will cancel."""
    firsts = {group.first.id: group for group in groups}
    held: dict[int, list[Any]] = {}
    with Halted() as halted:
        for gp in (group.first for group in firsts.values()):
            things = _held(gp, halted)
            held[gp.id] = things + [
                inner for thing in things for inner in _inside(thing) if inner is not None
            ]
        ends = {id(end): end for things in held.values() for end in map(end_of, things) if end}
        lost = _lost(ends)
    for goid, things in held.items():
        for end in filter(None, map(end_of, things)):
            if end.err() is not None:
                firsts[goid].note = f"its {say(end)} has ended ({say(end.err())}), it has not"
                break
            if id(end) in lost:
                firsts[goid].note = f"its {say(end)} was never cancelled: that function is gone"
                break


def _inside(thing: Any) -> tuple[Any, ...]:
    """Look one step into what frames and functions keep values in."""
    if type(thing) is CellType:
        try:
            return (thing.cell_contents,)
        except ValueError:
            return ()
    if type(thing) is FunctionType:
        return tuple(inner for cell in thing.__closure__ or () for inner in _inside(cell))
    return ()


def _lost(ends: dict[int, Any]) -> set[int]:
    """Return the ids of those that nobody can cancel any more: no such function is left."""
    lost = {at for at, end in ends.items() if end.err() is None and end.deadline() is None}
    if lost:
        for thing in gc.get_objects():
            if type(thing) is MethodType:
                lost.discard(id(thing.__self__))
    return lost
