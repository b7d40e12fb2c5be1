"""What a thief leaves alone, with no scheduler running. Go: runqgrab."""

import time
from threading import get_ident

import pytest

from gmprt._runtime import idle
from gmprt._runtime.p import P


@pytest.fixture
def meanwhile(monkeypatch):
    """Have something happen to a P while the thief waits."""
    todo, here, really_sleep = [], get_ident(), time.sleep

    def sleep(seconds):
        if get_ident() != here:  # the runtime's threads have the same module
            really_sleep(seconds)
            return
        for act in todo:
            act()

    monkeypatch.setattr(idle.time, "sleep", sleep)
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
