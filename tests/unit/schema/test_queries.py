"""Single records, bad input, and who may ask."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from graphql import GraphQLNonNull

from datasources.ports.status import ServiceStatus
from datasources.sourced import Reason
from schema.errors import Unauthenticated
from schema.types.instant import rfc3339
from schema.types.money import exact
from tests.unit.schema.house import CORE, NOON, a_payment, a_product, an_order

ROOTS = {
    "dashboard": "{ dashboard { user { id } recentOrders { id } notifications { id } } }",
    "me": "{ me { id } }",
    "order": '{ order(id: "o1") { id } }',
    "orders": "{ orders { edges { node { id } } } }",
    "product": '{ product(id: "p1") { id } }',
    "products": '{ products(ids: ["p1"]) { id } }',
    "notifications": "{ notifications { edges { node { id } } } }",
    "services": "{ services { name } }",
    "createOrder": """mutation {
        createOrder(input: {items: [{productId: "p1", quantity: 1}]}) { __typename } }""",
    "markNotificationRead": 'mutation { markNotificationRead(id: "n1") { __typename } }',
}


def test_every_root_field_is_tried():
    """The table above leaves out no way in."""
    assert set(ROOTS) == {*CORE.query_type.fields, *CORE.mutation_type.fields}


@pytest.mark.parametrize("root", ROOTS)
async def test_nobody_gets_nothing(house, root):
    """Without a viewer every root field is UNAUTHENTICATED, and no service hears of it."""
    answer = await house.answer(ROOTS[root], viewer=None)
    assert answer.places == {root: "UNAUTHENTICATED"}
    field = {**CORE.query_type.fields, **CORE.mutation_type.fields}[root]
    assert answer.data == (None if isinstance(field.type, GraphQLNonNull) else {root: None})
    assert house.calls == []


def test_without_a_viewer_there_is_nobody_to_name(house):
    """Resolvers cannot forget to check: asking the context who is there raises by itself."""
    with pytest.raises(Unauthenticated):
        _ = house.context(viewer=None).signed_in


async def test_anybody_may_read_the_schema(house):
    """Introspection and `__typename` need no viewer."""
    answer = await house.answer("{ __typename __schema { queryType { name } } }", viewer=None)
    assert (answer.data["__typename"], answer.errors) == ("Query", [])


async def test_services_are_for_operators(house):
    """A viewer without the scope is FORBIDDEN; with it he sees what the port says."""
    house.statuses = [
        ServiceStatus(
            name="orders",
            breaker="open",
            last_success=NOON,
            failing_since=NOON,
            serving_stale=True,
        )
    ]
    query = "{ services { name breaker failingSince servingStale lastSuccess } }"
    assert (await house.answer(query)).codes == ["FORBIDDEN"]
    answer = await house.answer(query, scopes=["bff.operator"])
    assert answer.data["services"] == [
        {
            "name": "orders",
            "breaker": "open",
            "failingSince": "2026-03-01T12:00:00Z",
            "servingStale": True,
            "lastSuccess": "2026-03-01T12:00:00Z",
        }
    ]


async def test_another_users_order_looks_like_none(house):
    """Null without an error, and without a word on how old the record is."""
    house.orders.append(an_order(9, "p1", user="u2"))
    house.stale["orders"] = Reason.TIMEOUT
    theirs = await house.answer('{ order(id: "o9") { id items { product { id } } } }')
    missing = await house.answer('{ order(id: "o99") { id items { product { id } } } }')
    assert theirs == missing
    assert (theirs.data, theirs.errors, theirs.degraded) == ({"order": None}, [], [])
    assert house.asked("products") == []


async def test_one_order(house):
    """The viewer's own order, asked for once however often it stands in the document."""
    answer = await house.answer("""{ order(id: "o2") { id createdAt payment { id paidAt method } }
        again: order(id: "o2") { status } }""")
    assert answer.data == {
        "order": {
            "id": "o2",
            "createdAt": "2026-03-01T10:00:00Z",
            "payment": {"id": "pay-o2", "paidAt": None, "method": "card"},
        },
        "again": {"status": "PAID"},
    }
    assert house.asked("orders") == [("by_id", "o2")]


async def test_products_in_the_order_of_their_ids(house):
    """Twice when asked for twice, null for an unknown one, and one call for all."""
    answer = await house.answer("""{ products(ids: ["p3", "nope", "p1", "p3"]) { id }
        product(id: "p2") { id } other: product(id: "nope") { id } }""")
    assert answer.data == {
        "products": [{"id": "p3"}, None, {"id": "p1"}, {"id": "p3"}],
        "product": {"id": "p2"},
        "other": None,
    }
    assert answer.errors == []
    assert house.asked("products") == [("by_ids", ["p3", "nope", "p1", "p2"])]


