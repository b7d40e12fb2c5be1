"""The tree of contexts: what they are, how they hang together, how they end.

A context is cancelled once, for good, and takes all that descend from it along; it refers to its
living descendants, they to it.

Invariants:
- `CancelContext.claim` has one token: who pops it ends the context. `why` and `error` are set next,
  in this order, then `done` is closed, then the children are told.
- A child registers in `children`, then looks at the parent's `error`; a parent sets `error`, then
  empties `children`. Whoever comes second sees the other, and the child's claim settles the rest.
- A context that has ended is in nobody's `children`.

Locks: `_make_lock` (rank SYNC) for making `done` channels; else single atomic steps of containers,
because a tree that locks level by level has no bound on the locks it holds.

Rejected: recursion (a chain of 100,000 contexts is legal); a goroutine per foreign parent, as Go's
(a channel tells its hooks when it is closed: `Chan.watch`).
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, NamedTuple

from ._runtime import (
    CANCEL_KEY,
    Canceled,
    Context,
    DeadlineExceeded,
    OwnContext,
    Rank,
    RecvChan,
    Spawn,
    acquire,
    cause,
    ctx_error,
    del_timer,
    make_lock,
    now,
    release,
)
from .chanends import DoneChan

__all__ = [
    "AfterFunc",
    "BaseContext",
    "CancelContext",
    "EmptyContext",
    "ValueContext",
    "attach",
    "end",
    "end_of",
    "root_of",
]


class BaseContext(OwnContext):
    """What all contexts made here are; the never-ending ones are just this."""

    __slots__ = ("__weakref__", "_deadline", "_root", "parent")
    parent: Context | None  # [const]
    _root: CancelContext | Context | None  # [const] see `root`; not set in a CancelContext
    _deadline: float | None  # [const]

    @property
    def root(self) -> CancelContext | Context | None:
        """Whose end is this one's: one of ours, else the user's; None: it never ends."""
        return self._root

    def done(self) -> RecvChan[Any] | None:
        """Return a channel that is closed when the context is done; None if it never is."""
        root = self.root
        return None if root is None else root.done()

    def err(self) -> BaseException | None:
        """Return None while it is not done, then a `Canceled` or a `DeadlineExceeded`."""
        root = self.root
        return None if root is None else root.err()

    def deadline(self) -> float | None:
        """Return when it will be done at the latest, on the monotonic clock; None: no limit."""
        return self._deadline

    def value(self, key: Any, default: Any = None) -> Any:
        """Return what the context, or the nearest ancestor that knows, holds for `key`."""
        node: Any = self
        while isinstance(node, BaseContext):
            if key is CANCEL_KEY:
                if node.root is None or isinstance(node.root, CancelContext):
                    return default if node.root is None else node.root
            elif isinstance(node, ValueContext) and (node.key is key or node.key == key):
                return node.held
            node = node.parent
        if node is None:
            return default
        return node.value(key) if default is None else node.value(key, default)

    def raise_if_done(self) -> None:
        """Raise a new instance of its error, with its cause, if it is done."""
        if self.err() is not None:
            raise ctx_error(self)

    def __repr__(self) -> str:
        names: list[str] = []
        node: Any = self
        while isinstance(node, BaseContext) and len(names) < 20:
            names.append(node._name())
            node = node.parent
        if node is not None:
            names.append("..." if isinstance(node, BaseContext) else type(node).__qualname__)
        return f"<context {'.'.join(reversed(names))}>"

    def _name(self) -> str:
        return "without_cancel"


class EmptyContext(BaseContext):
    """`background()` and `todo()`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.parent = self._root = self._deadline = None
        self.name = name

    def _name(self) -> str:
        return self.name


class ValueContext(BaseContext):
    """Holds a value; all else is its parent's."""

    __slots__ = ("held", "key")
    key: Any  # [const]
    held: Any  # [const]

    def _name(self) -> str:
        return f"with_value({type(self.key).__qualname__})"  # no repr: it may be a secret


class CancelContext(BaseContext):
    """A context that can be cancelled, and, with a deadline, a timer that does so."""

    __slots__ = ("chan", "children", "claim", "entry", "error", "given", "heap", "up", "why")
    claim: list[None]  # [atomic: list.pop]
    error: BaseException | None  # [any] set once
    why: BaseException | None  # [any] set once, before `error`: the cause if it is another
    chan: DoneChan | None  # [lock: _make_lock] what `done` returns, once somebody has asked
    children: dict[Any, None]  # [atomic: dict] what ends with it: CancelContext, AfterFunc
    up: Any  # [const] in whose `children` it is; a _Registered; the user's channel it watches
    given: BaseException | None  # [const] the cause for its deadline
    heap: Any  # see HeapTimer: a deadline's timer is the context itself
    entry: list[Any] | None

    def __init__(self, parent: Context, when: float | None, given: BaseException | None) -> None:
        self.parent = parent
        self._deadline = when
        self.claim = [None]
        self.error = self.why = self.chan = None
        self.children = {}
        self.given = given
        self.heap = self.entry = None
        self.up = attach(self, parent)

    @property
    def root(self) -> CancelContext:
        """Itself; not kept, since one that is dropped is to go at once, and let its parent go."""
        return self

    def done(self) -> DoneChan:
        chan = self.chan
        if chan is None:
            acquire(_make_lock)
            chan = self.chan
            if chan is None:
                chan = self.chan = DoneChan()  # publish
            release(_make_lock)
            if self.error is not None:  # look
                chan.end()
        return chan

    def err(self) -> BaseException | None:
        return self.error

    def _cancel(self) -> None:
        """Cancel it: `cancel` of `with_cancel`."""
        if self.claim:
            end(self, Canceled(), None)

    def _cancel_cause(self, cause: BaseException | None = None) -> None:
        """Cancel it for a reason: `cancel` of `with_cancel_cause`."""
        if cause is not None and not isinstance(cause, BaseException):
            raise TypeError(f"cancel: the cause is an exception, not {cause!r}")
        if self.claim:
            end(self, Canceled(), cause)

    def fire(self) -> None:
        """End it: its deadline has passed (see HeapTimer)."""
        end(self, DeadlineExceeded(), self.given)

    def on_parent(self) -> None:
        """End it: a parent of the user's has ended."""
        parent: Any = self.parent
        end(self, parent.err() or Canceled(), _cause_of(parent))

    def on_signal(self, signum: int) -> None:
        """End it: a signal has come that it waits for. Runs on: sysmon."""
        error, why = Canceled(), Canceled(f"{signal.Signals(signum).name} received")
        error.signum = why.signum = signum
        end(self, error, why)

    def _name(self) -> str:
        if self._deadline is None:
            return "with_cancel"
        return f"with_deadline({self._deadline - now():.3g} s)"


