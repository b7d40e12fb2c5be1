"""Receive from whichever of two channels has something, an item; a producer fills them in turn.

asyncio's nearest is `asyncio.wait(FIRST_COMPLETED)` over a `get` of each queue, where the `get`
that is still pending is kept for the next round. gevent has no select over queues.

Does not show: many channels, nor a select that also sends.
"""

from time import perf_counter

from benchmarks.harness import Scenario

SIZE = 10


def gmprt_select_two(n: int) -> float:
    import gmprt

    one, two = gmprt.Chan[int](SIZE), gmprt.Chan[int](SIZE)

    def produce() -> None:
        for i in range(n):
            (two if i % 2 else one).send(i)

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        g = gmprt.go(produce)
        for _ in range(n):
            gmprt.select(gmprt.on_recv(one), gmprt.on_recv(two))
        g.join()
        return (perf_counter() - start) / n

    return gmprt.run(main)


def asyncio_select_two(n: int) -> float:
    import asyncio

    async def main() -> float:
        one, two = asyncio.Queue[int](SIZE), asyncio.Queue[int](SIZE)

        async def produce() -> None:
            for i in range(n):
                await (two if i % 2 else one).put(i)

        await asyncio.create_task(asyncio.sleep(0))
        start = perf_counter()
        producer = asyncio.create_task(produce())
        pending = {asyncio.create_task(queue.get()): queue for queue in (one, two)}
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

    return asyncio.run(main())


SCENARIO = Scenario(
    title="select over two channels, an item",
    contenders={"gmprt": gmprt_select_two, "asyncio": asyncio_select_two},
    n=50_000,
    bars={"asyncio": 0.50},
)
