"""What waits for attention: interrupts for a goroutine, signals for main, questions for an M.

`G.attn` is None, the exception of an interrupt to come, or SIGNALS in main. `gopark` and `gosched`
look at it; here is what they and the wakers do with it.

Invariants:
- An interrupt sets `attn` and claims the wait, if there is one, in one step under the lock: a wait
  ended as INTERRUPTED always finds its exception.
- Signal handlers are called by main alone, where it holds no lock and nothing is half done.

Locks: `_attn_lock` (rank INTERRUPT, taken before those of the owners).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from .clock import now
from .ctx import CtxEnd, ctx_error
from .fault import throw
from .g import G
from .handoff import goready
from .lock import ENTRANCES, Rank, acquire, make_lock, release
from .m import M
from .note import Note
from .sched import sched
from .sudog import INTERRUPTED, NO_PARKING, TIMED_OUT, Signal, Sudog

__all__ = [
    "SIGNALS",
    "answer",
    "ask_m",
    "ask_ms",
    "interrupt",
    "leave_attn",
    "mark_signals",
    "raise_attn",
    "raise_signals",
    "raise_why",
    "reset_attn",
    "run_signals",
    "set_signal_handler",
    "take_attn",
]

ANSWER_SECONDS = 0.3  # how long Ms that run are given to come by a scheduling point

SIGNALS = Signal("SIGNALS")  # in g1.attn: signals wait for main

_attn_lock = make_lock(Rank.INTERRUPT)

_handle_signal: Callable[[int], None]


def set_signal_handler(handle_signal: Callable[[int], None]) -> None:
    """Name what calls the user's handler; called by boot.py."""
    global _handle_signal
    _handle_signal = handle_signal


def reset_attn() -> None:
    """In a forked child: a fresh lock, since another thread may have held it."""
    global _attn_lock
    _attn_lock = make_lock(Rank.INTERRUPT)


def mark_signals(g1: G[Any]) -> None:
    """Tell main, which is about to run, that signals wait for it."""
    acquire(_attn_lock)
    if g1.attn is None:
        g1.attn = SIGNALS
    release(_attn_lock)


def run_signals(mp: M) -> BaseException | None:
    """Call the user's handlers for the signals that wait; return what one raised. Runs on: main."""
    sigs = mp.sigs
    while sigs:
        try:
            signum = sigs.popleft()
        except IndexError:
            break
        try:
            _handle_signal(signum)
        except BaseException as exc:  # belongs to main's code, wherever that waits
            return exc
    return None


ENTRANCES.add(run_signals.__code__)


def leave_attn(gp: G[Any], exc: BaseException | None) -> None:
    """Put an exception to come, or nothing, where nothing or the SIGNALS mark is."""
    acquire(_attn_lock)
    if gp.attn is None or gp.attn is SIGNALS:
        gp.attn = exc
    release(_attn_lock)


def take_attn(gp: G[Any]) -> Any:
    """Take the exception of the newest interrupt; None if there is none."""
    acquire(_attn_lock)
    exc = gp.attn
    gp.attn = None
    release(_attn_lock)
    return None if exc is SIGNALS else exc


def ask_m(mp: M, question: Callable[[M], None]) -> None:
    """Have an M call `question` with itself at a scheduling point, whenever that is."""
    mp.calls.append(question)
    mp.due = 0
    mp.note.wake()


def ask_ms(
    ms: Collection[M], question: Callable[[M], None], came: Note, all_came: Callable[[], bool]
) -> None:
    """Have each of `ms` call `question` with itself at a scheduling point; wait for those that come
    in time.

    `question` wakes `came` each time. One that comes too late asks it all the same. Blocks: the
    thread, at most `ANSWER_SECONDS`.
    """
    for mp in ms:
        ask_m(mp, question)
    deadline = now() + ANSWER_SECONDS
    while not all_came() and now() < deadline:
        if not came.sleep(0.02):
            for mp in ms:
                mp.due = 0


def answer(mp: M) -> None:
    """Answer what other threads have asked this M. Runs on: own M."""
    while mp.calls:
        try:
            question = mp.calls.popleft()
        except IndexError:
            return
        question(mp)


def raise_attn(mp: M, gp: G[Any]) -> None:
    """Handle signals and raise an interrupt at a park point that does not wait."""
    if mp.sigs and gp is sched.g1:
        raised = run_signals(mp)
        if raised is not None:
            leave_attn(gp, None)
            raise raised
    if gp.attn is NO_PARKING:
        return
    exc = take_attn(gp)
    if exc is not None:
        raise exc


def raise_signals(mp: M) -> None:
    """Handle signals at the end of main's wait, where nothing is lost if a handler raises."""
    if mp is sched.m0 and mp.curg is sched.g1:
        raised = run_signals(mp)
        if raised is not None:
            leave_attn(mp.curg, None)
            raise raised


def raise_why(gp: G[Any], why: Any) -> None:
    """Raise what ended a wait; drops the Sudog, which others may still see."""
    gp.stack.sudog = Sudog(gp.stack)  # type: ignore[union-attr]  # it runs
    if why is INTERRUPTED:
        why = take_attn(gp)
        if why is None:
            throw("raise_why: no interrupt")
    if why is TIMED_OUT:
        raise TimeoutError("timed out")
    if type(why) is CtxEnd:
        raise ctx_error(why.ctx)
    raise why


def interrupt(gp: G[Any], exc: Any) -> None:
    """Raise `exc` in `gp` at its current or next park point. Any thread.

    Publish (attn), look (reason, waiting), wake; the goroutine announces its wait, then looks at
    attn (`gopark`). All of it under the lock, so that nobody takes the exception between: a wait
    ended as INTERRUPTED always finds one.
    """
    if gp.joinq is None:
        return
    acquire(_attn_lock)
    gp.attn = exc
    claimed = False
    if getattr(gp, "reason", None) not in (None, "syscall"):
        sg = gp.waiting
        claimed = sg.owner.dequeue(sg)
        if claimed:
            sg.why = INTERRUPTED
    release(_attn_lock)
    if claimed:
        goready(sg)
