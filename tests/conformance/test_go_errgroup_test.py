"""golang.org/x/sync's errgroup/errgroup_test.go in Python: TestZeroGroup, TestWithContext,
TestTryGo, TestGoLimit, TestCancelCause and ExampleGroup_parallel.

An error that a Go function returns is here an exception that it raises.
"""

from itertools import count

import pytest

from gmprt import Canceled, Chan, go, gosched, on_recv, select
from gmprt.context import background, cause
from gmprt.errgroup import Group, with_context
from tests.conformance.parking import LONG, Boom, join_all

ONE, TWO = Boom("errgroup_test: 1"), Boom("errgroup_test: 2")


def give(err):
    if err is not None:
        raise err


def wait_for(g):
    """Wait for the group and give its error, or None."""
    try:
        assert g.wait() is None
    except Boom as err:
        return err
    return None


# TestZeroGroup


@pytest.mark.parametrize("errs", [[], [None], [ONE], [ONE, None], [ONE, None, TWO]])
def test_the_first_error_stays(procs, errs):
    """Also where the group is used again after a wait."""
    g, first = Group(), None
    for err in errs:
        g.go(give, err)
        first = first or err
        assert wait_for(g) is first
    assert wait_for(g) is first


# TestWithContext


@pytest.mark.parametrize("errs", [[], [None], [ONE], [ONE, None]])
def test_the_context_is_done_after_wait(procs, errs):
    g, ctx = with_context(background())
    for err in errs:
        g.go(give, err)
    assert wait_for(g) is (errs[0] if errs else None)
    assert select(on_recv(ctx.done()), default=True).index == 0
    assert type(ctx.err()) is Canceled


# TestTryGo


def test_try_go(procs):
    g, n, ch = Group(), 42, Chan()
    g.set_limit(n)
    for _ in range(n):
        assert g.try_go(ch.send, None) is not None
    assert g.try_go(ch.send, None) is None
    taker = go(lambda: [ch.recv() for _ in range(n)])
    g.wait()
    assert taker.join(LONG)

    assert g.try_go(ch.send, None) is not None
    ch.recv(LONG)
    g.wait()

    g.set_limit(1)
    assert g.try_go(ch.send, None) is not None
    assert g.try_go(ch.send, None) is None
    ch.recv(LONG)
    g.wait()

    g.set_limit(0)
    assert [g.try_go(ch.send, None) for _ in range(1 << 10)] == [None] * (1 << 10)
    g.wait()


# TestGoLimit


def test_no_more_run_than_the_limit_allows(procs):
    limit, g = 10, Group()
    g.set_limit(limit)
    slots = Chan(limit)  # one value for each that runs: no room means one too many

    def body():
        slots.send_nowait(None)
        gosched()
        slots.recv_nowait()

    for _ in range((1 << 10) + 1):
        g.go(body)
    g.wait()


# TestCancelCause


@pytest.mark.parametrize("errs", [[], [None], [ONE], [ONE, None]])
def test_the_cause_is_the_first_error(procs, errs):
    g, ctx = with_context(background())
    for err in errs:
        g.try_go(give, err)
    first = errs[0] if errs else None
    assert wait_for(g) is first
    assert cause(ctx) is (first or ctx.err())


# ExampleGroup_parallel


def test_the_results_of_a_parallel_search(procs):
    def search(kind, ctx, query):
        ctx.raise_if_done()
        return f"{kind} result for {query!r}"

    def search_all(query):
        g, ctx = with_context(background())
        gs = [g.go(search, kind, ctx, query) for kind in ("web", "image", "video")]
        g.wait()
        return join_all(*gs)

    numbers = count()
    for _ in range(10):
        query = f"gmprt {next(numbers)}"
        assert search_all(query) == [f"{k} result for {query!r}" for k in ("web", "image", "video")]
