"""A rate limiter: so many requests a second, and a few at once after a quiet time.

    ticker --> refill --permits--> serve

The buffer of the channel is the bucket: it is full at first, the ticker adds a permit at a time,
and what does not fit is lost. Leaving `with` stops the ticker, which ends the goroutine.

    python examples/rate_limiter.py 8 --rate 5 --burst 3
"""

import argparse
import sys
import time

from gmprt import Chan, SendChan, Ticker, WouldBlock
from gmprt.errgroup import Group


def refill(ticker: Ticker, permits: SendChan[None]) -> None:
    """Add a permit at every tick, until the ticker is stopped."""
    for _ in ticker:
        try:
            permits.send_nowait(None)
        except WouldBlock:
            pass  # the bucket is full


def serve(requests: int, rate: float, burst: int) -> None:
    """Serve each request once there is a permit for it."""
    permits = Chan[None](burst)
    for _ in range(burst):
        permits.send(None)
    start = time.monotonic()
    with Group() as group, Ticker(1 / rate) as ticker:
        group.go(refill, ticker, permits)
        for request in range(1, requests + 1):
            permits.recv(ctx=group.ctx)
            print(f"request {request} at {time.monotonic() - start:.3f} s", flush=True)


def natural(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="rate_limiter", description="Serve at a steady rate.")
    parser.add_argument("requests", metavar="N", nargs="?", type=natural, default=8)
    parser.add_argument("--rate", metavar="R", type=natural, default=5, help="requests a second")
    parser.add_argument("--burst", metavar="B", type=natural, default=3, help="permits to save up")
    try:
        serve(**vars(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says of what SIGINT has ended
