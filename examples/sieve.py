"""The concurrent prime sieve: one goroutine a prime, a chain of filters that grows at its end.

    numbers -> not by 2 -> not by 3 -> not by 5 -> ...

What comes out of the chain first is the next prime, and a new filter for it joins the chain. No
way to look for primes, but a good one to see many goroutines wait for each other.

    python examples/sieve.py 25
"""

import argparse
import sys
from collections.abc import Generator
from contextlib import closing
from itertools import count

import gmprt
from gmprt import Chan, G


def numbers(out: Chan[int]) -> None:
    """Send 2, 3, 4 and so on, for ever."""
    for number in count(2):
        out.send(number)


def sift(prime: int, source: Chan[int], out: Chan[int]) -> None:
    """Pass on what the prime does not divide."""
    for number in source:
        if number % prime:
            out.send(number)


def primes(limit: int) -> Generator[int, None, None]:
    """Yield the first `limit` primes; the chain is taken down when the generator ends.

    Its goroutines would wait for each other for ever. So they are interrupted, wherever they
    wait, and joined: none is left behind. A caller that may stop early says `closing`.
    """
    source = Chan[int]()
    chain: list[G[None]] = [gmprt.go(numbers, source)]
    try:
        for _ in range(limit):
            prime = source.recv()
            yield prime
            out = Chan[int]()
            chain.append(gmprt.go(sift, prime, source, out))
            source = out
    finally:
        for link in chain:
            link.interrupt()
        for link in chain:
            link.join()


def show(limit: int) -> None:
    """Print primes as they come."""
    with closing(primes(limit)) as found:
        for prime in found:
            print(prime, flush=True)


def main_goroutine(limit: int) -> None:
    """Wait for the sieve, or for Ctrl-C.

    Ctrl-C is raised here, in the main goroutine, wherever that is. So main makes one goroutine
    and waits. That one makes all others, and can be interrupted only where it waits: never
    between making a goroutine and remembering it.
    """
    showing = gmprt.go(show, limit)
    try:
        showing.result()
    finally:
        showing.interrupt()
        showing.join()


def natural(text: str) -> int:
    """Parse an argument that counts something: an int of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def main() -> int:
    parser = argparse.ArgumentParser(prog="sieve", description="Print the first N primes.")
    parser.add_argument("limit", metavar="N", nargs="?", type=natural, default=25)
    options = parser.parse_args()
    try:
        gmprt.run(main_goroutine, options.limit)
    except KeyboardInterrupt:
        return 130  # as a shell says of what SIGINT has ended
    return 0


if __name__ == "__main__":
    sys.exit(main())
