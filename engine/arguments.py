"""Arguments of fields, coerced once where that is enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_argument_values,
    is_enum_type,
    is_scalar_type,
    is_specified_scalar_type,
)
from strawberry.types.arguments import convert_arguments

from engine.kinds import unwrapped

if TYPE_CHECKING:
    from engine.execution import Execution
    from engine.fields import Field

_IMMUTABLE = frozenset({type(None), bool, int, float, str})


def known_arguments(
    definition: GraphQLField, node: FieldNode
) -> tuple[Mapping[str, Any] | None, bool]:
    """The arguments if they never change, and whether they are the same all through an execution.

    Only of types that graphql-core coerces itself: what a custom scalar makes of a literal may be
    another thing each time, and an input object or a list may be changed by who gets it.
    """
    if not definition.args:
        return {}, True
    if not all(_is_plain(argument) for argument in definition.args.values()):
        return None, False
    if any(_has_variable(argument.value) for argument in node.arguments or ()):
        return None, True
    try:
        values = get_argument_values(definition, node)
    except GraphQLError:  # and so it is each time
        return None, False
    return (values, True) if are_immutable(values.values()) else (None, False)


def are_immutable(values: Iterable[object]) -> bool:
    """Whether nobody who gets these values can change them for others."""
    return all(value.__class__ in _IMMUTABLE or isinstance(value, Enum) for value in values)


def arguments_of(execution: Execution, field: Field) -> Mapping[str, Any]:
    """The arguments, as graphql-core coerces them.

    Raises:
        GraphQLError: They cannot be coerced.
    """
    if field.constant_arguments is not None:
        return field.constant_arguments
    kept = execution.arguments.get(field)
    if kept is not None:
        return kept
    values = get_argument_values(
        field.definition,
        field.nodes[0],
        execution.variables,
        None,
        execution.plan.hide_suggestions,
    )
    if field.keeps_arguments and are_immutable(values.values()):
        execution.arguments[field] = values
    return values


def converted_arguments(execution: Execution, field: Field, info: Any) -> Mapping[str, Any]:
    """The arguments under the names and in the classes of the Strawberry resolver."""
    kept = execution.converted.get(field)
    if kept is not None:
        return kept
    values = convert(execution.plan.strawberry, field, arguments_of(execution, field), info)
    if field.keeps_arguments and are_immutable(values.values()):
        execution.converted[field] = values
    return values


def convert(
    strawberry: Any, field: Field, values: Mapping[str, Any], info: Any
) -> Mapping[str, Any]:
    """What Strawberry makes of coerced arguments."""
    assert field.strawberry is not None  # noqa: S101 - for the type checkers
    return convert_arguments(
        dict(values),
        field.strawberry.arguments,
        strawberry.schema_converter.scalar_registry,
        strawberry.config,
        info,
    )


def _is_plain(argument: Any) -> bool:
    inner, _ = unwrapped(argument.type)
    return is_enum_type(inner) or (is_scalar_type(inner) and is_specified_scalar_type(inner))


def _has_variable(value: ValueNode) -> bool:
    if isinstance(value, VariableNode):
        return True
    if isinstance(value, ListValueNode):
        return any(_has_variable(item) for item in value.values)
    if isinstance(value, ObjectValueNode):
        return any(_has_variable(field.value) for field in value.fields)
    return False
