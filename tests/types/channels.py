"""Channels and select, as a type checker sees them. Nothing here runs.

What is right has no comment. Each line that is wrong says which error it must be: mypy reports a
comment that hides none (`warn_unused_ignores`), so an error that gets lost fails as well.
"""

from typing import Any, assert_type

from gmprt import Case, Chan, RecvChan, Selected, SendChan, on_recv, on_send, select


def a_channel_is_of_one_type() -> None:
    assert_type(Chan[int](), Chan[int])
    assert_type(Chan[int](8), Chan[int])
    named: Chan[str] = Chan(cap=1)
    assert_type(named, Chan[str])
    other: Chan[str] = Chan[int]()  # type: ignore[assignment]
    Chan[int]("8")  # type: ignore[arg-type]
    assert_type(other.cap, int)
    assert_type(other.closed, bool)
    assert_type(len(other), int)
    other.cap = 3  # type: ignore[misc]
    other.closed = True  # type: ignore[misc]


def sending(ch: Chan[int]) -> None:
    ch.send(1)
    ch.send(True)  # a bool is an int
    ch.send(1, timeout=0.5)
    ch.send(1, timeout=None)
    ch.send_nowait(1)
    ch.send("1")  # type: ignore[arg-type]
    ch.send(None)  # type: ignore[arg-type]
    ch.send_nowait("1")  # type: ignore[arg-type]
    ch.send()  # type: ignore[call-arg]
    ch.send(1, 0.5)  # type: ignore[call-arg]
    ch.send(1, timeout="0.5")  # type: ignore[arg-type]


def receiving(ch: Chan[int]) -> None:
    assert_type(ch.recv(), int)
    assert_type(ch.recv(0.5), int)
    assert_type(ch.recv(timeout=0.5), int)
    assert_type(ch.recv_nowait(), int)
    for number in ch:
        assert_type(number, int)
    for number in ch.iter(timeout=0.5):
        assert_type(number, int)
    text: str = ch.recv()  # type: ignore[assignment]
    ch.recv("0.5")  # type: ignore[arg-type]
    ch.recv_nowait(0.5)  # type: ignore[call-arg]
    del text


def receiving_with_ok(ch: Chan[int]) -> None:
    """The value is `T | Any`: no check for None where `ok` has told, but never another type."""
    value, ok = ch.recv_ok()
    assert_type(ok, bool)
    assert_type(ch.recv_ok(0.5), tuple[int | Any, bool])
    number: int = value
    number = ch.recv_ok(timeout=0.5)[0]
    text: str = value  # type: ignore[assignment]
    del number, text


def the_receiving_half(ch: RecvChan[int]) -> None:
    assert_type(ch.recv(), int)
    assert_type(ch.recv_ok(0.5), tuple[int | Any, bool])
    assert_type(ch.recv_nowait(), int)
    assert_type(list(ch), list[int])
    assert_type(list(ch.iter(0.5)), list[int])
    assert_type(ch.cap + len(ch), int)
    assert_type(ch.closed, bool)
    ch.send(1)  # type: ignore[attr-defined]
    ch.send_nowait(1)  # type: ignore[attr-defined]
    ch.close()  # type: ignore[attr-defined]


def the_sending_half(ch: SendChan[int]) -> None:
    ch.send(1)
    ch.send(1, timeout=0.5)
    ch.send_nowait(1)
    ch.close()
    assert_type(ch.cap + len(ch), int)
    assert_type(ch.closed, bool)
    ch.send("1")  # type: ignore[arg-type]
    ch.send_nowait("1")  # type: ignore[arg-type]
    ch.recv()  # type: ignore[attr-defined]
    ch.recv_ok()  # type: ignore[attr-defined]
    ch.recv_nowait()  # type: ignore[attr-defined]
    for _ in ch:  # type: ignore[attr-defined]
        pass


def a_channel_is_both_halves(ch: Chan[int]) -> None:
    receiving_half: RecvChan[int] = ch
    sending_half: SendChan[int] = ch
    whole: Chan[int] = receiving_half  # type: ignore[assignment]
    whole = sending_half  # type: ignore[assignment]
    receiving_half = sending_half  # type: ignore[assignment]
    sending_half = receiving_half  # type: ignore[assignment]
    del whole


def who_receives_takes_a_narrower_type(bools: RecvChan[bool], objects: RecvChan[object]) -> None:
    ints: RecvChan[int] = bools
    ints = Chan[bool]()
    ints = objects  # type: ignore[assignment]
    ints = Chan[object]()  # type: ignore[assignment]
    del ints


def who_sends_takes_a_wider_type(bools: SendChan[bool], objects: SendChan[object]) -> None:
    ints: SendChan[int] = objects
    ints = Chan[object]()
    ints = bools  # type: ignore[assignment]
    ints = Chan[bool]()  # type: ignore[assignment]
    del ints


def who_does_both_takes_one_type_only(bools: Chan[bool], objects: Chan[object]) -> None:
    ints: Chan[int] = bools  # type: ignore[assignment]
    ints = objects  # type: ignore[assignment]
    del ints


def cases(
    ch: Chan[int], receiving_half: RecvChan[int], sending_half: SendChan[int], nil: Chan[int] | None
) -> None:
    assert_type(on_recv(ch), Case)
    assert_type(on_send(ch, 1), Case)
    on_recv(receiving_half)
    on_send(sending_half, 1)
    on_recv(nil)
    on_send(nil, 1)
    on_recv(None)
    on_send(None, 1)
    on_recv(sending_half)  # type: ignore[arg-type]
    on_recv(1)  # type: ignore[arg-type]
    on_recv()  # type: ignore[call-arg]
    on_send(receiving_half, 1)  # type: ignore[arg-type]
    on_send(ch, "1")  # type: ignore[misc]
    on_send(sending_half, "1")  # type: ignore[misc]
    on_send(ch)  # type: ignore[call-arg]


def selecting(ch: Chan[int]) -> None:
    chosen = select(on_recv(ch), on_send(ch, 1))
    assert_type(chosen, Selected)
    assert_type(chosen.index, int)
    assert_type(chosen.ok, bool)
    index, value, ok = chosen
    assert_type(index, int)
    assert_type(value, Any)  # of whichever channel it came
    assert_type(ok, bool)
    select()
    select(*[on_recv(ch)], default=True)
    select(on_recv(ch), timeout=0.5)
    select(ch)  # type: ignore[arg-type]
    select([on_recv(ch)])  # type: ignore[arg-type]
    select(on_recv(ch), default=None)  # type: ignore[arg-type]
    select(on_recv(ch), timeout="0.5")  # type: ignore[arg-type]
