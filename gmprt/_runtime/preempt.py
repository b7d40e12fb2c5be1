"""Preemption: a goroutine that computes gives way between two bytecodes, though it never asked to.

sysmon finds who has run for long while others wait (`sysmon.look_at_slices`) and has that thread
call back at its next jump, branch, call or return: with `sys.monitoring`, from Python 3.12, by
events local to the code that is on top of the thread just then (monitoring.py); on 3.11 by the
thread's trace hook (tracing.py); on a 3.13 without the GIL by a finaliser (knock.py), which stops
nobody. The callback runs on the goroutine's own stack, puts the goroutine at the tail of its M's
queue, and switches to the next, if it may (giveway.py). Nothing is paid until somebody overruns.

A preempted goroutine is not at a park point: it is runnable, and no interrupt is delivered there.
"""

from __future__ import annotations

import sys

from .giveway import Preempter
from .monitoring import Monitoring
from .tracing import Tracing

__all__ = ["make_preempter"]


def make_preempter() -> Preempter:
    """Return what fits this Python; one that never preempts where nothing does."""
    if sys.implementation.name != "cpython":
        return Preempter()
    return Monitoring() if sys.version_info >= (3, 12) else Tracing()
