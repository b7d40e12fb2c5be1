"""`leaks.check`, `leaks.guard`, `leaks.living`, `leaks.by_site`."""

import functools
from unittest.mock import Mock

import pytest

import gmprt
from gmprt import Chan, go, leaks, sleep, stats
from gmprt.sync import WaitGroup
from tests.support import wait_all_parked, wait_until

QUICK = 0.02  # seconds to wait for one that does not end


@pytest.fixture
def leaked(rt):
    """Give a function that leaks a goroutine; those end with the test."""
    gs = []

    def leak(fn=None, *args):
        g = go(fn or Chan().recv, *args)
        wait_all_parked(g)
        gs.append(g)
        return g

    yield leak
    for g in gs:
        g.interrupt()
        g.join()


def test_nothing_is_raised_where_nothing_is_left(procs):
    go(int).join()
    leaks.check()


def test_one_that_is_about_to_end_is_waited_for(procs):
    go(sleep, 0.01)
    leaks.check(within=30)


def test_a_leak_is_named_with_its_site_and_wait(procs, leaked):
    def forgotten(ch):
        ch.recv()

    g = leaked(forgotten, Chan(3))
    with pytest.raises(leaks.LeakError) as failure:
        leaks.check(within=QUICK)
    assert isinstance(failure.value, AssertionError)
    assert failure.value.leaked == [g]
    text = str(failure.value)
    assert text.startswith("gmprt: 1 goroutine leaked\n")
    assert f"goroutine {g.id}" in text
    assert "forgotten" in text
    assert "chan receive on <Chan 0/3" in text
    assert g.created_at in text


def test_many_of_one_leak_are_one_paragraph(procs, leaked):
    gs = [leaked(lambda: Chan().recv()) for _ in range(12)]
    with pytest.raises(leaks.LeakError) as failure:
        leaks.check(within=QUICK)
    assert sorted(g.id for g in failure.value.leaked) == [g.id for g in gs]
    text = str(failure.value)
    assert "12 goroutines (" in text
    assert text.count("blocked for") == 1


def test_daemons_main_and_the_caller_are_no_leak(procs, leaked):
    leaked().daemon = True
    go(leaks.check, within=QUICK).result()
    assert all(g.daemon for g in leaks.living())


def recv_of(ch):
    ch.recv()


IGNORES = {
    "the handle": lambda g: g,
    "a list of handles": lambda g: [g],
    "its function": lambda g: recv_of,
    "its name": lambda g: "recv_*",
    "its site": lambda g: "*test_check.py:*",
    "a function of its stack": lambda g: "*.recv_of",
}


@pytest.mark.parametrize("how", IGNORES)
def test_what_is_to_be_ignored_is(procs, leaked, how):
    g = leaked(recv_of, Chan())
    leaks.check(ignore=IGNORES[how](g), within=QUICK)
    with pytest.raises(leaks.LeakError):
        leaks.check(ignore=["something else", int], within=QUICK)


def test_a_partials_and_a_methods_function_can_be_named(procs, leaked):
    leaked(functools.partial(recv_of, Chan()))
    leaks.check(ignore=recv_of, within=QUICK)
    ch = Chan()
    leaked(ch.recv)
    leaks.check(ignore=[recv_of, ch.recv], within=QUICK)


@pytest.mark.parametrize("wrong", [3, [3], [None], None])
def test_what_cannot_be_ignored_is_a_type_error(rt, wrong):
    with pytest.raises(TypeError):
        leaks.check(ignore=wrong)


def test_a_wrong_time_is_a_value_error(rt):
    with pytest.raises(ValueError, match="nan"):
        leaks.check(within=float("nan"))
    with pytest.raises(ValueError, match="not for ever"):
        leaks.check(within=float("inf"))


def test_a_guard_looks_at_those_born_inside_alone(procs, leaked):
    leaked()
    with leaks.guard(within=QUICK):
        go(int).join()
    with pytest.raises(leaks.LeakError) as failure, leaks.guard(within=QUICK):
        inside = leaked()
    assert failure.value.leaked == [inside]


def test_a_guards_own_exception_goes_on_with_the_leaks_as_a_note(procs, leaked):
    def block():
        with leaks.guard(within=QUICK):
            leaked()
            raise KeyError("mine")

    with pytest.raises(KeyError) as failure:
        block()
    assert any("1 goroutine leaked" in note for note in failure.value.__notes__)


class Rude:
    """Every question is an error."""

    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = object.__hash__


def test_objects_that_answer_nothing_do_not_hide_a_leak(procs, leaked):
    class RudeChan(Chan, Rude):
        __slots__ = ()
        __repr__ = Rude.__repr__
        __hash__ = object.__hash__

    g = leaked(recv_of, RudeChan())
    with pytest.raises(leaks.LeakError) as failure:
        leaks.check(within=QUICK)
    assert failure.value.leaked == [g]
    assert "RudeChan" in str(failure.value)
    assert leaks.stuck() == [g]


