"""That stealing, the global queue, hand-off and retake really happen, told from stats().

With the GIL and without. Most programs could not even end if it did not happen; the counters show
that it happened for the reason meant.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import GIL, run_prog

PROG = Path(__file__).with_name("progs") / "evidence.py"


def stats_of(prog: str, maxprocs: int) -> dict[str, Any]:
    done = run_prog(PROG, prog, env={"GMPRT_MAXPROCS": str(maxprocs)})
    assert (done.stderr, done.returncode) == ("", 0), done
    stats: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert stats["ps"] == maxprocs
    return stats


@pytest.mark.parametrize("maxprocs", [2, 4])
@pytest.mark.parametrize(
    "prog", ["stealing", "stealing_by_parallelism", "stealing_beside_a_burner"]
)
def test_stealing_happens(prog: str, maxprocs: int) -> None:
    if prog == "stealing_by_parallelism" and GIL:
        pytest.skip("with the GIL another thread is no help to one that runs Python")
    stats = stats_of(prog, maxprocs)
    assert stats["steals"] > 0
    assert stats["steal_attempts"] >= stats["steals"]
    assert stats["ms"] > 1


@pytest.mark.skipif(not GIL, reason="without the GIL the others help")
@pytest.mark.parametrize("maxprocs", [2, 4])
def test_with_the_gil_nobody_steals_from_one_that_runs_python(maxprocs: int) -> None:
    done = run_prog(PROG, "no_stealing", env={"GMPRT_MAXPROCS": str(maxprocs)})
    long, stats = map(json.loads, done.stdout.splitlines())
    assert stats["steals"] <= long


@pytest.mark.parametrize("prog", ["overflow", "from_foreign_thread"])
@pytest.mark.parametrize("maxprocs", [1, 4])
def test_the_global_queue_is_used(prog: str, maxprocs: int) -> None:
    stats = stats_of(prog, maxprocs)
    assert stats["global_gets"] > 0
    assert stats["spawned"] - stats["finished"] <= 1, "all have ended but main"


@pytest.mark.parametrize(
    "prog", ["handoff_by_blocking", "handoff_by_syscall", "handoff_in_a_chain"]
)
def test_an_announced_call_gives_its_p_away(prog: str) -> None:
    """On entering it, or a moment later, taken by the watcher: a quick call keeps it."""
    stats = stats_of(prog, 1)
    assert stats["handoffs"] + stats["retakes"] > 0
    assert stats["ms"] > 1


@pytest.mark.parametrize("maxprocs", [1, 2])
@pytest.mark.parametrize("prog", ["retake_from_a_goroutine", "retakes_at_once"])
def test_an_unannounced_call_has_its_p_taken(prog: str, maxprocs: int) -> None:
    """With two Ps a thief may come first: then the calls do no harm, and none need be taken."""
    stats = stats_of(prog, maxprocs)
    assert stats["ms"] > 1
    if maxprocs == 1:
        assert stats["retakes"] > 0


def test_an_unannounced_call_of_main_has_its_p_taken() -> None:
    stats = stats_of("retake", 1)
    assert stats["retakes"] > 0
    assert stats["ms"] > 1


def test_the_counters_count() -> None:
    """Gauges show what is there now, counters all that ever was."""
    stats = stats_of("counters", 1)
    assert sum(stats["goroutines"].values()) == 3
    assert stats["goroutines"]["waiting"] == 2
    assert stats["timers"] >= 1
    assert stats["spawned"] - stats["finished"] in (2, 3), "main may or may not be counted"
    assert stats["finished"] >= 10
    assert stats["parks"] >= 100
    assert stats["switches"] >= 100
    assert stats["stacks_created"] >= 10
    assert 0 < stats["stacks_cached"] <= stats["stacks_created"]
    assert {"idle_ps", "preemptions", "netpolls"} <= stats.keys()
