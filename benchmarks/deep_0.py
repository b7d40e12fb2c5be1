"""Ten yield to each other from their first functions: what `deep_50` and `deep_200` start from.

As in `yield_ten`, with one frame more. What is awaited: the end of all ten.

Does not show: depth, nor a switch after real work.
"""

from benchmarks._deep import deep

SCENARIO = deep(0, 200_000, {"trio": 2})
