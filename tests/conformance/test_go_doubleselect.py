"""Go's test/chan/doubleselect.go in Python: of one select's cases never two happen."""

import pytest

from gmprt import Chan, WouldBlock, go, on_recv, on_send, select
from tests.conformance.parking import join_all


def test_two_cases_of_one_select_never_both_happen(procs):
    n = 500
    ins = [Chan() for _ in range(4)]
    out = Chan()

    def sender():
        for i in range(n):
            select(*[on_send(c, i) for c in ins])
        for c in ins:
            c.close()

    def mux(c):
        for v in c:
            out.send(v)

    gs = [go(sender), *[go(mux, c) for c in ins]]
    got = [out.recv() for _ in range(n)]
    join_all(*gs)
    assert sorted(got) == list(range(n))
    with pytest.raises(WouldBlock):
        out.recv_nowait()


def test_two_receive_cases_of_one_select_never_both_happen(procs):
    """The other side: were two to happen, the value of one would be lost."""
    n = 120
    outs = [Chan() for _ in range(4)]

    def sender(k):
        for i in range(n):
            outs[k].send((k, i))

    gs = [go(sender, k) for k in range(4)]
    got = [select(*[on_recv(c) for c in outs]).value for _ in range(4 * n)]
    join_all(*gs)
    for k in range(4):
        assert [i for j, i in got if j == k] == list(range(n))
    assert select(*[on_recv(c) for c in outs], default=True).index == -1
