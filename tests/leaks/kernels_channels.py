"""Kernels of real bugs in which goroutines wait for channels, contexts or conditions. See
kernels.py.

A `select` that finds several cases ready chooses one at random. Where the bug is in one of the
choices, the others are not ready yet, or the choice is written down.
"""

from gmprt import Chan, Ticker, Timer, go, on_recv, on_send, select
from gmprt.context import Canceled, background, with_cancel, with_timeout
from gmprt.sync import Cond, Mutex, Once
from tests.leaks.corpus import LONG, Program, carry_into

CHANNELS: list[Program] = []
kernel = carry_into(CHANNELS)


# Nobody receives


@kernel("cockroach18101", "channel: early exit", 1)
def cockroach_18101_a_cancelled_reader_of_a_full_channel():
    """A restore stops reading when it is cancelled; who splits the work for it fills the buffer."""
    ready = Chan(6)
    ctx, cancel = with_cancel(background())

    def split():
        for i in range(8):
            ready.send(i)
        ready.close()

    def restore():
        go(split)
        for _ in ready:
            ctx.done().recv_ok()
            return

    go(restore)
    cancel()


@kernel("cockroach24808", "channel: no receiver", 1)
def cockroach_24808_a_send_before_the_worker_is_started():
    """A compactor sends itself a first suggestion, but its channel may be full of one already."""

    def body():
        suggestions, stop = Chan(1), Chan()

        def work():
            while select(on_recv(stop), on_recv(suggestions)).index:
                pass

        suggestions.send("somebody's")
        suggestions.send("its own")
        go(work)

    go(body)


@kernel("cockroach35073", "channel: no receiver", 2)
def cockroach_35073_rows_for_an_outbox_that_has_failed():
    """An outbox fails as it starts and leaves its channel open; those who fill it wait."""

    def body():
        rows = Chan(16)
        for i in range(16):
            rows.send(i)
        go(rows.send, 16)
        go(int).join()  # the outbox, which reads nothing
        rows.send(17)

    go(body)


@kernel("cockroach35931", "channel: no receiver", 1)
def cockroach_35931_cancelling_by_a_message_into_a_full_channel():
    """A flow is cancelled by a message to each of its streams; the first that is full stops it."""

    def body():
        streams = [Chan(1), Chan(1)]
        streams[0].send("row")
        for stream in streams:
            stream.send("cancelled")

    go(body)


@kernel("etcd6857", "channel: early exit", 1)
def etcd_6857_a_question_to_a_node_that_has_stopped():
    """A node answers questions until it is stopped; who asks does not look whether it is."""
    questions, stop, stopped = Chan(), Chan(), Chan()

    def run():
        while True:
            chosen = select(on_recv(questions), on_recv(stop))
            if chosen.index == 1:
                stopped.close()
                return
            chosen.value.send("fine")

    def ask():
        answer = Chan()
        questions.send(answer)
        return answer.recv()

    go(run)
    stop.send(None)
    stopped.recv_ok()
    go(ask)


@kernel("grpc660", "channel: early exit", 1)
def grpc_660_the_last_answer_of_a_loop_that_was_stopped():
    """A client starts a request a turn and waits for its end or the loop's; the latter wins."""
    stop, left = Chan(), Chan()

    def request(done):
        left.recv_ok()  # slow
        done.send(True)

    def client():
        while True:
            done = Chan()
            go(request, done)
            if select(on_recv(stop), on_recv(done)).index == 0:
                left.close()
                return

    go(client)
    stop.send(None)


@kernel("istio17860", "channel: early exit", 1)
def istio_17860_a_status_for_an_agent_that_has_ended():
    """An agent ends when no proxy is left, while a new one waits for the old to come up."""
    exits, running, mutex, ended = Chan(), set(), Mutex(), Chan()

    def agent():
        while running:
            running.discard(exits.recv())
        ended.close()

    def restart(number, former):
        with mutex:
            former()
            running.add(number)
            go(exits.send, number)

    restart(1, int)
    go(agent)
    restart(2, ended.recv_ok)


