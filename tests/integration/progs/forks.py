"""Programs for test_fork: a child begins with an empty runtime, and the parent goes on.

Each child writes its facts to the inherited standard output in one `os.write`, and the parent
prints the status it ended with. Run as ``forks.py NAME``.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings

import gmprt

# From 3.12: there are threads, so fork warns. Expected, and nothing to do with what is tested.
warnings.filterwarnings("ignore", "This process", DeprecationWarning)


def use() -> list:
    """Everything there is, in whichever process."""
    ch, mu, wg, out = gmprt.Chan(), gmprt.sync.Mutex(), gmprt.sync.WaitGroup(), []

    def add(n: int) -> None:
        with mu:
            out.append(n)

    for n in range(3):
        wg.go(add, n)
    wg.wait()
    gmprt.go(ch.send, "sent")
    out.sort()
    out.append(ch.recv())
    out.append(gmprt.go(lambda: gmprt.syscall(lambda: "called")).result())
    with gmprt.blocking():
        time.sleep(0)
    gmprt.sleep(0.001)
    try:
        ch.recv(timeout=0.001)
    except TimeoutError:
        out.append("timed out")
    thread = threading.Thread(target=lambda: out.append(gmprt.go(lambda: "thread").result()))
    thread.start()
    thread.join()
    return out


USED = [0, 1, 2, "sent", "called", "timed out", "thread"]


def say(text: object) -> None:
    os.write(1, f"{text}\n".encode())


def status_of(pid: int) -> str:
    """How a child ended; one that hangs is killed, so that the test fails and does not hang."""
    deadline = time.monotonic() + 20
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return f"child: {os.waitstatus_to_exitcode(status)}"
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGABRT)
            time.sleep(0.5)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "child: hung"
        time.sleep(0.002)


def child_uses_it() -> None:
    """The child's part: whatever happens, it ends here."""
    try:
        say(f"{gmprt.num_goroutine()} goroutine, {use() == USED}")
        os._exit(0)
    except BaseException as exc:
        say(f"child raised {exc!r}")
        os._exit(1)


def guarded(ch) -> None:
    """A goroutine whose finally block would show if it ran in the child."""
    pid = os.getpid()
    try:
        ch.recv()
    finally:
        say("finally in the parent" if os.getpid() == pid else "finally in the child")


def parked_everywhere(n: int = 3) -> tuple:
    """Goroutines parked on main's thread and on threads of their own."""
    ch = gmprt.Chan()
    barrier = threading.Barrier(n + 1)

    def elsewhere() -> None:
        with gmprt.blocking():
            barrier.wait()
        guarded(ch)

    gs = [gmprt.go(elsewhere) for _ in range(n)]
    with gmprt.blocking():
        barrier.wait()
    gs += [gmprt.go(guarded, ch) for _ in range(n)]
    while any(g.state != "waiting" for g in gs):
        gmprt.gosched()
    return ch, gs


def end(ch, gs: list) -> None:
    """The parent goes on: every goroutine can be woken and ends."""
    for _ in gs:
        ch.send(None)
    for g in gs:
        g.join()
    print(gmprt.num_goroutine(), use() == USED, flush=True)


# From where.


def from_main() -> None:
    ch, gs = parked_everywhere()
    pid = os.fork()
    if pid == 0:
        child_uses_it()
    print(status_of(pid), flush=True)
    end(ch, gs)


def before_anything() -> None:
    pid = os.fork()
    if pid == 0:
        child_uses_it()
    print(status_of(pid), flush=True)
    print(use() == USED)


def from_goroutine() -> None:
    ch, gs = parked_everywhere()

    def forker() -> str:
        pid = os.fork()
        if pid == 0:
            child_uses_it()
        return gmprt.syscall(status_of, pid)

    print(gmprt.go(forker).result(), flush=True)
    end(ch, gs)


def from_goroutine_elsewhere() -> None:
    """Its thread is none of main's; in the child it is the only one, and so the main thread."""
    ch, gs = parked_everywhere()
    barrier = threading.Barrier(2)

    def forker() -> str:
        with gmprt.blocking():
            barrier.wait()
        assert threading.current_thread() is not threading.main_thread()
        pid = os.fork()
        if pid == 0:
            child_uses_it()
        return gmprt.syscall(status_of, pid)

    g = gmprt.go(forker)
    with gmprt.blocking():
        barrier.wait()
    print(g.result(), flush=True)
    end(ch, gs)


