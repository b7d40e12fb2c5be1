"""Preemption: a goroutine that computes gives way between two bytecodes, though it never asked to.

sysmon finds who has run for long while others wait (`sysmon.look_at_slices`) and has that thread
call back at its next jump, branch, call or return: with `sys.monitoring`, from Python 3.12, by
events local to the code that is on top of the thread just then; on 3.11 by the thread's trace hook;
on a 3.13 without the GIL by a finaliser (knock.py), which stops nobody.
The callback runs on the goroutine's own stack, puts the goroutine at the tail of its M's queue, and
switches to the next. Nothing is paid until somebody overruns.

Declined, and tried again at sysmon's next look, where a switch could do harm (`_may`): in the
runtime; in a finaliser or signal handler; in an import and other code of the standard library that
takes locks; in a `with` block that may hold a lock (withs.py); where a stack is almost full; on a
greenlet that is not the goroutine's own. A preempted goroutine is not at a park point: it is
runnable, and no interrupt is delivered there.

The interpreter counts, per thread, the callbacks that it is in, and calls none back meanwhile. So
the count is taken down before the switch and put back after the return. (Not a finaliser's.)

Invariants:
- Only the thread that has been asked, in the scheduling decision it was asked in (`M.want`), gives
  way; each other that runs the same code goes on.
- What is armed is disarmed by the callback before it switches, or by sysmon at a later look, but
  for what others have been asked at, and who sleeps there.
- A trace function that somebody has set (3.11), and a tool of `sys.monitoring`, is never replaced.

Locks: `_events_lock` (rank BOOT) over each change of events, and each look at frames: without the
GIL these stop all threads for a moment, and the interpreter would never end if its end caught
somebody at it, whose thread is gone then; nor would a forked child. sched.lock, over the check that
a thread lives and the change of its trace hook (3.11).
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from _thread import get_ident
from collections.abc import Callable
from opcode import opmap
from types import CodeType, FrameType
from typing import Any

from greenlet import getcurrent

from .clock import now
from .fault import to_stderr
from .frames import HAS_TRAP, frame_of_tstate
from .g import ThreadG
from .knock import KNOCKS, TOOL_NAME, Knock, knock_at, set_answer, watched
from .lock import PACKAGE_DIR, Rank, acquire, make_lock, release, snapshot
from .m import M, current_tstate, tls
from .park import execute_stack, first_stack, yield_preempted
from .sched import GIL, lock_sched, sched
from .stack import Stack
from .withs import may_hold_lock, takes_locks

__all__ = [
    "GROUND",
    "frame_of",
    "Preempter",
    "collecting",
    "hold_stops",
    "make_preempter",
    "release_stops",
    "stop_preempting",
    "top_of",
]

GROUND: set[CodeType] = {
    execute_stack.__code__,
    first_stack.__code__,
    Stack._body.__code__,
}
"""Code of the runtime that a goroutine's own code stands on: no frame of the runtime's work."""

_ROOM = 60  # frames that must still fit on the stack

_events_lock = make_lock(Rank.BOOT)


def stop_preempting() -> None:
    """Change no thread's events any more: the interpreter is about to end."""
    acquire(_events_lock)
    sched.preemptoff = True
    release(_events_lock)


def hold_stops() -> None:
    """Before a fork, without the GIL: see that no other thread is about to stop all threads.

    A lock of the interpreter that it would hold just then stays locked in the child, whose first
    collection waits for it for ever. So sysmon changes no events meanwhile, no collection begins,
    and one that has begun ends first.
    """
    global _collects
    if GIL:
        return
    acquire(_events_lock)
    _collects = gc.isenabled()
    gc.disable()
    until = now() + _COLLECTION_SECONDS
    while now() < until:
        _Before().__class__ = _After  # type: ignore[assignment]  # this, too, stops all threads
        if not collecting - {get_ident()}:
            return
        time.sleep(0.001)


class _Before:
    pass


class _After:
    pass


collecting: set[int] = set()  # [atomic: set.add/discard] idents of the threads that collect
_COLLECTION_SECONDS = 5.0  # a collection may run finalisers that wait for this thread


def release_stops(in_child: bool) -> None:
    """After a fork: undo that; in the child with a fresh lock, where nobody else is left."""
    global _events_lock
    if not GIL and _collects:
        gc.enable()
    if in_child:
        _events_lock = make_lock(Rank.BOOT)
        collecting.clear()
    elif not GIL:
        release(_events_lock)


_collects = False


def _may(mp: M, frame: FrameType | None) -> bool:
    """Tell whether the running goroutine may be switched away from here; see the file's head."""
    gp = mp.curg
    if isinstance(gp, ThreadG) or mp.ingc or mp.foreign or mp.incall or mp.forked:
        return False
    sp = gp.stack
    if sp is None or getcurrent() is not getattr(sp, "greenlet", sp):
        return False
    try:
        _probe(_ROOM)
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


