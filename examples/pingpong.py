"""Two goroutines and a ball: what a round trip over unbuffered channels costs.

Each send waits for its receiver, so a round trip is two hand-overs and, on one P, two switches.

    python examples/pingpong.py 100000
"""

import argparse
import sys
import time

import gmprt
from gmprt import Chan


def ping(rounds: int, there: Chan[int], back: Chan[int]) -> int:
    """Serve; return how often the ball was hit back."""
    ball = 0
    for _ in range(rounds):
        there.send(ball)
        ball = back.recv()
    there.close()
    return ball


def pong(there: Chan[int], back: Chan[int]) -> None:
    """Hit back until the other side closes its channel."""
    for ball in there:
        back.send(ball + 1)


def play(rounds: int) -> int:
    """Run the match to its end; neither player outlives this call."""
    there, back = Chan[int](), Chan[int]()
    returning = gmprt.go(pong, there, back)
    serving = gmprt.go(ping, rounds, there, back)
    try:
        return serving.result()
    finally:
        returning.interrupt()  # a no-op for who is done
        serving.interrupt()
        returning.join()
        serving.join()


def show(rounds: int) -> None:
    """Play and print.

    Ctrl-C is raised here, in the main goroutine, wherever that is. So main makes one goroutine
    and waits. That one makes all others, and can be interrupted only where it waits: never
    between making a goroutine and remembering it.
    """
    match = gmprt.go(play, rounds)
    try:
        print(f"playing {rounds} round trips", flush=True)
        start = time.perf_counter()
        hits = match.result()
        print(f"{hits / (time.perf_counter() - start):.0f} round trips per second")
    finally:
        match.interrupt()
        match.join()


def natural(text: str) -> int:
    """Parse an argument that counts something: an int of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def main() -> int:
    parser = argparse.ArgumentParser(prog="pingpong", description="Time channel round trips.")
    parser.add_argument("rounds", metavar="N", nargs="?", type=natural, default=100_000)
    options = parser.parse_args()
    try:
        gmprt.run(show, options.rounds)
    except KeyboardInterrupt:
        return 130  # as a shell says of what SIGINT has ended
    return 0


if __name__ == "__main__":
    sys.exit(main())
