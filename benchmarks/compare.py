"""What has changed between two runs, beyond the noise that they measured themselves.

Seconds of two runs cannot be compared: the machine may be twice as fast today. But the contenders
of a round ran one after the other, so gmprt's sample in terms of the others' of the same round can.
A round gives one such ratio: gmprt's time over the geometric mean of its rivals' that are in both
files. Each run has so many ratios as rounds, and their range is its noise. A scenario has changed
if the ranges of both runs do not overlap, and the medians differ by more than 2 %: with five rounds
each, one in 126 does so by chance. With less than four rounds nothing can be said.

Scenarios without rivals are compared as they are, and marked: the machine's speed is in them. Bytes
are not: the machine has no part in them. Instruction counts differ if by more than 1 %.
"""

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FEWEST = 4  # rounds
LEAST = 0.02  # a change below this is none
LEAST_INSTRUCTIONS = 0.01

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One scenario in both runs."""

    name: str
    old: list[float]  # a ratio for each round
    new: list[float]
    bare: bool = False  # there was nobody to compare with: the machine's speed is in it

    @property
    def by(self) -> float:
        """Return the change of the medians: 0.1 is 10 % more time."""
        return statistics.median(self.new) / statistics.median(self.old) - 1

    @property
    def noise(self) -> float:
        """Return the larger of the two ranges' halves, in terms of the median."""
        return max(
            (max(ratios) - min(ratios)) / 2 / statistics.median(ratios)
            for ratios in (self.old, self.new)
        )

    @property
    def verdict(self) -> str:
        """Return "slower", "faster", "same", or "too few rounds"."""
        if min(len(self.old), len(self.new)) < FEWEST:
            return "too few rounds"
        if abs(self.by) > LEAST:
            if min(self.new) > max(self.old):
                return "slower"
            if max(self.new) < min(self.old):
                return "faster"
        return "same"

    def line(self) -> str:
        bare = ", nobody to compare with" if self.bare else ""
        return f"    {self.name:16}{self.by:+8.1%}   noise {self.noise:6.1%}   {self.verdict}{bare}"


def ratios(one: Json, rivals: list[str]) -> list[float]:
    """Return gmprt's sample of each round in terms of its rivals' in that round."""
    first = next(iter(one["samples"]))
    ours = one["samples"][first]
    theirs = [one["samples"][rival] for rival in rivals]
    return [
        mine / math.prod(each) ** (1 / len(each)) if each else mine
        for mine, *each in zip(ours, *theirs, strict=True)
    ]


def changes(old: Json, new: Json) -> Iterator[Change]:
    """Yield the scenarios of both runs."""
    for name, was in old["scenarios"].items():
        now = new["scenarios"].get(name)
        if now is None or not was["samples"] or not now["samples"]:
            continue
        first, *others = was["samples"]
        if first != next(iter(now["samples"])):
            continue
        timed = was["unit"] == "seconds"
        rivals = [
            who for who in others if timed and not who.startswith("gmprt") and who in now["samples"]
        ]
        bare = timed and not rivals
        yield Change(name, ratios(was, rivals), ratios(now, rivals), bare)


def differences(old: Json, new: Json) -> Iterator[str]:
    """Yield what else is not the same, so that nobody takes it for gmprt's doing."""
    before, after = old["environment"], new["environment"]
    for key in ("python", "gil", "cpu", "cpus_usable"):
        if before[key] != after[key]:
            yield f"{key}: {before[key]} / {after[key]}"
    for name, version in before["versions"].items():
        if name != "gmprt" and version != after["versions"].get(name):
            yield f"{name}: {version} / {after['versions'].get(name)}"
    for name in sorted(set(old["scenarios"]) ^ set(new["scenarios"])):
        yield f"only in {'the old' if name in old['scenarios'] else 'the new'} one: {name}"
    for name, was in old["scenarios"].items():
        now = new["scenarios"].get(name)
        if now is not None and was["n"] != now["n"]:
            yield f"{name}: n = {was['n']} / {now['n']}"


def instructions(old: Json, new: Json) -> Iterator[tuple[str, float, float]]:
    """Yield the scenarios whose instructions were counted in both runs, the same way."""
    before, after = old.get("instructions"), new.get("instructions")
    if before and after and before["by"] == after["by"]:
        for name, counts in before["counts"].items():
            now = after["counts"].get(name, {})
            if "gmprt" in counts and "gmprt" in now:
                yield name, counts["gmprt"], now["gmprt"]


def compare(old: Json, new: Json) -> tuple[list[str], bool]:
    """Return what to print, and whether anything has become slower."""
    out = [f"not the same: {difference}" for difference in differences(old, new)]
    slower = False
    found = list(changes(old, new))
    order = ("slower", "faster", "too few rounds", "same")
    for change in sorted(found, key=lambda change: order.index(change.verdict)):
        out.append(change.line())
        slower |= change.verdict == "slower"
    for name, was, now in instructions(old, new):
        by = now / was - 1
        verdict = "same" if abs(by) <= LEAST_INSTRUCTIONS else "more" if by > 0 else "fewer"
        out.append(f"    {name:16}{by:+8.1%}   instructions   {verdict}")
        slower |= verdict == "more"
    if not found:
        out.append("no scenario is in both")
    return out, slower
