"""Channels: send, recv, recv_ok, the `_nowait` pair, time-outs, FIFO order, len, cap, bool,
generic.
"""

import gc
import math
import sys
import weakref

import pytest

import gmprt
from gmprt import Chan, EndOfChan, WouldBlock, go, gosched
from tests.conformance.parking import LONG, Boom, join_all, parked, reap

NO_TIME = [0, -1, 0.0, -0.5, -math.inf]
ALL_TIME = [None, math.inf, LONG, 10**6, 1e12, 1e300]


class Strange:
    """A value that cannot be compared, hashed, counted, printed or taken for true."""

    def __eq__(self, other):
        raise AssertionError("compared")

    __hash__ = None

    def __bool__(self):
        raise AssertionError("taken for true")

    def __len__(self):
        raise AssertionError("counted")

    def __repr__(self):
        raise AssertionError("printed")


# Making one


@pytest.mark.parametrize("cap", [0, 1, 3, 1000, 100_000])
def test_cap_is_what_was_asked_for(cap):
    ch = Chan(cap)
    assert ch.cap == cap
    assert Chan(cap=cap).cap == cap
    assert len(ch) == 0
    assert ch.closed is False


def test_the_default_is_unbuffered():
    assert Chan().cap == 0


@pytest.mark.parametrize("cap", [-1, -100, -sys.maxsize])
def test_a_negative_cap_is_a_value_error_that_names_it(cap):
    with pytest.raises(ValueError, match=str(cap)):
        Chan(cap)


@pytest.mark.parametrize("cap", ["3", 1.5, [], object()])
def test_a_cap_that_is_no_integer_is_a_type_error(cap):
    with pytest.raises(TypeError):
        Chan(cap)


def test_it_is_generic_in_its_element():
    ch = Chan[int](8)
    assert isinstance(ch, Chan)
    assert ch.cap == 8
    ch.send(1)
    assert ch.recv() == 1
    assert Chan[str]().cap == 0
    assert Chan["later"](2).cap == 2


def test_the_protocols_are_there():
    assert gmprt.RecvChan[int]
    assert gmprt.SendChan[int]
    assert gmprt.G[int]


def test_it_is_true_also_when_empty_full_or_closed(procs):
    ch = Chan(1)
    assert ch
    ch.send(1)
    assert ch
    ch.close()
    assert ch
    ch.recv()
    assert ch
    assert Chan()
    assert go(int).ended


def test_it_is_hashable_and_equal_to_itself_alone():
    a, b = Chan(), Chan()
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2


def test_it_has_a_repr(procs):
    ch = Chan(2)
    assert repr(ch)
    ch.send(Strange())
    g = parked(Chan().recv)
    assert "Chan" in repr(ch)
    ch.close()
    assert repr(ch)
    reap(g)


def test_a_channel_may_be_sent_down_itself():
    ch = Chan(1)
    ch.send(ch)
    assert ch.recv() is ch


def test_the_runtime_lets_go_of_a_channel_nobody_holds():
    class Value:
        pass

    ch, value = Chan(3), Value()
    ch.send(value)
    ref = weakref.ref(value)
    del ch, value
    gc.collect()
    assert ref() is None


# Sending and receiving


@pytest.mark.parametrize("cap", [0, 1, 10])
def test_values_arrive_in_order(procs, cap):
    ch = Chan(cap)

    def feed():
        for i in range(500):
            assert ch.send(i) is None

    g = go(feed)
    assert [ch.recv() for _ in range(500)] == list(range(500))
    assert g.join(LONG)


@pytest.mark.parametrize("cap", [0, 1, 10])
def test_a_receiver_that_waits_gets_the_value(procs, cap):
    ch = Chan(cap)
    g = parked(ch.recv)
    assert g.wait_reason == "chan receive"
    assert g.waiting_on is ch
    ch.send("value")
    assert g.result(LONG) == "value"
    assert len(ch) == 0


def test_a_sender_waits_for_a_receiver(procs):
    ch = Chan()
    g = parked(ch.send, "value")
    assert g.wait_reason == "chan send"
    assert g.waiting_on is ch
    assert len(ch) == 0
    assert ch.recv() == "value"
    assert g.result(LONG) is None


