"""`ctx=` of every wait: a context that is done ends it, or keeps it from being begun, with an error
of its own; what is not a context is refused.

WAITS are calls that wait for ever but for their context, READY such that would not have to wait.
Each gives what a context does to it is compared with: nothing sent, nothing taken, nobody left
waiting.
"""

import gc
import math
from dataclasses import dataclass
from time import monotonic

import pytest

import gmprt
from gmprt import (
    Canceled,
    Chan,
    ContextDone,
    DeadlineExceeded,
    DeadlockError,
    Ticker,
    WouldBlock,
    blocking,
    go,
    on_recv,
    on_send,
    select,
    sleep,
)
from gmprt.context import (
    background,
    cause,
    todo,
    with_cancel,
    with_cancel_cause,
    with_deadline,
    with_timeout,
    with_value,
    without_cancel,
)
from gmprt.sync import Semaphore, WaitGroup
from tests.conformance.contexts import Own
from tests.conformance.parking import LONG, Boom, Thread, join_all, parked, reap

SHORT = 0.005


class Gone(Canceled):
    """The error of a context of one's own."""


@dataclass
class Wait:
    """A call that takes `ctx` and `timeout`; `untouched` fails if it has done anything."""

    call: object
    untouched: object = lambda: None
    end: object = lambda: None


# Waits


def nobody_waits(ch):
    """Whether an unbuffered channel has neither senders nor receivers."""
    with pytest.raises(WouldBlock):
        ch.send_nowait("nobody")
    with pytest.raises(WouldBlock):
        ch.recv_nowait()


def holds(ch, *values):
    """Whether a channel has these values, and nobody waits to send or receive more."""
    got = []
    try:
        while True:
            got.append(ch.recv_nowait())
    except WouldBlock:
        pass
    assert got == list(values)
    for v in values:
        ch.send_nowait(v)
    assert len(ch) == len(values)


def full(*values):
    ch = Chan(len(values))
    for v in values:
        ch.send(v)
    return ch


def send():
    ch = Chan()
    return Wait(lambda **kw: ch.send("v", **kw), lambda: nobody_waits(ch))


def send_to_full():
    ch = full(1, 2)
    return Wait(lambda **kw: ch.send("v", **kw), lambda: holds(ch, 1, 2))


def recv():
    ch = Chan()
    return Wait(ch.recv, lambda: nobody_waits(ch))


def recv_from_empty():
    ch = Chan(1)
    return Wait(ch.recv, lambda: holds(ch))


def recv_ok():
    ch = Chan()
    return Wait(ch.recv_ok, lambda: nobody_waits(ch))


def chan_iter():
    ch = Chan()
    return Wait(lambda **kw: next(ch.iter(**kw)), lambda: nobody_waits(ch))


def in_select():
    a, b = Chan(), Chan()

    def untouched():
        nobody_waits(a)
        nobody_waits(b)

    return Wait(lambda **kw: select(on_recv(a), on_send(b, 1), **kw), untouched)


def in_select_of_one():
    ch = Chan()
    return Wait(lambda **kw: select(on_recv(ch), **kw), lambda: nobody_waits(ch))


def in_select_of_none():
    return Wait(select)


def in_select_of_nil():
    return Wait(lambda **kw: select(on_recv(None), on_send(None, 1), **kw))


def acquire():
    sem = Semaphore(2)
    sem.acquire(2)

    def untouched():
        sem.release(2)
        assert sem.try_acquire(2)

    return Wait(sem.acquire, untouched)


def acquire_more_than_the_size():
    sem = Semaphore(2)

    def untouched():
        assert sem.try_acquire(2)
        sem.release(2)

    return Wait(lambda **kw: sem.acquire(3, **kw), untouched)


def wait_group():
    wg = WaitGroup()
    wg.add(1)
    return Wait(wg.wait, wg.done)


def long_sleep():
    def call(ctx=None, timeout=None):
        sleep(3600 if timeout is None else timeout, ctx=ctx)
        raise TimeoutError

    return Wait(call)


