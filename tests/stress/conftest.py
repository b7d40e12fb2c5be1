"""What every stress test runs under: threads switched as often as the interpreter can."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator

import pytest

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
PROCS = 3
"""How many times a test is run, with different numbers of Ps: they share its seconds."""


@pytest.fixture(autouse=True)
def restless_threads(seed: int) -> Iterator[None]:
    """With the GIL: ask for it each microsecond, so that threads switch wherever they can."""
    print(f"--seed={seed}")
    if not GIL:
        yield
        return
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def seconds(stress_seconds: float) -> float:
    """Give the time of one run of a test; all runs of it together have --stress-seconds."""
    return stress_seconds / PROCS


@pytest.fixture
def long_form(stress_seconds: float) -> bool:
    """Whether amounts are asked for and not only time: from --stress-seconds=60 on."""
    return stress_seconds >= 60


@pytest.fixture
def seeds(rng: random.Random) -> Iterator[int]:
    """Give an endless supply of seeds, one for each round or worker."""

    def supply() -> Iterator[int]:
        while True:
            yield rng.getrandbits(48)

    return supply()
