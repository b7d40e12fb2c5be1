"""Contenders that this Python does not run: how to start them, or why that cannot be.

`go` needs a `go` command; its scenarios are compiled once, into a folder that is gone when the run
ends. `gmprt, no GIL` is gmprt's own contender, with one P, in a free-threaded Python that has
greenlet and psutil; `gmprt 2 Ps, no GIL` is the one named `gmprt 2 Ps` there. `pyroutine` needs a
Python with pyroutine-rt, which asks for 3.14 without the GIL. Both Pythons are looked for under the
names that they have on the PATH, unless a variable says which to take: GMPRT_BENCH_FREE_THREADED,
GMPRT_BENCH_PYROUTINE.
"""

import atexit
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GO, PYROUTINE = "go", "pyroutine"
WITHOUT = ", no GIL"
NO_GIL = f"gmprt{WITHOUT}"
FREE_THREADED = "GMPRT_BENCH_FREE_THREADED"
WITH_PYROUTINE = "GMPRT_BENCH_PYROUTINE"
SOURCES = Path(__file__).resolve().parent / "go"
BUILD_SECONDS = 300.0


class Missing(Exception):
    """A contender, or what it needs, is not here."""


def build_go(folder: str) -> Path:
    """Compile the Go program in that folder of `benchmarks/go`; the result is gone at exit.

    Raises: Missing without a `go` command; RuntimeError with what the compiler wrote.
    """
    compiler = shutil.which("go")
    if compiler is None:
        raise Missing("no go command")
    work = Path(tempfile.mkdtemp(prefix="gmprt-go-"))
    atexit.register(shutil.rmtree, work, ignore_errors=True)
    sources = sorted(str(path) for path in (SOURCES / folder).glob("*.go"))
    binary = work / folder
    try:
        build = subprocess.run(
            [compiler, "build", "-o", str(binary), *sources],
            capture_output=True,
            text=True,
            env={"GOCACHE": str(work / "cache"), **os.environ, "GO111MODULE": "off"},
            timeout=BUILD_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise RuntimeError(f"go build: {fault}") from fault
    if build.returncode != 0:
        raise RuntimeError(f"go build failed\n{build.stderr}")
    return binary


@functools.cache
def go_program() -> Path | Exception:
    """Return the compiled scenarios, or why there are none: that, too, is found out once."""
    try:
        return build_go("scenarios")
    except (Missing, RuntimeError) as fault:
        return fault


def python_with(variable: str, names: tuple[str, ...], test: str) -> str:
    """Return the Python that the variable names, or the first on the PATH that passes the test.

    Raises: Missing.
    """
    named = os.environ.get(variable)
    for candidate in [named] if named else filter(None, map(shutil.which, names)):
        try:
            probe = subprocess.run(
                [candidate, "-c", test], capture_output=True, text=True, timeout=BUILD_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as fault:
            raise Missing(f"{variable}: {fault}") from fault
        if probe.returncode == 0:
            return candidate
        if named:
            *_, why = probe.stderr.strip().splitlines() or [f"status {probe.returncode}"]
            raise Missing(f"{variable}={named}: {why}")
    raise Missing(f"none of {', '.join(names)} is fit for it, and {variable} is not set")


@functools.cache
def free_threaded() -> str:
    test = "import sys, greenlet, psutil; sys.exit(sys._is_gil_enabled() and 'this has a GIL')"
    return python_with(FREE_THREADED, ("python3.14t", "python3.13t"), test)


@functools.cache
def pyroutine_python() -> str:
    return python_with(WITH_PYROUTINE, (sys.executable, "python3.14t"), "import pyroutine")


def command(name: str, contender: str, n: int) -> tuple[list[str], dict[str, str]]:
    """Return what runs a contender, and what it needs in its environment beside ours.

    Raises: Missing; RuntimeError.
    """
    child = ["-m", "benchmarks._child", name]
    if contender == GO:
        program = go_program()
        if isinstance(program, Exception):
            raise program
        return [str(program), name, str(n)], {}
    if contender.endswith(WITHOUT):
        alone = {"PYTHON_GIL": "0", "GMPRT_MAXPROCS": "1"}
        return [free_threaded(), *child, contender.removesuffix(WITHOUT), str(n)], alone
    python = pyroutine_python() if contender == PYROUTINE else sys.executable
    return [python, *child, contender, str(n)], {}


def versions() -> dict[str, str | None]:
    """Return the versions of what is not part of this Python: Go, and the one without the GIL."""
    found: dict[str, str | None] = {GO: None, NO_GIL: None}
    if compiler := shutil.which("go"):
        told = subprocess.run([compiler, "version"], capture_output=True, text=True)
        found[GO] = told.stdout.strip() or None
    with contextlib.suppress(Missing):
        told = subprocess.run([free_threaded(), "-VV"], capture_output=True, text=True)
        found[NO_GIL] = told.stdout.strip() or None
    return found
