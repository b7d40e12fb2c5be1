"""Channels that only the runtime ends: what `G.ended`, timers and contexts' `done()` give out.

Invariant: `_make_ended` makes one channel a goroutine, whoever asks first.

Locks: `_ended_lock` (rank SYNC), for that. Go: the `<-chan` halves of these.
"""

from __future__ import annotations

from collections import deque
from typing import Any, TypeVar

from ._runtime import (
    Context,
    G,
    Rank,
    acquire,
    make_lock,
    release,
    set_make_ended,
    uncounted,
)
from .chan import Chan
from .chantypes import ChanClosed
from .hchan import next_number

__all__ = ["DoneChan", "ReadOnlyChan"]

T = TypeVar("T")


class ReadOnlyChan(Chan[T]):
    """A channel that the runtime hands out: receive-only, fed and closed by the runtime alone."""

    __slots__ = ()

    def send(self, v: T, *, timeout: float | None = None, ctx: Context | None = None) -> None:
        """Raise RuntimeError: the channel is receive-only."""
        raise RuntimeError("send on a receive-only channel")

    def send_nowait(self, v: T) -> None:
        """Raise RuntimeError: the channel is receive-only."""
        raise RuntimeError("send on a receive-only channel")

    def close(self) -> None:
        """Raise RuntimeError: the channel is receive-only."""
        raise RuntimeError("close of a receive-only channel")


class DoneChan(ReadOnlyChan[Any]):
    """What a context's `done()` returns. Nothing is ever sent, so they share the queue for that:
    half of the memory."""

    __slots__ = ()

    def __init__(self) -> None:
        self._cap = 0
        self._closed = False
        self.buf = self.slots = ()  # type: ignore[assignment]  # see HChan
        self.sendq = _NOTHING
        self.recvq = deque()
        self.hooks = None
        self.number = next_number()
        self.lock = make_lock(Rank.CHAN)

    def __bool__(self) -> bool:
        """Refuse: `if ctx.done():` would always be true."""
        raise TypeError("a context's done() is a channel; to ask whether it is done use ctx.err()")

    def end(self) -> None:
        """Close it, unless it is closed."""
        try:
            self._close()
        except ChanClosed:
            pass  # by who cancels, or by who has just made it: whoever came first


_NOTHING: deque[Any] = uncounted(deque())  # stays empty

_ended_lock = make_lock(Rank.SYNC)


def _make_ended(gp: G[Any]) -> ReadOnlyChan[None]:
    """Make `G.ended`, once: a channel that is closed when the goroutine is done."""
    acquire(_ended_lock)
    ch: ReadOnlyChan[None] | None = getattr(gp, "_chan", None)
    made = ch is None
    if ch is None:
        ch = gp._chan = ReadOnlyChan()
    release(_ended_lock)
    if made:
        gp.on_end(ch._close)
    return ch


set_make_ended(_make_ended)
