"""What tells the scheduler that two goroutines do the same, without calling the program's code."""

import time
from functools import partial

from gmprt._runtime.g import code_of


class Broken:
    __hash__ = None

    def __getattr__(self, name):
        raise RuntimeError("nothing is to be asked of it")

    def __call__(self):
        pass

    def method(self):
        pass


def test_functions_methods_and_partials_by_their_code():
    assert code_of(partial(partial(Broken.method), 1)) is Broken.method.__code__
    assert code_of(Broken().method) is Broken.method.__code__
    assert code_of(lambda: 1) is not code_of(lambda: 2)  # two alike may share their code


def test_those_in_c_by_themselves():
    assert code_of(time.sleep) == code_of(time.sleep)
    assert code_of(time.sleep) != code_of(time.time)
    assert {code_of([].append): 1}


def test_any_other_by_its_class():
    assert code_of(Broken()) is Broken
    assert code_of(partial(Broken())) is Broken
    assert code_of(None) is type(None)
