"""Go's test/chan/sendstmt.go in Python: the operands of a send are expressions of any kind."""

from gmprt import Chan, on_send, select


def test_a_channel_of_channels(procs):
    cc, c = Chan(1), Chan(1)
    cc.send(c)
    assert select(on_send(cc.recv(), 2), default=True).index == 0
    assert c.recv() == 2


def test_the_value_is_computed_before_it_is_sent(procs):
    c, no, yes = Chan(1), False, True
    c.send(no or yes)
    assert c.recv() is True
