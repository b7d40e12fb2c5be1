"""The examples, each as a user runs it: exact output, wrong input, Ctrl-C, and nothing left over.

Every child runs with GMPRT_LEAKS=error, so a goroutine left behind is a status of 66 and a dump
where these tests want an empty standard error.
"""

import math
import os
import random
import re
import signal
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from tests.support import Finished, run_prog, start_prog, wait_prog
from tests.support.progs import ROOT

EXAMPLES = ROOT / "examples"
STRICT = {"GMPRT_LEAKS": "error"}
SOURCES = (".py", ".txt")


def run_example(name: str, *args: object) -> Finished:
    return run_prog(EXAMPLES / name, *args, env=STRICT)


def example_ends(name: str, *args: object) -> str:
    """Run an example that has to end well and silently, and give its output."""
    done = run_example(name, *args)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


# contention


def test_contention_shows_in_the_counters() -> None:
    head, normal, contended = example_ends("contention.py", "--seconds", 0.5).splitlines()
    assert head.split()[:5] == ["locks", "P", "use", "lock", "waits"]
    assert (normal.split()[0], contended.split()[0]) == ("normal", "contended")
    waits_of = [int(row.split()[3]) for row in (normal, contended)]
    assert waits_of[0] == 0 < waits_of[1]
    mean_of = [float(row.split()[4]) for row in (normal, contended)]
    assert mean_of[0] == 0.0 < mean_of[1]


@pytest.mark.parametrize("wrong", [("--workers", 0), ("--seconds", "nan"), ("--seconds", "x")])
def test_contention_refuses_what_is_no_number_of_its_kind(wrong: tuple[object, ...]) -> None:
    done = run_example("contention.py", *wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: contention")


# leak_hunt


def test_each_tool_tells_of_the_leak() -> None:
    done = run_example("leak_hunt.py")
    assert done.returncode == 0, done
    assert "  replica: 100 spawned, 50 alive, peak " in done.stdout
    assert "per_site" in done.stdout.partition("watch: ")[2]
    assert "stuck: 50 goroutines can never go on" in done.stdout
    assert re.search(r"guard: goroutine \d+, replica: blocked for", done.stdout)
    assert "killed 51; 0 are left" in done.stdout
    assert "replica: blocked for" in done.stderr  # what `watch` logs


def test_the_fixed_service_has_nothing_to_tell_of() -> None:
    output = example_ends("leak_hunt.py", "--fixed")
    assert "replica: 100 spawned, 0 alive" in output
    assert output.endswith(
        "watch: nothing\nstuck: 0 goroutines can never go on\nguard: nothing is left\n"
        "killed 0; 0 are left\n"
    )


# wordcount


def count_reference(files: list[Path]) -> Counter[str]:
    """Count words by another way than the example's: one character after another."""
    words: Counter[str] = Counter()
    for path in files:
        text = path.read_bytes().decode("utf-8", errors="replace").lower()
        words.update("".join(c if c.isalpha() else " " for c in text).split())
    return words


def sources_below(root: Path) -> list[Path]:
    """List what the example must count in a folder."""
    return [
        path
        for path in root.rglob("*")
        if path.suffix in SOURCES
        and path.is_file()
        and not {"site-packages", "__pycache__"} & set(path.relative_to(root).parts[:-1])
    ]


def parsed(stdout: str) -> tuple[list[tuple[str, int]], int, int, dict[str, int]]:
    """Split the example's output: words in order, files, bytes, and the runtime's line."""
    *table, summary, runtime = stdout.splitlines()
    words = []
    for line in table:
        times, word = line.split()
        words.append((word, int(times)))
    files, size = re.fullmatch(r"(\d+) files, (\d+) bytes, \d+\.\d\d seconds", summary).groups()
    numbers = re.fullmatch(
        r"Ms (?P<ms>\d+), Ps (?P<ps>\d+), steals (?P<steals>\d+), hand-offs (?P<handoffs>\d+)",
        runtime,
    )
    return words, int(files), int(size), {k: int(v) for k, v in numbers.groupdict().items()}


@pytest.fixture
def tree(tmp_path: Path, rng: random.Random) -> Path:
    """Make a tree with a few hundred files to count, and one of each kind of trap."""
    root = tmp_path / "tree"
    vocabulary = [f"{a}{b}" for a in "abcdefgh" for b in ("ine", "_x", "Oo", "é", "ßt", "9", "界")]
    for number in range(300):
        folder = root / f"d{number % 7}" / f"e{number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        text = rng.choice(" \n.,").join(rng.choices(vocabulary, k=rng.randrange(200)))
        (folder / f"f{number}.{rng.choice(['py', 'txt'])}").write_text(text, encoding="utf-8")
    (root / "empty.txt").touch()
    (root / "latin1.txt").write_bytes("grün caf\xe9 \xff".encode("latin-1"))
    (root / "not text.bin").write_text("binary")
    (root / "dangling.txt").symlink_to("nowhere")
    (root / "folder.py").mkdir()
    (root / "folder.py" / "inside.txt").write_text("inside")
    os.mkfifo(root / "pipe.txt")  # whoever opens it waits for ever
    for skipped in ("site-packages", "__pycache__"):
        (root / "d0" / skipped / "deep").mkdir(parents=True)
        (root / "d0" / skipped / "deep" / "skipped.py").write_text("skipped")
    return root


@pytest.mark.parametrize("maxprocs", [1, 2])
def test_wordcount_counts_as_one_thread_does(tree: Path, maxprocs: int) -> None:
    files = sources_below(tree)
    expected = count_reference(files)
    stdout = example_ends("wordcount.py", tree, "--procs", maxprocs, "--top", len(expected) + 1)
    words, number, size, runtime = parsed(stdout)
    assert words == sorted(expected.items(), key=lambda item: (-item[1], item[0]))
    assert number == len(files)
    assert size == sum(path.stat().st_size for path in files)
    assert runtime["ps"] == maxprocs
    assert runtime["ms"] >= 1


def test_wordcount_takes_files_of_any_name_and_several_paths(tmp_path: Path) -> None:
    """A path counts as often as it is given, as for `wc`; `--top` cuts the list."""
    (tmp_path / "one.md").write_text("b a b")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "two.txt").write_text("a c")
    one = tmp_path / "one.md"
    stdout = example_ends("wordcount.py", one, tmp_path / "folder", one, "--top", 2)
    words, files, size, _ = parsed(stdout)
    assert words == [("b", 4), ("a", 3)]
    assert (files, size) == (3, 13)


