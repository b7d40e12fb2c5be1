"""Go's runtime/crash_test.go in Python: TestGoNil and TestMainGoroutineID.

What it has of deadlocks is in test_deadlock.py.
"""

import pytest

from gmprt import current, go, stack

# TestGoNil


def test_go_of_none_is_an_error_at_the_call(procs):
    with pytest.raises(TypeError):
        go(None)


# TestMainGoroutineID


def test_main_is_goroutine_one_and_running(procs):
    assert stack().startswith("goroutine 1 [running")
    assert current().id == 1
