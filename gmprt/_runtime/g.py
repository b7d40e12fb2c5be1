"""G: one goroutine.

A G is small and, until it starts, tied to nothing: it has no stack and no home, and can move to
any P. Once started (`stack` is set) it lives on one M for good, because a greenlet runs only on
the thread that started it. The G that `go` returns is the goroutine's handle as well.

Invariants:
- `joinq` is None exactly when the goroutine is done; value and failure are set before.
- Each park is ended by exactly one entry in the home M's `readyq`. Who may make that entry is
  settled by claiming the Sudog: under its owner's lock, or, for a wait on several things at once
  (select), by popping the one token of its `Claim`.
- `reason` is None unless parked or about to park; whoever makes the G ready clears it.

Locks: none of its own. Joining is lock-free: see `G._wait_done`.

Rejected: a lock a G (memory, 0.13 us a park); an `__init__` (0.2 us a spawn before 3.13); `__del__`
on every G to notice lost exceptions (0.15 us each): only a G that failed turns into a `FailedG`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from .clock import DONT_WAIT, deadline, now
from .lock import PACKAGE_DIR
from .protocols import Context as CancelContext
from .protocols import RecvChan
from .sudog import DEAD, NOBODY, TIMED_OUT, Sudog

if TYPE_CHECKING:
    from .m import M
    from .stack import Stack

__all__ = [
    "FailedG",
    "G",
    "GoroutineExit",
    "ThreadG",
    "code_of",
    "place_of",
    "set_make_ended",
    "set_verbs",
    "told",
]

T_co = TypeVar("T_co", covariant=True)


class GoroutineExit(BaseException):
    """Ends a goroutine quietly: what `goexit` and `G.interrupt` raise in it."""


# The verbs that a G's own methods need, handed down by park.py and chanends.py.
_tls: Any
_getm: Callable[[], M]
_gopark: Callable[[M, G[Any]], None]
_interrupt: Callable[[G[Any], Any], None]
_raise_why: Callable[[G[Any], Any], None]
_raise_signals: Callable[[M], None]
_look_at: Callable[[Any], Any]
_begin_limits: Callable[[M, Sudog, float | None, Any, Any], None]
_end_limits: Callable[[M, Sudog, float | None, Any], None]
_make_ended: Callable[[G[Any]], Any]


def set_verbs(
    tls: Any,
    getm: Callable[[], M],
    gopark: Callable[[M, G[Any]], None],
    interrupt: Callable[[G[Any], Any], None],
    raise_why: Callable[[G[Any], Any], None],
    raise_signals: Callable[[M], None],
    look_at: Callable[[Any], Any],
    begin_limits: Callable[[M, Sudog, float | None, Any, Any], None],
    end_limits: Callable[[M, Sudog, float | None, Any], None],
) -> None:
    """Take the verbs that park.py hands down."""
    global _tls, _getm, _gopark, _interrupt, _raise_why, _raise_signals
    global _look_at, _begin_limits, _end_limits
    _tls, _getm, _gopark, _interrupt = tls, getm, gopark, interrupt
    _raise_why, _raise_signals = raise_why, raise_signals
    _look_at, _begin_limits, _end_limits = look_at, begin_limits, end_limits


def set_make_ended(make: Callable[[G[Any]], Any]) -> None:
    """Name what makes `G.ended` channels; called by chanends.py."""
    global _make_ended
    _make_ended = make


class G(Generic[T_co]):
    """A goroutine, and the handle that `go` returns for it.

    Dropping the handle does not end the goroutine. All methods may be called from any goroutine
    and any thread.
    """

    __slots__ = (
        "__weakref__",
        "_chan",
        "_daemon",
        "_name",
        "args",
        "asked",
        "attn",
        "code",
        "ctx",
        "exc",
        "fn",
        "id",
        "joinq",
        "kwargs",
        "lasti",
        "m",
        "parent",
        "reason",
        "since",
        "stack",
        "value",
        "waiting",
    )

    id: int  # [const] goid
    fn: Callable[..., Any]  # [const]
    args: tuple[Any, ...]  # [own: M] dropped when done
    kwargs: dict[str, Any] | None  # [own: M] None when empty
    ctx: Context | None  # [own: M] dropped when done
    code: CodeType | None  # [const] where the `go` statement stands
    lasti: int  # [const] its instruction
    parent: int  # [const] goid of the creator, 0 for a foreign thread
    stack: Stack | None  # [own: M] None until it starts and once it is done
    m: M  # [own: M] home, set at the start
    joinq: list[Sudog] | None  # [atomic: list.append/pop] who waits for the end, or is called at
    # it: those have a `claim`, no `stack`, and `elem` is what to call; None: done
    attn: Any  # [any] None, or the exception of an interrupt to come
    reason: str | None  # [any] why parked; None when ready or running
    waiting: Sudog  # [own: M] the newest wait, valid while `reason` is set
    since: float  # [own: M] when it began
    value: Any  # [own: M] set before done
    exc: BaseException | None  # [own: M] set before done
    asked: bool  # [any] somebody has taken the exception
    _name: str  # [any] set by the user
    _daemon: bool  # [any]
    _chan: Any  # [lock: SYNC, chanends.py] G.ended, once made

    # -- what a goroutine tells of itself

    @property
    def name(self) -> str:
        """The `__qualname__` of its function unless set; for dumps."""
        try:
            return self._name
        except AttributeError:
            return qualname(self.fn)

    @name.setter
    def name(self, value: str) -> None:
        self._name = str(value)

    @property
    def daemon(self) -> bool:
        """Whether it is meant to live as long as the program: then it is no leak.

        Unless set, only those are that the runtime makes for itself.
        """
        try:
            return self._daemon
        except AttributeError:
            code = self.code
            return code is not None and code.co_filename.startswith(PACKAGE_DIR)

    @daemon.setter
    def daemon(self, value: bool) -> None:
        self._daemon = bool(value)

    @property
    def created_at(self) -> str:
        """`file:line` of the `go` statement; "" for main."""
        code = self.code
        return "" if code is None else place_of(code, self.lasti)

    @property
    def state(self) -> str:
        """One of idle, runnable, running, syscall, waiting, dead. A snapshot."""
        if self.joinq is None:
            return "dead"
        reason = getattr(self, "reason", None)
        if reason is not None:
            return "syscall" if reason == "syscall" else "waiting"
        if self.stack is None:
            return "runnable"
        mp = self.m
        if mp.curg is not self:
            return "runnable"
        return "syscall" if mp.incall else "running"

    @property
    def wait_reason(self) -> str:
        """Why it waits, in Go's words; "" when it does not."""
        reason = getattr(self, "reason", None)
        return "" if reason is None or reason == "syscall" or self.joinq is None else reason

    @property
    def waiting_on(self) -> Any:
        """The object it waits on (select: a tuple of channels); None when it does not wait."""
        if not self.wait_reason:
            return None
        owner = self.waiting.owner
        return getattr(owner, "waits_on", owner)

    @property
    def blocked_for(self) -> float:
        """For how many seconds it has been waiting; 0.0 when it is not."""
        return max(0.0, now() - self.since) if self.wait_reason else 0.0

    def done(self) -> bool:
        """Tell whether it has ended: by return, exception or `goexit`."""
        return self.joinq is None

    def __repr__(self) -> str:
        state = self.wait_reason or self.state
        return f"<G {self.id} {self.name} [{state}]>"

    # -- waiting for it

    def join(self, timeout: float | None = None, *, ctx: CancelContext | None = None) -> bool:
        """Wait until it is done; False at the time-out.

        Neither raises the goroutine's exception nor counts as asking for it.
        Blocks: G. Raises: RuntimeError for oneself; ValueError for nan; the error of `ctx`.
        """
        if timeout is None and ctx is None:
            # `_wait_done`, written out: two calls less (benchmarks/spawn_join.py).
            q = self.joinq
            if q is None:
                return True
            try:
                mp = _tls.m
            except AttributeError:
                mp = _getm()
            gp = mp.curg
            if gp is not self and not mp.foreign:
                sg = gp.stack.sudog
                sg.owner = self
                gp.waiting = sg
                gp.since = mp.now
                gp.reason = "join"
                q.append(sg)
                if self.joinq is None and self.dequeue_from(q, sg):
                    gp.reason = None
                    sg.owner = NOBODY
                    return True
                _gopark(mp, gp)
                sg.owner = NOBODY
                if sg.why is not None or mp.sigs:
                    del self, q
                    if sg.why is not None:
                        _raise_why(gp, sg.why)
                    _raise_signals(mp)
                return True
        try:
            return self._wait_done(timeout, ctx)
        except BaseException:
            del self  # see _wait_or_raise
            raise

    def result(self, timeout: float | None = None, *, ctx: CancelContext | None = None) -> T_co:
        """Wait until it is done and return its value, or raise its exception.

        None after `goexit`. Blocks: G.
        Raises: TimeoutError; the error of `ctx`; RuntimeError for oneself.
        """
        try:
            if timeout is None and ctx is None:
                self.join()
            else:
                self._wait_or_raise(timeout, ctx)
        except BaseException:
            del self
            raise
        exc = self.exc
        if exc is not None and not isinstance(exc, GoroutineExit):
            self.asked = True
            # Each raise starts from the traceback that the goroutine itself left, kept in `value`.
            traceback = self.value
            try:
                raise exc.with_traceback(traceback)
            finally:
                del exc, traceback, self  # the traceback holds this frame
        value: T_co = self.value
        return value

    def exception(
        self, timeout: float | None = None, *, ctx: CancelContext | None = None
    ) -> BaseException | None:
        """Wait until it is done and return its exception, or None.

        The GoroutineExit after a quiet end. Blocks: G.
        Raises: TimeoutError; the error of `ctx`; RuntimeError for oneself.
        """
        try:
            self._wait_or_raise(timeout, ctx)
        except BaseException:
            del self
            raise
        if self.exc is not None:
            self.asked = True
        return self.exc

    @property
    def ended(self) -> RecvChan[None]:
        """A receive-only channel that is closed when the goroutine is done; made when asked for."""
        ended: RecvChan[None] = _make_ended(self)
        return ended

    def interrupt(self, exc: BaseException | type[BaseException] = GoroutineExit) -> None:
        """Raise `exc` in the goroutine at its current or next park point.

        A wait that is already satisfied keeps its value; a goroutine that has not started never
        runs; in a system call it comes after the return; a second interrupt before the first has
        arrived replaces it; no-op when done. Blocks: no.
        Raises: TypeError if `exc` is no class or instance of BaseException.
        """
        if not (
            isinstance(exc, BaseException)
            or (isinstance(exc, type) and issubclass(exc, BaseException))
        ):
            raise TypeError(f"interrupt: a class or instance of BaseException, not {exc!r}")
        _interrupt(self, exc)

    def _wait_or_raise(self, timeout: float | None, ctx: CancelContext | None) -> None:
        """Wait for the end. Raises: TimeoutError, and what else ends the wait.

        The traceback of what is raised must not keep the goroutine alive: an exception of its own
        would be reported late.
        """
        try:
            done = self._wait_done(timeout, ctx)
        except BaseException:
            del self
            raise
        if not done:
            text = f"goroutine {self.id} has not ended in time"
            del self
            raise TimeoutError(text)

    def _wait_done(self, timeout: float | None, ctx: CancelContext | None) -> bool:
        """Wait for the end; False at the time-out.

        Lock-free: who waits appends itself, then looks whether the goroutine is done; who ends
        sets `joinq` to None, then pops the waiters. If both see each other, the pop or the remove
        of that one entry, each atomic, settles who wakes it.
        """
        when = None if timeout is None else deadline(timeout)
        done = None if ctx is None else _look_at(ctx)
        q = self.joinq
        if q is None:
            return True
        mp = _getm()
        gp = mp.curg
        if gp is self or (mp.foreign and gp.caller is self):  # type: ignore[attr-defined]
            raise RuntimeError(f"goroutine {self.id} cannot wait for its own end")
        if when is DONT_WAIT:
            return False
        limited = when is not None or done is not None
        sg = Sudog(gp.stack) if limited else gp.stack.sudog  # type: ignore[union-attr]
        sg.owner = self
        gp.waiting = sg
        gp.since = mp.now
        gp.reason = "join"
        q.append(sg)
        if self.joinq is None and self.dequeue_from(q, sg):
            gp.reason = None
            sg.owner = NOBODY
            return True
        if limited:
            _begin_limits(mp, sg, when, ctx, done)
        _gopark(mp, gp)
        sg.owner = NOBODY
        if limited:
            _end_limits(mp, sg, when, done)
        why = sg.why
        if why is not None:
            if why is TIMED_OUT:
                return self.joinq is None
            del self, q
            _raise_why(gp, why)
        if mp.sigs:
            del self, q
            _raise_signals(mp)
        return True

    def on_end(self, callback: Callable[[], object]) -> None:
        """Call `callback` once when it is done, at once if it is. Internal: never user code."""
        sg = Sudog(None)
        sg.claim = DEAD
        sg.elem = callback
        q = self.joinq
        if q is None:
            callback()
            return
        q.append(sg)
        if self.joinq is None and self.dequeue_from(q, sg):
            callback()

    def dequeue(self, sg: Sudog) -> bool:
        """Take a waiter for the end out (see Owner)."""
        q = self.joinq
        return q is not None and self.dequeue_from(q, sg)

    @staticmethod
    def dequeue_from(q: list[Sudog], sg: Sudog) -> bool:
        """Take `sg` out of `q`; False if the ending goroutine already has."""
        try:
            q.remove(sg)
        except ValueError:
            return False
        return True


