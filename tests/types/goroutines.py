"""Goroutines and what runs functions, as a type checker sees them. Nothing here runs.

What is right has no comment. Each line that is wrong says which error it must be: mypy reports a
comment that hides none (`warn_unused_ignores`), so an error that gets lost fails as well.
"""

from pathlib import Path
from typing import Any, assert_type

import gmprt
from gmprt import G, RecvChan, go, run, syscall


def greet(name: str, times: int = 1) -> bytes:
    return times * f"hello {name}".encode()


def no_argument() -> int:
    return 1


def starting() -> None:
    assert_type(go(greet, "you"), G[bytes])
    assert_type(go(greet, "you", 2), G[bytes])
    assert_type(go(greet, name="you", times=2), G[bytes])
    assert_type(go(no_argument), G[int])
    assert_type(go(lambda: "text"), G[str])
    assert_type(go(print, "you", sep=""), G[None])
    go(greet)  # type: ignore[call-arg]
    go(greet, 1)  # type: ignore[arg-type]
    go(greet, "you", "2")  # type: ignore[arg-type]
    go(greet, "you", 2, 3)  # type: ignore[call-arg]
    go(greet, "you", time=2)  # type: ignore[call-arg]
    go(greet, "you", times="2")  # type: ignore[arg-type]
    go(no_argument, 1)  # type: ignore[call-arg]
    go(greet("you"))  # type: ignore[arg-type]
    go("greet")  # type: ignore[arg-type]
    go()  # type: ignore[call-arg]


def asking(g: G[bytes]) -> None:
    assert_type(g.result(), bytes)
    assert_type(g.result(0.5), bytes)
    assert_type(g.exception(timeout=0.5), BaseException | None)
    assert_type(g.join(0.5), bool)
    assert_type(g.done(), bool)
    text: str = g.result()  # type: ignore[assignment]
    g.result("0.5")  # type: ignore[arg-type]
    g.join("0.5")  # type: ignore[arg-type]
    g.exception("0.5")  # type: ignore[arg-type]
    del text


def its_end(g: G[bytes]) -> None:
    ended: RecvChan[Any] = g.ended
    g.ended.recv_ok()
    g.ended.send(None)  # type: ignore[attr-defined]
    g.ended.close()  # type: ignore[attr-defined]
    del ended


def what_it_tells(g: G[bytes]) -> None:
    assert_type(g.id, int)
    assert_type(g.name, str)
    assert_type(g.daemon, bool)
    assert_type(g.state, str)
    assert_type(g.wait_reason, str)
    assert_type(g.waiting_on, Any)
    assert_type(g.blocked_for, float)
    assert_type(g.created_at, str)
    assert_type(g.parent, int)
    g.name = "greeter"
    g.daemon = True
    g.name = 1  # type: ignore[assignment]
    g.state = "dead"  # type: ignore[misc]


def interrupting(g: G[bytes]) -> None:
    g.interrupt()
    g.interrupt(KeyboardInterrupt)
    g.interrupt(ValueError("now"))
    g.interrupt("now")  # type: ignore[arg-type]
    g.interrupt(int)  # type: ignore[arg-type]


def a_goroutine_is_known_by_what_it_gives(bools: G[bool], objects: G[object]) -> None:
    ints: G[int] = bools
    ints = objects  # type: ignore[assignment]
    anyhow: list[G[object]] = [go(greet, "you"), go(no_argument)]
    del ints, anyhow


def the_main_goroutine() -> None:
    assert_type(run(greet, "you", 2), bytes)
    assert_type(run(greet, "you"), bytes)
    assert_type(run(no_argument, procs=2), int)
    assert_type(run(no_argument, procs=None), int)
    run(greet, 1)  # type: ignore[arg-type]
    run(greet)  # type: ignore[arg-type]
    run(greet, "you", times=2)  # type: ignore[call-arg]
    run(no_argument, 1)  # type: ignore[arg-type]
    run(no_argument, procs="2")  # type: ignore[arg-type]
    run("main")  # type: ignore[arg-type]


def calls_that_block(path: Path) -> None:
    assert_type(syscall(path.read_bytes), bytes)
    assert_type(syscall(greet, "you", times=2), bytes)
    syscall(greet)  # type: ignore[call-arg]
    syscall(greet, 1)  # type: ignore[arg-type]
    syscall(path.read_text, nonsense=1)  # type: ignore[call-arg]
    syscall(path.read_bytes())  # type: ignore[arg-type]
    with gmprt.blocking():
        path.touch()
    assert_type(go(syscall, greet, "you"), G[bytes])
    assert_type(syscall(syscall, greet, "you"), bytes)


def itself() -> None:
    current = gmprt.current()
    current.name  # type: ignore[union-attr]  # noqa: B018
    if current is not None:
        assert_type(current.id, int)
    gmprt.gosched()
    gmprt.sleep(0.5)
    gmprt.sleep("0.5")  # type: ignore[arg-type]
    assert_type(gmprt.gomaxprocs(), int)
    assert_type(gmprt.gomaxprocs(2), int)
    gmprt.gomaxprocs("2")  # type: ignore[arg-type]
    assert_type(gmprt.num_goroutine() + gmprt.num_cpu(), int)
    assert_type(gmprt.stack(), str)
    assert_type(gmprt.stack(all=False), str)
    assert_type(gmprt.stats(), dict[str, Any])


def never_returns() -> int:
    gmprt.goexit()


def a_hook_of_ones_own(g: G[Any], exc: BaseException) -> None:
    print(g.name, exc)


def hooking() -> None:
    gmprt.excepthook(go(greet, "you"), ValueError())
    gmprt.excepthook = a_hook_of_ones_own
    gmprt.excepthook = greet  # type: ignore[assignment]
