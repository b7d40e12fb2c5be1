"""The scheduler's verbs: go, schedule, find_runnable, gopark, gosched, and the loop of a stack.

A goroutine that parks picks the next one on its own stack and switches straight to it: there is no
hub greenlet. A fresh goroutine is run by a stack's loop as a plain call, with no switch at all. If
nothing is runnable the M idles on the parking goroutine's own stack, and if the first to wake is
that very goroutine, park simply returns.

Order in `schedule` and `find_runnable`: requests (signals for main, questions of a dump); deadlines
that have passed, whose goroutines go to the front; every 61st tick the global queue; ready
(started) and fresh goroutines in turn, so that neither starves; the global queue; stealing; idle.

Invariants:
- One entry in a `readyq` per park, and one park per entry (g.py).
- `mp.curg` is set by whoever switches, before the switch.
- Nobody parks while holding a runtime lock.
- A request to an M sets its `due` to 0 and wakes its note. The store may be lost to the M's own;
  then the request waits for the M's next slow path, at most 61 ticks, or for sysmon to repeat it.

Locks: sched.lock (in handoff.py, idle.py), the interrupt lock (`_attn_lock`).

Rejected: a hub greenlet (a switch more for every park); an atomic claim per goroutine at its start
(a G is in one queue, and popping it is the claim; `interrupt` only leaves a mark).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import copy_context
from sys import _getframe
from types import FrameType
from typing import Any, ParamSpec, TypeVar
from weakref import ref

from greenlet import getcurrent, greenlet

from .clock import now
from .fault import throw
from .g import (
    INTERRUPTED,
    NO_PARKING,
    TIMED_OUT,
    FailedG,
    G,
    GoroutineExit,
    Signal,
    Sudog,
    set_verbs,
)
from .handoff import (
    acquirep,
    goready,
    handoffp,
    resetspinning,
    send_free_m,
    set_mstart,
    slice_over,
    wait_for_p,
    wake_for_foreign,
    wakep,
)
from .idle import idle, spin, steal
from .lock import ENTRANCES, Rank, lock_slow, make_lock
from .m import M, thread_g, tls
from .p import RUNQ_MAX, P
from .sched import BLOCKER_SECONDS, BLOCKER_STRIKES, GOID_BATCH, sched
from .stack import Stack
from .timers import add_timeout, expire, forget_timeout

__all__ = [
    "answer",
    "getm",
    "go",
    "gopark",
    "gosched",
    "init_g0",
    "make_stacks",
    "newproc",
    "raise_attn",
    "raise_signals",
    "raise_why",
    "reset_attn",
    "set_hooks",
]

PS = ParamSpec("PS")
T = TypeVar("T")

GLOBAL_EVERY = 61  # Go: schedtick%61
GFREE_MAX = 1024  # idle stacks an M keeps
SIGNALS = Signal("SIGNALS")  # in g1.attn: signals wait for main
IN_FINALISER = "gmprt: cannot wait inside this finaliser; start a goroutine from it instead"

_attn_lock = make_lock(Rank.INTERRUPT)

_attach: Callable[[], M]
_handle_signal: Callable[[int], None]
_fork_child_end: Callable[[], None]


def set_hooks(
    attach: Callable[[], M],
    handle_signal: Callable[[int], None],
    fork_child_end: Callable[[], None],
) -> None:
    """Take what boot.py hands down.

    `attach` brings the calling thread in, `handle_signal` calls the user's handler, and
    `fork_child_end` ends a forked child whose forking goroutine has returned.
    """
    global _attach, _handle_signal, _fork_child_end
    _attach, _handle_signal, _fork_child_end = attach, handle_signal, fork_child_end


def reset_attn() -> None:
    """In a forked child: a fresh interrupt lock, since another thread may have held it."""
    global _attn_lock
    _attn_lock = make_lock(Rank.INTERRUPT)


def getm() -> M:
    """Return the calling thread's M, or its stand-in."""
    try:
        return tls.m
    except AttributeError:
        return _attach()


# -- making goroutines


