"""What a change of the graph means to those who ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLWrappingType,
    find_breaking_changes,
    find_dangerous_changes,
    get_directive_values,
)

SEMANTIC_NON_NULL = "semanticNonNull"

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
    """Everything that is different, worst first, then by description.

    Where `@semanticNonNull` stands is known only of a schema that was read from text.
    """
    found = {
        *(Change(Severity.BREAKING, c.description) for c in find_breaking_changes(old, new)),
        *(Change(Severity.DANGEROUS, c.description) for c in find_dangerous_changes(old, new)),
        *(Change(Severity.SAFE, text) for text in _additions(old, new)),
        *_promises(old, new),
    }
    order = list(Severity)
    return sorted(found, key=lambda change: (order.index(change.severity), change.description))


def _additions(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[str]:
    """What nobody can have asked for yet; graphql-core names the additions that may hurt."""
    for directive in new.directives:
        if old.get_directive(directive.name) is None:
            yield f"Directive @{directive.name} was added."
    for name, kind in new.type_map.items():
        before = old.type_map.get(name)
        if before is None:
            yield f"{name} was added."
        elif isinstance(kind, _Composite) and isinstance(before, _Composite):
            for field in kind.fields.keys() - before.fields.keys():
                yield f"{name}.{field} was added."


def _promises(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    """Where null has come to mean an error, or no longer does: clients leave out checks for it."""
    for name, kind in new.type_map.items():
        before = old.type_map.get(name)
        if isinstance(kind, _Composite) and isinstance(before, _Composite):
            for field in kind.fields.keys() & before.fields.keys():
                was, is_now = before.fields[field], kind.fields[field]
                said, says = _levels(old, was), _levels(new, is_now)
                for level in said - says - _never_null(is_now):
                    text = f"{name}.{field} may be null without an error (level {level})."
                    yield Change(Severity.BREAKING, text)
                for level in says - said - _never_null(was):
                    text = f"{name}.{field} is null only with an error (level {level})."
                    yield Change(Severity.SAFE, text)


def _levels(schema: GraphQLSchema, field: GraphQLField) -> set[int]:
    directive = schema.get_directive(SEMANTIC_NON_NULL)
    if directive is None or field.ast_node is None:
        return set()
    values = get_directive_values(directive, field.ast_node)
    return set(values["levels"]) if values else set()


def _never_null(field: GraphQLField) -> set[int]:
    """Where the type itself rules null out."""
    levels: set[int] = set()
    kind, level = cast("object", cast("Any", field).type), 0
    while isinstance(kind, GraphQLWrappingType):
        if isinstance(kind, GraphQLNonNull):
            levels.add(level)
        else:
            level += 1
        kind = cast("object", cast("Any", kind).of_type)
    return levels
