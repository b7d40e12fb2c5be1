"""Timer, Ticker, after, after_func: Go's timers, with the semantics of Go 1.23 and later.

A timer's channel looks unbuffered and never holds a stale value. It keeps its own clock: a receive
first looks whether the time has come (`poll`), so the timer is in a heap of the runtime only
while somebody waits on the channel. One that nobody waits on and nobody holds is therefore
garbage like anything else, stopped or not; and only timers somebody waits on count as pending.
`after_func`'s timer is always in a heap, which keeps it until it fires.

Invariants:
- A TimerChan is in its heap only while `waiters > 0` and `when` is set. Time, value and heap change
  under the channel's lock, so after `stop` or `reset` no value of before can come.
- `buf` holds at most one value; a tick that finds one there is dropped.

Locks: the channel's (rank CHAN), then the heap's (rank TIMER).

Go: time.go timer, maybeRunChan, blockTimerChan; sleep.go, tick.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from sys import _getframe
from typing import Any, ClassVar, ParamSpec

from ._runtime import (
    DONT_WAIT,
    Context,
    Rank,
    RecvChan,
    Spawn,
    Sudog,
    acquire,
    add_timer,
    check_ctx,
    deadline,
    del_timer,
    getm,
    make_lock,
    now,
    release,
)
from .chanends import DoneChan, ReadOnlyChan
from .hchan import wake
from .selectgo import on_recv, select

__all__ = ["Ticker", "Timer", "after", "after_func"]

P = ParamSpec("P")


def _when(d: float | None) -> float:
    """Turn a duration into a time; inf: never."""
    when = deadline(d)
    if when is None:
        return inf
    return now() if when is DONT_WAIT else when


class TimerChan(ReadOnlyChan[float]):
    """The channel of a timer, and the timer itself."""

    __slots__ = ("entry", "heap", "period", "waiters", "when")
    when: float | None  # [lock: lock] of the next value; None: stopped, or fired
    period: float  # [lock: lock] 0.0: one value only
    waiters: int  # [lock: lock] who wait on it
    heap: Any  # see HeapTimer
    entry: list[Any] | None

    timed: ClassVar[bool] = True

    def __init__(self, when: float, period: float) -> None:
        super().__init__(1)
        self.when = when
        self.period = period
        self.waiters = 0
        self.heap = self.entry = None

    @property
    def cap(self) -> int:
        """0: it looks unbuffered."""
        return 0

    def __len__(self) -> int:
        """Return 0: it looks unbuffered."""
        return 0

    def __repr__(self) -> str:
        when = self.when
        if when is None:
            return "<timer channel, stopped or fired>"
        every = f", every {self.period:g} s" if self.period else ""
        return f"<timer channel, due in {when - now():.3g} s{every}>"

    def _recv_slow(
        self, timeout: float | None, ctx: Context | None, wait: bool
    ) -> tuple[Any, bool]:
        self.poll()
        if not wait:
            return super()._recv_slow(timeout, ctx, wait)
        self.attend(1)  # also if there is a value: another may take it first
        try:
            return super()._recv_slow(timeout, ctx, wait)
        finally:
            self.attend(-1)

    def poll(self) -> None:
        """Give a value if its time has come."""
        acquire(self.lock)
        ready = self._poll_locked()
        release(self.lock)
        wake(ready)

    def _poll_locked(self) -> list[Sudog]:
        """Give a value if its time has come; returns whom to wake. Caller holds: lock."""
        when, moment = self.when, now()
        if when is None or moment < when:
            return []
        period = self.period
        self.when = when + period * (1 + (moment - when) // period) if period else None
        if not self.buf:
            if self.slots:
                self.slots.pop()  # receivers put it back
            self.buf.append(when)
        return self._settle_locked()

    def attend(self, n: int) -> None:
        """Count `n` more, or fewer, who wait; while there are any the timer is in a heap."""
        acquire(self.lock)
        self.waiters += n
        if self.waiters:
            self._arm_locked()
        else:
            del_timer(self)
        release(self.lock)

    def _arm_locked(self) -> None:
        """Have the runtime call `fire` at the time of the next value. Caller holds: lock."""
        if self.waiters and self.when is not None and self.when != inf:
            add_timer(getm(), self, self.when)

    def fire(self) -> None:
        """Give the value to who waits (see HeapTimer)."""
        acquire(self.lock)
        ready = self._poll_locked()
        self._arm_locked()
        release(self.lock)
        wake(ready)

    def set(self, when: float | None, period: float = 0.0) -> bool:
        """Change the time, None to stop; True if a value was still to come, or to be received."""
        acquire(self.lock)
        pending = self.when is not None
        try:
            self.buf.popleft()
            self.slots.append(None)
            pending = True
        except IndexError:
            pass
        self.when = when
        self.period = period
        del_timer(self)
        self._arm_locked()
        release(self.lock)
        return pending


class _FuncTimer:
    """The timer of `after_func`: starts its goroutine."""

    __slots__ = ("entry", "heap", "lock", "never", "spawn")

    def __init__(self, spawn: Spawn) -> None:
        self.heap: Any = None
        self.entry: list[Any] | None = None
        self.lock = make_lock(Rank.CHAN)  # [const] as a timer channel's
        self.spawn = spawn  # [const]
        self.never = False  # [lock: lock] set for a time that does not come

    def set(self, when: float | None) -> bool:
        """Change the time, None to stop; True if it was to fire."""
        mp = getm()
        acquire(self.lock)
        pending = del_timer(self) or self.never
        self.never = when == inf
        if when is not None and when != inf:
            add_timer(mp, self, when)
        release(self.lock)
        return pending

    def fire(self) -> None:
        """Start the goroutine (see HeapTimer)."""
        self.spawn.start()

    def __repr__(self) -> str:
        return f"<{self.spawn!r} later>"


class Timer:
    """Gives one value on `c`, after `d` seconds: when it was due, on the monotonic clock.

    As in Go since 1.23, that is not when it is received. Zero and less: at once. None and inf:
    never. Raises: ValueError for nan. Go: time.Timer.
    """

    __slots__ = ("__weakref__", "_timer", "c")
    c: RecvChan[float]  # [const] None for `after_func`'s

    def __init__(self, d: float | None) -> None:
        self._timer: TimerChan | _FuncTimer = TimerChan(_when(d), 0.0)
        self.c = self._timer

    def stop(self) -> bool:
        """Stop it; False if it has fired or was stopped. Blocks: no.

        After it no value can be received. `after_func`'s function may be running.
        """
        return self._timer.set(None)

    def reset(self, d: float | None) -> bool:
        """Let it fire `d` seconds from now instead; True if it had been pending. Blocks: no."""
        return self._timer.set(_when(d))

    def __repr__(self) -> str:
        return f"<Timer, {self._timer!r}>"


def after(d: float | None) -> RecvChan[float]:
    """Return a channel that gives one value after `d` seconds, as a Timer's. Go: time.After."""
    return TimerChan(_when(d), 0.0)


