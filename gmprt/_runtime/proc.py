"""Choosing what runs: schedule, find_runnable.

Order in `schedule` and `find_runnable`: requests (signals for main, questions of a dump); deadlines
that have passed, whose goroutines go to the front, and timers; every 61st tick in turn the global
queue and the head of the P's own, past `runnext`; ready (started) and fresh goroutines in turn, so
that neither starves, but of the fresh ones `runnext` alone while an M is on its way to steal; the
global queue; stealing; idle.

Invariants:
- A request to an M sets its `due` to 0 and wakes its note. The store may be lost to the M's own;
  then the request waits for the M's next slow path, at most 61 ticks, or for sysmon to repeat it.
- Popping a goroutine from the one queue that it is in is the claim.

Locks: sched.lock (in handoff.py, idle.py).

Rejected: several fresh ones between two that are ready. `[go(f) ...]`, then join each, took 0.7 of
the time on one P, but trees are walked in breadth then, with more stacks (eight queens: 1.35).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .attn import answer, leave_attn, mark_signals, run_signals
from .clock import now
from .g import G, code_of
from .handoff import (
    acquirep,
    handoffp,
    resetspinning,
    send_free_m,
    slice_over,
    take_call,
    wait_for_p,
    wakep,
)
from .idle import idle, spin, steal
from .lock import release
from .m import M
from .p import RUNQ_MAX, P
from .sched import BLOCKER_SECONDS, BLOCKER_STRIKES, lock_sched, open_exit_gate, sched
from .timerproc import next_look, next_timer, run_timers
from .timers import expire
from .waits import sample_wait

__all__ = ["IN_FINALISER", "schedule", "set_fork_child_end"]

GLOBAL_EVERY = 61  # Go: schedtick%61
IN_FINALISER = "gmprt: cannot wait inside this finaliser; start a goroutine from it instead"

_fork_child_end: Callable[[], None]


def set_fork_child_end(end: Callable[[], None]) -> None:
    """Name what ends a forked child whose forking goroutine has returned; called by boot.py."""
    global _fork_child_end
    _fork_child_end = end


def schedule(mp: M) -> G[Any] | None:
    """Pick the next goroutine; idles while there is none. None: the M is to end.

    Blocks: M. Runs on: own M. Go: proc.go schedule.
    """
    tick = mp.tick + 1
    mp.tick = tick
    pp = mp.p
    if tick >= mp.due or pp is None:
        return find_runnable(mp)
    readyq = mp.readyq
    if pp.runnext or pp.runq:
        # A thief that is on its way gets those of the queue: where they start they stay (`_pick`).
        if not readyq or (mp.turn and (pp.runnext or not sched.nspinning)):
            mp.turn = False
            gp = pp.get()
            if gp is not None and not (sched.blockers and _must_not_start(mp, gp)):
                return gp
            gp = None  # sent away: this frame may stay for long, and would keep it alive
        else:
            mp.turn = True
    if readyq:
        return readyq.popleft()
    return find_runnable(mp)


def find_runnable(mp: M) -> G[Any] | None:
    """Find a goroutine to run the long way. None: the M is to end. Go: proc.go findRunnable."""
    if sched.exit_gate is not None and (mp.foreign or mp is sched.m0):
        open_exit_gate()
    if mp.foreign:
        return _foreign_wait(mp)
    if mp.forked:
        _fork_child_end()
    if mp.ingc:
        raise RuntimeError(IN_FINALISER)
    while True:
        # 1. What others have asked for.
        if mp.calls:
            answer(mp)
        if mp.call is not None:
            mp.call.run(mp)
            continue
        # 2. Deadlines.
        if mp.timers:
            expire(mp)
        if sched.heaps and next_timer() <= now():
            run_timers(now())
        # 3. A P, if there is something to do with one.
        fresh_ok = not mp.locked and not mp.dying
        pp = mp.p
        if pp is None:
            if mp.spinning:
                resetspinning(mp)
            if mp.blocked is not None:
                _back_from_blocking(mp)
            if mp.readyq or mp.sigs or mp.wants_p:
                if not acquirep(mp):
                    wait_for_p(mp, answer)
            elif fresh_ok and (
                (sched.takeable() and acquirep(mp, thief=True)) or (sched.callq and _next_call(mp))
            ):
                pass
            elif not idle(mp, fresh_ok, _main_parked(mp)):
                return None
            continue
        if mp.sigs and _main_takes_signals(mp):
            if mp.spinning:
                resetspinning(mp)
            mp.due = 0
            return sched.g1
        if _others_want(mp, fresh_ok) and slice_over(mp):
            if not fresh_ok and sched.queued():
                send_free_m()  # those that wait for the P may all be like this one
            handoffp(pp, mp)
            continue
        # 4. A goroutine: the global queue in its turn, own ones, others'.
        gp = _pick(mp, pp, fresh_ok)
        if gp is not None:
            if mp.spinning:
                resetspinning(mp)
            if mp.tick % GLOBAL_EVERY == 0:
                sample_wait(mp, gp, GLOBAL_EVERY)
            if sched.pwait or not fresh_ok:
                mp.due = mp.tick + 1
            else:
                mp.due = mp.tick - mp.tick % GLOBAL_EVERY + GLOBAL_EVERY
                if mp.timers or sched.heaps:
                    mp.due = min(mp.due, next_look(mp))
            return gp
        # 5. Nothing: look a little longer, then sleep.
        if fresh_ok and mp.p is pp and spin(mp):
            continue
        if not idle(mp, fresh_ok, _main_parked(mp)):
            return None


def _pick(mp: M, pp: P, fresh_ok: bool) -> G[Any] | None:
    """Take the next goroutine in the order of the file's head."""
    readyq = mp.readyq
    if not fresh_ok:
        return readyq.popleft() if readyq else None
    must = False  # start a fresh one
    if mp.tick % GLOBAL_EVERY == 0:
        # Goroutines that each start the next through `runnext` must not keep all others waiting.
        turns = mp.tick // GLOBAL_EVERY
        own_turn = (turns % 2 == 0 or not sched.runq) and (turns % 8 == 0 or not sched.nspinning)
        must = own_turn and _oldest_next(mp, pp)
        if not must and sched.runq:
            must = _globrunqget(mp, pp, 1)
    while True:
        fresh = bool(pp.runnext or pp.runq)
        if mp.turn and not fresh and sched.runq:
            fresh = _globrunqget(mp, pp, RUNQ_MAX // 2)
        # A goroutine that has started cannot move. While an M is being woken to help, which takes
        # longer than starting many, those of the queue are left to it; each 488th is started here.
        # The newest is not: it mostly has to do with who has made it, and that one lives here.
        if readyq and not (fresh and mp.turn and (must or pp.runnext or not sched.nspinning)):
            mp.turn = fresh
            return readyq.popleft()
        mp.turn = False
        gp = pp.get() if fresh else None
        if gp is None:
            if readyq:
                return readyq.popleft()
            if not _globrunqget(mp, pp, RUNQ_MAX // 2) and not steal(mp, pp):
                return None
            if pp.m is None:
                wakep()  # the P was lost meanwhile, and nobody else looks at its queue
            continue
        if not (sched.blockers and _must_not_start(mp, gp)):
            return gp
        return readyq.popleft() if readyq and mp.p is pp else None


def _globrunqget(mp: M, pp: P, most: int) -> bool:
    """Move a fair share of the global queue to `pp`; with `most` 1, one that is to run next."""
    queue = sched.runq
    share = min(most, len(queue) // max(1, sched.procs) + 1)
    moved = 0
    try:
        for _ in range(share):
            gp = queue.popleft()
            if most == 1:
                pp.runnext.append(gp)
                mp.turn = True
            else:
                pp.runq.append(gp)
            moved += 1
    except IndexError:
        pass  # others were faster
    if moved:
        mp.global_gets += 1
    return moved > 0


def _oldest_next(mp: M, pp: P) -> bool:
    """Have the first of the queue run next, before what is in `runnext`; False if there is none."""
    try:
        pp.runnext.append(pp.runq.popleft())
    except IndexError:
        return False
    mp.turn = True
    return True


def _must_not_start(mp: M, gp: G[Any]) -> bool:
    """Send a goroutine away whose function blocks unannounced, if others live on this M.

    It would strand them. It goes back to the global queue, and an M where nobody lives gets a P for
    it, or queues for one. At the limit of Ms it may start anywhere.
    """
    if not mp.nlive():
        return False
    if sched.blockers.get(code_of(gp.fn), 0) < BLOCKER_STRIKES:
        return False
    if not send_free_m():
        return False
    sched.runq.appendleft(gp)
    return True


def _back_from_blocking(mp: M) -> None:
    """Note a long unannounced blocking call, from which this M has come back without its P.

    A short one does no harm, and may have been no call: a lock of the allocator, a collection.
    """
    blocked = mp.blocked
    mp.blocked = None
    if blocked is None or blocked[0] is None:  # the latter: main, whose like is not started again
        return
    if now() - blocked[1] >= BLOCKER_SECONDS:
        sched.blockers[blocked[0]] = sched.blockers.get(blocked[0], 0) + 1


def _next_call(mp: M) -> bool:
    """Take a call that waits for a thread, if nobody lives here."""
    if mp.nlive():
        return False
    lock_sched()
    found = take_call(mp)
    release(sched.lock)
    return found


def _others_want(mp: M, fresh_ok: bool) -> bool:
    """Tell whether somebody waits for what this M holds: its P."""
    return bool(sched.pwait) or (not fresh_ok and sched.queued())


def _main_parked(mp: M) -> bool:
    """Tell whether main lives on this M and waits."""
    return mp is sched.m0 and getattr(sched.g1, "reason", None) is not None


def _main_takes_signals(mp: M) -> bool:
    """Arrange that main, which is not running, runs now to handle its signals.

    If it is ready anyway it is taken out of the queue, else it runs without having been readied.
    """
    g1 = sched.g1
    if g1 is None:
        return False
    try:
        mp.readyq.remove(g1)
    except ValueError:
        if getattr(g1, "reason", None) is None:
            return False  # claimed by a thread that is about to make it ready
        mp.sigrun = True
    mark_signals(g1)
    return True


def _foreign_wait(mp: M) -> G[Any]:
    """Wait in a thread that runs no goroutines until its stand-in is ready. Blocks: thread."""
    readyq = mp.readyq
    mp.now = mp.curg.since = now()
    while True:
        mp.idle = True  # announce
        if mp.timers:
            expire(mp)
        if readyq:  # re-check
            mp.idle = False
            return readyq.popleft()
        timeout = mp.timers[0][0] - now() if mp.timers else None
        if _signals_end_wait(mp):
            mp.idle = False
            return mp.curg
        if sys.is_finalizing():
            raise RuntimeError("gmprt: cannot wait, the interpreter is being finalised")
        mp.note.sleep(timeout)


def _signals_end_wait(mp: M) -> bool:
    """Main waits inside a system call: handle its signals; True if one has ended the wait."""
    m0 = sched.m0
    if m0 is None or not m0.sigs or mp is not m0.callm or m0.curg is not sched.g1:
        return False
    exc = run_signals(m0)
    gp = mp.curg
    if exc is None:
        return False
    if gp.waiting.owner.dequeue(gp.waiting):
        gp.waiting.why = exc
        gp.reason = None
        return True
    leave_attn(m0.curg, exc)
    return False
