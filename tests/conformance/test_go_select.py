"""Go's test/chan/select.go in Python: what the cases of a select evaluate, and how often."""

import itertools

from gmprt import Chan, on_send, select


def test_values_are_evaluated_once_per_case_each_time(procs):
    counter, shift = itertools.count(), [0]

    def get_value():
        next(counter)
        return 1 << shift[0]

    def send(a, b):
        i = 0
        while True:
            j = select(on_send(a, get_value()), on_send(b, get_value()), default=True).index
            if j == -1:
                return i
            i += 1
            if j == 0:
                a = None
            else:
                b = None
            shift[0] += 1

    a, b = Chan(1), Chan(1)
    assert send(a, b) == 2
    assert a.recv() | b.recv() == 3
    assert send(a, None) == 1
    assert next(counter) == 10
