"""What is compiled, what is not, and what the source looks like."""

from __future__ import annotations

import gc
import linecache
import re
import traceback

import pytest
from graphql import build_schema, parse
from graphql.execution.values import VariableValues

from engine import NotCompilable, compile_operation
from tests.unit.engine.asking import HALT, NULL, PROPAGATE, ask, planned, told

SCHEMA = build_schema(
    """
    directive @loud on FIELD | QUERY
    interface Being { name: String friend: Being }
    type Person implements Being { name: String friend: Being age: Int! }
    type Query { me: Person beings: [Being!] number(of: Int = 1): Int any: String }
    type Subscription { tick: Int }
    """
)
NOBODY = VariableValues({}, {})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("subscription { tick }", "Subscriptions"),
        ("{ beings @stream { name } }", "@stream"),
        ("{ ... @defer { any } }", "@defer"),
        ("{ any @loud }", "@loud"),
        ("query @loud { any }", "@loud"),
        ("query @experimental_disableErrorPropagation { any }", "@experimental"),
        ("query A { any } query B { any }", "2 operations"),
        ("{ ...Lost }", "missing"),
        ("{ ...Own } fragment Own on Query { ...Own }", "spreads itself"),
        ("{ me " + "{ friend " * 70 + "{ name }" + " }" * 70 + "}", "64 levels"),
    ],
)
def test_the_rest_is_for_graphql_core(text, reason):
    """What cannot be compiled is refused in words, before anything runs."""
    with pytest.raises(NotCompilable, match=reason):
        compile_operation(SCHEMA, parse(text), None)


def test_deep_through_fragments():
    """Levels are counted where fragments are spread, not where they stand."""
    spreads = " ".join(f"fragment F{n} on Being {{ friend {{ ...F{n + 1} }} }}" for n in range(70))
    text = f"{{ me {{ ...F0 }} }} {spreads} fragment F70 on Being {{ name }}"
    with pytest.raises(NotCompilable, match="64 levels"):
        compile_operation(SCHEMA, parse(text), None)


def test_a_condition_that_cannot_be_known_is_for_graphql_core():
    """`if: null` is an error when fields are collected."""
    compiled = compile_operation(
        SCHEMA, parse("query ($no: Boolean = true) { any @skip(if: $no) }"), None
    )
    with pytest.raises(NotCompilable, match="known beforehand"):
        compiled.plan(VariableValues({}, {"no": None}), PROPAGATE)


def test_one_plan_for_each_vector():
    """Only variables of conditions and the behavior make another plan."""
    compiled = compile_operation(
        SCHEMA,
        parse("query ($no: Boolean!, $n: Int) { number(of: $n) any @skip(if: $no) }"),
        None,
    )

    def plan(no, n, on_error=PROPAGATE):
        return compiled.plan(VariableValues({}, {"no": no, "n": n}), on_error)

    assert plan(no=True, n=1) is plan(no=True, n=2)
    assert (
        len({plan(no=no, n=1, on_error=each) for no in (True, False) for each in (HALT, NULL)}) == 4
    )
    assert "any" not in plan(no=True, n=1).source


def test_plans_are_bounded():
    """Whoever sends each vector of many conditions does not fill the memory."""
    names = [f"v{n}" for n in range(6)]
    text = f"query ({' '.join(f'${name}: Boolean!' for name in names)}) {{ any " + " ".join(
        f"a{name}: any @skip(if: ${name})" for name in names
    )
    compiled = compile_operation(SCHEMA, parse(text + " }"), None)

    def plan(vector):
        values = {name: bool(vector >> bit & 1) for bit, name in enumerate(names)}
        return compiled.plan(VariableValues({}, values), PROPAGATE)

    plans = [plan(vector) for vector in range(32)]
    with pytest.raises(NotCompilable, match="32 plans"):
        plan(32)
    assert plan(31) is plans[31]


def test_source_reads_from_the_top():
    """The root comes first, and each field says which it is."""
    plan, _ = planned(SCHEMA, "{ me { name years: age } }")
    assert plan.source.startswith("def select_Query")
    assert "# years: Int!" in plan.source
    assert "v1_years" in plan.source


def test_a_type_of_an_interface_is_compiled_when_it_is_there():
    """Its source is shown then."""
    plan, values = planned(SCHEMA, "{ beings { name ... on Person { age } } }")
    assert "age" not in plan.source
    being = {"__typename": "Person", "name": "Ada", "age": 36}
    result = plan.execute({"beings": [being, being]}, None, values)
    assert result.data == {"beings": [{"name": "Ada", "age": 36}] * 2}
    assert plan.source.count("# age: Int!") == 1


def test_many_types_are_compiled_and_not_all_are_kept():
    """The selections of objects whose type is not known before are bounded."""
    kinds = [f"T{n}" for n in range(600)]
    schema = build_schema(
        "interface I { n: Int } "
        + " ".join(f"type {kind} implements I {{ n: Int }}" for kind in kinds)
        + " type Query { all: [I] }"
    )
    plan, values = planned(schema, "{ all { n __typename } }")
    everything = [{"__typename": kind, "n": n} for n, kind in enumerate(kinds)]
    result = plan.execute({"all": everything}, None, values)
    assert result.data == {"all": [{"n": n, "__typename": kind} for n, kind in enumerate(kinds)]}
    assert plan.source.count("def select_T") < 600


def test_tracebacks_show_the_resolver_and_the_line_that_called_it():
    """As long as the plan lives."""

    def number(_source, _info, of):
        raise ValueError(of)

    schema = build_schema("type Query { number(of: Int = 1): Int }")
    schema.query_type.fields["number"].resolve = number
    plan, values = planned(schema, "{ number }")
    result = plan.execute(None, None, values)
    shown = "".join(traceback.format_exception(result.errors[0].original_error))
    assert "in number" in shown
    assert "v0_number = resolve(run, field_" in shown
    [name] = set(re.findall(r"<graphql query #\d+>", shown))
    assert name in linecache.cache
    del plan, result
    gc.collect()
    assert name not in linecache.cache


ODD = ("class_", "None_", "run", "source", "path", "odd", "shown", "failed", "mapping", "init__x")


def test_names_of_python():
    """Fields, aliases and types may be called what they want."""
    words = ("class", "None", "def", "lambda", "import", "self", "print", "Exception", *ODD)
    fields = " ".join(f"{word}: Int" for word in words)
    schema = build_schema(f"type import {{ {fields} }} type Query {{ if: import }}")
    aliases = " ".join(f"{word} a{word}: {word} v0_{word}: {word}" for word in words)
    result = ask(schema, f"{{ if {{ {aliases} }} }}", {"if": dict.fromkeys(words, 5)})
    assert result.errors is None
    assert set(result.data["if"].values()) == {5}
    assert len(result.data["if"]) == 3 * len(words)


def test_key_order_is_that_of_the_selection():
    """Also where fields are merged."""
    result = ask(
        SCHEMA,
        "{ me { name } number any me { age } }",
        {"me": {"name": "Ada", "age": 1}, "number": 1, "any": "x"},
    )
    assert list(result.data) == ["me", "number", "any"]
    assert list(result.data["me"]) == ["name", "age"]
    assert told(result) == []
