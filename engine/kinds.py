"""Types of values, without the generics in which graphql-core wraps them."""

from __future__ import annotations

from typing import Any

from graphql.type import definition

_NON_NULL: Any = definition.GraphQLNonNull
_LIST: Any = definition.GraphQLList


def unwrapped(kind: Any) -> tuple[Any, bool]:
    """The type that may be null, and whether it may not be where it stands."""
    return (kind.of_type, True) if isinstance(kind, _NON_NULL) else (kind, False)


def is_list(kind: Any) -> bool:
    """Whether values have items."""
    return isinstance(kind, _LIST)
