"""Resolvers of Strawberry are called as Strawberry calls them."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.types import Info

from tests.unit.engine.asking import ask, planned, told
from tests.virtual_time import run


@strawberry.enum
class Hue(Enum):
    RED = "r"
    BLUE = "b"


@strawberry.input
class Size:
    width: int = 1
    hue: Hue = Hue.RED


class Never(BasePermission):
    message = "never"

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        return False


class Loud(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs).upper()


def of_root(root: Any) -> str:
    return f"root {root.name}"


def of_parent(parent: strawberry.Parent[Any], times: int = 2) -> str:
    return parent.name * times


@strawberry.type
class Thing:
    name: str
    hue: Hue | None = None
    in_root: str = strawberry.field(resolver=of_root)
    in_parent: str = strawberry.field(resolver=of_parent)

    @strawberry.field
    def told(self, info: Info, hue: Hue = Hue.BLUE, count: int | None = None) -> str:
        return f"{info.field_name} {info.python_name} {info.path.key} {hue} {count} {self.name}"

    @strawberry.field
    def sized(self, size: Size, sizes: list[Size] | None = None) -> str:
        return f"{size.width} {size.hue} {[each.width for each in sizes or ()]}"

    @strawberry.field(permission_classes=[Never])
    def secret(self) -> str | None:
        return "secret"

    @strawberry.field(extensions=[Loud()])
    def loud(self, word: str) -> str:
        return word

    @staticmethod
    def static(x: int = 3) -> int:
        return x

    fixed: int = strawberry.field(resolver=static)

    @strawberry.field
    def variables(self, info: Info, x: int) -> str:
        return f"{info.variable_values} {[field.name for field in info.selected_fields]}"

    @strawberry.field
    def whole(self, info: Info) -> str:
        raw = info._raw_info
        return f"{raw._replace(field_name='other').field_name} {len(list(raw))} {raw.fragments}"


@strawberry.type
class Query:
    @strawberry.field
    def thing(self) -> Thing:
        return Thing(name="it", hue=Hue.RED)


SCHEMA = strawberry.Schema(Query)
CORE = SCHEMA._schema

SAME = [
    "{ name hue inRoot inParent three: inParent(times: 3) fixed nine: fixed(x: 9) }",
    "{ told a: told(hue: RED) b: told(hue: RED, count: 4) c: told(count: null) }",
    "{ sized(size: {}) a: sized(size: {width: 2, hue: BLUE}, sizes: [{}, {width: 3}]) }",
    '{ secret loud(word: "hush") whole }',
]


@pytest.mark.parametrize("fields", SAME)
def test_the_same_as_strawberry(fields):
    """Constants of all sorts, permissions and extensions."""
    text = f"{{ thing {fields} }}"
    result = ask(CORE, text)
    expected = SCHEMA.execute_sync(text)
    assert (result.data, told(result)) == (expected.data, told(expected))


def test_arguments_from_variables():
    """In each execution its own."""
    text = """query ($x: Int!, $size: Size!, $hue: Hue) {
        thing { variables(x: $x) sized(size: $size) told(hue: $hue) }
    }"""
    for given in ({"x": 1, "size": {}}, {"x": 2, "size": {"hue": "BLUE"}, "hue": "RED"}):
        result = ask(CORE, text, variables=given)
        assert result.data == SCHEMA.execute_sync(text, variable_values=given).data


def test_no_wrapper_where_none_is_needed():
    """Attributes are read, and plain resolvers called, in the source itself."""
    plan, _ = planned(CORE, "{ thing { name inParent(times: 3) secret } }")
    assert "v0_name = source.name" in plan.source
    assert "(parent=source, times=argument_times_" in plan.source
    assert "v2_secret = resolve(run, field_" in plan.source


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Cat(Named):
    pass


@strawberry.type
class Dog(Named):
    pass


def found(which: str) -> Any:
    if which == "cast":
        return strawberry.cast(Dog, Cat(name="cast"))
    return {"own": Cat, "any": Named, "other": Dog}[which](name=which)


@strawberry.type
class Zoo:
    @strawberry.field
    def cats(self) -> list[Cat | None]:
        return [found("own"), found("cast"), found("any"), found("own")]

    @strawberry.field
    def cat(self, which: str) -> Cat | None:
        return found(which)

    @strawberry.field
    async def later(self, which: str) -> Cat | None:
        return found(which)


@pytest.mark.parametrize(
    "text",
    [
        "{ cats { name } }",
        '{ a: cat(which: "own") { name } b: cat(which: "cast") { name } }',
        '{ a: cat(which: "any") { name } b: cat(which: "other") { name } }',
        '{ a: later(which: "own") { name } b: later(which: "cast") { name } }',
        '{ a: later(which: "any") { name } b: later(which: "other") { name } }',
    ],
)
def test_objects_of_their_own_class_are_not_asked(text):
    """Those that were cast, or are of another class, are: as under Strawberry."""
    schema = strawberry.Schema(Zoo, types=[Cat, Dog])
    result = ask(schema._schema, text, Zoo())
    expected = asyncio.run(schema.execute(text, root_value=Zoo()))
    assert (result.data, told(result)) == (expected.data, told(expected))


class Arriving(Named):
    """A cat that is on its way."""

    def __await__(self):
        yield from asyncio.sleep(1).__await__()
        return Named(name="arrived")


class Lost(Named, Exception):
    """A cat that is an error."""


class Strange:
    """Who knows what it can do."""

    def __getattr__(self, name):
        if name != "name":
            raise AttributeError(name)
        return "strange"


@strawberry.type
class Box:
    name: str


@strawberry.type
class Basket:
    cat: strawberry.Private[Any]

    @strawberry.field
    def inside(self) -> Box | None:
        return self.cat


def test_what_one_object_was_says_nothing_of_another_class():
    """Objects of a class that was seen go straight to what is selected of them, no others."""
    plan, values = planned(strawberry.Schema(Basket)._schema, "{ inside { name } }")

    async def shown(cat):
        result = plan.execute(Basket(cat=cat), None, values)
        result = result if isinstance(result, ExecutionResult) else await result
        return result.data["inside"]

    async def story():
        for _ in range(2):
            assert await shown(Named(name="Tom")) == {"name": "Tom"}
            assert await shown(Arriving(name="Kit")) == {"name": "arrived"}
            assert await shown(Lost(name="Max")) is None
            assert await shown(Strange()) == {"name": "strange"}
            assert await shown(None) is None
        assert plan.ordinary.known == {Named}

    run(story())


def test_a_plan_knows_some_classes_and_not_all():
    """However many there are."""
    plan, values = planned(strawberry.Schema(Basket)._schema, "{ inside { name } }")
    for number in range(200):
        kind = type(f"Cat{number}", (), {"name": "Tom"})
        assert plan.execute(Basket(cat=kind()), None, values).data == {"inside": {"name": "Tom"}}
    assert len(plan.ordinary.known) < 100