@kernel("kubernetes5316", "channel: early exit", 1)
def kubernetes_5316_a_request_that_took_too_long():
    """A request's result or error is sent to who has given up waiting."""
    gave_up = Chan()

    def serve(work, result, error):
        failure = work()
        gave_up.recv_ok()
        if failure is None:
            result.send(True)
        else:
            error.send(failure)

    def finish():
        result, error = Chan(), Chan()
        go(serve, OSError, result, error)
        try:
            select(on_recv(result), on_recv(error), timeout=0.001)
        except TimeoutError:
            gave_up.close()

    go(finish).join()


@kernel("kubernetes25331", "channel: early exit", 1)
def kubernetes_25331_an_error_passed_on_after_cancelling():
    """A watch that gets an error cancels itself, then sends it on to who has gone by that."""
    errors, results = Chan(), Chan()
    ctx, cancel = with_cancel(background())

    def run():
        chosen = select(on_recv(errors), on_recv(ctx.done()))
        if chosen.index == 0:
            cancel()
            results.send(chosen.value)

    def stop():
        errors.send(OSError())
        cancel()

    go(run)
    go(stop)


@kernel("kubernetes38669", "channel: no receiver", 1)
def kubernetes_38669_first_events_for_a_watcher_that_was_stopped():
    """A watcher sends out the events there are before it looks whether it was stopped."""
    events, results, mutex, stopped = Chan(), Chan(), Mutex(), []

    def stop():
        with mutex:
            if not stopped:
                stopped.append(True)
                events.close()

    def process(first):
        for event in first:
            results.send(event)
        for event in events:
            results.send(event)
        stop()
        results.close()

    go(process, [1, 2])
    stop()


@kernel("moby33781", "channel: early exit", 1)
def moby_33781_a_probe_whose_watcher_was_stopped():
    """Who watches is stopped and cancels the probe, which does not look at that at its end."""
    stop, left = Chan(), Chan()

    def probe(results):
        left.recv_ok()
        results.send(True)
        results.close()

    def watch():
        results = Chan()
        with with_timeout(background(), LONG) as ctx:
            go(probe, results)
            chosen = select(on_recv(stop), on_recv(results), on_recv(ctx.done()))
        if chosen.index == 0:
            left.close()
            return
        if chosen.index == 2:
            results.recv()

    go(watch)
    stop.send(None)


# Nobody sends, nobody closes


@kernel("cockroach10790", "channel: early exit", 1)
def cockroach_10790_draining_what_was_drained_already():
    """Who collects commands drains all of them when it is cancelled, also those it had before."""
    commands = [Chan(), Chan()]
    first, cancelled = Chan(), Chan()
    ctx, cancel = with_cancel(background())

    def send():
        for command in commands:
            try:
                command.send(True, ctx=ctx)
            except Canceled:
                return
            cancelled.recv_ok()

    def drain():
        for command in commands:
            command.recv()

    def collect():
        for command in commands:
            if select(on_recv(command), on_recv(ctx.done())).index == 1:
                go(drain)
            else:
                first.close()
                cancelled.recv_ok()

    go(send)
    go(collect)
    first.recv_ok()
    cancel()
    cancelled.close()


class Transaction:
    """Rolled back when its context is done; so is each query in it."""

    def __init__(self):
        self.ctx, self.cancel = with_cancel(background())

    def await_done(self):
        self.ctx.done().recv_ok()

    def query(self):
        ctx, self.close = with_cancel(self.ctx)

        def await_done():
            ctx.done().recv_ok()
            self.close()

        go(await_done)


@kernel("cockroach13197", "context: forgotten cancel", 1)
def cockroach_13197_a_transaction_neither_rolled_back_nor_committed():
    """A goroutine waits to roll a transaction back, but nobody keeps what could be cancelled."""
    go(Transaction().await_done)


@kernel("cockroach13755", "context: forgotten cancel", 1)
def cockroach_13755_a_result_that_nobody_closes():
    """A goroutine waits to close the rows of a query; they were dropped without that."""
    Transaction().query()


