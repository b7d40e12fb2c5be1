"""Receive from whichever of 64 channels has something, an item; a producer fills them in turn.

What is awaited, and what the peers have instead of a select, is as in `select_two`. The cases are
made once, as in `select_eight`, and by Go for its `reflect.Select`.

Does not show: the program that has so many channels, and would do better with one that all send to.
"""

from benchmarks._select import (
    WITHOUT,
    asyncio_select,
    curio_select,
    gevent_select,
    gmprt_select,
    pool_select,
)
from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

MANY = 64


def gmprt_select_64(n: int) -> float:
    return gmprt_select(n, MANY)


async def asyncio_select_64(n: int) -> float:
    return await asyncio_select(n, MANY)


def gevent_select_64(n: int) -> float:
    return gevent_select(n, MANY)


async def curio_select_64(n: int) -> float:
    return await curio_select(n, MANY)


def pool_select_64(n: int) -> float:
    return pool_select(n, MANY)


SCENARIO = Scenario(
    title="select over 64 channels, an item",
    contenders={
        "gmprt": gmprt_select_64,
        NO_GIL: gmprt_select_64,
        "asyncio": asyncio_select_64,
        "uvloop": asyncio_select_64,
        "gevent": gevent_select_64,
        "curio": curio_select_64,
        "pool": pool_select_64,
        "go": in_go,
    },
    n=10_000,
    without=WITHOUT,
    fewer={"pool": 2},
)
