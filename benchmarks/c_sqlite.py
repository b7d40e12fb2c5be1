"""A query of sqlite3 that counts in C, n times by each of 16 goroutines, for all.

Each query has a connection of its own. gmprt does it unannounced, on two Ps and on one; what the
others do in its place is written in `_gil_free`. What is awaited: all results, which are dropped.

Does not show: a database that they share, whose locks they would wait for; a query that allocates a
row at a time, as counting to 100,000 by recursion does: SQLite's heap has one lock, and two plain
threads took 0.9 of serial for that.
"""

from collections.abc import Callable

from benchmarks._gil_free import gil_free

QUERY = """
with recursive c(x) as (select 1 union all select x + 1 from c where x < 600)
select sum(a.x * b.x % 7) from c a, c b
"""


def prepare() -> Callable[[], object]:
    import sqlite3

    def query() -> object:
        db = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            return db.execute(QUERY).fetchone()
        finally:
            db.close()

    return query


SCENARIO = gil_free("sqlite3", prepare, 4, without_go="has no SQLite in its library")
