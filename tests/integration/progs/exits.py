"""Programs for test_exit: what is alive, running or unreported when the interpreter ends.

Run as ``exits.py NAME``.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
import time

if len(sys.argv) > 1 and sys.argv[1] == "atexit_before_import":
    atexit.register(lambda: use_it_late("registered before the import"))
if len(sys.argv) > 1 and sys.argv[1] in (
    "ms_sleep_at_the_end",
    "event_of_a_sleeper",
    "event_of_a_fresh_one",
    "event_behind_another",
    "timer_in_the_last_hook",
):
    atexit.register(lambda: last_hook())

import gmprt

kept: list[object] = []


def use_it_late(when: str) -> None:
    """Use everything; at this time it works or is refused, but does not hang."""
    try:
        ch = gmprt.Chan(1)
        ch.send("value")
        g = gmprt.go(ch.recv)
        print(when, g.result(), gmprt.syscall(int), flush=True)
    except RuntimeError:
        print(when, "refused", flush=True)


def leak(ch) -> None:
    ch.recv()


def park(n: int) -> list:
    gs = [gmprt.go(leak, gmprt.Chan()) for _ in range(n)]
    while any(g.state != "waiting" for g in gs):
        gmprt.gosched()
    return gs


def drain() -> None:
    """Let the others end; all is over and reported then, where there is one P."""
    while gmprt.num_goroutine() > 1:
        gmprt.gosched()
    gmprt.gosched()


def on_several_threads(n: int, then) -> list:
    """Goroutines that each live on an M of its own: all of them are in a call at one time."""
    barrier = threading.Barrier(n + 1)

    def body() -> None:
        with gmprt.blocking():
            barrier.wait()
        then()

    gs = [gmprt.go(body) for _ in range(n)]
    with gmprt.blocking():
        barrier.wait()
    return gs


# Leaks.


def clean() -> None:
    ch = gmprt.Chan()
    gmprt.go(ch.send, 1)
    print(ch.recv())


def only_imported() -> None:
    print("imported")


def leak_one() -> None:
    park(1)


def leak_three() -> None:
    park(3)


def leak_fresh() -> None:
    """They have not even started."""
    for _ in range(2):
        gmprt.go(leak, gmprt.Chan())


def leak_and_exit() -> None:
    park(1)
    sys.exit(3)


def leak_and_exit_zero() -> None:
    park(1)
    sys.exit(0)


def leak_and_raise() -> None:
    park(1)
    raise ValueError("main's own")


def leak_in_run() -> None:
    gmprt.run(park, 2)


def daemons() -> None:
    for g in park(2):
        g.daemon = True


def daemons_and_one() -> None:
    for g in park(3)[1:]:
        g.daemon = True


def exit_code() -> None:
    park(1)[0].daemon = True
    sys.exit(3)


# Exceptions that nobody asked for.


def fail(text: str = "boom") -> None:
    raise ValueError(text)


def raise_and_forget() -> None:
    """The handle is gone before: reported at once, before main goes on."""
    gmprt.gomaxprocs(1)
    gmprt.go(fail)
    drain()
    print("main", file=sys.stderr)


def raise_then_forget() -> None:
    """The handle goes after: reported then. On another thread the goroutine's own end may still be
    on its way then, without the GIL, and has the last handle: see `raise_and_forget_many`."""
    gmprt.gomaxprocs(1)
    g = gmprt.go(fail)
    g.join()
    print("joined", file=sys.stderr)
    del g
    gc.collect()
    print("forgotten", file=sys.stderr)


def raise_and_forget_many() -> None:
    """Joined or not, here or on other threads: all are reported while the program runs."""
    reported: list[str] = []
    gmprt.excepthook = lambda g, exc: reported.append(str(exc))
    for i in range(100):
        gmprt.go(fail, f"joined {i}").join()
        gmprt.go(fail, f"forgotten {i}")
    until = time.monotonic() + 60.0
    while len(reported) < 200 and time.monotonic() < until:
        gmprt.gosched()
    for text in sorted(reported):
        print(text)


def raise_and_keep() -> None:
    kept.append(gmprt.go(fail))
    kept[0].join()
    print("main ends", file=sys.stderr)


def raise_and_give_up() -> None:
    """A result() that timed out has not asked."""
    ch = gmprt.Chan()

    def late() -> None:
        ch.recv()
        fail()

    g = gmprt.go(late)
    try:
        g.result(timeout=0.01)
    except TimeoutError:
        ch.send(None)
    g.join()


def raise_and_ask_result() -> None:
    try:
        gmprt.go(fail).result()
    except ValueError as exc:
        print("asked:", exc)


def raise_and_ask_exception() -> None:
    g = gmprt.go(fail)
    print("asked:", g.exception())
    kept.append(g)


def raise_in_many() -> None:
    for i in range(20):
        gmprt.go(fail, f"boom {i}")
    drain()
    kept.extend(gmprt.go(fail, f"boom {i}") for i in range(20, 40))
    for g in kept:
        g.join()


def quiet_ends() -> None:
    def interrupted() -> None:
        gmprt.Chan().recv()

    gmprt.go(sys.exit, 5)
    gmprt.go(gmprt.goexit)
    g = gmprt.go(interrupted)
    gmprt.sleep(0)
    g.interrupt()
    g.join()
    print("quiet")


def keyboard_interrupt_of_ones_own() -> None:
    def body() -> None:
        raise KeyboardInterrupt("own")

    gmprt.go(body)
    drain()
    print("main goes on")


def own_hook() -> None:
    gmprt.gomaxprocs(1)

    def hook(g, exc) -> None:
        print("hook:", g.name, repr(exc))

    gmprt.excepthook = hook
    gmprt.go(fail)
    drain()
    kept.append(gmprt.go(fail, "late"))
    kept[0].join()


def hook_that_raises() -> None:
    def hook(g, exc) -> None:
        raise TypeError("the hook's own")

    gmprt.gomaxprocs(1)
    gmprt.excepthook = hook
    for _ in range(3):
        gmprt.go(fail)
        drain()
    print("main goes on", gmprt.go(int).result())


def crash_at_once() -> None:
    park(1)
    gmprt.go(fail)
    gmprt.sleep(5)
    print("not reached")


def crash_at_exit() -> None:
    kept.append(gmprt.go(fail))
    kept[0].join()
    print("main ends", flush=True)


def asked_under_crash() -> None:
    try:
        gmprt.go(fail).result()
    except ValueError:
        print("asked")


# Ends with something still going on.


def parked_on_several_threads() -> None:
    ready = gmprt.Chan()

    def then() -> None:
        ready.send(1)
        gmprt.Chan().recv()

    on_several_threads(4, then)
    for _ in range(4):
        ready.recv()
    print("end")


def in_long_syscalls() -> None:
    started = threading.Barrier(4)

    def call() -> None:
        started.wait()
        time.sleep(3600)

    def in_place() -> None:
        gmprt.syscall(call)

    def unannounced() -> None:
        call()

    def blocking() -> None:
        with gmprt.blocking():
            call()

    for body in (in_place, blocking, unannounced):
        gmprt.go(body)
    with gmprt.blocking():
        started.wait()
    print("end")


def in_loops() -> None:
    """Running Python, switching, spawning and sending on other threads, at full speed."""
    ch = gmprt.Chan(1)

    def compute() -> None:
        while True:
            sum(range(100))

    def switch() -> None:
        while True:
            gmprt.gosched()

    def spawn() -> None:
        while True:
            gmprt.go(int).join()

    def send() -> None:
        while True:
            ch.send(1)
            ch.recv()

    # One that never yields keeps its P: with a single one main would never come back.
    for body in (compute, send, switch, spawn)[2 if gmprt.gomaxprocs() == 1 else 0 :]:
        on_several_threads(1, body)
    print("end")


def in_sleeps_and_timeouts() -> None:
    """Timers of other Ms come due while the interpreter ends."""

    def body() -> None:
        while True:
            gmprt.sleep(0.0005)
            try:
                gmprt.Chan().recv(timeout=0.0005)
            except TimeoutError:
                pass

    on_several_threads(3, body)
    print("end")


def foreign_daemons() -> None:
    """Threads of the user's, some parked in a wait of ours, some at work."""
    ch = gmprt.Chan()
    ready = threading.Barrier(4)

    def parked() -> None:
        ready.wait()
        ch.recv()

    def at_work() -> None:
        ready.wait()
        while True:
            gmprt.go(int).join()

    for body in (parked, parked, at_work):
        threading.Thread(target=body, daemon=True).start()
    ready.wait()
    print("end")


