"""Count the words of a tree of text files: goroutines in a pipeline.

    walk --paths--> tally, several of them --tallies--> merge

One goroutine walks the trees and sends what it finds down a channel. Workers receive the paths,
read each file in a system call (while the disk keeps one waiting, the others run) and count its
words. One collector adds the counts up. Nobody shares anything: what the goroutines know of each
other is in the two channels, and closing a channel says "that was all", from stage to stage.

    python examples/wordcount.py                      # the standard library of this Python
    python examples/wordcount.py docs src --top 20 --procs 2
"""

import argparse
import heapq
import os
import re
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gmprt
from gmprt import Chan
from gmprt.sync import WaitGroup

WORD = re.compile(r"[^\W\d_]+")  # a run of letters of any script
TEXT = (".py", ".txt")
SKIPPED = ("site-packages", "__pycache__")
WORKERS_PER_PROC = 4  # one counts while the others read


@dataclass
class Tally:
    """What was counted, in one file or in all of them."""

    words: Counter[str] = field(default_factory=Counter)
    files: int = 0
    size: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.words.update(other.words)
        self.files += other.files
        self.size += other.size
        self.faults += other.faults


def text_files(root: Path, report: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield the text files in a folder; no dangling link, and no pipe that would never end."""
    for folder, subfolders, names in os.walk(root, onerror=report):
        subfolders[:] = [name for name in subfolders if name not in SKIPPED]
        for path in (Path(folder, name) for name in names if name.endswith(TEXT)):
            try:
                if path.is_file():
                    yield path
            except OSError as fault:
                report(fault)


def walk(roots: Iterable[Path], paths: Chan[Path], tallies: Chan[Tally]) -> None:
    """Send every text file under the roots, and a root that is a file whatever its name."""

    def report(fault: OSError) -> None:
        tallies.send(Tally(faults=[f"{fault.filename}: {fault.strerror}"]))

    try:
        for root in roots:
            for path in text_files(root, report) if root.is_dir() else [root]:
                paths.send(path)
    finally:
        paths.close()


def tally(paths: Chan[Path], tallies: Chan[Tally]) -> None:
    """Count one file after another until there are no more; a file that can't be read is told."""
    for path in paths:
        try:
            raw = gmprt.syscall(path.read_bytes)
        except OSError as fault:
            tallies.send(Tally(faults=[f"{path}: {fault.strerror}"]))
        else:
            text = raw.decode("utf-8", errors="replace").lower()
            tallies.send(Tally(Counter(WORD.findall(text)), files=1, size=len(raw)))


def merge(tallies: Chan[Tally]) -> Tally:
    """Add up what the workers send until the channel is closed."""
    total = Tally()
    for part in tallies:
        total.add(part)
    return total


def count(roots: Sequence[Path]) -> Tally:
    """Run the pipeline over the roots; none of its goroutines outlives this call."""
    paths, tallies = Chan[Path](64), Chan[Tally](64)
    senders = WaitGroup()

    def close_tallies() -> None:
        senders.wait()
        tallies.close()

    workers = WORKERS_PER_PROC * gmprt.gomaxprocs()
    stages = [senders.go(walk, roots, paths, tallies)]
    stages += [senders.go(tally, paths, tallies) for _ in range(workers)]
    stages += [gmprt.go(close_tallies)]
    try:
        return merge(tallies)
    finally:
        for stage in stages:  # all done by now, unless we were interrupted
            stage.interrupt()
        for stage in stages:
            stage.result()  # raises what the goroutine died of, were that ever to happen


def index(roots: Sequence[Path], top: int) -> int:
    """Count, print, and tell the exit status: 1 if anything could not be read.

    Ctrl-C is raised here, in the main goroutine, wherever that is. So main makes one goroutine
    and waits. That one makes all others, and can be interrupted only where it waits: never
    between making a goroutine and remembering it.
    """
    start = time.perf_counter()
    counting = gmprt.go(count, roots)
    try:
        total = counting.result()
    finally:
        counting.interrupt()
        counting.join()
    seconds = time.perf_counter() - start
    for word, times in heapq.nsmallest(top, total.words.items(), key=lambda wt: (-wt[1], wt[0])):
        print(f"{times:10}  {word}")
    print(f"{total.files} files, {total.size} bytes, {seconds:.2f} seconds")
    stats = gmprt.stats()
    print("Ms {ms}, Ps {ps}, steals {steals}, hand-offs {handoffs}".format(**stats))
    for fault in total.faults:
        print(f"wordcount: {fault}", file=sys.stderr)
    return 1 if total.faults else 0


def natural(text: str) -> int:
    """Parse an option that counts something: an int of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="wordcount",
        description="Count the words in text files (in a folder: *.py and *.txt).",
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="file or folder")
    parser.add_argument("--procs", type=natural, metavar="N", help="Ps to run on (default: CPUs)")
    parser.add_argument("--top", type=natural, metavar="K", default=10, help="words to print")
    options = parser.parse_args()
    roots = options.paths or [Path(sysconfig.get_path("stdlib"))]
    for root in roots:
        try:
            root.stat()
        except OSError as fault:
            parser.exit(2, f"wordcount: {root}: {fault.strerror}\n")
    try:
        return gmprt.run(index, roots, options.top, procs=options.procs)
    except KeyboardInterrupt:
        return 130  # as a shell says of what SIGINT has ended


if __name__ == "__main__":
    sys.exit(main())
