"""What the types of a channel's users are: its two halves as protocols, and its exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

__all__ = ["ChanClosed", "EndOfChan", "RecvChan", "SendChan", "WouldBlock"]

T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class ChanClosed(RuntimeError):  # the contract's name
    """A send on, or a close of, a closed channel."""


class EndOfChan(ChanClosed):
    """A receive from a channel that is closed and drained."""


class WouldBlock(Exception):  # the contract's name
    """A `*_nowait` operation would have to wait."""


class RecvChan(Protocol[T_co]):
    """The receiving half of a channel."""

    @property
    def cap(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    def recv(self, timeout: float | None = None) -> T_co: ...
    def recv_ok(self, timeout: float | None = None) -> tuple[T_co | Any, bool]: ...
    def recv_nowait(self) -> T_co: ...
    def iter(self, timeout: float | None = None) -> Iterator[T_co]: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...


class SendChan(Protocol[T_contra]):
    """The sending half of a channel."""

    @property
    def cap(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    def send(self, v: T_contra, *, timeout: float | None = None) -> None: ...
    def send_nowait(self, v: T_contra) -> None: ...
    def close(self) -> None: ...
    def __len__(self) -> int: ...
