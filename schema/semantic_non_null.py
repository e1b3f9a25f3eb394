"""The directive that tells clients where null always means an error.

References:
    https://specs.apollo.dev/nullability; docs/decisions/0021-truth-in-the-answer.md
"""

from __future__ import annotations

from typing import Final

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="semanticNonNull",
    description=(
        "Null here always means an error, which stands in `errors` with this path or a longer one. "
        "`levels` says where: 0 is the field itself, 1 the items of its list."
    ),
)
class SemanticNonNull:
    levels: list[int] = strawberry.field(default=(0,))


NULL_ONLY_ON_ERROR: Final = SemanticNonNull()
"""For a field that has a value unless something failed. Not for one that may not exist."""
