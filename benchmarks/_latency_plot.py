"""The picture of `latency`, as SVG text: a row for each contender of each case, one log axis.

A row shows the distribution: a thick bar from p50 to p99, a thin line on to the max, a dot at each;
a red stroke where the bar for p99 is, and the row's name in red if it is missed.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import Protocol

LEFT, WIDTH, ROW, TOP = 130, 620, 18, 56  # pixels
LEAST, MOST = 1e-5, 10.0  # seconds, at the ends of the axis
DECADES = round(math.log10(MOST / LEAST))
COLORS = {
    "gmprt": "#1f77b4",
    "gmprt apart": "#17a2b8",
    "asyncio": "#2ca02c",
    "gevent": "#9467bd",
    "threads": "#8c564b",
    "go": "#e377c2",
}


class Row(Protocol):
    """What is plotted of a contender in a case."""

    who: str
    bar: float | None
    fault: str

    def at(self, share: float) -> float: ...

    @property
    def over(self) -> bool: ...


def x_of(seconds: float) -> float:
    """Return where a time is on the axis; what is beyond its ends is put there."""
    return LEFT + WIDTH * math.log10(min(max(seconds, LEAST), MOST) / LEAST) / DECADES


def text(x: float, y: float, words: str, **style: str) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{stroke}" stroke-width="{width}"/>'
    )


def strip(row: Row, y: float) -> list[str]:
    """Return what a contender's row consists of; y is its middle."""
    over = row.over
    parts = [text(LEFT - 8, y + 4, row.who, text_anchor="end", fill="#c00" if over else "#222")]
    if row.bar is not None:
        parts.append(line(x_of(row.bar), y - 8, x_of(row.bar), y + 8, "#c00", 2))
    if row.fault:
        return [*parts, text(LEFT + 6, y + 4, row.fault, fill="#888", font_style="italic")]
    color = COLORS.get(row.who, "#222")
    p50, p99, most = (x_of(row.at(share)) for share in (0.5, 0.99, 1.0))
    parts += [line(p50, y, most, y, color, 1.5), line(p50, y, p99, y, color, 6)]
    parts += [f'<circle cx="{x:.1f}" cy="{y}" r="3.5" fill="{color}"/>' for x in (p50, p99, most)]
    return parts


def axis(bottom: float) -> list[str]:
    """Return the decades, named above, from the top to the bottom."""
    parts = []
    for decade in range(DECADES + 1):
        seconds = LEAST * 10**decade
        x = x_of(seconds)
        name = f"{seconds * 1e3:g} ms" if seconds < 0.999 else f"{seconds:g} s"
        parts.append(line(x, TOP - 6, x, bottom, "#ddd"))
        parts.append(text(x, TOP - 12, name, text_anchor="middle", fill="#555"))
    return parts


def plot(title: str, groups: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """Return the picture: for each group its name and rows."""
    parts: list[str] = []
    y = TOP + ROW
    for name, rows in groups:
        parts.append(text(8, y, name, font_weight="bold"))
        for row in rows:
            y += ROW
            parts += strip(row, y - 4)
        y += 2 * ROW
    height = y - ROW // 2
    head = text(8, 18, f"Lateness of ticks: p50 to p99 (thick), to max (thin). {title}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" height="{height}"'
            ' font-family="sans-serif" font-size="12">',
            '<rect width="100%" height="100%" fill="#fff"/>',
            head,
            *axis(height - 8),
            *parts,
            "</svg>\n",
        ]
    )
