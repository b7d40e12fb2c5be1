"""Fan-in: many producers send down one channel, and one consumer reads them all.

    squares, cubes, fourth powers, ... --> merge --> perfect_powers

The consumer ends when the channel is closed. Only who knows that the last producer is done may
close it: a goroutine of its own, which waits for all of them by a WaitGroup.

    python examples/fan_in.py 100
"""

import argparse
from collections.abc import Iterable, Iterator
from itertools import count, takewhile
from typing import TypeVar

from gmprt import Chan, RecvChan
from gmprt.errgroup import Group
from gmprt.sync import WaitGroup

T = TypeVar("T")


def merge(group: Group, sources: Iterable[Iterable[T]]) -> RecvChan[T]:
    """Start a goroutine for each source; what they give comes out of the channel returned."""
    out, producers = Chan[T](), WaitGroup()

    def produce(source: Iterable[T]) -> None:
        for item in source:
            out.send(item, ctx=group.ctx)
        producers.done()

    def close() -> None:
        producers.wait(ctx=group.ctx)
        out.close()

    for source in sources:
        producers.add(1)
        group.go(produce, source)
    group.go(close)
    return out


def powers(exponent: int, limit: int) -> Iterator[int]:
    return takewhile(limit.__ge__, (base**exponent for base in count(2)))


def perfect_powers(limit: int) -> list[int]:
    """Return the numbers up to `limit` that are a power; no goroutine outlives this call."""
    with Group() as group:
        exponents = range(2, limit.bit_length())
        found = merge(group, [powers(exponent, limit) for exponent in exponents])
        return sorted(set(found.iter(ctx=group.ctx)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="fan_in", description="Find perfect powers.")
    parser.add_argument("limit", metavar="N", nargs="?", type=int, default=100)
    print(*perfect_powers(parser.parse_args().limit))
