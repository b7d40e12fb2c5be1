"""What a scenario is, and how one contender is measured: in a fresh process, every time.

A process that has run one contender is no fair place for another: its heap, its allocator, its
threads and whatever the library has hooked remain. So every sample comes from a child process that
runs one contender once. The parent interleaves them (A B C A B C ...), so that a machine which gets
slower or faster meanwhile does so to all, and counts the best: noise only ever adds.

Most contenders are functions of the scenario's file, run by this Python; for those that are not,
see `elsewhere`.
"""

import importlib
import json
import math
import os
import pkgutil
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import benchmarks
from benchmarks import elsewhere
from benchmarks.elsewhere import GO, PYROUTINE, Missing

ROOT = Path(__file__).resolve().parent.parent
GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
TIMEOUT = 300.0  # seconds for one child; only a hang takes so long

# Who takes part, in this order, beside gmprt itself; each scenario has it or says why not.
PEERS = (
    "asyncio",
    "uvloop",
    "gevent",
    "trio",
    "curio",
    "threads",  # a thread for each
    "pool",  # ThreadPoolExecutor
    PYROUTINE,
    GO,
)
LIBRARIES = ("gmprt", "greenlet", "gevent", "uvloop", "trio", "curio", "pyroutine-rt", "psutil")

Contender = Callable[[int], float | Awaitable[float]]


def in_go(n: int) -> float:
    """Stand for the scenario in Go."""
    raise NotImplementedError("benchmarks/go/scenarios has it")


@dataclass(frozen=True)
class Scenario:
    """One thing to measure, and who takes part."""

    title: str  # "go + join, one at a time"
    contenders: Mapping[str, Contender]  # by name; the first is the one compared with the others
    n: int  # how often a sample does it
    unit: str = "us"  # what to show: "us", "ms" and "s" of seconds; "bytes" and "%" as they are
    without: Mapping[str, str] = field(default_factory=dict)  # peers that have no part in it: why
    fewer: Mapping[str, int] = field(default_factory=dict)  # who is slow does n divided by this
    bars: Mapping[str, float] = field(default_factory=dict)  # the most the first may be, in rivals
    limit: float | None = None  # the most the first may be, in seconds, bytes or %
    no_gil: float | None = None  # the most NO_GIL may be, in the first on the same Python version
    rounds: int = 5  # samples to take

    def share(self, contender: str, n: int) -> int:
        """Return how often a contender does it in a sample of n."""
        return max(1, n // self.fewer.get(contender, 1))

    def asked(self, only: Collection[str] = ()) -> list[str]:
        """Return who is to be measured: the first and, if any are named, those alone."""
        first, *others = self.contenders
        return [first, *(who for who in others if not only or who in only)]


def names() -> list[str]:
    """List the scenarios: every module of this package that is not part of the machinery."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    machinery = ("compare", "elsewhere", "harness", "instructions", "latency", "report")
    return [n for n in found if n not in machinery and not n.startswith(("_", "test_"))]


def load(name: str) -> Scenario:
    """Import a scenario by its module's name."""
    scenario = importlib.import_module(f"benchmarks.{name}").SCENARIO
    assert isinstance(scenario, Scenario)
    return scenario


def sample(name: str, contender: str, n: int) -> float:
    """Run one contender in a fresh process and return what it measured.

    Raises: Missing; RuntimeError with what it wrote if the child fails or hangs.
    """
    command, needs = elsewhere.command(name, contender, n)
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        child = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env={**os.environ, "PYTHONPATH": path, **needs},
        )
    except subprocess.TimeoutExpired as fault:
        raise RuntimeError(f"{name}, {contender}: no result in {TIMEOUT:.0f} s") from fault
    if child.returncode != 0:
        raise RuntimeError(f"{name}, {contender}: status {child.returncode}\n{child.stderr}")
    sys.stderr.write(child.stderr)  # a warning, a leak: whoever measures wants to know
    try:
        answer = json.loads(child.stdout)
    except ValueError as fault:
        raise RuntimeError(f"{name}, {contender}: no result but {child.stdout!r}") from fault
    if "missing" in answer:
        raise Missing(answer["missing"])
    return float(answer["value"])


