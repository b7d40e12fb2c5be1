"""Go's test/chan/zerosize.go in Python: channels of what has no content."""

import pytest

from gmprt import Chan, go
from tests.conformance.parking import LONG


def test_values_without_content(procs):
    for empty in ((), "", b"", frozenset(), None):
        ch = Chan(2)
        ch.send(empty)
        ch.send(empty)
        assert len(ch) == 2
        assert ch.recv() == ch.recv() == empty


@pytest.mark.parametrize("cap", [0, 1])
def test_each_of_them_arrives_as_one(procs, cap):
    """None and what is false are values, and no end of the channel."""
    values = [(), "", b"", None, False, 0]
    ch = Chan(cap)

    def feed():
        for v in values:
            ch.send(v)
        ch.close()

    g = go(feed)
    assert [*map(repr, ch)] == [*map(repr, values)]
    assert g.join(LONG)
