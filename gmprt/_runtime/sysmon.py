"""sysmon: the thread without a P that watches the others.

It looks at intervals from `policy.sysmon_min`, while something is about to happen, over
`policy.sysmon_watch`, while somebody computes and others wait, to 10 ms, and sleeps for good once
every P has been idle for a while: whoever then takes an idle P wakes it (`handoff.wire`), so
nothing else needs to.

What it does in one look, in this order: trip signals again that main could not take where they
found it; take the P of an M in an announced call, or in a call nobody announced; send an M to fresh
goroutines that nobody takes; lower the switch interval while several Ms run Python; write the trace
line.

An unannounced blocking call is told by two clocks: the M's tick has not moved, and the thread's
CPU clock stands still to the nanosecond over 2.5 switch intervals. A thread that waits for the GIL
wakes every interval and so always shows some. If the whole process has burnt nothing but this
thread's own time, one look is enough. And the system must say that the thread sleeps: on a busy
machine one that waits for a CPU looks the same.

Invariants: it never follows frames or greenlets of a running M; it holds no lock across a look.
"""

from __future__ import annotations

import _thread
import signal
import sys
import time
from collections.abc import Callable
from math import inf
from opcode import opmap

from .blocked import name_blocked
from .clock import now
from .cpus import shorten_slices
from .failures import look_at_failures, report_lost
from .g import ThreadG, code_of
from .handoff import SLICE, SLICE_MIN, handoffp, startm, wakep
from .lock import ENTRANCES, PACKAGE_DIR, release, snapshot
from .m import M
from .note import Note
from .p import P
from .preempt import make_preempter
from .sched import GIL, exit_gate_is_closed, lock_sched, policy, sched
from .stops import frame_of, top_of
from .timerproc import next_timer, run_timers
from .timers import first_deadline

__all__ = ["end_sysmon", "set_trace", "start_sysmon"]

DELAY_MAX = 0.010  # Go: 10 ms
TIMER_LATE = 0.002  # seconds that sysmon leaves a due timer to the Ms that run
IDLE_LOOKS = 10  # looks that find everything idle before it sleeps for good
QUIET_NS = 20_000  # what the process may burn in a look and still count as quiet
BUSY_INTERVAL = 0.0005  # switch interval while several Ms run Python
BLOCKED_SECONDS = 1.0  # what an M may wait for a lock while others that live on it are ready
SLICE_TIMER = SLICE / 2  # where a deadline has come, or another M waits for the P (`slice_over`)
MOVING = -1  # M.asks: it has made decisions since the look before, unasked
ASKED_TICKS = 4  # decisions: those whom a timer has woken have run for a moment before
QUEUED_SECONDS = 0.0005  # an M whose deadline has come has queued for a P by then
HELD_UP = 0.05  # seconds that Python code may keep others waiting where it may not give way
PARALLEL = 1.3  # CPUs that a process uses only if some thread has let go of the GIL
POLLING = {opmap[name] for name in ("JUMP_BACKWARD", "RESUME") if name in opmap}
DEFAULT_INTERVAL = 0.005  # CPython's; any other was chosen by the user and is left alone


def _no_trace() -> float | None:
    return None


_trace: Callable[[], float | None] = _no_trace


def set_trace(trace: Callable[[], float | None] | None) -> None:
    """Name what writes the schedtrace line when due and returns the seconds to the next."""
    global _trace
    _trace = _no_trace if trace is None else trace


def start_sysmon() -> None:
    """Start the thread. Caller holds: the boot lock."""
    _thread.start_new_thread(_Sysmon().run, ())


def end_sysmon() -> None:
    """Have it look no more, and wait for that, without the GIL: the interpreter is about to end.

    It never would if its end caught a thread that has stopped all others for a moment, as a
    collection does, too, and so anything that makes objects. Blocks: the thread, for a second.
    """
    if GIL or not sched.sysmon_running:
        return
    sched.sysmon_ends = True
    sched.sysmon_note.wake()
    sched.sysmon_ended.sleep(1.0)


