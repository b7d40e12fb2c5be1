"""Halting the world for a moment, so that what goroutines hold can be read.

With the GIL nothing else runs while the reader keeps it: the switch interval is raised meanwhile,
and had it lost the GIL all the same, its thread would have slept, which the system counts.
Without it each M is asked to stop at a scheduling point, where it waits at a gate. What does not
come (it runs on, or sits in C code) is not looked into, and if any thread but those at the gate has
run meanwhile, as its count of context switches tells, `still` says so.

Go: stopTheWorld, which can make all come.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any

from .attn import answer, ask_ms
from .frames import current_frames
from .g import G
from .m import M, tls
from .note import Note
from .sched import GIL, sched

resource: ModuleType | None
try:
    resource = import_module("resource")
except ImportError:  # not POSIX
    resource = None

__all__ = ["Halted", "own_sleeps"]

INTERVAL = 0.1  # switch interval at the beginning, with the GIL: the longest wait for it
KEPT = 10.0  # and then, so that those that wait for the GIL do not take it in the middle

_TURN = 0.005  # seconds between two looks whether another, whose turn it is, asks this M

_one_at_a_time = threading.Lock()


class Halted:
    """The world, halted for the length of a `with` block. Blocks: the thread, briefly.

    `all_asleep`: the caller knows that no goroutine runs, and asks no M to stop: it would have to
    wake up for that. Without the GIL only this thread's own goroutines are looked into then: an M
    that goes to sleep just now still moves.
    """

    def __init__(self, all_asleep: bool = False) -> None:
        self._all_asleep = all_asleep and not GIL
        self._frames: dict[int, FrameType] = {}
        self._interval = 0.0
        self._gate = _thread.allocate_lock()
        self._stopped: dict[M, None] = {}
        self._open = False
        self._before: dict[int, str | None] = {}
        self._own_before: tuple[int, int] | None = None
        self._own = getattr(tls, "m", None)

    def __enter__(self) -> Halted:
        if self._all_asleep:
            return self
        while not _one_at_a_time.acquire(timeout=_TURN):
            if self._own is not None:
                answer(self._own)  # the one whose turn it is asks this M, too
        try:
            sched.halting = True
            if GIL:
                self._interval = sys.getswitchinterval()
                sys.setswitchinterval(INTERVAL)
                time.sleep(0)  # a fresh turn with the GIL
                sys.setswitchinterval(KEPT)
            else:
                self._stop_ms()
            self._frames = current_frames()
            self._own_before = own_sleeps()
        except BaseException:
            self._go_on()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._all_asleep:
            self._go_on()

    def _go_on(self) -> None:
        self._frames = {}
        if GIL:
            if self._interval:
                sys.setswitchinterval(self._interval)
        else:
            self._open = True
            if self._gate.locked():
                self._gate.release()
        sched.halting = False
        _one_at_a_time.release()

    def _stop_ms(self) -> None:
        """Ask each M to come to the gate; wait for those that come in time."""
        others = [mp for mp in list(sched.allm) if mp is not self._own]
        came = Note()
        self._gate.acquire()

        def wait_at_the_gate(mp: M) -> None:
            if self._open:
                return
            self._stopped[mp] = None
            came.wake()
            with self._gate:
                pass

        ask_ms(others, wait_at_the_gate, came, lambda: len(self._stopped) == len(others))
        self._before = self._switches()

    def _switches(self) -> dict[int, str | None]:
        """Tell of each thread that is not at the gate whether it sleeps, and how often it has."""
        known = {mp.tid for mp in self._stopped}
        known.update((_thread.get_native_id(), sched.sysmon_tid))
        try:
            tids = [int(tid) for tid in os.listdir("/proc/self/task")]
        except OSError:
            return {0: None}
        return {tid: _sleeps(tid) for tid in tids if tid not in known}

    def still(self) -> bool:
        """Tell whether nothing has run since the beginning, as far as it matters: no other thread,
        and no signal handler on this one. False if that cannot be told for certain."""
        own = own_sleeps()
        if GIL:
            return own is not None and own == self._own_before
        after = self._switches()
        if own is None or self._own_before is None or own[1] != self._own_before[1]:
            return False
        return after == self._before and None not in after.values()

    def frame_of(self, gp: G[Any]) -> FrameType | None:
        """Return the innermost frame of a goroutine that waits; None if it cannot be seen."""
        mp = gp.m
        if not GIL and mp is not self._own and mp not in self._stopped:
            return None
        if mp.curg is gp:  # its M idles on its stack
            return None if mp is self._own else self._frames.get(mp.ident)
        return getattr(getattr(gp.stack, "greenlet", gp.stack), "gr_frame", None)

    def context_is_saved(self, gp: G[Any]) -> bool:
        """Tell whether its stack, too, refers to its context."""
        if gp.m.curg is gp:
            return False
        return getattr(gp.stack, "gr_context", None) is gp.ctx


def own_sleeps() -> tuple[int, int] | None:
    """Return how often this thread has slept, and a signal handler has been called; None if that
    is not known here."""
    if resource is None:
        return None
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw, sched.trips


def _sleeps(tid: int) -> str | None:
    """Return how often a thread that sleeps has been switched; None for one that runs."""
    try:
        with open(f"/proc/self/task/{tid}/status", encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    if fields.get("State", "R").split()[0] not in ("S", "D", "I"):
        return None
    return fields.get("voluntary_ctxt_switches", "") + fields.get("nonvoluntary_ctxt_switches", "")
