"""A schema of Strawberry with every way to write a resolver."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar, cast

import strawberry
from graphql import GraphQLObjectType, Undefined
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.types import Info

from engine import BATCH, Batch
from tests.differential.chance import Chance
from tests.differential.failures import failure
from tests.differential.story import Later, Story

_NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


@strawberry.enum
class Hue(enum.Enum):
    """Values of two types, and one with another name."""

    RED = "red"
    BLUE = 2
    GREEN = strawberry.enum_value("green", name="VERT")


@strawberry.input
class Wanted:
    """Nested, with defaults."""

    number: int = 3
    words: list[str] | None = None
    hue: Hue = Hue.RED
    inner: Wanted | None = None
    since: dt.datetime | None = None
    price: decimal.Decimal | None = strawberry.field(default=None, name="class")
    maybe: strawberry.Maybe[int] = None


class Allowed(BasePermission):
    """Refuses as the story says."""

    message = "not allowed"

    def has_permission(self, source: Any, info: Info, **arguments: Any) -> bool:
        return not _luck(source, "Allowed", arguments).happens(_odds(info, 0.3))


class AllowedLater(BasePermission):
    """Refuses as the story says, after a while."""

    message = "not allowed, it was found"
    error_extensions: ClassVar[dict[str, Any]] = {"code": "REFUSED"}

    async def has_permission(self, source: Any, info: Info, **arguments: Any) -> bool:
        chance = _luck(source, "AllowedLater", arguments)
        await info.context.pause(chance)
        return not chance.happens(_odds(info, 0.3))


class Louder(FieldExtension):
    """Changes what comes out."""

    def resolve(self, next_: Any, source: Any, info: Info, **arguments: Any) -> Any:
        value = next_(source, info, **arguments)
        return value.upper() if isinstance(value, str) else value


class LouderLater(FieldExtension):
    """Changes what comes out, after a while."""

    async def resolve_async(self, next_: Any, source: Any, info: Info, **arguments: Any) -> Any:
        await info.context.pause(_luck(source, "LouderLater", arguments))
        value = await next_(source, info, **arguments)
        return value.upper() if isinstance(value, str) else value


def _odds(info: Info, odds: float) -> float:
    return odds if info.context.nature.fails else 0.0


def _luck(source: Any, *words: object) -> Chance:
    seed = source.seed if isinstance(source, Person | Robot | Query | Mutation) else repr(source)
    return Chance(seed, *map(repr, words))


def _called(source: Any, what: str, *arguments: object) -> Chance:
    """Write down the call, and fail as the story says."""
    story = source.story
    story.asked(what, source.seed, repr(arguments))
    chance = _luck(source, what, *arguments)
    if chance.happens(story.nature.fails):
        raise failure(chance, story.shared)
    return chance


def _or_nothing(story: Story, chance: Chance, value: Any) -> Any:
    if chance.happens(story.nature.missing):
        return None
    if chance.happens(story.nature.odd):
        return chance.pick((5, "odd", [], {}, object, Undefined, failure(chance, story.shared)))
    return value


async def _load(story: Story, keys: list[Any]) -> list[object]:
    story.loose = True  # whoever is asked together is asked earlier
    await story.pause(Chance(story.seed, "load", len(keys)))
    if len(set(keys)) != len(keys):
        raise AssertionError("asked for the same twice")
    return [_loaded(story, key) for key in keys]


def _loaded(story: Story, key: int) -> object:
    chance = Chance(story.seed, "loaded", key)
    if chance.happens(story.nature.fails):
        return failure(chance, story.shared)
    return key * 2


def _key(source: Person) -> int:
    chance = Chance(source.seed, "key")
    if chance.happens(source.story.nature.fails / 2):
        raise failure(chance, source.story.shared)
    return source.seed % 5


def _show(info: Any, value: int) -> Any:
    story = info.context
    chance = Chance(story.seed, "show", value)
    if chance.happens(story.nature.fails / 2):
        raise failure(chance, story.shared)
    return _or_nothing(story, chance, value)


def _show_person(info: Any, value: int) -> Any:
    return None if value % 3 == 0 else person(info.context, Chance("shown", value))


NUMBER = Batch(_key, _load, _show)
PEOPLE = Batch(_key, _load, _show_person)


@strawberry.interface
class Named:
    """Its resolvers are inherited."""

    name: str

    @strawberry.field
    def label(self, info: Info, prefix: str = "p") -> str | None:
        chance = _called(self, "label", prefix, info.field_name, info.path.as_list())
        return _or_nothing(info.context, chance, f"{prefix} {chance.below(10)}")


async def _piece_by_piece(story: Story, chance: Chance) -> AsyncIterator[Person | Robot]:
    story.iterated = True
    for _ in range(chance.below(3)):
        await story.pause(chance)
        yield being(story, chance)


def _pet(root: Any, info: Info, wanted: Wanted | None = None) -> Robot:
    return robot(info.context, _called(root, "pet", wanted))


async def _boss(parent: strawberry.Parent[Person], info: Info) -> Person | None:
    chance = _called(parent, "boss", info.return_type)
    await info.context.pause(chance)
    return _or_nothing(info.context, chance, person(info.context, chance))


@strawberry.type
class Person(Named):
    """Has a field for each way."""

    story: strawberry.Private[Story]
    seed: strawberry.Private[int]
    id: strawberry.ID
    age: int | None
    height: float
    born: dt.datetime
    day: dt.date | None
    money: decimal.Decimal
    token: uuid.UUID | None
    hue: Hue | None
    tags: list[str | None]
    matrix: list[list[int] | None] | None
    in_: bool = strawberry.field(name="in", default=True)
    pet: Robot = strawberry.field(resolver=_pet)
    boss: Person | None = strawberry.field(resolver=_boss)

    @strawberry.field
    def friend(self) -> Being | None:
        chance = _called(self, "friend")
        return _or_nothing(self.story, chance, being(self.story, chance))

    @strawberry.field
    async def friends(self, first: int = 2, wanted: Wanted | None = None) -> list[Person]:
        chance = _called(self, "friends", first, wanted)
        await self.story.pause(chance)
        return [person(self.story, chance) for _ in range(min(max(first, 0), 3))]

    @strawberry.field
    def beings(self) -> list[Being]:
        chance = _called(self, "beings")
        return cast("list[Being]", _piece_by_piece(self.story, chance))

    @strawberry.field(permission_classes=[Allowed])
    def secret(self, word: str = "w") -> str | None:
        return f"secret {_called(self, 'secret', word).below(9)}"

    @strawberry.field(permission_classes=[AllowedLater])
    async def later_secret(self) -> str:
        return f"secret {_called(self, 'later_secret').below(9)}"

    @strawberry.field(extensions=[Louder()])
    def loud(self, hue: Hue = Hue.BLUE) -> str:
        return f"loud {hue} {_called(self, 'loud', hue).below(9)}"

    @strawberry.field(extensions=[LouderLater()])
    async def loud_later(self) -> str | None:
        return f"loud {_called(self, 'loud_later').below(9)}"

    @strawberry.field
    def echo(
        self,
        info: Info,
        wanted: Wanted,
        class_: Annotated[int | None, strawberry.argument(name="class")] = strawberry.UNSET,
    ) -> str:
        story: Story = info.context
        story.asked("info", info.field_name, info.python_name, repr(info.variable_values))
        unset = class_ is strawberry.UNSET
        chance = _called(self, "echo", wanted, None if unset else class_, unset)
        return _or_nothing(story, chance, f"{wanted}")

    @strawberry.field(metadata={BATCH: NUMBER})
    async def number(self, info: Info) -> int:
        return await _alone(NUMBER, self, info)

    @strawberry.field(metadata={BATCH: NUMBER})
    async def maybe_number(self, info: Info) -> int | None:
        return await _alone(NUMBER, self, info)

    @strawberry.field(metadata={BATCH: PEOPLE})
    async def other(self, info: Info) -> Person | None:
        return await _alone(PEOPLE, self, info)


async def _alone(batch: Batch, source: Any, info: Info) -> Any:
    loaded = (await batch.load(info.context, [batch.key(source)]))[0]
    if isinstance(loaded, Exception):
        raise loaded
    return batch.show(info._raw_info, loaded)


@strawberry.type
class Robot(Named):
    """Says itself what it is."""

    story: strawberry.Private[Story]
    seed: strawberry.Private[int]
    model: int
    owner: Person | None

    @strawberry.field
    async def parts(self, info: Info) -> list[Named | None] | None:
        chance = _called(self, "parts")
        await info.context.pause(chance)
        return [_or_nothing(self.story, chance, being(self.story, chance)) for _ in range(2)]


Being = Annotated[Person | Robot, strawberry.union("Being")]


@strawberry.type
class Query:
    """Where it begins."""

    story: strawberry.Private[Story]
    seed: strawberry.Private[int]

    @strawberry.field
    def person(self, id: strawberry.ID = "1") -> Person:  # type: ignore[assignment] # noqa: A002 - its name
        return person(self.story, _called(self, "person", id))

    @strawberry.field
    async def people(self, info: Info, count: int = 2) -> list[Person] | None:
        chance = _called(self, "people", count)
        await info.context.pause(chance)
        return [person(self.story, chance) for _ in range(min(max(count, 0), 4))]

    @strawberry.field
    def being(self, wanted: Wanted | None = None) -> Being | None:
        return being(self.story, _called(self, "being", wanted))

    @strawberry.field
    def named(self) -> list[Named]:
        chance = _called(self, "named")
        return [being(self.story, chance) for _ in range(3)]

    @strawberry.field
    def sum(self, values: list[int], factor: float = 1.5) -> float:
        _called(self, "sum", values, factor)
        return sum(values) * factor


@strawberry.type
class Mutation:
    """One after another."""

    story: strawberry.Private[Story]
    seed: strawberry.Private[int]

    @strawberry.mutation
    async def rename(self, info: Info, name: str, wanted: Wanted | None = None) -> Person:
        chance = _called(self, "rename", name, wanted)
        await info.context.pause(chance)
        return person(self.story, chance)

    @strawberry.mutation
    def forget(self, id: strawberry.ID) -> bool | None:  # noqa: A002 - its name
        return _called(self, "forget", id).happens(0.5)


def person(story: Story, chance: Chance) -> Person:
    """One whose values are as odd as the story."""

    def odd(value: Any) -> Any:
        return _or_nothing(story, chance, value) if chance.happens(0.3) else value

    made = Person(
        story=story,
        seed=chance.number(),
        name=odd(f"name {chance.below(9)}"),
        id=odd(strawberry.ID(str(chance.below(99)))),
        age=odd(chance.below(99)),
        height=odd(1.5),
        born=odd(_NOON + dt.timedelta(hours=chance.below(99))),
        day=odd(_NOON.date()),
        money=odd(decimal.Decimal(chance.below(999)) / 100),
        token=odd(uuid.UUID(int=chance.number())),
        hue=odd(chance.pick(list(Hue))),
        tags=odd([odd("a"), "b"]),
        matrix=odd([[1, odd(2)], odd([3])]),
    )
    if chance.happens(story.nature.waits / 4):
        made.age = Later(lambda value=made.age: story.paused(chance, value))  # type: ignore[assignment]
    return made


def robot(story: Story, chance: Chance) -> Robot:
    """One with or without an owner."""
    seed = chance.number()
    owner = person(story, chance) if chance.happens(0.2) else None
    return Robot(story=story, seed=seed, name=f"robot {seed % 9}", model=seed % 99, owner=owner)


def being(story: Story, chance: Chance) -> Person | Robot:
    """One or the other."""
    return person(story, chance) if chance.happens(0.6) else robot(story, chance)


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation)


class Town:
    """Takes the place of a `World`."""

    asynchronous = True

    def __init__(self) -> None:
        self.schema = SCHEMA._schema

    def story_root(self, story: Story, _kind: GraphQLObjectType) -> object:
        """What the root fields are asked of."""
        story.loose = True  # as ours: some fail in a coroutine, before it has waited for anything
        return Query(story=story, seed=story.seed)
