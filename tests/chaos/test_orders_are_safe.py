"""Orders under fault schedules: what is charged, what is told, and what is true in the end.

A seed is a schedule of faults on every way between the BFF and the five services, and customers
who order meanwhile, ask again, ask twice at once, or leave.
"""

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

from examples.upstreams.faults import FaultPlan
from examples.upstreams.fleet import NAMES
from tests.chaos.proxy import WELL, Cut, Fault, Swallow
from tests.chaos.world import open_bff

pytestmark = pytest.mark.slow

ON_THE_WAY = [
    Fault(latency=0.5),
    Fault(latency=3.0, jitter=4.0),
    Fault(bytes_per_second=100),
    Fault(slice_bytes=1, slice_pause=0.02),
    Fault(swallow=Swallow.REQUESTS),
    Fault(swallow=Swallow.ANSWERS),
    Fault(cut=Cut.RESET, cut_after=-1),
    Fault(cut=Cut.RESET, cut_after=1),
    Fault(cut=Cut.CLOSE, cut_after=-1),
    Fault(cut=Cut.CLOSE, cut_after=1),
    Fault(refused=True),
    Fault(hang_up=0.01),
]
AT_THE_SERVICE = [
    FaultPlan(latency_seconds=1.0),
    FaultPlan(latency_seconds=5.0),
    FaultPlan(hang=True),
    FaultPlan(reset=True),
    FaultPlan(garbage=True),
    FaultPlan(error_rate=1.0, status=500),
    FaultPlan(error_rate=0.5, status=503),
    FaultPlan(error_rate=0.5, status=429),
    FaultPlan(error_rate=1.0, status=409),
    FaultPlan(error_rate=1.0, status=401),
]

ORDER = """mutation($items: [OrderItemInput!]!, $method: String, $key: String) {
  createOrder(input: {items: $items, paymentMethod: $method, idempotencyKey: $key}) { __typename
    ... on OrderCreated { order { id } } ... on PaymentQueued { order { id } }
    ... on OrderRejected { reason } ... on OutcomeUnknown { idempotencyKey } } }"""


@dataclass
class Wish:
    """What a customer wants, and all that he was told of it.

    Attributes:
        said: Type of each answer, and the order or the reason in it.
    """

    user: str
    key: str | None
    product: str = "p-1"
    method: str = "card"
    said: list = field(default_factory=list)

    async def ask(self, bff):
        variables = {"items": [{"productId": self.product, "quantity": 1}], "key": self.key}
        answer = await bff.ask(ORDER, self.user, variables | {"method": self.method})
        if "errors" in answer:
            self.said.append(("error", answer["errors"][0]["extensions"]["code"]))
            return
        result = answer["data"]["createOrder"]
        about = result.get("reason") or result.get("order", {}).get("id")
        self.said.append((result["__typename"], about))

    def was_told(self, *types):
        return {about for said, about in self.said if said in types}


def wishes(seed, users):
    """One for each user; every sixth is declined, unknown or without a key."""
    for nth, user in enumerate(users):
        wish = Wish(user, f"seed-{seed}")
        if nth % 6 == 3:
            wish.method = "declined-card"
        elif nth % 6 == 4:
            wish.product = "p-unheard-of"
        elif nth % 6 == 5:
            wish.key = None
        yield wish


async def misfortune(street, chance):
    """Something breaks, or is well again, every now and then."""
    while True:
        await asyncio.sleep(chance.uniform(0.05, 1.5))
        name = chance.choice(NAMES)
        proxy, service = street.proxies[name], street.fleet.faults(name)
        await proxy.set(WELL)
        service.heal()
        kind = chance.random()
        if kind < 0.4:
            fault = chance.choice(ON_THE_WAY)
            of_odd_ones = chance.random() < 0.3
            await proxy.set(
                WELL if of_odd_ones else fault,
                rule=(lambda nth, fault=fault: fault if nth % 2 else WELL) if of_odd_ones else None,
            )
        elif kind < 0.7:
            service.plan = chance.choice(AT_THE_SERVICE)


