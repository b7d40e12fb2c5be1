"""What is said of leaked goroutines at exit: grouped, in words, as JSON; and by the plugin."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.support import run_prog
from tests.support.progs import ROOT

LEAKS = """
import sys
import gmprt
from gmprt import Chan, go

held = Chan()

def waits_on(ch):
    ch.recv()

for _ in range(1000):
    go(waits_on, Chan())
go(waits_on, held)
while gmprt.stats()["goroutines"]["waiting"] < 1001:
    gmprt.sleep(0.01)
"""

ENDINGS = {
    "return": ("", 0),
    "exit 0": ("sys.exit()", 0),
    "exit 3": ("sys.exit(3)", 3),
    "exception": ("raise KeyError('mine')", 1),
    "SIGINT": ("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\ngmprt.sleep(30)", -2),
    "SIGTERM": ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\ngmprt.sleep(30)", -15),
    "SIGTERM with a handler": (
        "import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "os.kill(os.getpid(), signal.SIGTERM)\ngmprt.sleep(30)",
        7,
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_thousand_of_one_leak_are_one_paragraph_however_the_program_ends(ending):
    source, status = ENDINGS[ending]
    done = run_prog(LEAKS + source)
    assert done.returncode == status, done
    text = done.stderr[done.stderr.index("gmprt: 1001 goroutines leaked") :]
    assert text.count("created by") == 2
    assert "1000 goroutines (" in text
    assert "nobody else refers to it, so it can never go on" in text


TERMINATED = {
    "main computes": "while True: pass",
    "main waits": "gmprt.Chan().recv()",
    "main is in a call": "gmprt.syscall(time.sleep, 100)",
    "main is in a call in place": "with gmprt.blocking(): time.sleep(100)",
    "main waits for a goroutine that computes": """go(spin).join()""",
    "all compute": "[go(spin) for _ in range(2)]; spin()",
    "it was ignored before": (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "assert signal.signal(signal.SIGTERM, signal.SIG_DFL) == signal.SIG_IGN\n"
        "gmprt.sleep(100)"
    ),
    "it was watched before": (
        "with gmprt.context.signal_context(signal.SIGTERM): pass\ngmprt.sleep(100)"
    ),
}


@pytest.mark.parametrize("where", TERMINATED)
def test_sigterm_ends_the_program_after_the_dump_wherever_main_is(where):
    source = f"""
import os, signal, time, threading
import gmprt
from gmprt import Chan, go, leaks  # imported now: where all compute that may take seconds

def spin():
    while True: pass

def ends_it():
    time.sleep(0.1)  # main is there by then, or it is killed on the way
    os.kill(os.getpid(), signal.SIGTERM)

g = go(lambda: Chan().recv())
while g.state != "waiting":
    gmprt.gosched()
assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
threading.Thread(target=ends_it, daemon=True).start()
{TERMINATED[where]}
"""
    done = run_prog(source, env={"GMPRT_LEAKS": "error", "GMPRT_MAXPROCS": "3"})
    assert done.returncode == -signal.SIGTERM, done
    assert done.stderr.startswith("gmprt: "), done
    assert "goroutine 2, <lambda>: blocked for" in done.stderr


def test_sigterm_at_the_very_end_neither_cuts_nor_doubles_the_dump(times):
    source = """
    import os, signal
    from gmprt import Chan, go, gosched
    g = go(Chan().recv)
    while g.state != "waiting":
        gosched()
    os.kill(os.getpid(), signal.SIGTERM)
    """
    for _ in range(times):
        done = run_prog(source)
        assert done.returncode == -signal.SIGTERM, done
        assert done.stderr.count("gmprt: 1 goroutine leaked") == 1, done
        assert done.stderr.count("longest wait") == 1, done


@pytest.mark.parametrize(
    ("leak", "leaks"), [("", "error"), ("go(Chan().recv)", "off")], ids=["clean", "off"]
)
def test_sigterm_says_nothing_where_there_is_nothing_to_say(leak, leaks):
    source = f"import os\nfrom gmprt import *\n{leak}\nsleep(0.01)\nos.kill(os.getpid(), 15)\n"
    done = run_prog(source, env={"GMPRT_LEAKS": leaks})
    assert (done.returncode, done.text) == (-signal.SIGTERM, "")


def test_a_second_sigterm_waits_for_nothing():
    source = """
    import os, signal
    from gmprt import Chan, go, gosched

    class Slow(Chan):
        def __repr__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            while True: pass

    g = go(Slow().recv)
    while g.state != "waiting":
        gosched()
    os.kill(os.getpid(), signal.SIGTERM)
    while True: pass
    """
    done = run_prog(source)
    assert (done.returncode, done.text) == (-signal.SIGTERM, "")


FORKED = """
import os, signal, warnings
import gmprt
warnings.simplefilter("ignore")
end = lambda: os.kill(os.getpid(), signal.SIGTERM)
{hook}
g = gmprt.go(gmprt.Chan().recv)
child = os.fork()
if not child:
    {child}
    while True: pass
