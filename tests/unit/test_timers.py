"""The deadlines of one M, with no scheduler running: order, claiming, and no heap of dead ones."""

import random

from gmprt._runtime import timers
from gmprt._runtime.clock import now
from gmprt._runtime.g import G
from gmprt._runtime.m import M
from gmprt._runtime.sudog import Sudog


class Owner:
    """Grants each claim once."""

    def __init__(self) -> None:
        self.waiting: set[Sudog] = set()

    def dequeue(self, sg: Sudog) -> bool:
        if sg in self.waiting:
            self.waiting.remove(sg)
            return True
        return False


class FakeStack:
    def __init__(self, g: G) -> None:
        self.g = g


def waiter(mp: M, owner: Owner, when: float) -> Sudog:
    gp: G = G()
    gp.reason = "sleep"
    sg = Sudog(FakeStack(gp))
    sg.owner = owner
    owner.waiting.add(sg)
    timers.add_timeout(mp, sg, when)
    return sg


def test_those_that_are_due_become_ready_in_the_order_of_their_deadlines_ahead_of_others():
    mp, owner = M(7), Owner()
    past = now() - 1
    sudogs = [waiter(mp, owner, past + i / 1000) for i in range(20)]
    later = waiter(mp, owner, now() + 1000)
    random.Random(1).shuffle(mp.timers)
    timers.heapify(mp.timers)
    mp.readyq.append("first come")
    timers.expire(mp)
    assert list(mp.readyq) == [*(sg.stack.g for sg in sudogs), "first come"]
    assert all(sg.why is timers.TIMED_OUT and sg.stack.g.reason is None for sg in sudogs)
    assert timers.pending(mp) == 1
    assert mp.timers[0][2] is later


def test_one_that_somebody_else_has_claimed_is_left_alone():
    mp, owner = M(7), Owner()
    sg = waiter(mp, owner, now() - 1)
    owner.waiting.clear()
    timers.expire(mp)
    assert not mp.readyq
    assert sg.why is None
    timers.forget_timeout(mp, sg)
    assert (len(mp.timers), mp.stale) == (0, 0)


def test_forgotten_ones_do_not_pile_up():
    mp, owner = M(7), Owner()
    keep = [waiter(mp, owner, now() + 1000 + i) for i in range(10)]
    for _ in range(5000):
        timers.forget_timeout(mp, waiter(mp, owner, now() + 500))
    assert len(mp.timers) <= 2 * (timers._SWEEP_AT + len(keep))
    assert timers.pending(mp) == len(keep)
    assert timers.next_deadline(mp) is not None
    assert timers.next_deadline(mp) > now() + 900
