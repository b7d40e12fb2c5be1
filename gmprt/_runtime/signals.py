"""Signals: their handlers run in the main goroutine, never inside the runtime.

Python calls a handler between any two bytecodes of the main thread, whatever goroutine or runtime
code happens to be there. So while the runtime lives each handler stands behind `_wrapper`. That
calls it on the spot if main itself is in its own code; else it notes the signal, and main handles
it when it parks, yields or is parked (`proc._main_takes_signals`), or sysmon trips the signal again
until it finds main in its own code. `signal.getsignal` keeps showing the user's handler.

Invariants: `_wrapper` takes no lock and touches nothing shared but by atomic steps; it may be
running on top of any code of the runtime.
"""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from greenlet import getcurrent

from .g import ThreadG
from .lock import ENTRANCES, PACKAGE_DIR
from .m import tls
from .sched import sched

__all__ = ["handle_signal", "install_signals"]

_user: dict[int, Callable[[int, FrameType | None], Any]] = {}
_patched = False
_real_signal = signal.signal
_real_getsignal = signal.getsignal


def install_signals() -> None:
    """Put the wrapper before every handler there is, and before those to come.

    Runs on: the main thread.
    """
    global _patched
    for signum in signal.valid_signals():
        handler = _real_getsignal(signum)
        if not callable(handler) or handler is _wrapper:
            continue
        _user[int(signum)] = handler
        try:
            _real_signal(signum, _wrapper)
        except (OSError, ValueError, RuntimeError):
            del _user[int(signum)]  # not for Python to handle
    if not _patched:
        _patched = True
        signal.signal = _make_signal(_real_signal)
        signal.getsignal = _make_getsignal(_real_getsignal)


def _make_signal(real: Any) -> Any:
    @functools.wraps(real)
    def set_handler(signalnum: int, handler: Any) -> Any:
        if callable(handler) and not isinstance(handler, signal.Handlers):
            number = int(signalnum)
            before = _user.get(number)
            previous = real(signalnum, _wrapper)
            _user[number] = handler
        else:
            previous = real(signalnum, handler)
            before = _user.pop(int(signalnum), None)
        return before if previous is _wrapper else previous

    return set_handler


def _make_getsignal(real: Any) -> Any:
    @functools.wraps(real)
    def get_handler(signalnum: int) -> Any:
        handler = real(signalnum)
        return _user.get(int(signalnum)) if handler is _wrapper else handler

    return get_handler


def handle_signal(signum: int) -> None:
    """Call the user's handler. Runs on: main."""
    handler = _user.get(signum)
    if handler is not None:
        handler(signum, sys._getframe(1))


def _wrapper(signum: int, frame: FrameType | None) -> None:
    """Call the user's handler if main is in its own code, else leave the signal for main."""
    m0 = sched.m0
    if _is_retrip(signum) and (m0 is None or signum not in m0.sigs):
        return  # main has handled it meanwhile
    if m0 is None or _in_mains_own_code(frame):
        if m0 is not None and signum in m0.sigs:
            m0.sigs.remove(signum)
        handler = _user.get(signum)
        if handler is not None:
            handler(signum, frame)
        return
    if signum not in m0.sigs:
        m0.sigs.append(signum)
    m0.due = 0
    m0.note.wake()
    if m0.callm is not None:
        m0.callm.note.wake()
    sched.sysmon_note.wake()


def _is_retrip(signum: int) -> bool:
    """Tell whether sysmon, not the system, has tripped the signal."""
    try:
        sched.retrips.remove(signum)
    except ValueError:
        return False
    return True


def _in_mains_own_code(frame: FrameType | None) -> bool:
    """Tell whether the main thread was interrupted in the main goroutine, outside the runtime."""
    mp = getattr(tls, "m", None)
    g1 = sched.g1
    if mp is None or g1 is None:
        return True
    gp = mp.curg
    if isinstance(gp, ThreadG):
        # In an announced call in place: its code is main's own, and `incall` spans it exactly.
        if gp.caller is not g1 or not mp.incall:
            return False
        return _is_users(frame) or frame.f_code in ENTRANCES  # type: ignore[union-attr]
    if gp is not g1 or getattr(g1, "reason", None) is not None:
        return False
    return getattr(g1.stack, "greenlet", None) is getcurrent() and _is_users(frame)


def _is_users(frame: FrameType | None) -> bool:
    return frame is None or not frame.f_code.co_filename.startswith(PACKAGE_DIR)
