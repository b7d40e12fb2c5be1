"""Count the words of n files (100) of the standard library, with eight workers: for all.

The files are the first ones by name, and in the system's cache. Each worker takes a file, reads it,
counts its words with a regular expression, and sends the Counter to main, which adds it to the
others. What is awaited: all of them added up. In gmprt, threads and pyroutine the workers read and
count themselves; asyncio, trio, curio and gevent have eight that give each file to a thread, as
a file would block them; the pool has eight threads.

Does not show: files on a slow disk, where waiting is all there is, nor a second CPU: with the GIL
the regular expressions, which are most of it, have one.
"""

import os
import re
from collections import Counter
from pathlib import Path
from time import perf_counter

from benchmarks.harness import Scenario

WORKERS = 8
WORD = re.compile(r"\w+")


def first(n: int) -> list[Path]:
    """Return the first n files, in the system's cache from now on."""
    paths = sorted(Path(os.__file__).parent.glob("*.py"))[:n]
    for path in paths:
        path.read_bytes()
    return paths


def count(path: Path) -> Counter[str]:
    """Count the words of a file."""
    return Counter(WORD.findall(path.read_text(encoding="utf-8")))


def gmprt_word_count(n: int) -> float:
    import gmprt

    paths = first(n)
    names, counts = gmprt.Chan[Path](), gmprt.Chan[Counter[str]]()

    def work() -> None:
        for path in names:
            counts.send(count(path))

    def hand_out() -> None:
        for path in paths:
            names.send(path)
        names.close()

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        gs = [*[gmprt.go(work) for _ in range(WORKERS)], gmprt.go(hand_out)]
        total = Counter[str]()
        for _ in paths:
            total.update(counts.recv())
        took = perf_counter() - start
        for g in gs:
            g.join()
        return took

    return gmprt.run(main)


async def asyncio_word_count(n: int) -> float:
    import asyncio

    paths = first(n)
    names, counts = asyncio.Queue[Path](), asyncio.Queue[Counter[str]]()

    async def work() -> None:
        while not names.empty():
            await counts.put(await asyncio.to_thread(count, names.get_nowait()))

    await asyncio.to_thread(int)
    start = perf_counter()
    for path in paths:
        names.put_nowait(path)
    tasks = [asyncio.create_task(work()) for _ in range(WORKERS)]
    total = Counter[str]()
    for _ in paths:
        total.update(await counts.get())
    took = perf_counter() - start
    await asyncio.wait(tasks)
    return took


def gevent_word_count(n: int) -> float:
    import gevent
    from gevent.queue import Queue

    paths = first(n)
    names, counts = Queue(), Queue()
    in_thread = gevent.get_hub().threadpool.apply

    def work() -> None:
        while not names.empty():
            counts.put(in_thread(count, (names.get(),)))

    in_thread(int)
    start = perf_counter()
    for path in paths:
        names.put(path)
    gs = [gevent.spawn(work) for _ in range(WORKERS)]
    total = Counter[str]()
    for _ in paths:
        total.update(counts.get())
    took = perf_counter() - start
    gevent.joinall(gs)
    return took


async def trio_word_count(n: int) -> float:
    import trio

    paths = first(n)
    put_name, names = trio.open_memory_channel[Path](0)
    put_count, counts = trio.open_memory_channel[Counter[str]](0)

    async def work() -> None:
        async for path in names:
            await put_count.send(await trio.to_thread.run_sync(count, path))

    async def hand_out() -> None:
        async with put_name:
            for path in paths:
                await put_name.send(path)

    await trio.to_thread.run_sync(int)
    async with trio.open_nursery() as nursery:
        start = perf_counter()
        for _ in range(WORKERS):
            nursery.start_soon(work)
        nursery.start_soon(hand_out)
        total = Counter[str]()
        for _ in paths:
            total.update(await counts.receive())
        took = perf_counter() - start
    return took


async def curio_word_count(n: int) -> float:
    import curio

    paths = first(n)
    names, counts = curio.Queue(), curio.Queue()

    async def work() -> None:
        while not names.empty():
            await counts.put(await curio.run_in_thread(count, await names.get()))

    await curio.run_in_thread(int)
    start = perf_counter()
    for path in paths:
        await names.put(path)
    tasks = [await curio.spawn(work) for _ in range(WORKERS)]
    total = Counter[str]()
    for _ in paths:
        total.update(await counts.get())
    took = perf_counter() - start
    for task in tasks:
        await task.join()
    return took


def threads_word_count(n: int) -> float:
    from queue import Queue
    from threading import Thread

    paths = first(n)
    names, counts = Queue[Path | None](), Queue[Counter[str]]()

    def work() -> None:
        while (path := names.get()) is not None:
            counts.put(count(path))

    start = perf_counter()
    for path in [*paths, *[None] * WORKERS]:
        names.put(path)
    threads = [Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    total = Counter[str]()
    for _ in paths:
        total.update(counts.get())
    took = perf_counter() - start
    for thread in threads:
        thread.join()
    return took


def pool_word_count(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor, as_completed

    paths = first(n)
    with ThreadPoolExecutor(WORKERS) as pool:
        pool.submit(int).result()
        start = perf_counter()
        total = Counter[str]()
        for future in as_completed([pool.submit(count, path) for path in paths]):
            total.update(future.result())
        return perf_counter() - start


def pyroutine_word_count(n: int) -> float:
    import pyroutine

    paths = first(n)
    names, counts = pyroutine.Queue(), pyroutine.Queue()

    def work() -> None:
        while (path := names.get()) is not None:
            counts.put(count(path))

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        for path in [*paths, *[None] * WORKERS]:
            names.put(path)
        tasks = [pyroutine.spawn(work) for _ in range(WORKERS)]
        total = Counter[str]()
        for _ in paths:
            total.update(counts.get())
        took = perf_counter() - start
        for task in tasks:
            task.join()
        return took

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="words of 100 files, eight workers",
    contenders={
        "gmprt": gmprt_word_count,
        "asyncio": asyncio_word_count,
        "uvloop": asyncio_word_count,
        "gevent": gevent_word_count,
        "trio": trio_word_count,
        "curio": curio_word_count,
        "threads": threads_word_count,
        "pool": pool_word_count,
        "pyroutine": pyroutine_word_count,
    },
    n=100,
    unit="ms",
    without={"go": "counts other words: its regular expressions are not Python's"},
)
