"""What counts as a list, and what comes of its items."""

import asyncio

import pytest

from engine import ErrorBehavior
from tests.differential.beside import beside, schema_of

TO_THE_END = (ErrorBehavior.NULL, ErrorBehavior.PROPAGATE)
TYPES = ["[Int]", "[Int]!", "[Int!]", "[Int!]!", "[[Int!]]", "[[Int]!]!"]


async def soon(value, delay=1.0):
    await asyncio.sleep(delay)
    if isinstance(value, Exception):
        raise value
    return value


async def piece_by_piece(items, error=None):
    for item in items:
        await asyncio.sleep(1)
        yield item
    if error:
        raise error


class Iterable:
    def __iter__(self):
        return iter([1, 2])


class Closing:
    """Tells when it is closed."""

    def __init__(self, items, told):
        self._items = iter(items)
        self._told = told

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return next(self._items)
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self):
        self._told.append("closed")


SHAPES = {
    "list": lambda: [1, 2],
    "tuple": lambda: (1, 2),
    "set": lambda: {1, 2},
    "generator": lambda: (number for number in (1, 2)),
    "iterable": Iterable,
    "range": lambda: range(3),
    "dict": lambda: {"a": 1},
    "values": {"a": 1}.values,
    "text": lambda: "text",
    "bytes": lambda: b"bytes",
    "number": lambda: 5,
    "none": lambda: None,
    "with none": lambda: [1, None, 2],
    "with an error": lambda: [1, ValueError("in it"), 2],
    "empty": list,
    "nested": lambda: [[1], [2, None]],
    "nested and wrong": lambda: [[1], 5],
    "of awaitables": lambda: [soon(1), 2, soon(3, 2)],
    "of failing awaitables": lambda: [soon(1), soon(ValueError("late"), 2), soon(3, 3)],
    "of awaitables of nothing": lambda: [soon(None), 2],
    "awaitable": lambda: soon([1, 2]),
    "awaitable with none": lambda: soon([1, None]),
    "awaitable of awaitables": lambda: soon([soon(1), soon(None, 2)]),
    "failing": lambda: soon(ValueError("whole")),
    "piece by piece": lambda: piece_by_piece([1, 2]),
    "piece by piece with none": lambda: piece_by_piece([1, None]),
    "piece by piece, then an error": lambda: piece_by_piece([1], ValueError("end")),
    "piece by piece of awaitables": lambda: piece_by_piece([soon(1), soon(2, 5)]),
    "without an end of its own": lambda: Closing([1, "x", 2], []),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", TYPES)
def test_a_shape_for_each_type(kind, shape):
    """Whatever a resolver gives, it comes to the same."""
    schema = schema_of(f"type Query {{ list: {kind}, other: Int }}", Query_list=lambda *_: shape())
    outcome = beside(schema, "{ list other }", racing="awaitable" in str(kind))
    assert outcome.tree is None or "list" in outcome.tree


def test_what_comes_piece_by_piece_is_closed_when_an_item_fails():
    """Its `aclose` is called, by both. When one error halts all, the engine alone does so."""
    told = []
    schema = schema_of(
        "type Query { list: [Int!] }", Query_list=lambda *_: Closing([1, None, 2], told)
    )
    beside(schema, "{ list }", lambda: told.append("|"), behaviors=TO_THE_END)
    runs = [run.split() for run in " ".join(told).split("|")[1:]]
    assert runs[0::2] == runs[1::2]
    assert runs[-1] == ["closed"]


def test_an_iterator_may_fail_in_the_middle():
    """The field fails, whatever came before."""

    def failing(*_):
        yield 1
        raise ValueError("in the middle")

    schema = schema_of("type Query { list: [Int] }", Query_list=failing)
    assert beside(schema, "{ list }").tree == {"list": None}


def test_awaitables_that_are_left_when_an_iterator_fails_are_not_forgotten():
    """Nothing is left that was never awaited."""

    def failing(*_):
        yield soon(1)
        yield soon(2)
        raise ValueError("in the middle")

    schema = schema_of("type Query { list: [Int], other: Int }", Query_list=failing)
    assert beside(schema, "{ list other }", lambda: {"other": lambda _: soon(5, 5)}).tree == {
        "list": None,
        "other": 5,
    }


def test_lists_of_objects_await_their_fields_side_by_side():
    """The time of all is the time of the slowest."""
    schema = schema_of(
        "type Query { many: [Item] } type Item { a: Int, b: Int! }",
        Item_a=lambda source, _: soon(source, source),
        Item_b=lambda source, _: soon(source, 10 - source) if source != 2 else soon(None, 3.5),
    )
    outcome = beside(schema, "{ many { a b } }", lambda: {"many": [1, 2, 3]})
    assert outcome.tree == {"many": [{"a": 1, "b": 1}, None, {"a": 3, "b": 3}]}
