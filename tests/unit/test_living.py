"""Who lives, where a single look may miss one that is on its way."""

from types import SimpleNamespace

import pytest

from gmprt import Chan, go, gosched
from gmprt._runtime import debug


@pytest.fixture
def parked():
    """A goroutine that waits."""
    ch = Chan()
    g = go(ch.recv)
    while g.state != "waiting":
        gosched()
    yield g
    ch.close()
    g.join()


def looks_find(monkeypatch, *found):
    looks = iter(found)
    monkeypatch.setattr(debug, "living", lambda: next(looks))


@pytest.mark.parametrize("which", range(3))
def test_one_that_two_looks_miss_is_found(monkeypatch, parked, which):
    """A thief has it in its hands meanwhile."""
    monkeypatch.setattr(debug, "sched", SimpleNamespace(allm=[SimpleNamespace(idle=False)]))
    looks_find(monkeypatch, *([parked] if n == which else [] for n in range(3)))
    assert debug.all_living() == [parked]


def test_one_look_is_enough_while_nobody_else_is_awake(monkeypatch, parked):
    monkeypatch.setattr(debug, "sched", SimpleNamespace(allm=[SimpleNamespace(idle=True)]))
    looks_find(monkeypatch, [])
    assert debug.all_living() == []


def test_one_that_has_ended_since_is_left_out(monkeypatch):
    g = go(int)
    g.join()
    looks_find(monkeypatch, [g], [g], [g])
    assert debug.all_living() == []
