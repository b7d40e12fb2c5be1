"""Go's test/chan/powser1.go in Python: power series as channels, after Doug McIlroy's "Squinting at
Power Series".

A series is a demand channel: one asks on `req` and receives a rational coefficient on `dat`, None
after the last.
"""

from fractions import Fraction as F

import pytest

from gmprt import Chan, on_recv, on_send, select
from tests.conformance.parking import Crew

N = 10


class PS:
    def __init__(self):
        self.req = Chan()
        self.dat = Chan()

    def get(self):
        self.req.send(None)
        return self.dat.recv()

    def put(self, item):
        self.req.recv()
        self.dat.send(item)

    def copy_from(self, source):
        while True:
            self.req.recv()
            self.dat.send(source.get())


class Calculus(Crew):
    """Makes series, each with a goroutine that gives its terms."""

    def series(self, body, *args):
        out = PS()
        self.go(body, out, *args)
        return out

    # Splitting: every generation serves one item to both outputs, read at different rates.

    def _dosplit(self, source, outs, wait):
        both = False
        i = select(on_recv(outs[0].req), on_recv(wait)).index
        if i == 1:
            both = True
            if select(on_recv(outs[0].req), on_recv(outs[1].req)).index == 1:
                outs = outs[::-1]
        source.req.send(None)
        release = Chan()
        self.go(self._dosplit, source, outs, release)
        item = source.dat.recv()
        outs[0].dat.send(item)
        if not both:
            wait.recv()
        outs[1].req.recv()
        outs[1].dat.send(item)
        release.send(None)

    def _split_into(self, source, outs):
        release = Chan()
        self.go(self._dosplit, source, outs, release)
        release.send(None)

    def split(self, source):
        outs = [PS(), PS()]
        self.go(self._split_into, source, outs)
        return outs

    @staticmethod
    def get2(u, v):
        """One item of each, in whatever order they come."""
        req, dat, out = [u.req, v.req], [None, None], [None, None]
        for _ in range(4):
            i, item, _ = select(
                on_send(req[0], None), on_send(req[1], None), on_recv(dat[0]), on_recv(dat[1])
            )
            if i < 2:
                dat[i], req[i] = (u, v)[i].dat, None
            else:
                out[i - 2], dat[i - 2] = item, None
        return out

    # Series

    def rep(self, c):
        def body(z):
            while True:
                z.put(c)

        return self.series(body)

    def add(self, u, v):
        def body(z):
            while True:
                z.req.recv()
                a, b = self.get2(u, v)
                if a is not None and b is not None:
                    z.dat.send(a + b)
                elif a is None and b is None:
                    z.dat.send(None)
                elif a is None:
                    z.dat.send(b)
                    z.copy_from(v)
                else:
                    z.dat.send(a)
                    z.copy_from(u)

        return self.series(body)

    def cmul(self, c, u):
        def body(z):
            while True:
                z.req.recv()
                a = u.get()
                if a is None:
                    break
                z.dat.send(c * a)
            z.dat.send(None)

        return self.series(body)

    def sub(self, u, v):
        return self.add(u, self.cmul(F(-1), v))

    def shift(self, c, u):
        def body(z):
            z.put(c)
            z.copy_from(u)

        return self.series(body)

    def poly(self, *coefficients):
        def body(z):
            for c in coefficients:
                z.put(F(c))
            z.put(None)

        return self.series(body)

    def mul(self, u, v):
        """(u + x UU)(v + x VV) = uv + x (u VV + v UU) + x x UU VV."""

        def body(z):
            z.req.recv()
            a, b = self.get2(u, v)
            if a is None or b is None:
                z.dat.send(None)
                return
            z.dat.send(a * b)
            uu, vv = self.split(u), self.split(v)
            w = self.split(self.add(self.cmul(a, vv[0]), self.cmul(b, uu[0])))
            z.req.recv()
            z.dat.send(w[0].get())
            w[1].get()
            z.copy_from(self.add(w[1], self.mul(uu[1], vv[1])))

        return self.series(body)

    def diff(self, u):
        def body(z):
            z.req.recv()
            a, i = u.get(), 1
            while a is not None:
                a = u.get()
                if a is not None:
                    z.dat.send(i * a)
                    z.req.recv()
                    i += 1
            z.dat.send(None)

        return self.series(body)

    def integ(self, c, u):
        def body(z):
            z.put(c)
            i = 1
            while True:
                z.req.recv()
                a = u.get()
                if a is None:
                    break
                z.dat.send(a / i)
                i += 1
            z.dat.send(None)

        return self.series(body)

    def recip(self, u):
        def body(z):
            z.req.recv()
            first = 1 / u.get()
            z.dat.send(first)
            zz = [PS(), PS()]
            self._split_into(self.mul(self.cmul(-first, u), self.shift(first, zz[0])), zz)
            z.copy_from(zz[1])

        return self.series(body)

    def exp(self, u):
        zz = [PS(), PS()]
        self._split_into(self.integ(F(1), self.mul(zz[0], self.diff(u))), zz)
        return zz[1]

    def monomial_subst(self, u, c0, n):
        """U(c x^n): each term times a power of c, then n-1 zeros."""

        def body(z):
            c = F(1)
            while True:
                z.req.recv()
                a = u.get()
                if a is None:
                    z.dat.send(None)
                    return
                z.dat.send(a * c)
                c *= c0
                for _ in range(n - 1):
                    z.put(F(0))

        return self.series(body)


