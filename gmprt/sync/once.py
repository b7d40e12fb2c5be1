"""Once, once_func, once_value: what is done a single time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import Generic, ParamSpec, TypeVar

from .._runtime import GROUND
from .mutex import Mutex

__all__ = ["Once", "once_func", "once_value"]

P = ParamSpec("P")
T = TypeVar("T")


class Once:
    """Calls one function once. Go: sync.Once."""

    __slots__ = ("__weakref__", "_done", "_mutex")

    def __init__(self) -> None:
        self._done = False  # [any] set once
        self._mutex = Mutex()

    def do(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call `fn(*args, **kwargs)` if this is the first call of `do`; else wait until it is done.

        A function that raises counts as done: its caller gets the exception, the others nothing.
        Called again from within `fn` it waits for itself. Blocks: G.
        Raises: TypeError if `fn` is not callable.
        """
        if not callable(fn):
            raise TypeError(f"Once.do: a function to call, not {fn!r}")
        if self._done:
            return
        with self._mutex:
            if not self._done:
                try:
                    fn(*args, **kwargs)
                finally:
                    self._done = True

    def __repr__(self) -> str:
        return f"<Once {'done' if self._done else 'not done'}>"


class _OnceValue(Generic[T]):
    """What `once_value` and `once_func` return."""

    def __init__(self, fn: Callable[[], T], what: str) -> None:
        if not callable(fn):
            raise TypeError(f"{what}: a function to call, not {fn!r}")
        self._fn: Callable[[], T] | None = fn
        self._once = Once()
        self._exc: BaseException | None = None
        self._traceback: TracebackType | None = None
        functools.update_wrapper(self, fn)

    def _call(self) -> None:
        fn = self._fn
        self._fn = None  # not needed again, nor what it holds
        try:
            self._value = fn()  # type: ignore[misc]  # called once
        except BaseException as exc:
            self._exc = exc
            self._traceback = exc.__traceback__
            del self.__wrapped__  # type: ignore[attr-defined]  # set by update_wrapper
            raise
        del self.__wrapped__  # type: ignore[attr-defined]

    def __call__(self) -> T:
        if not self._once._done:
            self._once.do(self._call)
        exc = self._exc
        if exc is not None:
            try:
                raise exc.with_traceback(self._traceback)
            finally:
                del exc
        return self._value


# They call what may compute, and hold no lock of the runtime meanwhile: it is preempted there.
GROUND.update((Once.do.__code__, _OnceValue._call.__code__, _OnceValue.__call__.__code__))


def once_func(fn: Callable[[], object]) -> Callable[[], None]:
    """Return a function that calls `fn` at its first call only; the others wait until it is done.

    If `fn` raises, each call raises that exception. Blocks: G. Go: sync.OnceFunc.
    """
    if not callable(fn):
        raise TypeError(f"once_func: a function to call, not {fn!r}")

    @functools.wraps(fn)
    def call() -> None:
        fn()

    GROUND.add(call.__code__)  # type: ignore[attr-defined]  # `wraps` returns it
    return _OnceValue(call, "once_func")


def once_value(fn: Callable[[], T]) -> Callable[[], T]:
    """Return a function that calls `fn` at its first call, and returns its value at every call.

    If `fn` raises, each call raises that exception. Blocks: G. Go: sync.OnceValue.
    """
    return _OnceValue(fn, "once_value")
