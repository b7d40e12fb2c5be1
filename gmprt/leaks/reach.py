"""stuck: goroutines that provably can never run again.

As Go's goroutineleak profile: a goroutine that is blocked is live only if what it waits on can be
reached without going through blocked goroutines; then what it holds is live too, and so on to the
fixed point; the rest is stuck.

CPython has no list of roots, and its collector does not see what suspended greenlets hold. But it
counts references. So this takes the objects that blocked goroutines can reach, counts for each the
references that come from among these and from the goroutines' own frames (frames.py), and compares
with its reference count: whatever is held from elsewhere too (a module, a running frame, a timer, C
code, an evaluation stack that cannot be read) is a root. A reference that cannot be accounted for
thus makes its object live: that is why there is no false alarm.

What belongs to the runtime does not count as a holder: the queue of a channel, a Sudog, a handle
(`G`), a goroutine's own copy of the context variables.

The proof holds if nothing moves meanwhile. With the GIL the switch interval is raised for the
moment; where another thread has run all the same, only what a second look agrees on counts. Without
it the Ms are halted at a scheduling point, and nothing is said if any other thread has run.

Go: mgc.go findGoroutineLeaks, mgcmark.go.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import (  # type: ignore[attr-defined]  # what Counter counts with
    _count_elements,
    defaultdict,
)
from collections.abc import Iterable
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    ModuleType,
)
from typing import Any
from weakref import getweakrefcount

from .._runtime import (
    GIL,
    G,
    GoroutineExit,
    Halted,
    M,
    OwnContext,
    P,
    Stack,
    Sudog,
    living,
    main_g,
)
from . import frames

__all__ = ["BARRIERS", "stuck", "stuck_gs"]

_ATTEMPTS = 3  # if the world could not be kept still
OBJECTS_MAX = 5_000_000  # more than that are not looked through: then nothing is proved


def stuck(kill: bool = False) -> list[G[Any]]:
    """Return the goroutines that provably can never run again unless interrupted, by id.

    No false alarm: what cannot be proved is left out. `kill=True` also raises GoroutineExit in
    each, so that their `finally` blocks run and their memory comes back. Daemons too; never main.
    Without the GIL nothing is found while a thread that cannot be halted runs. Blocks: the thread,
    for as long as it takes to look through what blocked goroutines hold.
    """
    found = stuck_gs()
    if kill:
        for gp in found:
            gp.interrupt(GoroutineExit)
    return found


def stuck_gs(most: int = OBJECTS_MAX) -> list[G[Any]]:
    """Find the stuck; none if their objects are more than `most`. See the file's head."""
    if not frames.usable:
        return []
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(0.002 * 4**attempt)  # on a busy machine a thread needs that to get to sleep
        with Halted() as halted:
            found = _look(living(), halted, most)
            if not halted.still():
                if not GIL:
                    continue
                # With the GIL it is kept for most of the time: what nobody can reach stays so.
                found = _look(found, halted, most) if found else []
            return sorted(found, key=lambda gp: gp.id)
    return []


class _Blocked:
    """A goroutine that waits without any limit of time, and what it refers to."""

    __slots__ = ("gp", "held", "waits_for")

    def __init__(self, gp: G[Any]) -> None:
        self.gp = gp
        self.held: list[Any] = []  # objects, once per reference
        self.waits_for: list[Any] = []  # objects; its wait is live if one of them is


