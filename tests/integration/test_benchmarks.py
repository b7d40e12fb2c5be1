"""The benchmarks work: every scenario once, as small as it goes. Nothing here is about speed."""

import importlib
import json
import math
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import harness
from tests.support import Finished, start_prog, wait_prog

CASES = [(name, who) for name in harness.names() for who in harness.load(name).contenders]


def run_benchmarks(*args: object, env: dict[str, str] | None = None) -> Finished:
    """Run `python -m benchmarks`, from wherever these tests were started."""
    with start_prog("-m", "benchmarks", *args, env=env) as child:
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
