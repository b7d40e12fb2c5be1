"""watch: warn when goroutines pile up, in production.

Looks every few seconds from a goroutine of its own, a daemon as all that gmprt makes for itself,
and says each thing once for each site: through `logging`, logger "gmprt.leaks", and the callback.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from .._runtime import G, count_leak_warning, deadline
from ..timer import Timer, after_func
from .check import living_gs
from .holders import explained
from .report import as_paragraphs

__all__ = ["Watch", "watch"]

_log = logging.getLogger("gmprt.leaks")
_PERIOD = 5.0  # seconds between two looks, at most

Callback = Callable[[str, str, str], object]


class Watch:
    """What `watch` returns."""

    def __init__(
        self, alive: int, per_site: int, blocked_for: float, callback: Callback | None
    ) -> None:
        self._alive = alive
        self._per_site = per_site
        self._blocked_for = blocked_for
        self._callback = callback
        self._said: set[tuple[str, str]] = set()  # [own: the goroutine that looks]
        self._stopped = False  # [any] set once
        self._period = min(_PERIOD, max(0.01, blocked_for / 4))
        self._timer: Timer = after_func(self._period, self._look)

    def stop(self) -> None:
        """Watch no more; a look that is under way is finished. Blocks: no."""
        self._stopped = True
        self._timer.stop()

    def _look(self) -> None:
        try:
            self._look_once()
        finally:
            self._timer.reset(self._period)
            if self._stopped:  # before, or just now
                self._timer.stop()

    def _look_once(self) -> None:
        gs = [gp for gp in living_gs() if not gp.daemon]
        by_site: dict[str, list[G[Any]]] = {}
        for gp in gs:
            by_site.setdefault(gp.created_at, []).append(gp)
        if len(gs) > self._alive:
            site, most = max(by_site.items(), key=lambda item: len(item[1]))
            self._say(
                site, "alive", most, f"{len(gs)} goroutines are alive, most of them from here: "
            )
        for site, mine in by_site.items():
            if len(mine) > self._per_site:
                self._say(site, "per_site", mine, f"{len(mine)} goroutines of one site are alive: ")
            long = [gp for gp in mine if gp.blocked_for > self._blocked_for]
            if long:
                self._say(site, "blocked_for", long, "blocked for long: ")

    def _say(self, site: str, kind: str, gs: list[G[Any]], head: str) -> None:
        """Warn, once for each site and kind."""
        if (site, kind) in self._said or self._stopped:
            return
        self._said.add((site, kind))
        count_leak_warning()
        text = head + "\n".join(as_paragraphs(explained(gs)))
        _log.warning("%s", text)
        if self._callback is not None:
            try:
                self._callback(site, kind, text)
            except Exception:  # then what is left of this look is said all the same
                _log.exception("the callback of leaks.watch has failed")

    def __repr__(self) -> str:
        state = "stopped" if self._stopped else f"every {self._period:g} s"
        return f"<leaks.Watch {state}, {len(self._said)} warnings>"


def _count(n: int, what: str) -> int:
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"watch: {what} is an int, not {n!r}")
    if n < 0:
        raise ValueError(f"watch: {what} must not be negative: {n}")
    return n


def watch(
    alive: int = 10_000,
    per_site: int = 1_000,
    blocked_for: float = 300.0,
    callback: Callback | None = None,
) -> Watch:
    """Warn when more than so many goroutines are alive, in all or of one site, or when one has been
    blocked for more than so many seconds.

    Once for each site and kind, through `logging` and by `callback(site, kind, text)`, with kind
    "alive", "per_site" or "blocked_for" and text the paragraph of a dump. Daemons do not count.
    Returns a handle with `stop()`. Blocks: no. Raises: TypeError and ValueError for wrong
    arguments.
    """
    if callback is not None and not callable(callback):
        raise TypeError(f"watch: a function to call, not {callback!r}")
    if deadline(blocked_for) is None:
        blocked_for = 3.0e8  # for ever: never said
    return Watch(_count(alive, "alive"), _count(per_site, "per_site"), float(blocked_for), callback)
