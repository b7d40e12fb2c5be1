"""Note: a notification is consumed once, early or late, and more than one is one."""

import threading

from gmprt._runtime.note import Note


def test_a_wake_before_the_sleep_is_not_lost():
    note = Note()
    note.wake()
    assert note.sleep(0)
    assert not note.sleep(0)


def test_wakes_of_a_note_that_is_notified_are_absorbed():
    note = Note()
    for _ in range(5):
        note.wake()
    assert note.sleep(0)
    assert not note.sleep(0)


def test_a_time_out_consumes_nothing():
    note = Note()
    assert not note.sleep(0.001)
    assert not note.sleep(-1)
    note.wake()
    assert note.sleep(float(1 << 40))


def test_a_sleeper_is_woken_each_time():
    """Ping-pong of two threads through two notes: one lost wake-up and it hangs."""
    ping, pong = Note(), Note()

    def answer() -> None:
        for _ in range(2000):
            ping.sleep()
            pong.wake()

    thread = threading.Thread(target=answer)
    thread.start()
    for _ in range(2000):
        ping.wake()
        assert pong.sleep(30)
    thread.join(30)
    assert not thread.is_alive()
