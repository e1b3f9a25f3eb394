"""Objects whose type is known when they are there."""

from __future__ import annotations

import asyncio

import pytest
from graphql import build_schema

from tests.unit.engine.asking import HALT, ask, told

SDL = """
interface Pet { name: String }
type Cat implements Pet { name: String }
type Dog implements Pet { name: String! }
type Stone { name: String }
union Any = Cat | Dog
type Query { pet: Pet any: Any must: Pet! cat: Cat }
"""
CAT = {"name": "Tom"}


def schema_asking(**is_type_of):
    """A schema whose types are asked for their objects."""
    schema = build_schema(SDL)
    for kind, function in is_type_of.items():
        schema.type_map[kind].is_type_of = function
    return schema


def later(answer, ends=None):
    """A type that thinks about it."""

    async def think(value, _info):
        try:
            await asyncio.sleep(1)
        finally:
            if ends is not None:
                ends.append(value["name"])
        if isinstance(answer, Exception):
            raise answer
        return answer

    return think


def test_the_first_type_that_agrees():
    """At once, or when all have answered."""
    for cat, dog, expected in [
        (lambda *_: True, lambda *_: True, "Cat"),
        (lambda *_: False, lambda *_: True, "Dog"),
        (later(answer=False), later(answer=True), "Dog"),
        (later(answer=True), later(answer=True), "Cat"),
    ]:
        schema = schema_asking(Cat=cat, Dog=dog)
        assert ask(schema, "{ pet { __typename name } }", {"pet": CAT}).data == {
            "pet": {"__typename": expected, "name": "Tom"}
        }


def test_a_type_that_is_sure_needs_no_others():
    """Those that think about it are closed without having begun."""
    schema = schema_asking(Cat=later(ValueError()), Dog=lambda *_: True)
    result = ask(schema, "{ any { __typename } }", {"any": CAT})
    assert result.data == {"any": {"__typename": "Dog"}}


def test_a_type_that_fails_ends_the_others():
    """Its error is that of the object."""
    ends = []

    async def fails(_value, _info):
        raise ValueError("cannot tell")

    schema = schema_asking(Cat=fails, Dog=later(answer=True, ends=ends))
    result = ask(schema, "{ pet { name } cat { name } }", {"pet": CAT, "cat": None})
    assert result.data == {"pet": None, "cat": None}
    assert told(result) == [(["pet"], "cannot tell")]
    assert ends == ["Tom"]


def test_an_object_of_another_type_is_refused():
    """At once and later."""
    for no in (lambda *_: False, later(answer=False)):
        schema = schema_asking(Cat=no)
        result = ask(schema, "{ cat { name } }", {"cat": CAT})
        assert result.data == {"cat": None}
        message = "Expected value of type 'Cat' but got: {'name': 'Tom'}."
        assert told(result) == [(["cat"], message)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (None, "must resolve to an Object type at runtime for field 'Query.pet'."),
        (5, "received '5', which is not a valid Object type name."),
        ("Nobody", "that does not exist inside the schema."),
        ("Pet", "was resolved to a non-object type 'Pet'."),
        ("Stone", "Runtime Object type 'Stone' is not a possible type for 'Pet'."),
    ],
)
def test_names_of_no_type(name, words):
    """Are told in graphql-core's words, whether they come at once or later."""

    async def resolve_later(_value, _info, _abstract):
        return name

    for resolve in (lambda *_: name, resolve_later):
        schema = build_schema(SDL)
        schema.type_map["Pet"].resolve_type = resolve
        [(path, message)] = told(ask(schema, "{ pet { name } }", {"pet": CAT}))
        assert path == ["pet"]
        assert words in message


def test_what_was_asked_in_vain_is_closed():
    """The operation halts before anybody has answered."""
    schema = schema_asking(Cat=later(answer=True), Dog=later(answer=True))
    result = ask(schema, "{ pet { name } must { name } }", {"pet": CAT}, on_error=HALT)
    assert result.data is None
    assert [path for path, _ in told(result)] == [["must"]]
