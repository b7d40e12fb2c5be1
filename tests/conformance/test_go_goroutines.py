"""Go's test/chan/goroutines.go in Python: a long chain of goroutines, and all of them end."""

import itertools

from gmprt import Chan, go
from tests.conformance.parking import join_all


def test_a_chain_of_a_thousand_goroutines(procs):
    n = 1000
    leftmost = right = left = Chan()
    gs = []
    for _ in range(n):
        right = Chan()

        def link(left=left, right=right):
            left.send(right.recv() + 1)

        gs.append(go(link))
        left = right
    starter = go(right.send, 0)
    assert leftmost.recv() == n
    join_all(starter, *gs)


def test_a_chain_of_ten_thousand_goroutines(procs):
    """Go's own number."""
    n = 10_000

    def link(left, right):
        left.send(right.recv() + 1)

    chans = [Chan() for _ in range(n + 1)]
    gs = [go(link, left, right) for left, right in itertools.pairwise(chans)]
    starter = go(chans[-1].send, 0)
    assert chans[0].recv() == n
    join_all(starter, *gs)
