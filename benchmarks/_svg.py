"""Pieces of pictures, as SVG text, and a scale of decades; no script, no network."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

COLORS: Mapping[str, str] = {
    "gmprt": "#1f77b4",
    "gmprt apart": "#17a2b8",
    "asyncio": "#2ca02c",
    "uvloop": "#98a832",
    "gevent": "#9467bd",
    "trio": "#d6a02a",
    "curio": "#e0792f",
    "threads": "#8c564b",
    "pool": "#b98a7d",
    "pyroutine": "#7f7f7f",
    "go": "#e377c2",
}


def color(who: str) -> str:
    """Return a contender's color; the variants of gmprt have gmprt's."""
    return COLORS.get(who) or (COLORS["gmprt"] if who.startswith("gmprt") else "#222")


def text(x: float, y: float, words: str, **style: str) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{stroke}" stroke-width="{width}"/>'
    )


def dot(x: float, y: float, fill: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{fill}"/>'


def picture(width: float, height: float, parts: list[str]) -> str:
    """Return the whole picture."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
            ' font-family="sans-serif" font-size="12">',
            '<rect width="100%" height="100%" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for name, unit in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= unit * 0.999:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1e9:.3g} ns"


@dataclass(frozen=True)
class Decades:
    """A logarithmic axis from one power of ten to another, over so many pixels."""

    left: float
    width: float
    least: float
    most: float

    @classmethod
    def around(cls, left: float, width: float, values: list[float]) -> "Decades":
        """Return the axis that has room for all of the values, which are above 0."""
        low = math.floor(math.log10(min(values)))
        high = max(math.ceil(math.log10(max(values))), low + 1)
        return cls(left, width, 10.0**low, 10.0**high)

    @property
    def n(self) -> int:
        return round(math.log10(self.most / self.least))

    def x(self, value: float) -> float:
        """Return where a value is; what is beyond an end is put there."""
        inside = min(max(value, self.least), self.most)
        return self.left + self.width * math.log10(inside / self.least) / self.n

    def ticks(self) -> Iterator[tuple[float, float]]:
        """Yield each decade's value and place."""
        for decade in range(self.n + 1):
            value = self.least * 10.0**decade
            yield value, self.x(value)
