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

State is the one raw lock: held = no wake-up pending, free = NOTIFIED. `sleep` consumes exactly one
notification; `wake` of a note that is already notified is absorbed. A wake-up may come
for a reason that is gone when the sleeper looks, so every sleeper loops.
"""

from _thread import TIMEOUT_MAX, allocate_lock

__all__ = ["Note"]


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
