"""Where a goroutine must not be torn away: locks of its thread, imports, finalisers.

Here each jump, branch, call and line is a moment to give way (tests.support.preempting), on one M.
"""

import contextlib
import functools
import gc
import io
import itertools
import logging
import operator
import queue
import re
import sys
import threading

import pytest

import gmprt
from gmprt import go, gosched, stats
from gmprt._runtime import getm, preempt, withs
from tests.conformance.parking import LONG, Thread, join_all
from tests.support import GIL, start_prog
from tests.support.preempting import forced
from tests.support.progs import _as_file

TURNS = 100
THOUSANDS = 2000  # of preemptions in each test of a lock, and of those declined


@pytest.fixture(autouse=True)
def one_m():
    """All goroutines on main's thread, the only one with a P."""
    former = gmprt.gomaxprocs(1)
    gosched()
    yield
    gmprt.gomaxprocs(former)


def contend(critical, turns=TURNS, goroutines=3, every=1):
    """Have goroutines of this thread go through `critical` again and again; count how often they
    gave way meanwhile, and how often they declined to."""

    def body():
        for _ in range(turns):
            critical()
            for _ in range(3):
                pass

    before = stats()["preemptions"]
    with forced(every) as tries:
        gs = [go(body) for _ in range(goroutines)]
        for g in gs:
            assert g.join(LONG)
    join_all(*gs)
    gave_way = stats()["preemptions"] - before
    return gave_way, tries.asked - gave_way


def contend_for_lock(critical, turns=TURNS):
    """See them give way thousands of times, outside of what is guarded, and decline as often."""
    gave_way, declined = contend(critical, turns)
    assert gave_way >= THOUSANDS
    assert declined >= THOUSANDS


class Guarded:
    """A number that two must not change at once, and whoever finds somebody else inside."""

    def __init__(self):
        self.value = 0
        self.inside = 0
        self.broken = 0

    def change(self):
        self.inside += 1
        self.broken += self.inside != 1
        value = self.value
        for _ in range(3):
            value += 1
        self.value = value
        self.inside -= 1

    def check(self, turns=TURNS, goroutines=3):
        assert self.broken == 0
        assert self.value == 3 * turns * goroutines

    def before(self, fn):
        """Return a function that changes the number and then does what `fn` does."""

        def change_and_call(*args):
            self.change()
            return fn(*args)

        return change_and_call


@pytest.mark.parametrize(
    "make", [threading.Lock, threading.RLock, threading.Condition, lambda: threading.Semaphore(1)]
)
def test_a_lock_held_by_with(make):
    lock, guarded = make(), Guarded()

    def critical():
        with lock:
            guarded.change()

    contend_for_lock(critical)
    guarded.check()


@contextlib.contextmanager
def holding(lock):
    with lock:
        yield


class Own:
    """A user's own context manager around a lock."""

    def __init__(self):
        self._lock = threading.Lock()

    def __enter__(self):
        self._lock.acquire()

    def __exit__(self, *exc):
        self._lock.release()


def test_a_lock_behind_a_context_manager():
    lock, own, guarded = threading.Lock(), Own(), Guarded()

    def generator():
        with holding(lock):
            guarded.change()

    def stack():
        with contextlib.ExitStack() as exits:
            exits.enter_context(lock)
            guarded.change()

    contend_for_lock(generator, 50)
    contend_for_lock(stack, 50)
    guarded.check(2 * 50)
    guarded = Guarded()

    def users():
        with own:
            guarded.change()

    contend_for_lock(users, 75)
    guarded.check(75)


def test_a_condition_that_is_notified():
    condition, guarded, tokens = threading.Condition(), Guarded(), []

    def critical():
        with condition:
            guarded.change()
            tokens.append(1)
            condition.notify_all()
        with condition:
            assert condition.wait_for(lambda: tokens, LONG)
            guarded.change()
            tokens.pop()

    contend_for_lock(critical)
    guarded.check(2 * TURNS)
    assert tokens == []


