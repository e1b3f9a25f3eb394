"""Placing orders, and reading one's own writes."""

import asyncio

from tests.integration.world import open_world

CREATE = """mutation($input: CreateOrderInput!) { createOrder(input: $input) { __typename
  ... on OrderCreated { order { id status total { amount } items { product { name } } } }
  ... on PaymentQueued { order { id status } }
  ... on OrderRejected { reason message }
  ... on OutcomeUnknown { idempotencyKey } } }"""
ORDERS = "{ orders(first: 3) { edges { node { id status freshness { origin } } } } }"


def draft(key="k-1", **changes):
    items = [{"productId": "p-1", "quantity": 2}]
    return {"input": {"items": items, "paymentMethod": "card", "idempotencyKey": key} | changes}


async def in_stock(world):
    """The id of some product that can be bought."""
    ids = [f"p-{number}" for number in range(1, 60)]
    answer = await world.ask(
        "query($ids: [ID!]!) { products(ids: $ids) { id inStock } }", variables={"ids": ids}
    )
    return next(product["id"] for product in answer["data"]["products"] if product["inStock"])


async def place(world, variables=None, **headers):
    if variables is None:
        variables = draft(items=[{"productId": await in_stock(world), "quantity": 1}])
    answer = await world.ask(CREATE, variables=variables, **headers)
    assert "errors" not in answer, answer
    return answer["data"]["createOrder"]


async def test_an_order_is_placed_and_seen_at_once(world):
    """Also when the list was read a moment before and its service is slow now."""
    before = await world.ask(ORDERS)
    placed = await place(world)
    assert placed["__typename"] == "OrderCreated"
    world.break_("orders", latencySeconds=0.2)
    after = await world.ask(ORDERS)
    first = after["data"]["orders"]["edges"][0]["node"]
    assert first == {"id": placed["order"]["id"], "status": "PAID", "freshness": {"origin": "LIVE"}}
    assert first["id"] != before["data"]["orders"]["edges"][0]["node"]["id"]


async def test_the_same_key_is_the_same_order(world):
    """Asked twice, stored once; another draft under the key is a conflict."""
    items = [{"productId": await in_stock(world), "quantity": 1}]
    first = await place(world, draft(items=items))
    again = await place(world, draft(items=items))
    assert first["order"]["id"] == again["order"]["id"]
    other = await place(world, draft(items=[items[0] | {"quantity": 3}]))
    assert (other["__typename"], other["reason"]) == ("OrderRejected", "IDEMPOTENCY_CONFLICT")


async def test_the_key_may_come_in_the_header(world):
    """For clients that set it once for a request."""
    items = [{"productId": await in_stock(world), "quantity": 1}]
    variables = draft(items=items)
    del variables["input"]["idempotencyKey"]
    ids = {
        (await place(world, variables, **{"Idempotency-Key": "h-1"}))["order"]["id"]
        for _ in range(2)
    }
    assert len(ids) == 1


async def test_refusals_are_data(world):
    """Declined, unknown product."""
    items = [{"productId": await in_stock(world), "quantity": 1}]
    declined = await place(world, draft(items=items, paymentMethod="declined-card"))
    assert (declined["__typename"], declined["reason"]) == ("OrderRejected", "PAYMENT_DECLINED")
    unknown = await place(world, draft("k-2", items=[{"productId": "p-none", "quantity": 1}]))
    assert (unknown["__typename"], unknown["reason"]) == ("OrderRejected", "UNKNOWN_PRODUCT")


async def test_a_payment_service_that_is_down_queues_the_charge(world):
    """The order is stored; the charge follows when the service is well again."""
    world.break_("payments", errorRate=1.0, status=503)
    placed = await place(world)
    assert (placed["__typename"], placed["order"]["status"]) == ("PaymentQueued", "PENDING")


async def test_a_doubt_is_told_and_resolved_with_the_same_key(folder):
    """The service stores the order and its answer is lost; asking again gives that order."""
    async with open_world(folder, retries=0, timeout_write_seconds=0.2) as world:
        items = [{"productId": await in_stock(world), "quantity": 1}]
        world.break_("payments", latencySeconds=0.25)
        unknown = await place(world, draft(items=items))
        assert unknown == {"__typename": "OutcomeUnknown", "idempotencyKey": "k-1"}
        world.heal()
        await asyncio.sleep(0.3)
        placed = await place(world, draft(items=items))
        assert placed["__typename"] in {"OrderCreated", "PaymentQueued"}
        orders = (await world.ask(ORDERS))["data"]["orders"]["edges"]
        assert orders[0]["node"]["id"] == placed["order"]["id"]
        assert orders[1]["node"]["id"] != placed["order"]["id"]


async def test_without_a_key_a_write_is_sent_once(world):
    """Whatever comes of it."""
    variables = draft(items=[{"productId": await in_stock(world), "quantity": 1}])
    del variables["input"]["idempotencyKey"]
    world.forget()
    world.break_("orders", errorRate=1.0, status=503)
    answer = await world.ask(CREATE, variables=variables)
    assert answer["data"]["createOrder"]["__typename"] == "OutcomeUnknown"
    assert world.sent("orders") == ["POST /orders"]


async def test_with_a_key_it_is_repeated(world):
    """Three times at most, with the same key."""
    variables = draft(items=[{"productId": await in_stock(world), "quantity": 1}])
    world.forget()
    world.break_("orders", errorRate=1.0, status=503)
    await world.ask(CREATE, variables=variables)
    sent = world.wires["orders"].requests
    assert [request.headers["x-attempt"] for request in sent] == ["1", "2", "3", "4"]
    assert {request.headers["idempotency-key"] for request in sent} == {"k-1"}


async def test_an_order_is_followed_by_a_notification(world):
    """Through the outbox and the bus; the order does not wait for it."""
    placed = await place(world)
    query = "{ dashboard { notifications(unread: true, limit: 3) { message } } }"
    async with asyncio.timeout(3):
        while True:
            answer = await world.ask(query)
            messages = [note["message"] for note in answer["data"]["dashboard"]["notifications"]]
            if any(placed["order"]["id"] in message for message in messages):
                break
            await asyncio.sleep(0.02)


async def test_a_notification_that_fails_fails_no_order(world):
    """It comes when the service is well again."""
    world.break_("notifications", errorRate=1.0, status=503)
    placed = await place(world)
    assert placed["__typename"] == "OrderCreated"


async def test_a_notification_is_marked_as_read(world):
    """And is not among the unread ones any more; twice is the same, another's is not found."""
    unread = "{ dashboard { notifications(unread: true) { id } } }"
    note = (await world.ask(unread))["data"]["dashboard"]["notifications"][0]["id"]
    mark = """mutation($id: ID!) { markNotificationRead(id: $id) { __typename
      ... on NotificationRead { notification { id read } } } }"""
    for _ in range(2):
        marked = await world.ask(mark, variables={"id": note})
        assert marked["data"]["markNotificationRead"] == {
            "__typename": "NotificationRead",
            "notification": {"id": note, "read": True},
        }
    left = (await world.ask(unread))["data"]["dashboard"]["notifications"]
    assert note not in {item["id"] for item in left}
    for user, wanted in (("2", note), ("1", "n-none")):
        answer = await world.ask(mark, user=user, variables={"id": wanted})
        found = answer["data"]["markNotificationRead"]["__typename"]
        assert found == "NotificationNotFound"
