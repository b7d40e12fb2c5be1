"""Go's test/chan/select2.go in Python: selects take no memory that they do not give back."""

import gc
import tracemalloc
from itertools import pairwise

import pytest

from gmprt import Chan, WouldBlock, go, on_recv, on_send, select
from tests.conformance.parking import join_all


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
        sizes = []
        for _ in range(6):
            both()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # What a select leaves behind is there after each round. Without the GIL the interpreter queues
    # what another thread is to free, in some rounds more and in others less.
    grown = min(after - before for before, after in pairwise(sizes))
    assert grown < 20 * n, f"{grown / n} bytes a select"
    with pytest.raises(WouldBlock):
        dummy.recv_nowait()
    with pytest.raises(WouldBlock):
        dummy.send_nowait(0)
