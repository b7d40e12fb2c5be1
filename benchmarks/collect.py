"""Make n goroutines (10,000) that each return their number, and collect the results in order.

What is collected: a list of all results, in the order in which their goroutines were made. Where
nothing can be returned to who waits (trio, threads, Go), each puts its result into its own place of
a list. The pool has ten threads.

Does not show: exceptions, which every library hands on in a way of its own, nor results that are
taken in the order in which they arrive.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

THREADS = 10  # of the pool


def number(i: int) -> int:
    return i


async def number_async(i: int) -> int:
    return i


def gmprt_collect(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(number, 0).result()
        start = perf_counter()
        results = [g.result() for g in [gmprt.go(number, i) for i in range(n)]]
        took = perf_counter() - start
        assert results == list(range(n))
        return took

    return gmprt.run(main)


async def asyncio_collect(n: int) -> float:
    import asyncio

    await asyncio.create_task(number_async(0))
    start = perf_counter()
    results = await asyncio.gather(*[asyncio.create_task(number_async(i)) for i in range(n)])
    took = perf_counter() - start
    assert results == list(range(n))
    return took


def gevent_collect(n: int) -> float:
    import gevent

    gevent.spawn(number, 0).get()
    start = perf_counter()
    results = [g.get() for g in [gevent.spawn(number, i) for i in range(n)]]
    took = perf_counter() - start
    assert results == list(range(n))
    return took


async def trio_collect(n: int) -> float:
    import trio

    results = [-1] * n

    async def put(i: int) -> None:
        results[i] = number(i)

    start = perf_counter()
    async with trio.open_nursery() as nursery:
        for i in range(n):
            nursery.start_soon(put, i)
    took = perf_counter() - start
    assert results == list(range(n))
    return took


async def curio_collect(n: int) -> float:
    import curio

    await (await curio.spawn(number_async, 0)).join()
    start = perf_counter()
    tasks = [await curio.spawn(number_async, i) for i in range(n)]
    results = [await task.join() for task in tasks]
    took = perf_counter() - start
    assert results == list(range(n))
    return took


def threads_collect(n: int) -> float:
    from threading import Thread

    results = [-1] * n

    def put(i: int) -> None:
        results[i] = number(i)

    start = perf_counter()
    threads = [Thread(target=put, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = perf_counter() - start
    assert results == list(range(n))
    return took


def pool_collect(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(THREADS) as pool:
        pool.submit(number, 0).result()
        start = perf_counter()
        results = list(pool.map(number, range(n)))
        took = perf_counter() - start
    assert results == list(range(n))
    return took


def pyroutine_collect(n: int) -> float:
    import pyroutine

    def main() -> float:
        pyroutine.spawn(number, 0).result()
        start = perf_counter()
        results = pyroutine.gather(*[pyroutine.spawn(number, i) for i in range(n)])
        took = perf_counter() - start
        assert results == list(range(n))
        return took

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="10,000 results in order, all of them",
    contenders={
        "gmprt": gmprt_collect,
        NO_GIL: gmprt_collect,
        "asyncio": asyncio_collect,
        "uvloop": asyncio_collect,
        "gevent": gevent_collect,
        "trio": trio_collect,
        "curio": curio_collect,
        "threads": threads_collect,
        "pool": pool_collect,
        "pyroutine": pyroutine_collect,
        "go": in_go,
    },
    n=10_000,
    unit="ms",
)
