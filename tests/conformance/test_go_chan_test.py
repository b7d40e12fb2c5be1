"""Go's runtime/chan_test.go in Python: TestChan, TestNonblockRecvRace, TestNonblockSelectRace(2),
TestSelfSelect, TestSelectStress, TestSelectFairness, TestChanSendInterface,
TestPseudoRandomSend, TestMultiConsumer, TestSelectDuplicateChannel; and of
TestShrinkStackDuringBlockedSend, TestNoShrinkStackWhileParking and TestSelectStackAdjust, which are
about stacks that move, what a Python has of it: deep stacks and collections while others wait.
"""

import gc
from collections import Counter

import pytest

from gmprt import Chan, EndOfChan, go, gosched, on_recv, on_send, select, sleep
from gmprt.sync import Mutex, WaitGroup
from tests.conformance.parking import LONG, join_all, parked, reap, until
from tests.support import wait_all_parked

CAPS = [0, 1, 2, 5, 20]


# TestChan


@pytest.mark.parametrize("cap", CAPS)
def test_a_receive_from_an_empty_channel_blocks(procs, cap):
    c = Chan(cap)
    gs = [parked(c.recv), parked(c.recv_ok)]
    assert select(on_recv(c), default=True).index == -1
    c.send(0)
    c.send(0)
    assert join_all(*gs) == [0, (0, True)]


@pytest.mark.parametrize("cap", CAPS)
def test_a_send_to_a_full_channel_blocks(procs, cap):
    c = Chan(cap)
    for i in range(cap):
        c.send(i)
    g = parked(c.send, 0)
    assert select(on_send(c, 0), default=True).index == -1
    c.recv()
    assert g.join(LONG)


@pytest.mark.parametrize("cap", CAPS)
def test_a_closed_channel_gives_what_it_has_and_then_its_end(procs, cap):
    c = Chan(cap)
    for i in range(cap):
        c.send(i)
    c.close()
    assert [c.recv() for _ in range(cap)] == list(range(cap))
    with pytest.raises(EndOfChan):
        c.recv()
    assert c.recv_ok() == (None, False)


@pytest.mark.parametrize("cap", CAPS)
def test_a_close_unblocks_a_receive(procs, cap):
    c = Chan(cap)
    g = parked(c.recv_ok)
    c.close()
    assert g.result(LONG) == (None, False)


@pytest.mark.parametrize("cap", CAPS)
def test_a_hundred_values_in_order(procs, cap):
    c = Chan(cap)

    def feed():
        for i in range(100):
            c.send(i)

    for receive in (c.recv, lambda: c.recv_ok()[0]):
        g = go(feed)
        assert [receive() for _ in range(100)] == list(range(100))
        assert g.join(LONG)


@pytest.mark.parametrize("cap", CAPS)
def test_four_senders_and_four_receivers(procs, cap):
    p, n = 4, 250
    c, done = Chan(cap), Chan()

    def feed():
        for i in range(n):
            c.send(i)

    def take():
        done.send(Counter(c.recv() for _ in range(n)))

    gs = [go(feed) for _ in range(p)] + [go(take) for _ in range(p)]
    total = Counter()
    for _ in range(p):
        total += done.recv()
    assert total == dict.fromkeys(range(n), p)
    join_all(*gs)


@pytest.mark.parametrize("cap", CAPS)
def test_len_and_cap(cap):
    c = Chan(cap)
    assert (len(c), c.cap) == (0, cap)
    for i in range(cap):
        c.send(i)
    assert (len(c), c.cap) == (cap, cap)


# TestNonblockRecvRace


def test_a_value_that_is_there_is_received_beside_a_close(procs):
    """One is there, so of the two receivers one has it and the other the end, and neither would
    block.
    """
    for _ in range(200):
        c = Chan(1)
        c.send(1)
        g = go(lambda c=c: tuple(select(on_recv(c), default=True)))
        c.close()
        mine = c.recv_ok()
        theirs = g.result(LONG)
        assert theirs[0] == 0, "the channel was ready all the time"
        assert sorted([mine[1], theirs[2]]) == [False, True]


