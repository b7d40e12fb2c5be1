"""Programs for test_idle: main does nothing for two seconds, and says what that cost.

A thread that is none of the runtime's measures it: the CPU time of the process, and how often a
thread of it went to sleep, which is how often one had woken. Run as ``idles.py NAME``.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time

import gmprt

SETTLE = 0.5
WINDOW = 2.0
done = gmprt.Chan(1)


def measure() -> None:
    time.sleep(SETTLE)
    while sys.argv[1] == "after_a_storm" and gmprt.stats()["ms"] > 12:
        time.sleep(0.1)  # Ms beyond a few end after a while, which is one wake-up each
    before = resource.getrusage(resource.RUSAGE_SELF)
    time.sleep(WINDOW)
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                "sleeps": after.ru_nvcsw - before.ru_nvcsw,
            }
        ),
        flush=True,
    )
    done.send(None)


def background(body) -> None:
    gmprt.go(body).daemon = True


def recv() -> None:
    done.recv()


def recv_in_run() -> None:
    gmprt.run(done.recv, procs=8)


def time_sleep() -> None:
    """Main in a call that nobody announced: its P is taken, and then there is nothing to watch."""
    gmprt.go(int).join()
    time.sleep(SETTLE + WINDOW + 0.5)


def own_sleep() -> None:
    gmprt.go(int).join()
    gmprt.sleep(SETTLE + WINDOW + 0.5)


def blocking() -> None:
    with gmprt.blocking():
        time.sleep(SETTLE + WINDOW + 0.5)


def many_parked() -> None:
    for _ in range(1000):
        background(gmprt.Chan().recv)
    done.recv()


def far_timers() -> None:
    for n in range(100):
        background(lambda n=n: gmprt.sleep(1000 + n))
        background(lambda n=n: gmprt.Chan().recv(timeout=1000 + n))
    done.recv()


def long_calls() -> None:
    """In each way a goroutine can be away in one."""

    started = threading.Event()

    def in_blocking() -> None:
        with gmprt.blocking():
            started.set()
            time.sleep(1000)

    def nap(seconds: float) -> None:
        time.sleep(seconds)

    # The first calls of their kind hold up who lives on its thread, here main; later ones start
    # elsewhere.
    for _ in range(2):
        gmprt.go(nap, 0.2).join()
    background(lambda: gmprt.syscall(time.sleep, 1000))
    background(in_blocking)
    with gmprt.blocking():  # so that it starts on another thread, and does not hold up main
        started.wait()
    gmprt.go(nap, 1000).daemon = True
    done.recv()


def after_a_storm() -> None:
    """Many Ms have been started, and are idle now."""
    for g in [gmprt.go(gmprt.syscall, time.sleep, 0.05) for _ in range(50)]:
        g.join()
    for g in [gmprt.go(time.sleep, 0.01) for _ in range(10)]:
        g.join()
    done.recv()


def parked_on_many_threads() -> None:
    barrier = threading.Barrier(8)

    def body() -> None:
        with gmprt.blocking():
            barrier.wait()
        gmprt.Chan().recv()

    for _ in range(8):
        background(body)
    done.recv()


def locked_thread() -> None:
    def body() -> None:
        gmprt.lock_os_thread()
        gmprt.Chan().recv()

    background(body)
    done.recv()


def nothing_but_imported() -> None:
    """What two seconds cost without a runtime."""
    time.sleep(SETTLE + WINDOW + 0.5)


if __name__ == "__main__":
    body = globals()[sys.argv[1]]
    threading.Thread(target=measure, daemon=True).start()
    body()
