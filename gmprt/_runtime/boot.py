"""Start, attach, fork, exit: what the runtime does to the process.

Importing gmprt does nothing. The first `go` (or `run`, or any wait) starts the runtime: the
settings are read, the Ps are made, sysmon starts. The main thread comes in as M0 the first time it
calls in, any other thread as a foreign one.

Invariants: everything here runs once a process (once more in a forked child), under `_boot_lock`.
Locks: `_boot_lock` (rank BOOT, the outermost; reentrant, since a finaliser may call in).
"""

from __future__ import annotations

import _thread
import atexit
import gc
import os
import signal
import sys
import threading
import time
import traceback
from importlib import import_module
from typing import Any

from greenlet import getcurrent

from .attn import ask_m, reset_attn, set_signal_handler
from .clock import now
from .cpus import default_procs, positive
from .debug import all_living, dump, schedtrace_lines
from .exitcode import end_with_leak_status, watch_exit
from .failures import report_all
from .fault import set_dumper, to_stderr
from .g import G
from .handoff import acquirep, passp, unwire, wakep, wire
from .idle import GATE_SECONDS, set_describe_all
from .lock import release, set_lockrank
from .m import M, foreign_m, tls
from .newg import getm, set_attach
from .p import P
from .park import init_g0, start_maker
from .proc import set_fork_child_end
from .rand import seed
from .sched import lock_sched, open_exit_gate, policy, sched
from .signals import (
    dump_on,
    end_reports,
    forget_watched,
    go_on_after_fork,
    handle_signal,
    hold_for_fork,
    install_signals,
    report_before,
    wait_for_end,
)
from .stack import RootStack
from .stops import collecting, hold_stops, release_stops, stop_preempting
from .sysmon import end_sysmon, set_trace, start_sysmon

__all__ = ["gomaxprocs"]

_boot_lock = threading.RLock()
_hooked = False


# -- start


def _settings() -> dict[str, str]:
    """Parse GMPRT_DEBUG=key=value,... as Go does GODEBUG; what is not understood is ignored.

    A key alone is 1.
    """
    settings = {}
    for item in os.environ.get("GMPRT_DEBUG", "").split(","):
        key, equals, value = item.partition("=")
        if key.strip():
            settings[key.strip()] = value.strip() if equals else "1"
    return settings


def _int(settings: dict[str, str], key: str) -> int:
    try:
        return int(settings.get(key, "0"))
    except ValueError:
        return 0


def _start() -> None:
    """Start the runtime. Caller holds: the boot lock. Raises: ValueError for a bad setting."""
    procs = default_procs()
    limit = os.environ.get("GMPRT_MAXTHREADS", "")
    if limit:
        sched.maxthreads = positive("GMPRT_MAXTHREADS", limit)
    settings = _settings()
    if "randsched" in settings:
        seed(_int(settings, "randsched"))
    if settings.get("lockrank") == "1":
        set_lockrank(True)
    sched.preemptoff = settings.get("asyncpreemptoff") == "1"
    lock_sched()
    _resize(procs)
    if policy.wake_on_go:
        sched.wakeful = sched.pidle
    release(sched.lock)
    _hook_process()
    period = _int(settings, "schedtrace")
    if period > 0:
        set_trace(_Trace(period / 1000, settings.get("scheddetail") == "1"))
    sched.started = True
    start_sysmon()


class _Trace:
    """Writes the schedtrace line at its period; called by sysmon."""

    def __init__(self, period: float, detail: bool) -> None:
        self.period = period
        self.detail = detail
        self.first = self.due = now()

    def __call__(self) -> float | None:
        left = self.due - now()
        if left > 0:
            return left
        elapsed = int((now() - self.first) * 1000)
        to_stderr(schedtrace_lines(elapsed, self.detail))
        self.due = now() + self.period
        return self.period


def _hook_process() -> None:
    """Register what has to be told of fork, exit and collection; once a process."""
    global _hooked
    if _hooked:
        return
    _hooked = True
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_before_fork,
            after_in_parent=_after_fork_in_parent,
            after_in_child=_after_fork,
        )
    atexit.register(_exit_hook)
    gc.callbacks.append(_on_gc)


def _on_gc(phase: str, info: dict[str, int]) -> None:
    """Mark the M on whose thread the collector runs finalisers: nobody may park there."""
    mp = getattr(tls, "m", None)
    if mp is not None:
        mp.ingc = phase == "start"
        if mp.ingc:
            mp.due = 0
    if phase == "start":
        collecting.add(_thread.get_ident())
    else:
        collecting.discard(_thread.get_ident())


# -- the number of Ps


