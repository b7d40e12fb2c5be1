"""n goroutines (100,000) wait for one channel, all at once: bytes of resident memory for each.

What is awaited: that all of them wait, and after the look at the memory, that all are gone. The
peers wait for an event, the lightest thing they have; pyroutine has none, and they join one task
that waits. curio makes fewer: it looks through all that are ready whenever one gets ready.

Does not show: what a deeper stack or the values on it cost, nor what making them costs in time
(see `parked_time`).
"""

import gc
from collections.abc import Callable

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

# Before the first one is made; when all wait; when all are gone.
Looks = tuple[float, float, float]

WITHOUT = dict.fromkeys(
    ("threads", "pool"),
    "a hundred thousand threads are more than a machine lets a process have",
)


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    import psutil

    gc.collect()
    return int(psutil.Process().memory_info().rss)


def growth(looks: Looks, n: int) -> float:
    """Return by how much each made it more, while all waited."""
    before, parked, _gone = looks
    return (parked - before) / n


def gmprt_park(n: int, look: Callable[[], float]) -> Looks:
    """Make n that wait and let them go; look before, when all wait, and when all are gone."""
    import gmprt
    from gmprt.sync import WaitGroup

    gate = gmprt.Chan[None]()
    here, gone = WaitGroup(), WaitGroup()

    def wait() -> None:
        here.done()
        gate.recv_ok()
        gone.done()

    def main() -> Looks:
        gmprt.go(gmprt.gosched).join()
        here.add(n)
        gone.add(n)
        before = look()
        for _ in range(n):
            gmprt.go(wait)
        here.wait()
        parked = look()
        gate.close()
        gone.wait()
        return before, parked, look()

    return gmprt.run(main)


async def asyncio_park(n: int, look: Callable[[], float]) -> Looks:
    import asyncio

    gate = asyncio.Event()
    before = look()
    tasks = [asyncio.create_task(gate.wait()) for _ in range(n)]
    await asyncio.sleep(0)
    parked = look()
    gate.set()
    await asyncio.wait(tasks)
    return before, parked, look()


def gevent_park(n: int, look: Callable[[], float]) -> Looks:
    import gevent
    from gevent.event import Event

    gate = Event()

    def wait() -> None:
        gate.wait()

    gevent.spawn(gevent.sleep, 0).join()
    before = look()
    greenlets = [gevent.spawn(wait) for _ in range(n)]
    gevent.sleep(0)
    parked = look()
    gate.set()
    gevent.joinall(greenlets)
    return before, parked, look()


async def trio_park(n: int, look: Callable[[], float]) -> Looks:
    import trio

    gate = trio.Event()
    before = look()
    async with trio.open_nursery() as nursery:
        for _ in range(n):
            nursery.start_soon(gate.wait)
        while gate.statistics().tasks_waiting < n:
            await trio.lowlevel.checkpoint()
        parked = look()
        gate.set()
    return before, parked, look()


async def curio_park(n: int, look: Callable[[], float]) -> Looks:
    import curio

    gate = curio.Event()
    await (await curio.spawn(curio.sleep, 0)).join()
    before = look()
    tasks = [await curio.spawn(gate.wait) for _ in range(n)]
    await curio.sleep(0)
    parked = look()
    await gate.set()
    for task in tasks:
        await task.join()
    return before, parked, look()


def pyroutine_park(n: int, look: Callable[[], float]) -> Looks:
    import pyroutine

    opened, here = pyroutine.Queue(), pyroutine.Queue()

    def main() -> Looks:
        gate = pyroutine.spawn(opened.get)

        def wait() -> None:
            here.put(None)
            gate.join()

        pyroutine.spawn(pyroutine.yield_).join()
        before = look()
        tasks = [pyroutine.spawn(wait) for _ in range(n)]
        for _ in range(n):
            here.get()
        parked = look()
        opened.put(None)
        for task in tasks:
            task.join()
        return before, parked, look()

    return pyroutine.spawn(main).result()


def gmprt_parked(n: int) -> float:
    return growth(gmprt_park(n, resident), n)


async def asyncio_parked(n: int) -> float:
    return growth(await asyncio_park(n, resident), n)


def gevent_parked(n: int) -> float:
    return growth(gevent_park(n, resident), n)


async def trio_parked(n: int) -> float:
    return growth(await trio_park(n, resident), n)


async def curio_parked(n: int) -> float:
    return growth(await curio_park(n, resident), n)


def pyroutine_parked(n: int) -> float:
    return growth(pyroutine_park(n, resident), n)


SCENARIO = Scenario(
    title="memory of a parked goroutine, 100,000 at once",
    contenders={
        "gmprt": gmprt_parked,
        NO_GIL: gmprt_parked,
        "asyncio": asyncio_parked,
        "uvloop": asyncio_parked,
        "gevent": gevent_parked,
        "trio": trio_parked,
        "curio": curio_parked,
        "pyroutine": pyroutine_parked,
        "go": in_go,
    },
    n=100_000,
    unit="bytes",
    without=WITHOUT,
    fewer={"curio": 20},
    limit=7000,
    rounds=3,
)
