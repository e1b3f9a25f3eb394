"""What the answer shows of the value of a field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from graphql import (
    GraphQLAbstractType,
    GraphQLError,
    GraphQLObjectType,
    Undefined,
    is_abstract_type,
    is_leaf_type,
    pyutils,
)
from strawberry.types.cast import get_strawberry_type_cast

from engine.abstract import complete_abstract, complete_object
from engine.awaitables import is_ordinary
from engine.batching import Batch
from engine.fields import Field
from engine.info import ResolveInfo
from engine.items import collect, complete_item
from engine.kinds import is_list, unwrapped
from engine.leaves import class_as_it_is, leaf_completion
from engine.objects import own_class
from engine.paths import Path, Position
from engine.pending import Complete
from engine.returned import Returned

if TYPE_CHECKING:
    from engine.assembly import Assembly, Select
    from engine.execution import Execution

_is_async_iterable: Callable[[Any], bool] = cast("Any", pyutils).is_async_iterable
_is_iterable: Callable[[Any], bool] = cast("Any", pyutils).is_iterable


def completion_of(assembly: Assembly, field: Field, kind: Any, position: Position) -> Complete:
    """The function that completes values of *kind* at *position*."""
    inner, required = unwrapped(kind)
    if is_leaf_type(inner):
        return leaf_completion(field, inner, nullable=not required)
    if is_list(inner):
        complete = _list_completion(assembly, field, inner, position)
    elif is_abstract_type(inner):
        complete = _abstract_completion(field, inner)
    else:
        assert isinstance(inner, GraphQLObjectType)  # noqa: S101 - no other output type is left
        complete = _object_completion(assembly, field, inner)
    return _some(field, complete, nullable=not required)


def shown_of_batch(field: Field, batch: Batch, complete: Complete) -> Complete:
    """Completes what the batch has loaded for the key of the field's parent."""
    show = batch.show

    def shown(execution: Execution, value: Any, path: Path) -> Any:
        return complete(execution, show(ResolveInfo(execution, field, path[0]), value), path)

    return shown


def _some(field: Field, complete: Complete, *, nullable: bool) -> Complete:
    """Deals with errors and null before *complete*."""

    def complete_some(execution: Execution, value: Any, path: Path) -> Any:
        if isinstance(value, Exception):
            raise Returned(value)
        if value is None or value is Undefined:
            if nullable:
                return None
            raise field.null_error()
        return complete(execution, value, path)

    return complete_some


def _object_completion(assembly: Assembly, field: Field, kind: GraphQLObjectType) -> Complete:
    selection = assembly.selection(kind, field.details)
    see = assembly.ordinary.see
    own = own_class(kind)

    def complete(execution: Execution, value: Any, path: Path) -> Any:
        see(value.__class__)
        return selection.select(execution, value, path)

    def complete_asked(execution: Execution, value: Any, path: Path) -> Any:
        if value.__class__ is own and get_strawberry_type_cast(value) is None:
            return selection.select(execution, value, path)
        return complete_object(execution, field, kind, value, path)

    return complete if kind.is_type_of is None else complete_asked


def _abstract_completion(field: Field, kind: GraphQLAbstractType) -> Complete:
    def complete(execution: Execution, value: Any, path: Path) -> Any:
        return complete_abstract(execution, field, kind, value, path)

    return complete


def _list_completion(assembly: Assembly, field: Field, kind: Any, position: Position) -> Complete:
    item_kind, required = unwrapped(kind.of_type)
    nullable = not (required and assembly.propagates)
    at = Position(position.nodes, position.key, None, nullable)
    complete_one = completion_of(assembly, field, kind.of_type, at)
    plain = class_as_it_is(item_kind) if is_leaf_type(item_kind) else None
    selection = own = None
    if isinstance(item_kind, GraphQLObjectType):
        own = own_class(item_kind)
        if own is not None or item_kind.is_type_of is None:
            selection = assembly.selection(item_kind, field.details)

    def complete(execution: Execution, value: Any, path: Path) -> Any:
        if value.__class__ is not list:
            if _is_async_iterable(value):
                return collect(execution, value, path, at, complete_one)
            if not _is_iterable(value):
                raise GraphQLError(
                    f"Expected Iterable, but did not find one for field '{field.coordinate}'."
                )
        iterator = iter(value)
        try:
            if selection is None:
                return _completed(execution, iterator, path, at, complete_one, plain)
            return _selected(execution, iterator, path, at, complete_one, selection.select, own)
        except BaseException:
            execution.abandon_items(iterator)
            raise

    return complete


def _completed(  # noqa: PLR0913, PLR0917 - called for each list
    execution: Execution,
    iterator: Iterator[Any],
    path: Path,
    at: Position,
    complete: Complete,
    plain: type | None,
) -> list[Any]:
    """Items of which those of the class *plain* are shown as they are."""
    items: list[Any] = []
    add = items.append
    for index, item in enumerate(iterator):
        if item.__class__ is plain:
            add(item)
        else:
            add(complete_item(execution, item, (path, index, at), complete, items))
    return items


def _selected(  # noqa: PLR0913, PLR0917 - called for each list
    execution: Execution,
    iterator: Iterator[Any],
    path: Path,
    at: Position,
    complete: Complete,
    select: Select,
    own: type | None,
) -> list[Any]:
    """Objects; those of their type's *own* class are not asked what they are.

    Where types ask nobody, those of the class of the first ordinary one.
    """
    items: list[Any] = []
    add = items.append
    known = own
    for index, item in enumerate(iterator):
        if item.__class__ is known and (own is None or get_strawberry_type_cast(item) is None):
            try:
                add(select(execution, item, (path, index, at)))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
                execution.failed(error, (path, index, at))
                add(None)
        else:
            if own is None and is_ordinary(item.__class__):
                known = item.__class__
            add(complete_item(execution, item, (path, index, at), complete, items))
    return items
