"""The examples of the page on partial answers, asked and answered."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.docs.pages import PROJECT, blocks
from tests.unit.graphql.shop import FAILS, HANGS, open_shop
from tests.virtual_time import run

PAGE = PROJECT / "docs" / "how-to" / "partial-answers.md"
QUERIES = [block.text for block in blocks(PAGE, "graphql")]
ANSWERS = [json.loads(block.text) for block in blocks(PAGE, "json")]

WORLDS = [
    pytest.param({"orders": FAILS}, True, {}, None, id="an old value"),
    pytest.param({"notifications": HANGS}, False, {"budget": 300}, 0.28, id="less time"),
    pytest.param(
        {"orders": FAILS, "notifications": HANGS}, False, {"onError": "HALT"}, 0.0, id="halt"
    ),
]


@pytest.mark.parametrize(("faults", "warm", "given", "seconds"), WORLDS)
def test_an_example(request, faults, warm, given, seconds):
    """The answer is the one on the page, and comes when it says."""
    number = [world.id for world in WORLDS].index(request.node.callspec.id)
    variables = dict(given)
    on_error = variables.pop("onError", None)

    async def story():
        async with open_shop() as shop:
            if warm:
                await shop.warm(QUERIES[number])
            shop.break_(**faults)
            loop = asyncio.get_running_loop()
            begun = loop.time()
            answer = await shop.ask(QUERIES[number], variables=variables, on_error=on_error)
            return answer, loop.time() - begun

    answer, took = run(story())
    for error in answer.get("errors", []):
        del error["locations"]
    assert answer == ANSWERS[number]
    assert seconds is None or took == pytest.approx(seconds)


def test_every_example_is_asked():
    """A block that nobody runs will be wrong one day."""
    assert len(QUERIES) == len(ANSWERS) == len(WORLDS)
