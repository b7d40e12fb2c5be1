"""Programs for test_signals: a signal comes while main is somewhere in particular.

A foreign thread sends it once main is seen to be there, to the process, as a terminal would: the
kernel picks the main thread. Run as ``sigs.py NAME``.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import threading
import time

import gmprt


class Boom(Exception):
    """What a test's own handler raises."""


class Sender:
    """The foreign thread that waits until main is where it should be, and sends."""

    def __init__(self, signum: int = signal.SIGINT) -> None:
        self.signum = signum
        self.may_send = threading.Event()
        self.main = gmprt.current()
        self.states = ("waiting", "syscall")

    def when_main_waits(self) -> Sender:
        """Without help from main's code: it has one wait to come."""
        self._start(lambda: self.main.state in self.states)
        return self

    def when_told(self) -> Sender:
        """Main says when, by `may_send.set()`, right before or during what it does."""
        self._start(self.may_send.is_set)
        return self

    def _start(self, ready) -> None:
        def send() -> None:
            while not ready():
                time.sleep(0.001)
            time.sleep(0.02)  # also well into the wait, where a native one has begun
            os.kill(os.getpid(), self.signum)
            # It stays, so that main's wait is no deadlock, whichever comes first.
            threading.Event().wait()

        threading.Thread(target=send, daemon=True).start()


def caught(body) -> None:
    """Run `body`, say what main got, and show that the runtime is whole afterwards."""
    try:
        body()
    except BaseException as exc:
        print(type(exc).__name__, "in goroutine", gmprt.current().id)
    else:
        print("nothing raised")
    still_works()


def still_works() -> None:
    ch = gmprt.Chan(1)
    ch.send_nowait("works")
    g = gmprt.go(ch.recv)
    gmprt.sleep(0)
    print(g.result())


def a_neighbour() -> gmprt.G:
    """A started goroutine parked on main's thread, so that syscalls of main leave that thread."""
    g = gmprt.go(gmprt.Chan().recv)
    g.daemon = True
    while g.state != "waiting":
        gmprt.gosched()
    return g


# SIGINT's default handler, main parked.


def parked_wait(kind: str):
    ch, mu, wg = gmprt.Chan(), gmprt.sync.Mutex(), gmprt.sync.WaitGroup()
    mu.lock()
    wg.add(1)
    return {
        "recv": ch.recv,
        "recv_timeout": lambda: ch.recv(timeout=600),
        "send": lambda: ch.send(1),
        "iter": lambda: list(ch),
        "select": lambda: gmprt.select(gmprt.on_recv(ch), gmprt.on_send(gmprt.Chan(), 1)),
        "select_no_cases": gmprt.select,
        "sleep": lambda: gmprt.sleep(600),
        "sleep_for_ever": lambda: gmprt.sleep(None),
        "waitgroup": wg.wait,
        "mutex": mu.lock,
        "syscall": lambda: gmprt.syscall(time.sleep, 600),
    }[kind]


def parked_first_thing(kind: str) -> None:
    """No `go` before: the wait itself starts the runtime."""
    sender = Sender()
    wait = parked_wait(kind)
    sender.when_main_waits()
    caught(wait)


def parked_after_go(kind: str) -> None:
    a_neighbour()
    wait = parked_wait(kind)
    Sender().when_main_waits()
    caught(wait)


def parked_in_run(kind: str) -> None:
    def main() -> None:
        wait = parked_wait(kind)
        Sender().when_main_waits()
        wait()

    caught(lambda: gmprt.run(main))


def parked_in_join() -> None:
    g = a_neighbour()
    Sender().when_main_waits()
    caught(g.join)


def parked_in_result() -> None:
    g = a_neighbour()
    Sender().when_main_waits()
    caught(g.result)


def in_blocking() -> None:
    a_neighbour()
    sender = Sender().when_told()

    def body() -> None:
        with gmprt.blocking():
            sender.may_send.set()
            time.sleep(600)

    caught(body)


def in_unannounced_call() -> None:
    a_neighbour()
    sender = Sender().when_told()

    def body() -> None:
        sender.may_send.set()
        time.sleep(600)

    caught(body)


# SIGINT's default handler, main at work.


def told(loop) -> None:
    """Run an endless loop of main's under a SIGINT that comes somewhere within it."""
    sender = Sender().when_told()

    def body() -> None:
        sender.may_send.set()
        loop()

    caught(body)


def running_python() -> None:
    def loop() -> None:
        n = 0
        while True:
            n += 1

    gmprt.go(int).join()
    told(loop)


def yielding() -> None:
    def loop() -> None:
        while True:
            gmprt.gosched()

    a_neighbour()
    told(loop)


