"""Exceptions that goroutines end with: kept until asked for, else reported once through
`gmprt.excepthook`.
"""

import gc
import threading

import pytest

import gmprt
from gmprt import Chan, GoroutineExit, WouldBlock, go, gosched
from tests.conformance.parking import LONG, Boom, join_all, parked, until


class Reports:
    """Stands in for `gmprt.excepthook`; what it was called with comes out of a channel."""

    def __init__(self):
        self.ch = Chan(1000)

    def __call__(self, g, exc):
        self.ch.send_nowait((g.id, exc))

    def next(self):
        return self.ch.recv(timeout=LONG)

    def all(self):
        """Every report made until now: that of a last goroutine that certainly is reported ends
        them.
        """
        collect()
        last = go(fails, "the last").id
        got = []
        while not got or got[-1][0] != last:
            got.append(self.next())
        return got[:-1]


@pytest.fixture
def reports(monkeypatch):
    hook = Reports()
    monkeypatch.setattr(gmprt, "excepthook", hook)
    return hook


def collect():
    for _ in range(3):
        gc.collect()
        gosched()


def fails(what="on purpose"):
    raise what if isinstance(what, BaseException) else Boom(what)


# When it is reported


def test_at_once_where_no_handle_is_left(procs, reports):
    exc = Boom("nobody asks")
    go(fails, exc)
    _, reported = reports.next()
    assert reported is exc
    assert reports.all() == []


def test_with_the_goroutine_and_its_exception(procs, monkeypatch):
    got = Chan(10)
    monkeypatch.setattr(gmprt, "excepthook", lambda *args: got.send_nowait(args))
    exc = Boom()
    go(fails, exc)
    args = got.recv(timeout=LONG)
    assert len(args) == 2
    assert isinstance(args[0], gmprt.G)
    assert args[0].name == "fails"
    assert args[0].done()
    assert args[1] is exc
    assert args[0].exception() is exc


def test_once_each(procs, reports):
    excs = [Boom(i) for i in range(50)]
    for exc in excs:
        go(fails, exc)
    got = [reports.next()[1] for _ in excs]
    assert sorted(got, key=id) == sorted(excs, key=id)
    assert reports.all() == []


def test_not_while_a_handle_is_left_then_once_when_it_goes(procs, reports):
    g = go(fails)
    number = g.id
    until(g.done, "its end")
    assert reports.all() == []
    del g
    collect()
    assert reports.next()[0] == number
    assert reports.all() == []


def test_though_the_thread_that_made_it_sleeps(procs, reports):
    """Without the GIL objects are dropped by the thread that made them, if others have let go."""
    held, made, stop = [], Chan(), threading.Event()

    def make():
        held.append(go(fails))
        made.send(None)
        stop.wait(LONG)

    thread = threading.Thread(target=make)
    thread.start()
    made.recv()
    until(held[0].done, "its end")
    number = held[0].id
    held.clear()
    assert reports.next()[0] == number
    stop.set()
    thread.join()


def test_not_while_one_of_two_handles_is_left(procs, reports):
    g = go(fails)
    number = g.id
    held = [g]
    until(g.done, "its end")
    del g
    assert reports.all() == []
    held.clear()
    collect()
    assert reports.next()[0] == number
    assert reports.all() == []


@pytest.mark.parametrize("ask", ["result", "exception"])
def test_not_when_asked_for(procs, reports, ask):
    g = go(fails)
    if ask == "result":
        with pytest.raises(Boom):
            g.result()
    else:
        assert isinstance(g.exception(), Boom)
    del g
    assert reports.all() == []


@pytest.mark.parametrize("ask", ["result", "exception"])
def test_not_when_somebody_was_waiting_to_be_told(procs, reports, ask):
    gate = Chan()

    def waits_then_fails():
        gate.recv()
        fails()

    def asks(g):
        try:
            getattr(g, ask)()
        except Boom:
            pass

    g = parked(waits_then_fails)
    asker = parked(asks, g)
    del g
    gate.send(None)
    assert asker.join(LONG)
    del asker
    assert reports.all() == []


def test_join_does_not_ask(procs, reports):
    g = go(fails)
    number = g.id
    assert g.join(LONG)
    assert reports.all() == []
    del g
    collect()
    assert reports.next()[0] == number


