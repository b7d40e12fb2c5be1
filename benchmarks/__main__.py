"""Run scenarios, print what they measure, and write the report: see `--help`."""

import argparse
import functools
import signal
import sys
import types
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks import compare, harness, instructions, latency, report
from benchmarks.elsewhere import NO_GIL, Missing
from benchmarks.harness import Result

LATENCY = "latency"
LATENCY_SECONDS, LATENCY_ROUNDS = 2.0, 2


class Progress:
    """How far a run is, on stderr: tqdm's bar on a terminal that has tqdm, else nothing."""

    def __init__(self, total: int) -> None:
        self._bar = None
        try:
            from tqdm import tqdm
        except ImportError:
            return
        self._bar = tqdm(total=total, unit="sample", disable=None, dynamic_ncols=True)

    def step(self, scenario: str, part: str) -> None:
        if self._bar is not None:
            self._bar.set_description(f"{scenario}, {part}")
            self._bar.update()

    def say(self, *lines: str, file: object = None) -> None:
        """Print, above the bar if there is one."""
        if self._bar is not None:
            self._bar.clear()
        print(*lines, sep="\n", file=file, flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: types.TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def shown(result: Result, contender: str) -> str:
    """Return a contender's best in the scenario's unit."""
    best = result.best(contender)
    if best is None:
        return result.faults[contender].partition(":")[0].lower()  # "missing", "runtimeerror"
    unit = result.scenario.unit
    return f"{best / harness.SECONDS.get(unit, 1.0):.4g} {unit}"


def verdict(value: float, bar: float | None) -> str:
    """Return how a number stands to the most it may be."""
    if bar is None:
        return ""
    return f" (at most {bar:g}: {'ok' if value <= bar else 'OVER'})"


def lines(result: Result) -> list[str]:
    """Return the scenario's part of the table, a line a contender."""
    scenario = result.scenario
    first, *_ = scenario.contenders
    ratios = dict(result.ratios())
    table = [f"{result.name}: {scenario.title} (n = {result.n})"]
    for contender in scenario.contenders:
        if contender not in result.samples and contender not in result.faults:
            continue  # not asked for
        line = f"    {contender:20}{shown(result, contender):>16}"
        if contender in ratios:
            ratio = ratios[contender]
            line += f"    {first} / {contender} = {ratio:.2f}"
            line += verdict(ratio, scenario.bars.get(contender))
            if contender == NO_GIL and scenario.no_gil is not None and harness.GIL:
                line += f"; the other way {1 / ratio:.2f}"
                line += verdict(1 / ratio, scenario.no_gil)
        elif contender == first and (best := result.best(first)) is not None:
            scale = harness.SECONDS.get(scenario.unit, 1.0)
            limit = None if scenario.limit is None else scenario.limit / scale
            line += f"   {verdict(best / scale, limit)}"
        table.append(line.rstrip())
    return table


def samples(name: str, options: argparse.Namespace) -> int:
    """Return how many samples a scenario is going to take."""
    if name == LATENCY:
        return len(latency.CASES)
    scenario = harness.load(name)
    return (options.rounds or scenario.rounds) * len(scenario.asked(options.contender or ()))


def measure_latency(
    rounds: int | None, tell: Callable[[str, str], object]
) -> list[dict[str, object]]:
    """Return the cases of the latency benchmark as the results have them."""
    starts = latency.commands()
    found: list[dict[str, object]] = []
    for case in latency.CASES:
        rows = latency.measure(case, starts, LATENCY_SECONDS, rounds or LATENCY_ROUNDS)
        tell(LATENCY, case)
        measured = [asdict(row) for row in rows]
        found.append({"case": case, "title": latency.title(case), "rows": measured})
    return found


def run(options: argparse.Namespace) -> int:
    """Measure, print and write; return the exit status.

    What has been measured is written after each scenario: Ctrl-C loses no more than one.
    """
    scenarios: dict[str, object] = {}
    results: dict[str, object] = {"environment": harness.environment(), "scenarios": scenarios}
    report.write(results, options.out)  # before hours of work: that it can be
    try:
        failed = measure(options, results, scenarios)
        status = 1 if failed else 0
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        status = 130
    report.write(results, options.out)
    print(f"wrote {options.out / 'results.json'}, results.md and report.html")
    return status


def chosen(options: argparse.Namespace) -> list[str]:
    """Return the scenarios that are asked for, each once."""
    asked = list(dict.fromkeys(options.scenario or [*harness.names(), LATENCY]))
    if options.bars:
        return [name for name in asked if name != LATENCY and has_bar(name)]
    return asked


def measure(
    options: argparse.Namespace, results: dict[str, object], scenarios: dict[str, object]
) -> bool:
    """Measure what is asked for into `results`; return whether anything has failed."""
    failed = False
    asked = chosen(options)
    with Progress(sum(samples(name, options) for name in asked)) as progress:
        for name in asked:
            if name == LATENCY:
                late = measure_latency(options.rounds, progress.step)
                results["latency"] = late
                for case in late:
                    rows = [latency.Row(**row) for row in case["rows"]]
                    progress.say(str(case["title"]), *(row.line() for row in rows))
                    failed |= any(row.fault == "failed" for row in rows)
                continue
            tell = functools.partial(progress.step, name)
            result = harness.measure(name, options.n, options.rounds, tell, options.contender or ())
            scenarios[name] = result.as_json()
            report.write(results, options.out)
            progress.say(*lines(result))
            for contender, fault in result.faults.items():
                progress.say(f"    {contender}: {fault}", file=sys.stderr)
                failed |= not fault.startswith("Missing")
    if options.instructions:
        try:
            results["instructions"] = instructions.count()
        except (Missing, RuntimeError) as fault:
            print(f"    instructions: {type(fault).__name__}: {fault}", file=sys.stderr)
            failed |= not isinstance(fault, Missing)
    return failed


def has_bar(name: str) -> bool:
    scenario = harness.load(name)
    return bool(scenario.bars) or scenario.limit is not None or scenario.no_gil is not None


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks",
        description="Measure gmprt beside its peers, each sample in a process of its own.",
    )
    parser.add_argument(
        "--scenario",
        action="append",
        choices=[*harness.names(), LATENCY],
        metavar="NAME",
        help=f"one of {', '.join([*harness.names(), LATENCY])}; may be repeated (default: all)",
    )
    parser.add_argument("--bars", action="store_true", help="only the scenarios that have a bar")
    parser.add_argument(
        "--contender",
        action="append",
        metavar="NAME",
        help="only gmprt and this one; may be repeated (default: all)",
    )
    parser.add_argument(
        "--n", type=latency.positive, help="operations a sample (default: the scenario's own)"
    )
    parser.add_argument("--rounds", type=latency.positive, help="samples each (default: mostly 5)")
    parser.add_argument(
        "--instructions",
        action="store_true",
        help=f"count them, too, for {', '.join(instructions.HOTTEST)}: takes minutes",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmark-results"),
        metavar="FOLDER",
        help="where results.json, results.md and report.html go (default: %(default)s)",
    )
    parser.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("OLD", "NEW"),
        help="measure nothing; print what changed between two results.json (status 1: slower)",
    )
    options = parser.parse_args()
    if options.compare:
        try:
            old, new = (report.read(path) for path in options.compare)
        except (OSError, ValueError) as fault:
            parser.error(str(fault))
        out, slower = compare.compare(old, new)
        print("\n".join(out))
        return 1 if slower else 0
    takes_part = {who for name in harness.names() for who in harness.load(name).contenders}
    for who in options.contender or ():
        if who not in takes_part:
            parser.error(f"no contender {who!r}; there are {', '.join(sorted(takes_part))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the child is ended, too
    try:
        return run(options)
    except OSError as fault:
        parser.error(str(fault))


if __name__ == "__main__":
    sys.exit(main())
