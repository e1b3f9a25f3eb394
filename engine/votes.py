"""Finds the type of an object by asking all that it may be of, as graphql-core does by default.

Some may answer later. Then each answer is awaited for itself: what nobody needs any more can be
cancelled without having begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLAbstractType
from graphql.execution.executor import get_typename

from engine.awaitables import is_awaitable
from engine.paths import Path
from engine.pending import Complete, Pending

if TYPE_CHECKING:
    from engine.execution import Execution


def type_name(  # noqa: PLR0913, PLR0917 - as `resolve_type`, and where to show it
    execution: Execution,
    abstract: GraphQLAbstractType,
    value: Any,
    info: Any,
    path: Path,
    complete: Complete,
) -> Any:
    """The name, or None if no type is sure; or what stands in for the object until it is known.

    Args:
        execution: That asks.
        abstract: The interface or union.
        value: The object.
        info: Of its field.
        path: Of the object.
        complete: Makes of the name what is shown, if that has to wait.
    """
    name = get_typename(value)
    if isinstance(name, str):
        return name
    later: list[tuple[str, Any]] = []
    try:
        for kind in execution.plan.schema.get_possible_types(abstract):
            if kind.is_type_of is None:
                continue
            agreed = kind.is_type_of(value, info)
            if is_awaitable(agreed):
                later.append((kind.name, agreed))
            elif agreed:
                execution.waves.abandon(awaitable for _, awaitable in later)
                return kind.name
    except Exception:
        execution.waves.abandon(awaitable for _, awaitable in later)
        raise
    if not later:
        return None
    result = Pending(execution, path, None, complete)
    poll = _Poll(result, [name for name, _ in later])
    for index, (_, awaitable) in enumerate(later):
        execution.pending.append(_Vote(poll, index, awaitable))
    return result


class _Poll:
    """Of types that answer later; the first in order that agrees is it."""

    __slots__ = ("answers", "left", "names", "result")

    def __init__(self, result: Pending, names: list[str]) -> None:
        self.result: Pending | None = result
        self.names = names
        self.answers: list[object] = [False] * len(names)
        self.left = len(names)


class _Vote(Pending):
    """What one type will say."""

    __slots__ = ("index", "poll")

    def __init__(self, poll: _Poll, index: int, awaitable: Any) -> None:
        assert poll.result is not None  # noqa: S101 - for the type checkers
        super().__init__(poll.result.execution, poll.result.path, awaitable, poll.result.complete)
        self.container = poll
        self.poll = poll
        self.index = index

    def settle(self, value: Any) -> None:
        poll = self.poll
        poll.answers[self.index] = value
        poll.left -= 1
        if poll.left or poll.result is None:
            return
        result, poll.result = poll.result, None
        agreed = (name for name, answer in zip(poll.names, poll.answers, strict=True) if answer)
        result.settle(next(agreed, None))

    def fail(self, error: Exception) -> None:
        result, self.poll.result = self.poll.result, None
        if result is not None:
            result.fail(error)
            self.execution.waves.drop(self.path)
