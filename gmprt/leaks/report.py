"""What is told of goroutines that should not live any more: in words, as Go's text, as JSON.

Those of one leak are told of once: grouped by `go` statement, state, wait and stack. The reason is
given in words as far as it is known: how long, on what, who else could end the wait.

Locks: none held while user code (a `repr`) runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Any

from .._runtime import PACKAGE_DIR, G, Place, describe, place_of, places_of, told

__all__ = [
    "Group",
    "as_json",
    "as_paragraphs",
    "as_text",
    "in_words",
    "made_at",
    "make_groups",
    "say",
    "say_with_place",
]

_IDS_SHOWN = 10
_TEXT_MAX = 200


class Group:
    """Goroutines of one leak."""

    # No dataclass: that would import inspect and more at an exit. Without the GIL each class that
    # is made stops all threads, which takes long where they compute.
    __slots__ = ("gs", "note", "places", "stuck")

    def __init__(self, gs: list[G[Any]], places: list[Place] | None, stuck: bool) -> None:
        self.gs = gs  # the one that has waited longest first
        self.places = places  # where they stand, innermost first; None: cannot be seen
        self.stuck = stuck  # can provably never run again
        self.note = ""  # on the contexts of the first, see holders.py

    @property
    def first(self) -> G[Any]:
        """The one that has waited longest."""
        return self.gs[0]


def make_groups(gs: Iterable[G[Any]], stuck: Iterable[G[Any]] = ()) -> list[Group]:
    """Group goroutines by site, wait and stack, worst first: stuck, then many, then long."""
    chosen = list(gs)
    stuck_ids = {gp.id for gp in stuck}
    places = places_of(chosen)
    groups: dict[tuple[Any, ...], Group] = {}
    for gp in sorted(chosen, key=lambda gp: (-gp.blocked_for, gp.id)):
        at = places.get(gp)
        is_stuck = gp.id in stuck_ids
        key = (gp.created_at, gp.name, gp.wait_reason or gp.state, is_stuck, tuple(at or ()))
        group = groups.get(key)
        if group is None:
            groups[key] = Group([gp], at, is_stuck)
        else:
            group.gs.append(gp)
    return sorted(
        groups.values(),
        key=lambda group: (not group.stuck, -len(group.gs), -group.first.blocked_for),
    )


def say(thing: object) -> str:
    """Describe an object in one line, whatever its `repr` does."""
    try:
        text = repr(thing)
    except BaseException:  # a broken repr: the report must come
        text = object.__repr__(thing)
    text = " ".join(str.split(text))
    return text if len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 3] + "..."


def made_at(thing: object) -> str:
    """Return `file:line` of the code that made a channel, "" if it is none of the program's own."""
    code = told(thing, "made_in")
    if type(code) is not CodeType or code.co_filename.startswith(PACKAGE_DIR):
        return ""
    return place_of(code, thing.made_at)  # type: ignore[attr-defined]


def say_with_place(thing: object) -> str:
    """Describe an object in one line, and where it was made if that is known."""
    place = made_at(thing)
    return f"{say(thing)} made at {place}" if place else say(thing)


def _since(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes"


def in_words(group: Group) -> str:
    """Say why the goroutines of a group do not end."""
    gp = group.first
    reason = gp.wait_reason
    if not reason:
        return {
            "runnable": "ready to run",
            "running": "running",
            "syscall": "in a system call or a block that may block its thread",
        }.get(gp.state, gp.state) + (f"; {group.note}" if group.note else "")
    text = f"blocked for {_since(gp.blocked_for)} in {reason}"
    what = _waits_on(gp)
    if what:
        text += f" on {what}"
    if group.stuck:
        on = gp.waiting_on
        several = isinstance(on, tuple)
        if on is None or (several and not any(ch is not None for ch in on)):
            text += "; nothing can ever end that"
        else:
            who = "those channels" if several and len(on) > 1 else "it"
            text += f"; nobody else refers to {who}, so it can never go on"
    return f"{text}; {group.note}" if group.note else text


def _waits_on(gp: G[Any]) -> str | None:
    """Describe what a goroutine waits on: one object, or all the channels of a select."""
    on = gp.waiting_on
    if isinstance(on, tuple):
        return ", ".join("nil" if ch is None else say_with_place(ch) for ch in on)
    return None if on is None else say_with_place(on)


def as_paragraphs(groups: Sequence[Group]) -> list[str]:
    """Tell of each group: how many, which, why they do not end, and Go's text of the first."""
    texts = describe((group.first, group.places) for group in groups)
    return [
        f"{_who(group)}, {group.first.name}: {in_words(group)}\n\n{text}"
        for group, text in zip(groups, texts, strict=True)
    ]


def _who(group: Group) -> str:
    n = len(group.gs)
    ids = ", ".join(str(gp.id) for gp in group.gs[:_IDS_SHOWN])
    if n > _IDS_SHOWN:
        ids += f" and {n - _IDS_SHOWN} more"
    return f"goroutine {ids}" if n == 1 else f"{n} goroutines ({ids})"


def as_text(groups: Sequence[Group]) -> str:
    """Write groups as paragraphs, after a line with how many goroutines they are."""
    n = sum(len(group.gs) for group in groups)
    head = f"gmprt: {n} goroutine{'' if n == 1 else 's'} leaked\n"
    return "\n".join([head, *as_paragraphs(groups)])


def as_json(groups: Sequence[Group]) -> str:
    """Write groups as JSON (GMPRT_LEAKS_FILE)."""
    return json.dumps(
        {
            "leaked": sum(len(group.gs) for group in groups),
            "groups": [_as_dict(group) for group in groups],
        },
        indent=2,
    )


def _as_dict(group: Group) -> dict[str, Any]:
    gp = group.first
    return {
        "count": len(group.gs),
        "name": gp.name,
        "created_at": gp.created_at,
        "parent": gp.parent,
        "state": gp.state,
        "wait_reason": gp.wait_reason,
        "waiting_on": _waits_on(gp),
        "blocked_for": round(gp.blocked_for, 6),
        "stuck": group.stuck,
        "goroutines": [other.id for other in group.gs],
        "stack": [f"{function} {file}:{line}" for function, file, line in group.places or ()],
    }
