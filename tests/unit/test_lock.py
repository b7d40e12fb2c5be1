"""Locks: the documented order is the coded one, and nobody hangs on a lock of its own thread."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gmprt._runtime import lock

DESIGN = Path(__file__).parents[2] / "docs" / "design.md"


def test_the_documented_ranks_are_the_coded_ones_in_order():
    section = DESIGN.read_text(encoding="utf-8").partition("## Locks")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z]+) \|", section, re.M)
    assert rows == [rank.name for rank in sorted(lock.Rank)]


def test_a_lock_taken_out_of_order_ends_the_process():
    source = """
from gmprt._runtime.lock import Rank, make_lock, set_lockrank
set_lockrank(True)
inner, outer = make_lock(Rank.SCHED), make_lock(Rank.CHAN)
outer.acquire(); inner.acquire(); inner.release(); outer.release()
print("in order")
inner.acquire(); outer.acquire()
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.returncode) == ("in order\n", 2)
    assert done.stderr.startswith("fatal error: lock order: CHAN wanted under SCHED")


def test_a_lock_held_below_user_code_on_the_same_thread_is_an_error(monkeypatch):
    """What a finaliser meets that interrupts the runtime: here a channel operation."""
    monkeypatch.setattr(lock, "_SLICE", 0.001)
    from gmprt import Chan

    ch = Chan(1)
    ch.lock.acquire()

    class Interrupting:
        """Stands for user code that runs in the middle of `_settle`."""

        def acquire(self, blocking=True, timeout=-1):
            ch.recv_nowait()

    class Broken(Chan):
        __slots__ = ()

    broken = Broken(1)
    broken.lock = Interrupting()
    with pytest.raises(RuntimeError, match="finaliser or signal handler"):
        broken._settle()
    ch.lock.release()
    ch.send_nowait(1)
    assert ch.recv_nowait() == 1


def test_a_lock_held_by_another_is_waited_for(monkeypatch):
    monkeypatch.setattr(lock, "_SLICE", 0.001)
    import threading

    held = lock.make_lock(lock.Rank.CHAN)
    held.acquire()
    threading.Timer(0.1, held.release).start()
    lock.lock_slow(held)
    assert held.locked()
    held.release()
