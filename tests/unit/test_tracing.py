"""What the trace hook of 3.11 does with what goes wrong in it."""

import sys

import pytest

from gmprt._runtime import getm, signals
from gmprt._runtime.giveway import ANSWERING
from gmprt._runtime.tracing import Tracing

LINE = 2


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there nobody uses it")
def test_an_exception_in_it_comes_to_the_code_that_it_has_interrupted(monkeypatch):
    mp, tracing = getm(), Tracing()

    def verdict(*_):
        raise LookupError

    def called_back():
        assert tracing._called_back(None, None, LINE, None) == 0
        for _ in range(1000):
            pass

    monkeypatch.setattr(tracing, "_verdict", verdict)
    mp.want = mp.tick
    with pytest.raises(LookupError):
        called_back()
    mp.want = -1


def test_signals_do_not_come_to_main_while_its_code_is_looked_at():
    mp = getm()
    here = sys._getframe()
    assert signals._in_mains_own_code(here)
    mp.want = ANSWERING
    try:
        assert not signals._in_mains_own_code(here)
    finally:
        mp.want = -1
