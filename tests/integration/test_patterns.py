"""The patterns among the examples, each as a user runs it, and each where something goes wrong.

Every child runs with GMPRT_LEAKS=error, so a goroutine left behind is a status of 66 and a dump
where these tests want an empty standard error. Some import the example and give it another job:
one that fails, or that tells how many are at it.
"""

import hashlib
import os
import re
import signal
from pathlib import Path

import pytest

from tests.support import Finished, run_prog, start_prog, wait_prog
from tests.support.progs import ROOT

EXAMPLES = ROOT / "examples"
STRICT = {"GMPRT_LEAKS": "error"}
PATTERNS = ["worker_pool.py", "pipeline.py", "fan_in.py", "rate_limiter.py", "bounded.py"]


def run_example(name: str, *args: object) -> Finished:
    return run_prog(EXAMPLES / name, *args, env=STRICT)


def example_ends(name: str, *args: object) -> str:
    """Run an example that has to end well and silently, and give its output."""
    done = run_example(name, *args)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def program_ends(source: str, **env: str) -> str:
    """Run a program that imports examples; it has to end well and silently. Give its output."""
    search = os.pathsep.join([str(EXAMPLES), str(ROOT)])
    done = run_prog(source, env=STRICT | {"PYTHONPATH": search} | env)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


