"""Exceptions nobody asked for: a claim, whoever makes it first, is the one report."""

import gc

import pytest

import gmprt
from gmprt import go
from gmprt._runtime import failures
from gmprt._runtime.sched import sched
from tests.support import wait_until


@pytest.fixture
def reported(monkeypatch):
    """What the hook is called with."""
    texts = []
    monkeypatch.setattr(gmprt, "excepthook", lambda g, exc: texts.append(str(exc)))
    return texts


def failed(text):
    def fail():
        raise ValueError(text)

    g = go(fail)
    g.join()
    return g


def leave_to_sysmon(g):
    """As the collector's finaliser does in the middle of the runtime."""
    assert sched.failed.pop(g.id)
    failures._leave_to_sysmon(g)


def test_the_exit_reports_what_a_goroutine_was_started_for(reported):
    """sysmon has had the report made, and the program ends before that runs."""
    g = failed("left")
    leave_to_sysmon(g)
    failures.report_all()
    failures.report_all()
    failures._report_unreported(g.id)
    assert reported == ["left"]


def test_sysmon_has_it_reported(reported):
    leave_to_sysmon(failed("left"))
    sched.sysmon_note.wake()
    wait_until(lambda: reported, "it is reported")
    failures.report_all()
    assert reported == ["left"]


def test_the_exit_reports_what_is_still_held(reported):
    g = failed("held")
    failures.report_all()
    del g
    gc.collect()
    assert reported == ["held"]


def test_what_was_asked_for_leaves_nothing_behind(reported):
    g = failed("asked")
    g.exception()
    goid = g.id
    assert goid in sched.failed
    del g
    gc.collect()
    wait_until(lambda: goid not in sched.failed, "it is forgotten")
    assert reported == []


def test_a_hook_may_let_another_fail(monkeypatch):
    """Its report is made in the middle of the first."""
    texts = []

    def hook(g, exc):
        texts.append(str(exc))
        if len(texts) < 3:
            failed(f"again {len(texts)}")

    monkeypatch.setattr(gmprt, "excepthook", hook)
    failed("first")
    wait_until(lambda: len(texts) == 3, "all are reported")
    assert texts == ["first", "again 1", "again 2"]
    assert not sched.reporting
