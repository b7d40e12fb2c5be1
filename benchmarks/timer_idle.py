"""How late a timer fires while nothing else runs: the 99th percentile of n (500).

gmprt and Go wait for a timer's channel, the peers sleep; what counts is when they are back. uvloop
counts in whole milliseconds, and may be back up to one too early.

Does not show: a machine whose cores sleep deeply, which adds their wake-up time.
"""

from time import monotonic

from benchmarks.harness import Scenario, in_go

PERIOD = 0.005
NOTHING = 1e-9


def worst_but_one_percent(late: list[float]) -> float:
    """Return the 99th percentile; no less than nothing, for uvloop's may come too early."""
    return max(sorted(late)[int(len(late) * 0.99) - (len(late) >= 100)], NOTHING)


def gmprt_timer_idle(n: int) -> float:
    import gmprt

    def main() -> float:
        late = []
        for _ in range(n):
            due = monotonic() + PERIOD
            gmprt.Timer(PERIOD).c.recv()
            late.append(monotonic() - due)
        return worst_but_one_percent(late)

    return gmprt.run(main)


async def asyncio_timer_idle(n: int) -> float:
    import asyncio

    late = []
    for _ in range(n):
        due = monotonic() + PERIOD
        await asyncio.sleep(PERIOD)
        late.append(monotonic() - due)
    return worst_but_one_percent(late)


def gevent_timer_idle(n: int) -> float:
    import gevent

    late = []
    for _ in range(n):
        due = monotonic() + PERIOD
        gevent.sleep(PERIOD)
        late.append(monotonic() - due)
    return worst_but_one_percent(late)


async def trio_timer_idle(n: int) -> float:
    import trio

    late = []
    for _ in range(n):
        due = monotonic() + PERIOD
        await trio.sleep(PERIOD)
        late.append(monotonic() - due)
    return worst_but_one_percent(late)


async def curio_timer_idle(n: int) -> float:
    import curio

    late = []
    for _ in range(n):
        due = monotonic() + PERIOD
        await curio.sleep(PERIOD)
        late.append(monotonic() - due)
    return worst_but_one_percent(late)


def threads_timer_idle(n: int) -> float:
    from time import sleep

    late = []
    for _ in range(n):
        due = monotonic() + PERIOD
        sleep(PERIOD)
        late.append(monotonic() - due)
    return worst_but_one_percent(late)


def pyroutine_timer_idle(n: int) -> float:
    import pyroutine

    def main() -> float:
        late = []
        for _ in range(n):
            due = monotonic() + PERIOD
            pyroutine.sleep(PERIOD)
            late.append(monotonic() - due)
        return worst_but_one_percent(late)

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="lateness of a timer, idle, p99",
    contenders={
        "gmprt": gmprt_timer_idle,
        "asyncio": asyncio_timer_idle,
        "uvloop": asyncio_timer_idle,
        "gevent": gevent_timer_idle,
        "trio": trio_timer_idle,
        "curio": curio_timer_idle,
        "threads": threads_timer_idle,
        "pyroutine": pyroutine_timer_idle,
        "go": in_go,
    },
    n=500,
    unit="ms",
    without={"pool": "its threads sleep as any thread does"},
    limit=1e-3,
    rounds=3,
)
