"""Go's test/chan/select3.go in Python: what always blocks, what never does, what raises."""

import pytest

import gmprt
from gmprt import Chan, ChanClosed, go, gosched, on_recv, on_send, select
from tests.conformance.parking import LONG, parked, reap


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


def full_send():
    with_value(7).send(8)


ALWAYS_BLOCKS = {
    "send to nil": lambda: select(on_send(None, 7)),
    "receive from nil": lambda: select(on_recv(None)),
    "both of nil": lambda: select(on_recv(None), on_send(None, 7)),
    "send to a channel not ready": lambda: Chan().send(7),
    "send to a full channel": full_send,
    "receive from a channel not ready": lambda: Chan().recv(),
    "receive from an empty buffer": lambda: Chan(1).recv(),
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
    "loop over closed": lambda: list(closed_chan()) == [],
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
