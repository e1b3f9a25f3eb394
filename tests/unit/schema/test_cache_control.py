"""What the hints of types and fields make of an operation, and which hints our graph gives."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Annotated

import pytest
import strawberry
from graphql import is_object_type, parse, validate

from datasources import services
from datasources.resilience.pipeline import Route
from schema.asks import KEY
from schema.cache_control import (
    INHERITED,
    NOT_KEPT,
    PERSONAL,
    CacheControl,
    CachePolicies,
    CachePolicy,
    CacheScope,
)
from tests.unit.schema.house import CORE

SDL = Path("schema/sdl/web.graphql").read_text("utf-8")


def public(seconds):
    return CacheControl(max_age=seconds, scope=CacheScope.PUBLIC)


def private(seconds):
    return CacheControl(max_age=seconds, scope=CacheScope.PRIVATE)


@strawberry.type
class Bare:
    text: str


@strawberry.type(directives=[INHERITED])
class Part:
    text: str
    mine: str = strawberry.field(directives=[CacheControl(scope=CacheScope.PRIVATE)])


@strawberry.interface(directives=[public(40)])
class Thing:
    id: strawberry.ID


@strawberry.type(directives=[public(30)])
class Book(Thing):
    part: Part
    bare: Bare
    named: Bare = strawberry.field(directives=[public(20)])
    kept_too: Bare = strawberry.field(directives=[INHERITED])
    brief: str = strawberry.field(directives=[public(5)])
    long: str = strawberry.field(directives=[public(500)])


@strawberry.type(directives=[PERSONAL])
class Letter(Thing):
    text: str


@strawberry.type(directives=[private(25)])
class Note(Thing):
    text: str


Found = Annotated[Book | Note, strawberry.union("Found", directives=[public(50)])]
Unhinted = Annotated[Book | Note, strawberry.union("Unhinted")]


@strawberry.type
class Query:
    book: Book
    books: list[Book | None] | None
    thing: Thing
    found: Found
    unhinted: Unhinted
    letter: Letter = strawberry.field(directives=[public(60)])
    part: Part
    number: int
    kept_number: int = strawberry.field(directives=[public(7)])


@strawberry.type
class Mutation:
    book: Book


SCHEMA = strawberry.Schema(Query, Mutation, types=[Letter])._schema
POLICIES = CachePolicies(SCHEMA)


def policies(text):
    document = parse(text)
    assert validate(SCHEMA, document) == []
    return POLICIES.of(document)


def lasting(seconds, scope=CacheScope.PUBLIC):
    return CachePolicy(seconds, scope)


PRIVATE = CacheScope.PRIVATE
TABLE = [
    ("{ book { id } }", lasting(30)),
    ("{ books { id } }", lasting(30)),
    ("{ book { id long } }", lasting(30)),
    ("{ book { id brief } }", lasting(5)),
    ("{ book { part { text } } }", lasting(30)),
    ("{ book { part { mine } } }", lasting(30, PRIVATE)),
    ("{ book { bare { text } } }", NOT_KEPT),
    ("{ book { named { text } } }", lasting(20)),
    ("{ book { keptToo { text } } }", lasting(30)),
    ("{ part { text } }", NOT_KEPT),
    ("{ number }", NOT_KEPT),
    ("{ keptNumber }", lasting(7)),
    ("{ keptNumber number }", NOT_KEPT),
    ("{ keptNumber book { id } }", lasting(7)),
    ("{ letter { text } }", lasting(60, PRIVATE)),
    ("{ thing { id } }", lasting(25, PRIVATE)),
    ("{ found { ... on Book { id } } }", lasting(25, PRIVATE)),
    ("{ found { ... on Book { brief } } }", lasting(5, PRIVATE)),
    ("{ unhinted { ... on Book { id } } }", NOT_KEPT),
    ("{ __typename }", NOT_KEPT),
    ("{ __schema { description } }", NOT_KEPT),
    ("{ book { id } __schema { description } }", NOT_KEPT),
    ("{ book { __typename id } __typename }", lasting(30)),
    ("{ book { id ...A } } fragment A on Book { ...B } fragment B on Book { brief }", lasting(5)),
    ("{ ...Q } fragment Q on Query { number }", NOT_KEPT),
    ("{ ... on Query { ... { book { ... @include(if: true) { brief } } } } }", lasting(5)),
    ("query($no: Boolean!) { book { id brief @skip(if: $no) } }", lasting(5)),
    ("mutation { book { id } }", NOT_KEPT),
]


@pytest.mark.parametrize(("text", "policy"), TABLE)
def test_the_least_of_all_that_is_selected(text, policy):
    """As Apollo has it; private wins, and what a variable may leave out counts."""
    (found,) = policies(text).values()
    assert found == policy


def test_each_operation_has_its_own():
    """Also where they spread the same fragments."""
    text = """query A { book { ...F } } query B { book { ...F brief } } mutation C { book { id } }
              fragment F on Book { id long }"""
    assert policies(text) == {"A": lasting(30), "B": lasting(5), "C": NOT_KEPT}


@pytest.mark.parametrize(
    "hint",
    [
        {"max_age": 5},
        {"max_age": -1},
        {"max_age": -1, "scope": CacheScope.PUBLIC},
        {"max_age": 5, "scope": CacheScope.PUBLIC, "inherit_max_age": True},
        {"max_age": 0, "inherit_max_age": True},
    ],
)
def test_hints_that_are_refused(hint):
    """What may be kept says for whom; nothing is said twice."""
    with pytest.raises(ValueError, match=r"maxAge|scope"):
        CacheControl(**hint)


HINTS = {
    "Product": "(maxAge: 5, scope: PUBLIC)",
    "Money": "(inheritMaxAge: true)",
    "Freshness": "(inheritMaxAge: true)",
    "Freshness.origin": "(maxAge: 0)",
    "Freshness.cached": "(maxAge: 0)",
    "Freshness.ageSeconds": "(maxAge: 0)",
    "User": "(scope: PRIVATE)",
    "Order": "(scope: PRIVATE)",
    "Payment": "(scope: PRIVATE)",
    "Notification": "(scope: PRIVATE)",
}


def exported():
    for kind in parse(SDL).definitions:
        places = [(kind.name.value, kind)]
        places += [
            (f"{kind.name.value}.{field.name.value}", field)
            for field in getattr(kind, "fields", None) or ()
        ]
        for place, node in places:
            for directive in getattr(node, "directives", None) or ():
                if directive.name.value == "cacheControl":
                    written = ", ".join(
                        f"{argument.name.value}: {str(argument.value.value).lower()}"
                        if argument.name.value == "inheritMaxAge"
                        else f"{argument.name.value}: {argument.value.value}"
                        for argument in directive.arguments
                    )
                    yield place, f"({written})"


def test_the_exported_graph_says_what_may_be_kept():
    """Whoever lets more be kept changes this list."""
    assert dict(exported()) == HINTS


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ('{ product(id: "p1") { name price { amount } } }', lasting(5)),
        ('{ products(ids: ["p1"]) { id freshness { asOf reason } } }', lasting(5)),
        ('{ product(id: "p1") { freshness { ageSeconds } } }', NOT_KEPT),
        ('{ product(id: "p1") { id } me { id } }', NOT_KEPT),
        ("{ dashboard { recentOrders { items { product { id } } } } }", NOT_KEPT),
        ("{ services { name } }", NOT_KEPT),
    ],
)
def test_what_our_graph_lets_be_kept(text, policy):
    """Products, for as long as the service calls them fresh; nothing of any viewer, and no age."""
    document = parse(text)
    assert validate(CORE, document) == []
    assert CachePolicies(CORE).of(document) == {None: policy}


@pytest.mark.parametrize(
    ("fresh", "policy"),
    [
        ({"products": 2.5}, lasting(2.5)),
        ({"products": 60.0}, lasting(5)),
        ({"products": 0.0}, NOT_KEPT),
        ({"users": 0.0}, lasting(5)),
    ],
)
def test_nothing_is_kept_longer_than_the_operator_finds_it_fresh(fresh, policy):
    """What a service says must be asked for again then, whatever the graph says."""
    document = parse('{ product(id: "p1") { name price { amount } } }')
    assert CachePolicies(CORE, fresh).of(document) == {None: policy}


def routes():
    for module in pkgutil.iter_modules(services.__path__):
        found = vars(importlib.import_module(f"datasources.services.{module.name}"))
        for value in found.values():
            if isinstance(value, Route):
                yield (value.service, value.operation), value


def test_what_is_kept_for_all_is_asked_for_all():
    """No field of which answers are kept in common asks what services tell each viewer apart."""
    known = dict(routes())
    assert known[("users", "by_id")].personal
    policies = CachePolicies(CORE)
    shared = set()
    for name, kind in CORE.type_map.items():
        if not is_object_type(kind) or name.startswith("__"):
            continue
        for key, field in kind.fields.items():
            definition = field.extensions.get("strawberry-definition")
            question = getattr(definition, "metadata", {}).get(KEY)
            max_age, is_private = policies.restriction(kind, key)
            if question is not None and max_age != 0 and not is_private:
                assert not known[question.service, question.operation].personal, f"{name}.{key}"
                shared.add(f"{name}.{key}")
    assert shared == {"Query.product", "Query.products", "OrderItem.product"}
