"""Make n goroutines (10,000) that do nothing, then wait for all of them: for all.

What is awaited: the end of every one, after all have been made, as far as each library says it:
asyncio by `gather` of tasks, trio and curio by leaving the nursery or the group, Go by a WaitGroup,
the others by joining them all; `gmprt WaitGroup` does as Go. Nothing is collected. The pool has ten
threads.

Does not show: that many alive at once, as one that does nothing may end before the next is made (a
thread does); for what a waiting one takes see `parked`. Nor what they return, see `collect`.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

THREADS = 10  # of the pool


def nothing() -> None:
    pass


async def nothing_async() -> None:
    pass


def gmprt_spawn_many(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(nothing).join()
        start = perf_counter()
        for g in [gmprt.go(nothing) for _ in range(n)]:
            g.join()
        return perf_counter() - start

    return gmprt.run(main)


def waitgroup_spawn_many(n: int) -> float:
    import gmprt
    from gmprt.sync import WaitGroup

    def main() -> float:
        gmprt.go(nothing).join()
        start = perf_counter()
        group = WaitGroup()
        for _ in range(n):
            group.go(nothing)
        group.wait()
        return perf_counter() - start

    return gmprt.run(main)


async def asyncio_spawn_many(n: int) -> float:
    import asyncio

    await asyncio.create_task(nothing_async())
    start = perf_counter()
    await asyncio.gather(*[asyncio.create_task(nothing_async()) for _ in range(n)])
    return perf_counter() - start


def gevent_spawn_many(n: int) -> float:
    import gevent

    gevent.spawn(nothing).join()
    start = perf_counter()
    gevent.joinall([gevent.spawn(nothing) for _ in range(n)])
    return perf_counter() - start


async def trio_spawn_many(n: int) -> float:
    import trio

    start = perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(n):
            nursery.start_soon(nothing_async)
    return perf_counter() - start


async def curio_spawn_many(n: int) -> float:
    import curio

    await (await curio.spawn(nothing_async)).join()
    start = perf_counter()
    async with curio.TaskGroup() as group:
        for _ in range(n):
            await group.spawn(nothing_async)
    return perf_counter() - start


def threads_spawn_many(n: int) -> float:
    from threading import Thread

    start = perf_counter()
    threads = [Thread(target=nothing) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return perf_counter() - start


def pool_spawn_many(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor(THREADS) as pool:
        pool.submit(nothing).result()
        start = perf_counter()
        wait([pool.submit(nothing) for _ in range(n)])
        return perf_counter() - start


def pyroutine_spawn_many(n: int) -> float:
    import pyroutine

    def main() -> float:
        pyroutine.spawn(nothing).join()
        start = perf_counter()
        for task in [pyroutine.spawn(nothing) for _ in range(n)]:
            task.join()
        return perf_counter() - start

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="10,000 that do nothing, all of them",
    contenders={
        "gmprt": gmprt_spawn_many,
        "gmprt WaitGroup": waitgroup_spawn_many,
        NO_GIL: gmprt_spawn_many,
        "asyncio": asyncio_spawn_many,
        "uvloop": asyncio_spawn_many,
        "gevent": gevent_spawn_many,
        "trio": trio_spawn_many,
        "curio": curio_spawn_many,
        "threads": threads_spawn_many,
        "pool": pool_spawn_many,
        "pyroutine": pyroutine_spawn_many,
        "go": in_go,
    },
    n=10_000,
    unit="ms",
    bars={"asyncio": 0.35},
    no_gil=1.8,
)
