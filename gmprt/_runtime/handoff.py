"""Who holds a P, and who wakes whom: acquire, pass on, start an M, make a goroutine ready.

The verbs below the scheduler: they move Ps and wake threads, and never run a goroutine.

Invariants: see p.py and sched.py; every change of a P's holder is in this file or in `idle`, under
sched.lock, by `wire` and `unwire`.
"""

from __future__ import annotations

from _thread import start_new_thread
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .clock import now
from .lock import release
from .m import M, tls
from .p import P
from .sched import exit_gate_is_closed, lock_sched, open_exit_gate, policy, sched

if TYPE_CHECKING:
    from .g import G
    from .sudog import Sudog

__all__ = [
    "SLICE",
    "SLICE_MIN",
    "acquirep",
    "goready",
    "handoffp",
    "launch",
    "newm",
    "passp",
    "resetspinning",
    "send_free_m",
    "set_mstart",
    "slice_over",
    "start_call",
    "startm",
    "take_call",
    "take_idle_m",
    "unwire",
    "wait_for_p",
    "wake_for_foreign",
    "wakep",
    "wire",
]

SLICE = 0.010  # seconds an M may keep its P while others wait, divided among them
SLICE_MIN = 0.001

_mstart: Callable[[M], None]


def set_mstart(mstart: Callable[[M], None]) -> None:
    """Name what a new thread runs; called by park.py."""
    global _mstart
    _mstart = mstart


def goready(sg: Sudog) -> None:
    """Make a parked goroutine runnable. The caller has claimed its Sudog, and holds no lock.

    Blocks: no. Runs on: any thread. Go: proc.go ready.
    """
    sp = sg.stack
    gp: G[Any] = sp.g  # type: ignore[assignment]  # it has parked there
    gp.reason = None
    mp = sp.m
    mp.readyq.append(gp)  # publish
    if mp.idle:  # look
        mp.note.wake()  # wake


def wire(pp: P, mp: M) -> None:
    """Give `pp` to `mp`. Caller holds: sched.lock."""
    pp.m = pp.oldm = mp
    mp.p = mp.oldp = pp
    mp.wants_p = False
    mp.blocked = None  # what it says was before
    mp.tick0 = mp.tick
    mp.slice_start = mp.now = now()
    mp.seen_tick = -1  # for sysmon a new beginning: the M may have slept for long
    if sched.sysmon_sleeping:
        sched.sysmon_sleeping = False
        sched.sysmon_note.wake()


def unwire(pp: P, mp: M) -> None:
    """Take `pp` from `mp`. Caller holds: sched.lock."""
    pp.m = None
    mp.p = None
    sched.p_busy += now() - mp.slice_start
    pp.tick += mp.tick - mp.tick0
    mp.due = 0
    if mp.spinning:
        mp.spinning = False
        sched.nspinning -= 1


def passp(pp: P) -> M | None:
    """Give a P nobody holds to the first M that waits for one, else to the idle list.

    Caller holds: sched.lock, and wakes the M that is returned after releasing it.
    """
    if pp.retired:
        for queue in (pp.runnext, pp.runq):
            try:
                while True:
                    sched.runq.append(queue.popleft())
            except IndexError:
                pass  # empty: thieves, who hold no lock, may be taking from it, too
        return None
    if sched.pwait:
        mp = sched.pwait.popleft()
        wire(pp, mp)
        return mp
    sched.pidle.append(pp)
    return None


def acquirep(mp: M, thief: bool = False) -> bool:
    """Take the P `mp` had last if it is idle, else any idle one. Runs on: own M.

    `thief`: it has nothing to run but what others have queued, and without the GIL counts as
    looking for that, so that it is left to it meanwhile.
    Go: exitsyscallTryGetP; becomeSpinning.
    """
    if not sched.pidle:
        return mp.p is not None
    lock_sched()
    pidle = sched.pidle
    if pidle and mp.p is None:
        pp = mp.oldp
        if pp is not None and pp in pidle:
            pidle.remove(pp)
        else:
            pp = pidle.pop()
        wire(pp, mp)
        if thief and policy.wake_on_go and not mp.spinning:
            mp.spinning = True
            sched.nspinning += 1
    release(sched.lock)
    return mp.p is not None


def wait_for_p(mp: M, answer: Callable[[M], None]) -> None:
    """Queue for a P and sleep until one is given. `answer` is called when others ask something.

    Blocks: M. Runs on: own M.
    """
    while mp.p is None:
        waits = False
        lock_sched()
        if mp.p is None and sched.pidle:
            wire(sched.pidle.pop(), mp)
        elif mp.p is None:
            waits = True
            if mp not in sched.pwait:  # again: the P given was taken before it woke
                sched.pwait.append(mp)
                for pp in sched.allp:
                    holder = pp.m
                    if holder is not None:
                        holder.due = 0
        release(sched.lock)
        # Only one that is queued may sleep: `gomaxprocs` can take a P between here and there.
        if waits and mp.p is None:
            mp.note.sleep()
        if mp.calls:
            answer(mp)


def slice_over(mp: M) -> bool:
    """Tell whether `mp` has used up its turn with the P, given how many wait for one."""
    share = SLICE / (1 + len(sched.pwait))
    return now() - mp.slice_start >= max(SLICE_MIN, share)


def take_idle_m(home_too: bool) -> M | None:
    """Take an idle M off its list. Caller holds: sched.lock, and gives it something to do."""
    if sched.midle:
        mp, _ = sched.midle.popitem()
    elif home_too and sched.mhome:
        mp, _ = sched.mhome.popitem()
    else:
        return None
    mp.idle = False
    return mp


