"""Parking, yielding, and the loop of a stack: where one goroutine gives way to the next.

A goroutine that parks picks the next one on its own stack and switches straight to it: there is no
hub greenlet. A fresh goroutine is run by a stack's loop as a plain call, with no switch at all. If
nothing is runnable the M idles on the parking goroutine's own stack, and if the first to wake is
that very goroutine, park simply returns.

Invariants:
- One entry in a `readyq` per park, and one park per entry (g.py).
- `mp.curg` is set by whoever switches, before the switch.
- Nobody parks while holding a runtime lock.
- A frame that parks names no other goroutine: it may stay for long, and would keep it alive.

Locks: none held across a switch.

Rejected: a hub greenlet (a switch more for every park).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from weakref import ref

from greenlet import getcurrent, greenlet

from .attn import (
    SIGNALS,
    interrupt,
    leave_attn,
    raise_attn,
    raise_signals,
    raise_why,
    run_signals,
    take_attn,
)
from .ctx import begin_limits, end_limits, look_at
from .fault import throw
from .g import FailedG, G, GoroutineExit, set_verbs
from .handoff import goready, set_mstart
from .lock import ENTRANCES
from .m import M, thread_g, tls
from .newg import getm, set_born_hook
from .proc import IN_FINALISER, schedule
from .sched import GIL, sched
from .stack import Stack
from .sudog import INTERRUPTED, NO_PARKING, Sudog

__all__ = [
    "execute_stack",
    "first_stack",
    "gopark",
    "gosched",
    "init_g0",
    "set_site_hooks",
    "start_maker",
    "yield_preempted",
]

GFREE_MAX = 1024  # idle stacks an M keeps


def gopark(mp: M, gp: G[Any]) -> None:
    """Park the calling goroutine until its wait is over; `gp.waiting.why` tells how it ended.

    The caller has set `gp.waiting`, `since` and `reason`, has queued the Sudog, and holds no lock.
    Returns after exactly one of: the Sudog's owner made it ready (why None, or what the owner
    says); its deadline passed (TIMED_OUT); it was interrupted (INTERRUPTED: `raise_why` raises); in
    main, a signal handler raised or a deadlock was found (why is the exception). Never raises.
    Blocks: G. Runs on: own M. Go: proc.go gopark.
    """
    if gp.attn is not None and not _attn_before_park(mp, gp):
        return
    # The first lines of `schedule`, written out: two calls less a park (benchmarks/pingpong.py).
    tick = mp.tick + 1
    pp = mp.p
    readyq = mp.readyq
    if tick < mp.due and pp is not None:
        if readyq:
            if not (pp.runnext or pp.runq):
                mp.tick = tick
                mp.curg = readyq.popleft()  # no local name for it: this frame may stay for long
                if mp.curg is not gp:
                    mp.curg.stack.switch()  # type: ignore[union-attr]  # it has started
                if gp.attn is not None:
                    _attn_after_park(mp, gp)
                return
        elif pp.runnext and mp.gfree and not sched.blockers:
            # A fresh one and nobody else: the way of `go(f).join()` (benchmarks/spawn_join.py).
            sp = mp.gfree.pop()
            try:
                sp.g = pp.runnext.pop()
            except IndexError:  # a thief was faster
                mp.gfree.append(sp)
                return gopark(mp, gp)
            mp.tick = tick
            sp.switch()
            if gp.attn is not None:
                _attn_after_park(mp, gp)
            return
    try:
        found = schedule(mp)
    except RuntimeError as exc:
        _cannot_park(mp, gp, exc)
        return
    if found is not gp:
        target = stack_for(mp, found)
        found = None
        target.switch()
    if gp.attn is not None:
        _attn_after_park(mp, gp)


def stack_for(mp: M, gnext: G[Any] | None) -> greenlet:
    """Return what to switch to so that `gnext` runs; it is `curg` from now on."""
    if gnext is None:
        throw("schedule: the M ends while goroutines live on it")
    sp = gnext.stack
    mp.curg = gnext
    if sp is not None:
        return sp
    if mp.gfree:
        sp = mp.gfree.pop()
        sp.g = gnext
        return sp
    maker = mp.maker
    if maker is None:
        throw("stack_for: the M has no maker")
    sp = Stack(mp, execute_stack, maker)
    sp.g = gnext
    mp.stacks.add(sp)
    mp.stacks_created += 1
    mp.to_make = sp
    return maker


def gosched() -> None:
    """Yield the P: let others run, then go on. A park point for interrupts.

    A no-op in a foreign thread. Blocks: G. Go: proc.go Gosched; differs: to the M's own queue.
    """
    try:
        mp = tls.m
    except AttributeError:
        mp = getm()
    gp = mp.curg
    tick = mp.tick + 1
    pp = mp.p
    readyq = mp.readyq
    # The first lines of `schedule`, written out: two calls less (benchmarks/yield_ten.py).
    if gp.attn is not None:
        raise_attn(mp, gp)
    elif tick < mp.due and pp is not None and readyq and not (pp.runnext or pp.runq):
        mp.tick = tick
        readyq.append(gp)
        mp.curg = readyq.popleft()
        mp.curg.stack.switch()  # type: ignore[union-attr]  # it has started
    elif mp.foreign:
        return
    else:
        if not readyq:
            mp.turn = True  # nobody else is ready: a fresh one, if there is one, not this again
            if sched.runq:
                mp.due = 0
        readyq.append(gp)
        try:
            found = schedule(mp)
        except RuntimeError:
            readyq.remove(gp)
            raise
        if found is not gp:
            target = stack_for(mp, found)
            found = None
            target.switch()
    if gp.attn is not None:
        raise_attn(mp, gp)


def yield_preempted(mp: M) -> None:
    """Let others run, then go on: `gosched` where it was not asked for. No park point.

    Blocks: G. Runs on: own M. Go: proc.go gopreempt_m; differs: to the M's own queue.
    """
    gp = mp.curg
    mp.preemptions += 1
    if not mp.readyq:
        mp.turn = True  # nobody else is ready: a fresh one, if there is one, not this again
    mp.readyq.append(gp)
    try:
        found = schedule(mp)
    except RuntimeError:  # not here, or not any more: then it goes on
        mp.readyq.remove(gp)
        return
    if found is not gp:
        target = stack_for(mp, found)
        found = None
        target.switch()


def _cannot_park(mp: M, gp: G[Any], exc: RuntimeError) -> None:
    """End a wait that `schedule` refused; a value that has come all the same is kept."""
    sg = gp.waiting
    if sg.owner.dequeue(sg):
        sg.why = exc
        gp.reason = None
        return
    while gp not in mp.readyq:
        pass  # its waker has claimed it and is about to append
    mp.readyq.remove(gp)


def _attn_before_park(mp: M, gp: G[Any]) -> bool:
    """Look at interrupts and signals before parking; False if they have ended the wait."""
    sg = gp.waiting
    exc: BaseException | None = None
    if gp.attn is NO_PARKING:
        _cannot_park(mp, gp, RuntimeError(IN_FINALISER))
        return False
    if gp.attn is SIGNALS:
        leave_attn(gp, None)
    if mp.sigs and gp is sched.g1:
        exc = run_signals(mp)
    if exc is not None and sg.owner.dequeue(sg):
        sg.why = exc
        gp.reason = None
        return False
    if exc is not None:
        leave_attn(gp, exc)
    elif gp.attn is not None and sg.owner.dequeue(sg):
        sg.why = INTERRUPTED
        gp.reason = None
        return False
    return True


def _attn_after_park(mp: M, gp: G[Any]) -> None:
    """Main was run: to handle signals, after which it may have to park again.

    An interrupt that came too late for this wait stays for the next; so do signals if the wait was
    satisfied: the next park handles them, or sysmon trips them again, in main's own code.
    """
    if not mp.sigrun or gp is not sched.g1:
        return
    mp.sigrun = False
    exc = run_signals(mp)
    if exc is not None:
        sg = gp.waiting
        if sg.owner.dequeue(sg):
            sg.why = exc
            gp.reason = None
            return
        leave_attn(gp, exc)
    gopark(mp, gp)


# -- the loop of a stack


def execute_stack(sp: Stack) -> None:
    """Run one goroutine after another, then whatever is next: the body of every Stack.

    Returns when the stack is to end, its parent set to the greenlet that runs next.
    """
    mp = sp.m
    gfree = mp.gfree
    readyq = mp.readyq
    while True:
        gp = sp.g
        if gp is None:
            return
        gp.m = mp  # before `stack`: who sees that it has started looks at its home
        gp.stack = sp
        mp.curg = gp
        kwargs = gp.kwargs
        try:
            if gp.attn is not None:
                raise take_attn(gp)
            # Not `ctx.run`: its C frame costs each parked goroutine 600 bytes, go + join 5 %.
            sp.gr_context = gp.ctx
            if kwargs is not None:
                gp.value = gp.fn(*gp.args, **kwargs)
            elif gp.args:
                gp.value = gp.fn(*gp.args)
            else:
                gp.value = gp.fn()  # a call without unpacking: 2 % of go + join
            gp.exc = None
        except BaseException as exc:  # a goroutine's end, whatever it raised, harms no other
            _failed(gp, exc)
        if _on_ended is not None:
            _on_ended(gp)
        # Done: first the result, then the mark, then the waiters (G._wait_done).
        sp.gr_context = None
        gp.args = gp.kwargs = gp.ctx = None  # type: ignore[assignment]  # dropped
        gp.stack = sp.g = None
        mp.finished += 1
        joinq = gp.joinq
        if mp.locked and mp.locked.pop(gp, 0):
            mp.dying = mp is not sched.m0
            mp.due = 0
        gp.joinq = None
        if joinq:
            # The one plain waiter of `go(f).join()`, written out (benchmarks/spawn_join.py).
            try:
                sg = joinq.pop()
                if sg.claim is None and sg.stack.m is mp and not joinq:
                    sg.stack.g.reason = None  # type: ignore[union-attr]  # it has parked there
                    readyq.append(sg.stack.g)  # type: ignore[arg-type]
                elif joinq or sg.claim is None:
                    if sg.claim is None and all(other.claim is None for other in joinq):
                        # On another thread they may drop the last handle: it is to be the last.
                        mp.curg = mp.g0
                        gp = None
                    _wake_joiners(mp, joinq, sg)
                else:
                    _call_on_end(sg.elem)
                del sg
            except IndexError:
                pass  # it has given up
        # The last reference to it may go here, and finalisers of what it held may run: as g0.
        mp.curg = mp.g0
        del gp, joinq, kwargs
        # The first lines of `schedule`, written out (benchmarks/spawn_join.py).
        tick = mp.tick + 1
        pp = mp.p
        if tick < mp.due and pp is not None and readyq and not (pp.runnext or pp.runq):
            mp.tick = tick
            gnext: G[Any] | None = readyq.popleft()
        else:
            gnext = schedule(mp)
        if gnext is None:
            return _mexit(mp, sp)
        target = gnext.stack
        if target is None:
            sp.g = gnext
            del gnext
            continue
        mp.curg = gnext
        del gnext
        if len(gfree) >= GFREE_MAX:
            sp.parent = getattr(target, "greenlet", target)  # main's is a RootStack
            mp.stacks.discard(sp)
            return None
        gfree.append(sp)
        target.switch()
        del target


ENTRANCES.add(execute_stack.__code__)


_on_ended: Callable[[G[Any]], None] | None = None


def set_site_hooks(born: Callable[[G[Any]], None], ended: Callable[[G[Any]], None]) -> None:
    """Have each goroutine told of when it is made and before it is done (leaks)."""
    global _on_ended
    set_born_hook(born)
    _on_ended = ended


def _failed(gp: G[Any], exc: BaseException) -> None:
    """Keep what a goroutine ended with; a FailedG's last handle is watched."""
    traceback = exc.__traceback__
    traceback = None if traceback is None else traceback.tb_next  # cut the loop's own frame off
    exc.__traceback__ = traceback
    gp.exc = exc
    if isinstance(exc, GoroutineExit):
        gp.value = None
        return
    gp.value = traceback
    gp.asked = isinstance(exc, SystemExit)
    gp.__class__ = FailedG
    sched.failed[gp.id] = handle = ref(gp)
    if not GIL:
        sched.failures.append(handle)  # sysmon looks whether anybody holds it