async def test_old_products_are_marked_one_by_one(house):
    """Each has its own place in the list."""
    house.stale["products"] = Reason.REVALIDATING
    answer = await house.answer('{ products(ids: ["p1", "nope", "p2"]) { id } }')
    assert [entry["path"] for entry in answer.degraded] == [["products", 0], ["products", 2]]


async def test_in_stock(house):
    """There is stock from one piece on."""
    house.products = {"none": a_product("none", 0), "one": a_product("one", 1)}
    answer = await house.answer('{ products(ids: ["none", "one"]) { inStock } }')
    assert answer.data["products"] == [{"inStock": False}, {"inStock": True}]


@pytest.mark.parametrize(
    ("word", "status", "paid"),
    [
        ("PENDING", "PENDING", "PENDING"),
        ("SHIPPED", "SHIPPED", "UNKNOWN"),
        ("REFUNDED", "UNKNOWN", "REFUNDED"),
        ("paid", "UNKNOWN", "UNKNOWN"),
        ("", "UNKNOWN", "UNKNOWN"),
        ("LOST_IN_SPACE", "UNKNOWN", "UNKNOWN"),
        ("UNKNOWN", "UNKNOWN", "UNKNOWN"),
        ("__members__", "UNKNOWN", "UNKNOWN"),
    ],
)
async def test_words_that_services_learn(house, word, status, paid):
    """A status that we do not know is UNKNOWN, in whatever spelling."""
    house.orders = [an_order(1, status=word)]
    house.payments = {"o1": a_payment("o1", word)}
    answer = await house.answer('{ order(id: "o1") { status payment { status } } }')
    assert answer.data["order"] == {"status": status, "payment": {"status": paid}}


@pytest.mark.parametrize(
    ("given", "shown"),
    [("12.30", "12.30"), ("0", "0"), ("-0.00", "-0.00"), ("1E+3", "1000"), ("1E-7", "0.0000001")],
)
def test_money_keeps_its_digits(given, shown):
    """Also zeros at the end; never an exponent."""
    assert exact(Decimal(given)) == shown


@pytest.mark.parametrize(
    "given",
    ["2026-03-01T09:30:00Z", "2026-03-01T09:30:00.120Z", "2026-03-01T09:30:00.000120Z"],
)
def test_instants_as_services_give_them(given):
    """Whole seconds, milliseconds and microseconds come out as they came in."""
    assert rfc3339(msgspec.json.decode(f'"{given}"', type=datetime)) == given


def test_instants_are_in_utc():
    """Whatever the offset was."""
    there = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(there) == "2026-02-28T23:30:00Z"
    assert rfc3339(there.astimezone(UTC)) == "2026-02-28T23:30:00Z"


BAD_IDS = ["", "..", "a/b", "a b", "ä", "x" * 65, "1" * 5_000, "p1\n"]


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ("query($id: ID!) { order(id: $id) { id } }", "id"),
        ("query($id: ID!) { product(id: $id) { id } }", "id"),
        ('query($id: ID!) { x: products(ids: ["p1", $id]) { id } }', "ids[1]"),
        ("mutation($id: ID!) { markNotificationRead(id: $id) { __typename } }", "id"),
        (
            """mutation($id: ID!) { createOrder(input: {items: [{productId: "p1", quantity: 1},
            {productId: $id, quantity: 1}]}) { __typename } }""",
            "input.items[1].productId",
        ),
    ],
)
async def test_ids_are_checked_before_anything_is_asked(house, query, argument, bad):
    """BAD_USER_INPUT names the argument, does not repeat it, and no service hears of it."""
    answer = await house.answer(query, {"id": bad})
    expected = f'Argument "{argument}": an id is 1 to 64 letters, digits, _ or -.'
    assert [error["message"] for error in answer.errors] == [expected]
    assert answer.codes == ["BAD_USER_INPUT"]
    assert len(answer.errors[0]["path"]) == 1
    assert house.calls == []


