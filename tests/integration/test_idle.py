"""An idle program takes no CPU: everything sleeps for good, sysmon too.

Measured twice, because the clock alone is too coarse: a thread that ticks every 10 ms, and so keeps
a laptop awake, takes less than a hundredth of a CPU. How often a thread went to sleep shows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import Finished, run_prog

PROG = Path(__file__).with_name("progs") / "idles.py"
CPU_SECONDS = 0.1
"""In two seconds: ten times and more what it is."""

SLEEPS = 50
"""In two seconds: 2 or 3 are the measuring thread's; a tick of 10 ms would make 200."""


PROGS = [
    "nothing_but_imported",
    "recv",
    "recv_in_run",
    "time_sleep",
    "own_sleep",
    "blocking",
    "many_parked",
    "far_timers",
    "long_calls",
    "after_a_storm",
    "parked_on_many_threads",
    "locked_thread",
]
MAXPROCS = ["1", "4"]


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[tuple[str, str], Future[Finished]]]:
    """All of them, a few at a time: what does nothing does not disturb its neighbours."""
    with ThreadPoolExecutor(6) as pool:
        yield {
            (prog, maxprocs): pool.submit(run_prog, PROG, prog, env={"GMPRT_MAXPROCS": maxprocs})
            for prog in PROGS
            for maxprocs in MAXPROCS
        }


@pytest.mark.parametrize("maxprocs", MAXPROCS)
@pytest.mark.parametrize("prog", PROGS)
def test_an_idle_program_does_nothing(
    runs: dict[tuple[str, str], Future[Finished]], prog: str, maxprocs: str
) -> None:
    done = runs[prog, maxprocs].result()
    assert (done.stderr, done.returncode) == ("", 0), done
    cost = json.loads(done.stdout)
    assert cost["cpu"] < CPU_SECONDS
    assert cost["sleeps"] < SLEEPS
