"""Go's test/chan/sieve2.go in Python: the primes by a heap of their multiples."""

import heapq
from collections import deque

from gmprt import Chan, on_recv, on_send, select
from tests.conformance.parking import Crew

PRIMES = [n for n in range(2, 100) if all(n % d for d in range(2, n))]


def test_the_heap_of_multiples(procs):
    """The primes go back to make the composites that are taken out of the candidates."""
    crew = Crew()

    def count(out, start, step):
        while True:
            out.send(start)
            start += step

    def counting(cap, start, step):
        out = Chan(cap)
        crew.go(count, out, start, step)
        return out

    def proxy(into, out):
        """Sending to `into` never waits: all that `out` has no room for is kept here."""
        kept = deque()
        while True:
            i, v, _ = select(on_recv(into), on_send(out if kept else None, kept[0] if kept else 0))
            if i == 0:
                kept.append(v)
            else:
                kept.popleft()

    def merge(primes, composites):
        heap, least = [], 15

        def advance():
            nonlocal least
            least, _, ch = heap[0]
            heapq.heapreplace(heap, (ch.recv(), id(ch), ch))

        while True:
            p = primes.recv()
            multiples = counting(10, p * p, 2 * p)
            head = multiples.recv()
            while least < head:
                composites.send(least)
                advance()
            while least == head:
                advance()
            composites.send(head)
            heapq.heappush(heap, (multiples.recv(), id(multiples), multiples))

    def sift(composites, primes, out):
        candidates = counting(50, 5, 2)
        p = candidates.recv()
        while True:
            c = composites.recv()
            while p < c:
                primes.send(p)
                out.send(p)
                p = candidates.recv()
            if p == c:
                p = candidates.recv()

    out, composites, found, primes = Chan(10), Chan(50), Chan(10), Chan(10)
    for p in (2, 3):
        out.send(p)
    primes.send(3)
    crew.go(merge, primes, composites)
    crew.go(proxy, found, primes)
    crew.go(sift, composites, found, out)
    assert [out.recv() for _ in PRIMES] == PRIMES
    crew.dismiss()
