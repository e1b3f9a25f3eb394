"""Instants."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Annotated

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An RFC 3339 instant; one without an offset is a bad reply, since nobody can say when it was."""


def demand_expressible(*instants: datetime | None) -> None:
    """Refuse what lies outside of the calendar once it is in UTC.

    Raises:
        OverflowError: One does: `0001-01-01T00:00:00+01:00` is what some systems say for "never".
    """
    for instant in instants:
        if instant is not None and not MINYEAR < instant.year < MAXYEAR:
            instant.astimezone(UTC)