def test_a_sender_waits_only_when_the_buffer_is_full(procs):
    ch = Chan(3)
    for i in range(3):
        ch.send(i)
        assert len(ch) == i + 1
    g = parked(ch.send, 3)
    assert len(ch) == 3
    assert ch.recv() == 0
    assert g.join(LONG)
    assert len(ch) == 3
    assert [ch.recv() for _ in range(3)] == [1, 2, 3]
    assert len(ch) == 0


def test_len_counts_the_buffer_and_not_those_who_wait(procs):
    ch = Chan(2)
    senders = [go(ch.send, i) for i in range(5)]
    gmprt.sleep(0)
    while sum(g.done() for g in senders) < 2:
        gosched()
    assert len(ch) == 2
    for _ in range(5):
        ch.recv()
    join_all(*senders)
    assert len(ch) == 0


@pytest.mark.parametrize(
    "value", [None, False, 0, "", (), EndOfChan, StopIteration(), TimeoutError()]
)
@pytest.mark.parametrize("cap", [0, 2])
def test_every_value_is_a_value(procs, cap, value):
    ch = Chan(cap)
    g = go(ch.send, value)
    assert ch.recv_ok() == (value, True)
    g.join(LONG)
    g = go(ch.send, value)
    assert ch.recv() is value
    g.join(LONG)


@pytest.mark.parametrize("cap", [0, 2])
def test_a_value_is_never_looked_at(procs, cap):
    ch, value = Chan(cap), Strange()
    for receive in (
        ch.recv,
        lambda: ch.recv_ok()[0],
        lambda: gmprt.select(gmprt.on_recv(ch)).value,
    ):
        g = go(ch.send, value)
        assert receive() is value
        assert g.join(LONG)
    g = parked(lambda: [ch.recv()])
    gmprt.select(gmprt.on_send(ch, value))
    assert g.result(LONG)[0] is value


def test_recv_ok_gives_a_pair(procs):
    ch = Chan(1)
    ch.send("value")
    got = ch.recv_ok()
    assert type(got) is tuple
    assert got == ("value", True)


@pytest.mark.parametrize("cap", [0, 1])
def test_a_received_value_is_not_kept(procs, cap):
    class Value:
        pass

    ch = Chan(cap)

    def feed():
        ch.send(Value())

    def receive():
        return weakref.ref(ch.recv())

    for first, second in ((feed, receive), (receive, feed)):
        g = go(first)
        gosched()
        h = go(second)
        ref = join_all(g, h)[0 if first is receive else 1]
        for _ in range(3):
            gosched()
            gc.collect()
        assert ref() is None


@pytest.mark.parametrize("cap", [0, 1, 7])
def test_many_senders_and_receivers_lose_and_double_nothing(procs, cap):
    ch, results = Chan(cap), Chan(16)
    senders, receivers, each = 6, 4, 200

    def feed(s):
        for i in range(each):
            ch.send((s, i))

    def receive():
        got = []
        while True:
            v, ok = ch.recv_ok()
            if not ok:
                break
            got.append(v)
        results.send(got)

    feeding = [go(feed, s) for s in range(senders)]
    receiving = [go(receive) for _ in range(receivers)]
    join_all(*feeding)
    ch.close()
    lists = [results.recv() for _ in range(receivers)]
    join_all(*receiving)
    flat = [v for got in lists for v in got]
    assert sorted(flat) == [(s, i) for s in range(senders) for i in range(each)]
    for got in lists:
        for s in range(senders):
            ours = [i for t, i in got if t == s]
            assert ours == sorted(ours), "one sender's values in its order"


# FIFO among those who wait


def test_waiting_receivers_are_served_in_their_order(procs):
    ch, got = Chan(), Chan(10)

    def receive(i):
        got.send((i, ch.recv()))

    gs = [parked(receive, i) for i in range(6)]
    for v in range(6):
        ch.send(v)
    join_all(*gs)
    assert sorted(got.recv() for _ in range(6)) == [(i, i) for i in range(6)]