class AfterFunc:
    """A function that waits for the end of a context."""

    __slots__ = ("__weakref__", "claim", "spawn", "up")

    def __init__(self, spawn: Spawn) -> None:
        self.claim: list[None] = [None]  # [atomic: list.pop] who pops it starts or stops it
        self.spawn = spawn  # [const]
        self.up: Any = None  # [const] as `CancelContext.up`

    def stop(self) -> bool:
        """Keep the function from being started; False if it has been, or was stopped before."""
        try:
            self.claim.pop()
        except IndexError:
            return False
        _detach(self)
        return True

    def on_parent(self) -> None:
        """Start it: a context of the user's has ended."""
        end(self, Canceled(), None)

    def __repr__(self) -> str:
        return f"<after_func {self.spawn!r}>"


_make_lock = make_lock(Rank.SYNC)


def end_of(thing: Any) -> CancelContext | None:
    """Return the context whose end is the end of `thing`; None for what is no context of ours, or
    never ends. For reports: calls no code of the user's."""
    root = thing.root if issubclass(type(thing), BaseContext) else None
    return root if isinstance(root, CancelContext) else None


def _cause_of(ctx: Context) -> BaseException | None:
    """Return the cause of a context that is done, None if that is its error."""
    why = cause(ctx)
    return None if why is ctx.err() else why


def root_of(parent: Any) -> Any:
    """Find whose end is the end of `parent`: a CancelContext, a context of the user's, or None."""
    if isinstance(parent, BaseContext):
        return parent.root
    done = parent.done()
    if done is None:
        return None
    try:
        node = parent.value(CANCEL_KEY)
    except Exception:  # a class of the user's that knows no such key
        node = None
    # A class that hands on another's `done` ends with that one; one that has its own does not.
    return node if isinstance(node, CancelContext) and node.done() is done else parent


class _Registered(NamedTuple):
    """`up` of what a context of the user's has promised to call: `stop` undoes that."""

    stop: Callable[[], object]


def attach(node: CancelContext | AfterFunc, parent: Any) -> Any:
    """Have `node` end with `parent`; returns where it is registered, for `_detach`."""
    root = root_of(parent)
    if root is None:
        return None
    if isinstance(root, CancelContext):
        root.children[node] = None  # publish
        if root.error is not None:  # look
            root.children.pop(node, None)
            end(node, root.error, root.why)
        return root
    if callable(getattr(root, "after_func", None)):  # Go: afterFuncer
        if root.err() is not None:
            node.on_parent()
            return None
        return _Registered(root.after_func(node.on_parent))
    done = root.done()
    if not hasattr(done, "watch"):
        raise TypeError(f"context: done() must return a gmprt channel or None, not {done!r}")
    if root.err() is not None or not done.watch(node.on_parent):
        node.on_parent()
    return done


def _detach(node: CancelContext | AfterFunc) -> None:
    """Have the parent forget it."""
    up = getattr(node, "up", None)  # none yet if the parent was done already
    if isinstance(up, CancelContext):
        up.children.pop(node, None)
    elif isinstance(up, _Registered):
        up.stop()
    elif up is not None:
        up.unwatch(node.on_parent)


def end(node: CancelContext | AfterFunc, error: BaseException, why: BaseException | None) -> None:
    """End a context and its descendants, parents first; nothing if it has ended.

    Blocks: no. Caller holds: no lock.
    """
    try:
        node.claim.pop()
    except IndexError:
        return
    ending = [node]
    while ending:
        ended = ending.pop()
        if isinstance(ended, AfterFunc):
            ended.spawn.start()
            continue
        ended.why = why
        ended.error = error
        if ended.heap is not None:
            del_timer(ended)
        if ended.chan is not None:
            ended.chan.end()
        children = ended.children
        while True:
            try:
                child, _ = children.popitem()  # the youngest first, and `ending` turns it round
            except KeyError:
                break
            try:
                child.claim.pop()
                ending.append(child)
            except IndexError:
                pass  # it ends by itself just now
    _detach(node)  # last: it may call the user's code
