"""Programs as children: what only a whole process shows (exit, signals, fork, the dump at exit).

A child sees this tree's gmprt, installed or not, and none of the GMPRT_* variables of its parent.
It has no standard input, and a session of its own, so that all it started ends with it.
"""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 40.0
"""Seconds before a child counts as hung; below the watchdog's, so that its output is shown."""


@dataclass(frozen=True)
class Finished:
    """How a child ended, and all that it wrote."""

    returncode: int  # negative: the signal that ended it
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Both outputs, standard output first."""
        return self.stdout + self.stderr


def run_prog(
    prog: str | Path,
    *args: object,
    env: Mapping[str, str | None] | None = None,
    timeout: float = TIMEOUT,
) -> Finished:
    """Run `prog` to its end: a path, or Python source, which is what has a newline in it.

    `sys.executable` runs it, with `args` as its arguments and `env` on top of this process's
    environment (None: without that variable). Options of Python itself are no part of it: write
    `start_prog("-X", "dev", path)`.
    Raises: AssertionError with what it wrote, and its threads, after `timeout`.
    """
    with _as_file(prog) as path, start_prog(path, *args, env=env) as child:
        return wait_prog(child, timeout)


def start_prog(
    *args: object, env: Mapping[str, str | None] | None = None
) -> "subprocess.Popen[str]":
    """Start `sys.executable` with `args` and both outputs piped, for a test that talks to it.

    As a context manager it waits for the child, so end it first: by `wait_prog`.
    """
    return subprocess.Popen(
        [sys.executable, *map(str, args)],
        env=_environment(env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        start_new_session=True,
    )


def wait_prog(child: "subprocess.Popen[str]", timeout: float = TIMEOUT) -> Finished:
    """Read what `child` and all that it started still write, until they end; end them if not.

    Raises: AssertionError with what they wrote, and the child's threads, after `timeout`.
    """
    # Popen.communicate reads the bare files: it loses what a test's own readline has read ahead.
    assert child.stdout is not None
    assert child.stderr is not None
    readers = [_Reader(child.stdout), _Reader(child.stderr)]
    hung = not _ended(readers, timeout)
    if hung:
        # Its number is its own until it is waited for, and its group's while one that it started
        # holds a pipe open: so neither signal can meet a stranger.
        if child.returncode is None:
            os.kill(child.pid, signal.SIGABRT)  # faulthandler's turn
        if not _ended(readers, 5) or child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        _ended(readers, 5)
    returncode = child.wait()
    stdout, stderr = (reader.text for reader in readers)
    if hung:
        raise AssertionError(
            f"hung for {timeout:g} s: {child.args!r}\n"
            f"-- stdout\n{stdout}\n-- stderr, with its threads\n{stderr}"
        )
    return Finished(returncode, stdout, stderr)


class _Reader(threading.Thread):
    """Reads a pipe to its end."""

    def __init__(self, pipe: IO[str]) -> None:
        super().__init__(daemon=True)
        self.pipe = pipe
        self.text = ""
        self.start()

    def run(self) -> None:
        with self.pipe:
            self.text = self.pipe.read()


def _ended(readers: list[_Reader], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    for reader in readers:
        reader.join(max(0.0, deadline - time.monotonic()))
    return not any(reader.is_alive() for reader in readers)


@contextmanager
def _as_file(prog: str | Path) -> Iterator[Path]:
    """Give source a file, so that tracebacks and dumps have its lines."""
    if isinstance(prog, Path) or "\n" not in prog:
        yield Path(prog)
        return
    with tempfile.TemporaryDirectory(prefix="gmprt-prog-") as folder:
        path = Path(folder) / "prog.py"
        path.write_text(textwrap.dedent(prog))
        yield path


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("GMPRT_")}
    search = [str(ROOT), env.get("PYTHONPATH", "")]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, search))
    env["PYTHONFAULTHANDLER"] = "1"
    for key, value in changes.items():
        if value is None:
            env.pop(key, None)
        else:
            env[key] = value
    return env
