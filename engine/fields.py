"""The static facts of a field in an operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
)
from graphql.execution.collect_fields import FieldDetails
from strawberry.types.field import StrawberryField

from engine.kinds import unwrapped
from engine.paths import Position


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One response key of one object type: the field nodes that were merged into it.

    Attributes:
        key: In the response.
        name: In the schema.
        definition: In the schema.
        parent_type: Of the objects that have the field.
        details: As graphql-core collected them.
        nodes: Those of `details`.
        position: Of its values.
        strawberry: What Strawberry knows about it; None for other schemas.
        constant_arguments: Coerced already; None if that has to be done when the plan runs.
        keeps_arguments: Whether arguments that were coerced in an execution can be used again in
            it: nobody can change them.
    """

    key: str
    name: str
    definition: GraphQLField
    parent_type: GraphQLObjectType
    details: list[FieldDetails]
    nodes: list[FieldNode]
    position: Position
    strawberry: StrawberryField | None
    constant_arguments: Mapping[str, Any] | None = None
    keeps_arguments: bool = field(default=False)

    @property
    def type(self) -> Any:
        """Of the value."""
        return cast("Any", self.definition).type

    @property
    def coordinate(self) -> str:
        """`Type.field`."""
        return f"{self.parent_type.name}.{self.name}"

    def null_error(self) -> TypeError:
        """There is null where there cannot be; the words are graphql-core's."""
        return TypeError(f"Cannot return null for non-nullable field {self.coordinate}.")


def field_of_schema(
    schema: GraphQLSchema,
    parent_type: GraphQLObjectType,
    details: Sequence[FieldDetails],
    *,
    propagates: bool,
    arguments: Callable[[GraphQLField, FieldNode], tuple[Mapping[str, Any] | None, bool]],
) -> Field | None:
    """The facts; None for a field that the schema does not have, which is left out.

    Args:
        schema: That the document is valid in.
        parent_type: Of the objects.
        details: All nodes of one response key.
        propagates: Whether an error takes along what cannot be null.
        arguments: Gives `constant_arguments` and `keeps_arguments`.
    """
    node = details[0].node
    definition = schema.get_field(parent_type, node.name.value)
    if definition is None:
        return None
    nodes = [detail.node for detail in details]
    known = definition.extensions.get("strawberry-definition")
    constant, keeps = arguments(definition, node)
    key = node.alias.value if node.alias else node.name.value
    return Field(
        key=key,
        name=node.name.value,
        definition=definition,
        parent_type=parent_type,
        details=list(details),
        nodes=nodes,
        position=Position(
            nodes,
            key,
            parent_type.name,
            not (propagates and unwrapped(cast("Any", definition).type)[1]),
        ),
        strawberry=known if isinstance(known, StrawberryField) else None,
        constant_arguments=constant,
        keeps_arguments=keeps,
    )
