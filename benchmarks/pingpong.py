"""Two goroutines send a value there and back over a pair of unbuffered channels, a round trip.

asyncio has no unbuffered queue; `Queue(1)` is the nearest. It promises less: a put returns before
anybody took the value. gevent's `Channel` is a true rendezvous.

Does not show: the hand-over to another thread. Both live where they were first run, mostly on one.
"""

from time import perf_counter

from benchmarks.harness import Scenario


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


def asyncio_pingpong(n: int) -> float:
    import asyncio

    async def main() -> float:
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

    return asyncio.run(main())


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


SCENARIO = Scenario(
    title="unbuffered ping-pong, round trip",
    contenders={
        "gmprt": gmprt_pingpong,
        "asyncio": asyncio_pingpong,
        "gevent": gevent_pingpong,
    },
    n=100_000,
    bars={"asyncio": 0.40, "gevent": 0.55},
)
