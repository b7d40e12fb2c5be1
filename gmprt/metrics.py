"""stats: the scheduler's gauges and counters. Go: runtime/metrics."""

from __future__ import annotations

from typing import Any

from ._runtime import stats as _stats

__all__ = ["stats"]


def stats() -> dict[str, Any]:
    """Return a snapshot; exact when nothing runs.

    Gauges: goroutines (by state), ms, ps, idle_ps, timers, stacks_cached. Counters, all
    cumulative: spawned, finished, switches (times a goroutine was given the processor), parks
    (times one gave it up, to wait or to yield), steals, steal_attempts, global_gets, handoffs (Ps
    given away on entering a call), retakes (Ps taken by sysmon), preemptions, netpolls,
    stacks_created.
    """
    return _stats()