def of_a_goroutine(method):
    g = parked(Chan().recv)
    call = getattr(g, method)

    def untouched():
        assert g.state == "waiting"

    return Wait(call, untouched, lambda: reap(g))


def join():
    return of_a_goroutine("join")


def result():
    return of_a_goroutine("result")


def exception():
    return of_a_goroutine("exception")


def ticker_iter():
    ticker = Ticker(3600)
    return Wait(lambda **kw: next(ticker.iter(**kw)), end=ticker.stop)


WAITS = [
    send,
    send_to_full,
    recv,
    recv_from_empty,
    recv_ok,
    chan_iter,
    in_select,
    in_select_of_one,
    in_select_of_none,
    in_select_of_nil,
    acquire,
    acquire_more_than_the_size,
    wait_group,
    long_sleep,
    join,
    result,
    exception,
    ticker_iter,
]


# Those that would not have to wait


def ready_send():
    ch = Chan(1)
    return Wait(lambda **kw: ch.send("v", **kw), lambda: holds(ch))


def ready_send_to_a_receiver():
    ch = Chan()
    g = parked(ch.recv)

    def untouched():
        assert g.state == "waiting"

    return Wait(lambda **kw: ch.send("v", **kw), untouched, lambda: reap(g))


def send_to_closed():
    ch = Chan()
    ch.close()
    return Wait(lambda **kw: ch.send("v", **kw))


def ready_recv():
    ch = full(1, 2)
    return Wait(ch.recv, lambda: holds(ch, 1, 2))


def ready_recv_from_a_sender():
    ch = Chan()
    g = parked(ch.send, "v")

    def untouched():
        assert g.state == "waiting"

    return Wait(ch.recv, untouched, lambda: reap(g))


def recv_from_closed():
    ch = Chan()
    ch.close()
    return Wait(ch.recv)


def ready_recv_ok():
    ch = full(1, 2)
    return Wait(ch.recv_ok, lambda: holds(ch, 1, 2))


def recv_ok_from_closed():
    ch = Chan()
    ch.close()
    return Wait(ch.recv_ok)


def ready_iter():
    ch = full(1, 2)
    return Wait(lambda **kw: next(ch.iter(**kw)), lambda: holds(ch, 1, 2))


def iter_of_closed():
    ch = Chan()
    ch.close()
    return Wait(lambda **kw: next(ch.iter(**kw)))


def ready_select():
    a, b = full(1), Chan(1)

    def untouched():
        holds(a, 1)
        holds(b)

    return Wait(lambda **kw: select(on_recv(a), on_send(b, 1), **kw), untouched)


def select_with_default():
    a, b = full(1), Chan(1)

    def untouched():
        holds(a, 1)
        holds(b)

    return Wait(lambda **kw: select(on_recv(a), on_send(b, 1), default=True, **kw), untouched)


def select_with_default_alone():
    return Wait(lambda **kw: select(default=True, **kw))


def ready_acquire():
    sem = Semaphore(2)

    def untouched():
        assert sem.try_acquire(2)
        sem.release(2)

    return Wait(sem.acquire, untouched)


def acquire_of_none():
    sem = Semaphore(0)
    return Wait(lambda **kw: sem.acquire(0, **kw))


def wait_group_at_zero():
    return Wait(WaitGroup().wait)


def no_sleep():
    return Wait(lambda ctx=None, timeout=None: sleep(0, ctx=ctx))


def negative_sleep():
    return Wait(lambda ctx=None, timeout=None: sleep(-1, ctx=ctx))


def of_one_that_is_done(method):
    g = go(int)
    assert g.join(LONG)
    return Wait(getattr(g, method))


def join_done():
    return of_one_that_is_done("join")


def result_done():
    return of_one_that_is_done("result")


def exception_done():
    return of_one_that_is_done("exception")


