"""Make a timer of an hour and stop it: what a time-out costs that is not needed, as most are not.

gmprt, Go and asyncio (`call_later`) make a timer and stop it. The nearest elsewhere promises more:
gevent's Timeout, trio's `move_on_after` and curio's `timeout_after` would end what waits inside;
each is entered and left. threading.Timer is a thread that waits; it is cancelled and joined.

Does not show: timers that fire (see `sleepers`, `timer_idle`), nor thousands of them at once.
"""

from time import perf_counter

from benchmarks.harness import Scenario, in_go

HOUR = 3600.0


def nothing() -> None:
    pass


def gmprt_timers(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        gmprt.Timer(HOUR).stop()
        start = perf_counter()
        for _ in range(n):
            gmprt.Timer(HOUR).stop()
        return (perf_counter() - start) / n

    return gmprt.run(main)


async def asyncio_timers(n: int) -> float:
    import asyncio

    loop = asyncio.get_running_loop()
    loop.call_later(HOUR, nothing).cancel()
    start = perf_counter()
    for _ in range(n):
        loop.call_later(HOUR, nothing).cancel()
    return (perf_counter() - start) / n


def gevent_timers(n: int) -> float:
    import gevent

    gevent.spawn(gevent.sleep, 0).join()
    gevent.Timeout.start_new(HOUR).close()
    start = perf_counter()
    for _ in range(n):
        gevent.Timeout.start_new(HOUR).close()
    return (perf_counter() - start) / n


async def trio_timers(n: int) -> float:
    import trio

    with trio.move_on_after(HOUR):
        await trio.lowlevel.checkpoint()
    start = perf_counter()
    for _ in range(n):
        with trio.move_on_after(HOUR):
            pass
    return (perf_counter() - start) / n


async def curio_timers(n: int) -> float:
    import curio

    async with curio.timeout_after(HOUR):
        await curio.sleep(0)
    start = perf_counter()
    for _ in range(n):
        async with curio.timeout_after(HOUR):
            pass
    return (perf_counter() - start) / n


def threads_timers(n: int) -> float:
    from threading import Timer

    start = perf_counter()
    for _ in range(n):
        timer = Timer(HOUR, nothing)
        timer.start()
        timer.cancel()
        timer.join()
    return (perf_counter() - start) / n


SCENARIO = Scenario(
    title="a timer made and stopped",
    contenders={
        "gmprt": gmprt_timers,
        "asyncio": asyncio_timers,
        "uvloop": asyncio_timers,
        "gevent": gevent_timers,
        "trio": trio_timers,
        "curio": curio_timers,
        "threads": threads_timers,
        "go": in_go,
    },
    n=50_000,
    fewer={"trio": 2, "threads": 50},
    without={"pool": "has no timers", "pyroutine": "has no timers that can be stopped"},
)
