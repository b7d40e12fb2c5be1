"""Sched: the one object that Ms share, and the two wake policies.

It holds the Ps, the Ms, the global queue, and who is idle or waits for a P. It decides nothing: the
verbs are in handoff.py, idle.py, newg.py, proc.py and park.py. After a fork the child resets it in
place, since every module refers to it.

Invariants:
- A P is held by one M, or is in `pidle`, or is retired; never two of these (sched.lock).
- An M waits in `pwait` only with something of its own to run; it is not `idle` then.
- Goroutines in `runq` are fresh: any M may take them.

Locks: `lock` (rank SCHED, the innermost). Queues are deques, atomic by themselves.
"""

from __future__ import annotations

import _thread
from collections import deque
from typing import TYPE_CHECKING, Any

from .clock import now
from .lock import GIL, Rank, acquire, make_lock, release
from .note import Note
from .p import P
from .rawobject import uncounted

if TYPE_CHECKING:
    from .g import G
    from .heap import TimerHeap
    from .m import M

__all__ = ["GIL", "FreePolicy", "GilPolicy", "Sched", "lock_sched", "policy", "sched"]


class GilPolicy:
    """With the GIL a second running M costs and gives nothing, but while the first is off in C.

    So `go` wakes nobody; sysmon sends a thief where a P's tick stands still, and only such an M
    steals from a P that is held.
    """

    wake_on_go = False
    steal_from_busy = False
    spin_rounds = 0
    sysmon_min = 0.001  # seconds between looks while something is about to happen
    sysmon_watch = 0.001  # while there is something to watch


class FreePolicy:
    """Without the GIL, Go's rule: wake one M when work appears and a P is idle."""

    wake_on_go = True
    steal_from_busy = True
    spin_rounds = 40  # looks at the queues before sleeping
    sysmon_min = 0.0005
    sysmon_watch = 0.002  # it takes the CPU from those that it watches


policy: GilPolicy | FreePolicy = uncounted(GilPolicy() if GIL else FreePolicy())

BLOCKER_STRIKES = 2  # long unannounced calls before a function is held to block
BLOCKER_SECONDS = 0.010  # what is long

GOID_BATCH = 16  # Go: _GoidCacheBatch


