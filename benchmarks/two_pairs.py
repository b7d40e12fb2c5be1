"""Four pairs that each pass n values over a channel of their own, on two Ps and on one.

Who talks to whom stays on one thread, so without the GIL two threads have two pairs each.

Does not show: pairs that the threads share, see `across`.
"""

from benchmarks._two_ps import ITSELF, on_two_and_on_one, together
from benchmarks.harness import GIL, Scenario

PAIRS = 4


def program(n: int) -> None:
    import gmprt

    def pair() -> None:
        ch = gmprt.Chan[int]()

        def sender() -> None:
            send = ch.send
            for i in range(n):
                send(i)

        g = gmprt.go(sender)
        recv = ch.recv
        for _ in range(n):
            recv()
        g.join()

    together(PAIRS, pair)


SCENARIO = Scenario(
    title="4 pairs, each over its own channel",
    contenders=on_two_and_on_one(program),
    n=20_000,
    unit="ms",
    without=ITSELF,
    bars={"gmprt 1 P": 1.10 if GIL else 1 / 1.8},
)