def yielding_among_yielders() -> None:
    """Others run on the main thread most of the time, and catch whatever is raised in them."""
    wrong = []

    def yielder() -> None:
        while True:
            try:
                gmprt.gosched()
            except BaseException as exc:
                wrong.append(exc)

    def loop() -> None:
        while True:
            gmprt.gosched()

    for _ in range(8):
        gmprt.go(yielder).daemon = True
    told(loop)
    print("wrong:", wrong)


def sleeping_zero() -> None:
    def loop() -> None:
        while True:
            gmprt.sleep(0)

    told(loop)


def sending_buffered() -> None:
    ch = gmprt.Chan(4)

    def loop() -> None:
        while True:
            ch.send(1)
            ch.recv()

    told(loop)


def sending_unbuffered() -> None:
    ch = gmprt.Chan()

    def receiver() -> None:
        for _ in ch:
            pass

    def loop() -> None:
        while True:
            ch.send(1)

    gmprt.go(receiver).daemon = True
    told(loop)


def selecting() -> None:
    a, b = gmprt.Chan(1), gmprt.Chan(1)

    def loop() -> None:
        while True:
            gmprt.select(
                gmprt.on_send(a, 1), gmprt.on_recv(a), gmprt.on_send(b, 1), gmprt.on_recv(b)
            )

    told(loop)


def spawning() -> None:
    def loop() -> None:
        while True:
            gmprt.go(int).result()

    told(loop)


def locking() -> None:
    mu = gmprt.sync.Mutex()

    def loop() -> None:
        while True:
            with mu:
                pass

    told(loop)
    mu.try_lock()


def quick_syscalls() -> None:
    def loop() -> None:
        while True:
            gmprt.syscall(int)

    a_neighbour()
    told(loop)


def uncaught() -> None:
    """As in a program that never heard of gmprt: killed by SIGINT, after the traceback."""
    Sender().when_main_waits()
    gmprt.Chan().recv()


# Others run on the main thread while main is parked.


def others_run_while_main_is_parked() -> None:
    """The goroutines on main's thread catch everything: the exception has to pass them by."""
    wrong, stop = [], []

    def yielder() -> None:
        while not stop:
            try:
                gmprt.gosched()
                sum(range(200))
            except BaseException as exc:
                wrong.append(exc)

    def computer() -> None:
        while not stop:
            try:
                for _ in range(20_000):
                    pass
                gmprt.gosched()
            except BaseException as exc:
                wrong.append(exc)

    gs = [gmprt.go(fn) for fn in (yielder, yielder, computer)]
    Sender().when_main_waits()
    caught(gmprt.Chan().recv)
    stop.append(1)
    for g in gs:
        g.join()
    print("wrong:", wrong)


# The user's own handlers.


def raising(signum: int, _frame: object) -> None:
    raise Boom(signum)


def own_handler_before() -> None:
    signal.signal(signal.SIGUSR1, raising)
    a_neighbour()
    print(signal.getsignal(signal.SIGUSR1) is raising)
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    Sender(signal.SIGUSR1).when_main_waits()
    caught(gmprt.Chan().recv)
    print(signal.getsignal(signal.SIGUSR1) is raising)


def own_handler_after() -> None:
    a_neighbour()
    before = signal.signal(signal.SIGUSR1, raising)
    print(before is signal.SIG_DFL)
    print(signal.getsignal(signal.SIGUSR1) is raising)
    print(signal.signal(signal.SIGUSR1, raising) is raising)
    Sender(signal.SIGUSR1).when_main_waits()
    caught(gmprt.Chan().recv)
    print(signal.getsignal(signal.SIGUSR1) is raising)


def handlers_put_back_and_forth() -> None:
    """What programs do around a section of theirs: set, work, restore."""
    gmprt.go(int).join()
    seen = []
    old = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    os.kill(os.getpid(), signal.SIGINT)
    gmprt.sleep(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGINT)
    gmprt.sleep(0)
    signal.signal(signal.SIGINT, old)
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    print(seen)
    Sender().when_main_waits()
    caught(gmprt.Chan().recv)


