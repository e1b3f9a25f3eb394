"""What is awaited, what is cancelled, and that nothing is left under way."""

from __future__ import annotations

import asyncio
import gc
from contextvars import ContextVar

import pytest
from graphql import ExecutionResult, GraphQLError, build_schema

from tests.unit.engine.asking import HALT, NULL, PROPAGATE, answered, ask, planned, told
from tests.virtual_time import run

SCHEMA = build_schema(
    """
    type Node { value: Int must: Int! left: Node right: Node all: [Node!] }
    type Query { a: Int b: Int must: Int! node: Node list: [Int!] nodes: [Node] }
    type Mutation { a: Int b: Int must: Int! node: Node }
    """
)


class Stage:
    """Resolvers that tell what becomes of them."""

    def __init__(self):
        self.told = []

    def after(self, name, seconds, value=1):
        """A resolver that gives *value* in a while."""

        async def resolve(_info):
            self.told.append(f"{name} begins")
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                self.told.append(f"{name} is cancelled")
                await asyncio.sleep(1)
                self.told.append(f"{name} has ended")
                raise
            if isinstance(value, Exception):
                raise type(value)(*value.args)  # a new one: that of the stage knows this frame
            self.told.append(f"{name} ends")
            return value

        return resolve


async def tasks_after(awaitable):
    """The answer, and how many other tasks there are then."""
    result = await awaitable
    return result, len(asyncio.all_tasks()) - 1


def test_siblings_are_awaited_together():
    """An answer takes as long as the slowest."""

    async def story():
        stage = Stage()
        begun = asyncio.get_running_loop().time()
        root = {"a": stage.after("a", 2), "b": stage.after("b", 3)}
        result = await answered(SCHEMA, "{ a b }", root)
        assert result.data == {"a": 1, "b": 1}
        assert asyncio.get_running_loop().time() == begun + 3

    run(story())


def test_what_is_there_is_not_awaited():
    """Without anything to await, `execute` gives the answer itself."""
    plan, values = planned(SCHEMA, "{ a }")
    assert isinstance(plan.execute({"a": 1}, None, values), ExecutionResult)


def test_null_cancels_what_it_makes_useless():
    """And the answer waits until that has ended."""

    async def story():
        stage = Stage()
        node = {
            "value": stage.after("useless", 60),
            "must": stage.after("failing", 1, ValueError("no")),
        }
        root = {"node": node, "a": stage.after("useful", 2)}
        asking = answered(SCHEMA, "{ node { value must } a }", root)
        result, others = await tasks_after(asking)
        assert result.data == {"node": None, "a": 1}
        assert told(result) == [(["node", "must"], "no")]
        assert stage.told[-3:] == ["useless is cancelled", "useful ends", "useless has ended"]
        assert others == 0

    run(story())


@pytest.mark.parametrize("on_error", [PROPAGATE, HALT])
def test_null_at_the_root_ends_everything(on_error):
    """At once; what was not begun never is."""

    async def story():
        stage = Stage()
        root = {"a": stage.after("a", 60), "must": stage.after("must", 1, ValueError("no"))}
        asking = answered(SCHEMA, "{ a must }", root, on_error=on_error)
        result, others = await tasks_after(asking)
        assert (result.data, told(result), others) == (None, [(["must"], "no")], 0)
        assert stage.told[-2:] == ["a is cancelled", "a has ended"]
        root["must"] = None
        stage.told.clear()
        result = await answered(SCHEMA, "{ a must }", root, on_error=on_error)
        assert (result.data, stage.told) == (None, [])

    run(story())


def test_a_first_error_halts():
    """There is no data, and no other error."""

    async def story():
        stage = Stage()
        root = {
            "a": stage.after("a", 1, ValueError("first")),
            "b": stage.after("b", 1, ValueError("second")),
            "node": {"value": stage.after("value", 60)},
        }
        result, others = await tasks_after(
            answered(SCHEMA, "{ a b node { value } }", root, on_error=HALT)
        )
        assert (result.data, told(result), others) == (None, [(["a"], "first")], 0)
        assert "value has ended" in stage.told

    run(story())


