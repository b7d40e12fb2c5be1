"""Lock and unlock a mutex that nobody else wants: what guarding two lines of code costs.

Does not show: a mutex that is wanted (`mutex_fight`), nor one that has just been held on another
core, whose cache line has to come over.
"""

from time import perf_counter

from benchmarks.harness import Scenario


def gmprt_mutex(n: int) -> float:
    import gmprt
    from gmprt.sync import Mutex

    mutex = Mutex()

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for _ in range(n):
            mutex.lock()
            mutex.unlock()
        return (perf_counter() - start) / n

    return gmprt.run(main)


def asyncio_mutex(n: int) -> float:
    import asyncio

    async def main() -> float:
        lock = asyncio.Lock()
        await asyncio.create_task(asyncio.sleep(0))
        start = perf_counter()
        for _ in range(n):
            await lock.acquire()
            lock.release()
        return (perf_counter() - start) / n

    return asyncio.run(main())


def gevent_mutex(n: int) -> float:
    import gevent
    from gevent.lock import BoundedSemaphore

    lock = BoundedSemaphore()
    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    for _ in range(n):
        lock.acquire()
        lock.release()
    return (perf_counter() - start) / n


SCENARIO = Scenario(
    title="lock + unlock of a free mutex",
    contenders={"gmprt": gmprt_mutex, "asyncio": asyncio_mutex, "gevent": gevent_mutex},
    n=500_000,
    bars={"asyncio": 0.60},
)
