"""`select`: ready cases, waiting, default, nil channels, closed channels, time-outs, and what is no
case.
"""

import itertools
import math
import time

import pytest

import gmprt
from gmprt import Chan, ChanClosed, WouldBlock, go, gosched, on_recv, on_send, select
from tests.conformance.parking import LONG, join_all, parked, reap


def closed_chan():
    ch = Chan()
    ch.close()
    return ch


def filled(*values):
    ch = Chan(len(values))
    for v in values:
        ch.send(v)
    return ch


def is_left_alone(*chans):
    """Nobody waits on any of these unbuffered channels."""
    for ch in chans:
        with pytest.raises(WouldBlock):
            ch.send_nowait("nobody receives")
        with pytest.raises(WouldBlock):
            ch.recv_nowait()
    return True


# The result


def test_selected_has_three_fields_and_unpacks(procs):
    sel = select(on_recv(None), on_recv(filled("value")))
    assert isinstance(sel, gmprt.Selected)
    assert (sel.index, sel.value, sel.ok) == (1, "value", True)
    i, v, ok = sel
    assert (i, v, ok) == (1, "value", True)


def test_a_receive_case_gives_the_value(procs):
    ch = filled("a", "b")
    assert tuple(select(on_recv(ch))) == (0, "a", True)
    assert tuple(select(on_recv(ch))) == (0, "b", True)


def test_a_send_case_gives_none_and_true(procs):
    ch = Chan(1)
    assert tuple(select(on_recv(Chan()), on_send(ch, "value"))) == (1, None, True)
    assert ch.recv() == "value"


def test_none_is_a_value_like_any(procs):
    ch = Chan(1)
    select(on_send(ch, None))
    assert tuple(select(on_recv(ch))) == (0, None, True)


def test_the_index_counts_every_case(procs):
    cases = [on_recv(None), on_send(None, 1), on_recv(Chan()), on_send(Chan(), 1)]
    for n in range(30):
        more = [*cases * n, on_recv(filled(n)), *cases]
        assert tuple(select(*more)) == (4 * n, n, True)


# Choice