@pytest.fixture
def ps(procs):
    calculus = Calculus()
    yield calculus
    calculus.dismiss()


def terms(u, n=N):
    return [u.get() for _ in range(n)]


def test_ones(ps):
    assert terms(ps.rep(F(1)), 5) == [1] * 5


def test_add_and_sub(ps):
    ones, twos = ps.rep(F(1)), ps.rep(F(2))
    assert terms(ps.add(ones, twos)) == [3] * N
    assert terms(ps.sub(ps.rep(F(1)), ps.rep(F(2)))) == [-1] * N


def test_series_that_end(ps):
    assert terms(ps.add(ps.poly(1, 2), ps.poly(10, 20, 30, 40)), 5) == [11, 22, 30, 40, None]
    assert terms(ps.add(ps.poly(1), ps.rep(F(1))), 4) == [2, 1, 1, 1]
    assert terms(ps.cmul(F(3), ps.poly(1, 2, 3)), 4) == [3, 6, 9, None]


def test_cmul(ps):
    assert terms(ps.cmul(F(-1), ps.rep(F(2)))) == [-2] * N


def test_diff(ps):
    assert terms(ps.diff(ps.rep(F(1)))) == list(range(1, N + 1))


def test_integ(ps):
    assert terms(ps.integ(F(0), ps.rep(F(1)))) == [0, *(F(1, i) for i in range(1, N))]


def test_mul(ps):
    assert terms(ps.mul(ps.rep(F(1)), ps.rep(F(1)))) == list(range(1, N + 1))


def test_recip(ps):
    """1 / (1 + x + x x + ...) = 1 - x."""
    assert terms(ps.recip(ps.rep(F(1))), 6) == [1, -1, 0, 0, 0, 0]


def test_exp(ps):
    assert terms(ps.exp(ps.rep(F(1)))) == [
        F(1),
        F(1),
        F(3, 2),
        F(13, 6),
        F(73, 24),
        F(167, 40),
        F(4051, 720),
        F(37633, 5040),
        F(43817, 4480),
        F(4596553, 362880),
    ]


def test_arc_tangent(ps):
    at = ps.integ(F(0), ps.monomial_subst(ps.rep(F(1)), F(-1), 2))
    assert terms(at) == [F((-1) ** (i // 2), i) if i % 2 else F(0) for i in range(N)]


def test_a_series_with_itself(ps):
    """Both operands ask on one channel: the two cases of a select are the same."""
    ones = ps.rep(F(1))
    assert terms(ps.add(ones, ones)) == [2] * N
    assert terms(ps.mul(ones, ones)) == list(range(1, N + 1))


def test_all_from_one_pair_of_series(ps):
    """As Go's program has it: whoever made use of them before still asks for terms now and then."""
    ones, twos = ps.rep(F(1)), ps.rep(F(2))
    assert terms(ones, 5) == [1] * 5
    assert terms(ps.add(ones, twos)) == [3] * N
    assert terms(ps.diff(ones)) == list(range(1, N + 1))
    assert terms(ps.integ(F(0), ones)) == [0, *(F(1, i) for i in range(1, N))]
    assert terms(ps.cmul(F(-1), twos)) == [-2] * N
    assert terms(ps.sub(ones, twos)) == [-1] * N
    assert terms(ps.mul(ones, ones)) == list(range(1, N + 1))
    assert terms(ps.exp(ones), 5) == [1, 1, F(3, 2), F(13, 6), F(73, 24)]
    at = ps.integ(F(0), ps.monomial_subst(ones, F(-1), 2))
    assert terms(at) == [F((-1) ** (i // 2), i) if i % 2 else F(0) for i in range(N)]


def test_many_series_at_once(ps):
    """All of the above compete for the Ps."""
    many = [ps.mul(ps.rep(F(1)), ps.rep(F(i))) for i in range(1, 6)]
    got = [[u.get() for u in many] for _ in range(6)]
    assert got == [[i * (n + 1) for i in range(1, 6)] for n in range(6)]
