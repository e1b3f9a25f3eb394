"""`@deadline(ms:)` in a document: its field and all below it have so much time.

Nobody is stopped from outside. The field runs in a scope with a nearer deadline, and whoever waits
for a service waits no longer than that: the way in which the deadline of the whole operation is
kept, see `datasources.resilience.deadline`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar, cast

from graphql import (
    ASTValidationRule,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLDirective,
    GraphQLError,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.incremental.incremental_executor import DeliveryGroupMap
from graphql.pyutils import AwaitableOrValue, Path

from bff.graphql.executor import OperationExecutor
from bff.graphql.on_error import HaltingExecutor, NullingExecutor
from datasources.clock import Clock
from datasources.scope import Scope, current_scope, entered
from schema.deadline import deadline

T = TypeVar("T")

NAME = deadline.python_name

_TOO_SHORT = "The ms of @deadline must be 1 or more."

_TOGETHER = 0.005
"""Fields that begin within so many seconds share one instant, the earlier: what they ask for is
asked for together, as without the directive."""


class DeadlinesArePositive(ASTValidationRule):
    """Refuses a deadline that is written into the document and has passed at once.

    One that is too long for an integer is refused by a rule of the specification.
    """

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        """Look at one directive."""
        if node.name.value != NAME:
            return
        for argument in node.arguments or ():
            if isinstance(argument.value, IntValueNode) and int(argument.value.value) < 1:
                self.report_error(GraphQLError(_TOO_SHORT, argument.value))


def deadlines_of(document: DocumentNode) -> Mapping[str | None, Sequence[DirectiveNode]]:
    """The directives that each operation of a valid document reaches, by its name."""
    fragments = {
        node.name.value: node.selection_set
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    return {
        node.name.value if node.name else None: _reached(node.selection_set, dict(fragments))
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }


def _reached(
    selections: SelectionSetNode, unvisited: dict[str, SelectionSetNode]
) -> Sequence[DirectiveNode]:
    found: list[DirectiveNode] = []
    stack = [selections]
    while stack:
        for node in stack.pop().selections:
            below = None
            if isinstance(node, FragmentSpreadNode):
                below = unvisited.pop(node.name.value, None)
            elif isinstance(node, (FieldNode, InlineFragmentNode)):
                below = node.selection_set
                found += (each for each in node.directives or () if each.name.value == NAME)
            if below is not None:
                stack.append(below)
    return tuple(found)


def unusable_deadlines(
    executor: OperationExecutor, nodes: Sequence[DirectiveNode]
) -> list[GraphQLError]:
    """What is wrong with deadlines that variables give; they belong to no place in the answer."""
    errors: list[GraphQLError] = []
    for node in nodes:
        try:
            if _milliseconds(executor, node) < 1:
                errors.append(GraphQLError(_TOO_SHORT, node))
        except GraphQLError as error:
            errors.append(error)
    return errors


def _milliseconds(executor: OperationExecutor, node: DirectiveNode) -> int:
    """Raises `GraphQLError` for a null that a variable gives."""
    definition = cast("GraphQLDirective", executor.schema.get_directive(NAME))
    given: int = get_argument_values(definition, node, executor.variable_values)["ms"]
    return given


class _KeepingDeadlines(OperationExecutor):
    """Runs the fields that have the directive in a scope of their own."""

    def prepare(self, clock: Clock) -> None:
        """See `OperationExecutor`."""
        super().prepare(clock)
        self._begun: dict[tuple[int, float], tuple[float, Scope]] = {}

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_details_list: list[FieldDetails],
        path: Path,
        position_context: DeliveryGroupMap | None,
    ) -> AwaitableOrValue[object]:
        """The field's value, in a nearer deadline if it has one."""
        limits = self._limits(field_details_list)
        if not limits:
            return super().execute_field(
                parent_type, source, field_details_list, path, position_context
            )
        with entered(self._shortened(min(limits))) as scope:
            result = super().execute_field(
                parent_type, source, field_details_list, path, position_context
            )
        if isinstance(result, Awaitable):
            return _inside(scope, cast("Awaitable[object]", result))
        return result

    def _limits(self, field_details_list: list[FieldDetails]) -> list[int]:
        """Several where the document asks for the same field several times."""
        return [
            _milliseconds(self, directive)
            for details in field_details_list
            for directive in details.node.directives or ()
            if directive.name.value == NAME
        ]

    def _shortened(self, milliseconds: int) -> Scope:
        scope, now = current_scope(), self.clock.monotonic()
        key = (milliseconds, scope.deadline)
        begun = self._begun.get(key)
        if begun is not None and now - begun[0] < _TOGETHER:
            return begun[1]
        nearer = scope.due(min(scope.deadline, now + milliseconds / 1000))
        self._begun[key] = (now, nearer)
        return nearer


class PropagatingUntil(_KeepingDeadlines):
    """`OnError.PROPAGATE`, with deadlines of fields."""


class NullingUntil(_KeepingDeadlines, NullingExecutor):
    """`OnError.NULL`, with deadlines of fields."""


class HaltingUntil(_KeepingDeadlines, HaltingExecutor):
    """`OnError.HALT`, with deadlines of fields."""


async def _inside(scope: Scope, result: Awaitable[T]) -> T:
    with entered(scope):
        return await result
