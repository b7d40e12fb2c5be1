"""Run the corpus and print what finds which leak: `python -m tests.leaks.table`.

The exit dump is what `leaks.living` lists at the end of a program, so it is counted from that; a
deadlock is found when main waits, too, and nothing else is going on, so each leak is run once more
as a program whose main then waits for ever.
"""

import subprocess
import sys

import gmprt
from tests.leaks.corpus import HEALTHY, LEAKS, Program
from tests.leaks.running import outcome


def deadlocks(program: Program) -> bool:
    """Tell whether the program is reported as a deadlock once main waits for ever."""
    source = (
        "import gmprt\nfrom tests.leaks import corpus\n"
        f"gmprt.run(lambda: (corpus.{program.name}(), gmprt.Chan().recv()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=60
    )
    return "DeadlockError" in done.stderr


def main() -> None:
    leaked = expected = found = alarms = 0
    print("| program | kind | leaked | exit dump | stuck() | deadlock |")
    print("| --- | --- | --- | --- | --- | --- |")
    for program in LEAKS:
        waiting, stuck = map(len, outcome(program))
        dead = "yes" if deadlocks(program) else "no"
        print(
            f"| {program.name} | {program.kind} | {program.stuck} | {waiting} | {stuck} | {dead} |"
        )
        leaked += waiting
        expected += program.stuck
        found += stuck
    for program in HEALTHY:
        _, stuck = map(len, outcome(program))
        print(f"| {program.name} | healthy: {program.kind} | 0 | - | {stuck} | - |")
        alarms += stuck
    print()
    print(f"in the exit dump: {leaked} of {expected}")
    print(f"found by stuck(): {found} of {expected} ({found / expected:.0%})")
    print(f"false alarms: {alarms} in {len(HEALTHY)} healthy programs")


if __name__ == "__main__":
    gmprt.run(main)
