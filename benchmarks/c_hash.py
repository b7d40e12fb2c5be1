"""SHA-256 of 1 MB blocks, n of them by each of 16 goroutines, for all.

gmprt does it unannounced, on two Ps and on one; what the others do in its place is written in
`_gil_free`. What is awaited: all digests, which are dropped. Go's SHA-256 is its own, which takes
longer where it does not know the processor's instructions for it.

Does not show: short calls, which are over before anybody could help.
"""

from collections.abc import Callable

from benchmarks._gil_free import gil_free


def prepare() -> Callable[[], object]:
    import hashlib

    block = bytes(1_000_000)
    return lambda: hashlib.sha256(block).digest()


SCENARIO = gil_free("hashlib, 1 MB", prepare, 40)
