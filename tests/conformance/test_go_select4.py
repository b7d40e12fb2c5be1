"""Go's test/chan/select4.go in Python: a case that is not chosen has no effect."""

from gmprt import Chan, on_recv, select


def test_a_case_that_is_not_chosen_has_no_effect(procs):
    c, c1 = Chan(1), Chan()
    c.send(42)
    i, v, _ = select(on_recv(c), on_recv(c1))
    assert (i, v) == (0, 42)


def test_what_a_case_that_is_not_chosen_would_receive_stays_where_it_is(procs):
    """Both are ready, so one value is taken and the other can still be received."""
    chans = [Chan(1), Chan(1)]
    for i, c in enumerate(chans):
        c.send(i)
    i, v, _ = select(*map(on_recv, chans))
    assert v == i
    assert [len(c) for c in chans] == [i, 1 - i]
    assert chans[1 - i].recv() == 1 - i
