"""What each field is worth, and that all who need to know it hear the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import parse

from datasources.importance import Importance
from schema.asks import KEY, Asks, Level, Per
from schema.context import Context
from schema.degraded import DegradedLog
from schema.loaders import LoaderSets
from tests.unit.schema.house import CORE, House

SDL = Path("schema/sdl/web.graphql").read_text("utf-8")

WORTH = {
    "Query.me": "CRITICAL",
    "Query.order": "CRITICAL",
    "Query.orders": "CRITICAL",
    "Query.product": "CRITICAL",
    "Query.products": "CRITICAL",
    "Query.notifications": "CRITICAL",
    "Dashboard.user": "CRITICAL",
    "Dashboard.recentOrders": "CRITICAL",
    "Dashboard.notifications": "OPTIONAL",
    "Order.payment": "IMPORTANT",
    "OrderItem.product": "IMPORTANT",
    "Mutation.createOrder": "CRITICAL",
    "Mutation.markNotificationRead": "CRITICAL",
}


def questions():
    for name, kind in CORE.type_map.items():
        for key, field in getattr(kind, "fields", {}).items():
            definition = getattr(field, "extensions", {}).get("strawberry-definition")
            question = getattr(definition, "metadata", {}).get(KEY)
            if question is not None:
                yield f"{name}.{key}", question


def test_what_each_field_is_worth():
    """Whoever changes it changes this list."""
    assert {place: question.importance.name for place, question in questions()} == WORTH


def test_the_exported_graph_says_the_same():
    """One directive for each field that asks, and none for others."""
    exported = {
        f"{kind.name.value}.{field.name.value}": directive.arguments[0].value.value
        for kind in parse(SDL).definitions
        for field in getattr(kind, "fields", ()) or ()
        for directive in field.directives or ()
        if directive.name.value == "importance"
    }
    assert exported == WORTH


def test_our_levels_are_those_of_datasources():
    """The most first."""
    worth = sorted(Importance, reverse=True)
    assert [level.name for level in Level] == [importance.name for importance in worth]


@pytest.mark.parametrize(
    ("query", "asked_as"),
    [
        ("{ me { id } }", {"users": "CRITICAL"}),
        ("{ dashboard { notifications { id } } }", {"notifications": "OPTIONAL"}),
        ("{ notifications { edges { cursor } } }", {"notifications": "CRITICAL"}),
        ('{ product(id: "p1") { id } }', {"products": "CRITICAL"}),
        ('{ products(ids: ["p1"]) { id } }', {"products": "CRITICAL"}),
        (
            """{ dashboard { user { id }
                recentOrders { payment { id } items { product { id } } } } }""",
            {
                "users": "CRITICAL",
                "orders": "CRITICAL",
                "payments": "IMPORTANT",
                "products": "IMPORTANT",
            },
        ),
        ('{ order(id: "o1") { id } }', {"orders": "CRITICAL"}),
        ("{ orders { edges { cursor } } }", {"orders": "CRITICAL"}),
        (
            'mutation { markNotificationRead(id: "n1") { __typename } }',
            {"notifications": "CRITICAL"},
        ),
        (
            """mutation { createOrder(input: {items: [{productId: "p1", quantity: 1}]}) {
                ... on OrderCreated { order { payment { id } items { product { id } } } } } }""",
            {"orders": "CRITICAL", "payments": "IMPORTANT", "products": "IMPORTANT"},
        ),
    ],
)
async def test_calls_are_as_important_as_their_fields(house, query, asked_as):
    """Each question is put to the ports of its importance."""
    heard = {}

    def ports(importance):
        marked = House(**{name: getattr(house, name) for name in FURNITURE})
        marked.calls = heard.setdefault(importance.name, [])
        return marked.sources

    plain = house.context

    def context(**given):
        made = plain(**given)
        return Context(
            viewer=made.viewer,
            ports=ports,
            loader_sets=LoaderSets(ports, lambda: 0.0),
            status=made.status,
            degraded=DegradedLog(),
        )

    house.context = context
    answer = await house.answer(query)
    assert answer.errors == []
    services = {call[0]: importance for importance, calls in heard.items() for call in calls}
    assert services == asked_as


FURNITURE = ("users", "orders", "products", "payments", "messages")


class TestLoaderSets:
    """One operation's loaders."""

    def sets(self, house, deadline):
        return LoaderSets(lambda importance: house.sources, lambda: deadline[0])

    async def test_fields_alike_share_a_batch(self, house):
        """Same importance, same deadline."""
        sets = self.sets(house, [5.0])
        one = sets.of(Importance.IMPORTANT).products.load("p1")
        two = sets.of(Importance.IMPORTANT).products.load("p2")
        await one
        await two
        assert house.asked("products") == [("by_ids", ["p1", "p2"])]

    @pytest.mark.parametrize(
        ("importance", "due"), [(Importance.CRITICAL, 5.0), (Importance.IMPORTANT, 4.0)]
    )
    async def test_fields_that_may_end_differently_do_not(self, house, importance, due):
        """Another importance, or another deadline."""
        deadline = [5.0]
        sets = self.sets(house, deadline)
        one = sets.of(Importance.IMPORTANT).products.load("p1")
        deadline[0] = due
        two = sets.of(importance).products.load("p1")
        await one
        await two
        assert house.asked("products") == [("by_ids", ["p1"]), ("by_ids", ["p1"])]

    def test_nothing_is_made_before_it_is_wanted(self, house):
        """An operation that loads nothing pays for no loader."""

        def ports(_importance):
            raise AssertionError

        LoaderSets(ports, lambda: 0.0)
        loaders = self.sets(house, [5.0]).of(Importance.CRITICAL)
        assert loaders.__dict__.keys() == {"_sources"}
        assert loaders.users is loaders.users


def test_a_question_is_its_own_declaration():
    """What the plan reads and what the graph exports come of one object."""
    question = Asks(
        service="users",
        operation="by_id",
        scope="users:read",
        per=Per.VIEWER,
        importance=Importance.IMPORTANT,
    )
    assert question.metadata == {KEY: question}
    (directive,) = question.directives
    assert directive.level is Level.IMPORTANT
