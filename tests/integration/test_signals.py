"""Signals: the exception of a handler is raised in main, wherever main is, and in nobody else.

Python runs handlers between any two bytecodes of the main thread, so on whichever goroutine runs
there, or in the middle of the runtime. Each program here puts main in one place, has a signal
sent, and then shows that the runtime is whole.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.support import run_prog, start_prog, wait_prog

PROG = Path(__file__).with_name("progs") / "sigs.py"
QUIET = {"GMPRT_LEAKS": "off"}
IN_MAIN = ["KeyboardInterrupt in goroutine 1", "works"]
BOOM_IN_MAIN = ["Boom in goroutine 1", "works"]

WAITS = [
    "recv",
    "recv_timeout",
    "send",
    "iter",
    "select",
    "select_no_cases",
    "sleep",
    "sleep_for_ever",
    "waitgroup",
    "mutex",
    "syscall",
]


def outcome(*args: str, **env: str) -> list[str]:
    """Run a program that has to end well and silently, and give its lines."""
    done = run_prog(PROG, *args, env=QUIET | env)
    assert (done.stderr, done.returncode) == ("", 0), done
    return done.stdout.splitlines()


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("how", ["first_thing", "after_go", "in_run"])
def test_ctrl_c_ends_a_wait_of_main(how: str, wait: str) -> None:
    """Also the very first wait of a program, and a call that is on another thread meanwhile."""
    assert outcome(f"parked_{how}", wait) == IN_MAIN


@pytest.mark.parametrize("maxprocs", ["1", "4"])
@pytest.mark.parametrize(
    "place", ["parked_in_join", "parked_in_result", "in_blocking", "in_unannounced_call"]
)
def test_ctrl_c_ends_what_main_is_blocked_in(place: str, maxprocs: str) -> None:
    assert outcome(place, GMPRT_MAXPROCS=maxprocs) == IN_MAIN


@pytest.mark.parametrize("maxprocs", ["1", "4"])
@pytest.mark.parametrize(
    "loop",
    [
        "running_python",
        "yielding",
        "sleeping_zero",
        "sending_buffered",
        "sending_unbuffered",
        "selecting",
        "spawning",
        "locking",
        "quick_syscalls",
    ],
)
def test_ctrl_c_ends_an_endless_loop_of_main(loop: str, maxprocs: str) -> None:
    """The signal may hit any line of the runtime; it comes out of a call of main's, all whole."""
    assert outcome(loop, GMPRT_MAXPROCS=maxprocs) == IN_MAIN


def test_ctrl_c_passes_by_those_that_main_yields_to() -> None:
    assert outcome("yielding_among_yielders") == [*IN_MAIN, "wrong: []"]


@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_ctrl_c_passes_by_those_that_run_while_main_is_parked(maxprocs: str) -> None:
    """The main thread then runs other goroutines, one of which would swallow it."""
    lines = outcome("others_run_while_main_is_parked", GMPRT_MAXPROCS=maxprocs)
    assert lines == [*IN_MAIN, "wrong: []"]


def test_an_uncaught_one_kills_the_program_as_ever() -> None:
    """So that a shell sees that it was SIGINT: traceback, then death by the signal."""
    done = run_prog(PROG, "uncaught", env=QUIET)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith("\nKeyboardInterrupt\n")


def test_an_uncaught_one_kills_a_script_under_the_command_line() -> None:
    """The same for `python -m gmprt run`, from outside, as a terminal does it."""
    source = PROG.with_name("cli_parks.py")
    with start_prog("-m", "gmprt", "run", source) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "parks\n"
        child.send_signal(signal.SIGINT)
        done = wait_prog(child)
    assert done.returncode == -signal.SIGINT, done
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert re.search(r"^KeyboardInterrupt$", done.stderr, re.M), done.stderr


@pytest.mark.parametrize(
    ("when", "facts"), [("before", ["True"] * 2), ("after", ["True"] * 3)], ids=["before", "after"]
)
def test_handlers_set_before_and_after_the_first_go(when: str, facts: list[str]) -> None:
    """Both raise in main, and getsignal shows the user's own."""
    assert outcome(f"own_handler_{when}") == [*facts, *BOOM_IN_MAIN, "True"]


def test_handlers_can_be_put_back_and_forth() -> None:
    assert outcome("handlers_put_back_and_forth") == ["True", "True", "[1]", *IN_MAIN]


