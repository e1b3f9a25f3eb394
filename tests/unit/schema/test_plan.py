"""What an operation asks, told without asking."""

from __future__ import annotations

import pytest
from graphql import GraphQLError, GraphQLList, GraphQLObjectType, parse

from schema.plan import plan_of
from tests.unit.schema.house import CORE
from tests.unit.schema.test_dashboard import DASHBOARD


def plan(query, operation=None, **variables):
    return plan_of(CORE, parse(query), operation, variables)


def waves(query, operation=None, **variables):
    return [
        [(f"{call.service}.{call.operation}", call.count) for call in wave]
        for wave in plan(query, operation, **variables).waves
    ]


def test_the_dashboard():
    """Four calls in two waves."""
    assert str(plan(DASHBOARD)) == (
        "4 calls in 2 waves\n"
        "wave 1\n"
        "  users.by_id: 1 call (users:read)\n"
        "  orders.recent: 1 call (orders:read)\n"
        "  notifications.recent: 1 call (notifications:read)\n"
        "wave 2\n"
        "  products.by_ids: 1 call for every 100 ids (products:read)"
    )


def test_in_words():
    """One, many, and many at a time."""
    query = """{ products(ids: ["a", "b"]) { id }
        orders(first: 3) { edges { node { payment { id } } } } }"""
    assert str(plan(query)) == (
        "5 calls in 2 waves\n"
        "wave 1\n"
        "  products.by_ids: 1 call for at most 2 ids (products:read)\n"
        "  orders.page: 1 call (orders:read)\n"
        "wave 2\n"
        "  payments.by_order: at most 3 calls (payments:read)"
    )


async def test_plans_keep_their_word(house):
    """What is planned for the dashboard is what is asked."""
    await house.answer(DASHBOARD)
    planned = [name for wave in waves(DASHBOARD) for name, _ in wave]
    assert planned == [f"{service}.{operation}" for service, operation, *_ in house.calls]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ __typename services { name } }", []),
        ("{ __schema { types { name fields { name } } } }", []),
        ("{ me { id } dashboard { user { id } } x: me { name } }", [[("users.by_id", 1)]]),
        ('{ order(id: "a") { id } x: order(id: "a") { id } }', [[("orders.by_id", 1)]]),
        (
            '{ order(id: "a") { id } x: order(id: "b") { id } }',
            [[("orders.by_id", 1), ("orders.by_id", 1)]],
        ),
        (
            "{ dashboard { recentOrders { payment { id } } } }",
            [[("orders.recent", 1)], [("payments.by_order", 5)]],
        ),
        (
            '{ order(id: "a") { payment { id } } dashboard { recentOrders { payment { id } } } }',
            [[("orders.by_id", 1), ("orders.recent", 1)], [("payments.by_order", 6)]],
        ),
        ('{ product(id: "a") { id } products(ids: ["b"]) { id } }', [[("products.by_ids", 1)]]),
        ("{ orders { pageInfo { endCursor } edges { cursor } } }", [[("orders.page", 1)]]),
        (
            """mutation { a: createOrder(input: {items: []}) {
                ... on OrderCreated { order { payment { id } } } }
            markNotificationRead(id: "n") { __typename } }""",
            [[("orders.create", 1)], [("payments.by_order", 1)], [("notifications.mark_read", 1)]],
        ),
    ],
)
def test_waves(query, expected):
    """Like questions merge, lists multiply, commands follow one another."""
    assert waves(query) == expected


def test_more_than_a_call_takes():
    """101 ids are two calls."""
    many = "query($ids: [ID!]!) { products(ids: $ids) { id } }"
    assert waves(many, ids=["x"] * 100) == [[("products.by_ids", 1)]]
    one_more = many.replace("}", '} product(id: "y") { id }', 1)
    assert waves(one_more, ids=["x"] * 100) == [[("products.by_ids", 2)]]


def test_variables_and_conditions():
    """Arguments count as they are; what is skipped is not asked."""
    query = """query($n: Int! = 7, $yes: Boolean!) { dashboard {
        user @include(if: $yes) { id } notifications @skip(if: $yes) { id }
        recentOrders(limit: $n) { payment { id } } } }"""
    assert waves(query, yes=True) == [
        [("users.by_id", 1), ("orders.recent", 1)],
        [("payments.by_order", 7)],
    ]
    assert waves(query, yes=False, n=2)[1] == [("payments.by_order", 2)]


def test_fragments():
    """A fragment counts once where it stands, however often it is spread there."""
    query = """query A { dashboard {
            ...D ...D ... on Dashboard { recentOrders { id } } ... { user { id } } } }
        query B { me { id } }
        fragment D on Dashboard { recentOrders { payment { id } payment { status } } }"""
    assert waves(query, "A") == [
        [("orders.recent", 1), ("users.by_id", 1)],
        [("payments.by_order", 5)],
    ]
    assert waves(query, "B") == [[("users.by_id", 1)]]


@pytest.mark.parametrize(
    ("query", "operation", "variables"),
    [
        ("query A { me { id } } query B { me { id } }", None, {}),
        ("query A { me { id } }", "C", {}),
        ("query($n: Int!) { orders(first: $n) { edges { cursor } } }", None, {}),
        ("{ orders(first: null) { edges { cursor } } }", None, {}),
        ("{ orders(first: 101) { edges { cursor } } }", None, {}),
        ("{ dashboard { notifications(limit: 0) { id } } }", None, {}),
        ("query($n: Int!) { dashboard { recentOrders(limit: $n) { id } } }", None, {"n": -1}),
        ("query($i: [ID!]!) { products(ids: $i) { id } }", None, {"i": ["a"] * 101}),
        ('{ products(ids: ["a/b"]) { id } }', None, {}),
    ],
)
def test_no_plan(query, operation, variables):
    """Without an operation, or with variables or arguments that do not fit or would be refused."""
    with pytest.raises(GraphQLError):
        plan(query, operation, **variables)


def test_a_field_that_does_not_exist_asks_nothing():
    """A plan does not replace validation, and does not fall over without it."""
    assert waves("{ nothing }") == []


def lists(schema):
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                bare = getattr(field.type, "of_type", field.type)
                if isinstance(bare, GraphQLList) or isinstance(field.type, GraphQLList):
                    yield f"{kind.name}.{name}"


def test_every_list_is_bounded_or_asks_only_in_batches():
    """A new list must say what bounds it, or no upper bound of a plan is one."""
    bounded = {
        "Dashboard.recentOrders",  # limit
        "Dashboard.notifications",  # limit
        "NotificationConnection.edges",  # first
        "OrderConnection.edges",  # first
        "Query.products",  # ids
    }
    batched_below = {"Order.items", "Query.services"}
    assert set(lists(CORE)) == bounded | batched_below
