"""Order without timing: force one between goroutines, or check the one that came about."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress

from gmprt import Chan, ChanClosed


class Sequencer:
    """Makes blocks in different goroutines run in the order of their numbers.

    `with seq(0): ...` runs first, `with seq(1): ...` once that block has ended, and so on; each
    number once. A wait that is interrupted breaks the sequence: every other, now and later, raises
    RuntimeError instead of hanging. After trio.testing.Sequencer.
    """

    def __init__(self) -> None:
        # Goroutines of several threads come here at once: setdefault is atomic, also with no GIL.
        self._turns: dict[int, Chan[None]] = {}  # closed when it is that number's turn
        self._claims: dict[int, object] = {}
        self._broken = False

    @contextmanager
    def __call__(self, position: int) -> Iterator[None]:
        claim = object()
        if self._claims.setdefault(position, claim) is not claim:
            raise RuntimeError(f"position {position} is taken already")
        if position > 0:
            self._wait_for(position)
        try:
            yield
        finally:
            _open(self._turn(position + 1))

    def _turn(self, position: int) -> "Chan[None]":
        return self._turns.setdefault(position, Chan())

    def _wait_for(self, position: int) -> None:
        turn = self._turn(position)
        try:
            # Registered, then looked at; the one who breaks it writes, then opens the registered.
            if not self._broken:
                turn.recv_ok()
        except BaseException:
            self._broken = True
            for other in list(self._turns.values()):
                _open(other)
            raise
        if self._broken:
            raise RuntimeError("the sequence is broken: a wait of it was interrupted")


def _open(turn: "Chan[None]") -> None:
    with suppress(ChanClosed):  # opened already, when the sequence broke
        turn.close()


def check_sequence(got: Sequence[Hashable], template: Sequence[object]) -> None:
    """Check that `got` is `template`, in which a set stands for its elements in any order.

    `[1, {2, 3}, 4]` matches `[1, 2, 3, 4]` and `[1, 3, 2, 4]`, no more and no less.
    Raises: AssertionError.
    """
    at = 0
    for part in template:
        wanted = Counter(part if isinstance(part, (set, frozenset)) else [part])
        size = wanted.total()
        found = got[at : at + size]
        if Counter(found) != wanted:
            raise AssertionError(f"at {at}: {list(found)}, not {part}, in {list(got)}")
        at += size
    if at != len(got):
        raise AssertionError(f"too many from {at} on: {list(got[at:])}, in {list(got)}")
