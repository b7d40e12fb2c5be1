"""Channels and select with goroutines that wait, against a model with queues (Hypothesis state
machine).

Every operation that may wait runs in a goroutine of its own, and none starts before all those of
earlier ones have ended or parked, as the model says. So the order is certain, whatever the number
of Ps, and with it every outcome, but for a select's choice among ready cases: there the model
follows the choice made, if it was one of those.
"""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gmprt import (
    Chan,
    ChanClosed,
    EndOfChan,
    GoroutineExit,
    WouldBlock,
    go,
    on_recv,
    on_send,
    select,
)
from tests.support import wait_all_parked

LONG = 5.0  # not more: after a failure each of many shorter examples may take as long


class Waiter:
    """One who waits in the queue of one or more channels."""

    def __init__(self, cases):
        self.cases = cases  # (sends, model channel or None, value)
        self.outcome = None  # (index, outcome) once it does not wait any more

    def complete(self, index, outcome):
        self.outcome = (index, outcome)
        for _, ch, _ in self.cases:
            if ch is not None:
                for queue in (ch.recvq, ch.sendq):
                    queue[:] = [entry for entry in queue if entry[0] is not self]


class ModelChan:
    """Go's channel as its specification has it: a buffer and two queues of those who wait."""

    def __init__(self, cap):
        self.cap, self.buf, self.closed = cap, deque(), False
        self.recvq, self.sendq = [], []  # of (waiter, index of its case, value)

    def ready(self, sends):
        if sends:
            return self.closed or bool(self.recvq) or len(self.buf) < self.cap
        return self.closed or bool(self.sendq) or bool(self.buf)

    def perform(self, sends, v):
        """Do what is `ready`; its outcome: ("sent",), ("got", value, ok) or ("raised", type)."""
        if sends:
            if self.closed:
                return ("raised", ChanClosed)
            if self.recvq:
                waiter, index, _ = self.recvq[0]
                waiter.complete(index, ("got", v, True))
            else:
                self.buf.append(v)
            return ("sent",)
        if self.buf:
            v = self.buf.popleft()
            if self.sendq:
                waiter, index, theirs = self.sendq[0]
                self.buf.append(theirs)
                waiter.complete(index, ("sent",))
            return ("got", v, True)
        if self.sendq:
            waiter, index, theirs = self.sendq[0]
            waiter.complete(index, ("sent",))
            return ("got", theirs, True)
        return ("got", None, False)

    def close(self):
        self.closed = True
        while self.recvq:
            waiter, index, _ = self.recvq[0]
            waiter.complete(index, ("got", None, False))
        while self.sendq:
            waiter, index, _ = self.sendq[0]
            waiter.complete(index, ("raised", ChanClosed))


