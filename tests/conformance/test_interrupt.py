"""`G.interrupt`: when it arrives, what it leaves behind, and where it does nothing."""

import math
import threading

import pytest

import gmprt
from gmprt import (
    Chan,
    GoroutineExit,
    WouldBlock,
    current,
    go,
    gosched,
    on_recv,
    on_send,
    select,
    sleep,
)
from gmprt.sync import Mutex, WaitGroup
from tests.conformance.parking import LONG, Boom, join_all, parked, reap, until


class Other(Boom):
    """A second kind, to tell the one interrupt from the other."""


# Before the start


def test_one_that_has_not_started_never_runs():
    """With one P, main's, a new goroutine waits for it; a busy machine may run one early, not every
    one.
    """
    former = gmprt.gomaxprocs(1)
    try:
        ran, gs = [], []
        for i in range(20):
            gs.append(go(ran.append, i))
            gs[-1].interrupt()
        assert join_all(*gs) == [None] * 20
        assert len(ran) < 20
        assert all(g.done() and g.state == "dead" for g in gs)
        quiet = [g for i, g in enumerate(gs) if i not in ran]
        assert all(isinstance(g.exception(), GoroutineExit) for g in quiet)
    finally:
        gmprt.gomaxprocs(former)


def test_one_interrupted_before_its_start_ends_with_the_exception_given():
    former = gmprt.gomaxprocs(1)
    try:
        exc = Boom("never ran")
        gs = [go(int) for _ in range(20)]
        for g in gs:
            g.interrupt(exc)
        assert all(g.join(LONG) for g in gs)
        assert exc in [g.exception() for g in gs]
    finally:
        gmprt.gomaxprocs(former)


def test_a_goroutine_of_another_p_ran_whole_or_not_at_all(procs):
    """Whoever starts first wins the goroutine; the interrupt of a running one comes at its first
    park.
    """
    for _ in range(200):
        log = []

        def body(log=log):
            log.append("start")
            gosched()
            log.append("end")

        g = go(body)
        g.interrupt(Boom)
        assert g.join(LONG)
        assert isinstance(g.exception(), Boom) or log == ["start", "end"]
        assert log in ([], ["start"], ["start", "end"])


# In each kind of wait


def locked():
    m = Mutex()
    m.lock()
    return m


def pending():
    wg = WaitGroup()
    wg.add(1)
    return wg


def never():
    """A goroutine that waits for ever; the test reaps it."""
    return parked(Chan().recv)


def iterate(ch):
    for _ in ch:
        pass


