"""Locks: the documented order is the coded one, and nobody hangs on a lock of its own thread."""

import re
import subprocess
import sys
import threading
import time
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
from gmprt._runtime.lock import Rank, make_lock, release, set_lockrank
set_lockrank(True)
inner, outer = make_lock(Rank.SCHED), make_lock(Rank.CHAN)
outer.pop(); inner.pop(); release(inner); release(outer)
print("in order")
inner.pop(); outer.pop()
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
    ch.lock.pop()

    class Interrupting(list):
        """Stands for user code that runs in the middle of `_settle`."""

        def pop(self):
            ch.recv_nowait()

    class Broken(Chan):
        __slots__ = ()

    broken = Broken(1)
    broken.lock = Interrupting()
    with pytest.raises(RuntimeError, match="finaliser or signal handler"):
        broken._settle()
    lock.release(ch.lock)
    ch.send_nowait(1)
    assert ch.recv_nowait() == 1


def test_a_lock_held_by_another_is_waited_for(monkeypatch):
    """Without its wake-up the waiter would sit in its slice for good."""
    monkeypatch.setattr(lock, "_SLICE", None)
    held = lock.make_lock(lock.Rank.CHAN)
    held.pop()

    def holder():
        while held not in lock.parked.values():
            time.sleep(0.001)
        lock.release(held)

    thread = threading.Thread(target=holder)
    thread.start()
    lock.lock_slow(held)
    assert not held
    lock.release(held)
    thread.join()
    assert held
    assert not lock.parked


def test_those_who_come_and_go_meanwhile_do_not_keep_one_from_being_woken(monkeypatch):
    """A dict that changes while it is looked through says so by an error."""

    class Changing(dict):
        looks = 0

        def items(self):
            self.looks += 1
            for item in super().items():
                yield item
                if self.looks < 3:
                    raise RuntimeError("dictionary keys changed during iteration")

    class Note:
        woken = 0

        def wake(self):
            self.woken += 1

    held, other = lock.make_lock(lock.Rank.CHAN), lock.make_lock(lock.Rank.CHAN)
    first, second = Note(), Note()
    monkeypatch.setattr(lock, "parked", Changing({first: other, second: held}))
    held.pop()
    lock.release(held)
    assert (first.woken, second.woken) == (0, 1)
    assert lock.parked.looks == 3


def test_threads_that_fight_for_locks_lose_no_wake_up(monkeypatch):
    monkeypatch.setattr(lock, "_SLICE", None)
    locks = [lock.make_lock(lock.Rank.CHAN) for _ in range(2)]
    counts = [0, 0]

    def fight(i):
        mine = locks[i % 2]
        for _ in range(2000):
            try:
                mine.pop()
            except IndexError:
                lock.lock_slow(mine)
            counts[i % 2] += 1
            lock.release(mine)

    threads = [threading.Thread(target=fight, args=(i,)) for i in range(6)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert counts == [6000, 6000]
    # The runtime's own threads may just be waiting for other locks.
    assert not any(wanted is own for wanted in list(lock.parked.values()) for own in locks)
