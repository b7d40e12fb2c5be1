"""What the types of a program's values are: a channel's two halves, and a context.

All that a wait asks of a context is these four methods, so a class of one's own can be one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

__all__ = ["Context", "RecvChan", "SendChan"]

T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class Context(Protocol):
    """A deadline, a cancellation signal and values, handed down a tree of calls.

    Go: context.Context.
    """

    def done(self) -> RecvChan[Any] | None:
        """Return a channel that is closed when the context is done; None if it never is."""

    def err(self) -> BaseException | None:
        """Return None, and once `done()` is closed why: `Canceled` or `DeadlineExceeded`."""

    def deadline(self) -> float | None:
        """Return when it will be done at the latest, on the monotonic clock; None: no limit."""

    def value(self, key: Any, default: Any = None) -> Any:
        """Return what the context holds for `key`; keys compare by equality."""


class RecvChan(Protocol[T_co]):
    """The receiving half of a channel."""

    @property
    def cap(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    def recv(self, timeout: float | None = None, *, ctx: Context | None = None) -> T_co: ...
    def recv_ok(
        self, timeout: float | None = None, *, ctx: Context | None = None
    ) -> tuple[T_co | Any, bool]: ...
    def recv_nowait(self) -> T_co: ...
    def iter(
        self, timeout: float | None = None, *, ctx: Context | None = None
    ) -> Iterator[T_co]: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...


class SendChan(Protocol[T_contra]):
    """The sending half of a channel."""

    @property
    def cap(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    def send(
        self, v: T_contra, *, timeout: float | None = None, ctx: Context | None = None
    ) -> None: ...
    def send_nowait(self, v: T_contra) -> None: ...
    def close(self) -> None: ...
    def __len__(self) -> int: ...
