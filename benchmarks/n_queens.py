"""Count the ways to place n queens (8), a goroutine for each placement of the first two: for all.

Each counts its solutions in plain Python, with bit masks, and sends the number to main over a
channel. What is awaited: the sum. A coroutine or a greenlet counts to its end before the next one
starts, as nothing in it gives way. The pool has eight threads, and returns the numbers.

Does not show: a second CPU, which the GIL does not give to plain Python, nor long computations,
where gmprt and threads take turns (see `fanout`).
"""

from time import perf_counter

from benchmarks.harness import Scenario, in_go

THREADS = 8  # of the pool

Placed = tuple[int, int, int]  # columns and diagonals that are taken in the next row, as bits


def longer(board: int, placed: Placed) -> list[Placed]:
    """Return all ways to place one queen more."""
    columns, left, right = placed
    queens = [1 << i for i in range(board.bit_length())]
    return [
        (columns | queen, (left | queen) << 1, (right | queen) >> 1)
        for queen in queens
        if not queen & (columns | left | right)
    ]


def placements(board: int) -> list[Placed]:
    """Return all ways to place the first two queens; of the first, if there is only one."""
    ones = longer(board, (0, 0, 0))
    return ones if board == 1 else [two for one in ones for two in longer(board, one)]


def solutions(board: int, columns: int, left: int, right: int) -> int:
    """Count the ways to place the queens that are missing."""
    if columns == board:
        return 1
    count = 0
    free = board & ~(columns | left | right)
    while free:
        queen = free & -free
        free ^= queen
        count += solutions(board, columns | queen, (left | queen) << 1, (right | queen) >> 1)
    return count


def gmprt_n_queens(n: int) -> float:
    import gmprt

    board, counts = (1 << n) - 1, gmprt.Chan[int]()

    def count(placed: Placed) -> None:
        counts.send(solutions(board, *placed))

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        gs = [gmprt.go(count, placed) for placed in placements(board)]
        total = 0
        for _ in gs:
            total += counts.recv()
        took = perf_counter() - start
        for g in gs:
            g.join()
        check(n, total)
        return took

    return gmprt.run(main)


def check(n: int, total: int) -> None:
    """The number is known."""
    assert total == [1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200][n]


async def asyncio_n_queens(n: int) -> float:
    import asyncio

    board, counts = (1 << n) - 1, asyncio.Queue[int](1)

    async def count(placed: Placed) -> None:
        await counts.put(solutions(board, *placed))

    await asyncio.create_task(asyncio.sleep(0))
    start = perf_counter()
    tasks = [asyncio.create_task(count(placed)) for placed in placements(board)]
    total = 0
    for _ in tasks:
        total += await counts.get()
    took = perf_counter() - start
    for task in tasks:
        await task
    check(n, total)
    return took


def gevent_n_queens(n: int) -> float:
    import gevent
    from gevent.queue import Channel

    board, counts = (1 << n) - 1, Channel()

    def count(placed: Placed) -> None:
        counts.put(solutions(board, *placed))

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    gs = [gevent.spawn(count, placed) for placed in placements(board)]
    total = 0
    for _ in gs:
        total += counts.get()
    took = perf_counter() - start
    gevent.joinall(gs)
    check(n, total)
    return took


async def trio_n_queens(n: int) -> float:
    import trio

    board = (1 << n) - 1
    put, counts = trio.open_memory_channel[int](0)

    async def count(placed: Placed) -> None:
        await put.send(solutions(board, *placed))

    await trio.lowlevel.checkpoint()
    async with trio.open_nursery() as nursery:
        start = perf_counter()
        firsts = placements(board)
        for placed in firsts:
            nursery.start_soon(count, placed)
        total = 0
        for _ in firsts:
            total += await counts.receive()
        took = perf_counter() - start
    check(n, total)
    return took


async def curio_n_queens(n: int) -> float:
    import curio

    board, counts = (1 << n) - 1, curio.Queue(1)

    async def count(placed: Placed) -> None:
        await counts.put(solutions(board, *placed))

    await (await curio.spawn(curio.sleep, 0)).join()
    start = perf_counter()
    tasks = [await curio.spawn(count, placed) for placed in placements(board)]
    total = 0
    for _ in tasks:
        total += await counts.get()
    took = perf_counter() - start
    for task in tasks:
        await task.join()
    check(n, total)
    return took


def threads_n_queens(n: int) -> float:
    from queue import Queue
    from threading import Thread

    board, counts = (1 << n) - 1, Queue[int](1)

    def count(placed: Placed) -> None:
        counts.put(solutions(board, *placed))

    start = perf_counter()
    threads = [Thread(target=count, args=(placed,)) for placed in placements(board)]
    for thread in threads:
        thread.start()
    total = 0
    for _ in threads:
        total += counts.get()
    took = perf_counter() - start
    for thread in threads:
        thread.join()
    check(n, total)
    return took


def pool_n_queens(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor

    board = (1 << n) - 1
    with ThreadPoolExecutor(THREADS) as pool:
        pool.submit(int).result()
        start = perf_counter()
        futures = [pool.submit(solutions, board, *placed) for placed in placements(board)]
        total = 0
        for future in futures:
            total += future.result()
        took = perf_counter() - start
    check(n, total)
    return took


def pyroutine_n_queens(n: int) -> float:
    import pyroutine

    board, counts = (1 << n) - 1, pyroutine.Queue(1)

    def count(placed: Placed) -> None:
        counts.put(solutions(board, *placed))

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        tasks = [pyroutine.spawn(count, placed) for placed in placements(board)]
        total = 0
        for _ in tasks:
            total += counts.get()
        took = perf_counter() - start
        for task in tasks:
            task.join()
        check(n, total)
        return took

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="8 queens, all solutions",
    contenders={
        "gmprt": gmprt_n_queens,
        "asyncio": asyncio_n_queens,
        "uvloop": asyncio_n_queens,
        "gevent": gevent_n_queens,
        "trio": trio_n_queens,
        "curio": curio_n_queens,
        "threads": threads_n_queens,
        "pool": pool_n_queens,
        "pyroutine": pyroutine_n_queens,
        "go": in_go,
    },
    n=8,
    unit="ms",
)
