"""Looking inside: who lives, where they stand, Go's traceback text, the counters.

With the GIL whoever asks may walk every suspended greenlet and every thread's frames, since no
other thread runs meanwhile. Without it each M describes its own goroutines, when it comes by a
scheduling point (`M.calls`); one that does not come in time gets Go's "stack unavailable".

Locks: none held while frames are read.
"""

from __future__ import annotations

import _thread
import sys
import time
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any

from .attn import ask_ms
from .clock import now
from .frames import current_frames
from .g import G, ThreadG, place_of, told
from .idle import counters
from .lock import PACKAGE_DIR, release, snapshot
from .m import M, tls
from .note import Note
from .p import P
from .sched import GIL, lock_sched, sched
from .timers import pending
from .waits import waits

__all__ = [
    "Place",
    "all_living",
    "count_leak_warning",
    "current_g",
    "describe",
    "dump",
    "living",
    "main_g",
    "num_goroutine",
    "places_of",
    "schedtrace_lines",
    "stats",
]

Place = tuple[str, str, int]  # function, file, line


def living() -> list[G[Any]]:
    """Return every goroutine that is not done, main included, in no order. A snapshot."""
    found: dict[G[Any], None] = {}
    g1 = sched.g1
    if g1 is not None:
        found[g1] = None
    for queue in [sched.runq, *[q for pp in list(sched.allp) for q in (pp.runnext, pp.runq)]]:
        found.update(dict.fromkeys(snapshot(queue)))
    for mp in list(sched.allm):
        for sp in snapshot(mp.stacks):
            gp = sp.g
            if gp is not None:
                found[gp] = None
    return [gp for gp in found if gp.joinq is not None]


def all_living() -> list[G[Any]]:
    """As `living`, for who goes by that nobody is left. Blocks: the thread, for 2 ms at most.

    One look may miss a goroutine that is on its way just then, from a queue to that of a thief or
    to the stack where it starts. So there are three, while other Ms are awake.
    """
    own = getattr(tls, "m", None)
    found: dict[G[Any], None] = {}
    for look in range(3):
        if look:
            time.sleep(0.001)  # who is on its way arrives
        awake = any(mp is not own and not mp.idle for mp in snapshot(sched.allm))
        found.update(dict.fromkeys(living()))
        if not awake:
            break
    return [gp for gp in found if gp.joinq is not None]


def main_g() -> G[Any] | None:
    """Return main; None before it has come in."""
    return sched.g1


def current_g() -> G[Any] | None:
    """Return the calling goroutine, inside a system call too; None in a foreign thread."""
    mp = getattr(tls, "m", None)
    gp: G[Any] | None = None if mp is None else mp.curg
    return gp.caller if isinstance(gp, ThreadG) else gp


def num_goroutine() -> int:
    """Return the number of goroutines that are not done, main included. Go: NumGoroutine."""
    return max(1, len(living()))


# -- stacks


def places_of(asked: Iterable[G[Any]], all_asleep: bool = False) -> dict[G[Any], list[Place]]:
    """Return where each goroutine stands, innermost first; those that cannot be read are left out.

    `all_asleep`: the caller knows that no M runs, so that even without the GIL nothing moves.
    """
    started: dict[M, list[G[Any]]] = {}
    for gp in asked:
        if gp.stack is not None:
            started.setdefault(gp.m, []).append(gp)
    places: dict[G[Any], list[Place]] = {}
    own_ident = _thread.get_ident()
    direct = GIL or all_asleep
    current = current_frames() if direct else {own_ident: sys._getframe(1)}
    others = {}
    for mp, mine in started.items():
        if direct or mp.ident == own_ident:
            places.update(_describe_m(mp, mine, current))
        else:
            others[mp] = mine
    if others:
        _ask(others, places)
    current.clear()  # this frame is in it, and would be kept with all the others
    return places


def _ask(others: dict[M, list[G[Any]]], places: dict[G[Any], list[Place]]) -> None:
    """Have Ms describe their own goroutines into `places`; wait for those that come by in time."""
    left = [None] * len(others)
    done = Note()

    def question(mp: M) -> None:
        places.update(_describe_m(mp, others[mp], {mp.ident: sys._getframe(1)}))
        left.pop()
        done.wake()

    ask_ms(others, question, done, lambda: not left)


