from __future__ import annotations

import gc
import tracemalloc

import pytest
from graphql import OperationType
from graphql.execution.values import VariableValues

from bff.graphql.documents import MOST_ERRORS, Documents, InvalidDocument
from bff.graphql.execution import core_schema
from bff.graphql.limits import Limits
from bff.graphql.on_error import OnError
from bff.graphql.refusal import Refusal
from tests.unit.graphql.little_graph import SCHEMA


def documents(limits: Limits | None = None, **options) -> Documents:
    return Documents(core_schema(SCHEMA), limits or Limits(), **options)


def errors_of(text: str, cache: Documents | None = None) -> list[dict]:
    cache = documents() if cache is None else cache
    with pytest.raises(InvalidDocument) as caught:
        cache.get(text)
    return [dict(error) for error in caught.value.errors]


def codes_of(text: str, cache: Documents | None = None) -> set[str]:
    return {error["extensions"]["code"] for error in errors_of(text, cache)}


def test_a_document_is_parsed_once():
    """The second request for the same text gets the same document."""
    cache = documents()
    assert cache.get("{ me { id } }") is cache.get("{ me { id } }")


def test_a_failure_is_remembered_too():
    """The same wrong text is not validated again; its errors are the same object."""
    cache = documents()
    with pytest.raises(InvalidDocument) as first:
        cache.get("{ nothing }")
    with pytest.raises(InvalidDocument) as second:
        cache.get("{ nothing }")
    assert first.value.errors is second.value.errors


@pytest.mark.slow
def test_memory_is_bounded_by_bytes_and_the_least_used_goes():
    """A thousand texts through a small room: it is never above its size, and what is used stays."""
    cache = documents(most_bytes=200_000)
    kept = cache.get("{ me { id } }")
    for number in range(1_000):
        cache.get(f"{{ a{number}: me {{ id }} }}")
        assert cache.get("{ me { id } }") is kept
        assert cache.bytes_kept <= 200_000
    assert 5 < len(cache) < 100


@pytest.mark.slow
def test_nonsense_does_not_push_out_what_is_used():
    """Wrong texts have a room of their own, an eighth of the size."""
    cache = documents(most_bytes=200_000)
    kept = cache.get("{ me { id } }")
    for number in range(1_000):
        errors_of(f"{{ nothing{number} }}", cache)
    assert cache.get("{ me { id } }") is kept
    assert cache.bytes_kept < 200_000 // 8 + 20_000


def test_what_is_bigger_than_the_room_is_answered_and_not_kept():
    """A room of one byte keeps nothing and still answers."""
    cache = documents(most_bytes=1)
    assert cache.get("{ me { id } }") is not cache.get("{ me { id } }")
    assert len(cache) == 0


@pytest.mark.parametrize("pattern", ["a{i}: __typename ", "... { __typename } ", "__typename #\n"])
@pytest.mark.slow
def test_the_estimate_is_not_below_what_documents_take(pattern):
    """The bytes that are counted are at least those that Python allocates, a plan included."""
    cache = documents(Limits(aliases=500, root_fields=500))
    cache.get("{ __typename }")
    texts = [
        "{" + "".join(pattern.replace("{i}", f"{n}_{i}") for i in range(100)) + "}"
        for n in range(10)
    ]
    texts = [text + " " * n for n, text in enumerate(texts)]
    before = cache.bytes_kept
    gc.collect()
    tracemalloc.start()
    for text in texts:
        document = cache.get(text)
        document.operation(None).compilation.plan(
            core_schema(SCHEMA),
            document.node,
            None,
            VariableValues({}, {}),
            OnError.PROPAGATE,
            hide_suggestions=True,
        )
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken <= cache.bytes_kept - before


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{me" + "{friend" * 2_000 + "{id}" + "}" * 2_001, id="depth 2,000"),
        pytest.param("{named(ids:" + "[" * 5_000 + "]" * 5_000 + ")}", id="list 5,000 deep"),
        pytest.param("{" + "__typename " * 10_000 + "}", id="10,000 duplicate fields"),
        pytest.param("{" + "__typename " * 200_000 + "}", id="200,000 tokens"),
        pytest.param("#\n" * 5_000 + "{ __typename }", id="comments"),
        pytest.param("{ __typename }" + " " * 70_000, id="long text"),
        pytest.param('{ echo(text: "' + "é" * 40_000 + '") }', id="long in bytes only"),
        pytest.param(
            "{me{...F0}}"
            + "".join(f"fragment F{i} on User{{...F{i + 1} ...F{i + 1}}}" for i in range(90))
            + "fragment F90 on User{id}",
            id="fragment bomb",
        ),
        pytest.param("{me{" + "friend{id}" * 480 + "}}", id="quadratic validation"),
        pytest.param("{me" + "{friend" * 16 + "{id}" + "}" * 17, id="depth 18"),
    ],
)
def test_what_is_too_much_is_refused_in_one_error(text):
    """Each is cut by the first cheap check that it fails, with its own code."""
    errors = errors_of(text)
    assert [error["extensions"]["code"] for error in errors] == ["QUERY_TOO_COMPLEX"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "{ nothing }",
        "{ me }",
        "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
        "fragment A on User { id }",
        "type Query { a: Int }",
        "subscription { me { id } }",
        "{ a: me { id } a: __typename }",
        "{ maybe(text: null) }",
        "{ twice(number: 99999999999) }",
        '{ echo(text: "\\uD800") }',
        "{ me { id ... @defer { friend { id } } } }",
        "query A { __typename } query A { __typename }",
    ],
)
def test_what_is_wrong_is_the_askers_mistake(text):
    """Syntax and validation errors are BAD_USER_INPUT."""
    assert codes_of(text) == {"BAD_USER_INPUT"}


