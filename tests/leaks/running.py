"""Run a program of the corpus, and see what it leaves."""

import gc
from typing import Any

import gmprt
from gmprt import leaks
from tests.leaks.corpus import HELD, Program
from tests.support import wait_until

__all__ = ["end_all", "outcome", "settle"]


def settle(before: set[int]) -> list[gmprt.G[Any]]:
    """Let all that can go on do so; return those that wait."""

    def born() -> list[gmprt.G[Any]]:
        return [g for g in leaks.living() if g.id not in before]

    gmprt.sleep(0.01)
    wait_until(lambda: all(g.state == "waiting" for g in born()), "all new goroutines wait")
    return born()


def outcome(program: Program) -> tuple[list[gmprt.G[Any]], list[gmprt.G[Any]]]:
    """Run a program: its goroutines that wait, and those of them that are called stuck."""
    before = {g.id for g in leaks.living()}
    held = program.run()
    try:
        waiting = settle(before)
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
