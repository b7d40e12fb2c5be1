"""Go's test/chan/perm.go in Python: what a channel's direction allows.

In Go these are errors of compilation. Here they are of two kinds: a type checker's, for the
protocols `RecvChan` and `SendChan` (tests/types), and these, at run time, for the channels that are
receive-only in themselves, since the runtime hands them out. A send-only channel exists as a type
alone.
"""

import pytest

from gmprt import Chan, EndOfChan, RecvChan, SendChan, WouldBlock, go, on_recv, on_send, select
from tests.conformance.parking import LONG, parked


@pytest.fixture
def gate_and_ended(procs):
    """Give the channel that a goroutine waits for, and the receive-only one of its end."""
    gate = Chan()
    g = parked(gate.recv)
    yield gate, g.ended
    gate.close()
    assert g.join(LONG)
    g.exception()


REFUSED = {
    "send": lambda cr: cr.send(0),
    "send in no time": lambda cr: cr.send(0, timeout=0),
    "send nowait": lambda cr: cr.send_nowait(0),
    "send case": lambda cr: select(on_send(cr, 0)),
    "send case, default": lambda cr: select(on_send(cr, 0), default=True),
    "send case beside a ready one": lambda cr: select(on_send(Chan(1), 0), on_send(cr, 0)),
    "close": lambda cr: cr.close(),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_a_receive_only_channel_refuses_to_be_changed(gate_and_ended, change):
    """Before it is closed and after: the refusal is about the direction, not about the state."""
    gate, ended = gate_and_ended
    with pytest.raises(RuntimeError, match="receive-only"):
        change(ended)
    assert ended.closed is False
    with pytest.raises(WouldBlock):
        ended.recv_nowait()
    gate.send(None)
    assert ended.recv_ok(LONG) == (None, False)
    with pytest.raises(RuntimeError, match="receive-only"):
        change(ended)
    assert ended.recv_ok() == (None, False)


def test_a_receive_only_channel_can_be_received_from_in_every_way(gate_and_ended):
    gate, ended = gate_and_ended
    with pytest.raises(WouldBlock):
        ended.recv_nowait()
    assert select(on_recv(ended), default=True).index == -1
    gs = [parked(ended.recv_ok), parked(lambda: list(ended)), parked(select, on_recv(ended))]
    gate.send(None)
    assert [g.result(LONG) for g in gs] == [(None, False), [], (0, None, False)]
    with pytest.raises(EndOfChan):
        ended.recv()
    with pytest.raises(EndOfChan):
        ended.recv_nowait()


def test_a_channel_of_both_directions_allows_all(procs):
    c = Chan(1)
    c.send(0)
    assert c.recv_ok() == (0, True)
    assert tuple(select(on_send(c, 1), on_recv(c))) == (0, None, True)
    assert tuple(select(on_send(c, 2), on_recv(c))) == (1, 1, True)
    c.close()
    assert list(c) == []


def test_a_channel_of_both_directions_is_a_channel_of_each(procs):
    """Assigning it to a variable of either protocol changes nothing about it."""
    c: Chan[int] = Chan()
    cr: RecvChan[int] = c
    cs: SendChan[int] = c
    g = go(cr.recv)
    cs.send(7)
    assert g.result(LONG) == 7
    cs.close()
    assert cr.recv_ok() == (None, False)
