"""64 goroutines, each n turns of a pure Python loop, on two Ps and on one: seconds for all.

With the GIL the second P can only cost; without it, it should halve the time. `serial` is the same
work in one loop, and `2 threads` shares it between two, with no runtime at all: what the machine
gives just then. A busy one has no second CPU to give, and the number means nothing.

Does not show: goroutines that share objects, where even without the GIL two threads get in each
other's way, nor more than two CPUs. A number of a function's code is such an object, too, if it is
large and the code was compiled before the first thread began: CPython 3.13 then counts references
to it in one place. With 0xFFFF for 0x7F two plain threads took 0.8 of serial, where a copy of the
function for each took 0.55; so the loop has small numbers, which nobody counts.
"""

from time import perf_counter

from benchmarks.harness import GIL, Scenario

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


def gmprt_fanout_2p(n: int) -> float:
    return fan_out(n, 2)


def gmprt_fanout_1p(n: int) -> float:
    return fan_out(n, 1)


def serial_fanout(n: int) -> float:
    start = perf_counter()
    for _ in range(GOROUTINES):
        burn(n)
    return perf_counter() - start


def threads_fanout(n: int) -> float:
    from threading import Thread

    def half() -> None:
        for _ in range(GOROUTINES // 2):
            burn(n)

    start = perf_counter()
    threads = [Thread(target=half) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return perf_counter() - start


SCENARIO = Scenario(
    title="64 goroutines of pure Python, all of them",
    contenders={
        "gmprt 2 Ps": gmprt_fanout_2p,
        "gmprt 1 P": gmprt_fanout_1p,
        "serial": serial_fanout,
        "2 threads": threads_fanout,
    },
    n=200_000,
    unit="ms",
    bars={"gmprt 1 P": 1.10 if GIL else 0.56},
)
