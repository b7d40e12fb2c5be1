"""select: wait on several channel operations, take exactly one.

First every case is tried in random order, each under its own channel's lock; that settles a select
that need not wait. Otherwise all channels are locked in the order of their numbers, looked at once
more, and if still none is ready a Sudog is queued on each, all sharing one Claim. Whoever pops its
token has chosen the case; afterwards the other Sudogs are taken out again.

Invariants:
- A waiting select is claimed once; the others that find its Sudogs pass over them.
- Nothing is sent or taken when it ends by time-out, context or interrupt.

Locks: those of the channels (rank CHAN), several at once in the order of `Chan.number`.

Go: select.go selectgo; differs: the tries without all the locks (a case that is ready at its own
moment may be chosen), time-outs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from ._runtime import (
    CLOSED,
    DEAD,
    DONT_WAIT,
    NOBODY,
    RETRY,
    TIMED_OUT,
    Claim,
    Context,
    Sudog,
    acquire,
    begin_limits,
    deadline,
    end_limits,
    getm,
    gopark,
    goready,
    look_at,
    raise_why,
    rand,
    release,
    shuffled,
    take_out,
)
from .chan import Chan
from .chanends import ReadOnlyChan
from .chantypes import ChanClosed, RecvChan, SendChan, WouldBlock
from .hchan import has_living

__all__ = ["Case", "Selected", "on_recv", "on_send", "select"]

T = TypeVar("T")


class Selected(NamedTuple):
    """What `select` did: the number of the case, the value received, whether one was."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    value: Any
    ok: bool


class Case:
    """One operation that `select` may choose; made by `on_recv` and `on_send`."""

    __slots__ = ("ch", "send", "value")

    def __init__(self, ch: Chan[Any] | None, send: bool, value: Any) -> None:
        self.ch = ch
        self.send = send
        self.value = value

    def __repr__(self) -> str:
        return f"<{'send' if self.send else 'receive'} case on {self.ch!r}>"


def on_recv(ch: RecvChan[Any] | None) -> Case:
    """Make a receive case; None is the nil channel, which is never ready.

    Raises: TypeError for what is no channel.
    """
    if ch is not None and not isinstance(ch, Chan):
        raise TypeError(f"on_recv: a channel or None, not {ch!r}")
    return Case(ch, False, None)


def on_send(ch: SendChan[T] | None, v: T) -> Case:
    """Make a send case; None is the nil channel, which is never ready.

    Raises: TypeError for what is no channel; RuntimeError for a receive-only one.
    """
    if ch is not None and not isinstance(ch, Chan):
        raise TypeError(f"on_send: a channel or None, not {ch!r}")
    if isinstance(ch, ReadOnlyChan):
        raise RuntimeError("send on a receive-only channel")
    return Case(ch, True, v)


class _Waiting:
    """Owner of a waiting select as a whole: its end by time-out or interrupt."""

    __slots__ = ("cases",)

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases

    @property
    def waits_on(self) -> tuple[Chan[Any] | None, ...]:
        """The channels, for dumps."""
        return tuple(case.ch for case in self.cases)

    def dequeue(self, sg: Sudog) -> bool:
        """Claim the select."""
        try:
            sg.claim.pop()  # type: ignore[union-attr]  # made with a claim
        except IndexError:
            return False
        return True


def select(
    *cases: Case,
    default: bool = False,
    timeout: float | None = None,
    ctx: Context | None = None,
) -> Selected:
    """Do one of the operations that can go on, chosen at random; wait until one can.

    `default=True`: do not wait; index -1 if none can. No case and no default waits for ever.
    Blocks: G. Raises: ChanClosed if a send on a closed channel is chosen; TimeoutError or the error
    of `ctx`, and then nothing was sent or taken; TypeError for what is not a case.
    """
    for case in cases:
        if type(case) is not Case:
            raise TypeError(f"select: cases made by on_recv and on_send, not {case!r}")
    when = None if timeout is None else deadline(timeout)
    done = None if ctx is None else look_at(ctx)
    while True:
        # 1. Try each in random order.
        chosen = _try_cases(cases)
        if chosen is not None:
            return chosen
        # 2. Lock all, look once more.
        channels = sorted({case.ch for case in cases if case.ch is not None}, key=_number)
        for ch in channels:
            acquire(ch.lock)
        waits = not any(_is_ready(case) for case in cases)
        if not waits or default or when is DONT_WAIT:
            for ch in channels:
                release(ch.lock)
            if not waits:
                continue
            if default:
                return Selected(-1, None, False)
            raise TimeoutError("select timed out")
        # 3. Queue on all, wait.
        chosen = _wait(cases, channels, when, ctx, done)
        if chosen is not None:
            return chosen


