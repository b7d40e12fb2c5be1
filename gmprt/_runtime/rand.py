"""The one source of randomness: select's order, the victims of stealing.

Seeded from `GMPRT_DEBUG=randsched=SEED` when that is set, so that a failing schedule can be asked
for again. `random.Random` methods are single C calls, safe from any thread.
"""

from collections.abc import Iterator
from math import gcd
from random import Random

__all__ = ["rand", "random_order", "seed", "shuffled"]

_rng = Random()
rand = _rng.random  # a float in [0, 1): the cheapest draw there is


def seed(value: int | None) -> None:
    """Start the sequence at `value`; None seeds from the system."""
    _rng.seed(value)


def shuffled(n: int) -> list[int]:
    """Return the numbers below n in random order."""
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j = int(rand() * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def random_order(n: int) -> Iterator[int]:
    """Yield the numbers below n once each, from a random one in random steps; two draws.

    Not every order comes up, which is enough for the victims of stealing; a full shuffle of a
    thousand Ps would cost more than what it finds, and its draws are the runtime's only shared
    generator. Go: randomOrder.
    """
    at = int(rand() * n)
    step = 1 + int(rand() * n)
    while gcd(step, n) != 1:
        step += 1
    for _ in range(n):
        yield at
        at = (at + step) % n
