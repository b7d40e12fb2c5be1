"""stats: the scheduler's gauges and counters. Go: runtime/metrics."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ._runtime import stats as _stats

if TYPE_CHECKING:
    from psutil import Process

__all__ = ["stats"]


def stats() -> dict[str, Any]:
    """Return a snapshot; exact when nothing runs.

    Gauges: goroutines (by state), ms, ps, idle_ps, timers, stacks_cached. Counters, all
    cumulative: spawned, finished, switches (times a goroutine was given the processor), parks
    (times one gave it up, to wait or to yield), steals, steal_attempts, global_gets, handoffs (Ps
    given away on entering a call), retakes (Ps taken by sysmon), preemptions, netpolls,
    stacks_created; context_switches (the process's, by `voluntary` and `involuntary`); and in
    seconds: p_seconds (Ps times time), p_busy_seconds (of those, held by a thread, also while that
    spins or makes a call), runnable_seconds (goroutines times the time that they were ready and
    did not run; an estimate, as of sysmon's last look).

    `waits` tells of contention, by what was waited for: `count` and `seconds` of the waits that
    have ended, exact for mutex, and estimates from every 61st scheduling decision for chan, select,
    rwmutex, semaphore, cond, waitgroup and join, whose seconds are right in the mean only, once
    there are many. Waits of threads that run no goroutines are left out.

    docs/tuning.md shows how to read them.
    """
    found = _stats()
    switches = _process(os.getpid()).num_ctx_switches()
    found["context_switches"] = {
        "voluntary": switches.voluntary,
        "involuntary": switches.involuntary,
    }
    return found


@lru_cache(maxsize=1)
def _process(pid: int) -> Process:
    """Return this process, a new one after a fork. The import takes 50 ms: only who asks pays."""
    from psutil import Process

    return Process(pid)