@pytest.mark.parametrize("cap", [0, 1, 3])
def test_waiting_senders_are_served_in_their_order(procs, cap):
    ch = Chan(cap)
    for v in range(cap):
        ch.send(v)
    gs = [parked(ch.send, v) for v in range(cap, cap + 6)]
    assert [ch.recv() for _ in range(cap + 6)] == list(range(cap + 6))
    join_all(*gs)


def test_a_newcomer_does_not_pass_those_who_wait(procs):
    ch = Chan(1)
    ch.send(0)
    g = parked(ch.send, 1)
    assert ch.recv() == 0
    with pytest.raises(WouldBlock):
        ch.send_nowait(2)
    assert ch.recv() == 1
    assert g.join(LONG)
    ch.send_nowait(3)
    assert ch.recv() == 3


def test_one_who_left_the_queue_does_not_disturb_its_order(procs):
    ch, got = Chan(), Chan(10)

    def receive(i):
        got.send((i, ch.recv()))

    gs = [parked(receive, i) for i in range(5)]
    for i in (1, 3, 0):
        reap(gs[i])
    ch.send("a")
    ch.send("b")
    join_all(gs[2], gs[4])
    assert sorted(got.recv() for _ in range(2)) == [(2, "a"), (4, "b")]


# nowait


def test_recv_nowait_takes_what_is_there(procs):
    ch = Chan(2)
    with pytest.raises(WouldBlock):
        ch.recv_nowait()
    ch.send(1)
    ch.send(2)
    assert ch.recv_nowait() == 1
    assert ch.recv_nowait() == 2
    with pytest.raises(WouldBlock):
        ch.recv_nowait()


def test_send_nowait_puts_what_there_is_room_for(procs):
    ch = Chan(2)
    assert ch.send_nowait(1) is None
    ch.send_nowait(2)
    with pytest.raises(WouldBlock):
        ch.send_nowait(3)
    assert [ch.recv(), ch.recv()] == [1, 2]
    assert len(ch) == 0


def test_nowait_meets_those_who_wait(procs):
    ch = Chan()
    with pytest.raises(WouldBlock):
        ch.send_nowait(1)
    with pytest.raises(WouldBlock):
        ch.recv_nowait()
    g = parked(ch.recv)
    ch.send_nowait("to the receiver")
    assert g.result(LONG) == "to the receiver"
    g = parked(ch.send, "from the sender")
    assert ch.recv_nowait() == "from the sender"
    assert g.join(LONG)


def test_recv_nowait_from_a_full_buffer_lets_a_sender_in(procs):
    ch = Chan(1)
    ch.send(1)
    g = parked(ch.send, 2)
    assert ch.recv_nowait() == 1
    assert g.join(LONG)
    assert ch.recv_nowait() == 2


# Time-outs


@pytest.mark.parametrize("timeout", [*NO_TIME, 0.01])
def test_recv_times_out_and_takes_nothing(procs, timeout):
    ch = Chan()
    for receive in (ch.recv, ch.recv_ok):
        with pytest.raises(TimeoutError):
            receive(timeout)
        with pytest.raises(TimeoutError):
            receive(timeout=timeout)
    with pytest.raises(WouldBlock):
        ch.send_nowait("nobody waits any more")
    g = go(ch.send, "later")
    assert ch.recv(LONG) == "later"
    assert g.join(LONG)


@pytest.mark.parametrize("timeout", [*NO_TIME, 0.01])
@pytest.mark.parametrize("cap", [0, 1])
def test_send_times_out_and_sends_nothing(procs, cap, timeout):
    ch = Chan(cap)
    for v in range(cap):
        ch.send(v)
    with pytest.raises(TimeoutError):
        ch.send("lost", timeout=timeout)
    assert len(ch) == cap
    assert [ch.recv_nowait() for _ in range(cap)] == list(range(cap))
    with pytest.raises(WouldBlock):
        ch.recv_nowait()


