"""The benchmarks work: every scenario once, as small as it goes. Nothing here is about speed."""

import copy
import importlib
import json
import math
import os
import platform
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import _svg, compare, elsewhere, harness, instructions, latency, report
from tests.support import Finished, start_prog, wait_prog

OURS = [
    (name, who)
    for name in harness.names()
    for who in harness.load(name).contenders
    if who.startswith("gmprt") and not who.endswith(elsewhere.WITHOUT)
]
ALL_AT_ONCE = """
import sys
from benchmarks import _child, harness
for name in harness.names():
    if sys.argv[1] in harness.load(name).contenders:
        print(name, end=" ")
        _child.main(name, sys.argv[1], "1")
"""


def run_benchmarks(
    *args: object, env: dict[str, str] | None = None, module: str = "benchmarks"
) -> Finished:
    """Run `python -m benchmarks`, from wherever these tests were started."""
    with start_prog("-m", module, *args, env=env) as child:
        return wait_prog(child)


@pytest.mark.parametrize(("name", "contender"), OURS)
def test_a_scenario_runs(
    name: str,
    contender: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With n = 1: it gives a number, says nothing on stderr and leaves no goroutine behind."""
    monkeypatch.setenv("GMPRT_LEAKS", "error")
    value = harness.sample(name, contender, 1)
    assert capsys.readouterr().err == ""
    assert math.isfinite(value)
    if harness.load(name).unit in harness.SECONDS:
        assert value > 0


@pytest.mark.parametrize(
    "who", [who for who in harness.PEERS if who not in (elsewhere.GO, elsewhere.PYROUTINE)]
)
def test_a_peer_runs_all_its_scenarios(who: str) -> None:
    """With n = 1, all in one process, which is enough to see that they work."""
    library = {"threads": "threading", "pool": "concurrent.futures"}.get(who, who)
    with start_prog("-c", ALL_AT_ONCE, who) as child:
        done = wait_prog(child)
    assert (done.returncode, done.stderr) == (0, "")
    answers = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert list(answers) == [n for n in harness.names() if who in harness.load(n).contenders]
    for name, answer in answers.items():
        told = json.loads(answer)
        assert ("missing" in told) == (find_spec(library) is None), name
        assert "missing" in told or math.isfinite(told["value"]), name


def test_pyroutine_runs_all_its_scenarios() -> None:
    """With n = 1, each in its process: it takes the number of its threads once."""
    try:
        elsewhere.pyroutine_python()
    except harness.Missing as fault:
        pytest.skip(str(fault))
    for name in harness.names():
        if elsewhere.PYROUTINE in harness.load(name).contenders:
            assert math.isfinite(harness.sample(name, elsewhere.PYROUTINE, 1)), name


def test_go_runs_all_its_scenarios() -> None:
    """With n = 1, and the Go program has nothing that no scenario asks for."""
    program = elsewhere.go_program()
    if isinstance(program, str):
        pytest.skip(program)
    for name in harness.names():
        if elsewhere.GO in harness.load(name).contenders and name not in SLOW_IN_GO:
            assert math.isfinite(harness.sample(name, elsewhere.GO, 1)), name
    done = subprocess.run([program, "nothing", "1"], capture_output=True, text=True)
    assert done.returncode == 2
    known = set(re.findall(r"[a-z]+(?:_[a-z0-9]+)+|[a-z]+", done.stderr.rpartition(":")[2]))
    assert {n for n in harness.names() if elsewhere.GO in harness.load(n).contenders} <= known


@pytest.mark.parametrize("name", harness.names())
def test_a_scenario_says_what_it_does_not_show(name: str) -> None:
    """And holds up to the conventions that the runner and the reader count on."""
    module = importlib.import_module(f"benchmarks.{name}")
    scenario = harness.load(name)
    assert "\nDoes not show: " in module.__doc__
    first, *others = scenario.contenders
    assert first.startswith("gmprt")
    peers = [who for who in others if who in harness.PEERS]
    assert peers == [who for who in harness.PEERS if who in scenario.contenders]  # in that order
    assert set(scenario.bars) | set(scenario.fewer) <= set(scenario.contenders)
    # Nobody is left out in silence.
    assert set(scenario.without) == set(harness.PEERS) - set(peers)
    assert all(scenario.without.values())


def test_the_runner_prints_a_table_and_writes_the_report(tmp_path: Path) -> None:
    """gevent can't be imported here, and there is no go: the table says so, and goes on."""
    (tmp_path / "gevent.py").write_text("raise ImportError('not today')")
    out = tmp_path / "out"
    done = run_benchmarks(
        *("--scenario", "spawn_join", "--scenario", "cancel", "--n", 10, "--rounds", 3),
        *("--contender", "asyncio", "--contender", "gevent", "--contender", "go", "--out", out),
        env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{harness.ROOT}", "PATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[:2] == [
        "    gevent: Missing: not today",
        "    go: Missing: no go command",
    ]
    rows = done.stdout.splitlines()
    assert rows[0] == "spawn_join: go + join, one at a time (n = 10)"
    assert [row.split()[0] for row in rows[1:5]] == ["gmprt", "asyncio", "gevent", "go"]
    assert " gmprt / asyncio = " in rows[2]
    assert " (at most 0.3: " in rows[2]
    assert rows[3].split() == ["gevent", "missing"]
    results = json.loads((out / "results.json").read_text())
    one = results["scenarios"]["spawn_join"]
    assert set(one["samples"]) == {"gmprt", "asyncio"}
    assert [len(samples) for samples in one["samples"].values()] == [3, 3]
    for who, samples in one["samples"].items():
        ranked = sorted(samples)
        summary = {"min": ranked[0], "median": ranked[1], "p99": ranked[2], "n": 3}
        assert one["summary"][who] == summary
    assert one["missing"] == {"gevent": "Missing: not today", "go": "Missing: no go command"}
    for key, of in (("ratios", "min"), ("median_ratios", "median")):
        ours, theirs = one["summary"]["gmprt"][of], one["summary"]["asyncio"][of]
        assert one[key]["asyncio"] == ours / theirs
    assert {"python", "gil", "platform", "cpu", "cpus", "versions", "load", "time"} <= set(
        results["environment"]
    )
    table = (out / "results.md").read_text()
    assert "| gevent | missing |" in table
    assert "- gevent: Missing: not today" in table
    assert "## cancel: " in table


def test_the_page_shows_every_contender_and_needs_no_network(tmp_path: Path) -> None:
    """Made of results alone; each picture is sound XML, and has a row for each who was measured."""
    report.write(RESULTS, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 4  # all in one, the latency, and one for each scenario
    for picture in pictures:
        ElementTree.fromstring(picture)
    words = [text.text for text in ElementTree.fromstring(pictures[2]).iter(f"{SVG}text")]
    assert {"gmprt", "asyncio", "20 us: 2 times gmprt's"} <= set(words)
    assert "trio: has no such thing" in page
    assert "curio: Missing: not here" in page
    assert page.count("OVER") == 2  # the bar that asyncio sets, and gmprt's in the latency
    # The same again, from the file.
    (tmp_path / "report.html").unlink()
    done = run_benchmarks(tmp_path / "results.json", module="benchmarks.report")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "report.html").read_text() == page


def test_the_runner_compares_two_runs(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(RESULTS))
    new.write_text(json.dumps(scaled(RESULTS, 1.5)))
    done = run_benchmarks("--compare", old, new)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "    spawn_join        +50.0%   noise   4.8%   slower",
        "    parked             +0.0%   noise   2.0%   same",
        "    spawn_join        +50.0%   instructions   more",
    ]
    done = run_benchmarks("--compare", new, old)
    assert (done.returncode, done.stderr) == (0, "")
    assert "    spawn_join        -33.3%   noise   4.8%   faster" in done.stdout.splitlines()
    done = run_benchmarks("--compare", tmp_path / "none.json", old)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("benchmarks: error: ")


def test_a_change_within_the_noise_is_none() -> None:
    """A machine twice as slow for all is no change; neither is what lies within both ranges."""
    assert verdicts(RESULTS, RESULTS) == ["same", "same"]
    slow = scaled(scaled(RESULTS, 2.0), 2.0, "asyncio")
    assert verdicts(RESULTS, slow)[0] == "same"
    assert verdicts(RESULTS, scaled(RESULTS, 1.04))[0] == "same"
    few = scaled(RESULTS, 2.0)
    for samples in few["scenarios"]["spawn_join"]["samples"].values():
        del samples[3:]
    assert verdicts(RESULTS, few)[0] == "too few rounds"


def test_what_else_is_not_the_same_is_told() -> None:
    other = scaled(RESULTS, 1.0)
    other["environment"]["python"] = "3.99"
    other["scenarios"]["spawn_join"]["n"] = 7
    del other["scenarios"]["parked"]
    told, slower = compare.compare(RESULTS, other)
    assert not slower
    assert told[:3] == [
        "not the same: python: 3.11.7 / 3.99",
        "not the same: only in the old one: parked",
        "not the same: spawn_join: n = 10 / 7",
    ]


def test_instructions_are_counted_by_the_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start of the interpreter is not in the number; without a tool it is said so."""

    def run(tool: str, command: list[str]) -> int:
        return 1_000_000 + 250 * int(command[-1]) if command[-1].isdigit() else 0

    monkeypatch.setattr(instructions, "run", run)
    monkeypatch.setattr(instructions, "tool", lambda: "callgrind")
    counted = instructions.count()
    each = dict.fromkeys(instructions.WHO, 250.0)
    assert counted == {"by": "callgrind", "counts": dict.fromkeys(instructions.HOTTEST, each)}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--scenario", "nothing"), "invalid choice: 'nothing'"),
        (("--contender", "nobody"), "no contender 'nobody'; there are "),
        (("--rounds", "0"), "--rounds: at least 1, not 0"),
        (("--n", "-5"), "--n: at least 1, not -5"),
        (("--scenario", "cancel", "--out", "/dev/null/here"), "/dev/null/here"),
        (("--compare", "/dev/null", "/dev/null"), "/dev/null: Expecting value"),
    ],
)
def test_the_runner_refuses_what_it_cannot_do(args: tuple[str, ...], words: str) -> None:
    done = run_benchmarks(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("module", "args", "words"),
    [
        ("benchmarks.latency", ("--rounds", "0"), "--rounds: at least 1, not 0"),
        ("benchmarks.latency", ("--seconds", "nan"), "--seconds: at least 0.01, "),
        ("benchmarks.latency", ("--svg", "/dev/null/here"), "/dev/null/here"),
        ("benchmarks.report", ("/dev/null",), "/dev/null: Expecting value"),
        ("benchmarks.report", ("/nowhere",), "/nowhere"),
    ],
)
def test_so_do_the_others(module: str, args: tuple[str, ...], words: str) -> None:
    done = run_benchmarks(*args, module=module)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_run_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text("{}")
    done = run_benchmarks("--compare", tmp_path / "some.json", tmp_path / "some.json")
    assert done.returncode == 2
    assert "some.json: not the results of a run" in done.stderr


def test_ctrl_c_keeps_what_has_been_measured(tmp_path: Path) -> None:
    """Stopped after the first of two scenarios, each of which takes a while."""
    args = ("--scenario", "cancel", "--scenario", "mutex", "--n", 10, "--rounds", 3)
    written = tmp_path / "results.json"
    with start_prog("-m", "benchmarks", *args, "--out", tmp_path) as child:
        while not (written.exists() and '"cancel"' in written.read_text()):
            assert child.poll() is None
            time.sleep(0.001)
        child.send_signal(signal.SIGINT)
        done = wait_prog(child)
    assert list(json.loads(written.read_text())["scenarios"]) == ["cancel"]
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith("stopped\n")
    assert done.stdout.endswith("results.md and report.html\n")


def test_a_page_whose_first_contender_failed_does_not_show_another_in_its_place() -> None:
    results = copy.deepcopy(RESULTS)
    one = results["scenarios"]["spawn_join"]
    for key in ("samples", "summary"):
        del one[key]["gmprt"]
    one["ratios"] = one["median_ratios"] = {}
    one["missing"]["gmprt"] = "RuntimeError: status 1"
    row = report.overview(results).splitlines()[2]
    assert row.startswith("<tr><td>spawn_join</td><td>failed</td><td></td>")


def test_a_program_in_go_that_cannot_be_built_is_tried_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def fails(folder: str) -> Path:
        tried.append(folder)
        raise RuntimeError("go build failed")

    monkeypatch.setattr(elsewhere, "build_go", fails)
    elsewhere.go_program.cache_clear()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="go build failed"):
            elsewhere.command("cancel", elsewhere.GO, 1)
    elsewhere.go_program.cache_clear()
    assert tried == ["scenarios"]


def scaled(results: dict[str, Any], by: float, who: str = "gmprt") -> dict[str, Any]:
    """Return a copy in which a contender takes so many times as long."""
    other = copy.deepcopy(results)
    samples = other["scenarios"]["spawn_join"]["samples"]
    samples[who] = [value * by for value in samples[who]]
    counts = other["instructions"]["counts"]["spawn_join"]
    if who in counts:
        counts[who] *= by
    return other


def verdicts(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [change.verdict for change in compare.changes(old, new)]


def example(unit: str, samples: dict[str, list[float]], **more: Any) -> dict[str, Any]:
    """Return a scenario's part of the results, as the harness makes it."""
    scenario = harness.Scenario("a title", dict.fromkeys(samples, abs), 10, unit=unit, **more)
    result = harness.Result("spawn_join", scenario, 10, samples, {})
    return json.loads(json.dumps(result.as_json()))


SVG = "{http://www.w3.org/2000/svg}"
SLOW_IN_GO = ("idle", "timer_idle", "timer_loaded", "bare_sleep")
RESULTS: dict[str, Any] = {
    "environment": {
        "python": "3.11.7",
        "gil": True,
        "cpu": "a CPU",
        "cpus_usable": 2,
        "platform": "Linux",
        "load": [0.0, 0.0, 0.0],
        "versions": {"gmprt": "1", "trio": None},
        "time": "now",
    },
    "scenarios": {
        "spawn_join": example(
            "us",
            {"gmprt": [10e-6, 10.5e-6, 11e-6, 10.2e-6], "asyncio": [20e-6] * 4},
            without={"trio": "has no such thing"},
            bars={"asyncio": 0.3},
        )
        | {"missing": {"curio": "Missing: not here"}},
        "parked": example("bytes", {"gmprt": [5000, 5100, 5050, 4900]}, limit=7000),
    },
    "latency": [
        {
            "case": "loops1",
            "title": "loops1: a tick every 10 ms beside an endless Python loop",
            "rows": [
                asdict(latency.Row("loops1", "gmprt", 0.025, [0.001, 0.030])),
                asdict(latency.Row("loops1", "asyncio", None, [], "stalled", "no ticks")),
            ],
        }
    ],
    "instructions": {"by": "callgrind", "counts": {"spawn_join": {"gmprt": 100, "asyncio": 200}}},
}


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
    assert {*latency.CONTENDERS, latency.GO, *harness.PEERS} == set(_svg.COLORS)
