"""Asking by local events of `sys.monitoring`, from Python 3.12; or by a Knock, where there is one.

Events are set for the code on top of the thread just then. Each thread that runs this code calls
back; only the one that has been asked gives way.

Invariants:
- What is armed is disarmed by the callback before it switches, or by sysmon at a later look, but
  for what others have been asked at, and who sleeps there.
- A tool of somebody else is never replaced.

Locks: that of stops.py, over each change of events.
"""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

from .clock import now
from .fault import to_stderr
from .giveway import Preempter, give_way
from .knock import KNOCKS, TOOL_NAME, Knock, knock_at, watched
from .lock import snapshot
from .m import M, tls
from .sched import GIL, sched
from .stops import events_are_locked, lock_events, own_code, unlock_events

__all__ = ["Monitoring"]


class Monitoring(Preempter):
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
        code = own_code(mp)
        if code is None:
            return False
        lock_events()
        try:
            if code not in self.armed:
                self._set(code, self.events)
            self.armed.setdefault(code, {})[mp] = (mp.want, now(), burnt)
        finally:
            unlock_events()
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
        lock_events()
        try:
            ms = self.armed.get(code)
            if ms is not None and ms.pop(mp, None) is not None and not ms:
                del self.armed[code]
                self._set(code, 0)
        finally:
            unlock_events()

    def _set(self, code: CodeType, events: int) -> None:
        """Set the events of a code, but not while the interpreter ends. Caller holds: the lock."""
        if not sched.preemptoff:
            sys.monitoring.set_local_events(self.tool, code, events)  # type: ignore[attr-defined]

    def _have_tool(self) -> bool:
        """Take a tool id, once; False, and said once, if all are taken."""
        if self.tool >= 0:
            return True
        lock_events()
        try:
            if sched.preemptoff:
                return False
            if self._take_tool():
                return True
        finally:
            unlock_events()
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
        give_way(sys._getframe(1))

    def _clean(self, code: CodeType) -> None:
        """Undo what was left behind, by the parent of a fork perhaps; now and then only.

        Each change stops all threads without the GIL. If those that run the same code did so at
        each jump, until it has taken effect, no thread would come back from a sleep meanwhile: it
        is stopped again before it has started, sysmon among them.
        """
        moment = now()
        if moment < self.clean_after or events_are_locked():
            return
        self.clean_after = moment + _CLEAN_EVERY
        lock_events()
        try:
            if code not in self.armed:
                # Where they count as off already, off alone does nothing.
                self._set(code, self.events)
                self._set(code, 0)
        finally:
            unlock_events()


_CLEAN_EVERY = 0.1  # seconds
_PATIENCE = 0.0 if GIL else 0.010  # without the GIL asking stops all threads, so not at each look
