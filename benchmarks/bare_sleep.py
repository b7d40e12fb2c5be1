"""n goroutines (100) each block their thread for 0.1 s and tell nobody: seconds until all are done.

The runtime has to notice, and to move what can be moved to another thread. An event loop can't:
asyncio and gevent would take n times 0.1 s, which is not worth the wait.

Does not show: blocking calls of goroutines that share their thread with started ones. Those wait.
"""

import time
from time import perf_counter

from benchmarks.harness import Scenario
from benchmarks.syscall_sleep import NAP, threads_syscall_sleep


def gmprt_bare_sleep(n: int) -> float:
    import gmprt

    def main() -> float:
        gmprt.go(gmprt.gosched).join()
        start = perf_counter()
        for g in [gmprt.go(time.sleep, NAP) for _ in range(n)]:
            g.result()
        return perf_counter() - start

    return gmprt.run(main)


SCENARIO = Scenario(
    title="100 x bare time.sleep(0.1), all of them",
    contenders={"gmprt": gmprt_bare_sleep, "threads": threads_syscall_sleep},
    n=100,
    unit="ms",
    limit=1.0,
)
