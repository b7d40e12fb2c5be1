"""Run the corpus and print what finds which leak: `python -m tests.leaks.table`.

First the corpus's own leaks, then the kernels and the simple cases carried over from Go's, then
what is healthy. The exit dump is what `leaks.living` lists at the end of a program, so it is
counted from that; a deadlock is found when main waits, too, and nothing else is going on, so each
leak is run once more as a program whose main then waits for ever.
"""

import subprocess
import sys

import gmprt
from tests.leaks.corpus import HEALTHY, LEAKS, Program
from tests.leaks.kernels import KERNELS, SIMPLE
from tests.leaks.running import outcome


def deadlocks(program: Program) -> bool:
    """Tell whether the program is reported as a deadlock once main waits for ever."""
    source = (
        f"import gmprt\nfrom {program.run.__module__} import {program.name}\n"
        f"gmprt.run(lambda: ({program.name}(), gmprt.Chan().recv()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=60
    )
    return "DeadlockError" in done.stderr


def main() -> None:
    leaky = [program for program in [*LEAKS, *KERNELS, *SIMPLE] if program.stuck]
    healthy = [*HEALTHY, *(program for program in SIMPLE if not program.stuck)]
    listed = leaked = provable = found = alarms = 0
    print("| program | kind | leaked | exit dump | stuck() | deadlock |")
    print("| --- | --- | --- | --- | --- | --- |")
    for program in leaky:
        waiting, stuck = map(len, outcome(program))
        dead = "yes" if deadlocks(program) else "no"
        print(
            f"| {program.name} | {program.kind} | {program.left} | {waiting} | {stuck} | {dead} |",
            flush=True,
        )
        listed += waiting
        leaked += program.left
        provable += program.stuck
        found += stuck
    for program in healthy:
        _, stuck = map(len, outcome(program))
        kind = program.kind.removeprefix("healthy: ")
        print(f"| {program.name} | healthy: {kind} | 0 | - | {stuck} | - |")
        alarms += stuck
    print()
    print(f"in the exit dump: {listed} of {leaked}")
    share = f"{found / provable:.0%}"
    print(f"found by stuck(): {found} of the {provable} that are provable ({share})")
    print(f"false alarms: {alarms} in {len(healthy)} healthy programs")


if __name__ == "__main__":
    gmprt.run(main)
