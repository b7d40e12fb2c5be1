"""Go's sync/pool_test.go in Python: TestPool, TestPoolNew, TestPoolGC, TestPoolRelease and
TestPoolStress, and of its queues' own tests that each thing comes out once.
"""

import gc
import threading
import weakref

import pytest

from gmprt import go, gosched
from gmprt.sync import Pool
from tests.conformance.parking import LONG, join_all


@pytest.fixture(autouse=True)
def no_collection_but_ours():
    """Memory is collected when a test says so: what a pool keeps depends on it.

    Then only what the test has made is looked at, which is quick.
    """
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


class Thing:
    """Something that can be watched."""


# TestPool


def test_what_was_put_is_what_is_got(procs):
    pool = Pool()
    assert pool.get() is None
    pool.put("a")
    pool.put("b")
    assert sorted([pool.get(), pool.get()]) == ["a", "b"]
    assert pool.get() is None


def test_what_nobody_uses_outlives_one_collection_and_not_a_second(procs):
    pool = Pool()
    for _ in range(100):
        pool.put("c")
    gc.collect()
    assert pool.get() == "c"
    gc.collect()
    assert pool.get() is None


def test_what_is_used_between_collections_stays(procs):
    pool = Pool(list)
    item = pool.get()
    for _ in range(5):
        pool.put(item)
        gc.collect()
        assert pool.get() is item


def test_a_collection_of_the_young_takes_nothing(procs):
    pool = Pool()
    pool.put("a")
    for _ in range(5):
        gc.collect(0)
    assert pool.get() == "a"


def test_none_is_nothing_to_keep(procs):
    pool = Pool(lambda: "new")
    pool.put(None)
    assert pool.get() == "new"


def test_what_is_false_is_kept_as_anything(procs):
    pool = Pool(lambda: "new")
    for item in ([], 0, ""):
        pool.put(item)
        assert pool.get() is item


# TestPoolNew


def test_one_that_is_empty_makes_a_new_one(procs):
    made = []

    def new():
        made.append(len(made) + 1)
        return made[-1]

    pool = Pool(new)
    assert [pool.get(), pool.get()] == [1, 2]
    pool.put(42)
    assert [pool.get(), pool.get()] == [42, 3]
    assert made == [1, 2, 3]


def test_what_cannot_be_called_makes_nothing(procs):
    with pytest.raises(TypeError):
        Pool(3)


# TestPoolGC, TestPoolRelease


@pytest.mark.parametrize("drain", [True, False], ids=["taken out", "left in it"])
def test_a_pool_keeps_nothing_alive_for_good(procs, drain):
    pool = Pool()
    for _ in range(3):
        things = [Thing() for _ in range(100)]
        refs = [weakref.ref(thing) for thing in things]
        for thing in things:
            pool.put(thing)
        del things, thing
        if drain:
            for _ in refs:
                assert pool.get() is not None
        gc.collect()
        gc.collect()
        gc.collect()
        assert [ref() for ref in refs] == [None] * 100


def test_a_pool_that_nobody_holds_goes_with_what_is_in_it(procs):
    pool, thing = Pool(), Thing()
    refs = [weakref.ref(pool), weakref.ref(thing)]
    pool.put(thing)
    del pool, thing
    gc.collect()
    assert [ref() for ref in refs] == [None, None]


# TestPoolStress


def test_only_what_was_put_comes_out_whoever_puts_and_gets(procs):
    pool = Pool()

    def body():
        item = 0
        for _ in range(200):
            pool.put(0 if item is None else item)
            item = pool.get()
            assert item in (None, 0)

    join_all(*[go(body) for _ in range(10)])


def test_collections_meanwhile_lose_things_but_invent_none(procs):
    pool = Pool(lambda: "new")

    def body():
        for _ in range(60):
            pool.put("put")
            assert pool.get() in ("put", "new")
            gosched()

    gs = [go(body) for _ in range(4)]
    for _ in range(20):
        gc.collect()
        gosched()
    join_all(*gs)


# TestPoolDequeue, TestPoolChain


def test_what_is_put_once_is_got_once(procs):
    pool, n, got = Pool(), 400, []

    def put(first):
        for i in range(first, n, 2):
            pool.put((i,))
            if i % 10 == 0:
                gosched()

    def take():
        while len(got) < n:
            item = pool.get()
            if item is None:
                gosched()
            else:
                got.append(item[0])

    join_all(*[go(put, i) for i in range(2)], *[go(take) for _ in range(4)])
    assert sorted(got) == list(range(n))


def test_two_never_have_the_same_thing_also_threads(procs):
    pool, users = Pool(list), 100

    def body(me):
        for _ in range(users):
            thing = pool.get()
            thing.append(me)
            gosched()
            assert thing == [me]
            thing.clear()
            pool.put(thing)

    threads = [threading.Thread(target=body, args=(f"thread {i}",)) for i in range(2)]
    gs = [go(body, i) for i in range(6)]
    for t in threads:
        t.start()
    join_all(*gs)
    for t in threads:
        t.join(LONG)
        assert not t.is_alive()