def _wake_joiners(mp: M, joinq: list[Sudog], last: Sudog) -> None:
    """Wake who waits for an end, the first come first, `last` last. Runs on: own M."""
    joinq.reverse()
    joinq.insert(0, last)
    while joinq:
        try:
            sg = joinq.pop()
        except IndexError:
            return  # the last one has given up
        if sg.claim is not None:
            _call_on_end(sg.elem)
            continue
        goready(sg)


def _call_on_end(callback: Callable[[], object]) -> None:
    """Make a callback of `G.on_end`; what it raises (a WaitGroup misused) is reported."""
    try:
        callback()
    except Exception as exc:
        sys.excepthook(type(exc), exc, exc.__traceback__)


# -- the life of an M


def _mstart(mp: M) -> None:
    """The body of an M's thread: its root greenlet is the maker of its stacks."""
    tls.m = mp
    mp.bind_thread()
    init_g0(mp)
    mp.root = mp.maker = getcurrent()
    first = Stack(mp, first_stack, mp.maker)
    mp.stacks.add(first)
    mp.stacks_created += 1
    mp.to_make = first
    first = None  # type: ignore[assignment]  # this frame lasts as long as the thread
    make_stacks(mp)


def init_g0(mp: M) -> None:
    """Make what stands between two goroutines of an M."""
    mp.g0 = thread_g(mp, None, 0)
    mp.g0.attn = NO_PARKING
    mp.curg = mp.g0


