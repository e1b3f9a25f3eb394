"""`@semanticNonNull` stands where null always means an error, and nowhere else."""

from __future__ import annotations

import pytest
from graphql import build_schema as read
from graphql import get_directive_values, is_list_type, is_non_null_type, is_object_type

from schema.clients.web import build_schema
from tests.unit.graphql.shop import BUSY, FAILS, GARBLES, HANGS, REFUSES, RESETS, Fault, open_shop
from tests.virtual_time import run

GRAPH = read(build_schema().as_str())
DIRECTIVE = GRAPH.get_directive("semanticNonNull")

ONLY_ON_ERROR = {
    ("Dashboard.recentOrders", 0): ("orders", "{ dashboard { recentOrders { id } } }"),
    ("Dashboard.notifications", 0): ("notifications", "{ dashboard { notifications { id } } }"),
    ("Query.orders", 0): ("orders", "{ orders { pageInfo { hasNextPage } } }"),
    ("Query.notifications", 0): ("notifications", "{ notifications { edges { cursor } } }"),
}
WITHOUT_ERROR = {
    ("Dashboard.user", 0): ("u2", "{ dashboard { user { id } } }"),
    ("Query.me", 0): ("u2", "{ me { id } }"),
    ("Query.order", 0): ("u1", '{ order(id: "o9") { id } }'),
    ("Query.product", 0): ("u1", '{ product(id: "p0") { id } }'),
    ("Query.products", 1): ("u1", '{ products(ids: ["p0"]) { id } }'),
    ("Order.payment", 0): ("u1", '{ order(id: "o2") { payment { id } } }'),
    ("OrderItem.product", 0): ("u1", "{ dashboard { recentOrders { items { product { id } } } } }"),
    ("User.phone", 0): ("u1", "{ me { phone } }"),
    ("User.tier", 0): ("u1", "{ me { tier } }"),
    ("User.createdAt", 0): ("u1", "{ me { createdAt } }"),
    ("Product.description", 0): ("u1", '{ product(id: "p1") { description } }'),
    ("Payment.paidAt", 0): ("u1", '{ order(id: "o1") { payment { paidAt } } }'),
    ("Freshness.reason", 0): ("u1", "{ me { freshness { reason } } }"),
    ("PageInfo.startCursor", 0): ("u2", "{ orders { pageInfo { startCursor } } }"),
    ("PageInfo.endCursor", 0): ("u2", "{ notifications { pageInfo { endCursor } } }"),
    ("ServiceStatus.failingSince", 0): ("u1", "{ services { failingSince } }"),
    ("ServiceStatus.lastSuccess", 0): ("u1", "{ services { lastSuccess } }"),
}
FAULTS = {
    "fails": FAILS,
    "refuses": REFUSES,
    "says that there is none": Fault(status=404),
    "is busy": BUSY,
    "garbles": GARBLES,
    "says null": Fault(body=b"null"),
    "resets": RESETS,
    "hangs": HANGS,
}


def fields():
    """The name of every field that is put out, with its definition."""
    for name, kind in GRAPH.type_map.items():
        if is_object_type(kind) and not name.startswith("__"):
            for key, field in kind.fields.items():
                yield f"{name}.{key}", field


def nullable():
    """Every position that may be null: a field, and how many lists deep."""
    for name, field in fields():
        kind, level = field.type, 0
        while True:
            if is_non_null_type(kind):
                kind = kind.of_type
            else:
                yield name, level
            if not is_list_type(kind):
                break
            kind, level = kind.of_type, level + 1


def marked():
    for name, field in fields():
        values = get_directive_values(DIRECTIVE, field.ast_node)
        for level in values["levels"] if values else ():
            yield name, level


def has_null(node):
    if isinstance(node, dict):
        return any(has_null(child) for child in node.values())
    return node is None if not isinstance(node, list) else any(map(has_null, node))


def test_every_position_has_a_story_here():
    """Whoever adds a field that may be null has to say what null means."""
    assert set(marked()) == set(ONLY_ON_ERROR)
    assert set(nullable()) == set(ONLY_ON_ERROR) | set(WITHOUT_ERROR)
    assert not set(ONLY_ON_ERROR) & set(WITHOUT_ERROR)


@pytest.mark.parametrize("position", ONLY_ON_ERROR, ids=str)
def test_null_comes_with_an_error(position):
    """Whatever the service does; and without an error there is no null."""
    service, query = ONLY_ON_ERROR[position]

    async def story():
        async with open_shop() as shop:
            for fault in FAULTS.values():
                shop.break_(**{service: fault})
                check_broken(await shop.ask(query), position)
            shop.break_()
            return await shop.ask(query), await shop.ask(query, user="u2")

    for answer in run(story()):
        assert "errors" not in answer
        assert not has_null(answer["data"])


def check_broken(answer, position):
    [error] = answer["errors"]
    node = answer["data"]
    for step in error["path"]:
        node = node[step]
    assert node is None
    assert error["path"][-1] == position[0].split(".")[1]


def test_null_comes_without_an_error():
    """Elsewhere: there is nothing, and that is the truth."""

    async def story():
        async with open_shop() as shop:
            return {
                position: await shop.ask(query, user=user, scope="bff.operator")
                for position, (user, query) in WITHOUT_ERROR.items()
                if not position[0].startswith("ServiceStatus")
            }

    async def before_anything_is_asked():
        async with open_shop() as shop:
            return {
                position: await shop.ask(query, user=user, scope="bff.operator")
                for position, (user, query) in WITHOUT_ERROR.items()
                if position[0].startswith("ServiceStatus")
            }

    answers = run(story()) | run(before_anything_is_asked())
    assert set(answers) == set(WITHOUT_ERROR)
    assert [position for position, answer in answers.items() if "errors" in answer] == []
    assert [position for position, answer in answers.items() if not has_null(answer["data"])] == []
