"""`stack()` in the grammar of Go's tracebacks, `stats()`, and what a G tells of its wait."""

import gc
import os
import re
import threading
import weakref

import pytest

import gmprt
from gmprt import Chan, current, go, gosched, on_recv, on_send, select, sleep, stack, stats
from gmprt.sync import Mutex, WaitGroup
from tests.conformance.parking import LONG, join_all, parked, reap, until
from tests.support import GIL

HEADER = re.compile(r"goroutine (\d+) \[([^\]]+)\]:")
CREATED = re.compile(r"created by (\S.*?)(?: in goroutine (\d+))?")
CALL = re.compile(r"[^\s(][^(]*\(.*\)")
PLACE = re.compile(r"\t(.+):(\d+)(?: \+0x[0-9a-f]+)?")


def parse(text):
    """Read a traceback as tools that know Go's do: a dict goid -> (status, frames, created by).

    A frame is (function, file, line); anything that is not in the grammar is an AssertionError.
    """
    found = {}
    for block in text.strip("\n").split("\n\n"):
        lines = block.split("\n")
        head = HEADER.fullmatch(lines[0])
        assert head, f"no header: {lines[0]!r}"
        frames, created = [], None
        rest = lines[1:]
        if rest and rest[0].startswith("\t") and "stack unavailable" in rest[0]:
            rest = rest[1:]
        assert len(rest) % 2 == 0, f"lines come in pairs: {rest}"
        for what, where in zip(rest[::2], rest[1::2], strict=True):
            place = PLACE.fullmatch(where)
            assert place, f"no place: {where!r}"
            maker = CREATED.fullmatch(what)
            if maker:
                assert created is None
                created = (maker[1], maker[2] and int(maker[2]), place[1], int(place[2]))
                continue
            assert created is None, "created by comes last"
            assert CALL.fullmatch(what), f"no call: {what!r}"
            frames.append((what.partition("(")[0], place[1], int(place[2])))
        goid = int(head[1])
        assert goid not in found
        found[goid] = (head[2], frames, created)
    return found


def waits_here(ch):
    return ch.recv()


def waits_below(ch):
    return waits_here(ch)


def line_of(fn, text):
    """The line in this file where `fn` says `text`."""
    import inspect

    lines, first = inspect.getsourcelines(fn)
    return first + next(i for i, line in enumerate(lines) if text in line)


# stack


def test_every_goroutine_is_in_it_in_gos_grammar(procs):
    ch = Chan()
    gs = [parked(waits_below, ch) for _ in range(5)]
    found = parse(stack())
    assert {1, *(g.id for g in gs)} <= set(found)
    for g in gs:
        assert found[g.id][0] == "chan receive"
    reap(*gs)


def test_the_frames_are_the_goroutines_own_innermost_first(procs):
    g = parked(waits_below, Chan())
    _, frames, _ = parse(stack())[g.id]
    assert [f[0].rpartition(".")[2] for f in frames] == ["waits_here", "waits_below"]
    (_, file, line), (_, outer_file, outer_line) = frames
    assert os.path.samefile(file, __file__)
    assert os.path.samefile(outer_file, __file__)
    assert line == line_of(waits_here, "ch.recv")
    assert outer_line == line_of(waits_below, "waits_here(ch)")
    reap(g)


def test_a_function_is_named_with_its_module(procs):
    g = parked(waits_here, Chan())
    _, frames, _ = parse(stack())[g.id]
    assert frames[0][0] == f"{__name__}.waits_here"
    reap(g)


def makes_one(ch):
    return go(waits_here, ch)


def test_created_by_names_the_creator_and_its_line(procs):
    maker = go(makes_one, Chan())
    g = maker.result(LONG)
    until(lambda: g.state == "waiting", "its wait")
    _, _, created = parse(stack())[g.id]
    name, parent, file, line = created
    assert name == f"{__name__}.makes_one"
    assert parent == maker.id
    assert os.path.samefile(file, __file__)
    assert line == line_of(makes_one, "go(waits_here")
    assert g.created_at.endswith(f":{line}")
    reap(g)