# TestNonblockSelectRace and TestNonblockSelectRace2


@pytest.mark.parametrize("how", ["send", "close", "close unbuffered"])
def test_a_select_sees_one_moment(procs, how):
    """One of the two is ready at every moment, so a select never sees none ready."""
    done = Chan(1)
    for _ in range(300):
        c1, c2 = Chan(1), Chan(0 if how == "close unbuffered" else 1)
        c1.send(1)

        def selects(c1=c1, c2=c2):
            done.send(select(on_recv(c1), on_recv(c2), default=True).index)

        g = go(selects)
        if how == "send":
            c2.send(1)
        else:
            c2.close()
        select(on_recv(c1), default=True)
        assert done.recv() in (0, 1)
        assert g.join(LONG)


# TestSelfSelect


@pytest.mark.parametrize("cap", [0, 10])
def test_send_and_receive_on_one_channel_in_one_select(procs, cap):
    wg, c = WaitGroup(), Chan(cap)

    def body(p):
        for i in range(400):
            if p == 0 or i % 2 == 0:
                j, v, _ = select(on_send(c, p), on_recv(c))
                received = j == 1
            else:
                j, v, _ = select(on_recv(c), on_send(c, p))
                received = j == 0
            if received and cap == 0:
                assert v != p, "received from itself"

    gs = [wg.go(body, p) for p in range(2)]
    wg.wait(LONG)
    join_all(*gs)


# TestSelectStress


def test_sends_receives_and_selects_interact(procs):
    n = 120
    c = [Chan(), Chan(), Chan(2), Chan(3)]

    def send(k):
        for _ in range(n):
            c[k].send(0)

    def receive(k):
        for _ in range(n):
            c[k].recv()

    def in_selects(order, case):
        counts, mine = [0] * 4, list(c)
        for _ in range(4 * n):
            k = order[select(*[case(mine[k]) for k in order]).index]
            counts[k] += 1
            if counts[k] == n:
                mine[k] = None
        assert counts == [n] * 4

    gs = [go(fn, k) for fn in (send, receive) for k in range(4)]
    gs.append(go(in_selects, [3, 2, 0, 1], lambda ch: on_send(ch, 0)))
    gs.append(go(in_selects, [0, 1, 2, 3], on_recv))
    join_all(*gs)
    assert [len(ch) for ch in c] == [0] * 4


# TestSelectFairness


def test_two_channels_always_ready_are_received_from_alike(procs):
    trials = 1000
    c1, c2 = Chan(trials + 1), Chan(trials + 1)
    for _ in range(trials + 1):
        c1.send(1)
        c2.send(2)
    c3, c4, out, done = Chan(), Chan(), Chan(), Chan()

    def loop():
        while True:
            i, b, _ = select(on_recv(c3), on_recv(c4), on_recv(c1), on_recv(c2))
            assert i > 1
            if select(on_send(out, b), on_recv(done)).index == 1:
                return

    g = go(loop)
    counts = Counter(out.recv() for _ in range(trials))
    done.close()
    assert g.join(LONG)
    # Half of 1,000 with a standard deviation of 16: no more than 6 of them away.
    assert abs(counts[1] - trials / 2) < 100, counts


# TestChanSendInterface


def test_any_object_may_be_sent(procs):
    class Anything:
        pass

    c, m = Chan(1), Anything()
    c.send(m)
    assert select(on_send(c, m), default=True).index == -1
    assert select(on_send(c, m), on_send(c, Anything()), default=True).index == -1
    assert c.recv() is m


# TestPseudoRandomSend


@pytest.mark.parametrize("cap", [0, 100])
def test_the_choice_between_two_sends_is_random(procs, cap):
    """Without a buffer the receiver waits first, else a select that waits is taken by its first."""
    n = 100
    c, got, m = Chan(cap), [], Mutex()
    m.lock()

    def receiver():
        for _ in range(n):
            gosched()
            got.append(c.recv())
        m.unlock()

    g = go(receiver)
    for _ in range(n):
        if cap == 0:
            wait_all_parked(g)
        select(on_send(c, 1), on_send(c, 0))
    m.lock()
    assert n / 10 < sum(got) < n - n / 10
    assert g.join(LONG)


