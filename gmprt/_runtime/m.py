"""M: one OS thread, and everything that is tied to a thread.

An M owns its stacks (idle ones in `gfree`), the goroutines that have started on it, the queue of
those that are ready, and their deadlines. It runs goroutines only while it holds a P. The same
class stands for a foreign thread and for a thread inside a system call (`foreign`): that one never
holds a P and waits on its note alone.

Invariants:
- Only the own thread touches what is tagged [own]; others append to `readyq`, `calls`, `sigs` and
  then follow the wake-up protocol (note.py) with `idle`.
- A thread ends only when `nlive()`, the started goroutines that are not done, is 0.
- `idle` is True from the announcement to the wake-up; set and cleared under sched.lock (by the
  own thread alone where `foreign`).
"""

from __future__ import annotations

import _thread
import ctypes
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .clock import now
from .cpus import shorten_slices
from .g import ThreadG
from .lock import GIL
from .note import Note
from .rawobject import uncounted
from .sudog import Sudog

if TYPE_CHECKING:
    from greenlet import greenlet

    from .g import G
    from .p import P
    from .stack import Stack

__all__ = ["M", "current_tstate", "foreign_m", "set_knock", "thread_g", "tls"]


_libc = ctypes.PyDLL(None)  # its calls keep the GIL
current_tstate = ctypes.pythonapi.PyThreadState_Get
current_tstate.restype = ctypes.c_void_p


if TYPE_CHECKING:

    class _Tls(_thread._local):
        m: M


tls: _Tls = uncounted(_thread._local())  # type: ignore[assignment]
"""Its `m` is the calling thread's M; AttributeError in a thread that has none yet.

Of no class of our own: without the GIL each look at a subclass's attribute takes the lock of all
types (CPython 3.13), and two threads that yield took four times as long.
"""


def _no_knock(mp: M) -> None:
    pass


_knock: Callable[[M], Any] = _no_knock


def set_knock(make: Callable[[M], Any]) -> None:
    """Name what makes an `M.knock`; called by knock.py."""
    global _knock
    _knock = make


