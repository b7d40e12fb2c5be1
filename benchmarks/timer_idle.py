"""How late a timer fires while nothing else runs: the 99th percentile of n (500).

Does not show: a machine whose cores sleep deeply, which adds their wake-up time.
"""

from time import monotonic

from benchmarks.harness import Scenario

PERIOD = 0.005


def worst_but_one_percent(late: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(late)[int(len(late) * 0.99) - (len(late) >= 100)]


def gmprt_timer_idle(n: int) -> float:
    import gmprt

    def main() -> float:
        late = []
        for _ in range(n):
            due = monotonic() + PERIOD
            late.append(gmprt.Timer(PERIOD).c.recv() - due)
        return worst_but_one_percent(late)

    return gmprt.run(main)


def asyncio_timer_idle(n: int) -> float:
    import asyncio

    async def main() -> float:
        late = []
        for _ in range(n):
            due = monotonic() + PERIOD
            await asyncio.sleep(PERIOD)
            late.append(monotonic() - due)
        return worst_but_one_percent(late)

    return asyncio.run(main())


SCENARIO = Scenario(
    title="lateness of a timer, idle, p99",
    contenders={"gmprt": gmprt_timer_idle, "asyncio": asyncio_timer_idle},
    n=500,
    unit="ms",
    limit=1e-3,
    rounds=3,
)
