"""Which upstream call a field makes, and how much an answer would miss it.

A field declares its question once, beside its resolver. `schema.plan` reads it, the exported graph
shows its importance, and the resolver gets at the ports with it: the calls that it makes have the
importance that it shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

import strawberry
from strawberry.schema_directive import Location

from datasources.importance import Importance

KEY: Final = "asks"
"""Where a field's metadata holds its `Asks`."""


class Per(Enum):
    """What a field makes one call for."""

    VIEWER = "viewer"
    ARGUMENTS = "arguments"
    PARENT = "parent"
    WAVE = "wave"


@strawberry.enum(
    name="Importance", description="How much an answer would miss a field, the most first."
)
class Level(Enum):
    CRITICAL = strawberry.enum_value(
        "CRITICAL", description="The answer is of no use without it; it is always asked for."
    )
    IMPORTANT = strawberry.enum_value(
        "IMPORTANT", description="Left out under high pressure, or when there is no time for it."
    )
    OPTIONAL = strawberry.enum_value("OPTIONAL", description="Left out first.")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="importance",
    description=(
        "How much an answer would miss the field. When not everything can be asked for, the less "
        "important is answered with what is kept, or null and an error."
    ),
)
class ImportanceDirective:
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """One question.

    Attributes:
        service: Who is asked, such as "orders".
        operation: What, such as "recent".
        scope: What our service token must allow.
        per: VIEWER: one call however often the field stands in the document. ARGUMENTS: one for
            each different set of arguments. PARENT: one for each object that the field stands
            on. WAVE: one for all that is wanted at a time, by fields of the same importance.
        importance: How much an answer would miss what comes of it.
        sized_by: The argument that bounds how many objects come of it; None for one.
    """

    service: str
    operation: str
    scope: str
    per: Per
    importance: Importance
    sized_by: str | None = None

    @property
    def metadata(self) -> Mapping[object, object]:
        """Of the field that asks so."""
        return {KEY: self}

    @property
    def directives(self) -> list[object]:
        """Of the same field."""
        return [ImportanceDirective(level=Level[self.importance.name])]
