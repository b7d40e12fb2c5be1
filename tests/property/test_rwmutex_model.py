"""RWMutex against a model: who reads, who writes, two queues (Hypothesis state machine).

What may wait runs in a goroutine of its own, and none starts before all those of earlier ones have
ended or parked, as the model says. So the order of arrival is certain, whatever the number of Ps.
Any goroutine may give a lock back: the test itself does.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gmprt import GoroutineExit, go
from gmprt.sync import RWMutex
from tests.support import wait_all_parked

LONG = 5.0  # not more: after a failure each of many shorter examples may take as long


class Waiter:
    """One who waits for one side of the lock."""

    def __init__(self, writes):
        self.writes = writes
        self.outcome = None  # once it does not wait any more
        self.g = None


class Model:
    """Go's: a writer that waits keeps new readers out, one that ends lets all who wait in."""

    def __init__(self):
        self.readers, self.writing = 0, False
        self.read_queue, self.write_queue = [], []

    def try_lock(self):
        free = not (self.readers or self.writing)
        self.writing = self.writing or free
        return free

    def try_rlock(self):
        free = not (self.writing or self.write_queue)
        self.readers += free
        return free

    def wait(self, waiter):
        (self.write_queue if waiter.writes else self.read_queue).append(waiter)

    def unlock(self):
        if not self.writing:
            return RuntimeError
        self.writing = False
        self._admit_readers()
        self._admit_writer()

    def runlock(self):
        if not self.readers:
            return RuntimeError
        self.readers -= 1
        self._admit_writer()

    def leave(self, waiter):
        waiter.outcome = GoroutineExit
        (self.write_queue if waiter.writes else self.read_queue).remove(waiter)
        if not (self.writing or self.write_queue):
            self._admit_readers()

    def _admit_readers(self):
        for waiter in self.read_queue:
            waiter.outcome = "got it"
            self.readers += 1
        self.read_queue = []

    def _admit_writer(self):
        if self.write_queue and not self.readers and not self.writing:
            self.write_queue.pop(0).outcome = "got it"
            self.writing = True


def outcome(fn, *args):
    """What `fn` gives, or the type of what it raises."""
    try:
        return fn(*args)
    except (RuntimeError, GoroutineExit) as e:
        return type(e)


WHICH = st.integers(0, 1000)


