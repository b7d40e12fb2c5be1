"""Work in C that lets go of the GIL, unannounced: 16 goroutines, on two Ps and on one.

`serial` is the same calls in one thread, one after the other: what two CPUs are measured against.
gmprt on one P is no such measure: a call that is long enough loses that P to another thread, which
makes the next call meanwhile.

The others do the same: 16 that make n calls each, one after the other, in threads. asyncio, gevent,
trio, curio and pyroutine give every call to a thread (`to_thread` and the like), as many at a time
as they choose; `threads` has a thread for each of the 16, `pool` two threads for all of them. What
is prepared for the calls is not measured.
"""

import functools
from collections.abc import Callable
from time import perf_counter

from benchmarks._two_ps import on_two_and_on_one, together
from benchmarks.elsewhere import GO
from benchmarks.harness import Contender, Scenario, in_go

SIXTEEN = 16
POOL = 2  # threads


def gil_free(
    title: str, prepare: Callable[[], Callable[[], object]], n: int, without_go: str | None = None
) -> Scenario:
    """Return the scenario of calling n times, in each goroutine, what `prepare()` has returned.

    `without_go` is why Go does not do that, if it does not.
    """
    prepared = functools.cache(prepare)

    def program(n: int) -> None:
        work = prepared()

        def many() -> None:
            for _ in range(n):
                work()

        together(SIXTEEN, many)

    def gmprt(contender: Contender) -> Contender:
        def gmprt_gil_free(n: int) -> float:
            prepared()
            return contender(n)

        return gmprt_gil_free

    async def asyncio_gil_free(n: int) -> float:
        import asyncio

        work = prepare()

        async def many() -> None:
            for _ in range(n):
                await asyncio.to_thread(work)

        await asyncio.to_thread(int)
        start = perf_counter()
        for task in [asyncio.create_task(many()) for _ in range(SIXTEEN)]:
            await task
        return perf_counter() - start

    def gevent_gil_free(n: int) -> float:
        import gevent

        work, in_thread = prepare(), gevent.get_hub().threadpool.apply

        def many() -> None:
            for _ in range(n):
                in_thread(work)

        in_thread(int)
        start = perf_counter()
        for g in [gevent.spawn(many) for _ in range(SIXTEEN)]:
            g.get()
        return perf_counter() - start

    async def trio_gil_free(n: int) -> float:
        import trio

        work, in_thread = prepare(), trio.to_thread.run_sync

        async def many() -> None:
            for _ in range(n):
                await in_thread(work)

        await in_thread(int)
        start = perf_counter()
        async with trio.open_nursery() as nursery:
            for _ in range(SIXTEEN):
                nursery.start_soon(many)
        return perf_counter() - start

    async def curio_gil_free(n: int) -> float:
        import curio

        work = prepare()

        async def many() -> None:
            for _ in range(n):
                await curio.run_in_thread(work)

        await curio.run_in_thread(int)
        start = perf_counter()
        for task in [await curio.spawn(many) for _ in range(SIXTEEN)]:
            await task.join()
        return perf_counter() - start

    def threads_gil_free(n: int) -> float:
        from threading import Thread

        work = prepare()

        def many() -> None:
            for _ in range(n):
                work()

        start = perf_counter()
        threads = [Thread(target=many) for _ in range(SIXTEEN)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return perf_counter() - start

    def pool_gil_free(n: int) -> float:
        from concurrent.futures import ThreadPoolExecutor

        work = prepare()

        def many() -> None:
            for _ in range(n):
                work()

        with ThreadPoolExecutor(POOL) as pool:
            pool.submit(int).result()
            start = perf_counter()
            for future in [pool.submit(many) for _ in range(SIXTEEN)]:
                future.result()
            return perf_counter() - start

    def pyroutine_gil_free(n: int) -> float:
        import pyroutine

        work = prepare()

        def many() -> None:
            for _ in range(n):
                pyroutine.run_blocking(work)

        def main() -> float:
            pyroutine.run_blocking(int)
            start = perf_counter()
            for task in [pyroutine.spawn(many) for _ in range(SIXTEEN)]:
                task.result()
            return perf_counter() - start

        return pyroutine.spawn(main).result()

    def serial_gil_free(n: int) -> float:
        work = prepare()
        start = perf_counter()
        for _ in range(SIXTEEN * n):
            work()
        return perf_counter() - start

    contenders: dict[str, Contender] = {
        **{who: gmprt(contender) for who, contender in on_two_and_on_one(program).items()},
        "serial": serial_gil_free,
        "asyncio": asyncio_gil_free,
        "uvloop": asyncio_gil_free,
        "gevent": gevent_gil_free,
        "trio": trio_gil_free,
        "curio": curio_gil_free,
        "threads": threads_gil_free,
        "pool": pool_gil_free,
        "pyroutine": pyroutine_gil_free,
    }
    if without_go is None:
        contenders[GO] = in_go
    return Scenario(
        title=f"{title}, 16 goroutines",
        contenders=contenders,
        n=n,
        unit="ms",
        without={} if without_go is None else {GO: without_go},
        bars={"serial": 1 / 1.7},
    )
