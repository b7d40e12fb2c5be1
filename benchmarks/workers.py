"""Ten workers take jobs from a channel of 100 and send results to another one: what a job costs.

A job is a function that adds one. A goroutine of its own hands the jobs out, and main takes the
results, as they come. What is awaited: all results. Behind the last job gmprt, trio and Go close
the channel; the others send None, once for each worker. The pool has ten threads and is the same
without a limit: its queue takes all jobs at once, and its results come in order.

Does not show: jobs that take their time, or that wait for something, for which one has workers.
"""

from time import perf_counter

from benchmarks.elsewhere import NO_GIL
from benchmarks.harness import Scenario, in_go

WORKERS = 10
SIZE = 100


def job(i: int) -> int:
    return i + 1


def gmprt_workers(n: int) -> float:
    import gmprt

    jobs, results = gmprt.Chan[int](SIZE), gmprt.Chan[int](SIZE)

    def work() -> None:
        for i in jobs:
            results.send(job(i))

    def hand_out() -> None:
        for i in range(n):
            jobs.send(i)
        jobs.close()

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        gs = [*[gmprt.go(work) for _ in range(WORKERS)], gmprt.go(hand_out)]
        for _ in range(n):
            results.recv()
        took = perf_counter() - start
        for g in gs:
            g.join()
        return took / n

    return gmprt.run(main)


async def asyncio_workers(n: int) -> float:
    import asyncio

    jobs, results = asyncio.Queue[int | None](SIZE), asyncio.Queue[int](SIZE)

    async def work() -> None:
        while (i := await jobs.get()) is not None:
            await results.put(job(i))

    async def hand_out() -> None:
        for i in range(n):
            await jobs.put(i)
        for _ in range(WORKERS):
            await jobs.put(None)

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    tasks = [asyncio.create_task(work()) for _ in range(WORKERS)]
    tasks.append(asyncio.create_task(hand_out()))
    for _ in range(n):
        await results.get()
    took = perf_counter() - start
    await asyncio.wait(tasks)
    return took / n


def gevent_workers(n: int) -> float:
    import gevent
    from gevent.queue import Queue

    jobs, results = Queue(SIZE), Queue(SIZE)

    def work() -> None:
        while (i := jobs.get()) is not None:
            results.put(job(i))

    def hand_out() -> None:
        for i in range(n):
            jobs.put(i)
        for _ in range(WORKERS):
            jobs.put(None)

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    gs = [*[gevent.spawn(work) for _ in range(WORKERS)], gevent.spawn(hand_out)]
    for _ in range(n):
        results.get()
    took = perf_counter() - start
    gevent.joinall(gs)
    return took / n


async def trio_workers(n: int) -> float:
    import trio

    put_job, jobs = trio.open_memory_channel[int](SIZE)
    put_result, results = trio.open_memory_channel[int](SIZE)

    async def work() -> None:
        async for i in jobs:
            await put_result.send(job(i))

    async def hand_out() -> None:
        async with put_job:
            for i in range(n):
                await put_job.send(i)

    await trio.lowlevel.checkpoint()
    async with trio.open_nursery() as nursery:
        start = perf_counter()
        for _ in range(WORKERS):
            nursery.start_soon(work)
        nursery.start_soon(hand_out)
        for _ in range(n):
            await results.receive()
        took = perf_counter() - start
    return took / n


async def curio_workers(n: int) -> float:
    import curio

    jobs, results = curio.Queue(SIZE), curio.Queue(SIZE)

    async def work() -> None:
        while (i := await jobs.get()) is not None:
            await results.put(job(i))

    async def hand_out() -> None:
        for i in range(n):
            await jobs.put(i)
        for _ in range(WORKERS):
            await jobs.put(None)

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    tasks = [await curio.spawn(work) for _ in range(WORKERS)]
    tasks.append(await curio.spawn(hand_out))
    for _ in range(n):
        await results.get()
    took = perf_counter() - start
    for task in tasks:
        await task.join()
    return took / n


def threads_workers(n: int) -> float:
    from queue import Queue
    from threading import Thread

    jobs, results = Queue[int | None](SIZE), Queue[int](SIZE)

    def work() -> None:
        while (i := jobs.get()) is not None:
            results.put(job(i))

    def hand_out() -> None:
        for i in range(n):
            jobs.put(i)
        for _ in range(WORKERS):
            jobs.put(None)

    start = perf_counter()
    threads = [*[Thread(target=work) for _ in range(WORKERS)], Thread(target=hand_out)]
    for thread in threads:
        thread.start()
    for _ in range(n):
        results.get()
    took = perf_counter() - start
    for thread in threads:
        thread.join()
    return took / n


def pool_workers(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(WORKERS) as pool:
        pool.submit(job, 0).result()
        start = perf_counter()
        for future in [pool.submit(job, i) for i in range(n)]:
            future.result()
        return (perf_counter() - start) / n


def pyroutine_workers(n: int) -> float:
    import pyroutine

    jobs, results = pyroutine.Queue(SIZE), pyroutine.Queue(SIZE)

    def work() -> None:
        while (i := jobs.get()) is not None:
            results.put(job(i))

    def hand_out() -> None:
        for i in range(n):
            jobs.put(i)
        for _ in range(WORKERS):
            jobs.put(None)

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        tasks = [pyroutine.spawn(work) for _ in range(WORKERS)]
        tasks.append(pyroutine.spawn(hand_out))
        for _ in range(n):
            results.get()
        took = perf_counter() - start
        for task in tasks:
            task.join()
        return took / n

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="ten workers, a job",
    contenders={
        "gmprt": gmprt_workers,
        NO_GIL: gmprt_workers,
        "asyncio": asyncio_workers,
        "uvloop": asyncio_workers,
        "gevent": gevent_workers,
        "trio": trio_workers,
        "curio": curio_workers,
        "threads": threads_workers,
        "pool": pool_workers,
        "pyroutine": pyroutine_workers,
        "go": in_go,
    },
    n=100_000,
    fewer={"trio": 5, "pool": 5, "pyroutine": 2},
)
