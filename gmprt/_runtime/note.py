"""Note: where a thread of the runtime sleeps, and how others wake it.

The wake-up protocol, cited by this name wherever it is used:

    sleeper                              waker
    1. announce (idle = True, by a       1. publish (append to a queue)
       step that is a full fence)        2. look (idle?)
    2. re-check every queue              3. wake
    3. sleep

Whichever of "announce" and "publish" comes second, its side sees the other: either the sleeper's
re-check finds the work, or the waker's look finds the sleeper. Both steps are atomic C calls on
locked objects, so each is a full fence without the GIL too.

A note is notified or not. `sleep` consumes exactly one notification; `wake` of a note that is
already notified is absorbed. A wake-up may come for a reason that is gone when the sleeper looks,
so every sleeper loops.

With the GIL a note is a raw lock: held = no wake-up pending, free = notified. Without it, where the
C library has what is needed, it is a semaphore of that. The interpreter's own lock would give up
its CPU forty times before it sleeps, and beside threads that compute get it back a time slice later
each time: a thread that sleeps for 5 ms came back after 60 (benchmarks/latency.py).
"""

import ctypes
import os
import sys
import time
from _thread import TIMEOUT_MAX, allocate_lock

__all__ = ["GIL", "Note"]

GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()


class Note:
    """A binary semaphore for one sleeping thread."""

    __slots__ = ("_acquire", "_release")

    def __init__(self) -> None:
        lock = allocate_lock()
        lock.acquire()
        self._acquire = lock.acquire
        self._release = lock.release

    def sleep(self, timeout: float | None = None) -> bool:
        """Sleep until woken, or for `timeout` seconds; True if woken.

        Blocks: the thread.
        """
        if timeout is None:
            return self._acquire()
        if timeout <= 0:
            return self._acquire(False)
        return self._acquire(True, timeout if timeout < TIMEOUT_MAX else -1)

    def wake(self) -> None:
        """Wake the sleeper, or let its next `sleep` return at once. Any thread, at any time.

        `release` of a free lock raises: then a notification is pending already, and the sleeper has
        yet to make its re-check, which will see what this waker has published.
        """
        try:
            self._release()
        except RuntimeError:
            pass


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _SemNote(Note):
    """The same by a POSIX semaphore, which counts to 1 at most.

    Its one token is in `_quiet` while it is not notified: who pops it posts; the sleeper puts it
    back before its re-check.
    """

    __slots__ = ("_address", "_memory", "_quiet", "_until")

    def __init__(self) -> None:
        self._memory = ctypes.create_string_buffer(64)  # a sem_t, with room
        self._address = ctypes.addressof(self._memory)
        self._until = _Timespec()
        self._quiet: list[None] = [None]
        _libc.sem_init(self._address, 0, 0)

    def sleep(self, timeout: float | None = None) -> bool:
        """Sleep until woken, or for `timeout` seconds; True if woken. Blocks: the thread."""
        if timeout is None or timeout >= TIMEOUT_MAX:
            while _blocking.sem_wait(self._address):
                pass  # interrupted: Python's signal handlers run at the jump, and may raise
        elif timeout <= 0:
            if _libc.sem_trywait(self._address):
                return False
        else:
            end = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + int(timeout * 1e9)
            until = self._until
            until.seconds, until.nanoseconds = divmod(end, 1_000_000_000)
            where = ctypes.addressof(until)
            while _blocking.sem_clockwait(self._address, time.CLOCK_MONOTONIC, where):
                if time.clock_gettime_ns(time.CLOCK_MONOTONIC) >= end:
                    return False
        self._quiet.append(None)
        return True

    def wake(self) -> None:
        """Wake the sleeper, or let its next `sleep` return at once. Any thread, at any time.

        Without the token a notification is pending, and the sleeper's re-check is yet to come.
        """
        try:
            self._quiet.pop()
        except IndexError:
            return
        _libc.sem_post(self._address)


_FUNCTIONS = {  # what a sem_t is given by is its address
    "sem_init": (ctypes.c_void_p, ctypes.c_int, ctypes.c_uint),
    "sem_wait": (ctypes.c_void_p,),
    "sem_clockwait": (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p),
    "sem_trywait": (ctypes.c_void_p,),
    "sem_post": (ctypes.c_void_p,),
}


def _load(library: ctypes.CDLL) -> bool:
    """Declare the functions of the C library; False if it has not all of them."""
    for name, types in _FUNCTIONS.items():
        function = getattr(library, name, None)
        if function is None:
            return False
        function.argtypes = types
    return True


if os.name == "posix" and not GIL:
    _libc = ctypes.PyDLL(None)
    _blocking = ctypes.CDLL(None)  # the thread counts as detached meanwhile: it can be stopped
    if _load(_libc) and _load(_blocking):
        Note = _SemNote  # type: ignore[misc]
