"""`gomaxprocs`, `num_goroutine`, `num_cpu`, and `GMPRT_MAXPROCS` in a program of its own."""

import os
import subprocess
import sys

import pytest

import gmprt
from gmprt import Chan, go, gosched
from tests.conformance.parking import LONG, join_all, parked, reap, until


@pytest.fixture
def restored():
    former = gmprt.gomaxprocs()
    yield former
    gmprt.gomaxprocs(former)


def test_gomaxprocs_gives_the_former_number(restored):
    assert type(restored) is int
    assert restored >= 1
    assert gmprt.gomaxprocs(3) == restored
    assert gmprt.gomaxprocs(5) == 3
    assert gmprt.gomaxprocs() == 5
    assert gmprt.gomaxprocs(None) == 5
    assert gmprt.gomaxprocs(n=1) == 5
    assert gmprt.gomaxprocs(1) == 1


@pytest.mark.parametrize("bad", [0, -1, -100])
def test_less_than_one_is_a_value_error_that_names_it(restored, bad):
    with pytest.raises(ValueError, match=str(bad)):
        gmprt.gomaxprocs(bad)
    assert gmprt.gomaxprocs() == restored


@pytest.mark.parametrize("bad", ["2", 1.5, [2]])
def test_what_is_no_integer_is_refused(restored, bad):
    with pytest.raises((TypeError, ValueError)):
        gmprt.gomaxprocs(bad)
    assert gmprt.gomaxprocs() == restored


def test_it_changes_while_goroutines_run(restored):
    def body(n):
        for _ in range(n):
            gosched()
        return n

    gs = [go(body, 50 + i) for i in range(40)]
    for n in (1, 8, 2, 16, 1, 3):
        gmprt.gomaxprocs(n)
        gosched()
    assert join_all(*gs) == [50 + i for i in range(40)]
    assert gmprt.gomaxprocs() == 3


def test_a_goroutine_may_change_it(restored):
    def body():
        former = gmprt.gomaxprocs(6)
        gosched()
        return former, gmprt.gomaxprocs()

    gmprt.gomaxprocs(2)
    assert go(body).result(LONG) == (2, 6)
    assert gmprt.gomaxprocs() == 6


def test_queued_goroutines_survive_the_loss_of_their_p(restored):
    gmprt.gomaxprocs(8)
    results = Chan(1000)
    for i in range(1000):
        go(results.send, i)
    gmprt.gomaxprocs(1)
    assert sorted(results.recv() for _ in range(1000)) == list(range(1000))


def test_parked_goroutines_survive_every_change(restored):
    ch = Chan()
    gmprt.gomaxprocs(8)
    gs = [parked(ch.recv) for _ in range(30)]
    for n in (1, 4, 1):
        gmprt.gomaxprocs(n)
        for i in range(10):
            ch.send(i)
    assert sorted(join_all(*gs)) == sorted([*range(10)] * 3)


def test_num_cpu_is_what_this_process_may_use():
    n = gmprt.num_cpu()
    assert type(n) is int
    if hasattr(os, "sched_getaffinity"):
        assert n == len(os.sched_getaffinity(0))
    else:
        assert n == os.cpu_count()


def test_num_goroutine_counts_main_and_all_that_are_not_done(procs):
    before = gmprt.num_goroutine()
    assert before >= 1
    ch = Chan()
    gs = [parked(ch.recv) for _ in range(10)]
    assert gmprt.num_goroutine() == before + 10
    assert go(gmprt.num_goroutine).result(LONG) == before + 11
    until(lambda: gmprt.num_goroutine() == before + 10, "the end of the one that counted")
    reap(*gs[:5])
    until(lambda: gmprt.num_goroutine() == before + 5, "the end of five")
    reap(*gs[5:])
    until(lambda: gmprt.num_goroutine() == before, "the end of all")


def program(text, **env):
    """Run `text` as a program of its own; what it printed, and its complaint."""
    settings = {k: v for k, v in os.environ.items() if not k.startswith("GMPRT_")} | env
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, env=settings, timeout=60
    )
    return done.stdout.strip(), done.stderr


ASK = "import gmprt; gmprt.go(int).join(); print(gmprt.gomaxprocs())"


def test_the_environment_sets_it():
    assert program(ASK, GMPRT_MAXPROCS="7")[0] == "7"


def test_an_empty_setting_is_unset():
    default = program(ASK)[0]
    assert int(default) >= 1
    assert program(ASK, GMPRT_MAXPROCS="")[0] == default


@pytest.mark.parametrize("bad", ["0", "-3", "x", "1.5"])
def test_a_bad_setting_is_a_value_error_that_names_it(bad):
    catch = "import gmprt\ntry:\n    gmprt.go(int)\nexcept ValueError as e:\n    print(e)"
    out, err = program(catch, GMPRT_MAXPROCS=bad)
    assert bad in out, err


def test_import_alone_does_not_read_the_setting():
    out, err = program("import gmprt; print('imported')", GMPRT_MAXPROCS="x")
    assert out == "imported", err