def test_the_runtimes_own_frames_are_left_out(procs):
    m = Mutex()
    m.lock()
    wg = WaitGroup()
    wg.add(1)
    gs = [
        parked(waits_here, Chan()),
        parked(lambda: select(on_recv(Chan()))),
        parked(m.lock),
        parked(wg.wait),
        parked(sleep, LONG),
    ]
    here = os.path.dirname(os.path.abspath(gmprt.__file__)) + os.sep
    for _, frames, _ in parse(stack()).values():
        assert not [f for f in frames if os.path.abspath(f[1]).startswith(here)]
    reap(*gs)


def test_the_caller_is_running_and_first(procs):
    def body():
        return current().id, stack(), stack(all=False)

    goid, everything, own = go(body).result(LONG)
    assert everything.startswith(f"goroutine {goid} [running]:\n")
    assert list(parse(own)) == [goid]
    assert parse(own)[goid][1][0][0].endswith("body")
    assert stack().startswith("goroutine 1 [running]:\n")
    assert list(parse(stack(all=False))) == [1]


def test_main_has_no_creator(procs):
    _, frames, created = parse(stack(all=False))[1]
    assert created is None
    assert f"{__name__}.test_main_has_no_creator" in [f[0] for f in frames]


def test_wait_reasons_are_spelled_as_go_spells_them(procs):
    m, wg = Mutex(), WaitGroup()
    m.lock()
    wg.add(1)
    full = Chan(1)
    full.send(0)
    waiting = {
        "chan receive": parked(lambda: Chan().recv()),
        "chan send": parked(lambda: full.send(1)),
        "select": parked(lambda: select(on_recv(Chan()), on_send(Chan(), 1))),
        "select (no cases)": parked(lambda: select()),
        "sleep": parked(lambda: sleep(LONG)),
        "sync.Mutex.Lock": parked(lambda: m.lock()),
        "sync.WaitGroup.Wait": parked(lambda: wg.wait()),
    }
    found = parse(stack())
    for reason, g in waiting.items():
        assert found[g.id][0] == reason
        assert g.wait_reason == reason
    reap(*waiting.values())


def test_one_in_a_system_call_is_in_syscall(procs):
    entered, leave = threading.Event(), threading.Event()
    g = go(lambda: gmprt.syscall(lambda: (entered.set(), leave.wait(LONG))))
    until(entered.is_set, "the call")
    assert parse(stack())[g.id][0] == "syscall"
    leave.set()
    assert g.join(LONG)


def test_one_locked_to_its_thread_says_so(procs):
    ch = Chan()

    def body():
        gmprt.lock_os_thread()
        try:
            ch.recv()
        finally:
            gmprt.unlock_os_thread()

    g = parked(body)
    assert parse(stack())[g.id][0] == "chan receive, locked to thread"
    reap(g)
    gmprt.lock_os_thread()
    try:
        assert parse(stack())[1][0] == "running, locked to thread"
    finally:
        gmprt.unlock_os_thread()
    assert parse(stack())[1][0] == "running"


def test_one_that_has_not_started_is_runnable():
    former = gmprt.gomaxprocs(1)
    gmprt.gosched()  # main may have held the P that has gone: from here on it holds the only one
    try:
        gs = [go(waits_here, Chan()) for _ in range(20)]
        found = parse(stack())
        fresh = [g for g in gs if found[g.id][0] == "runnable"]
        # Without the GIL it waits for the other threads to tell, and these may run meanwhile.
        assert fresh or not GIL
        for g in fresh:
            assert found[g.id][2][1] == 1
    finally:
        gmprt.gomaxprocs(former)
        reap(*gs)


def test_one_that_is_done_is_not_in_it(procs):
    g = go(int)
    assert g.join(LONG)
    assert g.id not in parse(stack())


def test_a_daemon_is_in_it(procs):
    g = parked(Chan().recv)
    g.daemon = True
    assert g.id in parse(stack())
    reap(g)


