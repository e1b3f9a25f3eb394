"""Instants."""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry


def rfc3339(instant: datetime) -> str:
    """In UTC, with as few digits of a second as hold it: none, three or six."""
    micro = instant.microsecond
    digits = "microseconds" if micro % 1000 else "milliseconds" if micro else "seconds"
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=digits)}Z"


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description='An instant in UTC as RFC 3339 writes it, such as "2026-03-01T09:30:00Z".',
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=rfc3339,
)
