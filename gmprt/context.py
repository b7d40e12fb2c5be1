"""context: deadlines, cancellation and values, handed down a tree of calls. Go: package context.

Every wait of gmprt that can be long takes `ctx=`. A context is cancelled once, for good, and takes
all that descend from it along; it refers to its living descendants, they to it.

Invariants:
- `_Cancel.claim` has one token: who pops it ends the context. `why` and `error` are set next, in
  this order, then `done` is closed, then the children are told.
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
from math import inf
from sys import _getframe
from typing import Any, NamedTuple, ParamSpec, Protocol

from ._runtime import (
    CANCEL_KEY,
    DONT_WAIT,
    Canceled,
    Context,
    ContextDone,
    DeadlineExceeded,
    OwnContext,
    Rank,
    RecvChan,
    Spawn,
    acquire,
    add_timer,
    cause,
    check_ctx,
    ctx_error,
    del_timer,
    getm,
    make_lock,
    now,
    release,
    uncounted,
    unwatch_signals,
    watch_signals,
)
from ._runtime import deadline as deadline_after
from .chanends import DoneChan

__all__ = [
    "BaseContext",
    "CancelCause",
    "CancelCauseScope",
    "CancelScope",
    "Canceled",
    "Context",
    "ContextDone",
    "DeadlineExceeded",
    "SignalScope",
    "after_func",
    "background",
    "cause",
    "signal_context",
    "todo",
    "with_cancel",
    "with_cancel_cause",
    "with_deadline",
    "with_timeout",
    "with_value",
    "without_cancel",
]

P = ParamSpec("P")


class BaseContext(OwnContext):
    """What all contexts made here are; the never-ending ones are just this."""

    __slots__ = ("__weakref__", "_deadline", "_root", "parent")
    parent: Context | None  # [const]
    _root: _Cancel | Context | None  # [const] see `root`; not set in a _Cancel
    _deadline: float | None  # [const]

    @property
    def root(self) -> _Cancel | Context | None:
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
                if node.root is None or isinstance(node.root, _Cancel):
                    return default if node.root is None else node.root
            elif isinstance(node, _Value) and (node.key is key or node.key == key):
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


class _Empty(BaseContext):
    """`background()` and `todo()`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.parent = self._root = self._deadline = None
        self.name = name

    def _name(self) -> str:
        return self.name


class _Value(BaseContext):
    """Holds a value; all else is its parent's."""

    __slots__ = ("held", "key")
    key: Any  # [const]
    held: Any  # [const]

    def _name(self) -> str:
        return f"with_value({type(self.key).__qualname__})"  # no repr: it may be a secret


class _Cancel(BaseContext):
    """A context that can be cancelled, and, with a deadline, a timer that does so."""

    __slots__ = ("chan", "children", "claim", "entry", "error", "given", "heap", "up", "why")
    claim: list[None]  # [atomic: list.pop]
    error: BaseException | None  # [any] set once
    why: BaseException | None  # [any] set once, before `error`: the cause if it is another
    chan: DoneChan | None  # [lock: _make_lock] what `done` returns, once somebody has asked
    children: dict[Any, None]  # [atomic: dict] what ends with it: _Cancel, _AfterFunc
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
        self.up = _attach(self, parent)

    @property
    def root(self) -> _Cancel:
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
            _end(self, Canceled(), None)

    def _cancel_cause(self, cause: BaseException | None = None) -> None:
        """Cancel it for a reason: `cancel` of `with_cancel_cause`."""
        if cause is not None and not isinstance(cause, BaseException):
            raise TypeError(f"cancel: the cause is an exception, not {cause!r}")
        if self.claim:
            _end(self, Canceled(), cause)

    def fire(self) -> None:
        """End it: its deadline has passed (see HeapTimer)."""
        _end(self, DeadlineExceeded(), self.given)

    def on_parent(self) -> None:
        """End it: a parent of the user's has ended."""
        parent: Any = self.parent
        _end(self, parent.err() or Canceled(), _cause_of(parent))

    def on_signal(self, signum: int) -> None:
        """End it: a signal has come that it waits for. Runs on: sysmon."""
        error, why = Canceled(), Canceled(f"{signal.Signals(signum).name} received")
        error.signum = why.signum = signum
        _end(self, error, why)

    def _name(self) -> str:
        if self._deadline is None:
            return "with_cancel"
        return f"with_deadline({self._deadline - now():.3g} s)"