# all of them


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_short(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) < 60


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_explains_itself(name: str) -> None:
    assert example_ends(name, "--help").startswith(f"usage: {Path(name).stem}")


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("worker_pool.py", ()),
        ("worker_pool.py", ("--workers",)),
        ("pipeline.py", ()),
        ("rate_limiter.py", ()),
        ("rate_limiter.py", ("--rate",)),
        ("rate_limiter.py", ("--burst",)),
        ("bounded.py", ("--limit",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "".join(value) or "argument",
)
def test_a_pattern_refuses_a_number_that_is_none(name: str, option: tuple[str, ...]) -> None:
    for value, complaint in (("0", "0 is less than 1"), ("x", "invalid natural value: 'x'")):
        done = run_example(name, *option, value)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(f"{complaint}\n")


# worker_pool


def steps(number: int) -> int:
    """Count Collatz steps in a loop, where the example recurs."""
    count = 0
    while number != 1:
        number = number * 3 + 1 if number & 1 else number >> 1
        count += 1
    return count


@pytest.mark.parametrize("workers", [1, 4, 50])
@pytest.mark.parametrize("limit", [1, 40])
def test_the_pool_does_each_job_once(limit: int, workers: int) -> None:
    """Also with more workers than there are jobs."""
    expected = "".join(f"{number}: {steps(number)}\n" for number in range(1, limit + 1))
    assert example_ends("worker_pool.py", limit, "--workers", workers) == expected


def test_all_workers_are_at_work_and_no_more() -> None:
    """The first four jobs wait for each other: with fewer workers that would be a deadlock."""
    program = """
    import worker_pool
    from gmprt.sync import WaitGroup

    at_work, met = [], WaitGroup()
    met.add(4)

    def collatz(number):
        at_work.append(number)
        most.append(len(at_work))
        if number <= 4:
            met.done()
            met.wait()
        at_work.remove(number)
        return -number

    most = []
    worker_pool.collatz = collatz
    print(worker_pool.pool(8, 4) == {n: -n for n in range(1, 9)}, max(most))
    """
    assert program_ends(program) == "True 4\n"


@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_a_job_that_fails_ends_the_pool_with_its_error(maxprocs: str) -> None:
    program = """
    import gmprt, worker_pool

    def collatz(number):
        if number == 5:
            raise LookupError("five")
        return 0

    worker_pool.collatz = collatz
    try:
        worker_pool.pool(1000, 4)
    except LookupError as fault:
        print(fault, gmprt.num_goroutine())
    """
    assert program_ends(program, GMPRT_MAXPROCS=maxprocs) == "five 1\n"


# pipeline


def test_the_pipeline_gives_the_first_palindromic_squares() -> None:
    expected = [n * n for n in range(1, 1000) if str(n * n) == str(n * n)[::-1]]
    assert len(expected) > 12
    for limit in (1, 12):
        found = example_ends("pipeline.py", limit)
        assert found == "".join(f"{square}\n" for square in expected[:limit])


@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_no_stage_outlives_a_consumer_that_stops_early(maxprocs: str) -> None:
    program = """
    import gmprt, pipeline
    for _ in range(20):
        print(pipeline.take(3), gmprt.num_goroutine())
    """
    assert program_ends(program, GMPRT_MAXPROCS=maxprocs) == "[1, 4, 9] 1\n" * 20


def test_a_pipeline_ends_when_its_source_does() -> None:
    program = """
    from gmprt.errgroup import Group
    from pipeline import stage

    with Group() as stages:
        numbers = stage(stages, stages.ctx, range(4))
        doubles = stage(stages, stages.ctx, (2 * n for n in numbers))
        print(*doubles)
    """
    assert program_ends(program) == "0 2 4 6\n"


@pytest.mark.parametrize("failing", ["1 // (n - 5) for n in numbers", "1 // n for n in [1, 0]"])
def test_a_stage_that_fails_ends_the_pipeline_with_its_error(failing: str) -> None:
    """Those before it and those after it end; what came before the error is no whole result."""
    program = f"""
    import gmprt
    from itertools import count
    from gmprt.errgroup import Group
    from pipeline import stage

    try:
        with Group() as stages:
            ctx = stages.ctx
            numbers = stage(stages, ctx, count()).iter(ctx=ctx)
            broken = stage(stages, ctx, ({failing})).iter(ctx=ctx)
            last = stage(stages, ctx, (n for n in broken))
            print("whole:", list(last.iter(ctx=ctx)))
    except ZeroDivisionError as fault:
        print(type(fault).__name__, gmprt.num_goroutine())
    """
    assert program_ends(program) == "ZeroDivisionError 1\n"


# fan_in


@pytest.mark.parametrize("limit", [-1, 0, 3, 4, 64, 10_000])
def test_fan_in_finds_all_perfect_powers(limit: int) -> None:
    """4 and 64 are at the edge: the last number, and a power in several ways."""
    expected = sorted({b**e for b in range(2, 101) for e in range(2, 14) if b**e <= limit})
    assert example_ends("fan_in.py", limit) == " ".join(map(str, expected)) + "\n"


def test_fan_in_refuses_what_is_no_number() -> None:
    done = run_example("fan_in.py", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("invalid int value: 'x'\n")


def test_fan_in_keeps_the_order_of_each_producer() -> None:
    program = """
    from gmprt.errgroup import Group
    from fan_in import merge

    with Group() as group:
        merged = merge(group, [[(who, n) for n in range(50)] for who in range(5)])
        got = list(merged)
    for who in range(5):
        assert [n for w, n in got if w == who] == list(range(50))
    print(len(got), merged.closed)
    """
    assert program_ends(program) == "250 True\n"


def test_a_producer_that_fails_ends_the_others_and_the_consumer() -> None:
    program = """
    import gmprt
    from itertools import count
    from gmprt.errgroup import Group
    from fan_in import merge

    try:
        with Group() as group:
            fails = (1 // n for n in [1, 0])
            for _ in merge(group, [count(), fails, count()]).iter(ctx=group.ctx):
                pass
            print("ended as if all were well")
    except ZeroDivisionError as fault:
        print(type(fault).__name__, gmprt.num_goroutine())
    """
    assert program_ends(program) == "ZeroDivisionError 1\n"


# rate_limiter


def test_the_limiter_lets_a_burst_pass_and_then_keeps_to_its_rate() -> None:
    """Never faster. How much slower is the machine's business."""
    rate, burst, requests = 20, 3, 8
    stdout = example_ends("rate_limiter.py", requests, "--rate", rate, "--burst", burst)
    lines = [re.fullmatch(r"request (\d+) at (\d+\.\d{3}) s", x) for x in stdout.splitlines()]
    assert [int(line[1]) for line in lines] == list(range(1, requests + 1))
    times = [float(line[2]) for line in lines]
    assert times == sorted(times)
    for ticks, seconds in enumerate(times[burst:], start=1):
        assert seconds > ticks / rate - 0.001  # it is rounded


def test_a_burst_needs_no_tick() -> None:
    """No ticker of this program ever ticks: a sixth request would wait for an hour."""
    program = """
    import rate_limiter
    from gmprt import Ticker

    rate_limiter.Ticker = lambda seconds: Ticker(3600)
    rate_limiter.serve(5, rate=1, burst=5)
    """
    assert program_ends(program).count("\n") == 5


def test_permits_that_nobody_takes_are_lost() -> None:
    program = """
    import rate_limiter
    from gmprt import Chan

    permits = Chan(3)
    rate_limiter.refill(range(10), permits)
    print(len(permits))
    """
    assert program_ends(program) == "3\n"


def test_ctrl_c_ends_the_limiter_while_it_waits() -> None:
    with start_prog(
        EXAMPLES / "rate_limiter.py", 10**6, "--rate", 1, "--burst", 1, env=STRICT
    ) as child:
        assert child.stdout.readline().startswith("request 1 ")
        child.send_signal(signal.SIGINT)
        done = wait_prog(child)
    assert (done.returncode, done.stderr) == (130, "")


# bounded


@pytest.mark.parametrize("limit", [1, 3])
def test_bounded_gives_the_digest_of_each_file(tmp_path: Path, limit: int) -> None:
    """In the order of the arguments, and sorted within each folder; no pipe, no dangling link."""
    (tmp_path / "a" / "deep").mkdir(parents=True)
    files = {tmp_path / "last.txt": b"last"}
    for number in range(9):
        files[tmp_path / "a" / ("deep" if number % 2 else "") / f"{number}"] = b"x" * (
            1000 * number
        )
    files = dict(sorted(files.items(), key=lambda item: (item[0].parent == tmp_path, item[0])))
    for path, content in files.items():
        path.write_bytes(content)
    os.mkfifo(tmp_path / "a" / "pipe")  # whoever opens it waits for ever
    (tmp_path / "a" / "dangling").symlink_to("nowhere")
    stdout = example_ends("bounded.py", tmp_path / "a", tmp_path / "last.txt", "--limit", limit)
    expected = [(hashlib.sha256(content).hexdigest(), path) for path, content in files.items()]
    assert stdout == "".join(f"{sha256}  {path}\n" for sha256, path in expected)


def test_bounded_of_an_empty_folder_is_nothing(tmp_path: Path) -> None:
    assert example_ends("bounded.py", tmp_path) == ""


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("missing", "[Errno 2] No such file or directory: '{path}'"),
        ("/proc/self/mem", "[Errno 5] Input/output error"),
    ],
    ids=["missing", "unreadable"],
)
def test_bounded_tells_what_it_cannot_read(tmp_path: Path, target: str, complaint: str) -> None:
    """The first page of that file can't be read: for root, too."""
    if not Path("/proc/self/mem").exists():
        pytest.skip("needs Linux's /proc")
    path = tmp_path / "first"
    path.symlink_to(target)
    (tmp_path / "second").write_text("second")
    done = run_example("bounded.py", path, tmp_path / "second")
    assert done == Finished(1, "", f"bounded: {complaint.format(path=path)}\n")


