"""Channels across Ms: no value lost, doubled or out of order, and no wake-up lost.

The long form, in which amounts are asked for:
`pytest tests/stress --stress-seconds 60 --watchdog-seconds 0 -o faulthandler_timeout=0`.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.stress.load import (
    LONG,
    Scene,
    closes_against_all,
    interrupts_against_waits,
    play,
    producers_and_consumers,
    rounds,
    select_storm,
    timeouts_against_sends,
)

MILLION = 1_000_000


@pytest.mark.parametrize("cap", [0, 1, 16])
def test_values_from_everywhere_to_everywhere(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int], cap: int
) -> None:
    for number in rounds(seconds / 3):
        play(producers_and_consumers(next(seeds), cap, 60), timed=number % 2 == 0)


def test_a_million_operations_across_ms(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int], long_form: bool
) -> None:
    """In the short form as many as there is time for."""
    operations = 0
    end = time.monotonic() + seconds
    for number in itertools.count():
        scenes = [producers_and_consumers(next(seeds), cap, 400) for cap in (0, 7)]
        play(*scenes, timed=number % 2 == 0)
        operations += sum(scene.ops for scene in scenes)
        if time.monotonic() > end and (operations >= MILLION or not long_form):
            break
    print(f"{operations} operations")
    assert rt.stats()["ms"] > 1, "it all happened on one thread"


def test_a_storm_of_selects(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(select_storm(next(seeds), 60), timed=number % 2 == 0)


def test_timeouts_race_with_sends(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(timeouts_against_sends(next(seeds), 80), timed=number % 2 == 0)


def test_interrupts_race_with_sends_and_receives(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(interrupts_against_waits(next(seeds), 80), timed=number % 2 == 0)


def test_closes_race_with_sends_and_receives(
    rt: ModuleType, procs: int, seconds: float, seeds: Iterator[int]
) -> None:
    for number in rounds(seconds):
        play(closes_against_all(next(seeds), 30), timed=number % 2 == 0)


@pytest.mark.parametrize("cap", [0, 1])
@pytest.mark.parametrize("partner", ["pinned", "fresh", "foreign"])
def test_ping_pong_between_threads(
    rt: ModuleType, procs: int, seconds: float, partner: str, cap: int
) -> None:
    """Each side goes to sleep for every value: a wake-up lost once is a hang.

    No time-out and no other goroutine is there that would hide it.
    """
    trips = 200

    for _ in rounds(seconds / 6):
        there, back = rt.Chan(cap), rt.Chan(cap)

        def pong(there: Any = there, back: Any = back) -> None:
            for value in there:
                back.send(value + 1)

        def ping(there: Any = there, back: Any = back) -> None:
            for n in range(trips):
                there.send(n)
                assert back.recv() == n + 1
            there.close()

        scene = Scene(lambda: None, pinned=[ping])
        getattr(scene, partner).append(pong)
        play(scene, timed=False)


@pytest.mark.parametrize("cap", [0, 1])
def test_ping_pong_of_main_with_a_thread(
    rt: ModuleType, procs: int, seconds: float, cap: int
) -> None:
    for _ in rounds(seconds / 2):
        there, back = rt.Chan(cap), rt.Chan(cap)

        def pong(there: Any = there, back: Any = back) -> None:
            for value in there:
                back.send(value + 1)

        thread = threading.Thread(target=pong, daemon=True)
        thread.start()
        for n in range(200):
            there.send(n)
            assert back.recv() == n + 1
        there.close()
        rt.syscall(thread.join, LONG)