def newm() -> M | None:
    """Enter a new M in the tables; None at the limit.

    Caller holds: sched.lock, then gives it something to do and `launch`es it.
    """
    if len(sched.allm) >= sched.maxthreads:
        return None
    mp = M(sched.mseq)
    sched.mseq += 1
    sched.allm.append(mp)
    return mp


def take_call(mp: M) -> bool:
    """Give `mp`, where nobody lives, the call that has waited longest for a thread.

    Caller holds: sched.lock.
    """
    while sched.callq:
        call = sched.callq.popleft()
        if call.sg.claim:  # else it has been given up
            call.gp.reason = "syscall"
            mp.call = call
            sched.ncalls += 1
            return True
    return False


def start_call() -> None:
    """Have a new M make a call that waits for a thread, if there may be one more."""
    lock_sched()
    fresh = newm() if sched.callq else None
    if fresh is not None:
        take_call(fresh)
    release(sched.lock)
    if fresh is not None:
        launch(fresh)


def launch(mp: M) -> bool:
    """Start the thread of a new M; False if the system will not. Caller holds: no lock.

    A call that it was to make is then made by the caller; so are those that would wait for ever.
    """
    try:
        start_new_thread(_mstart, (mp,))
        sched.no_threads = False
    except RuntimeError:
        sched.no_threads = True
        lock_sched()
        sched.allm.remove(mp)
        if mp in sched.pwait:
            sched.pwait.remove(mp)
        pp = mp.p
        taker = None
        if pp is not None:
            unwire(pp, mp)
            taker = passp(pp)
        if mp.spinning:
            mp.spinning = False
            sched.nspinning -= 1
        refused = []
        if mp.call is not None:
            refused.append(mp.call)
            mp.call = None
            sched.ncalls -= 1
        if sched.ncalls == 0:
            refused.extend(sched.callq)
            sched.callq.clear()
        release(sched.lock)
        if taker is not None:
            taker.note.wake()
        for call in refused:
            call.refuse()
        return False
    return True


def startm(*, spinning: bool = False) -> bool:
    """Run an idle or new M on an idle P. False if there is no P or no M to be had.

    `spinning`: it is to look for work, and counts as doing so. Runs on: any thread. Go: startm.
    """
    if sched.exit_gate is not None and not _needed_at_exit():
        return False
    lock_sched()
    if not sched.pidle or (spinning and sched.nspinning):
        release(sched.lock)
        return False
    mp = take_idle_m(home_too=True)
    fresh = None
    if mp is None:
        mp = fresh = newm()
    if mp is None:
        release(sched.lock)
        return False
    wire(sched.pidle.pop(), mp)
    if spinning:
        mp.spinning = True
        sched.nspinning += 1
    release(sched.lock)
    if fresh is not None:
        return launch(fresh)
    mp.note.wake()
    return True


def _needed_at_exit() -> bool:
    """At exit, with the Ms at its gate: tell whether one is to run all the same.

    For main, or a thread that is none of ours, or when the interpreter's end is long over: the gate
    is open then. For an M or sysmon it is not: that end would find the other one running.
    """
    own = getattr(tls, "m", None)
    if own is None or not (own is sched.m0 or own.foreign):
        return not exit_gate_is_closed()
    open_exit_gate()
    return True


def send_free_m() -> bool:
    """See that an M where no goroutine lives gets a P, now or in its turn; False at the limit of
    Ms.

    Runs on: an M that holds a P and may not start what it found. One M at a time is enough: it goes
    on with the global queue.
    """
    lock_sched()
    for mp in sched.pwait:
        if mp.wants_p:
            release(sched.lock)
            return True
    target = take_idle_m(home_too=False)
    fresh = None
    if target is None:
        target = fresh = newm()
    if target is None:
        release(sched.lock)
        return False
    if sched.pidle:
        wire(sched.pidle.pop(), target)
    else:
        target.wants_p = True
        sched.pwait.append(target)
    wired = target.p is not None
    release(sched.lock)
    if fresh is not None:
        return launch(fresh)
    if wired:
        target.note.wake()
    return True


def handoffp(pp: P, mp: M) -> bool:
    """Take `pp` from `mp`, if `mp` still holds it, and put it to use elsewhere.

    Goes to an M that waits for a P, else to the idle list; and if there are fresh goroutines, an M
    is started. False if `mp` did not hold it any more. Runs on: any thread. Go: proc.go handoffp.
    """
    lock_sched()
    if pp.m is not mp or mp.p is not pp:
        release(sched.lock)
        return False
    unwire(pp, mp)
    taker = passp(pp)
    release(sched.lock)
    if taker is not None:
        taker.note.wake()
    elif sched.takeable():
        startm()
    return True


def wakep() -> None:
    """Send one M to look for work, unless one is looking already or no P is idle. Go: wakep."""
    if sched.pidle and not sched.nspinning:
        startm(spinning=True)


def wake_for_foreign() -> None:
    """See that what a thread without a P has just queued is run.

    With the GIL a running M will come to it, or sysmon will see that it does not.
    """
    if policy.wake_on_go or len(sched.pidle) >= sched.procs:
        wakep()


def resetspinning(mp: M) -> None:
    """Say that `mp` has found work; there may be more. Runs on: own M. Go: resetspinning."""
    lock_sched()
    if mp.spinning:
        mp.spinning = False
        sched.nspinning -= 1
    release(sched.lock)
    if policy.wake_on_go and sched.pidle and sched.queued():
        wakep()