def test_null_stays_where_it_is():
    """With NULL, also where it cannot be."""

    async def story():
        stage = Stage()
        root = {"must": stage.after("must", 1, ValueError("no")), "a": stage.after("a", 2)}
        result = await answered(SCHEMA, "{ must a }", root, on_error=NULL)
        assert (result.data, told(result)) == ({"must": None, "a": 1}, [(["must"], "no")])

    run(story())


@pytest.mark.parametrize(
    ("on_error", "data", "begun"),
    [
        (PROPAGATE, None, ["a", "must"]),
        (HALT, None, ["a", "must"]),
        (NULL, {"a": 1, "must": None, "b": 1}, ["a", "must", "b"]),
    ],
)
def test_fields_of_a_mutation_run_one_after_another(on_error, data, begun):
    """After an error that ends the operation, none is begun."""

    async def story():
        stage = Stage()
        root = {
            "a": stage.after("a", 1),
            "must": stage.after("must", 1, ValueError("no")),
            "b": stage.after("b", 1),
        }
        result = await answered(SCHEMA, "mutation { a must b }", root, on_error=on_error)
        assert result.data == data
        assert [told for told in stage.told if "begins" in told] == [f"{x} begins" for x in begun]

    run(story())


def test_a_field_of_a_mutation_is_under_way_until_all_below_it_is_done():
    """Then the next begins."""

    async def story():
        stage = Stage()
        root = {"node": lambda _info: {"value": stage.after("value", 5)}, "a": stage.after("a", 1)}
        result = await answered(SCHEMA, "mutation { node { value } a }", root)
        assert list(result.data) == ["node", "a"]
        assert stage.told == ["value begins", "value ends", "a begins", "a ends"]

    run(story())


@pytest.mark.parametrize("steps", range(8))
def test_cancelled_from_outside(steps):
    """At any moment: all that was begun has ended when the cancellation has passed."""

    async def story():
        stage = Stage()
        root = {
            "a": stage.after("a", 60),
            "b": stage.after("b", 0),
            "nodes": stage.after("nodes", 0, [{"value": stage.after("value", 60)}] * 3),
        }
        asking = asyncio.ensure_future(answered(SCHEMA, "{ a b nodes { value } }", root))
        for _ in range(steps):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.sleep(0.5)
        asking.cancel()  # by one who has no patience
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert len(asyncio.all_tasks()) == 1
        begun = sum("begins" in told for told in stage.told)
        assert begun == sum("ended" in told or "ends" in told for told in stage.told)

    run(story())


def test_a_future_that_two_wait_for():
    """Is not cancelled while one of them needs it."""

    async def story():
        future = asyncio.get_running_loop().create_future()
        stage = Stage()
        node = {"value": future, "must": stage.after("must", 1, ValueError("no"))}
        asyncio.get_running_loop().call_later(2, lambda: future.done() or future.set_result(7))
        result = await answered(SCHEMA, "{ node { value must } a }", {"node": node, "a": future})
        assert result.data == {"node": None, "a": 7}

    run(story())


def test_a_cancelled_future_cancels_the_operation():
    """As under graphql-core; nobody knows the value."""

    async def story():
        future = asyncio.get_running_loop().create_future()
        stage = Stage()
        asyncio.get_running_loop().call_later(1, future.cancel)
        with pytest.raises(asyncio.CancelledError):
            await answered(SCHEMA, "{ a b }", {"a": future, "b": stage.after("b", 60)})
        assert stage.told[-1] == "b has ended"

    run(story())


WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


