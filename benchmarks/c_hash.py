"""SHA-256 of 1 MB blocks, unannounced, on two Ps and on one.

Does not show: short calls, which are over before anybody could help.
"""

from collections.abc import Callable

from benchmarks._gil_free import gil_free


def prepare() -> Callable[[], object]:
    import hashlib

    block = bytes(1_000_000)
    return lambda: hashlib.sha256(block).digest()


SCENARIO = gil_free("hashlib, 1 MB", prepare, 40)
