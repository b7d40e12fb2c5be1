"""Programs that leak goroutines, in the kinds that real bugs come in, and healthy look-alikes.

Each starts goroutines and returns what has to stay alive meanwhile, or None. `LEAKS` has for each
leak how many goroutines it leaves that can provably never run again; `HEALTHY` leaves goroutines
that all can go on: whoever calls one of these stuck raises a false alarm.

The kinds follow the bugs collected from Go programs (blocking bugs of locks, of channels, of both
together, of other primitives); each is told in our own words, with Python's means.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gmprt import Chan, Ticker, Timer, after, after_func, go, on_recv, on_send, select, sleep
from gmprt.context import background, with_cancel, with_timeout, with_value
from gmprt.sync import Cond, Mutex, Once, RWMutex, Semaphore, WaitGroup

LONG = 1000.0
HELD: list[Any] = []


@dataclass(frozen=True)
class Program:
    """One program of the corpus."""

    run: Callable[[], Any]
    kind: str
    stuck: int  # goroutines that can provably never run again
    leaked: int | None = None  # goroutines left in all; None: as many as are stuck
    origin: str = ""  # in Go's corpus, if it is carried over from there

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def left(self) -> int:
        return self.stuck if self.leaked is None else self.leaked


Decorator = Callable[[Callable[[], Any]], Callable[[], Any]]

LEAKS: list[Program] = []
HEALTHY: list[Program] = []


def leak(kind: str, stuck: int) -> Decorator:
    def add(run: Callable[[], Any]) -> Callable[[], Any]:
        LEAKS.append(Program(run, kind, stuck))
        return run

    return add


def carry_into(programs: list[Program]) -> Callable[..., Decorator]:
    """Return a decorator that puts what is carried over from Go's corpus into a list."""

    def carried(origin: str, kind: str, stuck: int, leaked: int | None = None) -> Decorator:
        def add(run: Callable[[], Any]) -> Callable[[], Any]:
            programs.append(Program(run, kind, stuck, leaked, origin))
            return run

        return add

    return carried


def healthy(kind: str) -> Decorator:
    def add(run: Callable[[], Any]) -> Callable[[], Any]:
        HEALTHY.append(Program(run, kind, 0))
        return run

    return add


# Channels


@leak("channel: no sender", 1)
def receive_with_no_sender():
    def body():
        Chan().recv()

    go(body)


@leak("channel: no sender", 1)
def receive_on_a_channel_handed_over():
    def body(ch):
        ch.recv()

    go(body, Chan())


@leak("channel: no sender", 1)
def receive_through_a_bound_method():
    go(Chan().recv)


@leak("channel: no sender", 1)
def receive_through_a_partial():
    go(partial(Chan().recv, None))


@leak("channel: never closed", 3)
def workers_range_over_a_channel_nobody_closes():
    jobs = Chan(3)

    def worker():
        for _ in jobs:
            pass

    for _ in range(3):
        go(worker)
    for i in range(3):
        jobs.send(i)


@leak("channel: no receiver", 1)
def send_with_no_receiver_after_a_time_out():
    def fetch(result):
        sleep(0.002)
        result.send("too late")

    def request():
        result = Chan()
        go(fetch, result)
        try:
            result.recv(timeout=0.0001)
        except TimeoutError:
            pass

    go(request)


@leak("channel: no receiver", 2)
def the_first_answer_wins_and_the_others_wait_for_ever():
    def ask(replicas):
        answers = Chan()
        for i in range(replicas):
            go(lambda i=i: answers.send(i))
        return answers.recv()

    go(ask, 3)


@leak("channel: no receiver", 1)
def a_buffer_too_small():
    def body():
        errors = Chan(1)
        errors.send("one")
        errors.send("two")

    go(body)


@leak("channel: ring", 2)
def two_that_wait_for_each_other():
    a, b = Chan(), Chan()

    def left():
        a.recv()
        b.send(None)

    def right():
        b.recv()
        a.send(None)

    go(left)
    go(right)


@leak("channel: ring", 3)
def a_ring_of_three():
    channels = [Chan() for _ in range(3)]

    def body(i):
        channels[i].recv()
        channels[(i + 1) % 3].send(i)

    for i in range(3):
        go(body, i)


@leak("channel: nil", 1)
def a_channel_that_was_never_made():
    def body():
        select(on_recv(None), on_send(None, 1))

    go(body)


@leak("channel: nil", 1)
def a_select_of_nothing():
    def body():
        select()

    go(body)


@leak("select: no exit", 1)
def a_select_that_nobody_can_satisfy():
    def body():
        a, b = Chan(), Chan()
        while True:
            select(on_recv(a), on_send(b, 1))

    go(body)


@leak("select: no exit", 1)
def a_loop_whose_stop_channel_is_lost():
    class Server:
        def __init__(self):
            self.jobs, self.stop = Chan(), Chan()

        def run(self):
            while True:
                if select(on_recv(self.jobs), on_recv(self.stop)).index == 1:
                    return

    go(Server().run)


