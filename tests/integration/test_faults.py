"""Bad input, and calls from where nobody expects them: each works or is a clear error.

What is worst in a runtime is a hang or a crash; a goroutine that fails must not harm another.
"""

from __future__ import annotations

import functools
import gc
import json
import math
import re
import sys
import threading
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import greenlet
import pytest

from tests.support import run_prog, wait_all_parked

LONG = 30.0


def assert_works(rt: ModuleType) -> None:
    """Show that the runtime is whole: a spawn, a switch each way, a value."""
    ch = rt.Chan()
    g = rt.go(lambda: ch.recv() + 1)
    ch.send(1)
    assert g.result(LONG) == 2


# Bad input.


@pytest.mark.parametrize("fn", [3, None, "text", ()], ids=repr)
def test_go_of_what_cannot_be_called_is_refused_at_the_call(rt: ModuleType, fn: object) -> None:
    before = rt.num_goroutine()
    with pytest.raises(TypeError, match=re.escape(repr(fn))):
        rt.go(fn)
    assert rt.num_goroutine() == before
    assert_works(rt)


@pytest.mark.parametrize("cap", [-1, -100])
def test_a_negative_capacity_is_refused(rt: ModuleType, cap: int) -> None:
    with pytest.raises(ValueError, match=str(cap)):
        rt.Chan(cap)


@pytest.mark.parametrize("n", [0, -1])
def test_gomaxprocs_wants_one_at_least(rt: ModuleType, n: int) -> None:
    before = rt.gomaxprocs()
    with pytest.raises(ValueError, match=str(n)):
        rt.gomaxprocs(n)
    assert rt.gomaxprocs() == before


@pytest.mark.parametrize("n", [0, -1])
def test_run_wants_one_p_at_least(rt: ModuleType, n: int) -> None:
    with pytest.raises(ValueError, match=str(n)):
        rt.run(int, procs=n)
    assert rt.run(int) == 0


@pytest.mark.parametrize("case", [3, None, "text"], ids=repr)
def test_select_of_what_is_no_case_is_refused(rt: ModuleType, case: object) -> None:
    ch = rt.Chan(1)
    with pytest.raises(TypeError):
        rt.select(rt.on_send(ch, 1), case, default=True)
    assert len(ch) == 0


@pytest.mark.parametrize("exc", [3, int, "text", None], ids=repr)
def test_interrupt_wants_an_exception(rt: ModuleType, exc: object) -> None:
    ch = rt.Chan()
    g = rt.go(ch.recv)
    wait_all_parked(g)
    with pytest.raises(TypeError):
        g.interrupt(exc)
    ch.send("undisturbed")
    assert g.result(LONG) == "undisturbed"


def test_a_time_that_is_no_number_is_refused_everywhere(rt: ModuleType) -> None:
    ch, full, wg = rt.Chan(), rt.Chan(1), rt.sync.WaitGroup()
    full.send(1)
    wg.add(1)
    g = rt.go(ch.recv)
    waits: list[Callable[[], object]] = [
        lambda: rt.sleep(math.nan),
        lambda: rt.Chan().recv(math.nan),
        lambda: rt.Chan().recv_ok(math.nan),
        lambda: full.send(1, timeout=math.nan),
        lambda: list(rt.Chan().iter(math.nan)),
        lambda: rt.select(rt.on_recv(rt.Chan()), timeout=math.nan),
        lambda: g.join(math.nan),
        lambda: g.result(math.nan),
        lambda: g.exception(math.nan),
        lambda: wg.wait(math.nan),
    ]
    for wait in waits:
        with pytest.raises(ValueError, match="nan"):
            wait()
    ch.send(1)
    assert g.join(LONG)


MAXPROCS_PROG = """
import gmprt
print("imported")
try:
    gmprt.go(int).join()
except ValueError as exc:
    print(exc)
    raise SystemExit(9)
print(gmprt.gomaxprocs(), gmprt.stats()["ps"])
"""


@pytest.mark.parametrize("value", ["x", "0", "-1", "1.5", "2 3"])
def test_a_wrong_gmprt_maxprocs_is_named_when_the_runtime_starts(value: str) -> None:
    """Not at the import, which stays silent; and not with a default nobody asked for."""
    done = run_prog(MAXPROCS_PROG, env={"GMPRT_MAXPROCS": value})
    lines = done.stdout.splitlines()
    assert (lines[0], len(lines), done.stderr, done.returncode) == ("imported", 2, "", 9), done
    assert "GMPRT_MAXPROCS" in lines[1]
    assert value in lines[1]


