"""One value over an unbuffered channel between two threads, and on one: seconds a value.

Across threads each value may wake a thread. Who waits looks a little longer before it sleeps, so
that two who talk all the time need no wake-ups.

Does not show: what a thread that looks longer takes from others, when there are more than CPUs.
"""

import threading
from time import perf_counter

from benchmarks._two_ps import ITSELF
from benchmarks.harness import Scenario


def talk(n: int, apart: bool) -> float:
    """Pass n values, from one that is locked to another thread if they are to be apart."""
    import gmprt

    def main() -> float:
        ch = gmprt.Chan[int]()
        where: list[int] = []

        def sender() -> None:
            if apart:
                gmprt.lock_os_thread()
            where.append(threading.get_ident())
            send = ch.send
            send(0)
            for i in range(n):
                send(i)

        if apart:
            gmprt.lock_os_thread()
        g = gmprt.go(sender)
        recv = ch.recv
        recv()
        assert (where[0] != threading.get_ident()) == apart
        start = perf_counter()
        for _ in range(n):
            recv()
        took = perf_counter() - start
        g.join()
        return took / n

    return gmprt.run(main, procs=2)


def gmprt_across(n: int) -> float:
    return talk(n, True)


def gmprt_together(n: int) -> float:
    return talk(n, False)


def thread_wake(n: int) -> float:
    """Two threads and two locks: what a wake-up of a thread takes, one for each value."""
    ping, pong = threading.Lock(), threading.Lock()
    ping.acquire()
    pong.acquire()

    def other() -> None:
        for _ in range(n):
            ping.acquire()
            pong.release()

    thread = threading.Thread(target=other)
    thread.start()
    start = perf_counter()
    for _ in range(n):
        ping.release()
        pong.acquire()
    took = perf_counter() - start
    thread.join()
    return took / n / 2


SCENARIO = Scenario(
    title="a value between two threads",
    contenders={
        "gmprt, two threads": gmprt_across,
        "gmprt, one thread": gmprt_together,
        "a thread's wake-up": thread_wake,
    },
    n=20_000,
    without=ITSELF,
)
