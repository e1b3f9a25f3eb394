"""Executes one operation, and writes down everything that can be seen of it."""

from __future__ import annotations

import asyncio
import gc
import re
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    get_operation_ast,
)

from engine import ErrorBehavior
from tests.differential.story import Story
from tests.virtual_time import VirtualLoop

_PATIENCE = 10_000.0
"""After which an execution counts as one that never ends (virtual seconds)."""
_OF_ANOTHER = re.compile(r"Executor\.|'(late|discarded)'")
"""Coroutines that graphql-core has left behind some time ago, in cycles."""
_ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Question:
    """An operation as an executor gets it."""

    schema: GraphQLSchema
    document: DocumentNode
    operation_name: str | None
    variables: dict[str, Any]
    on_error: ErrorBehavior

    @property
    def root_type(self) -> GraphQLObjectType:
        """Of the operation."""
        operation = get_operation_ast(self.document, self.operation_name)
        assert operation is not None
        kind = self.schema.get_root_type(operation.operation)
        assert kind is not None
        return kind


Subject = Callable[[Question, Story], ExecutionResult | Awaitable[ExecutionResult]]
"""Executes a question; the story is the context, and has the root."""


@dataclass(slots=True)
class Outcome:
    """What was seen.

    Attributes:
        data: As text, in which the order of keys and the exact types can be told.
        tree: The data.
        ended: "" for an answer; what happened instead of one.
        calls: See `Story`.
        left: What went on after the end, and what Python complained of.
    """

    data: str = ""
    tree: Any = None
    errors: list[tuple[Any, ...]] = field(default_factory=list)
    ended: str = ""
    awaited: bool = False
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    loose: bool = False
    iterated: bool = False
    left: list[str] = field(default_factory=list)


class Stage:
    """Where executions take place, one after another, in virtual time."""

    def __init__(self) -> None:
        self._loop = VirtualLoop()
        self._complaints: list[str] = []
        self._loop.set_exception_handler(self._complain)

    def close(self) -> None:
        self._loop.close()

    def watch(
        self, subject: Subject, question: Question, story: Story, *, alone: bool = False
    ) -> Outcome:
        """What comes of *question* when *subject* executes it.

        Args:
            subject: That executes.
            question: What.
            story: How it goes.
            alone: Whether garbage is collected before and afterwards, so that what is left over is
                known to be of this execution. That takes its time.
        """
        outcome = Outcome()
        if alone:
            with warnings.catch_warnings(action="ignore"):
                gc.collect()
        self._complaints.clear()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            if story.asynchronous:
                self._loop.run_until_complete(self._play(subject, question, story, outcome))
            else:
                _play_at_once(subject, question, story, outcome)
            if alone:
                gc.collect()
        awaited = [str(one.message) for one in warned if one.category is RuntimeWarning]
        outcome.left += [one for one in awaited if not _OF_ANOTHER.search(one)] + self._complaints
        outcome.calls = story.calls
        outcome.loose = story.loose or story.iterated
        outcome.iterated = story.iterated
        return outcome

    async def _play(
        self, subject: Subject, question: Question, story: Story, outcome: Outcome
    ) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                result = subject(question, story)
                if not isinstance(result, ExecutionResult):
                    outcome.awaited = True
                    result = await result
            _describe(result, outcome)
        except TimeoutError:
            outcome.ended = "it never ends"
        except asyncio.CancelledError:
            outcome.ended = "it is cancelled"
        except Exception as error:  # noqa: BLE001 - whatever it is, both must do it
            outcome.ended = f"it raises {error!r}"
        await story.end()
        own = asyncio.current_task()
        others = asyncio.all_tasks() - {own} - story.tasks
        outcome.left += [f"a task goes on: {_name(task)}" for task in others]
        outcome.left += [f"a resolver goes on: {state}" for state in story.left_over()]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)
        await story.forget()

    def _complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._complaints.append(f"{context['message']} {context.get('exception')!r}")


def _name(task: asyncio.Task[Any]) -> str:
    coroutine = cast("Any", task.get_coro())
    return coroutine.__qualname__


def _play_at_once(subject: Subject, question: Question, story: Story, outcome: Outcome) -> None:
    try:
        result = subject(question, story)
    except Exception as error:  # noqa: BLE001 - whatever it is, both must do it
        outcome.ended = f"it raises {error!r}"
        return
    if isinstance(result, ExecutionResult):
        _describe(result, outcome)
    else:
        outcome.ended = "it waits for nothing"


def _describe(result: ExecutionResult, outcome: Outcome) -> None:
    outcome.tree = result.data
    outcome.data = plain(result.data)
    outcome.errors = [seen(error) for error in result.errors or ()]


def plain(value: object) -> str:
    """The text of *value*, without addresses of memory."""
    return _ADDRESS.sub("0x", repr(value))


def seen(error: GraphQLError) -> tuple[Any, ...]:
    """Everything of *error* that clients or logs are told, the path first."""
    original = error.original_error
    return (
        tuple(error.path or ()),
        _ADDRESS.sub("0x", error.message),
        tuple((place.line, place.column) for place in error.locations or ()),
        repr(error.extensions),
        type(original).__name__,
        plain(original),
    )