def after_func(
    d: float | None, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
) -> Timer:
    """Start `fn(*args, **kwargs)` as a goroutine in `d` seconds, whether the handle is kept or not.

    With the contextvars of the caller and as its child. `stop` prevents it, `reset` has it run
    (again). Blocks: no. Raises: TypeError if `fn` is not callable; ValueError for nan.
    Go: time.AfterFunc.
    """
    if not callable(fn):
        raise TypeError(f"after_func: a function to call, not {fn!r}")
    when = _when(d)
    timer = Timer.__new__(Timer)
    timer.c = None  # type: ignore[assignment]  # as Go's
    timer._timer = _FuncTimer(Spawn(_getframe(1), fn, args, kwargs))
    timer._timer.set(when)
    return timer


def _period(d: float, what: str) -> float:
    """Check a ticker's interval; inf: no ticks."""
    when = deadline(d)
    if when is DONT_WAIT:
        raise ValueError(f"non-positive interval for {what}")
    return inf if when is None else float(d)


class Ticker:
    """Gives the time on `c` every `d` seconds; a slow receiver misses ticks. Go: time.Ticker.

    Iterating it receives until `stop`; as a context manager it is stopped at the exit.
    Raises: ValueError for zero, less and nan.
    """

    __slots__ = ("__weakref__", "_stopped", "_timer", "c")
    c: RecvChan[float]  # [const] not closed by `stop`, as Go's

    def __init__(self, d: float) -> None:
        period = _period(d, "NewTicker")
        self._timer = TimerChan(now() + period, 0.0 if period == inf else period)
        self.c = self._timer
        self._stopped = DoneChan()  # [any] closed by `stop`: ends iterations

    def stop(self) -> None:
        """Stop it: no more ticks, and iterations end. Blocks: no."""
        self._timer.set(None)
        self._stopped.end()

    def reset(self, d: float) -> None:
        """Tick every `d` seconds from now on, also if it was stopped. Blocks: no.

        Raises: ValueError for zero, less and nan, and nothing changes.
        """
        period = _period(d, "Ticker.Reset")
        if self._stopped.closed:
            self._stopped = DoneChan()
        self._timer.set(now() + period, 0.0 if period == inf else period)

    def __iter__(self) -> Iterator[float]:
        """Receive ticks until `stop`."""
        return self._iter(None, None)

    def iter(self, timeout: float | None = None, *, ctx: Context | None = None) -> Iterator[float]:
        """Receive ticks until `stop`, each under the time-out and the context.

        Blocks: G. Raises: TimeoutError; the error of `ctx`; ValueError for nan and TypeError for
        what is not a context, at the call.
        """
        deadline(timeout)
        if ctx is not None:
            check_ctx(ctx)
        return self._iter(timeout, ctx)

    def _iter(self, timeout: float | None, ctx: Context | None) -> Iterator[float]:
        tick = on_recv(self.c)
        while True:
            stopped = self._stopped
            i, value, _ = select(tick, on_recv(stopped), timeout=timeout, ctx=ctx)
            if i == 1:
                return
            yield value

    def __enter__(self) -> Ticker:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Ticker, {self._timer!r}>"
