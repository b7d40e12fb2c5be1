"""Go's test/chan/select6.go in Python: a select that loses in a queue leaves the others in line."""

from gmprt import Chan, go, on_recv, select
from tests.conformance.parking import join_all, parked


def test_a_select_that_loses_leaves_the_others_in_line(procs):
    """Go's 2075: it stood last in the queue of c1, and those who came later never woke."""
    c1, c2, c3 = Chan(), Chan(), Chan()

    def selects():
        i = select(on_recv(c1), on_recv(c2)).index
        assert i == 1
        c3.send(True)
        c1.recv()

    first = parked(c1.recv)
    second = parked(selects)
    third = go(c2.send, True)
    c3.recv()
    c1.send(True)
    c1.send(True)
    join_all(first, second, third)
