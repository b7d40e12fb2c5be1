"""Programs for `GMPRT_MAXTHREADS`: what becomes of calls for which there is no thread."""

import os
import signal
import sys
import threading
import time

from gmprt import Chan, blocking, current, go, sleep, syscall
from gmprt._runtime import handoff
from gmprt.sync import WaitGroup

LONG = 60
held = threading.Event()


def hold():
    """Sit in a call until `held` is set."""
    return held.wait(LONG)


def until(condition):
    while not condition():
        sleep(0.001)


def a_call_under_way():
    """Have a goroutine's call be under way on another thread; some others live on this one."""
    g = go(syscall, hold)
    until(lambda: g.state == "syscall")
    return g


def each_makes_a_call():
    """Forty goroutines, each of which computes, makes a call, and then waits."""
    ch, n = Chan(), 40

    def calls():
        end = time.perf_counter() + 0.003
        while time.perf_counter() < end:
            pass
        ch.send(syscall(lambda: "made"))

    gs = [go(calls) for _ in range(n)]
    print({ch.recv(LONG) for _ in range(n)})
    for g in gs:
        g.join()


def nobody_else_could():
    """No call is under way whose end could be waited for, and some live here: it is made here."""
    gate, born = Chan(), WaitGroup()

    def lives():
        born.done()
        gate.recv_ok()

    born.add(3)
    gs = [go(lives) for _ in range(3)]
    born.wait()
    print(syscall(lambda: current() is main), go(syscall, lambda: "made").result(LONG))
    gate.close()
    for g in gs:
        g.join()


def waits_for_a_thread(fn, *args):
    g = go(syscall, fn, *args)
    until(lambda: g.wait_reason == "syscall (thread limit)")
    return g


def in_their_order():
    """Five wait for one."""
    first = a_call_under_way()
    log = []
    gs = [first, *[waits_for_a_thread(log.append, i) for i in range(5)]]
    held.set()
    for g in gs:
        g.join()
    print(log)


def a_thread_comes_free():
    """One where the last goroutine ends makes the call that waits for a long one."""
    gate = Chan()
    told = []

    def lives():
        told.append(None)
        gate.recv_ok()

    g = go(lives)
    with blocking():  # it starts on another thread
        while not told:
            time.sleep(0.001)
    first = a_call_under_way()
    waiting = waits_for_a_thread(lambda: "made")
    gate.close()
    print(waiting.result(LONG))
    held.set()
    first.join()
    g.join()


def ctrl_c():
    """Main's call waits for a thread: it is given up, and never made."""

    def interrupts():
        while main.wait_reason != "syscall (thread limit)":
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    g = a_call_under_way()
    threading.Thread(target=interrupts, daemon=True).start()
    try:
        syscall(print, "made")
    except KeyboardInterrupt:
        print("given up")
    held.set()
    print(g.result(LONG), main.wait_reason == "")


def the_system_has_no_more():
    """Threads that cannot be started: who calls makes the call, also those that waited for one."""

    def refuses(*_):
        raise RuntimeError("can't start new thread")

    gate = Chan()
    g = go(gate.recv_ok)
    until(lambda: g.wait_reason)
    handoff.start_new_thread = refuses
    print([go(syscall, lambda i=i: i).result(LONG) for i in range(3)])
    gate.close()
    g.join()


main = current()
globals()[sys.argv[1]]()
