"""What a command did, as far as it is known."""

from __future__ import annotations

import pytest

from datasources.errors import (
    AttemptTimedOut,
    BadReply,
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    NoTimeToAsk,
    Rejected,
    ServerFault,
    TryLater,
    Unreachable,
)
from datasources.ports.orders import OrderDraft, OrderLine

CREATE = """mutation($input: CreateOrderInput!) { createOrder(input: $input) { __typename
    ... on OrderCreated { order { id items { product { name } } freshness { origin } } }
    ... on PaymentQueued { order { id } }
    ... on OrderRejected { reason message }
    ... on OutcomeUnknown { idempotencyKey message } } }"""
ITEMS = [{"productId": "p1", "quantity": 2}]


async def create(house, *, idempotency_key=None, **given):
    given = {"items": ITEMS, **given}
    answer = await house.answer(CREATE, {"input": given}, idempotency_key=idempotency_key)
    return answer, answer.data and answer.data["createOrder"]


async def test_an_order_is_placed(house):
    """The order comes back with what hangs on it."""
    answer, result = await create(house)
    assert result == {
        "__typename": "OrderCreated",
        "order": {
            "id": "o1",
            "items": [{"product": {"name": "Product p1"}}],
            "freshness": {"origin": "LIVE"},
        },
    }
    assert (answer.errors, answer.degraded) == ([], [])


async def test_a_payment_that_will_be_made_later(house):
    """The order is placed, and the client is told that nothing was charged yet."""
    _, result = await create(house, paymentMethod="later")
    assert result == {"__typename": "PaymentQueued", "order": {"id": "o1"}}


@pytest.mark.parametrize(
    ("given", "header", "key", "repeatable"),
    [
        ({}, None, "made-here", False),
        ({"idempotencyKey": None}, None, "made-here", False),
        ({}, "from-header", "from-header", True),
        ({"idempotencyKey": "k1"}, None, "k1", True),
        ({"idempotencyKey": "k1"}, "from-header", "k1", True),
    ],
)
async def test_the_key(house, given, header, key, repeatable):
    """The input's, else the header's, else a new one, which forbids repeating."""
    await create(house, idempotency_key=header, **given)
    draft = OrderDraft(
        user_id="u1", lines=(OrderLine(product_id="p1", quantity=2),), payment_method=None
    )
    assert house.asked("orders") == [("create", draft, key, repeatable)]


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"items": []}, "input.items"),
        ({"items": ITEMS * 101}, "input.items"),
        ({"items": [*ITEMS, {"productId": "p1", "quantity": 0}]}, "input.items[1].quantity"),
        ({"items": [{"productId": "p1", "quantity": 1_001}]}, "input.items[0].quantity"),
        ({"paymentMethod": "x" * 65}, "input.paymentMethod"),
        ({"paymentMethod": ""}, "input.paymentMethod"),
        ({"paymentMethod": "card\r\nX-Evil: 1"}, "input.paymentMethod"),
        ({"idempotencyKey": ""}, "input.idempotencyKey"),
        ({"idempotencyKey": "k" * 129}, "input.idempotencyKey"),
        ({"idempotencyKey": "k k"}, "input.idempotencyKey"),
        ({"idempotency_key": "k k"}, "Idempotency-Key"),
    ],
)
async def test_bad_input(house, given, argument):
    """BAD_USER_INPUT names the part; nothing is sent."""
    answer, _ = await create(house, **given)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["message"].startswith(f'Argument "{argument}": ')
    assert house.calls == []


async def test_the_largest_input(house):
    """100 lines of 1,000 pieces, a method of 64 characters and a key of 128."""
    items = [{"productId": "p1", "quantity": 1_000}] * 100
    answer, _ = await create(
        house, items=items, paymentMethod="Visa _.-" * 8, idempotencyKey="k" * 128
    )
    assert answer.errors == []


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ("PAYMENT_DECLINED", "PAYMENT_DECLINED"),
        ("UNKNOWN_PRODUCT", "UNKNOWN_PRODUCT"),
        ("OUT_OF_STOCK", "OUT_OF_STOCK"),
        ("INVALID_ITEMS", "INVALID_ITEMS"),
        ("IDEMPOTENCY_CONFLICT", "IDEMPOTENCY_CONFLICT"),
        ("SOMETHING_NEW", "UNKNOWN"),
        (None, "UNKNOWN"),
    ],
)
async def test_refusals_are_data(house, problem, reason):
    """Each refusal has a reason for programs and a sentence for people, and no error."""
    house.failing["orders"] = Rejected("orders", 422, problem)
    answer, result = await create(house)
    assert (result["__typename"], result["reason"]) == ("OrderRejected", reason)
    assert result["message"].endswith(".")
    assert (answer.errors, answer.degraded) == ([], [])


