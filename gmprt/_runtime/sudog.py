"""Sudog: one goroutine's place in one queue of waiters; what ends its wait, and who may.

Invariants:
- A wait is ended once: by who claims the Sudog under its owner's lock or, for a wait on several
  things at once (select), by who pops the one token of its `Claim`.
- `why` is set by who has claimed it, before the goroutine is made ready.

Locks: none of its own; fields say whose they are.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from .rawobject import uncounted

if TYPE_CHECKING:
    from .stack import Stack

__all__ = [
    "CLOSED",
    "DEAD",
    "INTERRUPTED",
    "NOBODY",
    "NO_PARKING",
    "RETRY",
    "TIMED_OUT",
    "Claim",
    "Owner",
    "Signal",
    "Sudog",
    "take_out",
]


class Signal:
    """A named constant for `Sudog.why`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name
        uncounted(self)

    def __repr__(self) -> str:
        return self.name


TIMED_OUT: Final = Signal("TIMED_OUT")  # the wait's deadline passed
INTERRUPTED: Final = Signal("INTERRUPTED")  # G.interrupt: raise what is in G.attn
NO_PARKING: Final = Signal("NO_PARKING")  # in g0.attn
CLOSED: Final = Signal("CLOSED")  # the channel was closed
RETRY: Final = Signal("RETRY")  # claimed, then the value was gone: begin again


class Claim(list[None]):
    """The one token of a wait on several things: who pops it may end the wait.

    `list.pop` of the last item is atomic; the losers get IndexError.
    """

    __slots__ = ("winner",)
    winner: Sudog | None


DEAD: Final = uncounted(Claim())  # never has a token: the Sudog of an abandoned wait


class Owner(Protocol):
    """What a goroutine can wait on."""

    def dequeue(self, sg: Sudog) -> bool:
        """Take `sg` out of the queue; False if somebody else has claimed it. Any thread."""


class Sudog:
    """A goroutine's place in a queue of waiters (Go: runtime2.go sudog).

    A Stack keeps one for the plain waits of its goroutine. One that may still be referred to by
    a queue or a heap after its wait (time-out, interrupt, select) is dropped, never used again.
    """

    __slots__ = ("claim", "ctx", "elem", "index", "ok", "over", "owner", "stack", "timed", "why")
    stack: Stack  # [const] whose goroutine waits; `G` itself would be kept alive by an idle stack
    owner: Owner  # [own: M] what it waits on
    elem: Any  # [lock: owner] the value sent or received
    ok: bool  # [lock: owner] a value came, not the end of the channel
    claim: Claim | None  # [lock: owner] None: whoever finds it under the owner's lock has it
    index: int  # [own: M] select: number of the case
    why: Any  # [lock: owner] None: satisfied; else a Signal or the exception to raise
    timed: bool  # [own: M] it has an entry in the M's heap
    over: bool  # [own: M] a wait with a deadline has ended
    ctx: Any  # [own: M] the context that limits the wait, or None

    def __init__(self, stack: Stack | None) -> None:
        self.stack = stack  # type: ignore[assignment]  # None only where nobody is to be woken
        self.claim = None
        self.why = None
        self.elem = None
        self.owner = NOBODY
        self.timed = False
        self.over = False
        self.ctx = None


def take_out(queue: deque[Sudog], sg: Sudog) -> bool:
    """Take a waiter who gives up out of a queue; False if somebody has claimed it.

    Caller holds: the queue's lock.
    """
    try:
        queue.remove(sg)
    except ValueError:
        return False
    sg.claim = DEAD
    return True


class _Nobody:
    """The owner of a Sudog whose wait is over: keeps nothing alive, and nothing can be claimed."""

    __slots__ = ()

    def dequeue(self, sg: Sudog) -> bool:
        """Refuse."""
        return False


NOBODY: Final = uncounted(_Nobody())
