"""Make n goroutines (100,000) that wait for one channel, and let them go: the time of each.

What is awaited: that all of them wait, then that all are gone. Nothing is collected. What the peers
wait for is as in `parked`.

Does not show: which part is the making and which the waking, nor how well memory that has been used
like this can be used again.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go
from benchmarks.parked import (
    WITHOUT,
    Looks,
    asyncio_park,
    gevent_park,
    gmprt_park,
    pyroutine_park,
    trio_park,
)


def span(looks: Looks, n: int) -> float:
    """Return each one's part of the time, from the first one's making to the last one's end."""
    before, _parked, gone = looks
    return (gone - before) / n


def gmprt_parked_time(n: int) -> float:
    return span(gmprt_park(n, perf_counter), n)


async def asyncio_parked_time(n: int) -> float:
    return span(await asyncio_park(n, perf_counter), n)


def gevent_parked_time(n: int) -> float:
    return span(gevent_park(n, perf_counter), n)


async def trio_parked_time(n: int) -> float:
    return span(await trio_park(n, perf_counter), n)


def pyroutine_parked_time(n: int) -> float:
    return span(pyroutine_park(n, perf_counter), n)


SCENARIO = Scenario(
    title="100,000 goroutines wait and are let go, each",
    contenders={
        "gmprt": gmprt_parked_time,
        NO_GIL: gmprt_parked_time,
        "asyncio": asyncio_parked_time,
        "uvloop": asyncio_parked_time,
        "gevent": gevent_parked_time,
        "trio": trio_parked_time,
        "pyroutine": pyroutine_parked_time,
        "go": in_go,
    },
    n=100_000,
    without={
        **WITHOUT,
        "curio": "looks through all that are ready whenever one gets ready: minutes",
    },
    bars={"gevent": 0.6},
    no_gil=1.8,
    rounds=3,
)