def _number(ch: Chan[Any]) -> int:
    return ch.number


def _try_cases(cases: Sequence[Case]) -> Selected | None:
    """Do the first operation, in random order, that needs no waiting."""
    n = len(cases)
    if n == 2:
        order: Sequence[int] = (0, 1) if rand() < 0.5 else (1, 0)
    else:
        order = shuffled(n)
    for i in order:
        case = cases[i]
        ch = case.ch
        if ch is None:
            continue
        if ch.timed:
            ch.poll()
        try:
            if case.send:
                if ch.slots or ch.recvq or ch._closed:
                    ch._send_slow(case.value, None, None, False)
                    return Selected(i, None, True)
            elif ch.buf or ch.sendq or ch._closed:
                value, ok = ch._recv_slow(None, None, False)
                return Selected(i, value, ok)
        except WouldBlock:
            continue
    return None


def _is_ready(case: Case) -> bool:
    """Tell whether a case can go on. Caller holds: the channel's lock."""
    ch = case.ch
    if ch is None:
        return False
    if case.send:
        if ch._closed:
            return True
        return bool(ch.slots and not has_living(ch.sendq)) if ch._cap else has_living(ch.recvq)
    if not ch._cap:
        return ch._closed or has_living(ch.sendq)
    if ch.buf:
        return not has_living(ch.recvq)
    return ch._closed and len(ch.slots) == ch._cap


def _wait(
    cases: Sequence[Case],
    channels: Sequence[Chan[Any]],
    when: float | None,
    ctx: Context | None,
    done: Any,
) -> Selected | None:
    """Queue on every channel, park, take the losers out; None: begin again.

    Caller holds: the locks of `channels`; they are released.
    """
    mp = getm()
    gp = mp.curg
    claim = Claim()
    claim.append(None)
    claim.winner = None
    whole = Sudog(gp.stack)
    whole.owner = _Waiting(cases)
    whole.claim = claim
    gp.waiting = whole
    gp.since = mp.now
    gp.reason = "select" if cases else "select (no cases)"
    queued: list[Sudog] = []
    for i, case in enumerate(cases):
        ch = case.ch
        if ch is None:
            continue
        sg = Sudog(gp.stack)
        sg.owner = ch
        sg.claim = claim
        sg.index = i
        sg.elem = case.value
        (ch.sendq if case.send else ch.recvq).append(sg)
        queued.append(sg)
    ready: list[Sudog] = []
    for ch in channels:
        if ch._cap and (ch.buf or ch.slots):
            ready += ch._settle_locked()  # a fast operation may have passed by
    for ch in channels:
        release(ch.lock)
    for sg in ready:
        goready(sg)
    timed = [ch for ch in channels if ch.timed]
    for ch in timed:
        ch.attend(1)
    begin_limits(mp, whole, when, ctx, done)
    gopark(mp, gp)
    for ch in timed:
        ch.attend(-1)
    whole.owner = NOBODY
    why = whole.why
    end_limits(mp, whole, when, done)
    whole.claim = DEAD
    winner = claim.winner
    claim.winner = None  # else a cycle
    for sg in queued:
        sg.claim = DEAD
        if sg is not winner:
            _take_out(sg, cases[sg.index])
    if why is not None:
        if why is TIMED_OUT:
            raise TimeoutError("select timed out")
        raise_why(gp, why)
    return _outcome(winner, cases)


def _take_out(sg: Sudog, case: Case) -> None:
    ch = case.ch
    if ch is None:
        return
    acquire(ch.lock)
    take_out(ch.sendq if case.send else ch.recvq, sg)  # unless somebody has passed over it
    release(ch.lock)
    sg.elem = None


def _outcome(winner: Sudog | None, cases: Sequence[Case]) -> Selected | None:
    """Turn the claimed Sudog into the result."""
    if winner is None or winner.why is RETRY:
        return None
    i = winner.index
    if cases[i].send:
        if winner.why is CLOSED:
            raise ChanClosed("send on closed channel")
        return Selected(i, None, True)
    return Selected(i, winner.elem, winner.why is not CLOSED)
