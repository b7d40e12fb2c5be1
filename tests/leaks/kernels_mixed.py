"""Kernels of real bugs in which goroutines wait for locks and channels, or wait groups and
channels. See kernels.py.
"""

from gmprt import Chan, go, on_recv, select
from gmprt.sync import Mutex, RWMutex, WaitGroup
from tests.conformance.parking import parked
from tests.leaks.corpus import Program, carry_into

MIXED: list[Program] = []
kernel = carry_into(MIXED)


# Locks


@kernel("etcd6873", "mixed: channel under a lock", 2)
def etcd_6873_stopping_under_the_lock_that_the_last_update_takes():
    """Who stops a loop of updates waits, with a lock, for its end; the last update needs it."""
    mutex, updates, ended, stopping = Mutex(), Chan(1), Chan(), Chan()

    def merge():
        for _ in updates:
            stopping.recv_ok()
            with mutex:
                pass
        ended.close()

    def stop():
        with mutex:
            stopping.close()
            updates.close()
            ended.recv_ok()

    go(merge)
    updates.send(1)
    go(stop)


@kernel("etcd7492", "mixed: channel under a lock", 3)
def etcd_7492_a_token_handed_over_under_the_lock_its_keeper_needs():
    """Tokens go to their keeper under a lock; the keeper takes it to drop those that are over."""
    m, tokens, expire, wg = RWMutex(), Chan(1), Chan(), WaitGroup()

    def keeper():
        held = [tokens.recv()]
        while True:
            expire.recv()
            for _ in held:
                with m:
                    pass

    def authenticate():
        with m:
            tokens.send("token")
        wg.done()

    wg.add(3)
    go(keeper)
    go(authenticate).join()
    go(authenticate).join()
    parked(authenticate)
    go(wg.wait)
    expire.send(None)


@kernel("etcd7902", "mixed: channel under a lock", 4)
def etcd_7902_a_follower_that_waits_for_the_leader_with_the_lock():
    """Those who wait for the next round do so under the lock that the leader needs to begin it."""
    mutex, nexts, wg = Mutex(), [Chan()], WaitGroup()
    agreed, waiting = WaitGroup(), Chan()

    def release(round_, leads):
        if leads:
            nexts[0].close()
            nexts[0] = Chan()
        else:
            waiting.close()
        round_.recv_ok()

    def play(leads):
        with mutex:
            round_ = nexts[0]
        agreed.done()
        agreed.wait()
        if leads:
            waiting.recv_ok()
        with mutex:
            release(round_, leads)

    def elect():
        agreed.add(3)
        for i in range(3):
            wg.go(play, i == 0)
        wg.wait()

    go(elect)


@kernel("grpc1460", "mixed: channel under a lock", 2)
def grpc_1460_asleep_with_the_lock_that_waking_needs():
    """With no stream open, keeping alive sleeps under the lock that opening a stream takes."""
    mutex, awake, streams = Mutex(), Chan(), []

    def doze():
        with mutex:
            if not streams:
                awake.recv()

    def open_stream():
        with mutex:
            streams.append(1)
            awake.send(None)

    parked(doze)
    go(open_stream)


@kernel("istio16224", "mixed: channel under a lock", 2)
def istio_16224_a_handler_that_reports_under_a_lock():
    """An event's handler reports under a lock, and who waits for the report locks first."""
    mutex, events, done, stop, handling = Mutex(), Chan(), Chan(), Chan(), Chan()

    def handle():
        with mutex:
            handling.close()
            done.send(True)

    def monitor():
        while select(on_recv(stop), on_recv(events)).index:
            handle()

    def body():
        go(monitor)
        events.send(0)
        handling.recv_ok()
        with mutex:
            pass
        done.recv()
        stop.close()

    go(body)


@kernel("kubernetes1321", "mixed: channel under a lock", 2)
def kubernetes_1321_a_watcher_stopped_while_it_is_sent_to():
    """Events go to the watchers under a lock, which to stop being a watcher needs, too."""
    mutex, watchers = Mutex(), {0: Chan()}

    def announce():
        with mutex:
            for results in watchers.values():
                results.send(1)

    def stop():
        with mutex:
            watchers.pop(0).close()

    parked(announce)
    go(stop)


@kernel("kubernetes6632", "mixed: channel under a lock", 2)
def kubernetes_6632_a_frame_written_while_the_connection_closes():
    """Frames are announced to a monitor under a lock, which it wants when it is told to close."""
    mutex, resets, closing = Mutex(), Chan(), Chan()

    def monitor():
        closing.recv()
        with mutex:
            resets.close()

    def write():
        with mutex:
            resets.send(True)

    go(monitor)
    parked(write)
    closing.send(None)