def test_it_can_be_asked_for_while_others_run(procs):
    stop = []

    def spins():
        while not stop:
            gosched()

    def asks():
        for _ in range(10):
            assert parse(stack())
            gosched()

    spinners = [go(spins) for _ in range(3)]
    join_all(*[go(asks) for _ in range(3)])
    for _ in range(5):
        found = parse(stack())
        assert {g.id for g in spinners} <= set(found)
    stop.append(1)
    join_all(*spinners)


# What a G tells of its wait


def test_waiting_on_is_the_object_or_the_tuple_of_objects(procs):
    a, b, m, wg = Chan(), Chan(), Mutex(), WaitGroup()
    m.lock()
    wg.add(1)
    gs = [
        parked(a.recv),
        parked(b.send, 1),
        parked(m.lock),
        parked(wg.wait),
        parked(select, on_recv(a), on_send(b, 2)),
    ]
    assert [g.waiting_on for g in gs] == [a, b, m, wg, (a, b)]
    reap(*gs)


def test_one_that_does_not_wait_has_no_reason(procs):
    def body():
        me = current()
        return me.wait_reason, me.waiting_on

    reason, on = go(body).result(LONG)
    assert reason == ""
    assert not on
    g = go(int)
    assert g.join(LONG)
    assert g.wait_reason == ""


def test_a_reason_does_not_outlive_the_wait(procs):
    ch = Chan()

    def body():
        ch.recv()
        return current().wait_reason, current().waiting_on, current().blocked_for

    g = parked(body)
    ch.send(None)
    reason, on, blocked = g.result(LONG)
    assert reason == ""
    assert not on
    assert blocked == 0


def test_blocked_for_counts_the_seconds(procs):
    g = parked(Chan().recv)
    first = g.blocked_for
    assert isinstance(first, float)
    assert 0 <= first < LONG
    sleep(0.02)
    assert g.blocked_for >= first + 0.0195
    reap(g)


# stats

COUNTERS = [
    "spawned",
    "finished",
    "switches",
    "steals",
    "steal_attempts",
    "global_gets",
    "handoffs",
    "retakes",
    "preemptions",
    "parks",
    "netpolls",
    "stacks_created",
]
GAUGES = ["ms", "ps", "idle_ps", "timers", "stacks_cached"]


def test_stats_has_all_keys(procs):
    go(int).join(LONG)
    s = stats()
    assert isinstance(s, dict)
    for key in COUNTERS + GAUGES:
        assert type(s[key]) is int, key
        assert s[key] >= 0, key
    assert isinstance(s["goroutines"], dict)
    assert all(type(n) is int and n >= 0 for n in s["goroutines"].values())
    assert set(s["goroutines"]) <= {"idle", "runnable", "running", "syscall", "waiting", "dead"}
    assert s["ps"] == procs
    assert s["ms"] >= 1
    assert 0 <= s["idle_ps"] <= procs


def test_a_snapshot_does_not_change(procs):
    s = stats()
    before = dict(s)
    go(int).join(LONG)
    assert s == before


def test_counters_grow_with_what_happens(procs):
    before = stats()
    ch = Chan()
    gs = [parked(ch.recv) for _ in range(10)]
    for _ in gs:
        ch.send(None)
    join_all(*gs)
    until(lambda: stats()["finished"] - before["finished"] >= 10, "ten counted as finished")
    after = stats()
    assert after["spawned"] - before["spawned"] == 10
    assert after["finished"] - before["finished"] == 10
    assert after["parks"] - before["parks"] >= 10
    assert after["switches"] > before["switches"]
    for key in COUNTERS:
        assert after[key] >= before[key], key


def test_the_gauge_of_goroutines_counts_them_by_state(procs):
    before = stats()["goroutines"].get("waiting", 0)
    gs = [parked(Chan().recv) for _ in range(7)]
    states = stats()["goroutines"]
    assert states["waiting"] == before + 7
    assert states["running"] >= 1
    reap(*gs)