def test_a_waiter_that_gave_up_has_not_asked(procs, reports):
    gate = Chan()

    def waits_then_fails():
        gate.recv()
        fails()

    g = parked(waits_then_fails)
    number = g.id
    for ask in (g.result, g.exception):
        with pytest.raises(TimeoutError):
            ask(timeout=0.01)
        with pytest.raises(TimeoutError):
            ask(0)
    gate.send(None)
    until(g.done, "its end")
    del g, ask
    collect()
    assert reports.next()[0] == number
    assert reports.all() == []


def test_an_interrupted_waiter_has_not_asked(procs, reports):
    gate = Chan()

    def waits_then_fails():
        gate.recv()
        fails()

    g = parked(waits_then_fails)
    number = g.id
    asker = parked(g.result)
    asker.interrupt()
    assert asker.join(LONG)
    gate.send(None)
    until(g.done, "its end")
    del g, asker
    collect()
    assert reports.next()[0] == number


def test_asking_for_ended_is_not_asking(procs, reports):
    g = go(fails)
    number = g.id
    ended = g.ended
    assert ended.recv_ok() == (None, False)
    del g
    collect()
    assert reports.next()[0] == number
    assert ended.closed


def test_of_a_handle_that_goes_in_another_goroutine(procs, reports):
    """The last handle may go anywhere: here with a goroutine's frame, and in a thread."""

    def holder(g):
        until(g.done, "its end")

    g = go(fails)
    number = g.id
    keeper = go(holder, g)
    del g
    assert keeper.join(LONG)
    del keeper
    collect()
    assert reports.next()[0] == number

    g = go(fails)
    number = g.id
    until(g.done, "its end")
    thread = threading.Thread(target=collect, args=())
    box = [g]
    del g
    thread2 = threading.Thread(target=box.clear)
    for t in (thread2, thread):
        t.start()
        t.join()
    collect()
    assert reports.next()[0] == number
    assert reports.all() == []


# What is not reported


@pytest.mark.parametrize("exc", [SystemExit(3), SystemExit(), GoroutineExit()])
def test_system_exit_and_goroutine_exit_never(procs, reports, exc):
    go(fails, exc)
    g = go(fails, exc)
    assert g.join(LONG)
    del g
    assert reports.all() == []


def test_goexit_and_a_quiet_interrupt_never(procs, reports):
    go(gmprt.goexit)
    g = parked(Chan().recv)
    g.interrupt()
    assert g.join(LONG)
    del g
    assert reports.all() == []


def test_an_interrupts_exception_like_any(procs, reports):
    g = parked(Chan().recv)
    number = g.id
    g.interrupt(Boom)
    assert g.join(LONG)
    del g
    collect()
    assert reports.next()[0] == number


@pytest.mark.parametrize(
    "exc", [KeyboardInterrupt(), BaseException(), StopIteration(), MemoryError(), GeneratorExit()]
)
def test_any_other_is(procs, reports, exc):
    go(fails, exc)
    assert reports.next()[1] is exc


# What it does to others


def test_system_exit_ends_its_goroutine_alone(procs):
    ch = Chan()
    other = parked(ch.recv)
    g = go(fails, SystemExit(3))
    assert g.join(LONG)
    assert isinstance(g.exception(), SystemExit)
    with pytest.raises(SystemExit):
        g.result()
    ch.send("lives")
    assert other.result(LONG) == "lives"


def test_keyboard_interrupt_of_a_goroutines_own_is_no_business_of_mains(procs):
    g = go(fails, KeyboardInterrupt("its own"))
    assert g.join(LONG)
    gosched()
    with pytest.raises(KeyboardInterrupt, match="its own"):
        g.result()


def test_greenlet_exit_is_an_exception_like_any(procs, reports):
    greenlet = pytest.importorskip("greenlet")
    g = go(fails, greenlet.GreenletExit("odd"))
    with pytest.raises(greenlet.GreenletExit, match="odd"):
        g.result(LONG)
    go(fails, greenlet.GreenletExit("odd too"))
    assert isinstance(reports.next()[1], greenlet.GreenletExit)


