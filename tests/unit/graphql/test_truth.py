"""Whatever the services do, every null and every old value in the answer is explained."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from bff.graphql.on_error import OnError
from tests.unit.graphql.shop import (
    BUSY,
    FAILS,
    GARBLES,
    HANGS,
    NAMES,
    REFUSES,
    RESETS,
    WELL,
    open_shop,
    slow,
)
from tests.virtual_time import run

FRESHNESS = "freshness { origin reason ageSeconds }"
QUERIES = {
    "dashboard": f"""{{ dashboard {{
        user {{ id {FRESHNESS} }}
        recentOrders {{ id {FRESHNESS}
          payment {{ id {FRESHNESS} }} items {{ product {{ id {FRESHNESS} }} }} }}
        notifications {{ id {FRESHNESS} }} }} }}""",
    "aliases": f"""{{
        one: order(id: "o1") {{ ...Whole }} two: order(id: "o2") {{ ...Whole }}
        none: order(id: "o9") {{ ...Whole }}
        me {{ id {FRESHNESS} }} again: me {{ name {FRESHNESS} }}
        some: products(ids: ["p1", "p0", "p2"]) {{ id {FRESHNESS} }} }}
      fragment Whole on Order {{ id {FRESHNESS}
        paid: payment {{ id {FRESHNESS} }} items {{ what: product {{ id {FRESHNESS} }} }} }}""",
    "pages": f"""{{
        orders(first: 2) {{ edges {{ node {{ ...Some }} }} }}
        notifications(first: 2) {{ edges {{ node {{ id {FRESHNESS} }} }} }}
        dashboard {{ ... on Dashboard {{ recentOrders(limit: 2) {{ ...Some }} }} }} }}
      fragment Some on Order {{ id {FRESHNESS} payment {{ id {FRESHNESS} }} }}""",
}
FAULTS = [WELL, FAILS, REFUSES, BUSY, GARBLES, RESETS, HANGS, slow(0.2), slow(2.0)]
LISTS = {"recentOrders", "orders", "notifications"}


def positions(node, path=(), parent=None):
    """Every value of an answer, with its path and what it stands in."""
    yield path, node, parent
    if isinstance(node, (dict, list)):
        for step, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from positions(child, (*path, step), node)


def is_the_truth(path, parent):
    """Whether null is what the services say there, when they are well: see `shop.found`."""
    if path[-1] in {"payment", "paid"}:
        return parent["id"] == "o2"
    if path[-1] in {"product", "what"}:
        return path[-2] == 1
    return path[-1] == "reason" or path in {("none",), ("some", 1)}


def shown_at(path):
    """Where an object of the services was put into the answer: all of a list come in one answer."""
    for length, step in enumerate(path, 1):
        if step in LISTS and all(
            isinstance(s, int) or s in {"edges", "node"} for s in path[length:]
        ):
            return path[:length]
    return path


def check(answer, on_error):
    """Every claim that an answer makes of itself."""
    data = answer["data"]
    errors = [tuple(error["path"]) for error in answer.get("errors", [])]
    entries = answer.get("extensions", {}).get("degraded", [])
    assert len(set(errors)) == len(errors)
    by_path = {tuple(entry["path"]): entry for entry in entries}
    assert len(by_path) == len(entries)

    nulls = {path: parent for path, value, parent in positions(data) if value is None}
    untrue = {path for path in nulls if path and not is_the_truth(path, nulls[path])}
    if on_error == "HALT" and errors:
        assert (data, len(errors)) == (None, 1)
    else:
        for error in errors:  # at its path, or as far up as it had to go
            assert any(error[: len(null)] == null for null in nulls)
        for null in untrue:
            assert any(error[: len(null)] == null for error in errors)
        if on_error == "NULL":
            assert untrue <= set(errors) <= set(nulls)

    old: dict[tuple[object, ...], set[tuple[str, float]]] = {}
    for path, value, _ in positions(data):
        if isinstance(value, dict) and value.get("freshness", {}).get("origin") == "STALE":
            freshness = value["freshness"]
            old.setdefault(shown_at(path), set()).add(
                (freshness["reason"], freshness["ageSeconds"])
            )
    stale = {path: entry for path, entry in by_path.items() if entry["served"] == "STALE"}
    assert {path: {(e["reason"], e["ageSeconds"])} for path, e in stale.items()} == old
    told = {tuple(error["path"]): error["extensions"] for error in answer.get("errors", [])}
    missing = {path: entry for path, entry in by_path.items() if entry["served"] == "NOTHING"}
    assert set(missing) == {path for path in told if told[path]["code"] != "FORBIDDEN"}
    for path, entry in missing.items():
        assert entry["service"] == told[path]["service"]
        assert (entry["reason"] is None, entry["ageSeconds"]) == (False, None)


WORLDS = st.fixed_dictionaries({name: st.sampled_from(FAULTS) for name in NAMES}).filter(
    # Who is refused an order by its id is told that there is none: null is the truth then.
    lambda faults: faults["orders"] is not REFUSES
)
SCHEDULES = given(
    worlds=st.lists(WORLDS, min_size=1, max_size=3),
    name=st.sampled_from(sorted(QUERIES)),
    on_error=st.sampled_from(sorted(OnError)),
    warm=st.booleans(),
    milliseconds=st.sampled_from([None, "100", "1000"]),
)


@seed(20260301)
@settings(max_examples=8, deadline=None, database=None, phases=[Phase.generate])
@SCHEDULES
def test_every_answer_is_true(**schedule):
    """One fault after another, cold or warm, with any way to treat errors."""
    every_answer_is_true(**schedule)


@pytest.mark.slow
@seed(20260302)
@settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate])
@SCHEDULES
def test_every_answer_of_many_is_true(**schedule):
    """The same, with more of them."""
    every_answer_is_true(**schedule)


def every_answer_is_true(worlds, name, on_error, warm, milliseconds):
    async def story():
        async with open_shop() as shop:
            if warm:
                await shop.warm(QUERIES[name])
            for faults in worlds:
                shop.break_(**faults)
                headers = {"X-Request-Timeout-Ms": milliseconds} if milliseconds else {}
                check(await shop.ask(QUERIES[name], on_error=on_error, **headers), on_error)
                await asyncio.sleep(1.0)

    run(story())


@pytest.mark.parametrize("on_error", OnError)
@pytest.mark.parametrize("name", QUERIES)
def test_when_all_is_well_nothing_is_said(name, on_error):
    """No error, no entry, and only such nulls as are the truth."""

    async def story():
        async with open_shop() as shop:
            return await shop.ask(QUERIES[name], on_error=on_error)

    answer = run(story())
    assert set(answer) == {"data"}
    check(answer, on_error)
    nulls = [path for path, value, _ in positions(answer["data"]) if value is None]
    assert any(path[-1] != "reason" for path in nulls)


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("failing", NAMES)
def test_halted_nothing_is_left_of_it(name, failing):
    """One service fails, the others hang from then on: after the answer none is asked any more."""

    async def story():
        async with open_shop() as shop:
            shop.break_(**dict.fromkeys(NAMES, HANGS) | {"orders": WELL, failing: FAILS})
            answer = await shop.ask(QUERIES[name], on_error="HALT")
            for _ in range(5):
                await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}  # who has a slot is a task
            return answer, shop.busy, [len(service.asked) for service in shop.services.values()]

    answer, busy, asked = run(story())
    check(answer, "HALT")
    assert busy == {}
    assert sum(asked) > 0