@kernel("kubernetes10182", "mixed: channel under a lock", 2)
def kubernetes_10182_the_second_status_under_the_lock_the_first_needs():
    """Each status is sent under a lock that its receiver takes next; the second sender has it."""
    m, statuses, second = RWMutex(), Chan(), Chan()

    def set_status(told):
        with m:
            told()
            statuses.send(True)

    def synchronise():
        for _ in range(2):
            statuses.recv()
            second.recv_ok()
            with m:
                pass

    parked(set_status, int)
    parked(set_status, second.close)
    go(synchronise)


@kernel("kubernetes26980", "mixed: channel under a lock", 3)
def kubernetes_26980_waiting_for_the_stop_with_the_lock():
    """A listener waits under its lock to be stopped, by one who waits for who wants the lock."""
    m, pending, stop, result = RWMutex(), [1], Chan(), Chan()

    def pop():
        with m:
            if pending:
                stop.recv_ok()

    def add():
        m.lock()
        result.close()

    def body():
        try:
            go(add)
            result.recv_ok()
            m.unlock()
        finally:
            stop.close()

    parked(pop)
    go(body)


@kernel("moby28462", "mixed: channel under a lock", 2)
def moby_28462_a_monitor_stopped_under_the_lock_it_takes():
    """A container's monitor is told to stop under the container's lock, which its probe takes."""
    mutex, stop, looked, stopping = Mutex(), Chan(), Chan(), Chan()

    def probe():
        looked.close()
        stopping.recv_ok()
        with mutex:
            pass

    def monitor():
        while select(on_recv(stop), default=True).index:
            probe()

    def change():
        looked.recv_ok()
        with mutex:
            stopping.close()
            stop.send(None)

    go(monitor)
    go(change)


@kernel("serving2137", "mixed: channel under a lock", 3)
def serving_2137_the_wrong_one_of_two_requests_let_go():
    """Of two requests one is admitted and waits for its lock; the other's lock is opened first."""
    pending, active = Chan(2), Chan(1)
    locks, accepted = [Mutex(), Mutex()], [Chan(1), Chan(1)]

    def request(i):
        pending.send(i)
        active.send(i)
        with locks[i]:
            pass
        active.recv()
        pending.recv()
        accepted[i].send(True)

    def let_go():
        for i in range(2):
            locks[i].unlock()
            accepted[i].recv()

    for lock in locks:
        lock.lock()
    parked(request, 1)
    parked(request, 0)
    go(let_go)


# Wait groups


@kernel("cockroach1055", "mixed: waitgroup and channel", 4)
def cockroach_1055_draining_tasks_that_wait_to_be_told_to_stop():
    """Each group first waits for its tasks, then tells them to stop, which they wait for."""

    class Tasks:
        def __init__(self):
            self.mutex, self.running, self.workers = Mutex(), WaitGroup(), WaitGroup()
            self.stopping = Chan()

        def start(self):
            with self.mutex:
                self.running.add(1)

        def drain(self):
            with self.mutex:
                self.running.wait()

        def stop(self):
            with self.mutex:
                self.running.wait()
                self.stopping.close()
                self.workers.wait()

    def work(tasks, started):
        tasks.start()
        started.close()
        tasks.stopping.recv_ok()

    def end_all(groups, done):
        for tasks in groups:
            tasks.drain()
        for tasks in groups:
            tasks.stop()
        done.close()

    def body():
        groups, done = [Tasks(), Tasks()], Chan()
        for tasks in groups:
            started = Chan()
            tasks.workers.go(work, tasks, started)
            started.recv_ok()
        go(end_all, groups, done)
        done.recv_ok()

    go(body)


@kernel("cockroach1462", "mixed: waitgroup and channel", 2)
def cockroach_1462_an_event_for_a_worker_that_has_stopped():
    """Two workers are told to stop: who takes the events does, who makes them is sending one."""
    events, stop, sending, workers = Chan(), Chan(), Chan(), WaitGroup()

    def make():
        turns = 0
        while select(on_recv(stop), default=True).index:
            if turns:
                sending.close()
            events.send(0)
            turns += 1

    def take():
        events.recv()
        stop.recv_ok()  # the choice, from here on, of a select that might take events, too

    def stopper():
        stop.close()
        workers.wait()

    workers.go(make)
    workers.go(take)
    sending.recv_ok()
    go(stopper)


@kernel("moby25384", "waitgroup: in the loop", 1)
def moby_25384_a_wait_for_all_in_the_loop_that_starts_them():
    """Plugins are started in a loop, each turn of which waits until all of them are done."""

    def start(plugins):
        wg = WaitGroup()
        wg.add(len(plugins))
        for _ in plugins:
            go(wg.done)
            wg.wait()

    go(start, [1, 2])