def test_a_failing_goroutine_harms_no_other(procs, reports):
    ch = Chan()
    waiting = [parked(ch.recv) for _ in range(20)]
    excs = [SystemExit(), KeyboardInterrupt(), Boom(), GoroutineExit(), RecursionError()]
    failed = [go(fails, excs[i % len(excs)]) for i in range(100)]
    assert all(g.join(LONG) for g in failed)
    for i in range(20):
        ch.send(i)
    assert sorted(join_all(*waiting)) == list(range(20))
    assert all(g.exception() is excs[i % len(excs)] for i, g in enumerate(failed))


def test_endless_recursion_ends_in_recursion_error(procs):
    def endless():
        return endless()

    g = go(endless)
    assert isinstance(g.exception(LONG), RecursionError)
    assert go(lambda: "lives").result(LONG) == "lives"


def test_an_exception_that_is_being_handled_belongs_to_its_goroutine(procs):
    """`__context__` is the goroutine's own handled exception, also across waits."""
    gate = Chan()

    def handles(i):
        try:
            raise Boom(i)
        except Boom:
            gate.recv()
            try:
                raise KeyError(i)
            except KeyError as e:
                return e.__context__.args

    gs = [parked(handles, i) for i in range(5)]
    fresh = go(lambda: fails_plain())
    assert fresh.exception(LONG).__context__ is None
    for _ in gs:
        gate.send(None)
    assert join_all(*gs) == [(i,) for i in range(5)]


def fails_plain():
    raise Boom("plain")


def test_bare_raise_after_a_wait_raises_the_goroutines_own(procs):
    gate = Chan()

    def reraises(i):
        try:
            raise Boom(i)
        except Boom:
            gate.recv()
            raise

    gs = [parked(reraises, i) for i in range(5)]
    for _ in gs:
        gate.send(None)
    assert [g.exception(LONG).args for g in gs] == [(i,) for i in range(5)]


# The hook


def test_a_hook_that_fails_harms_nobody(procs, monkeypatch, capsys):
    called = Chan(100)

    def bad_hook(g, exc):
        called.send_nowait(g.id)
        raise ZeroDivisionError("in the hook")

    monkeypatch.setattr(gmprt, "excepthook", bad_hook)
    own = []
    for _ in range(3):
        own.append(go(fails).id)
        while called.recv(timeout=LONG) != own[-1]:
            pass  # one that an earlier test has lost, and the collector has found only now
    assert go(lambda: "lives").result(LONG) == "lives"
    again = [called.recv() for _ in range(len(called))]
    assert not set(own) & set(again)


def test_the_default_hook_prints_a_headed_traceback(procs, capsys):
    text = []

    def seen():
        text.append(capsys.readouterr().err)
        return "Boom: for stderr" in "".join(text)

    number = go_and_forget()
    until(seen, "the report")
    report = "".join(text)
    head, rest = report.split("\n", 1)
    assert head.startswith(f"Exception in goroutine {number} [created by ")
    assert "Traceback (most recent call last):" in rest
    assert "in fails" in rest
    assert rest.rstrip().endswith("Boom: for stderr")


def go_and_forget():
    return go(fails, "for stderr").id


def test_the_default_hook_can_be_called(procs, capsys):
    g = go(fails, "by hand")
    exc = g.exception(LONG)
    gmprt.excepthook(g, exc)
    err = capsys.readouterr().err
    assert f"Exception in goroutine {g.id}" in err
    assert "Boom: by hand" in err


def test_the_exceptions_are_what_the_contract_says():
    assert issubclass(gmprt.ChanClosed, RuntimeError)
    assert issubclass(gmprt.EndOfChan, gmprt.ChanClosed)
    assert issubclass(gmprt.DeadlockError, RuntimeError)
    assert issubclass(WouldBlock, Exception)
    assert not issubclass(WouldBlock, RuntimeError)
    assert not issubclass(WouldBlock, TimeoutError)
    assert issubclass(GoroutineExit, BaseException)
    assert not issubclass(GoroutineExit, Exception)


def test_a_hook_is_called_once_the_group_knows_of_the_end(procs, monkeypatch):
    """Nobody who waits for the group waits for the hook."""
    known, wg = Chan(1), gmprt.sync.WaitGroup()

    def hook(g, exc):
        wg.wait(timeout=1)
        known.send_nowait(exc)

    monkeypatch.setattr(gmprt, "excepthook", hook)
    wg.go(fails)
    assert isinstance(known.recv(timeout=LONG), Boom)