@pytest.mark.parametrize("value", ["", None], ids=["empty", "unset"])
def test_an_empty_gmprt_maxprocs_is_an_unset_one(rt: ModuleType, value: str | None) -> None:
    done = run_prog(MAXPROCS_PROG, env={"GMPRT_MAXPROCS": value})
    # the default: what a child with the same affinity says it has
    plain = run_prog("import gmprt\nprint(gmprt.gomaxprocs())")
    n = plain.stdout.strip()
    assert done.stdout == f"imported\n{n} {n}\n"
    assert 1 <= int(n) <= rt.num_cpu()


def test_gmprt_maxprocs_is_obeyed() -> None:
    assert run_prog(MAXPROCS_PROG, env={"GMPRT_MAXPROCS": "3"}).stdout == "imported\n3 3\n"


# Finalisers.


class Final:
    """Calls `body` when it is finalised, and keeps what that raised."""

    def __init__(self, body: Callable[[], object], outcome: list[Any]) -> None:
        self.body, self.outcome = body, outcome

    def __del__(self) -> None:
        try:
            self.outcome.append(self.body())
        except BaseException as exc:
            self.outcome.append(type(exc))


def collect(body: Callable[[], object]) -> list[Any]:
    """Finalise in the garbage collector: the object is in a cycle."""
    outcome: list[Any] = []
    final = Final(body, outcome)
    final.me = final  # type: ignore[attr-defined]
    del final
    gc.collect()
    return outcome


def drop(body: Callable[[], object]) -> list[Any]:
    """Finalise by the count of references: a plain call where the last one goes."""
    outcome: list[Any] = []
    Final(body, outcome)
    return outcome


@pytest.mark.parametrize("finalise", [collect, drop])
def test_a_finaliser_may_send_spawn_and_close(
    rt: ModuleType, procs: int, finalise: Callable[..., list[Any]]
) -> None:
    ch, other, gs = rt.Chan(1), rt.Chan(), []
    g = rt.go(other.recv_ok)
    wait_all_parked(g)
    assert finalise(lambda: ch.send_nowait("sent")) == [None]
    assert ch.recv_nowait() == "sent"
    assert finalise(lambda: gs.append(rt.go(lambda: "spawned"))) == [None]
    assert gs[0].result(LONG) == "spawned"
    assert finalise(other.close) == [None]
    assert g.result(LONG) == (None, False)
    assert finalise(lambda: ch.recv_nowait()) == [rt.WouldBlock]
    assert_works(rt)


@pytest.mark.parametrize("where", ["main", "goroutine"])
@pytest.mark.parametrize("wait", ["recv", "send", "select", "sleep", "join", "waitgroup", "mutex"])
def test_to_park_in_a_collection_is_refused(
    rt: ModuleType, procs: int, where: str, wait: str
) -> None:
    """A goroutine parked there would turn collections off for as long as it is parked."""
    ch, mu, wg = rt.Chan(), rt.sync.Mutex(), rt.sync.WaitGroup()
    mu.lock()
    wg.add(1)
    g = rt.go(ch.recv)
    wait_all_parked(g)
    body = {
        "recv": lambda: rt.Chan().recv(),
        "send": lambda: rt.Chan().send(1),
        "select": lambda: rt.select(rt.on_recv(rt.Chan())),
        "sleep": lambda: rt.sleep(0.01),
        "join": g.join,
        "waitgroup": wg.wait,
        "mutex": mu.lock,
    }[wait]
    outcome = collect(body) if where == "main" else rt.go(collect, body).result(LONG)
    assert outcome == [RuntimeError]
    ch.send(1)
    mu.unlock()
    assert g.join(LONG)
    assert_works(rt)
    assert gc.collect() >= 0
    assert collect(lambda: "collections go on") == ["collections go on"]