def run_again_and_end() -> None:
    def main() -> str:
        on_several_threads(2, gmprt.Chan().recv)
        return "end"

    print(gmprt.run(main, procs=4))


def thread_outlives_main() -> None:
    """A thread that is no daemon still works with goroutines after main's code has ended."""
    gmprt.go(int).join()

    def late() -> None:
        while threading.main_thread().is_alive():
            time.sleep(0.001)
        try:
            threading.Thread(target=int).start()
        except RuntimeError:  # Python 3.12.0 and 3.12.1 start no thread any more: nor can gmprt
            print("late: 2 3", flush=True)
            return
        ch = gmprt.Chan()
        g = gmprt.go(lambda: ch.recv() + 1)
        ch.send(1)
        print("late:", g.result(), gmprt.syscall(lambda: 3), flush=True)

    threading.Thread(target=late).start()


def atexit_before_import() -> None:
    gmprt.go(int).join()


def atexit_after_use() -> None:
    gmprt.go(int).join()
    atexit.register(use_it_late, "registered after the first go")


def atexit_never_used() -> None:
    atexit.register(use_it_late, "first use")


def atexit_with_parked() -> None:
    on_several_threads(3, gmprt.Chan().recv)
    atexit.register(use_it_late, "beside parked ones")


def ms_sleep_at_the_end() -> None:
    """What follows the last hook is the interpreter's end, which ends who is on his way."""
    global last_hook

    def last_hook() -> None:
        from gmprt._runtime.sched import sched

        ms = [mp for mp in sched.allm if mp is not sched.m0]
        asleep = [
            mp for mp in ms if mp.settled and (not mp.idle or mp.note._acquire.__self__.locked())
        ]
        print(len(asleep), "of", len(ms), flush=True)

    park(2)
    on_several_threads(4, gmprt.Chan().recv)