def test_fields_see_what_the_resolver_above_them_has_set():
    """And not what others have."""

    async def seen(_info):
        await asyncio.sleep(0)
        return {"value": len(WHO.get())}

    def setting(name):
        async def resolve(_info):
            WHO.set(name)
            await asyncio.sleep(0)
            return {"left": seen, "right": seen}

        return resolve

    result = ask(
        SCHEMA,
        "{ nodes { left { value } right { value } } }",
        {"nodes": [setting("a")(None), setting("bb")(None), {"left": seen}]},
    )
    lefts = [node["left"]["value"] for node in result.data["nodes"]]
    assert lefts == [1, 2, len("nobody")]
    assert [node["right"] for node in result.data["nodes"][:2]] == [{"value": 1}, {"value": 2}]


class Bare:
    """Can be awaited, and is nothing else."""

    def __init__(self, coroutine):
        self._coroutine = coroutine

    def __await__(self):
        return self._coroutine.__await__()


def test_all_that_can_be_awaited():
    """Coroutines, futures that are done or not, tasks, and other objects."""

    async def one():
        await asyncio.sleep(0)
        return 1

    async def story():
        loop = asyncio.get_running_loop()
        done, failing = loop.create_future(), loop.create_future()
        done.set_result(1)
        failing.set_exception(ValueError("no"))
        items = [one(), done, asyncio.ensure_future(one()), Bare(one()), 1]
        result = await answered(SCHEMA, "{ list a b }", {"list": items, "a": failing, "b": one()})
        assert (result.data, told(result)) == (
            {"list": [1] * 5, "a": None, "b": 1},
            [(["a"], "no")],
        )
        result = await answered(SCHEMA, "{ list must }", {"list": [Bare(one()), done]})
        assert result.data is None

    run(story())


class Arriving:
    """Items, one each second, and then an error or nothing."""

    def __init__(self, items, error=None):
        self._items = iter(items)
        self._error = error
        self.closed = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(1)
        for item in self._items:
            return item
        raise self._error or StopAsyncIteration

    async def aclose(self):
        self.closed += 1


@pytest.mark.parametrize(
    ("items", "error", "shown", "errors", "closed"),
    [
        ([1, 2], None, [1, 2], [], 0),
        ([1, None, 3], None, None, [["list", 1]], 1),
        ([1], ValueError("lost"), None, [["list"]], 1),
    ],
)
def test_items_that_arrive(items, error, shown, errors, closed):
    """Are shown when the list is whole; a list that is not read to its end is closed."""
    arriving = Arriving(items, error)
    result = ask(SCHEMA, "{ list a }", {"list": lambda _info: arriving, "a": 1})
    assert result.data == {"list": shown, "a": 1}
    assert [path for path, _ in told(result)] == errors
    assert arriving.closed == closed


def test_items_that_fail_while_others_arrive():
    """Null takes the place of the list, and nobody waits for the others."""
    stage = Stage()
    items = Arriving([stage.after("one", 0, ValueError("no"))(None), *range(60)])

    async def story():
        result, others = await tasks_after(
            answered(SCHEMA, "{ list a }", {"list": items, "a": stage.after("a", 5)})
        )
        assert (result.data, others) == ({"list": None, "a": 1}, 0)
        assert told(result) == [(["list", 0], "no")]

    run(story())


@pytest.mark.parametrize("on_error", [PROPAGATE, NULL, HALT])
def test_no_cyclic_garbage(on_error):
    """An execution leaves nothing for the collector, also after errors."""
    stage = Stage()

    def root():
        return {
            "a": lambda _info: 1 // 0,
            "b": ValueError("returned"),
            "must": stage.after("must", 1, GraphQLError("no")),
            "node": {"value": stage.after("value", 0), "must": None, "left": {"value": "x"}},
            "nodes": [{"must": stage.after("must", 0, None)}, {"must": ValueError("item")}],
            "list": [1, ValueError("item")],
        }

    async def story():
        text = "{ a b node { value must left { value } } nodes { must } list must }"
        plan, values = planned(SCHEMA, text, on_error=on_error)
        for _ in range(2):
            gc.collect()
            gc.disable()
            try:
                result = plan.execute(root(), None, values)
                if not isinstance(result, ExecutionResult):
                    result = await result
                assert result.errors
                del result
                assert gc.collect() == 0
            finally:
                gc.enable()

    run(story())
