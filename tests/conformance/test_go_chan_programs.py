"""The programs of Go's test/chan: fifo.go, nonblock.go, select.go to select8.go, doubleselect.go,
goroutines.go, sendstmt.go and zerosize.go, in Python. perm.go is about static types; the others
have files of their own.
"""

import gc
import itertools
import tracemalloc

import pytest

import gmprt
from gmprt import Chan, ChanClosed, WouldBlock, go, gosched, on_recv, on_send, select
from tests.conformance.parking import LONG, join_all, parked, reap

# fifo.go


def test_an_asynchronous_channel_is_a_fifo(procs):
    ch = Chan(10)
    for i in range(10):
        ch.send(i)
    assert [ch.recv() for _ in range(10)] == list(range(10))


def test_a_chain_of_receivers_is_served_in_turn(procs):
    """Each receives only after the one before it has."""
    ch, n = Chan(), 10

    def link(value, before, after):
        before.recv()
        got = ch.recv()
        after.send(None)
        return got == value

    first = before = Chan()
    gs = []
    for i in range(n):
        after = Chan()
        gs.append(go(link, i, before, after))
        before = after
    starter = go(first.send, None)
    for i in range(n):
        ch.send(i)
    before.recv()
    assert join_all(*gs) == [True] * n
    assert starter.join(LONG)


# nonblock.go


@pytest.mark.parametrize("buffer", [0, 1])
@pytest.mark.parametrize("value", [123, 123456 << 40, True, "hello", b"", None])
def test_operations_that_would_block_do_not(procs, buffer, value):
    ch, strobe = Chan(buffer), Chan()
    with pytest.raises(WouldBlock):
        ch.recv_nowait()

    def receiver():
        assert ch.recv() == value
        strobe.send(True)

    def sender():
        ch.send(value)
        strobe.send(True)

    g = parked(receiver)
    ch.send_nowait(value)
    assert strobe.recv()
    assert g.join(LONG)

    g = parked(sender)  # in its send, or in the strobe's where there is a buffer
    assert ch.recv_nowait() == value
    assert strobe.recv()
    assert g.join(LONG)
    with pytest.raises(WouldBlock):
        ch.recv_nowait()


# select.go


def test_values_are_evaluated_once_per_case_each_time(procs):
    counter, shift = itertools.count(), [0]

    def get_value():
        next(counter)
        return 1 << shift[0]

    def send(a, b):
        i = 0
        while True:
            j = select(on_send(a, get_value()), on_send(b, get_value()), default=True).index
            if j == -1:
                return i
            i += 1
            if j == 0:
                a = None
            else:
                b = None
            shift[0] += 1

    a, b = Chan(1), Chan(1)
    assert send(a, b) == 2
    assert a.recv() | b.recv() == 3
    assert send(a, None) == 1
    assert next(counter) == 10


# select2.go


def test_a_select_that_loses_leaves_nothing_behind(procs):
    """The channel that is never ready is in every select: each must take back what it put there."""
    ch, dummy, n = Chan(), Chan(), 1500

    def sender():
        for _ in range(n):
            select(on_send(ch, 1), on_recv(dummy), on_recv(dummy))

    def receiver():
        for _ in range(n):
            assert select(on_recv(ch), on_recv(dummy)).value == 1

    def both():
        join_all(go(sender), go(receiver))

    both()
    tracemalloc.start()
    try:
        both()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        both()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20 * n, f"{grown / n} bytes a select"
    with pytest.raises(WouldBlock):
        dummy.recv_nowait()
    with pytest.raises(WouldBlock):
        dummy.send_nowait(0)


# select3.go


def closed_chan():
    ch = Chan()
    ch.close()
    return ch


def with_value(v):
    ch = Chan(1)
    ch.send(v)
    return ch


def self_select():
    c = Chan()
    select(on_send(c, 1), on_recv(c))


ALWAYS_BLOCKS = {
    "send to nil": lambda: select(on_send(None, 7)),
    "receive from nil": lambda: select(on_recv(None)),
    "both of nil": lambda: select(on_recv(None), on_send(None, 7)),
    "receive from a channel not ready": lambda: Chan().recv(),
    "no cases": lambda: select(),
    "a channel not ready": lambda: select(on_recv(Chan())),
    "itself": self_select,
}

NEVER_BLOCKS = {
    "send to nil, default": lambda: select(on_send(None, 7), default=True).index == -1,
    "receive from nil, default": lambda: select(on_recv(None), default=True).index == -1,
    "default alone": lambda: select(default=True).index == -1,
    "send with room": lambda: Chan(1).send(7) is None,
    "receive from closed": lambda: (
        [closed_chan().recv_ok() for _ in range(10)] == [(None, False)] * 10
    ),
    "send with room, default": lambda: select(on_send(Chan(1), 7), default=True).index == 0,
    "receive ready, default": lambda: select(on_recv(with_value(7)), default=True).value == 7,
    "select on closed": lambda: tuple(select(on_recv(closed_chan()))) == (0, None, False),
}


@pytest.mark.parametrize("fn", ALWAYS_BLOCKS.values(), ids=ALWAYS_BLOCKS.keys())
def test_what_always_blocks(procs, fn):
    g = parked(fn)
    for _ in range(20):
        gosched()
    assert g.join(0.01) is False
    reap(g)


