"""Which operation, which fields, in which order, with which arguments."""

import asyncio
import collections
from types import SimpleNamespace

import pytest
from graphql import GraphQLError, GraphQLScalarType

from tests.differential.beside import beside, schema_of


async def soon(value, delay=1.0):
    await asyncio.sleep(delay)
    if isinstance(value, Exception):
        raise value
    return value


def test_the_named_one_of_several():
    """And no other."""
    schema = schema_of("type Query { a: Int }")
    asked = "query One { one: a } query Two { two: a }"
    assert beside(schema, asked, lambda: {"a": 1}, operation_name="Two").tree == {"two": 1}


def test_keys_are_in_the_order_of_the_document():
    """Whatever answers first."""
    schema = schema_of("type Query { a: Int, b: Int, c: Int, d: Int }")
    values = {
        "a": lambda _: soon(1, 3),
        "b": 2,
        "c": lambda _: soon(3, 1),
        "d": lambda _: soon(4, 2),
    }
    assert list(beside(schema, "{ d c b a }", lambda: values).tree) == ["d", "c", "b", "a"]


def test_selections_are_merged():
    """Of one response name, from everywhere; the nodes are all told."""
    schema = schema_of("type Query { deep: Query, a: Int, b: Int, c: Int }")
    asked = """{ deep { a } ...One ...Two deep { ... on Query { c } } }
    fragment One on Query { deep { b deeper: deep { b } } }
    fragment Two on Query { deep { c deeper: deep { c } } }"""
    value = {"a": 1, "b": 2, "c": 3}
    outcome = beside(schema, asked, lambda: {"deep": {**value, "deep": value}})
    assert outcome.tree == {"deep": {"a": 1, "b": 2, "deeper": {"b": 2, "c": 3}, "c": 3}}


CONDITIONS = [
    "@include(if: true)", "@include(if: false)", "@skip(if: true)", "@skip(if: false)",
    "@include(if: true) @skip(if: true)", "@include(if: true) @skip(if: false)",
    "@include(if: false) @skip(if: false)", "@include(if: $yes)", "@include(if: $no)",
    "@skip(if: $yes)", "@skip(if: $no)", "@include(if: $yes) @skip(if: $yes)",
]  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize(
    "asked",
    [
        "{{ a b {0} }}",
        "{{ a ...F {0} }} fragment F on Query {{ b }}",
        "{{ a ... on Query {0} {{ b }} }}",
        "{{ a ... {0} {{ b }} }}",
        "{{ a b {0} ... {{ b }} }}",
        "{{ deep {{ b {0} a }} ... {0} {{ deep {{ b }} }} }}",
    ],
)
def test_conditions(asked, condition):
    """On fields, fragments, and both, constant and by variables."""
    schema = schema_of("type Query { a: Int, b: Int, deep: Query }")
    declared = "($yes: Boolean!, $no: Boolean = false)" if "$" in condition else ""
    if declared and "$yes" not in condition:
        declared = "($no: Boolean = false)"
    elif declared and "$no" not in condition:
        declared = "($yes: Boolean!)"
    if "$no" in condition:
        declared = declared.replace("Boolean = false", "Boolean! = false")
    text = f"query {declared} {asked.format(condition)}"
    value = {"a": 1, "b": 2}
    variables = {"yes": True} if "$yes" in condition else {}
    assert beside(schema, text, lambda: {**value, "deep": value}, variables=variables).tree


def test_fields_of_a_mutation_run_one_after_another():
    """The next begins when all below the one before is done."""
    told = []

    async def change(_source, _info, number, fails=False):  # noqa: FBT002 - as resolvers are called
        told.append(f"begin {number}")
        await asyncio.sleep(1.0 / number)
        told.append(f"end {number}")
        if fails:
            raise ValueError(f"number {number}")
        return {"number": number, "later": lambda _: soon(number, 2)}

    schema = schema_of(
        "type Query { a: Int } type Number { number: Int, later: Int! }"
        "type Mutation { change(number: Int!, fails: Boolean): Number }",
        Mutation_change=change,
    )
    asked = """mutation { one: change(number: 1) { number later }
    two: change(number: 2, fails: true) { number } three: change(number: 3) { later } }"""
    outcome = beside(schema, asked, lambda: told.append("|"))
    assert outcome.tree == {"one": {"number": 1, "later": 1}, "two": None, "three": {"later": 3}}
    runs = [run.split() for run in " ".join(told).split("|")[1:]]
    assert runs[0::2] == runs[1::2]
    assert runs[-1] == [
        "begin",
        "1",
        "end",
        "1",
        "begin",
        "2",
        "end",
        "2",
        "begin",
        "3",
        "end",
        "3",
    ]


