"""What `stuck` finds in the corpus: what is provable, and no false alarm."""

import gc

import pytest

import gmprt
from gmprt import leaks
from gmprt.context import background, with_cancel, with_timeout
from tests.leaks.corpus import HEALTHY, LEAKS
from tests.leaks.running import end_all, outcome, settle
from tests.support import wait_until

MISSES_ALLOWED = 0.10  # of the goroutines that are provably stuck


@pytest.mark.parametrize("program", HEALTHY, ids=lambda program: program.name)
def test_nobody_who_can_go_on_is_called_stuck(procs, program):
    waiting, found = outcome(program)
    assert waiting
    assert found == []


def test_what_is_provable_is_found(rt):
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
        end_all(before)
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


def test_a_dropped_context_keeps_nobody_live_until_a_collection(procs):
    def body():
        ctx = with_cancel(background()).ctx
        with with_timeout(ctx, 1000):
            pass
        ctx.done().recv_ok()

    gc.disable()
    try:
        g = gmprt.go(body)
        wait_until(lambda: g.state == "waiting", "it waits")
        assert leaks.stuck(kill=True) == [g]
        assert g.join(30)
    finally:
        gc.enable()


def test_several_can_look_at_one_time(procs):
    """Those who wait for their turn stop for the one who looks."""
    g = gmprt.go(lambda: gmprt.Chan().recv())
    wait_until(lambda: g.state == "waiting", "it waits")
    lookers = [gmprt.go(leaks.stuck) for _ in range(10)]
    found = [looker.result(60) for looker in lookers]
    assert [g] in found
    assert all(some in ([], [g]) for some in found)
    g.interrupt()
    assert g.join(30)


def test_threads_do_not_grow_in_number_by_looking(procs):
    """Those that are stopped for it sit in no blocking call."""
    gs = [gmprt.go(lambda: gmprt.Chan().recv()) for _ in range(50)]
    wait_until(lambda: all(g.state == "waiting" for g in gs), "they wait")
    for _ in range(10):
        leaks.stuck()
    before = gmprt.stats()["ms"]
    gs += [gmprt.go(lambda: gmprt.Chan().recv()) for _ in range(50)]
    wait_until(lambda: all(g.state == "waiting" for g in gs), "they wait")
    assert gmprt.stats()["ms"] <= before + 8
    for g in gs:
        g.interrupt()
    assert all(g.join(30) for g in gs)
