"""TimerHeap: timers that belong to no parked goroutine, one heap a P.

`after_func`, context deadlines, and timer channels somebody waits on lie here; what ends a parked
goroutine's wait lies in its M's own heap (timers.py). Such a timer can be run by anybody: an M at
its next look (timerproc.py), whichever P's it is, or sysmon. That there is a heap a P only keeps
those who add apart.

Invariants:
- A timer is in its heap exactly while its `entry` is set; both change under the heap's lock.
- An entry is [when, number, timer]; a timer taken out leaves one whose timer is None, so that
  the heap keeps nothing alive. Once the dead outnumber the living the heap is swept.
- `first` is never later than the first living entry's time.

Locks: `lock` (rank TIMER), one a heap. No user code runs under it.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Any, Protocol

from .lock import Rank, acquire, make_lock, release

__all__ = ["HeapTimer", "TimerHeap"]

_number = count().__next__  # breaks ties: first come, first fired
_SWEEP_AT = 64


class HeapTimer(Protocol):
    """What lies in a TimerHeap."""

    heap: TimerHeap | None  # [const] once set, by the first `add_timer`
    entry: list[Any] | None  # [lock: heap] None: not in the heap

    def fire(self) -> None:
        """Do what is to be done at its time. The caller holds no lock. Any thread."""


class TimerHeap:
    """A heap of timers (Go: time.go timers)."""

    __slots__ = ("entries", "first", "listed", "lock", "stale")

    def __init__(self) -> None:
        self.lock = make_lock(Rank.TIMER)  # [const]
        self.entries: list[list[Any]] = []  # [lock: self]
        self.stale = 0  # [lock: self] dead entries
        self.first = inf  # [lock: self] time of the first entry; read by all
        self.listed = False  # [lock: sched] it is in `sched.heaps`

    def push(self, timer: HeapTimer, when: float) -> bool:
        """Put a timer in, unless it is; True if it is the first now."""
        lock = self.lock
        acquire(lock)
        if timer.entry is not None:
            release(lock)
            return False
        timer.entry = entry = [when, _number(), timer]
        heappush(self.entries, entry)
        is_first = when < self.first
        if is_first:
            self.first = when
        release(lock)
        return is_first

    def remove(self, timer: HeapTimer) -> bool:
        """Take a timer out; False if it is not in, as when it is about to fire."""
        lock = self.lock
        acquire(lock)
        entry = timer.entry
        if entry is not None:
            timer.entry = None
            entry[2] = None
            self.stale += 1
            if self.stale > _SWEEP_AT and self.stale * 2 > len(self.entries):
                self.entries[:] = [entry for entry in self.entries if entry[2] is not None]
                heapify(self.entries)
                self.stale = 0
                self.first = self.entries[0][0] if self.entries else inf
        release(lock)
        return entry is not None

    def pop_due(self, moment: float, due: list[list[Any]]) -> None:
        """Move the entries whose time has come to `due`; those timers are out from here on."""
        lock = self.lock
        acquire(lock)
        entries = self.entries
        while entries and entries[0][0] <= moment:
            entry = heappop(entries)
            timer = entry[2]
            if timer is None:
                self.stale -= 1
            else:
                timer.entry = None
                due.append(entry)
        self.first = entries[0][0] if entries else inf
        release(lock)

    def pending(self) -> int:
        """Count the living entries. Any thread, a snapshot."""
        return max(0, len(self.entries) - self.stale)
