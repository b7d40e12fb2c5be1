"""What a run has measured, for people: a Markdown table, and a page with a picture a scenario.

Both are made from the content of `results.json` alone, so that old results can be shown again:
`python -m benchmarks.report results.json`.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from benchmarks import latency
from benchmarks._latency_plot import plot
from benchmarks._svg import Decades, color, dot, duration, line, picture, text
from benchmarks.elsewhere import NO_GIL

LEFT, WIDTH, ROW, TOP, RIGHT = 130, 420, 20, 30, 260  # pixels
OVERVIEW = ("asyncio", "uvloop", "gevent", "trio", "curio", "threads", "pool", "pyroutine", "go")

Json = Mapping[str, Any]

STYLE = """
body { font-family: sans-serif; max-width: 62em; margin: 2em auto; color: #222; }
table { border-collapse: collapse; margin: 1em 0; font-size: 90%; }
th, td { border: 1px solid #ddd; padding: 0.2em 0.6em; text-align: right; }
th:first-child, td:first-child { text-align: left; }
td.better { background: #dff0d8; } td.worse { background: #f7dcdc; } td.over { color: #c00; }
p.small, dd { font-size: 85%; color: #555; }
"""


def first_of(one: Json) -> str:
    """Return with whom the others are compared, whether it has numbers or not."""
    return str(one.get("first") or next(iter(one["samples"]), ""))


def amount(value: float, unit: str) -> str:
    """Return a measured value with its unit."""
    if unit == "seconds":
        return duration(value)
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def bars(results: Json) -> Iterator[tuple[str, str, float, float, float]]:
    """Yield each bar: scenario, what is compared, at most, by the best samples, by the medians.

    What was not measured is left out; a limit in seconds, bytes or % has its value for both.
    """
    for name, one in results["scenarios"].items():
        first = first_of(one)
        for rival, most in one["bars"].items():
            if rival in one["ratios"]:
                ratio, median = one["ratios"][rival], one["median_ratios"][rival]
                yield name, f"{first} / {rival}", most, ratio, median
        if one["no_gil"] is not None and NO_GIL in one["ratios"] and results["environment"]["gil"]:
            ratio, median = (1 / one[key][NO_GIL] for key in ("ratios", "median_ratios"))
            yield name, f"{NO_GIL} / {first}", one["no_gil"], ratio, median
        if one["limit"] is not None and first in one["summary"]:
            what, summary = f"{first}, {one['unit']}", one["summary"][first]
            yield name, what, one["limit"], summary["min"], summary["median"]


def where(environment: Json) -> list[tuple[str, str]]:
    """Return what is worth to know about the machine, as names and values."""
    versions = environment["versions"]
    known = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    load = environment["load"]
    return [
        ("Python", str(environment["python"]).replace("\n", " ")),
        ("GIL", "with" if environment["gil"] else "without"),
        ("machine", f"{environment['cpus_usable']} CPUs, {environment['cpu']}"),
        ("system", str(environment["platform"])),
        ("load before", " ".join(f"{average:.2f}" for average in load) if load else "unknown"),
        ("versions", known),
        ("time", str(environment["time"])),
    ]


def rows(one: Json) -> Iterator[list[str]]:
    """Yield the rows of a scenario's table: contender, best, median, both ratios, samples."""
    first = first_of(one)
    for who, samples in one["samples"].items():
        summary = one["summary"][who]
        both = [amount(summary[key], one["unit"]) for key in ("min", "median")]
        ratios = ["", ""]
        if who != first and who in one["ratios"]:
            ratios = [f"{one[key][who]:.2f}" for key in ("ratios", "median_ratios")]
        yield [who, *both, *ratios, str(len(samples))]
    for who, why in one["missing"].items():
        yield [who, fault_of(why), "", "", "", ""]


def fault_of(why: str) -> str:
    """Say in a word why somebody has no numbers."""
    return "missing" if why.startswith("Missing") else "failed"


def absent(one: Json) -> Iterator[tuple[str, str]]:
    """Yield who has no numbers, and why."""
    yield from one["without"].items()
    for who, why in one["missing"].items():
        yield who, why.splitlines()[0]


LATENCY_HEAD = ["beside", "contender", "p50, ms", "p99", "max", "p99 at most", ""]
HEAD = ["contender", "best", "median", "gmprt / it, best", "median", "samples"]


def markdown(results: Json) -> str:
    """Return all that was measured as Markdown tables."""
    out = [
        "# Results",
        "",
        *(f"- {name}: {value}" for name, value in where(results["environment"])),
    ]
    out += ["", "## Bars", "", "| scenario | what | at most | best | median | |"]
    out += ["| --- | --- | --- | --- | --- | --- |"]
    for name, what, most, best, median in bars(results):
        verdict = "ok" if best <= most else "OVER"
        out.append(f"| {name} | {what} | {most:.3g} | {best:.3g} | {median:.3g} | {verdict} |")
    for name, one in results["scenarios"].items():
        out += ["", f"## {name}: {one['title']}", "", f"| {' | '.join(HEAD)} |"]
        out += ["| --- | --- | --- | --- | --- | --- |"]
        out += [f"| {' | '.join(row)} |" for row in rows(one)]
        out += ["", *(f"- {who}: {why}" for who, why in absent(one))]
    if late := results.get("latency"):
        out += ["", "## latency: how late a tick every 10 ms is, ms", ""]
        out += [f"| {' | '.join(LATENCY_HEAD)} |"]
        out += ["| --- | --- | --- | --- | --- | --- | --- |"]
        for row in latency_rows(late):
            cells = [row.case, row.who, *latency_cells(row)]
            out.append(f"| {' | '.join(cells)} |")
    if counts := results.get("instructions"):
        out += ["", f"## Instructions an operation ({counts['by']})", ""]
        out += ["| scenario | contender | instructions |", "| --- | --- | --- |"]
        for name, each in counts["counts"].items():
            out += [f"| {name} | {who} | {count:.0f} |" for who, count in each.items()]
    return "\n".join(out) + "\n"


def latency_rows(late: list[Json]) -> list[latency.Row]:
    return [latency.Row(**row) for case in late for row in case["rows"]]


def latency_cells(row: latency.Row) -> list[str]:
    """Return p50, p99 and max in ms, the bar and the verdict."""
    shown = [row.fault, "", ""]
    if not row.fault:
        shown = [f"{row.at(share) * 1e3:.2f}" for share in (0.5, 0.99, 1.0)]
    if row.bar is None:
        return [*shown, "", ""]
    return [*shown, f"{row.bar * 1e3:g}", "OVER" if row.over else "ok"]


def chart(one: Json) -> str:
    """Return a scenario's picture: a row a contender, all samples from best to worst, log axis."""
    samples = {who: values for who, values in one["samples"].items() if min(values) > 0}
    if not samples:
        return ""
    first = first_of(one)
    axis = Decades.around(LEFT, WIDTH, [v for values in samples.values() for v in values])
    height = TOP + ROW * len(samples) + 10
    parts = []
    for value, x in axis.ticks():
        parts.append(line(x, TOP - 8, x, height - 6, "#ddd"))
        words = amount(value, one["unit"])
        parts.append(text(x, TOP - 14, words, text_anchor="middle", fill="#555"))
    best = one["summary"].get(first, {}).get("min")
    for place, (who, values) in enumerate(samples.items()):
        y = TOP + ROW * place + ROW / 2
        stroke, summary = color(who), one["summary"][who]
        words = amount(summary["min"], one["unit"])
        if who != first and best:
            words += f": {summary['min'] / best:.3g} times {first}'s"
        parts += [
            text(LEFT - 8, y + 4, who, text_anchor="end", fill="#222"),
            line(axis.x(min(values)), y, axis.x(max(values)), y, stroke, 3),
            dot(axis.x(summary["min"]), y, stroke),
            line(axis.x(summary["median"]), y - 6, axis.x(summary["median"]), y + 6, stroke, 2),
            text(LEFT + WIDTH + 12, y + 4, words, fill="#555"),
        ]
    return picture(LEFT + WIDTH + RIGHT, height, parts)


def overview_chart(results: Json) -> str:
    """Return all scenarios in a picture: what each contender takes in terms of gmprt, log axis."""
    ratios = {
        name: {who: 1 / one["ratios"][who] for who in OVERVIEW if who in one["ratios"]}
        for name, one in results["scenarios"].items()
    }
    ratios = {name: found for name, found in ratios.items() if found}
    if not ratios:
        return ""
    axis = Decades.around(
        LEFT, WIDTH, [1.0, *(v for each in ratios.values() for v in each.values())]
    )
    top = TOP + ROW
    height = top + ROW * len(ratios) + 10
    parts = []
    for place, who in enumerate(OVERVIEW):
        x = LEFT + place * 72
        parts += [dot(x, 8, color(who)), text(x + 7, 12, who, fill="#222")]
    for value, x in axis.ticks():
        parts.append(line(x, top - 8, x, height - 6, "#222" if round(value, 9) == 1 else "#ddd"))
        words = "gmprt" if round(value, 9) == 1 else f"{value:g} times"
        parts.append(text(x, top - 14, words, text_anchor="middle", fill="#555"))
    for place, (name, each) in enumerate(ratios.items()):
        y = top + ROW * place + ROW / 2
        parts.append(text(LEFT - 8, y + 4, name, text_anchor="end", fill="#222"))
        parts += [dot(axis.x(times), y, color(who)) for who, times in each.items()]
    return picture(LEFT + WIDTH + RIGHT, height, parts)


def table(head: list[str], body: list[list[str]]) -> str:
    """Return an HTML table; a cell may bring its class along: "text\\0class"."""

    def cell(words: str) -> str:
        shown, _, kind = words.partition("\0")
        attribute = f' class="{kind}"' if kind else ""
        return f"<td{attribute}>{escape(shown)}</td>"

    lines = ["<table>", f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>"]
    lines += [f"<tr>{''.join(map(cell, row))}</tr>" for row in body]
    return "\n".join([*lines, "</table>"])


def overview(results: Json) -> str:
    """Return the table of all scenarios: how many times gmprt's best each contender's is."""
    body = []
    for name, one in results["scenarios"].items():
        first, summary, missing = first_of(one), one["summary"], one["missing"]
        if first in summary:
            cells = [name, amount(summary[first]["min"], one["unit"])]
        else:
            cells = [name, fault_of(missing[first]) if first in missing else ""]
        for who in OVERVIEW:
            if ratio := one["ratios"].get(who):
                cells.append(f"{1 / ratio:.3g}\0{'better' if ratio <= 1 else 'worse'}")
            else:
                cells.append(fault_of(missing[who]) if who in missing else "")
        body.append(cells)
    return table(["scenario", "gmprt", *OVERVIEW], body)


def docstring(name: str) -> list[str]:
    """Return the paragraphs that say what a scenario shows, and what not; none if it is gone."""
    try:
        module = importlib.import_module(f"benchmarks.{name}")
    except ImportError:
        return []
    return [" ".join(part.split()) for part in (module.__doc__ or "").split("\n\n")]


def page(results: Json) -> str:
    """Return the page: what was measured where, the bars, and every scenario with its picture."""
    parts = ["<h1>gmprt beside the others</h1>", "<dl>"]
    for name, value in where(results["environment"]):
        parts.append(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>")
    parts += [
        "</dl>",
        "<p>Each sample comes from a process of its own; the contenders of a scenario took turns. A"
        " line shows all samples of a contender, a dot the best one, a stroke the median.</p>",
        "<h2>All scenarios</h2>",
        "<p>How many times gmprt's time (or bytes) each contender takes, by the best samples;"
        " green: gmprt needs less. An empty cell: has no part in it (see there), or was not"
        " asked.</p>",
        overview_chart(results),
        overview(results),
        "<h2>Bars</h2>",
    ]
    body = []
    for name, what, most, best, median in bars(results):
        verdict = "ok" if best <= most else "OVER\0over"
        body.append([name, what, f"{most:.3g}", f"{best:.3g}", f"{median:.3g}", verdict])
    parts.append(table(["scenario", "what", "at most", "best", "median", ""], body))
    if late := results.get("latency"):
        groups = [(case["title"], [latency.Row(**row) for row in case["rows"]]) for case in late]
        cells = [[row.case, row.who, *latency_cells(row)] for row in latency_rows(late)]
        for row in cells:
            row[-1] += "\0over" * (row[-1] == "OVER")
        parts += ["<h2>Latency</h2>", plot("", groups), table(LATENCY_HEAD, cells)]
    for name, one in results["scenarios"].items():
        parts.append(f"<h2>{escape(name)}: {escape(one['title'])}</h2>")
        parts += [f"<p>{escape(paragraph)}</p>" for paragraph in docstring(name)]
        parts += [chart(one), table(HEAD, list(rows(one)))]
        if gone := [f"{escape(who)}: {escape(why)}" for who, why in absent(one)]:
            parts.append(f'<p class="small">{"<br>".join(gone)}</p>')
    if counts := results.get("instructions"):
        parts.append(f"<h2>Instructions an operation, by {escape(counts['by'])}</h2>")
        each = [
            [name, who, f"{count:.0f}"]
            for name, counted in counts["counts"].items()
            for who, count in counted.items()
        ]
        parts.append(table(["scenario", "contender", "instructions"], each))
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            f"<title>gmprt beside the others</title><style>{STYLE}</style></head><body>",
            *parts,
            "</body></html>\n",
        ]
    )


def read(path: Path) -> dict[str, Any]:
    """Return what a `results.json` has.

    Raises: OSError; ValueError if it is none.
    """
    try:
        results = json.loads(path.read_text())
    except ValueError as fault:
        raise ValueError(f"{path}: {fault}") from fault
    if not isinstance(results, dict) or not {"environment", "scenarios"} <= results.keys():
        raise ValueError(f"{path}: not the results of a run")
    return results


def write(results: Json, folder: Path) -> None:
    """Write `results.json`, `results.md`, `report.html` and its first picture there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "results.md").write_text(markdown(results))
    (folder / "report.html").write_text(page(results))
    (folder / "overview.svg").write_text(overview_chart(results))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks.report", description="Make the table and the page of results again."
    )
    parser.add_argument("results", type=Path, help="a results.json; the others are put beside it")
    options = parser.parse_args()
    try:
        write(read(options.results), options.results.parent)
    except (OSError, ValueError) as fault:
        parser.error(str(fault))
    return 0


if __name__ == "__main__":
    sys.exit(main())
