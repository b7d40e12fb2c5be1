"""Creation sites: how many goroutines each `go` statement has made, and what became of them.

Counting begins when `gmprt.leaks` is imported, with those that live at that moment; until then a
`go` and an end pay one `is None` test each for it.

Invariants:
- A site is a code object and an instruction in it; `id(code) + lasti` names it, as an instruction
  lies within its code object, which the record keeps alive.
- A goroutine's birth is noted before it can run, and its end before it is done; so notes lie in
  `_notes` in the order of what has happened.

Locks: `_lock` (rank SYNC) for the table and all counts. To note takes none: whoever finds that
there are many notes enters them into the table, unless somebody does. Without the GIL a lock taken
at each birth and each end made eight threads wait for each other for most of their time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from types import CodeType
from typing import Any, NamedTuple

from .._runtime import (
    PACKAGE_DIR,
    G,
    GoroutineExit,
    Rank,
    acquire,
    living,
    make_lock,
    place_of,
    release,
    set_site_hooks,
)

__all__ = ["Site", "as_table", "by_site", "start_counting"]


class Site(NamedTuple):
    """What became of the goroutines that one `go` statement has made."""

    site: str  # file:line
    name: str  # of the function it started last
    spawned: int
    finished: int
    failed: int  # of those: ended by an exception that is no quiet end
    alive: int
    peak: int  # the most that were alive at once
    longest_wait: float  # seconds that the one of them waits now that has waited longest


class _Record:
    """The counts of a site."""

    __slots__ = ("alive", "code", "failed", "finished", "lasti", "name", "peak", "spawned")

    def __init__(self, code: CodeType, lasti: int) -> None:
        self.code = code  # [const]
        self.lasti = lasti  # [const]
        self.name = ""  # [lock: _lock]
        self.spawned = 0  # [lock: _lock]
        self.finished = 0  # [lock: _lock]
        self.failed = 0  # [lock: _lock]
        self.alive = 0  # [lock: _lock]
        self.peak = 0  # [lock: _lock]


_ENTER_AT = 256  # notes

_lock = make_lock(Rank.SYNC)
_records: dict[int, _Record] = {}  # [lock: _lock]
_early: set[int] | None = None  # [lock: _lock] ids counted while the counting begins
_notes: deque[tuple[int, CodeType, int, str | None, bool]] = deque()
"""Goroutine's id, its site's code and instruction; then of a birth the name, of an end None and
whether it has failed. [atomic: deque.append/popleft]"""


def _born(gp: G[Any]) -> None:
    """Note one that has just been made."""
    code = gp.code
    if code is not None:
        _notes.append((gp.id, code, gp.lasti, gp.name, False))
        if len(_notes) >= _ENTER_AT:
            _enter_some()


def _ended(gp: G[Any]) -> None:
    """Note one that is about to be done."""
    code = gp.code
    if code is not None:
        failed = gp.exc is not None and not isinstance(gp.exc, GoroutineExit)
        _notes.append((gp.id, code, gp.lasti, None, failed))
        if len(_notes) >= _ENTER_AT:
            _enter_some()


def _enter_some() -> None:
    """Enter what is noted into the table, unless somebody is doing that."""
    try:
        _lock.pop()
    except IndexError:
        return
    _enter()
    release(_lock)


def _enter() -> None:
    """Enter what is noted by now into the table. Caller holds: `_lock`."""
    for _ in range(len(_notes)):  # others go on noting
        try:
            goid, code, lasti, name, failed = _notes.popleft()
        except IndexError:
            return
        record = _records.get(id(code) + lasti)
        if name is None:
            if _early is not None and goid not in _early:
                _early.add(goid)  # it has ended before its birth was noted, which counts no more
            elif record is not None and record.alive:  # being made when the counting began
                record.finished += 1
                record.failed += failed
                record.alive -= 1
            continue
        if _early is not None:
            if goid in _early:
                continue
            _early.add(goid)
        if record is None:
            record = _records[id(code) + lasti] = _Record(code, lasti)
        record.name = name
        record.spawned += 1
        record.alive += 1
        if record.alive > record.peak:
            record.peak = record.alive


def start_counting() -> None:
    """Count from now on; those that live already count as spawned."""
    global _early
    _early = set()
    set_site_hooks(_born, _ended)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
    for gp in living():
        _born(gp)  # main has no site
    # Whoever is among those, and was made after the hooks were set, has been noted by them before.
    acquire(_lock)
    _enter()
    _early = None
    release(_lock)


def _after_fork() -> None:
    """In the child of a fork: whoever held the lock is gone, and all that was noted."""
    global _lock
    _lock = make_lock(Rank.SYNC)
    _notes.clear()


def by_site() -> list[Site]:
    """Return a row for each `go` statement that has made a goroutine, most alive first.

    Since `gmprt.leaks` was imported. A snapshot.
    """
    longest: dict[int, float] = {}
    for gp in living():
        if gp.code is not None:
            key = id(gp.code) + gp.lasti
            longest[key] = max(longest.get(key, 0.0), gp.blocked_for)
    acquire(_lock)
    _enter()
    rows = [
        Site(
            place_of(record.code, record.lasti),
            record.name,
            record.spawned,
            record.finished,
            record.failed,
            record.alive,
            record.peak,
            longest.get(key, 0.0),
        )
        for key, record in _records.items()
        if not record.code.co_filename.startswith(PACKAGE_DIR)  # what `watch` starts
    ]
    release(_lock)
    rows.sort(key=lambda row: (-row.alive, -row.spawned, row.site))
    return rows


def as_table(rows: Iterable[Site]) -> str:
    """Write rows as lines under a head, columns in line."""
    cells: list[tuple[str, ...]] = [("site", "name", *Site._fields[2:7], "longest wait")]
    cells += [(*map(str, row[:-1]), f"{row.longest_wait:.1f} s") for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for line in cells:
        left = [text.ljust(width) for text, width in zip(line[:2], widths[:2], strict=True)]
        right = [text.rjust(width) for text, width in zip(line[2:], widths[2:], strict=True)]
        lines.append("  ".join(left + right).rstrip() + "\n")
    return "".join(lines)
