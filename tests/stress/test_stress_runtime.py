"""The runtime itself under load: spawns, calls, timers, locks, and all of it while Ps come and go.

The long form is described in test_stress_channels.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.stress.load import (
    LONG,
    Scene,
    call_storm,
    closes_against_all,
    interrupts_against_waits,
    locked_threads,
    mutex_and_waitgroup,
    play,
    producers_and_consumers,
    rounds,
    select_storm,
    sleepers,
    spawn_storm,
    timeouts_against_sends,
)
from tests.support import wait_until


@pytest.mark.parametrize("interrupts", [False, True], ids=["plain", "interrupts"])
def test_mutex_and_waitgroup(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int], interrupts: bool
) -> None:
    for number in rounds(seconds / 2):
        play(mutex_and_waitgroup(next(seeds), 40, interrupts), timed=number % 2 == 0)


def test_spawns_and_joins_from_everywhere(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(spawn_storm(next(seeds), 4), timed=number % 2 == 0)


def test_system_calls_between_channel_operations(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(call_storm(next(seeds), 15), timed=number % 2 == 0)


def test_locked_threads_come_and_go(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(locked_threads(next(seeds), 20), timed=number % 2 == 0)


def test_sleeps_and_timeouts_on_many_threads(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(sleepers(next(seeds), 10), timed=number % 2 == 0)


def test_spawns_from_many_foreign_threads(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    """Main is parked and all Ms idle: each spawn has to wake one, whoever it comes from."""

    def spawn() -> None:
        for n in range(20):
            assert rt.go(lambda n=n: n).result() == n

    for number in rounds(seconds):
        play(Scene(lambda: None, foreign=[spawn] * 4), timed=number % 2 == 0)


def everything(seed: int) -> list[Scene]:
    rng = random.Random(seed)
    scenes = [
        producers_and_consumers(rng.getrandbits(32), rng.choice([0, 1, 5]), 30),
        select_storm(rng.getrandbits(32), 30),
        timeouts_against_sends(rng.getrandbits(32), 30),
        interrupts_against_waits(rng.getrandbits(32), 30),
        closes_against_all(rng.getrandbits(32), 10),
        mutex_and_waitgroup(rng.getrandbits(32), 20, interrupts=rng.random() < 0.5),
        spawn_storm(rng.getrandbits(32), 1),
        call_storm(rng.getrandbits(32), 5),
        locked_threads(rng.getrandbits(32), 5),
        sleepers(rng.getrandbits(32), 5),
    ]
    return rng.sample(scenes, 4)


def test_everything_at_once(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(*everything(next(seeds)), timed=number % 2 == 0)


@pytest.mark.parametrize("from_where", ["thread", "goroutine"])
def test_ps_come_and_go_under_load(
    rt: ModuleType, seconds: float, seeds: Iterator[int], from_where: str
) -> None:
    """gomaxprocs up and down while everything runs: what a retired P held is not lost."""
    before = rt.gomaxprocs()
    stop: list[None] = []
    failed: list[BaseException] = []
    rng = random.Random(next(seeds))

    def change() -> None:
        try:
            while not stop:
                n = rng.choice([1, 2, 3, 8])
                rt.gomaxprocs(n)
                assert rt.gomaxprocs() == n
                rt.sleep(rng.random() * 0.002)
        except BaseException as exc:
            failed.append(exc)

    changer: Any
    if from_where == "thread":
        changer = threading.Thread(target=change, daemon=True)
        changer.start()
    else:
        changer = rt.go(change)
    try:
        for number in rounds(seconds * 1.5):
            play(*everything(next(seeds)), timed=number % 2 == 0)
    finally:
        stop.append(None)
        rt.syscall(changer.join, LONG)
        rt.gomaxprocs(before)
    assert not failed


def test_load_leaves_nothing_behind(rt: ModuleType, procs: int, seeds: Iterator[int]) -> None:
    """No goroutine; and threads do not grow in number from one time to the next."""

    goroutines = rt.num_goroutine()
    most = 0
    for number in range(6):
        play(call_storm(next(seeds), 5), spawn_storm(next(seeds), 1))
        if number < 3:
            most = max(most, rt.stats()["ms"])
    # Some are not joined, but their value waited for, which comes before their end.
    wait_until(lambda: rt.num_goroutine() <= goroutines, "all have ended")
    assert rt.num_goroutine() == goroutines
    assert sum(rt.stats()["goroutines"].values()) == goroutines
    assert rt.stats()["ms"] <= most + 8, "threads are not used again, or not ended"
