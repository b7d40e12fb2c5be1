"""Works for as long as its argument says: something for a trace line to show."""

import sys
import time

import gmprt


def worker(jobs, results) -> None:
    for job in jobs:
        results.send(sum(range(job)))


def main() -> None:
    end = time.monotonic() + float(sys.argv[1])
    jobs, results = gmprt.Chan(8), gmprt.Chan(8)
    workers = [gmprt.go(worker, jobs, results) for _ in range(4)]
    while time.monotonic() < end:
        for n in range(8):
            jobs.send(n * 100)
        for _ in range(8):
            results.recv()
        gmprt.sleep(0.001)
    jobs.close()
    for g in workers:
        g.join()


main()
