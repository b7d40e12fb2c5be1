"""Work in C that lets go of the GIL, unannounced: 16 goroutines, on two Ps and on one."""

from collections.abc import Callable

from benchmarks._two_ps import on_two_and_on_one, together
from benchmarks.harness import Scenario

GOROUTINES = 16


def gil_free(title: str, prepare: Callable[[], Callable[[], object]], n: int) -> Scenario:
    """Return the scenario of calling n times, in each goroutine, what `prepare()` has returned."""

    def program(n: int) -> None:
        work = prepare()

        def many() -> None:
            for _ in range(n):
                work()

        together(GOROUTINES, many)

    return Scenario(
        title=f"{title}, 16 goroutines",
        contenders=on_two_and_on_one(program),
        n=n,
        unit="ms",
        bars={"gmprt 1 P": 1 / 1.7},
    )
