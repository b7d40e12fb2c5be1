"""How late a timer fires beside a thousand that yield all the time: the 99th percentile of n (500).

Does not show: goroutines that run long without a yield; those are for preemption.
"""

from time import monotonic

from benchmarks.harness import Scenario
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


def asyncio_timer_loaded(n: int) -> float:
    import asyncio

    stop = False

    async def yielder() -> None:
        while not stop:
            await asyncio.sleep(0)

    async def main() -> float:
        nonlocal stop
        tasks = [asyncio.create_task(yielder()) for _ in range(THOUSAND)]
        late = []
        for _ in range(n):
            due = monotonic() + PERIOD
            await asyncio.sleep(PERIOD)
            late.append(monotonic() - due)
        stop = True
        await asyncio.gather(*tasks)
        return worst_but_one_percent(late)

    return asyncio.run(main())


SCENARIO = Scenario(
    title="lateness of a timer beside 1,000 that yield, p99",
    contenders={"gmprt": gmprt_timer_loaded, "asyncio": asyncio_timer_loaded},
    n=500,
    unit="ms",
    limit=5e-3,
    rounds=3,
)
