"""One contender, once, in this fresh process: `python -m benchmarks._child NAME CONTENDER N`.

Prints what it measured as JSON, or which library is missing.
"""

import json
import sys

from benchmarks.harness import load


def main(name: str, contender: str, n: str) -> None:
    run = load(name).contenders[contender]
    try:
        print(json.dumps({"value": run(int(n))}))
    except ImportError as fault:
        print(json.dumps({"missing": str(fault)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
