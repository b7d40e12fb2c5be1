"""Go's sync/rwmutex_test.go in Python: TestParallelReaders, TestRWMutex and TestRLocker; of
mutex_test.go what TestMutexMisuse says of RWMutex; and what the documentation of RWMutex promises
of readers and writers that wait.
"""

import threading

import pytest

from gmprt import Chan, go, gosched
from gmprt.sync import RWMutex
from tests.conformance.parking import LONG, Boom, join_all, parked, reap, until

# TestParallelReaders


@pytest.mark.parametrize("readers", [1, 3, 10])
def test_readers_hold_it_all_at_once(procs, readers):
    m, inside, leave = RWMutex(), Chan(), Chan()

    def reader():
        m.rlock()
        inside.send(None)
        leave.recv()
        m.runlock()

    gs = [go(reader) for _ in range(readers)]
    for _ in gs:
        inside.recv(LONG)  # nobody has left yet
    assert m.try_lock() is False
    for _ in gs:
        leave.send(None)
    join_all(*gs)
    assert m.try_lock() is True


# TestRWMutex


def test_what_can_be_had_without_waiting(procs):
    m = RWMutex()
    m.lock()
    assert [m.try_lock(), m.try_rlock(), m.rlocker().try_lock()] == [False] * 3
    m.unlock()
    assert m.try_lock() is True
    m.unlock()
    assert [m.try_rlock(), m.try_rlock(), m.rlocker().try_lock()] == [True] * 3
    for _ in range(3):
        assert m.try_lock() is False
        m.runlock()
    assert m.try_lock() is True


class Room:
    """Who is in it: each notes itself in a place of its own, so that the notes need no lock."""

    def __init__(self, readers, writers):
        self.reading = [False] * readers
        self.writing = [False] * writers

    def read(self, i):
        self.reading[i] = True
        assert not any(self.writing)
        gosched()
        assert not any(self.writing)
        self.reading[i] = False

    def write(self, i):
        self.writing[i] = True
        assert not any(self.reading)
        assert sum(self.writing) == 1
        gosched()
        assert not any(self.reading)
        assert sum(self.writing) == 1
        self.writing[i] = False


