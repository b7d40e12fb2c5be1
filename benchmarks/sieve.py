"""The concurrent prime sieve of go.dev, to the n-th prime (200): for all.

One goroutine sends 2, 3, 4, ... into a chain of filters, one more for each prime found; each takes
a number from the left and passes it on unless its prime divides it. What is awaited: the n-th prime
at the end of the chain. After that, which is not measured, the numbers end and the chain with them.

gmprt's and Go's channels, gevent's `Channel` and trio's memory channel of 0 are unbuffered. The
others have a queue of one instead, which promises less: a put returns before anybody took the
number, so the chain runs further ahead of who reads the primes.

Does not show: a way to find primes. Nearly all of it is handing a number to the next one.
"""

from itertools import count
from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go


def gmprt_sieve(n: int) -> float:
    import gmprt

    enough = False

    def generate(sink: gmprt.Chan[int]) -> None:
        for i in count(2):
            if enough:
                break
            sink.send(i)
        sink.close()

    def sift(source: gmprt.Chan[int], sink: gmprt.Chan[int], prime: int) -> None:
        for i in source:
            if i % prime:
                sink.send(i)
        sink.close()

    def main() -> float:
        nonlocal enough
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        last = gmprt.Chan[int]()
        gs = [gmprt.go(generate, last)]
        for _ in range(n):
            prime = last.recv()
            source, last = last, gmprt.Chan[int]()
            gs.append(gmprt.go(sift, source, last, prime))
        took = perf_counter() - start
        enough = True
        for _ in last:
            pass
        for g in gs:
            g.join()
        return took

    return gmprt.run(main)


async def asyncio_sieve(n: int) -> float:
    import asyncio

    Queue, enough = asyncio.Queue[int | None], False

    async def generate(sink: asyncio.Queue[int | None]) -> None:
        for i in count(2):
            if enough:
                break
            await sink.put(i)
        await sink.put(None)

    async def sift(
        source: asyncio.Queue[int | None], sink: asyncio.Queue[int | None], prime: int
    ) -> None:
        while (i := await source.get()) is not None:
            if i % prime:
                await sink.put(i)
        await sink.put(None)

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    last = Queue(1)
    tasks = [asyncio.create_task(generate(last))]
    for _ in range(n):
        prime = await last.get()
        assert prime is not None
        source, last = last, Queue(1)
        tasks.append(asyncio.create_task(sift(source, last, prime)))
    took = perf_counter() - start
    enough = True
    while await last.get() is not None:
        pass
    await asyncio.wait(tasks)
    return took


def gevent_sieve(n: int) -> float:
    import gevent
    from gevent.queue import Channel

    enough = False

    def generate(sink: Channel) -> None:
        for i in count(2):
            if enough:
                break
            sink.put(i)
        sink.put(None)

    def sift(source: Channel, sink: Channel, prime: int) -> None:
        while (i := source.get()) is not None:
            if i % prime:
                sink.put(i)
        sink.put(None)

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    last = Channel()
    gs = [gevent.spawn(generate, last)]
    for _ in range(n):
        prime = last.get()
        source, last = last, Channel()
        gs.append(gevent.spawn(sift, source, last, prime))
    took = perf_counter() - start
    enough = True
    while last.get() is not None:
        pass
    gevent.joinall(gs)
    return took


async def trio_sieve(n: int) -> float:
    import trio

    enough = False

    async def generate(sink: trio.MemorySendChannel[int]) -> None:
        async with sink:
            for i in count(2):
                if enough:
                    break
                await sink.send(i)

    async def sift(
        source: trio.MemoryReceiveChannel[int], sink: trio.MemorySendChannel[int], prime: int
    ) -> None:
        async with sink:
            async for i in source:
                if i % prime:
                    await sink.send(i)

    await trio.lowlevel.checkpoint()
    async with trio.open_nursery() as nursery:
        start = perf_counter()
        sink, last = trio.open_memory_channel[int](0)
        nursery.start_soon(generate, sink)
        for _ in range(n):
            prime = await last.receive()
            source = last
            sink, last = trio.open_memory_channel[int](0)
            nursery.start_soon(sift, source, sink, prime)
        took = perf_counter() - start
        enough = True
        async for _ in last:
            pass
    return took


async def curio_sieve(n: int) -> float:
    import curio

    enough = False

    async def generate(sink: curio.Queue) -> None:
        for i in count(2):
            if enough:
                break
            await sink.put(i)
        await sink.put(None)

    async def sift(source: curio.Queue, sink: curio.Queue, prime: int) -> None:
        while (i := await source.get()) is not None:
            if i % prime:
                await sink.put(i)
        await sink.put(None)

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    last = curio.Queue(1)
    tasks = [await curio.spawn(generate, last)]
    for _ in range(n):
        prime = await last.get()
        source, last = last, curio.Queue(1)
        tasks.append(await curio.spawn(sift, source, last, prime))
    took = perf_counter() - start
    enough = True
    while await last.get() is not None:
        pass
    for task in tasks:
        await task.join()
    return took


def threads_sieve(n: int) -> float:
    from queue import Queue
    from threading import Thread

    enough = False

    def generate(sink: Queue[int | None]) -> None:
        for i in count(2):
            if enough:
                break
            sink.put(i)
        sink.put(None)

    def sift(source: Queue[int | None], sink: Queue[int | None], prime: int) -> None:
        while (i := source.get()) is not None:
            if i % prime:
                sink.put(i)
        sink.put(None)

    start = perf_counter()
    last = Queue[int | None](1)
    threads = [Thread(target=generate, args=(last,))]
    threads[0].start()
    for _ in range(n):
        prime = last.get()
        source, last = last, Queue[int | None](1)
        threads.append(Thread(target=sift, args=(source, last, prime)))
        threads[-1].start()
    took = perf_counter() - start
    enough = True
    while last.get() is not None:
        pass
    for thread in threads:
        thread.join()
    return took


def pyroutine_sieve(n: int) -> float:
    import pyroutine
    from pyroutine import Queue

    enough = False

    def generate(sink: Queue) -> None:
        for i in count(2):
            if enough:
                break
            sink.put(i)
        sink.put(None)

    def sift(source: Queue, sink: Queue, prime: int) -> None:
        while (i := source.get()) is not None:
            if i % prime:
                sink.put(i)
        sink.put(None)

    def main() -> float:
        nonlocal enough
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        last = Queue(1)
        tasks = [pyroutine.spawn(generate, last)]
        for _ in range(n):
            prime = last.get()
            source, last = last, Queue(1)
            tasks.append(pyroutine.spawn(sift, source, last, prime))
        took = perf_counter() - start
        enough = True
        while last.get() is not None:
            pass
        for task in tasks:
            task.join()
        return took

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="prime sieve to the 200th prime",
    contenders={
        "gmprt": gmprt_sieve,
        NO_GIL: gmprt_sieve,
        "asyncio": asyncio_sieve,
        "uvloop": asyncio_sieve,
        "gevent": gevent_sieve,
        "trio": trio_sieve,
        "curio": curio_sieve,
        "threads": threads_sieve,
        "pyroutine": pyroutine_sieve,
        "go": in_go,
    },
    n=200,
    unit="ms",
    without={"pool": "its threads would be the filters: that is threads"},
)