@pytest.mark.parametrize(
    "number", ["1" * 5_000, "-" + "1" * 100, "1." + "1" * 5_000, "1e" + "1" * 90]
)
def test_a_number_that_nobody_means_is_refused_before_it_is_converted(number):
    """No 5,000 digits in the answer, and no word of Python's own limits."""
    [error] = errors_of(f"{{ twice(number: {number}) }}")
    assert error["message"] == "A number has more than 64 digits."
    assert error["locations"] == [{"line": 1, "column": 17}]


def test_errors_say_where():
    """Locations are of the text that was sent."""
    [error] = errors_of("{\n  nothing\n}")
    assert error["locations"] == [{"line": 2, "column": 3}]


def test_errors_are_few_and_short():
    """Ten mistakes give five errors and one that says so; a long quotation is cut."""
    errors = errors_of("query cop { __typename " + "@aa" * 10 + " }")
    assert len(errors) == MOST_ERRORS + 1
    [error] = errors_of("{ " + "x" * 5_000 + " }")
    assert len(error["message"]) == 401


def test_without_introspection_the_schema_does_not_leak():
    """`__schema` and `__type` are invalid, `__typename` is not, and no name is suggested."""
    closed = documents(introspection=False)
    assert codes_of("{ __schema { types { name } } }", closed) == {"BAD_USER_INPUT"}
    assert codes_of('{ __type(name: "User") { name } }', closed) == {"BAD_USER_INPUT"}
    assert closed.get("{ __typename me { __typename } }")
    for text in ("{ mee { id } }", "{ twice(numbr: 1) }", "{ me { ... on Usr { id } } }"):
        assert "Did you mean" not in str(errors_of(text, closed))
        assert "Did you mean" in str(errors_of(text))


def test_the_one_operation_needs_no_name():
    """None finds the only operation, named or not, and a name finds its own."""
    cache = documents()
    assert cache.get("{ __typename }").operation(None).kind is OperationType.QUERY
    two = cache.get("query A { __typename } mutation B { bump }")
    assert two.operation("B").kind is OperationType.MUTATION
    assert cache.get("query A { me { id } }").operation(None).reads


@pytest.mark.parametrize("name", [None, "C"])
def test_several_operations_need_a_name_that_exists(name):
    """Guessing would execute something that nobody asked for."""
    two = documents().get("query A { __typename } query B { __typename }")
    with pytest.raises(Refusal) as caught:
        two.operation(name)
    assert caught.value.status == 400


def test_one_document_over_a_limit_is_refused_whole():
    """The second operation is measured too, although the first may be the one that is named."""
    text = "query A { __typename } query B { me { friend { id } } }"
    assert codes_of(text, documents(Limits(depth=2))) == {"QUERY_TOO_COMPLEX"}