def make_stacks(mp: M) -> None:
    """Start one stack after another, as asked for in `to_make`: the body of a maker."""
    while True:
        sp = mp.to_make
        if sp is None:
            return
        mp.to_make = None
        sp.switch()  # comes back when the next one is wanted
        sp = None


def start_maker(mp: M, root: greenlet) -> greenlet:
    """Start what makes the stacks of main's M, where main has the root greenlet."""

    def make() -> None:
        root.switch()  # started: at main's present depth, whoever asks for a stack later
        while True:
            make_stacks(mp)
            root.switch()

    maker = greenlet(make, root)
    maker.switch()
    return maker


def first_stack(sp: Stack) -> None:
    """What an M's first stack does: find something to run, then be a stack like the others."""
    mp = sp.m
    gnext = schedule(mp)
    if gnext is None:
        return _mexit(mp, sp)
    if gnext.stack is not None:
        throw("mstart: a started goroutine on a new M")
    sp.g = gnext
    del gnext
    return execute_stack(sp)


ENTRANCES.add(first_stack.__code__)


def _mexit(mp: M, sp: Stack) -> None:
    """End a thread that no goroutine lives on: its idle stacks, then this one, then the root.

    `idle` has taken it out of the tables already. Runs on: own M.
    """
    if mp.p is not None:
        throw("mexit: the M still holds a P")
    while mp.gfree:
        other = mp.gfree.pop()
        other.g = None
        other.parent = sp
        other.switch()
    other = None  # type: ignore[assignment]  # this was its last reference but for `stacks`
    mp.stacks.clear()
    mp.to_make = None
    mp.knock = None
    # Returning ends this stack and wakes its parent, the root, whose loop finds nothing to make.


# What the methods of a G call (g.py knows no verbs), and what a thread runs.
set_verbs(tls, getm, gopark, interrupt, raise_why, raise_signals, look_at, begin_limits, end_limits)
set_mstart(_mstart)
