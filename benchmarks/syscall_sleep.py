"""n goroutines (100) each block their thread for 0.1 s, and say so: seconds until all are done.

The peers go through the pool that they have for this, at its own default size.

Does not show: calls that are quick (an announced call which returns at once must cost next to
nothing), nor what the threads cost in memory.
"""

import time
from time import perf_counter

from benchmarks.harness import Scenario

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


def threads_syscall_sleep(n: int) -> float:
    from threading import Thread

    start = perf_counter()
    threads = [Thread(target=time.sleep, args=(NAP,)) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return perf_counter() - start


def asyncio_syscall_sleep(n: int) -> float:
    import asyncio

    async def main() -> float:
        start = perf_counter()
        await asyncio.gather(*(asyncio.to_thread(time.sleep, NAP) for _ in range(n)))
        return perf_counter() - start

    return asyncio.run(main())


def gevent_syscall_sleep(n: int) -> float:
    import gevent

    pool = gevent.get_hub().threadpool
    start = perf_counter()
    gevent.wait([pool.spawn(time.sleep, NAP) for _ in range(n)])
    return perf_counter() - start


SCENARIO = Scenario(
    title="100 x syscall(time.sleep, 0.1), all of them",
    contenders={
        "gmprt": gmprt_syscall_sleep,
        "threads": threads_syscall_sleep,
        "asyncio": asyncio_syscall_sleep,
        "gevent": gevent_syscall_sleep,
    },
    n=100,
    unit="ms",
    limit=0.25,
)
