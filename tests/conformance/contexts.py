"""Contexts of one's own, and what tests ask of a context's channel."""

from typing import Any

from gmprt import Chan, on_recv, select

__all__ = ["SHORT", "VERY_LONG", "Own", "Wrapper", "is_closed"]

SHORT = 0.001
VERY_LONG = 3.6e6


def is_closed(ch: Any) -> bool:
    """Tell whether a channel that nothing is sent on is closed."""
    return select(on_recv(ch), default=True).index == 0


class Wrapper:
    """None of ours, but passes on to one. Go: x_test.go otherContext."""

    def __init__(self, ctx: Any) -> None:
        self.ctx = ctx

    def done(self) -> Any:
        return self.ctx.done()

    def err(self) -> Any:
        return self.ctx.err()

    def deadline(self) -> Any:
        return self.ctx.deadline()

    def value(self, key: Any, default: Any = None) -> Any:
        return self.ctx.value(key, default)


class Own:
    """A context of one's own: these four methods and no more. `cancel` ends it."""

    def __init__(self, done: bool = True) -> None:
        self.own_done: Any = Chan() if done else None
        self.own_err: BaseException | None = None

    def done(self) -> Any:
        return self.own_done

    def err(self) -> BaseException | None:
        return self.own_err

    def deadline(self) -> float | None:
        return None

    def value(self, key: Any, default: Any = None) -> Any:
        return default

    def cancel(self, err: BaseException) -> None:
        self.own_err = err
        self.own_done.close()
