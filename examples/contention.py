"""The same work twice: each worker with a lock of its own, then all behind one.

What the runtime counts tells the two apart: the Ps idle though there is work, and who wants the
lock waits for as long as all others take. docs/tuning.md goes through the columns.

    python examples/contention.py --workers 8 --seconds 2
"""

import argparse
import hashlib
import time
from collections.abc import Callable
from typing import Any

import gmprt
from gmprt.sync import Mutex, WaitGroup

BLOCK = bytes(256 * 1024)  # hashing it lets go of the GIL, so that two Ps can both be at it

COLUMNS = (
    "",
    "locks",
    "P use",
    "lock waits",
    "mean wait",
    "mean queue",
    "switches/s",
    "OS switches/s",
)
ROW = "{:<10} {:>8} {:>6} {:>11} {:>11} {:>11} {:>11} {:>14}"


def load(locks: list[Mutex], seconds: float) -> int:
    """Have one worker a lock hash a block under it, time and again; return how often they did."""
    done = [0] * len(locks)
    end = time.monotonic() + seconds

    def work(i: int) -> None:
        while time.monotonic() < end:
            with locks[i]:
                hashlib.sha256(BLOCK).digest()
            done[i] += 1

    wg = WaitGroup()
    for i in range(len(locks)):
        wg.go(work, i)
    wg.wait()
    return sum(done)


def measure(name: str, program: Callable[[], int]) -> str:
    """Run it, and tell what the counters have gone up by meanwhile."""
    before, start = gmprt.stats(), time.monotonic()
    done = program()
    after, seconds = gmprt.stats(), time.monotonic() - start

    def grown(*keys: str) -> float:
        old: Any = before
        new: Any = after
        for key in keys:
            old, new = old[key], new[key]
        return float(new - old)

    waits = grown("waits", "mutex", "count")
    switches = grown("switches")
    system = sum(grown("context_switches", kind) for kind in ("voluntary", "involuntary"))
    return ROW.format(
        name,
        done,
        f"{grown('p_busy_seconds') / grown('p_seconds'):.0%}",
        int(waits),
        f"{1e3 * grown('waits', 'mutex', 'seconds') / max(1, waits):.2f} ms",
        f"{1e3 * grown('runnable_seconds') / max(1, switches):.2f} ms",
        f"{switches / seconds:,.0f}",
        f"{system / seconds:,.0f}",
    )


def main(workers: int, seconds: float) -> None:
    one = Mutex()
    print(ROW.format(*COLUMNS).rstrip())
    print(measure("normal", lambda: load([Mutex() for _ in range(workers)], seconds)))
    print(measure("contended", lambda: load([one] * workers, seconds)))


def positive(text: str) -> float:
    if not 0 < (number := float(text)) < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and a million")
    return number


def natural(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="contention", description="Normal against contended.")
    parser.add_argument("--workers", metavar="N", type=natural, default=8)
    parser.add_argument("--seconds", metavar="S", type=positive, default=2.0, help="for each row")
    options = parser.parse_args()
    main(options.workers, options.seconds)