def _resize(n: int) -> None:
    """Set the number of Ps; held ones stay held. Caller holds: sched.lock."""
    allp = sched.allp
    while len(allp) < n:
        pp = P(len(allp))
        allp.append(pp)
        sched.pidle.append(pp)
    moment = now()
    sched.p_seconds = sched.p_seconds_until(moment)
    sched.procs_since = moment
    sched.procs = n
    for pp in allp:
        if pp.id >= n and not pp.retired:
            pp.retired = True
            if pp.m is None:
                sched.pidle.remove(pp)
                passp(pp)
        elif pp.id < n and pp.retired:
            pp.retired = False
            if pp.m is None:
                sched.pidle.append(pp)


def gomaxprocs(n: int | None = None) -> int:
    """Return the number of Ps; `n >= 1` changes it, also while goroutines run, and returns the
    former.

    A P too many is taken from its M at once; the M goes on with its user code and queues for
    another P at its next scheduling point; the caller's takes an idle one at once, if there is one.
    Blocks: no. Raises: ValueError for n < 1; TypeError for no int. Go: GOMAXPROCS.
    """
    if n is not None:
        if isinstance(n, bool) or not isinstance(n, int):
            raise TypeError(f"gomaxprocs: an int, not {n!r}")
        if n < 1:
            raise ValueError(f"gomaxprocs: at least 1, not {n}")
    own = getm()
    if n is None:
        return sched.procs
    wake = []
    lock_sched()
    before = sched.procs
    _resize(n)
    for pp in sched.allp[n:]:
        holder = pp.m
        if holder is not None:
            unwire(pp, holder)
            passp(pp)
    if sched.pidle and own.p is None and not own.foreign and not own.incall:
        wire(sched.pidle.pop(), own)
    while sched.pwait and sched.pidle:
        mp = sched.pwait.popleft()
        wire(sched.pidle.pop(), mp)
        wake.append(mp)
    release(sched.lock)
    for mp in wake:
        mp.note.wake()
    if sched.pidle and sched.takeable():
        wakep()
    sched.sysmon_note.wake()
    return before


# -- threads


def _attach() -> M:
    """Bring the calling thread in. Raises: ValueError if a setting is wrong."""
    with _boot_lock:
        known: M | None = getattr(tls, "m", None)
        if known is not None:
            return known  # made by a finaliser, a moment ago
        if not sched.started:
            _start()
        if sched.m0 is None and _thread.get_ident() == threading.main_thread().ident:
            return _attach_main()
        mp = foreign_m(None, 0)
        mp.bind_thread()
        tls.m = mp
        return mp


def _attach_main() -> M:
    """Make the main thread M0, and what runs on it goroutine 1."""
    mp = M(0)
    mp.bind_thread()
    root = getcurrent()
    mp.root = root
    g1: G[Any] = G()
    g1.id = 1
    g1.name = "main"
    g1.fn = _mains_function
    g1.args = ()
    g1.kwargs = None
    g1.ctx = None
    g1.code = None
    g1.lasti = 0
    g1.parent = 0
    g1.m = mp
    stack = RootStack(mp, root)
    stack.g = g1
    g1.stack = stack  # type: ignore[assignment]  # has what is asked of a Stack
    g1.joinq = []
    g1.attn = None
    init_g0(mp)
    mp.curg = g1
    mp.has_main = True

    mp.maker = start_maker(mp, root)
    lock_sched()
    sched.allm.append(mp)
    release(sched.lock)
    sched.g1 = g1
    sched.m0 = mp
    tls.m = mp
    install_signals()
    if _settings().get("dumponsigquit") == "1":
        dump_on(signal.SIGQUIT, dump)
    mode = os.environ.get("GMPRT_LEAKS")
    if mode == "error":
        watch_exit()
    if mode != "off":
        report_before(signal.SIGTERM, _report_leaks)
    acquirep(mp)
    return mp


def _mains_function() -> None:
    """Stands for main's function, which nobody gave."""


# -- exit and fork


def _exit_hook() -> None:
    """At exit: report lost exceptions, then the goroutines that are still alive."""
    wait_for_end()
    report_all()
    mode = os.environ.get("GMPRT_LEAKS", "") or "warn"
    if mode not in ("off", "warn", "error"):
        to_stderr(f"gmprt: GMPRT_LEAKS must be off, warn or error, not {mode!r}\n")
    sched.exiting = True
    stop_preempting()
    leaks = mode != "off" and _report_leaks()
    _let_settle()
    end_reports()
    end_sysmon()
    if isinstance(getattr(sys, "last_value", None), KeyboardInterrupt):
        # That the program was ended by Ctrl-C is forgotten when source text is run after it
        # (named tuples are made so), and the process would end with 1: here it is said again.
        try:
            exec("raise KeyboardInterrupt")
        except KeyboardInterrupt:
            pass
    if leaks and mode == "error":
        end_with_leak_status()


