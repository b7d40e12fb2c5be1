"""What `stuck` finds in the corpus: what is provable, and no false alarm."""

import gc
from typing import Any

import pytest

import gmprt
from gmprt import leaks
from tests.leaks.corpus import HEALTHY, HELD, LEAKS, Program
from tests.support import wait_until

MISSES_ALLOWED = 0.10  # of the goroutines that are provably stuck


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
        for g in leaks.living():
            if g.id not in before:
                g.interrupt()
        wait_until(lambda: all(g.id in before for g in leaks.living()), "all end when interrupted")
        HELD.clear()
        del held
        gc.collect()
    return waiting, found


@pytest.mark.parametrize("program", HEALTHY, ids=lambda program: program.name)
def test_nobody_who_can_go_on_is_called_stuck(procs, program):
    waiting, found = outcome(program)
    assert waiting
    assert found == []


def test_what_is_provable_is_found(procs):
    expected, found, missed = 0, 0, []
    for program in LEAKS:
        waiting, stuck = outcome(program)
        assert len(waiting) == program.stuck, program.name
        expected += program.stuck
        found += len(stuck)
        if len(stuck) < program.stuck:
            missed.append(f"{program.name}: {len(stuck)} of {program.stuck}")
    assert found >= (1 - MISSES_ALLOWED) * expected, missed


def test_the_stuck_are_found_among_the_healthy(procs):
    """All programs at once: nobody's liveness comes from another's."""
    before = {g.id for g in leaks.living()}
    held = [program.run() for program in HEALTHY]
    healthy = {g.id for g in settle(before)}
    for program in LEAKS:
        program.run()
    settle(before)
    try:
        stuck = {g.id for g in leaks.stuck()} - before
        assert not stuck & healthy
        assert len(stuck) >= (1 - MISSES_ALLOWED) * sum(program.stuck for program in LEAKS)
    finally:
        for g in leaks.living():
            if g.id not in before:
                g.interrupt()
        wait_until(lambda: all(g.id in before for g in leaks.living()), "all end when interrupted")
        HELD.clear()
        del held


def test_kill_ends_them_and_finally_blocks_run(procs):
    ran = []

    def body():
        try:
            gmprt.Chan().recv()
        finally:
            ran.append(1)

    gs = [gmprt.go(body) for _ in range(5)]
    wait_until(lambda: all(g.state == "waiting" for g in gs), "they wait")
    assert leaks.stuck(kill=True) == gs
    assert [g.join(30) for g in gs] == [True] * 5
    assert ran == [1] * 5
