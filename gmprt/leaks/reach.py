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

Nor is there one if it does not look at all of them: what it has not looked through is a holder that
is not known. So it looks near a wait first, and further only as long as some are not proved stuck.

What belongs to the runtime does not count as a holder: the queue of a channel, a Sudog, a handle
(`G`), a goroutine's own copy of the context variables.

The proof holds if nothing moves meanwhile. With the GIL the switch interval is raised for the
moment, without it the Ms are halted at a scheduling point; nothing is said if any other thread has
run all the same.

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
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import chain, compress, filterfalse
from operator import attrgetter
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
from ..chan import Chan
from . import frames

__all__ = ["BARRIERS", "stuck", "stuck_gs"]

_ATTEMPTS = 3  # if the world could not be kept still
_NEAR = 4  # steps to what a goroutine waits for, at the first stage
OBJECTS_MAX = 5_000_000  # more than that are not looked through


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
    """Find the stuck, as far as `most` objects tell. See the file's head."""
    if not frames.usable:
        return []
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(0.002 * 4**attempt)  # on a busy machine a thread needs that to get to sleep
        with Halted() as halted:
            found = _look(living(), halted, most)
            if halted.still():
                return sorted(found, key=lambda gp: gp.id)
    return []


class _Blocked:
    """A goroutine that waits without any limit of time, and what it refers to."""

    __slots__ = ("gp", "held", "waits_for")

    def __init__(self, gp: G[Any]) -> None:
        self.gp = gp
        self.held: list[int] = []  # addresses, once per reference
        self.waits_for: list[int] = []  # addresses; its wait is live if one of them is


