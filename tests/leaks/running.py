"""Run a program of the corpus, and see what it leaves."""

import gc
from typing import Any

import gmprt
from gmprt import leaks
from gmprt._runtime.sched import sched
from tests.leaks.corpus import HELD, Program
from tests.support import wait_until

__all__ = ["end_all", "outcome", "settle"]


def settle(before: set[int]) -> list[gmprt.G[Any]]:
    """Let all that can go on do so; return those that wait.

    One look is not enough where others run meanwhile: who is seen to wait first may have been woken
    by one that waits when it is looked at. But then it is ready at a second look, or was given a
    processor between the two. And one that is just being started is in no list, but is counted.
    """

    def born() -> list[gmprt.G[Any]]:
        return [g for g in leaks.living() if g.id not in before]

    def all_wait() -> bool:
        return all(g.state == "waiting" for g in born())

    def all_listed() -> bool:
        return len(leaks.living()) >= sum(row.alive for row in leaks.by_site())

    def settled() -> bool:
        switches = gmprt.stats()["switches"]
        twice = all_wait() and all_listed() and all_wait()
        return twice and gmprt.stats()["switches"] == switches

    gmprt.sleep(0.01)
    wait_until(settled, "all new goroutines wait")
    return born()


def outcome(program: Program) -> tuple[list[gmprt.G[Any]], list[gmprt.G[Any]]]:
    """Run a program: its goroutines that wait, and those of them that are called stuck.

    Garbage in cycles counts as a holder until it is collected; Go collects before it looks.
    """
    before = {g.id for g in leaks.living()}
    held = program.run()
    try:
        waiting = settle(before)
        gc.collect()
        found = [g for g in leaks.stuck() if g.id not in before]
    finally:
        end_all(before)
        del held
        gc.collect()
    return waiting, found


def end_all(before: set[int]) -> None:
    """End all goroutines but those that were there before."""
    for g in leaks.living():
        if g.id not in before:
            g.interrupt()
    wait_until(lambda: all(g.id in before for g in leaks.living()), "all end when interrupted")
    HELD.clear()
    drop_timers()


def drop_timers() -> None:
    """Take out the timers that nobody holds: one to come in an hour hides every deadlock till then.

    Some programs are about those: functions and contexts that nothing but the heap keeps alive.
    """
    for heap in list(sched.heaps):
        for _, _, timer in list(heap.entries):
            if timer is not None:
                heap.remove(timer)