@pytest.mark.parametrize("readers", [1, 3, 10])
def test_a_writer_is_alone_and_readers_are_without_writers(procs, readers):
    m, room, loops = RWMutex(), Room(readers, 2), 40

    def reader(i):
        for _ in range(loops):
            m.rlock()
            room.read(i)
            m.runlock()

    def writer(i):
        for _ in range(loops):
            m.lock()
            room.write(i)
            m.unlock()

    gs = [go(writer, 0), *[go(reader, i) for i in range(readers // 2)], go(writer, 1)]
    gs += [go(reader, i) for i in range(readers // 2, readers)]
    join_all(*gs)
    assert m.try_lock() is True


def test_so_it_is_also_with_those_who_only_try_and_with_blocks(procs):
    m, room, loops = RWMutex(), Room(4, 4), 40

    def try_to_read(i):
        got = 0
        while got < loops:
            if m.try_rlock():
                room.read(i)
                m.runlock()
                got += 1
            gosched()

    def try_to_write(i):
        got = 0
        while got < loops:
            if m.try_lock():
                room.write(i)
                m.unlock()
                got += 1
            gosched()

    def read(i):
        for _ in range(loops):
            with m.rlocker():
                room.read(i)

    def write(i):
        for _ in range(loops):
            with m:
                room.write(i)

    gs = [go(fn, i) for i in (0, 1) for fn in (try_to_read, try_to_write)]
    gs += [go(fn, i) for i in (2, 3) for fn in (read, write)]
    join_all(*gs)
    assert m.try_lock() is True


def test_threads_and_goroutines_share_it(procs):
    m, total = RWMutex(), [0]

    def body():
        for _ in range(60):
            with m:
                total[0] += 1
            with m.rlocker():
                assert total[0] > 0

    threads = [threading.Thread(target=body) for _ in range(2)]
    gs = [go(body) for _ in range(3)]
    for t in threads:
        t.start()
    body()
    join_all(*gs)
    for t in threads:
        t.join(LONG)
    assert total == [360]


# TestRLocker


def test_the_read_side_is_a_lock_of_its_own(procs):
    """Twice held, one release does not let a writer in; nor does the writer let in a reader."""
    m = RWMutex()
    side = m.rlocker()
    read, written = Chan(1), Chan(1)
    rounds = 10

    def body():
        for _ in range(rounds):
            side.lock()
            side.lock()
            read.send(None)
            m.lock()
            written.send(None)

    g = go(body)
    for _ in range(rounds):
        read.recv(LONG)
        side.unlock()
        assert len(written) == 0
        side.unlock()
        written.recv(LONG)
        assert len(read) == 0
        m.unlock()
    assert g.join(LONG)
    assert m.try_lock() is True


def test_every_read_side_is_that_of_the_same_lock(procs):
    m = RWMutex()
    m.rlocker().lock()
    assert m.try_lock() is False
    m.rlocker().unlock()
    assert m.try_lock() is True
    assert m.rlocker().try_lock() is False
    m.unlock()
    m.rlock()
    m.rlocker().unlock()
    assert m.try_lock() is True


# TestMutexMisuse


@pytest.mark.parametrize(
    ("before", "misuse"),
    [
        ("", "unlock"),
        ("rlock", "unlock"),
        ("lock unlock", "unlock"),
        ("", "runlock"),
        ("lock", "runlock"),
        ("rlock runlock", "runlock"),
    ],
)
@pytest.mark.parametrize("side", [False, True], ids=["itself", "read side"])
def test_misuse_is_a_runtime_error_and_changes_nothing(procs, before, misuse, side):
    m = RWMutex()
    for step in before.split():
        getattr(m, step)()
    do = m.rlocker().unlock if side and misuse == "runlock" else getattr(m, misuse)
    words = {"unlock": "sync: Unlock of unlocked RWMutex", "runlock": "sync: RUnlock of unlocked"}
    with pytest.raises(RuntimeError, match=words[misuse]):
        do()
    if before in ("lock", "rlock"):
        assert m.try_lock() is False
        getattr(m, {"lock": "unlock", "rlock": "runlock"}[before])()
    assert m.try_lock() is True


# RWMutex's documentation


def test_who_waits_says_for_what(procs):
    m = RWMutex()
    with m:
        reader, writer = parked(m.rlock), parked(m.lock)
        assert reader.wait_reason == "sync.RWMutex.RLock"
        assert writer.wait_reason == "sync.RWMutex.Lock"
        assert reader.waiting_on is writer.waiting_on is m
    join_all(reader)
    m.runlock()
    join_all(writer)


def test_any_goroutine_may_unlock_either_way(procs):
    m = RWMutex()
    m.lock()
    go(m.unlock).result(LONG)
    m.rlock()
    go(m.runlock).result(LONG)
    assert m.try_lock() is True


def test_no_new_reader_enters_while_a_writer_waits(procs):
    m = RWMutex()
    m.rlock()
    writer = parked(m.lock)
    assert m.try_rlock() is False
    assert m.rlocker().try_lock() is False
    readers = [parked(m.rlock), parked(m.rlocker().lock)]
    m.runlock()
    assert writer.join(LONG)
    assert [g.state for g in readers] == ["waiting"] * 2
    m.unlock()
    join_all(*readers)
    m.runlock()
    m.runlock()
    assert m.try_lock() is True


def test_a_reader_who_reads_again_while_a_writer_waits_waits_too(procs):
    """Why it must not be done: only an interrupt, or another's `runlock`, helps them."""
    m, writers = RWMutex(), Chan(1)

    def twice():
        m.rlock()
        writers.recv()
        m.rlock()

    reader = parked(twice)
    writer = parked(m.lock)
    writers.send(None)
    until(lambda: reader.waiting_on is m, "its second lock")
    m.runlock()
    assert writer.join(LONG)
    m.unlock()
    assert reader.join(LONG)
    m.runlock()


def test_a_writer_waits_for_the_readers_of_before_and_then_for_none(procs):
    m = RWMutex()
    for _ in range(4):
        m.rlock()
    writer = parked(m.lock)
    late = parked(m.rlock)
    for _ in range(4):
        assert writer.state == late.state == "waiting"
        m.runlock()
    assert writer.join(LONG)
    assert late.state == "waiting"
    m.unlock()
    assert late.join(LONG)
    m.runlock()


def test_after_a_writer_the_readers_who_wait_go_before_the_next_writer(procs):
    m, order = RWMutex(), []
    m.lock()

    def write(i):
        with m:
            order.append(i)

    def read():
        with m.rlocker():
            order.append("read")

    gs = [parked(write, 1), parked(read), parked(write, 2), parked(read), parked(write, 3)]
    m.unlock()
    join_all(*gs)
    assert order == ["read", "read", 1, 2, 3]


def test_readers_without_end_do_not_starve_a_writer(procs):
    m, stop, began = RWMutex(), [], set()

    def reader(i):
        while not stop:
            with m.rlocker():
                began.add(i)
                gosched()

    gs = [go(reader, i) for i in range(6)]
    until(lambda: len(began) == 6, "each one's first time")
    for _ in range(5):
        with m:
            gosched()
    stop.append(True)
    join_all(*gs)


def test_writers_without_end_do_not_starve_a_reader(procs):
    m, stop = RWMutex(), []

    def writer():
        while not stop:
            with m:
                gosched()

    gs = [go(writer) for _ in range(3)]
    for _ in range(5):
        with m.rlocker():
            pass
    stop.append(True)
    join_all(*gs)


def test_a_writer_who_gives_up_lets_in_the_readers_whom_it_kept_out(procs):
    m = RWMutex()
    m.rlock()
    writer = parked(m.lock)
    readers = [parked(m.rlock) for _ in range(3)]
    reap(writer)
    join_all(*readers)
    assert m.try_rlock() is True
    for _ in range(5):
        m.runlock()
    assert m.try_lock() is True


def test_a_writer_who_gives_up_lets_in_nobody_while_another_writer_waits(procs):
    m = RWMutex()
    m.rlock()
    first, second = parked(m.lock), parked(m.lock)
    reader = parked(m.rlock)
    reap(first)
    assert reader.state == second.state == "waiting"
    assert m.try_rlock() is False
    m.runlock()
    assert second.join(LONG)
    assert reader.state == "waiting"
    m.unlock()
    assert reader.join(LONG)
    m.runlock()


def test_a_reader_who_gives_up_is_not_counted(procs):
    m = RWMutex()
    m.lock()
    gone, stays = parked(m.rlock), parked(m.rlock)
    reap(gone)
    m.unlock()
    assert stays.join(LONG)
    m.runlock()
    assert m.try_lock() is True


def test_a_block_gives_it_back_whatever_happens_in_it(procs):
    m = RWMutex()

    def fails(lock, attempt):
        with lock:
            assert attempt() is False
            raise Boom

    for lock, attempt in [(m, m.try_rlock), (m.rlocker(), m.try_lock)]:
        with pytest.raises(Boom):
            fails(lock, attempt)
        assert m.try_lock() is True
        m.unlock()
