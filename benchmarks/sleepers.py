"""n (10,000) sleep for a millisecond, all started at once: until the last one is back.

What is awaited: the end of each. Nothing is collected. A pool has as many threads as it makes by
default, a few more than there are CPUs, so that its sleepers take turns.

Does not show: how late each is (`timer_idle`, `timer_loaded`); most of this is making and ending
them.
"""

from time import perf_counter

from benchmarks.harness import Scenario, in_go

NAP = 0.001


def gmprt_sleepers(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for g in [gmprt.go(gmprt.sleep, NAP) for _ in range(n)]:
            g.join()
        return perf_counter() - start

    return gmprt.run(main)


async def asyncio_sleepers(n: int) -> float:
    import asyncio

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    await asyncio.gather(*[asyncio.create_task(asyncio.sleep(NAP)) for _ in range(n)])
    return perf_counter() - start


def gevent_sleepers(n: int) -> float:
    import gevent

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    gevent.joinall([gevent.spawn(gevent.sleep, NAP) for _ in range(n)])
    return perf_counter() - start


async def trio_sleepers(n: int) -> float:
    import trio

    start = perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(n):
            nursery.start_soon(trio.sleep, NAP)
    return perf_counter() - start


async def curio_sleepers(n: int) -> float:
    import curio

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    for task in [await curio.spawn(curio.sleep, NAP) for _ in range(n)]:
        await task.join()
    return perf_counter() - start


def threads_sleepers(n: int) -> float:
    from threading import Thread
    from time import sleep

    start = perf_counter()
    threads = [Thread(target=sleep, args=(NAP,)) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return perf_counter() - start


def pool_sleepers(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor, wait
    from time import sleep

    with ThreadPoolExecutor() as pool:
        pool.submit(sleep, 0).result()
        start = perf_counter()
        wait([pool.submit(sleep, NAP) for _ in range(n)])
        return perf_counter() - start


def pyroutine_sleepers(n: int) -> float:
    import pyroutine

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        for task in [pyroutine.spawn(pyroutine.sleep, NAP) for _ in range(n)]:
            task.join()
        return perf_counter() - start

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="10,000 sleep for 1 ms",
    contenders={
        "gmprt": gmprt_sleepers,
        "asyncio": asyncio_sleepers,
        "uvloop": asyncio_sleepers,
        "gevent": gevent_sleepers,
        "trio": trio_sleepers,
        "curio": curio_sleepers,
        "threads": threads_sleepers,
        "pool": pool_sleepers,
        "pyroutine": pyroutine_sleepers,
        "go": in_go,
    },
    n=10_000,
    unit="ms",
    bars={"asyncio": 1.0},
)