def test_as_many_as_the_limit_allows_are_at_work_and_no_more() -> None:
    """They wait for each other, three at a time: one less would wait for ever."""
    program = """
    import threading
    from pathlib import Path
    import bounded

    at_work, most, three = [], [], threading.Barrier(3)

    def digest(path):
        at_work.append(path)
        most.append(len(at_work))
        three.wait()
        at_work.remove(path)
        three.wait()
        return path.name

    bounded.digest = digest
    paths = [Path(str(number)) for number in range(9)]
    print(bounded.digests(paths, 3) == {path: path.name for path in paths}, max(most))
    """
    assert program_ends(program, GMPRT_MAXPROCS="1") == "True 3\n"


@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_the_first_error_cancels_the_rest(maxprocs: str) -> None:
    """One more may have been let in already."""
    program = """
    from pathlib import Path
    import bounded, gmprt

    begun = []

    def digest(path):
        begun.append(path.name)
        if path.name == "3":
            raise LookupError(path.name)
        return path.name

    bounded.digest = digest
    try:
        bounded.digests((Path(str(number)) for number in range(1000)), 1)
    except LookupError as fault:
        print(fault, begun[:4], len(begun) < 6, gmprt.num_goroutine())
    """
    expected = "3 ['0', '1', '2', '3'] True 1\n"
    assert program_ends(program, GMPRT_MAXPROCS=maxprocs) == expected
