"""One goroutine sends, another receives, through a buffer of 100: what an item costs, both sides.

What is awaited: the end of both. Nothing is collected. gevent's queue is compiled, with no lock.
trio yields at each send and each receive, also where it need not wait.

Does not show: several senders or receivers on one channel, sides of unequal speed (where one
always waits), nor a send from one thread to another, but for threads and pyroutine, whose two sides
live on two.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

SIZE = 100


def gmprt_buffered(n: int) -> float:
    import gmprt

    ch = gmprt.Chan[int](SIZE)

    def produce() -> None:
        for i in range(n):
            ch.send(i)

    def consume() -> None:
        for _ in range(n):
            ch.recv()

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for g in [gmprt.go(produce), gmprt.go(consume)]:
            g.join()
        return (perf_counter() - start) / n

    return gmprt.run(main)


async def asyncio_buffered(n: int) -> float:
    import asyncio

    queue = asyncio.Queue[int](SIZE)

    async def produce() -> None:
        for i in range(n):
            await queue.put(i)

    async def consume() -> None:
        for _ in range(n):
            await queue.get()

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    for task in [asyncio.create_task(produce()), asyncio.create_task(consume())]:
        await task
    return (perf_counter() - start) / n


def gevent_buffered(n: int) -> float:
    import gevent
    from gevent.queue import Queue

    queue = Queue(SIZE)

    def produce() -> None:
        for i in range(n):
            queue.put(i)

    def consume() -> None:
        for _ in range(n):
            queue.get()

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    for g in [gevent.spawn(produce), gevent.spawn(consume)]:
        g.join()
    return (perf_counter() - start) / n


async def trio_buffered(n: int) -> float:
    import trio

    send, receive = trio.open_memory_channel[int](SIZE)

    async def produce() -> None:
        for i in range(n):
            await send.send(i)

    async def consume() -> None:
        for _ in range(n):
            await receive.receive()

    start = perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(produce)
        nursery.start_soon(consume)
    return (perf_counter() - start) / n


async def curio_buffered(n: int) -> float:
    import curio

    queue = curio.Queue(SIZE)

    async def produce() -> None:
        for i in range(n):
            await queue.put(i)

    async def consume() -> None:
        for _ in range(n):
            await queue.get()

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    for task in [await curio.spawn(produce), await curio.spawn(consume)]:
        await task.join()
    return (perf_counter() - start) / n


def threads_buffered(n: int) -> float:
    from queue import Queue
    from threading import Thread

    queue = Queue[int](SIZE)

    def produce() -> None:
        for i in range(n):
            queue.put(i)

    def consume() -> None:
        for _ in range(n):
            queue.get()

    start = perf_counter()
    threads = [Thread(target=produce), Thread(target=consume)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (perf_counter() - start) / n


def pyroutine_buffered(n: int) -> float:
    import pyroutine

    queue = pyroutine.Queue(SIZE)

    def produce() -> None:
        for i in range(n):
            queue.put(i)

    def consume() -> None:
        for _ in range(n):
            queue.get()

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        for task in [pyroutine.spawn(produce), pyroutine.spawn(consume)]:
            task.join()
        return (perf_counter() - start) / n

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="channel of 100, per item",
    contenders={
        "gmprt": gmprt_buffered,
        NO_GIL: gmprt_buffered,
        "asyncio": asyncio_buffered,
        "uvloop": asyncio_buffered,
        "gevent": gevent_buffered,
        "trio": trio_buffered,
        "curio": curio_buffered,
        "threads": threads_buffered,
        "pyroutine": pyroutine_buffered,
        "go": in_go,
    },
    n=500_000,
    without={"pool": "its threads talk through queues, as any thread does"},
    fewer={"trio": 20, "curio": 2, "threads": 5, "pyroutine": 5},
    bars={"asyncio": 0.45, "gevent": 1.8},
    no_gil=1.8,
)
