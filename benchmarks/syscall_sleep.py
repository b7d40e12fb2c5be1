"""n goroutines (100) each block their thread for 0.1 s, and say so: seconds until all are done.

What is awaited: the end of each call. Nothing is collected. The peers go through the pool that they
have for this, at its own default size; Go's own library says so at each system call.

Does not show: calls that are quick (an announced call which returns at once must cost next to
nothing), nor what the threads cost in memory.
"""

import time
from time import perf_counter

from benchmarks.harness import Scenario, in_go

NAP = 0.1


def gmprt_syscall_sleep(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for g in [gmprt.go(gmprt.syscall, time.sleep, NAP) for _ in range(n)]:
            g.result()
        return perf_counter() - start

    return gmprt.run(main)


async def asyncio_syscall_sleep(n: int) -> float:
    import asyncio

    start = perf_counter()
    await asyncio.gather(*(asyncio.to_thread(time.sleep, NAP) for _ in range(n)))
    return perf_counter() - start


def gevent_syscall_sleep(n: int) -> float:
    import gevent

    pool = gevent.get_hub().threadpool
    start = perf_counter()
    gevent.wait([pool.spawn(time.sleep, NAP) for _ in range(n)])
    return perf_counter() - start


async def trio_syscall_sleep(n: int) -> float:
    import trio

    start = perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(n):
            nursery.start_soon(trio.to_thread.run_sync, time.sleep, NAP)
    return perf_counter() - start


async def curio_syscall_sleep(n: int) -> float:
    import curio

    start = perf_counter()
    for task in [await curio.spawn(curio.run_in_thread, time.sleep, NAP) for _ in range(n)]:
        await task.join()
    return perf_counter() - start


def threads_syscall_sleep(n: int) -> float:
    from threading import Thread

    start = perf_counter()
    threads = [Thread(target=time.sleep, args=(NAP,)) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return perf_counter() - start


def pool_syscall_sleep(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor() as pool:
        start = perf_counter()
        wait([pool.submit(time.sleep, NAP) for _ in range(n)])
        return perf_counter() - start


def pyroutine_syscall_sleep(n: int) -> float:
    import pyroutine

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        blocked = [pyroutine.spawn(pyroutine.run_blocking, time.sleep, NAP) for _ in range(n)]
        for task in blocked:
            task.result()
        return perf_counter() - start

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="100 x syscall(time.sleep, 0.1), all of them",
    contenders={
        "gmprt": gmprt_syscall_sleep,
        "asyncio": asyncio_syscall_sleep,
        "uvloop": asyncio_syscall_sleep,
        "gevent": gevent_syscall_sleep,
        "trio": trio_syscall_sleep,
        "curio": curio_syscall_sleep,
        "threads": threads_syscall_sleep,
        "pool": pool_syscall_sleep,
        "pyroutine": pyroutine_syscall_sleep,
        "go": in_go,
    },
    n=100,
    unit="ms",
    limit=0.25,
)
