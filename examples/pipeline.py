"""A pipeline: stages in a row, each a goroutine, and a consumer that stops when it has enough.

    numbers --> squares --> palindromes --> take

The first stage would go on for ever, and each waits for the next one to take what it has. So
every wait is under one context. Leaving its `with` cancels it, which ends each stage wherever it
waits; leaving the group's waits for them, and raises what one of them may have failed with.

    python examples/pipeline.py 10
"""

import argparse
from collections.abc import Iterable
from itertools import count, islice
from typing import TypeVar

from gmprt import Chan, RecvChan
from gmprt.context import Context, ContextDone, with_cancel
from gmprt.errgroup import Group

T = TypeVar("T")


def stage(stages: Group, ctx: Context, items: Iterable[T]) -> RecvChan[T]:
    """Start a goroutine that works through `items`; they come out of the channel returned."""
    out = Chan[T]()

    def work() -> None:
        try:
            for item in items:
                out.send(item, ctx=ctx)
        except ContextDone:
            return  # nobody wants more, or another stage has failed
        out.close()

    stages.go(work)
    return out


def take(limit: int) -> list[int]:
    """Return the first squares that read the same backwards; no stage outlives this call."""
    with Group() as stages, with_cancel(stages.ctx) as ctx:
        numbers = stage(stages, ctx, count(1))
        squares = stage(stages, ctx, (n * n for n in numbers.iter(ctx=ctx)))
        same = stage(stages, ctx, (n for n in squares.iter(ctx=ctx) if str(n) == str(n)[::-1]))
        return list(islice(same.iter(ctx=ctx), limit))


def natural(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="pipeline", description="Find palindromic squares.")
    parser.add_argument("limit", metavar="N", nargs="?", type=natural, default=10)
    print(*take(parser.parse_args().limit), sep="\n")
