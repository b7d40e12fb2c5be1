"""Preemption by force: at every so many jumps, branches, calls and lines, not only after 10 ms.

What sysmon asks for a hundred times a second, a test has to see ten thousand times.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gmprt
from gmprt._runtime import giveway, preempt
from gmprt._runtime.lock import PACKAGE_DIR
from gmprt._runtime.m import current_tstate, tls

__all__ = ["forced"]


class _Every:
    """Gives way at each `n`-th call."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.calls = 0
        self.asked = 0  # how often a goroutine was to give way, whether it did or not

    def __call__(self, frame: Any) -> None:
        self.calls += 1
        if self.calls % self.n == 0 and getattr(tls, "m", None) is not None:
            self.asked += 1
            giveway.give_way(frame)


@contextmanager
def forced(every: int = 1) -> Iterator[_Every]:
    """Have the goroutines of this thread, where they may, give way at each such event.

    What is given counts how often they were asked.
    """
    gmprt.gosched()  # the runtime runs, and has what it needs for this
    give_way = _Every(every)
    if sys.version_info >= (3, 12):
        with _monitored(give_way):
            yield give_way
    else:
        with _traced(give_way):
            yield give_way


@contextmanager
def _monitored(give_way: _Every) -> Iterator[None]:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    events = monitoring.events
    kinds = (events.JUMP, events.BRANCH, events.PY_START, events.PY_RETURN, events.LINE)
    tool = 2
    monitoring.use_tool_id(tool, "forced")

    def called_back(code: Any, *_: Any) -> Any:
        if code.co_filename.startswith(PACKAGE_DIR):
            return monitoring.DISABLE  # it would decline
        give_way(sys._getframe(1))
        return None

    try:
        for kind in kinds:
            monitoring.register_callback(tool, kind, called_back)
        monitoring.set_events(tool, sum(kinds))
        yield
    finally:
        monitoring.set_events(tool, 0)
        monitoring.restart_events()  # nothing stays disabled
        for kind in kinds:
            monitoring.register_callback(tool, kind, None)
        monitoring.free_tool_id(tool)


@contextmanager
def _traced(give_way: _Every) -> Iterator[None]:
    import ctypes

    tracing: Any = preempt.make_preempter()

    def called_back(_obj: Any, _frame: Any, _what: int, _arg: Any) -> int:
        frame = sys._getframe(1)
        if not frame.f_code.co_filename.startswith(PACKAGE_DIR):  # there it would decline
            give_way(frame)
        return 0

    keep = tracing.kind(called_back)
    hook = ctypes.cast(keep, ctypes.c_void_p)
    tstate = current_tstate()
    tracing.set_trace(tstate, hook, None)
    try:
        yield
    finally:
        tracing.set_trace(tstate, None, None)
