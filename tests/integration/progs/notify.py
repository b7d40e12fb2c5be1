"""Programs for test_go_notify_context_test: signals that end a context. Run as ``notify.py NAME``.

Nobody but the program itself sends them, most to the process, as a terminal would.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import gmprt
from gmprt.context import background, cause, signal_context, with_cancel

LONG = 30.0
SETTLE = 0.05  # for signals that come when they no longer matter


def send(signum: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), signum)


def wait(ctx) -> None:
    ctx.done().recv_ok(LONG)


def told(ctx) -> str:
    """What a context that a signal ended says of it."""
    why = cause(ctx)
    number = getattr(why, "signum", None)
    name = signal.Signals(number).name if number else "no signal"
    return f"{type(ctx.err()).__name__} {type(why).__name__} {name}"


def notifications(n: str) -> None:
    """As many signals as there are goroutines; those after the first change nothing."""
    ctx, _ = signal_context(signal.SIGINT)
    gs = [gmprt.go(send) for _ in range(int(n))]
    for g in gs:
        g.join()
    wait(ctx)
    print(told(ctx))
    gmprt.sleep(SETTLE)
    print("lives")


def stopped() -> None:
    """A signal that was ignored is not, until the stop, and is again after it."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    parent, cancel_parent = with_cancel(background())
    ctx, stop = signal_context(signal.SIGHUP, parent=parent)
    print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)
    stop()
    wait(ctx)
    print(told(ctx), cause(ctx) is ctx.err())
    print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)
    cancel_parent()
    send(signal.SIGHUP)
    gmprt.sleep(SETTLE)
    print("lives")


def default_after_stop() -> None:
    ctx, stop = signal_context(signal.SIGINT)
    send()
    wait(ctx)
    send()
    gmprt.sleep(SETTLE)
    print("diverted")
    stop()
    try:
        send()
        gmprt.Chan().recv(LONG)
    except KeyboardInterrupt:
        print("KeyboardInterrupt in goroutine", gmprt.current().id)


def own_handler_after_stop() -> None:
    got = []
    signal.signal(signal.SIGUSR1, lambda *_: got.append("mine"))
    with signal_context(signal.SIGUSR1) as ctx:
        send(signal.SIGUSR1)
        wait(ctx)
        print(got)
    send(signal.SIGUSR1)
    gmprt.sleep(SETTLE)
    print(got)


def main_waits() -> None:
    """The only thing that can end main's wait is the signal: no deadlock."""
    with signal_context(signal.SIGALRM) as ctx:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        wait(ctx)
        print(told(ctx))


def main_waits_with_ctx() -> None:
    with signal_context(signal.SIGALRM) as ctx:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            gmprt.Chan().recv(ctx=ctx)
        except gmprt.Canceled as exc:
            print(told(ctx), exc is not ctx.err())


def one_of_several() -> None:
    with signal_context(signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM) as ctx:
        send(signal.SIGUSR2)
        wait(ctx)
        send(signal.SIGTERM)
        send(signal.SIGUSR1)
        gmprt.sleep(SETTLE)
        print(told(ctx))


def two_contexts() -> None:
    """Each is told of the signal; the stop of one leaves the other."""
    first, stop_first = signal_context(signal.SIGINT)
    second, stop_second = signal_context(signal.SIGINT)
    third, stop_third = signal_context(signal.SIGINT)
    stop_first()
    send()
    wait(second)
    wait(third)
    print(told(first), cause(first) is first.err())
    print(told(second))
    print(told(third))
    stop_third()
    send()
    gmprt.sleep(SETTLE)
    print("diverted")
    stop_second()
    try:
        send()
        gmprt.Chan().recv(LONG)
    except KeyboardInterrupt:
        print("KeyboardInterrupt")


def made_elsewhere(where: str) -> None:
    """In Python only the main thread can set a handler: that is nobody's worry here."""
    made = gmprt.Chan(1)

    def make() -> None:
        made.send(signal_context(signal.SIGUSR1))

    def stop_it() -> None:
        stop()
        made.send(None)

    def run(fn) -> None:
        if where == "thread":
            threading.Thread(target=fn).start()
        elif where == "goroutines":
            with gmprt.blocking():  # so that others run on another thread
                gmprt.go(fn).join()
        else:
            gmprt.go(fn)

    before = signal.getsignal(signal.SIGUSR1)
    run(make)
    ctx, stop = made.recv(LONG)
    send(signal.SIGUSR1)
    wait(ctx)
    print(told(ctx))
    run(stop_it)
    made.recv(LONG)
    print(signal.getsignal(signal.SIGUSR1) == before)


def parents() -> None:
    """A child of a signal's context has its cause, a parent is none of its business."""
    parent, cancel_parent = with_cancel(background())
    with signal_context(signal.SIGUSR1, parent=parent) as ctx, with_cancel(ctx) as child:
        send(signal.SIGUSR1)
        wait(child)
        print(told(child), cause(child) is cause(ctx), parent.err())
    cancel_parent()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
