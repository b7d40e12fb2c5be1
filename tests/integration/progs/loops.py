"""Loops that each keep to one kind of place: main is to come back from its wait all the same."""

import contextlib
import gc
import hashlib
import os
import signal
import sys
import threading
import time

import gmprt
import gmprt.singleflight
from gmprt.sync import Mutex, WaitGroup

LONG = 60


# fmt: off
def one_line():
    while True: pass  # noqa: E701  # a jump to itself
# fmt: on


def collects():
    while True:
        gc.collect(0)


def mutexes():
    """In the runtime at each line that is not C code's."""
    mutex, block = Mutex(), bytes(64 * 1024)
    while True:
        with mutex: hashlib.sha256(block).digest()  # noqa: E701  # fmt: skip


def locks():
    """At each line in the block of the lock, but for the jump back."""
    lock, block = threading.Lock(), bytes(64 * 1024)
    while True:
        with lock:
            hashlib.sha256(block).digest()


def sends():
    """In the runtime, as for `mutexes`, by calls that find no reason to park."""
    ch, block = gmprt.Chan(2), bytes(64 * 1024)
    while True:
        ch.send(hashlib.sha256(block)), ch.recv()


def generates():
    """In a generator, which is left and entered at each turn."""
    block = bytes(64 * 1024)
    sum(len(hashlib.sha256(block).digest()) for _ in iter(int, 1))


def manages():
    """At most lines in contextlib, between one `__enter__` or `__exit__` and the next."""

    @contextlib.contextmanager
    def plain():
        yield

    while True:
        with plain():
            sum(range(10000))


def raises():
    """An exception leaves a function from within a `with` block, time and again."""

    def fail():
        with contextlib.nullcontext(), open(os.devnull):
            raise ValueError

    while True:
        with contextlib.suppress(ValueError):
            fail()


def once():
    """What is done once is the program's own code, with frames of the runtime below it."""
    gmprt.sync.once_value(hashes)()


def flies():
    gmprt.singleflight.Group().do("key", hashes)


def hashes():
    block = bytes(256 * 1024)
    while True:
        hashlib.sha256(block).digest()


def beside(name):
    gmprt.go(globals()[name])
    for _ in range(10):
        gmprt.sleep(0.02)
    print("back")


def main_blocks(_):
    """For a lock that a goroutine of its thread holds, for a while."""
    lock = threading.Lock()

    def holds():
        lock.acquire()
        taken.done()
        gmprt.sleep(0.1)
        lock.release()

    taken = WaitGroup()
    taken.add(1)
    gmprt.go(holds)
    taken.wait()
    threading.Timer(3, lambda: os._exit(0)).start()
    lock.acquire()


def interrupt_soon():
    def interrupts():
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupts, daemon=True).start()


def ctrl_c(name):
    """Main waits, and its signals come between two calls into C code at best."""

    interrupt_soon()
    try:
        gmprt.go(globals()[name]).join(LONG)
    except KeyboardInterrupt:
        print("interrupted")


def main_computes(name):
    """Beside one that has the other half of the time; both on one thread."""

    interrupt_soon()
    gmprt.go(computes)
    try:
        globals()[name]()
    except KeyboardInterrupt:
        print("interrupted")


def computes():
    while True:
        x = 1
        y = x  # noqa: F841


globals()[sys.argv[1]](*sys.argv[2:])
sys.stdout.flush()
os._exit(0)