class FailedG(G[T_co]):
    """What a G becomes when it ends with an exception: one whose last handle is watched.

    Same layout, so `__class__` can be set; `__del__` costs nothing to those that do not fail.
    """

    __slots__ = ()
    lost: ClassVar[Callable[[G[Any]], None]]  # set once by failures.py

    def __del__(self) -> None:
        type(self).lost(self)  # not by name: the module may be gone already


class ThreadG(G[Any]):
    """What stands for a thread that is not running a goroutine: foreign, or in a system call.

    It waits on its M's note alone. `caller` is the goroutine whose system call it is. One is the
    g0 of each M: `curg` between the end of a goroutine and the next, when finalisers of what that
    held may run; its `attn` is NO_PARKING.
    """

    __slots__ = ("caller",)
    caller: G[Any] | None

    def __repr__(self) -> str:
        return f"<thread, in a call of {self.caller!r}>" if self.caller else "<thread>"


def qualname(fn: Any) -> str:
    """Name a callable: its `__qualname__`, a partial's is its function's."""
    for _ in range(20):
        name = told(fn, "__qualname__")
        inner = told(fn, "func")
        if name is not None or inner is None:
            break
        fn = inner
    return name if type(name) is str else type(fn).__qualname__


def told(thing: Any, attribute: str) -> Any:
    """Return what an object of the user's says; None where it has no such attribute or is broken:
    a name for a dump is not worth an exception."""
    try:
        return getattr(thing, attribute, None)
    except Exception:
        return None


def code_of(fn: Any) -> Any:
    """Return what a callable has in common with others that do the same: its code, or its class.

    Nothing of the program's is called for that: the scheduler asks.
    """
    while type(fn) is partial:
        fn = fn.func
    if type(fn) is MethodType:
        fn = fn.__func__
    if type(fn) is FunctionType:
        return fn.__code__
    return fn if type(fn) is BuiltinFunctionType else type(fn)


def place_of(code: CodeType, lasti: int) -> str:
    """Return `file:line` of an instruction, given as `frame.f_lasti`."""
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            break
    else:
        line = code.co_firstlineno
    return f"{code.co_filename}:{line}"