def test_a_condition_that_is_waited_for():
    """By a wait that stops all goroutines of this thread, until another thread notifies."""
    condition, guarded = threading.Condition(), Guarded()
    asked, answers, waits = [], [], []

    def answer():
        for _ in range(3 * TURNS):
            with condition:
                assert condition.wait_for(lambda: asked, LONG)
                guarded.change()
                answers.append(asked.pop())
                condition.notify_all()

    def critical():
        question = object()
        with condition:
            guarded.change()
            asked.append(question)
            condition.notify_all()
            waits.append(not answers)
            assert condition.wait_for(lambda: answers, LONG)
            assert answers.pop() is question

    thread = Thread(answer)
    contend_for_lock(critical)
    thread.result()
    guarded.check(2 * TURNS)
    assert waits == [True] * (3 * TURNS)
    assert asked == answers == []


def test_a_queue():
    q, guarded, numbers, got = queue.Queue(), Guarded(), itertools.count(), []
    q._put, q._get = guarded.before(q._put), guarded.before(q._get)  # called under its lock

    def critical():
        q.put(next(numbers))
        got.append(q.get(timeout=LONG))
        q.task_done()

    contend_for_lock(critical)
    guarded.check(2 * TURNS)
    assert sorted(got) == [*range(3 * TURNS)]
    assert q.empty()
    assert q.unfinished_tasks == 0


def test_logging():
    turns, guarded, numbers, out = 75, Guarded(), itertools.count(), io.StringIO()
    handler, logger = logging.StreamHandler(out), logging.Logger("test")
    handler.emit = guarded.before(handler.emit)  # called under its lock
    logger.addHandler(handler)

    def critical():
        logger.warning("line %d", next(numbers))

    contend_for_lock(critical, turns)
    guarded.check(turns)
    assert sorted(out.getvalue().splitlines()) == sorted(f"line {n}" for n in range(3 * turns))


def test_an_import(tmp_path, monkeypatch):
    """A module is seen whole or not at all."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "half_done.py").write_text(
        "first = 1\nfor i in range(200):\n    pass\nsecond = 2\n"
    )

    def critical():
        import half_done

        assert half_done.second == 2
        sys.modules.pop("half_done", None)

    def body():
        for _ in range(20):
            critical()

    with forced():
        gs = [go(body) for _ in range(3)]
        join_all(*gs)


def test_a_finaliser():
    """Neither one that the collector calls nor one of a last reference is left half way."""
    ended = []

    class Thing:
        def __init__(self):
            self.me = self

        def __del__(self):
            ended.append("begin")
            for _ in range(3):
                pass
            ended.append("end")

    def critical():
        Thing()
        thing = Thing()
        thing.me = None
        del thing
        gc.collect(0)

    turns = 50 if GIL else 15  # where each collection stops all threads
    contend(critical, turns)
    gc.collect()
    assert ended == ["begin", "end"] * (6 * turns)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there sysmon looks before it asks")
def test_a_full_stack():
    """Where no more fits on it nothing is tried, and RecursionError is the program's own."""
    reached = []

    def down(n):
        reached.append(n)
        down(n + 1)

    def critical():
        reached.clear()
        with pytest.raises(RecursionError):
            down(0)

    before = stats()["preemptions"]
    with forced(101):
        gs = [go(critical) for _ in range(2)]
        join_all(*gs)
    assert stats()["preemptions"] > before
    assert gmprt.go(lambda: 1).result(LONG) == 1


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there the callback can find out")
def test_a_full_stack_is_not_asked():
    preempter = preempt.make_preempter()
    mp = getm()

    def down(n):
        if preempter._arm(mp):
            preempter.set_trace(mp.tstate, None, None)
            down(n + 1)
            return
        refused.append(n)

    refused = []
    preempter.usable = True
    down(0)
    assert refused[0] > 100


# Everything else may give way anywhere, and comes out right


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def generators():
    def squares(n):
        for i in range(n):
            yield i * i

    return sum(x for x in squares(50) if x % 2) + sum([*squares(10)])


