"""Ten that yield to each other, each from so many calls below its first function."""

from collections.abc import Awaitable, Callable
from time import perf_counter

from benchmarks.harness import Scenario, in_go
from benchmarks.yield_ten import TEN, turns


def below(depth: int, function: Callable[[], object]) -> None:
    """Call the function with so many frames between, which stay on the stack while it waits."""
    if depth:
        below(depth - 1, function)
    else:
        function()


async def below_async(depth: int, function: Callable[[], Awaitable[object]]) -> None:
    """Await it with so many coroutines between, which are all gone through to resume it."""
    if depth:
        await below_async(depth - 1, function)
    else:
        await function()


def deep(depth: int, n: int, fewer: dict[str, int]) -> Scenario:
    """Return the scenario of a yield from that depth."""

    def gmprt_deep(n: int) -> float:
        import gmprt

        gosched, mine = gmprt.gosched, turns(n)

        def yielder() -> None:
            for _ in mine:
                gosched()

        def main() -> float:
            gmprt.go(gosched).join()
            start = perf_counter()
            for g in [gmprt.go(below, depth, yielder) for _ in range(TEN)]:
                g.join()
            return (perf_counter() - start) / (TEN * len(mine))

        return gmprt.run(main)

    async def asyncio_deep(n: int) -> float:
        import asyncio

        sleep, mine = asyncio.sleep, turns(n)

        async def yielder() -> None:
            for _ in mine:
                await sleep(0)

        await asyncio.create_task(sleep(0))
        start = perf_counter()
        for task in [asyncio.create_task(below_async(depth, yielder)) for _ in range(TEN)]:
            await task
        return (perf_counter() - start) / (TEN * len(mine))

    def gevent_deep(n: int) -> float:
        import gevent

        sleep, mine = gevent.sleep, turns(n)

        def yielder() -> None:
            for _ in mine:
                sleep(0)

        gevent.spawn(sleep, 0).join()
        start = perf_counter()
        for g in [gevent.spawn(below, depth, yielder) for _ in range(TEN)]:
            g.join()
        return (perf_counter() - start) / (TEN * len(mine))

    async def trio_deep(n: int) -> float:
        import trio

        checkpoint, mine = trio.lowlevel.checkpoint, turns(n)

        async def yielder() -> None:
            for _ in mine:
                await checkpoint()

        await checkpoint()
        start = perf_counter()
        async with trio.open_nursery() as nursery:
            for _ in range(TEN):
                nursery.start_soon(below_async, depth, yielder)
        return (perf_counter() - start) / (TEN * len(mine))

    async def curio_deep(n: int) -> float:
        import curio

        sleep, mine = curio.sleep, turns(n)

        async def yielder() -> None:
            for _ in mine:
                await sleep(0)

        await (await curio.spawn(sleep, 0)).join()
        start = perf_counter()
        for task in [await curio.spawn(below_async, depth, yielder) for _ in range(TEN)]:
            await task.join()
        return (perf_counter() - start) / (TEN * len(mine))

    def pyroutine_deep(n: int) -> float:
        import pyroutine

        yield_, mine = pyroutine.yield_, turns(n)

        def yielder() -> None:
            for _ in mine:
                yield_()

        def main() -> float:
            pyroutine.spawn(yield_).join()
            start = perf_counter()
            for task in [pyroutine.spawn(below, depth, yielder) for _ in range(TEN)]:
                task.join()
            return (perf_counter() - start) / (TEN * len(mine))

        return pyroutine.spawn(main).result()

    return Scenario(
        title=f"yield from {depth} calls deep" if depth else "yield, not deep",
        contenders={
            "gmprt": gmprt_deep,
            "asyncio": asyncio_deep,
            "uvloop": asyncio_deep,
            "gevent": gevent_deep,
            "trio": trio_deep,
            "curio": curio_deep,
            "pyroutine": pyroutine_deep,
            "go": in_go,
        },
        n=n,
        fewer=fewer,
        without=dict.fromkeys(("threads", "pool"), "a thread cannot yield to a certain other"),
    )
