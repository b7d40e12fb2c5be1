"""What sysmon makes of where a thread stands."""

import threading
from types import SimpleNamespace

import pytest

from gmprt import go
from gmprt._runtime import lock
from gmprt._runtime.sysmon import _in_runtime
from tests.support import wait_until

LONG = 30.0


def test_one_that_waits_for_a_lock_of_the_runtime_is_in_the_runtime():
    held = lock.make_lock(lock.Rank.CHAN)
    held.pop()
    thread = threading.Thread(target=lock.lock_slow, args=(held,))
    thread.start()
    wait_until(lambda: _in_runtime(SimpleNamespace(ident=thread.ident)), "it waits for the lock")
    lock.release(held)
    thread.join()
    assert not _in_runtime(SimpleNamespace(ident=thread.ident))  # there is no such thread


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
