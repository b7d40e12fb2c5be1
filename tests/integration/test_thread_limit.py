"""What becomes of system calls at the limit of threads, and where the system has no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import run_prog

PROG = Path(__file__).with_name("progs") / "limits.py"


def run(prog: str, threads: int, maxprocs: int) -> tuple[str, str]:
    env = {"GMPRT_MAXTHREADS": str(threads), "GMPRT_MAXPROCS": str(maxprocs)}
    done = run_prog(PROG, prog, env=env)
    assert done.returncode == 0, done
    return done.stdout, done.stderr


def warned(threads: int) -> str:
    return (
        f"gmprt: {threads} threads are in use, system calls wait their turn, or keep the "
        "goroutines of their thread waiting (GMPRT_MAXTHREADS allows more)\n"
    )


@pytest.mark.parametrize("maxprocs", [1, 2, 4])
@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_all_calls_are_made_however_few_threads_there_are(threads: int, maxprocs: int) -> None:
    out, err = run("each_makes_a_call", threads, maxprocs)
    assert out == "{'made'}\n"
    assert err in ("", warned(threads))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_call_that_could_wait_for_nobody_is_made_on_its_own_thread(threads: int) -> None:
    out, _ = run("nobody_else_could", threads, 1)
    assert out == "True made\n"


def test_calls_wait_their_turn() -> None:
    assert run("in_their_order", 2, 1) == ("[0, 1, 2, 3, 4]\n", warned(2))


def test_a_thread_that_comes_free_makes_the_first_that_waits() -> None:
    assert run("a_thread_comes_free", 3, 1) == ("made\n", warned(3))


def test_main_gives_a_call_up_that_waits_for_a_thread() -> None:
    assert run("ctrl_c", 2, 1) == ("given up\nTrue True\n", warned(2))


def test_where_the_system_has_no_thread_the_caller_makes_the_call() -> None:
    out, _ = run("the_system_has_no_more", 512, 1)
    assert out == "[0, 1, 2]\n"
