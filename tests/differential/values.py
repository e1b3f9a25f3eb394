"""What resolvers give: values of the declared type, most of the time."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    Undefined,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from tests.differential.chance import Chance
from tests.differential.failures import failure
from tests.differential.story import Later, Story

_DEEPEST = 6


class Text(str):
    """Not exactly a string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Text({str(self)!r})"


class Count(int):
    """Not exactly a number."""

    def __repr__(self) -> str:
        return f"Count({int(self)})"


class Shade(enum.Enum):
    """A value of an enum of GraphQL that is one of Python."""

    LIGHT = "light"
    DARK = ("dark", 2)


class Thing:
    """An object of the type *kind*; its attributes are made when they are looked at."""

    def __init__(self, story: Story, seed: int, kind: GraphQLObjectType, depth: int) -> None:
        self._story = story
        self._seed = seed
        self._kind = kind
        self._depth = depth

    def __repr__(self) -> str:
        return f"{self._kind}#{self._seed}"

    def __getattr__(self, name: str) -> Any:
        if name not in self._kind.fields:
            raise AttributeError(name)
        story = self._story
        story.asked("attribute", self._seed, name)
        chance = Chance(self._seed, name)
        if chance.happens(story.nature.fails / 3):
            raise failure(chance, story.shared)
        if chance.happens(story.nature.missing / 3):
            raise AttributeError(name)
        return given(story, chance, self._kind.fields[name].type, self._depth + 1)


class Method(Thing):
    """Its attributes are methods, which graphql-core calls with what was asked."""

    def __getattr__(self, name: str) -> Any:
        if name not in self._kind.fields:
            raise AttributeError(name)

        def method(info: Any, /, **arguments: object) -> object:
            self._story.called(info, arguments)
            chance = Chance(self._seed, name, repr(arguments))
            if chance.happens(self._story.nature.fails):
                raise failure(chance, self._story.shared)
            return given(self._story, chance, self._kind.fields[name].type, self._depth + 1)

        return method


class Entries(Mapping[str, Any]):
    """A mapping that is no dict."""

    def __init__(self, thing: Thing) -> None:
        self._thing = thing

    def __repr__(self) -> str:
        return f"Entries({self._thing})"

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self._thing, name)
        except AttributeError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._thing._kind.fields)

    def __len__(self) -> int:
        return len(self._thing._kind.fields)


