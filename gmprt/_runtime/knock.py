"""Knock: how sysmon has a thread look up from its work without the GIL, and stops nobody for it.

An object is freed by the thread that has made it: the interpreter leaves it in that one's queue,
and has it look there at its next jump back, call or function, where the object's finaliser runs.
So each M makes one, and sysmon drops it.

Invariants:
- `M.knock` is a Knock: sysmon alone takes it away, and leaves KNOCKED. KNOCKED: the finaliser
  alone puts another one there, or None; or sysmon None, once it has waited for too long. None:
  there is none, `sys.monitoring` is used (monitoring.py), whose callback puts one there.
- Who finds itself on another thread, or inside a callback, switches nobody.

Rejected: events alone. Each change of them stops all threads, and so does the look for the code on
top: 2 ms for each preemption beside two threads that compute; and all that run the same code call
back: a fifth of benchmarks/fanout.py.
"""

from __future__ import annotations

import ctypes
import sys
from _thread import get_ident
from collections.abc import Callable
from types import FrameType

from .clock import now
from .lock import GIL, release, snapshot
from .m import M, current_tstate, set_knock, tls
from .park import yield_preempted
from .sched import lock_sched, sched
from .sudog import Signal

__all__ = [
    "KNOCKED",
    "KNOCKS",
    "LOST",
    "TOOL_NAME",
    "Knock",
    "knock_at",
    "raise_in_thread",
    "set_answer",
    "watched",
]

TOOL_NAME = "gmprt"
"""Under which events of `sys.monitoring` are set."""

_answer: Callable[[M, FrameType], bool]
_api = ctypes.pythonapi


def set_answer(answer: Callable[[M, FrameType], bool]) -> None:
    """Name what tells whether a goroutine gives way at a frame; called by giveway.py."""
    global _answer
    _answer = answer


class Knock(int):
    """What an M's thread has made and sysmon drops; its finaliser gives way, some 15 us later.

    The M's id: a reference to the M would make a cycle of the two.
    """

    __slots__ = ()

    def __del__(self) -> None:
        mp = getattr(tls, "m", None)
        if mp is None or mp.id != self:
            _dropped_elsewhere(self)
            return
        if mp.knock is not KNOCKED:
            return  # the thread ends, or sysmon has waited for too long
        may = False
        fresh = None
        try:
            try:
                if not watched():
                    fresh = Knock(mp.id)
            finally:
                mp.knock = fresh  # in one step: sysmon uses events where it finds none
            asked = fresh is not None and mp.want == mp.tick
            fresh = None  # this frame may stay for long; sysmon is to have the last reference
            if asked and mp.ingc:
                # It may do nothing else, and be found here each time; events come outside.
                mp.want = -1
                mp.knock = None
            elif asked and _in_callback():
                mp.want = -1
            elif asked:
                may = _answer(mp, sys._getframe(1))
                mp.events = 0 if may else mp.events + 1
                if mp.events >= _DECLINES:
                    # A loop with one call into C, with a lock held for it, say, is found in there
                    # each time; events come outside, too.
                    mp.events = 0
                    mp.knock = None
        except RecursionError:
            pass  # the stack is full: it is asked again, by events
        except BaseException as exc:  # of another thread's: a finaliser would swallow it
            raise_in_thread(exc)
        if may:
            yield_preempted(mp)


def raise_in_thread(exc: BaseException) -> None:
    """Have an exception of this class raised in this thread, once what has been called back, and
    would lose it, is over."""
    raised = ctypes.py_object(type(exc))
    _api.PyThreadState_SetAsyncExc(ctypes.c_ulong(get_ident()), raised)


def _dropped_elsewhere(knock: Knock) -> None:
    """Take note of it: a collection was faster, which drops what it finds in all the queues."""
    for mp in snapshot(sched.allm):
        if mp.id == knock and mp.knock is KNOCKED:
            mp.knock = None


def knock_at(mp: M) -> bool:
    """Have the thread of `mp` look up, if it can be asked so; True too if it has been and may yet
    answer. Runs on: sysmon."""
    knock = mp.knock
    if knock is None:
        return False
    if knock is KNOCKED:
        # Each decision is more than one call, and in each the thread looks into its queue.
        if mp.tick - mp.knock_tick < _CALLS and now() - mp.knock_time < LOST:
            return True
        mp.knock = None
        return False
    if not _has_room(mp):
        return False
    mp.knock_tick, mp.knock_time = mp.tick, now()
    mp.knock = KNOCKED  # nobody else takes it away
    del knock  # the last reference
    return True


def _has_room(mp: M) -> bool:
    """Tell whether a finaliser fits on the stack of `mp`, wherever it may be in a microsecond."""
    lock_sched()
    try:
        # An M that ends is taken out of `allm` under this lock, before its state goes.
        if mp not in sched.allm:
            return False
        return ctypes.c_int.from_address(mp.tstate + _room).value >= _ROOM
    finally:
        release(sched.lock)


def _in_callback() -> bool:
    """Tell whether the interpreter is in a callback on this thread: an audit hook, say.

    No event comes there, but a Knock may; who switches there, switches the others' events off.
    """
    return ctypes.c_int.from_address(current_tstate() + _tracing).value != 0


def _find() -> tuple[int, int]:
    """Find where a thread's state has the count of callbacks that it is in, and how many frames
    there is room for; -1 if that is unclear."""
    address = current_tstate()
    state = ctypes.c_void_p(address)
    numbers = (ctypes.c_int * 64).from_address(address)
    before = list(numbers)
    _api.PyThreadState_EnterTracing(state)
    after = list(numbers)
    _api.PyThreadState_LeaveTracing(state)
    tracing = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if b == a + 1]
    limit = sys.getrecursionlimit()  # it stands behind what is left of it
    room = [i for i in range(63) if before[i + 1] == limit and 0 < before[i] < limit]
    if len(tracing) != 1 or len(room) != 1:
        return -1, -1
    size = ctypes.sizeof(ctypes.c_int)
    return tracing[0] * size, room[0] * size


def watched() -> bool:
    """Tell whether others have their own functions called for what happens on this thread.

    Then all is left to events, which do not come inside of those.
    """
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return True
    get_tool = sys.monitoring.get_tool  # type: ignore[attr-defined]  # new in 3.12
    return any(get_tool(tool) not in (None, TOOL_NAME) for tool in range(6))


KNOCKED = Signal("KNOCKED")  # in M.knock: dropped, and not answered yet
LOST = 1.0  # seconds without an answer: it was lost, or the thread is off in C for long
_CALLS = 3  # decisions that it cannot make without having looked into its queue
_DECLINES = 4  # in a row, after which it is asked by events once
_ROOM = 300  # frames; it may have called so many before it is asked

_tracing, _room = -1, -1
if not GIL and sys.implementation.name == "cpython" and sys.version_info < (3, 14):
    _tracing, _room = _find()

KNOCKS = _tracing >= 0
"""Whether that has been tried on this Python."""

if KNOCKS:
    set_knock(lambda mp: Knock(mp.id))
