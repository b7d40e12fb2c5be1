"""Go's runtime/proc_test.go and crash_test.go in Python: TestStopTheWorldDeadlock,
TestYieldProgress, TestYieldLockedProgress, TestBlockLocked, TestTimerFairness, TestNumGoroutine,
TestBigGOMAXPROCS, TestGoNil, TestMainGoroutineID and TestGoroutineSwitch's and
TestCreateGoroutines' loads (without their clocks).
"""

import pytest

import gmprt
from gmprt import Chan, current, go, gosched, on_recv, select, sleep, stack
from tests.conformance.parking import LONG, join_all, parked, reap, until

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
        while select(gmprt.on_send(c, True), on_recv(done)).index == 0:
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


# TestGoNil


def test_go_of_none_is_an_error_at_the_call(procs):
    with pytest.raises(TypeError):
        go(None)


# TestMainGoroutineID


def test_main_is_goroutine_one_and_running(procs):
    assert stack().startswith("goroutine 1 [running")
    assert current().id == 1


# TestGoroutineSwitch, TestCreateGoroutines, TestCreateGoroutinesParallel


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
