"""A hundred producers send to one unbuffered channel, one consumer receives: what an item costs.

What is awaited: the last item. gmprt's and Go's channel, gevent's `Channel` and trio's memory
channel of 0 are a true rendezvous: who sends goes on when the consumer has the item. asyncio,
curio, threads and pyroutine have no unbuffered queue; a queue of one is the nearest and promises
less: a put returns before anybody took the item.

Does not show: a buffer, which spares the producers most of the waits (see `buffered`), nor who is
served first.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

PRODUCERS = 100


def share(n: int) -> range:
    """Return each producer's part of the n items, at least one."""
    return range(max(1, n // PRODUCERS))


def gmprt_fan_in(n: int) -> float:
    import gmprt

    ch, mine = gmprt.Chan[int](), share(n)
    items = PRODUCERS * len(mine)

    def produce() -> None:
        for i in mine:
            ch.send(i)

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        gs = [gmprt.go(produce) for _ in range(PRODUCERS)]
        for _ in range(items):
            ch.recv()
        took = perf_counter() - start
        for g in gs:
            g.join()
        return took / items

    return gmprt.run(main)


async def asyncio_fan_in(n: int) -> float:
    import asyncio

    queue, mine = asyncio.Queue[int](1), share(n)
    items = PRODUCERS * len(mine)

    async def produce() -> None:
        for i in mine:
            await queue.put(i)

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    tasks = [asyncio.create_task(produce()) for _ in range(PRODUCERS)]
    for _ in range(items):
        await queue.get()
    took = perf_counter() - start
    await asyncio.wait(tasks)
    return took / items


def gevent_fan_in(n: int) -> float:
    import gevent
    from gevent.queue import Channel

    ch, mine = Channel(), share(n)
    items = PRODUCERS * len(mine)

    def produce() -> None:
        for i in mine:
            ch.put(i)

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    gs = [gevent.spawn(produce) for _ in range(PRODUCERS)]
    for _ in range(items):
        ch.get()
    took = perf_counter() - start
    gevent.joinall(gs)
    return took / items


async def trio_fan_in(n: int) -> float:
    import trio

    mine = share(n)
    items = PRODUCERS * len(mine)
    sink, source = trio.open_memory_channel[int](0)

    async def produce() -> None:
        for i in mine:
            await sink.send(i)

    await trio.lowlevel.checkpoint()
    async with trio.open_nursery() as nursery:
        start = perf_counter()
        for _ in range(PRODUCERS):
            nursery.start_soon(produce)
        for _ in range(items):
            await source.receive()
        took = perf_counter() - start
    return took / items


async def curio_fan_in(n: int) -> float:
    import curio

    queue, mine = curio.Queue(1), share(n)
    items = PRODUCERS * len(mine)

    async def produce() -> None:
        for i in mine:
            await queue.put(i)

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    tasks = [await curio.spawn(produce) for _ in range(PRODUCERS)]
    for _ in range(items):
        await queue.get()
    took = perf_counter() - start
    for task in tasks:
        await task.join()
    return took / items


def threads_fan_in(n: int) -> float:
    from queue import Queue
    from threading import Thread

    queue, mine = Queue[int](1), share(n)
    items = PRODUCERS * len(mine)

    def produce() -> None:
        for i in mine:
            queue.put(i)

    start = perf_counter()
    threads = [Thread(target=produce) for _ in range(PRODUCERS)]
    for thread in threads:
        thread.start()
    for _ in range(items):
        queue.get()
    took = perf_counter() - start
    for thread in threads:
        thread.join()
    return took / items


def pyroutine_fan_in(n: int) -> float:
    import pyroutine

    queue, mine = pyroutine.Queue(1), share(n)
    items = PRODUCERS * len(mine)

    def produce() -> None:
        for i in mine:
            queue.put(i)

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        tasks = [pyroutine.spawn(produce) for _ in range(PRODUCERS)]
        for _ in range(items):
            queue.get()
        took = perf_counter() - start
        for task in tasks:
            task.join()
        return took / items

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="100 producers, one channel, an item",
    contenders={
        "gmprt": gmprt_fan_in,
        NO_GIL: gmprt_fan_in,
        "asyncio": asyncio_fan_in,
        "uvloop": asyncio_fan_in,
        "gevent": gevent_fan_in,
        "trio": trio_fan_in,
        "curio": curio_fan_in,
        "threads": threads_fan_in,
        "pyroutine": pyroutine_fan_in,
        "go": in_go,
    },
    n=100_000,
    fewer={"asyncio": 2, "trio": 4, "curio": 4, "threads": 10, "pyroutine": 4},
    without={"pool": "its threads would be the producers: that is threads"},
)
