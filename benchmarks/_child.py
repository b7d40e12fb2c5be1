"""One contender, once, in this fresh process: `python -m benchmarks._child NAME CONTENDER N`.

Prints what it measured as JSON, or which library is missing. A contender that is a coroutine
function is run by the loop of its name.
"""

import inspect
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks.harness import load

Main = Callable[[int], Coroutine[Any, Any, float]]


def on_asyncio(main: Main, n: int) -> float:
    import asyncio

    return asyncio.run(main(n))


def on_uvloop(main: Main, n: int) -> float:
    import uvloop

    return uvloop.run(main(n))


def on_trio(main: Main, n: int) -> float:
    import trio

    return trio.run(main, n)


def on_curio(main: Main, n: int) -> float:
    try:
        import curio
    except AttributeError as fault:  # from Python 3.12 on: it takes parts of the standard library
        raise ImportError(f"curio: {fault}") from fault
    return curio.run(main, n)


LOOPS: dict[str, Callable[[Main, int], float]] = {
    "asyncio": on_asyncio,
    "uvloop": on_uvloop,
    "trio": on_trio,
    "curio": on_curio,
}


def main(name: str, contender: str, n: str) -> None:
    run = load(name).contenders[contender]
    try:
        coroutine = inspect.iscoroutinefunction(run)
        value = LOOPS[contender](run, int(n)) if coroutine else run(int(n))
    except ImportError as fault:
        print(json.dumps({"missing": str(fault)}))
    else:
        print(json.dumps({"value": value}))


if __name__ == "__main__":
    main(*sys.argv[1:])