def test_to_park_in_a_plain_finaliser_does_not_hang(rt: ModuleType, procs: int) -> None:
    """It is an ordinary call there, so it may work; it may also be refused."""
    ch = rt.Chan()
    g = rt.go(ch.send, "value")
    g2 = rt.go(drop, ch.recv)
    outcome = g2.result(LONG)
    assert outcome in (["value"], [RuntimeError])
    if outcome == [RuntimeError]:
        ch.recv()
    assert g.join(LONG)
    assert_works(rt)


def test_a_weak_reference_callback_may_use_it(rt: ModuleType, procs: int) -> None:
    ch = rt.Chan(1)
    obj = Final(int, [])
    ref = weakref.ref(obj, lambda _: ch.send_nowait("gone"))
    del obj
    assert ch.recv(LONG) == "gone"
    assert ref() is None


# Goroutines that fail.


class Odd(BaseException):
    """Not even an Exception."""


@pytest.mark.parametrize(
    "exc",
    [ValueError, Odd, greenlet.GreenletExit, SystemExit, KeyboardInterrupt, StopIteration,
     GeneratorExit, MemoryError, RecursionError],
)  # fmt: skip
def test_whatever_a_goroutine_raises_harms_no_other(
    rt: ModuleType, procs: int, exc: type[BaseException]
) -> None:
    """GreenletExit above all: greenlet itself would take it for a quiet end of its own."""
    ch = rt.Chan()
    others = [rt.go(ch.recv) for _ in range(5)]
    wait_all_parked(*others)

    def body(wait: bool) -> None:
        if wait:
            rt.gosched()
        raise exc("raised")

    for wait in (False, True):
        g = rt.go(body, wait)
        assert g.join(LONG)
        assert type(g.exception()) is exc
        with pytest.raises(exc, match="raised"):
            g.result()
    for n, _ in enumerate(others):
        ch.send(n)
    assert sorted(g.result(LONG) for g in others) == [0, 1, 2, 3, 4]
    assert_works(rt)


def test_a_thousand_goroutines_each_raise_their_own(rt: ModuleType, procs: int) -> None:
    def body(n: int) -> None:
        if n % 3 == 0:
            rt.gosched()
        raise ValueError(n)

    gs = [rt.go(body, n) for n in range(1000)]
    for n, g in enumerate(gs):
        with pytest.raises(ValueError, match=rf"^{n}$"):
            g.result(LONG)
    assert_works(rt)


def test_an_exception_being_handled_is_each_goroutine_s_own(rt: ModuleType, procs: int) -> None:
    """Parked in an except block, a goroutine shows its exception to no other."""
    ch = rt.Chan()

    def handles(n: int) -> object:
        try:
            raise ValueError(n)
        except ValueError:
            ch.recv()
            return sys.exc_info()[1]

    gs = [rt.go(handles, n) for n in range(5)]
    wait_all_parked(*gs)
    assert sys.exc_info() == (None, None, None)
    assert rt.go(sys.exc_info).result(LONG) == (None, None, None)
    for _ in gs:
        ch.send(None)
    assert [str(g.result(LONG)) for g in gs] == ["0", "1", "2", "3", "4"]


def test_a_goroutine_nobody_refers_to_stays_alive_and_counted(rt: ModuleType, procs: int) -> None:
    ch, out = rt.Chan(), rt.Chan()
    before = rt.num_goroutine()

    def body() -> None:
        try:
            out.send(ch.recv())
        finally:
            out.send("finally")

    refs = []
    for _ in range(10):
        g = rt.go(body)
        wait_all_parked(g)
        refs.append(weakref.ref(g))
    del g
    for _ in range(3):
        gc.collect()
    assert rt.num_goroutine() == before + 10
    assert all(ref() is not None for ref in refs)
    assert len(re.findall(r"test_faults\.\S*body\(", rt.stack())) == 10
    for _ in range(10):
        ch.send("value")
    assert sorted(out.recv(LONG) for _ in range(20)) == ["finally"] * 10 + ["value"] * 10


def test_a_goroutine_whose_channel_is_gone_too_stays_alive(rt: ModuleType, procs: int) -> None:
    """Nobody can ever wake it, but to take it away would run its finally blocks anywhere."""
    ended: list[str] = []
    before = rt.num_goroutine()

    def body() -> None:
        try:
            rt.Chan().recv()
        finally:
            ended.append(threading.current_thread().name)

    g = rt.go(body)
    wait_all_parked(g)
    ref = weakref.ref(g)
    del g
    for _ in range(3):
        gc.collect()
    assert not ended
    assert rt.num_goroutine() == before + 1
    survivor = ref()
    assert survivor is not None
    survivor.interrupt()
    assert survivor.join(LONG)
    assert len(ended) == 1