async def test_a_conflict_that_we_know_is_a_refusal(house):
    """The key was used for another order."""
    house.failing["orders"] = Rejected("orders", 409, "IDEMPOTENCY_CONFLICT")
    _, result = await create(house)
    assert (result["__typename"], result["reason"]) == ("OrderRejected", "IDEMPOTENCY_CONFLICT")


async def test_one_key_for_a_request_is_for_one_order(house):
    """The second of two would be the first again, and look like another."""
    query = """mutation($input: CreateOrderInput!) {
        a: createOrder(input: $input) { __typename }
        b: createOrder(input: $input) { __typename } }"""
    answer = await house.answer(query, {"input": {"items": ITEMS}}, idempotency_key="h1")
    assert answer.codes == ["BAD_USER_INPUT"]
    assert len(house.calls) == 1


@pytest.mark.parametrize(
    "failure",
    [
        Unreachable("orders"),
        AttemptTimedOut("orders", 10.0),
        ServerFault("orders", 503),
        BadReply("orders"),
        DeadlineExceeded("orders"),
        Rejected("orders", 409, "REQUEST_IN_PROGRESS"),
        Rejected("orders", 409),
    ],
)
async def test_doubt_is_data(house, failure):
    """Whatever may have followed a request that was sent is not known, and not claimed."""
    house.failing["orders"] = failure
    answer, result = await create(house)
    assert result == {
        "__typename": "OutcomeUnknown",
        "idempotencyKey": "made-here",
        "message": "The orders service did not confirm the order. It may have been placed, or not.",
    }
    assert (answer.errors, answer.degraded) == ([], [])
    assert len(house.calls) == 1


@pytest.mark.parametrize(
    ("failure", "code", "retryable"),
    [
        (CircuitOpen("orders"), "CIRCUIT_OPEN", True),
        (BulkheadFull("orders"), "OVERLOADED", True),
        (NoTimeToAsk("orders"), "DEADLINE_EXCEEDED", True),
        (TryLater("orders", 429), "OVERLOADED", True),
        (NotFound("orders"), "NOT_FOUND", False),
        (Forbidden("orders"), "FORBIDDEN", False),
    ],
)
async def test_what_certainly_did_not_happen_is_an_error(house, failure, code, retryable):
    """Nothing was placed, so there is nothing to be in doubt of."""
    house.failing["orders"] = failure
    answer, result = await create(house)
    assert (answer.codes, result) == ([code], None)
    assert answer.errors[0]["extensions"]["retryable"] is retryable


READ = """mutation($id: ID!) { markNotificationRead(id: $id) { __typename
    ... on NotificationRead { notification { id freshness { origin } } }
    ... on NotificationNotFound { id } } }"""


async def test_a_message_is_read(house):
    """The message comes back; asking again is asking again."""
    answer = await house.answer(READ, {"id": "n1"})
    assert answer.data["markNotificationRead"] == {
        "__typename": "NotificationRead",
        "notification": {"id": "n1", "freshness": {"origin": "LIVE"}},
    }


async def test_a_message_that_is_not_there(house):
    """Also one of somebody else: the port makes no difference."""
    answer = await house.answer(READ, {"id": "n9"})
    expected = {"__typename": "NotificationNotFound", "id": "n9"}
    assert (answer.data["markNotificationRead"], answer.errors) == (expected, [])


async def test_reading_that_fails_is_an_error(house):
    """It may be repeated, so its outcome need not be known."""
    house.failing["notifications"] = Unreachable("notifications")
    answer = await house.answer(READ, {"id": "n1"})
    assert answer.codes == ["UPSTREAM_UNAVAILABLE"]
    assert answer.errors[0]["extensions"]["retryable"] is True


async def test_commands_run_one_after_another(house):
    """The second is sent when the first is done."""
    answer = await house.answer("""mutation {
        a: markNotificationRead(id: "n1") { __typename }
        b: markNotificationRead(id: "n2") { __typename } }""")
    assert answer.errors == []
    assert house.asked("notifications") == [("mark_read", "n1"), ("mark_read", "n2")]


def test_a_made_key_is_a_key(house):
    """Without a factory of its own the context makes 32 hexadecimal digits, each time others."""
    made = type(house.context())(viewer=None, ports=None, loader_sets=None, status=None)
    first, second = made.new_idempotency_key(), made.new_idempotency_key()
    assert first != second
    assert int(first, 16) >= 0
    assert len(first) == 32
