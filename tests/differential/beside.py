"""One operation beside itself: on graphql-core and on the engine, for each behavior on errors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from graphql import GraphQLSchema, build_schema, parse, validate

from engine import ErrorBehavior
from tests.differential.comparison import differences
from tests.differential.outcome import Outcome, Question, Stage, Subject
from tests.differential.story import Nature, Story
from tests.differential.subjects import Engine, reference

Root = Callable[[], object]
BEHAVIORS = (ErrorBehavior.NULL, ErrorBehavior.HALT, ErrorBehavior.PROPAGATE)
"""The first tells everything that there could be, the last is what `beside` gives."""


def schema_of(sdl: str, **resolvers: Callable[..., object]) -> GraphQLSchema:
    """*sdl* with *resolvers*, each named `Type_field`, `Type_is_type_of` or `Type_resolve_type`."""
    schema = build_schema(sdl)
    for name, function in resolvers.items():
        kind, _, field = name.partition("_")
        target: Any = schema.type_map[kind]
        if field in {"is_type_of", "resolve_type"}:
            setattr(target, field, function)
        else:
            target.fields[field].resolve = function
    return schema


def beside(
    schema: GraphQLSchema,
    text: str,
    root: Root = dict,
    *,
    variables: dict[str, Any] | None = None,
    operation_name: str | None = None,
    racing: bool = False,
    behaviors: tuple[ErrorBehavior, ...] = BEHAVIORS,
) -> Outcome:
    """What both came to, where errors propagate; they came to the same in the other behaviors too.

    Args:
        schema: What it is asked of.
        text: Of a valid document.
        variables: As they came.
        operation_name: Which one of several.
        root: Makes the root value, for each execution anew.
        behaviors: In which they are compared, of `BEHAVIORS` in that order.
        racing: Whether things happen at the same instant, whose order nobody promises.
    """
    document = parse(text)
    assert validate(schema, document) == []
    stage, engine = Stage(), Engine()
    everything: list[Outcome] = []
    outcome = Outcome()

    def told(subject: Subject, on_error: ErrorBehavior) -> Outcome:
        story = Story(0, Nature(), schema, asynchronous=True)
        story.root = root()
        story.loose = racing
        question = Question(schema, document, operation_name, variables or {}, on_error)
        return stage.watch(subject, question, story)

    with contextlib.closing(stage):
        for on_error in behaviors:
            outcome = told(reference, on_error)
            everything.append(outcome)
            got = told(engine, on_error)
            wrong = differences(on_error, outcome, got, lambda: everything[0], at_once=False)
            assert not wrong, f"{on_error}:\n" + "\n".join(wrong)
            assert got.errors or got.awaited == outcome.awaited
    return outcome
