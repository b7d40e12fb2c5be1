"""fork: the child starts empty and can use everything; the parent does not notice.

Only the forking thread is left in the child, and any lock may be held there by one that is not.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support import Finished, run_prog

PROG = Path(__file__).with_name("progs") / "forks.py"
CHILD = "1 goroutine, True"
"""What a child says that started with main alone and could use everything."""

PARENT = ["finally in the parent"] * 6 + ["1 True"]
"""What the parent says in the end: its six goroutines have ended there, and all works."""


def run(prog: str, **env: str) -> Finished:
    done = run_prog(PROG, prog, env=env)
    assert done.returncode == 0, done
    return done


@pytest.mark.parametrize("maxprocs", ["1", "4"])
@pytest.mark.parametrize(
    "place",
    [
        "from_main",
        "from_goroutine",
        "from_goroutine_elsewhere",
        "from_blocking",
        "from_foreign_thread",
    ],
)
def test_a_child_starts_empty_and_the_parent_goes_on(place: str, maxprocs: str) -> None:
    """No finally block of an inherited goroutine runs in the child, each does in the parent."""
    done = run(place, GMPRT_MAXPROCS=maxprocs)
    assert (done.stdout.splitlines(), done.stderr) == ([CHILD, "child: 0", *PARENT], "")


def test_a_child_forked_in_a_system_call_starts_empty() -> None:
    """Of main's, and of a goroutine's."""
    done = run("from_syscall")
    assert (done.stdout.splitlines(), done.stderr) == ([CHILD, "child: 0"] * 2 + PARENT, "")


def test_a_fork_before_the_first_use() -> None:
    done = run("before_anything")
    assert (done.stdout.splitlines(), done.stderr) == ([CHILD, "child: 0", "True"], "")


def test_a_child_may_end_as_any_program_does() -> None:
    """It reports no goroutine of the parent's as leaked, and runs none of their finally blocks."""
    done = run("child_exits_normally", GMPRT_LEAKS="error")
    assert (done.stdout.splitlines(), done.stderr) == ([CHILD, "child: 5", *PARENT], "")


def test_a_child_reports_what_it_leaked_itself() -> None:
    done = run("child_leaks_its_own", GMPRT_LEAKS="error")
    assert done.stdout.splitlines() == ["child: 66", *PARENT]
    assert done.stderr.splitlines()[0] == "gmprt: 1 goroutine leaked"


@pytest.mark.parametrize(
    ("prog", "says"),
    [
        ("child_collects", "collected"),
        ("child_deadlocks", "deadlock in the child"),
        ("child_has_own_signals", "interrupted in the child"),
    ],
)
def test_a_child_has_a_runtime_of_its_own(prog: str, says: str) -> None:
    done = run(prog)
    assert (done.stdout.splitlines(), done.stderr) == ([says, "child: 0", *PARENT], "")


def test_a_child_may_fork_in_its_turn() -> None:
    done = run("child_runs_and_forks")
    lines = [CHILD, "grandchild: 0", "child: 0", *PARENT]
    assert (done.stdout.splitlines(), done.stderr) == (lines, "")


@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_a_fork_at_any_moment_of_the_other_threads(maxprocs: str) -> None:
    done = run("while_others_work", GMPRT_MAXPROCS=maxprocs)
    lines = Counter(done.stdout.splitlines())
    assert (lines, done.stderr) == ({CHILD: 25, "child: 0": 25, "1 True": 1}, "")


def test_multiprocessing_from_main_a_goroutine_and_a_system_call() -> None:
    done = run("multiprocessing_process")
    lines = [f"(({n}, True), 0)" for n in (1, 2, 3)]
    assert (done.stdout.splitlines(), done.stderr) == ([*lines, *PARENT], "")


def test_a_multiprocessing_pool() -> None:
    done = run("multiprocessing_pool")
    assert (done.stdout.splitlines(), done.stderr) == (["[0, 1, 4, 9, 16]", *PARENT], "")
