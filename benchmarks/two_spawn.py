"""Four goroutines that each make and join n others, one by one, on two Ps and on one.

Without the GIL both Ps make goroutines; with it the second can only cost.

Does not show: those that are made on one P and run on the other.
"""

from benchmarks._two_ps import ITSELF, on_two_and_on_one, together
from benchmarks.harness import GIL, Scenario

MAKERS = 4


def program(n: int) -> None:
    import gmprt

    def nothing() -> None:
        pass

    def maker() -> None:
        go = gmprt.go
        for _ in range(n):
            go(nothing).join()

    together(MAKERS, maker)


SCENARIO = Scenario(
    title="4 goroutines, each makes and joins others",
    contenders=on_two_and_on_one(program),
    n=20_000,
    unit="ms",
    without=ITSELF,
    bars={"gmprt 1 P": 1.10 if GIL else 1 / 1.5},
)
