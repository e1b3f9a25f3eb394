"""Notification."""

from __future__ import annotations

from datetime import datetime

import strawberry

from datasources.ports import notifications
from datasources.sourced import Sourced as Found
from schema.cache_control import PERSONAL
from schema.types.freshness import Sourced


@strawberry.type(description="A message to the viewer.", directives=[PERSONAL])
class Notification(Sourced):
    id: strawberry.ID = strawberry.field(description="Names the message.")
    message: str = strawberry.field(description="What it says, in plain text.")
    read: bool = strawberry.field(description="Whether the viewer has read it.")
    created_at: datetime = strawberry.field(description="When it was sent.")

    @classmethod
    def of(cls, record: notifications.Notification, found: Found[object]) -> Notification:
        return cls(
            id=strawberry.ID(record.id),
            message=record.message,
            read=record.read,
            created_at=record.created_at,
            found=found,
        )

    @classmethod
    def single(cls, found: Found[notifications.Notification]) -> Notification:
        return cls.of(found.value, found)
