"""The clock: seconds of `time.monotonic()`, and what a time-out argument means.

Everything in gmprt that waits measures on this one clock. A deadline is a float on it, or None
for "for ever"; `DONT_WAIT` is a deadline that has always passed.
"""

from math import inf, isnan
from time import monotonic as now

__all__ = ["DONT_WAIT", "deadline", "now"]

DONT_WAIT = -inf


def deadline(timeout: float | None) -> float | None:
    """Turn a time-out in seconds into a deadline.

    None and inf give None (wait for ever), zero and less give `DONT_WAIT`.
    Raises: ValueError for nan; TypeError for what is not a number.
    """
    if timeout is None:
        return None
    given: object = timeout
    if isinstance(given, str | bytes | bytearray):
        raise TypeError(f"timeout: seconds as a number, not {timeout!r}")  # float() would parse it
    seconds = float(timeout)
    if isnan(seconds):
        raise ValueError("timeout must not be nan")
    if seconds <= 0:
        return DONT_WAIT
    if seconds == inf:
        return None
    return now() + seconds