class Pieces:
    """Can be iterated, and is nothing else."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


def given(story: Story, chance: Chance, kind: Any, depth: int) -> Any:
    """What a resolver of the type *kind* gives: to be waited for, or there."""
    if chance.happens(story.nature.waits):
        return story.awaitable(chance, valued(story, chance, kind, depth, kept=True))
    return valued(story, chance, kind, depth)


def valued(story: Story, chance: Chance, kind: Any, depth: int, *, kept: bool = False) -> Any:
    """A value of the type *kind*, most of the time; for *kept*, see `Story.awaitable`."""
    nature = story.nature
    if is_non_null_type(kind):
        if chance.happens(nature.missing / 4):
            return None
        return _present(story, chance, kind.of_type, depth, kept)
    if chance.happens(nature.missing):
        return Undefined if chance.happens(0.2) else None
    return _present(story, chance, kind, depth, kept)


def _present(story: Story, chance: Chance, kind: Any, depth: int, kept: bool) -> Any:  # noqa: FBT001
    nature = story.nature
    if chance.happens(nature.fails / 4):
        return failure(chance, story.shared)
    leaf_wanted = is_leaf_type(kind)
    if chance.happens(nature.odd if leaf_wanted else nature.odd / 2):
        return _wrong(chance, kind)
    if leaf_wanted:
        return leaf(chance, kind)
    if is_list_type(kind):
        return _list(story, chance, kind.of_type, depth, kept)
    if is_abstract_type(kind):
        kind = chance.pick(story.schema.get_possible_types(kind))
    return thing(story, chance, kind, depth)


def _wrong(chance: Chance, kind: Any) -> Any:
    if is_leaf_type(kind):
        return chance.pick(_ODD)
    if is_list_type(kind):
        return chance.pick((5, "text", {"a": 1}, b"bytes", object))
    return chance.pick((5, "text", {}, (), {"__typename": "Nothing"}, {"__typename": 5}))


def thing(story: Story, chance: Chance, kind: GraphQLObjectType, depth: int) -> Any:
    """An object of the type *kind* in one of the shapes that Python has for it."""
    seed = chance.number()
    match chance.below(8):
        case 0:
            made: Any = Entries(Thing(story, seed, kind, depth))
        case 1:
            made = Method(story, seed, kind, depth)
        case 2:
            made = _dict(story, seed, kind, depth)
        case _:
            made = Thing(story, seed, kind, depth)
    return made


def _dict(story: Story, seed: int, kind: GraphQLObjectType, depth: int) -> dict[str, Any]:
    entries: dict[str, Any] = {"__typename": kind.name, "seed": seed}
    for name, field in kind.fields.items():
        chance = Chance(seed, name)
        if is_leaf_type(get_nullable_type(field.type)) and not chance.happens(0.2):
            entries[name] = valued(story, chance, field.type, depth + 1)
    return entries


def _list(story: Story, chance: Chance, item: Any, depth: int, kept: bool) -> Any:  # noqa: FBT001
    longest = 4 if depth < 3 else 2
    count = chance.below(longest) if depth < _DEEPEST else 0
    items = [
        valued(story, Chance(chance.number(), index), item, depth + 1, kept=True)
        for index in range(count)
    ]
    if chance.happens(story.nature.iterates):
        return _pieces(story, chance, items)
    items = [
        story.awaitable(chance, one, kept=kept) if chance.happens(story.nature.waits / 3) else one
        for one in items
    ]
    return _shaped(story, chance, items)


def _shaped(story: Story, chance: Chance, items: list[Any]) -> Any:
    match chance.below(12):
        case 0:
            shaped: Any = tuple(items)
        case 1:
            shaped = (one for one in items)
        case 2:
            shaped = Pieces(items)
        case 3:
            shaped = dict(enumerate(items)).values()
        case 4 if _fails(story, chance):
            shaped = _failing(items, failure(chance, story.shared))
        case _:
            shaped = items
    return shaped


def _fails(story: Story, chance: Chance) -> bool:
    return chance.happens(story.nature.fails * 2)


def _failing(items: list[Any], error: Exception) -> Iterator[Any]:
    yield from items
    raise error


async def _pieces(story: Story, chance: Chance, items: list[Any]) -> AsyncIterator[Any]:
    story.iterated = True
    for one in items:
        if chance.happens(0.5):
            await story.pause(chance)
        late = chance.number()
        if chance.happens(story.nature.waits / 2):
            yield Later(lambda late=late, one=one: story.paused(Chance(late), one))
        else:
            yield one
    if _fails(story, chance):
        raise failure(chance, story.shared)


_LEAVES: dict[str, tuple[Any, ...]] = {
    "Int": (1, -4, 0, 2**31 - 1, Count(7), 3.0, True, "12"),
    "Float": (1.5, -0.25, 2, 1e300, True, "2.5"),
    "String": ("text", "", "é \u2028 \U0001f600", Text("t"), 5, True, 0.5),
    "ID": ("id", 12, Text("i")),
    "Boolean": (True, False, True, False, 1, 0),
}
_OTHERS = ({"a": [1, None]}, "custom", 5, Text("c"), [1], 2.5)
_ODD = (
    *(1, 1.5, "x", "", True, 2**40, -(2**31) - 1, float("nan"), float("inf"), 1e300, None),
    *([1], {"a": 1}, "7", object, b"x", Count(9), Text("9"), (), Shade.DARK, {1, 2}, "FIRST"),
)


def leaf(chance: Chance, kind: Any) -> Any:
    """A good value of a scalar or of an enum, as a resolver gives it."""
    if isinstance(kind, GraphQLEnumType):
        return chance.pick(list(kind.values.values())).value
    return chance.pick(_LEAVES.get(kind.name, _OTHERS))