def test_a_mutation_that_must_be_there_ends_the_rest():
    """What comes after it is not begun."""
    told = []

    def change(_source, _info, number):
        told.append(str(number))
        return soon(None) if number == 2 else number

    schema = schema_of(
        "type Query { a: Int } type Mutation { change(number: Int!): Int! }", Mutation_change=change
    )
    asked = "mutation { one: change(number: 1) two: change(number: 2) three: change(number: 3) }"
    outcome = beside(schema, asked, lambda: told.append("|"))
    assert outcome.tree is None
    assert "".join(told) == "|123|123|12|12|12|12"


ARGUMENTS = """
enum Colour { RED BLUE }
input Inner { a: Int = 5, b: [Int!], c: Colour = RED }
input Wanted { x: Int!, y: String = "y", inner: Inner, list: [Inner] }
scalar Anything
type Query {
  read(wanted: Wanted, number: Int, sure: Int! = 7, text: String = "text", list: [Int],
    lists: [[Int!]!], colour: Colour = BLUE, anything: Anything, words: [String!]! = ["w"]): String
}
"""
CALLS = [
    ("", "{ read }", {}),
    ("", '{ read(number: 1, text: "t", list: 5, lists: [[1], [2]], colour: RED) }', {}),
    ("", "{ read(number: null, text: null, list: null, colour: null) }", {}),
    ("", "{ read(list: [1, null, 2]) }", {}),
    ("", "{ read(wanted: {x: 1}) }", {}),
    ("", "{ read(wanted: {x: 1, y: null, inner: {}, list: {b: 3}}) }", {}),
    ("", '{ read(anything: {a: [1, "b", {c: null}], e: ENUM}) }', {}),
    ("$n: Int", "{ read(number: $n, sure: 3) }", {}),
    ("$n: Int", "{ read(number: $n) }", {"n": None}),
    ("$n: Int", "{ read(number: $n) }", {"n": 4}),
    ("$n: Int = 9", "{ read(number: $n) }", {}),
    ("$n: Int = 9", "{ read(number: $n) }", {"n": None}),
    ("$n: Int = 9", "{ read(sure: $n) }", {"n": None}),
    ("$n: Int", "{ read(sure: $n) }", {}),
    ("$n: Int", "{ read(sure: $n) }", {"n": None}),
    ("$n: Int", "{ read(list: [1, $n]) }", {}),
    ("$n: Int", "{ read(list: [1, $n]) }", {"n": 2}),
    ("$n: [Int]", "{ read(list: $n) }", {"n": 2}),
    ("$n: [Int!] = [3]", "{ read(list: $n) }", {}),
    ("$n: Int = 1", "{ read(wanted: {x: $n}) }", {"n": None}),
    ("$n: String", "{ read(wanted: {x: 1, y: $n}) }", {}),
    ("$n: String", "{ read(wanted: {x: 1, y: $n}) }", {"n": None}),
    ("$n: Inner", "{ read(wanted: {x: 1, inner: $n, list: [$n, {a: 1}]}) }", {"n": {"b": [1]}}),
    ("$n: Wanted!", "{ read(wanted: $n) }", {"n": {"x": 1, "inner": {"c": "BLUE"}}}),
    ("$n: Colour!", "{ read(colour: $n, wanted: {x: 1, inner: {c: $n}}) }", {"n": "RED"}),
    ("$n: Anything", "{ read(anything: $n) }", {"n": {"a": [1]}}),
    ("$n: Anything", "{ read(anything: {in: $n}) }", {"n": {"a": [1]}}),
    ("$n: String!", '{ read(words: [$n, "b"]) }', {"n": "a"}),
    ("$n: [String!]!", "{ read(words: $n) }", {"n": []}),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "asked", "variables"), CALLS)
def test_arguments(declared, asked, variables):
    """Given, left out, null, defaulted, nested; constant and by variables."""
    schema = schema_of(ARGUMENTS, Query_read=lambda _source, _info, **arguments: repr(arguments))
    text = f"query ({declared}) {asked}" if declared else asked
    outcome = beside(schema, text, variables=variables)
    assert outcome.errors or outcome.tree["read"].startswith("{")


