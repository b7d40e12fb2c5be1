"""Receive from whichever of eight channels has something, an item; a producer fills them in turn.

What is awaited, and what the peers have instead of a select, is as in `select_two`. But here the
cases are made once, as a program does that has them in a list.

Does not show: what a case that is never ready costs, nor a select that also sends.
"""

from benchmarks._select import select_many

SCENARIO = select_many(8, "eight", 20_000, {"pool": 5})
