"""Bounded parallelism: a goroutine for each file, but only so many at a time.

At its limit, the group's `go` waits until one has ended. The first error cancels the rest: the
context tells the loop to start no more, and `with` raises the error when all have ended.

    python examples/bounded.py docs examples --limit 8
"""

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import gmprt
from gmprt import G
from gmprt.errgroup import Group


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(paths: Iterable[Path], limit: int) -> dict[Path, str]:
    """Digest all the files; none of the goroutines outlives this call."""
    digesting: dict[Path, G[str]] = {}
    with Group(limit=limit) as group:
        for path in paths:
            group.ctx.raise_if_done()
            digesting[path] = group.go(gmprt.syscall, digest, path)
    return {path: goroutine.result() for path, goroutine in digesting.items()}


def files(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        yield from sorted(filter(Path.is_file, root.rglob("*"))) if root.is_dir() else [root]


def natural(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bounded", description="Digest trees of files.")
    parser.add_argument("paths", metavar="PATH", nargs="*", type=Path, default=[Path()])
    parser.add_argument("--limit", metavar="N", type=natural, default=8, help="files at a time")
    options = parser.parse_args()
    try:
        for path, sha256 in digests(files(options.paths), options.limit).items():
            print(sha256, path, sep="  ")
    except OSError as fault:
        sys.exit(f"bounded: {fault}")
