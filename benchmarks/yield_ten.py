"""Ten goroutines yield to each other, all the time: the bare switch and the scheduler's choice.

What is awaited: the end of all ten. Nothing is collected. A thread yields by `time.sleep(0)`, which
offers the GIL to the others. gmprt and the event loops have all ten in one queue; pyroutine and Go
share them out among the CPUs, and each yields among those that it shares one with.

Does not show: a switch after real work, when caches are cold, nor with a thousand in the queue.
Ten all-Python loops that do nothing but yield are nobody's program.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

TEN = 10


def turns(n: int) -> range:
    """Return each goroutine's part of the n yields, at least one."""
    return range(max(1, n // TEN))


def gmprt_yield_ten(n: int) -> float:
    import gmprt

    gosched, mine = gmprt.gosched, turns(n)

    def yielder() -> None:
        for _ in mine:
            gosched()

    def main() -> float:
        gmprt.go(gosched).join()
        start = perf_counter()
        for g in [gmprt.go(yielder) for _ in range(TEN)]:
            g.join()
        return (perf_counter() - start) / (TEN * len(mine))

    return gmprt.run(main)


async def asyncio_yield_ten(n: int) -> float:
    import asyncio

    sleep, mine = asyncio.sleep, turns(n)

    async def yielder() -> None:
        for _ in mine:
            await sleep(0)

    await asyncio.create_task(sleep(0))
    start = perf_counter()
    for task in [asyncio.create_task(yielder()) for _ in range(TEN)]:
        await task
    return (perf_counter() - start) / (TEN * len(mine))


def gevent_yield_ten(n: int) -> float:
    import gevent

    sleep, mine = gevent.sleep, turns(n)

    def yielder() -> None:
        for _ in mine:
            sleep(0)

    gevent.spawn(sleep, 0).join()
    start = perf_counter()
    for g in [gevent.spawn(yielder) for _ in range(TEN)]:
        g.join()
    return (perf_counter() - start) / (TEN * len(mine))


async def trio_yield_ten(n: int) -> float:
    import trio

    checkpoint, mine = trio.lowlevel.checkpoint, turns(n)

    async def yielder() -> None:
        for _ in mine:
            await checkpoint()

    start = perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(TEN):
            nursery.start_soon(yielder)
    return (perf_counter() - start) / (TEN * len(mine))


async def curio_yield_ten(n: int) -> float:
    import curio

    sleep, mine = curio.sleep, turns(n)

    async def yielder() -> None:
        for _ in mine:
            await sleep(0)

    await (await curio.spawn(sleep, 0)).join()
    start = perf_counter()
    for task in [await curio.spawn(yielder) for _ in range(TEN)]:
        await task.join()
    return (perf_counter() - start) / (TEN * len(mine))


def threads_yield_ten(n: int) -> float:
    from threading import Thread
    from time import sleep

    mine = turns(n)

    def yielder() -> None:
        for _ in mine:
            sleep(0)

    start = perf_counter()
    threads = [Thread(target=yielder) for _ in range(TEN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (perf_counter() - start) / (TEN * len(mine))


def pyroutine_yield_ten(n: int) -> float:
    import pyroutine

    yield_, mine = pyroutine.yield_, turns(n)

    def yielder() -> None:
        for _ in mine:
            yield_()

    def main() -> float:
        pyroutine.spawn(yield_).join()
        start = perf_counter()
        for task in [pyroutine.spawn(yielder) for _ in range(TEN)]:
            task.join()
        return (perf_counter() - start) / (TEN * len(mine))

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="yield among ten goroutines",
    contenders={
        "gmprt": gmprt_yield_ten,
        NO_GIL: gmprt_yield_ten,
        "asyncio": asyncio_yield_ten,
        "uvloop": asyncio_yield_ten,
        "gevent": gevent_yield_ten,
        "trio": trio_yield_ten,
        "curio": curio_yield_ten,
        "threads": threads_yield_ten,
        "pyroutine": pyroutine_yield_ten,
        "go": in_go,
    },
    n=500_000,
    without={"pool": "its threads yield as any thread does"},
    fewer={"trio": 5, "curio": 2, "threads": 5},
    bars={"asyncio": 0.35, "uvloop": 0.65, "gevent": 0.30},
    no_gil=1.8,
)
