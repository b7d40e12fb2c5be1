"""What a thief leaves alone, with no scheduler running. Go: runqgrab."""

import pytest

from gmprt._runtime import idle
from gmprt._runtime.p import P


@pytest.fixture
def meanwhile(monkeypatch):
    """Have something happen to a P while the thief waits."""
    todo = []
    monkeypatch.setattr(idle.time, "sleep", lambda seconds: [act() for act in todo])
    return todo


def test_the_newest_that_stays_may_be_stolen(meanwhile):
    pp = P(0)
    pp.runnext.append("newest")
    assert idle._lingers(pp)


def test_but_not_one_that_its_own_thread_has_taken(meanwhile):
    pp = P(0)
    assert not idle._lingers(pp)
    pp.runnext.append("newest")
    meanwhile.append(pp.runnext.pop)
    assert not idle._lingers(pp)


def test_nor_the_next_one(meanwhile):
    pp = P(0)
    pp.runnext.append("newest")
    meanwhile += [pp.runnext.pop, lambda: pp.runnext.append("its child")]
    assert not idle._lingers(pp)
