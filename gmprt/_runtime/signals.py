"""Signals: their handlers run in the main goroutine, never inside the runtime.

Python calls a handler between any two bytecodes of the main thread, whatever goroutine or runtime
code happens to be there. So while the runtime lives each handler stands behind `_wrapper`. That
calls it on the spot if main itself is in its own code; else it notes the signal, and main handles
it when it parks, yields or is parked (`proc._main_takes_signals`), or sysmon trips the signal again
until it finds main in its own code. `signal.getsignal` keeps showing the user's handler.

SIGTERM's default action ends the process, but lets the report of leaked goroutines be written
first, by sysmon (`report_before`): the wrapper stands before it, too, and so the main thread has to
come out of C code. A second SIGTERM waits for nothing. The child of a fork has the default action
back, from its first moment.

A signal that a `signal_context` watches goes to sysmon instead, which cancels the context, however
busy main is. Handlers can be installed by the main thread only: another thread leaves an errand
and sends it SIGURG, which is ignored otherwise, as Go does for its own purposes.

Invariants:
- `_wrapper` takes no lock and touches nothing shared but by atomic steps; it may be running on top
  of any code of the runtime.
- `_user` has what the program has set for each signal that the wrapper stands before.

Locks: `_watch_lock` (rank BOOT) for who watches which signal.
"""

from __future__ import annotations

import _thread
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from greenlet import getcurrent

from .attn import answer
from .clock import now
from .fault import to_stderr
from .g import ThreadG
from .giveway import ANSWERING
from .lock import ENTRANCES, PACKAGE_DIR
from .m import tls
from .note import Note
from .sched import sched

__all__ = [
    "dump_on",
    "end_reports",
    "forget_watched",
    "go_on_after_fork",
    "handle_signal",
    "hold_for_fork",
    "install_signals",
    "report_before",
    "unwatch_signals",
    "wait_for_end",
    "watch_signals",
]

_END_SECONDS = 60.0  # how long a report may keep main, and so the process, from ending

_user: dict[int, Any] = {}
_patched = False
_watch_lock = threading.RLock()
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
    if signal.SIGURG not in _user:
        _stand_before(signal.SIGURG)
    if not _patched:
        _patched = True
        signal.signal = _make_signal(_real_signal)
        signal.getsignal = _make_getsignal(_real_getsignal)


def _stand_before(signum: int) -> None:
    """Put the wrapper before a signal that has no Python handler. Runs on: the main thread."""
    handler = _real_getsignal(signum)
    if handler is not _wrapper and handler is not None:
        _user[signum] = handler
        _real_signal(signum, _wrapper)


def _step_aside(signum: int) -> None:
    """Undo that, unless the program has set a handler since. Runs on: the main thread."""
    handler = _user.get(signum)
    if signum in sched.watched or signum == signal.SIGURG or _is_fatal(signum):
        return
    if not callable(handler):
        _real_signal(signum, signal.SIG_DFL if handler is None else handler)
        _user.pop(signum, None)


# -- the end by a signal

_reports: dict[int, Callable[[], object]] = {}  # by signal
_ending: list[int] = []  # the signal that ends the process


def report_before(signum: int, report: Callable[[], object]) -> None:
    """Have `report()` called, by sysmon, before a signal's default action ends the process.

    Nothing where the signal has another handler, as long as it has, and in the child of a fork,
    which is for its parent to end (`hold_for_fork`). Runs on: the main thread.
    """
    if _forked:
        return
    _reports[signum] = report
    if _real_getsignal(signum) == signal.SIG_DFL:
        _stand_before(signum)


def _is_fatal(signum: int) -> bool:
    """Tell whether a signal is to end the process after a report."""
    return signum in _reports and _user.get(signum) == signal.SIG_DFL


class _Ender:
    """Ends the process by the signal that has come; in `sched.watched`."""

    claim: tuple[()] = ()

    def on_signal(self, signum: int) -> None:
        """Report, then end. Runs on: sysmon."""
        try:
            _reports[signum]()
        finally:
            os.kill(os.getpid(), signum)


def _end_by(signum: int, frame: FrameType | None) -> None:
    """End the process by a signal's default action, after the report that sysmon or the exit makes.

    The main goroutine does not go on from its own code; elsewhere it does until sysmon is done,
    since the runtime may hold its locks here.
    """
    _real_signal(signum, signal.SIG_DFL)
    _ending.append(signum)
    if sched.exiting:
        return
    sched.watched[signum] = {_Ender(): None}
    sched.signaled.append(signum)
    sched.sysmon_note.wake()
    if _in_mains_own_code(frame):
        wait_for_end()