@pytest.mark.parametrize("timeout", NO_TIME)
def test_without_time_what_is_ready_still_happens(procs, timeout):
    ch = Chan(1)
    ch.send(1, timeout=timeout)
    assert ch.recv(timeout) == 1
    ch.send(2, timeout=timeout)
    assert ch.recv_ok(timeout) == (2, True)
    g = parked(ch.recv)
    ch.send(3, timeout=timeout)
    assert g.result(LONG) == 3
    g = parked(Chan.send, unbuffered := Chan(), 4)
    assert unbuffered.recv(timeout) == 4
    assert g.join(LONG)


@pytest.mark.parametrize("timeout", ALL_TIME)
def test_with_all_time_it_waits(procs, timeout):
    ch = Chan()
    g = parked(ch.recv, timeout)
    ch.send("value", timeout=timeout)
    assert g.result(LONG) == "value"
    g = parked(lambda: ch.send("other", timeout=timeout))
    assert ch.recv_ok(timeout) == ("other", True)
    assert g.join(LONG)


def test_nan_is_a_value_error(procs):
    ch = Chan()
    for receive in (ch.recv, ch.recv_ok):
        with pytest.raises(ValueError, match="nan"):
            receive(math.nan)
    with pytest.raises(ValueError, match="nan"):
        ch.send(1, timeout=math.nan)
    with pytest.raises(WouldBlock):
        ch.recv_nowait()


def test_nan_is_a_value_error_also_where_nobody_would_wait(procs):
    ch = Chan(2)
    ch.send(1)
    with pytest.raises(ValueError, match="nan"):
        ch.recv(math.nan)
    with pytest.raises(ValueError, match="nan"):
        ch.send(2, timeout=math.nan)
    assert len(ch) == 1


@pytest.mark.parametrize("bad", ["1", object(), [1]])
def test_a_time_out_that_is_no_number_is_a_type_error(procs, bad):
    ch = Chan()
    with pytest.raises(TypeError):
        ch.recv(bad)
    with pytest.raises(TypeError):
        ch.send(1, timeout=bad)


def test_the_time_out_of_send_is_keyword_only():
    with pytest.raises(TypeError):
        Chan(1).send(1, 2)


def test_a_time_out_is_not_early(procs):
    import time

    def body():
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            Chan().recv(timeout=0.03)
        return time.monotonic() - start

    took = [body(), *join_all(*[go(body) for _ in range(5)])]
    assert min(took) >= 0.0295


def test_a_race_of_time_out_and_value_loses_nothing(procs):
    """Whoever times out has neither sent nor taken: the sent are the taken."""
    ch = Chan()
    sent, taken = [], []

    def feed(i):
        for n in range(40):
            try:
                ch.send((i, n), timeout=0.0002)
                sent.append((i, n))
            except TimeoutError:
                gosched()

    def receive():
        for _ in range(40):
            try:
                taken.append(ch.recv(timeout=0.0002))
            except TimeoutError:
                gosched()

    join_all(*[go(feed, i) for i in range(4)], *[go(receive) for _ in range(4)])
    assert sorted(sent) == sorted(taken)
    with pytest.raises(WouldBlock):
        ch.recv_nowait()


# Close


@pytest.mark.parametrize("cap", [0, 1, 5])
def test_what_was_sent_before_the_close_is_received(procs, cap):
    ch = Chan(cap)
    for i in range(cap):
        ch.send(i)
    assert ch.close() is None
    assert ch.closed is True
    assert len(ch) == cap
    assert [ch.recv_ok() for _ in range(cap)] == [(i, True) for i in range(cap)]
    assert ch.recv_ok() == (None, False)
    assert ch.recv_ok(0) == (None, False)
    for receive in (ch.recv, ch.recv_nowait, lambda: ch.recv(0), lambda: ch.recv(-1)):
        with pytest.raises(EndOfChan):
            receive()
    assert list(ch) == []


@pytest.mark.parametrize("cap", [0, 1, 5])
def test_sending_on_a_closed_channel(procs, cap):
    ch = Chan(cap)
    ch.close()
    for send in (
        lambda: ch.send(1),
        lambda: ch.send(1, timeout=0),
        lambda: ch.send(1, timeout=LONG),
        lambda: ch.send_nowait(1),
    ):
        with pytest.raises(gmprt.ChanClosed, match="send on closed channel") as caught:
            send()
        assert not isinstance(caught.value, EndOfChan)
    assert len(ch) == 0
    assert ch.recv_ok() == (None, False)


