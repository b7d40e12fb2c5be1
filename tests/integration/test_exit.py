"""How a program ends: what it reports, with which status, and that it does end.

Ends race with the Ms, which are daemon threads: those that have to be lucky are done many times.
"""

from __future__ import annotations

import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import GIL, Finished, run_prog

PROG = Path(__file__).with_name("progs") / "exits.py"

CRASHES = re.compile(
    r"Fatal Python error|Segmentation fault|Traceback|Exception ignored|fatal error"
)


def run(name: str, leaks: str | None = None, **env: str) -> Finished:
    """Run it with one P, so that only one thing happens at a time, unless told otherwise."""
    return run_prog(PROG, name, env={"GMPRT_LEAKS": leaks, "GMPRT_MAXPROCS": "1"} | env)


# Leaks.


@pytest.mark.parametrize("leaks", [None, "off", "warn", "error"])
@pytest.mark.parametrize(("prog", "out"), [("clean", "1\n"), ("only_imported", "imported\n")])
def test_a_clean_program_prints_nothing(prog: str, out: str, leaks: str | None) -> None:
    done = run(prog, leaks)
    assert (done.stdout, done.stderr, done.returncode) == (out, "", 0)


@pytest.mark.parametrize(
    ("prog", "line"),
    [
        ("leak_one", "gmprt: 1 goroutine leaked"),
        ("leak_three", "gmprt: 3 goroutines leaked"),
        ("leak_fresh", "gmprt: 2 goroutines leaked"),
        ("leak_in_run", "gmprt: 2 goroutines leaked"),
        ("leak_and_exit_zero", "gmprt: 1 goroutine leaked"),
        ("daemons_and_one", "gmprt: 1 goroutine leaked"),
    ],
)
@pytest.mark.parametrize(
    ("leaks", "status"), [(None, 0), ("warn", 0), ("error", 66)], ids=["default", "warn", "error"]
)
def test_leaked_goroutines_are_counted_and_dumped(
    prog: str, line: str, leaks: str | None, status: int
) -> None:
    done = run(prog, leaks)
    assert done.stderr.splitlines()[0] == line, done
    heads = re.findall(r"^goroutine \d+ \[(.*)\]:$", done.stderr, re.M)
    counts = re.findall(r"^(?:goroutine|(\d+) goroutines \()[ \d,)]+, \w+: ", done.stderr, re.M)
    assert sum(int(n or 1) for n in counts) == int(line.split()[1]), done.stderr
    assert len(heads) == len(counts)  # those of one leak are told of once
    assert set(heads) <= {"runnable", "chan receive"} if prog == "leak_fresh" else {"chan receive"}
    assert len(re.findall(r"^created by .* in goroutine 1$", done.stderr, re.M)) == len(heads)
    assert (done.stdout, done.returncode) == ("", status)


def test_off_means_off() -> None:
    done = run("leak_three", "off")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize("leaks", ["warn", "error"])
def test_a_status_that_is_not_zero_stays(leaks: str) -> None:
    done = run("leak_and_exit", leaks)
    assert done.stderr.startswith("gmprt: 1 goroutine leaked\n")
    assert done.returncode == 3


def test_an_exception_of_main_keeps_its_status_and_traceback() -> None:
    done = run("leak_and_raise", "error")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.count("ValueError: main's own") == 1
    assert re.search(r"^gmprt: 1 goroutine leaked$", done.stderr, re.M), done.stderr


@pytest.mark.parametrize("leaks", ["warn", "error"])
def test_daemons_are_no_leak(leaks: str) -> None:
    done = run("daemons", leaks)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert run("exit_code", leaks).returncode == 3


# Exceptions nobody asked for.


def assert_reported(done: Finished, *texts: str) -> None:
    """Each exactly once, headed as promised and with its traceback."""
    heads = re.findall(
        r"^Exception in goroutine (\d+) \[created by .+\].*\nTraceback \(most recent call last\):$",
        done.stderr,
        re.M,
    )
    assert len(set(heads)) == len(heads) == len(texts), done.stderr
    got = re.findall(r"^ValueError: (.*)$", done.stderr, re.M)
    assert Counter(got) == Counter(texts), done.stderr


def test_an_exception_with_no_handle_left_is_reported_at_once() -> None:
    done = run("raise_and_forget")
    assert_reported(done, "boom")
    assert done.stderr.endswith("\nmain\n")
    assert done.returncode == 0


