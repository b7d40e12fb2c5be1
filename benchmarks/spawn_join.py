"""Make a goroutine that does nothing, wait for its end, and again.

Does not show: what many at once cost (see `million`), nor what one costs that has to wait before
it ends: a function that returns at once is the runtime's best case, and asyncio's.
"""

from time import perf_counter

from benchmarks.harness import Scenario


def gmprt_spawn_join(n: int) -> float:
    import gmprt

    def nothing() -> None:
        pass

    def main() -> float:
        gmprt.go(nothing).join()
        start = perf_counter()
        for _ in range(n):
            gmprt.go(nothing).join()
        return (perf_counter() - start) / n

    return gmprt.run(main)


def asyncio_spawn_join(n: int) -> float:
    import asyncio

    async def nothing() -> None:
        pass

    async def main() -> float:
        await asyncio.create_task(nothing())
        start = perf_counter()
        for _ in range(n):
            await asyncio.create_task(nothing())
        return (perf_counter() - start) / n

    return asyncio.run(main())


def gevent_spawn_join(n: int) -> float:
    import gevent

    def nothing() -> None:
        pass

    gevent.spawn(nothing).join()
    start = perf_counter()
    for _ in range(n):
        gevent.spawn(nothing).join()
    return (perf_counter() - start) / n


SCENARIO = Scenario(
    title="go + join, one at a time",
    contenders={
        "gmprt": gmprt_spawn_join,
        "asyncio": asyncio_spawn_join,
        "gevent": gevent_spawn_join,
    },
    n=100_000,
    bars={"asyncio": 0.45, "gevent": 0.15},
)
