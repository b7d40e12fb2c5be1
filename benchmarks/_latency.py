"""One ticker, one load, this fresh process: `python -m benchmarks._latency CASE WHO SECONDS`.

Prints as JSON how late each tick was, in seconds, or which library is missing; see `latency`. It
then leaves by `os._exit`: most of the loads never end.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from time import monotonic

PERIOD = 0.010  # seconds from tick to tick
SETTLE = 20  # ticks that do not count: the load is still being started
CALL = 0.050  # seconds that a call lasts: five ticks

LOADS = {  # by case: what the load does, and how many do it
    "nothing": ("spin", 0),
    "loops1": ("spin", 1),
    "loops2": ("spin", 2),
    "loops8": ("spin", 8),
    "yields": ("give way", 1000),
    "announced": ("call, announced", 4),
    "unannounced": ("call", 4),
    "c_free": ("compute in C, without the GIL", 2),
    "c_held": ("compute in C, with the GIL", 2),
}

Load = Callable[[], object]  # endless


def spin() -> None:
    """Count, for ever."""
    n = 0
    while True:
        n += 1


def nap() -> None:
    """Block this thread in a system call, again and again."""
    while True:
        time.sleep(CALL)


def calls(fn: Callable[[int], object], size: int) -> Load:
    """Return what calls `fn` for ever, each call about CALL long: `fn(size)` is short, to scale."""
    took = []
    for _ in range(3):
        start = monotonic()
        fn(size)
        took.append(monotonic() - start)
    whole = int(size * CALL / min(took))

    def endless() -> None:
        while True:
            fn(whole)

    return endless


def same_for_all(kind: str) -> Load:
    """Return the load that is no contender's own: it never gives way by itself."""
    if kind == "spin":
        return spin
    if kind == "call":
        return nap
    if kind == "compute in C, without the GIL":
        return calls(lambda size: hashlib.pbkdf2_hmac("sha256", b"", b"", size), 2000)
    return calls(lambda size: sum(range(size)), 100_000)


class Ticks:
    """The ticks that are due, and how late each was."""

    def __init__(self, seconds: float) -> None:
        self.n = SETTLE + max(1, round(seconds / PERIOD))
        self.start = 0.0
        self.late: list[float] = []

    def begin(self) -> None:
        self.start = monotonic()

    def wait(self) -> float:
        """Return the seconds until the next tick; 0 or less: it is due already."""
        return self.start + PERIOD * (len(self.late) + 1) - monotonic()

    def take(self) -> None:
        """Note the tick; after the last, print them and end the process."""
        self.late.append(-self.wait())
        if len(self.late) == self.n:
            print(json.dumps({"late": self.late[SETTLE:]}), flush=True)
            os._exit(0)


def gmprt_ticker(kind: str, n: int, ticks: Ticks, apart: bool = False) -> None:
    import gmprt

    def yields() -> None:
        while True:
            gmprt.gosched()

    def announced() -> None:
        while True:
            gmprt.syscall(time.sleep, CALL)

    load = {"give way": yields, "call, announced": announced}.get(kind) or same_for_all(kind)

    def ticker() -> None:
        if apart:
            gmprt.lock_os_thread()  # nothing is started on this thread from now on
        for _ in range(n):
            gmprt.go(load)
        ticks.begin()
        while True:
            if (wait := ticks.wait()) > 0:
                gmprt.sleep(wait)
            ticks.take()

    gmprt.run(lambda: gmprt.go(ticker).join())


def gmprt_apart_ticker(kind: str, n: int, ticks: Ticks) -> None:
    gmprt_ticker(kind, n, ticks, apart=True)


def asyncio_ticker(kind: str, n: int, ticks: Ticks) -> None:
    import asyncio

    async def yields() -> None:
        while True:
            await asyncio.sleep(0)

    async def announced() -> None:
        while True:
            await asyncio.to_thread(time.sleep, CALL)

    async def other() -> None:
        endless()

    own = {"give way": yields, "call, announced": announced}
    endless = spin if kind in own else same_for_all(kind)
    load = own.get(kind, other)

    async def ticker() -> None:
        tasks = [asyncio.create_task(load()) for _ in range(n)]
        ticks.begin()
        while tasks is not None:  # the loop itself keeps no task alive
            if (wait := ticks.wait()) > 0:
                await asyncio.sleep(wait)
            ticks.take()

    asyncio.run(ticker())


def gevent_ticker(kind: str, n: int, ticks: Ticks) -> None:
    import gevent

    def yields() -> None:
        while True:
            gevent.sleep(0)

    def announced() -> None:
        pool = gevent.get_hub().threadpool
        while True:
            pool.apply(time.sleep, (CALL,))

    load = {"give way": yields, "call, announced": announced}.get(kind) or same_for_all(kind)

    def ticker() -> None:
        for _ in range(n):
            gevent.spawn(load)
        ticks.begin()
        while True:
            if (wait := ticks.wait()) > 0:
                gevent.sleep(wait)
            ticks.take()

    gevent.spawn(ticker).join()


def threads_ticker(kind: str, n: int, ticks: Ticks) -> None:
    from threading import Event, Thread

    complete = Event()

    def yields() -> None:
        complete.wait()  # else starting a thousand of them takes minutes
        while True:
            time.sleep(0)

    # A thread has nobody to announce a call to.
    load = {"give way": yields, "call, announced": nap}.get(kind) or same_for_all(kind)

    def ticker() -> None:
        for _ in range(n):
            Thread(target=load, daemon=True).start()
        complete.set()
        ticks.begin()
        while True:
            if (wait := ticks.wait()) > 0:
                time.sleep(wait)
            ticks.take()

    thread = Thread(target=ticker)
    thread.start()
    thread.join()


CONTENDERS: dict[str, Callable[[str, int, Ticks], None]] = {
    "gmprt": gmprt_ticker,
    "gmprt apart": gmprt_apart_ticker,
    "asyncio": asyncio_ticker,
    "gevent": gevent_ticker,
    "threads": threads_ticker,
}


def main(case: str, who: str, seconds: str) -> None:
    kind, n = LOADS[case]
    try:
        CONTENDERS[who](kind, n, Ticks(float(seconds)))
    except ImportError as fault:
        print(json.dumps({"missing": str(fault)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
