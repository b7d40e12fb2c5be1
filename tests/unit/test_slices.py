"""Short time slices of the runtime's threads, without the GIL: theirs alone."""

import ctypes
import os
import platform
import struct
import subprocess
import sys
import threading

import pytest

import gmprt
from tests.support import GIL

_SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}  # the number of the system call
_SIZE = 56

pytestmark = pytest.mark.skipif(GIL, reason="with the GIL nobody has them")

ASKS = """
import tests.unit.test_slices as t
print(t.time_slice())
"""


def time_slice():
    """Return the calling thread's own slice in ns; 0 where Linux tells none."""
    number = _SCHED_GETATTR.get(platform.machine())
    buffer = ctypes.create_string_buffer(_SIZE)
    if number is None or ctypes.CDLL(None).syscall(number, 0, buffer, _SIZE, 0) != 0:
        pytest.skip("the system does not say")
    return struct.unpack("=IIQiIQQQ", buffer.raw[:48])[5]


def in_thread(fn):
    found = []
    thread = threading.Thread(target=lambda: found.append(fn()))
    thread.start()
    gmprt.syscall(thread.join)
    return found[0]


def test_theirs_are_short_and_nobody_inherits_them():
    usual = in_thread(time_slice)
    if usual == 0 or os.getpriority(os.PRIO_PROCESS, 0) < 0:
        pytest.skip("this system's threads have no slices of their own")

    def on_a_thread_of_the_runtime():
        gmprt.lock_os_thread()
        here = time_slice()
        there = in_thread(time_slice)
        child = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True)
        return here, there, int(child.stdout)

    short, threads, childs = gmprt.go(on_a_thread_of_the_runtime).result()
    assert short < usual
    assert (threads, childs) == (usual, usual)