def test_sending_on_a_closed_channel_that_is_full(procs):
    ch = Chan(1)
    ch.send(1)
    ch.close()
    with pytest.raises(gmprt.ChanClosed):
        ch.send(2, timeout=0)
    with pytest.raises(gmprt.ChanClosed):
        ch.send_nowait(2)
    assert list(ch) == [1]


def test_closing_twice(procs):
    ch = Chan()
    ch.close()
    with pytest.raises(gmprt.ChanClosed, match="close of closed channel") as caught:
        ch.close()
    assert not isinstance(caught.value, EndOfChan)


def test_of_many_who_close_one_does(procs):
    for _ in range(50):
        ch = Chan()

        def close(ch=ch):
            try:
                ch.close()
            except gmprt.ChanClosed:
                return 0
            return 1

        assert sum(join_all(*[go(close) for _ in range(4)])) == 1


@pytest.mark.parametrize("cap", [0, 2])
def test_a_close_wakes_all_receivers(procs, cap):
    ch = Chan(cap)
    oks = [parked(ch.recv_ok) for _ in range(5)]
    plain = [parked(ch.recv) for _ in range(5)]
    timed = [parked(ch.recv, LONG) for _ in range(5)]
    loops = [parked(list, ch) for _ in range(5)]
    ch.close()
    assert join_all(*oks) == [(None, False)] * 5
    assert all(isinstance(g.exception(LONG), EndOfChan) for g in plain + timed)
    assert join_all(*loops) == [[]] * 5


@pytest.mark.parametrize("cap", [0, 2])
def test_a_close_wakes_all_senders_and_their_values_are_not_sent(procs, cap):
    ch = Chan(cap)
    for i in range(cap):
        ch.send(i)
    gs = [parked(ch.send, "lost") for _ in range(5)]
    gs += [parked(lambda: ch.send("lost", timeout=LONG)) for _ in range(5)]
    ch.close()
    for g in gs:
        with pytest.raises(gmprt.ChanClosed, match="send on closed channel"):
            g.result(LONG)
    assert list(ch) == list(range(cap))


def test_a_race_of_close_and_send_loses_nothing(procs):
    """What `send` says was sent is received; what raised was not."""
    for cap in (0, 1, 3):
        for _ in range(60):
            ch, taken = Chan(cap), []

            def feed(i, ch=ch):
                done = 0
                try:
                    for n in range(5):
                        ch.send((i, n))
                        done += 1
                except gmprt.ChanClosed:
                    pass
                return [(i, n) for n in range(done)]

            def receive(ch=ch, taken=taken):
                for v in ch:
                    taken.append(v)

            receivers = [go(receive) for _ in range(2)]
            feeders = [go(feed, i) for i in range(3)]
            gosched()
            ch.close()
            sent = [v for part in join_all(*feeders) for v in part]
            join_all(*receivers)
            assert sorted(taken) == sorted(sent)


def test_closed_can_not_be_set():
    ch = Chan()
    with pytest.raises(AttributeError):
        ch.closed = True
    with pytest.raises(AttributeError):
        ch.cap = 3


# Iteration


@pytest.mark.parametrize(
    "how",
    [iter, Chan.iter, lambda ch: ch.iter(timeout=LONG)],
    ids=["for", "iter", "iter with time-out"],
)
@pytest.mark.parametrize("cap", [0, 3])
def test_a_loop_ends_when_the_channel_is_closed_and_drained(procs, cap, how):
    ch = Chan(cap)

    def feed():
        for i in range(20):
            ch.send(i)
        ch.close()

    g = go(feed)
    assert list(how(ch)) == list(range(20))
    assert g.join(LONG)
    assert list(how(ch)) == []


def test_a_loop_left_early_has_taken_what_it_gave(procs):
    ch = Chan(5)
    for i in range(5):
        ch.send(i)
    for v in ch:
        if v == 2:
            break
    assert len(ch) == 2
    assert ch.recv() == 3


