"""Workers on many threads at once, and small scenes for them to play.

With the GIL goroutines stay on one M unless something takes them elsewhere. Here three things do:
a worker that is `pinned` starts in a call in which all others have to be too, so each of them lives
on an M of its own from then on; `foreign` workers are threads of the user's; and `jostle` makes
calls that take the P away, announced and not. `fresh` workers are plain goroutines.

A scene's workers end by themselves, so scenes can be played together.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gmprt

SPREAD = 2.0  # seconds to have each pinned worker on a thread of its own
LONG = 30.0
"""Seconds that no round comes near: after them a wake-up is lost."""

Worker = Callable[[], Any]


@dataclass
class Scene:
    """Workers that belong together, and what has to be true when they have ended."""

    check: Callable[[], None]
    pinned: list[Worker] = field(default_factory=list)
    fresh: list[Worker] = field(default_factory=list)
    foreign: list[Worker] = field(default_factory=list)
    ops: int = 0
    """Roughly how many operations on channels or locks it makes."""


class Stop(Exception):
    """What interrupters raise in others."""


def rounds(seconds: float) -> Iterator[int]:
    """Count rounds until the time is over: one at least."""
    end = time.monotonic() + seconds
    number = 0
    while number == 0 or time.monotonic() < end:
        yield number
        number += 1


def jostle(rng: random.Random) -> None:
    """Mostly nothing, sometimes one of the ways to lose the P or the thread."""
    dice = rng.random()
    if dice < 0.80:
        return
    if dice < 0.88:
        gmprt.gosched()
    elif dice < 0.91:
        gmprt.sleep(0)
    elif dice < 0.93:
        gmprt.sleep(rng.random() * 0.0003)
    elif dice < 0.95:
        with gmprt.blocking():
            pass
    elif dice < 0.97:
        gmprt.syscall(int)
    elif dice < 0.975:
        gmprt.syscall(time.sleep, 0.0002)
    elif dice < 0.98:
        time.sleep(0.0002)
    elif dice < 0.99:
        time.sleep(0)


def play(*scenes: Scene, timed: bool = True) -> None:
    """Run the workers of all scenes to their ends, then check.

    `timed`: main waits with a time-out, and says what hangs. Without one no timer is there that
    could wake anybody, and a lost wake-up may be found as a deadlock.
    Raises: the first exception of a worker, at once; AssertionError.
    """
    pinned = [w for scene in scenes for w in scene.pinned]
    fresh = [w for scene in scenes for w in scene.fresh]
    foreign = [w for scene in scenes for w in scene.foreign]
    total = len(pinned) + len(fresh) + len(foreign)
    ends: gmprt.Chan[BaseException | None] = gmprt.Chan(total)
    meet = threading.Barrier(len(pinned)) if pinned else None

    def run(worker: Worker) -> None:
        try:
            worker()
        except BaseException as exc:
            ends.send(exc)
        else:
            ends.send(None)

    def run_pinned(worker: Worker) -> None:
        assert meet is not None
        try:
            with gmprt.blocking():
                meet.wait(SPREAD)
        except threading.BrokenBarrierError:
            pass  # one gave way before it came here, and its thread is blocked by another of them
        run(worker)

    threads = [threading.Thread(target=run, args=(w,), daemon=True) for w in foreign]
    for thread in threads:
        thread.start()
    gs = [gmprt.go(run_pinned, w) for w in pinned] + [gmprt.go(run, w) for w in fresh]
    for _ in range(total):
        try:
            exc = ends.recv(LONG if timed else None)
        except TimeoutError:
            raise AssertionError(f"somebody hangs:\n\n{gmprt.stack()}") from None
        if exc is not None:
            raise exc
    for g in gs:
        assert g.join(LONG), f"{g!r} has done its work but does not end\n\n{gmprt.stack()}"
    for thread in threads:
        gmprt.syscall(thread.join, LONG)
    for scene in scenes:
        scene.check()


def assert_same(sent: Iterable[Any], received: Iterable[Any]) -> None:
    """Nothing lost, nothing doubled, nothing made up."""
    was_sent, was_received = Counter(sent), Counter(received)
    lost, extra = was_sent - was_received, was_received - was_sent
    assert not lost, f"lost: {list(lost.items())[:10]}"
    assert not extra, f"received more often than sent: {list(extra.items())[:10]}"


def assert_in_order(received: Iterable[tuple[Any, int]]) -> None:
    """The numbers of each sender come in the order in which it sent them."""
    last: dict[Any, int] = {}
    for sender, number in received:
        assert last.get(sender, -1) < number, f"{(sender, number)} after {last[sender]}"
        last[sender] = number


# Scenes.


def producers_and_consumers(seed: int, cap: int, items: int) -> Scene:
    """Values from everywhere to everywhere over one channel, by each way to send and to receive."""
    ch: gmprt.Chan[tuple[str, int]] = gmprt.Chan(cap)
    producing = gmprt.sync.WaitGroup()
    sent: list[tuple[str, int]] = []
    received: list[list[tuple[str, int]]] = []

    def produce(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        for number in range(items):
            value = (name, number)
            dice = rng.random()
            if dice < 0.1:
                while True:
                    try:
                        ch.send_nowait(value)
                        break
                    except gmprt.WouldBlock:
                        gmprt.sleep(0)
            elif dice < 0.2:
                gmprt.select(gmprt.on_recv(None), gmprt.on_send(ch, value))
            elif dice < 0.3:
                ch.send(value, timeout=LONG)
            else:
                ch.send(value)
            jostle(rng)
        sent.extend((name, number) for number in range(items))
        producing.done()

    def consume(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        got: list[tuple[str, int]] = []
        received.append(got)
        while True:
            dice = rng.random()
            try:
                if dice < 0.1:
                    got.append(ch.recv_nowait())
                elif dice < 0.2:
                    _, value, ok = gmprt.select(gmprt.on_recv(ch), gmprt.on_recv(None))
                    if not ok:
                        return
                    got.append(value)
                elif dice < 0.3:
                    got.append(ch.recv(timeout=rng.random() * 0.0005))
                else:
                    got.append(ch.recv())
            except (gmprt.WouldBlock, TimeoutError):
                gmprt.sleep(0)
            except gmprt.EndOfChan:
                return
            jostle(rng)

    def close() -> None:
        producing.wait()
        ch.close()

    def check() -> None:
        assert_same(sent, [value for got in received for value in got])
        for got in received:
            assert_in_order(got)
        assert len(ch) == 0

    def workers(fn: Callable[[str], None], kind: str, n: int) -> list[Worker]:
        return [lambda name=f"{fn.__name__} {kind} {i}": fn(name) for i in range(n)]

    producing.add(6)
    return Scene(
        check,
        pinned=workers(produce, "pinned", 3) + workers(consume, "pinned", 3),
        fresh=[*workers(produce, "fresh", 2), *workers(consume, "fresh", 2), close],
        foreign=workers(produce, "foreign", 1) + workers(consume, "foreign", 1),
        ops=2 * 6 * items,
    )


def select_storm(seed: int, selects: int) -> Scene:
    """Everybody selects over the same channels, in both directions, until one has had enough."""
    chans: list[gmprt.Chan[Any]] = [gmprt.Chan(cap) for cap in (0, 0, 1, 3)]
    stop: gmprt.Chan[None] = gmprt.Chan()
    sent: list[Any] = []
    received: list[Any] = []

    def storm(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        mine: list[Any] = []
        got: list[Any] = []
        number = 0
        while True:
            cases: list[Any] = [gmprt.on_recv(stop), gmprt.on_recv(None)]
            values: list[Any] = [None, None]
            for _ in range(rng.randrange(5)):
                ch = rng.choice(chans)
                if rng.random() < 0.5:
                    cases.append(gmprt.on_recv(ch))
                    values.append(None)
                else:
                    number += 1
                    values.append((name, number))
                    cases.append(gmprt.on_send(ch, values[-1]))
            dice = rng.random()
            try:
                if dice < 0.2:
                    i, value, ok = gmprt.select(*cases, default=True)
                elif dice < 0.5 or len(cases) == 2:
                    i, value, ok = gmprt.select(*cases, timeout=rng.random() * 0.0005)
                else:
                    i, value, ok = gmprt.select(*cases)
            except TimeoutError:
                continue
            if i == 0:
                break
            if i > 0:
                assert ok
                if values[i] is None:
                    got.append(value)
                else:
                    assert value is None
                    mine.append(values[i])
            jostle(rng)
        sent.extend(mine)
        received.extend(got)

    def enough() -> None:
        """Only this one counts: the others just go on."""
        rng = random.Random(f"{seed} enough")
        for _ in range(selects):
            try:
                gmprt.select(gmprt.on_recv(stop), timeout=0)
            except TimeoutError:
                pass
            jostle(rng)
            gmprt.sleep(0)
        stop.close()

    def check() -> None:
        for ch in chans:
            while len(ch):
                received.append(ch.recv_nowait())
        assert_same(sent, received)

    def workers(kind: str, n: int) -> list[Worker]:
        return [lambda name=f"{kind} {i}": storm(name) for i in range(n)]

    return Scene(
        check,
        pinned=workers("pinned", 4),
        fresh=[*workers("fresh", 3), enough],
        foreign=workers("foreign", 2),
        ops=10 * selects,
    )


def timeouts_against_sends(seed: int, items: int) -> Scene:
    """A send that timed out was not received, one that did not was: whatever the clock says."""
    ch: gmprt.Chan[tuple[str, int]] = gmprt.Chan(random.Random(seed).choice([0, 0, 1]))
    sending = gmprt.sync.WaitGroup()
    sent: list[tuple[str, int]] = []
    received: list[tuple[str, int]] = []

    def send(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        for number in range(items):
            timeout = rng.choice([0, 1e-6, 1e-5, 1e-4, 3e-4])
            try:
                if rng.random() < 0.7:
                    ch.send((name, number), timeout=timeout)
                else:
                    gmprt.select(gmprt.on_send(ch, (name, number)), timeout=timeout)
            except TimeoutError:
                continue
            sent.append((name, number))
            jostle(rng)
        sending.done()

    def receive(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        got: list[tuple[str, int]] = []
        while True:
            try:
                value, ok = ch.recv_ok(rng.choice([0, 1e-6, 1e-5, 1e-4, 3e-4, None]))
            except TimeoutError:
                continue
            if not ok:
                break
            got.append(value)
            jostle(rng)
        assert_in_order(got)
        received.extend(got)

    def close() -> None:
        sending.wait()
        ch.close()

    sending.add(5)
    return Scene(
        lambda: assert_same(sent, received),
        pinned=[lambda n=f"s{i}": send(n) for i in range(3)]
        + [lambda n=f"r{i}": receive(n) for i in range(2)],
        fresh=[lambda: send("fresh"), lambda: receive("fresh"), close],
        foreign=[lambda: send("foreign"), lambda: receive("foreign")],
        ops=10 * items,
    )


def interrupts_against_waits(seed: int, items: int) -> Scene:
    """Interrupted anywhere in it: a wait that was satisfied keeps its value, another has none."""
    ch: gmprt.Chan[tuple[str, int]] = gmprt.Chan(random.Random(seed).choice([0, 0, 1]))
    sending = gmprt.sync.WaitGroup()
    sent: list[tuple[str, int]] = []
    received: list[tuple[str, int]] = []
    targets: list[gmprt.G[Any]] = []
    counts: Counter[str] = Counter()
    over: list[None] = []

    def me() -> gmprt.G[Any]:
        g = gmprt.current()
        assert g is not None
        return g

    def shielded(call: Callable[[], object]) -> bool:
        """Whether it came through; what ends it is an interrupt, or nothing."""
        try:
            call()
        except Stop:
            stops.append(None)
            return False
        return True

    stops: list[None] = []

    def send(name: str) -> None:
        targets.append(me())
        rng = random.Random(f"{seed} {name}")
        for number in range(items):
            case = gmprt.on_send(ch, (name, number))
            if rng.random() < 0.7:
                through = shielded(lambda n=number: ch.send((name, n)))
            else:
                through = shielded(lambda c=case: gmprt.select(c))
            if through:
                sent.append((name, number))
            shielded(lambda: jostle(rng))
        targets.remove(me())
        sending.done()

    def receive(name: str) -> None:
        targets.append(me())
        rng = random.Random(f"{seed} {name}")
        got: list[tuple[str, int]] = []
        box: list[tuple[Any, bool]] = []
        while True:
            if rng.random() < 0.7:
                through = shielded(lambda: box.append(ch.recv_ok()))
            else:
                through = shielded(lambda: box.append(gmprt.select(gmprt.on_recv(ch))[1:]))
            assert len(box) == through
            if through:
                value, ok = box.pop()
                if not ok:
                    break
                got.append(value)
            shielded(lambda: jostle(rng))
        targets.remove(me())
        assert_in_order(got)
        received.extend(got)

    def interrupt(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        while not over:
            try:
                target = rng.choice(list(targets))
            except IndexError:
                pass
            else:
                counts[name] += 1
                target.interrupt(Stop)
            jostle(rng)
            gmprt.sleep(0)
            time.sleep(0)

    def close() -> None:
        sending.wait()
        ch.close()
        over.append(None)

    def check() -> None:
        assert_same(sent, received)
        assert len(stops) <= counts.total(), "more arrived than were sent"

    sending.add(3)
    return Scene(
        check,
        pinned=[lambda n=f"s{i}": send(n) for i in range(2)]
        + [lambda n=f"r{i}": receive(n) for i in range(2)]
        + [lambda: interrupt("pinned")],
        fresh=[lambda: send("fresh"), lambda: receive("fresh"), lambda: interrupt("fresh"), close],
        foreign=[lambda: interrupt("foreign")],
        ops=6 * items,
    )


def closes_against_all(seed: int, chans: int) -> Scene:
    """One channel after the other is closed under its senders and receivers."""
    first = random.Random(seed)
    table: list[gmprt.Chan[Any]] = [gmprt.Chan(first.choice([0, 1, 3])) for _ in range(chans)]
    sent: list[Any] = []
    received: list[Any] = []
    closed: list[int] = []

    def send(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        for at, ch in enumerate(table):
            number = 0
            while True:
                number += 1
                value = (at, name, number)
                try:
                    if rng.random() < 0.7:
                        ch.send(value)
                    else:
                        gmprt.select(gmprt.on_send(ch, value))
                except gmprt.ChanClosed:
                    break
                sent.append(value)
                jostle(rng)

    def receive(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        for ch in table:
            got = []
            while True:
                if rng.random() < 0.7:
                    value, ok = ch.recv_ok()
                else:
                    _, value, ok = gmprt.select(gmprt.on_recv(ch))
                if not ok:
                    break
                got.append(value)
                jostle(rng)
            received.extend(got)
            assert_in_order((sender, number) for _, sender, number in got)
            assert ch.recv_ok() == (None, False), "a value after the end"

    def close(name: str) -> None:
        """Take a few, so that the senders are there, then close; so does another one."""
        rng = random.Random(f"{seed} {name}")
        for at, ch in enumerate(table):
            for _ in range(rng.randrange(6)):
                value, ok = ch.recv_ok()
                if ok:
                    received.append(value)
            jostle(rng)
            try:
                ch.close()
            except gmprt.ChanClosed:
                continue
            closed.append(at)

    def check() -> None:
        assert sorted(closed) == list(range(chans)), "each is closed by exactly one"
        assert_same(sent, received)

    return Scene(
        check,
        pinned=[lambda n=f"s{i}": send(n) for i in range(2)]
        + [lambda n=f"r{i}": receive(n) for i in range(2)]
        + [lambda: close("pinned")],
        fresh=[lambda: send("fresh"), lambda: receive("fresh")],
        foreign=[lambda: close("foreign")],
        ops=20 * chans,
    )


def mutex_and_waitgroup(seed: int, times: int, interrupts: bool) -> Scene:
    """A lock that two never have; a group whose waiters go on when all is done and not before."""
    mu, working = gmprt.sync.Mutex(), gmprt.sync.WaitGroup()
    count = [0]
    inside: list[str] = []
    successes: list[str] = []
    finished: list[str] = []
    targets: list[gmprt.G[Any]] = []

    def critical(name: str, rng: random.Random) -> None:
        with mu:
            inside.append(name)
            try:
                assert inside == [name], f"together in the lock: {inside}"
                value = count[0]
                jostle(rng)
                count[0] = value + 1
                successes.append(name)
            finally:
                inside.remove(name)

    def work(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        g = gmprt.current()
        if g is not None:
            targets.append(g)
        for _ in range(times):
            try:
                if rng.random() > 0.1:
                    critical(name, rng)
                elif mu.try_lock():
                    mu.unlock()
                jostle(rng)
            except Stop:
                pass
        if g is not None:
            targets.remove(g)
        finished.append(name)
        working.done()

    def interrupt() -> None:
        rng = random.Random(f"{seed} interrupt")
        while len(finished) < len(names):
            try:
                # A copy: `choice` of what is emptied just then looks for a number below 0 for ever.
                rng.choice(list(targets)).interrupt(Stop)
            except IndexError:
                pass
            gmprt.sleep(0)
            time.sleep(0)

    def wait() -> None:
        working.wait()
        assert sorted(finished) == sorted(names)

    def check() -> None:
        assert count[0] == len(successes)
        assert mu.try_lock(), "left locked"
        mu.unlock()

    names = ["pinned 0", "pinned 1", "pinned 2", "fresh 0", "fresh 1", "foreign"]
    workers: list[Worker] = [lambda name=name: work(name) for name in names]
    working.add(len(names))
    return Scene(
        check,
        pinned=workers[:3],
        fresh=[*workers[3:5], wait, wait, *([interrupt] if interrupts else [])],
        foreign=[*workers[5:], wait],
        ops=2 * len(names) * times,
    )


def spawn_storm(seed: int, times: int) -> Scene:
    """Trees of goroutines from everywhere; every handle joined, by one, by many, or dropped."""
    totals: list[int] = []
    dropped: gmprt.Chan[int] = gmprt.Chan(4)
    drops: list[int] = []
    seen: list[int] = []

    def tree(rng_seed: int, depth: int) -> int:
        rng = random.Random(rng_seed)
        jostle(rng)
        if depth == 0:
            return 1
        gs = [gmprt.go(tree, rng.getrandbits(32), depth - 1) for _ in range(3)]
        jostle(rng)
        return 1 + sum(g.result() for g in gs)

    def fail(n: int) -> None:
        raise Stop(n)

    def storm(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        for n in range(times):
            totals.append(gmprt.go(tree, rng.getrandbits(32), 2).result())
            g = gmprt.go(tree, rng.getrandbits(32), 1)
            waiters = [gmprt.go(g.result) for _ in range(3)]
            while not g.join(timeout=rng.random() * 0.0003):
                pass
            assert [w.result() for w in waiters] == [4, 4, 4]
            assert g.done()
            assert gmprt.select(gmprt.on_recv(g.ended)).ok is False
            bad = gmprt.go(fail, n)
            assert str(bad.exception()) == str(n)
            gmprt.go(dropped.send, n)
            drops.append(n)
            del g, bad
            jostle(rng)

    def catch() -> None:
        seen.extend(dropped.recv() for _ in range(len(names) * times))

    def check() -> None:
        assert totals == [13] * (len(names) * times)
        assert_same(drops, seen)

    names = ["pinned 0", "pinned 1", "pinned 2", "fresh 0", "foreign 0", "foreign 1"]
    workers: list[Worker] = [lambda name=name: storm(name) for name in names]
    return Scene(
        check,
        pinned=workers[:3],
        fresh=[workers[3], catch],
        foreign=workers[4:],
        ops=25 * len(names) * times,
    )


def call_storm(seed: int, times: int) -> Scene:
    """Calls of each kind, with values handed from one to the next through a ring of channels."""
    size = 10
    ring: list[gmprt.Chan[Any]] = [gmprt.Chan(n % 2) for n in range(size)]
    ended: list[Any] = []

    def fail() -> None:
        raise Stop

    def station(at: int) -> None:
        rng = random.Random(f"{seed} {at}")
        for _ in range(times):
            token = ring[at].recv()
            dice = rng.random()
            if dice < 0.3:
                assert gmprt.syscall(lambda n: n + 1, at) == at + 1
            elif dice < 0.4:
                gmprt.syscall(time.sleep, rng.random() * 0.0005)
            elif dice < 0.5:
                with gmprt.blocking():
                    time.sleep(rng.random() * 0.0005)
            elif dice < 0.55:
                time.sleep(rng.random() * 0.001)
            elif dice < 0.65:
                try:
                    gmprt.syscall(fail)
                except Stop:
                    pass
                else:
                    raise AssertionError("the exception of a call is lost")
            elif dice < 0.75:
                gmprt.sleep(rng.random() * 0.0005)
            elif dice < 0.85:
                gmprt.lock_os_thread()
                thread = threading.get_ident()
                gmprt.gosched()
                assert threading.get_ident() == thread
                gmprt.unlock_os_thread()
            if at + 1 < size:
                ring[at + 1].send(token)
            else:
                ended.append(token)

    def feed() -> None:
        for n in range(times):
            ring[0].send(n)

    return Scene(
        lambda: ended == list(range(times)) or _fail(f"the ring gave {ended}"),
        pinned=[lambda at=at: station(at) for at in range(0, size, 2)],
        fresh=[lambda at=at: station(at) for at in range(1, size, 2)],
        foreign=[feed],
        ops=2 * size * times,
    )


def locked_threads(seed: int, times: int) -> Scene:
    """Goroutines that take a thread for themselves, give it back or end with it."""
    ch: gmprt.Chan[int] = gmprt.Chan()
    received: list[int] = []

    def locked(n: int) -> None:
        rng = random.Random(f"{seed} {n}")
        gmprt.lock_os_thread()
        thread = threading.get_ident()
        jostle(rng)
        ch.send(n)
        jostle(rng)
        assert threading.get_ident() == thread
        if rng.random() < 0.5:
            gmprt.unlock_os_thread()

    def start() -> None:
        for first in range(0, times, 5):
            gs = [gmprt.go(locked, n) for n in range(first, min(first + 5, times))]
            for g in gs:
                g.result()

    return Scene(
        lambda: assert_same(range(times), received),
        fresh=[start],
        foreign=[lambda: received.extend(ch.recv() for _ in range(times))],
        ops=2 * times,
    )


def sleepers(seed: int, times: int) -> Scene:
    """Timers of many Ms, near each other: each comes, and none before its time."""

    def sleep(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        for _ in range(times):
            seconds = rng.random() * 0.002
            start = time.monotonic()
            if rng.random() < 0.5:
                gmprt.sleep(seconds)
            else:
                try:
                    gmprt.Chan().recv(timeout=seconds)
                except TimeoutError:
                    pass
            assert time.monotonic() - start >= seconds, "too early"
            jostle(rng)

    def workers(kind: str, n: int) -> list[Worker]:
        return [lambda name=f"{kind} {i}": sleep(name) for i in range(n)]

    return Scene(
        lambda: None,
        pinned=workers("pinned", 3),
        fresh=workers("fresh", 10),
        foreign=workers("foreign", 2),
        ops=15 * times,
    )


def _fail(text: str) -> None:
    raise AssertionError(text)
