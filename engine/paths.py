"""Where in the answer something stands.

A path is a nested tuple: what is above it, its key, and what is known about the position since the
plan was compiled. All that stands below one object shares its path, so making one costs a tuple.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import FieldNode
from graphql.pyutils import Path as CorePath

Path: TypeAlias = tuple[Any, str | int, "Position"]
"""(path above or None, response key or index, position)."""


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """What is the same for all values of one field, or of the items of its lists.

    Attributes:
        nodes: Of the field, for locations.
        key: Of the field in the response.
        typename: Of the object that has the field; None for items.
        nullable: Whether an error stops here. Always true where errors do not propagate.
    """

    nodes: Sequence[FieldNode]
    key: str
    typename: str | None
    nullable: bool


def keys_of(path: Path | None) -> list[str | int]:
    """As errors show it."""
    keys: list[str | int] = []
    while path is not None:
        keys.append(path[1])
        path = path[0]
    keys.reverse()
    return keys


def core_path(path: Path | None) -> CorePath | None:
    """As resolvers see it in `info.path`."""
    if path is None:
        return None
    return CorePath(core_path(path[0]), path[1], path[2].typename)


def field_of(path: Path) -> Path:
    """The path of the field in whose lists the position stands; its own if in none."""
    while path[1].__class__ is int:
        path = path[0]
    return path
