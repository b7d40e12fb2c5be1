"""The verbs of timers that belong to no parked goroutine: add, take out, run what is due.

An M runs what is due, in any P's heap, at its slow paths in `find_runnable`: while a timer is
pending it comes by there about every `LOOK_SECONDS`. Where no M runs, or one runs on and on, sysmon
does it, which sleeps no longer than to the first timer.

The wake-up protocol (note.py) between who adds a timer and sysmon: sysmon announces in
`sched.sysmon_until` when it will look next, looks for an earlier timer, sleeps; who adds one
publishes it in a heap, then looks at `sysmon_until`, and wakes sysmon if that is too late. An M
that holds a P leaves the second half to the moment when it goes idle (`idle`): till then it looks
itself.

Locks: that of a heap, never two.
"""

from __future__ import annotations

import sys
from math import inf
from typing import TYPE_CHECKING, Any

from .clock import now
from .heap import HeapTimer
from .lock import release
from .sched import lock_sched, sched
from .timers import put_first

if TYPE_CHECKING:
    from .m import M

__all__ = ["add_timer", "call_sysmon", "del_timer", "next_look", "next_timer", "run_timers"]

LOOK_SECONDS = 0.0005  # how long an M with timers pending goes without looking, about
LOOK_TICKS = 61  # scheduling decisions, at the most, between two looks


def add_timer(mp: M, timer: HeapTimer, when: float) -> None:
    """Have `timer.fire()` called at `when`. Nothing if it is in a heap already.

    Blocks: no. Runs on: own M, stand-ins too.
    """
    pp = mp.p
    heap = timer.heap
    if heap is None:
        heap = timer.heap = (sched.allp[0] if pp is None else pp).timers
    if not heap.push(timer, when):
        return
    if not heap.listed:
        lock_sched()
        if not heap.listed:
            heap.listed = True
            sched.heaps.append(heap)
        release(sched.lock)
    if pp is None:
        call_sysmon()
    else:
        mp.due = 0  # look at the next decision, and from then on as often as it takes


def del_timer(timer: HeapTimer) -> bool:
    """Take a timer out of its heap; False if it is in none. Blocks: no. Any thread."""
    heap = timer.heap
    return heap is not None and heap.remove(timer)


def next_timer() -> float:
    """Return when the first timer is due, or earlier; inf if there is none. Any thread."""
    heaps = sched.heaps
    return min([heap.first for heap in heaps]) if heaps else inf


def call_sysmon() -> None:
    """Wake sysmon if it would sleep past the first timer. Any thread."""
    if next_timer() < sched.sysmon_until:
        sched.sysmon_note.wake()


def run_timers(moment: float) -> None:
    """Fire the timers that are due, in the order of their times; who is woken runs next.

    Runs on: any thread, no locks.
    """
    due: list[list[Any]] = []
    for heap in sched.heaps:
        if heap.first <= moment:
            heap.pop_due(moment, due)
    if not due:
        return
    if len(due) > 1:
        due.sort()  # of several heaps; the number decides between equals
    queued = [(mp, len(mp.readyq)) for mp in list(sched.allm)]
    for entry in due:
        timer = entry[2]
        try:
            timer.fire()
        except RuntimeError as exc:  # no thread could be started for its goroutine
            sys.excepthook(type(exc), exc, exc.__traceback__)
    for mp, before in queued:  # roughly, while that M runs: others may be among them
        put_first(mp, len(mp.readyq) - before)


def next_look(mp: M) -> int:
    """Return the tick at which an M with timers pending should look next. Runs on: own M.

    After so many decisions as took `LOOK_SECONDS` lately.
    """
    tick, moment = mp.tick, now()
    ticks, seconds = tick - mp.look_tick, moment - mp.look_time
    mp.look_tick, mp.look_time = tick, moment
    if ticks * LOOK_SECONDS >= LOOK_TICKS * seconds:
        return tick + LOOK_TICKS
    return tick + max(1, int(ticks * LOOK_SECONDS / seconds))
