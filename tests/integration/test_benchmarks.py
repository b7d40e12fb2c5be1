"""The benchmarks work: every scenario once, as small as it goes. Nothing here is about speed."""

import importlib
import json
import math
import os
import platform
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import _latency_plot as latency_plot
from benchmarks import harness, latency
from tests.support import Finished, start_prog, wait_prog

CASES = [(name, who) for name in harness.names() for who in harness.load(name).contenders]


def run_benchmarks(
    *args: object, env: dict[str, str] | None = None, module: str = "benchmarks"
) -> Finished:
    """Run `python -m benchmarks`, from wherever these tests were started."""
    with start_prog("-m", module, *args, env=env) as child:
        return wait_prog(child)


@pytest.mark.parametrize(("name", "contender"), CASES)
def test_a_scenario_runs(
    name: str,
    contender: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With n = 1: it gives a number, says nothing on stderr and leaves no goroutine behind."""
    monkeypatch.setenv("GMPRT_LEAKS", "error")
    try:
        value = harness.sample(name, contender, 1)
    except harness.Missing as fault:
        if contender.startswith("gmprt"):
            raise
        pytest.skip(str(fault))
    assert capsys.readouterr().err == ""
    assert math.isfinite(value)
    if harness.load(name).unit in harness.SECONDS:
        assert value > 0


@pytest.mark.parametrize("name", harness.names())
def test_a_scenario_says_what_it_does_not_show(name: str) -> None:
    """And holds up to the conventions that the runner and the reader count on."""
    module = importlib.import_module(f"benchmarks.{name}")
    scenario = harness.load(name)
    assert "\nDoes not show: " in module.__doc__
    assert next(iter(scenario.contenders)).startswith("gmprt")
    assert set(scenario.bars) <= set(scenario.contenders)
    for function in scenario.contenders.values():
        if function.__module__ != "benchmarks._two_ps":  # one program, on two Ps and on one
            assert getattr(module, function.__name__) is function


def test_the_runner_prints_the_speed_table(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = run_benchmarks("--n", 10, "--rounds", 1, "--json", report)
    assert (done.returncode, done.stderr.replace(missing_line(), "")) == (0, "")
    titles = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert titles == [
        "spawn_join: go + join, one at a time (n = 10)",
        "yield_ten: yield among ten goroutines (n = 10)",
        "pingpong: unbuffered ping-pong, round trip (n = 10)",
        "buffered: channel of 100, per item (n = 10)",
    ]
    bars = {name: one["bars"] for name, one in json.loads(report.read_text())["scenarios"].items()}
    assert bars == {
        "spawn_join": {"asyncio": 0.45, "gevent": 0.15},
        "yield_ten": {"asyncio": 0.50, "gevent": 0.45},
        "pingpong": {"asyncio": 0.40, "gevent": 0.55},
        "buffered": {"asyncio": 0.75},
    }


def missing_line() -> str:
    """Return what the runner says on stderr, for each scenario, where gevent is not installed."""
    return "(nothing)" if find_spec("gevent") else "    gevent: Missing: No module named 'gevent'\n"


def test_the_report_has_samples_environment_and_who_is_missing(tmp_path: Path) -> None:
    """gevent can't be imported here: the table says so, and goes on."""
    (tmp_path / "gevent.py").write_text("raise ImportError('not today')")
    report = tmp_path / "report.json"
    done = run_benchmarks(
        *("--scenario", "spawn_join", "--n", 10, "--rounds", 3, "--json", report),
        env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{harness.ROOT}"},
    )
    assert (done.returncode, done.stderr) == (0, "    gevent: Missing: not today\n")
    title, gmprt, asyncio, gevent = done.stdout.splitlines()
    assert title == "spawn_join: go + join, one at a time (n = 10)"
    assert gmprt.split()[0] == "gmprt"
    assert " gmprt / asyncio = " in asyncio
    assert " (at most 0.45: " in asyncio
    assert gevent.split() == ["gevent", "missing"]
    content = json.loads(report.read_text())
    one = content["scenarios"]["spawn_join"]
    assert set(one["samples"]) == {"gmprt", "asyncio"}
    assert [len(samples) for samples in one["samples"].values()] == [3, 3]
    for who, samples in one["samples"].items():
        ranked = sorted(samples)
        summary = {"min": ranked[0], "median": ranked[1], "p99": ranked[2], "n": 3}
        assert one["summary"][who] == summary
    assert one["missing"] == {"gevent": "Missing: not today"}
    assert one["ratios"]["asyncio"] == min(one["samples"]["gmprt"]) / min(one["samples"]["asyncio"])
    assert {"python", "gil", "platform", "cpu", "cpus", "versions", "load", "time"} <= set(
        content["environment"]
    )


def test_the_runner_refuses_an_unknown_scenario() -> None:
    done = run_benchmarks("--scenario", "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert "invalid choice: 'nothing'" in done.stderr


# -- the latency of a ticker, which has its own runner


def test_the_latency_benchmark_prints_a_row_for_each_contender_and_draws_it(tmp_path: Path) -> None:
    """Tiny, for two cases. gevent can't be imported, and there is no go command: both are named."""
    (tmp_path / "gevent.py").write_text("raise ImportError('not today')")
    picture = tmp_path / "latency.svg"
    done = run_benchmarks(
        *("--cases", "nothing", "announced", "--seconds", 0.05, "--rounds", 2, "--svg", picture),
        module="benchmarks.latency",
        env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{harness.ROOT}", "PATH": str(tmp_path)},
    )
    assert done.stderr == "    gevent: missing: not today\n    go: missing: no go command\n"
    assert done.returncode == 0
    where, head, *rows = done.stdout.splitlines()
    assert where.startswith(f"Python {platform.python_version()} with")
    assert head.split() == ["lateness,", "ms", "p50", "p99", "max", "ticks"]
    assert [row for row in rows if not row.startswith(" ")] == [
        "nothing: a tick every 10 ms beside nothing",
        "announced: a tick every 10 ms beside 4 that block in calls of 50 ms, announced",
    ]
    present = ["gmprt", "gmprt apart", "asyncio", "threads"]
    for part in (rows[1:7], rows[8:14]):
        lines = {line[4:16].strip(): line[16:].split() for line in part}
        assert sorted(lines) == sorted([*present, "gevent", "go"])
        assert lines["gevent"] == lines["go"] == ["missing"]
        for who in present:
            p50, p99, most, n, *_ = lines[who]
            assert 0 < float(p50) <= float(p99) <= float(most)
            assert n == "10"
    assert ["p99 at most 15: " in row for row in rows[8:14]] == [True, True, *[False] * 4]
    drawn = ElementTree.parse(picture).getroot()
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    words = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert [words.count(who) for who in (*present, "gevent", "go", "missing")] == [*[2] * 6, 4]
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) == 3 * 2 * len(present)


def test_a_latency_row_that_stalls_or_is_too_late_misses_its_bar() -> None:
    """And the ticks' percentiles are the nearest ranks."""
    late = [tick / 1000 for tick in range(1, 101)]
    row = latency.Row("loops1", "gmprt", 0.1, late)
    assert (row.at(0.5), row.at(0.99), row.at(1.0)) == (0.05, 0.099, 0.1)
    assert (row.over, row.line().endswith("100  p99 at most 100: ok")) == (False, True)
    assert latency.Row("loops1", "gmprt", 0.098, late).line().endswith("p99 at most 98: OVER")
    stalled = latency.Row("loops1", "gmprt", 0.098, fault="stalled")
    assert stalled.line().split() == ["gmprt", "stalled", "p99", "at", "most", "98:", "OVER"]
    assert latency.Row("loops1", "asyncio", None, fault="stalled").line().split() == [
        "asyncio",
        "stalled",
    ]


def test_a_ticker_that_gets_no_ticks_is_ended() -> None:
    """asyncio has nobody who would take the loop away from a coroutine."""
    command = [sys.executable, "-m", "benchmarks._latency", "CASE", "asyncio"]
    with pytest.raises(latency.Stalled, match=r"^not all ticks in 5\.02 s$"):
        latency.ticks(command, "loops1", 0.01)


def test_the_latency_benchmark_says_what_it_does_not_show() -> None:
    assert "\nDoes not show: " in latency.__doc__
    assert list(latency.CASES) == list(latency.LOADS)
    assert list(latency_plot.COLORS) == [*latency.CONTENDERS, latency.GO]
