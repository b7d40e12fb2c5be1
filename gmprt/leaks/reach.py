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
moment. Without it the Ms are halted at a scheduling point, and nothing is said if any other thread
has run in between. Either way only what two looks agree on counts.

Go: mgc.go findGoroutineLeaks, mgcmark.go.
"""

from __future__ import annotations

import gc
import sys
from collections import (  # type: ignore[attr-defined]  # what Counter counts with
    _count_elements,
    defaultdict,
)
from collections.abc import Iterable
from itertools import chain
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

_Edges = list[int]


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
    for _ in range(_ATTEMPTS):
        with Halted() as halted:
            found = _look(living(), halted, most)
            if found:
                found = _look(found, halted, most)  # once more: what nobody else can reach stays so
            if halted.still():
                return sorted(found, key=lambda gp: gp.id)
    return []


class _Blocked:
    """A goroutine that waits without any limit of time, and what it refers to."""

    __slots__ = ("gp", "held", "waits_for")

    def __init__(self, gp: G[Any]) -> None:
        self.gp = gp
        self.held: _Edges = []  # ids, once per reference
        self.waits_for: list[Any] = []  # objects; its wait is live if one of them is


def _look(gs: list[G[Any]], halted: Halted, most: int) -> list[G[Any]]:
    """Find the stuck among some, once. Nobody may run meanwhile who could change references."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        blocked = [one for gp in gs if (one := _blocked(gp, halted)) is not None]
        if not blocked:
            return []
        return _Analysis(blocked, most).stuck()
    finally:
        if collecting:
            gc.enable()


# -- what a blocked goroutine holds and waits for


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
    held += frames.held_by(frame)
    for thing in (gp.fn, gp.args, gp.kwargs, gp.ctx):
        if thing is not None:
            held.append(id(thing))
    if gp.ctx is not None and halted.context_is_saved(gp):
        held.append(id(gp.ctx))
    waiters: list[Any] = list(gp.joinq or ())
    for waiter in waiters:
        if waiter.stack is None and waiter.elem is not None:
            held.append(id(waiter.elem))  # a callback of on_end
    chan = getattr(gp, "_chan", None)
    if chan is not None:
        held.append(id(chan))
    return one


def _waits_for(gp: G[Any], sg: Any, one: _Blocked) -> bool:
    """Note what it waits for, and what its places in queues hold; False if that is not known."""
    owner = sg.owner
    held = one.held
    waits_for: list[Any] = []
    cases = getattr(owner, "cases", None)
    held.append(id(owner))
    if cases is not None:  # a select
        for ch in {id(case.ch): case.ch for case in cases if case.ch is not None}.values():
            waits_for.append(ch)
            for queue in (ch.recvq, ch.sendq):
                for place in queue:
                    if place.stack is sg.stack:
                        held.append(id(ch))  # its owner
                        if place.elem is not None:
                            held.append(id(place.elem))
    else:
        if gp.reason != "sleep":
            waits_for.append(owner)
        if sg.elem is not None:
            held.append(id(sg.elem))
    limit = sg.ctx
    if limit is not None:
        if not isinstance(limit, OwnContext):
            return False  # a class of the user's, whose code is not called now
        waits_for.append(limit)
        held.append(id(limit))
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
        self.objects: list[Any] = []
        self.index: dict[int, int] = {}  # id to place in `objects`
        self.edges: list[list[int]] = []  # ids of referents, by place; only of those in `index`
        self.counts: dict[int, int] = {}  # references from among these, by id
        modules = [module for module in list(sys.modules.values()) if hasattr(module, "__dict__")]
        self.namespaces: set[int] = {id(vars(module)) for module in modules}

    def stuck(self) -> list[G[Any]]:
        for one in self.blocked:
            _count_elements(self.counts, one.held)
            _count_elements(self.counts, map(id, one.waits_for))  # that list is a holder, too
        self._explore()
        if len(self.objects) > self.most:
            return []
        live = self._spread(self._roots())
        return self._fixpoint(live)

    def _explore(self) -> None:
        """Collect all that can be reached from the blocked, up to what is live anyway."""
        objects, index, edges, counts = self.objects, self.index, self.edges, self.counts
        namespaces = self.namespaces
        kinds: dict[type, bool] = {}
        todo: list[Any] = []
        addresses = list(dict.fromkeys(chain.from_iterable(one.held for one in self.blocked)))
        seen = set(addresses)
        todo = frames.objects_at(addresses)
        wanted: set[int] = set()
        for one in self.blocked:
            for thing in one.waits_for:
                wanted.add(id(thing))
                if id(thing) not in seen:
                    seen.add(id(thing))
                    todo.append(thing)
        get_referents, is_tracked, most = gc.get_referents, gc.is_tracked, self.most
        while todo:
            thing = todo.pop()
            kind = type(thing)
            barrier = kinds.get(kind)
            if barrier is None:
                barrier = kinds[kind] = issubclass(kind, BARRIERS)
            if barrier or not is_tracked(thing) or id(thing) in namespaces:
                continue
            if kind is FunctionType:
                namespaces.add(id(thing.__globals__))  # type: ignore[attr-defined]  # a function's
            referents = get_referents(thing)
            if not referents and id(thing) not in wanted:
                continue  # an empty queue, say: nobody waits on it, and it leads nowhere
            index[id(thing)] = len(objects)
            objects.append(thing)
            if len(objects) > most:
                return
            ids = list(map(id, referents))
            edges.append(ids)
            _count_elements(counts, ids)
            for referent, address in zip(referents, ids, strict=True):
                if address not in seen:
                    seen.add(address)
                    todo.append(referent)

    def _roots(self) -> list[int]:
        """Return the ids of those that are held from elsewhere."""
        counts, objects = self.counts, self.objects
        getrefcount, weak = sys.getrefcount, getweakrefcount
        extra = _extra_references()
        return [
            id(thing)
            for thing in objects
            if getrefcount(thing) - extra != counts.get(id(thing), 0) or weak(thing)
        ]

    def _spread(self, roots: Iterable[int]) -> set[int]:
        """Return the ids of all that can be reached from `roots`."""
        live: set[int] = set()
        self._mark(roots, live)
        return live

    def _mark(self, roots: Iterable[int], live: set[int]) -> list[int]:
        """Add what can be reached from `roots` to `live`; return what was new."""
        index, edges = self.index, self.edges
        todo = [address for address in roots if address not in live]
        new: list[int] = []
        while todo:
            address = todo.pop()
            if address in live:
                continue
            live.add(address)
            new.append(address)
            at = index.get(address)
            if at is not None:
                todo.extend(other for other in edges[at] if other not in live)
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
            for address in self._mark(one.held, live):
                woken.extend(waiting.pop(address, ()))
        return [one.gp for one in left.values()]


def _extra_references() -> int:
    """Count the references that `_roots` itself holds on an object in its list."""
    objects = [object()]
    getrefcount = sys.getrefcount
    [extra] = [getrefcount(thing) for thing in objects]
    return extra