def _look(gs: list[G[Any]], halted: Halted, most: int) -> list[G[Any]]:
    """Find the stuck among some, once. Nobody may run meanwhile who could change references."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        blocked = [one for gp in gs if (one := _read(gp, halted)) is not None]
        if not blocked:
            return []
        return _Analysis(blocked, most).stuck()
    finally:
        if collecting:
            gc.enable()


# -- what a blocked goroutine holds and waits for


def _read(gp: G[Any], halted: Halted) -> _Blocked | None:
    """Call `_blocked`, again if it was disturbed."""
    for _ in range(_ATTEMPTS):
        try:
            return _blocked(gp, halted)
        except frames.Disturbed:
            continue
    return None


def _blocked(gp: G[Any], halted: Halted) -> _Blocked | None:
    """Describe a goroutine, if it is blocked and can be looked into."""
    if gp is main_g() or gp.stack is None or gp.state != "waiting":
        return None
    sg: Any = gp.waiting
    if sg.stack is not gp.stack or sg.timed:
        return None
    frame = halted.frame_of(gp)
    if frame is None:
        return None
    one = _Blocked(gp)
    held = one.held
    if not _waits_for(gp, sg, one):
        return None
    held += frames.things_held_by(frame)
    for thing in (gp.fn, gp.args, gp.kwargs, gp.ctx):
        if thing is not None:
            held.append(thing)
    if gp.ctx is not None and halted.context_is_saved(gp):
        held.append(gp.ctx)
    waiters: list[Any] = list(gp.joinq or ())
    for waiter in waiters:
        if waiter.stack is None and waiter.elem is not None:
            held.append(waiter.elem)  # a callback of on_end
    chan = getattr(gp, "_chan", None)
    if chan is not None:
        held.append(chan)
    return one


def _waits_for(gp: G[Any], sg: Any, one: _Blocked) -> bool:
    """Note what it waits for, and what its places in queues hold; False if that is not known."""
    owner = sg.owner
    held = one.held
    waits_for: list[Any] = []
    cases = getattr(owner, "cases", None)
    held.append(owner)
    if cases is not None:  # a select
        for ch in {id(case.ch): case.ch for case in cases if case.ch is not None}.values():
            waits_for.append(ch)
            for queue in (ch.recvq, ch.sendq):
                for place in queue:
                    if place.stack is sg.stack:
                        held.append(ch)  # its owner
                        if place.elem is not None:
                            held.append(place.elem)
    else:
        if gp.reason != "sleep":
            waits_for.append(owner)
        if sg.elem is not None:
            held.append(sg.elem)
    limit = sg.ctx
    if limit is not None:
        if not isinstance(limit, OwnContext):
            return False  # a class of the user's, whose code is not called now
        waits_for.append(limit)
        held.append(limit)
        done = limit.done()  # type: ignore[attr-defined]  # it is a context
        if done is not None:
            waits_for.append(done)
    one.waits_for = waits_for
    return True


# -- the objects


# What is taken as live, and not looked through.
BARRIERS = (
    ModuleType,
    type,
    CodeType,
    FrameType,
    BuiltinFunctionType,
    G,
    M,
    P,
    Stack,
    Sudog,
)


class _Analysis:
    """The objects that the blocked can reach, and who is held from elsewhere."""

    def __init__(self, blocked: list[_Blocked], most: int) -> None:
        self.blocked = blocked
        self.most = most
        self.index: dict[int, Any] = {}  # by id
        self.counts: dict[int, int] = {}  # references from among these, by id
        modules = [module for module in list(sys.modules.values()) if hasattr(module, "__dict__")]
        self.namespaces: set[int] = {id(vars(module)) for module in modules}

    def stuck(self) -> list[G[Any]]:
        for one in self.blocked:
            ids = list(map(id, one.held))
            _count_elements(self.counts, ids)
            _count_elements(self.counts, ids)  # the list itself is a holder, too,
            _count_elements(self.counts, map(id, one.waits_for))  # and so is that one
        self._explore()
        if len(self.index) > self.most:
            return []
        live: set[int] = set()
        self._mark(self._roots(), live)
        return self._fixpoint(live)

    def _explore(self) -> None:
        """Collect all that can be reached from the blocked, up to what is live anyway.

        Layer by layer, and each layer by a few calls of C code: a goroutine brings half a dozen
        objects, and there may be ten thousand of them.
        """
        index, counts, namespaces = self.index, self.counts, self.namespaces
        kinds: dict[type, bool] = {}
        get_referents, is_tracked = gc.get_referents, gc.is_tracked
        layer: dict[int, Any] = {}
        for one in self.blocked:
            layer.update(zip(map(id, one.held), one.held, strict=True))
            layer.update(zip(map(id, one.waits_for), one.waits_for, strict=True))
        seen: dict[int, None] = dict.fromkeys(layer)
        while layer:
            todo: list[Any] = []
            for address, thing in layer.items():
                kind = type(thing)
                barrier = kinds.get(kind)
                if barrier is None:
                    barrier = kinds[kind] = issubclass(kind, BARRIERS)
                if barrier or not is_tracked(thing) or address in namespaces:
                    continue
                if kind is FunctionType:
                    namespaces.add(id(thing.__globals__))
                todo.append(thing)
            index.update(zip(map(id, todo), todo, strict=True))
            if len(index) > self.most:
                return
            referents = get_referents(*todo)
            ids = list(map(id, referents))
            _count_elements(counts, ids)
            layer = dict(zip(ids, referents, strict=True))
            for address in layer.keys() & seen.keys():
                del layer[address]
            seen.update(dict.fromkeys(layer))

    def _roots(self) -> list[int]:
        """Return the ids of those that are held from elsewhere."""
        counts = self.counts
        getrefcount, weak = sys.getrefcount, getweakrefcount
        extra = _extra_references()
        return [
            address
            for address, thing in self.index.items()
            if getrefcount(thing) - extra != counts.get(address, 0) or weak(thing)
        ]

    def _mark(self, roots: Iterable[int], live: set[int]) -> list[int]:
        """Add what can be reached from `roots` to `live`; return what was new."""
        index = self.index
        get_referents = gc.get_referents
        new = list(set(roots) - live)
        at = 0
        while at < len(new):
            layer = new[at:]
            at = len(new)
            live.update(layer)
            things = [index[address] for address in layer if address in index]
            new += set(map(id, get_referents(*things))) - live
        return new

    def _fixpoint(self, live: set[int]) -> list[G[Any]]:
        """Let goroutines whose wait is live make live what they hold, until none is left."""
        index = self.index
        left = {id(one.gp): one for one in self.blocked}
        waiting: defaultdict[int, list[_Blocked]] = defaultdict(list)
        woken: list[_Blocked] = []
        for one in self.blocked:
            for thing in one.waits_for:
                if isinstance(thing, G):  # a join: live while the other may end
                    if id(thing) not in left:
                        woken.append(one)
                    waiting[id(thing)].append(one)
                elif id(thing) not in index or id(thing) in live:
                    woken.append(one)
                else:
                    waiting[id(thing)].append(one)
        while woken:
            one = woken.pop()
            if left.pop(id(one.gp), None) is None:
                continue
            woken.extend(waiting.pop(id(one.gp), ()))  # those that join it
            for address in self._mark(map(id, one.held), live):
                woken.extend(waiting.pop(address, ()))
        return [one.gp for one in left.values()]


def _extra_references() -> int:
    """Count the references that `_roots` itself holds on an object in its index."""
    one = object()
    objects = {0: one}
    del one
    getrefcount = sys.getrefcount
    [extra] = [getrefcount(thing) for _, thing in objects.items()]
    return extra
