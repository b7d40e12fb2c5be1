"""What a channel's users name besides `Chan`: its two halves as types, and its exceptions."""

from __future__ import annotations

from ._runtime import RecvChan, SendChan

__all__ = ["ChanClosed", "EndOfChan", "RecvChan", "SendChan", "WouldBlock"]


class ChanClosed(RuntimeError):  # the contract's name
    """A send on, or a close of, a closed channel."""


class EndOfChan(ChanClosed):
    """A receive from a channel that is closed and drained."""


class WouldBlock(Exception):  # the contract's name
    """A `*_nowait` operation would have to wait."""
