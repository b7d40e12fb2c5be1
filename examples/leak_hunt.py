"""A small service that leaks a goroutine for some of its requests, and how each tool tells of it.

The leak: `handle` asks two replicas and takes the first answer. Both send into an unbuffered
channel, so the slower one waits for ever for a receiver who has gone. It does no harm at ten
requests a day, and fills the memory at a thousand a second.

    python examples/leak_hunt.py            what each tool says
    python examples/leak_hunt.py --fixed    the same service with `Chan(2)`: nothing to say

1. `leaks.by_site()` shows where: one `go` statement whose `alive` only grows.
2. `leaks.watch()` would have said so in production, before anybody looked.
3. `leaks.stuck()` shows that these can never go on: nobody else has their channel.
4. `leaks.guard()` in a test of `handle` fails at the first request, with the line to look at.
5. `stuck(kill=True)` ends them in the running service; the fix is a buffer of two.
"""

import argparse

import gmprt
from gmprt import Chan, go, leaks, sleep

REQUESTS = 50


def replica(answers: Chan[str], name: str, seconds: float) -> None:
    sleep(seconds)
    answers.send(name)


def handle(fixed: bool) -> str:
    """Ask two replicas, return the first answer."""
    answers = Chan[str](2 if fixed else 0)
    for name, seconds in (("near", 0.001), ("far", 0.003)):
        go(replica, answers, name, seconds)
    return answers.recv()


def main() -> None:
    parser = argparse.ArgumentParser(description="A service that leaks, and the hunt.")
    parser.add_argument("--fixed", action="store_true", help="run the service without the leak")
    fixed = parser.parse_args().fixed

    warnings: list[str] = []
    watch = leaks.watch(
        per_site=REQUESTS // 2,
        blocked_for=1.0,  # looks four times in that time
        callback=lambda site, kind, text: warnings.append(kind),
    )
    for _ in range(REQUESTS // 5):
        for g in [go(handle, fixed) for _ in range(5)]:
            g.result()
    sleep(0.6)  # the slow replicas answer, or try to

    print("by_site:")
    for row in leaks.by_site():
        print(f"  {row.name}: {row.spawned} spawned, {row.alive} alive, peak {row.peak}")
    watch.stop()
    print(f"watch: {', '.join(sorted(set(warnings))) or 'nothing'}")
    print(f"stuck: {len(leaks.stuck())} goroutines can never go on")
    try:
        with leaks.guard(within=0.05):
            handle(fixed)
    except leaks.LeakError as leak:
        print(f"guard: {str(leak).splitlines()[2]}")
    else:
        print("guard: nothing is left")
    killed = leaks.stuck(kill=True)
    for g in killed:
        g.join()
    print(f"killed {len(killed)}; {len(leaks.living())} are left")


if __name__ == "__main__":
    gmprt.run(main)
