"""Signals that come while main is in the middle of the runtime."""

import os
import signal
import threading

import pytest

from gmprt import gosched
from gmprt._runtime.sched import sched
from gmprt._runtime.sysmon import _Sysmon
from tests.support import wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no such signals")


@pytest.fixture
def taken():
    """What the program's handler was called for."""
    signums = []
    before = signal.signal(signal.SIGUSR1, lambda signum, frame: signums.append(signum))
    gosched()  # main has come in
    yield signums
    signal.signal(signal.SIGUSR1, before)


def trip_three_times():
    """sysmon looks more often than main, in a call in C, comes to run handlers."""
    sysmon = _Sysmon()  # each second look of this one is for signals, where main computes
    thread = threading.Thread(target=lambda: [sysmon.trip_signals() for _ in range(6)])
    thread.start()
    thread.join()


def test_one_that_was_left_for_main_is_taken_once(taken):
    sched.m0.sigs.append(signal.SIGUSR1)
    trip_three_times()
    wait_until(lambda: taken, "it is taken")
    gosched()
    assert taken == [signal.SIGUSR1]
    assert not sched.m0.sigs


def test_nor_is_a_new_one_taken_for_one_that_was_tripped_again(taken):
    """Ctrl-C would be lost."""
    sched.m0.sigs.append(signal.SIGUSR1)
    trip_three_times()
    wait_until(lambda: taken, "it is taken")
    for n in range(2, 5):
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_until(lambda n=n: len(taken) == n, f"number {n} is taken")