def _look(gs: list[G[Any]], halted: Halted, most: int) -> list[G[Any]]:
    """Find the stuck among some, once. Nobody may run meanwhile who could change references."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        near: list[Any] = []
        opaque = _live_anyway(halted)
        main = main_g()
        blocked = [
            one
            for gp in gs
            if gp is not main and (one := _blocked(gp, halted, opaque, near)) is not None
        ]
        if not blocked:
            return []
        things = dict(zip(map(id, near), near, strict=True))
        del near  # it would be a holder
        return _Analysis(blocked, things, opaque, halted, most).stuck()
    finally:
        if collecting:
            gc.enable()


# -- what a blocked goroutine holds and waits for


def _blocked(gp: G[Any], halted: Halted, opaque: set[int], near: list[Any]) -> _Blocked | None:
    """Describe a goroutine, if it is blocked and can be looked into; add to `near` what it waits
    for, and what else may lead there at once."""
    sp = gp.stack
    if sp is None or gp.state != "waiting":
        return None
    sg: Any = gp.waiting
    if sg.stack is not sp or sg.timed:
        return None
    frame = halted.frame_of(gp)
    if frame is None:
        return None
    held: list[Any] = [gp.fn, gp.args, gp.kwargs, getattr(gp, "_chan", None)]
    waits_for: list[Any] = []
    if not _waits_for(gp, sg, held, waits_for):
        return None
    waiters: list[Any] = gp.joinq or []
    called = (waiter for waiter in waiters if waiter.stack is None)  # at the end
    held += [one.elem if type(one) is Sudog else one for one in called]  # else a WaitGroup
    one = _Blocked(gp)
    one.held = frames.held_by(frame, opaque)
    one.held += map(id, held)
    ctx = id(gp.ctx)
    one.held += (ctx, ctx) if halted.context_is_saved(gp) else (ctx,)
    one.waits_for = list(map(id, waits_for))
    near += held
    near += waits_for
    return one


def _waits_for(gp: G[Any], sg: Any, held: list[Any], waits_for: list[Any]) -> bool:
    """Note what it waits for, and what its places in queues hold; False if that is not known."""
    owner = sg.owner
    cases = getattr(owner, "cases", None)
    held.append(owner)
    if cases is not None:  # a select
        for ch in {id(case.ch): case.ch for case in cases if case.ch is not None}.values():
            waits_for.append(ch)
            for queue in (ch.recvq, ch.sendq):
                for place in queue:
                    if place.stack is sg.stack:
                        held.append(ch)  # its owner
                        held.append(place.elem)
    else:
        if gp.reason != "sleep":
            waits_for.append(owner)
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

# What a channel keeps for itself: nothing but Sudogs and None.
_inside_of_chan = attrgetter("recvq", "sendq", "slots", "lock")


class _Analysis:
    """The objects that the blocked can reach, and who is held from elsewhere.

    They are looked through in stages, the cheap ones first. As long as an object has holders that
    are not known it counts as live, so whoever is found stuck at any stage is. Only if others are
    left more is looked through, for these holders.
    """

    def __init__(
        self,
        blocked: list[_Blocked],
        things: dict[int, Any],
        opaque: set[int],
        halted: Halted,
        most: int,
    ) -> None:
        self.blocked = blocked
        self.proved: dict[int, G[Any]] = {}  # those found stuck, by address
        self.halted = halted
        self.most = most
        self.things = things  # by address
        self.counts: dict[int, int] = {}  # references from among these, by address
        self.holders: set[int] = set()  # addresses of those that may refer to others
        self.explored: set[int] = set()  # addresses of those whose references are counted
        self.kinds: dict[type, bool] = {}  # whether objects of a type are looked through
        self.opaque = opaque  # addresses of what is not looked through
        self.waits_for = set(chain.from_iterable(one.waits_for for one in blocked))
        self.all_known = False  # what frames hold has been admitted
        self.extra = _extra_references()

    def stuck(self) -> list[G[Any]]:
        """Return who is stuck, as far as can be told from `most` objects."""
        self._admit(list(self.things.values()))
        self._explore(self._near, _NEAR)
        self._fixpoint()
        if len(self.proved) < len(self.blocked) and self._admit_all_held():
            for wanted in (self._closed, set[int]):
                self._explore(wanted)
                self._fixpoint()
                if len(self.proved) == len(self.blocked):
                    break
        return list(self.proved.values())

    # -- what is looked through: by calls of C code, as there may be millions

    def _admit(self, things: list[Any]) -> list[int]:
        """Keep those that may refer to others; return their addresses, repeated if they are."""
        kinds, holders, opaque = self.kinds, self.holders, self.opaque
        here = set(map(type, things))
        for kind in here - kinds.keys():
            kinds[kind] = not issubclass(kind, BARRIERS)
        things = list(
            filter(gc.is_tracked, compress(things, map(kinds.__getitem__, map(type, things))))
        )
        if FunctionType in here:
            functions = [thing for thing in things if type(thing) is FunctionType]
            opaque.update(id(function.__globals__) for function in functions)
        if Chan in here:
            chans = [thing for thing in things if type(thing) is Chan]
            opaque.update(map(id, chain.from_iterable(map(_inside_of_chan, chans))))
        addresses = list(map(id, things))
        fresh = dict(zip(addresses, things, strict=True))
        for address in [*(fresh.keys() & holders), *(fresh.keys() & opaque)]:
            fresh.pop(address, None)
        self.things.update(fresh)
        holders.update(fresh)
        if fresh and not self.all_known:
            self._count_held(fresh)
        return list(filter(holders.__contains__, addresses))

    def _count_held(self, fresh: Container[int]) -> None:
        """Count the references from blocked goroutines to those that are fresh."""
        held = chain.from_iterable(one.held for one in self.blocked)
        _count_elements(self.counts, filter(fresh.__contains__, held))

    def _admit_all_held(self) -> bool:
        """Admit all that the blocked hold; False if with the GIL another thread has run: then the
        addresses may be those of what is gone."""
        held = set().union(*[one.held for one in self.blocked])
        new = list(filterfalse(self.things.__contains__, held))
        if GIL and not self.halted.still():
            return False
        self._admit(frames.objects_at(new))
        self.all_known = True
        return True

    def _explore(self, wanted: Callable[[set[int]], set[int]], layers: int = sys.maxsize) -> None:
        """Count the references from what is wanted among the holders, layer by layer."""
        explored = self.explored
        todo = self.holders - explored
        while layers and len(self.holders) <= self.most and (layer := wanted(todo)):
            layers -= 1
            explored |= layer
            found = self._admit(gc.get_referents(*map(self.things.__getitem__, layer)))
            _count_elements(self.counts, found)
            todo = set(filterfalse(explored.__contains__, found))

    def _near(self, addresses: set[int]) -> set[int]:
        """Pick what may lead to what is waited for, as long as that has unknown holders."""
        if not self._roots(self.waits_for & self.holders):
            return set()
        return self._closed(addresses - self.waits_for)

    def _closed(self, addresses: set[int]) -> set[int]:
        """Pick what has no holders but those that are known."""
        return addresses - self._roots(addresses)

    def _roots(self, addresses: set[int]) -> set[int]:
        """Pick what is held from elsewhere, too, as far as is known."""
        count_of, extra = self.counts.get, self.extra
        weak = map(getweakrefcount, map(self.things.__getitem__, addresses))
        references = _references(self.things, addresses)
        return {
            address
            for address, n, n_weak in zip(addresses, references, weak, strict=True)
            if n_weak or n - extra != count_of(address, 0)
        }

    # -- who is live

    def _fixpoint(self) -> None:
        """Let goroutines whose wait is live make live what they hold, until none is left; those
        that remain are proved stuck, and so they stay.

        What is not explored counts as no holder here: what it refers to has one unknown then.
        """
        proved = self.proved
        left = {id(one.gp): one for one in self.blocked if id(one.gp) not in proved}
        waits_for = self.waits_for & self.holders
        reached = self._roots(waits_for)
        dead = waits_for - reached
        waiting: defaultdict[int, list[_Blocked]] = defaultdict(list)
        woken: list[_Blocked] = []
        for one in left.values():
            for address in one.waits_for:
                if address in dead or address in left:  # in `left`, in `proved`: a join
                    waiting[address].append(one)
                elif address not in proved:
                    woken.append(one)
        for one in woken:
            left.pop(id(one.gp), None)
        if left:
            reached |= self._roots(self.explored)
        live: set[int] = set()
        while left:
            added = self._mark(reached.union(*[one.held for one in woken]), live)
            added.update(id(one.gp) for one in woken)  # for those that join them
            woken = [one for address in added & waiting.keys() for one in waiting.pop(address)]
            if not woken:
                break
            for one in woken:
                left.pop(id(one.gp), None)
            reached = set()
        proved.update((address, one.gp) for address, one in left.items())

    def _mark(self, new: set[int], live: set[int]) -> set[int]:
        """Add `new`, and what can be reached from there, to `live`; return what was added."""
        added: set[int] = set()
        new = new - live
        while new:
            live |= new
            added |= new
            things = map(self.things.__getitem__, new & self.explored)
            new = set(map(id, gc.get_referents(*things))) - live
        return added


def _live_anyway(halted: Halted) -> set[int]:
    """Return the addresses of what is live without a look: modules' namespaces, what is in them,
    and what main's frames and the caller's hold. What is behind these is not looked through."""
    spaces = [vars(module) for module in list(sys.modules.values()) if hasattr(module, "__dict__")]
    found = set(map(id, spaces))
    found.update(*[map(id, list(space.values())) for space in spaces])
    found.add(0)  # no object
    found.update(frames.held_by(sys._getframe()))
    main = main_g()
    if main is not None and main.stack is not None:
        found.update(frames.held_by(halted.frame_of(main)))
    return found


def _references(things: dict[int, Any], addresses: Iterable[int]) -> Iterator[int]:
    """Count the references to each of some, with those that this makes."""
    return map(sys.getrefcount, map(things.__getitem__, addresses))


def _extra_references() -> int:
    """Count the references from `things`, and from `_references` itself."""
    one = object()
    things = {0: one}
    del one
    [extra] = _references(things, [0])
    return extra
