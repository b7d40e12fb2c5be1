"""Who runs how soon: each bound of docs/design.md#fairness, in turns, never in time.

On one P, so that the order in which a list is appended to is the order in which they ran. Each row
of that table has its test here, in the order of the table; that of preemption counts who ran
between two stretches of one that computes.
"""

import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import pytest

import gmprt
from gmprt import Chan, go, gosched, sleep
from gmprt._runtime.lock import release
from gmprt._runtime.sched import lock_sched, sched
from gmprt.sync import WaitGroup
from tests.conformance.parking import join_all, until

EVERY = 61  # decisions of a thread between two looks at the global queue


@pytest.fixture(autouse=True)
def one_p():
    before = gmprt.gomaxprocs(1)
    gosched()  # what earlier tests have left queued
    yield
    gmprt.gomaxprocs(before)


def gaps(log, who, others):
    """Return, for each stretch between two turns of `who`, how many turns each other had."""
    found, counts = [], None
    for name in log:
        if name == who:
            if counts is not None:
                found.append(counts)
            counts = dict.fromkeys(others, 0)
        elif counts is not None and name in counts:
            counts[name] += 1
    return found


def changes(log):
    """Return the log with what was repeated in a row told once."""
    return [name for i, name in enumerate(log) if i == 0 or log[i - 1] != name]


# Ready goroutines of a thread


def test_each_of_the_others_runs_once_before_a_ready_one_runs_again():
    log, started, n = [], [], 10

    def turns(name):
        started.append(name)
        while len(started) < n:
            gosched()
        for _ in range(50):
            log.append(name)
            gosched()

    join_all(*[go(turns, name) for name in range(n)])
    begun = max(log.index(name) for name in range(n))
    last = min(len(log) - 1 - log[::-1].index(name) for name in range(n))
    for name in range(n):
        for counts in gaps(log[begun:last], name, set(range(n)) - {name}):
            assert set(counts.values()) == {1}


def test_each_of_the_others_sends_once_before_one_sends_again():
    """Parking and waking instead of yielding: the order of a channel's queue is that of turns."""
    ch, n = Chan(), 10

    def sends(name):
        for _ in range(50):
            ch.send(name)

    senders = [go(sends, name) for name in range(n)]
    log = [ch.recv() for _ in range(50 * n)]
    join_all(*senders)
    for name in range(n):
        for counts in gaps(log[n:-n], name, set(range(n)) - {name}):
            assert max(counts.values()) <= 2


# Ready against fresh


@contextmanager
def yielding(ready):
    """Have so many goroutines yield time and again; give the log of their turns, begun anew."""
    log, stop = [], []

    def yields():
        while not stop:
            log.append("ready")
            gosched()

    gs = [go(yields) for _ in range(ready)]
    while log.count("ready") < ready:
        gosched()
    log.clear()
    yield log
    stop.append(1)
    join_all(*gs)


def run_fresh(n, log):
    """Make n that note that they run, and wait for them."""
    wg = WaitGroup()
    for _ in range(n):
        wg.go(log.append, "fresh")
    wg.wait()


@pytest.mark.parametrize("ready", [1, 2, 7])
def test_ready_and_fresh_ones_run_in_turn(ready):
    """Two hundred fresh ones are not all started before a ready one runs, nor after."""
    with yielding(ready) as log:
        run_fresh(200, log)
    first, last = log.index("fresh"), len(log) - 1 - log[::-1].index("fresh")
    stretch = log[first : last + 1]
    # But for every 61st decision, which is a fresh one's; and on a busy machine sysmon may take the
    # P, so that another thread runs some of them meanwhile.
    assert len(stretch) - len(changes(stretch)) <= len(stretch) // 4


def test_fresh_ones_that_compute_keep_no_ready_one_waiting():
    """Each is preempted; then it is the ready one's turn, not the next fresh one's."""
    with yielding(1) as log:

        def computes():
            log.append("fresh")
            end = time.thread_time() + 0.03
            while time.thread_time() < end:
                pass

        join_all(*[go(computes) for _ in range(20)])
    first = log.index("fresh")
    assert log[first : log.index("ready", first)].count("fresh") <= 5, changes(log)


def count_spinning(step):
    """Have the runtime count one M more, or less, that looks for work; real ones come and go."""
    lock_sched()
    sched.nspinning += step
    release(sched.lock)


@contextmanager
def a_thief_on_its_way():
    """One that is counted and does not come."""
    count_spinning(1)
    try:
        yield
    finally:
        count_spinning(-1)


@pytest.mark.parametrize("ready", [1, 7])
def test_fresh_ones_are_left_to_a_thief_that_is_on_its_way_but_not_for_long(ready):
    """Nobody comes, here: then each 488th decision starts one, and the newest runs in turn."""
    with yielding(ready) as log, a_thief_on_its_way():
        run_fresh(10, log)
    begun = [i for i, name in enumerate(log) if name == "fresh"]
    waits = [begun[0], *(b - a for a, b in pairwise(begun))]
    assert begun[0] <= 3
    assert max(waits) <= 8 * EVERY
    assert sum(waits) >= 32 * EVERY  # on a busy machine sysmon may start some elsewhere


# The global queue against local ones


