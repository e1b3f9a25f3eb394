"""Whoever asked may leave at any moment: then everything ends, and nothing is forgotten."""

import asyncio
import contextlib
import dataclasses
import functools
import warnings

import pytest
from graphql import parse, validate
from graphql.execution.values import get_variable_values

from engine import ErrorBehavior, NotCompilable
from tests.differential.chance import Chance, mixed
from tests.differential.documents import Writer
from tests.differential.outcome import Question
from tests.differential.story import Nature, Story
from tests.differential.subjects import Engine
from tests.differential.town import Town
from tests.differential.worlds import World
from tests.virtual_time import VirtualLoop

_MOMENTS = 12
_PASSES = 4
_HORIZON = 10_000.0


@functools.lru_cache(maxsize=2)
def world_of(number):
    return Town() if number % 3 == 0 else World(number)


def questions(seeds):
    """Valid documents with values for their variables, and a world for each."""
    for seed in seeds:
        world = world_of(seed // 8)
        chance = Chance("cancelled", seed)
        writer = Writer(chance, world.schema)
        text, name = writer.document()
        document = parse(text)
        variables = writer.variables(chance)
        operation = document.definitions[1 if "query Other" in text else 0]
        coerced = get_variable_values(world.schema, operation.variable_definitions or (), variables)
        if validate(world.schema, document) or isinstance(coerced, list):
            continue
        on_error = chance.pick(list(ErrorBehavior))
        yield seed, world, Question(world.schema, document, name, variables, on_error)


def told(world, kind, seed):
    """A story with much to wait for."""
    chance = Chance("nature", seed)
    nature = dataclasses.replace(
        Nature.of(chance),
        waits=chance.pick((0.4, 0.8)),
        bursts=chance.pick((0.0, 0.5)),
        hangs=chance.pick((0.0, 0.1)),
        stubborn=0.0,
    )
    story = Story(mixed(seed), nature, world.schema, asynchronous=True)
    story.root = world.story_root(story, kind)
    return story


async def left_after(engine, question, story, moment, passes):
    """What is left when whoever asked leaves at *moment*, or *passes* of the loop later."""
    before = asyncio.all_tasks()

    async def ask():
        result = engine(question, story)
        if not hasattr(result, "data"):
            await result

    asking = asyncio.ensure_future(ask())
    await asyncio.sleep(moment)
    for _ in range(passes):
        await asyncio.sleep(0)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(asking), 1000.0)
    assert asking.done(), "it is cancelled, and goes on"
    left = [task.get_coro().__qualname__ for task in asyncio.all_tasks() - before - story.tasks]
    left += story.left_over()
    await story.forget()
    return left


def moments(engine, question, story, loop):
    """When something happens, seen from the beginning."""
    start = loop.time()

    async def ask():
        result = engine(question, story)
        if not hasattr(result, "data"):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(result, _HORIZON)
        await story.forget()

    loop.run_until_complete(ask())
    return sorted({instant - start for instant in story.instants})


def check(seeds):
    complaints, cases = [], 0
    with contextlib.closing(VirtualLoop()) as loop, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
        for seed, world, question in questions(seeds):
            engine = Engine()
            try:
                times = moments(engine, question, told(world, question.root_type, seed), loop)
            except NotCompilable:
                continue
            for moment in [0.0, *times[:_MOMENTS]]:
                for passes in range(_PASSES):
                    story = told(world, question.root_type, seed)
                    left = loop.run_until_complete(
                        left_after(engine, question, story, moment, passes)
                    )
                    cases += 1
                    assert not left + complaints, (seed, moment, passes, left + complaints)
        never = [str(one.message) for one in warned if one.category is RuntimeWarning]
        assert not never
    return cases


def test_nothing_is_left_when_the_caller_leaves():
    """At any moment, in any pass of the loop."""
    assert check(range(16)) > 100


@pytest.mark.slow
@pytest.mark.parametrize("first", [1000, 2000])
def test_nothing_is_left_when_many_callers_leave(first):
    """The same, longer."""
    assert check(range(first, first + 400)) > 3000