def test_an_exception_is_reported_when_the_last_handle_goes() -> None:
    done = run("raise_then_forget")
    assert_reported(done, "boom")
    assert done.stderr.startswith("joined\nException in goroutine ")
    assert done.stderr.endswith("\nforgotten\n")
    assert done.returncode == 0


def test_each_is_reported_while_the_program_runs() -> None:
    """And once, whichever thread drops the last handle."""
    done = run("raise_and_forget_many")
    expected = sorted(f"{how} {i}" for how in ("joined", "forgotten") for i in range(100))
    assert (done.stdout.splitlines(), done.stderr, done.returncode) == (expected, "", 0)


def test_an_exception_whose_handle_is_kept_is_reported_at_exit() -> None:
    """To join it is not to ask."""
    done = run("raise_and_keep")
    assert_reported(done, "boom")
    assert done.stderr.startswith("main ends\n")
    assert done.returncode == 0


def test_a_waiter_that_gave_up_has_not_asked() -> None:
    done = run("raise_and_give_up")
    assert_reported(done, "boom")
    assert done.returncode == 0


@pytest.mark.parametrize("prog", ["raise_and_ask_result", "raise_and_ask_exception"])
def test_an_exception_asked_for_is_not_reported(prog: str) -> None:
    done = run(prog)
    assert (done.stdout, done.stderr, done.returncode) == ("asked: boom\n", "", 0)


def test_each_of_many_is_reported_once() -> None:
    done = run("raise_in_many")
    assert_reported(done, *[f"boom {i}" for i in range(40)])
    assert done.returncode == 0


def test_quiet_ends_are_not_reported() -> None:
    """SystemExit ends its goroutine alone, as in a thread; GoroutineExit is a quiet end."""
    done = run("quiet_ends")
    assert (done.stdout, done.stderr, done.returncode) == ("quiet\n", "", 0)


def test_a_keyboard_interrupt_raised_by_a_goroutine_itself_is_like_any() -> None:
    done = run("keyboard_interrupt_of_ones_own")
    assert (done.stdout, done.returncode) == ("main goes on\n", 0)
    assert done.stderr.startswith("Exception in goroutine ")
    assert done.stderr.endswith("\nKeyboardInterrupt: own\n")


def test_the_hook_can_be_replaced() -> None:
    done = run("own_hook")
    lines = ["hook: fail ValueError('boom')", "hook: fail ValueError('late')"]
    assert (done.stdout.splitlines(), done.stderr, done.returncode) == (lines, "", 0)


def test_a_hook_that_raises_harms_nobody() -> None:
    done = run("hook_that_raises")
    assert (done.stdout, done.returncode) == ("main goes on 0\n", 0)
    assert "the hook's own" in done.stderr


def test_crash_ends_the_process_where_it_would_be_reported() -> None:
    done = run("crash_at_once", GMPRT_PANIC="crash")
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.count("ValueError: boom") == 1
    # Another M may have run the one that fails, while main was on its way.
    assert re.search(r"^goroutine 1 \[(sleep|running|runnable)\]:$", done.stderr, re.M), done.stderr
    assert re.search(r"^goroutine \d+ \[chan receive\]:$", done.stderr, re.M), done.stderr


def test_crash_also_at_exit() -> None:
    done = run("crash_at_exit", GMPRT_PANIC="crash")
    assert (done.stdout, done.returncode) == ("main ends\n", 2)
    assert done.stderr.count("ValueError: boom") == 1


def test_crash_leaves_alone_what_was_asked_for() -> None:
    done = run("asked_under_crash", GMPRT_PANIC="crash")
    assert (done.stdout, done.stderr, done.returncode) == ("asked\n", "", 0)


# Ends with something going on.


Many = Callable[[str, str], list[Finished]]


@pytest.fixture
def many(times: int) -> Many:
    """Run a program so many times, two at a time: two cores, and each disturbs the other."""

    def runs(name: str, maxprocs: str) -> list[Finished]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda _: run(name, "off", GMPRT_MAXPROCS=maxprocs), range(times)))

    return runs


@pytest.mark.parametrize("maxprocs", ["1", "4"])
@pytest.mark.parametrize(
    "prog",
    [
        "parked_on_several_threads",
        "in_long_syscalls",
        "in_loops",
        "in_sleeps_and_timeouts",
        "foreign_daemons",
        "run_again_and_end",
    ],
)
def test_it_ends_whatever_goes_on(many: Many, times: int, prog: str, maxprocs: str) -> None:
    ends = Counter((d.stdout, d.stderr, d.returncode) for d in many(prog, maxprocs))
    assert ends == {("end\n", "", 0): times}