def test_several_loops_share_a_channel(procs):
    ch = Chan(2)
    gs = [go(list, ch) for _ in range(4)]
    for i in range(100):
        ch.send(i)
    ch.close()
    assert sorted(v for part in join_all(*gs) for v in part) == list(range(100))


def test_iter_gives_an_iterator(procs):
    ch = Chan(3)
    it = ch.iter()
    assert iter(it) is it
    ch.send(1)
    assert next(it) == 1
    ch.send(2)
    assert next(it) == 2
    ch.close()
    with pytest.raises(StopIteration):
        next(it)


@pytest.mark.parametrize("timeout", [0, -1, 0.01])
def test_each_receive_of_iter_has_the_time_out(procs, timeout):
    ch = Chan(3)
    for i in range(3):
        ch.send(i)
    got = []

    def loop():
        for v in ch.iter(timeout):
            got.append(v)  # noqa: PERF402

    with pytest.raises(TimeoutError):
        loop()
    assert got == [0, 1, 2]
    ch.close()
    assert list(ch.iter(timeout)) == []


def test_iter_of_nan_is_a_value_error(procs):
    with pytest.raises(ValueError, match="nan"):
        next(Chan().iter(math.nan))


def test_an_exception_in_the_loop_leaves_the_channel_as_it_is(procs):
    ch = Chan(3)
    for i in range(3):
        ch.send(i)

    def loop():
        for v in ch:
            if v == 1:
                raise Boom

    with pytest.raises(Boom):
        loop()
    assert ch.recv() == 2


def test_a_generator_expression_may_feed_from_a_channel(procs):
    ch = Chan()

    def feed():
        for i in range(10):
            ch.send(i)
        ch.close()

    g = go(feed)
    assert sum(v * v for v in ch) == 285
    assert g.join(LONG)


# Receive-only channels


def test_a_channel_of_the_runtimes_is_receive_only(procs):
    gate = Chan()
    g = parked(gate.recv)
    ended = g.ended
    for change in (
        lambda: ended.send(1),
        lambda: ended.send(1, timeout=0),
        lambda: ended.send_nowait(1),
        lambda: ended.close(),
        lambda: gmprt.select(gmprt.on_send(ended, 1)),
        lambda: gmprt.select(gmprt.on_send(ended, 1), default=True),
    ):
        with pytest.raises(RuntimeError):
            change()
        assert ended.closed is False
        assert len(ended) == 0
    with pytest.raises(WouldBlock):
        ended.recv_nowait()
    gate.send(None)
    assert ended.recv_ok(LONG) == (None, False)
    assert g.join(LONG)
    for change in (lambda: ended.send(1), lambda: ended.close(), lambda: ended.send_nowait(1)):
        with pytest.raises(RuntimeError):
            change()
    assert ended.recv_ok() == (None, False)


def test_a_refused_send_case_sends_nothing_elsewhere(procs):
    ch = Chan(1)
    g = parked(Chan().recv)
    with pytest.raises(RuntimeError):
        gmprt.select(gmprt.on_send(ch, 1), gmprt.on_send(g.ended, 1))
    assert len(ch) == 0
    reap(g)


# From sorting, callbacks and other C frames


def test_a_wait_inside_a_c_function(procs):
    """A switch with C frames on the stack: `sorted` calls Python, which waits."""
    ch = Chan()

    def feed():
        for i in range(20):
            ch.send(i)

    g = go(feed)
    assert sorted(range(20), key=lambda _: ch.recv()) == list(range(20))
    assert g.join(LONG)

    def sorts(i):
        return sorted(range(10), key=lambda v: (gosched(), -v)[1])

    assert join_all(*[go(sorts, i) for i in range(5)]) == [list(range(9, -1, -1))] * 5


def test_a_wait_inside_a_generator(procs):
    ch = Chan()

    def squares():
        while True:
            v, ok = ch.recv_ok()
            if not ok:
                return
            yield v * v

    def feed():
        for i in range(5):
            ch.send(i)
        ch.close()

    g = go(feed)
    assert go(lambda: list(squares())).result(LONG) == [0, 1, 4, 9, 16]
    assert g.join(LONG)
