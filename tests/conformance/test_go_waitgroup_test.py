"""Go's sync/waitgroup_test.go in Python: TestWaitGroup, TestWaitGroupMisuse, TestWaitGroupRace and
TestWaitGroupGo; and of its example_test.go ExampleWaitGroup_AddAndDone.
"""

import threading

import pytest

import gmprt
from gmprt import Chan, go
from gmprt.sync import WaitGroup
from tests.conformance.parking import LONG, Boom, join_all, parked, until

# TestWaitGroup


def test_two_groups_are_a_barrier_again_and_again(procs):
    here, there, n = WaitGroup(), WaitGroup(), 16

    def body(exited):
        here.done()
        there.wait()
        exited.send(None)

    for _ in range(8):
        exited = Chan(n)
        here.add(n)
        there.add(n)
        gs = [go(body, exited) for _ in range(n)]
        here.wait()
        for _ in range(n):
            assert len(exited) == 0
            there.done()
        for _ in range(n):
            exited.recv(LONG)
        join_all(*gs)


# TestWaitGroupMisuse


def test_one_done_too_many_is_an_error_and_the_group_is_as_before(procs):
    wg = WaitGroup()
    wg.add(1)
    wg.done()
    with pytest.raises(ValueError, match=r"^sync: negative WaitGroup counter$"):
        wg.done()
    wg.wait(0)
    wg.add(2)
    with pytest.raises(ValueError, match=r"^sync: negative WaitGroup counter$"):
        wg.add(-3)
    waiter = parked(wg.wait)
    wg.done()
    wg.done()
    assert waiter.join(LONG)


def test_those_who_waited_go_on_also_if_the_group_is_used_again_at_once(procs):
    wg = WaitGroup()
    for _ in range(10):
        wg.add(1)
        gs = [parked(wg.wait) for _ in range(3)]
        wg.done()
        wg.add(1)
        join_all(*gs)
        with pytest.raises(TimeoutError):
            wg.wait(0)
        wg.done()


# TestWaitGroupRace


def test_nobody_is_woken_before_all_are_done(procs):
    for _ in range(100):
        wg, did = WaitGroup(), []

        def body(wg=wg, did=did):
            did.append(None)
            wg.done()

        wg.add(1)
        first = go(body)
        wg.add(1)
        second = go(body)
        wg.wait()
        assert len(did) == 2
        join_all(first, second)


def test_any_number_waits_while_any_number_counts(procs):
    wg, did = WaitGroup(), []

    def work():
        did.append(None)
        wg.done()

    def wait():
        wg.wait()
        return len(did)

    wg.add(50)
    gs = [go(fn) for _ in range(50) for fn in (work, wait)]
    assert [n for n in join_all(*gs) if n is not None] == [50] * 50


def test_threads_count_and_wait_too(procs):
    wg, seen, did = WaitGroup(), [], []

    def work():
        did.append(None)
        wg.done()

    def wait():
        wg.wait(LONG)
        seen.append(len(did))

    wg.add(4)
    threads = [threading.Thread(target=fn) for fn in (wait, work, wait, work)]
    for t in threads:
        t.start()
    gs = [go(fn) for fn in (wait, work, wait, work)]
    wg.wait(LONG)
    join_all(*gs)
    for t in threads:
        t.join(LONG)
    assert seen == [4] * 4


# TestWaitGroupGo


def test_go_runs_it_and_counts_it(procs):
    wg, did = WaitGroup(), []
    wg.go(did.append, 1)
    wg.wait()
    assert did == [1]


def test_go_counts_from_the_call_on(procs):
    """So `wait` right after it waits, whether or not the goroutine has run yet."""
    wg, gate, did = WaitGroup(), Chan(), []

    def body(i):
        gate.recv_ok()
        did.append(i)

    for i in range(4):
        wg.go(body, i)
    with pytest.raises(TimeoutError):
        wg.wait(0)
    gate.close()
    wg.wait(LONG)
    assert sorted(did) == [0, 1, 2, 3]


def test_go_starts_a_goroutine_of_the_callers_line_and_name(procs):
    wg = WaitGroup()

    def body():
        return gmprt.current().parent, gmprt.current().name

    g = wg.go(body)
    parent, name = g.result(LONG)
    assert parent == gmprt.current().id
    assert name == g.name == body.__qualname__
    assert __file__.rpartition("/")[2] in g.created_at
    wg.wait(LONG)


def test_an_error_that_nobody_asks_for_is_reported_and_the_group_goes_on(procs, monkeypatch):
    """Where Go's program ends: the hook is told once, and nobody waits for ever."""
    told = []
    monkeypatch.setattr(gmprt, "excepthook", lambda g, exc: told.append(exc))
    wg, why = WaitGroup(), Boom("on purpose")

    def body():
        raise why

    wg.go(body)
    wg.wait(LONG)
    until(lambda: told, "the report")
    assert told == [why]


# ExampleWaitGroup_AddAndDone


def test_done_in_a_finally_counts_also_one_that_fails(procs):
    wg = WaitGroup()

    def body(i):
        try:
            if i % 2:
                raise Boom
        finally:
            wg.done()

    gs = []
    for i in range(6):
        wg.add(1)
        gs.append(go(body, i))
    wg.wait(LONG)
    assert [type(g.exception(LONG)) for g in gs] == [type(None), Boom] * 3
