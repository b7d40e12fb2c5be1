"""Programs for test_deadlock: main parks, and something may or may not be left that can wake it.

Run as ``deadlocks.py NAME``; a program prints what happened to it, one fact a line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import gmprt

KILLER = "import os, signal, sys; os.kill(int(sys.argv[1]), getattr(signal, sys.argv[2]))"


def until(test) -> None:
    """Poll from a foreign thread (only there: it blocks the thread)."""
    while not test():
        time.sleep(0.001)


def report(wait) -> None:
    try:
        wait()
    except gmprt.DeadlockError as exc:
        print("deadlock:", str(exc).splitlines()[0])
    else:
        print("no deadlock")


def kill_from_outside(name: str) -> subprocess.Popen:
    """A signal from another process, so that no thread of this one has to stay alive."""
    return subprocess.Popen([sys.executable, "-S", "-c", KILLER, str(os.getpid()), name])


# Uncaught, one for each kind of wait.


def wait_recv() -> None:
    gmprt.Chan().recv()


def wait_send() -> None:
    gmprt.Chan().send(1)


def wait_select() -> None:
    gmprt.select(gmprt.on_recv(gmprt.Chan()), gmprt.on_send(gmprt.Chan(), 1))


def wait_select_no_cases() -> None:
    gmprt.select()


def wait_select_nil() -> None:
    gmprt.select(gmprt.on_recv(None))


def wait_join() -> None:
    gmprt.go(gmprt.Chan().recv).join()


def wait_result() -> None:
    gmprt.go(gmprt.Chan().recv).result()


def wait_iter() -> None:
    for _ in gmprt.Chan():
        pass


def wait_waitgroup() -> None:
    wg = gmprt.sync.WaitGroup()
    wg.add(1)
    wg.wait()


def wait_mutex() -> None:
    mu = gmprt.sync.Mutex()
    mu.lock()
    mu.lock()


def wait_in_run() -> None:
    gmprt.run(gmprt.Chan().recv)


# What the dump holds.


def stuck_sender(ch) -> None:
    ch.send("never")


def dump() -> None:
    ch = gmprt.Chan()
    for _ in range(3):
        gmprt.go(stuck_sender, ch)
    gmprt.Chan().recv()


# Things that keep the program alive.


def foreign_thread_alive() -> None:
    ch, me = gmprt.Chan(), gmprt.current()

    def helper() -> None:
        until(lambda: me.state == "waiting")
        time.sleep(0.3)
        ch.send("from the thread")

    threading.Thread(target=helper).start()
    print(ch.recv())


def foreign_daemon_thread_parked_with_timeout() -> None:
    ch = gmprt.Chan()

    def helper() -> None:
        try:
            gmprt.Chan().recv(timeout=0.3)
        except TimeoutError:
            ch.send("after its time-out")

    threading.Thread(target=helper, daemon=True).start()
    print(ch.recv())


def last_foreign_thread_ends() -> None:
    me, log = gmprt.current(), []

    def helper() -> None:
        until(lambda: me.state == "waiting")
        time.sleep(0.2)
        log.append("thread ends")

    for _ in range(3):
        threading.Thread(target=helper).start()
    report(gmprt.Chan().recv)
    print(*log, sep="\n")


def sleeping_goroutine() -> None:
    ch = gmprt.Chan()

    def sleeper() -> None:
        gmprt.sleep(0.3)
        ch.send("slept")

    gmprt.go(sleeper)
    print(ch.recv())


def goroutine_with_timeout() -> None:
    ch = gmprt.Chan()

    def waiter() -> None:
        try:
            gmprt.Chan().recv(timeout=0.3)
        except TimeoutError:
            ch.send("timed out")

    gmprt.go(waiter)
    print(ch.recv())


def own_timeout() -> None:
    try:
        gmprt.Chan().recv(timeout=0.3)
    except TimeoutError:
        print("timed out")


def syscall_in_flight() -> None:
    ch = gmprt.Chan()

    def caller() -> None:
        gmprt.syscall(time.sleep, 0.3)
        ch.send("returned")

    gmprt.go(caller)
    print(ch.recv())


def blocking_in_flight() -> None:
    ch = gmprt.Chan()

    def caller() -> None:
        with gmprt.blocking():
            time.sleep(0.3)
        ch.send("returned")

    gmprt.go(caller)
    print(ch.recv())


def unannounced_call_in_flight() -> None:
    ch = gmprt.Chan()

    def caller() -> None:
        time.sleep(0.3)
        ch.send("returned")

    gmprt.go(caller)
    print(ch.recv())


def own_syscall() -> None:
    gmprt.go(gmprt.Chan().recv).daemon = True
    gmprt.gosched()
    gmprt.syscall(time.sleep, 0.3)
    with gmprt.blocking():
        time.sleep(0.3)
    print("returned")


def signal_handler_installed() -> None:
    ch = gmprt.Chan(1)
    signal.signal(signal.SIGUSR1, lambda *_: ch.send_nowait("from the handler"))
    killer = kill_from_outside("SIGUSR1")
    print(ch.recv())
    killer.wait()


def alarm_handler_installed_late() -> None:
    ch = gmprt.Chan(1)
    gmprt.go(int).join()
    signal.signal(signal.SIGALRM, lambda *_: ch.send_nowait("from the handler"))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    print(ch.recv())


def own_sigint_handler() -> None:
    ch = gmprt.Chan(1)
    gmprt.go(int).join()
    signal.signal(signal.SIGINT, lambda *_: ch.send_nowait("from the handler"))
    killer = kill_from_outside("SIGINT")
    print(ch.recv())
    killer.wait()


def handlers_taken_away() -> None:
    signal.signal(signal.SIGUSR1, lambda *_: None)
    gmprt.go(int).join()
    signal.signal(signal.SIGUSR2, lambda *_: None)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    report(gmprt.Chan().recv)


def main_runs_others_parked() -> None:
    for _ in range(10):
        gmprt.go(gmprt.Chan().recv).daemon = True
    gmprt.gosched()
    time.sleep(0.3)
    print("main ran on")


# Coming back from it.


def caught_and_used_again() -> None:
    ch, mu, wg = gmprt.Chan(), gmprt.sync.Mutex(), gmprt.sync.WaitGroup()
    print(issubclass(gmprt.DeadlockError, RuntimeError))
    for _ in range(5):
        report(ch.recv)
        report(lambda: ch.send(1))
        report(lambda: gmprt.select(gmprt.on_recv(ch), gmprt.on_send(ch, 1)))
    for attempt in (lambda: ch.send_nowait(1), ch.recv_nowait):
        try:
            attempt()
        except gmprt.WouldBlock:
            print("no waiter left behind")
    mu.lock()
    report(mu.lock)
    mu.unlock()
    mu.lock()
    mu.unlock()
    wg.add(1)
    report(wg.wait)
    wg.done()
    wg.wait()
    gmprt.go(ch.send, "after")
    print(ch.recv())
    print(gmprt.go(lambda: gmprt.syscall(lambda: 7)).result())
    print(gmprt.num_goroutine())


def main_alone_gets_it() -> None:
    """Only main is told; the others stay parked, and can still be woken by what main does next."""
    ch = gmprt.Chan()

    def other() -> str:
        try:
            return ch.recv()
        except BaseException as exc:
            return repr(exc)

    others = [gmprt.go(other) for _ in range(5)]
    report(others[0].join)
    for i, _ in enumerate(others):
        ch.send(i)
    print(sorted(g.result() for g in others))


def others_on_several_threads() -> None:
    """Goroutines that live on Ms of their own, and idle there, hide no deadlock."""
    barrier = threading.Barrier(4)

    def other() -> None:
        with gmprt.blocking():
            barrier.wait()
        gmprt.Chan().recv()

    gs = [gmprt.go(other) for _ in range(4)]
    for g in gs:
        g.daemon = True
    for _ in range(20):
        report(gs[-1].join)


def no_false_alarm() -> None:
    """Main parks thousands of times while what will wake it is at its least visible."""
    ch = gmprt.Chan()

    def from_syscall() -> None:
        gmprt.syscall(int)
        ch.send(1)

    def from_blocking() -> None:
        with gmprt.blocking():
            pass
        ch.send(1)

    def from_timer() -> None:
        gmprt.sleep(0.0005)
        ch.send(1)

    def from_timeout() -> None:
        try:
            gmprt.Chan().recv(timeout=0.0005)
        except TimeoutError:
            ch.send(1)

    def from_fresh() -> None:
        gmprt.go(ch.send, 1)

    def from_thread() -> None:
        threading.Thread(target=ch.send, args=(1,)).start()

    def from_thread_by_go() -> None:
        threading.Thread(target=gmprt.go, args=(ch.send, 1)).start()

    for _ in range(150):
        for start in (from_syscall, from_blocking, from_timer, from_timeout, from_fresh):
            gmprt.go(start)
            ch.recv()
        for start in (from_thread, from_thread_by_go):
            start()
            ch.recv()
    print("never")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
