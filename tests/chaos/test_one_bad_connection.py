"""One connection of many is bad: nobody notices."""

import pytest

from tests.chaos.proxy import WELL
from tests.chaos.test_matrix import FAULTS, Cell, newcomers
from tests.chaos.world import open_bff

pytestmark = pytest.mark.slow

BAD = [name for name in FAULTS if name not in {"refused", "slow_close", "hang_up"}]


@pytest.mark.parametrize("fault", BAD)
@pytest.mark.parametrize("name", ["orders", "notifications"])
def test_the_first_connection_is_bad(run, street, name, fault):
    """The repeat on the next one gives a live value; a repeated write is done once."""
    bad = FAULTS[fault]

    async def story():
        async with open_bff(street, retries=3) as bff:
            cell = Cell(street, bff, name, newcomers(street)[BAD.index(fault)])

            async def in_spite_of_it(asking):
                await street.proxies[name].set(WELL, rule=lambda nth: bad if nth == 1 else WELL)
                said = await asking
                await street.heal()
                await bff.quiet(street)
                return said

            assert await in_spite_of_it(cell.read()) == "LIVE"
            await cell.drop_connections()
            key = f"{name}-{fault}"
            written = await in_spite_of_it(cell.write(key))
            if name == "orders":
                assert written == "OrderCreated"
                await cell.is_settled(key, written)
            else:
                assert written == "NotificationRead"

    run(story())