def wait_for_end() -> None:
    """Let the process end if a signal has come that ends it; else return. Runs on: main thread."""
    if not _ending:
        return
    until = now() + _END_SECONDS
    while now() < until:
        if sched.m0 is not None:
            answer(sched.m0)  # the report asks this M, too
        time.sleep(0.002)
    os.kill(os.getpid(), _ending[0])


def end_reports() -> None:
    """At exit, after the report: a signal that has come, or comes, ends the process at once."""
    for signum in filter(_is_fatal, list(_reports)):
        _real_signal(signum, signal.SIG_DFL)
    _reports.clear()
    if _ending:
        os.kill(os.getpid(), _ending[0])


_forked = False
_masks = _thread._local()


def hold_for_fork() -> None:
    """Before a fork: hold signals that end the process after a report back, from this thread.

    One that is sent to the child would be lost there while the child has the parent's handlers:
    Python forgets what has come by then. A pool of processes ends its workers by SIGTERM.
    """
    fatal = [signum for signum in list(_reports) if _is_fatal(signum)]
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, fatal) if fatal else None


def go_on_after_fork(in_child: bool) -> None:
    """After a fork: let them come; in the child they end it as they would have without gmprt."""
    global _forked
    if in_child:
        _forked = True
        for signum in filter(_is_fatal, list(_reports)):
            _real_signal(signum, signal.SIG_DFL)
            _user.pop(signum, None)
        _reports.clear()
        _ending.clear()
    before = getattr(_masks, "before", None)
    _masks.before = None
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- who watches signals


class _Dumper:
    """Writes the stacks of all goroutines when its signal comes; in `sched.watched`."""

    claim: tuple[()] = ()  # it can wake nobody: no deadlock is hidden by it

    def __init__(self, dump: Callable[[], str]) -> None:
        self.dump = dump

    def on_signal(self, signum: int) -> None:
        """Write to stderr. Runs on: sysmon."""
        try:
            text = self.dump()
        except Exception as exc:  # a program's object that is broken: sysmon has more to do
            text = f"no dump: {type(exc).__qualname__}\n"
        to_stderr(f"{signal.Signals(signum).name}: quit\n\n{text}\n")


def dump_on(signum: int, dump: Callable[[], str]) -> None:
    """Have `dump()` written to stderr, by sysmon, whenever a signal comes; the program goes on.

    Instead of the program's own handler.
    """
    watch_signals((signum,), _Dumper(dump))


def watch_signals(signums: Iterable[int], node: Any) -> None:
    """Have `node.on_signal(signum)` called for each of these signals, instead of their handlers.

    Any thread. Raises: OSError for a signal that cannot be handled; RuntimeError if the main thread
    has not used gmprt yet and sits in a call.
    """
    with _watch_lock:
        done: list[int] = []
        try:
            for signum in signums:
                _on_main_thread(functools.partial(_stand_before, signum))
                sched.watched.setdefault(signum, {})[node] = None
                done.append(signum)
        except BaseException:
            unwatch_signals(done, node)
            raise


def unwatch_signals(signums: Iterable[int], node: Any) -> None:
    """Undo `watch_signals`; nothing for one that does not watch. Any thread."""
    with _watch_lock:
        for signum in signums:
            nodes = sched.watched.get(signum, {})
            if nodes.pop(node, node) is None and not nodes:
                del sched.watched[signum]
                _on_main_thread(functools.partial(_step_aside, signum))


def forget_watched() -> None:
    """In a forked child: what it inherited watches no more."""
    global _watch_lock
    _watch_lock = threading.RLock()
    watched = list(sched.watched)
    sched.watched.clear()
    for signum in watched:
        _step_aside(signum)


def _on_main_thread(errand: Callable[[], object]) -> None:
    """Run something on the main thread, wherever that is, and wait for it. Blocks: the thread."""
    main = threading.main_thread()
    if threading.get_ident() == main.ident:
        errand()
        return
    done = Note()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            errand()
        except BaseException as exc:  # raised again in the thread that has asked
            failure.append(exc)
        done.wake()

    if sched.m0 is None:  # no wrapper stands before SIGURG yet
        _ask_main_thread(run, done)
    else:
        sched.errands.append(run)
        while True:
            signal.pthread_kill(main.ident, signal.SIGURG)  # type: ignore[arg-type]  # it has started
            if done.sleep(0.5):
                break
            if sys.is_finalizing() or not main.is_alive():
                return
    if failure:
        raise failure[0]


