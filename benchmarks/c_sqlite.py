"""A query of sqlite3 that counts in C, each goroutine over a connection of its own, on two Ps and
on one.

Does not show: a database that they share, whose locks they would wait for.
"""

from collections.abc import Callable

from benchmarks._gil_free import gil_free

QUERY = """
with recursive c(x) as (select 1 union all select x + 1 from c where x < 100000)
select sum(x) from c
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


SCENARIO = gil_free("sqlite3", prepare, 4)
