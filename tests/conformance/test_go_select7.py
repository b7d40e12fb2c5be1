"""Go's test/chan/select7.go in Python: a value that the receiver discards."""

import pytest

from gmprt import Chan, go, gosched, on_recv, on_send, select
from tests.conformance.parking import LONG

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
