"""Instructions of the hottest operations: seconds lie on a machine that others use, too.

A contender runs twice, with n and with five times n operations; the difference, divided, is what
one of them takes, with the interpreter's start taken out. All threads count. `perf stat` counts
them in the processor where it may; else `valgrind --tool=callgrind` does, some fifty times slower
than life. Hash seeds are fixed, and gmprt has one P, so that no thread looks for work meanwhile.

Does not show: what waits for memory, for a lock or for another thread.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable

from benchmarks.elsewhere import Missing
from benchmarks.harness import ROOT, TIMEOUT

HOTTEST = ("spawn_join", "yield_ten", "pingpong", "buffered")
WHO = ("gmprt", "asyncio", "gevent")
N = 5000
STEADY = {"PYTHONHASHSEED": "0", "GMPRT_MAXPROCS": "1"}

TOOLS = {  # by name: the command before Python's, and how it tells the count, on stderr
    "perf": (["perf", "stat", "-e", "instructions:u"], r"([\d,.]+)\s+instructions:u"),
    "callgrind": (
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"],
        r"Collected : (\d+)",
    ),
}


def run(tool: str, command: list[str]) -> int:
    """Return how many instructions the command took.

    Raises: Missing if the tool does not tell; RuntimeError if the command fails.
    """
    before, pattern = TOOLS[tool]
    done = subprocess.run(
        [*before, *command],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env={**os.environ, **STEADY, "PYTHONPATH": str(ROOT), "LC_ALL": "C"},
    )
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode}\n{done.stderr}")
    found = re.search(pattern, done.stderr)
    if found is None or '"missing"' in done.stdout:
        raise Missing(done.stdout.strip() or f"{tool} counts no instructions here")
    return int(re.sub(r"\D", "", found[1]))


@functools.cache
def tool() -> str:
    """Return the first tool that counts instructions here.

    Raises: Missing.
    """
    for name, (command, _) in TOOLS.items():
        if shutil.which(command[0]):
            try:
                run(name, ["true"])
            except (Missing, RuntimeError):
                continue
            return name
    raise Missing("neither perf nor valgrind counts instructions here")


def each(scenario: str, contender: str, n: int = N) -> float:
    """Return the instructions of one operation.

    Raises: Missing; RuntimeError.
    """
    few, many = (
        run(tool(), [sys.executable, "-m", "benchmarks._child", scenario, contender, str(k * n)])
        for k in (1, 5)
    )
    return (many - few) / (4 * n)


def count(tell: Callable[[str], object] = lambda what: None, n: int = N) -> dict[str, object]:
    """Count for all of the hottest, and return what is to be in the results.

    Raises: Missing if there is no tool; RuntimeError.
    """
    counts: dict[str, dict[str, float]] = {}
    by = tool()
    for scenario in HOTTEST:
        counts[scenario] = {}
        for who in WHO:
            try:
                counts[scenario][who] = each(scenario, who, n)
            except Missing:
                continue
            finally:
                tell(f"{scenario}, {who}")
    return {"by": by, "counts": counts}
