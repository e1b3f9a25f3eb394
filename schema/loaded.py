"""Fields that show one record, found by an id that their parent object has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import strawberry

from datasources.sourced import Sourced
from engine import BATCH, Batch, ResolveInfo
from schema.asks import Asks, Per
from schema.context import Context, Info
from schema.isolating_loader import IsolatingLoader
from schema.loaders import Loaders
from schema.types.freshness import shown

K = TypeVar("K")
P = TypeVar("P")
R = TypeVar("R")
T = TypeVar("T")


def loaded(  # noqa: PLR0913 - by name only
    asks: Asks,
    *,
    of: type[T],
    key: Callable[[P], K],
    loader: Callable[[Loaders], IsolatingLoader[K, Sourced[R] | None]],
    make: Callable[[Sourced[R]], T],
    description: str,
) -> T | None:
    """A nullable field; null where there is no such record.

    It is declared once and resolved in two ways. Where one call answers for many parents, the
    engine loads what is wanted of all parents of a wave in one step. Where each takes a call of its
    own, none waits for the others; that, and whatever graphql-core executes, is a resolver's work.

    Args:
        asks: The question.
        of: The type of the field.
        key: Of the parent object, the id; may raise what the field then fails with.
        loader: Finds records by their ids.
        make: Makes the object that is shown.
        description: For the graph.

    Returns:
        A field of Strawberry, which is the value's type to type checkers.
    """

    def resolve(self: object, info: Info) -> Awaitable[T | None]:
        return shown(info, loader(info.context.loaders(asks)).load(key(cast("P", self))), make)

    def load(context: Context, keys: Sequence[K]) -> Awaitable[Sequence[object]]:
        return loader(context.loaders(asks)).load_batch(keys)

    def show(info: ResolveInfo, found: Sourced[R] | None) -> T | None:
        if found is None:
            return None
        return make(cast("Context", info.context).degraded.show(info, found))

    metadata = dict(asks.metadata)
    if asks.per is Per.WAVE:
        metadata[BATCH] = Batch(key=key, load=load, show=show)
    field: T | None = strawberry.field(
        resolver=resolve,
        graphql_type=cast("Any", of | None),
        description=description,
        metadata=metadata,
        directives=asks.directives,
    )
    return field
