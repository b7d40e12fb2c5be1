"""The tools of the tests: each must be able to fail, or what it guards is not guarded."""

import os
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import gmprt
from tests.support import (
    Sequencer,
    check_sequence,
    run_prog,
    start_prog,
    wait_all_parked,
    wait_prog,
    wait_until,
)
from tests.support.progs import ROOT


def test_wait_all_parked_returns_once_all_wait():
    gates = [gmprt.Chan() for _ in range(3)]
    gs = [gmprt.go(gate.recv) for gate in gates]
    wait_all_parked(*gs)
    assert [g.state for g in gs] == ["waiting"] * 3
    for gate in gates:
        gate.send(None)
    for g in gs:
        g.join()


def test_wait_all_parked_works_in_a_foreign_thread():
    gate = gmprt.Chan()
    g = gmprt.go(gate.recv)
    seen = []
    thread = threading.Thread(target=lambda: (wait_all_parked(g), seen.append(g.state)))
    thread.start()
    wait_until(lambda: not thread.is_alive(), "the thread sees it park")
    assert seen == ["waiting"]
    gate.send(None)
    g.join()


def test_wait_all_parked_gives_up_on_a_goroutine_that_is_done():
    g = gmprt.go(int)
    g.join()
    with pytest.raises(AssertionError, match="they are done"):
        wait_all_parked(g)


def test_wait_until_says_what_did_not_come_about():
    """With all threads, the scheduler, and all goroutines."""
    with pytest.raises(AssertionError, match=r"not so after 0.01 s: the sky falls\n\n") as caught:
        wait_until(lambda: False, "the sky falls", seconds=0.01)
    text = str(caught.value)
    assert (
        text.index("(most recent call first)")
        < text.index("\nSCHED ")
        < text.index("goroutine 1 [")
    )


def test_sequencer_runs_blocks_in_the_order_of_their_numbers():
    seq, order = Sequencer(), []

    def step(number):
        with seq(number):
            order.append(number)

    for g in [gmprt.go(step, number) for number in (3, 1, 2, 0, 4)]:
        g.result()
    assert order == [0, 1, 2, 3, 4]


def test_sequencer_goes_on_after_a_block_that_raises():
    seq = Sequencer()
    with pytest.raises(ZeroDivisionError), seq(0):
        _ = 1 / 0
    with seq(1):
        pass


def test_sequencer_takes_each_number_once():
    seq = Sequencer()
    with seq(0):
        pass
    with pytest.raises(RuntimeError, match="position 0 is taken"), seq(0):
        pass


def test_sequencer_breaks_when_a_wait_is_interrupted():
    seq = Sequencer()

    def step(number):
        with seq(number):
            raise AssertionError("position 0 was never run")

    first, second = gmprt.go(step, 1), gmprt.go(step, 2)
    wait_all_parked(first, second)
    first.interrupt()
    with pytest.raises(RuntimeError, match="the sequence is broken"):
        second.result()
    assert first.result() is None
    with pytest.raises(RuntimeError, match="the sequence is broken"), seq(3):
        pass


@pytest.mark.parametrize("got", [[1, 2, 3, 4], [1, 3, 2, 4]])
def test_check_sequence_lets_a_set_come_in_any_order(got):
    check_sequence(got, [1, {2, 3}, 4])


@pytest.mark.parametrize(
    "got",
    [[1, 2, 4, 3], [1, 2, 2, 4], [2, 1, 3, 4], [1, 2, 3], [1, 2, 3, 4, 4], []],
    ids=str,
)
def test_check_sequence_finds_another_order_and_what_is_lost_or_doubled(got):
    with pytest.raises(AssertionError):
        check_sequence(got, [1, {2, 3}, 4])


