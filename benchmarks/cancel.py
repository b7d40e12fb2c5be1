"""Make a context that can be cancelled, and cancel it: what a request's own context costs.

Nothing is awaited, nothing is collected. trio's counterpart is a `CancelScope`, which has to be
entered and left as well. The other peers have nothing like it; the nearest in asyncio, a scope that
can be cancelled from outside, is a task.

Does not show: a tree of them, nor waits that are ended.
"""

from time import perf_counter

from benchmarks.harness import Scenario, in_go


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


async def trio_cancel(n: int) -> float:
    import trio

    start = perf_counter()
    for _ in range(n):
        with trio.CancelScope() as scope:
            scope.cancel()
    return (perf_counter() - start) / n


SCENARIO = Scenario(
    title="with_cancel + cancel",
    contenders={"gmprt": gmprt_cancel, "trio": trio_cancel, "go": in_go},
    n=100_000,
    without={
        "asyncio": "cancels a task, not a scope",
        "uvloop": "cancels a task, not a scope",
        "gevent": "kills a greenlet, and has no scopes",
        "curio": "cancels a task, not a scope",
        "threads": "cannot be cancelled",
        "pool": "cancels only what has not begun",
        "pyroutine": "has no cancellation",
    },
    fewer={"trio": 4},
    limit=5e-6,
)
