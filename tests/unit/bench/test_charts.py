"""Charts and pages of the bench say what was measured."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from bench import charts, flame_chart

SVG = "{http://www.w3.org/2000/svg}"


def elements(svg: str, name: str) -> list[ET.Element]:
    """Those of that name, in their order; raises when it is no XML."""
    return list(ET.fromstring(svg).iter(SVG + name))  # noqa: S314 - our own


def texts(svg: str) -> list[str]:
    """What stands in it."""
    return [text.text for text in elements(svg, "text")]


def widths(svg: str) -> list[float]:
    """Of all rectangles, the paper first."""
    return [float(bar.get("width")) for bar in elements(svg, "rect")]


def test_bars_are_as_long_as_their_values():
    """Twice the value is twice as long, and every value is written beside its bar."""
    panel = charts.Bars(title="q1", values=[("bff", 1.0), ("apollo", 2.0)], ours=("bff",))
    svg = charts.bars([panel], "A note & more.")
    _, ours, theirs = widths(svg)
    assert theirs == pytest.approx(2 * ours)
    assert texts(svg) == ["q1", "bff", "1", "apollo", "2", "A note & more."]


def test_a_bar_that_is_cut_off_shows_it():
    """Beyond three times ours it is no longer to scale, so it has a gap."""
    panel = charts.Bars(title="q1", values=[("bff", 1.0), ("slow", 40.0)], ours=("bff",))
    svg = charts.bars([panel], "")
    _, ours, slow = widths(svg)
    assert slow == pytest.approx(3 * ours)
    assert len(elements(svg, "path")) == 1
    within = charts.Bars(title="q1", values=[("bff", 1.0), ("slow", 3.0)], ours=("bff",))
    assert "<path" not in charts.bars([within], "")


def test_lines_meet_their_axes():
    """The least x stands at the left end, the greatest at the right one, 0 on the axis."""
    line = charts.Line(name="CPU ms", points=[(1, 0), (10, 5), (100, 10)])
    panel = charts.Lines(title="t", axis="x", lines=[line], logarithmic=True)
    circles = elements(charts.lines([panel], ""), "circle")
    xs, ys = ([float(circle.get(name)) for circle in circles] for name in ("cx", "cy"))
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)


def test_a_frame_is_as_wide_as_its_share():
    """Samples with the same way in are one frame; what is outside of the loop is left out."""
    stacks = [
        "main (bff/cli.py);Runner.run (asyncio/runners.py);ask (bff/view.py);work (schema/a.py) 3",
        "main (bff/cli.py);Runner.run (asyncio/runners.py);ask (bff/view.py) 1",
        "main (bff/cli.py);load (bff/settings.py) 9",
    ]
    svg = flame_chart.draw(stacks, "A look.")
    assert "A look. 4 samples." in texts(svg)
    named = {group.find(f"{SVG}title").text: group for group in elements(svg, "g")}
    assert list(named) == ["ask (bff/view.py) 100.0%", "work (schema/a.py) 75.0%"]
    ask, work = (float(group.find(f"{SVG}rect").get("width")) for group in named.values())
    assert work == pytest.approx(0.75 * ask, abs=0.1)


def test_nothing_is_drawn_of_nothing():
    """Rather than a page that shows no work where some was."""
    with pytest.raises(ValueError, match="Nothing was sampled"):
        flame_chart.draw(["main (bff/cli.py) 5"], "")
