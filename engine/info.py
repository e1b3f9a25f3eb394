"""What resolvers are told about the execution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.pyutils import Path as CorePath
from strawberry.schema import schema

from engine.awaitables import is_awaitable
from engine.paths import Path, core_path

if TYPE_CHECKING:
    from engine.execution import Execution
    from engine.fields import Field


class ResolveInfo:
    """Has the attributes of `GraphQLResolveInfo`, and works out none before it is asked.

    What else that tuple can do (`_replace`, `_asdict`, iteration), it does by making one of the
    kind that Strawberry makes.

    Args:
        execution: That calls the resolver.
        field: That is resolved.
        parent_path: Of the object that has the field.
    """

    __slots__ = ("_execution", "_field", "_parent_path")

    def __init__(self, execution: Execution, field: Field, parent_path: Path | None) -> None:
        self._execution = execution
        self._field = field
        self._parent_path = parent_path

    @property
    def field_name(self) -> str:
        """In the schema."""
        return self._field.name

    @property
    def field_nodes(self) -> list[FieldNode]:
        """All that were merged."""
        return self._field.nodes

    @property
    def return_type(self) -> Any:
        """Of the field."""
        return self._field.type

    @property
    def parent_type(self) -> GraphQLObjectType:
        """Of the object that has the field."""
        return self._field.parent_type

    @property
    def path(self) -> CorePath:
        """Of the field."""
        field = self._field
        return CorePath(core_path(self._parent_path), field.key, field.parent_type.name)

    @property
    def schema(self) -> GraphQLSchema:
        """That is executed."""
        return self._execution.plan.schema

    @property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        """Of the document, by name."""
        return self._execution.plan.operation.fragment_definitions

    @property
    def root_value(self) -> Any:
        """As given to the plan."""
        return self._execution.root

    @property
    def operation(self) -> OperationDefinitionNode:
        """That is executed."""
        return self._execution.plan.operation.node

    @property
    def variable_values(self) -> dict[str, Any]:
        """The coerced values alone, as Strawberry gives them to resolvers."""
        return self._execution.variables.coerced

    @property
    def context(self) -> Any:
        """As given to the plan."""
        return self._execution.context

    @property
    def is_awaitable(self) -> Callable[[Any], bool]:
        """Whether a value is one that the execution awaits."""
        return is_awaitable

    @property
    def abort_signal(self) -> None:
        """None: who wants to stop an execution cancels it."""
        return

    @property
    def async_helpers(self) -> Any:
        """`gather` and `track`, as graphql-core's."""
        return self._execution.helpers()

    @property
    def operation_extensions(self) -> None:
        """None: Strawberry's `input_extensions`, which the engine is not given."""
        return

    def _complete(self) -> Any:
        complete = cast("Any", schema)._OperationContextAwareGraphQLResolveInfo  # noqa: SLF001
        return complete(*(getattr(self, name) for name in complete._fields))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._complete(), name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._complete())
