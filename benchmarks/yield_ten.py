"""Ten goroutines yield to each other, all the time: the bare switch and the scheduler's choice.

Does not show: a switch after real work, when caches are cold, nor with a thousand in the queue.
Ten all-Python loops that do nothing but yield are nobody's program.
"""

from time import perf_counter

from benchmarks.harness import Scenario

TEN = 10


def turns(n: int) -> range:
    """Return each goroutine's part of the n yields, at least one."""
    return range(max(1, n // TEN))


def gmprt_yield_ten(n: int) -> float:
    import gmprt

    gosched, mine = gmprt.gosched, turns(n)

    def yielder() -> None:
        for _ in mine:
            gosched()

    def main() -> float:
        gmprt.go(gosched).join()
        start = perf_counter()
        for g in [gmprt.go(yielder) for _ in range(TEN)]:
            g.join()
        return (perf_counter() - start) / (TEN * len(mine))

    return gmprt.run(main)


def asyncio_yield_ten(n: int) -> float:
    import asyncio

    sleep, mine = asyncio.sleep, turns(n)

    async def yielder() -> None:
        for _ in mine:
            await sleep(0)

    async def main() -> float:
        await asyncio.create_task(sleep(0))
        start = perf_counter()
        for task in [asyncio.create_task(yielder()) for _ in range(TEN)]:
            await task
        return (perf_counter() - start) / (TEN * len(mine))

    return asyncio.run(main())


def gevent_yield_ten(n: int) -> float:
    import gevent

    sleep, mine = gevent.sleep, turns(n)

    def yielder() -> None:
        for _ in mine:
            sleep(0)

    gevent.spawn(sleep, 0).join()
    start = perf_counter()
    for g in [gevent.spawn(yielder) for _ in range(TEN)]:
        g.join()
    return (perf_counter() - start) / (TEN * len(mine))


SCENARIO = Scenario(
    title="yield among ten goroutines",
    contenders={
        "gmprt": gmprt_yield_ten,
        "asyncio": asyncio_yield_ten,
        "gevent": gevent_yield_ten,
    },
    n=500_000,
    bars={"asyncio": 0.50, "gevent": 0.45},
)
