"""What sysmon makes of where a thread stands."""

import threading

import pytest

from gmprt import go
from gmprt._runtime import lock
from gmprt._runtime.m import M
from gmprt._runtime.sysmon import _in_runtime
from tests.support import wait_until

LONG = 30.0


def test_one_that_waits_for_a_lock_of_the_runtime_is_in_the_runtime():
    held = lock.make_lock(lock.Rank.CHAN)
    held.pop()
    g = go(lock.lock_slow, held)

    def look():
        try:
            wait_until(lambda: g.state == "running" and _in_runtime(g.m), "it waits for the lock")
        finally:
            lock.release(held)

    thread = threading.Thread(target=look)
    thread.start()
    g.join()
    thread.join()
    assert not _in_runtime(M(-1))  # its thread has not begun


@pytest.mark.parametrize("body", [lambda lock: lock.acquire(timeout=LONG), None], ids=["in", "is"])
def test_one_in_a_call_that_the_program_makes_is_not(body):
    """Nor if the call is all that the goroutine does: only the runtime's ground lies below it."""
    leave = threading.Lock()
    leave.acquire()
    g = go(leave.acquire, timeout=LONG) if body is None else go(body, leave)

    def look():
        wait_until(lambda: g.state == "running" and not _in_runtime(g.m), "it is in the call")
        leave.release()

    thread = threading.Thread(target=look)
    thread.start()
    assert g.result()
    thread.join()
