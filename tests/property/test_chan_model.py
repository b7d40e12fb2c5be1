"""A channel against a model of twenty lines: what nobody waits for (Hypothesis state machine)."""

from collections import deque

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

from gmprt import Chan, ChanClosed, EndOfChan, WouldBlock, on_recv, on_send, select


class Model:
    """A bounded queue that can be closed."""

    def __init__(self, cap):
        self.cap, self.buf, self.closed = cap, deque(), False

    def send(self, v):
        if self.closed:
            return ChanClosed
        if len(self.buf) == self.cap:
            return WouldBlock
        return self.buf.append(v)

    def recv(self):
        if self.buf:
            return self.buf.popleft()
        return EndOfChan if self.closed else WouldBlock

    def close(self):
        if self.closed:
            return ChanClosed
        self.closed = True


def outcome(fn, *args, **kwargs):
    """What `fn` gives, or the type of what it raises."""
    try:
        return fn(*args, **kwargs)
    except (RuntimeError, WouldBlock, TimeoutError) as e:
        return type(e)


class ChanMachine(RuleBasedStateMachine):
    """Each operation in each of its spellings has the model's outcome."""

    @initialize(cap=st.integers(0, 3))
    def make(self, cap):
        self.ch, self.model = Chan(cap), Model(cap)
        self.next = 0

    def value(self):
        self.next += 1
        return self.next

    @rule(how=st.sampled_from(["nowait", "timeout 0", "timeout -1", "select", "select timeout"]))
    def send(self, how):
        v = self.value()
        expected = self.model.send(v)
        if how == "nowait":
            assert outcome(self.ch.send_nowait, v) is expected
        elif how == "select":
            got = outcome(lambda: tuple(select(on_send(self.ch, v), default=True)))
            wanted = {None: (0, None, True), WouldBlock: (-1, None, False)}
            assert got == wanted.get(expected, expected)
        else:
            timeout = -1 if how == "timeout -1" else 0
            if how == "select timeout":
                got = outcome(lambda: select(on_send(self.ch, v), timeout=timeout).value)
            else:
                got = outcome(self.ch.send, v, timeout=timeout)
            assert got is (TimeoutError if expected is WouldBlock else expected)

    @rule(how=st.sampled_from(["nowait", "timeout 0", "ok", "select", "next", "select timeout"]))
    def recv(self, how):
        expected = self.model.recv()
        late = TimeoutError if expected is WouldBlock else expected
        pair = (None, False) if expected is EndOfChan else (expected, True)
        if how == "nowait":
            assert outcome(self.ch.recv_nowait) == expected
        elif how == "timeout 0":
            assert outcome(self.ch.recv, 0) == late
        elif how == "ok":
            assert outcome(self.ch.recv_ok, 0) == (late if late is TimeoutError else pair)
        elif how == "next":
            got = outcome(next, self.ch.iter(timeout=0), EndOfChan)
            assert got == late
        elif how == "select":
            got = tuple(select(on_recv(self.ch), default=True))
            assert got == ((-1, None, False) if expected is WouldBlock else (0, *pair))
        else:
            got = outcome(lambda: tuple(select(on_recv(self.ch), timeout=0)))
            assert got == (late if late is TimeoutError else (0, *pair))

    @rule()
    def close(self):
        assert outcome(self.ch.close) is self.model.close()

    @rule()
    def look(self):
        """Looking changes nothing."""
        assert bool(self.ch)
        assert repr(self.ch)

    @invariant()
    def agree(self):
        if hasattr(self, "ch"):
            assert len(self.ch) == len(self.model.buf)
            assert self.ch.cap == self.model.cap
            assert self.ch.closed is self.model.closed


def test_a_channel_nobody_waits_on_is_a_bounded_queue(rt):
    run_state_machine_as_test(
        ChanMachine, settings=settings(max_examples=60, stateful_step_count=30)
    )


@pytest.mark.parametrize("cap", [1, 2, 3])
def test_the_model_itself(cap):
    model = Model(cap)
    assert [model.send(i) for i in range(cap)] == [None] * cap
    assert model.send(9) is WouldBlock
    assert model.recv() == 0
    assert model.close() is None
    assert model.send(9) is ChanClosed
    assert [model.recv() for _ in range(cap)][-1] is EndOfChan
