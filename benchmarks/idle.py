"""A program that has worked and now waits n tenths of a second: CPU time, in % of the time waited.

It has run goroutines and blocking calls, so the runtime has started all that it starts; one
goroutine waits for a channel, main for a timer. It waits twice as long and only the second half
counts: ending the threads that nobody needs any more is not idling. The wake-up at the end is in
the number. The peers' blocking calls go through the pool that they have for this.

Does not show: a program with timers or connections that do something now and then.
"""

import time
from time import perf_counter, process_time

from benchmarks.harness import Scenario, in_go

TENTH = 0.1
CALLS = 20
NAP = 0.01


def gmprt_idle(n: int) -> float:
    import gmprt

    gate = gmprt.Chan[None]()

    def main() -> float:
        waiter = gmprt.go(gate.recv_ok)
        for g in [gmprt.go(gmprt.syscall, time.sleep, NAP) for _ in range(CALLS)]:
            g.join()
        gmprt.sleep(n * TENTH)
        cpu, start = process_time(), perf_counter()
        gmprt.sleep(n * TENTH)
        share = 100 * (process_time() - cpu) / (perf_counter() - start)
        gate.close()
        waiter.join()
        return share

    return gmprt.run(main)


async def asyncio_idle(n: int) -> float:
    import asyncio

    await asyncio.gather(*(asyncio.to_thread(time.sleep, NAP) for _ in range(CALLS)))
    await asyncio.sleep(n * TENTH)
    cpu, start = process_time(), perf_counter()
    await asyncio.sleep(n * TENTH)
    return 100 * (process_time() - cpu) / (perf_counter() - start)


def gevent_idle(n: int) -> float:
    import gevent

    pool = gevent.get_hub().threadpool
    gevent.wait([pool.spawn(time.sleep, NAP) for _ in range(CALLS)])
    gevent.sleep(n * TENTH)
    cpu, start = process_time(), perf_counter()
    gevent.sleep(n * TENTH)
    return 100 * (process_time() - cpu) / (perf_counter() - start)


async def trio_idle(n: int) -> float:
    import trio

    async with trio.open_nursery() as nursery:
        for _ in range(CALLS):
            nursery.start_soon(trio.to_thread.run_sync, time.sleep, NAP)
    await trio.sleep(n * TENTH)
    cpu, start = process_time(), perf_counter()
    await trio.sleep(n * TENTH)
    return 100 * (process_time() - cpu) / (perf_counter() - start)


async def curio_idle(n: int) -> float:
    import curio

    for task in [await curio.spawn(curio.run_in_thread, time.sleep, NAP) for _ in range(CALLS)]:
        await task.join()
    await curio.sleep(n * TENTH)
    cpu, start = process_time(), perf_counter()
    await curio.sleep(n * TENTH)
    return 100 * (process_time() - cpu) / (perf_counter() - start)


def threads_idle(n: int) -> float:
    from threading import Thread

    threads = [Thread(target=time.sleep, args=(NAP,)) for _ in range(CALLS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(n * TENTH)
    cpu, start = process_time(), perf_counter()
    time.sleep(n * TENTH)
    return 100 * (process_time() - cpu) / (perf_counter() - start)


def pool_idle(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor() as pool:
        wait([pool.submit(time.sleep, NAP) for _ in range(CALLS)])
        time.sleep(n * TENTH)
        cpu, start = process_time(), perf_counter()
        time.sleep(n * TENTH)
        return 100 * (process_time() - cpu) / (perf_counter() - start)


def pyroutine_idle(n: int) -> float:
    import pyroutine

    def main() -> float:
        calls = [pyroutine.spawn(pyroutine.run_blocking, time.sleep, NAP) for _ in range(CALLS)]
        for task in calls:
            task.join()
        pyroutine.sleep(n * TENTH)
        cpu, start = process_time(), perf_counter()
        pyroutine.sleep(n * TENTH)
        return 100 * (process_time() - cpu) / (perf_counter() - start)

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="CPU time of an idle process",
    contenders={
        "gmprt": gmprt_idle,
        "asyncio": asyncio_idle,
        "uvloop": asyncio_idle,
        "gevent": gevent_idle,
        "trio": trio_idle,
        "curio": curio_idle,
        "threads": threads_idle,
        "pool": pool_idle,
        "pyroutine": pyroutine_idle,
        "go": in_go,
    },
    n=30,
    unit="%",
    limit=0.1,
    rounds=3,
)