@kernel("grpc862", "context: forgotten cancel", 1)
def grpc_862_a_connection_whose_dialing_was_cancelled():
    """Dialing that is cancelled returns no connection; the one it had begun has its own context."""
    dialing, cancel = with_cancel(background())

    def connect(ctx):
        own, _ = with_cancel(ctx)
        with with_timeout(own, LONG):
            pass
        own.done().recv_ok()

    def dial():
        ctx, close = with_cancel(background())
        go(connect, ctx)
        dialing.done().recv_ok()
        return None if dialing.err() else close

    go(dial)
    cancel()


@kernel("cockroach25456", "channel: no sender", 1)
def cockroach_25456_is_it_draining_asked_by_waiting_for_it():
    """A queue that asks whether its store is about to stop waits until it does."""

    class Store:
        def __init__(self):
            self.draining = Chan()

    def process(store):
        for _ in range(2):
            store.draining.recv_ok()

    go(process, Store())


@kernel("grpc1275", "channel: no sender", 1)
def grpc_1275_a_reader_of_a_stream_that_was_closed():
    """Closing a stream tells its transport, but not who waits for the next message."""

    class Stream:
        def __init__(self):
            self.messages, self.closed = Chan(), False

        def read(self, done):
            self.messages.recv()
            done.close()

        def close(self):
            self.closed = True

    def body():
        stream, done = Stream(), Chan()
        go(stream.read, done)
        stream.close()
        try:
            done.recv_ok(timeout=0.001)
        except TimeoutError:
            pass

    go(body).join()


@kernel("grpc1424", "channel: never closed", 1)
def grpc_1424_a_watcher_that_returns_without_saying_done():
    """A balancer's watcher ends with the addresses, and never closes what others wait for."""

    def watch(addresses, done):
        for address in addresses:
            done.send(address)

    def wait(addresses, waited):
        done = Chan()
        go(watch, addresses, done)
        done.recv_ok()
        waited.close()

    def dial():
        addresses, waited = Chan(), Chan(1)
        go(wait, addresses, waited)
        addresses.close()

    go(dial)


@kernel("kubernetes70277", "channel: never closed", 1)
def kubernetes_70277_a_wait_for_what_only_its_own_end_closes():
    """A caller waits for the channel by which it would tell its poller that it has left."""
    polled = Chan()

    def poller(done):
        turns = Chan()

        def poll():
            limit = Timer(0.003)
            with Ticker(0.001) as ticker:
                while select(on_recv(limit.c), on_recv(done), on_recv(ticker.c)).index == 2:
                    select(on_send(turns, None), default=True)
            turns.close()
            polled.close()

        go(poll)
        return turns

    def wait_for(condition, done):
        for _ in poller(done):
            if condition():
                return

    def body():
        done = Chan()
        try:
            wait_for(lambda: True, done)
            done.recv_ok()
        finally:
            done.close()

    go(body)
    polled.recv_ok()


@kernel("istio18454", "channel: no sender", 2)
def istio_18454_a_timer_whose_tick_was_taken_already():
    """To set a timer again, its tick is awaited if it has fired; but that was received already."""
    changes, ticked, timer = Chan(1), Chan(), Timer(0.001)

    def strategy():
        timer.c.recv()
        ticked.close()
        for _ in changes:
            if not timer.stop():
                timer.c.recv()
            timer.reset(LONG)

    def processor():
        go(strategy)
        ticked.recv_ok()
        for _ in range(3):
            changes.send(None)

    go(processor)
    ticked.recv_ok()


# Each waits for the other


@kernel("cockroach2448", "channel: ring", 2)
def cockroach_2448_an_event_whose_handler_wants_to_call_back():
    """One loop sends the second event while the handler of the first wants that loop to receive."""
    events, calls, stop, second = Chan(), Chan(), Chan(), Chan()

    def call_back():
        second.recv_ok()
        select(on_send(calls, int), on_recv(stop))

    def replicate():
        for turn in range(1000):
            chosen = select(on_recv(stop), on_recv(calls), default=True)
            if chosen.index == 0:
                return
            if chosen.index == 1:
                chosen.value()
                continue
            if turn == 1:
                second.close()
            select(on_send(events, call_back), on_recv(stop))

    def handle():
        while True:
            chosen = select(on_recv(events), on_recv(stop))
            if chosen.index == 1:
                return
            chosen.value()

    go(replicate)
    go(handle)


