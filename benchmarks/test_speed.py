"""Every scenario and contender through pytest-benchmark: `pytest benchmarks`.

Each round is a child process of its own, as in `python -m benchmarks`, and what the child measured
is what counts, not the time to start it: pytest-benchmark reads a clock that moves on by just
that. Nothing here fails for being slow. A number that is no time (bytes, % of a CPU) is in the
extra information, and the time shown is then the child's whole run.
"""

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import harness

CASES = [(name, who) for name in harness.names() for who in harness.load(name).contenders]


class ChildClock:
    """Stands still until told that a child has measured something."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


CLOCK = ChildClock()


@pytest.mark.parametrize(("name", "contender"), CASES)
@pytest.mark.benchmark(timer=CLOCK)
def test_speed(benchmark: BenchmarkFixture, name: str, contender: str) -> None:
    scenario = harness.load(name)
    benchmark.group = f"{name}: {scenario.title}"
    samples: list[float] = []

    def one_sample() -> None:
        start = time.perf_counter()
        try:
            value = harness.sample(name, contender, scenario.share(contender, scenario.n))
        except harness.Missing as fault:
            pytest.skip(str(fault))
        samples.append(value)
        timed = scenario.unit in harness.SECONDS
        CLOCK.now += value if timed else time.perf_counter() - start

    benchmark.pedantic(one_sample, rounds=scenario.rounds)
    benchmark.extra_info.update(n=scenario.n, unit=scenario.unit, samples=samples)