@leak("channel: early exit", 1)
def a_producer_whose_consumer_has_left():
    def numbers(out):
        i = 0
        while True:
            out.send(i)
            i += 1

    def first_three():
        ch = Chan()
        go(numbers, ch)
        return [ch.recv() for _ in range(3)]

    go(first_three)


@leak("channel: early exit", 2)
def a_pipeline_whose_end_has_left():
    def stage(source, sink):
        for v in source:
            sink.send(v)

    def source(out):
        for i in range(10):
            out.send(i)
        out.close()

    def build():
        a, b = Chan(), Chan()
        go(source, a)
        go(stage, a, b)
        b.recv()

    go(build)


@leak("channel: in a generator", 1)
def a_generator_that_waits():
    def values():
        yield Chan().recv()

    def body():
        for _ in values():
            pass

    go(body)


# Locks


@leak("mutex: double lock", 1)
def a_mutex_locked_twice():
    def body():
        mutex = Mutex()
        mutex.lock()
        mutex.lock()

    go(body)


@leak("mutex: forgotten unlock", 1)
def an_early_return_without_unlock():
    class Account:
        def __init__(self):
            self.mutex = Mutex()

        def withdraw(self, enough):
            self.mutex.lock()
            if not enough:
                return
            self.mutex.unlock()

    def body():
        account = Account()
        account.withdraw(False)
        account.withdraw(True)

    go(body)


@leak("mutex: AB-BA", 2)
def two_mutexes_in_opposite_order():
    a, b, ready = Mutex(), Mutex(), [Chan(1), Chan(1)]

    def body(first, second, mine, other):
        with first:
            mine.send(None)
            other.recv()
            with second:
                pass

    go(body, a, b, ready[0], ready[1])
    go(body, b, a, ready[1], ready[0])


@leak("rwmutex: writer between readers", 2)
def a_writer_between_two_read_locks_of_one_reader():
    m, reads, wrote = RWMutex(), Chan(), Chan(1)

    def reader():
        m.rlock()
        reads.send(None)
        wrote.recv()
        sleep(0.002)
        m.rlock()

    def writer():
        reads.recv()
        wrote.send(None)
        m.lock()

    go(reader)
    go(writer)


@leak("rwmutex: upgrade", 1)
def a_reader_that_wants_to_write():
    def body():
        m = RWMutex()
        m.rlock()
        m.lock()

    go(body)


@leak("cond: no signal", 1)
def a_condition_nobody_signals():
    def body():
        cond = Cond(Mutex())
        with cond.L:
            cond.wait()

    go(body)


@leak("waitgroup: miscount", 1)
def one_done_too_few():
    def body():
        wg = WaitGroup()
        wg.add(2)
        wg.go(int)
        wg.wait()

    go(body)


@leak("waitgroup: in the loop", 1)
def a_wait_inside_the_loop_that_starts_them():
    def body():
        wg = WaitGroup()
        wg.add(3)
        for _ in range(3):
            go(wg.done)
            wg.wait()

    go(body)


@leak("semaphore: never released", 1)
def a_permit_that_is_not_given_back():
    def body():
        permits = Semaphore(1)
        permits.acquire()
        permits.acquire()

    go(body)


@leak("once: re-entered", 1)
def a_once_that_calls_itself():
    def body():
        once = Once()
        once.do(lambda: once.do(int))

    go(body)


# Locks and channels together


@leak("mixed: channel under a lock", 2)
def a_send_under_the_lock_its_receiver_needs():
    mutex, ch, locked = Mutex(), Chan(), Chan()

    def sender():
        with mutex:
            locked.send(None)
            ch.send(1)

    def receiver():
        locked.recv()
        with mutex:
            ch.recv()

    go(sender)
    go(receiver)


@leak("mixed: waitgroup and channel", 2)
def a_wait_for_one_whose_result_nobody_takes():
    def body():
        wg, results = WaitGroup(), Chan()
        wg.go(results.send, 1)
        wg.wait()
        results.recv()

    go(body)


# Contexts


@leak("context: forgotten cancel", 1)
def a_wait_under_a_context_whose_cancel_is_lost():
    def body():
        ctx, _ = with_cancel(background())
        Chan().recv(ctx=ctx)

    go(body)


@leak("context: forgotten cancel", 1)
def a_wait_for_done_of_a_context_whose_cancel_is_lost():
    def body():
        ctx, _ = with_cancel(background())
        ctx.done().recv_ok()

    go(body)


@leak("context: forgotten cancel", 1)
def a_child_of_a_context_whose_cancel_is_lost():
    def body():
        ctx = with_value(with_cancel(background()).ctx, "key", 1)
        select(on_recv(Chan()), on_recv(ctx.done()))

    go(body)


