"""A worker pool: a fixed number of goroutines share the jobs of one channel.

    feed --jobs--> worker, several of them --results--> pool

Whoever is free takes the next job, and closing `jobs` tells all of them that there are no more.
If one fails, or on Ctrl-C, the group's context ends the waits of the others.

    python examples/worker_pool.py 30 --workers 4
"""

import argparse

from gmprt import Chan, RecvChan, SendChan
from gmprt.context import Context
from gmprt.errgroup import Group


def feed(limit: int, jobs: SendChan[int], ctx: Context) -> None:
    for number in range(1, limit + 1):
        jobs.send(number, ctx=ctx)
    jobs.close()


def worker(jobs: RecvChan[int], results: SendChan[tuple[int, int]], ctx: Context) -> None:
    for number in jobs.iter(ctx=ctx):
        results.send((number, collatz(number)), ctx=ctx)


def collatz(number: int) -> int:
    """Count the steps to 1: half of an even number, three times an odd one and 1."""
    return 0 if number == 1 else 1 + collatz(3 * number + 1 if number % 2 else number // 2)


def pool(limit: int, workers: int) -> dict[int, int]:
    """Do all the jobs; none of the goroutines outlives this call."""
    jobs, results = Chan[int](), Chan[tuple[int, int]]()
    with Group() as group:
        group.go(feed, limit, jobs, group.ctx)
        for _ in range(workers):
            group.go(worker, jobs, results, group.ctx)
        return dict(results.recv(ctx=group.ctx) for _ in range(limit))


def natural(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="worker_pool", description="Count Collatz steps.")
    parser.add_argument("limit", metavar="N", nargs="?", type=natural, default=30)
    parser.add_argument("--workers", metavar="W", type=natural, default=4)
    options = parser.parse_args()
    for number, steps in sorted(pool(options.limit, options.workers).items()):
        print(f"{number}: {steps}")