SOURCES = [
    {"test": "value"},
    SimpleNamespace(test="value"),
    collections.ChainMap({}, {"test": "value"}),
    collections.UserDict(test="value"),
    SimpleNamespace(test=lambda info, **given: f"{info.field_name} {given}"),
    {"test": lambda info, **given: f"{info.field_name} {given}"},
    {"test": lambda info, **given: soon("later")},
    SimpleNamespace(),
    {},
    None,
    5,
    {"test": str},
    {"test": {"test": 1}},
]


@pytest.mark.parametrize("source", SOURCES, ids=range(len(SOURCES)))
@pytest.mark.parametrize("arguments", ["", '(text: "t")'])
def test_the_default_resolver(source, arguments):
    """Attributes, keys and methods."""
    schema = schema_of('type Query { a: Thing } type Thing { test(text: String = "d"): String }')
    beside(schema, f"{{ a {{ test{arguments} }} }}", lambda: {"a": source})


def test_a_property_may_fail():
    """An AttributeError in it counts as an attribute that is not there."""

    class Thing:
        @property
        def a(self):
            raise ValueError("in a property")

        @property
        def b(self):
            raise AttributeError("in a property")

    schema = schema_of("type Query { thing: Thing } type Thing { a: Int, b: Int }")
    assert len(beside(schema, "{ thing { a b } }", lambda: {"thing": Thing()}).errors) == 1


LEAVES = [
    0, 1, -1, 2**31 - 1, 2**31, -(2**31), 1.0, 1.5, float("nan"), float("inf"), True, False, "",
    "1", "1.5", "x", b"x", [], [1], {}, None, object, 1e300, SimpleNamespace(a=1), 2**70, "é", (1,),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["Int", "Float", "String", "Boolean", "ID", "Colour", "Raw"])
def test_leaves(kind):
    """Every value for every type."""
    schema = schema_of(
        f"enum Colour {{ x RED }} scalar Raw type Query {{ all: [Box] }} "
        f"type Box {{ a: {kind}, b: {kind}!, c: [{kind}] }}"
    )
    boxes = [{"a": value, "b": value, "c": [value, value]} for value in LEAVES]
    for field in ("a", "b", "c"):
        beside(schema, f"{{ all {{ {field} }} }}", lambda: {"all": boxes})


@pytest.mark.parametrize(
    "shown", [None, 0, "", [], ValueError("no"), GraphQLError("no", extensions={"a": 1})]
)
def test_a_scalar_of_ones_own(shown):
    """What it gives is given; nothing is an error; an error is one."""

    def serialize(_value):
        if isinstance(shown, Exception):
            raise shown
        return shown

    schema = schema_of("scalar Own type Query { a: Own, b: [Own!] }")
    own = schema.type_map["Own"]
    assert isinstance(own, GraphQLScalarType)
    own.serialize = own.coerce_output_value = serialize
    beside(schema, "{ a b }", lambda: {"a": 1, "b": [1, 2]})


def test_names_that_mean_something_to_python():
    """Keywords, builtins, and what an engine may call its own."""
    names = ["class", "None", "def", "self", "info", "print", "_", "plan", "len", "async", "data"]
    fields = ", ".join(f"{name}(lambda: Int, from: Int = 2): Int" for name in names)
    schema = schema_of(f"type Query {{ {fields} }}")
    for name in names:
        schema.query_type.fields[name].resolve = lambda _s, _i, **given: sum(given.values())
    asked = " ".join(f"{name}(lambda: 1) import_{name}: {name}" for name in names)
    assert beside(schema, f"{{ {asked} }}").tree["class"] == 3


@pytest.mark.parametrize(
    "error",
    [
        ValueError("plain"), GraphQLError("own", extensions={"code": 1}), KeyError("k"),
        GraphQLError("placed", path=["x"]), ValueError(), ZeroDivisionError("z"),
        RecursionError("deep"),
    ],
    ids=repr,
)  # fmt: skip
def test_errors_are_told_alike(error):
    """Raised at once, later, and from the reading of an attribute."""

    def fail(*_):
        raise error

    schema = schema_of("type Query { a: Int, b: Int, c: Int }", Query_a=fail)
    beside(schema, "{ a b c }", lambda: {"b": lambda _: soon(error), "c": error})


def test_deep_and_wide():
    """Sixty fields side by side and twenty levels."""
    schema = schema_of("type Query { deep: Query, a: Int }")
    value = {"a": 1}
    for _ in range(20):
        value = {"a": 2, "deep": value}
    wide = " ".join(f"a{number}: a" for number in range(60))
    asked = "{ deep " * 20 + "{ a }" + "}" * 20
    beside(schema, asked, lambda: value)
    beside(schema, f"{{ {wide} }}", lambda: value)
