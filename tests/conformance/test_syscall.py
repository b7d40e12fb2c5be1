"""`syscall` and `blocking`: calls that block a thread, and nothing else."""

import sys
import threading
import time
import traceback

import pytest

import gmprt
from gmprt import Chan, blocking, current, go, gosched, on_recv, select, sleep, syscall
from gmprt.sync import Mutex, WaitGroup
from tests.conformance.parking import LONG, Boom, join_all, parked, reap, until


def fails(exc):
    raise exc


# syscall: the value and the exception


def test_the_value_comes_back(procs):
    assert syscall(int, "7") == 7
    assert syscall(dict, fn=1, name=2) == {"fn": 1, "name": 2}
    value = object()
    assert syscall(lambda: value) is value
    assert syscall(lambda: None) is None
    assert go(syscall, int, "7").result(LONG) == 7


@pytest.mark.parametrize(
    "exc", [Boom("x"), SystemExit(2), KeyboardInterrupt(), StopIteration(1), BaseException()]
)
def test_the_exception_comes_back(procs, exc):
    with pytest.raises(type(exc)) as caught:
        syscall(fails, exc)
    assert caught.value is exc
    assert "fails" in [f.name for f in traceback.extract_tb(exc.__traceback__)]
    g = go(syscall, fails, exc)
    assert g.join(LONG)
    assert g.exception() is exc


@pytest.mark.parametrize("bad", [3, None, "sleep"])
def test_what_is_not_callable_is_a_type_error(procs, bad):
    with pytest.raises(TypeError):
        syscall(bad)


def test_the_exception_comes_back_while_others_live_here(procs):
    """With started goroutines about, the call may run on another thread: no difference is to be
    seen.
    """
    others = [parked(Chan().recv) for _ in range(5)]
    exc = Boom()
    with pytest.raises(Boom) as caught:
        syscall(fails, exc)
    assert caught.value is exc
    assert syscall(lambda: "value") == "value"
    reap(*others)


def test_current_in_the_call_is_the_caller(procs):
    me = current()
    assert syscall(current) is me
    others = [parked(Chan().recv) for _ in range(3)]
    assert syscall(current) is me

    def body():
        return syscall(current) is current()

    assert join_all(*[go(body) for _ in range(10)]) == [True] * 10
    reap(*others)


def test_calls_nest(procs):
    assert syscall(syscall, syscall, int, "3") == 3
    assert go(syscall, syscall, current).result(LONG) is not None


# syscall: nobody waits for it


def test_main_in_a_call_keeps_nobody(procs):
    """Only a goroutine sets the event that the call waits for."""
    ev = threading.Event()
    go(ev.set)
    assert syscall(ev.wait, LONG) is True


def test_a_goroutine_in_a_call_keeps_nobody(procs):
    ev = threading.Event()
    g = go(syscall, ev.wait, LONG)
    until(lambda: g.state == "syscall", "the call")
    go(ev.set)
    assert g.result(LONG) is True


def test_goroutines_that_have_started_run_on_during_a_call(procs):
    """They can't move to another thread, so it is the call that must not keep theirs."""
    gate, ev = Chan(), threading.Event()

    def waits_then_sets():
        gate.recv()
        gosched()
        ev.set()

    started = parked(waits_then_sets)
    opener = go(lambda: gate.send(sleep(0.001)))
    assert syscall(ev.wait, LONG) is True
    join_all(started, opener)


def test_many_are_in_calls_at_once(procs):
    """The barrier lets them go only when all are in it at the same time."""
    n = 24
    barrier = threading.Barrier(n)
    gs = [go(syscall, barrier.wait, LONG) for _ in range(n)]
    assert sorted(join_all(*gs)) == list(range(n))


def test_calls_and_computing_go_on_together(procs):
    n = 8
    barrier = threading.Barrier(n + 1)
    counter, stop = [0], []

    def computes():
        while not stop:
            counter[0] += 1
            gosched()

    worker = go(computes)
    gs = [go(syscall, barrier.wait, LONG) for _ in range(n)]
    until(lambda: barrier.n_waiting == n, "all calls")
    before = counter[0]
    until(lambda: counter[0] > before, "the worker")
    syscall(barrier.wait, LONG)
    join_all(*gs)
    stop.append(1)
    assert worker.join(LONG)


def test_the_ps_are_as_many_as_before_when_calls_are_over(procs):
    n = 10
    for _ in range(5):
        barrier = threading.Barrier(n)
        join_all(*[go(syscall, barrier.wait, LONG) for _ in range(n)])
    assert gmprt.gomaxprocs() == procs
    assert gmprt.stats()["ps"] == procs


def test_a_quick_call_a_thousand_times(procs):
    def body():
        return sum(syscall(int, "1") for _ in range(200))

    assert join_all(*[go(body) for _ in range(5)]) == [200] * 5


# syscall: the API inside


def test_waits_of_the_api_inside_block_that_thread_alone(procs):
    ch, back = Chan(), Chan()

    def call():
        v = ch.recv(timeout=LONG)
        back.send(v + 1, timeout=LONG)
        return "called"

    g = go(syscall, call)
    ch.send(1)
    assert back.recv(timeout=LONG) == 2
    assert g.result(LONG) == "called"