WAITS = {
    "recv": lambda: Chan().recv(),
    "recv_ok": lambda: Chan().recv_ok(),
    "recv with time-out": lambda: Chan(3).recv(timeout=LONG),
    "recv for inf": lambda: Chan(3).recv(timeout=math.inf),
    "send": lambda: Chan().send(1),
    "send with time-out": lambda: Chan().send(1, timeout=LONG),
    "iteration": lambda: iterate(Chan()),
    "iter": lambda: iterate(Chan().iter(timeout=LONG)),
    "select": lambda: select(on_recv(Chan()), on_send(Chan(), 1)),
    "select with time-out": lambda: select(on_recv(Chan()), timeout=LONG),
    "select of nil": lambda: select(on_recv(None), on_send(None, 1)),
    "select of nothing": lambda: select(),
    "sleep": lambda: sleep(LONG),
    "sleep for inf": lambda: sleep(math.inf),
    "sleep for None": lambda: sleep(None),
    "mutex": lambda: locked().lock(),
    "wait group": lambda: pending().wait(),
    "wait group with time-out": lambda: pending().wait(LONG),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_it_arrives_in_every_wait(procs, wait):
    log = []

    def body():
        try:
            wait()
            log.append("went on")
        finally:
            log.append("finally")

    g = parked(body)
    exc = Boom("interrupt")
    assert g.interrupt(exc) is None
    assert g.join(LONG) is True
    assert g.exception() is exc
    assert log == ["finally"]


@pytest.mark.parametrize("ask", ["join", "result", "exception", "ended"])
def test_it_arrives_while_waiting_for_another_goroutine(procs, ask):
    other = never()
    g = parked(other.ended.recv_ok if ask == "ended" else getattr(other, ask))
    g.interrupt(Boom)
    assert g.join(LONG)
    assert isinstance(g.exception(), Boom)
    assert not other.done()
    reap(other)


# What it leaves behind


def test_an_interrupted_receiver_takes_nothing(procs):
    ch = Chan()
    first, second = parked(ch.recv), parked(ch.recv)
    first.interrupt()
    assert first.result(LONG) is None
    ch.send("for the second")
    assert second.result(LONG) == "for the second"
    with pytest.raises(WouldBlock):
        ch.send_nowait("nobody waits")


def test_an_interrupted_sender_sends_nothing(procs):
    ch = Chan()
    first, second = parked(ch.send, 1), parked(ch.send, 2)
    first.interrupt()
    assert first.join(LONG)
    assert ch.recv(LONG) == 2
    assert second.join(LONG)
    with pytest.raises(WouldBlock):
        ch.recv_nowait()


def test_an_interrupted_sender_to_a_full_channel_sends_nothing(procs):
    ch = Chan(1)
    ch.send(0)
    g = parked(ch.send, 1)
    g.interrupt()
    assert g.join(LONG)
    assert ch.recv_nowait() == 0
    with pytest.raises(WouldBlock):
        ch.recv_nowait()
    ch.send_nowait(2)
    assert len(ch) == 1


def test_an_interrupted_select_leaves_every_channel(procs):
    a, b, c = Chan(), Chan(), Chan(1)
    c.send(0)
    g = parked(select, on_recv(a), on_send(b, 1), on_recv(a), on_send(c, 2))
    g.interrupt()
    assert g.join(LONG)
    with pytest.raises(WouldBlock):
        a.send_nowait(1)
    with pytest.raises(WouldBlock):
        b.recv_nowait()
    assert c.recv_nowait() == 0
    with pytest.raises(WouldBlock):
        c.recv_nowait()


def test_an_interrupted_lock_is_not_held(procs):
    m = locked()
    first, second = parked(m.lock), parked(m.lock)
    first.interrupt(Boom)
    assert first.join(LONG)
    assert isinstance(first.exception(), Boom)
    m.unlock()
    assert second.join(LONG)
    assert m.try_lock() is False
    m.unlock()
    assert m.try_lock() is True


def test_finally_blocks_run_and_may_wait(procs):
    ch, log = Chan(), []

    def body():
        try:
            Chan().recv()
        finally:
            log.append(ch.recv())

    g = parked(body)
    g.interrupt(Boom)
    ch.send("waited")
    assert g.join(LONG)
    assert log == ["waited"]
    assert isinstance(g.exception(), Boom)


def test_with_blocks_are_left(procs):
    m = Mutex()

    def body():
        with m:
            Chan().recv()

    g = parked(body)
    g.interrupt()
    assert g.join(LONG)
    assert m.try_lock()


def test_a_goroutine_may_catch_it_and_go_on(procs):
    ch, inner = Chan(), Chan()

    def body():
        try:
            inner.recv()
        except Boom:
            return ch.recv()

    g = parked(body)
    g.interrupt(Boom)
    ch.send("lives")
    assert g.result(LONG) == "lives"
    assert g.exception() is None


def test_a_goroutine_exit_can_be_caught_too(procs):
    def body():
        try:
            Chan().recv()
        except GoroutineExit:
            return "stays"

    g = parked(body)
    g.interrupt()
    assert g.result(LONG) == "stays"


# A wait already satisfied


@pytest.mark.parametrize("how", ["recv", "recv_ok", "select", "iter"])
def test_a_satisfied_receive_keeps_its_value_and_it_comes_at_the_next_wait(procs, how):
    ch, got = Chan(), []

    def body():
        if how == "recv":
            got.append(ch.recv())
        elif how == "recv_ok":
            got.append(ch.recv_ok()[0])
        elif how == "select":
            got.append(select(on_recv(ch), on_recv(Chan())).value)
        else:
            got.append(next(iter(ch)))
        got.append("kept")
        Chan().recv()
        got.append("never")

    g = parked(body)
    ch.send("value")
    g.interrupt(Boom)
    assert g.join(LONG)
    assert isinstance(g.exception(), Boom)
    assert got == ["value", "kept"]


def test_a_satisfied_send_was_sent(procs):
    ch, log = Chan(), []

    def body():
        ch.send("value")
        log.append("sent")
        Chan().recv()

    g = parked(body)
    assert ch.recv() == "value"
    g.interrupt(Boom)
    assert g.join(LONG)
    assert isinstance(g.exception(), Boom)
    assert log == ["sent"]


def test_a_satisfied_lock_is_held(procs):
    m = locked()
    log = []

    def body():
        m.lock()
        log.append("held")
        try:
            gosched()
        finally:
            m.unlock()

    g = parked(body)
    m.unlock()
    g.interrupt(Boom)
    assert g.join(LONG)
    assert log in (["held"], [])
    assert m.try_lock(), "the mutex is free again, whichever came first"
    g.exception()


def test_a_race_of_send_and_interrupt_loses_no_value(procs):
    """The receiver has the value or the sender still has it: never both, never neither."""
    for i in range(100):
        ch, got = Chan(), []

        def body(ch=ch, got=got):
            got.append(ch.recv())

        def sender(ch=ch, i=i):
            try:
                ch.send(i, timeout=0.01)
            except TimeoutError:
                return False
            return True

        g = parked(body)
        s, k = go(sender), go(g.interrupt, Boom)
        sent = s.result(LONG)
        assert k.join(LONG)
        assert g.join(LONG)
        assert got == ([i] if sent else [])
        assert (g.exception() is None) == sent


# At park points alone: one interrupts oneself and looks where it comes


def interrupts_itself_then(*calls):
    """Run `calls` with an interrupt pending; how many returned."""
    n = 0
    current().interrupt(Boom)
    try:
        for call in calls:
            call()
            n += 1
    except Boom:
        return n
    return "never came"


@pytest.mark.parametrize(
    "call",
    [gosched, lambda: sleep(0), lambda: sleep(-1), lambda: sleep(0.001)],
    ids=["gosched", "sleep(0)", "sleep(-1)", "sleep(0.001)"],
)
def test_gosched_and_sleep_always_are_park_points(procs, call):
    assert go(interrupts_itself_then, call).result(LONG) == 0


def test_a_call_that_need_not_wait_is_none(procs):
    ch, full, closed, m, wg = Chan(4), Chan(1), Chan(), Mutex(), WaitGroup()
    full.send(1)
    closed.close()
    ended = go(int)
    assert ended.join(LONG)
    calls = [
        lambda: ch.send(1),
        lambda: ch.send(2, timeout=LONG),
        lambda: ch.send_nowait(3),
        ch.recv,
        lambda: ch.recv(timeout=LONG),
        ch.recv_nowait,
        closed.recv_ok,
        lambda: select(on_recv(closed), on_recv(None)),
        lambda: select(on_recv(ch), default=True),
        lambda: select(default=True),
        lambda: len(ch),
        lambda: list(closed),
        m.lock,
        m.unlock,
        m.try_lock,
        wg.wait,
        lambda: wg.wait(LONG),
        ended.join,
        ended.result,
        ended.exception,
        ended.ended.recv_ok,
        lambda: go(int).join,
        lambda: gmprt.gomaxprocs(),
    ]
    g = go(interrupts_itself_then, *calls, gosched)
    assert g.result(LONG) == len(calls)


def test_a_call_that_does_not_wait_for_want_of_time_is_none(procs):
    empty, full = Chan(), Chan(1)
    full.send(1)

    def times_out(fn, *args, **kwargs):
        with pytest.raises((TimeoutError, WouldBlock)):
            fn(*args, **kwargs)

    calls = [
        lambda: times_out(empty.recv, 0),
        lambda: times_out(empty.recv_ok, -1),
        lambda: times_out(full.send, 1, timeout=0),
        lambda: times_out(empty.recv_nowait),
        lambda: times_out(full.send_nowait, 1),
        lambda: times_out(select, on_recv(empty), timeout=0),
    ]
    assert go(interrupts_itself_then, *calls, gosched).result(LONG) == len(calls)


def test_it_comes_once(procs):
    def body():
        current().interrupt(Boom)
        with pytest.raises(Boom):
            gosched()
        for _ in range(10):
            gosched()
        return "once"

    assert go(body).result(LONG) == "once"


def test_a_second_before_the_first_arrives_replaces_it(procs):
    def body():
        current().interrupt(Boom)
        current().interrupt(Other)
        try:
            gosched()
        except Boom as e:
            gosched()
            return type(e)

    assert go(body).result(LONG) is Other


def test_one_pending_at_the_end_is_forgotten(procs):
    def body():
        current().interrupt(Boom)
        return "value"

    g = go(body)
    assert g.result(LONG) == "value"
    assert g.exception() is None


# What may be raised


@pytest.mark.parametrize("bad", [3, "exit", None, int, object(), [ValueError], ValueError.__mro__])
def test_what_is_no_exception_is_a_type_error_at_the_call(procs, bad):
    ch = Chan()
    g = parked(ch.recv)
    with pytest.raises(TypeError):
        g.interrupt(bad)
    ch.send("unharmed")
    assert g.result(LONG) == "unharmed"
    with pytest.raises(TypeError):
        g.interrupt(bad)


def test_an_instance_arrives_as_it_is_and_a_class_as_an_instance(procs):
    exc = Boom("this very one")
    g, h = parked(Chan().recv), parked(Chan().recv)
    g.interrupt(exc)
    h.interrupt(Boom)
    assert g.join(LONG)
    assert h.join(LONG)
    assert g.exception() is exc
    assert type(h.exception()) is Boom


@pytest.mark.parametrize("exc", [KeyboardInterrupt, SystemExit(3), BaseException, StopIteration])
def test_any_base_exception_may_be_raised(procs, exc):
    g = parked(Chan().recv)
    g.interrupt(exc)
    assert g.join(LONG)
    assert isinstance(g.exception(), exc if isinstance(exc, type) else type(exc))


def test_an_uncaught_goroutine_exit_is_a_quiet_end(procs):
    g = parked(Chan().recv)
    g.interrupt()
    assert g.result(LONG) is None
    assert isinstance(g.exception(), GoroutineExit)


def test_it_is_nothing_when_done(procs):
    g = go(lambda: "value")
    assert g.join(LONG)
    g.interrupt(Boom)
    assert g.result() == "value"
    assert g.exception() is None
    assert g.state == "dead"


def test_a_foreign_thread_can_interrupt(procs):
    g = parked(Chan().recv)
    thread = threading.Thread(target=g.interrupt, args=(Boom,))
    thread.start()
    thread.join()
    assert g.join(LONG)
    assert isinstance(g.exception(), Boom)


# In a system call


@pytest.mark.parametrize("how", ["syscall", "blocking"])
def test_in_a_system_call_it_arrives_after_the_call_returned(procs, how):
    entered, leave, log = threading.Event(), threading.Event(), []

    def call():
        entered.set()
        log.append(leave.wait(LONG))

    def body():
        if how == "syscall":
            gmprt.syscall(call)
        else:
            with gmprt.blocking():
                call()
        gosched()
        log.append("never")

    def watches():
        if entered.wait(LONG):
            g.interrupt(Boom)
            log.append(g.done())
            leave.set()

    # Of a foreign thread: the goroutine's thread may be main's own, and main stands as long as it.
    watcher = threading.Thread(target=watches)
    g = go(body)
    watcher.start()
    assert g.join(LONG)
    watcher.join()
    assert log == [False, True]
    assert isinstance(g.exception(), Boom)


# Main


def interrupt_when_waiting(me, exc):
    until(lambda: me.state == "waiting", "main's wait")
    me.interrupt(exc)


def test_main_can_be_interrupted(procs):
    ch = Chan()
    g = go(interrupt_when_waiting, current(), Boom)
    with pytest.raises(Boom):
        ch.recv()
    assert g.join(LONG)
    with pytest.raises(WouldBlock):
        ch.send_nowait(1)


def test_an_interrupt_of_main_leaves_run(procs):
    def main():
        g = go(interrupt_when_waiting, current(), Boom("main"))
        try:
            Chan().recv()
        finally:
            g.join(LONG)

    with pytest.raises(Boom, match="main"):
        gmprt.run(main)
    gosched()


def test_main_interrupts_itself_at_its_next_park_point(procs):
    current().interrupt(Boom)
    with pytest.raises(Boom):
        gosched()
    gosched()


# A crowd


def test_a_thousand_waiting_goroutines_all_end(procs):
    ch = Chan()
    gs = [go(ch.recv) for _ in range(1000)]
    until(lambda: all(g.state == "waiting" for g in gs), "a thousand waiting")
    for g in gs:
        g.interrupt()
    assert join_all(*gs) == [None] * 1000
    with pytest.raises(WouldBlock):
        ch.send_nowait(1)


def test_interrupts_from_many_sides_end_a_goroutine_once(procs):
    for _ in range(50):
        log = []

        def body(log=log):
            try:
                Chan().recv()
            except Boom:
                log.append("interrupted")

        g = parked(body)
        for k in [go(g.interrupt, Boom) for _ in range(5)]:
            assert k.join(LONG)
        assert g.join(LONG)
        assert log == ["interrupted"]
