"""Go's runtime/proc_test.go in Python: TestStopTheWorldDeadlock, TestYieldProgress,
TestYieldLockedProgress, TestYieldLocked, TestGoroutineParallelism(2), TestBlockLocked,
TestTimerFairness(2), TestPreemption, TestPreemptionGC, TestPreemptionAfterSyscall,
TestNumGoroutine, TestBigGOMAXPROCS and BenchmarkPingPongHog's and BenchmarkCreateGoroutines' loads
(without their clocks).

What spins without ever yielding is run on as many Ps as there are spinners, as in Go.
"""

import gc
import time

import pytest

import gmprt
from gmprt import Chan, go, gosched, on_recv, on_send, select, sleep, stack
from tests.conformance.parking import LONG, join_all, parked, reap, until
from tests.support import everything

# TestStopTheWorldDeadlock


def test_changing_the_number_of_ps_from_many_goroutines_at_once(procs):
    stop = []

    def changes(n):
        for i in range(30):
            gmprt.gomaxprocs(1 + (i + n) % 4)
            gosched()

    def yields():
        while not stop:
            gosched()

    yielders = [go(yields) for _ in range(3)]
    join_all(*[go(changes, n) for n in range(3)])
    stop.append(1)
    join_all(*yielders)
    gmprt.gomaxprocs(procs)
    assert gmprt.stats()["ps"] == procs


def test_collections_and_changes_beside_a_perpetuum_mobile(procs):
    """One that makes its successor for ever keeps nobody from running: those two are queued before
    it, and each of its successors is the next to run.
    """
    stop, ended = [], Chan()

    def perpetuum_mobile():
        if stop:
            ended.close()
        else:
            go(perpetuum_mobile)

    def collects():
        for _ in range(5):
            gc.collect()
            gosched()

    def changes():
        for _ in range(100):
            gmprt.gomaxprocs(3)
            gosched()

    gs = [go(collects), go(changes)]
    first = go(perpetuum_mobile)
    try:
        assert [g.join(10) for g in gs] == [True, True]
    finally:
        stop.append(1)
        assert ended.recv_ok(LONG) == (None, False)
        join_all(first, *gs)


# TestYieldProgress, TestYieldLockedProgress


@pytest.mark.parametrize("locked", [False, True])
def test_yield_progress(procs, locked):
    c, c_ready, flag = Chan(), Chan(), []

    def body():
        if locked:
            gmprt.lock_os_thread()
        c_ready.send(True)
        while not flag:
            gosched()
        if locked:
            gmprt.unlock_os_thread()
        c.send(True)

    g = go(body)
    c_ready.recv()
    for _ in range(10):
        gosched()
    flag.append(1)
    assert c.recv()
    assert g.join(LONG)


# TestYieldLocked


def test_a_locked_goroutine_yields_sleeps_and_ends_locked(procs):
    c, n = Chan(), 10

    def body():
        gmprt.lock_os_thread()
        for _ in range(n):
            gosched()
            sleep(0.001)
        c.send(True)

    g = go(body)
    assert c.recv()
    assert g.join(LONG)


# TestGoroutineParallelism, TestGoroutineParallelism2


@pytest.fixture
def four_ps():
    before = gmprt.gomaxprocs(4)
    yield 4
    gmprt.gomaxprocs(before)


def count_in_turn(x, n, i):
    """Wait, without yielding, until it is one's turn to count; three times."""
    end = time.monotonic() + LONG
    for turn in range(3):
        while x[0] != turn * n + i:
            assert time.monotonic() < end, f"the others do not run\n{everything()}"
        x[0] += 1


def test_goroutines_that_wait_for_each_other_without_yielding_all_run(four_ps):
    for _ in range(5):
        x = [0]
        join_all(*[go(count_in_turn, x, four_ps, i) for i in range(four_ps)])
        assert x == [3 * four_ps]


