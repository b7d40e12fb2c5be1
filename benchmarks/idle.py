"""A program that has worked and now waits n tenths of a second: CPU time, in % of the time waited.

It has run goroutines and blocking calls, so the runtime has started all that it starts; one
goroutine waits for a channel, main for a timer. It waits twice as long and only the second half
counts: ending the threads that nobody needs any more is not idling. The wake-up at the end is in
the number.

Does not show: a program with timers or connections that do something now and then.
"""

import time
from time import perf_counter, process_time

from benchmarks.harness import Scenario

TENTH = 0.1


def gmprt_idle(n: int) -> float:
    import gmprt

    gate = gmprt.Chan[None]()

    def main() -> float:
        waiter = gmprt.go(gate.recv_ok)
        for g in [gmprt.go(gmprt.syscall, time.sleep, 0.01) for _ in range(20)]:
            g.join()
        gmprt.sleep(n * TENTH)
        cpu, start = process_time(), perf_counter()
        gmprt.sleep(n * TENTH)
        share = 100 * (process_time() - cpu) / (perf_counter() - start)
        gate.close()
        waiter.join()
        return share

    return gmprt.run(main)


def asyncio_idle(n: int) -> float:
    import asyncio

    async def main() -> float:
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.01) for _ in range(20)))
        await asyncio.sleep(n * TENTH)
        cpu, start = process_time(), perf_counter()
        await asyncio.sleep(n * TENTH)
        return 100 * (process_time() - cpu) / (perf_counter() - start)

    return asyncio.run(main())


def gevent_idle(n: int) -> float:
    import gevent

    pool = gevent.get_hub().threadpool
    gevent.wait([pool.spawn(time.sleep, 0.01) for _ in range(20)])
    gevent.sleep(n * TENTH)
    cpu, start = process_time(), perf_counter()
    gevent.sleep(n * TENTH)
    return 100 * (process_time() - cpu) / (perf_counter() - start)


SCENARIO = Scenario(
    title="CPU time of an idle process",
    contenders={"gmprt": gmprt_idle, "asyncio": asyncio_idle, "gevent": gevent_idle},
    n=30,
    unit="%",
    limit=0.1,
    rounds=3,
)
