"""n goroutines (100) each block their thread for 0.1 s and tell nobody: seconds until all are done.

The runtime has to notice, and to move what can be moved to another thread. An event loop can't: it
would take n times 0.1 s, which is not worth the wait. Go and pyroutine can't either, and have as
many asleep at a time as there are CPUs; Go only where the program goes past its library, which
announces every call. What is awaited: the end of each call. Nothing is collected.

Does not show: blocking calls of goroutines that share their thread with started ones. Those wait.
"""

import time
from time import perf_counter

from benchmarks.harness import Scenario, in_go
from benchmarks.syscall_sleep import NAP, pool_syscall_sleep, threads_syscall_sleep

STOPS = "a call that nobody announces stops the loop, and with it all others"


def gmprt_bare_sleep(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for g in [gmprt.go(time.sleep, NAP) for _ in range(n)]:
            g.result()
        return perf_counter() - start

    return gmprt.run(main)


def pyroutine_bare_sleep(n: int) -> float:
    import pyroutine

    def main() -> float:
        pyroutine.spawn(pyroutine.yield_).join()
        start = perf_counter()
        for task in [pyroutine.spawn(time.sleep, NAP) for _ in range(n)]:
            task.result()
        return perf_counter() - start

    return pyroutine.spawn(main).result()


SCENARIO = Scenario(
    title="100 x bare time.sleep(0.1), all of them",
    contenders={
        "gmprt": gmprt_bare_sleep,
        "threads": threads_syscall_sleep,
        "pool": pool_syscall_sleep,
        "pyroutine": pyroutine_bare_sleep,
        "go": in_go,
    },
    n=100,
    unit="ms",
    without=dict.fromkeys(("asyncio", "uvloop", "gevent", "trio", "curio"), STOPS),
    limit=1.0,
    rounds=3,
)