def test_the_choice_among_ready_cases_is_uniform(procs):
    """Three of five ready, 3,000 times: each 1,000 with a standard deviation of 26; the bounds are
    at 7.7.
    """
    chans = [Chan(1) for _ in range(3)]
    for ch in chans:
        ch.send(None)
    counts = [0] * 5
    for _ in range(3000):
        i, _, _ = select(
            on_recv(chans[0]), on_recv(Chan()), on_recv(chans[1]), on_recv(None), on_recv(chans[2])
        )
        counts[i] += 1
        chans[i // 2].send(None)
    assert counts[1] == counts[3] == 0
    assert all(800 < counts[i] < 1200 for i in (0, 2, 4)), counts


def test_sends_and_receives_are_chosen_alike(procs):
    room, stock = Chan(1), Chan(1)
    counts = [0, 0]
    stock.send(0)
    for _ in range(2000):
        i = select(on_send(room, 0), on_recv(stock)).index
        counts[i] += 1
        if i == 0:
            room.recv()
        else:
            stock.send(0)
    assert all(800 < n < 1200 for n in counts), counts


def test_one_channel_twice_counts_twice(procs):
    a, b = Chan(1), Chan(1)
    a.send(0)
    b.send(0)
    counts = [0, 0, 0]
    for _ in range(3000):
        i = select(on_recv(a), on_recv(b), on_recv(a)).index
        counts[i] += 1
        (b if i == 1 else a).send(0)
    assert all(800 < n < 1200 for n in counts), counts


def test_with_default_the_choice_is_uniform_too(procs):
    a, b = Chan(1), Chan(1)
    a.send(0)
    b.send(0)
    counts = [0, 0]
    for _ in range(2000):
        i = select(on_recv(a), on_recv(b), default=True).index
        counts[i] += 1
        (a, b)[i].send(0)
    assert all(800 < n < 1200 for n in counts), counts


# Waiting


def test_it_waits_for_a_sender(procs):
    a, b = Chan(), Chan()
    g = parked(select, on_recv(a), on_recv(b))
    assert g.wait_reason == "select"
    assert set(g.waiting_on) == {a, b}
    b.send("value")
    assert tuple(g.result(LONG)) == (1, "value", True)
    assert is_left_alone(a, b)


def test_it_waits_for_a_receiver(procs):
    a, b = Chan(), Chan()
    g = parked(select, on_send(a, "to a"), on_send(b, "to b"))
    assert b.recv() == "to b"
    assert tuple(g.result(LONG)) == (1, None, True)
    assert is_left_alone(a, b)


def test_it_waits_for_room(procs):
    full = filled(0)
    g = parked(select, on_recv(Chan()), on_send(full, 1))
    assert full.recv() == 0
    assert tuple(g.result(LONG)) == (1, None, True)
    assert full.recv() == 1


def test_a_single_case_is_the_plain_operation(procs):
    ch = Chan()
    g = parked(select, on_recv(ch))
    ch.send(1)
    assert g.result(LONG).value == 1
    g = parked(select, on_send(ch, 2))
    assert ch.recv() == 2
    assert g.result(LONG).ok


def test_one_value_sent_is_one_value_whatever_the_number_of_cases(procs):
    chans = [Chan() for _ in range(10)]
    g = parked(select, *[on_send(ch, i) for i, ch in enumerate(chans)])
    assert chans[7].recv() == 7
    assert g.result(LONG).index == 7
    assert is_left_alone(*chans)


def test_one_of_two_senders_is_taken(procs):
    a, b = Chan(), Chan()
    g = parked(select, on_recv(a), on_recv(b))
    b.send("first")
    later = parked(a.send, "second")
    assert tuple(g.result(LONG)) == (1, "first", True)
    assert a.recv() == "second"
    assert later.join(LONG)


def test_a_select_waits_in_line_with_plain_receivers(procs):
    ch, got = Chan(), Chan(10)

    def plain(i):
        got.send((i, ch.recv()))

    def selects(i):
        got.send((i, select(on_recv(Chan()), on_recv(ch)).value))

    gs = [parked(selects if i % 2 else plain, i) for i in range(6)]
    for v in range(6):
        ch.send(v)
    join_all(*gs)
    assert sorted(got.recv() for _ in range(6)) == [(i, i) for i in range(6)]


def test_a_select_waits_in_line_with_plain_senders(procs):
    ch = Chan()

    def selects(v):
        select(on_send(ch, v), on_recv(Chan()))

    gs = [parked(selects if v % 2 else ch.send, v) for v in range(6)]
    assert [ch.recv() for _ in range(6)] == list(range(6))
    join_all(*gs)


def test_two_selects_meet(procs):
    a, b = Chan(), Chan()
    g = parked(select, on_send(a, "a"), on_recv(b))
    i, v, ok = select(on_send(b, "b"), on_recv(a))
    j, w, ok2 = g.result(LONG)
    assert ok
    assert ok2
    assert (i, v, j, w) in [(0, None, 1, "b"), (1, "a", 0, None)]
    assert is_left_alone(a, b)


def test_many_selects_meet_in_a_ring(procs):
    """Each sends right and receives left in one select: no value is lost or doubled."""
    n, rounds = 6, 100
    chans = [Chan() for _ in range(n)]
    sent, received = Chan(n * rounds), Chan(n * rounds)

    def node(i):
        out, left = 0, 0
        while out < rounds or left < rounds:
            j, v, _ = select(
                on_send(chans[i] if out < rounds else None, (i, out)),
                on_recv(chans[i - 1] if left < rounds else None),
            )
            if j == 0:
                sent.send((i, out))
                out += 1
            else:
                received.send(v)
                left += 1

    join_all(*[go(node, i) for i in range(n)])
    sent.close()
    received.close()
    assert sorted(sent) == sorted(received) == [(i, k) for i in range(n) for k in range(rounds)]


# One channel more than once


def test_the_same_channel_twice_in_a_waiting_select(procs):
    ch, other = Chan(), Chan()
    g = parked(select, on_recv(ch), on_recv(ch), on_recv(other))
    ch.send("value")
    i, v, ok = g.result(LONG)
    assert i in (0, 1)
    assert (v, ok) == ("value", True)
    assert is_left_alone(ch, other)
    g = parked(select, on_send(ch, "x"), on_send(ch, "y"), on_recv(other))
    v = ch.recv()
    assert v == ("x", "y")[g.result(LONG).index]
    assert is_left_alone(ch, other)


def test_send_and_receive_on_one_channel_do_not_meet_themselves(procs):
    ch = Chan()
    g = parked(select, on_send(ch, "own"), on_recv(ch))
    assert not g.join(0.01)
    ch.send("another's")
    assert tuple(g.result(LONG)) == (1, "another's", True)
    g = parked(select, on_send(ch, "own"), on_recv(ch))
    assert ch.recv() == "own"
    assert tuple(g.result(LONG)) == (0, None, True)
    assert is_left_alone(ch)


def test_send_and_receive_on_one_buffered_channel(procs):
    ch = Chan(1)
    for v in range(10):
        assert select(on_send(ch, v), on_recv(ch)).index == 0
        assert tuple(select(on_send(ch, "x"), on_recv(ch))) == (1, v, True)


def test_a_case_may_be_used_again_and_twice(procs):
    ch = Chan(4)
    put, take = on_send(ch, "v"), on_recv(ch)
    for _ in range(3):
        select(put)
    select(put, put)
    assert [select(take, take).value for _ in range(4)] == ["v"] * 4


# default


def test_default_when_nothing_is_ready(procs):
    full = filled(0)
    for cases in (
        [],
        [on_recv(Chan())],
        [on_send(Chan(), 1)],
        [on_send(full, 1)],
        [on_recv(None), on_send(None, 1)],
        [on_recv(Chan()), on_send(full, 1), on_recv(None)],
    ):
        assert tuple(select(*cases, default=True)) == (-1, None, False)
    assert len(full) == 1


def test_default_gives_way_to_what_is_ready(procs):
    assert tuple(select(on_recv(filled(1)), default=True)) == (0, 1, True)
    assert tuple(select(on_recv(closed_chan()), default=True)) == (0, None, False)
    ch = Chan(1)
    assert tuple(select(on_recv(None), on_send(ch, 2), default=True)) == (1, None, True)
    assert ch.recv() == 2
    g = parked(Chan.send, unbuffered := Chan(), 3)
    assert select(on_recv(unbuffered), default=True).value == 3
    assert g.join(LONG)


def test_default_never_waits_whatever_the_time_out(procs):
    for timeout in (None, 0, -1, LONG, math.inf):
        assert select(on_recv(Chan()), default=True, timeout=timeout).index == -1


# nil channels


def test_nil_is_never_ready(procs):
    for _ in range(50):
        assert select(on_recv(None), on_recv(filled(1)), on_send(None, 2)).index == 1


@pytest.mark.parametrize(
    "cases",
    [[], [on_recv(None)], [on_send(None, 1)], [on_recv(None), on_send(None, 1)]],
    ids=["none", "receive", "send", "both"],
)
def test_with_nothing_to_wait_for_it_waits_for_ever(procs, cases):
    g = parked(select, *cases)
    if not cases:
        assert g.wait_reason == "select (no cases)"
    assert g.join(0.01) is False
    reap(g)
    with pytest.raises(TimeoutError):
        select(*cases, timeout=0.01)
    with pytest.raises(TimeoutError):
        select(*cases, timeout=0)


# Closed channels


def test_a_closed_channel_is_ready_to_receive(procs):
    assert tuple(select(on_recv(closed_chan()), on_recv(Chan()))) == (0, None, False)
    ch = filled("left")
    ch.close()
    assert tuple(select(on_recv(ch))) == (0, "left", True)
    assert tuple(select(on_recv(ch))) == (0, None, False)


def test_a_close_wakes_a_select_that_receives(procs):
    a, b = Chan(), Chan()
    gs = [parked(select, on_recv(a), on_recv(b)) for _ in range(5)]
    b.close()
    assert [tuple(s) for s in join_all(*gs)] == [(1, None, False)] * 5
    assert is_left_alone(a)


def test_a_close_wakes_a_select_that_sends(procs):
    a, b = Chan(), Chan()
    gs = [parked(select, on_recv(a), on_send(b, 1)) for _ in range(5)]
    b.close()
    for g in gs:
        with pytest.raises(ChanClosed, match="send on closed channel"):
            g.result(LONG)
    assert is_left_alone(a)


def test_a_send_case_on_a_closed_channel_raises_if_chosen(procs):
    with pytest.raises(ChanClosed, match="send on closed channel"):
        select(on_send(closed_chan(), 1))
    with pytest.raises(ChanClosed):
        select(on_send(closed_chan(), 1), default=True)
    with pytest.raises(ChanClosed):
        select(on_recv(Chan()), on_send(closed_chan(), 1), timeout=0)


def test_a_send_case_on_a_closed_channel_raises_only_if_chosen(procs):
    """Both are ready, so each comes about; never in 200 times is one in 10 ** 60."""
    closed, outcomes = closed_chan(), set()
    for _ in range(200):
        ch = filled("value")
        try:
            outcomes.add(select(on_send(closed, 1), on_recv(ch)).value)
        except ChanClosed:
            outcomes.add("raised")
            assert len(ch) == 1
    assert outcomes == {"value", "raised"}


# Time-outs


@pytest.mark.parametrize("timeout", [0, -1, 0.01, -math.inf])
def test_a_time_out_leaves_all_as_it_was(procs, timeout):
    a, b, full = Chan(), Chan(), filled(0)
    with pytest.raises(TimeoutError):
        select(on_recv(a), on_send(b, 1), on_send(full, 1), on_recv(a), timeout=timeout)
    assert is_left_alone(a, b)
    assert full.recv() == 0
    with pytest.raises(WouldBlock):
        full.recv_nowait()


@pytest.mark.parametrize("timeout", [0, -1, None, math.inf, 1e12, LONG])
def test_what_is_ready_does_not_time_out(procs, timeout):
    assert select(on_recv(filled(1)), timeout=timeout).value == 1
    assert select(on_send(Chan(1), 1), timeout=timeout).ok


@pytest.mark.parametrize("timeout", [None, math.inf, 1e12, LONG])
def test_with_all_time_it_waits(procs, timeout):
    ch = Chan()
    g = parked(lambda: select(on_recv(ch), timeout=timeout))
    ch.send("value")
    assert g.result(LONG).value == "value"


def test_nan_is_a_value_error(procs):
    with pytest.raises(ValueError, match="nan"):
        select(on_recv(Chan()), timeout=math.nan)
    with pytest.raises(ValueError, match="nan"):
        select(timeout=math.nan)


def test_a_time_out_is_not_early(procs):
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        select(on_recv(Chan()), on_recv(Chan()), timeout=0.03)
    assert time.monotonic() - start >= 0.0295


def test_a_race_of_time_outs_loses_nothing(procs):
    a, b = Chan(), Chan()
    sent, taken = [], []

    def feed(i):
        for n in range(40):
            try:
                select(on_send(a, (i, n)), on_send(b, (i, n)), timeout=0.0002)
                sent.append((i, n))
            except TimeoutError:
                gosched()

    def receive():
        for _ in range(40):
            try:
                taken.append(select(on_recv(a), on_recv(b), timeout=0.0002).value)
            except TimeoutError:
                gosched()

    join_all(*[go(feed, i) for i in range(4)], *[go(receive) for _ in range(4)])
    assert sorted(sent) == sorted(taken)
    assert is_left_alone(a, b)


# What is no case


@pytest.mark.parametrize("bad", [3, None, Chan(), on_recv, "on recv", (Chan(),), object()])
def test_what_is_not_a_case_is_a_type_error(procs, bad):
    ch = Chan(1)
    with pytest.raises(TypeError):
        select(bad)
    with pytest.raises(TypeError):
        select(on_send(ch, 1), bad)
    with pytest.raises(TypeError):
        select(bad, default=True)
    with pytest.raises(TypeError):
        select(bad, timeout=0)
    assert len(ch) == 0


@pytest.mark.parametrize("bad", [3, "ch", [], on_recv])
def test_a_case_of_what_is_no_channel_is_a_type_error(procs, bad):
    with pytest.raises(TypeError):
        select(on_recv(bad), default=True)
    with pytest.raises(TypeError):
        select(on_send(bad, 1), default=True)


def test_a_list_of_cases_is_not_a_case(procs):
    with pytest.raises(TypeError):
        select([on_recv(Chan())])


# Stress of small scale


@pytest.mark.parametrize("cap", [0, 2])
def test_selects_of_many_goroutines_lose_and_double_nothing(procs, cap):
    chans = [Chan(cap) for _ in range(3)]
    n, each = 4, 150

    def feed(s):
        for i in range(each):
            select(*[on_send(ch, (s, i)) for ch in chans])

    def receive():
        got, open_ = [], list(chans)
        while any(open_):
            i, v, ok = select(*[on_recv(ch) for ch in open_])
            if ok:
                got.append(v)
            else:
                open_[i] = None
        return got

    receivers = [go(receive) for _ in range(n)]
    join_all(*[go(feed, s) for s in range(n)])
    for ch in chans:
        ch.close()
    got = list(itertools.chain(*join_all(*receivers)))
    assert sorted(got) == [(s, i) for s in range(n) for i in range(each)]
