"""What each test runs in: a watchdog, a leak check, a number of Ps, a seed.

A hang must print and die. pytest's own faulthandler timer shows threads, not parked goroutines, and
a signal would be raised in whichever goroutine the main thread runs just then; so a thread of our
own watches each test, prints `gmprt.stack()` and ends the process. Python does not start that
thread and so does not count it: one that it counts could wake main, as far as the runtime knows,
and no test would ever see a deadlock found.
"""

import _thread
import ctypes
import faulthandler
import os
import random
import signal
import sys
from collections.abc import Generator, Iterator
from time import monotonic
from types import ModuleType

import psutil
import pytest
from hypothesis import HealthCheck, settings

# The leak check is gmprt's own plugin, by its name: here also where gmprt is not installed.
pytest_plugins = ["gmprt.pytest_plugin"]

WATCHDOG_STATUS = 70
STACK_SECONDS = 5.0  # what `gmprt.stack()` may take in a process that hangs

# A slow example is no failure (the machine may be busy), and `procs` is one value for all examples.
settings.register_profile(
    "gmprt",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("gmprt")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gmprt")
    group.addoption("--seed", type=int, help="seed of the tests' randomness (default: a new one)")
    group.addoption(
        "--procs",
        metavar="N,...",
        help="with which numbers of Ps tests run that are about them (default: 1,2,8)",
    )
    group.addoption(
        "--leak-seconds",
        type=float,
        default=10.0,
        help="what a goroutine may take to end after its test",
    )
    group.addoption(
        "--times", type=int, default=20, help="runs of each program whose exit may meet a race"
    )
    group.addoption(
        "--stress-seconds", type=float, default=2.0, help="seconds each stress test runs"
    )
    group.addoption(
        "--watchdog-seconds",
        type=float,
        default=50.0,
        help="seconds before a test counts as hung and the process ends (0: never)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the stress tests; leave out the numbers of Ps that are not asked for (`--procs`)."""
    within = config.getoption("--leak-seconds")
    for item in items:
        if "stress" in item.path.parts:
            item.add_marker("stress")
        if item.get_closest_marker("goroutine_leaks") is None:
            item.add_marker(pytest.mark.goroutine_leaks(within=within))
    asked = config.getoption("--procs")
    if asked is None:
        return
    chosen = {int(n) for n in asked.split(",")}
    left_out = [item for item in items if _procs_of(item) not in {None, *chosen}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _procs_of(item) in {None, *chosen}]


def _procs_of(item: pytest.Item) -> int | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("procs")


class Watchdog:
    """Ends the process when one test takes too long. One thread, armed and disarmed per test."""

    def __init__(self, seconds: float, seed: int) -> None:
        self.seconds = seconds
        self.seed = seed
        self.stderr = os.dup(2)  # capturing starts later
        self.armed: tuple[float, str] | None = None
        self._stop = _thread.allocate_lock()
        self._stop.acquire()
        self._entry = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(self._watch)
        self._thread = ctypes.c_ulong()
        self._libc = ctypes.CDLL(None)
        if self._libc.pthread_create(ctypes.byref(self._thread), None, self._entry, None):
            raise OSError("no thread for the watchdog")

    def stop(self) -> None:
        """End the thread, so that none is left in Python when the interpreter goes."""
        self._stop.release()
        self._libc.pthread_join(self._thread, None)

    def _watch(self, _: None) -> None:
        while not self._stop.acquire(True, min(1.0, self.seconds / 4)):
            armed = self.armed
            if armed is not None and monotonic() > armed[0]:
                self._bite(armed[1])

    def _bite(self, nodeid: str) -> None:
        """Print threads first, which cannot hang, then goroutines; end the children and all."""
        try:
            self._say(f"\n\nwatchdog: {nodeid} after {self.seconds:g} s, --seed={self.seed}\n\n")
            faulthandler.dump_traceback(self.stderr, all_threads=True)
            self._say("\n")
            done = _thread.allocate_lock()
            done.acquire()
            _thread.start_new_thread(self._say_goroutines, (done,))
            if not done.acquire(True, STACK_SECONDS):
                self._say(f"gmprt.stack() did not return in {STACK_SECONDS:g} s\n")
            for child in psutil.Process().children(recursive=True):
                child.kill()
        finally:
            os._exit(WATCHDOG_STATUS)

    def _say_goroutines(self, done: _thread.LockType) -> None:
        try:
            gmprt = sys.modules.get("gmprt")
            self._say(gmprt.stack() if gmprt else "gmprt is not imported\n")
        except BaseException as exc:
            self._say(f"gmprt.stack() raised {exc!r}\n")
        finally:
            done.release()

    def _say(self, text: str) -> None:
        rest = text.encode(errors="backslashreplace")
        while rest:
            rest = rest[os.write(self.stderr, rest) :]


SEED = pytest.StashKey[int]()
WATCHDOG = pytest.StashKey[Watchdog]()
FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As a shell leaves it to what it starts in the background; the programs here inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    seed = config.getoption("--seed")
    config.stash[SEED] = random.SystemRandom().getrandbits(32) if seed is None else seed
    seconds = config.getoption("--watchdog-seconds")
    if seconds > 0:
        config.stash[WATCHDOG] = Watchdog(seconds, config.stash[SEED])


def pytest_unconfigure(config: pytest.Config) -> None:
    watchdog = config.stash.get(WATCHDOG, None)
    if watchdog:
        watchdog.stop()


def pytest_report_header(config: pytest.Config) -> str:
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return f"gmprt: --seed={config.stash[SEED]}, {'with' if gil else 'without'} the GIL"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    watchdog = item.config.stash.get(WATCHDOG, None)
    if watchdog is None:
        return (yield)
    watchdog.armed = (monotonic() + watchdog.seconds, item.nodeid)
    try:
        return (yield)
    finally:
        watchdog.armed = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
        report.sections.append(("seed", f"--seed={item.config.stash[SEED]}"))
    return report


@pytest.fixture
def rt() -> ModuleType:
    """Give gmprt, imported here and not with the test's file: a broken import fails one test."""
    import gmprt

    return gmprt


@pytest.fixture(params=[1, 2, 8], ids=lambda n: f"procs{n}")
def procs(request: pytest.FixtureRequest, rt: ModuleType) -> Iterator[int]:
    """Run the test with so many Ps: none to steal from, one, and more than there are cores."""
    before = rt.gomaxprocs(request.param)
    yield request.param
    rt.gomaxprocs(before)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Give the run's seed, for what takes a number, such as a child's command line."""
    return request.config.stash[SEED]


@pytest.fixture
def rng(request: pytest.FixtureRequest, seed: int) -> random.Random:
    """Give the test its own randomness: the same for one seed, whichever tests run beside it."""
    return random.Random(f"{seed} {request.node.nodeid}")


@pytest.fixture
def times(request: pytest.FixtureRequest) -> int:
    """Give how often a program is to be run that may end in a race."""
    number: int = request.config.getoption("--times")
    return number


@pytest.fixture
def stress_seconds(request: pytest.FixtureRequest) -> float:
    """Give the seconds for which a stress test repeats what it does."""
    seconds: float = request.config.getoption("--stress-seconds")
    return seconds
