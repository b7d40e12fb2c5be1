"""rand.py: orders are complete, seeds repeat. Go: proc_test.go TestStealOrder."""

import pytest

from gmprt._runtime.rand import rand, random_order, seed, shuffled


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 60, 97, 1024])
def test_an_order_has_each_number_once(n):
    for _ in range(50):
        assert sorted(random_order(n)) == list(range(n))
        assert sorted(shuffled(n)) == list(range(n))


def test_any_number_may_come_first_and_any_after_it():
    pairs = {tuple(random_order(5))[:2] for _ in range(2000)}
    assert pairs == {(a, b) for a in range(5) for b in range(5) if a != b}


def test_a_seed_gives_the_same_sequence_again():
    try:
        seed(7)
        first = [rand(), *random_order(10), *shuffled(10)]
        seed(7)
        assert [rand(), *random_order(10), *shuffled(10)] == first
    finally:
        seed(None)
