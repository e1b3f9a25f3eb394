"""What is shown of the values that resolvers give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    build_schema,
)

from tests.unit.engine.asking import NULL, ask, told

SCALARS = build_schema(
    "type Query { int: Int float: Float string: String id: ID boolean: Boolean words: [String]"
    " bools: [Boolean] ints: [Int!] nested: [[Int]] }"
)


class Text(str):
    """No `str` of exactly that class."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("int", 2147483647, 2147483647),
        ("int", True, 1),
        ("int", "7", 7),
        ("float", 2, 2),
        ("float", 2.5, 2.5),
        ("string", 2.5, "2.5"),
        ("string", Text("x"), "x"),
        ("string", True, "true"),
        ("id", 7, "7"),
        ("boolean", 0, False),
        ("int", Undefined, None),
        ("words", ("a", None, 1), ["a", None, "1"]),
        ("words", iter(["a"]), ["a"]),
        ("bools", [True, 0, None], [True, False, None]),
        ("nested", [[1], None, [None, 2.0]], [[1], None, [None, 2]]),
    ],
)
def test_values_of_other_classes_are_coerced(field, value, shown):
    """As graphql-core coerces them."""
    result = ask(SCALARS, f"{{ {field} }}", {field: value})
    assert (result.data, result.errors) == ({field: shown}, None)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("int", 2147483648, "Int cannot represent non 32-bit signed integer value: 2147483648"),
        ("int", -2147483649, "Int cannot represent non 32-bit signed integer value: -2147483649"),
        ("float", float("inf"), "Float cannot represent non numeric value: inf"),
        ("float", float("nan"), "Float cannot represent non numeric value: nan"),
        ("string", [1], "String cannot represent value: [1]"),
        ("string", ValueError("returned"), "returned"),
        ("words", "text", "Expected Iterable, but did not find one for field 'Query.words'."),
    ],
)
def test_values_that_cannot_be_shown(field, value, message):
    """Are errors in graphql-core's words."""
    result = ask(SCALARS, f"{{ {field} }}", {field: value})
    assert result.data == {field: None}
    assert told(result) == [([field], message)]


def test_a_null_item_takes_its_list_along():
    """Items after it are not looked at; awaitables among them are closed."""

    async def never():
        raise AssertionError

    result = ask(SCALARS, "{ ints int }", {"ints": [1, None, never()], "int": 2})
    assert result.data == {"ints": None, "int": 2}
    assert told(result) == [(["ints", 1], "Cannot return null for non-nullable field Query.ints.")]
    result = ask(SCALARS, "{ ints }", {"ints": [1, None, 3]}, on_error=NULL)
    assert result.data == {"ints": [1, None, 3]}


def test_parents_of_all_sorts():
    """Mappings are asked for keys, others for attributes; what can be called is."""

    class Keys(Mapping):
        def __getitem__(self, key):
            return "by key"

        def __iter__(self):
            return iter(())

        def __len__(self):
            return 0

    schema = build_schema("type Thing { name: String other: Thing } type Query { things: [Thing] }")
    things = [
        {"name": "dict"},
        Keys(),
        SimpleNamespace(name="attribute"),
        SimpleNamespace(name=lambda info: info.field_name),
        object(),
        None,
        ValueError("one"),
    ]
    result = ask(schema, "{ things { name } }", {"things": things})
    names = ["dict", "by key", "attribute", "name", None]
    assert result.data == {"things": [*({"name": name} for name in names), None, None]}
    assert told(result) == [(["things", 6], "one")]


def test_arguments_of_the_default_resolver():
    """Are given to what it calls, and coerced before it looks."""
    schema = build_schema("type Query { sum(a: Int = 1, b: [Int!]): Int }")
    root = {"sum": lambda _info, a, b=(): a + sum(b)}
    assert ask(schema, "{ sum(b: [2, 3]) }", root).data == {"sum": 6}
    text = "query ($b: [Int!]) { sum(b: $b) }"
    assert ask(schema, text, root, variables={"b": [4]}).data == {"sum": 5}


def test_enums_and_scalars_of_the_schema():
    """By their own functions; null from them is an error."""
    level = GraphQLEnumType("Level", {"LOW": 1, "HIGH": [2]})
    moment = GraphQLScalarType(
        "Moment", coerce_output_value=lambda at: at.isoformat() if at else None
    )
    schema = GraphQLSchema(
        GraphQLObjectType(
            "Query",
            {
                "low": GraphQLField(level),
                "high": GraphQLField(level),
                "none": GraphQLField(level),
                "at": GraphQLField(moment),
                "never": GraphQLField(moment),
            },
        )
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)
    root = {"low": 1, "high": [2], "none": 3, "at": at, "never": 0}
    result = ask(schema, "{ low high none at never }", root)
    expected = {"low": "LOW", "high": "HIGH", "none": None, "at": at.isoformat(), "never": None}
    assert result.data == expected
    assert [path for path, _ in told(result)] == [["none"], ["never"]]


def test_introspection():
    """Is made of fields like others."""
    text = '{ __typename __schema { queryType { name } } __type(name: "Int") { kind name } }'
    assert ask(SCALARS, text).data == {
        "__typename": "Query",
        "__schema": {"queryType": {"name": "Query"}},
        "__type": {"kind": "SCALAR", "name": "Int"},
    }


def test_nothing_is_selected():
    """The answer is an object without entries."""
    assert ask(SCALARS, "{ int @skip(if: true) }").data == {}
