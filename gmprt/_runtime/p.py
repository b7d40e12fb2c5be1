"""P: the right to run Python, and the queue of goroutines that have not started.

Invariants:
- `m` and `M.p` change only under sched.lock and name each other, or are both None, whenever it is
  free. An M that finds `p` None has lost its P (retaken, or retired by gomaxprocs).
- `runnext` is a deque of at most one in the steady state: `pop` claims, so a goroutine is taken
  once.
- Between reading `mp.p` and appending, an M may have lost the P: then it appends to a queue that is
  no longer its own. Nothing is lost: thieves and the re-check of an idle M look at every P, idle
  and retired ones too; and who has appended looks whether nobody holds the P, and then wakes an M.

Locks: sched.lock for `m`; the queues are deques, one atomic C call a step.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from .heap import TimerHeap
from .rawobject import uncounted

if TYPE_CHECKING:
    from .g import G
    from .m import M

__all__ = ["RUNQ_MAX", "P"]

RUNQ_MAX = 256  # Go: len(p.runq)


class P:
    """A processor context (Go: runtime2.go p)."""

    __slots__ = ("id", "m", "oldm", "retired", "runnext", "runq", "tick", "timers")

    def __init__(self, pid: int) -> None:
        self.id = pid  # [const]
        self.m: M | None = None  # [lock: sched] who holds it
        self.oldm: M | None = None  # [lock: sched] who held it last
        self.runnext: deque[G[Any]] = deque()  # [atomic: deque.append/pop] the newest fresh G
        self.runq: deque[G[Any]] = deque()  # [atomic: deque.append/popleft] fresh Gs
        self.retired = False  # [lock: sched] gomaxprocs went below its id
        self.tick = 0  # [lock: sched] ticks run with it before the present holder
        self.timers = TimerHeap()  # [const] of no parked goroutine
        for part in (self, self.runnext, self.runq):
            uncounted(part)

    def __repr__(self) -> str:
        holder = "idle" if self.m is None else f"M{self.m.id}"
        return f"<P{self.id} {holder}, {len(self.runq) + len(self.runnext)} fresh>"

    def get(self) -> G[Any] | None:
        """Take the next fresh goroutine: runnext first (Go: runqget). Any thread."""
        try:
            if self.runnext:
                return self.runnext.pop()
        except IndexError:
            pass  # a thief was faster
        try:
            return self.runq.popleft() if self.runq else None
        except IndexError:
            return None

    def grab(self, last_round: bool, ready: int = 0) -> list[G[Any]]:
        """Take half of the queue, rounded up; in the last round of stealing `runnext` too.

        `ready`: goroutines that have started wait for the P as well. They cannot move, so that more
        of the others do: up to half of all.
        Go: runqgrab. Any thread: each goroutine is claimed by one atomic popleft.
        """
        batch: list[G[Any]] = []
        runq = self.runq
        size = len(runq)
        for _ in range(min(size, (size + ready + 1) // 2)):
            try:
                batch.append(runq.popleft())
            except IndexError:
                break
        if not batch and last_round:
            try:
                batch.append(self.runnext.pop())
            except IndexError:
                pass
        return batch
