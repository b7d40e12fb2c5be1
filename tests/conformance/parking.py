"""Start goroutines that park, and end those that a test leaves parked.

No test here sleeps to synchronise. Where one needs a goroutine to be *waiting* before it goes on,
it starts it with `parked`; where a goroutine would be left behind, `reap` interrupts it and sees it
end, so that the leak check after each test finds nothing.
"""

import threading
from collections.abc import Callable
from typing import Any

import gmprt
from tests.support import wait_all_parked
from tests.support import wait_until as until

__all__ = ["LONG", "Boom", "Crew", "Thread", "join_all", "parked", "reap", "until"]

LONG = 30.0
"""Seconds that no wait of a healthy runtime comes near; a time-out of a wait that must succeed."""


class Boom(Exception):
    """An error that only a test raises."""


def parked(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Start `fn` and return its handle once it waits."""
    g = gmprt.go(fn, *args, **kwargs)
    wait_all_parked(g)
    return g


def reap(*gs: Any) -> None:
    """Interrupt each of `gs`, see it end, and ask for its exception so that nobody reports it."""
    for g in gs:
        g.interrupt()
    for g in gs:
        assert g.join(LONG), f"{g!r} does not end when interrupted"
        g.exception()


def join_all(*gs: Any) -> list[Any]:
    """Return the results of `gs`, in their order."""
    return [g.result(LONG) for g in gs]


class Crew:
    """The goroutines of a program that has no end of its own, and makes them as it goes."""

    def __init__(self) -> None:
        self.gs: list[Any] = []

    def go(self, fn: Callable[..., Any], *args: Any) -> None:
        self.gs.append(gmprt.go(fn, *args))

    def dismiss(self) -> None:
        """End all: one that has ended has put those that it made on the list before."""
        while self.gs:
            reap(self.gs.pop())


class Thread(threading.Thread):
    """A thread whose `result` is what its function gave or raised; others run while one waits for
    it.
    """

    def __init__(self, fn: Callable[..., Any], *args: Any) -> None:
        super().__init__(daemon=True)
        self.call = (fn, args)
        self.ended = gmprt.Chan[None]()
        self.value: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        fn, args = self.call
        try:
            self.value = fn(*args)
        except BaseException as e:
            self.error = e
        self.ended.close()

    def exception(self, timeout: float = LONG) -> BaseException | None:
        self.ended.recv_ok(timeout)
        return self.error

    def result(self) -> Any:
        error = self.exception()
        if error is not None:
            raise error
        return self.value
