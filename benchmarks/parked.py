"""n goroutines (100,000) wait for one channel, all at once: bytes of resident memory for each.

Does not show: what a deeper stack or the values on it cost, nor what making them costs in time
(see `million`). The peers wait for an event, the lightest thing they have.
"""

import gc

from benchmarks.harness import Scenario


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    import psutil

    gc.collect()
    return int(psutil.Process().memory_info().rss)


def gmprt_parked(n: int) -> float:
    import gmprt
    from gmprt.sync import WaitGroup

    gate = gmprt.Chan[None]()
    here, gone = WaitGroup(), WaitGroup()

    def wait() -> None:
        here.done()
        gate.recv_ok()
        gone.done()

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        here.add(n)
        gone.add(n)
        before = resident()
        for _ in range(n):
            gmprt.go(wait)
        here.wait()
        each = (resident() - before) / n
        gate.close()
        gone.wait()
        return each

    return gmprt.run(main)


def asyncio_parked(n: int) -> float:
    import asyncio

    async def main() -> float:
        gate = asyncio.Event()
        before = resident()
        tasks = [asyncio.create_task(gate.wait()) for _ in range(n)]
        await asyncio.sleep(0)
        each = (resident() - before) / n
        gate.set()
        await asyncio.wait(tasks)
        return each

    return asyncio.run(main())


def gevent_parked(n: int) -> float:
    import gevent
    from gevent.event import Event

    gate = Event()

    def wait() -> None:
        gate.wait()

    gevent.spawn(gevent.sleep, 0).join()
    before = resident()
    greenlets = [gevent.spawn(wait) for _ in range(n)]
    gevent.sleep(0)
    each = (resident() - before) / n
    gate.set()
    gevent.joinall(greenlets)
    return each


SCENARIO = Scenario(
    title="memory of a parked goroutine, 100,000 at once",
    contenders={"gmprt": gmprt_parked, "asyncio": asyncio_parked, "gevent": gevent_parked},
    n=100_000,
    unit="bytes",
    limit=7500,
    rounds=3,
)
