"""Orders, as a customer meets them; the other services do what they do."""

import asyncio
import contextlib
import sqlite3

import pytest

from examples.upstreams.faults import FaultPlan
from examples.upstreams.seed import world
from tests.unit.upstreams.shop import open_shop
from tests.virtual_time import run

DOWN = FaultPlan(error_rate=1)
SOLD_OUT = next(product.id for product in world().products if product.stock == 0)


def problem(response):
    return response.status_code, response.json()["error"]["code"]


def charged(folder, order_id):
    """How often, and how much."""
    with contextlib.closing(sqlite3.connect(folder / "payments.sqlite3")) as ledger:
        rows = ledger.execute("SELECT cents FROM ledger WHERE order_id = ?", (order_id,)).fetchall()
    return [cents for (cents,) in rows]


async def test_an_order_is_priced_charged_and_stored(shop, folder):
    """PAID, at the prices of the products, newest of the user's orders, and charged once."""
    answer = await shop.order("k", {"p-1": 2, "p-2": 1})
    order = answer.json()
    prices = {product.id: product.cents for product in world().products}
    cents = 2 * prices["p-1"] + prices["p-2"]
    assert (answer.status_code, order["status"]) == (201, "PAID")
    assert order["total"] == {"amount": f"{cents // 100}.{cents % 100:02}", "currency": "EUR"}
    assert [(item["productId"], item["quantity"]) for item in order["items"]] == [
        *(("p-1", 2), ("p-2", 1))
    ]
    assert (await shop.ask("orders", f"/orders/{order['id']}")).json() == order
    assert (await shop.ask("orders", "/orders?userId=1&limit=1")).json() == [order]
    payment = (await shop.ask("payments", f"/payments/{order['id']}")).json()
    assert (payment["status"], payment["method"]) == ("CAPTURED", "card")
    assert charged(folder, order["id"]) == [cents]


async def test_a_key_is_one_order(shop, folder):
    """Again is the same order and 200; something else under it is a conflict."""
    first = await shop.order("k", {"p-1": 1})
    again = await shop.order("k", {"p-1": 1})
    assert (again.status_code, again.json()) == (200, first.json())
    assert problem(await shop.order("k", {"p-1": 2})) == (409, "IDEMPOTENCY_CONFLICT")
    assert len(charged(folder, first.json()["id"])) == 1
    assert shop.asked("payments") == ["POST /charges"]


async def test_keys_are_the_users_own(shop):
    """The same key of another user is another order."""
    mine = await shop.order("k", {"p-1": 1})
    theirs = await shop.order("k", {"p-1": 1}, user="2")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["userId"] != theirs.json()["userId"]


async def test_nobody_orders_for_another(shop):
    """The user of the order is the subject of the token."""
    body = {"userId": "2", "items": [{"productId": "p-1", "quantity": 1}]}
    headers = {"Idempotency-Key": "k"}
    answer = await shop.ask("orders", "/orders", method="POST", headers=headers, json=body)
    assert problem(answer) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("items", "user", "code"),
    [
        ({"p-1": 1, "nothing": 1}, "1", "UNKNOWN_PRODUCT"),
        ({SOLD_OUT: 1}, "1", "OUT_OF_STOCK"),
        ({"p-1": 1}, "nobody", "UNKNOWN_USER"),
        ({}, "1", "INVALID_ITEMS"),
        ({"p-1": 0}, "1", "INVALID_ITEMS"),
        ({"p-1": 100}, "1", "INVALID_ITEMS"),
        ({"p-1": True}, "1", "INVALID_ITEMS"),
        ({"../x": 1}, "1", "INVALID_ITEMS"),
    ],
)
async def test_what_cannot_be_ordered_is_refused(shop, items, user, code):
    """422 with a code of its own; nothing is charged, and the key is free for another try."""
    assert problem(await shop.order("k", items, user=user)) == (422, code)
    assert shop.asked("payments") == []
    if user == "1":
        assert (await shop.order("k", {"p-1": 1})).status_code == 201


async def test_a_product_twice_is_refused(shop):
    """Nobody can say which of the two lines counts."""
    lines = [{"productId": "p-1", "quantity": 1}] * 2
    body = {"userId": "1", "items": lines}
    headers = {"Idempotency-Key": "k"}
    answer = await shop.ask("orders", "/orders", method="POST", headers=headers, json=body)
    assert problem(answer) == (422, "INVALID_ITEMS")


async def test_a_declined_payment_is_no_order(shop, folder):
    """402, also when asked again; the history does not show it, and no message is sent."""
    before = (await shop.ask("orders", "/orders?userId=1&limit=1000")).json()
    messages = await shop.messages()
    for _ in range(2):
        answer = await shop.order("k", {"p-1": 1}, method="declined-card")
        assert problem(answer) == (402, "PAYMENT_DECLINED")
    assert (await shop.ask("orders", "/orders?userId=1&limit=1000")).json() == before
    assert charged(folder, f"o-1-{len(before) + 1}") == []
    assert await shop.messages() == messages
    assert shop.asked("payments") == ["POST /charges"]


@pytest.mark.parametrize("service", ["users", "products"])
@pytest.mark.parametrize(
    "plan",
    [DOWN, FaultPlan(hang=True), FaultPlan(garbage=True), FaultPlan(reset=True)],
    ids=["error", "hang", "garbage", "reset"],
)
def test_without_users_or_products_there_is_no_order(folder, service, plan):
    """503 within two seconds, however it fails; when it is well again the same key works."""

    async def story():
        async with open_shop(folder) as shop:
            shop.fleet.faults(service).plan = plan
            assert problem(await shop.order("k", {"p-1": 1})) == (503, "UNAVAILABLE")
            assert shop.asked("payments") == []
            shop.fleet.faults(service).heal()
            assert (await shop.order("k", {"p-1": 1})).status_code == 201

    run(story())


@pytest.mark.parametrize(
    "plan",
    [
        DOWN,
        FaultPlan(error_rate=1, status=429),
        FaultPlan(hang=True),
        FaultPlan(garbage=True),
        FaultPlan(reset=True),
    ],
    ids=["error", "too many", "hang", "garbage", "reset"],
)
def test_without_payments_the_charge_is_queued(folder, plan):
    """202 and PENDING; when payments is well it is charged by itself, once, and PAID."""

    async def story():
        async with open_shop(folder) as shop:
            shop.fleet.faults("payments").plan = plan
            answer = await shop.order("k", {"p-1": 1})
            order = answer.json()
            assert (answer.status_code, order["status"]) == (202, "PENDING")
            again = await shop.order("k", {"p-1": 1})
            assert (again.status_code, again.json()) == (202, order)
            path = f"/orders/{order['id']}"
            assert (await shop.ask("orders", path)).json() == order
            assert charged(folder, order["id"]) == []
            await asyncio.sleep(60)
            shop.fleet.faults("payments").heal()
            await asyncio.sleep(10)
            paid = (await shop.ask("orders", path)).json()
            assert paid == order | {"status": "PAID"}
            assert len(charged(folder, order["id"])) == 1
            again = await shop.order("k", {"p-1": 1})
            assert (again.status_code, again.json()) == (200, paid)
            notice = f"Your order {order['id']} has been placed"
            assert (await shop.messages()).count(notice) == 1

    run(story())
