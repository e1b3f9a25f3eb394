"""Every fault on the way to every service, before and after the BFF knows anything.

What must come of each is in matrix.toml, which says what its words mean. See docs/chaos.md.
"""

import asyncio
import tomllib
from pathlib import Path

import pytest

from examples.upstreams.fleet import NAMES
from tests.chaos.proxy import WELL, Cut, Fault, Swallow
from tests.chaos.world import SLOTS, open_bff, work_under_way

pytestmark = pytest.mark.slow

MATRIX = tomllib.loads(Path(__file__).with_name("matrix.toml").read_text("utf-8"))

FAULTS = {
    "latency": Fault(latency=0.03),
    "jitter": Fault(jitter=0.05),
    "bandwidth": Fault(bytes_per_second=50_000),
    "slicer": Fault(slice_bytes=16),
    "slow_close": Fault(slow_close=0.05),
    "hang_up": Fault(hang_up=0.01),
    "long_latency": Fault(latency=60.0),
    "narrow": Fault(bytes_per_second=20),
    "trickle": Fault(slice_bytes=1, slice_pause=0.1),
    "black_hole": Fault(swallow=Swallow.REQUESTS),
    "mute": Fault(swallow=Swallow.ANSWERS),
    "reset_before": Fault(cut=Cut.RESET, cut_after=-1),
    "reset_body": Fault(cut=Cut.RESET, cut_after=1),
    "truncated": Fault(cut=Cut.CLOSE, cut_after=1),
    "refused": Fault(refused=True),
}
"""The first six leave everything within its limits; the others do not."""

STALE_CONNECTIONS = "stale_connections"
"""Those that were there are reset when they are used; new ones are well."""

READ = """{ dashboard {
  user { id name freshness { origin reason } }
  recentOrders(limit: 2) { id status freshness { origin reason }
    payment { id status freshness { origin reason } }
    items { product { id name freshness { origin reason } } } }
  notifications(unread: false, limit: 3) { id message freshness { origin reason } } } }"""

ORDER = """mutation($key: String!) { createOrder(input: {
    items: [{productId: "p-1", quantity: 1}], idempotencyKey: $key}) { __typename
  ... on OrderCreated { order { id } } ... on PaymentQueued { order { id } }
  ... on OrderRejected { reason } } }"""

MARK = "mutation($id: ID!) { markNotificationRead(id: $id) { __typename } }"

ALONE = {
    "users": "{ me { id } }",
    "orders": "{ dashboard { recentOrders(limit: 1) { id } } }",
    "products": "{ dashboard { recentOrders(limit: 1) { items { product { id } } } } }",
    "payments": "{ dashboard { recentOrders(limit: 1) { payment { id } } } }",
    "notifications": "{ dashboard { notifications { id } } }",
}

OWNER = {
    "user": "users",
    "recentOrders": "orders",
    "payment": "payments",
    "product": "products",
    "notifications": "notifications",
}


def owner(path):
    """Whose answer stands at *path*."""
    return next(OWNER[step] for step in reversed(path) if step in OWNER)


def shown(node, path=()):
    """Every freshness of an answer, with the service that it is from."""
    if isinstance(node, dict) and "freshness" in node:
        yield owner(path), node["freshness"]
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from shown(value, (*path, key))


def outcome(answer, name):
    """What is shown of service *name*, in a word; the others must be as if nothing were wrong."""
    words = set()
    for service, freshness in shown(answer["data"]):
        if service == name and freshness["origin"] == "STALE":
            words.add(f"STALE {freshness['reason']}")
        elif service == name:
            words.add(freshness["origin"])
        else:
            assert freshness == {"origin": "LIVE", "reason": None}, service
    for error in answer.get("errors", []):
        assert error["extensions"]["service"] == name
        words.add(f"NULL {error['extensions']['code']}")
    degraded = {entry["service"] for entry in answer.get("extensions", {}).get("degraded", [])}
    assert degraded == (set() if words == {"LIVE"} else {name})
    return " and ".join(sorted(words))


