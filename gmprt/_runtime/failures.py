"""Exceptions that nobody asked for: each is reported once, as soon as nobody can ask any more.

A goroutine that fails becomes a `FailedG` (park.py), and `sched.failed` refers to it weakly. It is
reported when its last handle goes, or at exit. Where user code must not run just then (the
collector drops it in the middle of the runtime) sysmon has a goroutine report it. Without the GIL
an object that another thread lets go of is dropped by the thread that made it once that runs
Python again; it may sleep for long, so sysmon looks for those that nobody holds.

Invariants:
- The claim to a report is the entry in `sched.failed`: who pops it reports, or puts the goroutine
  into `sched.unreported`, where the entry is the claim again. Pops are atomic.
- Who has a claim in hand is in `sched.reporting` from before the pop until the report is made or
  the goroutine lies in `unreported`: the exit waits for those.

Locks: none.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .clock import now
from .debug import dump
from .fault import to_stderr
from .g import FailedG, G
from .lock import interrupted_runtime, snapshot
from .m import foreign_m, tls
from .newg import go
from .rawobject import alone
from .sched import Sched, sched

__all__ = ["default_excepthook", "excepthook", "look_at_failures", "report_all", "report_lost"]

FAILURES_MAX = 200  # failed goroutines that are looked at in one look
EXIT_SECONDS = 1.0  # what the exit waits for reports that others are making


def _lost(gp: G[Any], sched: Sched = sched) -> None:
    """Report the exception of a goroutine whose last handle has gone. Runs on: any thread.

    One that was asked for is only forgotten; that may be when the modules are gone already.
    """
    if gp.asked:
        sched.failed.pop(gp.id, None)
        return
    finaliser = sys._getframe(1)
    with _in_hand(gp.id):
        if sched.failed.pop(gp.id, None) is None:
            return
        if interrupted_runtime(finaliser.f_back, True):
            _leave_to_sysmon(gp)  # the runtime may hold a lock
            sched.sysmon_note.wake()
        else:
            _report(gp)


@contextmanager
def _in_hand(goid: int) -> Iterator[None]:
    """Have the exit wait for what is done here with a claim."""
    reporting = sched.reporting  # a fork in the hook gives the child another
    reporting.append(goid)
    try:
        yield
    finally:
        reporting.remove(goid)


def _leave_to_sysmon(gp: G[Any]) -> None:
    sched.unreported[gp.id] = gp
    sched.lost.append(gp.id)


def look_at_failures(before: set[int]) -> set[int]:
    """Find those that nobody holds any more, though they are still there. Runs on: sysmon.

    Counts are summed up while other threads change them, so one look is not enough: takes the ids
    of those that were alone at the last look, and returns those of this one.
    """
    found: set[int] = set()
    for _ in range(min(len(sched.failures), FAILURES_MAX)):
        handle = sched.failures.popleft()
        gp = handle()
        if gp is None or gp.asked:
            continue
        if not alone(gp):
            sched.failures.append(handle)
        elif gp.id not in before:
            found.add(gp.id)
            sched.failures.append(handle)
        else:
            with _in_hand(gp.id):
                if sched.failed.pop(gp.id, None) is not None:
                    _leave_to_sysmon(gp)
    return found


def report_lost() -> None:
    """Have lost exceptions reported where user code may run: in a goroutine. Runs on: sysmon."""
    while sched.lost:
        goid = sched.lost.popleft()
        try:
            go(_report_unreported, goid)
        except RuntimeError:  # no thread to be had: then here
            _report_unreported(goid)


def _report_unreported(goid: int) -> None:
    """Report what was left to sysmon, unless somebody has; so may the exit, before this runs."""
    with _in_hand(goid):
        gp = sched.unreported.pop(goid, None)
        if gp is not None:
            _report(gp)


def report_all() -> None:
    """At exit: report all that nobody has asked for, whoever still holds it.

    Blocks: the thread, at most a second for reports that other threads are making just now.
    """
    until = now() + EXIT_SECONDS
    while True:
        for goid in snapshot(sched.unreported):
            _report_unreported(goid)
        for goid, handle in snapshot(sched.failed.items()):
            gp = handle()  # None: another thread is about to report it
            if gp is not None and sched.failed.pop(goid, None) is not None and not gp.asked:
                _report(gp)
        if not (sched.reporting or sched.unreported or sched.failed) or now() >= until:
            return
        time.sleep(0.001)  # others are in the middle of theirs


def _report(gp: G[Any]) -> None:
    """Call the hook for a goroutine whose exception nobody can ask for any more."""
    gp.asked = True
    exc = gp.exc
    if exc is None:
        return
    mp = getattr(tls, "m", None)
    if mp is not None and not mp.foreign:
        tls.m = foreign_m(None, 0)  # the hook is user code: a wait in it blocks the thread alone
    try:
        if os.environ.get("GMPRT_PANIC") == "crash":
            default_excepthook(gp, exc)
            to_stderr("\n" + dump())
            os._exit(2)
        hook = getattr(sys.modules.get("gmprt"), "excepthook", None) or default_excepthook
        hook(gp, exc)
    except BaseException as broken:  # a broken hook must not end the thread's scheduler
        try:
            text = repr(broken)
        except Exception:  # that is broken, too
            text = object.__repr__(broken)
        to_stderr(f"gmprt.excepthook failed: {text}\n")
    finally:
        if mp is not None:
            tls.m = mp


def default_excepthook(gp: G[Any], exc: BaseException) -> None:
    """Print the traceback on stderr, headed by the goroutine and where it was created.

    Assign another function to `gmprt.excepthook` to replace it.
    """
    text = "".join(traceback.format_exception(exc))
    to_stderr(f"Exception in goroutine {gp.id} [created by {gp.created_at}]\n{text}")


excepthook: Callable[[G[Any], BaseException], object] = default_excepthook
"""What `gmprt.excepthook` is until the program sets another."""

FailedG.lost = staticmethod(_lost)