def test_a_hand_off_is_counted(procs):
    """Whether on entering the call or by the watcher later: the P was given away."""
    before = stats()
    ev = threading.Event()
    gmprt.gomaxprocs(1)
    gmprt.gosched()  # main may have held the P that has gone, and has none to give until now

    def call():
        """Made here, so that nobody can have run it before the call."""
        go(ev.set)
        return ev.wait(LONG)

    assert gmprt.syscall(call)
    after = stats()
    given = [after[k] - before[k] for k in ("handoffs", "retakes")]
    assert sum(given) >= 1, given


# Every object has a repr


def grown(before, *keys):
    """Return by how much a counter is more than it was."""
    after = stats()
    for key in keys:
        before, after = before[key], after[key]
    return after - before


def test_each_wait_for_a_mutex_is_counted(procs):
    mu, n = Mutex(), 20
    mu.lock()
    before = stats()
    waiters = [parked(mu.lock) for _ in range(n)]
    assert grown(before, "waits", "mutex", "count") == 0  # of those that have ended
    for g in waiters:
        mu.unlock()
        g.join()
    assert grown(before, "waits", "mutex", "count") == n
    assert grown(before, "waits", "mutex", "seconds") > 0
    mu.unlock()
    with mu:
        pass
    assert grown(before, "waits", "mutex", "count") == n  # it was free


def test_waits_on_channels_are_estimated(procs):
    """From every 61st scheduling decision."""
    ch, n = Chan(), 20_000
    before = stats()
    sender = go(lambda: [ch.send(i) for i in range(n)])
    for _ in range(n):
        ch.recv()
    sender.join()
    assert n / 4 <= grown(before, "waits", "chan", "count") <= 4 * n
    assert grown(before, "waits", "chan", "count") % 61 == 0


def test_the_time_that_ps_are_held_is_part_of_that_there_are_ps(procs):
    before = stats()
    for _ in range(1000):
        gosched()
    assert 0 < grown(before, "p_busy_seconds") <= grown(before, "p_seconds")
    parked_before = stats()
    until(lambda: grown(parked_before, "p_seconds") > 0.01, "time goes by")


def test_time_in_the_queue_is_added_up(procs):
    """Two compute: one of them, or main, is ready all the time if there is one P."""
    ps = gmprt.gomaxprocs(1)
    before, stop = stats(), []

    def computes():
        while not stop:
            pass

    gs = [go(computes) for _ in range(2)]
    until(lambda: grown(before, "runnable_seconds") > 0.02, "they wait for each other")
    stop.append(1)
    join_all(*gs)
    gmprt.gomaxprocs(ps)


def test_context_switches_are_the_processs(procs):
    before = stats()["context_switches"]
    assert set(before) == {"voluntary", "involuntary"}
    until(
        lambda: stats()["context_switches"]["voluntary"] > before["voluntary"],
        "a thread has slept",
    )


def test_reprs_are_fit_for_a_dump(procs):
    g = parked(Chan().recv)
    for thing in (g, Chan(), Chan(2), Mutex(), WaitGroup(), on_recv(Chan()), on_send(None, 1)):
        text = repr(thing)
        assert text
        assert "\n" not in text
    assert repr(select(default=True))
    assert str(g.id) in repr(g)
    assert "chan receive" in repr(g)
    reap(g)


@pytest.mark.parametrize("name", ["stack", "stats", "go", "Chan", "select", "run", "syscall"])
def test_public_names_have_docstrings(name):
    assert getattr(gmprt, name).__doc__


def test_a_dump_keeps_nothing_alive(procs):
    """Nor the frames of other threads, until the collector comes by."""

    class Held:
        pass

    held, go_on = [], threading.Event()

    def work():
        mine = Held()
        held.append(weakref.ref(mine))
        go_on.wait(LONG)

    thread = threading.Thread(target=work)
    gc.disable()
    try:
        thread.start()
        until(lambda: held, "the thread holds it")
        gmprt.stack()
        go_on.set()
        thread.join()
        assert held[0]() is None
    finally:
        gc.enable()