assert os.waitpid(child, 0)[1] == signal.SIGTERM
assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
g.daemon = True
"""

USES_IT = """gmprt.go(gmprt.Chan().recv)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    end()"""


@pytest.mark.parametrize(
    ("hook", "child"),
    [
        ("", "end()"),
        ("", USES_IT),
        # It runs before the hook of gmprt's, which lets the signal come.
        ("os.register_at_fork(after_in_child=end)", ""),
    ],
    ids=["at_once", "where_it_uses_gmprt", "in_the_moment_of_the_fork"],
)
def test_the_child_of_a_fork_is_ended_by_sigterm(hook, child):
    """Without a dump: it is its parent that ends it, as a pool does."""
    done = run_prog(FORKED.format(hook=hook, child=child))
    assert (done.returncode, done.text) == (0, "")


def test_a_table_of_the_sites_ends_the_dump():
    text = run_prog(LEAKS).stderr
    head, *rows = text[text.rindex("\n\nsite ") :].strip().splitlines()
    assert head.split()[:7] == ["site", "name", "spawned", "finished", "failed", "alive", "peak"]
    assert [row.split()[1:7] for row in rows] == [
        ["waits_on", "1000", "0", "0", "1000", "1000"],
        ["waits_on", "1", "0", "0", "1", "1"],
    ]


def test_error_gives_66_and_off_says_nothing():
    assert run_prog(LEAKS, env={"GMPRT_LEAKS": "error"}).returncode == 66
    assert run_prog(LEAKS + "sys.exit(3)", env={"GMPRT_LEAKS": "error"}).returncode == 3
    done = run_prog(LEAKS, env={"GMPRT_LEAKS": "off"})
    assert (done.returncode, done.stderr) == (0, "")


def test_the_file_has_the_same_as_json(tmp_path):
    file = tmp_path / "leaks.json"
    run_prog(LEAKS, env={"GMPRT_LEAKS_FILE": str(file)})
    report = json.loads(file.read_text())
    assert report["leaked"] == 1001
    many, one = report["groups"]
    assert (many["count"], many["stuck"], len(many["goroutines"])) == (1000, True, 1000)
    assert (one["count"], one["stuck"]) == (1, False)
    for group in (many, one):
        assert group["name"] == "waits_on"
        assert group["wait_reason"] == "chan receive"
        assert group["state"] == "waiting"
        assert group["waiting_on"].startswith("<Chan 0/0")
        assert group["blocked_for"] > 0
        assert group["parent"] == 1
        assert any("waits_on" in place for place in group["stack"])


def test_a_clean_program_prints_nothing_and_its_file_says_so(tmp_path):
    file = tmp_path / "leaks.json"
    source = "import gmprt\ngmprt.go(int).join()\n"
    done = run_prog(source, env={"GMPRT_LEAKS_FILE": str(file)})
    assert (done.returncode, done.text) == (0, "")
    assert json.loads(file.read_text()) == {"leaked": 0, "groups": []}


def test_a_file_that_cannot_be_written_is_said():
    done = run_prog(LEAKS, env={"GMPRT_LEAKS_FILE": "/nowhere/leaks.json"})
    assert done.returncode == 0
    assert "gmprt: GMPRT_LEAKS_FILE: " in done.stderr


NO_STDERR = {
    "none": "sys.stderr = None",
    "closed": "sys.stderr.close()",
    "full": "sys.stderr = open('/dev/full', 'w')",
    "broken": "sys.stderr = object()",
}


@pytest.mark.parametrize("how", NO_STDERR)
def test_where_nothing_can_be_written_the_file_and_the_status_still_come(how, tmp_path):
    file = tmp_path / "leaks.json"
    env = {"GMPRT_LEAKS": "error", "GMPRT_LEAKS_FILE": str(file)}
    done = run_prog(LEAKS + NO_STDERR[how], env=env)
    assert (done.returncode, done.text) == (66, "")
    assert json.loads(file.read_text())["leaked"] == 1001


def test_a_wrong_setting_is_said_where_that_can_be():
    done = run_prog(LEAKS, env={"GMPRT_LEAKS": "nonsense"})
    assert (done.returncode, done.stdout) == (0, "")
    assert "gmprt: GMPRT_LEAKS must be off, warn or error, not 'nonsense'" in done.stderr
    assert "gmprt: 1001 goroutines leaked" in done.stderr
    done = run_prog(LEAKS + NO_STDERR["none"], env={"GMPRT_LEAKS": "nonsense"})
    assert (done.returncode, done.text) == (0, "")


def test_the_programs_broken_objects_do_not_hide_the_dump():
    done = run_prog(
        """
        import sys
        import gmprt
        from gmprt import Chan, go

        class Broken:
            __class__ = property(lambda self: 1 // 0)
            def __repr__(self): raise SystemExit("repr")
            def __eq__(self, other): raise ValueError
            __hash__ = None
            def __getattr__(self, name): raise ValueError
            def __call__(self): Chan().recv()

        class Lazy(Broken):  # as some packages have
            pass

        def waits(ch, other):
            local = Broken()
            ch.recv()

        class OwnChan(Chan):
            def __repr__(self): raise SystemExit("repr")

        sys.modules["lazy"] = Lazy()
        gs = [go(waits, OwnChan(), Broken()), go(Broken())]
        namespace = {"__name__": Broken(), "Chan": Chan}
        exec("def nameless(): Chan().recv()", namespace)
        gs.append(go(namespace["nameless"]))
        while any(g.state != "waiting" for g in gs):
            gmprt.gosched()
        """,
        env={"GMPRT_LEAKS": "error"},
    )
    assert done.returncode == 66, done
    assert "gmprt: 3 goroutines leaked" in done.stderr
    assert "on <__main__.OwnChan object at 0x" in done.stderr
    assert "\n?.nameless(...)\n" in done.stderr
    assert "Traceback" not in done.stderr


TESTS = """
import pytest
from gmprt import Chan, go, sleep

@pytest.fixture(scope="module")
def server():
    g = go(Chan().recv)
    yield g
    g.interrupt()
    g.join()

@pytest.fixture
def helper():
    go(Chan().recv)

def test_clean(): go(sleep, 0.01)
def test_leaks(): go(Chan().recv)
def test_uses_a_server(server): pass
def test_its_fixture_leaks(helper): pass
@pytest.mark.goroutine_leaks(ignore="*Chan.recv", within=0.01)
def test_may(): go(Chan().recv)
@pytest.mark.goroutine_leaks(off=True)
def test_is_not_looked_at(): go(Chan().recv)
def test_fails():
    go(Chan().recv)
    assert False
"""


MARKED = """
import pytest
from gmprt import Chan, go

pytestmark = pytest.mark.goroutine_leaks(off=True, ignore="nothing", within=30)

def test_is_not_looked_at(): go(Chan().recv)
@pytest.mark.goroutine_leaks(off=False, within=0)
def test_leaks(): go(Chan().recv)
@pytest.mark.goroutine_leaks("*Chan.recv", off=False, within=0)
def test_may(): go(Chan().recv)
@pytest.mark.goroutine_leaks(ignored="*Chan.recv")
def test_wrong_word(): pass
@pytest.mark.goroutine_leaks(within=float("inf"))
def test_wrong_time(): pass
@pytest.mark.goroutine_leaks(ignore=3)
def test_wrong_ignore(): pass
"""


def run_pytest(folder, *options, tests=TESTS):
    path = folder / "test_it.py"
    path.write_text(tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "gmprt.pytest_plugin",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [*command, *options, str(path)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
    )


def test_the_plugin_fails_tests_that_leak(tmp_path):
    done = run_pytest(tmp_path, "--goroutine-leaks=error")
    assert "1 failed, 6 passed, 2 errors" in done.stdout, done.stdout
    assert "ERROR at teardown of test_leaks" in done.stdout
    assert "ERROR at teardown of test_its_fixture_leaks" in done.stdout
    assert "gmprt: 1 goroutine leaked" in done.stdout
    assert "blocked for" in done.stdout


def test_the_plugin_warns_unless_told_otherwise(tmp_path):
    done = run_pytest(tmp_path)
    assert "1 failed, 6 passed, 2 warnings" in done.stdout, done.stdout
    assert "GoroutineLeakWarning: test_it.py::test_leaks" in done.stdout
    done = run_pytest(tmp_path, "--goroutine-leaks=off")
    assert "1 failed, 6 passed in" in done.stdout, done.stdout


def test_the_nearest_marker_counts_and_a_wrong_one_is_refused(tmp_path):
    done = run_pytest(tmp_path, "--goroutine-leaks=error", tests=MARKED)
    assert "3 passed, 4 errors" in done.stdout, done.stdout
    assert "ERROR at teardown of test_leaks" in done.stdout
    for name in ("word", "time", "ignore"):
        assert f"ERROR at setup of test_wrong_{name}" in done.stdout
    assert "unexpected keyword argument 'ignored'" in done.stdout
    assert "within: a number of seconds, not for ever" in done.stdout
