"""Make a goroutine that does nothing, wait for its end, and again.

What is awaited: the end of each one, before the next is made. Nothing is collected. The pool has
one thread, and each call waits for its result.

Does not show: what many at once cost (see `spawn_many`), nor what one costs that has to wait before
it ends: a function that returns at once is the runtime's best case, and asyncio's.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go


def nothing() -> None:
    pass


async def nothing_async() -> None:
    pass


def gmprt_spawn_join(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(nothing).join()
        start = perf_counter()
        for _ in range(n):
            gmprt.go(nothing).join()
        return (perf_counter() - start) / n

    return gmprt.run(main)


async def asyncio_spawn_join(n: int) -> float:
    import asyncio

    await asyncio.create_task(nothing_async())
    start = perf_counter()
    for _ in range(n):
        await asyncio.create_task(nothing_async())
    return (perf_counter() - start) / n


def gevent_spawn_join(n: int) -> float:
    import gevent

    gevent.spawn(nothing).join()
    start = perf_counter()
    for _ in range(n):
        gevent.spawn(nothing).join()
    return (perf_counter() - start) / n


async def trio_spawn_join(n: int) -> float:
    import trio

    start = perf_counter()
    for _ in range(n):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(nothing_async)
    return (perf_counter() - start) / n


async def curio_spawn_join(n: int) -> float:
    import curio

    await (await curio.spawn(nothing_async)).join()
    start = perf_counter()
    for _ in range(n):
        await (await curio.spawn(nothing_async)).join()
    return (perf_counter() - start) / n


def threads_spawn_join(n: int) -> float:
    from threading import Thread

    start = perf_counter()
    for _ in range(n):
        thread = Thread(target=nothing)
        thread.start()
        thread.join()
    return (perf_counter() - start) / n


def pool_spawn_join(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pool.submit(nothing).result()
        start = perf_counter()
        for _ in range(n):
            pool.submit(nothing).result()
        return (perf_counter() - start) / n


def pyroutine_spawn_join(n: int) -> float:
    import pyroutine

    def main() -> float:
        pyroutine.spawn(nothing).join()
        start = perf_counter()
        for _ in range(n):
            pyroutine.spawn(nothing).join()
        return (perf_counter() - start) / n

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="go + join, one at a time",
    contenders={
        "gmprt": gmprt_spawn_join,
        NO_GIL: gmprt_spawn_join,
        "asyncio": asyncio_spawn_join,
        "uvloop": asyncio_spawn_join,
        "gevent": gevent_spawn_join,
        "trio": trio_spawn_join,
        "curio": curio_spawn_join,
        "threads": threads_spawn_join,
        "pool": pool_spawn_join,
        "pyroutine": pyroutine_spawn_join,
        "go": in_go,
    },
    n=50_000,
    fewer={"threads": 10, "pool": 5, "trio": 2},
    bars={"asyncio": 0.30, "uvloop": 0.55, "gevent": 0.10},
    no_gil=1.8,
)
