"""Go's test/chan/nonblock.go in Python: operations that would block say so, and do nothing."""

import pytest

from gmprt import Chan, WouldBlock, go, on_recv, on_send, select
from tests.conformance.parking import LONG, parked

VALUES = [123, 123456 << 40, True, "hello", b"", None]


@pytest.mark.parametrize("buffer", [0, 1])
@pytest.mark.parametrize("value", VALUES)
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


@pytest.mark.parametrize("buffer", [0, 1])
@pytest.mark.parametrize("value", VALUES)
def test_a_select_with_a_default_that_would_block_does_not(procs, buffer, value):
    """As Go spells it since a receive no longer tells by a second result that it would block."""
    ch, strobe = Chan(buffer), Chan()
    assert tuple(select(on_recv(ch), default=True)) == (-1, None, False)

    def receiver():
        assert ch.recv() == value
        strobe.send(True)

    def sender():
        ch.send(value)
        strobe.send(True)

    g = parked(receiver)
    assert tuple(select(on_send(ch, value), default=True)) == (0, None, True)
    assert strobe.recv()
    assert g.join(LONG)

    g = parked(sender)
    assert tuple(select(on_recv(ch), default=True)) == (0, value, True)
    assert strobe.recv()
    assert g.join(LONG)
    assert tuple(select(on_recv(ch), default=True)) == (-1, None, False)


@pytest.mark.parametrize("buffer", [0, 1])
def test_a_send_that_nobody_takes_would_block_once_there_is_no_room(procs, buffer):
    ch = Chan(buffer)
    for _ in range(buffer):
        ch.send_nowait("kept")
    with pytest.raises(WouldBlock):
        ch.send_nowait("refused")
    assert select(on_send(ch, "refused"), default=True).index == -1
    assert len(ch) == buffer
    g = go(lambda: [ch.recv() for _ in range(buffer + 1)])
    ch.send("waited for")
    assert g.result(LONG) == ["kept"] * buffer + ["waited for"]
