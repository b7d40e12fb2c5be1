"""`python -m gmprt run script.py args...` is to the script as `python script.py args...`.

And what the environment makes the runtime print meanwhile: schedtrace lines in Go's format.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support import Finished, run_prog, start_prog, wait_prog

PROGS = Path(__file__).with_name("progs")


def gmprt(*args: object, **env: str) -> Finished:
    with start_prog("-m", "gmprt", *args, env=env) as child:
        return wait_prog(child)


def test_a_script_sees_itself_as_under_python() -> None:
    script = PROGS / "cli_facts.py"
    done = gmprt("run", script, "one", "--procs", "3", "-h", "--", "-x", "")
    assert (done.stderr, done.returncode) == ("", 0)
    facts = json.loads(done.stdout)
    assert facts == {
        "argv": [str(script), "one", "--procs", "3", "-h", "--", "-x", ""],
        "path0": str(PROGS),
        "file": str(script),
        "package": None,
        "goroutine": 1,
        "result": 42,
        "sibling": "sibling",
        "pickled": True,
        "main": True,
    }
    plain = run_prog(script, "one", "--procs", "3", "-h", "--", "-x", "")
    assert json.loads(plain.stdout) == facts


@pytest.mark.parametrize(
    ("how", "stdout", "stderr", "status"),
    [
        ("normal", "end\natexit\n", "", 0),
        ("exit_none", "atexit\n", "", 0),
        ("exit_3", "atexit\n", "", 3),
        ("exit_builtin", "atexit\n", "", 4),
        ("exit_text", "atexit\n", "a text\n", 1),
        ("os_exit", "", "", 5),
        ("thread", "end\nthread\natexit\n", "", 0),
    ],
)
def test_a_script_ends_as_under_python(how: str, stdout: str, stderr: str, status: int) -> None:
    for done in (gmprt("run", PROGS / "cli_ends.py", how), run_prog(PROGS / "cli_ends.py", how)):
        assert (done.stdout, done.stderr, done.returncode) == (stdout, stderr, status)


def test_an_uncaught_exception_has_its_traceback_and_status_1() -> None:
    script = PROGS / "cli_ends.py"
    done = gmprt("run", script, "raise_it")
    assert (done.stdout, done.returncode) == ("atexit\n", 1)
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "LookupError: uncaught"
    frames = re.findall(r'^  File "(.*)", line \d+, in (.*)$', done.stderr, re.M)
    assert frames[-2:] == [(str(script), "<module>"), (str(script), "raise_it")]


def test_a_syntax_error_is_told_as_python_tells_it() -> None:
    done = gmprt("run", PROGS / "cli_syntax.txt")
    assert done.returncode == 1
    assert done.stderr.rstrip().splitlines()[-1].startswith("SyntaxError: ")
    assert "cli_syntax.txt" in done.stderr


@pytest.mark.parametrize("what", ["missing.py", "."])
def test_a_script_that_is_none_is_a_clear_error(what: str, tmp_path: Path) -> None:
    """A missing one, and a folder with nothing to run in it."""
    script = tmp_path / what
    done = gmprt("run", script)
    assert (done.stdout, done.returncode) == ("", 2)
    assert str(script) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "args", [[], ["run"], ["walk"], ["run", "--no-such-option", "x.py"]], ids=" ".join
)
def test_wrong_arguments_print_the_usage(args: list[str]) -> None:
    done = gmprt(*args)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.lower().startswith("usage: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("args", [["--help"], ["run", "--help"]], ids=" ".join)
def test_help_is_no_error(args: list[str]) -> None:
    done = gmprt(*args)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.lower().startswith("usage: ")


def test_leaks_of_a_script_are_reported() -> None:
    done = gmprt("run", PROGS / "cli_leaks.py", GMPRT_LEAKS="error")
    assert done.stderr.splitlines()[0] == "gmprt: 1 goroutine leaked"
    assert (done.stdout, done.returncode) == ("", 66)


def test_a_script_may_call_run_itself() -> None:
    """It is unchanged: one that was written to be started by python alone."""
    done = gmprt("run", PROGS / "cli_leaks.py", "run", GMPRT_LEAKS="off")
    assert (done.stdout, done.stderr, done.returncode) == ("own run\n", "", 0)


SCHED = re.compile(
    r"SCHED (\d+)ms: gomaxprocs=(\d+) idleprocs=(\d+) threads=(\d+) spinningthreads=(\d+)"
    r" needspinning=[01] idlethreads=(\d+) runqueue=(\d+)"
    r" \[((?: \d+)+) \] schedticks=\[((?: \d+)+) \]"
)


@pytest.mark.parametrize("maxprocs", [1, 3])
def test_schedtrace_prints_go_s_line_each_period(maxprocs: int) -> None:
    env = {"GMPRT_DEBUG": "schedtrace=20", "GMPRT_MAXPROCS": str(maxprocs)}
    done = run_prog(PROGS / "busy.py", "0.7", env=env)
    assert (done.stdout, done.returncode) == ("", 0)
    lines = [SCHED.fullmatch(line) for line in done.stderr.splitlines()]
    assert None not in lines, done.stderr
    assert len(lines) >= 3
    times, ticks = [], []
    for line in lines:
        assert line is not None
        ms, procs, idle, threads, spinning, idle_threads, _, queues, schedticks = line.groups()
        times.append(int(ms))
        assert int(procs) == maxprocs
        assert 0 <= int(idle) <= maxprocs
        assert int(threads) >= 1
        assert int(idle_threads) + int(spinning) <= int(threads)
        assert len(queues.split()) == len(schedticks.split()) == maxprocs
        ticks.append(sum(map(int, schedticks.split())))
    assert times == sorted(times)
    assert len(lines) <= (times[-1] - times[0]) / 20 * 1.5 + 2  # no more than one a period
    assert ticks == sorted(ticks)
    assert ticks[-1] > ticks[0]


def test_scheddetail_prints_every_p_m_and_g() -> None:
    env = {"GMPRT_DEBUG": "schedtrace=50,scheddetail=1", "GMPRT_MAXPROCS": "2"}
    done = run_prog(PROGS / "busy.py", "0.5", env=env)
    assert (done.stdout, done.returncode) == ("", 0)
    lines = done.stderr.splitlines()
    head = re.compile(
        r"SCHED \d+ms: gomaxprocs=2 idleprocs=\d+ threads=\d+ spinningthreads=\d+"
        r" needspinning=[01] idlethreads=\d+ runqueue=\d+"
        r" gcwaiting=false nmidlelocked=\d+ stopwait=\d+ sysmonwait=(true|false)"
    )
    kinds = {
        "P": r"  P\d+: status=\d+ schedtick=\d+ syscalltick=\d+ m=(\d+|nil) runqsize=\d+"
        r" gfreecnt=\d+ timerslen=\d+",
        "M": r"  M\d+: p=(\d+|nil) curg=(\d+|nil) mallocing=\d+ throwing=\d+ preemptoff=.*"
        r" locks=\d+ dying=\d+ spinning=(true|false) blocked=(true|false) lockedg=(\d+|nil)",
        "G": r"  G\d+: status=\d+\(.*\) m=(\d+|nil) lockedm=(\d+|nil)",
    }
    looks: list[dict[str, int]] = []
    for line in lines:
        if line.startswith("SCHED"):
            assert head.fullmatch(line), line
            looks.append(dict.fromkeys(kinds, 0))
        else:
            kind = line[2:3]
            assert kind in kinds, line
            assert re.fullmatch(kinds[kind], line), line
            looks[-1][kind] += 1
    assert len(looks) >= 3
    assert {look["P"] for look in looks} == {2}
    # The first may come before main has got its M, and the last when its workers have ended.
    assert all(look["M"] >= 1 and look["G"] >= 1 for look in looks[1:])
    assert any(look["G"] >= 5 for look in looks)