class Sched:
    """The scheduler's shared state (Go: runtime2.go schedt)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin empty: at import, and in the child of a fork."""
        self.lock = make_lock(Rank.SCHED)  # [const]
        self.started = False  # [lock: boot]
        self.exiting = False  # [any] the exit report has been given
        self.exit_gate: Any = None  # [any] where Ms are kept at exit, until main waits for others
        self.exit_until = 0.0  # [any] or until then
        self.runq: deque[G[Any]] = deque()  # [atomic: deque.append/popleft] global queue, fresh Gs
        self.procs = 0  # [lock: sched] gomaxprocs
        self.allp: list[P] = []  # [lock: sched] append only; retired ones stay, may be revived
        self.pidle: list[P] = []  # [lock: sched] Ps nobody holds
        self.wakeful: list[P] | tuple[()] = ()  # [any] pidle if `go` wakes Ms, else empty
        self.pwait: deque[M] = deque()  # [lock: sched] Ms that have work and no P, FIFO
        self.allm: list[M] = []  # [lock: sched] living Ms
        self.mseq = 1  # [lock: sched] next M id; 0 is main's
        self.midle: dict[M, None] = {}  # [lock: sched] idle Ms where no goroutine lives
        self.mhome: dict[M, None] = {}  # [lock: sched] idle Ms where goroutines are parked
        self.mlocked: dict[M, None] = {}  # [lock: sched] idle Ms that may start no goroutine
        self.nspinning = 0  # [lock: sched] Ms looking for work with a P in hand
        self.maxthreads = 512  # [const] GMPRT_MAXTHREADS
        self.callq: deque[Any] = deque()  # [lock: sched] calls that wait for a thread
        self.ncalls = 0  # [lock: sched] Ms that make a call for another's goroutine, or are to
        self.preemptoff = False  # [const] GMPRT_DEBUG=asyncpreemptoff=1
        self.no_threads = False  # [any] the system would start no thread, at the last try
        self.warned_threads = False  # [lock: sched]
        self.heaps: list[TimerHeap] = []  # [lock: sched] append only: those that were ever used
        self.goid = 2  # [lock: sched] next batch; main is 1
        self.m0: M | None = None  # [lock: boot] the main thread's M, once it has come in
        self.g1: G[Any] | None = None  # [lock: boot] main
        self.retripped = False  # [any] sysmon has tripped SIGURG, for signals left for main
        self.halting = False  # [any] the switch interval is not sysmon's to change now
        self.sysmon_tid = 0  # [const] once it runs
        self.firings = 0  # [own: sysmon] odd while it wakes those whom timers and signals wake
        self.checking = _thread.allocate_lock()  # [const] held by who looks for a deadlock
        self.checker = 0  # [lock: checking] its thread
        self.trips = 0  # [any] only the main thread adds: signals that Python has taken there
        self.watched: dict[int, dict[Any, None]] = {}  # [lock: signals] signal_context's
        self.signaled: deque[int] = deque()  # [atomic: deque.append/popleft] signals for those
        self.errands: deque[Any] = deque()  # [atomic: deque.append/popleft] for the main thread
        # Goroutines that failed, see failures.py:
        self.failed: dict[int, Any] = {}  # [atomic: dict] weak references, by id
        self.unreported: dict[int, G[Any]] = {}  # [atomic: dict] those left to sysmon, by id
        self.lost: deque[int] = deque()  # [atomic: deque.append/popleft] ids, for sysmon
        self.reporting: list[int] = []  # [atomic: list.append/remove] ids, being reported
        self.failures: deque[Any] = deque()  # [atomic: deque.append/popleft] without the GIL
        self.blockers: dict[Any, int] = {}  # [atomic: dict] code that blocked: how often, long
        self.dead: dict[str, int] = {}  # [lock: sched] counters of Ms that have ended
        self.waits: dict[str, tuple[int, float]] = {}  # [lock: sched] of those
        self.p_busy = 0.0  # [lock: sched] seconds that Ps were held, up to when they were given up
        self.p_seconds = 0.0  # [lock: sched] seconds that there were Ps, up to `procs_since`
        self.procs_since = 0.0  # [lock: sched] when their number has changed last
        self.runnable = 0.0  # [own: sysmon] seconds that goroutines were ready and did not run
        self.handoffs = 0  # [lock: sched]
        self.retakes = 0  # [lock: sched]
        self.leak_warnings = 0  # [lock: sched] what `leaks.watch` has said
        self.sysmon_note = Note()  # [any]
        self.sysmon_until = 0.0  # [lock: sched] when it will look next: see timerproc.py
        self.sysmon_sleeping = False  # [lock: sched] for good: whoever takes an idle P wakes it
        self.sysmon_ends = False  # [any] it is to look no more
        self.sysmon_ended = Note()  # [const] where the exit waits for that
        self.sysmon_running = False  # [own: sysmon] counted among the process's threads
        self.ghosts = 0  # [const] threads that Python still counts though a fork has ended them
        for part in vars(self).values():
            if isinstance(part, (list, dict, deque)):
                uncounted(part)

    def __repr__(self) -> str:
        return (
            f"<Sched {len(self.pidle)}/{self.procs} Ps idle, {len(self.allm)} Ms, "
            f"{len(self.runq)} in the global queue>"
        )

    def nidle(self) -> int:
        """Count the idle Ms."""
        return len(self.midle) + len(self.mhome) + len(self.mlocked)

    def p_seconds_until(self, moment: float) -> float:
        """Return the seconds that there were Ps, summed over them. Caller holds: sched.lock."""
        return self.p_seconds + self.procs * (moment - self.procs_since)

    def goid_batch(self) -> int:
        """Reserve `GOID_BATCH` goroutine ids and return the first."""
        lock_sched()
        first = self.goid
        self.goid = first + GOID_BATCH
        release(self.lock)
        return first

    def queued(self) -> bool:
        """Tell whether a fresh goroutine waits anywhere. Any thread, a snapshot."""
        return bool(self.runq) or any(pp.runq or pp.runnext for pp in self.allp)

    def takeable(self) -> bool:
        """Tell whether an M may take a fresh goroutine by itself, without being sent to steal."""
        busy = policy.steal_from_busy
        return bool(self.runq) or any(
            (busy or pp.m is None) and (pp.runq or pp.runnext) for pp in self.allp
        )


sched = uncounted(Sched())


def open_exit_gate() -> None:
    """Let the Ms go on that the exit has stopped: somebody needs them after all. Any thread."""
    gate, sched.exit_gate = sched.exit_gate, None
    if gate is None:
        return
    try:
        gate.release()
    except RuntimeError:
        return  # by two at once
    for mp in list(sched.allm):
        if mp.settled:
            mp.note.wake()


def exit_gate_is_closed() -> bool:
    """Tell whether Ms are to stay where the exit has stopped them; it opens once its time is over.
    Any thread."""
    if sched.exit_gate is None:
        return False
    if now() < sched.exit_until:
        return True
    open_exit_gate()
    return False


def lock_sched() -> None:
    """Take sched.lock; `release(sched.lock)` gives it back."""
    acquire(sched.lock)
