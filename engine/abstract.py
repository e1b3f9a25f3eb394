"""Objects whose type is known when they are there: interfaces, unions, `is_type_of`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLAbstractType, GraphQLObjectType
from graphql.execution import Executor
from graphql.execution.executor import invalid_return_type_error

from engine.awaitables import is_awaitable
from engine.info import ResolveInfo
from engine.paths import Path, field_of
from engine.pending import Pending, wait_for
from engine.strawberry_fields import is_of_class
from engine.votes import type_name

if TYPE_CHECKING:
    from engine.execution import Execution
    from engine.fields import Field


def complete_abstract(
    execution: Execution, field: Field, abstract: GraphQLAbstractType, value: Any, path: Path
) -> Any:
    """The object, after its type was found out."""
    info = cast("Any", ResolveInfo(execution, field, field_of(path)[0]))

    def complete(execution: Execution, name: Any, path: Path) -> Any:
        kind = _object_type(execution, field, abstract, name, value, info)
        return complete_object(execution, field, kind, value, path)

    if abstract.resolve_type is None:
        found = type_name(execution, abstract, value, info, path, complete)
        if found.__class__ is Pending:
            return found
    else:
        found = abstract.resolve_type(value, info, abstract)
        if is_awaitable(found):
            return wait_for(execution, found, path, complete)
    return complete(execution, found, path)


def complete_object(
    execution: Execution, field: Field, kind: GraphQLObjectType, value: Any, path: Path
) -> Any:
    """The object, after its type has agreed that it is one of its own, if it wants to be asked."""
    select = execution.plan.selection(kind, field)
    if kind.is_type_of is None or is_of_class(kind, value):
        return select(execution, value, path)
    info = cast("Any", ResolveInfo(execution, field, field_of(path)[0]))
    agreed = kind.is_type_of(value, info)
    if not is_awaitable(agreed):
        if not agreed:
            raise invalid_return_type_error(kind, value, field.details)
        return select(execution, value, path)

    def complete(execution: Execution, agreed: Any, path: Path) -> Any:
        if not agreed:
            raise invalid_return_type_error(kind, value, field.details)
        return select(execution, value, path)

    return wait_for(execution, agreed, path, complete)


def _object_type(  # noqa: PLR0913, PLR0917 - all that graphql-core's words may need
    execution: Execution,
    field: Field,
    abstract: GraphQLAbstractType,
    name: Any,
    value: Any,
    info: Any,
) -> GraphQLObjectType:
    plan = execution.plan
    if name.__class__ is str:
        kind = plan.schema.get_type(name)
        if isinstance(kind, GraphQLObjectType) and plan.schema.is_sub_type(abstract, kind):
            return kind
    # It needs of the executor no more than the schema, which a plan has as well.
    ensure: Callable[..., GraphQLObjectType] = cast("Any", Executor).ensure_valid_runtime_type
    return ensure(plan, name, abstract, field.details, info, value)