def test_every_kind_of_wait_works_inside(procs):
    ch, m, wg = Chan(), Mutex(), WaitGroup()
    waiting = parked(ch.recv)

    def call():
        sleep(0.001)
        gosched()
        with pytest.raises(TimeoutError):
            Chan().recv(timeout=0.001)
        with pytest.raises(TimeoutError):
            select(on_recv(Chan()), timeout=0.001)
        with m:
            pass
        wg.go(sleep, 0.001)
        wg.wait(LONG)
        assert go(lambda: "made inside").result(LONG) == "made inside"
        assert waiting.join(0.001) is False
        ch.send("from inside")
        assert waiting.join(LONG) is True
        return waiting.result()

    assert syscall(call) == "from inside"
    ch2 = Chan()
    waiting = parked(ch2.recv)
    ch = ch2
    assert go(syscall, call).result(LONG) == "from inside"


def test_a_goroutine_made_inside_is_the_callers_child(procs):
    def body():
        child = syscall(go, int)
        assert child.result(LONG) == 0
        return child.parent == current().id

    assert go(body).result(LONG)
    child = syscall(go, int)
    assert child.result(LONG) == 0
    assert child.parent == 1


def test_a_call_that_waits_for_another_call(procs):
    """Each waits inside its call for what another gives inside its own."""
    n = 6
    chans = [Chan() for _ in range(n + 1)]

    def relay(i):
        chans[i + 1].send(chans[i].recv(timeout=LONG) + 1, timeout=LONG)

    gs = [go(syscall, relay, i) for i in range(n)]
    chans[0].send(0)
    assert chans[n].recv(timeout=LONG) == n
    join_all(*gs)


def test_in_a_foreign_thread_it_is_the_plain_call():
    box = []

    def target():
        box.append(syscall(threading.get_ident) == threading.get_ident())
        try:
            syscall(fails, Boom())
        except Boom:
            box.append("raised")
        with blocking():
            box.append(current())

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(LONG)
    assert box == [True, "raised", None]


def test_the_gist_of_it_a_hundred_sleeps_take_the_time_of_one(procs):
    n, each = 40, 0.1
    start = time.monotonic()
    join_all(*[go(syscall, time.sleep, each) for _ in range(n)])
    assert each <= time.monotonic() - start < 0.75 * n * each


# blocking


def test_the_block_runs_in_place(procs):
    others = [parked(Chan().recv) for _ in range(3)]

    def body():
        before = threading.get_ident()
        with blocking():
            inside = threading.get_ident()
        return before == inside == threading.get_ident()

    assert body()
    assert join_all(*[go(body) for _ in range(10)]) == [True] * 10
    reap(*others)


def test_a_block_keeps_no_fresh_goroutine(procs):
    ev = threading.Event()
    go(ev.set)
    with blocking():
        assert ev.wait(LONG)


def test_blocks_of_many_goroutines_at_once(procs):
    n = 10
    barrier = threading.Barrier(n)

    def body():
        with blocking():
            return barrier.wait(LONG)

    assert sorted(join_all(*[go(body) for _ in range(n)])) == list(range(n))


def test_an_exception_leaves_the_block(procs):
    def body():
        with blocking():
            raise Boom("out of it")

    with pytest.raises(Boom, match="out of it"):
        body()
    with pytest.raises(Boom, match="out of it"):
        go(body).result(LONG)
    assert go(lambda: "lives").result(LONG) == "lives"


def test_blocks_nest_and_hold_calls(procs):
    def body():
        with blocking():
            with blocking():
                a = syscall(current)
            b = current()
        return a is b is current()

    assert body()
    assert go(body).result(LONG)


def test_a_wait_in_the_block_blocks_that_thread_alone(procs):
    ch = Chan()

    def body():
        with blocking():
            return ch.recv(timeout=LONG), threading.get_ident()

    sender = go(ch.send, "in")
    assert go(body).result(LONG)[0] == "in"
    assert sender.join(LONG)
    go(ch.send, "to main")
    with blocking():
        assert ch.recv(timeout=LONG) == "to main"


def test_state_in_the_block_is_syscall(procs):
    """As a foreign thread sees it: the block may stop main with it, whose thread it may run on."""
    entered, leave, seen = threading.Event(), threading.Event(), []

    def body():
        with blocking():
            entered.set()
            leave.wait(LONG)
        return current().state

    def watches():
        if entered.wait(LONG):
            seen.append((g.state, g.wait_reason))
            leave.set()

    watcher = threading.Thread(target=watches)
    g = go(body)
    watcher.start()
    assert g.result(LONG) == "running"
    watcher.join()
    assert seen == [("syscall", "")]


def test_leaving_the_block_when_the_p_is_gone(procs):
    """Its P has gone to others meanwhile: the goroutine waits for one, and nothing is lost."""
    rounds = 20

    def body(i):
        total = 0
        for _ in range(rounds):
            with blocking():
                time.sleep(0.0005)
            total += i
            gosched()
        return total

    gs = [go(body, i) for i in range(8)]
    assert join_all(*gs) == [rounds * i for i in range(8)]
    assert gmprt.stats()["ps"] == procs


def test_a_generator_based_block_survives_a_closed_generator(procs):
    """`blocking()` entered in a generator that is closed midway leaves the goroutine as it was."""

    def gen():
        with blocking():
            yield current()

    def body():
        it = gen()
        assert next(it) is current()
        it.close()
        gosched()
        return current().state

    assert go(body).result(LONG) == "running"


def test_an_unannounced_call_keeps_nobody_for_good(procs):
    """The runtime finds out by itself, or the goroutine that sets the event would never run."""
    if sys.platform == "win32":
        pytest.skip("found by the thread's CPU clock")
    ev = threading.Event()
    go(ev.set)
    assert ev.wait(LONG) is True
