"""An M that has nothing to run: steal, spin, sleep, end; and the check for deadlock.

`idle` is the sleeper of the wake-up protocol (note.py): it announces itself under sched.lock (and
gives up its P there), looks at every queue again, then sleeps. `goready`, `startm` and whoever asks
an M something are its wakers.

Invariants:
- An M never sleeps here while a goroutine is in its `readyq`, or while it could take a fresh one.
- An M is on one of the idle lists exactly while `idle` is set. Who takes it off, under sched.lock,
  decides what it does next: a waker gives it a P or a call, a time-out lets it end.
"""

from __future__ import annotations

import _thread
import signal
import sys
import time
from collections.abc import Callable
from math import inf

from .clock import now
from .handoff import goready, passp, start_call, startm, unwire
from .lock import release
from .m import M
from .p import P
from .rand import random_order
from .sched import GIL, exit_gate_is_closed, lock_sched, policy, sched
from .timerproc import call_sysmon, next_timer
from .timers import next_deadline, pending
from .waits import merge_waits

__all__ = ["GATE_SECONDS", "DeadlockError", "counters", "idle", "set_describe_all", "spin", "steal"]

STEAL_ROUNDS = 4  # Go: stealWork
NEXT_SECONDS = 20e-6  # what the newest goroutine of a P is given before it is stolen
IDLE_MS_KEPT = 4  # idle Ms beyond these, and beyond one a P, end after a while
IDLE_SECONDS = 2.0
GATE_SECONDS = 2.0  # what an M waits for at exit: the end of the interpreter is over by then
POLL_MIN, POLL_MAX = 0.01, 1.0  # how often main's M looks whether the last foreign thread has ended


class DeadlockError(RuntimeError):
    """All goroutines are asleep and nothing could ever wake main."""


_describe_all: Callable[[], str] = str


def set_describe_all(describe: Callable[[], str]) -> None:
    """Name what tells of a deadlock: who waits for whom, and all stacks; called by boot.py."""
    global _describe_all
    _describe_all = describe


def steal(mp: M, pp: P) -> bool:
    """Move half of another P's goroutines to `pp`, of the fresh ones; False if there were none.

    With the GIL a P that is held is robbed only by an M that was sent (see sched.GilPolicy).
    Runs on: own M. Go: proc.go stealWork.
    """
    busy_too = policy.steal_from_busy or mp.spinning
    allp = sched.allp
    if len(allp) < 2:
        return False
    for attempt in range(STEAL_ROUNDS):
        seen = False
        for pid in random_order(len(allp)):
            victim = allp[pid]
            holder = victim.m
            if victim is pp or (holder is not None and not busy_too):
                continue
            mp.steal_attempts += 1
            if not (victim.runq or victim.runnext):
                continue
            seen = True
            ready = 0 if holder is None else len(holder.readyq)
            batch = victim.grab(attempt == STEAL_ROUNDS - 1 and _lingers(victim), ready)
            if batch:
                mp.steals += 1
                pp.runq.extend(batch)
                return True
        if not seen:
            return False  # what is published from now on finds this M announced, or spinning
    return False


def _lingers(victim: P) -> bool:
    """Tell whether a P's `runnext` stays there for a moment: who has made it may be about to park,
    and it would run next. Go: runqgrab, which sleeps for 3 us.
    """
    runnext = victim.runnext
    try:
        newest = runnext[0]  # no iteration: others take and append meanwhile
        time.sleep(NEXT_SECONDS)
        return runnext[0] is newest
    except IndexError:
        return False


def spin(mp: M) -> bool:
    """Look for work a little longer before sleeping; True if there may be some.

    Only without the GIL, and only while fewer than half of the busy Ps' Ms do so.
    """
    if not policy.spin_rounds or sched.pwait:
        return False  # another M waits for the P
    if not mp.spinning:
        busy = sched.procs - len(sched.pidle)
        if sched.nspinning and 2 * sched.nspinning >= busy:
            return False
        lock_sched()
        mp.spinning = True
        sched.nspinning += 1
        release(sched.lock)
    for _ in range(policy.spin_rounds):
        if mp.readyq or mp.sigs or mp.calls or sched.takeable():
            return True
        if sched.pwait:
            return False
        time.sleep(0)  # whoever has the work may need this CPU
    return False


def idle(mp: M, fresh_ok: bool, main_parked: bool) -> bool:
    """Give up the P and sleep until there is something to do. False: the M is to end.

    `fresh_ok`: it may run goroutines that have not started. `main_parked`: main lives here and
    waits. Blocks: M. Runs on: own M. Go: the tail of findRunnable, and stopm.
    """
    lock_sched()
    pp = mp.p
    taker = None
    if pp is not None:
        unwire(pp, mp)
        taker = passp(pp)
    if mp.spinning:
        mp.spinning = False
        sched.nspinning -= 1
    mp.idle = True  # announce
    if not fresh_ok:
        sched.mlocked[mp] = None
    else:
        (sched.mhome if mp.nlive() else sched.midle)[mp] = None
    surplus = not mp.nlive() and len(sched.midle) > max(IDLE_MS_KEPT, sched.procs)
    release(sched.lock)
    if taker is not None:
        taker.note.wake()
    # Re-check what was published before the announcement.
    work = sched.pidle and sched.takeable()
    if work and not fresh_ok:
        # Fresh goroutines that this M may not take: another has to.
        startm()
        work = False
    calls = sched.callq and fresh_ok and not mp.nlive()  # `find_runnable` takes one
    sleeps = not (mp.readyq or mp.sigs or mp.calls or mp.call is not None or work or calls)
    if sleeps:
        _sleep(mp, main_parked, surplus)
    mp.now = now()
    lock_sched()
    chosen = not mp.idle
    if not chosen:
        mp.idle = False
        sched.midle.pop(mp, None)
        sched.mhome.pop(mp, None)
        sched.mlocked.pop(mp, None)
    ends = not chosen and _may_end(mp, surplus and sleeps)
    if ends:
        sched.allm.remove(mp)
        dead = sched.dead
        for key, value in counters(mp).items():
            dead[key] = dead.get(key, 0) + value
        merge_waits(sched.waits, mp)
    release(sched.lock)
    if ends and sched.callq:
        start_call()
    return not ends