def handler_that_does_not_raise(kind: str) -> None:
    """It runs while main is parked, on its thread, and the wait goes on; then it is satisfied."""
    a_neighbour()
    ran = threading.Event()
    where = []

    def handler(signum: int, _frame: object) -> None:
        where.append((signum, threading.current_thread() is threading.main_thread()))
        if len(where) == 3:
            ran.set()

    signal.signal(signal.SIGUSR1, handler)
    ch, out, mu, wg = gmprt.Chan(), gmprt.Chan(), gmprt.sync.Mutex(), gmprt.sync.WaitGroup()
    mu.lock()
    wg.add(1)
    main = gmprt.current()

    def helper() -> None:
        for n in range(1, 4):
            while main.state not in ("waiting", "syscall"):
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGUSR1)
            # One that comes just before the main thread sleeps in C is noted and wakes nobody: that
            # is Python's. Another one wakes it, and the handler is called once for both.
            sent = time.monotonic()
            while len(where) < n:
                time.sleep(0.001)
                if time.monotonic() > sent + 5:
                    os.kill(os.getpid(), signal.SIGUSR1)
                    sent = time.monotonic()
        ran.wait()
        if kind in ("recv", "select"):
            ch.send("value")
        elif kind == "send":
            print(out.recv())
        elif kind == "mutex":
            mu.unlock()
        elif kind == "waitgroup":
            wg.done()

    thread = threading.Thread(target=helper)
    thread.start()
    if kind == "recv":
        print(ch.recv())
    elif kind == "select":
        print(tuple(gmprt.select(gmprt.on_recv(ch))))
    elif kind == "send":
        out.send("value")
    elif kind == "mutex":
        mu.lock()
    elif kind == "waitgroup":
        wg.wait()
    elif kind == "syscall":
        print(gmprt.syscall(ran.wait, 600))
    elif kind == "blocking":
        with gmprt.blocking():
            print(ran.wait(600))
    thread.join()
    print([(signal.Signals(s).name, main_thread) for s, main_thread in where])


def sleep_lasts_its_time_under_signals() -> None:
    gmprt.go(int).join()
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    start = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    gmprt.sleep(0.4)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(time.monotonic() - start >= 0.4, len(seen) > 0)


def alarm_as_a_timeout() -> None:
    signal.signal(signal.SIGALRM, raising)
    a_neighbour()
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    caught(gmprt.Chan().recv)


def sigterm_exits() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    a_neighbour()
    Sender(signal.SIGTERM).when_main_waits()
    try:
        gmprt.Chan().recv()
    finally:
        print("finally of main")


def sigterm_exits_while_others_run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))

    def yielder() -> None:
        while True:
            gmprt.gosched()

    for _ in range(4):
        gmprt.go(yielder).daemon = True
    Sender(signal.SIGTERM).when_main_waits()
    try:
        gmprt.select()
    finally:
        print("finally of main")


def second_ctrl_c() -> None:
    """The first one ends the wait, the second one the wait of the clean-up."""
    a_neighbour()
    Sender().when_main_waits()
    try:
        try:
            gmprt.Chan().recv()
        finally:
            print("cleaning up")
            Sender().when_main_waits()
            gmprt.Chan().recv()
    except KeyboardInterrupt as exc:
        print(type(exc.__context__).__name__)
    still_works()


def many_ctrl_c() -> None:
    a_neighbour()
    for _ in range(50):
        Sender().when_main_waits()
        try:
            gmprt.Chan().recv()
        except KeyboardInterrupt:
            continue
        print("nothing raised")
    still_works()


def to_main_on_another_thread_of_the_runtime() -> None:
    """Signals that arrive while goroutines sit in calls on Ms of their own."""
    barrier = threading.Barrier(5)

    def other() -> None:
        with gmprt.blocking():
            barrier.wait()
        gmprt.Chan().recv()

    for _ in range(4):
        gmprt.go(other).daemon = True
    with gmprt.blocking():
        barrier.wait()
    Sender().when_main_waits()
    caught(gmprt.Chan().recv)


# A handler that uses the API.


def handler_spawns_and_sends() -> None:
    ch = gmprt.Chan(8)

    def handler(*_: object) -> None:
        ch.send_nowait("sent")
        gmprt.go(ch.send, "spawned")

    signal.signal(signal.SIGUSR1, handler)
    a_neighbour()
    Sender(signal.SIGUSR1).when_main_waits()
    print(ch.recv())
    print(ch.recv())


def handler_closes() -> None:
    ch = gmprt.Chan()
    signal.signal(signal.SIGUSR1, lambda *_: ch.close())
    a_neighbour()
    Sender(signal.SIGUSR1).when_main_waits()
    print(ch.recv_ok())


def handler_interrupts() -> None:
    """A handler may interrupt a goroutine, and main itself."""
    main = gmprt.current()
    g = a_neighbour()

    def handler(*_: object) -> None:
        g.interrupt(Boom)
        main.interrupt(Boom)

    signal.signal(signal.SIGUSR1, handler)
    Sender(signal.SIGUSR1).when_main_waits()
    caught(gmprt.Chan().recv)
    print(repr(g.exception()))


