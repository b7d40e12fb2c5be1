"""stack: Go's traceback text of the goroutines there are. Go: runtime.Stack, traceback.go."""

from __future__ import annotations

from ._runtime import G, ThreadG, dump, getm

__all__ = ["stack"]


def stack(all: bool = True) -> str:  # the contract's name, Go's parameter
    """Write the tracebacks of all goroutines, or of the calling one alone, as Go does.

    The caller's comes first, then by id. The runtime's own frames are left out. Without the GIL a
    goroutine that runs on another thread without coming by a scheduling point has no frames to
    show. Blocks: no; without the GIL up to 0.3 s for the answers of others.
    """
    if all:
        return dump()
    gp = getm().curg
    own: G[object] | None = gp.caller if isinstance(gp, ThreadG) else gp
    return "" if own is None else dump([own])
