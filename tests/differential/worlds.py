"""Schemas by chance: every kind of type, every way to say what an object is, odd names."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDefaultInput,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    Undefined,
    is_non_null_type,
    specified_directives,
)
from graphql.language import DirectiveLocation

from tests.differential.chance import Chance
from tests.differential.failures import failure
from tests.differential.story import Story
from tests.differential.values import Entries, Shade, Thing, given

_NAMES = (
    *(name for name in keyword.kwlist if name.isidentifier()),
    *(
        "self",
        "info",
        "source",
        "root",
        "context",
        "path",
        "errors",
        "data",
        "result",
        "value",
        "key",
    ),
    *("print", "len", "type", "getattr", "Exception", "object", "plan", "execution", "resolve"),
    *("_", "_0", "_private", "x", "y", "name", "id", "items", "get", "keys", "values", "parent"),
    *("match", "fields", "append", "awaitable", "Undefined", "a", "b", "c", "state", "loop"),
)
_BUILTIN = (GraphQLInt, GraphQLFloat, GraphQLString, GraphQLBoolean, GraphQLID)


class World:
    """A schema that *seed* decides.

    Attributes:
        schema: Has at least a query type; often a mutation type.
        asynchronous: Whether resolvers wait also in stories in which nobody has to.
    """

    asynchronous = False

    def __init__(self, seed: int) -> None:
        self._chance = chance = Chance("world", seed)
        self._leaves: list[Any] = [*_BUILTIN, *_BUILTIN, *_scalars(), *_enums()]
        self._inputs = _inputs(chance, self._leaves)
        self._interfaces: list[GraphQLInterfaceType] = []
        self._objects: list[GraphQLObjectType] = []
        self._unions: list[GraphQLUnionType] = []
        self._make_types()
        query = self._object("Query", [])
        mutation = self._object("Mutation", []) if chance.happens(0.6) else None
        note = GraphQLDirective(
            "note",
            [DirectiveLocation.FIELD, DirectiveLocation.FRAGMENT_SPREAD],
            {"text": GraphQLArgument(GraphQLString)},
        )
        self.schema = GraphQLSchema(
            query, mutation, types=self._objects, directives=[*specified_directives, note]
        )

    def story_root(self, story: Story, kind: GraphQLObjectType) -> object:
        """What the root fields of *kind* are asked of."""
        chance = Chance(story.seed, "root")
        return None if chance.happens(0.1) else Thing(story, chance.number(), kind, 0)

    def _make_types(self) -> None:
        chance = self._chance
        first = self._interface("Node", [])
        second = self._interface("Named", [first])
        third = self._interface("If", [])
        self._interfaces = [first, second, third]
        for number in range(3 + chance.below(3)):
            name = chance.pick(("Class", "None_", "T", "_T", "type")) + str(number)
            roots: list[GraphQLInterfaceType] = chance.pick(
                ([], [first], [second, first], [third], [first, third])
            )
            self._objects.append(self._object(name, roots))
        implementing = [one for one in self._objects if one.interfaces]
        if not implementing:
            self._objects.append(self._object("Last", [second, first, third]))
        for name in ("Union", "async"):
            some = [one for one in self._objects if chance.happens(0.6)] or self._objects[:1]
            self._unions.append(
                GraphQLUnionType(name, some, resolve_type=_type_resolver(chance, name))
            )

    def _interface(self, name: str, above: list[GraphQLInterfaceType]) -> GraphQLInterfaceType:
        chance = Chance(self._chance.number(), name)

        def fields() -> dict[str, GraphQLField]:
            made = {key: field for one in above for key, field in one.fields.items()}
            made |= {
                f"{name.lower()}{key}": field for key, field in self._fields(chance, 2).items()
            }
            return made

        return GraphQLInterfaceType(
            name, fields, interfaces=above, resolve_type=_type_resolver(chance, name)
        )

    def _object(self, name: str, above: list[GraphQLInterfaceType]) -> GraphQLObjectType:
        chance = Chance(self._chance.number(), name)

        def fields() -> dict[str, GraphQLField]:
            made: dict[str, GraphQLField] = {}
            for one in above:
                for key, field in one.fields.items():
                    kind = field.type
                    if not is_non_null_type(kind) and chance.happens(0.2):
                        kind = GraphQLNonNull(kind)
                    made[key] = self._field(chance, kind, field.args)
            return made | self._fields(chance, 5 + chance.below(5))

        how = chance.below(5)
        return GraphQLObjectType(
            name, fields, interfaces=above, is_type_of=_type_check(name) if how == 0 else None
        )

    def _fields(self, chance: Chance, count: int) -> dict[str, GraphQLField]:
        made = {}
        for _ in range(count):
            made[chance.pick(_NAMES)] = self._field(chance, self._output(chance), None)
        return made

    def _field(self, chance: Chance, kind: Any, arguments: Any) -> GraphQLField:
        if arguments is None:
            arguments = {}
            if chance.happens(0.35):
                for _ in range(1 + chance.below(3)):
                    arguments[chance.pick(_NAMES)] = self._argument(chance)
        resolve = _resolver(kind) if chance.happens(0.6) else None
        return GraphQLField(kind, args=arguments, resolve=resolve)

    def _argument(self, chance: Chance) -> GraphQLArgument:
        kind, default = self._inputs.kind(chance)
        out_name = chance.pick(_NAMES) + "_out" if chance.happens(0.15) else None
        return GraphQLArgument(kind, default=default, out_name=out_name)

    def _output(self, chance: Chance) -> Any:
        kind: Any
        match chance.below(10):
            case 0 | 1 | 2 | 3:
                kind = chance.pick(self._leaves)
            case 4 | 5 | 6:
                kind = chance.pick(self._objects)
            case 7 | 8:
                kind = chance.pick(self._interfaces)
            case _:
                kind = chance.pick(self._unions)
        for _ in range(2 if chance.happens(0.08) else 1):
            if not is_non_null_type(kind) and chance.happens(0.35):
                kind = GraphQLNonNull(kind)
            if chance.happens(0.3):
                kind = GraphQLList(kind)
        return GraphQLNonNull(kind) if not is_non_null_type(kind) and chance.happens(0.2) else kind


class _Inputs:
    """The types of arguments.

    Attributes:
        defaults: For the types that have some, by their text.
    """

    def __init__(self, leaves: list[Any]) -> None:
        self.leaves = leaves
        self.objects: list[GraphQLInputObjectType] = []

    def kind(self, chance: Chance) -> tuple[Any, GraphQLDefaultInput | None]:
        """A type, and a default value in the form in which clients would send it."""
        nested = bool(self.objects) and chance.happens(0.25)
        kind: Any = chance.pick(self.objects) if nested else chance.pick(self.leaves)
        value = external(chance, kind, 2)
        if chance.happens(0.25):
            kind = GraphQLList(GraphQLNonNull(kind) if chance.happens(0.4) else kind)
            value = [value] if chance.happens(0.5) else []
        nullable = not chance.happens(0.3)
        if not nullable:
            kind = GraphQLNonNull(kind)
        if not chance.happens(0.35):
            return kind, None
        return kind, GraphQLDefaultInput(None if nullable and chance.happens(0.2) else value)


def _inputs(chance: Chance, leaves: list[Any]) -> _Inputs:
    inputs = _Inputs(leaves)
    for name in ("In", "lambda"):
        fields: dict[str, GraphQLInputField] = {}
        for key in ("class", "x", "y_", chance.pick(_NAMES)):
            kind, default = inputs.kind(chance)
            out_name = f"{key}_out" if chance.happens(0.2) else None
            fields[key] = GraphQLInputField(kind, default=default, out_name=out_name)
        inputs.objects.append(GraphQLInputObjectType(name, fields))
    one = {key: GraphQLInputField(chance.pick(leaves)) for key in ("first", "second")}
    inputs.objects.append(GraphQLInputObjectType("OneOf", one, is_one_of=True))
    return inputs


_SENT: dict[str, tuple[Any, ...]] = {
    "Int": (0, 1, -7, 2**31 - 1),
    "Float": (0.5, 3, -1e10),
    "Boolean": (True, False),
    "ID": ("id", 7, "", "o1", "p1"),
    "DateTime": ("2026-01-01T12:00:00Z", "2026-01-01T12:00:00.5+02:00"),
    "Date": ("2026-01-01",),
    "Decimal": ("1.50", "0", "-3"),
    "UUID": ("12345678-1234-5678-1234-567812345678",),
}
_WORDS = ("text", "", 'a "quoted" \\ one', "é")


def external(chance: Chance, kind: Any, depth: int) -> Any:
    """A value of an input type as clients send it in JSON."""
    if is_non_null_type(kind):
        return external(chance, kind.of_type, depth)
    if isinstance(kind, GraphQLList):
        if depth > 0 and chance.happens(0.15):
            return external(chance, kind.of_type, depth - 1)
        return [external(chance, kind.of_type, depth - 1) for _ in range(chance.below(3))]
    if isinstance(kind, GraphQLInputObjectType):
        return _external_object(chance, kind, depth)
    if isinstance(kind, GraphQLEnumType):
        return chance.pick(list(kind.values))
    return chance.pick(_SENT.get(kind.name, _WORDS))


def _external_object(chance: Chance, kind: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
    wanted = [
        key
        for key, field in kind.fields.items()
        if is_non_null_type(field.type) or (depth > 0 and chance.happens(0.4))
    ]
    if kind.is_one_of:
        wanted = [chance.pick(list(kind.fields))]
    return {key: external(chance, kind.fields[key].type, depth - 1) for key in wanted}


def _scalars() -> list[GraphQLScalarType]:
    def picky(value: Any) -> Any:
        if value == 5:
            raise GraphQLError("five is not for showing", extensions={"five": True})
        if value == "custom":
            return None
        if isinstance(value, list):
            raise ValueError("a list")  # noqa: TRY004 - any error will do
        return ["shown", repr(value)]

    def in_words(value: Any) -> str:
        return f"read {value!r}"

    return [
        GraphQLScalarType("Any_"),
        GraphQLScalarType("Picky", serialize=picky, parse_value=in_words),
    ]


def _enums() -> list[GraphQLEnumType]:
    plain = {name: GraphQLEnumValue() for name in ("RED", "class_", "None_")}
    odd: dict[str, Any] = {
        "FIRST": (1, 2),
        "SECOND": Shade.DARK,
        "THIRD": Shade.LIGHT,
        "ZERO": 0,
        "EMPTY": "",
        "UNHASHABLE": [1],
    }
    return [GraphQLEnumType("Colour", plain), GraphQLEnumType("Odd", odd)]


def _resolver(kind: Any) -> Callable[..., Any]:
    def resolve(_source: object, info: GraphQLResolveInfo, /, **arguments: object) -> object:
        story: Story = info.context
        story.called(info, arguments)
        path = info.path.as_list()
        chance = Chance(story.seed, *path, repr(arguments))
        if chance.happens(story.nature.fails):
            raise failure(chance, story.shared)
        return given(story, chance, kind, len(path))

    return resolve


def _name_of(value: object) -> str | None:
    if isinstance(value, Thing):
        return value._kind.name
    if isinstance(value, Entries):
        return value._thing._kind.name
    if isinstance(value, dict):
        return value.get("__typename")
    return None


def _luck(story: Story, value: object, *words: object) -> Chance:
    if isinstance(value, dict):
        value = value.get("seed")  # what else is in it may have an address
    return Chance(story.seed, repr(value), *words)


def _type_resolver(chance: Chance, name: str) -> Callable[..., Any] | None:
    if chance.happens(0.25):
        return None

    def resolve_type(value: object, info: GraphQLResolveInfo, _kind: object) -> Any:
        story: Story = info.context
        luck = _luck(story, value, name)
        if luck.happens(story.nature.fails / 4):
            raise failure(luck, story.shared)
        kind: Any = _name_of(value)
        if luck.happens(story.nature.odd / 2):
            kind = luck.pick(("Nothing", "Colour", "Query", None, 5, Undefined))
        if luck.happens(story.nature.waits / 3):
            return story.keep(_answer(story, luck, kind))
        return kind

    return resolve_type


def _type_check(name: str) -> Callable[..., Any]:
    def is_type_of(value: object, info: GraphQLResolveInfo) -> Any:
        story: Story = info.context
        luck = _luck(story, value, name, "check")
        fits = _name_of(value) == name and not luck.happens(story.nature.odd / 2)
        if luck.happens(story.nature.fails / 6):
            raise failure(luck, story.shared)
        if luck.happens(story.nature.waits / 3):
            return story.keep(_answer(story, luck, fits))
        return fits

    return is_type_of


async def _answer(story: Story, luck: Chance, value: object) -> object:
    await story.pause(luck)
    if luck.happens(story.nature.fails / 4):
        raise failure(luck, story.shared)
    return value
