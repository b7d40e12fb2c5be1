"""`go` and what its handle tells: id, name, done, daemon, created_at, parent, state."""

import functools
import inspect
import os
import threading

import pytest

import gmprt
from gmprt import Chan, current, go
from tests.conformance.parking import LONG, Boom, join_all, parked, reap, until


def add(a, b=0, **more):
    return a + b + sum(more.values())


def here() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


class Worker:
    def fetch(self):
        return self

    @classmethod
    def build(cls):
        return cls

    def __call__(self):
        return "called"


def test_go_passes_all_arguments_and_hands_back_a_g(procs):
    g = go(add, 1, 2, c=3)
    assert isinstance(g, gmprt.G)
    assert g.result(LONG) == 6


def test_the_function_is_positional_only_so_its_own_keywords_are_free(procs):
    assert go(dict, fn=1, main=2, name=3, self=4).result(LONG) == {
        "fn": 1,
        "main": 2,
        "name": 3,
        "self": 4,
    }


def test_go_returns_at_once_also_when_the_function_waits(procs):
    ch = Chan()
    g = go(ch.recv)
    assert not g.done()
    ch.send("late")
    assert g.result(LONG) == "late"


@pytest.mark.parametrize("bad", [3, None, "len", object(), [len]])
def test_what_is_not_callable_is_a_type_error_at_the_call(bad):
    before = gmprt.num_goroutine()
    with pytest.raises(TypeError):
        go(bad)
    assert gmprt.num_goroutine() == before


def test_go_without_a_function_is_a_type_error():
    with pytest.raises(TypeError):
        go()


@pytest.mark.parametrize(
    ("fn", "args", "result"),
    [
        (len, ("four",), 4),
        (int, ("7",), 7),
        ("x".upper, (), "X"),
        (functools.partial(add, 1, 2, c=3), (), 6),
        (Worker(), (), "called"),
        (lambda: "lambda", (), "lambda"),
    ],
)
def test_any_callable_will_do(procs, fn, args, result):
    assert go(fn, *args).result(LONG) == result


def test_ids_are_unique_and_never_used_again(procs):
    seen = set()
    for _ in range(5):
        ids = [g.id for g in [go(add, 1) for _ in range(200)] if g.join(LONG)]
        assert all(type(i) is int and i > 1 for i in ids)
        assert seen.isdisjoint(ids)
        seen.update(ids)
    assert len(seen) == 1000


def test_ids_are_unique_also_when_many_goroutines_make_goroutines(procs):
    def parent():
        return [go(add, 1).id for _ in range(50)]

    families = join_all(*[go(parent) for _ in range(20)])
    ids = [i for family in families for i in family]
    assert len(set(ids)) == 1000


def test_main_is_goroutine_one():
    assert current().id == 1


def test_a_name_is_the_qualname_of_the_function(procs):
    def inner():
        pass

    for fn, name in [
        (add, "add"),
        (inner, f"{test_a_name_is_the_qualname_of_the_function.__qualname__}.<locals>.inner"),
        (Worker().fetch, "Worker.fetch"),
        (Worker.build, "Worker.build"),
        (functools.partial(inner), inner.__qualname__),
        (functools.partial(functools.partial(add, 1), 2), "add"),
        (functools.partial(Worker().fetch), "Worker.fetch"),
    ]:
        g = go(fn, *((1,) if fn is add else ()))
        assert g.name == name
        g.result(LONG)
        assert g.name == name


def test_a_callable_without_a_qualname_still_has_a_name(procs):
    g = go(Worker())
    assert isinstance(g.name, str)
    assert g.name
    g.result(LONG)


def test_a_name_can_be_set_from_outside_and_inside(procs):
    ch = Chan()

    def renames_itself():
        current().name = "me"
        ch.recv()

    g = parked(renames_itself)
    assert g.name == "me"
    g.name = "you"
    assert g.name == "you"
    assert "you" in repr(g)
    ch.send(None)
    assert g.join(LONG)
    assert g.name == "you"


