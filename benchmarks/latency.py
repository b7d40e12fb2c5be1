"""How late a ticker is beside a load that never stops: `python -m benchmarks.latency`.

A ticker is due every 10 ms, at times fixed in advance. It sleeps until the next one and notes how
late it is; if it is late by more than 10 ms, the following ticks are due already, and noted at
once. So a stall of a second counts as a hundred ticks that were late by 1 s, 0.99 s, ..., as it
would for requests that come in meanwhile. The ticker itself starts the load; the first 20 ticks do
not count. What is shown is the distribution over all the others: p50, p99 and max.

The same for every contender: the load is the same Python function, run by what the contender has
for a task, as often as the case says; it has no end, and gives way by itself only where the case is
about that (`yields`). Where a contender has a way to announce a call that blocks, `announced` takes
it: `gmprt.syscall`, `asyncio.to_thread`, gevent's thread pool, and Go's ordinary system call, with
`RawSyscall` as the unannounced one. A thread has nobody to tell: there both are the same. Calls
last 50 ms; those that compute do so on a CPU of their own, and longer where they have none. In C
that is `hashlib.pbkdf2_hmac` without the GIL and `sum(range(n))` with it; Go hashes a large block
in one go, and has nothing like a GIL, thus no `c_held`.

`gmprt` has the ticker and the load where the scheduler puts them: mostly on one thread, which a
started goroutine cannot leave. `gmprt apart` has the ticker call `lock_os_thread` before it starts
the load, so that it lives on another thread than that.

The bars are for p99, and for gmprt alone. In `unannounced` the ticker may be late by one call's
length more. In `c_free` the bar is for goroutines on other threads, thus for `apart`; in `c_held`
too, but only where there is no GIL: with it no other Python code runs in the process.

Each contender of each case runs in a fresh process, all contenders of a case in turn, `--rounds`
times; the ticks of all rounds count together. A process that has not had all its ticks in twice
their time and 5 s more is ended: the contender is said to have stalled. One whose library, or `go`
command, is not there is said to be missing.

Does not show: what the load gets done meanwhile, nor what preemption costs it; a machine that has
other things to do, which makes every contender late (look at `nothing`, and at the load average
in the first line); tickers on an idle process whose clock has to be woken up (`timer_idle`).
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import elsewhere, harness
from benchmarks._latency import CALL, CONTENDERS, LOADS, PERIOD
from benchmarks._latency_plot import plot
from benchmarks.elsewhere import GO, Missing
from benchmarks.harness import GIL, ROOT

CASES = {
    "nothing": "beside nothing",
    "loops1": "beside an endless Python loop",
    "loops2": "beside 2 endless Python loops",
    "loops8": "beside 8 endless Python loops",
    "yields": "beside 1,000 that yield",
    "announced": "beside 4 that block in calls of 50 ms, announced",
    "unannounced": "beside 4 that block in calls of 50 ms, not announced",
    "c_free": "beside 2 in C calls of 50 ms that let go of the GIL",
    "c_held": "beside 2 in C calls of 50 ms that hold the GIL",
}
OURS = ("gmprt", "gmprt apart")


class Stalled(Exception):
    """A contender has not had its ticks within the time limit."""


def title(case: str) -> str:
    """Return what a case is, in words."""
    return f"{case}: a tick every 10 ms {CASES[case]}"


def bar(case: str, who: str) -> float | None:
    """Return the most that p99 may be, in seconds; None: no bar."""
    if who not in OURS:
        return None
    if case.startswith("loops"):
        return 0.025
    if case == "yields":
        return 0.005
    if case == "announced":
        return 0.015
    if case == "unannounced":
        return 0.015 + CALL
    apart = who == "gmprt apart" and (case == "c_free" or (case == "c_held" and not GIL))
    return 0.015 if apart else None


@dataclass
class Row:
    """One contender in one case."""

    case: str
    who: str
    bar: float | None
    late: list[float] = field(default_factory=list)  # seconds, of each tick
    fault: str = ""  # "stalled", "missing" or "failed": then there are no ticks
    why: str = ""

    def at(self, share: float) -> float:
        """Return the lateness that this share of the ticks does not exceed (nearest rank)."""
        ranked = sorted(self.late)
        return ranked[max(0, math.ceil(share * len(ranked)) - 1)]

    @property
    def over(self) -> bool:
        """Whether the bar is missed. To stall is to miss it."""
        if self.bar is None:
            return False
        return self.fault == "stalled" or (bool(self.late) and self.at(0.99) > self.bar)

    def line(self) -> str:
        """Return the line of the table; times in ms."""
        if self.fault:
            text = f"{self.fault:>10}"
        else:
            times = (self.at(share) * 1e3 for share in (0.5, 0.99, 1.0))
            text = "".join(f"{time:10.2f}" for time in times) + f"{len(self.late):8}"
        if self.bar is not None:
            verdict = "OVER" if self.over else "not measured" if self.fault else "ok"
            text = f"{text:40}p99 at most {self.bar * 1e3:g}: {verdict}"
        return f"    {self.who:12}{text}".rstrip()


def commands() -> dict[str, list[str] | str]:
    """Return how each contender's child is started, or why it cannot be."""
    found: dict[str, list[str] | str] = {
        who: [sys.executable, "-m", "benchmarks._latency", "CASE", who] for who in CONTENDERS
    }
    try:
        return found | {GO: [str(elsewhere.build_go("latency")), "CASE"]}
    except (Missing, RuntimeError) as fault:
        return found | {GO: str(fault)}


