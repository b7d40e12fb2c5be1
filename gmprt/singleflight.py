"""singleflight: one call at a time for each key; who comes meanwhile gets its result too.

Invariants:
- A call is in `_calls` from its start until its function has ended or it is forgotten; who finds
  one there waits for it.

Locks: `_mutex`, a lock for goroutines, because keys are hashed and compared under it.

Go: golang.org/x/sync/singleflight.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

from ._runtime import GROUND, GoroutineExit, goexit
from .sync import Mutex, WaitGroup
from .sync.queue import lock_surely

__all__ = ["Group", "Shared"]

P = ParamSpec("P")
T = TypeVar("T")


class Shared(NamedTuple, Generic[T]):
    """The value of a call, and whether it was given to more than one caller."""

    value: T
    shared: bool


class _Call:
    """A call under way."""

    __slots__ = ("dups", "exc", "traceback", "value", "wg")

    def __init__(self) -> None:
        self.wg = WaitGroup()  # [const]
        self.wg.add(1)
        self.dups = 0  # [lock: Group._mutex] how many wait for it
        self.value: Any = None  # [own] set before `wg` is done
        self.exc: BaseException | None = None  # [own] likewise
        self.traceback: TracebackType | None = None  # [own] its first one


class Group:
    """Calls, each known by a key. Go: singleflight.Group."""

    __slots__ = ("__weakref__", "_calls", "_mutex")

    def __init__(self) -> None:
        self._mutex = Mutex()
        self._calls: dict[Hashable, _Call] = {}  # [lock: _mutex]

    def do(
        self, key: Hashable, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Shared[T]:
        """Return the value of `fn(*args, **kwargs)`, or that of the call under way for `key`.

        An exception is raised to all callers. If the call ends by `goexit` or an interrupt the
        goroutines that wait for it end likewise; main and foreign threads get a RuntimeError.
        Blocks: G. Raises: TypeError if `fn` is not callable or `key` not hashable.
        """
        if not callable(fn):
            raise TypeError(f"singleflight: a function to call, not {fn!r}")
        with self._mutex:
            call = self._calls.get(key)
            if call is None:
                call = self._calls[key] = _Call()
                first = True
            else:
                call.dups += 1
                first = False
        if first:
            self._run(key, call, fn, args, kwargs)
        else:
            call.wg.wait()
        return _outcome(call, first)

    def _run(
        self,
        key: Hashable,
        call: _Call,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        """Make the call; whatever it ends with is for all."""
        try:
            call.value = fn(*args, **kwargs)
        except BaseException as exc:
            call.exc = exc
            call.traceback = exc.__traceback__
        interrupt = lock_surely(self._mutex)  # who wait must be told, whatever comes
        try:
            if self._calls.get(key) is call:
                del self._calls[key]
        finally:
            self._mutex.unlock()
            call.wg.done()
        if interrupt is not None:
            raise interrupt

    def forget(self, key: Hashable) -> None:
        """Have the next `do` for `key` call its function, though one may be under way."""
        with self._mutex:
            self._calls.pop(key, None)

    def __repr__(self) -> str:
        return f"<singleflight.Group, {len(self._calls)} calls under way>"


# They call what may compute, and hold no lock of the runtime meanwhile: it is preempted there.
GROUND.update((Group.do.__code__, Group._run.__code__))


def _outcome(call: _Call, first: bool) -> Shared[Any]:
    exc = call.exc
    if exc is None:
        return Shared(call.value, call.dups > 0)
    if not first and isinstance(exc, GoroutineExit):
        goexit()
    try:
        raise exc.with_traceback(call.traceback)
    finally:
        del exc, call