VALUES = {
    "recv": ["value"],
    "select": ["(0, 'value', True)"],
    "send": ["value"],
    "mutex": [],
    "waitgroup": [],
    "syscall": ["True"],
    "blocking": ["True"],
}


@pytest.mark.parametrize("wait", VALUES)
def test_a_handler_that_does_not_raise_runs_at_once_and_ends_no_wait(wait: str) -> None:
    """Three times while main is parked, on the main thread; only then comes what it waits for."""
    ran = str([("SIGUSR1", True)] * 3)
    assert outcome("handler_that_does_not_raise", wait) == [*VALUES[wait], ran]


def test_a_sleep_lasts_its_time_under_signals() -> None:
    assert outcome("sleep_lasts_its_time_under_signals") == ["True True"]


def test_an_alarm_works_as_a_timeout() -> None:
    assert outcome("alarm_as_a_timeout") == BOOM_IN_MAIN


@pytest.mark.parametrize("prog", ["sigterm_exits", "sigterm_exits_while_others_run"])
def test_sys_exit_in_a_handler_ends_the_program(prog: str) -> None:
    done = run_prog(PROG, prog, env=QUIET)
    assert (done.stdout, done.stderr, done.returncode) == ("finally of main\n", "", 7)


def test_a_second_ctrl_c_ends_the_clean_up() -> None:
    assert outcome("second_ctrl_c") == ["cleaning up", "KeyboardInterrupt", "works"]


def test_fifty_of_them_one_after_the_other() -> None:
    assert outcome("many_ctrl_c") == ["works"]


def test_ctrl_c_while_goroutines_live_on_other_threads() -> None:
    assert outcome("to_main_on_another_thread_of_the_runtime") == IN_MAIN


def test_a_handler_may_spawn_and_send() -> None:
    assert outcome("handler_spawns_and_sends") == ["sent", "spawned"]


def test_a_handler_may_close_what_main_receives_from() -> None:
    assert outcome("handler_closes") == ["(None, False)"]


def test_a_handler_may_interrupt() -> None:
    assert outcome("handler_interrupts") == [*BOOM_IN_MAIN, "Boom()"]


def test_a_handler_that_waits_does_not_hang() -> None:
    assert outcome("handler_waits") == ["main's", "True"]


@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_a_storm_of_raising_handlers_leaves_channels_whole(maxprocs: str) -> None:
    """The handlers raise somewhere in or between main's operations, four hundred times."""
    lines = outcome("storm_on_channels", GMPRT_MAXPROCS=maxprocs)
    assert lines == ["in order: True True", "room for 4", "[0, 1, 2, 3]", "works"]


@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_a_storm_of_raising_handlers_leaves_locks_whole(maxprocs: str) -> None:
    assert outcome("storm_on_locks", GMPRT_MAXPROCS=maxprocs) == ["mostly free: True", "works"]


QUIT = """
import os, signal, sys
import gmprt

said = gmprt.Chan(10)

class Told:
    # What sysmon writes to: says so, that nobody goes on before the dump is there.
    def write(self, text):
        sys.__stderr__.write(text)
        said.send_nowait(None)
    def flush(self):
        sys.__stderr__.flush()

g = gmprt.go(lambda: gmprt.Chan().recv())
g.daemon = True
while g.state != "waiting":
    gmprt.sleep(0.001)

def quit_and(wait):
    os.kill(os.getpid(), signal.SIGQUIT)
    wait()

def burn():
    while not len(said):
        pass
    said.recv()

sys.stderr = Told()
quit_and(said.recv)  # main is parked
gmprt.go(quit_and, burn).join()  # and while another goroutine computes, on main's thread perhaps
try:
    gmprt.Chan().recv()
except gmprt.DeadlockError:
    print("a deadlock is found all the same")
"""


def test_dumponsigquit_prints_all_goroutines_and_the_program_goes_on() -> None:
    done = run_prog(QUIT, env={"GMPRT_DEBUG": "dumponsigquit=1"})
    assert (done.stdout, done.returncode) == ("a deadlock is found all the same\n", 0), done
    first, second = done.stderr.split("SIGQUIT: quit\n\n")[1:]
    assert re.match(r"goroutine 1 \[(chan receive|running)\]:\n", first), (
        first
    )  # it may just go there
    assert "\ngoroutine 2 [chan receive]:\n" in first
    assert re.match(r"goroutine 1 \[(join|running)\]:\n", second), second
    assert "\ngoroutine 3 [running]:\n" in second


def test_without_it_sigquit_ends_the_program() -> None:
    assert run_prog(QUIT).returncode == -signal.SIGQUIT