class WaitingMachine(RuleBasedStateMachine):
    @initialize(caps=st.lists(st.integers(0, 2), min_size=2, max_size=3))
    def make(self, caps):
        self.chans = [Chan(cap) for cap in caps]
        self.models = [ModelChan(cap) for cap in caps]
        self.waiting = []  # (waiter, goroutine), in the order of their arrival
        self.next = 0

    # The real thing

    def _operate(self, kind, cases):
        """What a goroutine runs; (index, outcome) in the model's words."""
        try:
            if kind == "recv":
                v = self.chans[cases[0][1]].recv()
                return 0, ("got", v, True)
            if kind == "recv_ok":
                v, ok = self.chans[cases[0][1]].recv_ok()
                return 0, ("got", v, ok)
            if kind == "send":
                self.chans[cases[0][1]].send(cases[0][2])
                return 0, ("sent",)
            real = [
                on_send(None if c is None else self.chans[c], v)
                if sends
                else on_recv(None if c is None else self.chans[c])
                for sends, c, v in cases
            ]
            i, v, ok = select(*real)
            return i, (("sent",) if cases[i][0] else ("got", v, ok))
        except EndOfChan:
            return 0, ("got", None, False)
        except ChanClosed as e:
            return None, ("raised", type(e))
        except GoroutineExit:
            return None, ("interrupted",)

    def _start(self, kind, cases):
        """Run an operation in a goroutine, and in the model; see that they agree."""
        modelled = [(s, None if c is None else self.models[c], v) for s, c, v in cases]
        ready = [i for i, (s, ch, _) in enumerate(modelled) if ch is not None and ch.ready(s)]
        g = go(self._operate, kind, cases)
        if not ready:
            waiter = Waiter(modelled)
            for i, (s, ch, v) in enumerate(modelled):
                if ch is not None:
                    (ch.sendq if s else ch.recvq).append((waiter, i, v))
            self.waiting.append((waiter, g))
        else:
            assert g.join(LONG), f"{kind} {cases} waits"
            index, outcome = g.result()
            if outcome == ("raised", ChanClosed):
                assert any(modelled[i][0] and modelled[i][1].closed for i in ready)
            else:
                assert index in ready
                s, ch, v = modelled[index]
                assert ch.perform(s, v) == outcome
        self._settle()

    def _settle(self):
        """Those whose wait has ended in the model end with its outcome, all others wait on."""
        ended = [(w, g) for w, g in self.waiting if w.outcome is not None]
        self.waiting = [(w, g) for w, g in self.waiting if w.outcome is None]
        for waiter, g in ended:
            assert g.join(LONG), f"{g!r} waits on, but {waiter.outcome} has happened to it"
            index, outcome = g.result()
            assert outcome == waiter.outcome[1]
            assert index is None or index == waiter.outcome[0]
        wait_all_parked(*[g for _, g in self.waiting])

    def _value(self):
        self.next += 1
        return self.next

    # The rules

    chan_numbers = st.integers(0, 2)

    @rule(c=chan_numbers, kind=st.sampled_from(["recv", "recv_ok", "one case"]))
    def recv(self, c, kind):
        self._start(kind, [(False, c % len(self.chans), None)])

    @rule(c=chan_numbers, kind=st.sampled_from(["send", "one case"]))
    def send(self, c, kind):
        self._start(kind, [(True, c % len(self.chans), self._value())])

    @rule(
        cases=st.lists(st.tuples(st.booleans(), st.none() | chan_numbers), min_size=1, max_size=4)
    )
    def select(self, cases):
        n = len(self.chans)
        self._start("select", [(s, c if c is None else c % n, self._value()) for s, c in cases])

    @rule(c=chan_numbers)
    def recv_nowait(self, c):
        c %= len(self.chans)
        ch, model = self.chans[c], self.models[c]
        ready = model.ready(False)
        try:
            got = ("got", ch.recv_nowait(), True)
        except EndOfChan:
            got = ("got", None, False)
        except WouldBlock:
            got = None
        assert got == (model.perform(False, None) if ready else None)
        self._settle()

    @rule(c=chan_numbers)
    def send_nowait(self, c):
        c %= len(self.chans)
        ch, model, v = self.chans[c], self.models[c], self._value()
        ready = model.ready(True)
        try:
            ch.send_nowait(v)
            got = ("sent",)
        except ChanClosed:
            got = ("raised", ChanClosed)
        except WouldBlock:
            got = None
        assert got == (model.perform(True, v) if ready else None)
        self._settle()

    @rule(c=chan_numbers)
    def close(self, c):
        c %= len(self.chans)
        if self.models[c].closed:
            return
        self.chans[c].close()
        self.models[c].close()
        self._settle()

    @rule(i=st.integers(0, 1000))
    def interrupt(self, i):
        if not self.waiting:  # no precondition: which rules there are may not depend on a choice
            return
        waiter, g = self.waiting[i % len(self.waiting)]
        g.interrupt()
        waiter.complete(None, ("interrupted",))
        self._settle()

    @invariant()
    def agree(self):
        for ch, model in zip(getattr(self, "chans", []), getattr(self, "models", []), strict=True):
            assert len(ch) == len(model.buf)
            assert ch.closed is model.closed

    def teardown(self):
        for waiter, g in getattr(self, "waiting", []):
            g.interrupt()
            waiter.complete(None, None)
        for _, g in getattr(self, "waiting", []):
            assert g.join(LONG)


def test_channels_and_selects_that_wait_do_what_the_model_does(procs):
    run_state_machine_as_test(
        WaitingMachine, settings=settings(max_examples=40, stateful_step_count=25)
    )
