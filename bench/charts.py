"""Charts as SVG, of text and rectangles; good on white and on black pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH = 920
_MARGIN = 16
_INK, _FAINT, _GRID = "#1f2933", "#66707c", "#dde2e8"
_OURS, _OTHERS, _SECOND = "#0b6bcb", "#a9b4c0", "#d1690e"
_ROW = 22
_LABEL_WIDTH = 150
_TITLE_HEIGHT = 34
_CUT = 3.0
_PANEL_HEIGHT = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Values by name, in a panel.

    Attributes:
        title: Above it.
        values: From the top down.
        ours: Those that are drawn in colour.
    """

    title: str
    values: Sequence[tuple[str, float]]
    ours: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points that are joined.

    Attributes:
        name: In the legend.
        points: x and y, by x.
    """

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines in a panel; both axes begin at 0, the x axis may be logarithmic.

    Attributes:
        title: Above it.
        axis: Below it.
        lines: At most two.
        logarithmic: Of the x axis.
    """

    title: str
    axis: str
    lines: Sequence[Line]
    logarithmic: bool = False


def bars(panels: Sequence[Bars], note: str) -> str:
    """The panels, two beside each other, over a note.

    A bar that is more than three times as long as the longest of ours is cut off, and shows so.
    """
    width = (_WIDTH - 3 * _MARGIN) / 2
    parts: list[str] = []
    top = float(_MARGIN)
    for row in range(0, len(panels), 2):
        pair = panels[row : row + 2]
        for column, panel in enumerate(pair):
            left = _MARGIN + column * (width + _MARGIN)
            parts.append(_bar_panel(panel, left, top, width))
        top += _TITLE_HEIGHT + _ROW * max(len(panel.values) for panel in pair) + _MARGIN
    return _page(parts, top, note)


def lines(panels: Sequence[Lines], note: str) -> str:
    """The panels, three beside each other, over a note."""
    width = (_WIDTH - 4 * _MARGIN) / 3
    parts: list[str] = []
    top = float(_MARGIN)
    for row in range(0, len(panels), 3):
        for column, panel in enumerate(panels[row : row + 3]):
            left = _MARGIN + column * (width + _MARGIN)
            parts.append(_line_panel(panel, left, top, width))
        top += _PANEL_HEIGHT + _MARGIN
    return _page(parts, top, note)


def _page(parts: Sequence[str], height: float, note: str) -> str:
    whole = height + 26
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {whole:.0f}"'
        f' width="{_WIDTH}" height="{whole:.0f}" font-family="system-ui, sans-serif"'
        ' font-size="12">'
    )
    paper = f'<rect width="{_WIDTH}" height="{whole:.0f}" rx="6" fill="#fff"/>'
    written = _text(_MARGIN, height + 10, note, colour=_FAINT, size=11)
    return "\n".join([head, paper, *parts, written, "</svg>", ""])


def _bar_panel(panel: Bars, left: float, top: float, width: float) -> str:
    own = [value for name, value in panel.values if name in panel.ours]
    longest = max(value for _, value in panel.values)
    end = min(longest, _CUT * max(own)) if own else longest
    room = width - _LABEL_WIDTH - 64
    parts = [_text(left, top + 16, panel.title, weight="600", size=14)]
    for number, (name, value) in enumerate(panel.values):
        y = top + _TITLE_HEIGHT + number * _ROW
        ours = name in panel.ours
        length = max(1.5, min(value, end) / end * room)
        x = left + _LABEL_WIDTH
        weight = "600" if ours else "400"
        parts.append(_text(x - 8, y + 12, name, anchor="end", weight=weight))
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{length:.1f}" height="{_ROW - 7}"'
            f' rx="2" fill="{_OURS if ours else _OTHERS}"/>'
        )
        if value > end:
            cut = x + length - 14
            parts.append(
                f'<path d="M{cut:.1f} {y + _ROW - 6:.1f}l6 -{_ROW - 5}h4l-6 {_ROW - 5}z"'
                ' fill="#fff"/>'
            )
        parts.append(_text(x + length + 6, y + 12, _number(value), weight=weight))
    return "\n".join(parts)


def _line_panel(panel: Lines, left: float, top: float, width: float) -> str:
    x0, y0 = left + 46, top + _PANEL_HEIGHT - 42
    room, height = width - 46 - 14, _PANEL_HEIGHT - 42 - _TITLE_HEIGHT
    most = _round_up(max(y for line in panel.lines for _, y in line.points))
    xs = sorted({x for line in panel.lines for x, _ in line.points})
    first, last = (_scaled(x, panel.logarithmic) for x in (xs[0], xs[-1]))

    def place(x: float, y: float) -> tuple[float, float]:
        along = (_scaled(x, panel.logarithmic) - first) / ((last - first) or 1.0)
        return x0 + along * room, y0 - y / most * height

    parts = [_text(left, top + 16, panel.title, weight="600", size=14)]
    for step in range(5):
        value = most * step / 4
        _, y = place(xs[0], value)
        parts += [
            f'<path d="M{x0:.1f} {y:.1f}h{room:.1f}" stroke="{_GRID}"/>',
            _text(x0 - 6, y + 4, _number(value), anchor="end", colour=_FAINT, size=11),
        ]
    shown = -math.inf
    for x in xs:
        along, _ = place(x, 0)
        if along - shown > 26:  # noqa: PLR2004 - so that labels do not touch
            parts.append(_text(along, y0 + 15, _number(x), anchor="middle", colour=_FAINT, size=11))
            shown = along
    parts.append(_text(x0 + room / 2, y0 + 32, panel.axis, anchor="middle", colour=_FAINT, size=11))
    for number, line in enumerate(panel.lines):
        colour = (_OURS, _SECOND)[number]
        places = [place(x, y) for x, y in line.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(
            _text(x0 + 6 + 62 * number, top + _TITLE_HEIGHT, line.name, colour=colour, size=11)
        )
    return "\n".join(parts)


def _text(  # noqa: PLR0913 - by name only
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    colour: str = _INK,
    weight: str = "400",
    size: int = 12,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
        f' font-weight="{weight}" font-size="{size}">{escape(text)}</text>'
    )


def _scaled(x: float, logarithmic: bool) -> float:  # noqa: FBT001 - of a panel
    return math.log10(x) if logarithmic else x


def _round_up(value: float) -> float:
    """The next number that is a good end of an axis."""
    power = 10 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next((n * power for n in (1, 2, 4, 6, 8) if n * power >= value), 10 * power)


def _number(value: float) -> str:
    """Three digits of it, or all before the point."""
    if value == 0:
        return "0"
    if value >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    return f"{value:.3g}"