def _in_runtime(mp: M) -> bool:
    """Tell whether a thread that sleeps stands in the runtime's own code.

    Without the GIL it may wait there for a lock of the interpreter, as of a deque that all use. Its
    P would be of no more use elsewhere, and what it runs does not block. Not for long, though: some
    code of ours calls what the program has given it.
    """
    top = top_of(mp)
    if top is None or not top[0].co_filename.startswith(PACKAGE_DIR):
        return False
    return top[0] not in ENTRANCES


class _Sysmon:
    """What it remembers from look to look."""

    def __init__(self) -> None:
        self.idle_looks = 0
        self.process_ns = 0
        self.own_ns = 0
        self.user_interval: float | None = None  # the interval to give back; None: not lowered
        self.in_time = 0  # naps, the last ones, after which it did not have to wait for the GIL
        self.looked = 0.0  # when
        self.looked_before = 0.0  # the look before that
        self.cpus = 0.0  # how many the process has used since the look before
        self.close = False  # something is about to happen: look again at once
        self.ready = 0  # goroutines that were ready at the last look
        self.counted = now()  # when
        self.stands: dict[P, tuple[int, float]] = {}  # with a queue: its M's tick, since when
        self.alone: set[int] = set()  # ids of failed goroutines that nobody held at the last look
        self.tripped = False  # this look is for signals that main owes while it computes
        self.preempter = make_preempter()
        self.keep = sched.__dict__  # so that no stack is dropped before the process ends

    def run(self) -> None:
        """Look, sleep, look: to the end of the process, which its frame keeps every stack for."""
        sched.sysmon_running = True
        sched.sysmon_tid = _thread.get_native_id()
        if not GIL:
            shorten_slices()
        delay: float = policy.sysmon_min
        while True:
            if sched.sysmon_ends:
                sched.sysmon_ended.wake()
                while True:
                    Note().sleep()  # its frame stays
            busy = self.look()
            most = policy.sysmon_watch if busy else DELAY_MAX
            delay = policy.sysmon_min if self.close else min(most, delay * 1.5)
            until_trace = _trace()
            if self.idle_looks >= IDLE_LOOKS and until_trace is None and self.deep_sleep():
                delay = policy.sysmon_min
                continue
            if until_trace is not None:
                delay = min(delay, max(0.0005, until_trace))
            self.nap(now() + delay)

    def nap(self, until: float) -> None:
        """Sleep until then, or to the first timer, or until woken."""
        lock_sched()
        sched.sysmon_until = until  # announce, to who adds a timer (timerproc.py)
        release(sched.lock)
        until = min(until, self.timer_time())  # re-check
        until = min(until, self.slice_time())
        woken = sched.sysmon_note.sleep(None if until == inf else until - now())
        in_time = not woken and now() - until < 0.2 * sys.getswitchinterval()
        self.in_time = self.in_time + 1 if in_time else 0

    def timer_time(self) -> float:
        """Return when sysmon has to fire the first timer: an M that runs is given time to do so.

        It puts those that a timer wakes before its queue, and sysmon only behind.
        """
        first = next_timer()
        return first if self.all_idle() else first + TIMER_LATE

    def slice_time(self) -> float:
        """Return when somebody is first to give way to one whose own deadline ends a wait.

        Not before: that is what `look_at_slices` goes by. A look at intervals alone would be late
        by half of one in the mean. Where the GIL has to be waited for, sysmon asks for it before.
        """
        first, soonest = inf, now() + policy.sysmon_min
        for mp in () if sched.preemptoff else snapshot(sched.allm):
            when = first_deadline(mp)
            if when >= first:
                continue
            if mp.p is not None:
                if mp.asks == MOVING:
                    continue  # it sees to its deadlines itself
                first = max(when, mp.run_since + SLICE_TIMER)
            elif mp.idle and not sched.pidle:
                first = when + QUEUED_SECONDS
        if GIL and first < inf and not self.in_time:
            first -= 0.9 * sys.getswitchinterval()
        return max(first, soonest)

    def deep_sleep(self) -> bool:
        """Sleep until an idle P is taken or a timer is due; False if there is work."""
        lock_sched()
        sleeps = self.all_idle() and sched.exit_gate is None
        sched.sysmon_sleeping = sleeps  # announce; `wire` looks at it under the same lock
        release(sched.lock)
        if not sleeps:
            return False
        self.restore_interval()
        if sched.queued():  # re-check
            wakep()
        self.nap(inf)
        lock_sched()
        if not sched.sysmon_sleeping:
            self.idle_looks = 0  # somebody has taken a P
        sched.sysmon_sleeping = False
        release(sched.lock)
        self.ready, self.counted = 0, now()
        return True

    def all_idle(self) -> bool:
        """Tell whether nobody holds a P and no signal or report is owed."""
        m0 = sched.m0
        owed = sched.lost or sched.signaled or (m0 is not None and m0.sigs)
        return len(sched.pidle) >= sched.procs and not owed

    def look(self) -> bool:
        """Look at everything once; True if there is something to watch. Sets `close`."""
        exit_gate_is_closed()  # not any more, perhaps: nobody else may look
        busy = self.close = self.trip_signals()
        if sched.failures:
            self.alone = look_at_failures(self.alone)
        due = self.timer_time() <= now()
        if due or sched.lost or sched.signaled:
            sched.firings += 1
            try:
                report_lost()
                self.give_signals()
                if due:
                    run_timers(now())
            finally:
                sched.firings += 1
        process_ns, own_ns = time.process_time_ns(), time.thread_time_ns()
        burnt = (process_ns - self.process_ns) - (own_ns - self.own_ns)
        self.process_ns, self.own_ns = process_ns, own_ns
        running = 0
        moment = now()
        self.cpus = burnt / 1e9 / max(1e-6, moment - self.looked)
        self.looked_before = self.looked
        self.looked = moment
        self.count_ready(moment)
        for pp in list(sched.allp):
            mp = pp.m
            if mp is None:
                continue
            mp.now = moment
            if mp.incall:
                self.look_at_call(pp, mp)
                busy = self.close = True
            else:
                running += 1
                if first_deadline(mp) <= moment:
                    mp.due = 0
                busy = self.look_at_run(pp, mp, burnt < QUIET_NS) or busy
            if sched.pwait:
                mp.due = 0  # in case the M's own store has overtaken the request
                busy = self.close = True
        busy = self.look_at_slices(moment) or busy
        busy = self.look_at_queues() or busy
        self.adapt_interval(running)
        self.idle_looks = self.idle_looks + 1 if self.all_idle() else 0
        return busy

    def count_ready(self, moment: float) -> None:
        """Add up for how long goroutines are ready and do not run: a mean of two looks each."""
        ready = len(sched.runq) + sum(len(mp.readyq) for mp in snapshot(sched.allm))
        ready += sum(len(pp.runq) + len(pp.runnext) for pp in list(sched.allp))
        sched.runnable += (self.ready + ready) / 2 * (moment - self.counted)
        self.ready, self.counted = ready, moment

    def trip_signals(self) -> bool:
        """Have Python let main look at its signals once more (signals.py)."""
        m0 = sched.m0
        if m0 is None or not m0.sigs:
            self.tripped = False
            return False
        # Where main, which computes, is asked to give way as well, the handler finds what answers
        # that on top, each time: so looks take turns.
        computes = m0.curg is sched.g1
        self.tripped = computes and not self.tripped
        if self.tripped:
            m0.want = -1
        elif computes:
            return True
        sched.retripped = True
        _thread.interrupt_main(signal.SIGURG)
        m0.due = 0
        m0.note.wake()
        return True

    def give_signals(self) -> None:
        """Cancel the contexts that wait for a signal (signals.py)."""
        while sched.signaled:
            signum = sched.signaled.popleft()
            for node in list(sched.watched.get(signum, ())):
                node.on_signal(signum)

    def look_at_call(self, pp: P, mp: M) -> None:
        """Take the P of an M that sits in an announced call. Go: retake."""
        seen = -2 - mp.calltick  # never equal to a tick
        if mp.seen_tick != seen:
            mp.seen_tick = seen
            mp.seen_since = now()
        elif sched.pwait or sched.queued() or now() - mp.seen_since >= DELAY_MAX:
            self.retake(pp, mp)

    def look_at_run(self, pp: P, mp: M, quiet: bool) -> bool:
        """Take the P of an M that blocks in a call nobody announced; True: look again soon."""
        if sched.halting:
            mp.seen_tick = -1  # what it sits in is the gate of halt.py
            self.close = True
            return True
        tick = mp.tick
        burnt = mp.cpu_ns()
        if mp.seen_tick != tick or burnt != mp.seen_clock or burnt == -1:
            mp.seen_tick = tick
            mp.seen_clock = burnt
            mp.seen_since = now()
            mp.seen_looks = 0
            return sched.queued()
        self.close = True
        # On a busy machine the clock also stands still while the thread waits for a CPU.
        if not mp.asleep():
            mp.seen_looks = 0
            mp.seen_since = now()
            return True
        mp.seen_looks += 1
        enough = 2.5 * sys.getswitchinterval() if GIL else 0.002
        if not quiet and (mp.seen_looks < 2 or now() - mp.seen_since < enough):
            return True
        if not GIL and now() - mp.seen_since < HELD_UP and _in_runtime(mp):
            return True
        gp = mp.curg
        if self.retake(pp, mp) and mp.tick == tick:
            code = None if gp is sched.g1 else code_of(getattr(gp, "fn", None))
            mp.blocked = (code, mp.seen_since)
        return True

    def retake(self, pp: P, mp: M) -> bool:
        """Take a P away and put it to use; counted."""
        if not handoffp(pp, mp):
            return False
        lock_sched()
        sched.retakes += 1
        release(sched.lock)
        return True

    def look_at_slices(self, moment: float) -> bool:
        """Have goroutines give way that have run for long while others wait; True if any has.

        Go: retake, preemptone.
        """
        self.preempter.disarm()
        if sched.preemptoff:
            return False
        busy = False
        for mp in snapshot(sched.allm):
            if self.tripped and mp is sched.m0:
                busy = self.close = True
                continue
            tick = mp.tick
            if mp.idle or mp.incall or mp.curg is None:
                mp.run_tick = tick
                mp.asks = 0
                mp.run_since = moment
                continue
            if tick != mp.run_tick:
                # Who runs now has begun since the last look: right after it, if another was asked
                # to give way there; else some time. Not what may be hours ago, when sysmon slept.
                asked = mp.asks > 0 and tick - mp.run_tick <= ASKED_TICKS
                mp.run_since = max(self.looked_before, moment - SLICE / (1 if asked else 2))
                mp.run_tick = tick
                mp.asks = 0 if asked else MOVING
                if not asked:
                    continue
            elif mp.asks == MOVING:
                mp.asks = 0
            wanted = self.wanted(mp, moment)
            if wanted == 0.0 or moment - mp.run_since < wanted:
                busy = busy or wanted > 0.0
                continue
            busy = self.close = True
            mp.asks += 1
            asked_for = self.preempter.ask(mp, tick)
            pp = mp.p
            if pp is None or not self.movable(pp):
                continue
            # It is off in C, or at places where it may not give way: what can move goes on
            # elsewhere. Who waits for the GIL can answer nothing; sysmon would be late then, too.
            in_c = asked_for >= SLICE / 2 and self.in_time >= 1
            if mp.asks >= 2 and (in_c or moment - mp.run_since >= HELD_UP):
                self.retake(pp, mp)
        return busy

    def wanted(self, mp: M, moment: float) -> float:
        """Return for how long the running goroutine may go on, in seconds; 0: for ever."""
        pp = mp.p
        if mp.calls or (mp.sigs and mp.curg is not sched.g1):
            return SLICE_MIN
        if pp is None:
            # It has lost its P, in a call perhaps: it is to queue for one once it is back.
            if isinstance(mp.curg, ThreadG) or mp in snapshot(sched.pwait):
                return 0.0
            burnt = mp.cpu_ns()
            still = burnt == mp.seen_clock != -1
            mp.seen_clock = burnt
            if mp.readyq or mp.timers or not still:
                self.idle_looks = -1  # it may need this thread when it is back
            if not still:
                return SLICE_MIN
            if mp.readyq or first_deadline(mp) <= moment:
                if mp.asked_clock != burnt:  # once in each sleep
                    mp.asked_clock = burnt
                    self.preempter.ask(mp, mp.tick)
                since = moment if mp.blocked is None else mp.blocked[1]
                if moment - since >= BLOCKED_SECONDS and not sched.exiting:
                    name_blocked(mp, moment - since)
            return 0.0
        if first_deadline(mp) <= moment or sched.pwait:
            return SLICE_TIMER
        if mp.readyq or pp.runnext or pp.runq:
            return SLICE
        if sched.runq and not sched.pidle:
            return SLICE
        return 0.0

    def movable(self, pp: P) -> bool:
        """Tell whether anything that waits for this P could run elsewhere, with no P idle."""
        return bool(pp.runq or pp.runnext or sched.pwait or sched.runq) and not sched.pidle

    def look_at_queues(self) -> bool:
        """Send an M where fresh goroutines wait, a P is idle, and nobody gets to them.

        With the GIL that is for an M that is off in C, or that holds them up for long: while it is
        in Python another would only cost.
        """
        if not sched.queued():
            self.stands.clear()
            return False
        if not sched.pidle:
            return True
        self.close = True
        if sched.takeable():
            wakep()
            return True
        moment = now()
        for pp in list(sched.allp):
            mp = pp.m
            if mp is None or not (pp.runq or pp.runnext):
                self.stands.pop(pp, None)
                continue
            tick, since = self.stands.get(pp, (-1, moment))
            if tick != mp.tick:
                self.stands[pp] = (mp.tick, moment)
            elif not GIL or self.off_in_c(mp) or moment - since >= HELD_UP:
                startm(spinning=True)
        return True

    def off_in_c(self, mp: M) -> bool:
        """Tell whether an M computes without the GIL; False if that is not clear.

        Who holds the GIL gives it up a switch interval after it has been asked to: where sysmon is
        back from two naps in time, nobody holds it (or gets a CPU, on a busy machine: nothing is
        burnt then). Where somebody does, it may be another thread: then an M is off in C that
        stands at one call while the process burns more than one CPU.
        """
        if self.in_time >= 2 and self.cpus > 0.5:
            return True
        if self.cpus < PARALLEL:
            return False
        frame = frame_of(mp)
        if frame is None:
            return False
        here = (id(frame), frame.f_lasti, mp.tick)
        stands = here == mp.seen_at
        mp.seen_at = here
        # A loop gives up the GIL where it jumps back: there it stands at one place, too.
        return stands and frame.f_code.co_code[frame.f_lasti] not in POLLING

    def adapt_interval(self, running: int) -> None:
        """With the GIL, switch more often while several Ms are in Python."""
        if not GIL or sched.halting:
            return
        if running < 2:
            self.restore_interval()
        elif self.user_interval is None:
            current = sys.getswitchinterval()
            if abs(current - DEFAULT_INTERVAL) < 1e-9:
                self.user_interval = current
                sys.setswitchinterval(BUSY_INTERVAL)

    def restore_interval(self) -> None:
        """Give the switch interval back, unless somebody has set another meanwhile."""
        if self.user_interval is not None and not sched.halting:
            if abs(sys.getswitchinterval() - BUSY_INTERVAL) < 1e-9:
                sys.setswitchinterval(self.user_interval)
            self.user_interval = None
