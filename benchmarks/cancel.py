"""Make a context that can be cancelled, and cancel it: what a request's own context costs.

Does not show: a tree of them, nor waits that are ended. The peers have nothing like it; the nearest
in asyncio, a scope that can be cancelled from outside, is a task.
"""

from time import perf_counter

from benchmarks.harness import Scenario


def gmprt_cancel(n: int) -> float:
    import gmprt
    from gmprt import context

    def main() -> float:
        parent = context.background()
        start = perf_counter()
        for _ in range(n):
            _ctx, cancel = context.with_cancel(parent)
            cancel()
        return (perf_counter() - start) / n

    return gmprt.run(main)


SCENARIO = Scenario(
    title="with_cancel + cancel",
    contenders={"gmprt": gmprt_cancel},
    n=100_000,
    limit=5e-6,
)
