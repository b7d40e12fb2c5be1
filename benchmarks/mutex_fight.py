"""Eight fight for one mutex, each yielding while it holds it: a turn of lock, yield, unlock.

Holding it across a yield is what makes them fight: on one thread, who never gives way inside the
lock never meets anybody. What is awaited: the end of all eight. Nothing is collected. The locks of
asyncio, trio and curio go to whoever waits longest; the others can be taken again at once by who
has just unlocked.

Does not show: threads that fight without the GIL, where the lock itself has to move.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

EIGHT = 8


def turns(n: int) -> range:
    """Return each one's part of the n turns, at least one."""
    return range(max(1, n // EIGHT))


def gmprt_mutex_fight(n: int) -> float:
    import gmprt
    from gmprt.sync import Mutex

    mutex, gosched, mine = Mutex(), gmprt.gosched, turns(n)

    def fighter() -> None:
        for _ in mine:
            mutex.lock()
            gosched()
            mutex.unlock()

    def main() -> float:
        gmprt.go(gosched).join()
        start = perf_counter()
        for g in [gmprt.go(fighter) for _ in range(EIGHT)]:
            g.join()
        return (perf_counter() - start) / (EIGHT * len(mine))

    return gmprt.run(main)


async def asyncio_mutex_fight(n: int) -> float:
    import asyncio

    lock, sleep, mine = asyncio.Lock(), asyncio.sleep, turns(n)

    async def fighter() -> None:
        for _ in mine:
            await lock.acquire()
            await sleep(0)
            lock.release()

    await asyncio.create_task(sleep(0))
    start = perf_counter()
    for task in [asyncio.create_task(fighter()) for _ in range(EIGHT)]:
        await task
    return (perf_counter() - start) / (EIGHT * len(mine))


def gevent_mutex_fight(n: int) -> float:
    import gevent
    from gevent.lock import BoundedSemaphore

    lock, sleep, mine = BoundedSemaphore(), gevent.sleep, turns(n)

    def fighter() -> None:
        for _ in mine:
            lock.acquire()
            sleep(0)
            lock.release()

    gevent.spawn(sleep, 0).join()
    start = perf_counter()
    for g in [gevent.spawn(fighter) for _ in range(EIGHT)]:
        g.join()
    return (perf_counter() - start) / (EIGHT * len(mine))


async def trio_mutex_fight(n: int) -> float:
    import trio

    lock, checkpoint, mine = trio.Lock(), trio.lowlevel.checkpoint, turns(n)

    async def fighter() -> None:
        for _ in mine:
            await lock.acquire()
            await checkpoint()
            lock.release()

    start = perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(EIGHT):
            nursery.start_soon(fighter)
    return (perf_counter() - start) / (EIGHT * len(mine))


async def curio_mutex_fight(n: int) -> float:
    import curio

    lock, sleep, mine = curio.Lock(), curio.sleep, turns(n)

    async def fighter() -> None:
        for _ in mine:
            await lock.acquire()
            await sleep(0)
            await lock.release()

    await (await curio.spawn(sleep, 0)).join()
    start = perf_counter()
    for task in [await curio.spawn(fighter) for _ in range(EIGHT)]:
        await task.join()
    return (perf_counter() - start) / (EIGHT * len(mine))


def threads_mutex_fight(n: int) -> float:
    from threading import Lock, Thread
    from time import sleep

    lock, mine = Lock(), turns(n)

    def fighter() -> None:
        for _ in mine:
            lock.acquire()
            sleep(0)
            lock.release()

    start = perf_counter()
    threads = [Thread(target=fighter) for _ in range(EIGHT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (perf_counter() - start) / (EIGHT * len(mine))


SCENARIO = Scenario(
    title="eight fight for a mutex, a turn",
    contenders={
        "gmprt": gmprt_mutex_fight,
        NO_GIL: gmprt_mutex_fight,
        "asyncio": asyncio_mutex_fight,
        "uvloop": asyncio_mutex_fight,
        "gevent": gevent_mutex_fight,
        "trio": trio_mutex_fight,
        "curio": curio_mutex_fight,
        "threads": threads_mutex_fight,
        "go": in_go,
    },
    n=100_000,
    without={"pool": "has the locks of threads", "pyroutine": "has no locks"},
    fewer={"asyncio": 2, "trio": 5, "curio": 2, "threads": 20},
    bars={"asyncio": 0.50},
)