@pytest.mark.parametrize("fn", NEVER_BLOCKS.values(), ids=NEVER_BLOCKS.keys())
def test_what_never_blocks(procs, fn):
    """In a goroutine that is interrupted already: were there a wait, it would come there."""

    def body():
        gmprt.current().interrupt()
        return fn()

    assert go(body).result(LONG) is True


@pytest.mark.parametrize(
    "fn",
    [lambda: closed_chan().send(7), lambda: select(on_send(closed_chan(), 7))],
    ids=["send", "select"],
)
def test_what_always_raises(procs, fn):
    with pytest.raises(ChanClosed):
        fn()


# select4.go


def test_a_case_that_is_not_chosen_has_no_effect(procs):
    c, c1 = with_value(42), Chan()
    i, v, _ = select(on_recv(c), on_recv(c1))
    assert (i, v) == (0, 42)


# select5.go


def test_one_real_operation_among_all_dummies(procs):
    """Every subset of dummy cases, the real one at every place among them, with and without
    default.
    """
    real, dummy = Chan(1), Chan()
    dummies = [on_send(dummy, 1), on_recv(dummy), on_send(None, 1), on_recv(None)]
    n = 0
    for size in range(len(dummies) + 1):
        for some in itertools.combinations(dummies, size):
            for at in range(size + 1):
                for default in (False, True):
                    n += 1
                    cases = [*some[:at], on_send(real, n), *some[at:]]
                    assert tuple(select(*cases, default=default)) == (at, None, True)
                    cases[at] = on_recv(real)
                    assert tuple(select(*cases, default=default)) == (at, n, True)
            assert select(*some, default=True).index == -1
            if some:
                with pytest.raises(TimeoutError):
                    select(*some, timeout=0)


def test_channels_and_values_are_evaluated_in_source_order(procs):
    order = []

    def at(n, value):
        order.append(n)
        return value

    c = with_value("v")
    select(
        on_recv(at(1, None)),
        on_send(at(2, None), at(3, "x")),
        on_recv(at(4, c)),
        on_send(at(5, Chan()), at(6, "y")),
    )
    assert order == [1, 2, 3, 4, 5, 6]


# select6.go


def test_a_select_that_loses_leaves_the_others_in_line(procs):
    """Go's 2075: it stood last in the queue of c1, and those who came later never woke."""
    c1, c2, c3 = Chan(), Chan(), Chan()

    def selects():
        i = select(on_recv(c1), on_recv(c2)).index
        assert i == 1
        c3.send(True)
        c1.recv()

    first = parked(c1.recv)
    second = parked(selects)
    third = go(c2.send, True)
    c3.recv()
    c1.send(True)
    c1.send(True)
    join_all(first, second, third)


# select7.go


RECEIVERS = [
    lambda c: c.recv(),
    lambda c: select(on_recv(c)),
    lambda c: select(on_recv(c), on_recv(Chan())),
]
SENDERS = [
    lambda c: c.send(1),
    lambda c: select(on_send(c, 1)),
    lambda c: select(on_send(c, 1), on_send(Chan(), 1)),
]


@pytest.mark.parametrize("receive", RECEIVERS, ids=["plain", "one case", "two cases"])
@pytest.mark.parametrize("send", SENDERS, ids=["plain", "one case", "two cases"])
def test_the_value_may_be_discarded(procs, receive, send):
    c = Chan()
    g = go(receive, c)
    gosched()
    send(c)
    assert g.join(LONG)
    g.result()


# select8.go


def test_selects_of_one_two_and_three_cases_while_a_sender_insists(procs):
    ch = Chan()

    def insists():
        while True:
            ch.send(5)

    g = go(insists)
    assert select(on_recv(ch)).value == 5
    assert select(default=True).index == -1
    assert select(on_recv(ch), default=True).index in (0, -1)
    assert select(on_recv(ch), on_send(ch, 10), default=True).index in (0, -1)
    assert select(on_recv(ch), on_send(ch, 10)).index == 0
    reap(g)


# doubleselect.go


def test_two_cases_of_one_select_never_both_happen(procs):
    n = 500
    ins = [Chan() for _ in range(4)]
    out = Chan()

    def sender():
        for i in range(n):
            select(*[on_send(c, i) for c in ins])
        for c in ins:
            c.close()

    def mux(c):
        for v in c:
            out.send(v)

    gs = [go(sender), *[go(mux, c) for c in ins]]
    got = [out.recv() for _ in range(n)]
    join_all(*gs)
    assert sorted(got) == list(range(n))
    with pytest.raises(WouldBlock):
        out.recv_nowait()


# goroutines.go


def test_a_chain_of_a_thousand_goroutines(procs):
    n = 1000
    leftmost = right = left = Chan()
    gs = []
    for _ in range(n):
        right = Chan()

        def link(left=left, right=right):
            left.send(right.recv() + 1)

        gs.append(go(link))
        left = right
    starter = go(right.send, 0)
    assert leftmost.recv() == n
    join_all(starter, *gs)


# sendstmt.go


def test_a_channel_of_channels(procs):
    cc, c = Chan(1), Chan(1)
    cc.send(c)
    assert select(on_send(cc.recv(), 2), default=True).index == 0
    assert c.recv() == 2


# zerosize.go


def test_values_without_content(procs):
    for empty in ((), "", b"", frozenset(), None):
        ch = Chan(2)
        ch.send(empty)
        ch.send(empty)
        assert len(ch) == 2
        assert ch.recv() == ch.recv() == empty