async def customer(bff, wish, chance):
    """Orders at some time, and asks again while he knows nothing; some leave or are impatient."""
    await asyncio.sleep(chance.uniform(0.0, 20.0))
    mood = chance.random()
    if mood < 0.2 and wish.key:
        await asyncio.gather(wish.ask(bff), wish.ask(bff))
    elif mood < 0.4 and wish.key:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wish.ask(bff), chance.expovariate(1.0))
    else:
        await wish.ask(bff)
    for _ in range(chance.randint(0, 3) if wish.key else 0):
        await asyncio.sleep(chance.uniform(0.0, 5.0))
        if not wish.said or wish.said[-1][0] in {"OutcomeUnknown", "error"}:
            await wish.ask(bff)


def placed(street):
    """Every order that anybody can see, by its user and key."""
    found = defaultdict(list)
    for user, key, order_id, status in street.rows(
        "orders", "SELECT user_id, key, id, status FROM orders WHERE placed"
    ):
        found[user, key].append((order_id, status))
    return found


def of_user(orders, user):
    return {
        order_id for (owner, _), rows in orders.items() if owner == user for order_id, _ in rows
    }


def check(street, wish, before, after):
    """What he was told is what is so."""
    told = wish.was_told("OrderCreated", "PaymentQueued")
    new = of_user(after, wish.user) - of_user(before, wish.user)
    if wish.key is not None:
        final, about = wish.said[-1]
        ideal = {
            "declined-card": ("OrderRejected", "PAYMENT_DECLINED"),
            "p-unheard-of": ("OrderRejected", "UNKNOWN_PRODUCT"),
        }
        expected = ideal.get(wish.method) or ideal.get(wish.product)
        if expected is None:
            assert final == "OrderCreated", wish
            assert wish.was_told("OrderRejected") == set(), wish
            assert new == {about}, wish
        else:
            assert (final, about) == expected, wish
            assert wish.was_told("OrderCreated") == set(), wish
    assert told <= new, wish
    assert len(new) <= 1, wish
    if wish.key is None and "OutcomeUnknown" not in {said for said, _ in wish.said}:
        assert new == told, wish  # an error means that nothing was placed


@pytest.mark.parametrize("seed", range(16))
def test_any_schedule_of_faults(run, street, seed):
    """At most one charge for a key; nobody is told what is not so; every doubt is resolved."""
    chance = random.Random(seed)
    users = [str(number) for number in chance.sample(range(1, 221), 24)]
    # An open breaker keeps orders from harm; half of the schedules do without.
    breaker = {"minimum_calls": 10_000, "consecutive": 10_000} if seed % 2 else {}

    async def story():
        before = placed(street)
        async with open_bff(street, retries=3, breaker=breaker, bulkhead={}) as bff:
            wanted = list(wishes(seed, users))
            breaking = asyncio.create_task(misfortune(street, chance))
            await asyncio.gather(*(customer(bff, wish, chance) for wish in wanted))
            breaking.cancel()
            await asyncio.wait([breaking])
            await street.heal()
            await asyncio.sleep(60)  # breakers close, and what is due is done
            for wish in wanted:
                if wish.key:
                    await wish.ask(bff)  # one by one: the first is the probe of an open breaker
            await asyncio.sleep(10)
            after = placed(street)
            for wish in wanted:
                check(street, wish, before, after)
            await check_books(street, bff, users)

    run(story())


async def check_books(street, bff, users):
    """What was charged is what was ordered, and every order has its one message."""
    orders = street.rows("orders", "SELECT id, status, charge, placed FROM orders WHERE key <> ''")
    charged = Counter(
        order_id for (order_id,) in street.rows("payments", "SELECT order_id FROM ledger")
    )
    messages = Counter(
        message for (message,) in street.rows("notifications", "SELECT message FROM notifications")
    )
    for order_id, status, charge, is_placed in orders:
        assert charge in {"DONE", "DECLINED"}
        assert charged[order_id] == (charge == "DONE")
        assert (status == "PAID") == (charge == "DONE")
        assert messages[f"Your order {order_id} has been placed"] == bool(is_placed)
    assert street.rows("orders", "SELECT id FROM outbox WHERE published_at IS NULL") == []
    query = "{ dashboard { notifications(unread: false, limit: 100) { message } } }"
    for user in users[:3]:
        shown = (await bff.ask(query, user))["data"]["dashboard"]["notifications"]
        placed_ones = [each["message"] for each in shown if "has been placed" in each["message"]]
        assert len(placed_ones) == len(set(placed_ones))
