"""Go's test/chan/select8.go in Python: selects of one, two and three cases while one insists.

There it is about `break` in a select's body, which here is ordinary code after the call.
"""

from gmprt import Chan, go, on_recv, on_send, select
from tests.conformance.parking import reap


def test_selects_of_one_two_and_three_cases_while_a_sender_insists(procs):
    ch = Chan()

    def insists():
        while True:
            ch.send(5)

    g = go(insists)
    assert select(on_recv(ch)).value == 5
    assert select(default=True).index == -1
    assert select(on_recv(ch), default=True).index in (0, -1)
    assert select(on_recv(ch), on_send(ch, 10), default=True).index in (0, -1)
    assert select(on_recv(ch), on_send(ch, 10)).index == 0
    reap(g)