def from_syscall() -> None:
    ch, gs = parked_everywhere()

    def call() -> str:
        pid = os.fork()
        if pid == 0:
            child_uses_it()
        return status_of(pid)

    print(gmprt.syscall(call), flush=True)
    print(gmprt.go(lambda: gmprt.syscall(call)).result(), flush=True)
    end(ch, gs)


def from_blocking() -> None:
    ch, gs = parked_everywhere()
    with gmprt.blocking():
        pid = os.fork()
        if pid == 0:
            child_uses_it()
    print(status_of(pid), flush=True)
    end(ch, gs)


def from_foreign_thread() -> None:
    ch, gs = parked_everywhere()

    def body() -> None:
        pid = os.fork()
        if pid == 0:
            child_uses_it()
        print(status_of(pid), flush=True)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    end(ch, gs)


# What the child does.


def child_exits_normally() -> None:
    """Through the interpreter's whole end: nothing inherited runs, nor is it reported."""
    ch, gs = parked_everywhere()
    pid = os.fork()
    if pid == 0:
        say(f"{gmprt.num_goroutine()} goroutine, {use() == USED}")
        del ch, gs
        sys.exit(5)
    print(status_of(pid), flush=True)
    end(ch, gs)


def child_leaks_its_own() -> None:
    ch, gs = parked_everywhere()
    pid = os.fork()
    if pid == 0:
        gmprt.go(gmprt.Chan().recv)
        gmprt.sleep(0)
        sys.exit(0)
    print(status_of(pid), flush=True)
    end(ch, gs)


def child_collects() -> None:
    """Not even a collection in the child runs what the inherited goroutines hold."""
    import gc

    ch, gs = parked_everywhere()
    pid = os.fork()
    if pid == 0:
        del ch, gs
        for _ in range(3):
            gc.collect()
            use()
        say("collected")
        os._exit(0)
    print(status_of(pid), flush=True)
    end(ch, gs)


def child_deadlocks() -> None:
    """The threads of the parent are not there, so nothing can wake the child's main."""
    ch, gs = parked_everywhere()
    pid = os.fork()
    if pid == 0:
        try:
            gmprt.Chan().recv()
        except gmprt.DeadlockError:
            say("deadlock in the child")
        os._exit(0)
    print(status_of(pid), flush=True)
    end(ch, gs)


def child_runs_and_forks() -> None:
    ch, gs = parked_everywhere()
    pid = os.fork()
    if pid == 0:

        def main() -> str:
            inner = os.fork()
            if inner == 0:
                child_uses_it()
            return status_of(inner)

        say("grand" + gmprt.run(main, procs=2))
        os._exit(0)
    print(status_of(pid), flush=True)
    end(ch, gs)


def child_has_own_signals() -> None:
    ch, gs = parked_everywhere()
    pid = os.fork()
    if pid == 0:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            gmprt.select()
        except KeyboardInterrupt:
            say("interrupted in the child")
            os._exit(0)
        os._exit(1)
    print(status_of(pid), flush=True)
    end(ch, gs)


def while_others_work() -> None:
    """Other Ms are anywhere in the runtime, with any lock of it held, at the moment of the fork."""
    ch = gmprt.Chan(4)
    stop = []
    barrier = threading.Barrier(4)

    def work() -> None:
        with gmprt.blocking():
            barrier.wait()
        while not stop:
            ch.send(1)
            gmprt.go(int).join()
            gmprt.syscall(int)
            gmprt.sleep(0.0001)
            ch.recv()

    gs = [gmprt.go(work) for _ in range(3)]
    with gmprt.blocking():
        barrier.wait()
    for _ in range(25):
        pid = os.fork()
        if pid == 0:
            child_uses_it()
        print(status_of(pid), flush=True)
        gmprt.gosched()
    stop.append(1)
    for g in gs:
        g.join()
    print(gmprt.num_goroutine(), use() == USED, flush=True)


# multiprocessing.


def of_a_process(queue, n: int) -> None:
    queue.put((n, use() == USED))


def in_a_pool(n: int) -> int:
    return gmprt.go(lambda: n * n).result()


def multiprocessing_process() -> None:
    ch, gs = parked_everywhere()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()

    def start(n: int) -> object:
        process = context.Process(target=of_a_process, args=(queue, n))
        process.start()
        got = queue.get()
        process.join()
        return got, process.exitcode

    print(start(1), flush=True)
    print(gmprt.go(start, 2).result(), flush=True)
    print(gmprt.syscall(start, 3), flush=True)
    end(ch, gs)


def multiprocessing_pool() -> None:
    ch, gs = parked_everywhere()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(in_a_pool, range(5)), flush=True)
    end(ch, gs)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
