"""A goroutine that computes and never asks holds up nobody.

Go: runtime/preempt.go; TestAsyncPreempt of runtime/proc_test.go.
"""

import _thread
import hashlib
import os
import signal
import sys
import threading
import time

import pytest

import gmprt
from gmprt import Chan, after_func, go, gosched, sleep, stats
from gmprt.context import background, with_timeout
from tests.conformance.parking import LONG, join_all, parked, reap
from tests.support import GIL, run_prog, start_prog, wait_prog, wait_until


@pytest.fixture
def one_p():
    """One P, main's: whoever computes keeps all others from it."""
    former = gmprt.gomaxprocs(1)
    gosched()
    yield
    gmprt.gomaxprocs(former)


class Flag:
    """Set by one, looked at by another in a loop without a scheduling point."""

    def __init__(self):
        self.up = False
        self.turns = 0

    def set(self):
        self.up = True

    def spin(self):
        """Compute until it is set, or until a test can only have failed."""
        while not self.up and self.turns < 2_000_000_000:
            self.turns += 1
        return self.up


@pytest.fixture
def flag():
    return Flag()


# Who waits for what a goroutine that computes holds


def test_a_fresh_goroutine(one_p, flag):
    g = go(flag.set)
    assert flag.spin()
    assert g.join(LONG)


def test_one_that_is_ready(one_p, flag):
    ch = Chan()
    g = parked(lambda: (ch.recv(), flag.set()))
    hog = go(lambda: (ch.send(1), flag.spin())[1])
    assert hog.result(LONG)
    assert g.join(LONG)


def test_one_that_sleeps(one_p, flag):
    g = go(lambda: (sleep(0.02), flag.set()))
    gosched()  # it begins to sleep; on a busy machine it may be awake before anybody looks
    assert go(flag.spin).result(LONG)
    assert g.join(LONG)


def test_main_that_sleeps(one_p, flag):
    hog = go(flag.spin)
    sleep(0.001)
    flag.set()
    assert hog.result(LONG)


def test_a_wait_with_a_limit(one_p, flag):
    hog = go(flag.spin)
    with pytest.raises(TimeoutError):
        Chan().recv(0.001)
    flag.set()
    assert hog.result(LONG)


def test_a_timers_function(one_p, flag):
    after_func(0.001, flag.set)
    assert go(flag.spin).result(LONG)


def test_a_contexts_deadline(one_p, flag):
    ctx = with_timeout(background(), 0.001).ctx
    hog = go(flag.spin)
    ctx.done().recv_ok(LONG)
    flag.set()
    assert hog.result(LONG)


def test_one_that_a_foreign_thread_has_made(one_p, flag):
    thread = threading.Thread(target=lambda: go(flag.set))
    hog = go(lambda: (thread.start(), flag.spin())[1])
    assert hog.result(LONG)
    thread.join()


def test_one_that_comes_back_from_a_call(one_p, flag):
    begun, end = threading.Event(), threading.Event()

    def caller():
        gmprt.syscall(lambda: (begun.set(), end.wait(LONG)))
        flag.set()

    g = go(caller)
    hog = go(lambda: (begun.wait(LONG), end.set(), flag.spin())[2])
    assert hog.result(LONG)
    assert g.join(LONG)


def test_those_on_a_p_that_has_gone(flag):
    """Two compute on two Ps; then there is one P, and both go on by turns."""
    former = gmprt.gomaxprocs(2)
    begun = [0, 0]

    def count(i):
        while not flag.up:
            begun[i] += 1

    gs = [go(count, i) for i in range(2)]
    wait_until(lambda: all(begun), "both run")
    gmprt.gomaxprocs(1)
    seen = list(begun)
    wait_until(lambda: all(now > then for now, then in zip(begun, seen, strict=True)), "both go on")
    flag.set()
    join_all(*gs)
    gmprt.gomaxprocs(former)


def test_one_that_waits_for_a_computation_in_c(one_p, flag):
    """It gives way nowhere, but the P is taken from it: one call, so long that a busy machine has
    the time.
    """

    def compute():
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 3_000_000)
        return flag.up

    hog = go(compute)
    g = go(flag.set)
    assert hog.result(LONG)
    assert g.join(LONG)


