"""Go's test/chan/powser2.go in Python: powser1.go once more, with channels of interfaces.

What flows is an `Item`, of which there are two kinds, a rational number and the end of the series;
no receiver knows which comes, and none looks at what it is, only at what it does. A series is a
function of a demand channel here, and the split keeps what the slower reader has not had yet.
"""

from abc import ABC, abstractmethod
from fractions import Fraction

import pytest

from gmprt import Chan, on_recv, on_send, select
from tests.conformance.parking import Crew

N = 10


class Item(ABC):
    """One term, or that there is none."""

    last: bool

    @abstractmethod
    def times(self, factor: Fraction) -> "Item": ...

    @abstractmethod
    def plus(self, other: "Item") -> "Item": ...

    @abstractmethod
    def shown(self) -> str: ...


class Rat(Item):
    last = False

    def __init__(self, num, den=1):
        self.value = Fraction(num, den)

    def times(self, factor):
        return Rat(self.value * factor)

    def plus(self, other):
        return self if other.last else Rat(self.value + other.value)

    def shown(self):
        return str(self.value)


class End(Item):
    last = True

    def times(self, factor):
        return self

    def plus(self, other):
        return other

    def shown(self):
        return "end"


FINIS = End()


class Demand:
    """A channel that gives an item when asked for one."""

    def __init__(self):
        self.req, self.dat = Chan(), Chan()

    def get(self):
        self.req.send(None)
        return self.dat.recv()

    def put(self, item):
        self.req.recv()
        self.dat.send(item)


class Series(Crew):
    def of(self, body, *args):
        """Run `body`, a generator of items, as a goroutine that gives them when asked."""
        out = Demand()
        self.go(self._serve, out, body, args)
        return out

    @staticmethod
    def _serve(out, body, args):
        items = body(*args)
        while True:
            out.req.recv()
            out.dat.send(next(items, FINIS))

    @staticmethod
    def get_both(u, v):
        """An item of each, whichever comes first."""
        asks, gives, got = [u.req, v.req], [None, None], [None, None]
        while None in got:
            cases = [on_send(ch, None) for ch in asks] + [on_recv(ch) for ch in gives]
            i, item, _ = select(*cases)
            if i < 2:
                asks[i], gives[i] = None, (u, v)[i].dat
            else:
                gives[i - 2], got[i - 2] = None, item
        return got

    def split(self, source):
        """Two series with the items of one, read at different rates."""
        outs = (Demand(), Demand())
        self.go(self._split, source, outs)
        return outs

    @staticmethod
    def _split(source, outs):
        """Serve whoever asks, also while the source is asked: it may need what comes out here."""
        ahead = ([], [])  # what the other has had already
        asked, pending = [False, False], False
        while True:
            for i in range(2):
                if asked[i] and ahead[i]:
                    asked[i] = False
                    outs[i].dat.send(ahead[i].pop(0))
            i, item, _ = select(
                *[on_recv(None if asked[i] else outs[i].req) for i in range(2)],
                on_send(source.req if any(asked) and not pending else None, None),
                on_recv(source.dat if pending else None),
            )
            if i < 2:
                asked[i] = True
            elif i == 2:
                pending = True
            else:
                pending = False
                for queue in ahead:
                    queue.append(item)

    # Series: generators of items, which ask others for theirs

    def rep(self, c):
        def body():
            while True:
                yield Rat(c)

        return self.of(body)

    def poly(self, *coefficients):
        return self.of(lambda: map(Rat, coefficients))

    def add(self, u, v):
        def body():
            while True:
                a, b = self.get_both(u, v)
                yield a.plus(b)

        return self.of(body)

    def cmul(self, c, u):
        def body():
            while True:
                yield u.get().times(Fraction(c))

        return self.of(body)

    def sub(self, u, v):
        return self.add(u, self.cmul(-1, v))

    def mul(self, u, v):
        """(u + x UU)(v + x VV) = uv + x (u VV + v UU) + x x UU VV."""

        def body():
            a, b = self.get_both(u, v)
            if a.last or b.last:
                return
            yield a.times(b.value)
            uu, vv = self.split(u), self.split(v)
            w = self.add(self.cmul(a.value, vv[0]), self.cmul(b.value, uu[0]))
            yield w.get()
            rest = self.add(w, self.mul(uu[1], vv[1]))
            while True:
                yield rest.get()

        return self.of(body)

    def diff(self, u):
        def body():
            u.get()
            i = 1
            while True:
                yield u.get().times(Fraction(i))
                i += 1

        return self.of(body)

    def integ(self, c, u):
        def body():
            yield Rat(c)
            i = 1
            while True:
                yield u.get().times(Fraction(1, i))
                i += 1

        return self.of(body)

    def exp(self, u):
        """Z' = Z U', and so Z is the integral of that: it feeds on itself."""
        fed = Demand()
        z = self.split(self.integ(1, self.mul(fed, self.diff(u))))

        def feed():
            while True:
                fed.req.recv()
                fed.dat.send(z[0].get())

        self.go(feed)
        return z[1]

    def monomial_subst(self, u, c, n):
        """U(c x^n): each term times a power of c, then n-1 zeros."""

        def body():
            power = Fraction(1)
            while not (item := u.get()).last:
                yield item.times(power)
                power *= c
                for _ in range(n - 1):
                    yield Rat(0)

        return self.of(body)


@pytest.fixture
def series(procs):
    crew = Series()
    yield crew
    crew.dismiss()


def shown(u, n=N):
    return " ".join(u.get().shown() for _ in range(n))


def test_ones_and_sums(series):
    ones, twos = series.rep(1), series.rep(2)
    assert shown(ones, 5) == "1 1 1 1 1"
    assert shown(series.add(ones, ones), 5) == "2 2 2 2 2"
    assert shown(series.add(ones, twos), 5) == "3 3 3 3 3"
    assert shown(series.sub(ones, twos), 5) == "-1 -1 -1 -1 -1"
    assert shown(series.cmul(-1, twos), 5) == "-2 -2 -2 -2 -2"


def test_the_end_is_an_item_like_any(series):
    """It passes through every operation, and is given as often as one asks."""
    assert shown(series.poly(1, 2), 4) == "1 2 end end"
    assert shown(series.cmul(3, series.poly(1, 2)), 4) == "3 6 end end"
    assert shown(series.add(series.poly(1), series.poly(10, 20)), 4) == "11 20 end end"
    assert shown(series.mul(series.poly(1, 1), series.poly(1, 1)), 5) == "1 2 1 end end"
    assert shown(series.diff(series.poly(5, 4, 3)), 4) == "4 6 end end"
    left, right = series.split(series.poly(1, 2))
    assert (shown(left, 4), shown(right, 3)) == ("1 2 end end", "1 2 end")


def test_differentiate_and_integrate(series):
    ones = series.rep(1)
    assert shown(series.diff(ones)) == "1 2 3 4 5 6 7 8 9 10"
    assert shown(series.integ(0, ones)) == "0 1 1/2 1/3 1/4 1/5 1/6 1/7 1/8 1/9"


def test_multiply(series):
    ones = series.rep(1)
    assert shown(series.mul(ones, ones)) == "1 2 3 4 5 6 7 8 9 10"


def test_exponentiate(series):
    assert shown(series.exp(series.rep(1))) == (
        "1 1 3/2 13/6 73/24 167/40 4051/720 37633/5040 43817/4480 4596553/362880"
    )


def test_arc_tangent(series):
    at = series.integ(0, series.monomial_subst(series.rep(1), -1, 2))
    assert shown(at) == "0 1 0 -1/3 0 1/5 0 -1/7 0 1/9"
