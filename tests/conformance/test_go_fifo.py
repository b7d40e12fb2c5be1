"""Go's test/chan/fifo.go in Python: channels are queues, with a buffer and without."""

from gmprt import Chan, go
from tests.conformance.parking import LONG, join_all


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