def test_one_that_lives_where_another_blocks_time_and_again(one_p):
    """It runs between the calls, though nobody announces them and the next one follows at once."""
    turns = []

    def lives():
        while not done:
            turns.append(1)
            sleep(0.001)

    def blocks():
        for _ in range(150):
            if len(turns) > 50:
                return True
            time.sleep(0.02)  # what is tested
        return False

    done = []
    g = go(lives)
    wait_until(lambda: turns, "it has started, on this thread")
    blocker = go(blocks)
    assert blocker.result(LONG)
    done.append(1)
    assert g.join(LONG)


def test_main_that_owes_a_signal(one_p, flag):
    before = signal.signal(signal.SIGUSR1, lambda signum, frame: flag.set())
    try:
        hog = go(lambda: (os.kill(os.getpid(), signal.SIGUSR1), flag.spin())[1])
        assert hog.result(LONG)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_one_who_asks_for_all_stacks(one_p, flag):
    hog = go(flag.spin)
    wait_until(lambda: flag.turns, "it runs")
    assert "Flag.spin" in gmprt.stack()
    flag.set()
    assert hog.result(LONG)


def test_every_one_gets_on(procs, flag):
    """Also where all compute, and the number of Ps is less."""
    turns = [0] * 12

    def count(i):
        while not flag.up:
            turns[i] += 1

    gs = [go(count, i) for i in range(12)]
    wait_until(lambda: all(turns), lambda: f"all have run: {turns}")
    flag.set()
    join_all(*gs)


def test_they_are_counted(one_p, flag):
    before = stats()["preemptions"]
    go(flag.set)
    assert flag.spin()
    wait_until(lambda: stats()["preemptions"] > before, "it is counted")


def test_nobody_gives_way_who_is_alone(one_p, flag):
    """Nothing is paid where nobody waits."""
    wait_until(lambda: stats()["timers"] == 0 and not any(gmprt.leaks.living()), "nobody else")
    before = stats()["preemptions"]
    # Not `Thread.start`, which blocks: who comes back from that without its P gives way for one.
    _thread.start_new_thread(lambda: (time.sleep(0.2), flag.set()), ())
    assert flag.spin()
    assert stats()["preemptions"] == before


# It is no park point


def test_no_interrupt_is_raised_there(one_p):
    """Only where it waits or yields, which a computation does not."""
    begun, done = [], []

    def compute():
        begun.append(1)
        total = 0
        for i in range(3_000_000):
            total += i
        done.append(total)
        gosched()
        done.append("not reached")

    g = go(compute)
    other = go(lambda: [gosched() for _ in range(1000)])
    wait_until(lambda: begun, "its start")
    g.interrupt()
    assert g.join(LONG)
    assert done == [sum(range(3_000_000))]
    assert isinstance(g.exception(), gmprt.GoroutineExit)
    assert other.join(LONG)


def test_one_that_gave_way_is_runnable(one_p, flag):
    hog = go(flag.spin)
    wait_until(lambda: flag.turns, "it runs")
    assert hog.state == "runnable"
    assert hog.wait_reason == ""
    assert hog not in gmprt.leaks.stuck()
    flag.set()
    assert hog.result(LONG)


def test_contextvars_are_its_own(one_p, flag):
    from contextvars import ContextVar

    var = ContextVar("var")

    def count(i):
        var.set(i)
        while not flag.up:
            seen[i] = var.get()

    seen = [None] * 3
    gs = [go(count, i) for i in range(3)]
    wait_until(lambda: None not in seen, "all have run")
    flag.set()
    join_all(*gs)
    assert seen == [0, 1, 2]


def test_exceptions_are_its_own(one_p, flag):
    def count(i):
        try:
            raise ValueError(i)
        except ValueError:
            while not flag.up:
                seen[i] = sys.exc_info()[1].args[0]

    seen = [None] * 3
    gs = [go(count, i) for i in range(3)]
    wait_until(lambda: None not in seen, "all have run")
    flag.set()
    join_all(*gs)
    assert seen == [0, 1, 2]


# Settings and other tools

FOREVER = 2_000_000_000

HOG = """
import sys, time, gmprt

def main():
    done = []
    g = gmprt.go(done.append, 1)
    for _ in range({turns}):
        if done:
            break
    print(bool(done), gmprt.stats()["preemptions"] > 0)
    g.join()

{setup}
gmprt.run(main, procs=1)
"""


