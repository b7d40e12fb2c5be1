"""Four stages, joined by channels of 100, each add one and pass on: what an item costs in all.

A fifth goroutine sends the numbers, main receives them. What is awaited: the end of the numbers.
gmprt, trio and Go close each channel behind the last item; the others send None behind it.

Does not show: stages that take their time, where all wait for the slowest, nor errors on the way.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

STAGES = 4
SIZE = 100


def gmprt_pipeline(n: int) -> float:
    import gmprt

    def produce(sink: gmprt.Chan[int]) -> None:
        for i in range(n):
            sink.send(i)
        sink.close()

    def stage(source: gmprt.Chan[int], sink: gmprt.Chan[int]) -> None:
        for item in source:
            sink.send(item + 1)
        sink.close()

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        last = gmprt.Chan[int](SIZE)
        gs = [gmprt.go(produce, last)]
        for _ in range(STAGES):
            source, last = last, gmprt.Chan[int](SIZE)
            gs.append(gmprt.go(stage, source, last))
        total = sum(last)
        took = perf_counter() - start
        for g in gs:
            g.join()
        check(total, n)
        return took / n

    return gmprt.run(main)


def check(total: int, n: int) -> None:
    """Every item has come through all stages."""
    assert total == sum(range(n)) + STAGES * n


async def asyncio_pipeline(n: int) -> float:
    import asyncio

    async def produce(sink: asyncio.Queue[int | None]) -> None:
        for i in range(n):
            await sink.put(i)
        await sink.put(None)

    async def stage(source: asyncio.Queue[int | None], sink: asyncio.Queue[int | None]) -> None:
        while (item := await source.get()) is not None:
            await sink.put(item + 1)
        await sink.put(None)

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    last = asyncio.Queue[int | None](SIZE)
    tasks = [asyncio.create_task(produce(last))]
    for _ in range(STAGES):
        source, last = last, asyncio.Queue[int | None](SIZE)
        tasks.append(asyncio.create_task(stage(source, last)))
    total = 0
    while (item := await last.get()) is not None:
        total += item
    took = perf_counter() - start
    await asyncio.wait(tasks)
    check(total, n)
    return took / n


def gevent_pipeline(n: int) -> float:
    import gevent
    from gevent.queue import Queue

    def produce(sink: Queue) -> None:
        for i in range(n):
            sink.put(i)
        sink.put(None)

    def stage(source: Queue, sink: Queue) -> None:
        while (item := source.get()) is not None:
            sink.put(item + 1)
        sink.put(None)

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    last = Queue(SIZE)
    gs = [gevent.spawn(produce, last)]
    for _ in range(STAGES):
        source, last = last, Queue(SIZE)
        gs.append(gevent.spawn(stage, source, last))
    total = 0
    while (item := last.get()) is not None:
        total += item
    took = perf_counter() - start
    gevent.joinall(gs)
    check(total, n)
    return took / n


async def trio_pipeline(n: int) -> float:
    import trio

    async def produce(sink: trio.MemorySendChannel[int]) -> None:
        async with sink:
            for i in range(n):
                await sink.send(i)

    async def stage(
        source: trio.MemoryReceiveChannel[int], sink: trio.MemorySendChannel[int]
    ) -> None:
        async with sink:
            async for item in source:
                await sink.send(item + 1)

    await trio.lowlevel.checkpoint()
    async with trio.open_nursery() as nursery:
        start = perf_counter()
        sink, last = trio.open_memory_channel[int](SIZE)
        nursery.start_soon(produce, sink)
        for _ in range(STAGES):
            source = last
            sink, last = trio.open_memory_channel[int](SIZE)
            nursery.start_soon(stage, source, sink)
        total = 0
        async for item in last:
            total += item
        took = perf_counter() - start
    check(total, n)
    return took / n


async def curio_pipeline(n: int) -> float:
    import curio

    async def produce(sink: curio.Queue) -> None:
        for i in range(n):
            await sink.put(i)
        await sink.put(None)

    async def stage(source: curio.Queue, sink: curio.Queue) -> None:
        while (item := await source.get()) is not None:
            await sink.put(item + 1)
        await sink.put(None)

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    last = curio.Queue(SIZE)
    tasks = [await curio.spawn(produce, last)]
    for _ in range(STAGES):
        source, last = last, curio.Queue(SIZE)
        tasks.append(await curio.spawn(stage, source, last))
    total = 0
    while (item := await last.get()) is not None:
        total += item
    took = perf_counter() - start
    for task in tasks:
        await task.join()
    check(total, n)
    return took / n


def threads_pipeline(n: int) -> float:
    from queue import Queue
    from threading import Thread

    def produce(sink: Queue[int | None]) -> None:
        for i in range(n):
            sink.put(i)
        sink.put(None)

    def stage(source: Queue[int | None], sink: Queue[int | None]) -> None:
        while (item := source.get()) is not None:
            sink.put(item + 1)
        sink.put(None)

    start = perf_counter()
    last = Queue[int | None](SIZE)
    threads = [Thread(target=produce, args=(last,))]
    for _ in range(STAGES):
        source, last = last, Queue[int | None](SIZE)
        threads.append(Thread(target=stage, args=(source, last)))
    for thread in threads:
        thread.start()
    total = 0
    while (item := last.get()) is not None:
        total += item
    took = perf_counter() - start
    for thread in threads:
        thread.join()
    check(total, n)
    return took / n


def pyroutine_pipeline(n: int) -> float:
    import pyroutine
    from pyroutine import Queue

    def produce(sink: Queue) -> None:
        for i in range(n):
            sink.put(i)
        sink.put(None)

    def stage(source: Queue, sink: Queue) -> None:
        while (item := source.get()) is not None:
            sink.put(item + 1)
        sink.put(None)

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        last = Queue(SIZE)
        tasks = [pyroutine.spawn(produce, last)]
        for _ in range(STAGES):
            source, last = last, Queue(SIZE)
            tasks.append(pyroutine.spawn(stage, source, last))
        total = 0
        while (item := last.get()) is not None:
            total += item
        took = perf_counter() - start
        for task in tasks:
            task.join()
        check(total, n)
        return took / n

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="pipeline of four stages, an item",
    contenders={
        "gmprt": gmprt_pipeline,
        NO_GIL: gmprt_pipeline,
        "asyncio": asyncio_pipeline,
        "uvloop": asyncio_pipeline,
        "gevent": gevent_pipeline,
        "trio": trio_pipeline,
        "curio": curio_pipeline,
        "threads": threads_pipeline,
        "pyroutine": pyroutine_pipeline,
        "go": in_go,
    },
    n=100_000,
    fewer={"asyncio": 2, "uvloop": 2, "trio": 10, "threads": 2},
    without={"pool": "its threads would be the stages: that is threads"},
)
