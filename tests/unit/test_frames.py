"""The frames of other threads, and that looking at them starts no collection on 3.11."""

import gc
import sys
import threading

import pytest

from gmprt._runtime.frames import HAS_TRAP, current_frames, frame_of_tstate
from gmprt._runtime.lock import GIL
from gmprt._runtime.m import current_tstate


@pytest.fixture
def waits():
    """A thread that waits for a lock: its ident and the address of its state."""
    told, leave = [], threading.Lock()
    ready = threading.Event()

    def wait_for_lock():
        told.extend((threading.get_ident(), current_tstate()))
        ready.set()
        leave.acquire()

    leave.acquire()
    thread = threading.Thread(target=wait_for_lock)
    thread.start()
    ready.wait()
    yield told
    leave.release()
    thread.join()


def names(frame):
    found = []
    while frame is not None:
        found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found


def test_those_of_all_threads_are_found(waits):
    frames = current_frames()
    assert "wait_for_lock" in names(frames[waits[0]])
    assert frames[threading.get_ident()] is sys._getframe()


@pytest.mark.skipif(not GIL, reason="the thread may be running")
def test_that_of_one_thread_is_found(waits):
    assert "wait_for_lock" in names(frame_of_tstate(waits[1]))


@pytest.fixture
def eager():
    """A collector that begins at each chance; yields where it did."""
    began = []

    def note(phase, info):
        if phase == "start":
            began.append(sys._getframe(1).f_code.co_name)

    before = gc.get_threshold()
    gc.callbacks.append(note)
    gc.set_threshold(1)
    yield began
    gc.set_threshold(*before)
    gc.callbacks.remove(note)


@pytest.mark.skipif(not HAS_TRAP, reason="there it runs between bytecodes only")
def test_no_collection_begins_meanwhile(eager, waits):
    def plainly():
        return sys._current_frames()

    for _ in range(100):
        plainly()
        current_frames()
    assert gc.isenabled()
    assert "plainly" in eager
    assert "current_frames" not in eager


@pytest.mark.skipif(not HAS_TRAP, reason="there it is left alone")
def test_a_collector_that_is_off_stays_off(waits):
    gc.disable()
    try:
        current_frames()
        assert not gc.isenabled()
    finally:
        gc.enable()