@pytest.mark.parametrize(
    ("setting", "turns", "expected"),
    [("", FOREVER, "True True"), ("asyncpreemptoff=1", 3_000_000, "False False")],
)
def test_it_can_be_turned_off(setting, turns, expected):
    done = run_prog(HOG.format(setup="", turns=turns), env={"GMPRT_DEBUG": setting})
    assert (done.stdout.strip(), done.stderr) == (expected, "")


@pytest.mark.parametrize(
    "setup",
    [
        pytest.param(
            "import cProfile; p = cProfile.Profile(); p.enable()",
            marks=pytest.mark.skipif(
                not GIL, reason="there two threads of any program can make cProfile hang"
            ),
        ),
        "sys.setprofile(lambda *a: None)",
        "import threading; threading.setprofile(lambda *a: None)",
    ],
    ids=["cProfile", "setprofile", "threading"],
)
def test_beside_a_profiler(setup):
    done = run_prog(HOG.format(setup=setup, turns=FOREVER))
    assert (done.stdout.strip(), done.stderr) == ("True True", "")


SCRIPT = """
import gmprt

done = []
g = gmprt.go(done.append, 1)
for _ in range(2_000_000_000):
    if done:
        break
print(done)
g.join()
"""


def test_a_script_that_is_run_as_it_is(tmp_path):
    """Its main goroutine stands on frames of gmprt's command."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    with start_prog("-m", "gmprt", "run", "--procs=1", path) as child:
        done = wait_prog(child)
    assert (done.stdout.strip(), done.stderr) == ("[1]", "")


TRACED = """
import sys, gmprt

def main():
    lines = []
    def trace(frame, event, arg):
        if frame.f_code is spin.__code__:
            lines.append(frame.f_lineno)
            return trace
    def spin():
        for _ in range(300_000):
            pass
        return 1
    done = []
    g = gmprt.go(done.append, 1)
    sys.settrace(trace)
    spin()
    assert sys.gettrace() is trace
    sys.settrace(None)
    g.join()
    print(len(lines) >= 300_000)

gmprt.run(main, procs=1)
"""


def test_beside_a_debugger():
    """Its trace function stays, and sees every line."""
    done = run_prog(TRACED)
    assert (done.stdout.strip(), done.stderr) == ("True", "")


MONITORED = """
import itertools, sys, gmprt
mon = sys.monitoring
for tool in {tools}:
    mon.use_tool_id(tool, f"other {{tool}}")
calls = itertools.count()
def called_back(*_):
    next(calls)
mon.register_callback({tools}[0], mon.events.JUMP, called_back)
mon.set_events({tools}[0], mon.events.JUMP)

def main():
    done = []
    g = gmprt.go(done.append, 1)
    n = 0
    while n < 100_000 or (n < {turns} and not done):
        n += 1
    stats = gmprt.stats()
    print(bool(done), next(calls) >= n, stats["preemptions"], stats["retakes"])
    g.join()
    assert all(mon.get_tool(tool) == f"other {{tool}}" for tool in {tools})

gmprt.run(main, procs=1)
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12")
def test_beside_another_tool():
    """Where sysmon finds the thread in that tool's callback each time, the P is taken instead."""
    done = run_prog(MONITORED.format(tools=[4, 3], turns=FOREVER))
    ran, saw_all, preemptions, retakes = done.stdout.split()
    assert (ran, saw_all, done.stderr) == ("True", "True", "")
    assert int(preemptions) + int(retakes) > 0


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12")
def test_where_every_tool_id_is_taken_it_says_so_once():
    done = run_prog(MONITORED.format(tools=[4, 3, 5], turns=500_000))
    assert done.stdout.split()[1:3] == ["True", "0"]
    assert done.stderr.count("no tool id of sys.monitoring is free") == 1
    assert done.returncode == 0


def test_reaping_one_that_computes_needs_a_park_point(one_p, flag):
    def spin():
        while not flag.up:
            pass
        Chan().recv()

    g = go(spin)
    wait_until(lambda: stats()["preemptions"], "one has given way")
    g.interrupt()
    flag.set()
    reap(g)