def go(fn: Callable[PS, T], /, *args: PS.args, **kwargs: PS.kwargs) -> G[T]:
    """Start `fn(*args, **kwargs)` as a goroutine and return its handle at once.

    It runs in a copy of the caller's contextvars. Works anywhere, with no set-up. Blocks: no.
    Raises: TypeError if `fn` is not callable. Go: proc.go newproc.
    """
    # This is `newproc`, written out: a call less is 3 % of go + join (benchmarks/spawn_join.py).
    if not callable(fn):
        raise TypeError(f"go: a function to call, not {fn!r}")
    try:
        mp = tls.m
    except AttributeError:
        mp = _attach()
    frame = _getframe(1)
    gp: G[T] = G()
    goid = mp.goid
    if goid == mp.goid_end:
        goid = sched.goid_batch()
        mp.goid_end = goid + GOID_BATCH
    mp.goid = goid + 1
    gp.id = goid
    gp.fn = fn
    gp.args = args
    gp.kwargs = kwargs or None
    gp.ctx = copy_context()
    gp.code = frame.f_code
    gp.lasti = frame.f_lasti
    gp.parent = mp.curg.id
    gp.stack = None
    gp.joinq = []
    gp.attn = None
    pp = mp.p
    if pp is None:
        _queue_without_p(gp)
        return gp
    runnext = pp.runnext
    if runnext:
        _kick_runnext(pp)
    runnext.append(gp)
    if sched.wakeful and not sched.nspinning:
        wakep()
    return gp