def _ask_main_thread(run: Callable[[], object], done: Note) -> None:
    """Have the interpreter call `run` on the main thread, where gmprt has not been used yet.

    It does so at the next bytecode there, and cannot interrupt a call. Raises: RuntimeError if that
    takes more than `_ASK_SECONDS`.
    """
    import ctypes

    def call(_: object) -> int:
        run()
        return 0

    pending = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(call)
    _asked.append(pending)  # alive until it has been called, whenever that is
    ctypes.pythonapi.Py_AddPendingCall(pending, None)
    if not done.sleep(_ASK_SECONDS):
        raise RuntimeError(
            "signal_context: Python's signal handlers belong to the main thread, which is in a "
            "call and has not used gmprt yet; call gmprt.run there"
        )
    _asked.remove(pending)


_ASK_SECONDS = 5.0
_asked: list[object] = []


def _make_signal(real: Any) -> Any:
    @functools.wraps(real)
    def set_handler(signalnum: int, handler: Any) -> Any:
        if handler is _watched:  # who puts back what `getsignal` has shown
            handler = _user.get(int(signalnum), signal.SIG_DFL)
        kept = int(signalnum) in sched.watched or int(signalnum) == signal.SIGURG
        if int(signalnum) in _reports and handler == signal.SIG_DFL:
            kept = True
        if (callable(handler) and not isinstance(handler, signal.Handlers)) or (
            kept and handler in (signal.SIG_DFL, signal.SIG_IGN)
        ):
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
        if handler is not _wrapper:
            return handler
        return _watched if int(signalnum) in sched.watched else _user.get(int(signalnum))

    return get_handler


def _watched(signum: int, frame: FrameType | None) -> None:
    """What `signal.getsignal` shows while a `signal_context` has the signal. Does nothing."""


def handle_signal(signum: int) -> None:
    """Call the user's handler. Runs on: main."""
    _call_handler(signum, sys._getframe(1))


def _call_handler(signum: int, frame: FrameType | None) -> None:
    handler = _user.get(signum)
    if callable(handler):
        handler(signum, frame)


def _wrapper(signum: int, frame: FrameType | None) -> None:
    """Call the user's handler if main is in its own code, else leave the signal for main."""
    sched.trips += 1
    while sched.errands:
        try:
            sched.errands.popleft()()
        except IndexError:
            break
    if signum == signal.SIGURG and sched.retripped:
        sched.retripped = False
        _take_again(frame)
        return
    if signum in sched.watched:
        sched.signaled.append(signum)
        sched.sysmon_note.wake()
        return
    if _is_fatal(signum):
        _end_by(signum, frame)
        return
    if not callable(_user.get(signum)):
        return  # SIGURG for an errand, or one that was watched until just now
    m0 = sched.m0
    if m0 is None or _in_mains_own_code(frame):
        if m0 is not None and signum in m0.sigs:
            m0.sigs.remove(signum)
        _call_handler(signum, frame)
        return
    if signum not in m0.sigs:
        m0.sigs.append(signum)
    m0.due = 0
    m0.note.wake()
    if m0.callm is not None:
        m0.callm.note.wake()
    sched.sysmon_note.wake()


def _take_again(frame: FrameType | None) -> None:
    """Call the handlers of signals left for main, if it is in its own code now.

    sysmon has tripped SIGURG for that, not those signals themselves: the interpreter makes one call
    of two that come close together, and a new one would pass for that which main had already.
    """
    m0 = sched.m0
    while m0 is not None and m0.sigs and _in_mains_own_code(frame):
        _call_handler(m0.sigs.popleft(), frame)


def _in_mains_own_code(frame: FrameType | None) -> bool:
    """Tell whether the main thread was interrupted in the main goroutine, outside the runtime."""
    mp = getattr(tls, "m", None)
    g1 = sched.g1
    if mp is None or g1 is None:
        return True
    if mp.want == ANSWERING:
        return False  # what looks at main's code for giveway.py is no code of main's
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
