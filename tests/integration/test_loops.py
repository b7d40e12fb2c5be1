"""That loops of every kind give way, in processes of their own: one that fails never ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import GIL, run_prog

PROG = Path(__file__).with_name("progs") / "loops.py"


NOT_FREE_THREADED = pytest.mark.skipif(
    not GIL, reason="there the collections of one thread stop all others for seconds"
)

LOOPS = [
    "one_line",
    pytest.param("collects", marks=NOT_FREE_THREADED),
    "mutexes",
    "locks",
    "hashes",
    "sends",
    "generates",
    "manages",
    "raises",
    "once",
    "flies",
]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("maxprocs", ["1", "2"])
def test_a_loop_gives_way_to_main(loop: str, maxprocs: str) -> None:
    done = run_prog(PROG, "beside", loop, env={"GMPRT_MAXPROCS": maxprocs})
    assert (done.stdout, done.stderr, done.returncode) == ("back\n", "", 0), done


@pytest.mark.parametrize("loop", LOOPS)
def test_ctrl_c_comes_to_main_beside_a_loop(loop: str) -> None:
    done = run_prog(PROG, "ctrl_c", loop)
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted\n", "", 0), done


@pytest.mark.parametrize("loop", ["computes", "one_line", "once", "raises"])
@pytest.mark.parametrize("maxprocs", ["1", "2"])
def test_ctrl_c_comes_to_main_that_computes(loop: str, maxprocs: str) -> None:
    done = run_prog(PROG, "main_computes", loop, env={"GMPRT_MAXPROCS": maxprocs})
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted\n", "", 0), done


def test_main_that_waits_for_a_lock_of_its_thread_is_named() -> None:
    done = run_prog(PROG, "main_blocks", "")
    assert done.returncode == 0, done
    assert done.stderr.startswith("gmprt: goroutine 1 (main) has waited for "), done
    assert "one of them may hold it: goroutine 2 (main_blocks.<locals>.holds)" in done.stderr
