"""How late a timer fires beside a thousand that yield all the time: the 99th percentile of n (500).

What counts is when the one that waited for it runs again. The thousand of pyroutine and Go are
shared out among the CPUs. curio looks through all that are ready whenever one gets ready.

Does not show: goroutines that run long without a yield; those are for preemption.
"""

from time import monotonic

from benchmarks.harness import Scenario, in_go
from benchmarks.timer_idle import PERIOD, worst_but_one_percent

THOUSAND = 1000


def gmprt_timer_loaded(n: int) -> float:
    import gmprt

    stop = False

    def yielder() -> None:
        while not stop:
            gmprt.gosched()

    def main() -> float:
        nonlocal stop
        gs = [gmprt.go(yielder) for _ in range(THOUSAND)]
        late = []
        for _ in range(n):
            due = monotonic() + PERIOD
            gmprt.Timer(PERIOD).c.recv()
            late.append(monotonic() - due)
        stop = True
        for g in gs:
            g.join()
        return worst_but_one_percent(late)

    return gmprt.run(main)


async def asyncio_timer_loaded(n: int) -> float:
    import asyncio

    stop = False

    async def yielder() -> None:
        while not stop:
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(yielder()) for _ in range(THOUSAND)]
    late = []
    for _ in range(n):
        due = monotonic() + PERIOD
        await asyncio.sleep(PERIOD)
        late.append(monotonic() - due)
    stop = True
    await asyncio.gather(*tasks)
    return worst_but_one_percent(late)


def gevent_timer_loaded(n: int) -> float:
    import gevent

    stop = False

    def yielder() -> None:
        while not stop:
            gevent.sleep(0)

    greenlets = [gevent.spawn(yielder) for _ in range(THOUSAND)]
    late = []
    for _ in range(n):
        due = monotonic() + PERIOD
        gevent.sleep(PERIOD)
        late.append(monotonic() - due)
    stop = True
    gevent.joinall(greenlets)
    return worst_but_one_percent(late)


async def trio_timer_loaded(n: int) -> float:
    import trio

    stop = False

    async def yielder() -> None:
        while not stop:
            await trio.lowlevel.checkpoint()

    late = []
    async with trio.open_nursery() as nursery:
        for _ in range(THOUSAND):
            nursery.start_soon(yielder)
        for _ in range(n):
            due = monotonic() + PERIOD
            await trio.sleep(PERIOD)
            late.append(monotonic() - due)
        stop = True
    return worst_but_one_percent(late)


async def curio_timer_loaded(n: int) -> float:
    import curio

    stop = False

    async def yielder() -> None:
        while not stop:
            await curio.sleep(0)

    tasks = [await curio.spawn(yielder) for _ in range(THOUSAND)]
    late = []
    for _ in range(n):
        due = monotonic() + PERIOD
        await curio.sleep(PERIOD)
        late.append(monotonic() - due)
    stop = True
    for task in tasks:
        await task.join()
    return worst_but_one_percent(late)


def pyroutine_timer_loaded(n: int) -> float:
    import pyroutine

    stop = False

    def yielder() -> None:
        while not stop:
            pyroutine.yield_()

    def main() -> float:
        nonlocal stop
        tasks = [pyroutine.spawn(yielder) for _ in range(THOUSAND)]
        late = []
        for _ in range(n):
            due = monotonic() + PERIOD
            pyroutine.sleep(PERIOD)
            late.append(monotonic() - due)
        stop = True
        for task in tasks:
            task.join()
        return worst_but_one_percent(late)

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="lateness of a timer beside 1,000 that yield, p99",
    contenders={
        "gmprt": gmprt_timer_loaded,
        "asyncio": asyncio_timer_loaded,
        "uvloop": asyncio_timer_loaded,
        "gevent": gevent_timer_loaded,
        "trio": trio_timer_loaded,
        "curio": curio_timer_loaded,
        "pyroutine": pyroutine_timer_loaded,
        "go": in_go,
    },
    n=500,
    unit="ms",
    without={
        "threads": "a thousand that never rest hardly let each other begin",
        "pool": "as with threads",
    },
    fewer={"curio": 10, "pyroutine": 4},
    limit=5e-3,
    rounds=3,
)