# Switches in the middle of C code.


def test_a_switch_in_the_callback_of_c_code(rt: ModuleType, procs: int) -> None:
    """In `sorted(key=)`, `re.sub`, `min`, `map`, `reduce` and a JSON encoder, ten at a time."""

    def pause(x: Any) -> Any:
        rt.gosched()
        if rt.current().id % 2:
            rt.sleep(0)
        return x

    def body(n: int) -> list[Any]:
        words = [f"w{(i * 7 + n) % 20}" for i in range(20)]
        return [
            sorted(range(20), key=lambda i: pause((i * 7 + n) % 20)),
            re.sub(r"\w+", lambda m: pause(m[0].upper()), " ".join(words)),
            min(range(20), key=lambda i: pause((i + n) % 20)),
            list(map(pause, words)),
            functools.reduce(lambda a, b: pause(a + b), words),
            json.dumps({"n": {n}}, default=lambda s: pause(sorted(s))),
        ]

    gs = [rt.go(body, n) for n in range(10)]
    for n, g in enumerate(gs):
        words = [f"w{(i * 7 + n) % 20}" for i in range(20)]
        assert g.result(LONG) == [
            sorted(range(20), key=lambda i: (i * 7 + n) % 20),
            " ".join(words).upper(),
            (20 - n) % 20,
            words,
            "".join(words),
            f'{{"n": [{n}]}}',
        ]


def test_a_park_in_a_comparison_and_a_hash(rt: ModuleType, procs: int) -> None:
    """A dict looks for its key while the goroutine is parked, and another one uses it."""
    gate = rt.Chan()

    class Key:
        def __init__(self, n: int) -> None:
            self.n = n

        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            gate.recv()
            return isinstance(other, Key) and self.n == other.n

    table = {Key(1): "one"}
    g = rt.go(lambda: table.get(Key(1)))
    wait_all_parked(g)
    table["other"] = "two"
    assert rt.go(lambda: table["other"]).result(LONG) == "two"
    gate.send(None)
    while not g.done():  # the table has changed under it: it may look again
        try:
            gate.send_nowait(None)
        except rt.WouldBlock:
            rt.gosched()
    assert g.result(LONG) == "one"


# Recursion.


def dive(n: int) -> int:
    return n if n == 0 else dive(n - 1) + 1


def test_a_recursion_error_is_its_goroutine_s_own(rt: ModuleType, procs: int) -> None:
    """Fifty run out of stack, at first, in the middle and after a park; the others do not."""
    ch = rt.Chan()

    def body(n: int) -> str:
        if n % 2:
            ch.recv()
        try:
            dive(10**6)
        except RecursionError:
            if n % 3 == 0:
                rt.gosched()
            return "caught"
        return "no end"

    gs = [rt.go(body, n) for n in range(50)]
    bad = rt.go(dive, 10**6)
    for _ in range(25):
        ch.send(None)
    assert [g.result(LONG) for g in gs] == ["caught"] * 50
    assert isinstance(bad.exception(LONG), RecursionError)
    assert rt.go(dive, 500).result(LONG) == 500
    assert_works(rt)


def test_a_deep_spawner_leaves_its_children_their_depth(rt: ModuleType, procs: int) -> None:
    """A greenlet inherits the depth of who starts it: so it must not be the goroutine's creator."""

    def deep(n: int) -> list[Any]:
        if n:
            return deep(n - 1)
        # Parked first, so that each has a stack of its own, begun while the spawner is deep.
        gate = rt.Chan()
        gs = [rt.go(lambda: (gate.recv(), dive(600))[1]) for _ in range(10)]
        for _ in gs:
            gate.send(None)
        return [g.result(LONG) for g in gs]

    assert deep(600) == [600] * 10
    assert rt.go(deep, 600).result(LONG) == [600] * 10


