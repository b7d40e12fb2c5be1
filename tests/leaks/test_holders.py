"""What reports say beyond the wait: where a channel was made, rings, the fate of contexts."""

import sys

import pytest

import gmprt
from gmprt import Chan, DeadlockError, current, go, leaks
from gmprt._runtime import G
from gmprt.context import background, with_cancel, with_timeout, with_value
from gmprt.leaks import frames
from gmprt.leaks.holders import explained
from gmprt.leaks.report import made_at
from gmprt.sync import Mutex, RWMutex
from tests.conformance.parking import parked, reap
from tests.support import GIL, wait_until

HERE = sys._getframe().f_code.co_filename


def line_here() -> int:
    return sys._getframe(1).f_lineno


# Where it was made


class Own(Chan[int]):
    pass


@pytest.mark.parametrize("make", [Chan, Chan[int], Own], ids=["plain", "typed", "own class"])
def test_a_channel_knows_where_it_was_made(make):
    ch, line = make(), line_here()
    assert made_at(ch) == f"{HERE}:{line}"


@pytest.mark.parametrize(
    "thing",
    [with_cancel(background()).ctx.done(), gmprt.Timer(1000).c, Mutex(), None],
    ids=["done", "timer", "mutex", "none"],
)
def test_of_what_the_runtime_has_made_nothing_is_said(thing):
    assert made_at(thing) == ""


# Rings


def ring_of(wait) -> list[str]:
    """Let main wait for ever: the lines of the ring in the error, main's first."""
    with pytest.raises(DeadlockError) as caught:
        wait()
    lines = str(caught.value).splitlines()
    assert lines[0] == "all goroutines are asleep - deadlock!"
    if lines[1] != "who waits for whom, in a ring:":
        assert lines[1] == ""
        return []
    ring = lines[2 : lines.index("")]
    assert lines[len(ring) + 3].startswith("goroutine 1 [")
    return [line.strip() for line in ring]


def test_a_mutex_locked_twice_is_held_by_the_one_who_waits(procs):
    m = Mutex()

    def twice():
        with m, m:
            pass

    [line] = ring_of(twice)
    assert line.startswith("goroutine 1 (main) in sync.Mutex.Lock on <Mutex locked, 1 waiting>")
    assert line.endswith(", held by itself")


def test_a_frame_is_read_again_when_another_thread_has_run_meanwhile(rt, monkeypatch):
    """As it does on a busy machine."""
    read = frames.things_held_by
    calls = []

    def disturbed_at_first(frame):
        calls.append(frame)
        if len(calls) == 1:
            raise frames.Disturbed
        return read(frame)

    monkeypatch.setattr(frames, "things_held_by", disturbed_at_first)
    m = Mutex()

    def twice():
        with m, m:
            pass

    [line] = ring_of(twice)
    assert line.endswith(", held by itself")


@pytest.mark.skipif(not GIL, reason="only those on main's own thread are looked into")
def test_two_locks_in_opposite_order(procs):
    a, b, met = Mutex(), RWMutex(), Chan()

    def other():
        with a:
            met.send(None)
            with b:
                pass

    def main():
        with b:
            met.recv()
            with a:
                pass

    g = go(other)
    first, second = ring_of(main)
    assert first.startswith("goroutine 1 (main) in sync.Mutex.Lock on <Mutex locked, 1 waiting>, ")
    assert first.endswith(f"held by goroutine {g.id} ({g.name})")
    assert second.startswith(f"goroutine {g.id} ({g.name}) in sync.RWMutex.Lock on <RWMutex")
    assert second.endswith("held by goroutine 1 (main)")
    assert g.join(30)


@pytest.mark.skipif(not GIL, reason="only those on main's own thread are looked into")
def test_two_channels(procs):
    asked, line = Chan(), line_here()
    answered = Chan()

    def other():
        asked.recv()
        answered.send(1)

    g = go(other)
    first, second = ring_of(answered.recv)
    assert first.endswith(f"made at {HERE}:{line + 1}, which goroutine {g.id} ({g.name}) refers to")
    assert second.endswith(f"made at {HERE}:{line}, which goroutine 1 (main) refers to")
    reap(g)


@pytest.mark.skipif(not GIL, reason="only those on main's own thread are looked into")
def test_a_join_is_part_of_a_ring(procs):
    done = Chan()
    g = go(done.recv)

    def main():
        g.join()
        done.send(1)

    first, second = ring_of(main)
    assert first == f"goroutine 1 (main) in join of goroutine {g.id} ({g.name})"
    assert "chan receive" in second
    reap(g)


def test_without_a_ring_none_is_told(procs):
    assert ring_of(Chan().recv) == []
    g = parked(lambda: Chan().recv())
    assert ring_of(g.join) == []
    reap(g)


def test_broken_objects_do_no_harm(procs):
    class Broken:
        def __repr__(self):
            raise ValueError

        __class__ = property(lambda self: 1 / 0)
        __hash__ = None

    held = [Broken()]

    def main(broken):
        Chan().recv()

    g = parked(lambda: (Chan().recv(), held))
    assert ring_of(lambda: main(held)) == []
    reap(g)


# Contexts


def told_of(g) -> str:
    """What the report says of one goroutine."""
    with pytest.raises(leaks.LeakError) as caught:
        leaks.check(ignore=[other for other in leaks.living() if other is not g], within=0)
    reap(g)
    return str(caught.value)


def waits(ctx):
    Chan().recv()


def test_one_that_goes_on_after_its_context_has_ended(procs):
    ctx, cancel = with_cancel(background())
    for body in (lambda: waits(with_value(ctx, "key", 1)), lambda: waits(ctx)):
        g = parked(body)
        cancel()
        assert "its <context background.with_cancel> has ended (Canceled(" in told_of(g)
    timed = with_timeout(background(), 0).ctx
    assert "has ended (DeadlineExceeded(" in told_of(parked(waits, timed))


def test_one_that_has_not_started_under_a_context_that_has_ended():
    ctx, cancel = with_cancel(background())
    cancel()
    gp = G()  # one that `go` has made is started any time
    gp.id, gp.stack, gp.parent, gp.joinq = 1_000_000, None, 1, []
    gp.code, gp.lasti = sys._getframe().f_code, -1
    gp.fn, gp.args, gp.kwargs = waits, (ctx,), None
    [group] = explained([gp])
    assert "has ended (Canceled(" in group.note


def test_one_whose_contexts_cancel_is_gone(procs):
    text = "its <context background.with_cancel> was never cancelled: that function is gone"
    for body in (waits, lambda ctx: Chan().recv(ctx=ctx), lambda ctx: ctx.done().recv()):
        g = parked(body, with_cancel(background()).ctx)
        said = told_of(g)  # by itself: an `assert` keeps its parts, the scope among them
        assert text in said


def test_of_a_context_that_can_still_end_nothing_is_said(procs):
    scope = with_cancel(background())
    for ctx in (scope.ctx, background(), with_value(scope.ctx, "key", 1)):
        text = told_of(parked(waits, ctx))
        assert "context" not in text.split("\n\n")[1]
    with with_timeout(background(), 1000) as ctx:
        assert "never cancelled" not in told_of(parked(waits, ctx))
    assert current() is not None


def test_the_watch_says_so_too(procs):
    said = []
    g = parked(waits, with_cancel(background()).ctx)
    watch = leaks.watch(blocked_for=0.04, callback=lambda site, kind, text: said.append(text))
    try:
        wait_until(lambda: said, "the watch has looked", 60)
    finally:
        watch.stop()
    assert any("was never cancelled" in text for text in said)
    reap(g)
