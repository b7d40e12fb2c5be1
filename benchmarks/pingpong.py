"""Two goroutines send a value there and back over a pair of unbuffered channels, a round trip.

What is awaited: the end of both. Nothing is collected. gevent's `Channel` and trio's memory channel
of 0 are a true rendezvous. The others have no unbuffered queue; a queue of one is the nearest. It
promises less: a put returns before anybody took the value.

Does not show: the hand-over to another thread. Both live where they were first run, mostly on one;
those of pyroutine on two, where there are two CPUs, as the threads do.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go


def gmprt_pingpong(n: int) -> float:
    import gmprt

    there, back = gmprt.Chan[int](), gmprt.Chan[int]()

    def pong() -> None:
        for _ in range(n):
            back.send(there.recv())

    def ping() -> None:
        for i in range(n):
            there.send(i)
            back.recv()

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for g in [gmprt.go(pong), gmprt.go(ping)]:
            g.join()
        return (perf_counter() - start) / n

    return gmprt.run(main)


async def asyncio_pingpong(n: int) -> float:
    import asyncio

    there, back = asyncio.Queue[int](1), asyncio.Queue[int](1)

    async def pong() -> None:
        for _ in range(n):
            await back.put(await there.get())

    async def ping() -> None:
        for i in range(n):
            await there.put(i)
            await back.get()

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    for task in [asyncio.create_task(pong()), asyncio.create_task(ping())]:
        await task
    return (perf_counter() - start) / n


def gevent_pingpong(n: int) -> float:
    import gevent
    from gevent.queue import Channel

    there, back = Channel(), Channel()

    def pong() -> None:
        for _ in range(n):
            back.put(there.get())

    def ping() -> None:
        for i in range(n):
            there.put(i)
            back.get()

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    for g in [gevent.spawn(pong), gevent.spawn(ping)]:
        g.join()
    return (perf_counter() - start) / n


async def trio_pingpong(n: int) -> float:
    import trio

    send_there, there = trio.open_memory_channel[int](0)
    send_back, back = trio.open_memory_channel[int](0)

    async def pong() -> None:
        for _ in range(n):
            await send_back.send(await there.receive())

    async def ping() -> None:
        for i in range(n):
            await send_there.send(i)
            await back.receive()

    start = perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pong)
        nursery.start_soon(ping)
    return (perf_counter() - start) / n


async def curio_pingpong(n: int) -> float:
    import curio

    there, back = curio.Queue(1), curio.Queue(1)

    async def pong() -> None:
        for _ in range(n):
            await back.put(await there.get())

    async def ping() -> None:
        for i in range(n):
            await there.put(i)
            await back.get()

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    for task in [await curio.spawn(pong), await curio.spawn(ping)]:
        await task.join()
    return (perf_counter() - start) / n


def threads_pingpong(n: int) -> float:
    from queue import Queue
    from threading import Thread

    there, back = Queue[int](1), Queue[int](1)

    def pong() -> None:
        for _ in range(n):
            back.put(there.get())

    def ping() -> None:
        for i in range(n):
            there.put(i)
            back.get()

    start = perf_counter()
    threads = [Thread(target=pong), Thread(target=ping)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (perf_counter() - start) / n


def pyroutine_pingpong(n: int) -> float:
    import pyroutine

    there, back = pyroutine.Queue(1), pyroutine.Queue(1)

    def pong() -> None:
        for _ in range(n):
            back.put(there.get())

    def ping() -> None:
        for i in range(n):
            there.put(i)
            back.get()

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        for task in [pyroutine.spawn(pong), pyroutine.spawn(ping)]:
            task.join()
        return (perf_counter() - start) / n

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="unbuffered ping-pong, round trip",
    contenders={
        "gmprt": gmprt_pingpong,
        NO_GIL: gmprt_pingpong,
        "asyncio": asyncio_pingpong,
        "uvloop": asyncio_pingpong,
        "gevent": gevent_pingpong,
        "trio": trio_pingpong,
        "curio": curio_pingpong,
        "threads": threads_pingpong,
        "pyroutine": pyroutine_pingpong,
        "go": in_go,
    },
    n=100_000,
    without={"pool": "its threads talk through queues, as any thread does"},
    fewer={"trio": 5, "curio": 2, "threads": 10, "pyroutine": 5},
    bars={"asyncio": 0.27, "gevent": 0.40},
    no_gil=1.8,
)