def _answer(mp: M, frame: FrameType) -> bool:
    """Tell whether the running goroutine gives way now; it has been asked to. Runs on: own M."""
    mp.want = ANSWERING
    try:
        return _may(mp, frame)
    finally:
        mp.want = -1


set_answer(_answer)

ANSWERING = -2  # in M.want: to look at a code for the first time may take some ms


def _give_way(frame: FrameType) -> None:
    """Switch away from the running goroutine, if it may be. The interpreter has called back."""
    mp = tls.m
    if not _answer(mp, frame):
        return
    del frame
    _switch(mp, current_tstate())


def _switch(mp: M, tstate: int) -> None:
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


def make_preempter() -> Preempter:
    """Return what fits this Python; one that never preempts where nothing does."""
    if sys.implementation.name != "cpython":
        return Preempter()
    global _leave_tracing, _enter_tracing
    api = ctypes.pythonapi
    api.PyThreadState_LeaveTracing.argtypes = [ctypes.c_void_p]
    api.PyThreadState_LeaveTracing.restype = None
    api.PyThreadState_EnterTracing.argtypes = [ctypes.c_void_p]
    api.PyThreadState_EnterTracing.restype = None
    _leave_tracing = api.PyThreadState_LeaveTracing
    _enter_tracing = api.PyThreadState_EnterTracing
    return _Monitoring() if sys.version_info >= (3, 12) else _Tracing()


_leave_tracing: Callable[[int], None]
_enter_tracing: Callable[[int], None]


# -- Python 3.12 and later


class _Monitoring(Preempter):
    """By local events of `sys.monitoring`, or by a Knock where the thread has one."""

    def __init__(self) -> None:
        self.tool = -1  # none yet
        self.events = 0
        # [lock: events] for whom: the decision, when, and the thread's CPU clock just before
        self.armed: dict[CodeType, dict[M, tuple[int, float, int]]] = {}
        self.rest_until = 0.0  # asking may stop all threads for long: let them run meanwhile
        self.clean_after = 0.0  # when something that was left behind may be undone
        self.warned = False

    def _arm(self, mp: M) -> bool:
        if knock_at(mp):
            return True
        began = now()
        if began < self.rest_until or not self._have_tool():
            return False
        burnt = mp.cpu_ns()  # before the look: who has burnt nothing since still stands there
        code = _own_code(mp)
        if code is None:
            return False
        acquire(_events_lock)
        try:
            if code not in self.armed:
                self._set(code, self.events)
            self.armed.setdefault(code, {})[mp] = (mp.want, now(), burnt)
        finally:
            release(_events_lock)
        if not GIL:
            ended = now()
            self.rest_until = ended + (ended - began) / 2
        return True

    def _again(self, mp: M) -> bool:
        return all(mp not in ms for ms in snapshot(self.armed.values()))

    def disarm(self) -> None:
        """Undo what has been answered, or has not been for so long that it may never be."""
        moment = now()
        for code, ms in snapshot(self.armed.items()):
            for mp, (tick, when, burnt) in snapshot(ms.items()):
                if mp.want == tick == mp.tick:
                    # Who sleeps in a call is to give way as soon as it is back: it may be in the
                    # next call at once, and sysmon would never find it between them.
                    sleeps = burnt != -1 and mp.cpu_ns() == burnt
                    if sleeps or moment - when < _PATIENCE:
                        continue
                self._undo(code, mp)

    def _undo(self, code: CodeType, mp: M) -> None:
        """Ask that M there no more; the events stay for others that have been asked there."""
        acquire(_events_lock)
        try:
            ms = self.armed.get(code)
            if ms is not None and ms.pop(mp, None) is not None and not ms:
                del self.armed[code]
                self._set(code, 0)
        finally:
            release(_events_lock)

    def _set(self, code: CodeType, events: int) -> None:
        """Set the events of a code, but not while the interpreter ends. Caller holds: the lock."""
        if not sched.preemptoff:
            sys.monitoring.set_local_events(self.tool, code, events)  # type: ignore[attr-defined]

    def _have_tool(self) -> bool:
        """Take a tool id, once; False, and said once, if all are taken."""
        if self.tool >= 0:
            return True
        acquire(_events_lock)
        try:
            if sched.preemptoff:
                return False
            if self._take_tool():
                return True
        finally:
            release(_events_lock)
        if not self.warned:
            self.warned = True
            to_stderr("gmprt: no tool id of sys.monitoring is free: goroutines are not preempted\n")
        return False

    def _take_tool(self) -> bool:
        """Take one that nobody has; those of debuggers, coverage and profilers are theirs."""
        monitoring = sys.monitoring  # type: ignore[attr-defined]
        for tool in (4, 3, 5):
            try:
                if monitoring.get_tool(tool) != TOOL_NAME:  # ours: before a fork
                    monitoring.use_tool_id(tool, TOOL_NAME)
            except ValueError:
                continue
            events = monitoring.events
            for event in (events.JUMP, events.BRANCH, events.PY_START, events.PY_RETURN):
                monitoring.register_callback(tool, event, self._called_back)
                self.events |= event
            self.tool = tool
            return True
        return False

    def _called_back(self, code: CodeType, offset: int, _: Any = None) -> None:
        """Give way, if it is this thread that has been asked. Called by the interpreter."""
        try:
            mp = tls.m
        except AttributeError:
            return
        if mp.want != mp.tick:
            if code not in self.armed:
                self._clean(code)
            return
        self._undo(code, mp)
        if KNOCKS and mp.knock is None and not watched():
            mp.knock = Knock(mp.id)  # the one before was dropped elsewhere
        _give_way(sys._getframe(1))

    def _clean(self, code: CodeType) -> None:
        """Undo what was left behind, by the parent of a fork perhaps; now and then only.

        Each change stops all threads without the GIL. If those that run the same code did so at
        each jump, until it has taken effect, no thread would come back from a sleep meanwhile: it
        is stopped again before it has started, sysmon among them.
        """
        moment = now()
        if moment < self.clean_after or not _events_lock:
            return
        self.clean_after = moment + _CLEAN_EVERY
        acquire(_events_lock)
        try:
            if code not in self.armed:
                # Where they count as off already, off alone does nothing.
                self._set(code, self.events)
                self._set(code, 0)
        finally:
            release(_events_lock)


