"""zlib over 1 MB, n times by each of 16 goroutines, for all.

gmprt does it unannounced, on two Ps and on one; what the others do in its place is written in
`_gil_free`. What is awaited: all results, which are dropped. Go's zlib is another one, in Go.

Does not show: short calls, which are over before anybody could help.
"""

from collections.abc import Callable

from benchmarks._gil_free import gil_free


def prepare() -> Callable[[], object]:
    import random
    import zlib

    block = random.Random(1).randbytes(1_000_000)
    return lambda: zlib.compress(block, 1)


SCENARIO = gil_free("zlib, 1 MB", prepare, 4)