_make_lock = make_lock(Rank.SYNC)


def end_of(thing: Any) -> _Cancel | None:
    """Return the context whose end is the end of `thing`; None for what is no context of ours, or
    never ends. For reports: calls no code of the user's."""
    root = thing.root if issubclass(type(thing), BaseContext) else None
    return root if isinstance(root, _Cancel) else None


def _cause_of(ctx: Context) -> BaseException | None:
    """Return the cause of a context that is done, None if that is its error."""
    why = cause(ctx)
    return None if why is ctx.err() else why


def _root_of(parent: Any) -> Any:
    """Find whose end is the end of `parent`: a _Cancel, a context of the user's, or None."""
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
    return node if isinstance(node, _Cancel) and node.done() is done else parent


class _Registered(NamedTuple):
    """`up` of what a context of the user's has promised to call: `stop` undoes that."""

    stop: Callable[[], object]


def _attach(node: _Cancel | _AfterFunc, parent: Any) -> Any:
    """Have `node` end with `parent`; returns where it is registered, for `_detach`."""
    root = _root_of(parent)
    if root is None:
        return None
    if isinstance(root, _Cancel):
        root.children[node] = None  # publish
        if root.error is not None:  # look
            root.children.pop(node, None)
            _end(node, root.error, root.why)
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


def _detach(node: _Cancel | _AfterFunc) -> None:
    """Have the parent forget it."""
    up = getattr(node, "up", None)  # none yet if the parent was done already
    if isinstance(up, _Cancel):
        up.children.pop(node, None)
    elif isinstance(up, _Registered):
        up.stop()
    elif up is not None:
        up.unwatch(node.on_parent)


def _end(node: _Cancel | _AfterFunc, error: BaseException, why: BaseException | None) -> None:
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
        if isinstance(ended, _AfterFunc):
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


# -- making them

_BACKGROUND = uncounted(_Empty("background"))
_TODO = uncounted(_Empty("todo"))


class CancelCause(Protocol):
    """`cancel` of `with_cancel_cause`."""

    def __call__(self, cause: BaseException | None = None) -> None: ...


class CancelScope(NamedTuple):
    """A context and what cancels it; as a context manager gives the one, and calls the other."""

    ctx: BaseContext
    cancel: Callable[[], None]

    def __enter__(self) -> BaseContext:
        return self.ctx

    def __exit__(self, *exc: object) -> None:
        self.cancel()


class CancelCauseScope(NamedTuple):
    """As `CancelScope`; `cancel` takes the cause."""

    ctx: BaseContext
    cancel: CancelCause

    def __enter__(self) -> BaseContext:
        return self.ctx

    def __exit__(self, *exc: object) -> None:
        self.cancel()


def background() -> BaseContext:
    """Return the root of every tree: never done, no deadline, no values."""
    return _BACKGROUND


def todo() -> BaseContext:
    """Return the same as `background`, for where it is not clear yet which context to use."""
    return _TODO


def _check_parent(parent: Any) -> None:
    if parent is None:
        raise TypeError("cannot create context from nil parent; use context.background()")
    check_ctx(parent, "parent")


def _check_cause(cause: Any) -> None:
    if cause is not None and not isinstance(cause, BaseException):
        raise TypeError(f"cause: an exception or None, not {cause!r}")


def with_cancel(parent: Context) -> CancelScope:
    """Return a child of `parent` and the function that cancels it, which is harmless twice.

    Raises: TypeError if `parent` is no context, here and below. Go: context.WithCancel.
    """
    _check_parent(parent)
    node = _Cancel(parent, parent.deadline(), None)
    return CancelScope(node, node._cancel)


def with_cancel_cause(parent: Context) -> CancelCauseScope:
    """As `with_cancel`; `cancel(exc)` says why, for `cause(ctx)`. Go: context.WithCancelCause."""
    _check_parent(parent)
    node = _Cancel(parent, parent.deadline(), None)
    return CancelCauseScope(node, node._cancel_cause)