@dataclass
class Result:
    """The samples of one scenario."""

    name: str
    scenario: Scenario
    n: int
    samples: dict[str, list[float]]  # by contender, a round each; no key for one that is missing
    faults: dict[str, str]  # by contender: why it has no samples

    def best(self, contender: str) -> float | None:
        """Return the least sample, None if there is none."""
        return min(self.samples.get(contender, ()), default=None)

    def median(self, contender: str) -> float | None:
        """Return the median sample, None if there is none."""
        values = self.samples.get(contender)
        return statistics.median(values) if values else None

    def ratios(self) -> Iterator[tuple[str, float]]:
        """Yield each rival and the first contender's best in terms of the rival's best."""
        yield from self._ratios(self.best)

    def median_ratios(self) -> Iterator[tuple[str, float]]:
        """Yield each rival and the first contender's median in terms of the rival's."""
        yield from self._ratios(self.median)

    def _ratios(self, of: Callable[[str], float | None]) -> Iterator[tuple[str, float]]:
        first, *rivals = self.scenario.contenders
        ours = of(first)
        for rival in rivals:
            theirs = of(rival)
            if ours is not None and theirs:
                yield rival, ours / theirs

    def as_json(self) -> dict[str, object]:
        """Return all there is to know, samples included; all numbers in base units."""
        return {
            "title": self.scenario.title,
            "first": next(iter(self.scenario.contenders)),
            "n": self.n,
            "fewer": dict(self.scenario.fewer),
            "unit": "seconds" if self.scenario.unit in SECONDS else self.scenario.unit,
            "samples": self.samples,
            "summary": {who: summary(values) for who, values in self.samples.items()},
            "missing": self.faults,
            "without": dict(self.scenario.without),
            "ratios": dict(self.ratios()),
            "median_ratios": dict(self.median_ratios()),
            "bars": dict(self.scenario.bars),
            "limit": self.scenario.limit,
            "no_gil": self.scenario.no_gil,
        }


SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def summary(values: list[float]) -> dict[str, float]:
    """Return min, median, p99 (the nearest rank) and how many there are."""
    ranked = sorted(values)
    return {
        "min": ranked[0],
        "median": statistics.median(ranked),
        "p99": ranked[math.ceil(0.99 * len(ranked)) - 1],
        "n": len(ranked),
    }


def measure(
    name: str,
    n: int | None = None,
    rounds: int | None = None,
    tell: Callable[[str], object] = lambda contender: None,
    only: Collection[str] = (),
) -> Result:
    """Sample every contender of a scenario so many times, in turn.

    `tell` is called with the contender after each sample, taken or not. With `only`, the others
    are left out: the first contender and those.
    """
    scenario = load(name)
    result = Result(name, scenario, n or scenario.n, {}, {})
    for _ in range(rounds or scenario.rounds):
        for contender in scenario.asked(only):
            if contender not in result.faults:
                try:
                    value = sample(name, contender, scenario.share(contender, result.n))
                except (Missing, RuntimeError) as fault:
                    result.faults[contender] = f"{type(fault).__name__}: {fault}"
                    result.samples.pop(contender, None)
                else:
                    result.samples.setdefault(contender, []).append(value)
            tell(contender)
    return result


def environment() -> dict[str, object]:
    """Record where the numbers come from; nobody has to type it, or remember."""
    return {
        "python": sys.version,
        "implementation": platform.python_implementation(),
        "gil": GIL,
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "cpus_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "switch_interval": sys.getswitchinterval(),
        "versions": {name: version(name) for name in LIBRARIES} | elsewhere.versions(),
        "settings": {k: v for k, v in os.environ.items() if k.startswith(("GMPRT_", "PYTHON"))},
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def version(package: str) -> str | None:
    """Return the installed version, None if it is not installed (gmprt may be run from here)."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def cpu_model() -> str:
    """Return the processor's name as the kernel tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
