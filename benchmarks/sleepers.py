"""n (10,000) sleep for a millisecond, all started at once: until the last one is back.

Does not show: how late each is (`timer_idle`, `timer_loaded`); most of this is making and ending
them.
"""

from time import perf_counter

from benchmarks.harness import Scenario

NAP = 0.001


def gmprt_sleepers(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for g in [gmprt.go(gmprt.sleep, NAP) for _ in range(n)]:
            g.join()
        return perf_counter() - start

    return gmprt.run(main)


def asyncio_sleepers(n: int) -> float:
    import asyncio

    async def main() -> float:
        await asyncio.create_task(asyncio.sleep(0))
        start = perf_counter()
        await asyncio.gather(*[asyncio.create_task(asyncio.sleep(NAP)) for _ in range(n)])
        return perf_counter() - start

    return asyncio.run(main())


def gevent_sleepers(n: int) -> float:
    import gevent

    gevent.spawn(gevent.sleep, 0).join()
    start = perf_counter()
    gevent.joinall([gevent.spawn(gevent.sleep, NAP) for _ in range(n)])
    return perf_counter() - start


SCENARIO = Scenario(
    title="10,000 sleep for 1 ms",
    contenders={"gmprt": gmprt_sleepers, "asyncio": asyncio_sleepers, "gevent": gevent_sleepers},
    n=10_000,
    unit="ms",
    bars={"asyncio": 1.0},
)
