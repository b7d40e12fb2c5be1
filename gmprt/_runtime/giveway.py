"""Giving way: whether a goroutine may be switched away from where it is, and how that is done.

Declined, and tried again at sysmon's next look, where a switch could do harm (`_may`): in the
runtime; in a finaliser or signal handler; in an import and other code of the standard library that
takes locks; in a `with` block that may hold a lock (withs.py); where a stack is almost full; on a
greenlet that is not the goroutine's own.

The interpreter counts, per thread, the callbacks that it is in, and calls none back meanwhile. So
the count is taken down before the switch and put back after the return. (Not a finaliser's.)

Invariants:
- Only the thread that has been asked, in the scheduling decision it was asked in (`M.want`), gives
  way.
"""

from __future__ import annotations

import ctypes
from types import CodeType, FrameType

from greenlet import getcurrent

from .clock import now
from .g import ThreadG
from .knock import set_answer
from .lock import PACKAGE_DIR
from .m import M, current_tstate, tls
from .park import execute_stack, first_stack, yield_preempted
from .stack import Stack
from .withs import may_hold_lock, takes_locks

__all__ = [
    "ANSWERING",
    "GROUND",
    "ROOM",
    "Preempter",
    "answer_ask",
    "give_way",
    "switch",
]

_leave_tracing = ctypes.pythonapi.PyThreadState_LeaveTracing
_leave_tracing.argtypes = [ctypes.c_void_p]
_leave_tracing.restype = None
_enter_tracing = ctypes.pythonapi.PyThreadState_EnterTracing
_enter_tracing.argtypes = [ctypes.c_void_p]
_enter_tracing.restype = None

GROUND: set[CodeType] = {
    execute_stack.__code__,
    first_stack.__code__,
    Stack._body.__code__,
}
"""Code of the runtime that a goroutine's own code stands on: no frame of the runtime's work."""

ROOM = 60
"""Frames that must still fit on the stack."""


def _may(mp: M, frame: FrameType | None) -> bool:
    """Tell whether the running goroutine may be switched away from here; see the file's head."""
    gp = mp.curg
    if isinstance(gp, ThreadG) or mp.ingc or mp.foreign or mp.incall or mp.forked:
        return False
    sp = gp.stack
    if sp is None or getcurrent() is not getattr(sp, "greenlet", sp):
        return False
    try:
        _probe(ROOM)
    except RecursionError:
        return False
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(PACKAGE_DIR):
            if code not in GROUND:
                return False
        elif takes_locks(frame) or may_hold_lock(frame):
            return False
        frame = frame.f_back
    return True


def _probe(depth: int) -> None:
    """Find out whether there is room for so many frames."""
    if depth:
        _probe(depth - 1)


def answer_ask(mp: M, frame: FrameType) -> bool:
    """Tell whether the running goroutine gives way now; it has been asked to. Runs on: own M."""
    mp.want = ANSWERING
    try:
        return _may(mp, frame)
    finally:
        mp.want = -1


set_answer(answer_ask)

ANSWERING = -2  # in M.want: to look at a code for the first time may take some ms


def give_way(frame: FrameType) -> None:
    """Switch away from the running goroutine, if it may be. The interpreter has called back."""
    mp = tls.m
    if not answer_ask(mp, frame):
        return
    del frame
    switch(mp, current_tstate())


def switch(mp: M, tstate: int) -> None:
    """Let others run, from within a callback of the interpreter's."""
    _leave_tracing(tstate)
    try:
        yield_preempted(mp)
    finally:
        _enter_tracing(tstate)


class Preempter:
    """Has a thread call back. All methods run on: sysmon."""

    def ask(self, mp: M, tick: int) -> float:
        """Have the goroutine give way that `mp` runs since its decision number `tick`.

        Returns for how many seconds it has been asked in vain: then it is in C, or in other code
        than it was.
        """
        if mp.want == ANSWERING:
            return 0.0
        before = mp.want == tick
        if not before or self._again(mp):
            mp.want = tick
            try:
                armed = self._arm(mp)
            except Exception:  # an audit hook does not allow it: sysmon has more to do
                armed = False
            if not armed:
                mp.want = -1
        if not before:
            mp.want_since = now()  # only then: it may have taken long
        return now() - mp.want_since

    def _again(self, mp: M) -> bool:
        """Tell whether one that has not answered is to be asked once more."""
        return True

    def _arm(self, mp: M) -> bool:
        """Have the thread call back; False if that cannot be, just now or at all."""
        return False

    def disarm(self) -> None:
        """Undo what has not called back by now."""
