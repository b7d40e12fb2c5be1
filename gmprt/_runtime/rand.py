"""The one source of randomness: select's order, the victims of stealing.

Seeded from `GMPRT_DEBUG=randsched=SEED` when that is set, so that a failing schedule can be asked
for again. `random.Random` methods are single C calls, safe from any thread.
"""

from random import Random

__all__ = ["rand", "seed", "shuffled"]

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