def newproc(
    frame: FrameType, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> G[T]:
    """Make a goroutine whose `go` statement is where `frame` stands, and queue it: as `go`."""
    if not callable(fn):
        raise TypeError(f"go: a function to call, not {fn!r}")
    try:
        mp = tls.m
    except AttributeError:
        mp = _attach()
    gp: G[T] = G()
    goid = mp.goid
    if goid == mp.goid_end:
        goid = sched.goid_batch()
        mp.goid_end = goid + GOID_BATCH
    mp.goid = goid + 1
    gp.id = goid
    gp.fn = fn
    gp.args = args
    gp.kwargs = kwargs or None
    gp.ctx = copy_context()
    gp.code = frame.f_code
    gp.lasti = frame.f_lasti
    gp.parent = mp.curg.id
    gp.stack = None
    gp.joinq = []
    gp.attn = None
    pp = mp.p
    if pp is None:
        _queue_without_p(gp)
        return gp
    runnext = pp.runnext
    if runnext:
        _kick_runnext(pp)
    runnext.append(gp)
    if sched.wakeful and not sched.nspinning:
        wakep()
    return gp


def _kick_runnext(pp: P) -> None:
    """Move the goroutine in runnext to the tail of the queue; half of a full one goes global."""
    try:
        kicked = pp.runnext.pop()
    except IndexError:
        return  # a thief was faster
    runq = pp.runq
    runq.append(kicked)
    if len(runq) > RUNQ_MAX:
        overflow = sched.runq
        try:
            for _ in range(RUNQ_MAX // 2):
                overflow.append(runq.popleft())
        except IndexError:
            pass  # a thief has emptied it


def _queue_without_p(gp: G[Any]) -> None:
    """Queue a goroutine made by a thread that holds no P."""
    if sys.is_finalizing():
        raise RuntimeError("gmprt: cannot start a goroutine, the interpreter is being finalised")
    sched.runq.append(gp)
    wake_for_foreign()
    if sched.no_threads and len(sched.pidle) >= sched.procs and _unqueue(gp):
        raise RuntimeError("gmprt: cannot start a goroutine, no thread can be started to run it")


def _unqueue(gp: G[Any]) -> bool:
    try:
        sched.runq.remove(gp)
    except ValueError:
        return False  # somebody has taken it after all
    return True


# -- choosing what runs


def schedule(mp: M) -> G[Any] | None:
    """Pick the next goroutine; idles while there is none. None: the M is to end.

    Blocks: M. Runs on: own M. Go: proc.go schedule.
    """
    tick = mp.tick + 1
    mp.tick = tick
    pp = mp.p
    if tick >= mp.due or pp is None:
        return find_runnable(mp)
    if mp.timers:
        expire(mp)
    readyq = mp.readyq
    if pp.runnext or pp.runq:
        if mp.turn or not readyq:
            mp.turn = False
            gp = pp.get()
            if gp is not None and not (sched.blockers and _must_not_start(mp, gp)):
                return gp
        else:
            mp.turn = True
    if readyq:
        return readyq.popleft()
    return find_runnable(mp)


def find_runnable(mp: M) -> G[Any] | None:
    """Find a goroutine to run the long way. None: the M is to end. Go: proc.go findRunnable."""
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
            elif fresh_ok and sched.takeable() and acquirep(mp):
                pass
            elif not idle(mp, fresh_ok, _main_parked(mp)):
                return None
            continue
        if mp.sigs and _main_takes_signals(mp):
            mp.due = 0
            return sched.g1
        if _others_want(mp, fresh_ok) and slice_over(mp):
            handoffp(pp, mp)
            continue
        # 4. A goroutine: the global queue in its turn, own ones, others'.
        gp = _pick(mp, pp, fresh_ok)
        if gp is not None:
            if mp.spinning:
                resetspinning(mp)
            soon = sched.pwait or not fresh_ok
            mp.due = mp.tick + 1 if soon else mp.tick - mp.tick % GLOBAL_EVERY + GLOBAL_EVERY
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
    if sched.runq and mp.tick % GLOBAL_EVERY == 0:
        _globrunqget(mp, pp, 1)
    while True:
        fresh = bool(pp.runnext or pp.runq)
        if readyq and not (fresh and mp.turn):
            mp.turn = fresh
            return readyq.popleft()
        mp.turn = False
        gp = pp.get() if fresh else None
        if gp is None:
            if readyq:
                return readyq.popleft()
            if not _globrunqget(mp, pp, RUNQ_MAX // 2) and not steal(mp, pp):
                return None
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


def _must_not_start(mp: M, gp: G[Any]) -> bool:
    """Send a goroutine away whose function blocks unannounced, if others live on this M.

    It would strand them. It goes back to the global queue, and an M where nobody lives gets a P for
    it, or queues for one. At the limit of Ms it may start anywhere.
    """
    if not mp.nlive():
        return False
    if sched.blockers.get(getattr(gp.fn, "__code__", gp.fn), 0) < BLOCKER_STRIKES:
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
    if blocked is not None and now() - blocked[1] >= BLOCKER_SECONDS:
        sched.blockers[blocked[0]] = sched.blockers.get(blocked[0], 0) + 1


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
    _lock_attn()
    if g1.attn is None:
        g1.attn = SIGNALS
    _attn_lock.release()
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
    _leave_attn(m0.curg, exc)
    return False


def answer(mp: M) -> None:
    """Answer what other threads have asked this M. Runs on: own M."""
    while mp.calls:
        try:
            question = mp.calls.popleft()
        except IndexError:
            return
        question(mp)


# -- parking


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
    if tick < mp.due and pp is not None and readyq and not (mp.timers or pp.runnext or pp.runq):
        mp.tick = tick
        mp.curg = readyq.popleft()  # no local name for it: this frame may stay for long
        if mp.curg is not gp:
            mp.curg.stack.switch()  # type: ignore[union-attr]  # it has started
    elif (
        tick < mp.due
        and pp is not None
        and pp.runnext
        and mp.gfree
        and not (readyq or mp.timers or sched.blockers)
    ):
        # A fresh one and nobody else: the way of `go(f).join()` (benchmarks/spawn_join.py).
        mp.tick = tick
        sp = mp.gfree.pop()
        try:
            sp.g = pp.runnext.pop()
        except IndexError:  # a thief was faster
            mp.gfree.append(sp)
            return gopark(mp, gp)
        sp.switch()
    else:
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
        mp = _attach()
    gp = mp.curg
    tick = mp.tick + 1
    pp = mp.p
    readyq = mp.readyq
    # The first lines of `schedule`, written out: two calls less (benchmarks/yield_ten.py).
    if gp.attn is not None:
        raise_attn(mp, gp)
    elif tick < mp.due and pp is not None and readyq and not (mp.timers or pp.runnext or pp.runq):
        mp.tick = tick
        readyq.append(gp)
        mp.curg = readyq.popleft()
        mp.curg.stack.switch()  # type: ignore[union-attr]  # it has started
    elif mp.foreign:
        return
    else:
        if not readyq:
            mp.turn = True  # nobody else is ready: a fresh one, if there is one, not this again
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
        _leave_attn(gp, None)
    if mp.sigs and gp is sched.g1:
        exc = run_signals(mp)
    if exc is not None and sg.owner.dequeue(sg):
        sg.why = exc
        gp.reason = None
        return False
    if exc is not None:
        _leave_attn(gp, exc)
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
        _leave_attn(gp, exc)
    gopark(mp, gp)


def run_signals(mp: M) -> BaseException | None:
    """Call the user's handlers for the signals that wait; return what one raised. Runs on: main."""
    sigs = mp.sigs
    while sigs:
        try:
            signum = sigs.popleft()
        except IndexError:
            break
        try:
            _handle_signal(signum)
        except BaseException as exc:  # belongs to main's code, wherever that waits
            return exc
    return None


ENTRANCES.add(run_signals.__code__)


def _lock_attn() -> None:
    if not _attn_lock.acquire(False):
        lock_slow(_attn_lock)


def _leave_attn(gp: G[Any], exc: BaseException | None) -> None:
    """Put an exception to come, or nothing, where nothing or the SIGNALS mark is."""
    _lock_attn()
    if gp.attn is None or gp.attn is SIGNALS:
        gp.attn = exc
    _attn_lock.release()


def _take_attn(gp: G[Any]) -> Any:
    """Take the exception of the newest interrupt; None if there is none."""
    _lock_attn()
    exc = gp.attn
    gp.attn = None
    _attn_lock.release()
    return None if exc is SIGNALS else exc


def raise_attn(mp: M, gp: G[Any]) -> None:
    """Handle signals and raise an interrupt at a park point that does not wait."""
    if mp.sigs and gp is sched.g1:
        raised = run_signals(mp)
        if raised is not None:
            _leave_attn(gp, None)
            raise raised
    if gp.attn is NO_PARKING:
        return
    exc = _take_attn(gp)
    if exc is not None:
        raise exc


def raise_signals(mp: M) -> None:
    """Handle signals at the end of main's wait, where nothing is lost if a handler raises."""
    if mp is sched.m0 and mp.curg is sched.g1:
        raised = run_signals(mp)
        if raised is not None:
            _leave_attn(mp.curg, None)
            raise raised


def raise_why(gp: G[Any], why: Any) -> None:
    """Raise what ended a wait; drops the Sudog, which others may still see."""
    gp.stack.sudog = Sudog(gp.stack)  # type: ignore[union-attr]  # it runs
    if why is INTERRUPTED:
        why = _take_attn(gp)
        if why is None:
            throw("raise_why: no interrupt")
    if why is TIMED_OUT:
        raise TimeoutError("timed out")
    raise why


def interrupt(gp: G[Any], exc: Any) -> None:
    """Raise `exc` in `gp` at its current or next park point. Any thread.

    Publish (attn), look (reason, waiting), wake; the goroutine announces its wait, then looks at
    attn (`gopark`). All of it under the lock, so that nobody takes the exception between: a wait
    ended as INTERRUPTED always finds one.
    """
    if gp.joinq is None:
        return
    _lock_attn()
    gp.attn = exc
    claimed = False
    if getattr(gp, "reason", None) not in (None, "syscall"):
        sg = gp.waiting
        claimed = sg.owner.dequeue(sg)
        if claimed:
            sg.why = INTERRUPTED
    _attn_lock.release()
    if claimed:
        goready(sg)


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
        mp.started += 1
        kwargs = gp.kwargs
        try:
            if gp.attn is not None:
                raise _take_attn(gp)
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
        # Done: first the result, then the mark, then the waiters (G._wait_done).
        sp.gr_context = None
        gp.args = gp.kwargs = gp.ctx = None  # type: ignore[assignment]  # dropped
        gp.stack = sp.g = None
        mp.finished += 1
        joinq = gp.joinq
        gp.joinq = None
        if joinq:
            _wake_joiners(mp, joinq)
        if mp.locked and mp.locked.pop(gp, 0):
            mp.dying = mp is not sched.m0
            mp.due = 0
        # The last reference to it may go here, and finalisers of what it held may run: as g0.
        mp.curg = mp.g0
        del gp, joinq, kwargs
        # The first lines of `schedule`, written out (benchmarks/spawn_join.py).
        tick = mp.tick + 1
        pp = mp.p
        if tick < mp.due and pp is not None and readyq and not (mp.timers or pp.runnext or pp.runq):
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
    failed, goid = sched.failed, gp.id
    failed[goid] = ref(gp, lambda _: failed.pop(goid, None))


def _wake_joiners(mp: M, joinq: list[Sudog]) -> None:
    """Wake who waits for an end, the first come first. Runs on: own M."""
    if len(joinq) > 1:
        joinq.reverse()
    while joinq:
        try:
            sg = joinq.pop()
        except IndexError:
            return  # the last one has given up
        if sg.claim is not None:
            _call_on_end(sg.elem)
            continue
        sp = sg.stack
        if sp.m is mp:  # `goready`, written out for the common case (benchmarks/spawn_join.py)
            gp: G[Any] = sp.g  # type: ignore[assignment]  # it has parked there
            gp.reason = None
            mp.readyq.append(gp)
        else:
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
    first = Stack(mp, _first_stack, mp.maker)
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


def _first_stack(sp: Stack) -> None:
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


ENTRANCES.add(_first_stack.__code__)


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
    # Returning ends this stack and wakes its parent, the root, whose loop finds nothing to make.


# What the methods of a G call (g.py knows no verbs), and what a thread runs.
set_verbs(getm, gopark, interrupt, raise_why, raise_signals, add_timeout, forget_timeout)
set_mstart(_mstart)