class RWMutexMachine(RuleBasedStateMachine):
    @initialize(writes=st.lists(st.booleans(), max_size=8))
    def make(self, writes):
        self.mutex, self.model = RWMutex(), Model()
        self.waiting = []  # in the order of their arrival
        for writer in writes:
            self._start(writer, self.mutex.lock if writer else self.mutex.rlock)

    def _settle(self):
        """Those whose wait has ended in the model end with its outcome, all others wait on."""
        ended = [w for w in self.waiting if w.outcome is not None]
        self.waiting = [w for w in self.waiting if w.outcome is None]
        for waiter in ended:
            assert waiter.g.result(LONG) == waiter.outcome
        wait_all_parked(*[w.g for w in self.waiting])

    def _start(self, writes, fn):
        """Lock in a goroutine, and in the model; see that they agree."""
        waiter = Waiter(writes)
        if self.model.try_lock() if writes else self.model.try_rlock():
            waiter.outcome = "got it"
        else:
            self.model.wait(waiter)
        waiter.g = go(outcome, lambda: fn() or "got it")
        self.waiting.append(waiter)
        self._settle()

    def _release(self, how="method"):
        """Give back a lock that is held, in one of the ways to do so."""
        m, model = self.mutex, self.model
        nothing = (None, None, None)
        if model.writing:
            return (m.unlock if how == "method" else lambda: m.__exit__(*nothing)), model.unlock
        if how == "method":
            return m.runlock, model.runlock
        side = m.rlocker()
        return (side.unlock if how == "rlocker" else lambda: side.__exit__(*nothing)), model.runlock

    # The rules

    @rule(how=st.sampled_from(["method", "with"]))
    def lock(self, how):
        self._start(True, self.mutex.lock if how == "method" else self.mutex.__enter__)

    @rule(how=st.sampled_from(["method", "rlocker", "with"]))
    def rlock(self, how):
        side = self.mutex.rlocker()
        ways = {"method": self.mutex.rlock, "rlocker": side.lock, "with": side.__enter__}
        self._start(False, ways[how])

    @rule(how=st.sampled_from(["lock", "rlock", "rlocker"]))
    def attempt(self, how):
        if how == "lock":
            assert self.mutex.try_lock() is self.model.try_lock()
            return
        attempt = self.mutex.rlocker().try_lock if how == "rlocker" else self.mutex.try_rlock
        assert attempt() is self.model.try_rlock()

    @rule(n=st.integers(1, 3), how=st.sampled_from(["method", "rlocker", "with"]))
    def release(self, n, how):
        """Those who get the lock have it at once, also before they have run."""
        for _ in range(n):
            real, modelled = self._release(how)
            assert outcome(real) is modelled()
        self._settle()

    @rule(
        chosen=st.lists(st.tuples(st.booleans(), WHICH), min_size=1, max_size=3),
        order=st.sampled_from(["alone", "release first", "release after"]),
    )
    def interrupt(self, chosen, order):
        """One who has been given the lock keeps it; one who has been interrupted gets none."""
        if order == "release first":
            real, modelled = self._release()
            assert outcome(real) is modelled()
        for writes, which in chosen:
            waiting = [w for w in self.waiting if w.writes is writes]
            if waiting:  # no precondition: which rules there are may not depend on a choice
                waiter = waiting[which % len(waiting)]
                waiter.g.interrupt()
                if waiter.outcome is None:
                    self.model.leave(waiter)
        if order == "release after":
            real, modelled = self._release()
            assert outcome(real) is modelled()
        self._settle()

    @rule()
    def drain(self):
        """All get their turn, as readers or one by one."""
        while self.model.readers or self.model.writing:
            self.release(1, "method")
        assert not self.waiting

    @invariant()
    def agree(self):
        """It is held, and kept, as in the model; misuse and looking change nothing."""
        if not hasattr(self, "mutex"):
            return
        m, model = self.mutex, self.model
        if not model.writing:
            assert outcome(m.unlock) is RuntimeError
        if not model.readers:
            assert outcome(m.runlock) is RuntimeError
            assert outcome(m.rlocker().unlock) is RuntimeError
        if model.readers or model.writing:
            assert m.try_lock() is False
        else:
            assert m.try_lock() is True
            m.unlock()
        if model.writing or model.write_queue:
            assert m.try_rlock() is False
        else:
            assert m.try_rlock() is True
            m.runlock()
        for waiter in self.waiting:
            kind = "sync.RWMutex.Lock" if waiter.writes else "sync.RWMutex.RLock"
            assert waiter.g.wait_reason == kind
            assert waiter.g.waiting_on is m

    def teardown(self):
        for waiter in getattr(self, "waiting", []):
            waiter.g.interrupt()
        for waiter in getattr(self, "waiting", []):
            assert waiter.g.join(LONG)


def test_a_rwmutex_admits_as_its_model_does(procs):
    run_state_machine_as_test(
        RWMutexMachine, settings=settings(max_examples=80, stateful_step_count=25)
    )


def test_readers_go_on_when_the_only_writer_that_waits_is_interrupted(procs):
    """By hand, as chance seldom comes by."""
    machine = RWMutexMachine()
    machine.make([False, True, False, False, True])
    machine.interrupt([(True, 0)], "alone")
    assert len(machine.waiting) == 3
    machine.interrupt([(True, 0)], "alone")
    assert not machine.waiting
    machine.agree()
    machine.drain()
    machine.teardown()


def test_the_model_itself():
    model = Model()
    reader, late, writer, second = Waiter(False), Waiter(False), Waiter(True), Waiter(True)
    assert model.try_rlock()
    model.wait(writer)
    assert not model.try_rlock()
    model.wait(reader)
    model.wait(second)
    assert model.runlock() is None
    assert (writer.outcome, reader.outcome) == ("got it", None)
    assert model.runlock() is RuntimeError
    model.unlock()
    assert (reader.outcome, second.outcome) == ("got it", None)
    model.wait(late)
    model.leave(second)
    assert (late.outcome, model.readers) == ("got it", 2)
