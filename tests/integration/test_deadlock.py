"""Deadlock detection, seen from outside: the text, the status, and above all when it keeps silent.

Go: runtime/crash_test.go TestSimpleDeadlock, TestLockedDeadlock, TestGoexitDeadlock and proc.go
checkdead. Unlike there it is an exception of main's, so it can be caught and the runtime goes on.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import run_prog

PROG = Path(__file__).with_name("progs") / "deadlocks.py"
FIRST_LINE = "all goroutines are asleep - deadlock!"

WAITS = {
    "recv": "chan receive",
    "send": "chan send",
    "select": "select",
    "select_no_cases": "select (no cases)",
    "join": "join",
    "result": "join",
    "iter": "chan receive",
    "waitgroup": "sync.WaitGroup.Wait",
    "mutex": "sync.Mutex.Lock",
    "in_run": "chan receive",
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_main_that_nothing_can_wake_ends_with_the_dump(wait: str) -> None:
    """It ends as by any uncaught exception: traceback, status 1; the dump tells main's wait."""
    done = run_prog(PROG, f"wait_{wait}", env={"GMPRT_LEAKS": "off"})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    named = rf"^gmprt\.(\w+\.)*DeadlockError: {FIRST_LINE}$"
    assert re.search(named, done.stderr, re.M), done.stderr
    after = done.stderr.partition(FIRST_LINE)[2]
    assert re.search(rf"^goroutine 1 \[{re.escape(WAITS[wait])}\]:$", after, re.M), done.stderr


def test_a_select_on_the_nil_channel_alone_is_one() -> None:
    """The nil channel is never ready, so nothing can wake it even in theory."""
    done = run_prog(PROG, "wait_select_nil", env={"GMPRT_LEAKS": "off"})
    assert done.returncode == 1
    assert FIRST_LINE in done.stderr


def test_the_text_holds_every_goroutine() -> None:
    done = run_prog(PROG, "dump", env={"GMPRT_LEAKS": "off"})
    assert done.returncode == 1
    after = done.stderr.partition(FIRST_LINE)[2]
    heads = re.findall(r"^goroutine (\d+) \[(.*)\]:$", after, re.M)
    assert heads[0] == ("1", "chan receive")
    assert [reason for _, reason in heads[1:]] == ["chan send"] * 3
    assert len({goid for goid, _ in heads}) == 4
    assert len(re.findall(r"^__main__\.stuck_sender\(.*\)$", after, re.M)) == 3, done.stderr
    created = re.findall(r"^created by __main__\.dump in goroutine 1$", after, re.M)
    assert len(created) == 3, done.stderr
    assert re.search(r"^\t.*deadlocks\.py:\d+", after, re.M), done.stderr


KEPT_ALIVE = {
    "foreign_thread_alive": "from the thread",
    "foreign_daemon_thread_parked_with_timeout": "after its time-out",
    "sleeping_goroutine": "slept",
    "goroutine_with_timeout": "timed out",
    "own_timeout": "timed out",
    "syscall_in_flight": "returned",
    "blocking_in_flight": "returned",
    "unannounced_call_in_flight": "returned",
    "own_syscall": "returned",
    "signal_handler_installed": "from the handler",
    "alarm_handler_installed_late": "from the handler",
    "own_sigint_handler": "from the handler",
    "main_runs_others_parked": "main ran on",
}


@pytest.mark.parametrize("prog", KEPT_ALIVE)
@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_it_keeps_silent_while_something_could_wake_main(prog: str, maxprocs: str) -> None:
    done = run_prog(PROG, prog, env={"GMPRT_MAXPROCS": maxprocs})
    assert (done.stdout, done.stderr, done.returncode) == (KEPT_ALIVE[prog] + "\n", "", 0)


def test_it_comes_when_the_last_foreign_thread_ends() -> None:
    """Nobody parks or wakes at that moment: the end of a thread has to be noticed by itself."""
    done = run_prog(PROG, "last_foreign_thread_ends")
    lines = done.stdout.splitlines()
    assert lines == [f"deadlock: {FIRST_LINE}"] + ["thread ends"] * 3, done
    assert (done.stderr, done.returncode) == ("", 0)


def test_handlers_set_back_to_default_or_ignore_do_not_count() -> None:
    done = run_prog(PROG, "handlers_taken_away")
    assert (done.stdout, done.stderr, done.returncode) == (f"deadlock: {FIRST_LINE}\n", "", 0)


def test_it_can_be_caught_and_everything_works_after() -> None:
    """Also what it was raised from: no waiter of main's is left on the channel or the lock."""
    done = run_prog(PROG, "caught_and_used_again")
    dead = [f"deadlock: {FIRST_LINE}"]
    gone = ["no waiter left behind"] * 2
    lines = ["True", *dead * 15, *gone, *dead * 2, "after", "7", "1"]
    assert done.stdout.splitlines() == lines, done
    assert (done.stderr, done.returncode) == ("", 0)


def test_only_main_is_told() -> None:
    done = run_prog(PROG, "main_alone_gets_it")
    assert done.stdout.splitlines() == [f"deadlock: {FIRST_LINE}", "[0, 1, 2, 3, 4]"], done
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("maxprocs", ["1", "2", "8"])
def test_idle_threads_of_the_runtime_hide_none(maxprocs: str) -> None:
    done = run_prog(PROG, "others_on_several_threads", env={"GMPRT_MAXPROCS": maxprocs})
    assert done.stdout.splitlines() == [f"deadlock: {FIRST_LINE}"] * 20, done
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("maxprocs", ["1", "2", "8"])
def test_no_false_alarm_in_a_thousand_parks(maxprocs: str) -> None:
    done = run_prog(PROG, "no_false_alarm", env={"GMPRT_MAXPROCS": maxprocs})
    assert (done.stdout, done.stderr, done.returncode) == ("never\n", "", 0)
