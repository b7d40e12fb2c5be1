"""One program on one P, and on two: what the second is good for."""

from collections.abc import Callable
from time import perf_counter

from benchmarks.harness import PEERS, Contender

ITSELF = dict.fromkeys(PEERS, "gmprt is compared with itself")  # why no peer takes part


def together(n: int, worker: Callable[[], object]) -> None:
    """Run `worker` in n goroutines, to their end."""
    import gmprt

    for g in [gmprt.go(worker) for _ in range(n)]:
        g.result()


def on_two_and_on_one(program: Callable[[int], object]) -> dict[str, Contender]:
    """Return the contenders that time `program(n)`, run as main with so many Ps."""

    def timed(procs: int) -> Contender:
        def contender(n: int) -> float:
            import gmprt

            def main() -> float:
                gmprt.go(gmprt.gosched).join()
                start = perf_counter()
                program(n)
                return perf_counter() - start

            return gmprt.run(main, procs=procs)

        return contender

    return {"gmprt 2 Ps": timed(2), "gmprt 1 P": timed(1)}