def with_deadline(
    parent: Context, when: float | None, cause: BaseException | None = None
) -> CancelScope:
    """Return a child of `parent` that is done at `when`, on the monotonic clock, or before.

    None and inf: as `with_cancel`. `cause` is the cause then. Raises: ValueError for nan.
    Go: context.WithDeadlineCause.
    """
    _check_parent(parent)
    _check_cause(cause)
    if when is not None:
        deadline_after(when)  # a number, and not nan
        when = None if when == inf else float(when)
    limit = parent.deadline()
    if when is None or (limit is not None and limit <= when):
        return with_cancel(parent)
    node = _Cancel(parent, when, cause)
    if when <= now():
        _end(node, DeadlineExceeded(), cause)
    elif node.claim:
        add_timer(getm(), node, when)
        if not node.claim:  # cancelled before it had a timer to take out
            del_timer(node)
    return CancelScope(node, node._cancel)


def with_timeout(
    parent: Context, seconds: float | None, cause: BaseException | None = None
) -> CancelScope:
    """Return a child of `parent` that is done in `seconds`, or before.

    None and inf: as `with_cancel`; zero and less: it is done already. Raises: ValueError for nan.
    Go: context.WithTimeoutCause.
    """
    when = deadline_after(seconds)
    return with_deadline(parent, now() if when is DONT_WAIT else when, cause)


def with_value(parent: Context, key: Any, value: Any) -> BaseContext:
    """Return a child of `parent` that holds `value` for `key`; keys compare by equality.

    Use a class of one's own for the key, so that no two packages collide.
    Raises: TypeError for None as the key. Go: context.WithValue.
    """
    _check_parent(parent)
    if key is None:
        raise TypeError("nil key")
    node = _Value()
    node.parent = parent
    node._root = _root_of(parent)
    node._deadline = parent.deadline()
    node.key = key
    node.held = value
    return node


def without_cancel(parent: Context) -> BaseContext:
    """Return a child of `parent` that has its values, but no deadline, and is never done.

    Go: context.WithoutCancel.
    """
    _check_parent(parent)
    node = BaseContext()
    node.parent = parent
    node._root = node._deadline = None
    return node


# -- after_func


class _AfterFunc:
    """A function that waits for the end of a context."""

    __slots__ = ("__weakref__", "claim", "spawn", "up")

    def __init__(self, spawn: Spawn) -> None:
        self.claim: list[None] = [None]  # [atomic: list.pop] who pops it starts or stops it
        self.spawn = spawn  # [const]
        self.up: Any = None  # [const] as `_Cancel.up`

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
        _end(self, Canceled(), None)

    def __repr__(self) -> str:
        return f"<after_func {self.spawn!r}>"


def after_func(
    ctx: Context, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
) -> Callable[[], bool]:
    """Start `fn(*args, **kwargs)` as a goroutine once `ctx` is done, at once if it is.

    With the contextvars of the caller and as its child. Returns `stop`: it says whether it has
    kept the function from being started. Blocks: no. Raises: TypeError. Go: context.AfterFunc.
    """
    check_ctx(ctx, "after_func")
    if not callable(fn):
        raise TypeError(f"after_func: a function to call, not {fn!r}")
    node = _AfterFunc(Spawn(_getframe(1), fn, args, kwargs))
    node.up = _attach(node, ctx)
    return node.stop


# -- signals


class SignalScope(NamedTuple):
    """A context that a signal cancels, and what ends that; as a context manager likewise."""

    ctx: BaseContext
    stop: Callable[[], None]

    def __enter__(self) -> BaseContext:
        return self.ctx

    def __exit__(self, *exc: object) -> None:
        self.stop()


def signal_context(*signals: int, parent: Context | None = None) -> SignalScope:
    """Return a context that is cancelled when one of `signals` comes, and `stop`, which cancels it
    and gives the signals back to whom they belonged.

    Until `stop` these signals do nothing else: no KeyboardInterrupt for SIGINT. `cause(ctx)` is a
    `Canceled` with `signum`. From any goroutine or thread.
    Blocks: the thread, until the main thread has changed the handlers.
    Raises: ValueError for none, and for what is no signal; OSError for one that cannot be handled;
    RuntimeError from another thread if the main one sits in a call and has never used gmprt.
    Go: signal.NotifyContext.
    """
    if not signals:
        raise ValueError("signal_context: at least one signal")
    signums = list(dict.fromkeys(int(signal.Signals(signum)) for signum in signals))
    parent = _BACKGROUND if parent is None else parent
    _check_parent(parent)
    getm()
    node = _Cancel(parent, parent.deadline(), None)
    try:
        watch_signals(signums, node)
    except BaseException:
        node._cancel()
        raise

    def stop() -> None:
        node._cancel()
        unwatch_signals(signums, node)

    return SignalScope(node, stop)
