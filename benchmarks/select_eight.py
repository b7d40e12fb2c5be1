"""Receive from whichever of eight channels has something, an item; a producer fills them in turn.

What is awaited, and what the peers have instead of a select, is as in `select_two`. But here the
cases are made once, as a program does that has them in a list.

Does not show: what a case that is never ready costs, nor a select that also sends.
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

EIGHT = 8


def gmprt_select_eight(n: int) -> float:
    return gmprt_select(n, EIGHT)


async def asyncio_select_eight(n: int) -> float:
    return await asyncio_select(n, EIGHT)


def gevent_select_eight(n: int) -> float:
    return gevent_select(n, EIGHT)


async def curio_select_eight(n: int) -> float:
    return await curio_select(n, EIGHT)


def pool_select_eight(n: int) -> float:
    return pool_select(n, EIGHT)


SCENARIO = Scenario(
    title="select over eight channels, an item",
    contenders={
        "gmprt": gmprt_select_eight,
        NO_GIL: gmprt_select_eight,
        "asyncio": asyncio_select_eight,
        "uvloop": asyncio_select_eight,
        "gevent": gevent_select_eight,
        "curio": curio_select_eight,
        "pool": pool_select_eight,
        "go": in_go,
    },
    n=20_000,
    without=WITHOUT,
    fewer={"pool": 5},
)
