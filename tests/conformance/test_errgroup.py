"""errgroup.Group as a context manager, its limit and its errors, from gmprt's own contract."""

import pytest

import gmprt
from gmprt import Canceled, Chan, GoroutineExit, go, goexit
from gmprt.context import background, cause, with_cancel
from gmprt.errgroup import Group, with_context
from tests.conformance.parking import LONG, Boom, join_all, parked, until


def fails(exc):
    raise exc


def test_the_exit_waits_for_all(procs):
    done = []
    gate = Chan()

    def body():
        gate.recv()
        done.append(1)

    with Group() as g:
        for _ in range(3):
            g.go(body)
        go(lambda: [gate.send(None) for _ in range(3)])
    assert done == [1, 1, 1]
    assert isinstance(g.ctx.err(), Canceled)


def test_the_first_error_of_a_goroutine_is_raised_and_is_the_cause(procs):
    boom = Boom("first")
    group = Group()

    def block():
        with group as g:
            g.go(fails, boom)
            g.ctx.done().recv_ok(LONG)
            g.go(fails, Boom("second"))

    with pytest.raises(Boom) as failure:
        block()
    assert failure.value is boom
    assert cause(group.ctx) is boom


def test_the_bodys_error_that_comes_first_is_raised(procs):
    boom, started = Boom("the body's"), Chan()

    def body(ctx):
        started.send(None)
        ctx.done().recv_ok()
        raise Boom("later")

    def block():
        with Group() as g:
            g.go(body, g.ctx)
            started.recv()
            raise boom

    with pytest.raises(Boom) as failure:
        block()
    assert failure.value is boom


def test_the_bodys_context_error_after_a_goroutines_error_is_its_context(procs):
    boom = Boom("cause")

    def block():
        with Group() as g:
            g.go(fails, boom)
            Chan().recv(ctx=g.ctx)

    with pytest.raises(Boom) as failure:
        block()
    assert failure.value is boom
    assert isinstance(failure.value.__context__, Canceled)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_bodys_exception_that_is_no_exception_goes_on_in_any_case(procs, kind):
    def block():
        with Group() as g:
            g.go(fails, Boom("first"))
            g.ctx.done().recv_ok(LONG)
            raise kind

    with pytest.raises(kind):
        block()


def test_a_body_that_ends_its_goroutine_cancels_the_context(procs):
    ended = Chan(1)

    def member(ctx):
        ctx.done().recv_ok()
        ended.send(type(cause(ctx)))

    def body():
        with Group() as g:
            g.go(member, g.ctx)
            goexit()

    g = go(body)
    assert g.join(LONG)
    assert isinstance(g.exception(), GoroutineExit)
    assert ended.recv(LONG) is GoroutineExit


def test_one_that_interrupts_the_wait_ends_those_left(procs):
    ended = []

    def member():
        try:
            Chan().recv()
        finally:
            ended.append(1)

    members = []

    def body():
        with Group() as g:
            members.extend(g.go(member) for _ in range(3))

    waiting = parked(body)
    until(lambda: all(g.state == "waiting" for g in members), "the members wait")
    boom = Boom("enough")
    waiting.interrupt(boom)
    assert waiting.exception(LONG) is boom
    assert ended == [1, 1, 1]
    assert all(g.done() for g in members)


def test_system_exit_of_a_goroutine_is_an_error_and_a_quiet_end_is_none(procs):
    g = Group()
    g.go(goexit)
    g.wait()
    g = Group()
    g.go(fails, SystemExit(3))
    with pytest.raises(SystemExit) as failure:
        g.wait()
    assert failure.value.code == 3


def test_the_group_gives_its_goroutines_values_and_its_parents_end(procs):
    parent, cancel = with_cancel(background())
    g, ctx = with_context(parent)
    assert g.ctx is ctx
    handle = g.go(pow, 2, 10)
    assert handle.result(LONG) == 1024
    waiter = g.go(lambda: ctx.done().recv_ok(LONG))
    cancel()
    assert waiter.result(LONG) == (None, False)
    g.wait()


def test_at_the_limit_go_waits_and_try_go_starts_nothing(procs):
    g, gate = Group(limit=1), Chan()
    first = g.go(gate.recv)
    assert g.try_go(int) is None
    second = parked(g.go, int)
    with pytest.raises(RuntimeError, match="modify limit while 1 goroutines"):
        g.set_limit(5)
    gate.send(None)
    join_all(first, second, second.result(LONG))
    g.wait()
    g.set_limit(0)
    assert g.try_go(int) is None
    g.set_limit(-1)
    join_all(*[g.go(int) for _ in range(10)])
    g.wait()


@pytest.mark.parametrize("wrong", [3, None, "f"])
def test_what_cannot_be_called_is_a_type_error_and_counts_for_nothing(procs, wrong):
    g = Group(limit=1)
    for start in (g.go, g.try_go):
        with pytest.raises(TypeError):
            start(wrong)
    g.go(int).join()
    g.wait()
    assert gmprt.stats()["goroutines"]["waiting"] == 0


@pytest.mark.parametrize("wrong", [True, 1.5, "2"])
def test_a_limit_that_is_no_number_is_a_type_error(rt, wrong):
    with pytest.raises(TypeError):
        Group(limit=wrong)
    with pytest.raises(TypeError, match=r"ctx|parent|context"):
        Group(3)
