"""check and guard: no goroutine may outlive a piece of code, a test above all.

As goleak does: look, wait a little longer each time, look again, and only after about half a second
call what is left a leak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from types import MethodType
from typing import Any

from .._runtime import (
    G,
    GoroutineExit,
    all_living,
    current_g,
    deadline,
    living,
    main_g,
    now,
    places_of,
    sleep,
)
from .holders import explained
from .report import as_text

__all__ = [
    "Ignore",
    "LeakError",
    "check",
    "check_ignore",
    "check_within",
    "describe_leaks",
    "guard",
    "living_gs",
    "retry",
]

Ignore = G[Any] | Callable[..., Any] | str

_FIRST, _LAST = 0.0001, 0.1  # seconds between two looks: doubling from the one up to the other


class LeakError(AssertionError):
    """Goroutines are alive that should have ended; `leaked` lists them."""

    def __init__(self, message: str, leaked: list[G[Any]]) -> None:
        super().__init__(message)
        self.leaked = leaked


def living_gs() -> list[G[Any]]:
    """Return every goroutine that is not done, main and the caller left out, daemons included.

    By id. A snapshot. The contract's `leaks.living`.
    """
    return _others(living())


def _others(gs: list[G[Any]]) -> list[G[Any]]:
    """Leave main and the caller out, and sort by id."""
    here, main = current_g(), main_g()
    return sorted((gp for gp in gs if gp is not main and gp is not here), key=lambda gp: gp.id)


def check_ignore(ignore: Iterable[Ignore] | Ignore) -> tuple[Ignore, ...]:
    """Check what is to be ignored. Raises: TypeError."""
    things = (ignore,) if isinstance(ignore, str | G) or callable(ignore) else tuple(ignore)
    for thing in things:
        if not (isinstance(thing, str | G) or callable(thing)):
            raise TypeError(f"ignore: goroutines, functions and patterns, not {thing!r}")
    return things


def _unwrapped(fn: Any) -> Any:
    """Return the function behind partials and bound methods; asks no object of another class."""
    while True:
        if issubclass(type(fn), partial):
            fn = fn.func
        elif type(fn) is MethodType:
            fn = fn.__func__
        else:
            return fn


def _same(one: Any, other: Any) -> bool:
    """Tell whether two functions are one: those of C code are equal, but not the same object."""
    try:
        return one is other or bool(one == other)
    except Exception:  # a callable object whose comparison is broken
        return False


def _survivors(gs: list[G[Any]], ignore: tuple[Ignore, ...]) -> list[G[Any]]:
    """Leave out daemons and what is to be ignored."""
    gs = [gp for gp in gs if not gp.daemon]
    if not ignore or not gs:
        return gs
    own = {id(thing) for thing in ignore if isinstance(thing, G)}
    functions = [_unwrapped(thing) for thing in ignore if not isinstance(thing, str | G)]
    patterns = [thing for thing in ignore if isinstance(thing, str)]
    left = []
    places = places_of(gs) if patterns else {}
    for gp in gs:
        if id(gp) in own or any(_same(_unwrapped(gp.fn), fn) for fn in functions):
            continue
        names = [gp.name, gp.created_at, *(place[0] for place in places.get(gp) or ())]
        if any(fnmatchcase(name, pattern) for name in names for pattern in patterns):
            continue
        left.append(gp)
    return left


def _leaked_now(ignore: tuple[Ignore, ...], before: set[int]) -> list[G[Any]]:
    """Look once: who lives that was not there before and is not to be ignored."""
    return _survivors([gp for gp in _others(all_living()) if gp.id not in before], ignore)


def retry(ignore: tuple[Ignore, ...], before: set[int], within: float) -> list[G[Any]]:
    """Look again and again until nobody is left, or for `within` seconds. Blocks: G."""
    end = now() + within
    step = _FIRST
    while True:
        left = _leaked_now(ignore, before)
        rest = end - now()
        if not left or rest <= 0:
            return left
        sleep(min(step, rest))
        step = min(step * 2, _LAST)


def check_within(within: float) -> float:
    """Check the time for retries. Raises: ValueError for nan; TypeError for no number."""
    when = deadline(within)
    if when is None:
        raise ValueError("within: a number of seconds, not for ever")
    return max(0.0, float(within))


def describe_leaks(left: list[G[Any]]) -> str:
    """Tell of goroutines that are left: the text of a LeakError."""
    return as_text(explained(left)).rstrip()


def check(ignore: Iterable[Ignore] | Ignore = (), within: float = 0.5) -> None:
    """Raise LeakError if a goroutine is alive, other than main, the caller, daemons and `ignore`.

    Looks again for up to `within` seconds before it calls one a leak. `ignore`: goroutines,
    functions (their own), and globs that match a goroutine's name, its `created_at`, or any
    `module.func` of its stack. Blocks: G. Raises: LeakError; TypeError and ValueError for wrong
    arguments.
    """
    left = retry(check_ignore(ignore), set(), check_within(within))
    if left:
        raise LeakError(describe_leaks(left), left)


@contextmanager
def guard(ignore: Iterable[Ignore] | Ignore = (), within: float = 0.5) -> Iterator[None]:
    """Do as `check`, at the end of the block, for the goroutines made inside it.

    Where the block raises, that goes on, with the leaks as a note. Blocks: G, at the end.
    """
    things, seconds = check_ignore(ignore), check_within(within)
    before = {gp.id for gp in living()}
    try:
        yield
    except GoroutineExit:
        raise
    except BaseException as exc:
        left = retry(
            things, before, min(seconds, 0.1) if not isinstance(exc, Exception) else seconds
        )
        if left:
            exc.add_note(describe_leaks(left))
        raise
    left = retry(things, before, seconds)
    if left:
        raise LeakError(describe_leaks(left), left)