def test_goroutines_parked_deep_take_nothing_from_the_others(rt: ModuleType, procs: int) -> None:
    ch = rt.Chan()

    def deep(n: int) -> int:
        return deep(n - 1) + 1 if n else ch.recv()

    gs = [rt.go(deep, 400) for _ in range(20)]
    wait_all_parked(*gs)
    assert rt.go(dive, 600).result(LONG) == 600
    assert dive(400) == 400
    for _ in gs:
        ch.send(0)
    assert [g.result(LONG) for g in gs] == [400] * 20


# From other places.


def test_a_foreign_thread_can_use_everything(rt: ModuleType, procs: int) -> None:
    ch, mu, wg = rt.Chan(), rt.sync.Mutex(), rt.sync.WaitGroup()
    outcome: list[Any] = []

    def body() -> None:
        outcome.append(rt.current())
        rt.gosched()
        rt.sleep(0.001)
        with mu:
            outcome.append(rt.go(lambda: "result").result(LONG))
        ch.send("sent", timeout=LONG)
        outcome.append(ch.recv(LONG))
        try:
            ch.recv(0.001)
        except TimeoutError:
            outcome.append("timed out")
        outcome.append(rt.syscall(lambda: "called"))
        with rt.blocking():
            outcome.append("blocking")
        try:
            rt.goexit()
        except RuntimeError:
            outcome.append("refused")
        try:
            rt.run(int)
        except RuntimeError:
            outcome.append("refused")
        rt.lock_os_thread()
        rt.unlock_os_thread()
        wg.done()

    wg.add(1)
    thread = threading.Thread(target=body)
    thread.start()
    assert ch.recv(LONG) == "sent"
    ch.send("received", timeout=LONG)
    wg.wait(LONG)
    thread.join()
    assert outcome == [
        None, "result", "received", "timed out", "called", "blocking", "refused", "refused",
    ]  # fmt: skip


def test_a_foreign_thread_that_ends_in_the_middle_leaves_no_waiter(
    rt: ModuleType, procs: int
) -> None:
    """Its wait timed out and it is gone: the value goes to nobody but the one who asks next."""
    ch = rt.Chan()

    def body() -> None:
        with pytest.raises(TimeoutError):
            ch.recv(0.001)

    for _ in range(10):
        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
    with pytest.raises(rt.WouldBlock):
        ch.send_nowait("lost?")


def test_goexit_and_run_in_the_wrong_place(rt: ModuleType, procs: int) -> None:
    with pytest.raises(RuntimeError):
        rt.goexit()
    for call in (lambda: rt.run(int), lambda: rt.run(rt.run, int)):
        g = rt.go(call)
        assert isinstance(g.exception(LONG), RuntimeError)
    with pytest.raises(RuntimeError):
        rt.run(rt.run, int)
    assert rt.run(int) == 0


def test_waiting_for_oneself_is_refused(rt: ModuleType, procs: int) -> None:
    def body() -> list[type]:
        raised = []
        for wait in ("join", "result", "exception"):
            try:
                getattr(rt.current(), wait)()
            except RuntimeError as exc:
                raised.append(type(exc))
        return raised

    assert rt.go(body).result(LONG) == [RuntimeError] * 3
    assert body() == [RuntimeError] * 3


def test_a_wait_inside_blocking_blocks_that_thread_alone(rt: ModuleType, procs: int) -> None:
    """As in a foreign thread: the P is away, so the others go on and can end the wait."""
    ch = rt.Chan()

    def body() -> object:
        with rt.blocking():
            return ch.recv(LONG)

    g = rt.go(body)
    assert rt.syscall(lambda: (rt.go(ch.send, "value").join(LONG), g.result(LONG))[1]) == "value"
    assert_works(rt)


def test_an_exception_in_a_call_or_a_block_comes_out_of_it(rt: ModuleType, procs: int) -> None:
    def fail() -> None:
        raise Odd("call")

    def body(call: Callable[[], object]) -> str:
        with pytest.raises(Odd) as info:
            call()
        return str(info.value)

    def block() -> None:
        with rt.blocking():
            raise Odd("block")

    assert body(lambda: rt.syscall(fail)) == "call"
    assert rt.go(body, lambda: rt.syscall(fail)).result(LONG) == "call"
    assert body(block) == "block"
    assert rt.go(body, block).result(LONG) == "block"
    assert_works(rt)