def test_run_prog_runs_source_with_arguments_and_environment(monkeypatch):
    monkeypatch.setenv("GMPRT_LEAKS", "error")
    monkeypatch.setenv("FROM_OUTSIDE", "yes")
    done = run_prog(
        """
        import gmprt, os, sys
        print(gmprt.__file__, *sys.argv[1:])
        print(*map(os.environ.get, ["GMPRT_LEAKS", "FROM_OUTSIDE", "ADDED"]), file=sys.stderr)
        sys.exit(3)
        """,
        "a",
        1,
        env={"ADDED": "1", "FROM_OUTSIDE": None},
    )
    assert done.stdout == f"{ROOT / 'gmprt' / '__init__.py'} a 1\n"
    assert done.stderr == "None None 1\n"
    assert done.text == done.stdout + done.stderr
    assert done.returncode == 3


def test_run_prog_runs_a_file(tmp_path):
    path = tmp_path / "hello.py"
    path.write_text("print('hello from', __file__)")
    assert run_prog(path).stdout == f"hello from {path}\n"


def test_run_prog_shows_where_a_program_hangs():
    with pytest.raises(AssertionError, match=r"(?s)hung for 1 s: .*so far.*prog\.py., line 3 in"):
        run_prog("\nimport time; print('so far', flush=True)\ntime.sleep(600)\n", timeout=1)


def test_start_prog_gives_a_child_to_talk_to():
    with start_prog("-c", "print('up', flush=True); print('down')") as child:
        assert child.stdout.readline() == "up\n"
        done = wait_prog(child)
    assert (done.stdout, done.returncode) == ("down\n", 0)


def pytest_child(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a file of tests under this suite's configuration and conftest."""
    path = folder / "test_child.py"
    path.write_text(textwrap.dedent(test))
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    command += ["-c", str(ROOT / "pyproject.toml"), *options, str(path)]
    env = {key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=40, env=env)


def test_the_watchdog_prints_threads_and_goroutines_and_ends_a_test_that_hangs(tmp_path):
    done = pytest_child(
        tmp_path,
        """
        import gmprt
        def stuck(): gmprt.Chan().recv()
        def test_hangs():
            gmprt.go(stuck)
            gmprt.sleep(600)
        """,
        "--watchdog-seconds=1",
        "--seed=7",
    )
    assert done.returncode == 70, done.stdout + done.stderr
    assert "::test_hangs after 1 s, --seed=7" in done.stderr
    assert "most recent call first" in done.stderr
    assert "[sleep]:" in done.stderr
    assert "[chan receive]:" in done.stderr
    assert "stuck(" in done.stderr


def test_a_goroutine_left_behind_fails_its_test_unless_marked(tmp_path):
    done = pytest_child(
        tmp_path,
        """
        import gmprt, pytest
        def test_leaves_one(): gmprt.go(gmprt.Chan().recv)
        @pytest.mark.goroutine_leaks(off=True)
        def test_may_leave_one(): gmprt.go(gmprt.Chan().recv)
        def test_leaves_none(): gmprt.go(gmprt.sleep, 0.01)
        def test_fails_and_leaves_one():
            gmprt.go(gmprt.Chan().recv)
            assert False
        """,
        "--leak-seconds=1",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 3 passed, 1 error" in done.stdout
    assert "ERROR at teardown of test_leaves_one" in done.stdout
    assert "gmprt: 1 goroutine leaked" in done.stdout
    assert "blocked for" in done.stdout


def test_a_failure_shows_the_seed_and_the_seed_repeats_the_run(tmp_path):
    test = """
        def test_draws(rng, seed): raise AssertionError(f"drew {rng.random()} from {seed}")
        """
    seeds = (7, 7, 8)
    texts = [pytest_child(tmp_path, test, f"--seed={seed}").stdout for seed in seeds]
    drawn = [re.findall(r"drew (0\.\d+)", text)[0] for text in texts]
    assert drawn[0] == drawn[1] != drawn[2]
    for text, seed in zip(texts, seeds, strict=True):
        assert text.count(f"--seed={seed}") == 2  # in the header and beside the failure


def test_procs_sets_the_number_of_ps_and_restores_it(tmp_path):
    done = pytest_child(
        tmp_path,
        """
        import gmprt
        before = gmprt.gomaxprocs(5)
        def test_sets(procs): assert gmprt.gomaxprocs() == procs
        def test_restored(): assert gmprt.gomaxprocs() == 5
        """,
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr
