"""Trees of contexts against a model (Hypothesis state machine): gmprt's own of every kind, and two
classes of the user's in between.

The model is a tree of nodes, of which each knows whose end is its own. What is handed out is
dropped now and then: a node that nobody holds still ends with its parent and hands its end on, and
one that nobody can reach any more is garbage.
"""

import gc
import weakref

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gmprt import Canceled, Chan, DeadlineExceeded, GoroutineExit, go, stats
from gmprt._runtime import now
from gmprt.context import (
    after_func,
    background,
    cause,
    todo,
    with_cancel,
    with_cancel_cause,
    with_deadline,
    with_timeout,
    with_value,
    without_cancel,
)
from tests.support import wait_all_parked, wait_until

LONG = 5.0  # not more: after a failure each of many shorter examples may take as long
AGES = [1000.0, 2000.0, 3000.0]
NODES = 16


class Key:
    """A key that equals others of its kind."""

    def __eq__(self, other):
        return isinstance(other, Key)

    def __hash__(self):
        return 1


class Why(Exception):
    """A cause."""


class Gone(Canceled):
    """The error of a context of the user's."""


class Wrap:
    """A context of the user's that is another one; `shy`: it knows the program's keys alone."""

    def __init__(self, up, shy):
        self.up, self.shy = up, shy

    def done(self):
        return self.up.done()

    def err(self):
        return self.up.err()

    def deadline(self):
        return self.up.deadline()

    def value(self, key, default=None):
        if self.shy and not isinstance(key, (int, str, Key)):
            raise KeyError(key)
        return self.up.value(key, default)


class Own(Wrap):
    """One that ends by itself alone."""

    def __init__(self, up, shy):
        super().__init__(up, shy)
        self.ended, self.error = Chan(), None

    def done(self):
        return self.ended

    def err(self):
        return self.error

    def cancel(self, error):
        self.error = error
        self.ended.close()


class Node:
    """A context in the model. Kinds: background, cancel, value, without, own, wrap."""

    def __init__(self, kind, up, *, limit=None, timed=False, key=None, held=None, shy=False):
        self.kind, self.up, self.shy = kind, up, shy
        self.key, self.held = key, held
        self.timed = timed  # has a deadline of its own, not its parent's
        self.error = self.why = None  # of those that end by themselves: cancel, own
        self.limit = limit
        if not timed and up and kind != "without":
            self.limit = up.limit

    def root(self):
        """Whose end is its own, if anybody's."""
        if self.kind in ("cancel", "own"):
            return self
        return self.up.root() if self.kind in ("value", "wrap") else None

    def err(self):
        root = self.root()
        return root and root.error

    def nearest(self):
        """Which context that can be cancelled it finds by asking for values."""
        if self.kind == "cancel" or self.up is None or self.kind == "without" or self.shy:
            return self if self.kind == "cancel" else None
        return self.up.nearest()

    def attached(self):
        """Where what waits for its end is kept: by a node, or by a channel, written (node,)."""
        root = self.root()
        return root if root is self.nearest() else root and (root,)

    def cause(self):
        """What was said at the end of the nearest, else its own error."""
        nearest = self.nearest()
        return self.err() and ((nearest and nearest.why) or self.err())

    def value(self, key, default):
        if self.kind == "value" and self.key == key:
            return self.held
        return self.up.value(key, default) if self.up else default


class Model:
    """A tree, by its nodes in the order of their making; functions and goroutines that wait."""

    def __init__(self):
        self.nodes = [Node("background", None)]
        self.waiting = []  # [node, what waits], until the end or until taken out
        self.ended = []  # what waited, after the end of its node

    def add(self, node):
        self.nodes.append(node)
        if node.kind == "cancel" and node.up.err():
            self.end(node, node.up.err(), node.up.cause())
        return node

    def wait(self, node, who):
        (self.ended if node.err() else self.waiting).append((node, who))

    def end(self, node, error, why):
        if node.error:
            return
        node.error, node.why = error, None if why is error else why
        for child in self.nodes:
            if child.kind == "cancel" and child.up.root() is node:
                self.end(child, child.up.err(), child.up.cause())
        self.ended += [pair for pair in self.waiting if pair[0].root() is node]
        self.waiting = [pair for pair in self.waiting if pair[0].root() is not node]

    def registered(self, node):
        """Count what ends with `node` and has not ended."""
        kids = [c for c in self.nodes if c.kind == "cancel" and c.up.root() is node]
        waits = [pair for pair in self.waiting if pair[0].root() is node]
        return sum(not c.error for c in kids) + len(waits)

    def reachable(self, held):
        """What is alive while these are held: nodes, and (node,) for a node's channel."""
        found, ways = set(), list(held)
        while ways:
            it = ways.pop()
            if it is None or it in found:
                continue
            found.add(it)
            if isinstance(it, Node):
                ways += [it.up, (it,)]
            ways += [
                node
                for node in self.nodes
                if node.kind == "cancel" and not node.error and node.up.attached() == it
            ]
        return found


class AfterFunc:
    """An `after_func`: its number, and how to stop it."""

    def __init__(self, number, node):
        self.number, self.node, self.stop = number, node, None


class Waiter:
    """A goroutine that waits under a context."""

    def __init__(self, g):
        self.g = g


def recv_under(ctx):
    """Wait under a context; the error, or None if interrupted."""
    try:
        Chan().recv(ctx=ctx)
    except GoroutineExit:
        return None
    except Exception as e:
        return e.with_traceback(None)


WHICH = st.integers(0, 1000)
CAUSES = [None, None, Why("1"), Why("2")]


class Forest(RuleBasedStateMachine):
    """How contexts are made, here and in the model."""

    def _choose(self, which, wanted=lambda node: node.ctx):
        """One of the nodes that are held, and are as wanted; the younger the likelier."""
        nodes = [node for node in self.model.nodes if wanted(node)]
        return nodes[-1 - which % min(len(nodes), 1 + which % NODES)] if nodes else None

    def _add(self, ctx, cancel, *args, **kwargs):
        node = Node(*args, **kwargs)
        node.ctx, node.cancel, node.ref = ctx, cancel, weakref.ref(ctx)
        return self.model.add(node)

    def _with_cancel(self, up, kind):
        ways = {
            "cancel": with_cancel,
            "cause": with_cancel_cause,
            "None": lambda p: with_timeout(p, None, Why("never")),
            "inf": lambda p: with_deadline(p, float("inf"), Why("never")),
        }
        node = self._add(*ways[kind](up.ctx), "cancel", up)
        node.takes_cause = kind == "cause"

    def _with_limit(self, up, at, seconds, why):
        """A deadline far away, or over; `at` a time, else in so many seconds."""
        earliest = now() + (seconds if at else max(0, seconds))
        if at:
            scope = with_deadline(up.ctx, earliest, why)
            latest = earliest
        else:
            scope = with_timeout(up.ctx, seconds, why)
            latest = now() + max(0, seconds)
        timed = up.limit is None or up.limit > latest
        limit = scope.ctx.deadline()
        assert earliest <= limit <= latest if timed else limit == up.limit
        node = self._add(*scope, "cancel", up, timed=timed, limit=limit)
        node.takes_cause = False
        if timed and seconds <= 0:
            self.model.end(node, DeadlineExceeded(), why)

    def _with_value(self, up, key, held):
        self._add(with_value(up.ctx, key, held), None, "value", up, key=key, held=held)

    def _without_cancel(self, up):
        self._add(without_cancel(up.ctx), None, "without", up)

    def _class_of_the_users(self, up, kind, shy):
        ctx = kind(up.ctx, shy)
        cancel = ctx.cancel if kind is Own else None
        self._add(ctx, cancel, kind.__name__.lower(), up, shy=shy)


F = Forest
KINDS = [
    *[(F._with_cancel, kind) for kind in ("cancel", "cause", "cause", "cause", "None", "inf")],
    *[(F._with_limit, at, s, why) for at in (0, 1) for s in (*AGES, -1) for why in CAUSES[1:3]],
    (F._with_limit, False, 0, CAUSES[-1]),
    *[(F._with_value, key, held) for key in (1, True, "a", Key()) for held in (None, 0, "x")],
    *[(F._without_cancel,)] * 3,
    *[(F._class_of_the_users, kind, shy) for kind in (Own, Own, Wrap) for shy in (False, True)],
]
BRANCHES = st.lists(st.tuples(WHICH, st.sampled_from(KINDS)), min_size=1, max_size=6)
# What has causes and what must hand them on, one under the other.
LINKS = [
    (F._with_cancel, "cause"),
    (F._class_of_the_users, Own, False),
    (F._class_of_the_users, Wrap, True),
]
CHAIN = st.lists(st.sampled_from(LINKS), max_size=5)


def kept(node):
    """Count what a context has to tell of its end."""
    children = node.ctx.children if node.kind == "cancel" else ()
    return len(children) + len(node.ctx.done().hooks or ())


class ContextMachine(Forest):
    @initialize(use_todo=st.booleans(), chain=CHAIN, branches=BRANCHES)
    def make(self, use_todo, chain, branches):
        self.model = Model()
        top = self.model.nodes[0]
        top.ctx, top.cancel, top.ref = todo() if use_todo else background(), None, None
        self.timers, self.finished = stats()["timers"], stats()["finished"]
        self.started = []  # numbers of after_funcs
        self.after_funcs = []
        self.dropped = False  # something, since the last collection, which takes its time
        self.grow([*[(0, kind) for kind in chain], *branches])

    @rule(branches=BRANCHES)
    def grow(self, branches):
        for which, (way, *args) in branches:
            up = self._choose(which)
            if up and len(self.model.nodes) < NODES:
                way(self, up, *args)

    # The rules that end them

    @rule(chosen=st.lists(st.tuples(WHICH, st.sampled_from(CAUSES)), min_size=1, max_size=3))
    def cancel(self, chosen):
        for which, why in chosen:
            nodes = [node for node in self.model.nodes if node.cancel and not node.error]
            if nodes:
                self._cancel(nodes[which % len(nodes)], why)
                self._settle()  # what waits asks for the cause when it wakes

    @rule(which=WHICH, why=st.sampled_from(CAUSES))
    def cancel_again(self, which, why):
        nodes = [node for node in self.model.nodes if node.cancel and node.error]
        if nodes and nodes[which % len(nodes)].kind != "own":
            self._cancel(nodes[which % len(nodes)], why)

    def _cancel(self, node, why):
        if node.kind == "own":
            error = Gone("for good") if why else Canceled()
            self.model.end(node, error, None)
            node.cancel(error)
        elif node.takes_cause:
            node.cancel(why)
            self.model.end(node, Canceled(), why)
        else:
            node.cancel()
            self.model.end(node, Canceled(), None)

    @rule(which=WHICH)
    def drop(self, which):
        """Let go of a context; of its `cancel` too, but for one with a timer, which holds it."""
        node = self._choose(which, lambda node: node.ctx and node.up)
        if node:
            self.dropped = True
            node.ctx = None
            if not node.timed:
                node.cancel = None

    # The rules of what waits for the end

    @rule(which=st.lists(WHICH, min_size=1, max_size=4), function=st.booleans())
    def wait(self, which, function):
        for node in map(self._choose, which):
            if function:
                f = AfterFunc(len(self.after_funcs), node)
                f.stop = after_func(node.ctx, self.started.append, f.number)
                self.after_funcs.append(f)
                self.model.wait(node, f)
            else:
                self.model.wait(node, Waiter(go(recv_under, node.ctx)))

    @rule(which=WHICH, function=st.booleans())
    def wait_no_more(self, which, function):
        """Stop a function, which may have started; interrupt a goroutine."""
        model = self.model
        if function and self.after_funcs:
            f = self.after_funcs[which % len(self.after_funcs)]
            waits = [pair for pair in model.waiting if pair[1] is f]
            assert f.stop() is bool(waits)
            model.waiting = [pair for pair in model.waiting if pair[1] is not f]
        waiters = [pair for pair in model.waiting if isinstance(pair[1], Waiter)]
        if waiters and not function:
            pair = waiters[which % len(waiters)]
            pair[1].g.interrupt()
            assert pair[1].g.result(LONG) is None
            self.finished += 1
            model.waiting.remove(pair)

    # What must be so after each

    @invariant()
    def agree(self):
        if hasattr(self, "model"):
            self._settle()
            for node in self.model.nodes:
                if node.ctx:
                    self._compare(node)
            self._nobody_keeps_what_has_ended()

    def _settle(self):
        """The functions of those that have ended have started, no others; and so with waits."""
        model = self.model
        for node, who in model.ended:
            if isinstance(who, Waiter):
                error = who.g.result(LONG)
                self.finished += 1
                assert_same(error, node.err())
                why = node.cause()
                assert error.__cause__ is (None if why is node.err() else why)
        waiters = [who.g for _, who in model.waiting if isinstance(who, Waiter)]
        wait_all_parked(*waiters)
        started = [who.number for _, who in model.ended if isinstance(who, AfterFunc)]
        model.ended = []
        finished = self.finished + len(started)
        wait_until(lambda: stats()["finished"] >= finished, f"{started} have run", LONG)
        assert sorted(self.started) == sorted(started)
        assert stats()["finished"] == finished
        self.finished = finished
        self.started.clear()

    def _compare(self, node):
        ctx, error, why = node.ctx, node.err(), node.cause()
        assert_same(ctx.err(), error)
        assert ctx.deadline() == node.limit
        for key, default in ((1, None), ("a", 7), (Key(), None), ("none", 7)):
            args = (key,) if default is None else (key, default)
            assert ctx.value(*args) is node.value(key, default)
        done = ctx.done()
        assert done is ctx.done()
        assert (done is None) is (node.root() is None)
        assert done is None or done.closed is bool(error)
        if why is error:
            assert_same(cause(ctx), error)
        else:
            assert cause(ctx) is why
        if node.kind not in ("own", "wrap"):
            assert_raises_if_done(ctx, error, None if why is error else why)

    def _nobody_keeps_what_has_ended(self):
        """Neither its parent nor the runtime, for its deadline."""
        for node in self.model.nodes:
            if node.ctx and node.kind in ("cancel", "own"):
                # Without the GIL a waiter on another thread is parked before it is registered.
                wait_until(
                    lambda node=node: kept(node) == self.model.registered(node),
                    lambda node=node: f"{self.model.registered(node)} registered: {kept(node)}",
                )
        timers = sum(node.timed and not node.error for node in self.model.nodes)
        assert stats()["timers"] - self.timers == timers

    @rule()
    def collect(self):
        """What nobody can reach is garbage, and nothing else is."""
        if not self.dropped:
            return
        self.dropped = False
        model = self.model
        held = [node for node in model.nodes if node.ctx or node.cancel]
        held += [node for node, who in model.waiting if isinstance(who, Waiter)]
        held += [f.node.attached() for f in self.after_funcs]
        alive = model.reachable(held)
        gc.collect()
        assert [node.ref() is not None for node in model.nodes[1:]] == [
            node in alive for node in model.nodes[1:]
        ]

    def teardown(self):
        model = getattr(self, "model", Model())
        for f in getattr(self, "after_funcs", []):
            f.stop()
        for node in model.nodes[1:]:
            if node.timed:
                node.cancel()
        for _, who in model.waiting:
            if isinstance(who, Waiter):
                who.g.interrupt()
                assert who.g.join(LONG)


def assert_same(got, wanted):
    """Whether these are the same errors, though perhaps two instances."""
    assert type(got) is type(wanted)
    assert got is wanted or got.args == wanted.args


def assert_raises_if_done(ctx, error, why):
    got = None
    try:
        ctx.raise_if_done()
    except Exception as e:
        got = e.with_traceback(None)
    assert_same(got, error)
    assert error is None or (got is not ctx.err() and got.__cause__ is why)


@pytest.fixture
def little_to_collect():
    """Leave out of all collections what there is already: they are many."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("little_to_collect")
def test_a_tree_of_contexts_ends_as_its_model_does(procs):
    run_state_machine_as_test(
        ContextMachine, settings=settings(max_examples=30, stateful_step_count=30)
    )


def test_the_end_of_a_users_context_tells_the_cause_above_it(procs):
    """By hand, as chance seldom comes by: what was cancelled for a reason, below it a context of
    the user's that goes on, below that one of gmprt's."""
    machine = ContextMachine()
    machine.make(False, [LINKS[0], LINKS[1], LINKS[0]], [])
    machine.wait([0, 1], False)
    machine.agree()
    for _ in range(2):  # the eldest that has not ended
        machine.cancel([(0, CAUSES[-1])])
        machine.agree()
    assert [node.cause() for node in machine.model.nodes] == [None, *[CAUSES[-1]] * 3]
    machine.teardown()