_CLEAN_EVERY = 0.1  # seconds
_PATIENCE = 0.0 if GIL else 0.010  # without the GIL asking stops all threads, so not at each look


def frame_of(mp: M) -> FrameType | None:
    """Return the frame on top of a thread; None if there is none, or if the interpreter ends."""
    if HAS_TRAP:
        lock_sched()  # as in `_arm`: an M that ends is taken out of `allm` under it before
        try:
            return frame_of_tstate(mp.tstate) if mp in sched.allm and mp.tstate else None
        finally:
            release(sched.lock)
    acquire(_events_lock)
    try:
        return None if sched.exiting else sys._current_frames().get(mp.ident)
    except Exception:  # an audit hook does not allow it
        return None
    finally:
        release(_events_lock)


def top_of(mp: M) -> tuple[CodeType, int] | None:
    """Return where a thread stands; None if that cannot be told.

    Of the top frame alone, since the thread may be running.
    """
    frame = frame_of(mp)
    return None if frame is None else (frame.f_code, frame.f_lasti)


def _own_code(mp: M) -> CodeType | None:
    """Return the code that a thread runs, past what the runtime is doing for it; None if none.

    The runtime may be on top each time one looks: its function is called in each collection, and a
    thread that does nothing but collect gives up the GIL only there.
    """
    frame = frame_of(mp)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE_DIR):
        # Without the GIL it may be running, and its lower frames change meanwhile.
        frame = frame.f_back if GIL else None
    return None if frame is None else frame.f_code


# -- Python 3.11


class _Tracing(Preempter):
    """By the thread's trace hook, which sysmon sets from outside."""

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
            if self.number(tstate + _RECURSION_REMAINING).value < _ROOM + _EVENTS:
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

    def _called_back(self, _obj: Any, _frame: Any, what: int, _arg: Any) -> int:
        """Give way, if it is still wanted and may be. Called by the interpreter, at each line, call
        and return until the hook is taken off.

        It stays for some events where the thread may soon be out of what declines: a loop with one
        call into C, say, and a lock around it is found in there each time. But it is off before the
        thread parks: a greenlet keeps for itself whether it is traced, so one that is switched to
        would not be, or one that is left would go on at the pace of traced code.
        """
        mp = getattr(tls, "m", None)
        if mp is None or mp.want != mp.tick:
            self.set_trace(current_tstate(), None, None)
            return 0
        frame = sys._getframe(1)
        path = frame.f_code.co_filename
        if path.startswith(PACKAGE_DIR):
            if mp.events > 0 and path != _SWITCHES:
                mp.events -= 1
                frame.f_trace_lines = False  # until it returns, or calls
                return 0
            mp.want = -1
            self.set_trace(current_tstate(), None, None)
            return 0
        if what == _OPCODE:
            frame.f_trace_opcodes = False
            self.marked.pop(mp, None)
        may = _answer(mp, frame)
        if not may and mp.events > 0:
            mp.events -= _DECLINED
            mp.want = mp.tick
            return 0
        del frame
        tstate = current_tstate()
        self.set_trace(tstate, None, None)
        if may:
            _switch(mp, tstate)
        return 0

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


_OPCODE = 7  # what a trace function is called for: PyTrace_OPCODE
_EVENTS = 20  # calls of the hook for one ask: in the runtime, and where it is declined ...
_DECLINED = 4  # ... which costs more, and counts so much
_SWITCHES = execute_stack.__code__.co_filename
"""The file that switches greenlets."""

# In 3.11's PyThreadState; behind the second is the limit.
_C_TRACEFUNC = 72
_RECURSION_REMAINING = 32
