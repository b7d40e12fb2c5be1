"""Go's test/chan/select2.go in Python: selects take no memory that they do not give back."""

import gc
import tracemalloc

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
