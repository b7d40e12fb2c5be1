"""Chan: Go's channel. The receive-only ones that the runtime hands out are in chanends.py.

The invariants of a channel, and its lock, are in hchan.py. No user code runs under the lock: values
are only moved.

Go: chan.go chansend, chanrecv, closechan; differs: the lock-free path, time-outs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from sys import _getframe
from types import CodeType
from typing import Any, Generic, TypeVar

from ._runtime import (
    CLOSED,
    DONT_WAIT,
    NOBODY,
    TIMED_OUT,
    Context,
    G,
    Rank,
    Sudog,
    begin_limits,
    check_ctx,
    deadline,
    end_limits,
    getm,
    gopark,
    goready,
    lock_slow,
    look_at,
    make_lock,
    parked,
    raise_why,
    release,
    tls,
    unpark,
)
from .chantypes import ChanClosed, EndOfChan, WouldBlock
from .hchan import HChan, claimed, has_living, next_number, wake

__all__ = ["Chan"]

T = TypeVar("T")


class Chan(HChan, Generic[T]):
    """A channel of capacity `cap`; 0 makes sender and receiver meet.

    Raises: ValueError for `cap < 0`; TypeError if it is no int.
    """

    __slots__ = ()
    buf: deque[T]

    def __init__(self, cap: int = 0) -> None:
        if isinstance(cap, bool) or not isinstance(cap, int):
            raise TypeError(f"Chan: the capacity is an int, not {cap!r}")
        if cap < 0:
            raise ValueError(f"Chan: the capacity must not be negative: {cap}")
        self._cap = cap
        self._closed = False
        if cap:
            self.buf = deque()
            self.slots = deque([None]) * cap
        else:
            self.buf = self.slots = ()  # type: ignore[assignment]  # nothing is ever put there
        self.recvq = deque()
        self.sendq = deque()
        self.hooks = None
        self.number = next_number()
        self.lock = make_lock(Rank.CHAN)
        # Not the line, which would have to be looked up, nor the frame: 0.1 us.
        frame = _getframe(1)
        if frame.f_code is _ALIAS_CALL:
            frame = frame.f_back  # type: ignore[assignment]  # `Chan[int]()`: it was called
        self.made_in = frame.f_code
        self.made_at = frame.f_lasti

    @property
    def cap(self) -> int:
        """The capacity."""
        return self._cap

    @property
    def closed(self) -> bool:
        """Whether `close` has been called; there may still be values."""
        return self._closed

    # -- sending

    def send(self, v: T, *, timeout: float | None = None, ctx: Context | None = None) -> None:
        """Send `v`; waits while the buffer is full, or without a buffer until a receiver takes it.

        Blocks: G. Raises: ChanClosed if the channel is closed, also while waiting; TimeoutError or
        the error of `ctx`, and then nothing was sent.
        """
        slots = self.slots
        if timeout is None and ctx is None:
            if slots and not self.sendq:
                try:
                    slots.pop()
                except IndexError:
                    pass  # others were faster
                else:
                    if self._closed:
                        self._give_back()
                        raise ChanClosed("send on closed channel")
                    self.buf.append(v)
                    if self.recvq:
                        self._settle()
                    return
            elif not self._cap:
                # `_send_slow`, `release` and `goready` for the plain cases, written out: four calls
                # less (benchmarks/pingpong.py).
                lock = self.lock
                try:
                    lock.pop()
                except IndexError:
                    lock_slow(lock)
                recvq = self.recvq
                if self._closed:
                    release(lock)
                    raise ChanClosed("send on closed channel")
                if not recvq:
                    try:
                        mp = tls.m
                    except AttributeError:
                        mp = getm()
                    gp: G[Any] = mp.curg
                    sg = gp.stack.sudog  # type: ignore[union-attr]  # it runs
                    sg.owner = self
                    sg.elem = v
                    gp.waiting = sg
                    gp.since = mp.now
                    gp.reason = "chan send"
                    self.sendq.append(sg)
                    lock.append(None)
                    if parked:
                        unpark(lock)
                    gopark(mp, gp)
                    sg.owner = NOBODY
                    sg.elem = None
                    if sg.why is not None:
                        _send_failed(gp, sg)
                    return
                if recvq[0].claim is None:
                    sg = recvq.popleft()
                    sg.elem = v
                    sg.ok = True
                    lock.append(None)
                    if parked:
                        unpark(lock)
                    sp = sg.stack
                    gp = sp.g  # type: ignore[assignment]  # it has parked there
                    gp.reason = None
                    mp = sp.m
                    mp.readyq.append(gp)
                    if mp.idle:
                        mp.note.wake()
                    return
                release(lock)
        self._send_slow(v, timeout, ctx, True)

    def send_nowait(self, v: T) -> None:
        """Send `v` if that needs no waiting. Blocks: no. Raises: WouldBlock; ChanClosed."""
        self._send_slow(v, None, None, False)

    def _send_slow(self, v: T, timeout: float | None, ctx: Context | None, wait: bool) -> None:
        when = None if timeout is None else deadline(timeout)
        done = None if ctx is None else look_at(ctx)
        lock = self.lock
        try:
            lock.pop()
        except IndexError:
            lock_slow(lock)
        if self._closed:
            release(lock)
            raise ChanClosed("send on closed channel")
        recvq = self.recvq
        if not self._cap:
            while recvq:
                sg = recvq.popleft()
                if sg.claim is not None and not claimed(sg):
                    continue
                sg.elem = v
                sg.ok = True
                release(lock)
                goready(sg)
                return
        elif self.slots and not has_living(self.sendq):
            try:
                self.slots.pop()
            except IndexError:
                pass  # a fast sender took it
            else:
                self.buf.append(v)
                ready = self._settle_locked()
                release(lock)
                wake(ready)
                return
        if not wait:
            release(lock)
            raise WouldBlock("send would block")
        if when is DONT_WAIT:
            release(lock)
            raise TimeoutError("send timed out")
        try:
            mp = tls.m
        except AttributeError:
            mp = getm()
        gp = mp.curg
        limited = when is not None or done is not None
        sg = Sudog(gp.stack) if limited else gp.stack.sudog  # type: ignore[union-attr]
        sg.owner = self
        sg.elem = v
        gp.waiting = sg
        gp.since = mp.now
        gp.reason = "chan send"
        self.sendq.append(sg)
        ready = self._settle_locked() if self.slots else []  # a place may have come free
        lock.append(None)  # `release`, written out
        if parked:
            unpark(lock)
        if ready:
            wake(ready)
        if limited:
            begin_limits(mp, sg, when, ctx, done)
        gopark(mp, gp)
        sg.owner = NOBODY
        sg.elem = None
        if limited:
            end_limits(mp, sg, when, done)
        if sg.why is not None:
            _send_failed(gp, sg)

    # -- receiving

    def recv(self, timeout: float | None = None, *, ctx: Context | None = None) -> T:
        """Receive a value; waits until there is one.

        Blocks: G. Raises: EndOfChan if the channel is closed and drained; TimeoutError or the error
        of `ctx`, and then nothing was taken.
        """
        buf = self.buf
        if timeout is None and ctx is None:
            if buf and not self.recvq:
                try:
                    v = buf.popleft()
                except IndexError:
                    pass  # others were faster
                else:
                    self.slots.append(None)
                    if self.sendq or self._closed:
                        self._settle()
                    return v
            elif self.sendq and not self._cap:
                # As in `send`.
                lock = self.lock
                try:
                    lock.pop()
                except IndexError:
                    lock_slow(lock)
                sendq = self.sendq
                if sendq and sendq[0].claim is None:
                    sg = sendq.popleft()
                    v = sg.elem
                    sg.ok = True
                    lock.append(None)
                    if parked:
                        unpark(lock)
                    sp = sg.stack
                    gp: G[Any] = sp.g  # type: ignore[assignment]  # it has parked there
                    gp.reason = None
                    mp = sp.m
                    mp.readyq.append(gp)
                    if mp.idle:
                        mp.note.wake()
                    return v
                release(lock)
        value, ok = self._recv_slow(timeout, ctx, True)
        if not ok:
            raise EndOfChan("receive from closed channel")
        result: T = value
        return result

    def recv_ok(
        self, timeout: float | None = None, *, ctx: Context | None = None
    ) -> tuple[T | Any, bool]:
        """Receive a value as (value, True), or (None, False) at the end of the channel.

        Blocks: G. Raises: TimeoutError; the error of `ctx`.
        """
        return self._recv_slow(timeout, ctx, True)

    def recv_nowait(self) -> T:
        """Receive a value if there is one. Blocks: no. Raises: WouldBlock; EndOfChan."""
        value, ok = self._recv_slow(None, None, False)
        if not ok:
            raise EndOfChan("receive from closed channel")
        result: T = value
        return result

    def _recv_slow(
        self, timeout: float | None, ctx: Context | None, wait: bool
    ) -> tuple[Any, bool]:
        when = None if timeout is None else deadline(timeout)
        done = None if ctx is None else look_at(ctx)
        lock = self.lock
        try:
            lock.pop()
        except IndexError:
            lock_slow(lock)
        if not self._cap:
            sendq = self.sendq
            while sendq:
                sg = sendq.popleft()
                if sg.claim is not None and not claimed(sg):
                    continue
                v = sg.elem
                sg.ok = True
                release(lock)
                goready(sg)
                return v, True
            if self._closed:
                release(lock)
                return None, False
        else:
            buf = self.buf
            if buf and not has_living(self.recvq):
                try:
                    v = buf.popleft()
                except IndexError:
                    pass  # a fast receiver took it
                else:
                    self.slots.append(None)
                    ready = self._settle_locked()
                    release(lock)
                    wake(ready)
                    return v, True
            if self._closed and not buf and len(self.slots) == self._cap:
                release(lock)
                return None, False
        if not wait:
            release(lock)
            raise WouldBlock("receive would block")
        if when is DONT_WAIT:
            release(lock)
            raise TimeoutError("receive timed out")
        try:
            mp = tls.m
        except AttributeError:
            mp = getm()
        gp = mp.curg
        limited = when is not None or done is not None
        sg = Sudog(gp.stack) if limited else gp.stack.sudog  # type: ignore[union-attr]
        sg.owner = self
        gp.waiting = sg
        gp.since = mp.now
        gp.reason = "chan receive"
        self.recvq.append(sg)
        ready = []
        if self._cap and (self.buf or self._closed):
            ready = self._settle_locked()  # a value may have come meanwhile
        lock.append(None)  # `release`, written out
        if parked:
            unpark(lock)
        if ready:
            wake(ready)
        if limited:
            begin_limits(mp, sg, when, ctx, done)
        gopark(mp, gp)
        sg.owner = NOBODY
        v = sg.elem
        sg.elem = None
        if limited:
            end_limits(mp, sg, when, done)
        why = sg.why
        if why is not None:
            sg.why = None
            if why is CLOSED:
                return None, False
            if why is TIMED_OUT:
                raise TimeoutError("receive timed out")
            raise_why(gp, why)
        return v, True

    def __iter__(self) -> Iterator[T]:
        """Receive until the end of the channel. Go: range."""
        return self

    def __next__(self) -> T:
        buf = self.buf
        if buf and not self.recvq:
            try:
                v = buf.popleft()
            except IndexError:
                pass  # others were faster
            else:
                self.slots.append(None)
                if self.sendq or self._closed:
                    self._settle()
                return v
        value, ok = self._recv_slow(None, None, True)
        if not ok:
            raise StopIteration
        result: T = value
        return result

    def iter(self, timeout: float | None = None, *, ctx: Context | None = None) -> Iterator[T]:
        """Receive until the end of the channel, each receive under the time-out and the context,
        whose error is raised.

        Blocks: G. Raises: TimeoutError; the error of `ctx`; ValueError for nan and TypeError for
        what is not a context, at the call.
        """
        deadline(timeout)
        if ctx is not None:
            check_ctx(ctx)
        return self._iter(timeout, ctx)

    def _iter(self, timeout: float | None, ctx: Context | None) -> Iterator[T]:
        while True:
            value, ok = self._recv_slow(timeout, ctx, True)
            if not ok:
                return
            yield value

    # -- closing

    def close(self) -> None:
        """Close the channel: no more sends; receivers get what is buffered, then the end.

        Blocks: no. Raises: ChanClosed if it is closed already.
        """
        self._close()

    # -- the rest

    def __len__(self) -> int:
        """Return the number of buffered values."""
        return len(self.buf)

    def __bool__(self) -> bool:
        """A channel is true, also when empty."""
        return True

    def __repr__(self) -> str:
        closed = ", closed" if self._closed else ""
        return (
            f"<Chan {len(self.buf)}/{self._cap}, {len(self.sendq)} senders, "
            f"{len(self.recvq)} receivers{closed}>"
        )


def _send_failed(gp: G[Any], sg: Sudog) -> None:
    """Raise what has ended the wait of a sender without its value being taken."""
    why = sg.why
    sg.why = None
    if why is CLOSED:
        raise ChanClosed("send on closed channel")
    if why is TIMED_OUT:
        raise TimeoutError("send timed out")
    raise_why(gp, why)


_ALIAS_CALL: CodeType = type(Chan[int]).__call__.__code__  # typing's, which calls the class
