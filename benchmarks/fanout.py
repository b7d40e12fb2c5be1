"""64 goroutines, each n turns of a pure Python loop, on one, two and four Ps: for all.

With the GIL the second P can only cost; without it, it should halve the time. `serial` is the same
work in one loop, and `2 threads` shares it between two, with no runtime at all: what the machine
gives just then. A busy one has no second CPU to give, and the number means nothing. More Ps than
CPUs should cost nothing.

`no GIL` is the same in a free-threaded Python. `threads` has a thread for each of the 64, `pool`
and pyroutine have two for all. What is awaited: the end of all; what they return is dropped.

Does not show: goroutines that share objects, where even without the GIL two threads get in each
other's way, nor more than two CPUs. A number of a function's code is such an object, too, if it is
large and the code was compiled before the first thread began: CPython 3.13 then counts references
to it in one place. With 0xFFFF for 0x7F two plain threads took 0.8 of serial, where a copy of the
function for each took 0.55; so the loop has small numbers, which nobody counts.
"""

from collections.abc import Callable
from time import perf_counter

from benchmarks.elsewhere import WITHOUT
from benchmarks.harness import GIL, Scenario, in_go

GOROUTINES = 64


def burn(n: int) -> int:
    """Keep a CPU busy."""
    total = 0
    for i in range(n):
        total = (total * 31 + i) & 0x7F
    return total


def fan_out(n: int, procs: int) -> float:
    """Run the 64 on so many Ps."""
    import gmprt

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for g in [gmprt.go(burn, n) for _ in range(GOROUTINES)]:
            g.result()
        return perf_counter() - start

    return gmprt.run(main, procs=procs)


def gmprt_fanout_1p(n: int) -> float:
    return fan_out(n, 1)


def gmprt_fanout_2p(n: int) -> float:
    return fan_out(n, 2)


def gmprt_fanout_4p(n: int) -> float:
    return fan_out(n, 4)


def serial_fanout(n: int) -> float:
    start = perf_counter()
    for _ in range(GOROUTINES):
        burn(n)
    return perf_counter() - start


def halves_fanout(n: int) -> float:
    def half() -> None:
        for _ in range(GOROUTINES // 2):
            burn(n)

    return in_threads(half, 2)


def threads_fanout(n: int) -> float:
    return in_threads(lambda: burn(n), GOROUTINES)


def in_threads(work: Callable[[], object], count: int) -> float:
    """Run it in so many threads."""
    from threading import Thread

    start = perf_counter()
    threads = [Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return perf_counter() - start


def pool_fanout(n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        pool.submit(int).result()
        start = perf_counter()
        for future in [pool.submit(burn, n) for _ in range(GOROUTINES)]:
            future.result()
        return perf_counter() - start


def pyroutine_fanout(n: int) -> float:
    import pyroutine

    pyroutine.set_max_procs(2)

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        for task in [pyroutine.spawn(burn, n) for _ in range(GOROUTINES)]:
            task.result()
        return perf_counter() - start

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="64 goroutines of pure Python, all of them",
    contenders={
        "gmprt 2 Ps": gmprt_fanout_2p,
        "gmprt 1 P": gmprt_fanout_1p,
        "gmprt 4 Ps": gmprt_fanout_4p,
        f"gmprt 1 P{WITHOUT}": gmprt_fanout_1p,
        f"gmprt 2 Ps{WITHOUT}": gmprt_fanout_2p,
        f"gmprt 4 Ps{WITHOUT}": gmprt_fanout_4p,
        "serial": serial_fanout,
        "2 threads": halves_fanout,
        "threads": threads_fanout,
        "pool": pool_fanout,
        "pyroutine": pyroutine_fanout,
        "go": in_go,
    },
    n=200_000,
    unit="ms",
    without=dict.fromkeys(
        ("asyncio", "uvloop", "gevent", "trio", "curio"),
        "computing is not given away by a coroutine: it is the serial loop",
    ),
    bars={"gmprt 1 P": 1.05 if GIL else 1 / 1.85},
)
