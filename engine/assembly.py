"""Puts the source of a plan together: one function for each selection and each kind of value."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails, collect_subfields

from engine.arguments import known_arguments
from engine.awaitables import is_awaitable
from engine.completion import completion_of
from engine.fields import Field, field_of_schema
from engine.paths import Path, Position
from engine.pending import Complete, Pending, wait_for
from engine.resolvers import RESOLVING
from engine.selection import write_selection
from engine.source import Source

if TYPE_CHECKING:
    from engine.execution import Execution
    from engine.plan import Plan

Select = Callable[["Execution", Any, Path | None], dict[str, Any]]
"""Makes the answer's object of a parent object."""

Selected = tuple[str, tuple[int, ...]]
"""Which selection it is: the object's type, and the identities of the nodes that were merged."""


def selected(kind: GraphQLObjectType, details: Sequence[FieldDetails]) -> Selected:
    """What tells a selection from others."""
    return kind.name, tuple(id(detail.node) for detail in details)


class Selection:
    """A selection of a plan.

    Attributes:
        name: Of its function.
        select: The function, when its module is compiled.
    """

    __slots__ = ("name", "select")

    def __init__(self, name: str) -> None:
        self.name = name
        self.select: Select


class Assembly:
    """One module of a plan: a selection, and all below it that can be known before it runs.

    Args:
        plan: That it belongs to.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._selections: dict[Selected, Selection] = {}
        self._roots: list[Selection] = []
        self.source = Source(plan.operation.name, _KNOWN)
        self.strawberry = plan.strawberry
        self.propagates = plan.propagates
        self.ordinary = plan.ordinary

    def field(self, kind: GraphQLObjectType, details: Sequence[FieldDetails]) -> Field | None:
        """The static facts of a field; None if the schema does not have it."""
        return field_of_schema(
            self._plan.schema,
            kind,
            details,
            propagates=self.propagates,
            arguments=known_arguments,
        )

    def completion(self, field: Field) -> Complete:
        """Completes the values of the field."""
        return completion_of(self, field, field.type, field.position)

    def selection(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Selection:
        """What is selected of an object by the nodes of a field."""
        which = selected(kind, details)
        selection = self._selections.get(which)
        if selection is None:
            plan = self._plan
            collected = collect_subfields(
                plan.schema,
                plan.operation.fragments,
                plan.variables,
                plan.operation.node,
                kind,
                details,
                plan.hide_suggestions,
            )
            selection = self._selections[which] = self._write(kind, collected.grouped_field_set)
        return selection

    def root(self, kind: GraphQLObjectType, fields: Mapping[str, list[FieldDetails]]) -> Selection:
        """Some of what is selected of the root."""
        selection = self._write(kind, fields)
        self._roots.append(selection)
        return selection

    def _write(
        self, kind: GraphQLObjectType, fields: Mapping[str, list[FieldDetails]]
    ) -> Selection:
        selection = Selection(self.source.reserve(f"select_{kind.name}"))
        write_selection(self, selection.name, kind, fields)
        return selection

    def finish(self) -> Mapping[Selected, Selection]:
        """Compile the module; its selections, but for those of the root."""
        names = self.source.compile(self._plan)
        for selection in (*self._roots, *self._selections.values()):
            selection.select = names[selection.name]
        return self._selections


def await_or_complete(
    execution: Execution, value: Any, parent_path: Path | None, at: Position, complete: Complete
) -> Any:
    """What is shown of a value that is not the usual one."""
    path = (parent_path, at.key, at)
    if is_awaitable(value):
        return wait_for(execution, value, path, complete)
    return complete(execution, value, path)


def failed(execution: Execution, parent_path: Path | None, at: Position) -> None:
    """The error that is being handled has kept a field from being completed.

    Raises:
        GraphQLError: It cannot be null.
    """
    error = sys.exception()
    assert isinstance(error, Exception)  # noqa: S101 - for the type checkers
    try:
        execution.failed(error, (parent_path, at.key, at))
    finally:
        del error


def place(shown: dict[str, Any]) -> None:
    """Tell what stands in an object that it does."""
    for key, value in shown.items():
        if value.__class__ is Pending:
            value.container = shown
            value.key = key


_KNOWN: Mapping[str, Any] = {
    **RESOLVING,
    "Mapping": Mapping,
    "Pending": Pending,
    "await_or_complete": await_or_complete,
    "failed": failed,
    "place": place,
}