class M:
    """A thread of the runtime, or the stand-in for another one (Go: runtime2.go m)."""

    __slots__ = (
        "asked_clock",
        "asks",
        "blocked",
        "call",
        "callm",
        "calls",
        "calltick",
        "clock",
        "curg",
        "due",
        "dying",
        "events",
        "finished",
        "first_until",
        "foreign",
        "forked",
        "g0",
        "gfree",
        "global_gets",
        "goids",
        "has_main",
        "id",
        "ident",
        "idle",
        "incall",
        "ingc",
        "knock",
        "knock_tick",
        "knock_time",
        "locked",
        "look_tick",
        "look_time",
        "maker",
        "mutex_wait",
        "mutex_waits",
        "note",
        "now",
        "oldp",
        "p",
        "preemptions",
        "readyq",
        "root",
        "run_since",
        "run_tick",
        "seen_at",
        "seen_clock",
        "seen_looks",
        "seen_since",
        "seen_tick",
        "settled",
        "sigrun",
        "sigs",
        "slice_start",
        "spinning",
        "stacks",
        "stacks_created",
        "stale",
        "steal_attempts",
        "steals",
        "tick",
        "tick0",
        "tid",
        "timers",
        "to_make",
        "tstate",
        "turn",
        "waits",
        "want",
        "want_since",
        "wants_p",
    )

    def __init__(self, mid: int, foreign: bool = False) -> None:
        self.id = mid  # [const]
        self.foreign = foreign  # [const] never holds a P
        self.ident = 0  # [const] thread ident, once it runs
        self.tid = 0  # [const] the system's number of the thread
        self.clock: int | None = None  # [const] clock id of the thread's CPU time
        self.p: P | None = None  # [lock: sched]
        self.oldp: P | None = None  # [lock: sched] the P it had last
        self.curg: G[Any] = None  # type: ignore[assignment]  # [own: M] set before anything runs
        self.g0: ThreadG = None  # type: ignore[assignment]  # [const] between two goroutines
        self.due = 0  # [any] tick of `schedule`'s next slow path; others set 0 to ask for it
        self.tick = 0  # [own: M] scheduling decisions
        self.now = now()  # [any] the time, as of its last slow path or sysmon's last look
        self.tick0 = 0  # [lock: sched] tick when it got its P
        self.first_until = -1  # [own: M] tick until which timers put nobody first
        self.look_tick = 0  # [own: M] tick of the last look at timers
        self.look_time = 0.0  # [own: M] its time
        self.turn = False  # [own: M] a fresh goroutine is next
        self.readyq: deque[G[Any]] = deque()  # [atomic: deque.append/popleft] started and ready
        self.timers: list[tuple[float, int, Sudog]] = []  # [own: M] heap, see timers.py
        self.stale = 0  # [own: M] dead entries in it
        self.note = Note()  # [any] where the thread sleeps
        self.idle = False  # [lock: sched] announced: see note.py
        self.spinning = False  # [lock: sched] counted in sched.nspinning
        self.has_main = False  # [const] main lives here, on the thread's own stack
        self.finished = 0  # [own: M] goroutines that ended here
        self.steals = 0  # [own: M] times it stole
        self.steal_attempts = 0  # [own: M] Ps it looked at for that
        self.global_gets = 0  # [own: M] times it took from the global queue
        self.goids = iter(range(0))  # [own: M] the ids that are left of its batch
        self.gfree: list[Stack] = []  # [own: M] idle stacks
        self.stacks: set[Stack] = set()  # [own: M] all, so that none is dropped elsewhere
        self.stacks_created = 0  # [own: M]
        self.root: greenlet | None = None  # [const] the greenlet its thread was born with
        self.maker: greenlet | None = None  # [const] starts stacks
        self.to_make: Stack | None = None  # [own: M] what the maker is to start; None: end
        self.incall = False  # [own: M] in an announced call, in place
        self.calltick = 0  # [own: M] announced calls begun and ended
        self.callm: M | None = None  # [own: M] its stand-in during calls
        self.call: Any = None  # [lock: sched] a call it is to make for another M's goroutine
        self.calls: deque[Any] = deque()  # [atomic: deque.append/popleft] questions to answer
        self.locked: dict[G[Any], int] = {}  # [own: M] who called lock_os_thread, nesting
        self.settled = False  # [own: M] at exit: it has gone to sleep since that began
        self.dying = False  # [own: M] a goroutine ended while locked: no fresh ones, then end
        self.forked = False  # [own: M] this is the child of a fork, its runtime is gone
        self.ingc = False  # [own: M] the collector runs finalisers on this thread
        self.sigs: deque[int] = deque()  # [atomic: deque.append/popleft] main's M: signals
        self.sigrun = False  # [own: M] main was scheduled to handle signals, not by being ready
        self.wants_p = False  # [lock: sched] it was sent to wait for a P, see send_free_m
        self.slice_start = 0.0  # [lock: sched] when it got its P
        self.seen_tick = -1  # [any] what sysmon saw last; -1: nothing since it got its P
        self.seen_at: tuple[int, int, int] | None = None  # [own: sysmon] frame, instruction, tick
        self.seen_clock = -1  # [own: sysmon]
        self.seen_since = 0.0  # [own: sysmon]
        self.blocked: tuple[Any, float] | None = None  # [any] sysmon took its P: code, since when
        self.seen_looks = 0  # [own: sysmon] looks that found it asleep at the same place
        self.tstate = 0  # [const] address of the interpreter's thread state (tracing.py, knock.py)
        self.want = -1  # [any] decision number of who is to give way; -1: none; or ANSWERING
        self.asks = 0  # [own: sysmon] times asked to give way since that; or sysmon.MOVING
        self.events = 0  # [any] calls left for its trace hook (3.11), or knocks declined (knock.py)
        self.want_since = 0.0  # [own: sysmon] since when
        self.knock: Any = None  # [any] what sysmon drops to have it look up, see knock.py
        self.knock_tick = 0  # [own: sysmon] its tick when that was dropped
        self.knock_time = 0.0  # [own: sysmon] when that was
        self.asked_clock = -1  # [own: sysmon] its CPU clock when it was asked so, asleep, without P
        self.preemptions = 0  # [own: M] times one gave way that had not asked to
        self.run_tick = -1  # [own: sysmon] the decision it saw last
        self.run_since = 0.0  # [own: sysmon] about when that was
        self.waits: dict[str, tuple[int, float]] = {}  # [own: M] see waits.py
        self.mutex_waits = 0  # [own: M] waits for a Mutex that have ended here
        self.mutex_wait = 0.0  # [own: M] their seconds

    def __repr__(self) -> str:
        kind = "thread" if self.foreign else "M"
        p = "no P" if self.p is None else f"P{self.p.id}"
        return f"<{kind}{self.id} {p}, {self.nlive()} goroutines{', idle' if self.idle else ''}>"

    def nlive(self) -> int:
        """Count the goroutines that live here: started and not done.

        Each has a stack. The others are idle, but for the one that is between two goroutines. Main
        has the thread's own. Any thread: a snapshot.
        """
        between = self.curg is self.g0
        return max(0, len(self.stacks) - len(self.gfree) - between + self.has_main)

    def bind_thread(self) -> None:
        """Note the calling thread's ident and CPU clock. Runs on: own M."""
        if not (GIL or self.foreign):
            shorten_slices()
            self.knock = _knock(self)
        self.ident = _thread.get_ident()
        self.tid = _thread.get_native_id()
        if not GIL or sys.version_info < (3, 12):
            self.tstate = current_tstate()
        try:
            self.clock = time.pthread_getcpuclockid(self.ident)
        except (AttributeError, OSError):
            self.clock = None  # no such clock here: unannounced blocking is then not seen

    def cpu_ns(self) -> int:
        """CPU time of the thread in ns; -1 if that cannot be told. Any thread."""
        if self.clock is None:
            return -1
        try:
            return time.clock_gettime_ns(self.clock)
        except OSError:
            return -1  # the thread has ended

    def asleep(self) -> bool:
        """Tell whether the thread sleeps in the kernel, not merely waits for a CPU. Any thread."""
        try:
            stat = self._stat()
        except OSError:
            stat = b""
        state = stat.rpartition(b")")[2].split(None, 1)
        return not state or state[0] in (b"S", b"D")  # no such thing here: the clock has to do

    def _stat(self) -> bytes:
        """Read what the system says of the thread; b"" or OSError if it says nothing."""
        name = b"/proc/self/task/%d/stat" % self.tid
        if GIL:
            # `open` gives it up, and a thread that has only been waiting for it is awake again.
            with open(name, "rb") as file:
                return file.read()
        # Here `open` would give up the CPU forty times, for 57 ms beside two threads that compute
        # (benchmarks/latency.py).
        fd = _libc.open(name, os.O_RDONLY | os.O_CLOEXEC)
        if fd < 0:
            return b""
        buffer = ctypes.create_string_buffer(256)  # the name of a thread has 15 bytes
        size = _libc.read(fd, buffer, 255)
        _libc.close(fd)
        return buffer.raw[: max(0, size)]

    def stand_in(self, gp: G[Any]) -> M:
        """Return what stands for this thread while it makes a call of `gp`. Runs on: own M."""
        other = self.callm
        if other is None:
            other = self.callm = foreign_m(gp, gp.id)
        thread_g = other.curg
        thread_g.caller = gp  # type: ignore[attr-defined]  # a ThreadG
        thread_g.id = gp.id
        return other


def foreign_m(caller: G[Any] | None, parent: int) -> M:
    """Make the stand-in of a thread that runs no goroutine of its own."""
    mp = M(-1, foreign=True)
    mp.curg = mp.g0 = thread_g(mp, caller, parent)
    return mp


def thread_g(mp: M, caller: G[Any] | None, gid: int) -> ThreadG:
    """Make what stands for no goroutine on `mp`."""
    gp = ThreadG()
    gp.id = gid
    gp.caller = caller
    gp.m = mp
    gp.joinq = []
    gp.attn = None
    gp.code = None
    gp.parent = 0
    gp.stack = _ThreadStack(mp, gp)  # type: ignore[assignment]  # never switched to
    return gp


class _ThreadStack:
    """The Sudog holder of a `ThreadG`, which is never switched to."""

    __slots__ = ("g", "m", "sudog")

    def __init__(self, mp: M, gp: G[Any]) -> None:
        self.m = mp
        self.g = gp
        self.sudog = Sudog(self)  # type: ignore[arg-type]  # has what is asked of a Stack
