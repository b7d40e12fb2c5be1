"""`run`: a function as the main goroutine, in the calling thread, again and again."""

import functools
import threading

import pytest

import gmprt
from gmprt import Chan, current, go, gosched, run
from tests.conformance.parking import LONG, Boom, parked


def test_it_gives_the_result_and_passes_the_arguments(procs):
    assert run(divmod, 7, 2) == (3, 1)
    assert run(lambda: None) is None
    assert run(functools.partial(int, "ff", base=16)) == 255


@pytest.mark.parametrize("exc", [Boom("x"), SystemExit(3), KeyboardInterrupt(), BaseException()])
def test_it_raises_the_exception(procs, exc):
    def main():
        raise exc

    with pytest.raises(type(exc)) as caught:
        run(main)
    assert caught.value is exc
    assert run(lambda: "again") == "again"


def test_it_runs_in_the_calling_thread_as_goroutine_one(procs):
    me = current()

    def main():
        ch = Chan()
        go(ch.send, 1)
        ch.recv()
        return threading.get_ident(), current()

    assert run(main) == (threading.get_ident(), me)
    assert me.id == 1


def test_it_can_be_used_again_and_again(procs):
    for i in range(20):
        assert run(lambda i=i: go(int, str(i)).result(LONG)) == i


def test_procs_holds_for_its_duration():
    before = gmprt.gomaxprocs()
    for n in (1, 3, 5):
        assert run(gmprt.gomaxprocs, procs=n) == n
        assert gmprt.gomaxprocs() == before
    assert run(gmprt.gomaxprocs) == before
    assert run(gmprt.gomaxprocs, procs=None) == before


def test_procs_is_restored_after_an_exception():
    def main():
        raise Boom

    before = gmprt.gomaxprocs()
    with pytest.raises(Boom):
        run(main, procs=before + 2)
    assert gmprt.gomaxprocs() == before


@pytest.mark.parametrize("bad", [0, -2])
def test_bad_procs_is_a_value_error_and_nothing_runs(bad):
    before, ran = gmprt.gomaxprocs(), []
    with pytest.raises(ValueError, match=str(bad)):
        run(ran.append, 1, procs=bad)
    assert ran == []
    assert gmprt.gomaxprocs() == before
    assert run(lambda: "works") == "works"


@pytest.mark.parametrize("bad", [3, None, "main"])
def test_what_is_not_callable_is_a_type_error(bad):
    with pytest.raises(TypeError):
        run(bad)
    assert run(lambda: "works") == "works"


def test_inside_another_run_is_a_runtime_error(procs):
    def main():
        with pytest.raises(RuntimeError):
            run(int)
        return "outer"

    assert run(main) == "outer"


def test_in_another_goroutine_is_a_runtime_error(procs):
    assert isinstance(go(run, int).exception(LONG), RuntimeError)
    assert isinstance(run(lambda: go(run, int).exception(LONG)), RuntimeError)


def test_outside_the_main_thread_is_a_runtime_error():
    errors = []

    def target():
        try:
            run(int)
        except RuntimeError as e:
            errors.append(e)
        errors.append(go(int).result(LONG))

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(LONG)
    assert isinstance(errors[0], RuntimeError)
    assert errors[1] == 0


def test_in_a_system_call_of_main_is_a_runtime_error(procs):
    def main():
        with pytest.raises(RuntimeError):
            gmprt.syscall(run, int)
        return "outer"

    assert run(main) == "outer"


def test_goroutines_still_alive_live_on(procs):
    ch = Chan()
    g = run(lambda: parked(ch.recv))
    assert not g.done()
    gosched()
    ch.send("after run")
    assert g.result(LONG) == "after run"


def test_goroutines_made_before_run_go_on_in_it(procs):
    ch = Chan()
    g = parked(ch.recv)

    def main():
        ch.send("in run")
        return g.result(LONG)

    assert run(main) == "in run"


def test_run_does_not_wait_for_goroutines(procs):
    ch = Chan()
    assert run(lambda: go(ch.recv)).done() is False
    ch.send(None)


def test_inside_run_all_is_as_without(procs):
    def main():
        ch = Chan(2)
        gs = [go(lambda i=i: ch.send(i)) for i in range(10)]
        got = sorted(ch.recv() for _ in range(10))
        assert all(g.join(LONG) for g in gs)
        return got, current().parent, current().state

    got, _, state = run(main)
    assert got == list(range(10))
    assert state == "running"
