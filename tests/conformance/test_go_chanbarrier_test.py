"""Go's runtime/chanbarrier_test.go in Python: a value that passes straight from one stack to
another is not lost on the way.

There a collection in the middle of the hand-over missed the pointer. Here the sender holds the only
reference, is gone when the receiver looks, and collections come all the time: the value must arrive
whole, alive, and be nobody else's afterwards.
"""

import gc
import weakref

import pytest

from gmprt import Chan, gosched, on_recv, on_send, select
from gmprt.sync import WaitGroup
from tests.conformance.parking import LONG, join_all


class Answer:
    """What a request gives: of its own kind, and part of a cycle, so that the collector looks."""

    def __init__(self, number):
        self.number = number
        self.me = self


@pytest.fixture
def collections():
    """Have the collector come every few dozen objects."""
    before = gc.get_threshold()
    gc.set_threshold(50, 2, 2)
    yield
    gc.set_threshold(*before)


def request(number, use_select, senders):
    ch, done = Chan(), Chan()

    def answers():
        if use_select:
            select(on_send(ch, Answer(number)), on_recv(done))
        else:
            ch.send(Answer(number))

    senders.go(answers)
    answer = ch.recv()
    gosched()
    return answer


@pytest.mark.parametrize("use_select", [True, False], ids=["select", "plain"])
def test_a_value_whose_sender_is_gone_arrives_whole(procs, collections, use_select):
    wg, senders, n = WaitGroup(), WaitGroup(), 40

    def client(c):
        numbers, gone = [], []
        for i in range(n):
            answer = request((c, i), use_select, senders)
            assert type(answer) is Answer
            assert answer.me is answer
            numbers.append(answer.number)
            gone.append(weakref.ref(answer))
            bytearray(1 << 10)
        return numbers, gone

    gs = [wg.go(client, c) for c in range(10)]
    wg.wait(LONG)
    results = join_all(*gs)
    assert [numbers for numbers, _ in results] == [[(c, i) for i in range(n)] for c in range(10)]
    senders.wait(LONG)  # until then one may hold what it has sent, on another thread
    gc.collect()
    kept = [ref().number for _, refs in results for ref in refs if ref() is not None]
    assert kept == [], "something still refers to these"
