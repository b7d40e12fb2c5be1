"""Run scenarios and print the table: `python -m benchmarks [--scenario NAME]... [--json FILE]`."""

import argparse
import json
import signal
import sys
from pathlib import Path

from benchmarks import harness
from benchmarks.harness import Result

TABLE = ("spawn_join", "yield_ten", "pingpong", "buffered")


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
        line = f"    {contender:12}{shown(result, contender):>16}"
        if contender in ratios:
            ratio = ratios[contender]
            line += f"    {first} / {contender} = {ratio:.2f}"
            line += verdict(ratio, scenario.bars.get(contender))
        elif contender == first and (best := result.best(first)) is not None:
            scale = harness.SECONDS.get(scenario.unit, 1.0)
            limit = None if scenario.limit is None else scenario.limit / scale
            line += f"   {verdict(best / scale, limit)}"
        table.append(line.rstrip())
    return table


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure gmprt and its peers.")
    parser.add_argument(
        "--scenario",
        action="append",
        choices=harness.names(),
        metavar="NAME",
        help=f"one of {', '.join(harness.names())}; may be repeated (default: {', '.join(TABLE)})",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--n", type=int, help="operations a sample (default: the scenario's own)")
    parser.add_argument("--rounds", type=int, help="samples, the best counts (default: mostly 5)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the child is ended, too
    where = harness.environment()
    results = []
    for name in options.scenario or TABLE:
        result = harness.measure(name, options.n, options.rounds)
        results.append(result)
        print("\n".join(lines(result)), flush=True)
        for contender, fault in result.faults.items():
            print(f"    {contender}: {fault}", file=sys.stderr)
    if options.json:
        scenarios = {result.name: result.as_json() for result in results}
        report = {"environment": where, "scenarios": scenarios}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    failed = any(not f.startswith("Missing") for r in results for f in r.faults.values())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