# Joins, timers, sleep


@leak("join: of a stuck one", 2)
def one_that_joins_a_stuck_one():
    def stuck():
        Chan().recv()

    def body():
        go(stuck).join()

    go(body)


@leak("timer: stopped", 1)
def a_timer_that_was_stopped():
    def body():
        timer = Timer(LONG)
        timer.stop()
        timer.c.recv()

    go(body)


@leak("timer: stopped", 1)
def a_ticker_that_was_stopped():
    def body():
        ticker = Ticker(LONG)
        ticker.stop()
        ticker.c.recv()

    go(body)


@leak("sleep: for ever", 1)
def a_sleep_without_end():
    go(sleep, None)


# Healthy look-alikes


@healthy("worker pool at rest")
def workers_whose_jobs_channel_is_held():
    jobs = Chan(4)

    def worker():
        for _ in jobs:
            pass

    for _ in range(3):
        go(worker)
    return jobs


@healthy("held by a global")
def one_that_waits_on_a_global():
    HELD.append(Chan())
    go(lambda: HELD[-1].recv())


@healthy("held by an object")
def one_whose_server_object_is_held():
    class Server:
        def __init__(self):
            self.stop = Chan()

        def run(self):
            self.stop.recv()

    server = Server()
    go(server.run)
    return server


@healthy("held by a class")
def one_that_waits_on_a_class_attribute():
    class Config:
        changed = Chan()

    go(lambda: Config.changed.recv())
    return Config


@healthy("held by a closure")
def one_that_somebodys_closure_can_wake():
    ch = Chan()
    go(lambda: ch.recv())
    return lambda: ch.send(1)


@healthy("held by a weak reference")
def one_that_can_be_reached_through_a_weak_reference():
    import weakref

    ch = Chan()
    go(ch.recv)
    return weakref.ref(ch)


@healthy("held by a generator")
def one_that_a_suspended_generator_can_wake():
    ch = Chan()

    def feed():
        yield 1
        ch.send(1)

    generator = feed()
    next(generator)
    go(ch.recv)
    return generator


@healthy("timer")
def one_that_waits_for_a_timer():
    go(lambda: after(LONG).recv())


@healthy("timer")
def one_that_a_pending_function_will_wake():
    ch = Chan()
    go(ch.recv)
    return after_func(LONG, ch.close)


@healthy("timer")
def one_that_a_pending_function_nobody_holds_will_wake():
    ch = Chan()
    go(ch.recv)
    after_func(LONG, ch.close)


@healthy("ticker")
def one_that_ticks():
    def body():
        for _ in Ticker(LONG):
            pass

    go(body)


@healthy("time-out")
def one_that_waits_no_longer_than_that():
    go(lambda: Chan().recv(timeout=LONG))


@healthy("sleep")
def one_that_sleeps():
    go(sleep, LONG)


@healthy("context")
def one_whose_context_can_be_cancelled():
    ctx, cancel = with_cancel(background())
    go(lambda: Chan().recv(ctx=ctx))
    return cancel


@healthy("context")
def one_whose_contexts_parent_can_be_cancelled():
    parent, cancel = with_cancel(background())
    ctx, _ = with_cancel(with_value(parent, "key", 1))
    go(lambda: Chan().recv(ctx=ctx))
    return cancel


@healthy("context")
def one_whose_context_has_a_deadline():
    ctx, _ = with_timeout(background(), LONG)
    go(lambda: Chan().recv(ctx=ctx))


@healthy("chain")
def a_chain_that_hangs_on_one_who_sleeps():
    a, b = Chan(), Chan()

    def first():
        sleep(LONG)
        a.send(None)

    def second():
        a.recv()
        b.send(None)

    go(first)
    go(second)
    go(b.recv)


@healthy("lock")
def one_that_waits_for_a_lock_that_is_held():
    mutex = Mutex()
    mutex.lock()
    go(mutex.lock)
    return mutex


@healthy("lock")
def one_whose_holder_sleeps():
    mutex, locked = Mutex(), Chan()

    def holder():
        with mutex:
            locked.send(None)
            sleep(LONG)

    def waiter():
        locked.recv()
        with mutex:
            pass

    go(holder)
    go(waiter)


@healthy("waitgroup")
def a_wait_for_one_who_sleeps():
    wg = WaitGroup()
    wg.go(sleep, LONG)
    go(wg.wait)


@healthy("join")
def a_join_of_one_who_sleeps():
    go(lambda: go(sleep, LONG).join())


@healthy("select")
def a_select_of_which_one_channel_is_held():
    held = Chan()
    go(lambda: select(on_recv(Chan()), on_recv(held)))
    return held


@healthy("value in flight")
def a_channel_that_lies_in_a_channel():
    mail, ch = Chan(1), Chan()
    mail.send(ch)
    go(ch.recv)
    return mail