def handler_waits() -> None:
    """To wait in a handler works or is refused; it never hangs and never harms main's own wait."""
    ch, mine = gmprt.Chan(), gmprt.Chan(1)
    outcome = []

    def handler(*_: object) -> None:
        try:
            outcome.append(ch.recv(timeout=5))
        except RuntimeError:
            outcome.append("refused")
        mine.send_nowait("main's")

    signal.signal(signal.SIGUSR1, handler)
    g = gmprt.go(ch.send, "value")
    while g.state != "waiting":
        gmprt.gosched()
    g.daemon = True
    Sender(signal.SIGUSR1).when_main_waits()
    print(mine.recv())
    print(outcome in (["value"], ["refused"]))


# Storms: a signal wherever it may hit.


def storm_on_channels() -> None:
    """Handlers raise all over main's channel code; the channel stays whole and in order."""
    ch, unbuffered = gmprt.Chan(4), gmprt.Chan()
    stop = threading.Event()
    armed = [False]  # raises once each time round, and never where nobody catches it

    def handler(signum: int, _frame: object) -> None:
        if armed[0]:
            armed[0] = False
            raise Boom(signum)

    signal.signal(signal.SIGUSR1, handler)

    def bomber() -> None:
        while not stop.is_set():
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.0007)

    def echo() -> None:
        echoed.extend(unbuffered)

    echoed: list[int] = []
    received: list[int] = []
    g = gmprt.go(echo)
    booms = 0
    numbers = itertools.count()
    thread = threading.Thread(target=bomber)
    thread.start()
    while booms < 400:
        try:
            try:
                armed[0] = True
                while True:
                    with contextlib.suppress(gmprt.WouldBlock):
                        ch.send_nowait(next(numbers))
                    with contextlib.suppress(gmprt.WouldBlock):
                        received.append(ch.recv_nowait())
                    ch.send(next(numbers), timeout=0.001)
                    received.append(ch.recv(timeout=0.001))
                    unbuffered.send(next(numbers))
                    gmprt.select(gmprt.on_send(ch, next(numbers)), gmprt.on_recv(ch))
            except TimeoutError:
                armed[0] = False
        except Boom:
            booms += 1
    armed[0] = False
    stop.set()
    thread.join()
    unbuffered.close()
    g.join()
    with contextlib.suppress(gmprt.WouldBlock):
        while True:
            ch.recv_nowait()
    print("in order:", received == sorted(set(received)), echoed == sorted(set(echoed)))
    for n in range(4):
        ch.send_nowait(n)
    try:
        ch.send_nowait(4)
    except gmprt.WouldBlock:
        print("room for", len(ch))
    print([ch.recv_nowait() for _ in range(4)])
    still_works()


def all_end_or_wait(gs: list) -> bool:
    """Whether they ended; False where all that are left wait, and so for a lock that main has."""
    waiting = 0
    while not all(g.done() for g in gs):
        waiting = waiting + 1 if all(g.done() or g.state == "waiting" for g in gs) else 0
        if waiting == 20:
            return False
        gmprt.sleep(0.0005)
    return True


def storm_on_locks() -> None:
    """The same for locks and joins: at the end the lock is main's or free, and nothing hangs."""
    stop = threading.Event()
    armed = [True]

    def handler(signum: int, _frame: object) -> None:
        if armed[0]:
            armed[0] = False
            raise Boom(signum)

    signal.signal(signal.SIGUSR1, handler)

    def bomber() -> None:
        while not stop.is_set():
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.0007)

    def contender(mu: gmprt.sync.Mutex) -> str:
        for _ in range(3):
            with mu:
                gmprt.gosched()
        return "done"

    armed[0] = False
    thread = threading.Thread(target=bomber)
    thread.start()
    free = 0
    for _ in range(400):
        mu, wg = gmprt.sync.Mutex(), gmprt.sync.WaitGroup()
        gs = [gmprt.go(contender, mu), wg.go(contender, mu)]
        try:
            try:
                armed[0] = True
                while True:
                    mu.lock()
                    gmprt.gosched()
                    mu.unlock()
                    gmprt.go(int).result()
                    gmprt.syscall(int)
                    wg.wait(timeout=0.0001)
            except TimeoutError:
                armed[0] = False
        except Boom:
            pass
        # Raised between the return of lock() and the next line, main has it: nobody can tell from
        # here, but it is one or the other, and either way it can be let go.
        if all_end_or_wait(gs) and mu.try_lock():
            free += 1
        mu.unlock()
        assert all(g.result(timeout=30) == "done" for g in gs)
        wg.wait(timeout=30)
        with mu:
            pass
    stop.set()
    thread.join()
    print("mostly free:", free > 0)
    still_works()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
