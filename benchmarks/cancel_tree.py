"""Cancel a tree of 1 + 10 + 100 contexts, where a goroutine waits at each of the 100: for a tree.

The root has ten children, each of them ten. What is awaited: that all hundred wait, or are just
about to; then, after the root was cancelled, that all hundred have ended. asyncio and curio have a
task group for the root and for each child, and tasks for leaves; trio has nurseries, and a cancel
scope for each leaf. Making the tree is part of it.

Does not show: cancelling a tree where nobody waits, nor a part of one.
"""

from time import perf_counter

from benchmarks.harness import Scenario, in_go

TEN = 10
LEAVES = TEN * TEN


def gmprt_cancel_tree(n: int) -> float:
    import gmprt
    from gmprt import context
    from gmprt.sync import WaitGroup

    def tree() -> None:
        waiting, ended = WaitGroup(), WaitGroup()

        def leaf(ctx: context.Context) -> None:
            done = ctx.done()
            waiting.done()
            done.recv_ok()

        waiting.add(LEAVES)
        root, cancel = context.with_cancel(context.background())
        for _ in range(TEN):
            child = context.with_cancel(root).ctx
            for _ in range(TEN):
                ended.go(leaf, context.with_cancel(child).ctx)
        waiting.wait()
        cancel()
        ended.wait()

    def main() -> float:
        tree()
        start = perf_counter()
        for _ in range(n):
            tree()
        return (perf_counter() - start) / n

    return gmprt.run(main)


async def asyncio_cancel_tree(n: int) -> float:
    import asyncio

    loop = asyncio.get_running_loop()

    async def tree() -> None:
        missing, all_wait = LEAVES, asyncio.Event()

        async def leaf() -> None:
            nonlocal missing
            missing -= 1
            if missing == 0:
                all_wait.set()
            await loop.create_future()

        async def child() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(TEN):
                    group.create_task(leaf())

        async def root() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(TEN):
                    group.create_task(child())

        task = asyncio.create_task(root())
        await all_wait.wait()
        task.cancel()
        await asyncio.wait([task])

    await tree()
    start = perf_counter()
    for _ in range(n):
        await tree()
    return (perf_counter() - start) / n


async def trio_cancel_tree(n: int) -> float:
    import trio

    async def tree() -> None:
        missing, all_wait = LEAVES, trio.Event()

        async def leaf() -> None:
            nonlocal missing
            missing -= 1
            if missing == 0:
                all_wait.set()
            with trio.CancelScope():
                await trio.sleep_forever()

        async def child() -> None:
            async with trio.open_nursery() as nursery:
                for _ in range(TEN):
                    nursery.start_soon(leaf)

        async with trio.open_nursery() as nursery:
            for _ in range(TEN):
                nursery.start_soon(child)
            await all_wait.wait()
            nursery.cancel_scope.cancel()

    await tree()
    start = perf_counter()
    for _ in range(n):
        await tree()
    return (perf_counter() - start) / n


async def curio_cancel_tree(n: int) -> float:
    import curio

    async def tree() -> None:
        missing, all_wait, never = LEAVES, curio.Event(), curio.Event()

        async def leaf() -> None:
            nonlocal missing
            missing -= 1
            if missing == 0:
                await all_wait.set()
            await never.wait()

        async def child() -> None:
            async with curio.TaskGroup() as group:
                for _ in range(TEN):
                    await group.spawn(leaf)

        async def root() -> None:
            async with curio.TaskGroup() as group:
                for _ in range(TEN):
                    await group.spawn(child)

        task = await curio.spawn(root)
        await all_wait.wait()
        await task.cancel()

    await tree()
    start = perf_counter()
    for _ in range(n):
        await tree()
    return (perf_counter() - start) / n


SCENARIO = Scenario(
    title="a tree of 100 leaves cancelled",
    contenders={
        "gmprt": gmprt_cancel_tree,
        "asyncio": asyncio_cancel_tree,
        "uvloop": asyncio_cancel_tree,
        "trio": trio_cancel_tree,
        "curio": curio_cancel_tree,
        "go": in_go,
    },
    n=100,
    fewer={"trio": 2, "curio": 2},
    without={
        "gevent": "has no tree of scopes: a group is killed as a list",
        "threads": "a thread cannot be cancelled",
        "pool": "what runs cannot be cancelled",
        "pyroutine": "has no cancellation",
    },
)
