"""Programs for test_scheduler_evidence: each makes one thing of the scheduler happen.

Run as ``evidence.py NAME``; prints the stats() of the runtime at the end.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time

import gmprt


def until(counter: str, attempt) -> None:
    """Repeat what makes it happen: who takes a goroutine first is a race, so once may be luck."""
    for _ in range(200):
        attempt()
        if gmprt.stats()[counter]:
            break


def stealing() -> None:
    """Main queues a hundred on its own P and computes in C, off the GIL: idle Ps take half."""
    block = bytes(20_000_000)

    def work() -> None:
        sum(range(2000))

    def attempt() -> None:
        wg = gmprt.sync.WaitGroup()
        finished = threading.Event()
        left = [100]
        lock = threading.Lock()

        def one() -> None:
            work()
            with lock:
                left[0] -= 1
                if not left[0]:
                    finished.set()
            wg.done()

        wg.add(100)
        for _ in range(100):
            gmprt.go(one)
        for _ in range(2000):
            hashlib.sha256(block)
            if finished.is_set():
                break
        assert finished.is_set(), "what could move did not"
        wg.wait()

    until("steals", attempt)


def stealing_by_parallelism() -> None:
    """Nobody goes away: where there is no GIL the idle Ps help at once."""

    def spin() -> None:
        for _ in range(200_000):
            pass

    def attempt() -> None:
        for g in [gmprt.go(spin) for _ in range(8)]:
            g.join()

    until("steals", attempt)


def stealing_beside_a_burner() -> None:
    """As `stealing`, while another thread burns Python all the time: the GIL is never free."""
    stop = []

    def burn() -> None:
        while not stop:
            for _ in range(1000):
                pass

    burner = threading.Thread(target=burn)
    burner.start()
    try:
        stealing()
    finally:
        stop.append(None)
        burner.join()


def no_stealing() -> None:
    """Goroutines that only compute in Python: with the GIL two Ms would be slower than one.

    One that takes as long as this on a busy machine may be helped out: those are printed.
    """
    long = 0.03
    took = []

    def spin() -> None:
        start = time.monotonic()
        for _ in range(100_000):
            len("")
        took.append(time.monotonic() - start)

    for _ in range(30):
        for g in [gmprt.go(spin) for _ in range(8)]:
            g.join()
    print(sum(seconds > long for seconds in took))


def overflow() -> None:
    """A queue holds 256: half of it goes to the global queue; unless thieves are that quick."""

    def attempt() -> None:
        for g in [gmprt.go(int) for _ in range(1000)]:
            g.join()

    until("global_gets", attempt)


def from_foreign_thread() -> None:
    """A thread without a P has the global queue alone."""
    results = []

    def body() -> None:
        results.extend(g.result() for g in [gmprt.go(int) for _ in range(100)])

    thread = threading.Thread(target=body)
    thread.start()
    while thread.is_alive():
        gmprt.sleep(0.001)
    assert results == [0] * 100


def handoff_by_blocking() -> None:
    """With one P: the goroutine that ends main's call runs only if that P was given away."""
    ended = threading.Event()
    gmprt.go(ended.set)
    with gmprt.blocking():
        assert ended.wait(30)


def handoff_by_syscall() -> None:
    ended = threading.Event()
    gmprt.go(ended.set)
    assert gmprt.syscall(ended.wait, 30)


def handoff_in_a_chain() -> None:
    """Each call is ended by a goroutine that goes into a call of its own: one P, many threads."""
    events = [threading.Event() for _ in range(20)]

    def link(n: int) -> None:
        events[n].set()
        if n + 1 < len(events):
            following = gmprt.go(link, n + 1)
            assert gmprt.syscall(events[n + 1].wait, 30)
            following.join()

    first = gmprt.go(link, 0)
    for event in events:
        assert gmprt.syscall(event.wait, 30)
    first.join()


def retake() -> None:
    """Nobody announced the call: the watcher sees that the thread does nothing, and takes the P."""
    ended = threading.Event()
    gmprt.go(ended.set)
    assert ended.wait(30)


def retake_from_a_goroutine() -> None:
    ended = threading.Event()

    def body() -> None:
        gmprt.go(ended.set)
        assert ended.wait(30)

    gmprt.go(body).result()


def retakes_at_once() -> None:
    """Ten sit in such calls at a time, with one P among them."""
    barrier = threading.Barrier(11)
    gs = [gmprt.go(barrier.wait, 30) for _ in range(10)]
    barrier.wait(30)
    for g in gs:
        g.result()


def counters() -> None:
    """What the other counters count, in a program with known numbers."""
    ch = gmprt.Chan()

    def body() -> None:
        for v in ch:
            gmprt.sleep(0)
            del v

    gs = [gmprt.go(body) for _ in range(10)]
    for n in range(100):
        ch.send(n)
    ch.close()
    for g in gs:
        g.join()
    parked = gmprt.go(gmprt.Chan().recv)
    parked.daemon = True
    timer = gmprt.go(gmprt.sleep, 1000)
    timer.daemon = True
    while parked.state != "waiting" or timer.state != "waiting":
        gmprt.gosched()


globals()[sys.argv[1]]()
print(json.dumps(gmprt.stats()))
