"""Go's corpus of leaks: every goroutine left is listed, and those that are stuck are found."""

import re

import pytest

from tests.leaks.kernels import GO_KERNELS, GO_SIMPLE, KERNELS, NOT_CARRIED, SIMPLE
from tests.leaks.running import outcome
from tests.support import GIL, run_prog

ALL = [*KERNELS, *SIMPLE]
MISSED: dict[str, int] = {}  # by program, in this run
MISSES_ALLOWED = 0.10  # without the GIL, when other threads cannot be kept still


@pytest.mark.parametrize("program", ALL, ids=lambda program: program.name)
def test_what_leaks_is_listed_and_what_is_stuck_found(rt, program):
    waiting, found = outcome(program)
    assert len(waiting) == program.left, waiting
    assert {g.id for g in found} <= {g.id for g in waiting}
    assert len(found) <= program.stuck, found
    MISSED[program.name] = program.stuck - len(found)
    if GIL:
        assert len(found) == program.stuck, [g for g in waiting if g not in found]


@pytest.mark.skipif(GIL, reason="each is found for certain")
def test_nearly_all_that_is_stuck_is_found(rt):
    """In the tests before this, as far as they have run."""
    missed = {
        program.name: MISSED[program.name]
        if program.name in MISSED
        else program.stuck - len(outcome(program)[1])
        for program in ALL
    }
    expected = sum(program.stuck for program in ALL)
    assert sum(missed.values()) <= MISSES_ALLOWED * expected, missed


def test_each_of_gos_is_carried_over_or_listed_with_a_reason():
    carried = [program.origin for program in ALL]
    assert sorted([*carried, *NOT_CARRIED]) == sorted([*GO_KERNELS, *GO_SIMPLE])
    for program in KERNELS:
        match = re.match(r"([a-z]+)_(\d+)_", program.name)
        assert match is not None, program.name
        assert "".join(match.groups()) == program.origin
    for program in ALL:
        assert program.run.__doc__, program.name


MAIN_THAT_WAITS_FOR_EVER = """
import os
import gmprt
from gmprt import leaks
from tests.support import wait_all_parked

def look(g):
    wait_all_parked(g)
    print([one is g for one in leaks.stuck()], flush=True)
    os._exit(0)

gmprt.go(look, gmprt.go(gmprt.Chan().recv))
gmprt.select()
"""


def test_main_is_not_among_the_stuck():
    """Go's SelectNoCasesMain."""
    text = run_prog(MAIN_THAT_WAITS_FOR_EVER).text
    assert text == "[True]\n" or (text == "[]\n" and not GIL)
