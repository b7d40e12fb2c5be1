"""contextvars: each goroutine has a context of its own, a copy of its creator's."""

import contextvars

from gmprt import Chan, current, go, gosched, run, sleep, syscall
from gmprt.sync import WaitGroup
from tests.conformance.parking import LONG, join_all, parked

VAR: contextvars.ContextVar[object] = contextvars.ContextVar("VAR", default="default")


def set_and_read(value):
    VAR.set(value)
    return VAR.get()


def alone(test):
    """Run `test` in a context of its own, so that what it sets ends with it."""

    def in_a_copy(procs):
        contextvars.copy_context().run(test, procs)

    in_a_copy.__name__ = test.__name__
    in_a_copy.__doc__ = test.__doc__
    return in_a_copy


@alone
def test_go_copies_the_callers_context(procs):
    VAR.set("mine")
    assert go(VAR.get).result(LONG) == "mine"


@alone
def test_the_copy_is_made_at_the_call(procs):
    VAR.set("then")
    g = go(VAR.get)
    VAR.set("later")
    assert g.result(LONG) == "then"


@alone
def test_what_a_goroutine_sets_its_creator_does_not_see(procs):
    VAR.set("mine")
    assert go(set_and_read, "its own").result(LONG) == "its own"
    assert VAR.get() == "mine"


@alone
def test_what_the_creator_sets_later_the_goroutine_does_not_see(procs):
    ch = Chan()

    def body():
        before = VAR.get()
        ch.recv()
        return before, VAR.get()

    VAR.set("first")
    g = parked(body)
    VAR.set("second")
    ch.send(None)
    assert g.result(LONG) == ("first", "first")


@alone
def test_goroutines_that_take_turns_do_not_mix(procs):
    ch = Chan()

    def body(i):
        VAR.set(i)
        seen = [VAR.get()]
        for n in range(30):
            gosched()
            seen.append(VAR.get())
            if n % 10 == 0:
                sleep(0.0001)
                seen.append(VAR.get())
        ch.send(i)
        seen.append(VAR.get())
        return set(seen)

    gs = [go(body, i) for i in range(20)]
    for _ in gs:
        ch.recv()
        assert VAR.get() == "default"
    assert join_all(*gs) == [{i} for i in range(20)]


@alone
def test_a_grandchild_inherits_from_its_parent(procs):
    def child():
        VAR.set("child")
        return go(VAR.get).result(LONG)

    VAR.set("root")
    assert go(child).result(LONG) == "child"
    assert VAR.get() == "root"


@alone
def test_main_keeps_its_own_across_waits(procs):
    VAR.set("main")
    go(set_and_read, "other").join(LONG)
    gosched()
    sleep(0.001)
    assert VAR.get() == "main"


@alone
def test_one_stack_used_again_starts_clean(procs):
    for i in range(50):
        assert go(VAR.get).result(LONG) == "default"
        assert go(set_and_read, i).result(LONG) == i


@alone
def test_a_token_resets_in_its_own_goroutine(procs):
    def body():
        token = VAR.set("inner")
        gosched()
        inner = VAR.get()
        VAR.reset(token)
        return inner, VAR.get()

    VAR.set("outer")
    assert go(body).result(LONG) == ("inner", "outer")


@alone
def test_a_goroutine_may_wait_inside_a_context_it_entered(procs):
    ch = Chan()

    def inside():
        VAR.set("inside")
        ch.recv()
        return VAR.get()

    def body():
        VAR.set("outside")
        return contextvars.copy_context().run(inside), VAR.get()

    gs = [parked(body) for _ in range(3)]
    assert VAR.get() == "default"
    assert go(VAR.get).result(LONG) == "default"
    for _ in gs:
        ch.send(None)
    assert join_all(*gs) == [("inside", "outside")] * 3


@alone
def test_main_may_wait_inside_a_context_it_entered(procs):
    ch = Chan()
    go(ch.send, 1)

    def inside():
        VAR.set("inside")
        ch.recv()
        return VAR.get()

    assert contextvars.copy_context().run(inside) == "inside"
    assert VAR.get() == "default"


@alone
def test_go_inside_context_run_copies_that_one(procs):
    ctx = contextvars.copy_context()
    ctx.run(VAR.set, "that one")
    assert ctx.run(go, VAR.get).result(LONG) == "that one"


@alone
def test_one_context_may_be_the_source_of_many(procs):
    ctx = contextvars.copy_context()
    ctx.run(VAR.set, "shared")
    gs = [ctx.run(go, VAR.get) for _ in range(20)]
    assert join_all(*gs) == ["shared"] * 20


@alone
def test_run_runs_main_in_the_callers_own_context(procs):
    VAR.set("before")

    def main():
        assert VAR.get() == "before"
        VAR.set("from main")

    run(main)
    assert VAR.get() == "from main"


@alone
def test_a_wait_groups_goroutine_has_a_copy_too(procs):
    wg = WaitGroup()
    VAR.set("mine")
    g = wg.go(lambda: (VAR.get(), VAR.set("its own"))[0])
    wg.wait()
    assert g.result(LONG) == "mine"
    assert VAR.get() == "mine"


@alone
def test_a_system_call_sees_a_copy(procs):
    VAR.set("caller")
    assert syscall(VAR.get) == "caller"
    assert syscall(set_and_read, "call") == "call"
    assert VAR.get() == "caller"


@alone
def test_a_system_call_of_a_goroutine_sees_a_copy_of_its_context(procs):
    gate = Chan()

    def body(i):
        VAR.set(i)
        gate.recv()
        seen = syscall(VAR.get)
        changed = syscall(set_and_read, "call")
        return seen, changed, VAR.get(), syscall(current) is current()

    gs = [parked(body, i) for i in range(10)]
    for _ in gs:
        gate.send(None)
    assert join_all(*gs) == [(i, "call", i, True) for i in range(10)]


@alone
def test_the_context_of_a_goroutine_is_not_kept_after_its_end(procs):
    """What a goroutine set is garbage with it, else every variable of every goroutine stays."""
    import gc
    import weakref

    class Value:
        pass

    def body():
        value = Value()
        VAR.set(value)
        return weakref.ref(value)

    g = go(body)
    ref = g.result(LONG)
    del g
    for _ in range(5):
        go(int).join(LONG)
        gc.collect()
    assert ref() is None