def _may_end(mp: M, surplus: bool) -> bool:
    """Tell whether an M that nobody has chosen is to end. Caller holds: sched.lock."""
    if mp is sched.m0 or mp.nlive() or mp.readyq or mp.calls or mp.p is not None:
        return False
    return mp.dying or (surplus and len(sched.midle) >= max(IDLE_MS_KEPT, sched.procs))


def _sleep(mp: M, main_parked: bool, surplus: bool) -> None:
    """Sleep until woken or until the next deadline of a goroutine that lives here."""
    if mp.dying and not mp.nlive():
        return
    when = next_deadline(mp)
    if sched.sysmon_ends and (first := next_timer()) < (inf if when is None else when):
        when = first  # nobody else looks after timers
    if when is not None and when <= now():
        return
    if sys.is_finalizing():
        raise RuntimeError("gmprt: cannot wait, the interpreter is being finalised")
    if sched.heaps:
        call_sysmon()  # this M looks at timers no more
    poll = POLL_MIN
    while True:
        if _checkdead() or mp.readyq:
            return
        timeout = None if when is None else when - now()
        if sched.exit_gate is not None and _settles(mp):
            left = sched.exit_until - now()
            if timeout is not None:
                timeout = max(timeout, left)
            elif not GIL:
                timeout = left  # sysmon, which would open the gate then, has ended
        elif surplus:
            timeout = IDLE_SECONDS if timeout is None else min(timeout, IDLE_SECONDS)
        if not main_parked:
            mp.note.sleep(timeout)
            mp.settled = False
            return
        # A foreign thread may end without a word: look again, less and less often.
        step = poll if timeout is None else min(poll, timeout)
        woken = mp.note.sleep(step)
        mp.settled = False
        if woken or mp.readyq or not mp.idle:
            return
        if when is not None and now() >= when:
            return
        poll = min(POLL_MAX, poll * 2)


def _settles(mp: M) -> bool:
    """At exit: sleep until somebody needs goroutines, or for long; see `boot._let_settle`.

    A thread that the end of the interpreter finds on its way out of a wait may crash it.
    """
    if not exit_gate_is_closed():
        return False
    mp.settled = True  # announce, to who opens the gate
    mp.settled = sched.exit_gate is not None  # re-check
    return mp.settled


def counters(mp: M) -> dict[str, int]:
    """Return what an M has counted."""
    return {
        "ticks": mp.tick,
        "finished": mp.finished,
        "steals": mp.steals,
        "steal_attempts": mp.steal_attempts,
        "global_gets": mp.global_gets,
        "stacks_created": mp.stacks_created,
        "preemptions": mp.preemptions,
    }


def _checkdead() -> bool:
    """Raise DeadlockError in main if nothing is left that could wake it. Go: proc.go checkdead.

    Runs on: an M that has announced itself idle. Whoever is awake (an M, a foreign thread, a call)
    counts as able to wake main, so a state seen here with all asleep cannot change by itself.
    """
    g1 = sched.g1
    if g1 is None or not _all_asleep() or sched.checker == _thread.get_ident():
        return False
    # One at a time: others who are about to sleep wait here, and do not describe goroutines, main
    # among them, that run again because the first has found it.
    checking = sched.checking
    checking.acquire()
    sched.checker = _thread.get_ident()
    try:
        if not _all_asleep():
            return False
        text = f"all goroutines are asleep - deadlock!\n{_describe_all()}"
        sg = g1.waiting
        if not _all_asleep() or not sg.owner.dequeue(sg):
            return False
        sg.why = DeadlockError(text)
        goready(sg)
        return True
    finally:
        sched.checker = 0
        checking.release()


def _all_asleep() -> bool:
    """Tell whether main waits and no thread, timer or handler is left that could end that."""
    firings = sched.firings
    if firings % 2:
        return False  # sysmon has taken out a timer or a signal, and not yet woken who waits for it
    g1, m0 = sched.g1, sched.m0
    if g1 is None or m0 is None or not m0.idle:
        return False
    if getattr(g1, "reason", None) in (None, "syscall"):
        return False
    lock_sched()
    try:
        allm = sched.allm
        if sched.nidle() < len(allm):
            return False
        if sched.pwait or sched.callq or sched.queued():
            return False
        for mp in allm:
            if mp.readyq or mp.sigs or pending(mp):
                return False
        if any(heap.pending() for heap in sched.heaps):
            return False
        ours = len(allm) - 1 + sched.sysmon_running + sched.ghosts
    finally:
        release(sched.lock)
    alone = _thread._count() <= ours and not _python_handlers()
    return alone and sched.firings == firings


def _python_handlers() -> bool:
    """Tell whether a signal handler written in Python is installed, SIGINT's default left out."""
    if any(node.claim for nodes in list(sched.watched.values()) for node in list(nodes)):
        return True  # a live signal_context
    for signum in signal.valid_signals():
        if signum in sched.watched:
            continue  # its handler is not called, and who watches cannot wake anybody
        handler = signal.getsignal(signum)
        if callable(handler) and handler is not signal.default_int_handler:
            return True
    return False
