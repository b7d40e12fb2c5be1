"""One goroutine sends, another receives, through a buffer of 100: what an item costs, both sides.

Does not show: several senders or receivers on one channel, sides of unequal speed (where one
always waits), nor a send from one thread to another. gevent's queue is compiled, with no lock.
"""

from time import perf_counter

from benchmarks.harness import Scenario

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


def asyncio_buffered(n: int) -> float:
    import asyncio

    async def main() -> float:
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

    return asyncio.run(main())


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


SCENARIO = Scenario(
    title="channel of 100, per item",
    contenders={
        "gmprt": gmprt_buffered,
        "asyncio": asyncio_buffered,
        "gevent": gevent_buffered,
    },
    n=500_000,
    bars={"asyncio": 0.75},
)
