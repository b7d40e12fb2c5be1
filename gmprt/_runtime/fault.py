"""What to do when the runtime itself is wrong: say so, show everything, end.

`throw` is Go's: for a state that cannot be, never for a user's mistake (that is an exception).
It ends the process with status 2, since a scheduler that has lost its invariants can only do harm.
"""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

__all__ = ["set_dumper", "throw", "to_stderr"]

_dumper: Callable[[], str] | None = None


def set_dumper(dump: Callable[[], str] | None) -> None:
    """Name the function whose text `throw` appends (handed down at boot)."""
    global _dumper
    _dumper = dump


def to_stderr(text: str) -> None:
    """Write to stderr, in one piece; nothing where there is none, or one that fails."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except Exception:  # closed, full, or the program's own and broken: nowhere is left to say so
        pass


def throw(message: str) -> NoReturn:
    """Report a broken invariant of the runtime and end the process with status 2."""
    try:
        sys.stderr.write(f"fatal error: {message}\n\n")
        if _dumper is not None:
            sys.stderr.write(_dumper())
        sys.stderr.flush()
    finally:
        os._exit(2)