def test_a_dump_of_goroutines_that_are_busy_elsewhere_does_not_hang() -> None:
    """Those in C, in a loop or in a call on another thread are counted with the parked ones."""
    for prog, count in (("in_loops", 4), ("in_long_syscalls", 3), ("parked_on_several_threads", 4)):
        done = run(prog, "error", GMPRT_MAXPROCS="4")
        # in_loops: the one that spawns may have a child just then
        counts = (count, count + 1) if prog == "in_loops" else (count,)
        assert done.stderr.splitlines()[0] in [f"gmprt: {n} goroutines leaked" for n in counts]
        assert done.returncode == 66
        assert not CRASHES.search(done.stderr), done.stderr


def test_a_thread_that_outlives_main_still_has_its_goroutines(many: Many) -> None:
    """Python waits for threads that are no daemons, so main has ended but not the program."""
    for done in many("thread_outlives_main", "2"):
        assert (done.stdout, done.stderr, done.returncode) == ("late: 2 3\n", "", 0)


@pytest.mark.parametrize(
    ("prog", "line"),
    [
        ("atexit_after_use", "registered after the first go value 0\n"),
        ("atexit_never_used", "first use value 0\n"),
        ("atexit_with_parked", "beside parked ones value 0\n"),
    ],
)
def test_atexit_functions_can_use_it(many: Many, prog: str, line: str) -> None:
    # Python 3.12.0 and 3.12.1 start no thread any more at exit, so that a first use is refused.
    refused = (
        line.replace("value 0", "refused") if (3, 12) <= sys.version_info < (3, 12, 2) else line
    )
    for done in many(prog, "2"):
        assert (done.stderr, done.returncode) == ("", 0)
        assert done.stdout in (line, refused)


def test_ms_are_asleep_when_the_interpreter_ends(many: Many) -> None:
    for done in many("ms_sleep_at_the_end", "8"):
        assert (done.stderr, done.returncode) == ("", 0), done
        asleep, _, ms = done.stdout.split()
        assert asleep == ms, done
        assert int(ms) >= 4, done


@pytest.mark.parametrize("maxprocs", ["2", "8"])
@pytest.mark.parametrize(
    "prog",
    [
        "event_of_a_sleeper",
        "event_of_a_fresh_one",
        "event_behind_another",
        "timer_in_the_last_hook",
    ],
)
def test_they_wake_for_their_goroutines_all_the_same(prog: str, maxprocs: str) -> None:
    if prog == "event_behind_another" and maxprocs == "2" and not GIL:
        pytest.skip("there sysmon has ended, and takes no P from who blocks")
    done = run(prog, "off", GMPRT_MAXPROCS=maxprocs)
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0), done


def test_a_traceback_may_take_long(many: Many) -> None:
    for done in many("ends_by_a_long_exception", "4"):
        assert done.returncode == 1, done
        assert done.stderr.count("ValueError: xxx") == 900


def test_an_atexit_function_that_runs_last_works_or_is_refused(many: Many) -> None:
    """Registered before gmprt was there, it runs when gmprt has ended: an answer, not a hang."""
    for done in many("atexit_before_import", "2"):
        assert done.stdout.startswith("registered before the import "), done
        assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    "prog",
    [
        "go_in_a_late_finaliser",
        "go_in_a_late_finaliser_first_use",
        "wait_in_a_late_finaliser",
    ],
)
def test_a_finaliser_after_the_interpreter_began_to_end(many: Many, prog: str) -> None:
    """It works or raises, which Python prints as ignored; no hang, no crash."""
    for done in many(prog, "2"):
        # A parked goroutine's frames may keep the module's globals, as a daemon thread's do.
        assert done.stdout in ("finaliser\n", ""), done
        assert done.stdout or prog == "wait_in_a_late_finaliser", done
        assert done.returncode == 0, done
        assert "Fatal" not in done.stderr, done.stderr


def test_goroutines_parked_at_the_end_are_left_as_they_are(many: Many) -> None:
    """As daemon threads: nothing runs in them any more while the interpreter goes."""
    for done in many("finally_of_parked", "2"):
        assert (done.stdout, done.stderr, done.returncode) == ("end\n", "", 0)


def test_a_terminated_program_is_just_gone() -> None:
    """SIGTERM's default action is what ends it, after the dump: no `finally` block runs."""
    source = """
import os, signal, gmprt
gmprt.go(gmprt.Chan().recv)
gmprt.gosched()
try:
    os.kill(os.getpid(), signal.SIGTERM)
    while True: pass
finally:
    print("finally")
"""
    done = run_prog(source)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "")
