"""n goroutines (a million) run through, a thousand at a time: what each costs, waiting included.

What is awaited: the end of a thousand, before the next thousand are made. Nothing is collected. A
pool has as many threads as it makes by default. Who is slow makes fewer of them.

Does not show: a million alive at once; for what a waiting one takes see `parked`.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

WAVE = 1000


def waves(n: int) -> list[int]:
    """Split n into waves; the last one may be smaller."""
    return [min(WAVE, n - start) for start in range(0, n, WAVE)]


def nothing() -> None:
    pass


async def nothing_async() -> None:
    pass


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


async def asyncio_million(n: int) -> float:
    import asyncio

    await asyncio.create_task(nothing_async())
    start = perf_counter()
    for size in waves(n):
        await asyncio.wait([asyncio.create_task(nothing_async()) for _ in range(size)])
    return (perf_counter() - start) / n


def gevent_million(n: int) -> float:
    import gevent

    gevent.spawn(nothing).join()
    start = perf_counter()
    for size in waves(n):
        gevent.joinall([gevent.spawn(nothing) for _ in range(size)])
    return (perf_counter() - start) / n


async def trio_million(n: int) -> float:
    import trio

    start = perf_counter()
    for size in waves(n):
        async with trio.open_nursery() as nursery:
            for _ in range(size):
                nursery.start_soon(nothing_async)
    return (perf_counter() - start) / n


async def curio_million(n: int) -> float:
    import curio

    await (await curio.spawn(nothing_async)).join()
    start = perf_counter()
    for size in waves(n):
        for task in [await curio.spawn(nothing_async) for _ in range(size)]:
            await task.join()
    return (perf_counter() - start) / n


def threads_million(n: int) -> float:
    from threading import Thread

    start = perf_counter()
    for size in waves(n):
        threads = [Thread(target=nothing) for _ in range(size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return (perf_counter() - start) / n


def pool_million(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor() as pool:
        pool.submit(nothing).result()
        start = perf_counter()
        for size in waves(n):
            wait([pool.submit(nothing) for _ in range(size)])
        return (perf_counter() - start) / n


def pyroutine_million(n: int) -> float:
    import pyroutine

    def main() -> float:
        pyroutine.spawn(nothing).join()
        start = perf_counter()
        for size in waves(n):
            for task in [pyroutine.spawn(nothing) for _ in range(size)]:
                task.join()
        return (perf_counter() - start) / n

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="a million goroutines run through, each",
    contenders={
        "gmprt": gmprt_million,
        NO_GIL: gmprt_million,
        "asyncio": asyncio_million,
        "uvloop": asyncio_million,
        "gevent": gevent_million,
        "trio": trio_million,
        "curio": curio_million,
        "threads": threads_million,
        "pool": pool_million,
        "pyroutine": pyroutine_million,
        "go": in_go,
    },
    n=1_000_000,
    fewer={
        NO_GIL: 4,
        "asyncio": 5,
        "uvloop": 4,
        "gevent": 20,
        "trio": 20,
        "curio": 40,
        "threads": 100,
        "pool": 20,
        "pyroutine": 50,
    },
    rounds=1,
)