# TestMultiConsumer


def test_many_consumers(procs):
    workers, rounds = 23, 2000
    pn = [2, 3, 7, 11, 13, 17, 19, 23, 27, 31]
    q, r, wg = Chan(workers * 3), Chan(workers * 3), WaitGroup()

    def worker(w):
        for v in q:
            if pn[w % len(pn)] == v:
                gosched()
            r.send(v)

    def feeder():
        for i in range(rounds):
            q.send(pn[i % len(pn)])
        q.close()
        wg.wait()
        r.close()

    for w in range(workers):
        wg.go(worker, w)
    g = go(feeder)
    got = list(r)
    assert Counter(got) == Counter(pn[i % len(pn)] for i in range(rounds))
    assert g.join(LONG)


# TestSelectDuplicateChannel


def test_one_goroutine_twice_in_one_queue(procs):
    c, d, e = Chan(), Chan(), Chan()

    def a():
        select(on_recv(c), on_recv(c), on_recv(d))
        e.send(9)

    first = parked(a)
    second = parked(c.recv)
    d.send(7)
    assert e.recv() == 9
    c.send(8)
    assert second.result(LONG) == 8
    assert first.join(LONG)


# TestShrinkStackDuringBlockedSend, TestNoShrinkStackWhileParking, TestSelectStackAdjust


def test_a_deep_stack_between_waits(procs):
    """What is on the stack before a wait is there after it, at whatever depth."""
    c, n = Chan(), 10

    def deep(depth):
        return depth if depth == 0 else 1 + deep(depth - 1)

    def at_depth(depth, i):
        if depth:
            return at_depth(depth - 1, i) + 0
        c.send(i)
        return deep(100)

    def sender():
        return [at_depth(i * 10, i) for i in range(n)]

    g = go(sender)
    assert [c.recv() for _ in range(n)] == list(range(n))
    assert g.result(LONG) == [100] * n


def test_a_select_at_every_depth(procs):
    c = Chan()

    def at_depth(depth):
        if depth:
            return at_depth(depth - 1)
        return select(on_recv(c), on_recv(Chan())).value

    gs = [parked(at_depth, d) for d in range(0, 300, 30)]
    for i in range(len(gs)):
        c.send(i)
    assert sorted(join_all(*gs)) == list(range(len(gs)))
    g = parked(at_depth, 200)
    reap(g)


def sink(depth):
    """Use much of the stack, briefly."""
    return depth if depth == 0 else 1 + sink(depth - 1)


def test_a_collection_while_the_sender_waits(procs):
    """It waits after it has used much of its stack; the collector comes between any two values."""
    c, n = Chan(), 10

    def sender():
        for i in range(n):
            c.send([i])
            sink(100)

    g = go(sender)
    for i in range(n):
        until(lambda: g.state == "waiting", "the sender waits")
        gc.collect()
        assert c.recv() == [i]
    assert g.join(LONG)
    g.result()


def test_collections_while_a_sender_and_a_receiver_park(procs):
    n = 10

    def send(c):
        for i in range(n):
            c.send([i])
            sink(20)

    def receive(c):
        got = []
        for _ in range(n):
            sleep(0.00001)
            got.append(c.recv())
        return got

    for _ in range(30):
        c = Chan()
        gs = [go(receive, c), go(send, c)]
        gosched()
        gc.collect()
        assert join_all(*gs) == [[[i] for i in range(n)], None]


def test_what_a_waiting_select_would_assign_to_is_left_alone(procs):
    """The case that is not chosen has no say, once or twice among the cases, collected or not."""
    c, d = Chan(), Chan()

    def body(again):
        sink(100)
        mine = [42]
        cx = mine
        i, v, ok = select(
            on_recv(c), on_recv(c if again else None), on_recv(d), on_recv(d if again else None)
        )
        if i < 2:
            cx = v
        return cx is mine, mine, ok

    gs = [parked(body, False), parked(body, True)]
    gc.collect()
    d.close()
    assert join_all(*gs) == [(True, [42], False)] * 2
    assert select(on_send(c, 1), default=True).index == -1