def event_of_a_sleeper() -> None:
    global last_hook
    woken = threading.Event()

    def body() -> None:
        for _ in range(20):
            gmprt.sleep(0.01)
        woken.set()

    def last_hook() -> None:
        print(woken.wait(60), flush=True)

    on_several_threads(1, body)


def event_of_a_fresh_one() -> None:
    global last_hook

    def last_hook() -> None:
        made = threading.Event()
        gmprt.go(made.set)
        print(made.wait(60), flush=True)

    gmprt.go(int).join()


def event_behind_another() -> None:
    """One that another one starts, which then blocks its thread for it."""
    global last_hook
    ch, made = gmprt.Chan(1), threading.Event()

    def body() -> None:
        ch.recv()
        gmprt.go(made.set)
        made.wait(60)

    def last_hook() -> None:
        ch.send_nowait(None)
        print(made.wait(60), flush=True)

    on_several_threads(1, body)


def timer_in_the_last_hook() -> None:
    global last_hook

    def last_hook() -> None:
        gmprt.after(0.05).recv()
        print(True, flush=True)

    gmprt.go(int).join()


def ends_by_a_long_exception() -> None:
    """Main is off in C without a frame, with the GIL, while its traceback is written."""
    for _ in range(50):
        gmprt.go(int)
    exc = None
    for _ in range(900):
        cause, exc = exc, ValueError("x" * 1000)
        exc.__cause__ = cause
    raise exc


class Late:
    """Uses the runtime when the module's globals go."""

    def __init__(self) -> None:
        self.go, self.chan, self.write = gmprt.go, gmprt.Chan(1), os.write

    def __del__(self) -> None:
        self.write(1, b"finaliser\n")
        self.go(int)
        self.chan.send_nowait(1)
        self.chan.recv()
        self.chan.close()
        self.go(int).join(0.01)


class LateWait(Late):
    def __del__(self) -> None:
        self.write(1, b"finaliser\n")
        self.go(self.chan.send, 1)
        self.chan.recv(timeout=0.05)


def go_in_a_late_finaliser() -> None:
    global late
    gmprt.go(int).join()
    late = Late()


def go_in_a_late_finaliser_first_use() -> None:
    global late
    late = Late()


def wait_in_a_late_finaliser() -> None:
    global late
    gmprt.go(int).join()
    on_several_threads(2, gmprt.Chan().recv)
    late = LateWait()


def finally_of_parked() -> None:
    """Goroutines parked at the end are left as they are, as daemon threads are."""

    def body() -> None:
        try:
            gmprt.Chan().recv()
        finally:
            os.write(1, b"finally ran\n")

    g = gmprt.go(body)
    while g.state != "waiting":
        gmprt.gosched()
    print("end", flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