@pytest.mark.parametrize("load", [False, True])
def test_so_do_goroutines_that_others_have_made(four_ps, load):
    """Also when the threads that ran the last ones are about to go to sleep."""

    def gather(here):
        here.append(1)
        end = time.monotonic() + LONG
        while len(here) < four_ps:
            assert time.monotonic() < end, f"the others do not run\n{everything()}"

    def pair(x, p):
        join_all(*[go(count_in_turn, x, four_ps, 2 * p + i) for i in range(2)])

    for _ in range(5):
        if load:
            here = []
            join_all(*[go(gather, here) for _ in range(four_ps)])
        x = [0]
        join_all(*[go(pair, x, p) for p in range(four_ps // 2)])
        assert x == [3 * four_ps]


# TestBlockLocked


def test_a_locked_goroutine_blocks_and_is_woken(procs):
    c, n = Chan(), 10

    def body():
        gmprt.lock_os_thread()
        for _ in range(n):
            c.send(True)
        gmprt.unlock_os_thread()

    g = go(body)
    assert [c.recv() for _ in range(n)] == [True] * n
    assert g.join(LONG)


# TestTimerFairness


def test_a_sleeper_wakes_beside_busy_senders(procs):
    c, done = Chan(), Chan()

    def sender():
        while select(on_send(c, True), on_recv(done)).index == 0:
            pass

    senders = [go(sender) for _ in range(2)]
    sleeper = go(lambda: sleep(0.02))
    received = 0
    while not sleeper.done():
        c.recv()
        received += 1
    assert received > 0
    done.close()
    join_all(*senders)


def test_a_timer_fires_beside_busy_senders(procs):
    c, done = Chan(), Chan()

    def sender():
        while select(on_send(c, True), on_recv(done)).index == 0:
            pass

    senders = [go(sender) for _ in range(2)]
    timer, received = gmprt.after(0.02), 0
    while select(on_recv(c), on_recv(timer)).index == 0:
        received += 1
    assert received > 0
    done.close()
    join_all(*senders)


# TestTimerFairness2


def test_timers_fire_in_goroutines_of_short_calls(procs):
    c = Chan()

    def body():
        timer, n = gmprt.after(0.02), 0
        while True:
            gmprt.syscall(int)
            n += 1
            i = select(on_send(c, True), on_recv(c), on_recv(timer)).index
            if i == 2:
                return n

    assert min(join_all(*[go(body) for _ in range(2)])) >= 1


# TestPreemption, TestPreemptionGC


@pytest.fixture(params=[2, 8], ids=lambda n: f"procs{n}")
def several_ps(request):
    before = gmprt.gomaxprocs(request.param)
    yield request.param
    gmprt.gomaxprocs(before)


def test_two_that_never_yield_take_turns(several_ps):
    x, n = [0], 5

    def body(me):
        end = time.monotonic() + LONG
        for _ in range(n):
            while x[0] != me:
                sum(range(128))
                assert time.monotonic() < end, "the other one does not run"
            x[0] = 1 - me
        return n

    assert join_all(*[go(body, me) for me in range(2)]) == [n, n]


def test_a_collection_is_not_kept_waiting_by_those_who_never_yield(four_ps):
    """Three of them, so that there is a P for who collects."""
    stop, here = [], []

    def body():
        here.append(1)
        end = time.monotonic() + LONG
        while not stop:
            sum(range(128))
            assert time.monotonic() < end, "the collections do not end"

    def collects():
        end = time.monotonic() + LONG
        while len(here) < 3:
            assert time.monotonic() < end, f"the others do not run\n{everything()}"
        for _ in range(5):
            gc.collect()
        stop.append(1)

    join_all(*[go(body) for _ in range(3)], go(collects))


# TestPreemptionAfterSyscall


@pytest.mark.parametrize("seconds", [10e-6, 100e-6, 1e-3])
def test_those_who_do_nothing_but_short_calls_let_others_start(seconds):
    """More of them than there are Ps, and none yields but by its calls."""
    before = gmprt.gomaxprocs(2)
    n, stop = 8, []
    c = Chan(n)

    def spins():
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass

    def body():
        c.send("here")
        while not stop:
            gmprt.syscall(spins)

    gs = [go(body) for _ in range(n)]
    try:
        assert [c.recv(LONG) for _ in range(n)] == ["here"] * n
    finally:
        stop.append(1)
        join_all(*gs)
        gmprt.gomaxprocs(before)


# TestNumGoroutine


def test_num_goroutine_agrees_with_the_stacks(procs):
    gs = [parked(Chan().recv) for _ in range(10)]
    until(
        lambda: gmprt.num_goroutine() == stack().count("\n\ngoroutine ") + 1,
        "as many stacks as goroutines",
    )
    reap(*gs)


# TestBigGOMAXPROCS


def test_a_thousand_ps(procs):
    gmprt.gomaxprocs(1024)
    c = Chan()
    for i in range(100):
        go(c.send, i)
    assert sorted(c.recv() for _ in range(100)) == list(range(100))
    assert gmprt.gomaxprocs(procs) == 1024


# BenchmarkPingPongHog, BenchmarkCreateGoroutines, BenchmarkCreateGoroutinesParallel


def test_two_that_switch_back_and_forth(procs):
    n = 1000

    def body():
        for _ in range(n):
            gosched()
        return n

    assert join_all(go(body), go(body)) == [n, n]


def test_goroutines_made_one_after_the_other(procs):
    def body(i):
        if i == 0:
            return 0
        return go(body, i - 1)

    g, depth = go(body, 500), 0
    while True:
        g = g.result(LONG)
        if g == 0:
            break
        depth += 1
    assert depth == 500


def test_ping_pong(procs):
    a, b, n = Chan(), Chan(), 1000

    def pong():
        for v in a:
            b.send(v + 1)

    g = go(pong)
    v = 0
    for _ in range(n):
        a.send(v)
        v = b.recv()
    a.close()
    assert v == n
    assert g.join(LONG)


def test_many_ping_pongs(procs):
    def pair(n):
        a, b = Chan(), Chan()

        def pong():
            for v in a:
                b.send(v + 1)

        g, v = go(pong), 0
        for _ in range(n):
            a.send(v)
            v = b.recv()
        a.close()
        assert g.join(LONG)
        return v

    assert join_all(*[go(pair, 60) for _ in range(10)]) == [60] * 10