@kernel("moby21233", "channel: early exit", 4)
def moby_21233_watchers_of_a_transfer_whose_reader_has_left():
    """A reader of progress leaves; watchers wait for it, and who releases them, for the first."""
    progress, read = Chan(), Chan()

    def watch(reports):
        changed, release, ended = Chan(), Chan(), Chan()

        def watcher():
            over = False
            while True:
                if reports:
                    progress.send(1)
                if over:
                    break
                over = select(on_recv(changed), on_recv(release)).index == 1
            ended.close()

        go(watcher)
        return release, ended

    def reader():
        progress.recv()
        read.close()

    def transfer():
        go(reader)
        watchers = [watch(True)]
        read.recv_ok()
        watchers += [watch(True), watch(False)]
        for release, ended in watchers:
            release.close()
            ended.recv_ok()

    go(transfer)


@kernel("syncthing5795", "channel: ring", 2)
def syncthing_5795_a_handler_that_waits_for_the_loop_it_is_in():
    """A message's handler closes the connection, which waits for the end of the handlers' loop."""
    inbox, closed, ended, once = Chan(), Chan(), Chan(), Once()

    def close():
        closed.close()
        ended.recv_ok()

    def dispatch():
        while True:
            chosen = select(on_recv(inbox), on_recv(closed))
            if chosen.index == 1:
                break
            once.do(close)
        ended.close()

    def body():
        go(dispatch)
        inbox.send("configuration")
        ended.recv_ok()

    go(body)


# Conditions


def wait_until_active(cond, active, done):
    cond.L.lock()
    while not active:
        cond.wait()
    cond.L.unlock()
    done.close()


@kernel("moby30408", "cond: no signal", 2)
def moby_30408_a_plugin_that_failed_and_signalled_nobody():
    """A plugin whose start has failed leaves those waiting who wait until it is active."""

    def body():
        cond, done = Cond(Mutex()), Chan()
        errors = [OSError("no manifest")]
        go(wait_until_active, cond, None, done)
        done.recv_ok()
        errors.clear()

    go(body)


@kernel("moby29733", "cond: no signal", 2)
def moby_29733_a_wait_before_what_would_end_it():
    """Who would handle plugins, under a lock of its own, waits first until the plugin is active."""

    def handle(plugins, handlers):
        with handlers:
            for _, active in plugins:
                active.clear()

    def body():
        plugin = (Cond(Mutex()), [])
        for _ in range(2):
            done = Chan()
            go(wait_until_active, *plugin, done)
            done.recv_ok()
            handle([plugin], Mutex())

    go(body)


@kernel("moby27782", "cond: no signal", 2)
def moby_27782_a_watch_removed_while_its_event_is_under_way():
    """Removing a watch waits for a last event, but the one who reads them is sending another."""
    events, done, closed, removing = Chan(), Chan(), Chan(), Chan()
    cond = Cond(Mutex())

    def remove():
        removing.close()
        with cond.L:
            while True:
                cond.wait()

    def read_events():
        removing.recv_ok()
        while not done.closed:
            select(on_send(events, "written"), on_recv(done))

    def follow():
        go(read_events)
        try:
            if select(on_recv(events), on_recv(closed)).index == 1:
                remove()
        finally:
            done.close()

    go(follow)
    closed.close()


@kernel("kubernetes11298", "cond: lost signal", 3)
def kubernetes_11298_a_signal_before_the_wait():
    """A loop that ends signals whom it has just told to wait, and waits for that one's return."""
    lock, abort, signalled = Mutex(), Chan(), Chan()
    cond = Cond(lock)

    def after(fn):
        ended = Chan()

        def body():
            fn()
            ended.close()

        go(body)
        return ended

    def wait():
        signalled.recv_ok()
        cond.wait()

    def serve():
        lock.lock()
        returned = after(wait)
        select(on_recv(abort), on_recv(returned))
        cond.signal()
        signalled.close()
        returned.recv_ok()
        lock.unlock()

    go(after(serve).recv_ok)
    abort.close()
