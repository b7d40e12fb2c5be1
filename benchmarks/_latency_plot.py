"""The picture of `latency`, as SVG text: a row for each contender of each case, one log axis.

A row shows the distribution: a thick bar from p50 to p99, a thin line on to the max, a dot at each;
a red stroke where the bar for p99 is, and the row's name in red if it is missed.
"""

from collections.abc import Sequence
from typing import Protocol

from benchmarks._svg import Decades, color, dot, duration, line, picture, text

LEFT, WIDTH, ROW, TOP = 130, 620, 18, 56  # pixels
AXIS = Decades(LEFT, WIDTH, 1e-5, 10.0)  # seconds


class Row(Protocol):
    """What is plotted of a contender in a case."""

    who: str
    bar: float | None
    fault: str

    def at(self, share: float) -> float: ...

    @property
    def over(self) -> bool: ...


def strip(row: Row, y: float) -> list[str]:
    """Return what a contender's row consists of; y is its middle."""
    over = row.over
    parts = [text(LEFT - 8, y + 4, row.who, text_anchor="end", fill="#c00" if over else "#222")]
    if row.bar is not None:
        parts.append(line(AXIS.x(row.bar), y - 8, AXIS.x(row.bar), y + 8, "#c00", 2))
    if row.fault:
        return [*parts, text(LEFT + 6, y + 4, row.fault, fill="#888", font_style="italic")]
    stroke = color(row.who)
    p50, p99, most = (AXIS.x(row.at(share)) for share in (0.5, 0.99, 1.0))
    parts += [line(p50, y, most, y, stroke, 1.5), line(p50, y, p99, y, stroke, 6)]
    return parts + [dot(x, y, stroke) for x in (p50, p99, most)]


def axis(bottom: float) -> list[str]:
    """Return the decades, named above, from the top to the bottom."""
    parts = []
    for seconds, x in AXIS.ticks():
        parts.append(line(x, TOP - 6, x, bottom, "#ddd"))
        parts.append(text(x, TOP - 12, duration(seconds), text_anchor="middle", fill="#555"))
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
    return picture(LEFT + WIDTH + 30, height, [head, *axis(height - 8), *parts])
