"""However an execution goes, it ends: nobody waits for what is useless, or never comes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from dataclasses import dataclass

import pytest
import strawberry
from graphql import build_schema

from engine import BATCH, Batch, load_alone
from tests.unit.engine.asking import HALT, NULL, PROPAGATE, answered, planned, told
from tests.virtual_time import run

SCHEMA = build_schema(
    """
    type Node { value: Int must: Int! }
    type Query { a: Int b: Int node: Node nodes: [Node] strict: [Node!] }
    """
)


async def soon(value=1, seconds=1.0):
    await asyncio.sleep(seconds)
    return value


async def never():
    await asyncio.get_running_loop().create_future()


def failed(error):
    """A future that is done."""
    future = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    return future


@pytest.mark.parametrize("on_error", [PROPAGATE, NULL])
def test_a_list_that_fails_takes_along_what_its_first_pieces_wait_for(on_error):
    """What never comes is cancelled with it, wherever null stops."""

    async def arriving(_info):
        yield {"value": lambda _info: never()}
        await asyncio.sleep(3)
        raise ValueError("no more")

    async def story():
        root = {"nodes": arriving, "a": soon(), "b": soon(seconds=2)}
        async with asyncio.timeout(60):
            result = await answered(SCHEMA, "{ nodes { value } a b }", root, on_error=on_error)
        assert result.data == {"nodes": None, "a": 1, "b": 1}
        assert told(result) == [(["nodes"], "no more")]
        assert len(asyncio.all_tasks()) == 1

    run(story())


def test_what_an_iterator_held_before_it_failed_is_closed():
    """The first item ends the list; the iterator fails after the second."""
    held = soon()

    def items(_info):
        yield None
        yield held
        raise ValueError("no more")

    async def story():
        result = await answered(SCHEMA, "{ strict { value } a }", {"strict": items, "a": 1})
        assert result.data == {"strict": None, "a": 1}
        assert held.cr_frame is None

    run(story())


def test_what_has_become_useless_in_its_own_wave_never_begins():
    """A future that has failed already takes its sibling along before that has begun."""
    begun = []

    async def useless(_info):
        begun.append(True)
        await never()

    async def story():
        root = {"node": {"must": failed(ValueError("no")), "value": useless}, "a": soon()}
        result = await answered(SCHEMA, "{ node { must value } a }", root)
        assert (result.data, begun) == ({"node": None, "a": 1}, [])

    run(story())


def test_what_is_useless_and_all_that_is_left_never_begins():
    """The answer is there, and what it would have waited for is closed."""

    async def story():
        held = never()
        result = await answered(
            SCHEMA, "{ node { value must } }", {"node": {"value": held, "must": None}}
        )
        assert result.data == {"node": None}
        assert held.cr_frame is None

    run(story())


def test_what_has_not_begun_when_all_ends_is_closed():
    """What can be awaited closes what it holds; what was useless before is closed as well."""

    async def story():
        held = soon()
        root = {"a": Held(held), "b": failed(ValueError("no"))}
        result = await answered(SCHEMA, "{ a b }", root, on_error=HALT)
        assert (result.data, held.cr_frame) == (None, None)
        held, cancelled = soon(), asyncio.get_running_loop().create_future()
        cancelled.cancel()
        root = {"node": {"must": failed(ValueError("no")), "value": held}, "b": cancelled}
        with pytest.raises(asyncio.CancelledError):
            await answered(SCHEMA, "{ node { must value } b }", root)
        assert held.cr_frame is None

    run(story())


def test_a_useless_future_that_another_field_has_given_too():
    """Is not cancelled, although the first field that gave it has never waited for it."""

    async def story():
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(2, lambda: future.done() or future.set_result(7))
        root = {"node": {"value": future, "must": None}, "a": future, "b": soon()}
        result = await answered(SCHEMA, "{ node { value must } a b }", root)
        assert result.data == {"node": None, "a": 7, "b": 1}
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(2, lambda: future.done() or future.set_result(7))
        result = await answered(
            SCHEMA, "{ a strict { value } }", {"a": future, "strict": [None, future]}
        )
        assert result.data == {"a": 7, "strict": None}

    run(story())


def test_a_future_of_another_loop_is_an_error():
    """Nobody would ever hear of it here."""

    async def story(elsewhere):
        theirs = elsewhere.create_future()
        root = {"a": theirs, "b": soon(), "node": {"value": elsewhere.create_future()}}
        result = await answered(SCHEMA, "{ a b node { value } }", root)
        assert result.data == {"a": None, "b": 1, "node": {"value": None}}
        theirs = elsewhere.create_future()
        root = {"node": {"value": theirs, "must": None}, "b": soon()}
        result = await answered(SCHEMA, "{ node { value must } b }", root)
        assert result.data == {"node": None, "b": 1}
        assert not theirs.cancelled()

    with contextlib.closing(asyncio.new_event_loop()) as elsewhere:
        run(story(elsewhere))


class Held:
    """Can be awaited, as what it holds."""

    def __init__(self, coroutine):
        self._coroutine = coroutine

    def __await__(self):
        return self._coroutine.__await__()


class Counted:
    """Can be awaited, and counts how often somebody begins to."""

    begun = 0

    def __await__(self):
        self.begun += 1
        return soon().__await__()


def test_what_can_be_awaited_is_awaited_once():
    """To begin may be to send."""

    async def story():
        one, other = Counted(), Counted()
        result = await answered(SCHEMA, "{ a b }", {"a": one, "b": other})
        assert result.data == {"a": 1, "b": 1}
        assert (one.begun, other.begun) == (1, 1)

    run(story())


def test_items_that_come_after_the_caller_has_left():
    """A list that answers its cancellation with another item leaves nothing that waits."""
    held = soon()

    async def stubborn(_info):
        try:
            await never()
        except asyncio.CancelledError:
            yield {"value": held}

    async def story():
        root = {"nodes": stubborn, "a": soon(seconds=9)}
        asking = asyncio.ensure_future(answered(SCHEMA, "{ nodes { value } a }", root))
        await asyncio.sleep(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert held.cr_frame is None
        assert len(asyncio.all_tasks()) == 1

    run(story())


@dataclass(slots=True)
class Desk:
    """Context of batches: what was asked of it.

    Attributes:
        lent: The load under way.
    """

    asked: list[str]
    lent: object = None


def lend(desk, keys):
    desk.asked.append("lend")
    desk.lent = soon(keys)
    return desk.lent


def refuse(desk, _keys):
    desk.asked.append("refuse")
    raise OSError("closed")


def forget(desk, keys):
    desk.asked.append("forget")
    return keys


async def burn(_desk, keys):
    await asyncio.sleep(1)
    return [ValueError("burnt") for _ in keys]


def batched(load):
    return Batch(lambda source: source.number, load, lambda _info, found: found)


LENT, REFUSED, FORGOTTEN = batched(lend), batched(refuse), batched(forget)
BURNT = batched(burn)


@strawberry.type
class Card:
    number: strawberry.Private[int] = 1
    lent: int = strawberry.field(resolver=load_alone(LENT), metadata={BATCH: LENT})
    refused: int = strawberry.field(resolver=load_alone(REFUSED), metadata={BATCH: REFUSED})
    forgotten: int = strawberry.field(resolver=load_alone(FORGOTTEN), metadata={BATCH: FORGOTTEN})
    burnt: int = strawberry.field(resolver=load_alone(BURNT), metadata={BATCH: BURNT})


@strawberry.type
class Library:
    @strawberry.field
    def card(self) -> Card | None:
        return Card()


LIBRARY = strawberry.Schema(Library)._schema


@pytest.mark.parametrize(
    ("text", "on_error", "data", "asked"),
    [
        ("{ card { lent refused } }", PROPAGATE, {"card": None}, ["lend", "refuse"]),
        ("{ card { lent refused } }", HALT, None, ["lend", "refuse"]),
        ("{ card { refused lent } }", PROPAGATE, {"card": None}, ["refuse"]),
        ("{ card { refused lent } }", HALT, None, ["refuse"]),
        ("{ card { refused } }", PROPAGATE, {"card": None}, ["refuse"]),
    ],
)
def test_a_load_that_cannot_be_called_makes_others_useless(text, on_error, data, asked):
    """Those that are under way are cancelled, the others are not asked at all."""

    async def story():
        desk = Desk([])
        result = await answered(LIBRARY, text, Library(), context=desk, on_error=on_error)
        assert (result.data, told(result)) == (data, [(["card", "refused"], "closed")])
        assert desk.asked == asked
        assert desk.lent is None or desk.lent.cr_frame is None
        assert len(asyncio.all_tasks()) == 1

    run(story())


@pytest.mark.parametrize("text", ["{ card { forgotten } }", "{ card { forgotten lent } }"])
def test_a_load_that_gives_nothing_to_wait_for(text):
    """Fails its fields; alone or beside another."""

    async def story():
        result = await answered(LIBRARY, text, Library(), context=Desk([]))
        assert result.data == {"card": None}
        assert [path for path, _ in told(result)] == [["card", "forgotten"]]

    run(story())


def test_a_load_that_halts_all_leaves_no_garbage():
    """The first of its fields ends the operation; the others are let go."""
    plan, values = planned(LIBRARY, "{ a: card { burnt } b: card { burnt } }", on_error=HALT)

    async def story():
        for _ in range(2):
            gc.collect()
            gc.disable()
            try:
                result = await plan.execute(Library(), Desk([]), values)
                assert told(result) == [(["a", "burnt"], "burnt")]
                del result
                assert gc.collect() == 0
            finally:
                gc.enable()

    run(story())
