"""A script that leaves goroutines behind, with or without a run() of its own."""

import sys

import gmprt


def main() -> str:
    gmprt.go(gmprt.Chan().recv)
    gmprt.sleep(0)
    return "own run"


if sys.argv[1:] == ["run"]:
    print(gmprt.run(main))
else:
    main()
