"""Which upstream call a field makes, declared beside its resolver and read by `schema.plan`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

KEY: Final = "asks"
"""Where a field's metadata holds its `Asks`."""


class Per(Enum):
    """What a field makes one call for."""

    VIEWER = "viewer"
    ARGUMENTS = "arguments"
    PARENT = "parent"
    WAVE = "wave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """One question.

    Attributes:
        service: Who is asked, such as "orders".
        operation: What, such as "recent".
        scope: What our service token must allow.
        per: VIEWER: one call however often the field stands in the document. ARGUMENTS: one for
            each different set of arguments. PARENT: one for each object that the field stands
            on. WAVE: one for all that is wanted at a time.
        sized_by: The argument that bounds how many objects come of it; None for one.
    """

    service: str
    operation: str
    scope: str
    per: Per
    sized_by: str | None = None


def asks(
    service: str, operation: str, scope: str, *, per: Per, sized_by: str | None = None
) -> Mapping[object, object]:
    """The metadata of a field that asks so; see `Asks`."""
    return {
        KEY: Asks(service=service, operation=operation, scope=scope, per=per, sized_by=sized_by)
    }
