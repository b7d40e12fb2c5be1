"""What goroutines have waited for, how often and for how long: contention, for `stats`.

Waits for a Mutex are counted each, on the way that is slow anyway. Of all others every 61st
scheduling decision of an M tells: whom it makes run has just waited, and stands for 61. So it costs
parking and waking nothing, and what is told are estimates, in steps of 61. Both ends of such a wait
are times of the M's coarse clock (`M.now`), which sysmon sets, every 10 ms at the latest: right in
the mean, if enough has been waited. How long goroutines are ready and do not run is their number,
summed up over time by sysmon. What threads that run no goroutines wait for is not counted.

Locks: none; an M counts for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .lock import snapshot
from .sched import sched

if TYPE_CHECKING:
    from .g import G
    from .m import M

__all__ = ["merge_waits", "sample_wait", "waits"]

MUTEX = "mutex"

KINDS = {
    "Chan": "chan",
    "_Waiting": "select",
    "RWMutex": "rwmutex",
    "Semaphore": "semaphore",
    "Cond": "cond",
    "WaitGroup": "waitgroup",
    "G": "join",
    "FailedG": "join",
}
"""What is sampled, by the class of what is waited on. Sleeping is no contention."""

Counts = dict[str, tuple[int, float]]


def sample_wait(mp: M, gp: G[Any], weight: int) -> None:
    """Count the wait that `gp`, which is to run now, comes from, if it does. Runs on: own M."""
    sg = getattr(gp, "waiting", None)
    kind = KINDS.get(type(getattr(sg, "owner", None)).__name__)
    if kind is not None and gp.stack is not None:
        _add(mp.waits, kind, weight, weight * max(0.0, mp.now - gp.since))


def merge_waits(into: Counts, mp: M) -> None:
    """Add what an M has counted, which may go on doing so."""
    _add(into, MUTEX, mp.mutex_waits, mp.mutex_wait)
    for kind, (times, seconds) in snapshot(mp.waits.items()):
        _add(into, kind, times, seconds)


def waits(ms: Iterable[M]) -> dict[str, dict[str, float]]:
    """Return what has been counted, by kind. `ms`: the living Ms. Caller holds: sched.lock."""
    total: Counts = dict.fromkeys((MUTEX, *KINDS.values()), (0, 0.0))
    total.update(sched.waits)
    for mp in ms:
        merge_waits(total, mp)
    return {kind: {"count": times, "seconds": secs} for kind, (times, secs) in total.items()}


def _add(counts: Counts, kind: str, times: int, seconds: float) -> None:
    before = counts.get(kind, (0, 0.0))
    counts[kind] = (before[0] + times, before[1] + seconds)
