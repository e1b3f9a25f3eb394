"""Scalars and enums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.execution import Executor

from engine.paths import Path
from engine.pending import Complete
from engine.returned import Returned

if TYPE_CHECKING:
    from engine.execution import Execution
    from engine.fields import Field

_AS_IT_IS: dict[str, tuple[GraphQLLeafType, str]] = {
    "String": (GraphQLString, "{0}.__class__ is str"),
    "ID": (GraphQLID, "{0}.__class__ is str"),
    "Int": (GraphQLInt, "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647"),
    "Float": (GraphQLFloat, "{0}.__class__ is float and {0} - {0} == 0.0"),
    "Boolean": (GraphQLBoolean, "{0}.__class__ is bool"),
}
"""Which values the scalars of the specification give back unchanged; infinity less itself is not
zero."""


def unchanged_when(leaf: GraphQLLeafType) -> str | None:
    """A condition on `{0}` under which the value is shown as it is; None if there is none."""
    known = _AS_IT_IS.get(leaf.name)
    return known[1] if known is not None and known[0] is leaf else None


def class_as_it_is(leaf: GraphQLLeafType) -> type | None:
    """The class of values that are all shown as they are; None if there is none."""
    if leaf is GraphQLString or leaf is GraphQLID:
        return str
    return bool if leaf is GraphQLBoolean else None


def names_of_members(leaf: GraphQLLeafType) -> Mapping[int, tuple[str, object]] | None:
    """The names under which members of a Strawberry enum are shown, by the id of the member.

    Members hash slowly. The table keeps them, so that their ids stay theirs.
    """
    members = getattr(leaf, "wrapped_cls", None)
    if not isinstance(leaf, GraphQLEnumType) or members is None:
        return None
    table: dict[int, tuple[str, object]] = {}
    for member in members:
        try:
            table[id(member)] = (leaf.coerce_output_value(member), member)
        except Exception:  # noqa: BLE001, S112 - and so it is each time
            continue
    return table


def leaf_completion(field: Field, leaf: GraphQLLeafType, *, nullable: bool) -> Complete:
    """Makes what is shown of one value, as graphql-core does."""
    coerce = cast("Callable[[Any], Any]", leaf.coerce_output_value)

    def complete(_execution: Execution, value: Any, _path: Path) -> Any:
        if isinstance(value, Exception):
            raise Returned(value)
        if value is None or value is Undefined:
            if nullable:
                return None
            raise field.null_error()
        shown = coerce(value)
        if shown is None or shown is Undefined:
            return Executor.complete_leaf_value(leaf, value)
        return shown

    return complete
