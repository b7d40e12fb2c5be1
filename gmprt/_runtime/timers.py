"""The deadlines of goroutines parked on one M: a heap that only that M touches.

An entry is (when, number, Sudog). A wait that ends before its deadline marks its Sudog `over`
and leaves the entry; once the dead outnumber the living the heap is swept, so they cannot pile up.

Locks: none. The M that owns the heap adds, expires and sweeps; a waker on another thread claims
the Sudog through its owner, as this does.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any

from .clock import now
from .rawobject import uncounted
from .sudog import TIMED_OUT

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .sudog import Sudog

__all__ = [
    "add_timeout",
    "expire",
    "first_deadline",
    "forget_timeout",
    "next_deadline",
    "pending",
    "put_first",
]

_number = uncounted(count().__next__)  # breaks ties, so that Sudogs are never compared
_SWEEP_AT = 64


def add_timeout(mp: M, sg: Sudog, when: float) -> None:
    """End the wait of `sg` at `when` unless something ends it before. Runs on: own M."""
    sg.timed = True
    heappush(mp.timers, (when, _number(), sg))


def forget_timeout(mp: M, sg: Sudog) -> None:
    """Say that the wait of `sg`, which has an entry here, is over. Runs on: own M."""
    sg.over = True
    if not sg.timed:
        return  # its entry has been taken out
    mp.stale += 1
    if mp.stale > _SWEEP_AT and mp.stale * 2 > len(mp.timers):
        mp.timers[:] = [entry for entry in mp.timers if not entry[2].over]
        heapify(mp.timers)
        mp.stale = 0


def expire(mp: M) -> None:
    """Make ready every goroutine whose deadline has passed, ahead of the queue. Runs on: own M."""
    timers = mp.timers
    due = mp.now = now()
    woken: list[G[Any]] = []
    while timers and timers[0][0] <= due:
        sg = heappop(timers)[2]
        sg.timed = False
        if sg.over:
            mp.stale -= 1
        elif sg.owner.dequeue(sg):  # else its goroutine is ready, and about to forget it
            sg.why = TIMED_OUT
            gp: G[Any] = sg.stack.g  # type: ignore[assignment]  # it has parked there
            gp.reason = None
            woken.append(gp)
    if woken:
        mp.readyq.extend(woken)
        put_first(mp, len(woken))


def put_first(mp: M, n: int) -> None:
    """Have the last `n` that became ready run first: a timer has woken them.

    Then as many others have their turn: goroutines that sleep for less time than they run would
    keep all others waiting for ever. Any thread: a lost store to `first_until` does no harm.
    """
    readyq = mp.readyq
    if n <= 0 or n >= len(readyq):
        return
    tick = mp.tick
    if tick > mp.first_until:
        pp = mp.p
        fresh = pp is not None and (pp.runq or pp.runnext)  # they come in between
        mp.first_until = tick + 2 * n + (1 if fresh else -1)
        readyq.rotate(n)


def next_deadline(mp: M) -> float | None:
    """Return the first living deadline, dropping dead ones before it. Runs on: own M."""
    timers = mp.timers
    while timers:
        if not timers[0][2].over:
            return timers[0][0]
        heappop(timers)[2].timed = False
        mp.stale -= 1
    return None


def first_deadline(mp: M) -> float:
    """Return when the first deadline is, or was, roughly while the M runs. Any thread."""
    try:
        return mp.timers[0][0]
    except IndexError:
        return inf


def pending(mp: M) -> int:
    """Count the living deadlines, roughly while the M runs. Any thread."""
    return max(0, len(mp.timers) - mp.stale)
