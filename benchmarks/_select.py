"""Receive from whichever of k channels has something: the contenders of the select scenarios.

The producer sends n items to them in turn, 10 to a buffer.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

SIZE = 10

WITHOUT = {
    "trio": "has no select over channels, and nothing that waits for the first of several tasks",
    "threads": "have no select over queues",
    "pyroutine": "has no select over queues, and nothing that waits for the first of several tasks",
}


def gmprt_select(n: int, k: int) -> float:
    import gmprt

    channels = [gmprt.Chan[int](SIZE) for _ in range(k)]

    def produce() -> None:
        for i in range(n):
            channels[i % k].send(i)

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        g = gmprt.go(produce)
        cases = [gmprt.on_recv(channel) for channel in channels]
        for _ in range(n):
            gmprt.select(*cases)
        g.join()
        return (perf_counter() - start) / n

    return gmprt.run(main)


async def asyncio_select(n: int, k: int) -> float:
    import asyncio

    queues = [asyncio.Queue[int](SIZE) for _ in range(k)]

    async def produce() -> None:
        for i in range(n):
            await queues[i % k].put(i)

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    producer = asyncio.create_task(produce())
    pending = {asyncio.create_task(queue.get()): queue for queue in queues}
    got = 0
    while True:
        done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            queue = pending.pop(task)
            task.result()
            got += 1
            pending[asyncio.create_task(queue.get())] = queue
        if got >= n:
            break
    took = perf_counter() - start
    await producer
    for task in pending:
        task.cancel()
    return took / n


def gevent_select(n: int, k: int) -> float:
    import gevent
    from gevent.queue import Queue

    queues = [Queue(SIZE) for _ in range(k)]

    def produce() -> None:
        for i in range(n):
            queues[i % k].put(i)

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    producer = gevent.spawn(produce)
    pending = {gevent.spawn(queue.get): queue for queue in queues}
    for _ in range(n):
        [g] = gevent.wait(list(pending), count=1)
        queue = pending.pop(g)
        g.get()
        pending[gevent.spawn(queue.get)] = queue
    took = perf_counter() - start
    producer.join()
    gevent.killall(list(pending))
    return took / n


async def curio_select(n: int, k: int) -> float:
    import curio

    queues = [curio.Queue(SIZE) for _ in range(k)]

    async def produce() -> None:
        for i in range(n):
            await queues[i % k].put(i)

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    producer = await curio.spawn(produce)
    async with curio.TaskGroup() as group:
        pending = {await group.spawn(queue.get): queue for queue in queues}
        for _ in range(n):
            task = await group.next_done()
            queue = pending.pop(task)
            assert task.exception is None
            pending[await group.spawn(queue.get)] = queue
        took = perf_counter() - start
        await group.cancel_remaining()
    await producer.join()
    return took / n


def pool_select(n: int, k: int) -> float:
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
    from queue import Queue

    queues = [Queue[int](SIZE) for _ in range(k)]

    def produce() -> None:
        for i in range(n):
            queues[i % k].put(i)

    with ThreadPoolExecutor(k + 1) as pool:  # a thread for each `get`, and one for the producer
        pool.submit(int).result()
        start = perf_counter()
        pool.submit(produce)
        pending = {pool.submit(queue.get): queue for queue in queues}
        got = 0
        while True:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                queue = pending.pop(future)
                future.result()
                got += 1
                pending[pool.submit(queue.get)] = queue
            if got >= n:
                break
        took = perf_counter() - start
        for queue in pending.values():
            queue.put(-1)
    return took / n


def select_many(k: int, word: str, n: int, fewer: dict[str, int]) -> Scenario:
    """Return the scenario of a select over k channels ("eight"), whose cases are made once."""

    def gmprt_select_many(n: int) -> float:
        return gmprt_select(n, k)

    async def asyncio_select_many(n: int) -> float:
        return await asyncio_select(n, k)

    def gevent_select_many(n: int) -> float:
        return gevent_select(n, k)

    async def curio_select_many(n: int) -> float:
        return await curio_select(n, k)

    def pool_select_many(n: int) -> float:
        return pool_select(n, k)

    return Scenario(
        title=f"select over {word} channels, an item",
        contenders={
            "gmprt": gmprt_select_many,
            NO_GIL: gmprt_select_many,
            "asyncio": asyncio_select_many,
            "uvloop": asyncio_select_many,
            "gevent": gevent_select_many,
            "curio": curio_select_many,
            "pool": pool_select_many,
            "go": in_go,
        },
        n=n,
        without=WITHOUT,
        fewer=fewer,
    )