READY = [
    ready_send,
    ready_send_to_a_receiver,
    send_to_closed,
    ready_recv,
    ready_recv_from_a_sender,
    recv_from_closed,
    ready_recv_ok,
    recv_ok_from_closed,
    ready_iter,
    iter_of_closed,
    ready_select,
    select_with_default,
    select_with_default_alone,
    ready_acquire,
    acquire_of_none,
    wait_group_at_zero,
    no_sleep,
    negative_sleep,
    join_done,
    result_done,
    exception_done,
]


# Contexts


def cancelled():
    ctx, cancel = with_cancel(background())
    cancel()
    return ctx, Canceled


def with_a_cause():
    ctx, cancel = with_cancel_cause(background())
    cancel(Boom("the cause"))
    return ctx, Canceled


def out_of_time():
    return with_timeout(background(), 0).ctx, DeadlineExceeded


def out_of_time_with_a_cause():
    return with_deadline(background(), 0, Boom("too late")).ctx, DeadlineExceeded


def child_of_one_with_a_cause():
    return with_value(with_cancel(with_a_cause()[0]).ctx, "key", "value"), Canceled


def own():
    ctx = Own()
    ctx.cancel(Gone("why"))
    return ctx, Gone


def child_of_own():
    return with_cancel(own()[0]).ctx, Gone


DONE = [
    cancelled,
    with_a_cause,
    out_of_time,
    out_of_time_with_a_cause,
    child_of_one_with_a_cause,
    own,
    child_of_own,
]


def check(exc, ctx, kind):
    """Check that `exc` is what a wait raises for `ctx`."""
    err, why = ctx.err(), cause(ctx)
    assert type(err) is kind
    assert type(exc) is kind
    assert exc is not err
    assert exc.__cause__ is (None if why is err else why)
    assert not isinstance(exc, TimeoutError)


# Done at the call


@pytest.mark.parametrize("done", DONE)
@pytest.mark.parametrize("make", WAITS + READY)
def test_one_that_is_done_at_the_call_is_looked_at_first(make, done):
    wait = make()
    ctx, kind = done()
    raised = []
    for timeout in (None, 0, LONG):
        with pytest.raises(ContextDone) as caught:
            wait.call(ctx=ctx, timeout=timeout)
        check(caught.value, ctx, kind)
        raised.append(caught.value)
    assert len({id(exc) for exc in raised}) == 3, "a new instance each time"
    wait.untouched()
    wait.end()


@pytest.mark.parametrize("make", WAITS + READY)
def test_also_in_a_goroutine_and_a_foreign_thread(procs, make):
    wait = make()
    ctx, kind = with_a_cause()
    check(go(wait.call, ctx=ctx).exception(LONG), ctx, kind)
    check(Thread(lambda: wait.call(ctx=ctx)).exception(LONG), ctx, kind)
    wait.untouched()
    wait.end()


# What is not a context


class NoValue:
    """All but one method of a context."""

    def done(self):
        return None

    def err(self):
        return None

    def deadline(self):
        return None


