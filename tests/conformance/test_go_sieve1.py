"""Go's test/chan/sieve1.go in Python: the primes by a chain of filters."""

from gmprt import Chan
from tests.conformance.parking import Crew

PRIMES = [n for n in range(2, 100) if all(n % d for d in range(2, n))]


def test_the_chain_of_filters(procs):
    """Each prime found adds a goroutine that drops its multiples."""
    crew = Crew()

    def generate(out):
        i = 2
        while True:
            out.send(i)
            i += 1

    def drop_multiples(into, out, prime):
        while True:
            i = into.recv()
            if i % prime:
                out.send(i)

    def sieve(primes):
        ch = Chan()
        crew.go(generate, ch)
        while True:
            prime = ch.recv()
            primes.send(prime)
            rest = Chan()
            crew.go(drop_multiples, ch, rest, prime)
            ch = rest

    primes = Chan()
    crew.go(sieve, primes)
    assert [primes.recv() for _ in PRIMES] == PRIMES
    crew.dismiss()
