"""HChan: what channels are made of: values, places, who waits, and how they are matched.

A buffered channel needs no lock while nobody waits. Beside the values in `buf` it keeps `slots`,
one token for each free place: a sender takes a token, looks whether the channel is closed, appends
its value, then looks for waiting receivers; a receiver takes a value, gives the token back, then
looks for waiting senders (both in chan.py). Each step is one atomic C call. Who has to wait
registers under the lock and looks once more; of the two, whoever comes second sees the other
(docs/design.md#wake-up).

Invariants:
- len(buf) + len(slots) + operations in flight == cap. Without capacity both are the empty tuple,
  for which nothing has to be made: half of the memory, and a third less time to make a channel.
- Under the lock, at its release: not both `buf` and a living receiver in `recvq`, unless somebody
  in flight is about to call `_settle`; likewise `slots` and `sendq`.
- Whoever finds waiters on arrival takes the slow path: first come, first served.
- The end of a closed channel is reached when `buf` is empty and every token is home; a token that
  is still out is a send in flight, and its value comes.
- A waiter is claimed before its value is moved; one that was claimed for a value that a fast
  receiver then took goes back to the head of the queue (plain wait), or begins again (select).
- `hooks` are told of the close after the lock is released, each once; None when there are none.

Locks: `lock` (rank CHAN). No user code runs under it: values are only moved.

Go: chan.go hchan, closechan; differs: the tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from types import CodeType
from typing import Any, ClassVar

from ._runtime import (
    CLOSED,
    RETRY,
    Lock,
    Sudog,
    acquire,
    goready,
    lock_slow,
    release,
    take_out,
    uncounted,
)
from .chantypes import ChanClosed

__all__ = ["HChan", "claimed", "has_living", "next_number", "wake"]

next_number = uncounted(count(1).__next__)


class HChan:
    """The inside of a channel; `Chan` is what its users see of it."""

    __slots__ = (
        "__weakref__",
        "_cap",
        "_closed",
        "buf",
        "hooks",
        "lock",
        "made_at",
        "made_in",
        "number",
        "recvq",
        "sendq",
        "slots",
    )
    _cap: int  # [const]
    number: int  # [const] order of locking
    lock: Lock  # [const]
    made_in: CodeType  # [const] whose instruction `made_at` made it: a leak report names the line
    made_at: int  # [const]
    _closed: bool  # [lock: lock] False to True, once
    buf: deque[Any]  # [atomic: deque.append/popleft] values
    slots: deque[None]  # [atomic: deque.append/pop] free places
    recvq: deque[Sudog]  # [lock: lock] waiting receivers
    sendq: deque[Sudog]  # [lock: lock] waiting senders
    hooks: dict[Sudog | Callable[[], object], Any] | None  # [lock: lock] who is told of the close

    timed: ClassVar[bool] = False  # a timer's: select has to look at its clock

    def _close(self) -> None:
        """Close it: `close`, for the runtime too. Blocks: no. Raises: ChanClosed."""
        lock = self.lock
        acquire(lock)
        if self._closed:
            release(lock)
            raise ChanClosed("close of closed channel")
        self._closed = True
        ready = self._settle_locked()
        sendq = self.sendq
        while sendq:
            sg = sendq.popleft()
            if sg.claim is None or claimed(sg):
                sg.why = CLOSED
                ready.append(sg)
        hooks = self.hooks
        self.hooks = None
        release(lock)
        wake(ready)
        if hooks is not None:
            _tell(hooks)

    def watch(self, hook: Sudog | Callable[[], object], why: Any = None) -> bool:
        """End the wait of a Sudog with `why`, or call a function of the runtime's, at the close.

        Internal. False if the channel is closed already.
        """
        lock = self.lock
        acquire(lock)
        if self._closed:
            release(lock)
            return False
        if self.hooks is None:
            self.hooks = {}
        self.hooks[hook] = why
        release(lock)
        return True

    def unwatch(self, hook: Sudog | Callable[[], object]) -> bool:
        """Undo `watch`; False if the close has come first."""
        lock = self.lock
        acquire(lock)
        hooks = self.hooks
        found = hooks is not None and hook in hooks
        if hooks is not None and found:
            del hooks[hook]
        release(lock)
        return found

    def _settle(self) -> None:
        """Match values, places and waiters; for the fast path, when it has seen a waiter."""
        lock = self.lock
        try:
            lock.pop()
        except IndexError:
            lock_slow(lock)
        ready = self._settle_locked()
        release(lock)
        wake(ready)

    def _give_back(self) -> None:
        """Return the token of a send that found the channel closed; receivers may wait for it."""
        self.slots.append(None)
        self._settle()

    def _settle_locked(self) -> list[Sudog]:
        """Serve waiters as far as values and places go; returns whom to wake after the release.

        Caller holds: lock.
        """
        ready: list[Sudog] = []
        buf, slots, recvq, sendq = self.buf, self.slots, self.recvq, self.sendq
        progress = True
        while progress:
            progress = False
            while recvq and buf:
                sg = recvq.popleft()
                if sg.claim is not None and not claimed(sg):
                    continue
                try:
                    sg.elem = buf.popleft()
                except IndexError:  # a fast receiver took it
                    _put_back(recvq, sg, ready)
                    break
                slots.append(None)
                sg.ok = progress = True
                ready.append(sg)
            while sendq and slots and not self._closed:
                sg = sendq.popleft()
                if sg.claim is not None and not claimed(sg):
                    continue
                try:
                    slots.pop()
                except IndexError:  # a fast sender took it
                    _put_back(sendq, sg, ready)
                    break
                buf.append(sg.elem)
                sg.ok = progress = True
                ready.append(sg)
        if self._closed and not buf and len(slots) == self._cap:
            while recvq:
                sg = recvq.popleft()
                if sg.claim is None or claimed(sg):
                    sg.elem = None
                    sg.why = CLOSED
                    ready.append(sg)
        return ready

    def poll(self) -> None:
        """Look at the clock (timer channels)."""

    def attend(self, n: int) -> None:
        """Count `n` more, or fewer, who wait (timer channels)."""

    def dequeue(self, sg: Sudog) -> bool:
        """Take a plain waiter out (see Owner).

        By search: time-outs come roughly in the order of the queue, so it is found near the head.
        """
        lock = self.lock
        acquire(lock)
        found = take_out(self.recvq, sg) or take_out(self.sendq, sg)
        release(lock)
        return found


def has_living(queue: deque[Sudog]) -> bool:
    """Tell whether somebody still waits in `queue`; drops the dead at its head.

    Caller holds: the queue's lock.
    """
    while queue:
        claim = queue[0].claim
        if claim is None or claim:
            return True
        queue.popleft()
    return False


def claimed(sg: Sudog) -> bool:
    """Claim a wait on several channels for `sg`, which has been taken out of its queue."""
    claim = sg.claim
    try:
        claim.pop()  # type: ignore[union-attr]  # the caller has looked
    except IndexError:
        return False
    claim.winner = sg  # type: ignore[union-attr]
    return True


def _put_back(queue: deque[Sudog], sg: Sudog, ready: list[Sudog]) -> None:
    """Undo the claim of a plain waiter; have a select begin again: others have passed over it."""
    if sg.claim is None:
        queue.appendleft(sg)
    else:
        sg.why = RETRY
        ready.append(sg)


def wake(ready: list[Sudog]) -> None:
    """Make ready whom `_settle_locked` has served. Caller holds: no lock."""
    for sg in ready:
        goready(sg)


def _tell(hooks: dict[Sudog | Callable[[], object], Any]) -> None:
    """Tell of a close, in the order of `watch`. Caller holds: no lock."""
    for hook, why in hooks.items():
        if not isinstance(hook, Sudog):
            hook()
        elif hook.owner.dequeue(hook):
            hook.why = why
            goready(hook)
