"""Fields that are loaded together."""

from __future__ import annotations

import asyncio

import pytest
import strawberry
from graphql import GraphQLSchema, execute, parse

from engine import BATCH, Batch, load_alone
from tests.unit.engine.asking import HALT, answered, told
from tests.virtual_time import run

SHELF = {1: "one", 2: "two", 3: ValueError("burnt")}


def key_of(book):
    """May fail, as for a book that has lost its number."""
    if book.number == 0:
        raise LookupError("no number")
    return [] if book.number == -1 else book.number


async def load(context, keys):
    """Tells what it was asked for."""
    context.append(keys)
    await asyncio.sleep(1)
    if "strike" in context:
        raise OSError("closed")
    found = [SHELF.get(key) for key in keys]
    return found[1:] if "short" in context else found


def show(info, title):
    """Needs the info, and may fail."""
    if title is None:
        raise LookupError(f"{info.path.as_list()[-1]}: no such book")
    return f"{info.field_name} {title}"


TITLE = Batch(key_of, load, show)


@strawberry.type
class Book:
    number: strawberry.Private[int]
    title: str | None = strawberry.field(resolver=load_alone(TITLE), metadata={BATCH: TITLE})
    must: str = strawberry.field(resolver=load_alone(TITLE), metadata={BATCH: TITLE})


@strawberry.type
class Library:
    @strawberry.field
    def books(self, numbers: list[int]) -> list[Book | None]:
        return [Book(number=number) for number in numbers]

    @strawberry.field
    async def later(self, numbers: list[int], seconds: int = 0) -> list[Book | None]:
        await asyncio.sleep(seconds)
        return [Book(number=number) for number in numbers]


SCHEMA: GraphQLSchema = strawberry.Schema(Library)._schema


def asked(text, *words, **kwargs):
    """The answer, and the keys of each call."""
    calls = list(words)
    result = run(answered(SCHEMA, text, context=calls, **kwargs))
    return result, calls[len(words) :]


def test_one_call_for_all():
    """Of distinct keys, in the order in which they came; aliases and lists share it."""
    result, calls = asked(
        "{ a: books(numbers: [2, 1, 2]) { title again: title } books(numbers: [1]) { title } }"
    )
    assert result.data["a"][2] == {"title": "title two", "again": "title two"}
    assert result.data["books"] == [{"title": "title one"}]
    assert calls == [[2, 1]]


def test_lists_that_arrive_together_share_a_call():
    """Those that arrive later have one of their own."""
    result, calls = asked(
        "{ a: later(numbers: [1]) { title } b: later(numbers: [2]) { title }"
        " c: later(numbers: [1], seconds: 5) { title } }"
    )
    assert result.errors is None
    assert calls == [[1, 2], [1]]


def test_errors_of_keys_and_of_values():
    """Each is an error of its own field."""
    result, calls = asked("{ books(numbers: [0, 1, 3, 4, -1]) { title } }")
    titles = [book["title"] for book in result.data["books"]]
    assert titles == [None, "title one", None, None, None]
    assert sorted(told(result)) == [
        (["books", 0, "title"], "no number"),
        (["books", 2, "title"], "burnt"),
        (["books", 3, "title"], "title: no such book"),
        (["books", 4, "title"], "unhashable type: 'list'"),
    ]
    assert calls == [[1, 3, 4]]


@pytest.mark.parametrize(
    ("word", "message"),
    [("strike", "closed"), ("short", "A batch of 2 keys was answered with 1 values.")],
)
def test_a_load_that_fails(word, message):
    """Fails all that it was for."""
    result, _ = asked("{ books(numbers: [1, 2]) { title } }", word)
    assert told(result) == [(["books", index, "title"], message) for index in range(2)]
    result, _ = asked("{ books(numbers: [1, 2]) { must } }", word)
    assert result.data == {"books": [None, None]}


def test_what_a_load_fails_where_all_is_null_already_is_not_told():
    """One key, two fields: the first takes the book along, and with it the second."""
    result, calls = asked("{ books(numbers: [3]) { must title } }")
    assert result.data == {"books": [None]}
    assert told(result) == [(["books", 0, "must"], "burnt")]
    assert calls == [[3]]


def test_a_load_that_cannot_be_called():
    """Is as one that fails."""
    asks_nobody = Batch(key_of, lambda _context, keys: 1 // (len(keys) - 1), show)
    declared = SCHEMA.type_map["Book"].fields["title"].extensions["strawberry-definition"]
    declared.metadata = {BATCH: asks_nobody}
    try:
        result, _ = asked("{ books(numbers: [1]) { title must } }")
    finally:
        declared.metadata = {BATCH: TITLE}
    assert result.data == {"books": [{"title": None, "must": "must one"}]}


def test_a_first_error_cancels_the_load():
    """What is loaded is asked for once, and for nobody else."""
    result, calls = asked(
        "{ books(numbers: [3]) { title } later(numbers: [1], seconds: 60) { title } }",
        on_error=HALT,
    )
    assert (result.data, told(result)) == (None, [(["books", 0, "title"], "burnt")])
    assert calls == [[3]]


def test_whoever_does_not_batch_loads_each_alone():
    """The declaration is good for graphql-core as well."""
    calls = []
    text = "{ books(numbers: [1, 2, 3, 4]) { title } }"

    async def story():
        return await execute(SCHEMA, parse(text), Library(), calls)

    result = run(story())
    batched, _ = asked(text)
    assert result.data == batched.data
    assert sorted(told(result)) == sorted(told(batched))
    assert calls == [[1], [2], [3], [4]]
