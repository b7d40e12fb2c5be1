"""Stack: one pooled greenlet of one M, a loop that runs one goroutine after another.

Rules (a greenlet has more ways to go wrong than to go right):
1. It runs only on its M's thread; `m` never changes.
2. Only the M's maker starts it: a greenlet inherits its starter's recursion depth for good.
3. Its parent is the maker, which lives as long as the M; before it ends it is pointed at the
   greenlet that is to run next, because an ending greenlet wakes its parent.
4. Nothing propagates out of its loop.
5. Its M refers to it as long as it is suspended (`M.stacks`): the last reference never goes on
   another thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenlet import greenlet

from .lock import ENTRANCES
from .sudog import Sudog

if TYPE_CHECKING:
    from .g import G
    from .m import M

__all__ = ["RootStack", "Stack"]


class Stack(greenlet):
    """A greenlet that runs goroutines.

    `g` is the goroutine it runs, or is to run when switched to idle; None asks its loop to end.
    """

    __slots__ = ("g", "loop", "m", "sudog")
    loop: Callable[[Stack], None]  # [const]
    m: M  # [const]
    g: G[Any] | None  # [own: M]
    sudog: Sudog  # [own: M] for the plain waits of its goroutine

    def __init__(self, mp: M, loop: Callable[[Stack], None], parent: greenlet) -> None:
        super().__init__(self._body, parent)
        self.loop = loop
        self.m = mp
        self.g = None
        self.sudog = Sudog(self)

    def _body(self) -> None:
        self.loop(self)

    def __repr__(self) -> str:
        return f"<Stack of M{self.m.id} running {self.g!r}>"


ENTRANCES.add(Stack._body.__code__)


class RootStack:
    """Stands for the greenlet a thread was born with, where no pooled one can be."""

    __slots__ = ("g", "greenlet", "m", "sudog", "switch")

    def __init__(self, mp: M, root: greenlet) -> None:
        self.m = mp
        self.g: G[Any] | None = None
        self.sudog = Sudog(self)  # type: ignore[arg-type]  # has what is asked of a Stack
        self.greenlet = root
        self.switch = root.switch
