"""n goroutines (a million) run through, a thousand at a time: what each costs, waiting included.

Does not show: a million alive at once; for what a waiting one takes see `parked`.
"""

from time import perf_counter

from benchmarks.harness import Scenario

WAVE = 1000


def waves(n: int) -> list[int]:
    """Split n into waves; the last one may be smaller."""
    return [min(WAVE, n - start) for start in range(0, n, WAVE)]


def gmprt_million(n: int) -> float:
    import gmprt
    from gmprt.sync import WaitGroup

    group = WaitGroup()

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for size in waves(n):
            group.add(size)
            for _ in range(size):
                gmprt.go(group.done)
            group.wait()
        return (perf_counter() - start) / n

    return gmprt.run(main)


def asyncio_million(n: int) -> float:
    import asyncio

    async def nothing() -> None:
        pass

    async def main() -> float:
        await asyncio.create_task(nothing())
        start = perf_counter()
        for size in waves(n):
            await asyncio.wait([asyncio.create_task(nothing()) for _ in range(size)])
        return (perf_counter() - start) / n

    return asyncio.run(main())


def gevent_million(n: int) -> float:
    import gevent

    def nothing() -> None:
        pass

    gevent.spawn(nothing).join()
    start = perf_counter()
    for size in waves(n):
        gevent.joinall([gevent.spawn(nothing) for _ in range(size)])
    return (perf_counter() - start) / n


SCENARIO = Scenario(
    title="a million goroutines run through, each",
    contenders={"gmprt": gmprt_million, "asyncio": asyncio_million, "gevent": gevent_million},
    n=1_000_000,
    rounds=1,
)
