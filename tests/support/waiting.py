"""Waiting for what tells nobody when it happens. The one place where tests poll.

No test sleeps to synchronise: it would be slow where it is right and wrong where the machine is
busy. What can be waited for (a channel, a join) is waited for; whether a goroutine is parked can
only be looked at.
"""

import faulthandler
import tempfile
import time
from collections.abc import Callable
from typing import Any

import gmprt
from gmprt._runtime.debug import schedtrace_lines

GENEROUS = 30.0
"""Seconds that no healthy run comes near; below the watchdog's, so that the failure has a name."""


def wait_until(
    condition: Callable[[], object], what: str | Callable[[], str], seconds: float = GENEROUS
) -> None:
    """Let everybody else run until `condition()` is true.

    `what` is the error's text, or makes it: what did not come about.
    Raises: AssertionError, with the goroutines' stacks, after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            text = what if isinstance(what, str) else what()
            raise AssertionError(f"not so after {seconds:g} s: {text}\n\n{everything()}")
        gmprt.gosched()  # the goroutines of this thread
        time.sleep(0)  # the other threads: gives up the GIL, which os.sched_yield() keeps on 3.11


def everything() -> str:
    """Return the state of the scheduler, its Ps, Ms and goroutines, and all stacks.

    The threads' first: asking for anything else may set those going that stand still.
    """
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        threads = file.read()
    return f"{threads}\n{schedtrace_lines(0, detail=True)}{gmprt.stats()}\n\n{gmprt.stack()}"


def wait_all_parked(*gs: "gmprt.G[Any]", seconds: float = GENEROUS) -> None:
    """Let everybody else run until each of `gs` waits.

    In a channel operation, a lock, a join or a sleep, that is: one in a system call is not parked.
    Raises: AssertionError after `seconds`, at once if one of them is done.
    """

    def parked() -> bool:
        dead = [g for g in gs if g.state == "dead"]
        if dead:
            raise AssertionError(f"will not park, they are done: {dead}")
        return all(g.state == "waiting" for g in gs)

    wait_until(parked, lambda: f"all parked: {[(g, g.state) for g in gs]}", seconds)
