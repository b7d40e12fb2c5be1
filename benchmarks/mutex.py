"""Lock and unlock a mutex that nobody else wants: what guarding two lines of code costs.

Nothing is awaited, nothing is collected. trio yields at each lock, though it need not wait; the
lock of threads is compiled.

Does not show: a mutex that is wanted (`mutex_fight`), nor one that has just been held on another
core, whose cache line has to come over.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go


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


async def asyncio_mutex(n: int) -> float:
    import asyncio

    lock = asyncio.Lock()
    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    for _ in range(n):
        await lock.acquire()
        lock.release()
    return (perf_counter() - start) / n


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


async def trio_mutex(n: int) -> float:
    import trio

    lock = trio.Lock()
    start = perf_counter()
    for _ in range(n):
        await lock.acquire()
        lock.release()
    return (perf_counter() - start) / n


async def curio_mutex(n: int) -> float:
    import curio

    lock = curio.Lock()
    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    for _ in range(n):
        await lock.acquire()
        await lock.release()
    return (perf_counter() - start) / n


def threads_mutex(n: int) -> float:
    from threading import Lock

    lock = Lock()
    start = perf_counter()
    for _ in range(n):
        lock.acquire()
        lock.release()
    return (perf_counter() - start) / n


SCENARIO = Scenario(
    title="lock + unlock of a free mutex",
    contenders={
        "gmprt": gmprt_mutex,
        NO_GIL: gmprt_mutex,
        "asyncio": asyncio_mutex,
        "uvloop": asyncio_mutex,
        "gevent": gevent_mutex,
        "trio": trio_mutex,
        "curio": curio_mutex,
        "threads": threads_mutex,
        "go": in_go,
    },
    n=500_000,
    without={"pool": "has the locks of threads", "pyroutine": "has no locks"},
    fewer={"trio": 10},
    bars={"asyncio": 0.60},
)