def ticks(command: list[str] | str, case: str, seconds: float) -> list[float]:
    """Run one contender in a fresh process and return how late each tick was.

    Raises: Missing; Stalled; RuntimeError with what it wrote if the child fails.
    """
    if isinstance(command, str):
        raise Missing(command)
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    limit = 2 * seconds + 5
    try:
        child = subprocess.run(
            [case if word == "CASE" else word for word in command] + [str(seconds)],
            capture_output=True,
            text=True,
            timeout=limit,
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired as fault:
        raise Stalled(f"not all ticks in {limit:g} s") from fault
    if child.returncode != 0:
        raise RuntimeError(f"status {child.returncode}\n{child.stderr}")
    sys.stderr.write(child.stderr)
    answer = json.loads(child.stdout)
    if "missing" in answer:
        raise Missing(answer["missing"])
    return [float(late) for late in answer["late"]]


def measure(
    case: str, starts: dict[str, list[str] | str], seconds: float, rounds: int
) -> list[Row]:
    """Run every contender of a case so many times, in turn."""
    rows = [Row(case, who, bar(case, who)) for who in starts if who != GO or case != "c_held"]
    for _ in range(rounds):
        for row in rows:
            if row.fault:
                continue
            try:
                row.late += ticks(starts[row.who], case, seconds)
            except (Missing, Stalled, RuntimeError) as fault:
                words = {Missing: "missing", Stalled: "stalled"}
                row.fault = words.get(type(fault), "failed")
                row.why = str(fault)
    return rows


def headline(where: dict[str, object]) -> str:
    """Return where the numbers come from, in a line."""
    python = str(where["python"]).split()[0]
    load = where["load"]
    average = f", load average {load[0]:.1f}" if isinstance(load, tuple) else ""
    return (
        f"Python {python} {'with' if where['gil'] else 'without'} the GIL, "
        f"{where['cpus_usable'] or where['cpus']} CPUs{average}"
    )


def positive(words: str) -> int:
    """Read a number of at least one; for argparse."""
    number = int(words)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {words}")
    return number


def seconds(words: str) -> float:
    """Read a time of a tick at least; for argparse."""
    number = float(words)
    if not PERIOD <= number < math.inf:
        raise argparse.ArgumentTypeError(f"at least {PERIOD:g}, the time of a tick, not {words}")
    return number


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks.latency", description="Measure how late a ticker is beside a load."
    )
    parser.add_argument(
        "--cases",
        nargs="+",
        choices=list(LOADS),
        default=list(LOADS),
        metavar="CASE",
        help=f"some of {', '.join(LOADS)} (default: all)",
    )
    parser.add_argument(
        "--seconds", type=seconds, default=3.0, help="of ticks, a round (default: 3)"
    )
    parser.add_argument(
        "--rounds", type=positive, default=2, help="processes a contender (default: 2)"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the distributions there")
    options = parser.parse_args()
    if options.svg:
        try:
            options.svg.touch()  # before minutes of work: that it can be written
        except OSError as fault:
            parser.error(str(fault))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the child is ended, too
    where = headline(harness.environment())
    print(f"{where}\n    {'lateness, ms':12}{'p50':>10}{'p99':>10}{'max':>10}{'ticks':>8}")
    starts = commands()
    groups = []
    for case in options.cases:
        rows = measure(case, starts, options.seconds, options.rounds)
        groups.append((title(case), rows))
        print("\n".join([groups[-1][0], *(row.line() for row in rows)]), flush=True)
    faults = {(row.who, row.fault, row.why) for _, rows in groups for row in rows if row.fault}
    for who, fault, why in sorted(faults):
        print(f"    {who}: {fault}: {why}", file=sys.stderr)
    if options.svg:
        options.svg.write_text(plot(where, groups))
    return 1 if any(fault == "failed" for _, fault, _ in faults) else 0


if __name__ == "__main__":
    sys.exit(main())
