"""Two or three threads stepped line by line, through every schedule with a few preemptions.

Each thread stops before each line of the files that are watched, and one alone goes on. A schedule
is the list of who does. All are tried in which a thread that could go on is interrupted at most
`preemptions` times: most races need one or two. What would block a thread has to be a `StepNote`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

__all__ = ["StepNote", "interleave"]


class _Ended(BaseException):
    """Raised in the threads of a schedule that has failed."""


class _Thread:
    """One of the threads: it runs from one stop to the next when its gate is opened."""

    def __init__(self, run: _Run, fn: Callable[[], object]) -> None:
        self.run = run
        self.fn = fn
        self.gate = threading.Semaphore(0)
        self.note: StepNote | None = None  # what it sleeps on
        self.done = False
        self.where = "start"
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._main)

    def can_run(self) -> bool:
        return not self.done and (self.note is None or self.note.notified)

    def stop(self) -> None:
        """Let the others go on, until this one is chosen. Runs on: own thread."""
        if self.run.failed:
            raise _Ended
        self.run.stopped.release()
        self.gate.acquire()
        if self.run.failed:
            raise _Ended

    def _main(self) -> None:
        _current.thread = self
        self.gate.acquire()
        try:
            if not self.run.failed:
                sys.settrace(self._trace)
                self.fn()
        except BaseException as exc:  # the caller of `interleave` gets it
            self.error = exc
        finally:
            sys.settrace(None)
            self.done = True
            self.run.stopped.release()

    def _trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if self.run.failed or frame.f_code.co_filename not in self.run.files:
            return None  # one that has failed cleans up, and meets nobody
        if event == "line":
            self.where = f"{frame.f_code.co_name}:{frame.f_lineno}"
            self.stop()
        return self._trace


class _Current(threading.local):
    thread: _Thread


_current = _Current()


class StepNote:
    """Stands for a Note: a thread that sleeps here is not chosen. Time never passes."""

    def __init__(self) -> None:
        self.notified = False

    def sleep(self, timeout: float | None = None) -> bool:
        thread = _current.thread
        if not self.notified:
            thread.note = self
            thread.stop()
            thread.note = None
        self.notified = False
        return True

    def wake(self) -> None:
        self.notified = True


class _Run:
    """One schedule, carried out."""

    def __init__(self, fns: Iterable[Callable[[], object]], files: set[str]) -> None:
        self.files = files
        self.stopped = threading.Semaphore(0)
        self.failed = False
        self.threads = [_Thread(self, fn) for fn in fns]
        self.path: list[str] = []

    def carry_out(self, prefix: list[int]) -> Iterator[tuple[int, int, list[int]]]:
        """Follow `prefix`, then switch only where one has to; yields who was chosen of whom.

        Each is (chosen, the one before, all who could run).
        """
        before = 0
        for thread in self.threads:
            thread.thread.start()
        try:
            while not all(thread.done for thread in self.threads):
                able = [i for i, thread in enumerate(self.threads) if thread.can_run()]
                if not able:
                    raise AssertionError("all sleep: a wake-up is lost")
                chosen = before if before in able else able[0]
                if prefix:
                    chosen = prefix.pop(0)
                thread = self.threads[chosen]
                self.path.append(f"{chosen} {thread.where}")
                yield chosen, before, able
                thread.gate.release()
                self.stopped.acquire()
                if thread.error is not None:
                    raise thread.error
                before = chosen
        except BaseException as exc:
            exc.add_note("schedule: " + ", ".join(self.path))
            raise
        finally:
            self.failed = True
            for thread in self.threads:
                thread.gate.release()
                thread.thread.join()


def interleave(
    make: Callable[[], tuple[list[Callable[[], object]], Callable[[], object]]],
    files: Iterable[str],
    preemptions: int = 2,
) -> int:
    """Try the schedules; returns how many there were.

    `make` sets up anew for each: what the threads are to call, and a check for the end.
    Raises: what a thread or the check raises; AssertionError if all sleep. With the schedule.
    """
    watched = set(files)
    todo: list[tuple[list[int], int]] = [([], 0)]
    count = 0
    while todo:
        prefix, used = todo.pop()
        fns, check = make()
        choices: list[int] = []
        run = _Run(fns, watched)
        for chosen, before, able in run.carry_out(list(prefix)):
            if len(choices) >= len(prefix):
                cost = used + (before in able)
                if cost <= preemptions:
                    todo += [([*choices, i], cost) for i in able if i != chosen]
            choices.append(chosen)
        check()
        count += 1
    return count