class Mute(Rude):
    """Nor does it say of what class it is."""

    __class__ = property(lambda self: 1 // 0)

    def __getattr__(self, name):
        raise RuntimeError("no")

    def __call__(self, *args):
        Chan().recv()


def test_a_function_that_answers_nothing_is_told_of_like_any(procs, leaked):
    gs = [leaked(Mute()), leaked(recv_of_too, Chan(), Mute())]
    for ignore in ((), recv_of, "nothing*"):
        with pytest.raises(leaks.LeakError) as failure:
            leaks.check(ignore=ignore, within=QUICK)
        assert failure.value.leaked == gs
    assert "Mute: blocked for" in str(failure.value)
    assert "Mute.__call__(...)" in gmprt.stack()
    leaks.check(ignore=["Mute", recv_of_too], within=QUICK)


def recv_of_too(ch, other):
    ch.recv()


def test_a_function_that_has_every_attribute_is_a_function_of_its_own(procs, leaked):
    mock = Mock(side_effect=lambda: Chan().recv())
    leaked(mock)
    with pytest.raises(leaks.LeakError):
        leaks.check(ignore=recv_of, within=QUICK)
    leaks.check(ignore=mock, within=QUICK)


def test_a_name_is_text(rt):
    g = go(int)
    g.name = 7
    assert g.name == "7"
    g.join()


# by_site


def rows_here():
    return {row.name: row for row in leaks.by_site() if "test_check.py" in row.site}


def test_sites_count_what_becomes_of_their_goroutines(rt):
    def ends():
        pass

    def fails():
        raise KeyError

    def quits():
        gmprt.goexit()

    def waits(ch):
        ch.recv()

    for _ in range(3):
        go(ends).join()
    for fn in (fails, fails):
        assert isinstance(go(fn).exception(), KeyError)
    go(quits).join()
    ch = Chan()
    gs = [go(waits, ch) for _ in range(4)]
    wait_all_parked(*gs)
    ch.send(None)
    wait_until(lambda: sum(g.done() for g in gs) == 1, "one has ended")
    rows = rows_here()
    prefix = "test_sites_count_what_becomes_of_their_goroutines.<locals>."
    assert rows[prefix + "ends"][2:7] == (3, 3, 0, 0, 1)
    assert rows[prefix + "fails"][2:7] == (2, 2, 2, 0, 1)
    assert rows[prefix + "quits"][2:7] == (1, 1, 0, 0, 1)
    row = rows[prefix + "waits"]
    assert row[2:7] == (4, 1, 0, 3, 4)
    assert row.longest_wait >= 0
    assert leaks.by_site()[0].alive >= 3
    ch.close()
    for g in gs:
        g.join()


def test_sites_of_groups_are_the_callers_lines(rt):
    wg = WaitGroup()

    def member():
        pass

    line = gmprt.go(int)  # its line is two above the call below
    wg.go(member)
    wg.wait()
    line.join()
    row = rows_here()["test_sites_of_groups_are_the_callers_lines.<locals>.member"]
    file, _, number = line.created_at.rpartition(":")
    assert row.site == f"{file}:{int(number) + 1}"


# watch


def test_watch_says_each_thing_once_for_each_site(procs, leaked, caplog):
    said = Chan(100)
    before = stats()["leak_warnings"]
    watch = leaks.watch(
        alive=2, per_site=1, blocked_for=0.01, callback=lambda *args: said.send_nowait(args)
    )
    try:
        gs = [leaked(recv_of, Chan()) for _ in range(3)]
        got = {}
        while set(got) != {"alive", "per_site", "blocked_for"}:
            site, kind, text = said.recv(timeout=30)
            assert (site, kind) not in got
            got[kind] = site
            assert "recv_of" in text
        assert set(got.values()) == {gs[0].created_at}
        assert stats()["leak_warnings"] == before + 3
    finally:
        watch.stop()
    sleep(0.02)
    while len(said):
        said.recv()
    leaked(recv_of, Chan())
    sleep(0.05)
    assert len(said) == 0
    assert {record.name for record in caplog.records} == {"gmprt.leaks"}


def test_a_callback_that_fails_does_not_hide_the_rest(rt, leaked, caplog):
    said = []

    def fails(site, kind, text):
        said.append(kind)
        raise KeyError(kind)

    leaked()
    watch = leaks.watch(alive=0, per_site=0, blocked_for=1000, callback=fails)
    try:
        watch._look_once()
    finally:
        watch.stop()
    assert said == ["alive", "per_site"]
    texts = [record.getMessage() for record in caplog.records]
    assert texts.count("the callback of leaks.watch has failed") == 2


def test_the_one_that_looks_is_a_daemon_before_it_has_begun(rt):
    """Else a program that ends just then is said to leak it."""
    procs = gmprt.gomaxprocs(1)
    watch = leaks.watch(blocked_for=0)
    try:
        while not (born := leaks.living()):
            pass  # keeps the only P: with the GIL it cannot begin
        assert all(g.daemon for g in born)
    finally:
        watch.stop()
        gmprt.gomaxprocs(procs)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"alive": -1}, ValueError),
        ({"per_site": "3"}, TypeError),
        ({"blocked_for": float("nan")}, ValueError),
        ({"callback": 3}, TypeError),
    ],
)
def test_a_wrong_watch_is_an_error(rt, wrong, error):
    with pytest.raises(error):
        leaks.watch(**wrong)