def callbacks():
    words = sorted(["the", "quick", "brown", "fox"], key=lambda word: (len(word), word))
    text = re.sub(r"\w+", lambda match: match.group().upper(), " ".join(words))
    return text, functools.reduce(lambda a, b: a * b, range(1, 10))


def exceptions():
    log = []
    for i in range(5):
        try:
            try:
                raise KeyError(i)
            except KeyError as exc:
                raise ValueError(i) from exc
            finally:
                log.append(("finally", i))
        except ValueError as exc:
            log.append((exc.args, exc.__cause__.args))
    return log


def blocks():
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(ZeroDivisionError), out:
        for i in (1, 1, 0):
            out.write(str(1 / i))
    return out.closed


class Meta(type):
    def __call__(cls, *args):
        made = super().__call__(*args)
        made.checked = [x for x in args if x]
        return made


class Made(metaclass=Meta):
    def __init__(self, *args):
        self.args = args

    @property
    def total(self):
        return sum(self.args)

    def __eq__(self, other):
        return operator.eq(self.total, other.total)

    __hash__ = None


def objects():
    return [Made(1, 2) == Made(3), Made(0, 1).checked, {x: [x] for x in range(4)}]


@pytest.mark.parametrize(
    "fn", [lambda: fibonacci(10), generators, callbacks, exceptions, blocks, objects]
)
def test_a_program_comes_out_right(fn):
    expected = fn()
    results = []

    def critical():
        results.append(fn())

    assert contend(critical, 20, every=17)[0] > 50
    assert results == [expected] * 60


def test_gmprts_own_locks_are_goroutines():
    """They may be held by one that gave way: the others park."""
    mutex, guarded = gmprt.sync.Mutex(), Guarded()

    def critical():
        with mutex:
            guarded.change()

    assert contend(critical, 100)[0] > 500
    guarded.check(100)


def test_channels():
    ch = gmprt.Chan(2)

    def critical():
        ch.send(1)
        assert ch.recv() == 1

    assert contend(critical)[0] > 1000


# What cannot be seen is named

HELD = """
import sys, threading, gmprt
lock = threading.Lock()

def holder():
    lock.acquire()
    gmprt.sleep(0.01)  # any wait, or a preemption
    lock.release()

def user():
    {take}

def main():
    gmprt.go(holder)
    gmprt.gosched()
    gmprt.go(user).join()

gmprt.run(main, procs=1)
"""


@pytest.mark.parametrize("take", ["lock.acquire()", "with lock: pass"])
def test_who_blocks_a_thread_for_a_lock_is_named(take):
    """It is for good, so the program has to be ended from outside, once it has said so."""
    with _as_file(HELD.format(take=take)) as path, start_prog(path) as child:
        line = child.stderr.readline()
        child.kill()
    assert re.match(r"gmprt: goroutine 3 \(user\) has waited for \d\.\d s for a lock", line), line
    assert re.search(r"prog\.py:11\. .* goroutine 2 \(holder\)", line), line


# What is known of the standard library


def test_every_module_that_takes_locks_is_known():
    """By its source: whoever makes one, or asks which thread it is on."""
    from pathlib import Path

    root = Path(io.__file__).parent
    words = re.compile(r"\b(R?Lock|Condition|allocate_lock|get_ident)\(")
    found = set()
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[0] in NOT_USED_BY_GOROUTINES:
            continue
        if words.search(path.read_text("utf-8", errors="replace")):
            found.add(".".join(parts))
    known = set(withs.LOCKING)
    left = {name for name in found if name not in known and name.partition(".")[0] not in known}
    assert left <= HOLD_NONE_WHILE_THEY_CALL


NOT_USED_BY_GOROUTINES = {
    "test",
    "site-packages",
    "dist-packages",
    "idlelib",
    "lib2to3",
    "distutils",
    "unittest",
    "tkinter",
    "_android_support",
}
HOLD_NONE_WHILE_THEY_CALL = {"functools", "dataclasses"}  # but for `cached_property` on 3.11
