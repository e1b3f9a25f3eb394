"""Write what was measured into the pages, between their marks, and draw the charts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import charts
import model
import tables

OURS = "bff"
_ALSO_OURS = "bff, as shipped"
_QUERIES = {
    "q1": "The dashboard (4 calls)",
    "q4": "The dashboard with payments (9 calls)",
    "q2": "100 posts with their users",
    "q3": "A greeting (no call)",
}
_CPU_PANELS = ("orders", "list", "hits", "services")
_TIME_PANELS = ("callers", "latency")
_LOGARITHMIC = frozenset({"callers"})
_BEGIN, _END = "<!-- measured: {} -->", "<!-- end -->"


def write(figures: Path, target: Path) -> None:
    """Write what there are figures for.

    Args:
        figures: Where they are.
        target: The project; or any other folder, which gets the charts and the tables alone.
    """
    is_project = (target / "docs").is_dir()
    images = target / "docs/images" if is_project else target
    pages = target / "docs" if is_project else target
    makers: dict[str, Callable[[Mapping[str, Any], Path, Path], None]] = {
        "comparison": _comparison,
        "growth": _growth,
        "capacity": _capacity,
    }
    if not is_project:
        for name in ("bench.md", "capacity.md"):
            (pages / name).unlink(missing_ok=True)
    for name, make in makers.items():
        path = figures / f"{name}.json"
        if path.exists():
            make(json.loads(path.read_text("utf-8")), images, pages)
    flame = figures / "flame.svg"
    if flame.exists() and is_project:
        shutil.move(flame, images / "bench-flame.svg")


def _comparison(results: Mapping[str, Any], images: Path, pages: Path) -> None:
    panels: list[charts.Bars] = []
    for query, title in _QUERIES.items():
        costs = tables.cpu(results, query)
        if costs:
            values = list(costs.items())
            panels.append(charts.Bars(title=title, values=values, ours=(OURS, _ALSO_OURS)))
    note = f"CPU milliseconds a query, less is better. {tables.circumstances(results)}"
    (images / "bench-peers.svg").write_text(charts.bars(panels, note), "utf-8")
    _put(pages / "bench.md", "comparison", tables.markdown(results, OURS))
    readme = pages.parent / "README.md"
    if readme.exists():
        _put(readme, "comparison", "\n".join(_summary(results)) + "\n")


def _summary(results: Mapping[str, Any]) -> Iterator[str]:
    """Ours beside the best of the others, a line for each query."""
    yield "| CPU milliseconds a query | bff | best peer | | Strawberry + httpx |"
    yield "|---|---:|---:|---|---:|"
    for query, title in _QUERIES.items():
        costs = tables.cpu(results, query)
        others = {name: cost for name, cost in costs.items() if name not in {OURS, _ALSO_OURS}}
        if OURS not in costs or not others:
            continue
        best = min(others, key=others.__getitem__)
        plain = f"{others['strawberry']:.2f}" if "strawberry" in others else ""
        yield f"| {title} | {costs[OURS]:.3f} | {others[best]:.3f} | {best} | {plain} |"
    yield ""
    yield tables.circumstances(results)


def _growth(figures: Mapping[str, Any], images: Path, pages: Path) -> None:
    curves = figures["curves"]
    panels = [
        charts.Lines(
            title=curves[name]["title"],
            axis=curves[name]["axis"],
            lines=[charts.Line(name="CPU ms", points=_points(curves[name], "cpu_ms", min))],
            logarithmic=name in _LOGARITHMIC,
        )
        for name in _CPU_PANELS
    ] + [
        charts.Lines(
            title=curves[name]["title"],
            axis=curves[name]["axis"],
            lines=[
                charts.Line(name="p50 ms", points=_points(curves[name], "p50_ms", min)),
                charts.Line(name="p99 ms", points=_points(curves[name], "p99_ms", min)),
            ],
            logarithmic=name in _LOGARITHMIC,
        )
        for name in _TIME_PANELS
    ]
    note = f"The best of the rounds. {figures['when']}; {figures['machine']}."
    (images / "bench-growth.svg").write_text(charts.lines(panels, note), "utf-8")
    text: list[str] = [f"{figures['when']}; {figures['machine']}. The best of the rounds.", ""]
    for curve in curves.values():
        text += [*_curve(curve), ""]
    _put(pages / "bench.md", "growth", "\n".join(text).rstrip() + "\n")


def _points(
    curve: Mapping[str, Any], key: str, best: Callable[[Iterator[float]], float]
) -> list[tuple[float, float]]:
    return [
        (point["x"], best(each[key] for each in point["rounds"]))
        for point in sorted(curve["points"], key=lambda point: point["x"])
    ]


def _curve(curve: Mapping[str, Any]) -> Iterator[str]:
    titles = "CPU ms | answers/s | p50 ms | p99 ms | KiB | errors | old"
    yield f"| {curve['title']}: {curve['axis']} | {titles} |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|"
    for point in curve["points"]:
        rounds: Sequence[Mapping[str, float]] = point["rounds"]
        cheapest = min(rounds, key=lambda each: each["cpu_ms"])
        quickest = max(each["per_second"] for each in rounds)
        errors = sum(each["errors"] for each in rounds)
        old = sum(each["old"] for each in rounds) / sum(each["answers"] for each in rounds)
        yield (
            f"| {point['x']:g} | {cheapest['cpu_ms']:.3f} | {quickest:,.0f} "
            f"| {min(each['p50_ms'] for each in rounds):.1f} "
            f"| {min(each['p99_ms'] for each in rounds):.1f} "
            f"| {cheapest['bytes_each'] / 1024:.1f} | {errors:.0f} | {old:.0%} |"
        )


def _capacity(figures: Mapping[str, Any], images: Path, pages: Path) -> None:
    _put(pages / "capacity.md", "capacity", "\n".join(model.markdown(figures)) + "\n")


def _put(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of *name*; a page that is not there is only that."""
    if not page.exists():
        page.write_text(text, "utf-8")
        return
    begin = _BEGIN.format(name)
    before, _, rest = page.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{begin}\n{text}{_END}{after}", "utf-8")
