"""Go's test/chan/select5.go in Python: one real operation in every surrounding of other cases.

Go generates a program for this; here a loop does. Its variants of where a received value is
assigned to are about Go's compiler: a select here returns it.
"""

import itertools

import pytest

from gmprt import Chan, on_recv, on_send, select


def test_one_real_operation_among_all_dummies(procs):
    """Every subset of dummy cases, the real one at every place among them, with and without
    default.
    """
    real, dummy = Chan(1), Chan()
    dummies = [on_send(dummy, 1), on_recv(dummy), on_send(None, 1), on_recv(None)]
    n = 0
    for size in range(len(dummies) + 1):
        for some in itertools.combinations(dummies, size):
            for at in range(size + 1):
                for default in (False, True):
                    n += 1
                    cases = [*some[:at], on_send(real, n), *some[at:]]
                    assert tuple(select(*cases, default=default)) == (at, None, True)
                    cases[at] = on_recv(real)
                    assert tuple(select(*cases, default=default)) == (at, n, True)
            assert select(*some, default=True).index == -1
            if some:
                with pytest.raises(TimeoutError):
                    select(*some, timeout=0)


def test_channels_and_values_are_evaluated_in_source_order(procs):
    order = []

    def at(n, value):
        order.append(n)
        return value

    c = Chan(1)
    c.send("v")
    select(
        on_recv(at(1, None)),
        on_send(at(2, None), at(3, "x")),
        on_recv(at(4, c)),
        on_send(at(5, Chan()), at(6, "y")),
    )
    assert order == [1, 2, 3, 4, 5, 6]