def test_wordcount_of_an_empty_folder_is_nothing(tmp_path: Path) -> None:
    words, files, size, _ = parsed(example_ends("wordcount.py", tmp_path))
    assert (words, files, size) == ([], 0, 0)


def test_wordcount_indexes_the_standard_library_by_default() -> None:
    stdout = example_ends("wordcount.py", "--top", 5)
    words, files, size, _ = parsed(stdout)
    expected = sources_below(Path(sysconfig.get_path("stdlib")))
    assert len(words) == 5
    assert "self" in dict(words)
    assert files == len(expected)
    assert size == sum(path.stat().st_size for path in expected)


def test_wordcount_names_a_path_that_does_not_exist(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    done = run_example("wordcount.py", tmp_path, missing)
    assert done == Finished(2, "", f"wordcount: {missing}: No such file or directory\n")


@pytest.mark.parametrize("option", ["--procs", "--top"])
def test_wordcount_refuses_a_number_that_is_none(option: str, tmp_path: Path) -> None:
    for value, complaint in (("0", "0 is less than 1"), ("x", "invalid natural value: 'x'")):
        done = run_example("wordcount.py", tmp_path, option, value)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(f"{complaint}\n")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_wordcount_tells_what_it_cannot_read_and_counts_the_rest(tmp_path: Path) -> None:
    """The file opens, but its first page can't be read: for root, too."""
    (tmp_path / "good.txt").write_text("good")
    done = run_example("wordcount.py", "/proc/self/mem", tmp_path)
    assert done.returncode == 1
    assert done.stderr == "wordcount: /proc/self/mem: Input/output error\n"
    words, files, size, _ = parsed(done.stdout)
    assert (words, files, size) == ([("good", 1)], 1, 4)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_wordcount_tells_which_folder_it_may_not_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    done = run_example("wordcount.py", tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"wordcount: {closed}: Permission denied\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_wordcount_tells_of_each_file_that_it_may_only_list(tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    listed.mkdir()
    (listed / "secret.txt").write_text("secret")
    listed.chmod(0o400)
    done = run_example("wordcount.py", tmp_path)
    listed.chmod(0o700)
    assert done.returncode == 1
    assert done.stderr == f"wordcount: {listed / 'secret.txt'}: Permission denied\n"


@pytest.mark.parametrize("maxprocs", [1, 2])
def test_ctrl_c_ends_wordcount_while_it_reads(tree: Path, maxprocs: int) -> None:
    """A worker sits in a read that gives nothing, of a pipe that this test holds open."""
    pipe = tree / "pipe.txt"
    arguments = [EXAMPLES / "wordcount.py", tree, pipe, "--procs", maxprocs]
    with start_prog(*arguments, env=STRICT) as child:
        with pipe.open("wb"):  # waits for the worker to open the other end
            child.send_signal(signal.SIGINT)
        done = wait_prog(child)
    assert (done.returncode, done.stderr) == (130, "")


# sieve


def is_prime(number: int) -> bool:
    return number > 1 and all(number % d for d in range(2, math.isqrt(number) + 1))


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_sieve_prints_the_first_primes(limit: int) -> None:
    expected = [number for number in range(600) if is_prime(number)][:limit]
    assert len(expected) == limit
    assert example_ends("sieve.py", limit) == "".join(f"{prime}\n" for prime in expected)


def test_sieve_leaves_no_goroutine_behind_however_its_caller_stops() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
from contextlib import closing
import gmprt, sieve

def main():
    assert list(sieve.primes(5)) == [2, 3, 5, 7, 11]
    print(gmprt.num_goroutine())
    with closing(sieve.primes(1000)) as found:
        for prime in found:
            if prime > 50:
                break
    print(prime, gmprt.num_goroutine())

gmprt.run(main)
"""
    done = run_prog(program, env=STRICT)
    assert done == Finished(0, "1\n53 1\n", "")


def test_ctrl_c_ends_the_sieve_while_it_runs() -> None:
    with start_prog(EXAMPLES / "sieve.py", 10**6, env=STRICT) as child:
        assert [child.stdout.readline() for _ in range(100)][-1] == "541\n"
        child.send_signal(signal.SIGINT)
        done = wait_prog(child)
    assert (done.returncode, done.stderr) == (130, "")


# pingpong


def test_pingpong_tells_its_speed() -> None:
    stdout = example_ends("pingpong.py", 500)
    first, second = stdout.splitlines()
    assert first == "playing 500 round trips"
    assert int(re.fullmatch(r"(\d+) round trips per second", second).group(1)) > 0


def test_ctrl_c_ends_pingpong_while_it_runs() -> None:
    with start_prog(EXAMPLES / "pingpong.py", 10**9, env=STRICT) as child:
        assert child.stdout.readline() == "playing 1000000000 round trips\n"
        child.send_signal(signal.SIGINT)
        done = wait_prog(child)
    assert done == Finished(130, "", "")


@pytest.mark.parametrize("name", ["sieve.py", "pingpong.py"])
def test_an_example_refuses_a_number_that_is_none(name: str) -> None:
    for value, complaint in (("0", "0 is less than 1"), ("x", "invalid natural value: 'x'")):
        done = run_example(name, value)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(f"{complaint}\n")


@pytest.mark.parametrize("name", ["wordcount.py", "sieve.py", "pingpong.py"])
def test_an_example_explains_itself(name: str) -> None:
    assert example_ends(name, "--help").startswith(f"usage: {Path(name).stem}")
