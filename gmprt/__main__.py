"""python -m gmprt run SCRIPT ARGS: runs an unchanged script as the main goroutine.

The script may call `gmprt.run` itself.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

from . import __version__, gomaxprocs
from ._runtime.giveway import GROUND


def main() -> None:
    """Parse the command line and run the script."""
    parser = argparse.ArgumentParser(prog="python -m gmprt", description=__doc__)
    parser.add_argument("--version", action="version", version=f"gmprt {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    runner = commands.add_parser("run", help="run a script as the main goroutine")
    runner.add_argument("--procs", type=_procs, default=None, help="the number of Ps (GOMAXPROCS)")
    runner.add_argument("script", help="the Python file to run")
    runner.add_argument("args", nargs=argparse.REMAINDER, help="its arguments")
    options = parser.parse_args()
    script = options.script
    try:
        with io.open_code(os.path.abspath(script)) as file:
            source = file.read()
    except OSError as exc:
        parser.exit(2, f"{parser.prog}: cannot run {script!r}: {exc.strerror}\n")
    sys.argv = [script, *options.args]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    gomaxprocs(options.procs)  # starts the runtime: this is the main goroutine now
    module = ModuleType("__main__")
    module.__dict__.update(__file__=script, __loader__=SourceFileLoader("__main__", script))
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    exec(compile(source, script, "exec"), module.__dict__)


def _procs(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {text}")
    return value


if __name__ == "__main__":
    # The script stands on these two: they keep it from nothing, preemption included.
    GROUND.update((main.__code__, sys._getframe().f_code))
    main()