def test_a_wait_group_gives_its_goroutines_the_functions_name_and_the_callers_line(procs):
    wg = gmprt.sync.WaitGroup()
    g, line = wg.go(add, 1), here()
    wg.wait()
    assert g.name == "add"
    assert g.created_at.endswith(f"{os.path.basename(__file__)}:{line}")
    wg.wait()
    assert g.result(LONG) == 1


def test_created_at_is_the_file_and_line_of_the_go_statement(procs):
    g, line = go(add, 1), here()
    h, next_line = go(add, 1), here()
    join_all(g, h)
    assert next_line == line + 1
    for it, at in ((g, line), (h, next_line)):
        file, _, number = it.created_at.rpartition(":")
        assert os.path.basename(file) == os.path.basename(__file__)
        assert int(number) == at


def test_parent_is_the_goid_of_the_creator(procs):
    def child():
        return go(add, 1)

    g = go(child)
    grandchild = g.result(LONG)
    grandchild.join(LONG)
    assert g.parent == 1
    assert grandchild.parent == g.id


def test_parent_is_zero_for_a_foreign_thread(procs):
    made = []
    thread = threading.Thread(target=lambda: made.append(go(add, 1)))
    thread.start()
    thread.join()
    assert made[0].result(LONG) == 1
    assert made[0].parent == 0


def test_daemon_is_false_until_set(procs):
    ch = Chan()
    g = parked(ch.recv)
    assert g.daemon is False
    g.daemon = True
    assert g.daemon is True
    g.daemon = False
    reap(g)


def fails():
    raise Boom("on purpose")


def leaves():
    gmprt.goexit()


@pytest.mark.parametrize("fn", [Worker, fails, leaves])
def test_done_after_a_return_an_exception_and_goexit(procs, fn):
    g = go(fn)
    assert g.join(LONG) is True
    assert g.done() is True
    g.exception()


def test_done_is_false_while_it_waits(procs):
    ch = Chan()
    g = parked(ch.recv)
    assert g.done() is False
    ch.send(1)
    assert g.join(LONG)
    assert g.done() is True


def test_state_runs_from_runnable_by_waiting_to_dead(procs):
    ch = Chan()

    def body():
        states.append(current().state)
        ch.recv()

    states = []
    g = go(body)
    assert g.state in {"runnable", "running", "waiting"}
    until(lambda: g.state == "waiting", "waiting")
    ch.send(None)
    assert g.join(LONG)
    assert g.state == "dead"
    assert states == ["running"]


def test_a_goroutine_that_has_not_run_is_runnable():
    """With one P, main's, a new goroutine waits for it; a busy machine may run one early, not
    twenty.
    """
    former = gmprt.gomaxprocs(1)
    try:
        gs = []
        states = []
        for _ in range(20):
            gs.append(go(add, 1))
            states.append(gs[-1].state)
        assert "runnable" in states
        join_all(*gs)
    finally:
        gmprt.gomaxprocs(former)


def test_main_says_running_of_itself():
    assert current().state == "running"
    assert current().wait_reason == ""


def test_a_goroutine_in_a_system_call_is_in_state_syscall(procs):
    entered, leave = threading.Event(), threading.Event()

    def call():
        entered.set()
        return leave.wait(LONG)

    g = go(gmprt.syscall, call)
    until(entered.is_set, "the call")
    assert g.state == "syscall"
    assert g.wait_reason == ""
    leave.set()
    assert g.result(LONG) is True
    assert g.state == "dead"


def test_a_dropped_handle_does_not_end_the_goroutine(procs):
    ch = Chan()
    go(lambda: ch.send("still here"))
    assert ch.recv(timeout=LONG) == "still here"


def test_ten_thousand_goroutines_come_and_go(procs):
    done = Chan(64)
    n = 10_000
    for i in range(n):
        go(done.send, i)
    assert sorted(done.recv() for _ in range(n)) == list(range(n))


def test_goroutines_make_goroutines_to_any_depth(procs):
    def nest(depth):
        return 0 if depth == 0 else 1 + go(nest, depth - 1).result(LONG)

    assert go(nest, 200).result(LONG) == 200


def test_a_g_is_hashable_and_equal_to_itself_alone(procs):
    g, h = go(add, 1), go(add, 1)
    assert len({g, h, g}) == 2
    assert g != h
    join_all(g, h)
