"""Asking by the thread's trace hook, on Python 3.11, which sysmon sets from outside.

Invariants:
- A trace function that somebody has set is never replaced.
- The hook is off before the thread parks (`Tracing._called_back`).

Locks: sched.lock, over the check that a thread lives and the change of its hook.
"""

from __future__ import annotations

import ctypes
import sys
from opcode import opmap
from types import FrameType
from typing import Any

from .giveway import ROOM, Preempter, answer_ask, switch
from .knock import raise_in_thread
from .lock import PACKAGE_DIR, release, snapshot
from .m import M, current_tstate, tls
from .park import execute_stack
from .sched import lock_sched, sched
from .stops import frame_of

__all__ = ["Tracing"]


class Tracing(Preempter):
    """Sets it, and is what it calls."""

    def __init__(self) -> None:
        self.set_trace = ctypes.pythonapi._PyEval_SetTrace
        self.set_trace.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        self.word = ctypes.c_size_t.from_address
        self.number = ctypes.c_int.from_address
        self.kind = ctypes.PYFUNCTYPE(
            ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
        )
        self.keep = self.kind(self._called_back)  # as long as a thread may call it
        self.hook = ctypes.cast(self.keep, ctypes.c_void_p)
        self.usable: bool | None = None  # not known yet
        self.marked: dict[M, FrameType] = {}  # [atomic: dict] frames that trace each bytecode

    def _arm(self, mp: M) -> bool:
        if self.usable is None:
            self.usable = self._works()
        if not self.usable:
            return False
        set_trace, tstate, hook = self.set_trace, mp.tstate, self.hook
        lock_sched()
        try:
            # An M that ends is taken out of `allm` under this lock, before its tstate goes.
            if tstate == 0 or mp not in sched.allm:
                return False
            # A callback for which there is no room makes the program fail.
            if self.number(tstate + _RECURSION_REMAINING).value < ROOM + _EVENTS:
                return False
            present = self.word(tstate + _C_TRACEFUNC).value
            # From the look to the call no bytecode gives up the GIL: somebody's function stays.
            if present and present != hook.value:
                return False
            mp.events = _EVENTS
            # Where it is set, too: a switch of the program's own may have left it idle.
            set_trace(tstate, hook, None)
        finally:
            release(sched.lock)
        if present:
            self._mark(mp)
        return True

    def _called_back(self, _obj: Any, _frame: Any, what: int, arg: int | None) -> int:
        """Give way, if it is still wanted and may be. Called by the interpreter, at each line, call
        and return until the hook is taken off.

        It stays for some events where the thread may soon be out of what declines: a loop with one
        call into C, say, and a lock around it is found in there each time. But it is off before the
        thread parks: a greenlet keeps for itself whether it is traced, so one that is switched to
        would not be, or one that is left would go on at the pace of traced code.
        """
        try:
            mp = getattr(tls, "m", None)
            verdict = _OFF
            if mp is not None and mp.want == mp.tick:
                verdict = self._verdict(mp, sys._getframe(1), what, bool(arg))
            if verdict != _STAY:
                tstate = current_tstate()
                self.set_trace(tstate, None, None)
                if verdict == _GIVE_WAY:
                    switch(mp, tstate)  # type: ignore[arg-type]  # it has been asked
        except RecursionError:  # the stack is full
            self.set_trace(current_tstate(), None, None)
        except BaseException as exc:  # another thread's: ctypes would lose it, and return anything
            raise_in_thread(exc)
        return 0

    def _verdict(self, mp: M, frame: FrameType, what: int, returns: bool) -> int:
        """Tell whether the goroutine gives way here, or the hook stays, or neither."""
        path = frame.f_code.co_filename
        if path.startswith(PACKAGE_DIR):
            if path != _SWITCHES:
                frame.f_trace_lines = False  # until it returns, or calls
                return self._declined(mp, 1)
            mp.want = -1
            return _OFF
        if what == _RETURN and not returns:
            # An exception has left the frame: nothing is on its evaluation stack any more, though
            # it seems to be in the `with` block where that was raised.
            return self._declined(mp, 1)
        if what == _OPCODE:
            frame.f_trace_opcodes = False
            self.marked.pop(mp, None)
        if answer_ask(mp, frame):
            return _GIVE_WAY
        return self._declined(mp, _DECLINED)

    def _declined(self, mp: M, events: int) -> int:
        """Tell whether the hook stays where no switch may be."""
        mp.events -= events
        mp.want = mp.tick if mp.events > 0 else -1
        return _STAY if mp.events > 0 else _OFF

    def _mark(self, mp: M) -> None:
        """Have the thread call back at each bytecode if it stands at a jump to itself.

        That is `while True: pass` in one line: no new line ever comes, and nothing else is done.
        """
        frame = frame_of(mp)
        if frame is not None and not frame.f_trace_opcodes and _jumps_to_itself(frame):
            frame.f_trace_opcodes = True
            self.marked[mp] = frame

    def disarm(self) -> None:
        """Undo the marks of those that have gone on: an exception may have ended such a loop."""
        for mp, frame in snapshot(self.marked.items()):
            if mp.want != mp.tick and self.marked.pop(mp, None) is not None:
                frame.f_trace_opcodes = False

    def _works(self) -> bool:
        """Look, on this thread, whether things are where they are expected."""
        tstate = current_tstate()
        room = self.number(tstate + _RECURSION_REMAINING).value
        limit = self.number(tstate + _RECURSION_REMAINING + 4).value
        if limit != sys.getrecursionlimit() or not limit - 50 < room < limit:
            return False
        if self.word(tstate + _C_TRACEFUNC).value:
            return False
        nothing = self.kind(lambda _obj, _frame, _what, _arg: 0)
        hook = ctypes.cast(nothing, ctypes.c_void_p)
        self.set_trace(tstate, hook, None)
        found = self.word(tstate + _C_TRACEFUNC).value
        self.set_trace(tstate, None, None)
        return found == hook.value and not self.word(tstate + _C_TRACEFUNC).value


def _jumps_to_itself(frame: FrameType) -> bool:
    """Tell whether a frame stands at a jump to that very jump."""
    at = frame.f_lasti
    return frame.f_code.co_code[at : at + 2] == bytes((opmap["JUMP_BACKWARD"], 1))


_OFF, _STAY, _GIVE_WAY = range(3)  # what becomes of the hook; it is off, too, who gives way
_RETURN, _OPCODE = 3, 7  # what a trace function is called for: PyTrace_RETURN, PyTrace_OPCODE
_EVENTS = 48  # calls of the hook for one ask: in the runtime, and where it is declined ...
_DECLINED = 4  # ... which costs more, and counts so much
_SWITCHES = execute_stack.__code__.co_filename
"""The file that switches greenlets."""

# In 3.11's PyThreadState; behind the second is the limit.
_C_TRACEFUNC = 72
_RECURSION_REMAINING = 32