class Cell:
    """One service, one fault, and a user whom nobody has met yet."""

    def __init__(self, street, bff, name, user):
        self.street = street
        self.bff = bff
        self.name = name
        self.user = user

    async def during(self, fault, asking):
        """What *asking* says while the fault is there; afterwards it is gone and all is quiet."""
        if fault == STALE_CONNECTIONS:
            await self.street.proxies[self.name].set(FAULTS["reset_before"], rule=lambda _: WELL)
        else:
            await self.street.proxies[self.name].set(FAULTS[fault])
        word = await asking
        await self.street.heal()
        await self.bff.quiet(self.street)
        return word

    async def read(self):
        return outcome(await self.bff.ask(READ, self.user), self.name)

    async def order(self, key):
        """What is said of an order, in a word."""
        answer = await self.bff.ask(ORDER, self.user, {"key": key})
        return word_of(answer, "createOrder")

    async def mark(self, message):
        answer = await self.bff.ask(MARK, self.user, {"id": message})
        return word_of(answer, "markNotificationRead")

    async def write(self, key):
        """The service's own write where it has one, else an order, which needs all the others."""
        if self.name == "notifications":
            (number,) = self.street.rows(
                *("notifications", "SELECT max(number) FROM notifications WHERE user_id = ?"),
                self.user,
            )[0]
            return await self.mark(f"n-{number}")
        return await self.order(key)

    async def drop_connections(self):
        """So that the next request needs a new one."""
        proxy, pool = self.street.proxies[self.name], self.bff.pools[self.name]
        proxy.drop()
        async with asyncio.timeout(5):
            while proxy.open or pool.stats().open:  # noqa: ASYNC110, sockets set no event of ours
                await asyncio.sleep(0.002)

    async def is_settled(self, key, said):
        """Asked again under the same key it is an order, charged once, whatever was *said*."""
        assert await self.order(key) == "OrderCreated", said
        [(order_id, status)] = self.street.rows(
            "orders", "SELECT id, status FROM orders WHERE user_id = ? AND key = ?", self.user, key
        )
        charges = self.street.rows("payments", "SELECT * FROM ledger WHERE order_id = ?", order_id)
        assert (status, len(charges)) == ("PAID", 1)

    async def twenty_of_twenty(self):
        """As many at once as there are slots, each of another user: one that is held fails one."""
        users = [str(number) for number in range(101, 101 + SLOTS)]
        answers = await asyncio.gather(*(self.bff.ask(ALONE[self.name], user) for user in users))
        assert [answer.get("errors") for answer in answers] == [None] * SLOTS
        assert not any("extensions" in answer for answer in answers)
        await self.bff.quiet(self.street)


def word_of(answer, mutation):
    if "errors" in answer:
        [error] = answer["errors"]
        return f"NULL {error['extensions']['code']}"
    result = answer["data"][mutation]
    return f"{result['__typename']} {result.get('reason', '')}".strip()


def newcomers(street):
    """Users who have something in every section, and are not among the twenty."""
    rows = street.rows("notifications", "SELECT DISTINCT user_id FROM notifications")
    told = {user for (user,) in rows}
    return sorted(told - {str(number) for number in range(101, 101 + SLOTS)}, key=int)


@pytest.mark.parametrize("fault", [*FAULTS, STALE_CONNECTIONS])
@pytest.mark.parametrize("name", NAMES)
def test_cell(run, street, name, fault):
    """A read and a write, without and with what is kept, as the golden table says."""
    nth = NAMES.index(name) * (len(FAULTS) + 1) + [*FAULTS, STALE_CONNECTIONS].index(fault)

    async def story():
        async with open_bff(street) as bff:
            cell = Cell(street, bff, name, user=newcomers(street)[nth])
            seen = [await cell.during(fault, cell.read())]
            assert await cell.read() == "LIVE"
            seen.append(await cell.during(fault, cell.read()))
            assert await cell.read() == "LIVE"
            await cell.drop_connections()
            for key in ("cold", "warm"):
                seen.append(await cell.during(fault, cell.write(key)))
                if name != "notifications":
                    await cell.is_settled(key, seen[-1])
            await cell.twenty_of_twenty()
            assert work_under_way() == []
        return seen

    assert run(story()) == MATRIX[name][fault]
