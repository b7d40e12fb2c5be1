"""Receive from whichever of 64 channels has something, an item; a producer fills them in turn.

What is awaited, and what the peers have instead of a select, is as in `select_two`. The cases are
made once, as in `select_eight`, and by Go for its `reflect.Select`.

Does not show: the program that has so many channels, and would do better with one that all send to.
"""

from benchmarks._select import select_many

SCENARIO = select_many(64, "64", 10_000, {"pool": 2})
