"""A client that leaves at any moment."""

import asyncio
import gc

import pytest

from tests.unit.graphql.shop import open_shop, slow
from tests.virtual_time import run

QUERY = """{ dashboard { user { name } recentOrders(limit: 3) { id payment { id }
  items { product { id } } } notifications { id } } }"""


@pytest.mark.filterwarnings(
    # The executor drops what it was about to await.
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
def test_nothing_is_asked_for_a_client_that_has_left():
    """Whatever step it leaves at, no service is busy a moment later, nor asked any more."""

    async def story():
        async with open_shop() as shop:
            shop.break_(**dict.fromkeys(("products", "payments"), slow(1.0)))
            for steps in range(1, 80):
                asking = asyncio.create_task(shop.ask(QUERY))
                await passes(steps)
                assert not asking.done()
                asking.cancel()
                await asyncio.wait([asking])
                await passes(10)
                assert shop.busy == {}, steps
                asked = counted(shop)
                await asyncio.sleep(10.0)
                assert counted(shop) == asked, steps

    run(story())
    gc.collect()  # the complaint belongs to this test


async def passes(count):
    for _ in range(count):
        await asyncio.sleep(0)


def counted(shop):
    return [len(service.asked) for service in shop.services.values()]
