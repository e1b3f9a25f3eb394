"""Fields whose values are loaded together, without a call, a future or a task for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from strawberry import Info

from engine.info import ResolveInfo

BATCH: Final = "engine.batch"
"""Key of a field's metadata (`strawberry.field(metadata={BATCH: Batch(...)})`) whose value is a
`Batch`. A field with arguments, permissions or extensions is resolved without it."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """How the values of one or more fields are loaded.

    Fields that share one object are loaded in one call.

    Attributes:
        key: What the value is found by, from the parent object. May raise.
        load: The values of distinct keys, from the context of the operation; same length and
            order as the keys. An exception in it fails the fields of its key; one that is raised,
            all of them.
        show: The value of the field, from what was loaded. May raise.
    """

    key: Callable[[Any], Hashable]
    load: Callable[[Any, list[Any]], Awaitable[Sequence[object]]]
    show: Callable[[ResolveInfo, Any], object]


def load_alone(batch: Batch) -> Callable[..., Awaitable[object]]:
    """A resolver for whoever does not batch, as graphql-core: it loads each key for itself.

    Returns:
        A function of the parent object and the info. Its errors are those of the batch.
    """

    async def resolve(root: Any, info: Info) -> object:  # the names that Strawberry knows
        key = batch.key(root)
        (value,) = await batch.load(info.context, [key])
        if isinstance(value, Exception):
            raise value
        raw: Any = getattr(info, "_raw_info", info)
        return batch.show(raw, value)

    return resolve