def test_the_global_queue_is_looked_at_though_the_local_ones_never_empty():
    """Fresh ones that another thread hands in, while each local one starts the next."""
    steps, stop, waited, made = [0], [], [], 20

    def chain():
        steps[0] += 1
        if not stop:
            go(chain)

    def yields():
        while not stop:
            gosched()

    gs = [go(yields) for _ in range(2)]
    go(chain)

    def hand_in():  # without a P: what it makes is queued globally
        for _ in range(made):
            go(lambda since: waited.append(steps[0] - since), steps[0])

    thread = threading.Thread(target=hand_in)
    thread.start()
    until(lambda: len(waited) == made, "those in the global queue have run")
    stop.append(1)
    join_all(*gs)
    thread.join()
    # One a look, each behind those handed in before. Most: the thread may lose the GIL on the way.
    assert sorted(waited)[made // 2] <= made * 2 * EVERY


def test_a_full_local_queue_does_not_keep_its_overflow_waiting():
    """Of more than 256 the oldest go to the global queue, behind all that are local."""
    log, n = [], 1000
    join_all(*[go(log.append, i) for i in range(n)])
    assert sorted(log) == list(range(n))


def test_one_that_yields_alone_lets_the_global_queue_run():
    """It takes no 61 yields each."""
    n, done = 1000, []
    for i in range(n):
        go(done.append, i)
    yields = 0
    while len(done) < n:
        gosched()
        yields += 1
        assert yields <= 2 * n
    assert sorted(done) == list(range(n))


# The first of a P's queue against runnext


def test_a_chain_through_runnext_keeps_nobody_waiting():
    """Each goroutine starts the next, which goes before all that wait."""
    steps, ran_at, stop = [0], [], []

    def chain():
        steps[0] += 1
        if not stop:
            go(chain)

    def waits():
        ran_at.append(steps[0])

    def main():
        g = go(waits)
        go(chain)  # in `runnext`, before it
        return g

    gmprt.go(main).result().join()
    stop.append(1)
    until(lambda: gmprt.num_goroutine() == 1, "the chain ends")
    assert ran_at[0] <= 2 * EVERY


# Deadlines against everything else


def test_one_whose_deadline_has_passed_runs_before_the_queue():
    """At most 61 decisions later, when the thread looks, and then before fifty that are ready."""
    log, stop, n = [], [], 50

    def yields():
        while not stop:
            log.append(time.monotonic())
            gosched()

    gs = [go(yields) for _ in range(n)]
    while len(log) < n:
        gosched()
    late = []
    for _ in range(10):
        due = time.monotonic() + 0.002
        sleep(0.002)
        ran = len(log)
        late.append(sum(1 for moment in log[-1000:ran] if moment > due))
    stop.append(1)
    join_all(*gs)
    # Most: before it sleeps it may be preempted, and the others run on.
    assert sorted(late)[len(late) // 2] <= EVERY + n


# Threads that wait for a P


def test_threads_take_turns_with_the_only_p():
    """Each has a goroutine that must run on it. In the order in which they ask; but sysmon may take
    the P from one that the machine lets wait.
    """
    log, n, started = [], 4, []

    def turns(name):
        gmprt.lock_os_thread()
        started.append(name)
        while len(started) < n:
            gosched()
        while len(log) < 160:
            if not log or log[-1] != name:
                log.append(name)
            gosched()
        gmprt.unlock_os_thread()

    gs = []
    for name in range(n):  # one at a time: one that is preempted before it has locked its thread
        gs.append(go(turns, name))  # would have the next start there too
        until(lambda name=name: len(started) > name, "it has its thread")
    join_all(*gs)
    assert len(log) >= 160
    assert min(log.count(name) for name in range(n)) >= 20, log


# Those whose function blocks unannounced


def test_one_whose_function_blocks_gets_a_thread_of_its_own_and_its_turn():
    """After it has twice been seen to: it starts on a thread where nobody lives, which asks for the
    P like any other, so that those who yield here go on when it blocks.
    """
    here, stop, seen = threading.get_ident(), [], []

    def blocks():
        seen.append(threading.get_ident())
        time.sleep(0.03)

    def yields():
        while not stop:
            gosched()

    gs = [go(yields) for _ in range(2)]
    for _ in range(30):
        if seen and seen[-1] != here:
            break  # sysmon has seen it twice: on a busy machine it may miss some
        before = len(seen)
        g = go(blocks)
        until(lambda before=before: len(seen) > before, "it has its turn")
        g.join()
    stop.append(1)
    join_all(*gs)
    assert seen[-1] != here


# Those that compute


def test_those_that_compute_take_turns():
    """Preempted to the tail of their thread's queue: each of the others has its stretch before the
    next. On a busy machine sysmon may move one to another thread; then it is tried again.
    """
    n, rounds = 3, 12

    def stretches():
        log, started, where = [], [], set()

        def computes(name):
            started.append(name)
            where.add(threading.get_ident())
            while len(log) < n * rounds:
                if len(started) == n and (not log or log[-1] != name):
                    log.append(name)

        join_all(*[go(computes, name) for name in range(n)])
        return log, where

    for _ in range(20):
        log, where = stretches()
        if len(where) == 1:
            break
    assert len(where) == 1
    assert min(log.count(name) for name in range(n)) >= rounds // 2, log
    for name in range(n):  # a stretch may be over before it has reached its line
        for counts in gaps(log, name, set(range(n)) - {name}):
            assert max(counts.values()) == 1, log


# Those that timers wake


def test_sleepers_that_are_always_due_keep_nobody_waiting():
    """They run first when they are woken, and then as many others before they do again."""
    log, stop, sleepers = [], [], 5

    def sleeps():
        while not stop:
            sleep(1e-9)
            log.append("sleeper")
            end = time.monotonic() + 0.0002
            while time.monotonic() < end:
                pass

    def yields():
        while not stop:
            log.append("other")
            gosched()

    gs = [*[go(sleeps) for _ in range(sleepers)], go(yields)]
    until(lambda: log.count("other") >= 50, "the other has its turns")
    stop.append(1)
    join_all(*gs)
    turns = [i for i, name in enumerate(log) if name == "other"]
    between = sorted(b - a for a, b in pairwise(turns))
    assert between[len(between) // 2] <= 2 * sleepers + 2
