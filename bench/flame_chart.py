"""A flame graph as SVG: who calls whom, as wide as it takes time, coloured by whose code it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

_WIDTH = 1_180
_MARGIN = 10
_ROW = 17
_HEAD = 46
_NARROWEST = 0.6
_LETTER = 6.3
_ROOT = "Runner.run"
_COLOURS = {
    "bff": "#8ec1f2",
    "schema": "#a5dba8",
    "datasources": "#f5c26b",
    "engine": "#f2a0a0",
    "libraries": "#d9dee4",
}


@dataclass(slots=True)
class _Frame:
    """A function, called on one way.

    Attributes:
        samples: In which it was, itself or what it called.
        called: By name.
    """

    samples: int = 0
    called: dict[str, _Frame] = field(default_factory=dict[str, "_Frame"])


def draw(stacks: Iterable[str], note: str) -> str:
    """The graph.

    Args:
        stacks: Lines of `outermost;…;innermost samples`, each frame as `name (file)`. What is
            outside of the event loop is left out, and so is what was sampled outside of it.
        note: Below the legend.
    """
    root = _Frame()
    for line in stacks:
        told, _, samples = line.rpartition(" ")
        frames = told.split(";")
        begin = next((n + 1 for n, name in enumerate(frames) if name.startswith(_ROOT)), None)
        if begin is not None:
            _count(root, frames[begin:], int(samples))
    if not root.samples:
        raise ValueError("Nothing was sampled.")
    depth = _depth(root)
    height = _HEAD + depth * _ROW + 2 * _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="ui-monospace, monospace" '
        'font-size="10.5">'
    )
    parts = [
        head,
        f'<rect width="{_WIDTH}" height="{height}" rx="6" fill="#fff"/>',
        *_legend(root, note),
        *_rows(root.called, root.samples, float(_MARGIN), 0),
        "</svg>",
        "",
    ]
    return "\n".join(parts)


def _count(root: _Frame, names: Sequence[str], samples: int) -> None:
    frame = root
    frame.samples += samples
    for name in names:
        frame = frame.called.setdefault(name, _Frame())
        frame.samples += samples


def _depth(frame: _Frame) -> int:
    return 1 + max(map(_depth, frame.called.values()), default=-1)


def _legend(root: _Frame, note: str) -> Iterator[str]:
    x = float(_MARGIN)
    for name, colour in _COLOURS.items():
        yield f'<rect x="{x:.0f}" y="10" width="12" height="12" rx="2" fill="{colour}"/>'
        yield f'<text x="{x + 17:.0f}" y="20" fill="#1f2933">{name}</text>'
        x += 17 + _LETTER * len(name) + 22
    told = escape(f"{note} {root.samples:,} samples.")
    yield f'<text x="{_MARGIN}" y="38" fill="#66707c">{told}</text>'


def _rows(called: Mapping[str, _Frame], whole: int, left: float, level: int) -> Iterator[str]:
    y = _HEAD + level * _ROW
    for name, frame in sorted(called.items()):
        width = frame.samples / whole * (_WIDTH - 2 * _MARGIN)
        if width >= _NARROWEST:
            function, _, where = name.partition(" (")
            told = escape(f"{function} ({where} {frame.samples / whole:.1%}", quote=False)
            yield (
                f'<g><title>{told}</title><rect x="{left:.1f}" y="{y}" width="{width:.1f}" '
                f'height="{_ROW - 1}" fill="{_colour(where)}" stroke="#fff" stroke-width="0.5"/>'
            )
            letters = int((width - 6) / _LETTER)
            if letters > 2:  # noqa: PLR2004 - less is no name
                short = function if len(function) <= letters else function[: letters - 1] + "…"
                yield f'<text x="{left + 3:.1f}" y="{y + 12}" fill="#1f2933">{escape(short)}</text>'
            yield "</g>"
            yield from _rows(frame.called, whole, left, level + 1)
        left += width


def _colour(where: str) -> str:
    package = where.partition("/")[0]
    return _COLOURS.get(package, _COLOURS["libraries"])
