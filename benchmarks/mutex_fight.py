"""Eight fight for one mutex, each yielding while it holds it: a turn of lock, yield, unlock.

Holding it across a yield is what makes them fight: on one thread, who never gives way inside the
lock never meets anybody.

Does not show: threads that fight without the GIL, where the lock itself has to move.
"""

from time import perf_counter

from benchmarks.harness import Scenario

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


def asyncio_mutex_fight(n: int) -> float:
    import asyncio

    sleep, mine = asyncio.sleep, turns(n)

    async def main() -> float:
        lock = asyncio.Lock()

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

    return asyncio.run(main())


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


SCENARIO = Scenario(
    title="eight fight for a mutex, a turn",
    contenders={
        "gmprt": gmprt_mutex_fight,
        "asyncio": asyncio_mutex_fight,
        "gevent": gevent_mutex_fight,
    },
    n=100_000,
    bars={"asyncio": 0.50},
)
