"""The directive by which a query gives a field less time than it has itself."""

from __future__ import annotations

from typing import Annotated

import strawberry
from graphql import DirectiveLocation

Milliseconds = Annotated[
    int,
    strawberry.argument(
        description="From when the field begins, at least 1. It can only shorten what is left."
    ),
]


@strawberry.directive(
    locations=[DirectiveLocation.FIELD],
    description=(
        "Give the field, and everything below it, so much time. What has not come by then is "
        "served old, or is null with the code DEADLINE_EXCEEDED; nothing else waits for it."
    ),
)
def deadline(ms: Milliseconds) -> None:
    """Runs nothing itself: `bff.graphql.field_deadlines` shortens the deadline of the scope."""
