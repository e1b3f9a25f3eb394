"""What a change of the graph means to those who ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    find_breaking_changes,
    find_dangerous_changes,
)

_Composite = (GraphQLObjectType, GraphQLInterfaceType)


class Severity(StrEnum):
    """Worst first."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, in words."""

    severity: Severity
    description: str


def changes(old: GraphQLSchema, new: GraphQLSchema) -> list[Change]:
    """Everything that is different, worst first, then by description."""
    found = {
        *(Change(Severity.BREAKING, c.description) for c in find_breaking_changes(old, new)),
        *(Change(Severity.DANGEROUS, c.description) for c in find_dangerous_changes(old, new)),
        *(Change(Severity.SAFE, text) for text in _additions(old, new)),
    }
    order = list(Severity)
    return sorted(found, key=lambda change: (order.index(change.severity), change.description))


def _additions(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[str]:
    """What nobody can have asked for yet; graphql-core names the additions that may hurt."""
    for name, kind in new.type_map.items():
        before = old.type_map.get(name)
        if before is None:
            yield f"{name} was added."
        elif isinstance(kind, _Composite) and isinstance(before, _Composite):
            for field in kind.fields.keys() - before.fields.keys():
                yield f"{name}.{field} was added."