def _describe_m(
    mp: M, mine: list[G[Any]], current: dict[int, FrameType]
) -> dict[G[Any], list[Place]]:
    """Describe goroutines of one M, none of which can move meanwhile."""
    places = {}
    for gp in mine:
        if mp.curg is gp:
            frame = current.get(mp.ident)
        else:
            frame = getattr(getattr(gp.stack, "greenlet", gp.stack), "gr_frame", None)
        if frame is not None:
            places[gp] = _places(frame)
    return places


def _places(frame: FrameType | None) -> list[Place]:
    """List the frames of a stack, innermost first, the runtime's own left out."""
    result = []
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE_DIR):
            module = dict.get(frame.f_globals, "__name__")
            module = module if type(module) is str else "?"
            result.append((f"{module}.{code.co_qualname}", code.co_filename, frame.f_lineno or 0))
        frame = frame.f_back
    return result


# -- Go's text


def _describe(gp: G[Any], places: list[Place] | None, modules: dict[str, str]) -> str:
    """Write one goroutine in the grammar of Go's tracebacks."""
    status = gp.wait_reason or gp.state
    minutes = int(gp.blocked_for // 60)
    if minutes >= 1:
        status += f", {minutes} minutes"
    started = gp.stack is not None
    if started and gp in gp.m.locked:
        status += ", locked to thread"
    lines = [f"goroutine {gp.id} [{status}]:"]
    if places is None and started:
        lines.append("\tgoroutine running on other thread; stack unavailable")
    elif not started:
        module = told(gp.fn, "__module__")
        lines.append(f"{module if type(module) is str else '?'}.{gp.name}(...)")
        code = told(gp.fn, "__code__")
        if type(code) is CodeType:
            lines.append(f"\t{code.co_filename}:{code.co_firstlineno}")
    for function, file, line in places or ():
        lines.append(f"{function}(...)")
        lines.append(f"\t{file}:{line}")
    code = gp.code
    if code is not None:
        module = _module_of(code, modules)
        lines.append(f"created by {module}.{code.co_qualname} in goroutine {gp.parent}")
        lines.append(f"\t{place_of(code, gp.lasti)}")
    return "\n".join(lines) + "\n"


def describe(gs: Iterable[tuple[G[Any], list[Place] | None]]) -> list[str]:
    """Write goroutines, each given with where it stands, in the grammar of Go's tracebacks."""
    modules = _modules()
    return [_describe(gp, places, modules) for gp, places in gs]


def _modules() -> dict[str, str]:
    """Map file names to module names."""
    modules: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        file = told(module, "__file__")  # some modules import others when they are asked
        if type(file) is str:
            modules.setdefault(file, name)
    return modules


def _module_of(code: CodeType, modules: dict[str, str]) -> str:
    """Name the module a code object comes from, as well as its file tells."""
    file = code.co_filename
    return modules.get(file) or file.rsplit("/", 1)[-1].removesuffix(".py") or "?"


def dump(gs: Iterable[G[Any]] | None = None, *, all_asleep: bool = False) -> str:
    """Write goroutines as Go does: the caller's first, then by id. None: all of them."""
    mp = getattr(tls, "m", None)
    here = mp.curg if mp is not None and not all_asleep else None
    chosen = list(living() if gs is None else gs)
    chosen.sort(key=lambda gp: (gp is not here, gp.id))
    places = places_of(chosen, all_asleep)
    return "\n".join(describe((gp, places.get(gp)) for gp in chosen))


# -- counters


def stats() -> dict[str, Any]:
    """Return the gauges and cumulative counters; a snapshot, exact when nothing runs."""
    alive = living()
    states = dict.fromkeys(("idle", "runnable", "running", "syscall", "waiting", "dead"), 0)
    for gp in alive:
        states[gp.state] += 1
    lock_sched()  # what an M has counted is in the one or in the other
    total = dict(sched.dead)
    ms = list(sched.allm)
    waited = waits(ms)
    moment = now()
    busy = sched.p_busy + sum(moment - mp.slice_start for mp in ms if mp.p is not None)
    p_seconds = sched.p_seconds_until(moment)
    release(sched.lock)
    for mp in ms:
        for key, value in counters(mp).items():
            total[key] = total.get(key, 0) + value
    finished = total.get("finished", 0)
    ticks = total.get("ticks", 0)
    return {
        "goroutines": states,
        "ms": len(ms),
        "ps": sched.procs,
        "idle_ps": len(sched.pidle),
        "timers": sum(pending(mp) for mp in ms) + sum(h.pending() for h in list(sched.heaps)),
        "stacks_cached": sum(len(mp.gfree) for mp in ms),
        "spawned": finished + max(0, len(alive) - (sched.g1 is not None)),
        "finished": finished,
        "switches": ticks,
        "steals": total.get("steals", 0),
        "steal_attempts": total.get("steal_attempts", 0),
        "global_gets": total.get("global_gets", 0),
        "handoffs": sched.handoffs,
        "retakes": sched.retakes,
        "preemptions": total.get("preemptions", 0),
        "parks": max(0, ticks - finished),
        "netpolls": 0,
        "leak_warnings": sched.leak_warnings,
        "stacks_created": total.get("stacks_created", 0),
        "p_seconds": p_seconds,
        "p_busy_seconds": busy,
        "runnable_seconds": sched.runnable,
        "waits": waited,
    }


def count_leak_warning() -> None:
    """Count, for `stats`, what `leaks.watch` has said."""
    lock_sched()
    sched.leak_warnings += 1
    release(sched.lock)


# -- the SCHED line

_STATUS = {"idle": 0, "runnable": 1, "running": 2, "syscall": 3, "waiting": 4, "dead": 6}


def schedtrace_lines(ms: int, detail: bool) -> str:
    """Write Go's SCHED line, `ms` milliseconds since the first; with `detail` every P, M and G."""
    allm, allp = list(sched.allm), list(sched.allp)[: sched.procs]
    head = (
        f"SCHED {ms}ms: gomaxprocs={sched.procs} idleprocs={len(sched.pidle)} "
        f"threads={len(allm) + sched.sysmon_running} spinningthreads={sched.nspinning} "
        f"needspinning=0 idlethreads={sched.nidle()} "
        f"runqueue={len(sched.runq)}"
    )
    if not detail:
        queues = " ".join(str(len(pp.runq)) for pp in allp)
        ticks = " ".join(str(_pticks(pp)) for pp in allp)
        return f"{head} [ {queues} ] schedticks=[ {ticks} ]\n"
    locked = sum(1 for mp in allm if mp.locked and mp.idle)
    lines = [
        f"{head} gcwaiting=false nmidlelocked={locked} stopwait=0 "
        f"sysmonwait={str(sched.sysmon_sleeping).lower()}"
    ]
    lines += [_p_line(pp) for pp in allp]
    lines += [_m_line(mp) for mp in allm]
    lines += [_g_line(gp) for gp in sorted(living(), key=lambda gp: gp.id)]
    return "\n".join(lines) + "\n"


def _p_line(pp: P) -> str:
    mp = pp.m
    return (
        f"  P{pp.id}: status={int(mp is not None)} schedtick={_pticks(pp)} "
        f"syscalltick={0 if mp is None else mp.calltick // 2} m={'nil' if mp is None else mp.id} "
        f"runqsize={len(pp.runq)} gfreecnt={0 if mp is None else len(mp.gfree)} "
        f"timerslen={len(pp.timers.entries) + (0 if mp is None else len(mp.timers))}"
    )


def _m_line(mp: M) -> str:
    pp, curg = mp.p, mp.curg
    runs = curg is not None and curg.state in ("running", "syscall")
    lockedg = next(iter(mp.locked), None)
    return (
        f"  M{mp.id}: p={'nil' if pp is None else pp.id} curg={curg.id if runs else 'nil'} "
        f"mallocing=0 throwing=0 preemptoff= locks=0 dying={int(mp.dying)} "
        f"spinning={str(mp.spinning).lower()} blocked={str(mp.idle).lower()} "
        f"lockedg={'nil' if lockedg is None else lockedg.id}"
    )


def _g_line(gp: G[Any]) -> str:
    state = gp.state
    started = gp.stack is not None
    home = gp.m.id if started and state in ("running", "syscall") else "nil"
    lockedm = gp.m.id if started and gp in gp.m.locked else "nil"
    return f"  G{gp.id}: status={_STATUS[state]}({gp.wait_reason}) m={home} lockedm={lockedm}"


def _pticks(pp: P) -> int:
    """Count the scheduling decisions made with a P."""
    lock_sched()  # an M adds its own to the P's when it lets go of it
    mp = pp.m
    ticks = pp.tick if mp is None else pp.tick + mp.tick - mp.tick0
    release(sched.lock)
    return ticks