def _let_settle() -> None:
    """Have the Ms asleep when the interpreter ends: the idle ones, and at a gate those that run
    goroutines and come to a scheduling point in time.

    It ends a thread that it finds running for good, wherever that is: with the GIL on a goroutine's
    stack, which may crash 3.11; without it while that stops all threads, as a collection does, and
    its own next collection waits for that one. Hooks that come after this may still need the
    goroutines: the gate is opened when main waits for one, or schedules, and after two seconds.
    """
    own = getattr(tls, "m", None)
    gate = _thread.allocate_lock()
    gate.acquire()
    sched.exit_until = now() + GATE_SECONDS
    sched.wakeful = sched.pidle  # a later hook's `go` opens the gate: `handoff._needed_at_exit`
    sched.exit_gate = gate  # publish, then look who is idle: see `idle._sleep`

    def wait_at_the_gate(mp: M) -> None:
        if sched.exit_gate is gate:
            mp.settled = True
            if not gate.acquire(True, GATE_SECONDS):
                open_exit_gate()
            else:
                try:
                    gate.release()
                except RuntimeError:
                    pass  # opened by two at once
            mp.settled = False

    def busy() -> list[M]:
        ms = [mp for mp in list(sched.allm) if mp is not own]
        return [mp for mp in ms if not (mp.settled or mp.incall)]

    woken: set[M] = set()
    asked: set[M] = set()
    looks = 0
    until = now() + _SETTLE_SECONDS
    while (left := busy()) and now() < until:
        for mp in left:
            if mp.idle:
                if mp not in woken:
                    woken.add(mp)
                    mp.note.wake()  # to sleep again, for longer
            elif mp not in asked and (mp not in woken or looks >= _WOKEN_LOOKS):
                asked.add(mp)
                ask_m(mp, wait_at_the_gate)
            mp.due = 0  # in case its own store has overtaken the request
        looks += 1
        time.sleep(0.001)  # nobody tells when an M has gone to sleep
    if woken or asked:
        time.sleep(0.001)  # the last one has said that it will sleep, and has yet to do so


_SETTLE_SECONDS = 0.1
_WOKEN_LOOKS = 10  # until then one that was woken is on its way back to sleep, or has found work


def _report_leaks() -> bool:
    """Tell of leaked goroutines, if there are any: returns whether. Runs on: any thread.

    That this fails must not change how the program ends.
    """
    leaked = _leaked()
    file = os.environ.get("GMPRT_LEAKS_FILE", "")
    if leaked or file:
        try:
            # By name, since it is built upon this: and nobody pays for it before it is needed.
            import_module("gmprt.leaks.ending").report(leaked, file)
        except Exception:
            to_stderr(f"gmprt: no report of leaked goroutines\n{traceback.format_exc()}")
    return bool(leaked)


def _leaked() -> list[G[Any]]:
    """List the living goroutines that are neither main, nor the caller, nor daemons.

    Those that run, or would at once, get a moment: they may be about to end. Not those that would
    run on the caller's own thread.
    """
    own = getattr(tls, "m", None)
    here = getattr(own, "curg", None)

    def may_end(gp: G[Any]) -> bool:
        state = gp.state
        if state == "runnable":
            return gp.stack is None or gp.m is not own
        return state in ("running", "dead")

    for wait in (0.001, 0.005, 0.02, 0.05, 0.0):
        gs = all_living()
        leaked = [gp for gp in gs if gp is not sched.g1 and gp is not here and not gp.daemon]
        if not any(map(may_end, leaked)):
            break
        time.sleep(wait)  # their own threads run meanwhile
    return [gp for gp in leaked if gp.joinq is not None]


def _before_fork() -> None:
    hold_for_fork()
    hold_stops()


def _after_fork_in_parent() -> None:
    release_stops(False)
    go_on_after_fork(False)


def _after_fork() -> None:
    """In the child of a fork: begin with an empty runtime; nothing inherited ever runs.

    What the parent's goroutines hold is kept referenced, so that no `finally` block runs here.
    """
    global _boot_lock
    mp = getattr(tls, "m", None)
    kept = dict(sched.__dict__)
    _keep_for_good((kept, mp))
    forget_watched()
    for other in kept["allm"]:
        other.forked = True
        other.due = 0
        other.p = None
    if mp is not None:
        mp.sigs.clear()
        del tls.m
    sched.reset()
    sched.ghosts = _thread._count()
    reset_attn()
    release_stops(True)
    set_trace(None)
    _boot_lock = threading.RLock()
    go_on_after_fork(True)


def _keep_for_good(thing: object) -> None:
    """Take a reference that even the end of the interpreter does not drop."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _fork_child_end() -> None:
    """The goroutine that forked has returned in the child, where its scheduler does not exist."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)


def _describe_deadlock() -> str:
    """Describe all goroutines, and before that the ring in which they wait, if there is one."""
    try:
        ring = import_module("gmprt.leaks.holders").ring_in_words()
    except Exception:  # whatever the program's objects do when they are described: main is told
        ring = ""
    return f"{ring}\n{dump(all_asleep=True)}"


set_attach(_attach)
set_fork_child_end(_fork_child_end)
set_signal_handler(handle_signal)
set_describe_all(_describe_deadlock)
set_dumper(dump)
