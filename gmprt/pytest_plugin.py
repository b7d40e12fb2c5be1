"""The pytest plugin: a test that leaves goroutines behind is told so, or fails.

`--goroutine-leaks=error|warn|off` (or `goroutine_leaks` in the configuration): an error at the
test's teardown, a warning (the default), nothing. `@pytest.mark.goroutine_leaks(ignore=...,
within=...)` says for one test which may be left, and for how many seconds to wait for the others;
with `off=True` nobody looks. Where several apply, all `ignore` count, and otherwise the nearest to
the test. A test that has failed is not looked at.

Looked at are the goroutines born during the test, its function-scoped fixtures included. Those of
fixtures with a wider scope live as long as these.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable
from typing import Any, NamedTuple

import pytest

from .leaks.check import (
    Ignore,
    LeakError,
    check_ignore,
    check_within,
    describe_leaks,
    living_gs,
    retry,
)

__all__ = ["GoroutineLeakWarning"]

_MODES = ("error", "warn", "off")
_before = pytest.StashKey[set[int]]()
_marked = pytest.StashKey["_Marked"]()
_failed = pytest.StashKey[bool]()


class GoroutineLeakWarning(UserWarning):
    """A test has left goroutines behind (`--goroutine-leaks=warn`)."""


class _Marked(NamedTuple):
    """What a marker says, or all those of a test."""

    ignore: Iterable[Ignore] | Ignore = ()
    within: float | None = None
    off: bool | None = None


def _marks_of(item: pytest.Item) -> _Marked:
    """Put a test's markers together. Raises: TypeError and ValueError for wrong ones."""
    ignore: list[Ignore] = []
    within = off = None
    for mark in item.iter_markers("goroutine_leaks"):  # the nearest first
        mine = _Marked(*mark.args, **mark.kwargs)
        ignore += check_ignore(mine.ignore)
        if within is None and mine.within is not None:
            within = check_within(mine.within)
        off = mine.off if off is None else off
    return _Marked(ignore, 0.5 if within is None else within, bool(off))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and its like in the configuration."""
    parser.getgroup("gmprt").addoption(
        "--goroutine-leaks",
        choices=_MODES,
        default=None,
        help="what to do when a test leaves goroutines behind (default: warn)",
    )
    parser.addini("goroutine_leaks", "as --goroutine-leaks: error, warn or off", default="warn")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; refuse a wrong setting."""
    config.addinivalue_line(
        "markers",
        "goroutine_leaks(ignore=(), within=0.5, off=False): which goroutines may be left behind, "
        "for how long to wait for the others, or not to look",
    )
    if _mode(config) not in _MODES:
        raise pytest.UsageError(f"goroutine_leaks: error, warn or off, not {_mode(config)!r}")


def _mode(config: pytest.Config) -> str:
    return str(config.getoption("goroutine_leaks") or config.getini("goroutine_leaks"))


def _living() -> set[int]:
    return {gp.id for gp in living_gs()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Note who lives before the test; refuse a wrong marker."""
    if _mode(item.config) != "off":
        try:
            item.stash[_marked] = _marks_of(item)
        except (TypeError, ValueError) as exc:
            raise pytest.UsageError(f"{item.nodeid}: goroutine_leaks: {exc}") from exc
        item.stash[_before] = _living()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
    """Take the goroutines of fixtures with a wider scope as having been there before."""
    item = getattr(request, "_pyfuncitem", None)
    known = None if item is None else item.stash.get(_before, None)
    if known is None or fixturedef.scope == "function":
        return (yield)
    before = _living()
    result = yield
    known |= _living() - before
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a test has failed: then it is no wonder if it leaves something behind."""
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Look who is left, once the test's own fixtures have ended."""
    result = yield
    before = item.stash.get(_before, None)
    if before is None or _failed in item.stash:
        return result
    ignore, within, off = item.stash[_marked]
    if off:
        return result
    left = retry(check_ignore(ignore), before, within or 0.0)
    if left:
        text = f"{item.nodeid}\n{describe_leaks(left)}"
        if _mode(item.config) == "error":
            raise LeakError(text, left)
        warnings.warn(GoroutineLeakWarning(text), stacklevel=1)
    return result
