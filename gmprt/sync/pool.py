"""Pool: objects kept for reuse until memory is collected."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

__all__ = ["Pool"]

T = TypeVar("T")

_pools: WeakSet[Pool[Any]] = WeakSet()
_watching_gc = False


class Pool(Generic[T]):
    """Keeps objects for reuse, as long as memory is no concern. Go: sync.Pool.

    What is kept over two full garbage collections unused is dropped.
    """

    __slots__ = ("__weakref__", "_items", "_new", "_victims")

    def __init__(self, new: Callable[[], T] | None = None) -> None:
        if new is not None and not callable(new):
            raise TypeError(f"Pool: a function to make an object, not {new!r}")
        global _watching_gc
        self._new = new  # [const]
        self._items: deque[T] = deque()  # [atomic: deque.append/pop]
        self._victims: deque[T] = deque()  # [atomic: deque.pop] those of before the last collection
        _pools.add(self)
        if not _watching_gc:
            _watching_gc = True
            gc.callbacks.append(_age_pools)

    def get(self) -> T:
        """Return one that was put, the newest first; else what `new()` makes, None without `new`.

        Blocks: no.
        """
        for items in (self._items, self._victims):
            try:
                return items.pop()
            except IndexError:
                pass
        return None if self._new is None else self._new()  # type: ignore[return-value]

    def put(self, item: T) -> None:
        """Keep `item`, which the caller no longer uses; None is ignored. Blocks: no."""
        if item is not None:
            self._items.append(item)

    def __repr__(self) -> str:
        return f"<Pool of {len(self._items) + len(self._victims)}>"


def _age_pools(phase: str, info: dict[str, int]) -> None:
    """Drop what no pool has used since the last full collection (gc.callbacks)."""
    if phase == "stop" and info["generation"] == 2:
        for pool in list(_pools):
            pool._victims = pool._items
            pool._items = deque()