async def test_an_id_of_64_characters(house):
    """The longest that passes."""
    longest = "Aa0_-" + "x" * 59
    answer = await house.answer("query($id: ID!) { product(id: $id) { id } }", {"id": longest})
    assert (answer.data, answer.errors) == ({"product": None}, [])


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ("query($n: Int!) { dashboard { recentOrders(limit: $n) { id } } }", "limit"),
        ("query($n: Int!) { dashboard { notifications(limit: $n) { id } } }", "limit"),
        ("query($n: Int!) { orders(first: $n) { edges { cursor } } }", "first"),
        ("query($n: Int!) { notifications(first: $n) { edges { cursor } } }", "first"),
    ],
)
async def test_sizes(house, query, argument):
    """From 1 to 100; anything else is BAD_USER_INPUT and asks nobody."""
    for bad in (0, -1, 101):
        answer = await house.answer(query, {"n": bad})
        expected = f'Argument "{argument}": from 1 to 100.'
        assert [error["message"] for error in answer.errors] == [expected]
        assert answer.codes == ["BAD_USER_INPUT"]
    assert house.calls == []
    for good in (1, 100):
        assert (await house.answer(query, {"n": good})).errors == []


async def test_a_hundred_products(house):
    """101 ids are too many, whoever they are."""
    query = "query($ids: [ID!]!) { products(ids: $ids) { id } }"
    answer = await house.answer(query, {"ids": ["p1"] * 101})
    assert (answer.codes, house.calls) == (["BAD_USER_INPUT"], [])
    answer = await house.answer(query, {"ids": ["p1"] * 100})
    assert answer.data["products"] == [{"id": "p1"}] * 100
    assert (await house.answer(query, {"ids": []})).data == {"products": []}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ orders(first: " + "9" * 5_000 + ") { edges { cursor } } }", None),
        ("query($n: Int!) { orders(first: $n) { edges { cursor } } }", {"n": 10**4_000}),
        ("query($n: Int!) { orders(first: $n) { edges { cursor } } }", {"n": "5"}),
        ("query($n: Int!) { orders(first: $n) { edges { cursor } } }", None),
        ("query($n: Int) { orders(first: $n) { edges { cursor } } }", {"n": None}),
        ("{ nothing }", None),
        ('{ order(id: ["a", "b"]) { id } }', None),
    ],
)
async def test_what_graphql_itself_refuses(house, query, variables):
    """Coded, masked from nobody, and nothing is asked."""
    answer = await house.answer(query, variables)
    assert set(answer.codes) == {"BAD_USER_INPUT"}
    assert (house.calls, answer.internal) == ([], [None])


async def test_a_value_of_ours_that_does_not_fit_is_not_the_clients_fault(house):
    """graphql-core refuses to write such a number; that is INTERNAL, and the number is hidden."""
    big = an_order(1, "p1")
    item = msgspec.structs.replace(big.items[0], quantity=2**31)
    house.orders = [msgspec.structs.replace(big, items=(item,))]
    answer = await house.answer('{ order(id: "o1") { items { quantity } } }')
    assert (answer.data, answer.codes) == ({"order": None}, ["INTERNAL"])
    assert answer.errors[0]["message"] == "Internal error."
    assert answer.errors[0]["extensions"]["errorId"] == "e1"
    assert answer.internal != [None]


async def test_a_value_lost_to_an_error_beside_it_was_not_served(house):
    """The order was old, but the answer does not hold it: then it is not listed as served old."""
    big = an_order(1, "p1")
    item = msgspec.structs.replace(big.items[0], unit_price=None)
    house.orders = [msgspec.structs.replace(big, items=(item,))]
    house.stale["orders"] = Reason.TIMEOUT
    answer = await house.answer('{ order(id: "o1") { items { unitPrice { currency } } } }')
    assert (answer.data, answer.codes, answer.degraded) == ({"order": None}, ["INTERNAL"], [])


async def test_a_payment_of_an_order_without_a_usable_id(house):
    """An order whose id no path may hold has no payment that could be asked for."""
    house.orders = [msgspec.structs.replace(an_order(1, "p1"), id="..")]
    answer = await house.answer("{ dashboard { recentOrders { id payment { id } } } }")
    assert answer.data == {"dashboard": {"recentOrders": [{"id": "..", "payment": None}]}}
    assert (answer.codes, house.asked("payments")) == (["UPSTREAM_BAD_REPLY"], [])


async def test_root_fields_run_concurrently(house):
    """Each of four services answers only once all four are asked."""
    house.gates = dict.fromkeys(
        ("users", "orders", "products", "notifications"), asyncio.Barrier(4)
    )
    answer = await house.answer("""{ me { id } order(id: "o1") { id } product(id: "p1") { id }
        notifications { edges { node { id } } } }""")
    assert answer.errors == []
