"""What is told at exit of the goroutines that are still alive (GMPRT_LEAKS, GMPRT_LEAKS_FILE)."""

from __future__ import annotations

from typing import Any

from .._runtime import G, to_stderr
from .holders import explained
from .reach import stuck_gs
from .report import as_json, as_text
from .sites import as_table, by_site

__all__ = ["report"]

_OBJECTS_MAX = 500_000  # an exit is not kept waiting for the proof about a larger heap


def report(leaked: list[G[Any]], file: str) -> None:
    """Write the dump to stderr, if there is a leak, and JSON to `file`, if it is named."""
    groups = explained(leaked, stuck_gs(_OBJECTS_MAX)) if leaked else []
    if leaked:
        sites = {gp.created_at for gp in leaked}
        table = as_table(row for row in by_site() if row.site in sites)
        to_stderr(f"{as_text(groups)}\n{table}")
    if file:
        try:
            with open(file, "w", encoding="utf-8") as out:
                out.write(as_json(groups) + "\n")
        except (OSError, ValueError) as exc:
            to_stderr(f"gmprt: GMPRT_LEAKS_FILE: {exc}\n")
