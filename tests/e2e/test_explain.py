"""An operation explained in the explorer, in a real browser, on the real demo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from tests.e2e.test_explorer import (
    CHROMIUM,
    QUIET,
    Explorer,
    bottom,
    in_a_browser,
    new_explorer,
    running_demo,
    top,
)

pytestmark = in_a_browser


@pytest.fixture(scope="module")
def demo() -> Iterator[Mapping[str, str]]:
    with running_demo() as printed:
        yield printed


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def explorer(browser, demo) -> Iterator[Explorer]:
    """The browser must have nothing to say; the services are well at the end."""
    with new_explorer(browser, demo["explorer"]) as explorer:
        yield explorer
    assert explorer.complaints == []
    for name in ("users", "orders"):
        httpx.delete(f"{demo[f'service {name}']}/faults")


def explained(explorer: Explorer, mode: str) -> dict:
    """The explanation of what is in the editor."""
    explorer.page.get_by_role("radio", name=mode).check()
    return explorer.run()["extensions"]["explain"]


def cells(table: Locator) -> dict[str, list[str]]:
    """The words of each row, by its heading."""
    rows = table.get_by_role("row").filter(has=table.page.get_by_role("rowheader"))
    return {
        row.get_by_role("rowheader").inner_text(): row.get_by_role("cell").all_inner_texts()
        for row in rows.all()
    }


def stretch(table: Locator, heading: str) -> tuple[float, float]:
    """Where the bar of that row begins and ends, in pixels."""
    bar = table.get_by_role("row", name=heading).locator(".explain-bar > span").last
    box = bar.bounding_box()
    assert box is not None
    return box["x"], box["x"] + box["width"]


def test_nothing_is_explained_unless_asked_for(explorer):
    """The first answer is a program's answer."""
    expect(explorer.page.get_by_role("radio", name="off")).to_be_checked()
    assert "extensions" not in explorer.run()
    expect(explorer.page.locator(".explained")).to_have_count(0)


def test_a_waterfall_of_what_was_asked(explorer):
    """A row for each question, each in its time: products come after the orders."""
    told = explained(explorer, "analyze")
    table = explorer.page.get_by_role("region", name="Analysis").get_by_role("table")
    rows = cells(table)
    assert {name.split(" ")[0] for name in rows} == {
        "users.by_id",
        "orders.recent",
        "notifications.recent",
        "products.by_ids",
    }
    assert rows["orders.recent"][0] == "live"
    summary = explorer.page.locator(".explained summary")
    expect(summary).to_contain_text(f"{told['totals']['calls']} calls in ")
    assert stretch(table, "products.by_ids")[0] >= stretch(table, "orders.recent")[1]


def test_failed_calls_are_told_in_words(explorer, demo):
    """Each attempt has its row, below the old value that stands for them."""
    explorer.run()
    httpx.put(f"{demo['service orders']}/faults", json={"errorRate": 1})
    told = explained(explorer, "analyze")
    table = explorer.page.get_by_role("region", name="Analysis").get_by_role("table")
    rows = cells(table)
    attempts = [call for call in told["calls"] if call["service"] == "orders"]
    assert "stale" in rows["orders.recent"][0]
    assert "SERVER_ERROR" in rows["orders.recent"][0]
    assert len(attempts) > 1
    for attempt in attempts:
        assert rows[f"call {attempt['attempt']}"][0] == "UPSTREAM_UNAVAILABLE"
    expect(explorer.page.get_by_role("status")).to_contain_text("Degraded: 1 part is old")


def test_what_is_still_under_way_is_told(explorer, demo):
    """The renewal of an old value goes on after the answer."""
    explorer.run()
    httpx.put(f"{demo['service users']}/faults", json={"latencySeconds": 1})
    explained(explorer, "analyze")
    table = explorer.page.get_by_role("region", name="Analysis").get_by_role("table")
    rows = cells(table)
    assert "REVALIDATING" in rows["users.by_id"][0]
    assert rows["call 1"][0] == "still under way"


def test_a_plan_asks_nobody(explorer):
    """Wave by wave, with what is kept."""
    explorer.run()
    told = explained(explorer, "plan")
    table = explorer.page.get_by_role("region", name="Plan").get_by_role("table")
    rows = cells(table)
    assert {"Wave 1", "Wave 2", "users.by_id", "orders.recent"} <= set(rows)
    assert rows["users.by_id"][:3] == ["asked", "1 old", "closed, 0 in flight"]
    assert told["calls"] == 4
    expect(explorer.page.locator(".explained summary")).to_contain_text(
        "At most 4 calls in 2 waves"
    )


def test_an_explanation_belongs_to_its_answer(explorer):
    """Another tab has another; and none after an operation that was not explained."""
    explained(explorer, "analyze")
    explanation = explorer.page.locator(".explained")
    result = explorer.page.get_by_role("region", name="Result Window")
    assert bottom(explanation) <= top(result)
    explorer.choose("Order")
    expect(explanation).to_have_count(0)
    explorer.choose("Dashboard")
    expect(explanation).to_have_count(1)
    explorer.page.get_by_role("radio", name="off").check()
    explorer.run()
    expect(explanation).to_have_count(0)


def test_it_can_be_used_by_keyboard(explorer):
    """Arrows choose, Enter folds, and what scrolls can be reached."""
    keyboard = explorer.page.keyboard
    explorer.page.get_by_role("radio", name="off").focus()
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    expect(explorer.page.get_by_role("radio", name="analyze")).to_be_checked()
    explorer.run()
    explorer.page.get_by_role("radio", name="analyze").focus()
    keyboard.press("Tab")
    expect(explorer.page.locator(".explained summary")).to_be_focused()
    keyboard.press("Tab")
    region = explorer.page.get_by_role("region", name="Analysis")
    expect(region).to_be_focused()
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    expect(region).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_two_kinds_of_bar_look_alike_without_colour(explorer, demo, scheme):
    """Each is filled, framed or hatched in a way of its own."""
    explorer.page.emulate_media(color_scheme=scheme)
    looks = ["live", "kept", "stale", "failed", "likely"]
    explorer.page.evaluate(
        """looks => document.querySelector(".graphiql-container").append(...looks.map(look => {
            const bar = document.createElement("i");
            bar.className = `explain-${look}`;
            return bar;
        }))""",
        looks,
    )
    seen = explorer.page.evaluate(
        """looks => looks.map(look => {
            const style = getComputedStyle(document.querySelector(`i.explain-${look}`));
            return [style.backgroundImage.replaceAll(/rgba?\\([^)]*\\)|hsla?\\([^)]*\\)/g, ""),
                style.borderTopWidth].join(" ");
        })""",
        looks,
    )
    assert len(set(seen)) == len(looks)