BAD = {
    "a number": lambda: 3,
    "zero": lambda: 0,
    "False": lambda: False,
    "text": lambda: "ctx",
    "an object": object,
    "a channel": Chan,
    "a pair": lambda: with_cancel(background()),
    "one without value": NoValue,
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("make", WAITS + READY)
def test_what_is_not_a_context_is_a_type_error(make, bad):
    wait = make()
    ctx = BAD[bad]()
    for timeout in (None, 0):
        with pytest.raises(TypeError):
            wait.call(ctx=ctx, timeout=timeout)
    wait.untouched()
    wait.end()


def test_iter_refuses_it_at_its_own_call(procs):
    for make in (Chan().iter, Ticker(3600).iter):
        with pytest.raises(TypeError):
            make(ctx=3)


def test_ctx_is_a_keyword_alone(procs):
    ctx = background()
    g = go(int)
    for call in (
        lambda: Chan().send(1, None, ctx),
        lambda: full(1).recv(0, ctx),
        lambda: full(1).recv_ok(0, ctx),
        lambda: full(1).iter(0, ctx),
        lambda: select(on_recv(full(1)), ctx),
        lambda: Semaphore(1).acquire(1, ctx),
        lambda: WaitGroup().wait(0, ctx),
        lambda: sleep(0, ctx),
        lambda: g.join(LONG, ctx),
        lambda: g.result(LONG, ctx),
        lambda: g.exception(LONG, ctx),
    ):
        with pytest.raises(TypeError):
            call()
    assert g.join(LONG)


# Cancelled during the wait


@pytest.mark.parametrize("make", WAITS)
def test_cancel_ends_the_wait(procs, make):
    wait = make()
    ctx, cancel = with_cancel_cause(background())
    gs = [parked(wait.call, ctx=ctx), parked(wait.call, ctx=ctx, timeout=LONG)]
    cancel(Boom("the cause"))
    raised = [g.exception(LONG) for g in gs]
    for exc in raised:
        check(exc, ctx, Canceled)
    assert raised[0] is not raised[1]
    wait.untouched()
    wait.end()


@pytest.mark.parametrize("make", WAITS)
def test_cancel_of_a_parent_ends_the_wait(procs, make):
    wait = make()
    parent, cancel = with_cancel(background())
    with with_timeout(with_value(parent, "key", "value"), LONG) as ctx:
        g = parked(wait.call, ctx=ctx)
        cancel()
        check(g.exception(LONG), ctx, Canceled)
    wait.untouched()
    wait.end()


@pytest.mark.parametrize("make", WAITS)
def test_a_context_of_ones_own_ends_the_wait(procs, make):
    wait = make()
    ctx = Own()
    g = parked(wait.call, ctx=ctx)
    ctx.cancel(Gone())
    check(g.exception(LONG), ctx, Gone)
    wait.untouched()
    wait.end()


@pytest.mark.parametrize("make", WAITS)
def test_cancel_ends_the_wait_of_a_foreign_thread(procs, make):
    wait = make()
    ctx, cancel = with_cancel_cause(background())
    threads = [Thread(lambda: wait.call(ctx=ctx)) for _ in range(3)]
    sleep(0.001)
    cancel(Boom("the cause"))
    for thread in threads:
        check(thread.exception(LONG), ctx, Canceled)
    wait.untouched()
    wait.end()


@pytest.mark.parametrize("make", WAITS)
def test_cancel_by_a_foreign_thread_ends_the_wait_of_main(procs, make):
    wait = make()
    ctx, cancel = with_cancel(background())
    thread = Thread(cancel)
    with pytest.raises(Canceled) as caught:
        wait.call(ctx=ctx)
    check(caught.value, ctx, Canceled)
    assert thread.exception(LONG) is None
    wait.untouched()
    wait.end()


@pytest.mark.parametrize("make", WAITS)
def test_a_goroutine_ends_the_wait_of_main(procs, make):
    wait = make()
    ctx, cancel = with_cancel(background())
    g = go(cancel)
    with pytest.raises(Canceled):
        wait.call(ctx=ctx)
    assert g.join(LONG)
    wait.untouched()
    wait.end()


# Deadlines


@pytest.mark.parametrize("who", ["main", "goroutine", "thread"])
@pytest.mark.parametrize("make", WAITS)
def test_the_deadline_ends_the_wait(procs, make, who):
    wait = make()
    with with_timeout(background(), SHORT, Boom("too late")) as ctx:
        if who == "main":
            with pytest.raises(DeadlineExceeded) as caught:
                wait.call(ctx=ctx)
            exc = caught.value
        elif who == "goroutine":
            exc = go(wait.call, ctx=ctx).exception(LONG)
        else:
            exc = Thread(lambda: wait.call(ctx=ctx)).exception(LONG)
        assert monotonic() >= ctx.deadline()
        check(exc, ctx, DeadlineExceeded)
    wait.untouched()
    wait.end()


@pytest.mark.parametrize("make", WAITS)
def test_the_time_out_of_the_call_may_come_first(procs, make):
    wait = make()
    with with_timeout(background(), LONG) as ctx:
        for timeout in (0, -1, SHORT):
            if make is join:
                assert wait.call(ctx=ctx, timeout=timeout) is False
                continue
            with pytest.raises(TimeoutError):
                wait.call(ctx=ctx, timeout=timeout)
        assert ctx.err() is None
    wait.untouched()
    wait.end()


@pytest.mark.parametrize("make", WAITS)
def test_the_deadline_may_come_before_the_time_out_of_the_call(procs, make):
    wait = make()
    with with_timeout(background(), SHORT) as ctx, pytest.raises(DeadlineExceeded):
        wait.call(ctx=ctx, timeout=LONG)
    wait.end()


def test_no_time_is_a_value_error_with_a_context_too(procs):
    with with_cancel(background()) as ctx:
        for make in (recv, send, in_select, wait_group, acquire, join):
            wait = make()
            with pytest.raises(ValueError, match="nan"):
                wait.call(ctx=ctx, timeout=math.nan)
            wait.end()
        with pytest.raises(ValueError, match="nan"):
            sleep(math.nan, ctx=ctx)


def test_a_wait_in_blocking_ends_with_its_context(procs):
    """Its thread may be main's, which then stands still: only a deadline can be counted on."""
    ctx, cancel = with_timeout(background(), SHORT)

    def body():
        with blocking():
            Chan().recv(ctx=ctx)

    check(go(body).exception(LONG), ctx, DeadlineExceeded)
    cancel()


# A live context changes nothing

LIVE = {
    "None": lambda: None,
    "background": background,
    "todo": todo,
    "with_value": lambda: with_value(background(), "key", "value"),
    "with_cancel": lambda: with_cancel(background()),
    "with_timeout": lambda: with_timeout(background(), LONG),
    "without_cancel": lambda: without_cancel(cancelled()[0]),
    "own": Own,
    "own, never done": lambda: Own(done=False),
}


@pytest.fixture(params=LIVE)
def live(request):
    """Give a context that lives, and end it after: a deadline to come hides a deadlock."""
    made = LIVE[request.param]()
    ctx = getattr(made, "ctx", made)
    yield ctx
    if made is not ctx:
        made.cancel()


def test_under_a_live_context_waits_do_what_they_do(procs, live):
    ctx = live
    unbuffered, wg, sem, gate = Chan(), WaitGroup(), Semaphore(1), Chan()
    wg.add(1)
    sem.acquire()
    waiters = [
        parked(unbuffered.recv, ctx=ctx),
        parked(lambda: unbuffered.recv_ok(ctx=ctx)),
        parked(lambda: next(unbuffered.iter(ctx=ctx))),
        parked(lambda: tuple(select(on_recv(unbuffered), on_send(None, 1), ctx=ctx))),
    ]
    for v in range(4):
        unbuffered.send(v, ctx=ctx)
    assert join_all(*waiters) == [0, (1, True), 2, (0, 3, True)]
    sender = parked(unbuffered.send, "v", ctx=ctx)
    assert unbuffered.recv(ctx=ctx) == "v"
    waiters = [parked(wg.wait, ctx=ctx), parked(sem.acquire, ctx=ctx)]
    wg.done()
    sem.release()
    assert join_all(sender, *waiters) == [None, None, True]
    gated = parked(gate.recv)
    waiters = [parked(ask, ctx=ctx) for ask in (gated.join, gated.result, gated.exception)]
    gate.send("value")
    assert join_all(*waiters) == [True, "value", None]
    before = monotonic()
    sleep(SHORT, ctx=ctx)
    assert monotonic() >= before + SHORT


def test_under_a_live_context_what_is_ready_is_done(procs, live):
    ctx = live
    ch, wg, sem, g = Chan(3), WaitGroup(), Semaphore(2), go(int, "7")
    for v in range(3):
        ch.send(v, ctx=ctx)
    assert ch.recv(ctx=ctx) == 0
    assert ch.recv_ok(ctx=ctx) == (1, True)
    assert tuple(select(on_recv(ch), ctx=ctx)) == (0, 2, True)
    assert select(on_recv(ch), default=True, ctx=ctx).index == -1
    ch.send(3)
    ch.close()
    assert list(ch.iter(ctx=ctx)) == [3]
    assert ch.recv_ok(ctx=ctx) == (None, False)
    with pytest.raises(gmprt.EndOfChan):
        ch.recv(ctx=ctx)
    with pytest.raises(gmprt.ChanClosed):
        ch.send(1, ctx=ctx)
    wg.wait(ctx=ctx)
    assert sem.acquire(2, ctx=ctx) is True
    assert g.result(LONG, ctx=ctx) == 7
    assert g.join(LONG, ctx=ctx) is True
    assert g.exception(LONG, ctx=ctx) is None
    sleep(0, ctx=ctx)
    sleep(-1, ctx=ctx)


def test_a_close_ends_waits_under_a_live_context(procs):
    with with_cancel(background()) as ctx:
        ch, out = Chan(), Chan()
        gs = [
            parked(lambda: ch.recv_ok(ctx=ctx)),
            parked(lambda: list(ch.iter(ctx=ctx))),
            parked(lambda: tuple(select(on_recv(ch), ctx=ctx))),
        ]
        sender = parked(out.send, 1, ctx=ctx)
        ch.close()
        out.close()
        assert join_all(*gs) == [(None, False), [], (0, None, False)]
        assert isinstance(sender.exception(LONG), gmprt.ChanClosed)


def test_an_interrupt_ends_a_wait_under_a_live_context(procs):
    for make in WAITS:
        wait = make()
        with with_cancel(background()) as ctx:
            g = parked(wait.call, ctx=ctx)
            g.interrupt(Boom)
            assert type(g.exception(LONG)) is Boom
        wait.untouched()
        wait.end()


def test_iter_gives_values_until_its_context_is_done(procs):
    ch = Chan()
    ctx, cancel = with_cancel(background())
    got = Chan(10)

    def body():
        for v in ch.iter(ctx=ctx):
            got.send(v)

    g = parked(body)
    for v in range(5):
        ch.send(v)
    cancel()
    check(g.exception(LONG), ctx, Canceled)
    assert [got.recv() for _ in range(len(got))] == list(range(5))
    nobody_waits(ch)


def test_iter_under_a_context_and_a_time_out(procs):
    ch = full(1, 2)
    with with_timeout(background(), LONG) as ctx:
        values = ch.iter(SHORT, ctx=ctx)
        assert [next(values), next(values)] == [1, 2]
        with pytest.raises(TimeoutError):
            next(values)


# Fairness and order


def test_one_that_gives_up_leaves_the_order_of_the_others(procs):
    ch = Chan()
    ctx, cancel = with_cancel(background())
    order = Chan(3)

    def body(i, **kw):
        order.send((i, ch.recv(**kw)))

    first = parked(body, 0)
    gone = parked(body, 1, ctx=ctx)
    last = parked(body, 2)
    cancel()
    assert type(gone.exception(LONG)) is Canceled
    ch.send("a")
    assert first.join(LONG)
    ch.send("b")
    assert last.join(LONG)
    assert [order.recv(), order.recv()] == [(0, "a"), (2, "b")]


def test_one_semaphore_waiter_that_gives_up_lets_the_next_go_on(procs):
    sem = Semaphore(2)
    sem.acquire(1)
    ctx, cancel = with_cancel(background())
    big = parked(lambda: sem.acquire(2, ctx=ctx))
    small = parked(sem.acquire)
    cancel()
    assert type(big.exception(LONG)) is Canceled
    assert small.result(LONG) is True


# Races


@pytest.mark.parametrize("cap", [0, 1])
def test_it_is_either_the_value_or_the_error(procs, cap):
    """A value that was sent was received or is still there; one that was not sent is nowhere."""
    for i in range(150):
        ch = Chan(cap)
        rctx, rcancel = with_cancel(background())
        sctx, scancel = with_cancel(background())
        receiver = go(ch.recv, ctx=rctx)
        sender = go(ch.send, i, ctx=sctx)
        cancellers = [go(rcancel), go(scancel)]
        refused = sender.exception(LONG)
        missed = receiver.exception(LONG)
        for exc in (refused, missed):
            assert exc is None or type(exc) is Canceled
        if missed is None:
            assert refused is None
            assert receiver.result() == i
        elif refused is None:
            assert cap == 1
            assert ch.recv_nowait() == i
        if cap == 0:
            nobody_waits(ch)
        else:
            holds(ch)
        join_all(*cancellers)


def test_a_select_took_or_was_cancelled(procs):
    for i in range(150):
        a, b = Chan(), Chan(1)
        ctx, cancel = with_cancel(background())
        g = go(lambda a=a, b=b, ctx=ctx: select(on_recv(a), on_recv(b), ctx=ctx).value)
        canceller = go(cancel)
        b.send(i)
        exc = g.exception(LONG)
        if exc is None:
            assert g.result() == i
            assert len(b) == 0
        else:
            assert type(exc) is Canceled
            assert b.recv_nowait() == i
        nobody_waits(a)
        assert canceller.join(LONG)


def test_a_semaphore_was_acquired_or_not(procs):
    for _ in range(150):
        sem = Semaphore(3)
        sem.acquire(3)
        ctx, cancel = with_cancel(background())
        g = go(sem.acquire, 2, ctx=ctx)
        gs = [go(cancel), go(sem.release, 3)]
        exc = g.exception(LONG)
        join_all(*gs)
        if exc is None:
            sem.release(2)
        else:
            assert type(exc) is Canceled
        assert sem.try_acquire(3) is True


def test_threads_and_goroutines_all_end_with_one_context(procs):
    ch = Chan()
    ctx, cancel = with_cancel(background())
    gs = [go(ch.recv, ctx=ctx) for _ in range(30)]
    threads = [Thread(lambda: ch.recv(ctx=ctx)) for _ in range(4)]
    canceller = go(cancel)
    raised = [one.exception(LONG) for one in gs + threads]
    assert {type(exc) for exc in raised} == {Canceled}
    assert len({id(exc) for exc in raised}) == 34
    assert canceller.join(LONG)
    nobody_waits(ch)


# What is left behind


def test_waits_leave_nothing_at_a_context_that_lives_on(procs):
    """A server's context sees each of its requests' waits, and must not grow with them."""
    with with_timeout(background(), 3600) as ctx:
        ch, wg, sem = Chan(), WaitGroup(), Semaphore(1)
        wg.add(1)
        sem.acquire()

        def round_of_waits():
            for timeout in (0, 1e-6):
                for call in (
                    lambda: ch.recv(timeout, ctx=ctx),  # noqa: B023 - called at once
                    lambda: ch.send(1, timeout=timeout, ctx=ctx),  # noqa: B023
                    lambda: select(on_recv(ch), timeout=timeout, ctx=ctx),  # noqa: B023
                    lambda: wg.wait(timeout, ctx=ctx),  # noqa: B023
                    lambda: sem.acquire(timeout=timeout, ctx=ctx),  # noqa: B023
                ):
                    with pytest.raises(TimeoutError):
                        call()
            g = go(ch.send, 1)
            assert ch.recv(ctx=ctx) == 1
            assert g.join(LONG, ctx=ctx)
            sleep(1e-6, ctx=ctx)

        def count():
            for _ in range(3):
                gc.collect()
            return len(gc.get_objects())

        for _ in range(20):
            round_of_waits()
        before = count()
        for _ in range(200):
            round_of_waits()
        assert count() - before < 200


def test_a_wait_under_a_context_that_nobody_can_cancel_is_a_deadlock(procs):
    ctx, cancel = with_cancel(background())
    for wait in (Chan().recv, select):
        with pytest.raises(DeadlockError):
            wait(ctx=ctx)
        with pytest.raises(DeadlockError):
            wait(ctx=background())
    cancel()
