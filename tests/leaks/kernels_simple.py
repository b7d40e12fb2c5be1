"""The simplest leaks, those of everyday programs, and two that strain who looks for them. See
kernels.py.
"""

from gmprt import Chan, go, leaks, on_recv, on_send, select, sleep
from gmprt.context import background, with_cancel
from gmprt.sync import Cond, Mutex, RWMutex, WaitGroup
from tests.leaks.corpus import HELD, LONG, Program, carry_into

SIMPLE: list[Program] = []
simple = carry_into(SIMPLE)

MANY = 10
DEPTH = 3
CHAIN = 100


# One of each way to wait


@simple("NilRecv", "channel: nil", 1)
def nil_recv():
    """The nil channel is a case that is never ready."""
    go(select, on_recv(None))


@simple("NilSend", "channel: nil", 1)
def nil_send():
    """Nor can anything be sent to it."""
    go(select, on_send(None, 0))


@simple("SelectNoCases", "select: no exit", 1)
def select_of_no_cases():
    """A choice of nothing."""
    go(select)


@simple("ChanRecv", "channel: no sender", 1)
def chan_recv():
    """A channel that only its receiver knows."""
    go(lambda: Chan().recv())


@simple("ChanSend", "channel: no receiver", 1)
def chan_send():
    """A channel that only its sender knows."""
    go(lambda: Chan().send(0))


@simple("Select", "select: no exit", 1)
def select_of_two():
    """Two channels that only the chooser knows."""
    go(lambda: select(on_send(Chan(), 0), on_recv(Chan())))


@simple("WaitGroup", "waitgroup: miscount", 1)
def waitgroup_of_nobody():
    """Somebody is counted who was never started."""

    def body():
        wg = WaitGroup()
        wg.add(1)
        wg.wait()

    go(body)


def lock_twice(mutex):
    mutex.lock()
    mutex.lock()


@simple("MutexStack", "mutex: double lock", MANY)
def mutex_of_ones_own():
    """Many goroutines, each with a lock of its own that it takes twice."""
    for _ in range(MANY):
        go(lambda: lock_twice(Mutex()))


@simple("MutexHeap", "mutex: double lock", MANY)
def mutex_of_a_parent():
    """The locks are made by parents, who are gone by then."""

    def parent():
        go(lock_twice, Mutex())

    for _ in range(MANY):
        go(parent)


@simple("RWMutexRLock", "rwmutex: read under write", 1)
def rwmutex_rlock():
    """A writer that wants to read as well."""

    def body():
        m = RWMutex()
        with m, m.rlocker():
            pass

    go(body)


@simple("RWMutexLock", "rwmutex: double lock", 1)
def rwmutex_lock():
    """A writer that locks twice."""
    go(lambda: lock_twice(RWMutex()))


@simple("Cond", "cond: no signal", 1)
def cond_without_a_signal():
    """A condition that only the one who waits knows."""

    def body():
        cond = Cond(Mutex())
        with cond.L:
            cond.wait()

    go(body)


@simple("Mixed", "mixed: waitgroup and channel", 2)
def waitgroup_before_the_receive():
    """One waits until the other is done, before it takes what that one sends."""

    def body():
        results, wg = Chan(), WaitGroup()
        wg.go(results.send, 0)
        wg.wait()
        results.recv()

    go(body)


@simple("NoLeakGlobal", "healthy: held by a global", 0, 1)
def a_channel_of_a_module():
    """No leak: whoever imports the module can send."""
    HELD.append(Chan())
    go(HELD[-1].recv)


# The usual ways to leak


@simple("NoCloseRange", "channel: never closed", 4)
def range_without_a_close():
    """Workers wait for more items; and without workers, the sender for one who takes any."""

    def work(items):
        for _ in items:
            pass

    def feed(workers):
        items = Chan()
        for _ in range(workers):
            go(work, items)
        for i in range(3):
            items.send(i)

    go(feed, 0)
    go(feed, 3)


class Worker:
    """To be started, fed, and in the end stopped."""

    def __init__(self):
        self.items, self.done = Chan(), Chan()

    def start(self):
        go(self.work)

    def work(self):
        while select(on_recv(self.done), on_recv(self.items)).index:
            pass

    def stop(self):
        self.done.close()


@simple("MethodContractViolation", "select: no exit", 1)
def a_worker_that_is_not_stopped():
    """Who starts a worker has to stop it, and forgets."""
    worker = Worker()
    worker.start()
    for i in range(10):
        worker.items.send(i)


@simple("DoubleSend", "channel: no receiver", 1)
def an_error_and_then_a_result():
    """An error is sent, without a return, then the result; one receiver takes the first alone."""

    def answer(out, failed):
        if failed:
            out.send(None)
        out.send(1)

    for failed, room in (False, 0), (True, 0), (True, 1):
        out = Chan(room)
        go(answer, out, failed)
        out.recv()


@simple("EarlyReturn", "channel: early exit", 1)
def a_return_before_the_receive():
    """Who asked returns at an error of its own, and never takes the answer."""

    def ask(failed):
        answer = Chan()
        go(answer.send, 1)
        return None if failed else answer.recv()

    go(ask, True)


@simple("NCastLeak", "channel: no receiver", 5)
def the_first_of_several():
    """The first answer is enough, and the other four wait; of nobody there is no first."""

    def first(items):
        answers = Chan()
        for item in items:
            go(answers.send, item)
        return answers.recv()

    go(first, range(0))
    go(first, range(5))


@simple("Timeout", "channel: early exit", MANY)
def cancelled_before_the_answer():
    """Who asks has been cancelled; the answers come later."""

    def ask(ctx):
        answer, left = Chan(), Chan()

        def body():
            left.recv_ok()
            answer.send(1)

        go(body)
        select(on_recv(answer), on_recv(ctx.done()))
        left.close()

    ctx, cancel = with_cancel(background())
    cancel()
    for _ in range(MANY):
        go(ask, ctx)


# Strain


def count_of_tree(depth):
    return 0 if depth == 0 else 1 + depth * count_of_tree(depth - 1)


@simple("SpawnGC", "stress: looked for while others leak", count_of_tree(DEPTH))
def a_tree_each_node_of_which_leaks_and_looks():
    """Each node leaks one, starts smaller trees, and looks for the stuck while they do the same."""

    def leak(wg):
        wg.done()
        Chan().recv()

    def child(wg, depth):
        wg.done()
        node(depth)

    def node(depth):
        if depth == 0:
            return
        wg = WaitGroup()
        wg.add(depth + 1)
        go(leak, wg)
        for _ in range(depth):
            go(child, wg, depth - 1)
        wg.wait()
        leaks.stuck()

    go(node, DEPTH)


@simple("DaisyChain", "healthy: chain", 0, CHAIN + 1)
def a_long_chain_that_hangs_on_one_who_sleeps():
    """No leak, but each link is live only because the next one is."""

    def sleeper(out):
        sleep(LONG)
        out.send(None)

    def link(i, out):
        if i == 0:
            go(sleeper, out)
            return
        inner = Chan()
        go(link, i - 1, inner)
        inner.recv()
        out.send(None)

    go(link, CHAIN, Chan(1))
