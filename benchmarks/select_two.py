"""Receive from whichever of two channels has something, an item; a producer fills them in turn.

What is awaited: the last item, and in gmprt the producer's end. Nothing is collected. The cases are
made anew for each item, as in a select statement of Go.

asyncio's nearest is `asyncio.wait(FIRST_COMPLETED)` over a `get` of each queue, where the `get`
that is still pending is kept for the next round; it may give several items at once. A pool has
`concurrent.futures.wait`, which is the same, with a thread for each `get`. gevent's `wait(count=1)`
and curio's `TaskGroup` give one.

Does not show: many channels (`select_eight`, `select_64`), nor a select that also sends.
"""

from time import perf_counter

from benchmarks._select import (
    SIZE,
    WITHOUT,
    asyncio_select,
    curio_select,
    gevent_select,
    pool_select,
)
from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

TWO = 2


def gmprt_select_two(n: int) -> float:
    import gmprt

    one, two = gmprt.Chan[int](SIZE), gmprt.Chan[int](SIZE)

    def produce() -> None:
        for i in range(n):
            (two if i % 2 else one).send(i)

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        g = gmprt.go(produce)
        for _ in range(n):
            gmprt.select(gmprt.on_recv(one), gmprt.on_recv(two))
        g.join()
        return (perf_counter() - start) / n

    return gmprt.run(main)


async def asyncio_select_two(n: int) -> float:
    return await asyncio_select(n, TWO)


def gevent_select_two(n: int) -> float:
    return gevent_select(n, TWO)


async def curio_select_two(n: int) -> float:
    return await curio_select(n, TWO)


def pool_select_two(n: int) -> float:
    return pool_select(n, TWO)


SCENARIO = Scenario(
    title="select over two channels, an item",
    contenders={
        "gmprt": gmprt_select_two,
        NO_GIL: gmprt_select_two,
        "asyncio": asyncio_select_two,
        "uvloop": asyncio_select_two,
        "gevent": gevent_select_two,
        "curio": curio_select_two,
        "pool": pool_select_two,
        "go": in_go,
    },
    n=50_000,
    without=WITHOUT,
    fewer={"gevent": 2, "curio": 2, "pool": 10},
    bars={"asyncio": 0.50},
)
